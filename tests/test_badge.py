"""The status badge and the page for institutions: what a picture says, what it leaves to the page, and that nothing of it reads as praise."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import uscc

from publish.catalogue import Catalogue
from publish.rules import TERM_YEARS
from publish.web.answer import App
from publish.web.contact import contact
from publish.web.glossary import TOPICS
from publish.web.visit import address
from publish.wording import LANGUAGES, say, wording
from web_release import ACTIVE, HOSTILE, SWEET, TODAY, go_live, make_release, rows
from web_visitor import sites, text_of, visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
SITE = "https://mingbai.example"
CODE = "91350100M000100Y43"


def _code(number: int) -> str:
    stem = f"91350102MA{number:07d}"
    return stem + uscc.calc_check_digit(stem)


LEFT, OVER, BLACK, GREY, STALE, CLEAN, HOSTILE_NAME, REGISTERED, PERMIT_OVER, DISPUTED = CODES = [_code(number) for number in range(1, 11)]


def _listing(number: int, list: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"l-{number:011d}2", "institution_id": f"i-{number:011d}2", "list": list, "authority": "福州市教育局", "region_code": "350102",
        "source_id": "platform", "document_id": "d-bbbbbbbbbbb2", "as_of": "2026-11-20", **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home, tables = tmp_path_factory.mktemp("home"), rows("标记")
    for number, code in enumerate(CODES, 1):
        name = f"{HOSTILE}第一行\n第二行{'长' * 300}" if code == HOSTILE_NAME else f"第{number}家培训中心"
        source = "slow" if code == STALE else "platform"
        tables["institutions"].append(
            {"id": f"i-{number:011d}2", "name": name, "credit_code": code, "region_code": "350102", "source_id": source}
        )
    tables["listings"] += [
        _listing(1, "white", absent_since="2026-11-18"), _listing(2, "white", valid_until="2026-10"), _listing(3, "white"), _listing(3, "black", id="l-zzzzzzzzzzz2", listed_on="2026-11-01"),
        _listing(4, "grey", listed_on="2026-11-01"), _listing(5, "white", source_id="slow", as_of="2026-01-31"), _listing(6, "white"), _listing(7, "white"), _listing(9, "white"), _listing(10, "white"),
    ]  # fmt: skip
    tables["permits"].append({"institution_id": "i-000000000092", "permit_no": "教民135010270000099", "valid_until": "2025-01-01"})
    active = next(row for row in tables["notices"] if row["id"] == ACTIVE)
    for id, state in (("n-00000000172", "active"), ("n-00000000182", "disputed")):
        tables["notices"].append({**active, "id": id, "state": state, "subject_credit_code": DISPUTED})
        tables["notice_links"].append({"notice_id": id, "institution_id": "i-000000000102", "method": "credit_code", "confidence": 1.0})
    make_release(home, TODAY, catalogue, tables=tables)
    go_live(home, TODAY)
    return home


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    with sites(home, catalogue, NOON) as make:
        yield make


def lines_of(svg: str) -> list[str]:
    """What a picture says, read as XML."""
    return [line.text or "" for line in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


SAYS = (  # code, key and day of its status, keys of what stands beside it
    (CODE, "listed", "2026-11-20", ("badge.notices",)),
    (DISPUTED, "listed", "2026-11-20", ("badge.notices_disputed",)),
    (CLEAN, "listed", "2026-11-20", ()),
    (PERMIT_OVER, "listed", "2026-11-20", ("badge.notes",)),
    (LEFT, "left", "2026-11-22", ()),
    (OVER, "over", "2026-11-22", ()),
    (REGISTERED, "not_found", "2026-11-22", ()),
    (BLACK, "cannot_say", "2026-11-20", ()),
    (GREY, "cannot_say", "2026-11-20", ()),
    (STALE, "cannot_say", "2026-01-31", ()),
)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_badge_says_listed_not_listed_or_that_it_cannot_say_each_as_of_a_day(site, lang):
    words = wording(lang)
    async with visitor(site()) as client:
        for code, key, day, beside in SAYS:
            answer = await client.get(address(f"/badge/{code}.svg", lang))
            name, *said, last = lines_of(answer.text)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
            assert said == [words[f"badge.{key}"].format(as_of=day), *(words[one].format(n=2, disputed=1) for one in beside)], code
            assert name
            assert last.startswith(code)
            assert not re.search("安全|放心|可靠|合规|优|黑|safe|trust|good|black", " ".join([*said, last]), re.IGNORECASE), said


async def test_notices_leave_a_badge_at_midnight_and_no_copy_is_kept(site):
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    async with visitor(site()) as client, visitor(site(midnight)) as later:
        now, after = [await one.get(f"/badge/{CODE}.svg") for one in (client, later)]
        same = await client.get(f"/badge/{CODE}.svg", headers={"if-none-match": now.headers["etag"]})
    assert ("有 2 条公示期内的公告" in now.text, "有 1 条公示期内的公告" in after.text) == (True, True)
    assert (now.headers["cache-control"], same.status_code) == ("no-cache", 304)
    assert now.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", [_code(77), "91350100M000100Y44", "x", "<script>", "是", "%20"])
async def test_a_code_that_nobody_has_is_a_picture_all_the_same_and_no_page(site, lang, code):
    async with visitor(site()) as client:
        answer = await client.get(address(f"/badge/{code}.svg", lang))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "image/svg+xml")
    assert lines_of(answer.text)[0] == wording(lang)["badge.unknown"]
    assert "script" not in answer.text


async def test_a_hostile_name_is_one_short_line_of_text(site):
    async with visitor(site()) as client:
        answer = await client.get(f"/badge/{HOSTILE_NAME}.svg")
    name = lines_of(answer.text)[0]
    assert (len(name), name[:8]) == (26, "<script>")
    assert [one.tag.partition("}")[2] for one in ElementTree.fromstring(answer.text).iter()] == ["svg", "title", "rect", "g", *["text"] * 3]
    assert "\u202e" not in answer.text
    assert not re.search(r"style=|href|\son\w+=", answer.text)


async def test_an_error_is_no_picture_of_an_unknown_code(site):
    app = site()
    app.shelf.reader._connection.execute("PRAGMA query_only=0")
    app.shelf.reader._connection.close()
    async with visitor(app) as client:
        assert (await client.get(f"/badge/{CODE}.svg")).status_code == 500


async def test_a_badge_takes_no_key(site):
    async with visitor(site()) as client:
        assert (await client.get(f"/badge/{CODE}.svg?as_of=2026-01-01")).status_code == 400
        assert (await client.get("/for-institutions?name=x")).status_code == 400


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_code_to_embed_shows_the_badge_and_leads_to_the_page(site, lang):
    async with visitor(site(base_url=SITE)) as client, visitor(site()) as untold:
        page = (await client.get(address(f"/for-institutions?code={CODE.lower()}", lang))).text
        unknown = (await untold.get(address(f"/for-institutions?code={CODE}", lang))).text
        nobody = await client.get(address("/for-institutions?code=<script>", lang))
        embed = unescape(re.search(r'<pre><code class="address">(.*?)</code></pre>', page)[1])  # type: ignore[index]
        href, source = re.findall(r'(?:href|src)="([^"]*)"', embed)
        linked = [(await client.get(one.removeprefix(SITE))).status_code for one in (href, source)]
    assert (href, source) == (f"{SITE}{address(f'/institutions/{SWEET}', lang)}", f"{SITE}{address(f'/badge/{CODE}.svg', lang)}")
    assert linked == [200, 200]
    assert f'alt="{wording(lang)["badge.alt"]}"' in embed
    assert wording(lang)["badge.warning"] in text_of(page)
    assert wording(lang)["badge.no_address"] in unknown
    assert (nobody.status_code, "<script>" in nobody.text) == (404, False)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_page_for_institutions_tells_the_clocks_that_the_code_goes_by(site, lang):
    async with visitor(site(contact=contact("a@b.example"))) as client:
        html = (await client.get(address("/for-institutions", lang))).text
    words, page = wording(lang), text_of(html)
    rows_of = re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td>', html)
    minor, *rest = [shown for _, shown in rows_of]
    assert minor == words["owners.never"]
    assert rest == [say(lang, "owners.years", n=years) for years in TERM_YEARS.values()]
    assert [say(lang, "owners.months", n=n) in page for n in (3, 12)] == [True, True]
    assert words["owners.correction.withdrawal"].format(hours=24) in page
    assert 'href="mailto:a@b.example"' in html


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_word_on_a_card_is_one_tap_from_what_it_means(site, lang):
    async with visitor(site()) as client:
        words = (await client.get(address("/words", lang))).text
        pages = [
            (await client.get(address(path, lang))).text
            for path in (f"/institutions/{SWEET}", "/search?q=甜果", f"/compare?id={SWEET}", "/for-institutions")
        ]
        refused = await client.get(address("/words?x=1", lang))
    anchors = set(re.findall(r'<h2 id="([^"]+)"', words))
    linked = {anchor for page in pages for anchor in re.findall(rf'class="term" href="{address("/words", lang)}#([^"]+)"', page)}
    assert anchors == set(TOPICS)
    assert linked <= anchors
    assert {"lists", "notices", "permits", "fund", "ratings", "identity", "classes", "links", "status", "as_of", "seriousness"} <= linked
    assert ("银行托管" if lang == "zh" else "Bank escrow") in words
    assert "{" not in text_of(words)
    assert refused.status_code == 400
