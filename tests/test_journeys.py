"""What a parent, a journalist and a newsroom come for, from the first page to the last, by keyboard, as a browser shows it.

At each width, with and without scripts, in both languages. No page of a journey is wider than its window.
"""

import csv
import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import feedparser
import pytest

from making import NOON, listing, notice, snapshot, world
from publish.catalogue import Catalogue
from publish.home import Home
from publish.run import run
from publish.wording import say
from publish.work import Work
from tab import Tab, browsing, serving

pytestmark = pytest.mark.browser

NAME, OTHER = "杭州市西湖区启明1艺术培训中心有限公司", "杭州市西湖区启明2艺术培训中心有限公司"
AS = (
    (360, True, "zh"),
    (360, False, "en"),
    (768, True, "en"),
    (768, False, "zh"),
    (1440, True, "zh"),
    (1440, False, "en"),
)  # each of two together
TITLE = "关于启明1的处罚决定"


class Visitor:
    """Somebody at a browser, in one language."""

    def __init__(self, tab: Tab, url: str, lang: str) -> None:
        self.tab, self.url, self.lang = tab, url, lang

    def t(self, key: str, **values: object) -> str:
        return say(self.lang, key, **values)

    def comes_to(self, path: str) -> None:
        self.tab.open(self.url + (path if self.lang == "zh" else f"/en{path}"))
        self.looks()

    def looks(self, *texts: str) -> None:
        """The page fits, is in their language, and has these texts."""
        assert self.tab.within(), self.at
        assert self.tab.value("document.documentElement.lang") == say(self.lang, "site.lang"), self.at
        shown = self.tab.text
        assert [text for text in texts if text not in shown] == [], f"{self.at}: {shown[:2000]}"

    def follows(self, text: str, *texts: str) -> None:
        self.tab.follow(text)
        self.looks(*texts)

    def presses(self, text: str, *texts: str) -> None:
        self.tab.enter("button", text)
        self.looks(*texts)

    def takes(self, text: str) -> bytes:
        """The file that a link leads to."""
        links = self.tab.value("[...document.links].map(it => [it.innerText.trim(), it.href])")
        (to,) = {href for said, href in links if said == text}
        with urllib.request.urlopen(to, timeout=10) as answer:
            return bytes(answer.read())

    @property
    def at(self) -> str:
        """The path of the page, without the language."""
        path = str(self.tab.value("decodeURIComponent(location.pathname)"))
        return path.removeprefix("/en") if self.lang == "en" else path


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, root: Path, catalogue: Catalogue) -> Iterator[str]:
    """A site after two runs: the second brought a notice and took one off the white list."""
    folder = tmp_path_factory.mktemp("journeys")
    work = Work(Home(folder / "home").prepare(), catalogue, NOON)
    first = world(4)
    new = notice(
        5, title="关于启明2的风险提示", subjectName=OTHER, decidedOn="2026-10-30", publishedOn="2026-11-01", publicUntil="2027-10-30"
    )
    second = {
        **first,
        "notices": [*first["notices"], new],
        "listings": [listing(n, **({"batch": "第四期"} if n == 2 else {})) for n in range(1, 5)],
    }
    for day, records in enumerate((first, second)):
        made = snapshot(folder / "handed-in", f"platform-{day}", records, as_of=(NOON + timedelta(days=day)).date().isoformat())
        run(Work(work.home, catalogue, NOON + timedelta(days=day)), {"platform": str(made.folder)})
    with serving(work.home.path, root, NOON + timedelta(days=1)) as url:
        yield url


