"""Deltas: from the bytes of any release to those of any later one, by nothing that is lost, repeated, reordered or altered."""

import csv
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner

import web_release
from making import NOON, notice, on, query, snapshot, world
from publish import history
from publish.apply import apply
from publish.assembled import Assembled
from publish.canonical import canonical
from publish.catalogue import Catalogue, dictionary
from publish.cli import main
from publish.dataset import Column, Table
from publish.deltas import _cells as cells_of
from publish.deltas import deltas
from publish.deltas import read as deltas_of
from publish.diff import diff
from publish.errors import BadDelta, BadHome, ReviewNeeded
from publish.home import Home, as_json
from publish.live import point
from publish.nowhere import nowhere
from publish.release import file_sha256
from publish.run import run
from publish.same import VALUES, WORDS, fingerprint
from publish.tables import create_indexes, create_published, working
from publish.web.holding import still
from publish.web.reader import Reader
from publish.web.server import build_app
from publish.withdraw import withdraw
from publish.wording import LANGUAGES, wording
from publish.work import Work
from readmes import block
from unpacked import all_said

Row = dict[str, Any]
State = dict[str, dict[tuple[Any, ...], Row]]
TEXTS = ("", "甲乙丙丁", "a b", '"引号"\\', "一\n二\r\n\u2028三", "n\x00ul", "😀" * 3, "=1+1")
NUMBERS = (0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63))
REALS = (0.1, 1.0, -0.0, 1e300, 5e-324, 120.5)
STEPS = (0, 0, 1, 1, 1, 2, 5, 1, 7, 1, 25, 1, 1)  # days between the releases of a chain: some are of one day


def value_of(draw: random.Random, column: Column) -> Any:
    """Anything that a column can hold. Days are days: the clocks read them."""
    if column.kind == "code" and column.name == "list":
        return draw.choice(("white", "black", "normal"))
    if not column.required and draw.random() < 0.2 and column.name != "public_until":
        return None
    if column.kind in ("date", "day"):
        return (date(2026, 1, 1) + timedelta(days=draw.randrange(900))).isoformat()
    if column.sql_type == "TEXT" and draw.random() < 0.005:
        return "x" * 9000  # more than a page of SQLite's holds
    return draw.choice({"INTEGER": NUMBERS, "REAL": REALS}.get(column.sql_type, TEXTS))


def key_of(draw: random.Random, table: Table) -> tuple[Any, ...]:
    """The last part of a key may hold a space; no other one does."""
    return tuple(
        draw.randrange(30)
        if table.columns[name].sql_type == "INTEGER"
        else f"{name[0]}{' ' if place and name == table.key[-1] else '-'}{draw.randrange(40)}"
        for place, name in enumerate(table.key)
    )


def later(draw: random.Random, catalogue: Catalogue, before: State, share: float = 0.2) -> State:
    """Another state: rows are added, changed and taken out."""
    after: State = {}
    for table in catalogue.tables.values():
        rows = {key: row for key, row in before.get(table.name, {}).items() if draw.random() > share / 2}
        others = [column for column in table.published if column.name not in table.key]
        for row in rows.values():
            if others and draw.random() < share:
                column = draw.choice(others)
                rows[tuple(row[name] for name in table.key)] = {**row, column.name: value_of(draw, column)}
        for _ in range(draw.randrange(12)):
            key = key_of(draw, table)
            rows.setdefault(key, dict(zip(table.key, key, strict=True)) | {column.name: value_of(draw, column) for column in others})
        after[table.name] = rows
    return after


def database(path: Path, catalogue: Catalogue, state: State, draw: random.Random) -> Path:
    """The canonical file of a state, whose rows were put in in any order."""
    made = path.with_name(f"{path.name}.made")
    with working(made) as connection:
        connection.execute("BEGIN")
        create_published(connection, catalogue)
        for table in catalogue.tables.values():
            rows = [tuple(row[column.name] for column in table.published) for row in state.get(table.name, {}).values()]
            draw.shuffle(rows)
            connection.executemany(f'INSERT INTO "{table.name}" VALUES ({",".join("?" * len(table.published))})', rows)
        create_indexes(connection, catalogue)
        connection.execute("COMMIT")
    canonical(made, path)
    made.unlink()
    return path


