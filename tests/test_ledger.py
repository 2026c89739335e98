"""The ledger of feeds: what each release tells, in which feeds, under numbers without a gap, and the same whenever it is worked out (rule 7)."""

import random
import re
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from byhand import Row, put
from publish import forgotten, history
from publish.assembled import Assembled
from publish.catalogue import Catalogue
from publish.channel import COUNTS
from publish.dataset import Column
from publish.diff import diff
from publish.entries import Teller
from publish.events import READ
from publish.families import authority_key
from publish.feedtables import SCHEMA as FEEDS
from publish.notice_entry import Notice, notice_entry
from publish.tables import create_published, working

FIRST = date(2026, 11, 1)
BUREAU = "西湖区教育局"
XIHU, BINJIANG, HANGZHOU, ZHEJIANG = "330106", "330108", "330100", "330000"
Rows = dict[str, list[Row]]


def one(number: int = 1, **more: Any) -> Row:
    """A notice that was decided two days before the first release."""
    return {
        "id": f"n-{number}", "decided_on": "2026-10-30", "region_code": XIHU, "authority": BUREAU, "violation_type": "illegal_fees", "seriousness": "general",
        "state": "active", "document_no": f"西教罚〔2026〕{number}号", **more,
    }  # fmt: skip


def white(number: int = 1, region: str | None = XIHU, **more: Any) -> Row:
    return {"id": f"l-{number}", "institution_id": f"i-{number}", "region_code": region, **more}


def said(kind: str, notice: str = "n-1", number: int = 1, **more: Any) -> Row:
    return {"notice_id": notice, "number": number, "kind": kind, "recorded_on": "2026-11-02", **more}


