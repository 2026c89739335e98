"""An institution's page: what is said of a notice beside it, how far ratings may be trusted, where each value comes from, where an error goes, and the sheet on paper."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.answer import App
from publish.web.contact import contact
from publish.web.limits import PREPAID, REMOVED_WITHIN_HOURS
from publish.web.provenance import PARTS, origins
from publish.web.qr import qr
from publish.web.rated import interval
from publish.web.visit import address
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, ENDS_TODAY, SHADY, SWEET, TODAY, TONG, go_live, make_release, write_index, write_past
from web_visitor import sites, text_of, visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)
BEFORE = "2026-11-22"
SITE = "https://mingbai.example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for release in (BEFORE, TODAY):
        make_release(home, release, catalogue, mark="标记")
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    with sites(home, catalogue, NOON) as make:
        yield make


async def test_a_reply_and_a_dispute_stand_beside_the_notice_on_the_institutions_page(site):
    async with visitor(site()) as client, visitor(site(MIDNIGHT)) as later:
        page, english = [text_of((await client.get(f"{lang}/institutions/{SWEET}")).text) for lang in ("", "/en")]
        answer = (await client.get(f"/institutions/{SWEET}.json")).json()
        after = (await later.get(f"/institutions/{SWEET}")).text
    for said in ("于 2026-11-01 回应：", "费用已全部退还。", "今天到期的公告所述不实。", "曾有异议，已于 2026-11-20 核对完毕"):
        assert said in page, said
    assert "replied on 2026-11-01" in english
    assert {notice["id"]: [said["kind"] for said in notice["statements"]] for notice in answer["notices"]} == {
        ACTIVE: ["reply", "dispute", "correction"],
        ENDS_TODAY: ["reply"],
    }
    assert "所述不实" not in after


async def test_a_reply_and_a_dispute_stand_beside_what_a_notice_says_in_its_provenance(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/institutions/{SWEET}/provenance")).text)
    for said in ("于 2026-11-01 回应：", "费用已全部退还。", "今天到期的公告所述不实。", "曾有异议，已于 2026-11-20 核对完毕"):
        assert page.count(said) == 1 + (said == "于 2026-11-01 回应："), said


async def test_a_mean_stands_with_its_window_interval_and_source(site):
    async with visitor(site()) as client:
        page, english = [text_of((await client.get(f"{lang}/institutions/{SWEET}")).text) for lang in ("", "/en")]
        (rating,) = (await client.get(f"/institutions/{SWEET}.json")).json()["ratings"]
        (suppressed,) = (await client.get(f"/institutions/{TONG}.json")).json()["ratings"]
    low, high = rating["interval"]
    assert 1 <= low < rating["mean"] < high <= 5
    assert f"95% 区间：{low} 至 {high}" in page
    assert f"95% interval of the mean: {low} to {high}" in english
    assert (rating["source_id"], rating["source_en"], rating["document_as_of"]) == ("platform", "National platform (标记)", "2026-11-22")
    assert page.index("95% 区间") < page.index("来源：全国平台（标记）", page.index("95% 区间"))
    assert (suppressed["count"], suppressed["mean"], suppressed["interval"]) == (0, None, None)


@pytest.mark.parametrize("mean", [1, 1.5, 3, 4.99, 5])
def test_an_interval_has_the_mean_stays_on_the_scale_and_is_narrower_for_more_ratings(mean):
    few, many = interval(mean, 5, 5), interval(mean, 5_000, 5)
    for ends in (few, many):
        assert 1 <= ends[0] <= mean <= ends[1] <= 5
    assert few[1] - few[0] > 10 * (many[1] - many[0])
    assert interval(1, 5, 1) is None


def test_an_interval_is_that_of_wilson():
    assert interval(1.1, 50, 2) == [1.04, 1.21]  # 5 of 50: 0.0435 to 0.2136 by the formula in any textbook


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_value_is_traced_to_its_source_document_day_and_raw_text(site, lang):
    there = f"{address('', lang)}/institutions/{SWEET}"
    async with visitor(site()) as client:
        page, html = (await client.get(there)).text, (await client.get(f"{there}/provenance")).text
        unread = text_of((await client.get(f"{address('', lang)}/institutions/{TONG}/provenance")).text)
        shady = (await client.get(f"/institutions/{SHADY}/provenance")).text
    assert f'href="{there}/provenance"' in page
    said = text_of(html)
    for value in (
        "91350100M000100Y43",
        "甜果英语",
        "教民135010270000018",
        "初中英语",
        "白名单第三期",
        "2026-10-15",
        "1.2 万元",
        "12,000.00",
        "320",
    ):
        assert value in said, value
    words = wording(lang)
    assert words["provenance.nothing"] in unread
    assert " 是 " in unread  # what the source wrote where its credit code should stand
    assert 'href="https://platform.example/b3" rel="noopener noreferrer nofollow"' in html
    assert "\u202e" not in shady
    assert "<script" not in shady
    assert 'href="javascript:' not in shady


async def test_the_provenance_of_a_notice_ends_with_it_and_that_of_a_past_page_links_no_live_row(site):
    there = f"/institutions/{SWEET}/provenance"
    async with visitor(site()) as client, visitor(site(MIDNIGHT)) as later:
        now, past = (await client.get(there)).text, await client.get(f"{there}?as_of={BEFORE}")
        after = await later.get(there)
        nowhere = await client.get("/institutions/i-nobody/provenance")
    assert ("今天到期" in now, "今天到期" in after.text) == (True, False)
    assert f"/mingbai/institutions/{SWEET}" in now
    assert past.status_code == 200
    assert "/mingbai/" not in past.text.partition("<main")[2].partition("</main>")[0]
    assert nowhere.status_code == 404


def test_what_a_source_wrote_stands_beside_what_we_made_of_it(catalogue):
    row = {
        "id": "n-1",
        "fine_fen": None,
        "fine_text": "2",
        "region_code": "350102",
        "region_text": "鼓楼区",
        "violation_type": None,
        "violation_text": "超期收费",
    }
    found = {"id": "i-1", **dict.fromkeys(PARTS, ()), "listings": [], "notices": [row], "ratings": []}
    notice = list(origins(found, dictionary(catalogue)))[1]
    assert [(one.column, one.value, one.text) for one in notice.values] == [
        ("region_code", "350102", "鼓楼区"),
        ("violation_type", None, "超期收费"),
        ("fine_fen", None, "2"),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_limits_on_prepayment_stand_where_fees_are_shown_with_their_rule(site, lang):
    async with visitor(site()) as client:
        pages = [
            text_of((await client.get(f"{address('', lang)}{path}")).text)
            for path in (f"/institutions/{SWEET}", f"/compare?id={SWEET}", "/words")
        ]
    words = wording(lang)
    assert PREPAID == {"months": 3, "hours": 60, "yuan": "5,000"}
    assert all(words["prepaid.limits"].format(**PREPAID) in page for page in pages[:2])
    assert all(words["prepaid.rule"] in page for page in pages[:2])
    assert "5,000" in pages[2]


@pytest.mark.parametrize("path", [f"/institutions/{SWEET}", f"/notices/{ACTIVE}"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_an_error_goes_to_the_operator_with_what_to_say_and_by_when(site, lang, path):
    async with (
        visitor(site(contact=contact("wrong@mingbai.example"))) as client,
        visitor(site(contact=contact("https://mingbai.example/form?a=1&b=2"))) as other,
    ):
        html = (await client.get(f"{address('', lang)}{path}")).text
        form = (await other.get(f"{address('', lang)}{path}")).text
    words, page = wording(lang), text_of(html)
    assert 'href="mailto:wrong@mingbai.example"' in html
    assert 'href="https://mingbai.example/form?a=1&amp;b=2" rel="noopener noreferrer nofollow"' in form
    assert path.rpartition("/")[2] in page.partition(words["report.to"])[2][:200]
    assert 'href="tel:12345"' in html
    assert f'href="{address("/for-institutions", lang)}"' in html.partition('id="report"')[2]
    assert words["report.by"].format(hours=REMOVED_WITHIN_HOURS) in page
    assert words["report.nowhere"] not in page


@pytest.mark.parametrize("path", [f"/institutions/{SWEET}", f"/notices/{ACTIVE}"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_where_nobody_takes_reports_the_page_says_so_and_names_who_published(site, lang, path):
    async with visitor(site()) as client:
        html = (await client.get(f"{address('', lang)}{path}")).text
    words, page = wording(lang), text_of(html)
    assert words["report.nowhere"] in page
    assert words["report.to"] not in page
    assert "mailto:" not in html
    assert ("教育部" if lang == "zh" else "Ministry of Education") in page.partition(words["report.at_source"])[2][:100]
    assert 'href="https://platform.example/" rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "text",
    [
        "nobody",
        "javascript:alert(1)",
        "a@b",
        "a b@c.example",
        "mailto:a@b.example",
        "https://",
        "a@b.example\nBcc: c@d.example",
        "https://x.example/\u202e",
    ],
)
def test_what_is_no_address_is_no_contact(text):
    with pytest.raises(ValueError, match="neither"):
        contact(text)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_page_gives_its_address_its_release_and_the_hash_that_anybody_can_check(site, home, lang):
    path = f"{address('', lang)}/institutions/{SWEET}"
    async with visitor(site(base_url=SITE)) as client, visitor(site()) as untold:
        html, unknown = [(await one.get(path)).text for one in (client, untold)]
        manifest = (await client.get(f"/data/{TODAY}/manifest.json")).content
        past = (await client.get(f"{path}?as_of={BEFORE}")).text
    sums = {
        release: hashlib.sha256((home / "releases" / release / "manifest.json").read_bytes()).hexdigest() for release in (BEFORE, TODAY)
    }
    assert hashlib.sha256(manifest).hexdigest() == sums[TODAY]
    assert f'<code class="address">{SITE}{path}</code>' in html
    assert f'<code class="address">{SITE}{path}?as_of={TODAY}</code>' in html
    assert (sums[TODAY] in html, sums[BEFORE] in past, sums[TODAY] in past) == (True, True, False)
    assert str(qr(f"{SITE}{path}", wording(lang)["share.qr"])) in html
    assert f"{SITE}{path}?as_of={BEFORE}" in past
    assert ('class="qr"' in unknown, "http://site.example" + path in unknown) == (False, True)  # nobody told it which address to print


def test_a_qr_code_is_that_of_its_text_whole_and_with_its_margin():
    drawn, size = str(qr("https://mingbai.example/institutions/i-aaaaaaaaaaa2", 'a "label" & more')), 41
    assert f'viewBox="0 0 {size} {size}"' in drawn
    assert 'aria-label="a &#34;label&#34; &amp; more"' in drawn
    assert not re.search(r"style=|<script|class=\"[^q]", drawn)
    cells = {(int(x) + at, int(y)) for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-", drawn) for at in range(int(n))}
    for left, top in ((4, 4), (size - 11, 4), (4, size - 11)):  # the three corners by which a reader finds it
        assert {(x, y) for x, y in cells if left <= x < left + 7 and top <= y < top + 7} == {
            (left + x, top + y) for x in range(7) for y in range(7) if x in (0, 6) or y in (0, 6) or (2 <= x <= 4 and 2 <= y <= 4)
        }
    assert min(min(cell) for cell in cells) == 4
    assert max(max(cell) for cell in cells) == size - 5
