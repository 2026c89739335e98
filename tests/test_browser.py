"""The site in a real browser: it fits every window, is small and all from here, can be read by everybody, and runs nothing that a source wrote.

Each page is opened once in each language; what was seen of it then is what most of these tests look at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import files
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from publish import catalogue as declared
from tab import Tab, browsing, serving
from web_release import ACTIVE, SHADY, SWEET, TODAY, TONG, UNLINKED, Rows, go_live, make_release, rows, write_index, write_past

pytestmark = pytest.mark.browser

OLD, NOON = "2026-11-20", datetime(2026, 11, 23, 4, tzinfo=UTC)
PAGES = (
    "/", "/search?q=福州", "/search?q=培训&limit=1", "/search?q=不存在的名称", f"/institutions/{SWEET}", f"/institutions/{SHADY}", f"/notices/{ACTIVE}", f"/notices/{UNLINKED}", "/data", "/data/about/institutions", "/feeds", "/feeds?region=350102", "/feeds/notices", "/feeds/records?q=收费", "/changes", "/changes?region=350000&dataset=institutions", "/status",
    "/mingbai", "/mingbai/institutions", "/mingbai/notices?_search=收费", "/mingbai/institutions?_search=。", "/mingbai?sql=select+*+from+notices", "/nothing", "/verify", "/verify?name=福州旧时光体育培训有限公司（标记）&region=350102", "/notices", "/notices?q=罚款:1万..",
    "/regions", "/regions/350000", "/regions/350102", f"/compare?id={SWEET}&id={TONG}", f"/institutions/{SWEET}/provenance", "/words", "/for-institutions?code=91350100M000100Y43",
    f"/institutions/{SWEET}?as_of={OLD}", f"/notices/{ACTIVE}?as_of={OLD}", f"/?as_of={OLD}", f"/data?as_of={OLD}", f"/search?q=福州&as_of={OLD}",
)  # fmt: skip
MONSTER, ITS_NOTICE = "i-mmmmmmmmmmm2", "n-mmmmmmmmmmm2"
EVIL = "\u202e\u2066<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>点</a><svg/onload=alert(1)>'\"&{{7*7}}]]>-->"
HOSTILE = (
    f"/institutions/{MONSTER}", f"/institutions/{MONSTER}?as_of={OLD}", f"/institutions/{SHADY}", f"/notices/{ITS_NOTICE}", f"/notices/{ITS_NOTICE}?as_of={OLD}",
    "/", "/search?q=怪物", "/search?q=<script>alert(1)</script>", "/notices?q=怪物", "/notices?q=<script>alert(1)</script>", "/verify?name=怪物<img src=x onerror=alert(1)>",
    "/regions/350102", f"/compare?id={MONSTER}&id={SHADY}", f"/institutions/{MONSTER}/provenance", "/for-institutions?code=<script>alert(1)</script>", "/data/about/institutions",
    "/changes", f"/changes?subject={MONSTER}", "/data", "/status", "/feeds?q=<script>alert(1)</script>", "/feeds/records?q=<svg/onload=alert(1)>",
    "/mingbai/institutions", f"/mingbai/institutions/{MONSTER}", "/mingbai/notices", f"/mingbai/notices/{ITS_NOTICE}", "/mingbai/sources", "/mingbai/documents",
    "/mingbai?sql=select+'<script>alert(1)</script>'+as+%5B<img+src=x+onerror=alert(1)>%5D", "/mingbai?sql=select+name+from+institutions", "/history/institutions_as_of", "/<script>alert(1)</script>",
)  # fmt: skip
WIDTHS = (1440, 768, 360)
FIRST_VIEW = 60_000  # bytes over the wire, on a phone: the page and all that it is drawn with


@dataclass(frozen=True)
class Seen:
    """What a browser saw of a page. `axe` and `contrast` are faults: of accessibility, and of texts that do not stand out, by scheme."""

    wider_than: list[int]
    titles: int
    is_styled: bool
    asked: list[str]
    complaints: list[str]
    bytes: int
    axe: list[str]
    contrast: dict[str, list[Any]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    for id, mark in ((OLD, "旧"), (TODAY, "标记")):
        make_release(home, id, declared.load(), tables=with_monster(rows(mark), mark))
    write_index(home, OLD, TODAY)
    write_past(home, declared.load(), OLD, TODAY)
    go_live(home, TODAY)
    with serving(home, root, NOON) as url:
        yield url


def with_monster(tables: Rows, mark: str) -> Rows:
    """With an institution all of whose texts are hostile, and whose name has 100 kB; and a notice about it."""
    texts = {
        "institutions": "credit_code_text region_text address registered_address organiser competent_authority registrar",
        "notices": "subject_name region_text authority document_no violation_text facts legal_basis penalty_text fine_text confiscated_text",
        "listings": "subject_name region_text authority batch_label",
    }
    evil = {table: dict.fromkeys(names.split(), f"怪物{EVIL}（{mark}）") for table, names in texts.items()}
    long = f"怪物{EVIL}" + f"长<b>{mark}" * 20_000
    own = {"institution_id": MONSTER}
    more: Rows = {
        "sources": [{"id": "evil", "label_zh": long, "label_en": long, "publisher_zh": long, "publisher_en": long, "url": "javascript:alert(1)", "licence": long, "interval_days": 1, "as_of": "2026-11-22"}],
        "documents": [{"id": "d-mmmmmmmmmmm2", "source_id": "evil", "kind": "decision", "title": f"怪物{EVIL}", "url": "data:text/html,<script>alert(1)</script>", "as_of": "2026-11-20", "batch_label": EVIL}],
        "institutions": [{"id": MONSTER, **evil["institutions"], "name": long, "region_code": "350102", "source_id": "evil", "document_id": "d-mmmmmmmmmmm2"}],
        "institution_aliases": [{**own, "name": f"怪物{EVIL}", "kind": "brand"}],
        "institution_sites": [{**own, "address": EVIL, "region_code": "350102"}],
        "permits": [{**own, "permit_no": EVIL, "issuer": EVIL, "valid_from": "2024-01-01", "valid_until": "2027-12-31"}],
        "institution_classes": [{**own, "class_code": "subject", "content": long}],
        "fund_supervision": [{**own, "mode": "escrow", "bank": EVIL}],
        "listings": [{"id": "l-mmmmmmmmmmm2", **own, "list": "white", **evil["listings"], "region_code": "350102", "listed_on": "2026-11-18", "as_of": "2026-11-20", "source_id": "evil", "document_id": "d-mmmmmmmmmmm2"}],
        "notices": [{"id": ITS_NOTICE, "kind": "penalty", "title": long, **evil["notices"], "subject_kind": "organisation", "region_code": "350102", "decided_on": "2026-10-15", "published_on": "2026-11-20", "public_until": "2027-10-15", "public_until_rule": "source", "seriousness": "general", "state": "active", "source_id": "evil", "document_id": "d-mmmmmmmmmmm2"}],
        "notice_statements": [{"notice_id": ITS_NOTICE, "number": 1, "kind": "reply", "said_by": EVIL, "said_on": "2026-11-01", "text": long, "document": EVIL, "recorded_on": "2026-11-02"}],
        "notice_links": [{"notice_id": ITS_NOTICE, "institution_id": MONSTER, "method": "credit_code", "confidence": 1.0}],
    }  # fmt: skip
    return {table: [*its_rows, *more.get(table, [])] for table, its_rows in tables.items()}


@pytest.fixture(scope="module")
def tab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(chromium, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, from a package that carries it."""
    found = [file for file in files("axe-playwright-python") or () if file.name == "axe.min.js"]
    return Path(str(found[0].locate())).read_text("utf-8")