@dataclass
class Past:
    """Releases entered one after another, a day each, as a run enters them."""

    folder: Path
    catalogue: Catalogue
    names: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "history.db"

    def release(
        self, rows: Mapping[str, Sequence[Row]], *, ours: bool = False, withdrawn: Mapping[str, str] | None = None, on: int | None = None
    ) -> list[tuple[Any, ...]]:
        """Enter a release with these rows and return what it tells: (id, kind, cause), the release itself left out. `on`: so many days after the first."""
        day = (FIRST + timedelta(days=len(self.names) if on is None else on)).isoformat()
        database, empty = self.folder / f"{day}.db", self.folder / "empty.db"
        if not empty.exists():
            with working(empty) as connection:
                create_published(connection, self.catalogue)
        shutil.copyfile(empty, database)
        with working(database) as connection:
            put(connection, rows)
        before = self.names[-1] if self.names else None
        if withdrawn:
            forgotten.enter_gone(self.path, {notice: (reason, day, notice) for notice, reason in withdrawn.items()})
        counts = {name: len(rows.get(name, ())) for name in self.catalogue.tables}
        made = Assembled(database, day, {}, {}, counts, {}, None)
        live = self.folder / f"{before}.db" if before else None
        changes = diff(made, live, self.catalogue, self.folder / "changes.db", ours=ours, withdrawn=list(withdrawn or ()))
        history.record(self.path, self.catalogue, day, day, database, changes, before)
        self.names.append(day)
        sql = "SELECT id, kind, cause FROM feed_events WHERE release = (SELECT max(number) FROM releases) AND what <> 'release' ORDER BY number"
        return self.ask(sql)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    def feeds(self, kind: str, id: str = "n-1") -> set[str]:
        """The feeds in which the newest event of this kind of a notice is."""
        sql = "SELECT feed FROM feed_items WHERE event = (SELECT max(number) FROM feed_events WHERE id = ? AND kind = ?)"
        return {feed for (feed,) in self.ask(sql, id, kind)}

    def ledger(self) -> list[list[tuple[Any, ...]]]:
        return [self.ask(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("feed_events", "feed_items")]

    def entered_again(self) -> list[list[tuple[Any, ...]]]:
        """What the ledger is when it is made of a history that has none."""
        copy = Past(self.folder / "again", self.catalogue)
        shutil.rmtree(copy.folder, ignore_errors=True)
        copy.folder.mkdir()
        shutil.copyfile(self.path, copy.path)
        with closing(sqlite3.connect(copy.path)) as connection:
            connection.executescript("DROP TABLE feed_events; DROP TABLE feed_items")
        assert history.repair(copy.path, self.catalogue, self.names[-1]) == []
        return copy.ledger()


@pytest.fixture
def past(tmp_path: Path, catalogue: Catalogue) -> Past:
    return Past(tmp_path, catalogue)


FACETS = {
    "",
    "/region/330106",
    "/region/330100",
    "/region/330000",
    "/violation/illegal_fees",
    "/seriousness/general",
    f"/authority/{authority_key(BUREAU)}",
}


def of(family: str, *facets: str) -> set[str]:
    return {f"{family}{facet}" for facet in facets or FACETS}


PLACES = ("", "/region/330106", "/region/330100", "/region/330000")


def test_what_is_new_is_told_in_every_feed_that_it_concerns(past: Past) -> None:
    assert past.release({"notices": [one(9)]}) == [("n-9", "first", "source")]
    assert past.feeds("first", "n-9") == of("records"), "the first import of a source is in no alert feed"
    assert past.release({"notices": [one(9), one(1)]}) == [("n-1", "first", "source")]
    assert past.feeds("first") == of("records") | of("notices")
    assert past.ask("SELECT what, id, kind, cause FROM feed_events WHERE what = 'release'") == [
        ("release", "2026-11-01", "released", None),
        ("release", "2026-11-02", "released", None),
    ]
    assert past.feeds("released", "2026-11-02") == {"releases"}


@pytest.mark.parametrize(
    ("region", "places"), [(HANGZHOU, PLACES[2:]), (ZHEJIANG, PLACES[3:]), ("000000", ()), (None, ()), ("999999", ("/region/999999",))]
)
def test_a_notice_is_told_in_its_region_and_in_those_above(past: Past, region: str | None, places: tuple[str, ...]) -> None:
    past.release({"notices": [one(region_code=region, violation_type=None, seriousness=None, authority=None)]})
    assert past.feeds("first") == of("records", "", *places)


@pytest.mark.parametrize(
    ("changed", "day", "is_alert"),
    [
        ({}, 1, True),
        ({"decided_on": "2026-10-03"}, 1, True),
        ({"decided_on": "2026-10-02"}, 1, False),
        ({"decided_on": "2026-10"}, 1, False),
        ({"decided_on": None}, 1, False),
        ({"published_on": "2026-11-01", "decided_on": "2026-09-01"}, 1, False),
        ({"document_no": "西教罚〔2026〕9号"}, 1, False),
        ({"document_no": "西教罚[2026]第09号"}, 1, False),
        ({"document_no": "西教罚〔2026〕9号", "authority": "滨江区教育局"}, 1, True),
        ({"document_no": None}, 1, True),
        ({"source_id": "bureau"}, 1, False),
    ],
    ids=["new", "30 days", "31 days", "a month", "no day", "late publication", "known decision", "known decision spelt otherwise", "number of another authority", "no number", "first of its source"],
)  # fmt: skip
def test_an_old_decision_is_never_pushed_as_new_and_stays_in_the_records(
    past: Past, changed: dict[str, Any], day: int, is_alert: bool
) -> None:
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), one(1, **changed)]}, on=day)
    told = past.feeds("first")
    assert any(feed.startswith("notices") for feed in told) is is_alert
    assert "records" in told
    past.release({"notices": [one(9), one(1, **changed, facts="改了")]})
    past.release({"notices": [one(9), one(1, decided_on="2026-11-02")]})
    assert any(feed.startswith("notices") for feed in past.feeds("changed")) is is_alert, (
        "what was decided when it came is never decided anew"
    )


