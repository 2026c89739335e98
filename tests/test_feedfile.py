"""feeds/ID.db: one file for the live release, with the ledger, the names of the feeds, and how far each goes."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fed import document, files, items, served
from making import approved, listing, notice, on, query, snapshot, world
from publish import feedfile as making
from publish import feedtables, live
from publish.amend import Request, amend
from publish.catalogue import Catalogue
from publish.decide import back
from publish.declarations import Words
from publish.errors import ReviewNeeded
from publish.families import authority_key
from publish.feedfile import feedfile, has_feeds
from publish.home import Home
from publish.live import repair
from publish.regions import Regions
from publish.run import run
from publish.withdraw import withdraw
from publish.work import Work

KEY = authority_key("西湖区教育局")


@pytest.fixture(scope="module")
def province(catalogue: Catalogue) -> Catalogue:
    """The declarations with the regions of Zhejiang alone: half of the time of a small run goes into writing the whole country's."""
    return replace(catalogue, regions=Regions([row for row in catalogue.regions.rows() if row.code[:2] in ("00", "33")]))


def deliver(work: Work, day: int, listings: Mapping[str, Sequence[Any]]) -> None:
    at = on(work, day)
    made = snapshot(work.home.path.with_name(f"{work.home.path.name}-handed-in"), f"platform-{day:03d}", listings, as_of=at.day.isoformat())
    try:
        run(at, {"platform": str(made.folder)})
    except ReviewNeeded:
        approved(at)


def told(work: Work, release: str) -> list[tuple[Any, ...]]:
    """What a release tells of notices, by their number in the deliveries."""
    sql = """SELECT e.id, e.kind, e.cause FROM feed_events e JOIN releases r ON r.number = e.release WHERE r.id = ? AND what = 'notice' ORDER BY e.number"""
    return served(work.home, sql, release)


def known(work: Work, number: int) -> str:
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE document_no = ?", f"西教罚〔2026〕{number}号")
    return str(identifier)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, province: Catalogue) -> Work:
    """Two releases; the second has a notice and a listing more."""
    from making import NOON

    work = Work(
        Home(tmp_path_factory.mktemp("made") / "home").prepare(), province, NOON, "https://mingbai.example", hubs=("https://127.0.0.1/hub",)
    )
    deliver(work, 0, world(30))
    deliver(
        work,
        1,
        {
            **world(30),
            "notices": [notice(n) for n in range(1, 32)],
            "listings": [*world(30)["listings"], listing(40, orgId="ORG000001", areaCode="330108")],
        },
    )
    return work


@pytest.fixture
def work(made: Work, tmp_path: Path) -> Work:
    """The same in a home that may be spoilt."""
    shutil.copytree(made.home.path, tmp_path / "home", symlinks=True)
    return replace(made, home=Home(tmp_path / "home"))


def test_there_is_one_file_and_anybody_may_read_it(made: Work) -> None:
    assert [path.name for path in files(made.home)] == ["2026-11-02.db"]
    assert files(made.home)[0].stat().st_mode & 0o777 == 0o644
    assert has_feeds(made.home, made.catalogue, "2026-11-02")
    assert not [path for path in made.home.releases.rglob("*") if "feed" in path.name]


def test_a_home_may_have_any_name(made: Work, tmp_path: Path) -> None:
    """Of every database there is an address, in which some signs mean something else."""
    shutil.copytree(made.home.path, tmp_path / "50%20 #1?", symlinks=True)
    work = replace(made, home=Home(tmp_path / "50%20 #1?"))
    amend(on(work, 2), Request("dispute", known(made, 31), "复议受理通知书", "张三", "当事人来函"))
    assert work.live == "2026-11-03"


def test_a_feed_has_its_name_and_how_far_it_goes(made: Work) -> None:
    rows = {
        row[0]: row[1:]
        for row in served(made.home, "SELECT feed, family, facet, code, label_zh, label_en, first, last, updated FROM feeds")
    }
    assert rows["notices"] == ("notices", None, None, None, None, 1, 1, "2026-11-02")
    assert rows["records"] == ("records", None, None, None, None, 1, 31, "2026-11-02")
    assert rows["notices/region/330106"] == (
        "notices",
        "region",
        "330106",
        "浙江省杭州市西湖区",
        "Xihu, Hangzhou, Zhejiang",
        1,
        1,
        "2026-11-02",
    )
    assert rows[f"records/authority/{KEY}"][1:5] == ("authority", KEY, "西湖区教育局", "西湖区教育局")
    assert rows["notices/seriousness/general"][3:5] == ("一般", "General")
    assert rows["corrections"] == ("corrections", None, None, None, None, 1, 0, None), "nobody waits for a first correction to subscribe"
    assert "corrections/region/330100" in rows
    assert rows["listings/region/330108"][5:] == (1, 1, "2026-11-02")
    assert rows["releases"][6] == 2
    assert not any(feed.startswith(("listings/violation", "corrections/authority", "releases/")) for feed in rows)