@dataclass(frozen=True)
class Chain:
    """A home with releases whose databases are all that they have, beside their deltas."""

    home: Home
    ids: tuple[str, ...]

    def database(self, name: str) -> Path:
        return self.home.releases / name / "mingbai.db"

    def index(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads((self.home.releases / name / "deltas" / "index.json").read_bytes())
        return found

    def delta(self, base: str, name: str, form: str = "ndjson") -> Path:
        return self.home.releases / name / "deltas" / f"from-{base}.{form}"

    def previous(self, first: str, last: str) -> list[Path]:
        """The deltas from release to release."""
        names = self.ids[self.ids.index(first) : self.ids.index(last) + 1]
        return [self.delta(*pair) for pair in pairwise(names)]

    def shortest(self, first: str, last: str) -> list[Path]:
        """Deltas that lead from one release to another, the longest windows first."""
        if first == last:
            return []
        bases = [base for base in self.index(last)["deltas"] if self.ids.index(base) >= self.ids.index(first)]
        base = min(bases, key=self.ids.index)
        return [*self.shortest(first, base), self.delta(base, last)]


def chain_of(folder: Path, catalogue: Catalogue, states: Sequence[State], days: Sequence[int], seed: str) -> Chain:
    """Take states live one after the other, so many days apart."""
    home, draw, day = Home(folder).prepare(), random.Random(seed), date(2026, 11, 1)
    home.staging.mkdir(exist_ok=True)
    names: list[str] = []
    for state, step in zip(states, days, strict=True):
        day += timedelta(days=step)
        name, live = home.next_release(day), home.live()
        part = home.releases / f"{name}.part"
        part.mkdir()
        path = database(part / "mingbai.db", catalogue, state, draw)
        made = Assembled(path, day.isoformat(), {}, {}, {table: len(rows) for table, rows in state.items()}, {}, None)
        changes = diff(made, home.releases / live / "mingbai.db" if live else None, catalogue, home.staging / "changes.db")
        deltas(home, catalogue, part, name, changes.path)
        about = {
            "id": name,
            "released_on": day.isoformat(),
            "previous": live,
            "tables": {},
            "files": {"mingbai.db": {"sha256": file_sha256(path)}},
        }
        (part / "manifest.json").write_bytes(as_json(about))
        history.record(home.history, catalogue, name, day.isoformat(), path, changes, live)
        part.rename(home.releases / name)
        point(home, name)
        names.append(name)
    return Chain(home, tuple(names))


def states_of(draw: random.Random, catalogue: Catalogue, number: int) -> list[State]:
    found: list[State] = [later(draw, catalogue, {})]
    while len(found) < number:
        found.append(later(draw, catalogue, found[-1]))
    return found


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Chain:
    draw = random.Random("chain")
    return chain_of(tmp_path_factory.mktemp("chain") / "home", catalogue, states_of(draw, catalogue, len(STEPS)), STEPS, "chain")


def pairs(chain: Chain, number: int) -> list[tuple[str, str]]:
    draw = random.Random(f"pairs {number}")
    return [
        (a, b) for a, b in (sorted(draw.sample(range(len(chain.ids)), 2)) for _ in range(number)) for a, b in [(chain.ids[a], chain.ids[b])]
    ]


@pytest.mark.parametrize("number", [60, pytest.param(500, marks=[pytest.mark.bench, pytest.mark.timeout(1800)])])
def test_a_release_and_deltas_are_a_later_release_to_the_byte(chain: Chain, tmp_path: Path, number: int) -> None:
    for place, (first, last) in enumerate(pairs(chain, number)):
        way = chain.previous(first, last) if place % 2 else chain.shortest(first, last)
        target = tmp_path / "out.db"
        assert apply(chain.database(first), way, target) == file_sha256(chain.database(last)), (first, last, way)
        assert target.read_bytes() == chain.database(last).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["out.db"], "nothing is left beside it"


def test_rows_make_the_same_bytes_however_they_got_there(catalogue: Catalogue, tmp_path: Path) -> None:
    draw = random.Random("order")
    first, second = states_of(draw, catalogue, 2)
    one = database(tmp_path / "one.db", catalogue, second, draw).read_bytes()
    assert database(tmp_path / "two.db", catalogue, second, draw).read_bytes() == one
    changed = database(tmp_path / "changed.db", catalogue, first, draw)
    with closing(sqlite3.connect(changed, isolation_level=None)) as connection:
        for table in catalogue.tables.values():
            where = " AND ".join(f'"{name}" = ?' for name in table.key)
            for key in first[table.name].keys() - second[table.name].keys():
                connection.execute(f'DELETE FROM "{table.name}" WHERE {where}', key)
            for key, row in sorted(second[table.name].items(), reverse=True):
                if key in first[table.name]:
                    assigned = ", ".join(f'"{name}" = ?' for name in row)
                    connection.execute(f'UPDATE "{table.name}" SET {assigned} WHERE {where}', [*row.values(), *key])
                else:
                    columns, marks = ", ".join(f'"{name}"' for name in row), ",".join("?" * len(row))
                    connection.execute(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', list(row.values()))
    canonical(changed, tmp_path / "three.db")
    assert (tmp_path / "three.db").read_bytes() == one
    assert not list(tmp_path.glob("*.part"))


def damaged(draw: random.Random, whole: bytes) -> tuple[str, bytes]:
    """A delta that something happened to, on the way or by somebody who then put its last line right."""
    lines = whole.splitlines(keepends=True)
    rows = range(1, len(lines) - 1)
    one, two = sorted(draw.sample(rows, 2))
    kind = draw.choice(("cut", "bit", "bytes", "lost", "repeated", "swapped", "foreign", "altered", "empty", "more", "header"))
    if kind == "cut":
        return kind, whole[: draw.randrange(len(whole))]
    if kind == "bit":
        place = draw.randrange(len(whole))
        return kind, whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :]
    if kind == "bytes":
        place = draw.randrange(len(whole))
        return kind, whole[:place] + draw.randbytes(draw.randrange(1, 9)) + whole[place + draw.randrange(9) :]
    if kind == "empty":
        return kind, b""
    if kind == "more":
        return kind, whole + draw.choice((b"\n", b"{}\n", lines[one], lines[-1], whole))
    if kind == "header":
        head = orjson.loads(lines[0])
        side = draw.choice(("from", "to"))
        head[side] = draw.choice((None, [], {}, {**head[side], "sha256": "0" * 64}, {**head[side], "sha256": ["0" * 64]}))
        lines[0] = orjson.dumps(head) + b"\n"
    if kind == "lost":
        del lines[one]
    if kind == "repeated":
        lines.insert(draw.choice((one, two)), lines[one])
    if kind == "swapped":
        lines[one], lines[two] = lines[two], lines[one]
    if kind == "foreign":
        lines[one] = orjson.dumps({"table": "institutions", "op": "add", "key": ["i-none"], "row": {"name": "某某"}}) + b"\n"
    if kind == "altered":
        line = orjson.loads(lines[one])
        what = draw.choice(sorted(line.keys() - {"cause"}))
        line[what] = draw.choice(
            ({"table": "notices", "op": "add", "key": ["n-0"]}.get(what), "none", 1, 1.5, True, None, [], {}, ["x"], {"x": 1}, 2**70)
        )
        lines[one] = (
            orjson.dumps(line) + b"\n" if line[what] != 2**70 else lines[one].replace(b'"key":[', b'"key":[1180591620717411303424,')
        )
    return kind, sealed(lines[:-1]) if draw.random() < 0.7 else b"".join(lines)


def sealed(lines: Sequence[bytes]) -> bytes:
    """Lines with the last line that they would have."""
    end = {"lines": len(lines) - 1, "sha256": sha256(b"".join(lines)).hexdigest()}
    return b"".join((*lines, orjson.dumps(end), b"\n"))


def outcome(base: Path, delta: Path, target: Path) -> tuple[str | None, str]:
    """The SHA-256 of what came of it, or why nothing did."""
    try:
        return apply(base, [delta], target), ""
    except BadDelta as error:
        return None, str(error)


@pytest.mark.parametrize("number", [100, pytest.param(1000, marks=[pytest.mark.bench, pytest.mark.timeout(1800)])])
def test_a_damaged_delta_is_refused_and_changes_nothing(chain: Chain, tmp_path: Path, number: int) -> None:
    draw, seen = random.Random("damage"), Counter[str]()
    target, delta = tmp_path / "out.db", tmp_path / "delta.ndjson"
    target.write_bytes(b"SQLite format 3\0 as it was")
    while seen.total() < number:
        last = draw.randrange(1, len(chain.ids))
        base, name = chain.ids[last - 1], chain.ids[last]
        whole = chain.delta(base, name).read_bytes()
        kind, data = damaged(draw, whole)
        if data == whole:
            continue
        delta.write_bytes(data)
        found, why = outcome(chain.database(base), delta, target)
        if found is not None:
            assert found == file_sha256(chain.database(name)), f"{kind}: other bytes were taken for the release"
            assert told(data) == told(whole), f"{kind}: it says something else and was applied"
            target.write_bytes(b"SQLite format 3\0 as it was")
            continue  # a key of JSON put twice, a number written otherwise: no damage
        seen[kind] += 1
        assert why.startswith(str(delta)), "which file"
        assert target.read_bytes() == b"SQLite format 3\0 as it was", kind
        assert sorted(path.name for path in tmp_path.iterdir()) == ["delta.ndjson", "out.db"], kind
    assert len(seen) == 11, seen


def told(delta: bytes) -> list[Any]:
    """What the rows of a delta say to a client: not its own hashes, and no cause."""
    return [{**line, "cause": None} for line in map(orjson.loads, delta.splitlines()[1:-1])]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (lambda names: [(0, 1), (2, 3)], "begins with release"),  # one is lost
        (lambda names: [(0, 1), (0, 1)], "begins with release"),  # repeated
        (lambda names: [(1, 2), (0, 1)], "begins with release"),  # out of order
        (lambda names: [(2, 3)], "another release, or written to"),  # of another release
    ],
)
def test_a_chain_with_one_lost_repeated_or_out_of_order_is_refused(chain: Chain, tmp_path: Path, way: Any, said: str) -> None:
    deltas = [chain.delta(chain.ids[a], chain.ids[b]) for a, b in way(chain.ids)]
    with pytest.raises(BadDelta, match=said):
        apply(chain.database(chain.ids[0]), deltas, tmp_path / "out.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b'{"table":"notices","op":"add","key":["n-1"],"row":{"fine_fen":NaN}}'], "is no JSON"),
        ([b'{"table":"notices","op":"add","key":' + b"[" * 5000 + b"]" * 5000 + b"}"], "is no JSON"),
        ([b'{"table":"sqlite_schema","op":"remove","key":["n-1"]}'], "is not in the file"),
        ([b'{"table":"notices\\" WHERE 1 --","op":"remove","key":["n-1"]}'], "is not in the file"),
        ([b'{"table":"notices","op":"change","key":["n-1"],"set":{"id":"n-2"}}'], "no field 'id'"),
        ([b'{"table":"notices","op":"change","key":["n-1"],"set":{"phone":"1"}}'], "no field 'phone'"),
        ([b'{"table":"notices","op":"change","key":["none"],"set":{"title":"x"}}'], "is not there"),
        ([b'{"table":"notices","op":"change","key":["none"],"set":{}}'], "changed in nothing"),
        ([b'{"table":"notices","op":"remove","key":[true]}'], "expected a value for each of id"),
        ([b'{"table":"notices","op":"drop","key":["n-1"]}'], "none of add, change, remove, parts"),
        ([b'{"table":"notice_links","op":"parts","key":["n-1"],"rows":[{"notice_id":"n-2","institution_id":"i-1"}]}'], "a row of another"),
        ([b'{"table":"notices","op":"remove","key":["n-2"]}', b'{"table":"notices","op":"remove","key":["n-1"]}'], "expected the order"),
        ([b'{"table":"notices","op":"remove","key":["n-1"]}', b'{"table":"notices","op":"remove","key":["n-1"]}'], "expected the order"),
        ([b"[]"], "expected an object"),
        ([b'{"table":"notices","op":"remove","key":["\\ud800"]}'], "is no JSON"),
        ([b'{"table":"notices","op":"add","key":["none"],"row":{"fine_fen":9223372036854775808}}'], "too large"),
        ([b'{"table":"notices","op":"add","key":["none"],"row":{"fine_fen":"1"}}'], "of another kind than INTEGER"),
        ([b'{"table":"notices","op":"add","key":["none"],"row":[]}'], "expected an object"),
        ([b'{"table":"notice_links","op":"parts","key":["n-1"],"rows":{}}'], "expected a list"),
    ],
)  # fmt: skip
def test_what_a_delta_may_not_say_is_named_with_its_line(chain: Chain, tmp_path: Path, lines: list[bytes], said: str) -> None:
    base, name = chain.ids[:2]
    head = chain.delta(base, name).read_bytes().splitlines(keepends=True)[0]
    delta = tmp_path / "delta.ndjson"
    delta.write_bytes(sealed([head, *(line + b"\n" for line in lines)]))
    with pytest.raises(BadDelta, match=re.escape(said)) as error:
        apply(chain.database(base), [delta], tmp_path / "out.db")
    assert str(error.value).startswith(f"{delta}:{len(lines) + 1}: ")