@pytest.mark.parametrize(
    ("changed", "is_alert"),
    [
        ({}, False),
        ({"document_no": "西教罚[2026]1号"}, False),
        ({"document_no": "西教罚〔2026〕2号"}, True),
        ({"subject_name": "另一机构"}, True),
    ],
    ids=["the same", "spelt otherwise", "another number", "of the same announcement"],
)
def test_one_decision_under_two_ids_in_one_release_is_one_alert(past: Past, changed: Row, is_alert: bool) -> None:
    past.release({"notices": [one(9)]})
    twin = {**one(subject_name="甲机构"), "id": "n-2", **changed}
    past.release({"notices": [one(9), one(subject_name="甲机构"), twin]})
    assert past.feeds("first", "n-1") == of("records") | of("notices")
    assert ("notices" in past.feeds("first", "n-2")) is is_alert
    assert "records" in past.feeds("first", "n-2")


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({"facts": "甲"}, {"facts": "乙"}, [("changed", "source")]),
        ({}, {"absent_since": "2026-11-03"}, []),
        ({}, {"state": "disputed"}, [("changed", "dispute"), ("dispute", "dispute")]),
        ({"state": "disputed"}, {}, [("changed", "dispute"), ("dispute", "dispute")]),
        ({}, {"state": "corrected", "fine_fen": 1}, [("corrected", "correction"), ("correction", "correction")]),
        ({"fine_fen": 1, "facts": "甲"}, {}, [("changed", "source")]),
    ],
    ids=["facts", "absent once", "disputed", "settled", "corrected", "two fields"],
)
def test_what_its_source_changes_is_told_once_a_release(past: Past, before: Row, after: Row, kinds: list[tuple[str, str]]) -> None:
    past.release({"notices": [one(1, **before), one(2)]})
    assert past.release({"notices": [one(1, **after), one(2)]}) == [("n-1", *kind) for kind in kinds]


def test_what_belongs_to_a_notice_changes_it(past: Past) -> None:
    links = [{"notice_id": "n-1", "institution_id": "i-1", "method": "by_hand", "confidence": 1.0}]
    past.release({"notices": [one()], "institutions": [{"id": "i-1"}]})
    assert past.release({"notices": [one()], "institutions": [{"id": "i-1"}], "notice_links": links}) == [("n-1", "changed", "source")]
    assert past.release({"notices": [one()], "institutions": [{"id": "i-1", "name": "改名"}], "notice_links": links}) == []
    assert past.release({"notices": [one()], "notice_links": []}) == [("n-1", "changed", "source")]


def test_a_reply_changes_a_notice_and_disputes_nothing(past: Past) -> None:
    past.release({"notices": [one()]})
    assert past.release({"notices": [one()], "notice_statements": [said("reply", text="已退费")]}) == [("n-1", "changed", "dispute")]
    assert not any(feed.startswith("corrections") for feed in past.feeds("changed"))


def test_a_dispute_is_an_entry_beside_the_notice_and_nothing_else_of_it_stands_among_the_corrections(past: Past) -> None:
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), one()]})
    dispute, both = said("dispute"), of("records") | of("notices")
    raised = {"notices": [one(9), one(state="disputed")], "notice_statements": [dispute]}
    assert past.release(raised) == [("n-1", "changed", "dispute"), ("n-1", "dispute", "dispute")]
    assert past.feeds("changed") == both
    assert past.feeds("dispute") == both | of("corrections", *PLACES)
    settled = dispute | {"settled_on": "2026-11-04"}
    assert past.release({"notices": [one(9), one()], "notice_statements": [settled]}) == [
        ("n-1", "changed", "dispute"),
        ("n-1", "dispute", "dispute"),
    ]
    assert past.feeds("dispute") == both | of("corrections", *PLACES)
    past.release({"notices": [one(9), one(facts="乙")], "notice_statements": [settled]})
    corrected = {
        "notices": [one(9), one(facts="乙", state="corrected")],
        "notice_statements": [settled, said("correction", number=2, fields="facts")],
    }
    past.release(corrected)
    past.release({"notices": [one(9)]}, on=400)
    past.release({"notices": [one(9), one()]}, on=401)
    for kind in ("first", "changed", "corrected", "tombstone", "again"):
        assert not any(feed.startswith("corrections") for feed in past.feeds(kind)), kind
    assert not any(feed.startswith("corrections") for feed in past.feeds("removal")), "its time was over, and nothing was wrong"
    told = past.ask(
        "SELECT DISTINCT kind FROM feed_items i JOIN feed_events e ON e.number = i.event WHERE feed GLOB 'corrections*' ORDER BY 1"
    )
    assert told == [("correction",), ("dispute",)]