@pytest.fixture(scope="module")
def tab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(chromium, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture(params=AS, ids=lambda it: f"{it[0]}-{'scripts' if it[1] else 'plain'}-{it[2]}")
def visitor(tab: Tab, url: str, request: Any) -> Visitor:
    width, are_run, lang = request.param
    tab.width(width)
    tab.scripts(are_run)
    return Visitor(tab, url, lang)


def test_a_parent_finds_an_institution_by_half_its_name_and_reads_its_notice(visitor):
    visitor.comes_to("/")
    visitor.looks(visitor.t("start.is_not"))
    visitor.tab.fill("#q", "启明1")
    visitor.presses(visitor.t("search.button"), NAME, visitor.t("card.lists"))
    visitor.follows(NAME, visitor.t("institution.lists_note"), visitor.t("rating.note"))
    assert visitor.at.startswith("/institutions/")
    visitor.follows(TITLE, "未经批准增加教学点。", visitor.t("notice.origin"))
    assert visitor.at.startswith("/notices/")


def test_a_parent_who_finds_nothing_is_told_what_that_means_and_checks_the_whole_name(visitor):
    visitor.comes_to("/search")
    visitor.tab.fill("#q", "星河少儿编程")
    visitor.presses(visitor.t("search.button"), visitor.t("none.means_not.1"), visitor.t("none.do.3"))
    visitor.follows(visitor.t("frame.verify"), visitor.t("verify.is"))
    visitor.tab.fill("input[name=name]", NAME)
    visitor.tab.fill("input[name=region]", "330106")
    visitor.presses(visitor.t("verify.button"), NAME, "西湖区教育局")
    assert visitor.tab.value("document.querySelector('.verdict h2').innerText") == visitor.t("verify.status.listed")


def test_a_parent_looks_around_a_place_and_puts_two_beside_each_other(visitor):
    visitor.comes_to("/")
    visitor.follows("浙江" if visitor.lang == "zh" else "Zhejiang", visitor.t("region.under_short"))
    visitor.follows(NAME, visitor.t("institution.lists_note"))
    visitor.follows(visitor.t("compare.with"), visitor.t("compare.add"))
    visitor.tab.fill("#q", "启明2")
    visitor.presses(visitor.t("compare.add_button"), OTHER)
    visitor.follows(visitor.t("compare.add_this"), visitor.t("compare.note"))
    assert visitor.tab.value("[...document.querySelectorAll('thead th a[href]:not(.tag)')].map(it => it.innerText)") == [NAME, OTHER]


def test_a_journalist_takes_a_table_and_asks_it_a_question(visitor):
    visitor.comes_to("/")
    visitor.follows(visitor.t("frame.data"), visitor.t("cite.title"))
    visitor.follows(
        "机构" if visitor.lang == "zh" else "Institutions",
        visitor.t("dictionary.title"),
        visitor.t("dataset.over"),
        visitor.t("known.title"),
    )
    visitor.follows(visitor.t("data.open_table"), visitor.t("table.rows", n=4))
    rows = list(csv.DictReader(visitor.takes(visitor.t("format.csv")).decode("utf-8-sig").splitlines()))
    assert {row["name"] for row in rows} >= {NAME, OTHER}
    visitor.follows(visitor.t("sql.edit"), visitor.t("sql.hint"))
    visitor.tab.fill("#sql-editor", "select count(*) as 家数 from institutions where name like '%启明%'")
    visitor.presses(visitor.t("sql.run"), "家数", "4")


def test_a_journalist_sees_what_changed_and_where_it_was_printed(visitor):
    visitor.comes_to("/changes")
    visitor.looks("关于启明2的风险提示", "2026-11-02")
    visitor.follows("关于启明2的风险提示", visitor.t("notice.dates_note"))
    visitor.follows(OTHER, "第四期", visitor.t("timeline.title"))
    said = json.loads(visitor.takes(visitor.t("as_json")))
    assert [one["batch_label"] for one in said["listings"]] == ["第四期"]


def test_a_journalist_takes_what_was_found_and_the_files_of_a_release(visitor):
    visitor.comes_to(f"/notices?q={quote('启明')}")
    rows = list(csv.DictReader(visitor.takes(visitor.t("download.as.csv")).decode("utf-8-sig").splitlines()))
    assert TITLE in {row["title"] for row in rows}
    visitor.follows(visitor.t("frame.data"))
    visitor.follows(visitor.t("download.all"), "mingbai.db.gz", "mingbai.csv.zip")


def test_a_newsroom_chooses_a_feed_and_its_reader_understands_it(visitor):
    visitor.comes_to("/")
    visitor.follows(visitor.t("frame.feeds"), visitor.t("feed.lead"))
    visitor.tab.fill("input[name=region]", "杭州")
    visitor.presses(visitor.t("feed.choose.button"), visitor.t("feed.chosen"))
    addresses = visitor.tab.value("[...document.querySelectorAll('#chosen code.address')].map(it => it.innerText)")
    assert addresses
    for address in addresses[:3]:
        with urllib.request.urlopen(address, timeout=10) as answer:
            body = answer.read()
        titles = (
            [one["title"] for one in json.loads(body)["items"]]
            if address.endswith(".json")
            else [one.title for one in feedparser.parse(body).entries]
        )
        assert any("启明2" in title for title in titles), address


def test_a_newsroom_follows_a_feed_to_what_it_told(visitor):
    visitor.comes_to("/feeds/notices")
    visitor.looks(visitor.t("feed.addresses"))
    visitor.follows("关于启明2的风险提示", visitor.t("notice.dates_note"))


def test_a_newsroom_takes_all_feeds_into_its_reader_and_sees_how_fresh_they_are(visitor):
    visitor.comes_to("/feeds")
    assert visitor.takes(visitor.t("feed.opml")).count(b"<outline") > 3
    visitor.follows(visitor.t("frame.status"), visitor.t("status.last"), "2026-11-02")
