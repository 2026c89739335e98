"""Any release is made again of history alone, to the byte, or the command says why not."""

import shutil
import sqlite3
import stat
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from byhand import DAY, published
from making import NOON, institution, on, query, snapshot, world
from publish import forgotten, history
from publish.amend import Request, amend
from publish.assembled import Assembled
from publish.canonical import canonical
from publish.catalogue import Catalogue
from publish.cli import main
from publish.diff import Changes, diff
from publish.errors import BadHome, ReviewNeeded
from publish.home import Home
from publish.rebuild import from_history, rebuild
from publish.release import file_sha256
from publish.restore import without
from publish.run import run
from publish.withdraw import withdraw
from publish.work import Work

SITES = [
    {"address": "文三路 2号 1楼", "areaCode": "330106", "floorArea": 80.5},
    {"address": "文三路 2号", "areaCode": "330106", "floorArea": 20},
]


def deliver(work: Work, listings: Mapping[str, Any], day: int) -> None:
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    run(work, {"platform": str(snapshot(folder, f"platform-{day:03d}", listings, as_of=work.day.isoformat()).folder)})


def before_the_column(catalogue: Catalogue) -> Catalogue:
    """The declarations as they were before addresses were published and statements were a table."""
    table = catalogue.tables["institutions"]
    then = replace(table, columns={**table.columns, "address": replace(table.columns["address"], privacy="private", search=0)})
    return replace(catalogue, tables={**catalogue.tables, "institutions": then}, recipe="another")


def withdrawn(work: Work, number: int, day: int) -> None:
    """The notice of this number is withdrawn."""
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE document_no = ?", f"西教罚〔2026〕{number}号")
    for name in ("张三", "李四"):
        with suppress(ReviewNeeded):
            withdraw(on(work, day), identifier, "revoked", "撤销判决书", name, "法院撤销了这一决定")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """Releases by real runs: before a column was declared, with it, with more and changed and fewer rows, corrected, and without a withdrawn notice."""
    work = Work(Home(tmp_path_factory.mktemp("chain") / "home").prepare(), catalogue, NOON)
    start = world(30)
    start["institutions"][1]["sites"] = SITES
    deliver(replace(work, catalogue=before_the_column(catalogue)), start, 0)
    deliver(work, start, 1)
    more = world(31)
    more["institutions"][1]["sites"] = [{**SITES[0], "floorArea": 81.5}]
    more["institutions"][2]["address"] = "另一处"
    deliver(work, more, 2)
    fewer = {**more, **{name: [*more[name][:11], *more[name][12:]] for name in ("institutions", "listings", "notices", "ratings")}}
    for day in (3, 4):  # what is missed twice is gone
        fewer["institutions"] = [*fewer["institutions"], institution(50 + day)]
        deliver(work, fewer, day)
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE document_no = '西教罚〔2026〕3号'")
    amend(
        on(work, 5),
        Request("correct", identifier, "更正通知", "张三", "来源多写了一位", fields={"fine_fen": "2000元", "fine_text": "2000元"}),
    )
    withdrawn(work, 2, 6)
    return work


def test_each_release_of_a_chain_is_rebuilt_to_its_published_bytes(chain: Work, tmp_path: Path) -> None:
    releases = chain.home.release_ids()
    assert len(releases) == 7
    for name in releases:
        found = rebuild(chain.home, name, tmp_path / name)
        there = chain.home.releases / name / "mingbai.db"
        assert (found.sha256, found.kept) == (chain.home.manifest(name)["files"]["mingbai.db"]["sha256"], True), name
        assert (tmp_path / name).read_bytes() == there.read_bytes()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == releases