def test_a_dispute_that_comes_with_a_correction_is_told_beside_it(past: Past) -> None:
    past.release({"notices": [one()]})
    both = {"notices": [one(state="disputed", fine_fen=2)], "notice_statements": [said("correction", fields="fine_fen")]}
    assert [kind for _, kind, _ in past.release(both)] == ["corrected", "correction", "dispute"]
    assert past.feeds("corrected") == of("records")
    assert past.feeds("dispute") == past.feeds("correction") == of("records") | of("corrections", *PLACES)


def test_a_correction_is_an_entry_beside_the_notice(past: Past) -> None:
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), one(fine_fen=1)]})
    corrected = {"notices": [one(9), one(fine_fen=2, state="corrected")], "notice_statements": [said("correction", fields="fine_fen")]}
    assert past.release(corrected) == [("n-1", "corrected", "correction"), ("n-1", "correction", "correction")]
    assert past.feeds("corrected") == of("records") | of("notices")
    assert past.feeds("correction") == of("records") | of("notices") | of("corrections", *PLACES)
    assert past.release({"notices": [one(9), one(fine_fen=2)]})[0][1] == "changed", "a statement that is left out corrects nothing"


@pytest.mark.parametrize(
    ("how", "reason", "is_correction"),
    [("source", "absent", True), ("expiry", "expired", False), ("personal_data", "personal_data", True), ("ours", "unpublished", True)],
)
def test_what_goes_leaves_a_tombstone_and_an_entry_wherever_it_was_told(past: Past, how: str, reason: str, is_correction: bool) -> None:
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), one(violation_type="safety")]})
    past.release({"notices": [one(9), one()]})
    told = past.release(
        {"notices": [one(9)]},
        ours=how == "ours",
        withdrawn={"n-1": how} if how == "personal_data" else None,
        on=400 if how == "expiry" else None,
    )
    assert [row for row in told if row[0] == "n-1"] == [("n-1", "tombstone", reason), ("n-1", "removal", reason)]
    wherever = of("records") | of("notices") | of("records", "/violation/safety") | of("notices", "/violation/safety")
    assert past.feeds("tombstone") == wherever
    assert past.feeds("removal") == wherever | (of("corrections", *PLACES) if is_correction else set())


def test_what_comes_back_is_told_where_it_was_told(past: Past) -> None:
    past.release({"notices": [one(9), one()]})
    past.release({"notices": [one(9)]})
    assert past.release({"notices": [one(9), one()]}) == [("n-1", "again", "source")]
    assert past.feeds("again") == of("records"), "it is no news now if it was none then"


def alerts(past: Past, kind: str) -> set[str]:
    return {feed for feed in past.feeds(kind) if feed.startswith("notices")}


@pytest.mark.parametrize(("day", "is_alert"), [(29, True), (30, False)], ids=["30 days", "31 days"])
def test_what_comes_back_is_news_while_its_decision_is(past: Past, day: int, is_alert: bool) -> None:
    new = one(decided_on="2026-11-01")
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), new]})
    past.release({"notices": [one(9)]})
    assert alerts(past, "tombstone") == of("notices")
    assert past.release({"notices": [one(9), new]}, on=day + 1) == [("n-1", "again", "source")]
    assert alerts(past, "again") == (of("notices") if is_alert else set()), "the tombstone stays"
    assert past.feeds("again") >= of("records")
    past.release({"notices": [one(9), {**new, "facts": "乙"}]}, on=40)
    assert alerts(past, "changed") == (of("notices") if is_alert else set())
    past.release({"notices": [one(9)]}, on=41)
    assert alerts(past, "tombstone") == alerts(past, "removal") == (of("notices") if is_alert else set())
    past.release({"notices": [one(9), new]}, on=42)
    assert not alerts(past, "again")