@pytest.fixture(scope="module", params=["", "/en"])
def pages(tab: Tab, url: str, axe: str, request: pytest.FixtureRequest) -> dict[str, Seen]:
    """Each page, by its address without the language."""
    tab.scripts(True)
    return {path: _look(tab, f"{url}{request.param}{path}", axe) for path in PAGES}


def _look(tab: Tab, address: str, axe: str) -> Seen:
    tab.width(360)
    tab.scheme("light")
    tab.open(address)
    asked = [told["request"]["url"] for told in tab.seen("Network.requestWillBeSent")]
    complaints = [told["entry"]["text"] for told in tab.seen("Log.entryAdded")]
    contrast = {"light": tab.value(CONTRAST)}
    tab.value(axe)
    faults = tab.wait_for(AXE)
    tab.scheme("dark")
    contrast["dark"] = tab.value(CONTRAST)
    wider = []
    for width in WIDTHS:
        tab.width(width)
        wider += [] if tab.within() else [width]
    return Seen(
        wider,
        tab.value("document.querySelectorAll('h1').length"),
        tab.value("getComputedStyle(document.querySelector('main')).maxWidth") != "none",
        asked,
        complaints,
        sum(told["encodedDataLength"] for told in tab.seen("Network.loadingFinished")),
        faults,
        contrast,
    )