def test_the_chain_has_what_is_hard_to_make_again(chain: Work) -> None:
    """A column that the first of them does not have, issues anew, and what was gone, changed and corrected."""
    columns, reissued = [], []
    for name in chain.home.release_ids():
        with closing(sqlite3.connect(f"file:{chain.home.releases / name / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
            columns.append("address" in {row[1] for row in connection.execute("PRAGMA table_info(institutions)")})
        reissued.append("reissues" in chain.home.manifest(name))
    assert columns == [False, *[True] * 6]
    assert reissued == [*[True] * 6, False]
    with closing(sqlite3.connect(chain.home.history)) as past:
        kinds = set(past.execute("SELECT table_name, kind FROM changes"))
    assert {("institutions", "columns"), ("institutions", "remove"), ("institution_sites", "remove"), ("notices", "remove")} <= kinds
    assert {("institutions", "change"), ("institution_sites", "change"), ("notice_statements", "add"), ("notices", "add")} <= kinds


def test_a_document_that_only_a_withdrawn_notice_named_then_is_not_in_what_is_rebuilt(catalogue: Catalogue, tmp_path: Path) -> None:
    """Another notice names it since, so history still has it of all the time."""
    past, one, other = tmp_path / "history.db", {"id": "n-1", "document_id": "both"}, {"id": "n-2", "document_id": "both"}
    old = published(tmp_path / "old.db", catalogue, {"documents": [{"id": "both"}], "notices": [one]})
    new = published(tmp_path / "new.db", catalogue, {"documents": [{"id": "both"}], "notices": [one, other]})
    history.record(past, catalogue, "first", DAY, old, Changes(old, True, {}), None)
    changes = diff(Assembled(new, DAY, {}, {}, {}, {}, None), old, catalogue, tmp_path / "changes.db")
    history.record(past, catalogue, "second", DAY, new, changes, "first")
    forgotten.enter_gone(past, {"n-1": ("revoked", DAY, "n-1")})
    forgotten.forget(past, catalogue)
    without(old, ["n-1"], {"accounting": {}, "issues": {}}, catalogue, date.fromisoformat(DAY))
    canonical(old, tmp_path / "anew.db")
    assert from_history(past, "first", tmp_path / "again.db", file_sha256(tmp_path / "anew.db"))


def test_a_release_that_is_a_copy_of_one_without_a_column_has_no_such_column_in_history_either(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """A reply is entered before the first run with the new declaration."""
    past, lacks = tmp_path / "history.db", ["notices.title"]
    old = published(tmp_path / "old.db", catalogue, {"notices": [{"id": "n-1"}]}, lacks)
    new = published(tmp_path / "new.db", catalogue, {"notices": [{"id": "n-1", "state": "disputed"}]}, lacks)
    history.record(past, catalogue, "first", DAY, old, Changes(old, True, {}), None)
    changes = diff(Assembled(new, DAY, {}, {}, {}, {}, None), old, catalogue, tmp_path / "changes.db")
    history.record(past, catalogue, "second", DAY, new, changes, "first")
    with closing(sqlite3.connect(past)) as connection:
        assert connection.execute("SELECT title, state, release_to FROM notices ORDER BY release_from").fetchall() == [
            (None, None, 2),
            (None, "disputed", None),
        ]
    canonical(new, tmp_path / "canonical.db")
    assert from_history(past, "second", tmp_path / "again.db", file_sha256(tmp_path / "canonical.db"))


def test_a_column_holds_from_the_release_that_it_came_with_and_what_was_private_since_does_not_come_back(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """It is there, changes, is made private and comes back masked; the second row has nothing in it, and a third comes with it."""
    past, hidden, previous = tmp_path / "history.db", before_the_column(catalogue), None
    releases = [
        ("one", catalogue, {"a": "王小明家", "b": None}),
        ("two", catalogue, {"a": "王小明家 2号", "b": None}),
        ("three", hidden, {"a": None, "b": None}),
        ("four", catalogue, {"a": "文三路", "b": None, "c": "古墩路"}),
    ]
    hashes = {}
    for name, declared, places in releases:
        rows = {"institutions": [{"id": id} | ({"address": place} if place else {}) for id, place in places.items()]}
        database = published(tmp_path / f"{name}.db", declared, rows)
        canonical(database, tmp_path / f"{name}.canonical")
        hashes[name] = file_sha256(tmp_path / f"{name}.canonical")
        if previous is None:
            changes = Changes(database, True, {})
        else:
            changes = diff(Assembled(database, DAY, {}, {}, {}, {}, None), tmp_path / f"{previous}.db", declared, tmp_path / "changes.db")
        history.record(past, declared, name, DAY, database, changes, previous, hashes[name])
        previous = name
    with closing(sqlite3.connect(past)) as connection:
        rows = connection.execute("SELECT id, address, release_from, release_to FROM institutions ORDER BY 1, 3").fetchall()
        assert rows == [("a", None, 1, 2), ("a", None, 2, 4), ("a", "文三路", 4, None), ("b", None, 1, None), ("c", "古墩路", 4, None)]
        assert connection.execute("SELECT release, before, after FROM changes WHERE field = 'address'").fetchall() == [
            (2, None, None),
            (3, 1, 0),
            (4, 0, 1),
        ]
    assert "王小明".encode() not in past.read_bytes()
    for name in ("three", "four"):
        assert from_history(past, name, tmp_path / "again.db") == hashes[name]
    for name in ("one", "two"):
        with pytest.raises(BadHome, match="gives another database"):
            from_history(past, name, tmp_path / "other.db")
    assert history.repair(past, catalogue, "three") == ["four"]
    with closing(sqlite3.connect(past)) as connection:
        rows = connection.execute("SELECT id, address, release_from, release_to FROM institutions ORDER BY 1, 3").fetchall()
    assert rows == [("a", None, 1, 2), ("a", None, 2, None), ("b", None, 1, None)]


def test_a_notice_that_a_column_came_to_did_not_change(catalogue: Catalogue, tmp_path: Path) -> None:
    """Else a column more is news to every reader of every feed."""
    past, previous = tmp_path / "history.db", None
    reply = {"notice_id": "n-1", "number": 1, "kind": "reply"}
    for name, lacks, title in (
        ("one", ["notices.facts", "notice_statements.text"], {}),
        ("two", [], {"facts": "甲"}),
        ("three", [], {"facts": "乙"}),
    ):
        said = {**reply, "text": "丙"} if title else reply
        rows = {"notices": [{"id": "n-1", **title}, {"id": "n-2", "facts": "丁"} if title else {"id": "n-2"}], "notice_statements": [said]}
        database = published(tmp_path / f"{name}.db", catalogue, rows, lacks)
        old = tmp_path / f"{previous}.db" if previous else None
        changes = diff(Assembled(database, DAY, {}, {}, {}, {}, None), old, catalogue, tmp_path / "changes.db")
        history.record(past, catalogue, name, DAY, database, changes, previous)
        previous = name
        with closing(sqlite3.connect(past)) as connection:
            told = connection.execute("SELECT release, id, kind FROM feed_events WHERE what = 'notice' ORDER BY number").fetchall()
        assert told == [(1, "n-1", "first"), (1, "n-2", "first"), *([(3, "n-1", "changed")] if name == "three" else [])]
    with closing(sqlite3.connect(past)) as connection:
        rows = connection.execute("SELECT facts, release_from, release_to FROM notices WHERE id = 'n-1' ORDER BY 2").fetchall()
    assert rows == [(None, 1, 2), ("甲", 2, 3), ("乙", 3, None)]


@pytest.fixture
def copied(chain: Work, tmp_path: Path) -> Home:
    """The home of the chain, to be spoilt."""
    shutil.copytree(chain.home.path, tmp_path / "copy", symlinks=True)
    return Home(tmp_path / "copy")


def test_a_release_that_is_no_longer_kept_is_held_against_the_hash_in_history(copied: Home, tmp_path: Path) -> None:
    first = copied.release_ids()[0]
    sha256 = file_sha256(copied.releases / first / "mingbai.db")  # of its new issue
    shutil.rmtree(copied.releases / first)
    done = CliRunner().invoke(main, ["--home", str(copied.path), "rebuild", first, "--to", str(tmp_path / "again.db")])
    assert done.exit_code == 0, done.output
    assert sha256 in done.output
    assert "history" in done.output
    assert "0600" in done.output
    assert file_sha256(tmp_path / "again.db") == sha256


def test_a_release_whose_manifest_is_damaged_is_rebuilt_all_the_same(copied: Home, tmp_path: Path) -> None:
    name = copied.release_ids()[1]
    (copied.releases / name / "manifest.json").write_bytes(b"{")
    assert not rebuild(copied, name, tmp_path / "again.db").kept


def test_one_damaged_manifest_stops_neither_the_command_nor_a_withdrawal(chain: Work, copied: Home, tmp_path: Path) -> None:
    first, name = copied.release_ids()[:2]
    work, live = replace(chain, home=copied), copied.live()
    (copied.releases / name / "manifest.json").write_bytes(b"{")
    typed = ["--home", str(copied.path), "--now", "2026-11-20T04:00:00Z", "rebuild", name, "--to", str(tmp_path / "again.db")]
    done = CliRunner().invoke(main, typed)
    assert (done.exit_code, "its files are no longer kept or are damaged" in done.output) == (0, True), done.output
    with pytest.raises(BadHome, match=f"release {name} has what was withdrawn and could not be issued anew .*restore it from a copy"):
        withdrawn(work, 4, 20)
    assert work.live != live
    assert copied.manifest(first)["reissues"][-1]["withdrawn"] == {"revoked": 1}
    assert [row["id"] for row in orjson.loads((copied.path / "releases.json").read_bytes())["releases"]] == [
        one for one in copied.release_ids() if one != name
    ]


Spoil = Callable[[sqlite3.Connection], object]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "a row was changed": (lambda past: past.execute("UPDATE institutions SET registrar = '别处' WHERE release_to IS NULL"), "gives another database"),
    "a row is missing": (lambda past: past.execute("DELETE FROM notice_links"), "gives another database"),
    "it has no shapes": (lambda past: past.execute("DELETE FROM shapes"), "before it kept the shape"),
    "it is older than shapes": (lambda past: past.execute("DROP TABLE shapes"), "before it kept the shape"),
    "it does not know it": (lambda past: past.execute("UPDATE releases SET id = 'x' || number"), r"does not know release \S+; it has \d+, x1 to x"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_what_was_published_is_not_written(copied: Home, tmp_path: Path, what: str, kept: bool) -> None:
    spoil, said = SPOILT[what]
    name = copied.release_ids()[3]
    if not kept:
        shutil.rmtree(copied.releases / name)
    with closing(sqlite3.connect(copied.history)) as past:
        spoil(past)
        past.commit()
    (tmp_path / "to").mkdir()
    with pytest.raises(BadHome, match=said):
        rebuild(copied, name, tmp_path / "to" / "again.db")
    assert list((tmp_path / "to").iterdir()) == []


def test_a_release_that_history_has_no_hash_of_is_not_written_unless_its_manifest_has_one(copied: Home, tmp_path: Path) -> None:
    name = copied.release_ids()[3]
    with closing(sqlite3.connect(copied.history)) as past:
        past.execute("ALTER TABLE releases DROP COLUMN sha256")
    rebuild(copied, name, tmp_path / "kept.db")
    shutil.rmtree(copied.releases / name)
    with pytest.raises(BadHome, match="gives another database"):
        rebuild(copied, name, tmp_path / "again.db")


def test_nothing_is_written_over_or_where_it_would_be_served(copied: Home, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    for target in (tmp_path / "there", copied.releases / "again.db", copied.path / "again.db", tmp_path / "no folder" / "again.db"):
        with pytest.raises(BadHome, match="name a file"):
            rebuild(copied, copied.release_ids()[0], target)
    assert (tmp_path / "there").read_text() == "mine"


def test_a_history_of_before_goes_on_and_its_new_releases_can_be_rebuilt(copied: Home, catalogue: Catalogue, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copied.history)) as past:
        past.executescript("DROP TABLE shapes; ALTER TABLE releases DROP COLUMN sha256")
    old = copied.release_ids()[-1]
    work = Work(copied, catalogue, NOON)
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE document_no = '西教罚〔2026〕4号'")
    amend(on(work, 7), Request("dispute", identifier, "复议受理通知书", "张三", "已受理"))
    assert rebuild(copied, work.live or "", tmp_path / "again.db").kept
    with pytest.raises(BadHome, match="before it kept the shape"):
        rebuild(copied, old, tmp_path / "old.db")


@pytest.mark.parametrize("what", ["record", "repair"])
def test_the_work_on_a_release_does_not_grow_with_the_rows_that_it_leaves_alone(
    what: str, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in steps of SQLite's own machine, which are the same on every machine."""
    steps: list[int] = []
    opened = history.opened

    def counting(path: Path) -> sqlite3.Connection:
        connection = opened(path)
        connection.set_progress_handler(lambda: steps.append(1) and None, 10)
        return connection

    counts = []
    for size in (100, 3000):
        folder = tmp_path / str(size)
        folder.mkdir()
        rows: dict[str, list[dict[str, Any]]] = {
            "institutions": [{"id": f"i{n:05d}"} for n in range(size)],
            "institution_sites": [{"institution_id": f"i{n:05d}", "address": f"路 {n}号"} for n in range(size)],
            "ratings": [{"institution_id": f"i{n:05d}", "mean_rating": 1.0} for n in range(size)],
        }
        old = published(folder / "old.db", catalogue, rows)
        rows["institutions"][7]["name"] = "改名"
        rows["ratings"][7]["mean_rating"] = 2.0
        rows["institution_sites"][7]["address"] = "路 别处"
        new = published(folder / "new.db", catalogue, rows)
        past, made = folder / "history.db", Assembled(new, DAY, {}, {}, {}, {}, None)
        history.record(past, catalogue, "one", DAY, old, Changes(old, True, {}), None)
        changes = diff(made, old, catalogue, folder / "changes.db")
        with monkeypatch.context() as patch:
            if what == "record":
                patch.setattr(history, "opened", counting)
            history.record(past, catalogue, "two", DAY, new, changes, "one")
            assert valid(past) == (size, 1, 2, 1)
            if what == "repair":
                patch.setattr(history, "opened", counting)
                assert history.repair(past, catalogue, "one") == ["two"]
                assert valid(past) == (size, 0, 1, 0)
        counts.append(len(steps))
        steps.clear()
    assert counts[0] > 10
    assert counts[1] < 1.5 * counts[0]


def valid(past: Path) -> tuple[int, ...]:
    """How many institutions are valid, how many rows ended, how often history has the rating that changed, and whether it has the new site."""
    with closing(sqlite3.connect(past)) as connection:
        return tuple(
            connection.execute(sql).fetchone()[0]
            for sql in (
                "SELECT count(*) FROM institutions WHERE release_to IS NULL",
                "SELECT count(release_to) FROM institution_sites",
                "SELECT count(*) FROM ratings WHERE institution_id = 'i00007'",
                "SELECT count(*) FROM institution_sites WHERE address = '路 别处' AND release_to IS NULL",
            )
        )