@pytest.mark.parametrize(("day", "is_alert"), [(28, True), (29, False)], ids=["30 days", "31 days"])
def test_an_old_decision_enters_no_alert_feed_where_it_was_not(past: Past, day: int, is_alert: bool) -> None:
    past.release({"notices": [one(9)]})
    past.release({"notices": [one(9), one()]})
    moved = of("notices", "/region/330108", "/violation/safety") if is_alert else set()
    past.release({"notices": [one(9), one(region_code=BINJIANG, violation_type="safety")]}, on=day)
    assert alerts(past, "changed") == of("notices") | moved, "where it stands it is told"
    assert past.feeds("changed") >= of("records", "/region/330108", "/violation/safety")
    corrected = one(region_code=BINJIANG, violation_type="contract", state="corrected")
    past.release({"notices": [one(9), corrected]}, on=day + 9)
    assert alerts(past, "corrected") == alerts(past, "correction") == of("notices") | moved


def test_what_people_say_of_a_notice_that_is_gone_is_told(past: Past) -> None:
    past.release({"notices": [one(9), one()]})
    past.release({"notices": [one(9)]})
    assert past.release({"notices": [one(9)]}, withdrawn={"n-1": "refuted"}) == [("n-1", "removal", "refuted")]
    assert past.feeds("removal") == of("records") | of("corrections", *PLACES)
    assert past.release({"notices": [one(9)]}) == []


def test_our_own_recipe_tells_what_readers_can_see(past: Past) -> None:
    past.release({"notices": [one(), one(2)]})
    assert past.release({"notices": [one(subject_credit_code="1"), one(2, facts="王某")]}, ours=True) == [("n-2", "changed", "pipeline")]


def test_what_is_told_as_a_change_is_what_an_entry_shows(catalogue: Catalogue) -> None:
    teller = Teller(catalogue, "https://mingbai.example")
    tables = {name: catalogue.tables[name] for name in READ}

    def values(column: Column) -> list[Any]:
        if column.codes:
            return list(catalogue.codes[column.codes])
        return {
            "TEXT": [XIHU, BINJIANG] if column.kind == "region" else ["2026-10-01", "2026-10-02"],
            "INTEGER": [1, 2],
            "REAL": [0.5, 0.75],
        }[column.sql_type]

    def rendered(of: str, row: Row) -> Any:
        filled = {name: {column.name: None for column in table.published} | (row if name == of else {}) for name, table in tables.items()}
        own = {
            **filled["notices"],
            "id": "n-1",
            "document_title": filled["notices"]["document_id"],
            "document_url": None,
            "document_as_of": None,
        }
        rows = {name: [{**filled[name], "institution_id": "i-1", "name": "甲", "former": ()}] if name == of else [] for name in READ}
        return notice_entry(teller, Notice(own, rows["notice_links"], rows["notice_statements"]), "2026-11-01", "2026-11-01")

    for name, table in tables.items():
        kinds = list(catalogue.codes["statement_kinds"]) if name == "notice_statements" else [None]
        for column in (column for column in table.published if column.name not in table.key):
            several = [{"kind": kind} if kind else {} for kind in kinds]
            is_shown = any(len({str(rendered(name, {**row, column.name: value})) for value in values(column)}) > 1 for row in several)
            assert is_shown == (column.name in READ[name] or column.name == "absent_since"), f"{name}.{column.name}"


@pytest.mark.parametrize("ours", [False, True])
def test_what_no_reader_can_see_is_no_event(past: Past, ours: bool) -> None:
    past.release({"notices": [one(), one(2)]})
    unseen = one(
        subject_credit_code="1", title="标题", legal_basis="条例", found_on="2026-10-01", authority_code="1", subject_kind="individual"
    )
    assert past.release({"notices": [unseen, one(2, facts="王某")]}, ours=ours) == [("n-2", "changed", "pipeline" if ours else "source")]


def test_the_white_list_of_a_region_is_entered_and_left(past: Past) -> None:
    past.release({"listings": [white()]})
    assert past.release({"listings": [white(), white(2)]}) == [("i-2", "entered", "source")]
    assert past.feeds("entered", "i-2") == of("listings", *PLACES)
    renewed = white(3, institution_id="i-2", batch_label="第四期")
    assert past.release({"listings": [white(), renewed]}) == [], "a new batch of the same list is no news"
    assert past.release({"listings": [renewed]}) == [("i-1", "left", "source")]
    assert past.feeds("left", "i-1") == of("listings", *PLACES)
    assert past.release({"listings": [{**renewed, "region_code": BINJIANG}]}) == [("i-2", "left", "source"), ("i-2", "entered", "source")]
    assert past.ask("SELECT kind, region FROM feed_events WHERE id = 'i-2' ORDER BY number DESC LIMIT 2") == [
        ("entered", BINJIANG),
        ("left", XIHU),
    ]
    assert past.release({"listings": [{**renewed, "region_code": XIHU}]}, ours=True) == [], "a code that we spell otherwise moves nobody"
    assert past.release({"listings": [{**renewed, "list": "black"}, white(5, list="black")]}) == [("i-2", "left", "source")]
    assert past.release({"listings": []}) == []