def test_a_page_fits_its_window(pages):
    assert {path: seen.wider_than for path, seen in pages.items() if seen.wider_than} == {}
    assert {path: seen.titles for path, seen in pages.items() if seen.titles != 1} == {}


def test_a_page_is_all_from_here(pages, url):
    for path, seen in pages.items():
        # Chromium draws the sign of a date field from data:
        assert [address for address in seen.asked if not address.startswith((url, "data:"))] == [], path
        assert [text for text in seen.complaints if not re.search("40[04]", text)] == [], path
        assert seen.is_styled, path


def test_the_first_view_of_a_page_is_small(pages):
    assert {path: seen.bytes for path, seen in pages.items() if not 2_000 < seen.bytes < FIRST_VIEW} == {}


def test_axe_finds_no_fault_of_accessibility(pages):
    assert {path: seen.axe for path, seen in pages.items() if seen.axe} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(pages, scheme):
    assert {path: seen.contrast[scheme] for path, seen in pages.items() if seen.contrast[scheme]} == {}


@pytest.mark.parametrize("path", ["/data", "/data/about/institutions", "/mingbai/institutions", "/mingbai?sql=select+*+from+notices", "/history", "/verify", f"/institutions/{SWEET}/provenance"])  # fmt: skip
def test_what_is_wider_than_a_phone_is_in_a_field_that_shows_that_it_scrolls_and_can_be_reached(tab, url, path):
    tab.width(360)
    tab.scheme("light")
    tab.open(url + path)
    tab.value("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert tab.within()
    assert tab.value(MUTE) == []


def test_codes_are_read_in_one_piece_and_an_underscore_is_seen_in_a_link(tab, url):
    tab.width(1440)
    tab.open(f"{url}/mingbai/institutions")
    assert "91350100M000100Y43" in tab.value(LINES)
    assert max(tab.value(LINES).values()) == 1
    tab.open(f"{url}/mingbai?sql=select+credit_code,count(*)+from+institutions+group+by+1+order+by+2+desc,1+desc")
    assert tab.value(LINES)["91350100M000100Y43"] == 1
    assert tab.value("getComputedStyle(document.querySelector('.rows td:last-child')).textAlign") == "right"
    tab.open(f"{url}/data/about/institutions")
    assert tab.value("parseFloat(getComputedStyle(document.querySelector('.asks a')).textUnderlineOffset) > 5")


@pytest.mark.parametrize("path", ["/mingbai/institutions", "/mingbai?sql=select+1", "/mingbai?sql=select+*+from+notices", "/mingbai"])
def test_a_wide_page_begins_where_the_head_does(tab, url, path):
    tab.width(1440)
    tab.open(url + path)
    assert (
        tab.value("document.querySelector('h1').getBoundingClientRect().x - document.querySelector('.brand').getBoundingClientRect().x")
        == 0
    )


@pytest.mark.parametrize("path", ["/", "/en/"])
def test_no_link_of_the_head_lies_upon_another(tab, url, path):
    tab.open(url + path)
    for width in range(320, 520, 20):
        tab.width(width)
        assert tab.value(LYING) == [], width


@pytest.mark.parametrize("path", ["/", f"/institutions/{SWEET}", "/data", f"/notices/{ACTIVE}"])
def test_a_page_is_printed_dark_on_white_without_what_is_only_for_a_screen(tab, url, path):
    tab.width(768)
    tab.open(url + path)
    tab.scheme("dark", "print")
    assert tab.value(CONTRAST) == []
    assert tab.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        tab.value(
            "[...document.querySelectorAll('nav, form, .skip')].filter(it => it.closest('header, main') && it.checkVisibility() && !it.matches('main nav:not(.pager)')).length"
        )
        == 0
    )
    assert tab.value("document.querySelector('footer').innerText").strip()
    tab.scheme("light")