def test_a_line_without_end_is_not_read_into_memory(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.apply.LONGEST", 100_000)
    base, name = chain.ids[:2]
    head = chain.delta(base, name).read_bytes().splitlines(keepends=True)[0]
    delta = tmp_path / "delta.ndjson"
    delta.write_bytes(head + b'{"table":"' + b"x" * 200_000 + b'"}\n')
    with pytest.raises(BadDelta, match=r":2: a line of more than 100,000 bytes"):
        apply(chain.database(base), [delta], tmp_path / "out.db")


def test_a_copy_that_is_none_is_refused_in_words(chain: Chain, tmp_path: Path) -> None:
    way = chain.previous(*chain.ids[:2])
    none = tmp_path / "none.db"
    none.write_bytes(b"no database")
    for base, target, wrong, said in (
        (none, tmp_path / "out.db", BadDelta, "another release, or written to"),
        (tmp_path, tmp_path / "out.db", BadHome, "is no file"),
        (chain.database(chain.ids[0]), tmp_path / "no folder" / "out.db", BadHome, "is no folder"),
    ):
        with pytest.raises(wrong, match=said):
            apply(base, way, target)
    with pytest.raises(BadDelta, match="cannot be read"):
        apply(chain.database(chain.ids[0]), [tmp_path / "missing.ndjson"], tmp_path / "out.db")


def test_a_file_of_something_else_is_not_written_over(chain: Chain, tmp_path: Path) -> None:
    way = chain.previous(*chain.ids[:2])
    notes = tmp_path / "notes.txt"
    notes.write_text("precious")
    with pytest.raises(BadHome, match="is no SQLite database"):
        apply(chain.database(chain.ids[0]), way, notes)
    assert notes.read_text() == "precious"


def test_the_published_hash_is_what_counts(chain: Chain, tmp_path: Path) -> None:
    """A forged delta that leads where its forger says it does has hashes that are all right."""
    base, name = chain.ids[:2]
    published = file_sha256(chain.database(name))
    assert apply(chain.database(base), chain.previous(base, name), tmp_path / "out.db", published.upper()) == published
    with pytest.raises(BadDelta, match="was asked for"):
        apply(chain.database(base), chain.previous(base, name), tmp_path / "none.db", "0" * 64)
    assert not (tmp_path / "none.db").exists()


def test_windows_begin_with_the_last_release_that_is_so_old(chain: Chain) -> None:
    order = {name: name[:10] for name in chain.ids}
    for place, name in enumerate(chain.ids):
        for window, days in (("day", 1), ("week", 7), ("month", 31)):
            since = (date.fromisoformat(order[name]) - timedelta(days=days)).isoformat()
            expected = next((base for base in reversed(chain.ids[:place]) if order[base] <= since), None)
            assert chain.index(name)["windows"][window]["from"] == expected
        assert chain.index(name)["windows"]["previous"]["from"] == (chain.ids[place - 1] if place else None)
        files = {path.name for path in (chain.home.releases / name / "deltas").iterdir()} - {"index.json", "holds.json"}
        assert len(files) == 2 * len(chain.index(name)["deltas"]), "two windows from one release are one file"


@pytest.mark.parametrize(("known", "said"), [(True, "the columns changed"), (False, "the earlier release is not what its manifest says")])
def test_where_there_is_no_delta_the_index_says_why(chain: Chain, catalogue: Catalogue, tmp_path: Path, known: bool, said: str) -> None:
    home = Home(shutil.copytree(chain.home.path, tmp_path / "home", symlinks=True))
    last = home.releases / chain.ids[-1]
    with closing(sqlite3.connect(last / "mingbai.db")) as connection:
        connection.execute('ALTER TABLE institutions ADD COLUMN "since" TEXT')
    if known:
        files = {"mingbai.db": {"sha256": file_sha256(last / "mingbai.db")}}
        (last / "manifest.json").write_bytes(as_json(home.manifest(last.name) | {"files": files}))
    part = home.releases / "2026-12-18.part"
    part.mkdir()
    shutil.copy(chain.database(chain.ids[-1]), part / "mingbai.db")
    deltas(home, catalogue, part, "2026-12-18", home.staging / "changes.db")
    index = deltas_of(part)
    expected = {"from": chain.ids[-1], "none": f"{said}: take the whole release"}
    assert (index["windows"]["previous"], index["windows"]["day"]) == (expected, expected)
    assert "none" not in index["windows"]["week"]


def test_the_same_releases_make_the_same_deltas(chain: Chain, catalogue: Catalogue, tmp_path: Path) -> None:
    draw = random.Random("chain")
    again = chain_of(tmp_path / "home", catalogue, states_of(draw, catalogue, len(STEPS))[:4], STEPS[:4], "another order of inserts")
    for name in again.ids:
        for path in sorted((again.home.releases / name / "deltas").iterdir()):
            assert path.read_bytes() == (chain.home.releases / name / "deltas" / path.name).read_bytes(), path.name


def test_the_table_for_people_says_what_the_lines_say(chain: Chain) -> None:
    base, name = chain.ids[3:5]
    lines = told(chain.delta(base, name).read_bytes())
    with open(chain.delta(base, name, "csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["release_from"], row["release_to"]) for row in rows} == {(base, name)}
    assert {(row["table"], row["op"], row["key"]) for row in rows} == {
        (line["table"], line["op"], " ".join(map(str, line["key"]))) for line in lines
    }
    fields = [
        (field, value)
        for line in lines
        for row in (line.get("row"), line.get("set"), *line.get("rows", ()))
        for field, value in (row or {}).items()
    ]
    assert "=1+1" in {value for _, value in fields}, "which a spreadsheet would compute"
    assert [(row["field"], row["after"]) for row in rows if row["field"]] == [
        (field, "" if value is None else f"'{value}" if value == "=1+1" else str(value)) for field, value in fields
    ]


def test_what_is_taken_out_is_nowhere_in_a_delta(chain: Chain) -> None:
    """Its key is, where that is an id of ours; of what belongs to another row not even that, for a key can be a name or whom a notice was about."""
    for base, name in pairwise(chain.ids):
        lines = told(chain.delta(base, name).read_bytes())
        assert any(line["op"] == "parts" for line in lines)
        for line in lines:
            assert "before" not in line
            if line["op"] == "remove":
                assert line.keys() == {"table", "op", "key", "cause"}
                assert line["table"] not in ("institution_aliases", "institution_sites", "permits", "notice_links", "notice_statements")


# -- releases that runs make, and what becomes of their deltas --------------------------------------------------------


def deliver(work: Work, listings: dict[str, list[Any]], day: int) -> None:
    work = on(work, day)
    made = snapshot(
        work.home.path / "deliveries", f"platform-{day:03d}", listings, as_of=work.day.isoformat(), taken_at=f"{work.day}T04:00:00Z"
    )
    run(work, {"platform": str(made.folder)})


SECRET = "关于甲乙丙丁中心的处罚决定"


@pytest.fixture(scope="module")
def withdrawn(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> tuple[Work, str, dict[str, Path]]:
    """Four releases by runs, a notice of the second and third withdrawn in the fifth, and a sixth; a copy of each database as it was first published."""
    folder = tmp_path_factory.mktemp("withdrawn")
    work = Work(Home(folder / "home").prepare(), catalogue, NOON)
    secret = notice(2, title=SECRET, docTitle="甲乙丙丁的文件", facts='甲乙丙丁，"多收"费用。', publicUntil="2026-11-20")
    deliver(work, {**world(3), "notices": [notice(1), notice(3)]}, 0)
    deliver(work, {**world(3), "notices": [notice(1), secret, notice(3)]}, 1)
    deliver(work, {**world(4), "notices": [notice(1), secret, notice(3)]}, 2)
    first = {name: shutil.copy(work.home.releases / name / "mingbai.db", folder / f"{name}.db") for name in work.home.release_ids()}
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE title = ?", SECRET)
    assert SECRET in (work.home.releases / "2026-11-02" / "deltas" / "from-2026-11-01.ndjson").read_text("utf-8")
    with suppress(ReviewNeeded):
        withdraw(on(work, 3), identifier, "revoked", "撤销决定书", "张三", "法院撤销")
    withdraw(on(work, 3), identifier, "revoked", "撤销决定书", "李四", "法院撤销")
    deliver(work, {**world(5), "notices": [notice(1), secret, notice(3)]}, 4)
    deliver(work, {**world(6), "notices": [notice(1), secret, notice(3)]}, 5)
    return work, identifier, first


def test_what_was_withdrawn_is_in_no_delta_and_whoever_has_it_gets_rid_of_it(
    withdrawn: tuple[Work, str, dict[str, Path]], tmp_path: Path
) -> None:
    work, identifier, first = withdrawn
    names = work.home.release_ids()
    assert names == [f"2026-11-0{day}" for day in range(1, 7)]
    assert "甲乙丙丁".encode() not in all_said([work.home.releases])
    (line,) = nowhere(on(work, 5))
    assert "are in none of" in line
    for base, name in pairwise(names):
        delta = work.home.releases / name / "deltas" / f"from-{base}.ndjson"
        published = work.home.manifest(name)["files"]["mingbai.db"]["sha256"]
        assert apply(work.home.releases / base, [delta], tmp_path / "out.db", published) == published
        if base in first:  # as it was before it was issued anew
            assert apply(first[base], [delta], tmp_path / "out.db", published) == published
            assert identifier.encode() not in (tmp_path / "out.db").read_bytes()
    whole = [work.home.releases / name / "deltas" / f"from-{base}.ndjson" for base, name in pairwise(names)]
    assert apply(first["2026-11-01"], whole, tmp_path / "out.db") == work.home.manifest(names[-1])["files"]["mingbai.db"]["sha256"]
    index = deltas_of(work.home.releases / "2026-11-03")
    assert index["windows"].keys() == {"previous"}, "windows are of the newest release"
    assert index["deltas"]["2026-11-02"]["from_sha256"][1:] == [file_sha256(first["2026-11-02"])]
    rows = orjson.loads((work.home.path / "releases.json").read_bytes())["releases"]
    assert [row.get("delta", {}).get("from") for row in rows] == [None, *names[:-1]]
    assert [row["delta"]["from_sha256"][0] for row in rows[1:]] == [
        work.home.manifest(name)["files"]["mingbai.db"]["sha256"] for name in names[:-1]
    ]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_the_proof_finds_in_a_delta_what_a_withdrawn_notice_said(withdrawn: tuple[Work, str, dict[str, Path]], form: str) -> None:
    work, identifier, _ = withdrawn
    path = work.home.releases / "2026-11-03" / "deltas" / f"from-2026-11-02.{form}"
    whole = path.read_bytes()
    line: dict[str, Any] = {
        "table": "notices",
        "op": "change",
        "key": ["n-0"],
        "set": {"facts": '甲乙丙丁，"多收"费用。'},
        "cause": "source",
    }
    try:
        for one, what in ((line, "words"), ({**line, "key": [identifier], "set": {"kind": "risk"}}, "the id")):
            written = StringIO(newline="")
            csv.writer(written).writerows(("2026-11-02", "2026-11-03", *cells) for cells in cells_of(one))
            path.write_bytes(whole + (orjson.dumps(one) if form == "ndjson" else written.getvalue().encode()))
            with pytest.raises(BadHome, match=f"{re.escape(path.name)}: has {what} of {identifier}"):
                list(nowhere(on(work, 5)))
    finally:
        path.write_bytes(whole)


def recipe(root: Path) -> str:
    """The script that a README has for whoever does without us."""
    return block(root, "python", "import hashlib, json, os")


def test_the_recipe_of_the_readme_ends_at_the_published_hash(chain: Chain, root: Path, tmp_path: Path) -> None:
    script, target = tmp_path / "recipe.py", tmp_path / "out.db"
    script.write_text(recipe(root), "utf-8")
    assert len([line for line in recipe(root).splitlines() if line]) <= 30
    assert re.findall(r"^import (.*)", recipe(root), re.M) == ["hashlib, json, os, shutil, sqlite3, sys, apsw"]

    def follow(first: str, *deltas: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(script), str(chain.database(first)), str(target), *map(str, deltas)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    first, last = chain.ids[0], chain.ids[4]
    done = follow(first, *chain.previous(first, last))
    assert done.returncode == 0, done.stderr
    assert file_sha256(target) == file_sha256(chain.database(last))
    target.unlink()
    for way, said in ((chain.previous(first, last)[1:], "is for another release"), ([script, *chain.previous(first, last)], "Error")):
        failed = follow(first, *way)
        assert (failed.returncode, said in failed.stderr, target.exists()) == (1, True, False)


def test_the_command_says_what_it_made_and_what_it_refused(chain: Chain, tmp_path: Path) -> None:
    base, name = chain.ids[:2]
    copy = shutil.copy(chain.database(base), tmp_path / "mingbai.db")
    way, published = [str(path) for path in chain.previous(base, name)], file_sha256(chain.database(name))
    done = CliRunner().invoke(main, ["apply", str(copy), *way, "--to", str(copy), "--sha256", published])
    assert (done.exit_code, done.output) == (0, f"{published}  {copy}\n")
    again = CliRunner().invoke(main, ["apply", str(copy), *way, "--to", str(copy)])
    assert again.exit_code == 1
    assert again.stderr.startswith(f"mingbai: {way[0]}:1: begins with release {base!r} ")
    assert file_sha256(copy) == published


# -- as they are given out --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """Three releases, of which the second adds a notice that is public until 10 November; a week before the last is the first."""
    work = Work(Home(tmp_path_factory.mktemp("served") / "home").prepare(), catalogue, NOON)
    deliver(work, {**world(3), "notices": [notice(1), notice(3)]}, 0)
    deliver(work, {**world(3), "notices": [notice(1), notice(2, publicUntil="2026-11-10"), notice(3)]}, 6)
    deliver(work, {**world(4), "notices": [notice(1), notice(2, publicUntil="2026-11-10"), notice(3)]}, 7)
    assert work.home.release_ids() == ["2026-11-01", "2026-11-07", "2026-11-08"]
    return work


async def asked(work: Work, day: str, *paths: str, **headers: str) -> list[httpx.Response]:
    """What the site answers at noon of a day."""
    app = build_app(work.home.path, dictionary=dictionary(work.catalogue), now=lambda: datetime.fromisoformat(f"{day}T12:00:00+08:00"))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            return [await client.get(path, headers=headers) for path in paths]
    finally:
        app.shelf.close()


async def test_who_follows_the_index_gets_from_release_to_release(served: Work, tmp_path: Path) -> None:
    (answer,) = await asked(served, "2026-11-08", "/deltas/index.json")
    index = answer.json()
    databases = {name: served.home.releases / name / "mingbai.db" for name in served.home.release_ids()}
    assert (index["release"], index["sha256"]) == ("2026-11-08", file_sha256(databases["2026-11-08"]))
    assert {window: entry["from"] for window, entry in index["windows"].items()} == {
        "previous": "2026-11-07", "day": "2026-11-07", "week": "2026-11-01", "month": None,
    }  # fmt: skip
    assert index["windows"]["month"]["none"] == "no release from before is kept: take the whole release"
    ways = [(entry, "2026-11-08") for entry in index["windows"].values() if "none" not in entry]
    ways += [(row["delta"], row["id"]) for row in index["releases"] if row["delta"]]
    assert len(ways) == 5
    for entry, to in ways:
        for form in ("ndjson", "csv"):
            (answer,) = await asked(served, "2026-11-08", entry[form]["address"])
            assert (answer.status_code, sha256(answer.content).hexdigest()) == (200, entry[form]["sha256"])
            assert answer.headers["content-type"] == {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}[form]
            (again,) = await asked(served, "2026-11-08", entry[form]["address"], **{"if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            (tmp_path / f"delta.{form}").write_bytes(answer.content)
        assert file_sha256(databases[entry["from"]]) in entry["from_sha256"]
        assert apply(databases[entry["from"]], [tmp_path / "delta.ndjson"], tmp_path / "out.db") == file_sha256(databases[to])


@pytest.mark.parametrize(
    ("path", "status"),
    [("week", 503), ("day", 200), ("month", 404), ("2026-11-08", 200), ("2026-11-07", 410), ("2026-11-01", 404), ("2026-11-09", 404), ("2026-11-7", 404), ("previous", 404)],
)  # fmt: skip
async def test_a_delta_goes_out_while_all_of_it_is_public(served: Work, path: str, status: int) -> None:
    before = {503: 200, 410: 200}.get(status, status)
    for day, expected in (("2026-11-10", before), ("2026-11-11", status)):
        for answer in await asked(served, day, *(f"/deltas/{path}.{form}?as_of=2026-11-08" for form in ("ndjson", "csv"))):
            assert answer.status_code == expected, day
            if expected in (503, 410):
                said = {503: "delta.ended", 410: "delta.gone"}[expected]
                assert all(wording(lang)[said] in answer.text for lang in LANGUAGES)
                assert ("retry-after" in answer.headers) == (expected == 503)
                assert answer.headers["cache-control"] == "no-store"


async def test_the_index_says_which_deltas_go_out_today(served: Work) -> None:
    for day, ended in (("2026-11-10", set()), ("2026-11-11", {"/deltas/week", "/deltas/2026-11-07"})):
        (answer,) = await asked(served, day, "/deltas/index.json")
        windows, rows = answer.json()["windows"].values(), answer.json()["releases"]
        entries = [entry for entry in (*windows, *(row["delta"] for row in rows)) if entry and "none" not in entry]
        assert {entry["ndjson"]["address"].removesuffix(".ndjson") for entry in entries if not entry["is_given"]} == ended
        for entry in entries:
            (given,) = await asked(served, day, entry["ndjson"]["address"])
            assert (given.status_code == 200) == entry["is_given"]


async def test_the_index_is_judged_anew_once_other_code_hides(served: Work, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(served.home.path, home, symlinks=True)
    (past,) = (home / "past").iterdir()
    app = build_app(home, dictionary=dictionary(served.catalogue), now=lambda: datetime.fromisoformat("2026-11-08T12:00:00+08:00"))
    given = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        for _ in range(2):
            rows = (await client.get("/deltas/index.json")).json()["releases"]
            given.append({row["id"]: row["delta"]["is_given"] for row in rows if row["delta"]})
            shutil.copyfile(past, past.with_suffix(".part"))
            with closing(sqlite3.connect(past.with_suffix(".part"))) as connection, connection:
                connection.execute(
                    "INSERT OR IGNORE INTO hidden_since SELECT 'institutions', number, 0 FROM releases WHERE id = '2026-11-07'"
                )
            past.with_suffix(".part").replace(past)
    app.shelf.close()
    assert given == [{"2026-11-07": True, "2026-11-08": True}, {"2026-11-07": False, "2026-11-08": True}]


async def test_the_index_stands_where_a_delta_cannot_be_judged(served: Work) -> None:
    path = served.home.releases / "2026-11-07/deltas/holds.json"
    whole = path.read_bytes()
    path.write_bytes(b"{}")
    try:
        (answer,) = await asked(served, "2026-11-08", "/deltas/index.json")
        assert {row["id"]: row["delta"]["is_given"] for row in answer.json()["releases"] if row["delta"]} == {
            "2026-11-07": False,
            "2026-11-08": True,
        }
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("2026-11-08/deltas/index.json", lambda data: b"x"),
        ("2026-11-08/deltas/index.json", lambda data: data.replace(b"first_end", b"first")),
        ("2026-11-07/deltas/holds.json", lambda data: b"{}"),
        ("2026-11-07/deltas/holds.json", lambda data: data.replace(b"active", b"other")),
        ("2026-11-07/deltas/from-2026-11-01.ndjson", lambda data: data + b"{}\n"),
        ("2026-11-07/manifest.json", lambda data: b"{}"),
    ],
)
async def test_a_delta_of_which_nobody_can_say_what_it_holds_goes_nowhere(served: Work, file: str, damage: Any) -> None:
    path = served.home.releases / file
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    try:
        address = "/deltas/week.ndjson" if file.startswith("2026-11-08") else "/deltas/2026-11-07.ndjson"
        (answer,) = await asked(served, "2026-11-08", address)
        assert answer.status_code == 503
    finally:
        path.write_bytes(whole)


NOTHING: dict[str, list[Any]] = {"notices": [], "statements": [], "links": [], "listings": [], "documents": []}


def words(table: str, row: Row) -> str | None:
    """The fingerprint of a row as web_release has it, or of one that is a little different."""
    key = {"documents": ("id",), "notices": ("id",), "notice_statements": ("notice_id", "number")}[table]
    (found,) = [one for one in web_release.rows(web_release.TODAY)[table] if all(one[name] == row[name] for name in key)]
    return fingerprint(table, found | row)


ACTIVE_WORDS = words("notices", {"id": web_release.ACTIVE})
REPLY_KEY = {"notice_id": web_release.ACTIVE, "number": 1}
DOCUMENT = {"id": web_release.ITS_DOCUMENT}


@pytest.mark.parametrize(
    ("holds", "public"),
    [
        ({}, True),
        ({"notices": [[web_release.ACTIVE, "active", ACTIVE_WORDS]]}, True),
        ({"notices": [["n-none", "active", ACTIVE_WORDS]]}, False),
        ({"notices": [[web_release.ACTIVE, "disputed", ACTIVE_WORDS]]}, False),  # what it said while it was disputed is another text
        ({"notices": [[web_release.ACTIVE, "active", ACTIVE_WORDS], ["n-none", "active", ACTIVE_WORDS]]}, False),
        *(
            ({"notices": [[web_release.ACTIVE, "active", words("notices", {"id": web_release.ACTIVE, column: "other"})]]}, False)
            for column in ("subject_kind", "public_until", *WORDS["notices"], *VALUES)
        ),
        ({"notices": [[web_release.ACTIVE, "active", None]]}, False),
        ({"statements": [[web_release.ACTIVE, 1, words("notice_statements", REPLY_KEY)]]}, True),
        ({"statements": [[web_release.ACTIVE, 1, words("notice_statements", {**REPLY_KEY, "text": "other"})]]}, False),
        ({"statements": [[web_release.ACTIVE, 9, words("notice_statements", REPLY_KEY)]]}, False),
        ({"links": [[web_release.ACTIVE, web_release.CLOSED]]}, False),
        ({"codes": [["penalties", web_release.ACTIVE, "fine"]]}, True),
        ({"codes": [["penalties", web_release.ACTIVE, "revoke_permit"]]}, False),
        ({"codes": [["measures", web_release.ACTIVE, "blacklisted"]]}, False),
        ({"listings": [["l-none", web_release.SWEET, "white"]]}, True),
        ({"listings": [["l-none", web_release.SWEET, "black"]]}, False),
        ({"listings": [["l-none", web_release.SWEET, "of another name"]]}, False),
        ({"listings": [["l-none", "", ""]]}, False),
        ({"documents": [[web_release.ITS_DOCUMENT, words("documents", DOCUMENT)]]}, True),
        ({"documents": [[web_release.ITS_DOCUMENT, words("documents", {**DOCUMENT, "title": "other"})]]}, False),
        ({"documents": [["d-none", None]]}, False),
    ],
)
def test_what_may_hurt_must_be_said_by_the_live_release_still(served_web: Reader, holds: dict[str, list[Any]], public: bool) -> None:
    assert still(served_web, web_release.TODAY, NOTHING | holds) is public


@pytest.fixture(scope="module")
def served_web(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Reader]:
    reader = Reader(web_release.make_release(tmp_path_factory.mktemp("web"), web_release.TODAY, catalogue))
    yield reader
    reader.close()