def test_what_we_do_ourselves_takes_nobody_off_a_list(past: Past) -> None:
    past.release({"listings": [white(), white(2)]})
    assert past.release({"listings": [white(2)]}, ours=True) == [], "our recipe dropped it; the list has it still"
    assert past.release({"listings": [white(), white(2)]}, ours=True) == []
    assert past.release({"listings": [white(), white(2), white(3)]}, ours=True) == []
    assert past.release({"listings": [white(2)]}) == [("i-1", "left", "source"), ("i-3", "left", "source")]
    assert past.release({"listings": [white(), white(2)]}, ours=True) == []
    assert past.release({"listings": [white(2)]}) == [("i-1", "left", "source")]
    past.release({"listings": [white(), white(2)]})
    past.release({"listings": [white(2)]}, ours=True)
    assert past.release({"listings": [white(), white(2)]}) == [], "readers have that it entered"


def test_an_institution_under_another_id_stays_on_its_list(past: Past) -> None:
    past.release({"listings": [white(), white(2)], "institutions": [{"id": "i-1"}, {"id": "i-2"}]})
    assert past.release({"listings": [white(institution_id="i-3"), white(2)], "institutions": [{"id": "i-3"}, {"id": "i-2"}]}) == []
    lineage = [{"predecessor_id": "i-2", "successor_id": "i-4"}]
    moved = [white(institution_id="i-3"), white(4)]
    institutions = [{"id": "i-3"}, {"id": "i-4"}]
    assert past.release({"listings": moved, "institutions": institutions, "institution_lineage": lineage}) == []
    assert past.release({"listings": [], "institutions": institutions, "institution_lineage": lineage}) == [
        ("i-3", "left", "source"),
        ("i-4", "left", "source"),
    ]
    assert past.release({"listings": [white(5)]}) == [("i-5", "entered", "source")]
    elsewhere = {
        "listings": [white(5, BINJIANG, institution_id="i-6")],
        "institution_lineage": [{"predecessor_id": "i-5", "successor_id": "i-6"}],
    }
    assert past.release(elsewhere) == [("i-5", "left", "source"), ("i-6", "entered", "source")], "another list is another matter"


def test_the_first_list_of_a_source_makes_nobody_enter(past: Past) -> None:
    past.release({"listings": [white()]})
    assert past.release({"listings": [white(), white(2, source_id="bureau"), white(3, None)]}) == [("i-3", "entered", "source")]
    assert past.feeds("entered", "i-3") == {"listings"}


# The ledger as a whole