@pytest.mark.parametrize("path", ["/", "/search?q=福州", f"/institutions/{SWEET}", "/notices", "/mingbai/institutions"])
def test_the_keyboard_goes_through_a_page_in_reading_order_and_shows_where_it_is(tab, url, path):
    tab.scheme("light")
    tab.width(1440)
    tab.open(url + path)
    expected = [name for name, _ in groupby(tab.value(REACHED))][:60]
    seen: list[list[Any]] = []
    while len(seen) < len(expected):
        tab.key("Tab")
        now = tab.value(FOCUSED)
        if not seen or seen[-1][0] != now[0]:  # a field for a date has three places
            seen.append(now)
    assert [name for name, _ in seen] == expected
    assert [name for name, is_shown in seen if not is_shown] == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_parent_finds_who_listed_an_institution_by_keyboard(tab, url, scripts):
    tab.scripts(scripts)
    tab.width(360)
    tab.open(f"{url}/")
    tab.value("document.querySelector('#q').focus()")
    tab.press("甜果")
    assert "/search?q=" in tab.value("location.href")
    tab.click(".card h3 a")
    assert tab.value("location.pathname") == f"/institutions/{SWEET}"
    assert "列入福州市教育局（标记）第三期白名单，截至 2026-11-20。" in tab.value("document.body.innerText")
    tab.scripts(True)


def test_names_are_suggested_while_typing_and_chosen_by_keyboard(tab, url):
    tab.width(360)
    tab.open(f"{url}/search")
    tab.value("document.querySelector('#q').focus()")
    state = "[...['role', 'aria-expanded', 'aria-controls', 'aria-autocomplete', 'aria-activedescendant'].map(name => document.querySelector('#q').getAttribute(name))]"
    assert tab.value(state) == ["combobox", "false", "suggestions", "list", None]
    tab.ask("Input.insertText", text="福州市鼓楼区甜")
    assert tab.until("document.querySelectorAll('#suggestions [role=option]').length") == 1
    assert tab.value("document.querySelector('#suggestions').innerText").split("\n") == [
        "福州市鼓楼区甜果培训中心有限公司（标记）",
        "福建省福州市鼓楼区",
    ]
    assert tab.value("document.querySelector('[role=status]').textContent") == "有 1 条提示，按上下键选择。"
    assert tab.value("document.documentElement.scrollWidth <= window.innerWidth")
    tab.key("ArrowDown")
    assert tab.value(state) == ["combobox", "true", "suggestions", "list", "suggestion-0"]
    assert tab.value("document.querySelector('#suggestion-0').getAttribute('aria-selected')") == "true"
    tab.key("Escape")
    assert tab.value(state)[1] == "false"
    tab.key("ArrowDown")  # opens it again
    assert tab.until("document.querySelector('#q').getAttribute('aria-expanded') === 'true'")
    tab.key("ArrowUp")
    tab.events = []
    tab.key("Enter", "\r")
    tab.wait("Page.loadEventFired")
    assert tab.value("location.pathname") == f"/institutions/{SWEET}"


def test_a_late_suggestion_never_takes_the_place_of_a_newer_one(tab, url):
    tab.open(f"{url}/search")
    tab.value(LATE)
    tab.value("document.querySelector('#q').focus()")
    tab.ask("Input.insertText", text="甲")
    assert tab.until("window.asked.length") == 1
    tab.ask("Input.insertText", text="乙")
    assert tab.until("window.asked.length > 1 && window.asked.length") == 2
    tab.value("window.asked[1].give(); window.asked[0].give()")  # the first answer comes last
    assert tab.until("document.querySelector('#suggestions').innerText") == "甲乙"
    assert tab.value("window.asked.map(each => each.signal.aborted)") == [True, False]


def test_a_page_is_seen_as_of_a_day_without_a_script(tab, url):
    tab.scripts(False)
    tab.open(f"{url}/institutions/{SWEET}")
    tab.value("document.querySelector('#as_of').value = '2026-11-21'")
    tab.click("form.then button")
    assert tab.value("location.pathname + location.search") == f"/institutions/{SWEET}?as_of=2026-11-21"
    assert f"您看的是 {OLD} 版本" in tab.value("document.body.innerText")
    tab.scripts(True)