def test_the_documents_are_of_the_site_and_the_hub_that_were_given(made: Work) -> None:
    assert [item["url"] for item in items(made.home)] == [f"https://mingbai.example/notices/{known(made, 31)}"]
    assert b"https://127.0.0.1/hub" in document(made.home, "notices", "atom")


@pytest.mark.parametrize("lost", ["torn", "gone", "older"])
def test_a_lost_file_is_made_again_byte_for_byte(work: Work, lost: str) -> None:
    (path,) = files(work.home)
    before = path.read_bytes()
    match lost:
        case "torn":
            path.write_bytes(b"torn")
        case "gone":
            path.unlink()
        case _:
            path.rename(path.with_name("2026-11-01.db"))
    assert repair(work.home, work.catalogue, work.site, work.hubs) == [
        "made the feeds of release 2026-11-02 again, for https://mingbai.example"
    ]
    assert [path.name for path in files(work.home)] == ["2026-11-02.db"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("form", "change", "modified"),
    [
        (99, "UPDATE made SET modified = '2026-11-01T16:00:05Z'", "2026-11-01T16:00:06Z"),
        (
            1,
            "DROP TABLE made; ALTER TABLE documents ADD COLUMN modified TEXT NOT NULL DEFAULT '2026-11-01T16:00:00Z'",
            "2026-11-01T16:00:01Z",
        ),
    ],
)
def test_a_file_of_another_form_is_made_again_and_its_documents_are_later(work: Work, form: int, change: str, modified: str) -> None:
    (path,) = files(work.home)
    etags = served(work.home, "SELECT feed, form, etag FROM documents ORDER BY 1, 2")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{change}; PRAGMA user_version={form}")
    assert repair(work.home, work.catalogue, work.site, work.hubs)[-1:] == [
        "made the feeds of release 2026-11-02 again, for https://mingbai.example"
    ]
    assert served(work.home, "SELECT modified FROM made") == [(modified,)]
    assert served(work.home, "SELECT feed, form, etag FROM documents ORDER BY 1, 2") == etags


def zeroed(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:4096].ljust(size, b"\0"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [zeroed, cut])
def test_a_damaged_file_stops_no_release_and_is_made_again(work: Work, damage: Callable[[Path], None]) -> None:
    (file,) = files(work.home)
    whole, live = file.read_bytes(), str(work.home.live())
    damage(file)
    feedfile(work.home, work.catalogue, work.home.releases / live, live, work.site, work.hubs)
    assert file.read_bytes() == whole
    damage(file)
    assert repair(work.home, work.catalogue, work.site, work.hubs) == [f"made the feeds of release {live} again, for {work.site}"]
    assert file.read_bytes() == whole
    assert repair(work.home, work.catalogue, work.site, work.hubs) == []