def walk(past: Past, seed: int, releases: int) -> None:
    """Enter releases in which anything may happen to a few notices and listings; some did not go live and were taken back."""
    draw = random.Random(seed)
    notices: dict[int, dict[str, Any]] = {}
    listings: dict[int, dict[str, Any]] = {}
    statements: dict[int, list[Row]] = defaultdict(list)
    gone: set[int] = set()
    for number in range(releases):
        ours = draw.random() < 0.2
        for _ in range(draw.randrange(20)):
            n = draw.randrange(16)
            act = draw.choice(
                ("add", "add", "remove", "facts", "violation", "dispute", "settle", "correct", "list", "unlist", "move", "region")
            )
            if act == "add" and n not in gone:
                notices.setdefault(n, dict(one(n, decided_on=draw.choice(("2026-10-30", "2026-09-01")), source_id=draw.choice("st"))))
            elif act == "remove":
                notices.pop(n, None)
                statements.pop(n, None)
            elif act in ("facts", "violation", "region", "dispute", "settle", "correct") and n in notices:
                column, values = {
                    "facts": ("facts", "甲乙丙"), "violation": ("violation_type", ("safety", "contract", None)), "region": ("region_code", (XIHU, BINJIANG, HANGZHOU, "000000", None)),
                    "dispute": ("state", ("disputed",)), "settle": ("state", ("active",)), "correct": ("state", ("corrected",)),
                }[act]  # fmt: skip
                notices[n][column] = draw.choice(values)
                if act == "correct":
                    statements[n].append(said("correction", f"n-{n}", len(statements[n]) + 1, fields="state"))
            elif act == "list":
                listings.setdefault(n, dict(white(n, draw.choice((XIHU, BINJIANG)), list=draw.choice(("white", "white", "black")))))
            elif act == "unlist":
                listings.pop(n, None)
            elif act == "move" and n in listings and not ours:  # of a code that we spell otherwise nothing is told
                listings[n]["region_code"] = draw.choice((XIHU, BINJIANG, None))
        withdrawn = {f"n-{n}": "revoked" for n in notices if draw.random() < 0.005}
        for notice in withdrawn:
            gone.add(int(notice[2:]))
            notices.pop(int(notice[2:]))
            statements.pop(int(notice[2:]), None)
        rows = {
            "notices": list(notices.values()),
            "listings": list(listings.values()),
            "notice_statements": [row for several in statements.values() for row in several],
        }
        past.release(rows, ours=ours, withdrawn=withdrawn)
        if number and draw.random() < 0.2:
            whole = past.ledger()
            assert history.repair(past.path, past.catalogue, past.names[-2]) == [past.names.pop()]
            past.release(rows, ours=ours, withdrawn=withdrawn)
            assert past.ledger() == whole


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Past:
    found = Past(tmp_path_factory.mktemp("walk"), catalogue)
    walk(found, 1, 30)
    return found


def test_numbers_have_no_gap_in_any_feed_nor_among_the_events(walked: Past) -> None:
    events, items = walked.ledger()
    assert [row[0] for row in events] == list(range(1, len(events) + 1))
    feeds = defaultdict(list)
    for feed, seq, event in items:
        feeds[feed].append((seq, event))
    assert len(feeds) > 20
    for found in feeds.values():
        assert [seq for seq, _ in found] == list(range(1, len(found) + 1))
        assert [event for _, event in found] == sorted({event for _, event in found})
    assert {event for _, _, event in items} == {row[0] for row in events}, "there is nobody whom an event is not told"
    assert {row[4] for row in events} == {
        "first",
        "again",
        "changed",
        "corrected",
        "correction",
        "dispute",
        "tombstone",
        "removal",
        "entered",
        "left",
        "released",
    }


def test_whoever_was_told_of_a_notice_is_told_of_all_that_becomes_of_it(walked: Past) -> None:
    feeds = defaultdict(set)
    for feed, _, event in walked.ledger()[1]:
        feeds[event].add(feed)
    known: dict[str, set[str]] = defaultdict(set)
    alerts: dict[str, list[int]] = defaultdict(list)
    for number, _, what, id, kind, cause, is_alert, _ in walked.ledger()[0]:
        if what != "notice":
            continue
        alerts[id].append(is_alert)
        assert any(feed.startswith("notices") for feed in feeds[number]) == bool(is_alert)
        if not is_alert:
            known[id] = {feed for feed in known[id] if not feed.startswith("notices")}
        assert ("corrections" in feeds[number]) == (kind in ("correction", "removal", "dispute") and cause != "expired")
        if kind in ("correction", "removal", "dispute"):
            assert known[id] <= feeds[number]
        else:
            assert known[id] <= feeds[number]
            known[id] |= feeds[number]
    assert all(found == sorted(found, reverse=True) for found in alerts.values()), "what is no news becomes none"
    assert {alert for found in alerts.values() for alert in found} == {0, 1}