@pytest.mark.parametrize("path", HOSTILE)
def test_nothing_that_a_source_or_a_visitor_wrote_runs_or_turns_the_text_around(tab, url, path):
    tab.scripts(True)
    tab.width(360)
    tab.open(url + path)
    assert tab.seen("Page.javascriptDialogOpening") == []
    assert tab.value("[...document.links].filter(a => !['http:', 'https:', 'tel:'].includes(a.protocol)).length") == 0
    # scripts of ours, and data
    assert (
        tab.value(
            "[...document.scripts].filter(it => !it.src.startsWith(location.origin + '/static/') && it.type !== 'application/ld+json').length"
        )
        == 0
    )
    assert tab.value("document.querySelectorAll('main :is(b, img, script, iframe, object), [onerror], [onload]').length") == 0
    assert tab.value("[...document.querySelectorAll('svg')].filter(it => it.onload).length") == 0
    assert not [told for told in tab.seen("Network.requestWillBeSent") if told["request"]["url"].endswith("/x")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", tab.value("document.body.innerText + document.title"))
    assert [told["entry"]["text"] for told in tab.seen("Log.entryAdded") if not re.search("404|410", told["entry"]["text"])] == []
    assert tab.within()
    assert tab.value("Math.max(...[...document.querySelectorAll('h1, h2, h3, title')].map(it => it.textContent.length))") < 700
    assert sum(told["encodedDataLength"] for told in tab.seen("Network.loadingFinished")) < 3 * FIRST_VIEW


# Answers of the server come when the test says so, and tell what was asked for.
LATE = """(() => {
  window.asked = [];
  window.fetch = (to, { signal }) => new Promise((give) => window.asked.push({ signal, give: () => give(new Response(
    JSON.stringify({ suggestions: [{ text: new URL(to, location).searchParams.get("q"), id: null, url: null }] }))) }));
})()"""

# Every element with a text of its own: the contrast of its colour to the first ground below it that is not transparent (WCAG 2.2, 1.4.3: 4.5).
CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.body.querySelectorAll('*')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
    .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x); return [e.tagName, e.textContent.trim().slice(0, 20), (a + .05) / (b + .05)]; })
    .filter(([, , ratio]) => ratio < 4.5);
})()"""

# Every rule of axe but those that only advise, and that of contrast, which takes it longer than all others and is above in both schemes; and what breaks one.
AXE = """axe.run(document, { resultTypes: ["violations"], rules: { "color-contrast": { enabled: false } },
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
  .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 160))))"""

# What the keyboard comes to, in the order of the page; and where it is now, and whether that can be seen: an outline, and within the window.
NAMED = "(it => it.tagName + ' ' + (it.innerText || it.name || it.id || '').trim().slice(0, 30))"
REACHED = f"""[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter(it => it.checkVisibility()).map({NAMED})"""
FOCUSED = f"""(() => {{
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  return [{NAMED}(it), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight && box.right > 0];
}})()"""

# Fields that hold more than they show, and do not say so: by name, by the keyboard, and by a shadow that goes where the end is seen.
MUTE = """[...document.querySelectorAll('.scroll')].filter(it => it.scrollWidth > it.clientWidth + 1)
  .filter(it => !(it.role && (it.ariaLabel || it.getAttribute('aria-labelledby')) && it.tabIndex === 0 && getComputedStyle(it, '::after').position === 'sticky' && getComputedStyle(it, '::after').opacity === '1'))
  .map(it => it.outerHTML.slice(0, 120))"""

# The codes of a table, and on how many lines each stands.
LINES = """Object.fromEntries([...document.querySelectorAll('td.whole')].map(it => {
  const all = document.createRange(); all.selectNodeContents(it);
  return [it.innerText, new Set([...all.getClientRects()].filter(box => box.width > 1).map(box => Math.round(box.top))).size];
}))"""

# The links of the head that another one covers in part.
LYING = """(() => {
  const boxes = [...document.querySelectorAll('.top a')].map(it => [it.innerText, it.getBoundingClientRect()]);
  return boxes.filter(([, one], at) => boxes.slice(0, at).some(([, other]) =>
    one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 1 && other.top < one.bottom - 1)).map(([name]) => name);
})()"""