def test_other_code_makes_the_file_of_the_live_release_again(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    before = served(work.home, "SELECT modified FROM made")
    monkeypatch.setattr(making, "recipe", lambda: "another")
    assert repair(work.home, work.catalogue, work.site, work.hubs) == [
        "made the feeds of release 2026-11-02 again, for https://mingbai.example"
    ]
    assert repair(work.home, work.catalogue, work.site, work.hubs) == []
    assert served(work.home, "SELECT modified FROM made") == before, "no document says anything else"


def test_another_label_makes_the_documents_that_say_it_again(work: Work) -> None:
    def etags() -> dict[str, str]:
        return dict(served(work.home, "SELECT feed, etag FROM documents WHERE form = 'json'"))

    before, table = etags(), work.catalogue.codes["penalty_types"]
    rows = tuple(replace(row, label_zh=f"{row.label_zh}（改）") for row in table.rows)
    renamed = replace(table, rows=rows, _by_code={row.code: row for row in rows})
    other = replace(work.catalogue, codes={**work.catalogue.codes, "penalty_types": renamed})
    assert len(repair(work.home, other, work.site, work.hubs)) == 1
    assert repair(work.home, other, work.site, work.hubs) == []
    assert {feed for feed, etag in etags().items() if etag != before[feed]} >= {"notices", "records"}
    assert etags()["releases"] == before["releases"]
    assert served(work.home, "SELECT modified FROM made") == [("2026-11-01T16:00:01Z",)]


def test_other_words_or_rules_or_places_make_the_file_again_and_other_sources_do_not(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repair(work.home, replace(work.catalogue, recipe="of more sources"), work.site, work.hubs) == []
    (first, *rest) = work.catalogue.regions.rows()
    renamed = replace(work.catalogue, regions=Regions([replace(first, name_en="Elsewhere"), *rest]))
    assert len(repair(work.home, renamed, work.site, work.hubs)) == 1
    notices = work.catalogue.tables["notices"]
    columns = {**notices.columns, "facts": replace(notices.columns["facts"], label=Words("另一个词", "another word"))}
    labelled = replace(work.catalogue, tables={**work.catalogue.tables, "notices": replace(notices, columns=columns)})
    assert len(repair(work.home, labelled, work.site, work.hubs)) == 1
    assert len(repair(work.home, work.catalogue, work.site, work.hubs)) == 1
    (mended := tmp_path / "en.yml").write_text("feed.silent: another word", "utf-8")
    monkeypatch.setattr(making, "MADE_OF", (*making.MADE_OF[:-1], mended))
    assert len(repair(work.home, work.catalogue, work.site, work.hubs)) == 1
    assert repair(work.home, work.catalogue, work.site, work.hubs) == []


def test_whatever_the_documents_are_made_with_is_looked_at() -> None:
    """`catalogue` and `home` say where things are; what they hold is looked at itself."""
    folder = Path(making.__file__).parent
    ours = {"called", "channel", "documents", "entries", "families", "happened", "notice_entry"}
    said = {
        name for one in ours | {"coverage"} for name in re.findall(r"^from \.(\w+) import", (folder / f"{one}.py").read_text("utf-8"), re.M)
    }
    looked_at = {path.relative_to(folder).as_posix() for path in making.MADE_OF}
    assert {f"{name}.py" for name in said - ours - {"catalogue", "home", "tables"}} <= looked_at
    assert looked_at >= {"web/words/zh.yml", "web/words/en.yml"}


def test_the_time_of_the_documents_moves_with_every_byte_of_them_and_with_nothing_else(work: Work) -> None:
    def made_with(*hubs: str) -> tuple[str, list[tuple[Any, ...]]]:
        feedfile(work.home, work.catalogue, work.home.releases / str(work.live), str(work.live), work.site, hubs)
        return modified(), served(work.home, "SELECT feed, form, etag FROM documents ORDER BY 1, 2")

    def modified() -> str:
        ((at,),) = served(work.home, "SELECT modified FROM made")
        return str(at)

    first, etags = made_with(*work.hubs)
    assert first == "2026-11-01T16:00:00Z", "midnight of the release's day in China"
    assert made_with(*work.hubs) == (first, etags)
    assert made_with() == ("2026-11-01T16:00:01Z", made_with()[1])
    assert made_with() != (first, etags)
    assert made_with(*work.hubs) == ("2026-11-01T16:00:02Z", etags), "who has the one without hubs has another one"
    deliver(work, 2, {**world(31), "notices": [notice(n) for n in range(1, 32)]})
    assert modified() == "2026-11-02T16:00:00Z"


def test_where_two_homes_have_one_mark_their_numbers_mean_the_same(work: Work, tmp_path: Path) -> None:
    def marks(home: Home) -> dict[str, str]:
        return dict(served(home, "SELECT id, mark FROM releases"))

    other = replace(work, home=Home(tmp_path / "other"))
    shutil.copytree(work.home.path, other.home.path, symlinks=True)
    before = marks(work.home)
    deliver(work, 2, {**world(30), "notices": [notice(n) for n in range(1, 33)]})
    deliver(other, 2, {**world(30), "notices": [notice(n) for n in (*range(1, 32), 40)]})
    one, two = marks(work.home), marks(other.home)
    assert one.items() > before.items()
    assert two.items() > before.items()
    assert len({*one.values(), *two.values()}) == 4
    deliver(work, 3, world(31))
    deliver(other, 3, world(31))
    assert marks(work.home)["2026-11-04"] != marks(other.home)["2026-11-04"], "what was told before is in it too"
    before = marks(other.home)
    with closing(sqlite3.connect(other.home.history)) as connection:
        connection.execute(
            "UPDATE feed_items SET seq = seq + 1 WHERE feed = 'corrections' OR (feed = 'records' AND seq = (SELECT max(seq) FROM feed_items WHERE feed = 'records'))"
        )
        connection.commit()
    feedfile(other.home, work.catalogue, other.home.releases / "2026-11-04", "2026-11-04", work.site)
    assert marks(other.home) != before, "so are its numbers in each feed"


def test_a_home_from_before_the_ledger_has_the_same_feeds(work: Work) -> None:
    (path,) = files(work.home)
    before = path.read_bytes()
    shutil.rmtree(work.home.feeds)
    with closing(sqlite3.connect(work.home.history)) as connection:
        connection.executescript("DROP TABLE feed_events; DROP TABLE feed_items")
    repair(work.home, work.catalogue, work.site, work.hubs)
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["past", "feedfile", "point"])
def test_a_run_that_dies_tells_nobody_and_the_next_one_tells_the_same(
    work: Work, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any) -> Any:
        raise Killed

    delivery = {**world(31), "notices": [notice(n) for n in range(1, 33)]}
    other = replace(work, home=Home(tmp_path / "other"))
    shutil.copytree(work.home.path, other.home.path, symlinks=True)
    deliver(other, 2, delivery)
    before = files(work.home)[0].read_bytes()
    monkeypatch.setattr(live, step, kill)
    with suppress(Killed):
        deliver(work, 2, delivery)
    monkeypatch.undo()
    assert (work.home.feeds / "2026-11-02.db").read_bytes() == before
    assert work.live == "2026-11-02"
    repair(work.home, work.catalogue, work.site, work.hubs)
    assert [path.name for path in files(work.home)] == ["2026-11-02.db"]
    made = snapshot(tmp_path / "again", "platform-002", delivery, as_of="2026-11-03")
    run(on(work, 2), {"platform": str(made.folder)})
    assert served(work.home, "SELECT count(*) FROM feed_events") > [(33,)]
    assert files(work.home)[0].read_bytes() == files(other.home)[0].read_bytes()


def test_what_people_decide_is_told_with_the_release_that_carries_it_out(work: Work) -> None:
    first, second, third = (known(work, number) for number in (1, 2, 31))
    amend(on(work, 2), Request("dispute", third, "复议受理通知书", "张三", "当事人来函"))
    amend(
        on(work, 2), Request("correct", third, "更正通知", "张三", "来源多写了一位", fields={"fine_fen": "2000元", "fine_text": "2000元"})
    )
    for number, name in enumerate(("张三", "李四")):
        with suppress(ReviewNeeded):
            withdraw(on(work, 3 + number), second, "personal_data", "撤销判决书", name, "公告里有个人信息")
    assert told(work, "2026-11-03") == [(third, "changed", "dispute"), (third, "dispute", "dispute")]
    assert told(work, "2026-11-03.2") == [(third, "corrected", "correction"), (third, "correction", "correction")]
    assert told(work, "2026-11-05") == [(second, "tombstone", "personal_data"), (second, "removal", "personal_data")]
    corrections = served(
        work.home,
        "SELECT e.id, e.kind FROM feed_items i JOIN feed_events e ON e.number = i.event WHERE feed = 'corrections/region/330106' ORDER BY seq",
    )
    assert corrections == [(third, "dispute"), (third, "correction"), (second, "removal")]
    assert first not in {row[0] for row in corrections}
    assert [item["id"] for item in items(work.home, "corrections")][-1].endswith(f":notices/{third}/disputes/2026-11-03")


def test_what_was_corrected_or_disputed_is_told_for_ever_as_it_was_then(work: Work) -> None:
    third = known(work, 31)
    kept: dict[str, dict[str, Any]] = {}

    def after(day: int, act: str, document: str, **fields: str) -> str:
        """What the newest entry says; all that was told before says what it said."""
        amend(on(work, day), Request(act, third, document, "张三", "来函", fields=fields))
        told = {item["id"]: item for item in items(work.home, "corrections")}
        assert {id: {"title": told[id]["title"], "text": told[id]["content_text"]} for id in kept} == kept
        (new,) = told.keys() - kept.keys()
        kept[new] = {"title": told[new]["title"], "text": told[new]["content_text"]}
        return "\n".join(kept[new].values())

    first = after(2, "correct", "更正甲", document_no="西教罚〔2026〕99号")
    assert "决定书文号" in first
    second = after(2, "correct", "更正乙", published_on="2026-10-30")
    assert "决定书文号" not in second
    assert "更正（" in second
    raised = after(2, "dispute", "复议1号")
    assert raised.startswith("异议提出：")
    assert "异议（复议1号）于 2026-11-03 提出" in raised
    settled = after(2, "settle", "核对1号")
    assert settled.startswith("异议核对完毕：")
    assert "异议（复议1号）已于 2026-11-03 核对完毕" in settled
    assert "异议（复议2号）于 2026-11-04 提出" in after(3, "dispute", "复议2号")
    last = after(5, "settle", "核对2号")
    assert "异议（复议2号）已于 2026-11-06 核对完毕" in last
    assert "复议1号" not in last
    with closing(
        sqlite3.connect(work.home.history)
    ) as connection:  # as if the source alone had said that it is disputed and is not any more
        connection.execute("DELETE FROM notice_statements")
        connection.commit()
    feedfile(work.home, work.catalogue, work.home.releases / str(work.live), str(work.live), work.site, work.hubs)
    told = [(item["title"].partition("：")[0], item["content_text"].partition("的")[2]) for item in items(work.home, "corrections")][:2]
    rest = "。现状以公告页为准。原有内容不再重复。"
    assert told == [("异议核对完毕", f"异议已于 2026-11-06 核对完毕{rest}"), ("异议提出", f"异议于 2026-11-04 提出，开始核对{rest}")]


def test_an_institution_that_is_gone_is_called_as_it_was_last(work: Work) -> None:
    with closing(sqlite3.connect(work.home.history)) as connection:
        columns = ", ".join(row[1] for row in connection.execute("PRAGMA table_info(institutions)"))
        for name, begun, ended in (("甲", 1, 2), ("乙", 2, 3)):
            taken = columns.replace("id,", "'i-gone',", 1).replace("name,", f"'{name}',", 1)
            taken = taken.replace("release_from, release_to", f"{begun}, {ended}")
            connection.execute(f"INSERT INTO institutions ({columns}) SELECT {taken} FROM institutions WHERE release_to IS NULL LIMIT 1")
        connection.execute(
            "INSERT INTO feed_events SELECT max(number) + 1, 2, 'listing', 'i-gone', 'left', 'source', 1, '330106' FROM feed_events"
        )
        connection.commit()
    feedfile(work.home, work.catalogue, work.home.releases / str(work.live), str(work.live), work.site, work.hubs)
    assert served(work.home, "SELECT * FROM feed_gone") == [("i-gone", "乙")], "nobody whom the release has, nobody of whom nothing is told"


def test_going_back_tells_what_it_changes(work: Work) -> None:
    first, last = known(work, 1), known(work, 31)
    with suppress(ReviewNeeded):
        back(on(work, 2), "2026-11-01", "张三", "来源发错了名单")
    if work.live == "2026-11-02":
        approved(on(work, 2))
    assert work.live_manifest()["restores"] == "2026-11-01"
    assert told(work, "2026-11-03") == [(last, "tombstone", "unpublished"), (last, "removal", "unpublished")]
    left = served(work.home, "SELECT kind, cause, region FROM feed_events WHERE what = 'listing' ORDER BY number")
    assert left == [("entered", "source", "330108")], "we went back; its list has not said that it left"
    assert first in {item["url"].rpartition("/")[2] for item in items(work.home, "records")}
    deliver(work, 4, {**world(30), "notices": [notice(n) for n in range(1, 32)]})
    assert told(work, "2026-11-05") == [(last, "again", "pipeline")]


def test_a_document_has_the_newest_numbers_and_those_of_a_week(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def first(shown: int, most: int, days: int, feed: str = "records") -> int:
        for name, value in (("SHOWN", shown), ("MOST", most), ("DAYS", days)):
            monkeypatch.setattr(feedtables, name, value)
        feedfile(work.home, work.catalogue, work.home.releases / str(work.live), str(work.live), work.site, work.hubs)
        ((found,),) = served(work.home, "SELECT first FROM feeds WHERE feed = ?", feed)
        return int(found)

    assert first(10, 20, 2) == 22, "a first import is no news, however much of it came this week: it has no place but among the newest"
    with closing(sqlite3.connect(work.home.history)) as connection:
        connection.execute("UPDATE feed_events SET is_alert = 1 WHERE what = 'notice'")
        connection.commit()
    assert first(10, 20, 1) == 22, "the newest ten; of the last day there is one"
    assert first(10, 20, 2) == 12, "two days have thirty-one, and no document more than twenty"
    assert first(10, 40, 2) == 1
    assert first(10, 40, 2, "corrections") == 1