def test_a_subscriber_who_applies_the_events_has_what_is_live(walked: Past) -> None:
    there: dict[str, set[str]] = defaultdict(set)
    for feed, id, kind in walked.ask(
        "SELECT i.feed, e.id, e.kind FROM feed_items i JOIN feed_events e ON e.number = i.event WHERE what = 'notice' ORDER BY i.feed, i.seq"
    ):
        if kind == "tombstone":
            there[feed].discard(id)
        elif kind not in ("correction", "removal", "dispute"):
            there[feed].add(id)
    assert there["records"] == {id for (id,) in walked.ask("SELECT id FROM notices WHERE release_to IS NULL")}
    for code, above in ((XIHU, "/region/330106"), (BINJIANG, "/region/330108")):
        assert there[f"records{above}"] >= {
            id for (id,) in walked.ask("SELECT id FROM notices WHERE release_to IS NULL AND region_code = ?", code)
        }
    listed: dict[str, bool] = {}
    for id, region, kind in walked.ask(
        "SELECT id, region, kind FROM feed_events WHERE what = 'listing' AND region IS NOT NULL ORDER BY number"
    ):
        assert kind == "left" or not listed.get(f"{id} {region}"), "nobody enters where they are"
        listed[f"{id} {region}"] = kind == "entered"


def test_what_a_release_told_is_counted_without_a_scan(walked: Past) -> None:
    with closing(sqlite3.connect(":memory:")) as served:
        served.executescript(FEEDS)
        for plan in (walked.ask(f"EXPLAIN QUERY PLAN {COUNTS}", "x"), served.execute(f"EXPLAIN QUERY PLAN {COUNTS}", ["x"]).fetchall()):
            assert any("feed_events_by_release" in row[3] for row in plan), plan
            assert not any(row[3].startswith("SCAN") for row in plan), plan


def test_releases_from_before_the_ledger_tell_the_same(walked: Past) -> None:
    assert walked.entered_again() == walked.ledger()


def test_a_release_that_did_not_go_live_takes_its_events_with_it(past: Past) -> None:
    past.release({"notices": [one()], "listings": [white()]})
    past.release({"notices": [one(), one(2)]})
    before = past.ledger()
    after = past.release({"notices": [one(2)], "listings": []})
    whole = past.ledger()
    assert len(whole[0]) > len(before[0])
    assert history.repair(past.path, past.catalogue, past.names[1]) == [past.names.pop()]
    assert past.ledger() == before
    assert past.release({"notices": [one(2)], "listings": []}) == after
    assert past.ledger() == whole


def test_what_the_ledger_holds_is_no_text(walked: Past) -> None:
    for table in walked.ledger():
        for row in table:
            assert all(value is None or isinstance(value, int) or re.fullmatch(r"[a-z0-9_/.-]{1,60}", value) for value in row), row
    assert walked.ask("SELECT count(*) FROM notices WHERE authority = ?", BUREAU) != [(0,)]


def test_of_what_was_forgotten_before_there_was_a_ledger_there_is_that_it_came_and_went(past: Past) -> None:
    past.release({"notices": [one(9), one(8)]})
    past.release({"notices": [one(9), one(8), one()]})
    past.release({"notices": [one(9), one(8)]}, withdrawn={"n-1": "revoked"})
    past.release({"notices": [one(9)]}, withdrawn={"n-8": "personal_data"})
    live = past.ledger()
    forgotten.forget(past.path, past.catalogue)
    assert past.ledger() == live, "there is nothing to forget"
    events, items = past.entered_again()
    assert sorted(row[1:6] for row in events) == sorted(row[1:6] for row in live[0])
    assert not any(is_alert for *_, is_alert, _ in events)
    assert [row[0] for row in events] == list(range(1, len(events) + 1))
    for feed in {feed for feed, _, _ in items}:
        assert [seq for name, seq, _ in items if name == feed] == list(range(1, sum(name == feed for name, _, _ in items) + 1))
    of_events = {number: (id, kind) for number, _, _, id, kind, *_ in events}
    told = defaultdict(set)
    for feed, _, event in items:
        told[of_events[event]].add(feed)
    assert told["n-1", "first"] == told["n-1", "tombstone"] == {"records"}, "whether it was news is forgotten too"
    assert told["n-1", "removal"] == {"records", "corrections"}
    assert told["n-8", "removal"] == {"records", "corrections"}
    assert told["n-9", "first"] == of("records")
