"""The versions of datasets mean what they say: a number that rises tells a consumer whether a query of yesterday still holds."""

import csv
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from html import unescape
from io import StringIO
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import NOON, on, query, world
from publish.catalogue import Catalogue, dictionary
from publish.codes import Code
from publish.dataset import Column
from publish.decide import back
from publish.errors import ReviewNeeded
from publish.home import Home
from publish.versions import BUMP, BUMPS, FIRST, Difference, Shape, after, bump, meaning, versions
from publish.web.server import build_app
from publish.withdraw import withdraw
from publish.wording import LANGUAGES, wording
from publish.work import Work
from test_decide import deliver

PLAIN = {"id": "id", "fine": "fen", "list": "code lists"}
NOTHING = Difference({}, {}, {})


def shape(columns: Mapping[str, str] = PLAIN, key: Sequence[str] = ("id",), dataset: str = "notices", known: bool = True) -> Shape:
    types = {name: "INTEGER" if said.startswith("fen") else "TEXT" for name, said in columns.items()}
    return Shape(dataset, tuple(key), types, columns if known else {})


def rows(**counts: int) -> Difference:
    return Difference({"notices": counts}, {}, {})


OLD = {"notices": shape()}
CASES: dict[str, tuple[Mapping[str, Shape], Difference, str, list[str]]] = {
    "nothing": (OLD, NOTHING, "none", []),
    "a table went": ({"other": shape()}, NOTHING, "major", ["table_removed", "table_added"]),
    "a table went to another dataset": ({"notices": shape(dataset="other")}, NOTHING, "major", ["table_removed"]),
    "a column went": ({"notices": shape({"id": "id", "fine": "fen"})}, NOTHING, "major", ["column_removed"]),
    "another kind": ({"notices": shape(PLAIN | {"id": "key"})}, NOTHING, "major", ["meaning_changed"]),
    "another unit": ({"notices": shape(PLAIN | {"fine": "fen 1000"})}, NOTHING, "major", ["meaning_changed"]),
    "another code list": ({"notices": shape(PLAIN | {"list": "code kinds"})}, NOTHING, "major", ["meaning_changed"]),
    "another key": ({"notices": shape(key=("id", "list"))}, NOTHING, "major", ["key_changed"]),
    "a code went": (OLD, Difference({}, {"lists": ("grey",)}, {}), "major", ["codes_changed"]),
    "a code of another list went": (OLD, Difference({}, {"kinds": ("grey",)}, {}), "none", []),
    "a code came": (OLD, Difference({}, {}, {"lists": ("red",)}), "minor", ["codes_added"]),
    "a table came": ({**OLD, "other": shape()}, Difference({"other": {"add": 7}}, {}, {}), "minor", ["table_added"]),
    "a column came": ({"notices": shape(PLAIN | {"new": "code lists"})}, Difference({}, {}, {}), "minor", ["column_added"]),
    "rows came": (OLD, rows(add=2, change=1, remove=3), "minor", ["rows_added", "rows_changed", "rows_removed"]),
    "rows changed": (OLD, rows(change=1), "patch", ["rows_changed"]),
    "rows went": (OLD, rows(remove=1), "patch", ["rows_removed"]),
    "a column went and rows came": ({"notices": shape({"id": "id"})}, rows(add=2), "major", ["column_removed", "column_removed", "rows_added"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_difference_makes_its_step_and_says_why(case):
    new, what, step, kinds = CASES[case]
    one = versions({"notices": "2.3.4"}, OLD, new, what)["notices"]
    assert (one["bump"], [reason["kind"] for reason in one["because"]]) == (step, kinds)
    assert (one["from"], one["version"]) == ("2.3.4", {"major": "3.0.0", "minor": "2.4.0", "patch": "2.3.5", "none": "2.3.4"}[step])


def test_what_a_release_from_before_meant_is_not_guessed():
    """Its columns are known by name and type alone: neither another unit nor another code list is claimed, another type is."""
    old = {"notices": shape(known=False)}
    (same,) = versions({}, old, {"notices": shape(PLAIN | {"list": "code kinds"})}, NOTHING).values()
    (other,) = versions({}, old, {"notices": shape(PLAIN | {"list": "fen"})}, NOTHING).values()
    assert same == {"version": FIRST, "from": FIRST, "bump": "none", "because": []}
    assert other["because"] == [{"table": "notices", "kind": "meaning_changed", "column": "list", "before": "TEXT", "after": "INTEGER"}]


def test_a_dataset_that_comes_back_goes_on_from_its_number():
    went = versions({"notices": "1.2.0"}, OLD, {}, NOTHING)["notices"]
    assert (went["version"], went["because"]) == ("2.0.0", [{"table": "notices", "kind": "table_removed"}])
    away = versions({"notices": "2.0.0"}, {}, {}, NOTHING)["notices"]
    assert (away["version"], away["bump"]) == ("2.0.0", "none")
    back = versions({"notices": "2.0.0"}, {}, OLD, rows(add=5))["notices"]
    assert (back["version"], back["because"]) == ("2.1.0", [{"table": "notices", "kind": "table_added", "rows": 5}])


@pytest.mark.parametrize("changed", [{"kind": "text"}, {"unit": "m2"}, {"codes": "lists"}, {"ref": "notices"}])
def test_what_a_query_leans_on_is_meaning_and_words_are_none(catalogue: Catalogue, changed: dict[str, str]):
    column: Column = catalogue.tables["institution_sites"].columns["region_code"]
    assert meaning(replace(column, **changed)) != meaning(column)
    words = replace(column, label=column.about, about=column.label, facet=not column.facet, required=not column.required)
    assert meaning(words) == meaning(column)


# -- a consumer's query is the judge -------------------------------------------------------------------------------

MEANINGS = ("id", "fen", "code lists", "code kinds", "number m2")
COLUMNS = st.fixed_dictionaries({"id": st.just("id")}, optional={name: st.sampled_from(MEANINGS) for name in "ab"})
SHAPE = st.builds(shape, COLUMNS)
CODES = st.fixed_dictionaries({}, optional={name: st.just(("x",)) for name in ("lists", "kinds")})
COUNTS = st.fixed_dictionaries({}, optional={name: st.integers(0, 3) for name in ("add", "change", "remove", "columns")})
DIFFERENCES = st.builds(Difference, st.fixed_dictionaries({}, optional={"t": COUNTS, "u": COUNTS}), CODES, CODES)


def breaks(old: Mapping[str, Shape], new: Mapping[str, Shape], what: Difference) -> bool:
    """Whether a SELECT of all that there was fails on the new tables, or gives something of another meaning."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, one in new.items():
            connection.execute(f"CREATE TABLE [{name}] ({', '.join(f'[{column}]' for column in one.types)})")
        for name, one in old.items():
            try:
                connection.execute(f"SELECT {', '.join(f'[{column}]' for column in one.types)} FROM [{name}]")
            except sqlite3.OperationalError:
                return True
            for column, said in one.meaning.items():
                if new[name].meaning[column] != said or (said.startswith("code ") and said[5:] in what.codes_changed):
                    return True
    return False


@given(
    old=st.fixed_dictionaries({"t": SHAPE}, optional={"u": SHAPE}),
    new=st.fixed_dictionaries({}, optional={"t": SHAPE, "u": SHAPE}),
    what=DIFFERENCES,
)
def test_it_is_major_exactly_where_a_query_of_yesterday_fails_or_means_something_else(old, new, what):
    one = versions({"notices": "4.5.6"}, old, new, what)["notices"]
    assert (one["bump"] == "major") == breaks(old, new, what)
    number = tuple(map(int, one["version"].split(".")))
    assert (number > (4, 5, 6)) if one["because"] else (number == (4, 5, 6))
    assert one["because"] == [] or one["bump"] == min((BUMP[reason["kind"]] for reason in one["because"]), key=BUMPS.index)


@given(version=st.tuples(*[st.integers(0, 30)] * 3), steps=st.lists(st.sampled_from(BUMPS)))
def test_a_version_never_sinks(version, steps):
    was = version
    for step in steps:
        now = tuple(map(int, after(".".join(map(str, was)), step).split(".")))
        assert now > was or (step == "none" and now == was)
        was = now


def test_no_reason_is_no_step():
    assert bump([]) == "none"


# -- through releases ----------------------------------------------------------------------------------------------


def without(catalogue: Catalogue, table: str, column: str) -> Catalogue:
    """The declarations with a column that nobody may see."""
    now = catalogue.tables[table]
    then = replace(now, columns={**now.columns, column: replace(now.columns[column], privacy="private", search=0)})
    return replace(catalogue, tables={**catalogue.tables, table: then}, recipe=f"without {column}")


def relabelled(catalogue: Catalogue, table: str) -> Catalogue:
    """The declarations with another Chinese label of one code, and another English one of the next."""
    codes = catalogue.codes[table]
    first, second, *more = codes.rows
    other: tuple[Code, ...] = (replace(first, label_zh="别的意思"), replace(second, label_en="Other words"), *more)
    return replace(catalogue, codes={**catalogue.codes, table: replace(codes, rows=other)}, recipe="relabelled")


def said(work: Work, dataset: str) -> tuple[str, str, list[dict[str, Any]]]:
    one = work.live_manifest()["versions"][dataset]
    return one["version"], one["bump"], one["because"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """Six releases. The second has a notice more; in the third a column of the notices and a code's meaning are others; the fourth is that one without a notice
    that was withdrawn; the fifth is as today's declarations make it; the sixth goes back to the second."""
    work = Work(Home(tmp_path_factory.mktemp("home") / "home").prepare(), catalogue, NOON)
    deliver(work, world(40))
    deliver(work, world(41), 1)
    deliver(replace(work, catalogue=relabelled(without(catalogue, "notices", "legal_basis"), "fund_modes")), world(41), 2)
    ((notice,),) = query(work, "SELECT id FROM notices WHERE title = '关于启明7的处罚决定'")
    was = {name: work.home.manifest(name) for name in work.home.release_ids()}
    with pytest.raises(ReviewNeeded):
        withdraw(on(work, 3), notice, "revoked", "撤销判决书", "张三", "法院撤销了这一决定")
    withdraw(on(work, 3), notice, "revoked", "撤销判决书", "李四", "法院撤销了这一决定")
    for name, manifest in was.items():
        again = work.home.manifest(name)
        assert "reissues" in again
        assert [again[key] for key in ("versions", "meaning")] == [manifest[key] for key in ("versions", "meaning")]
    deliver(work, world(42), 4)
    back(on(work, 5), "2026-11-02", "张三", "名称全错了")
    return work


def test_releases_carry_the_versions_of_their_datasets_and_why(made: Work) -> None:
    first, second, third, fourth, fifth, sixth = (made.home.manifest(name)["versions"] for name in made.home.release_ids())
    assert {(one["version"], one["from"], one["bump"]) for one in first.values()} == {(FIRST, None, "none")}
    assert {"table": "notices", "kind": "table_added", "rows": 40} in first["notices"]["because"]
    assert second["notices"]["version"] == "1.1.0"
    assert {"table": "notices", "kind": "rows_added", "rows": 1} in second["notices"]["because"]
    assert second["regions"] == {"version": FIRST, "from": FIRST, "bump": "none", "because": []}
    assert third["notices"]["because"] == [{"table": "notices", "kind": "column_removed", "column": "legal_basis"}]
    code = next(iter(made.catalogue.codes["fund_modes"]))
    of_code = {"table": "fund_supervision", "kind": "codes_changed", "column": "mode", "codes": [code]}
    assert third["institutions"]["because"] == [of_code]
    assert (third["ratings"]["version"], third["regions"]["bump"]) == (second["ratings"]["version"], "patch")
    # carried on without a run, under declarations in which the column is public: it is not there before a run makes it
    assert fourth["institutions"] == {"version": "2.0.0", "from": "2.0.0", "bump": "none", "because": []}
    assert {reason["kind"] for reason in fourth["notices"]["because"]} == {"rows_removed"}
    assert {"table": "notices", "kind": "column_added", "column": "legal_basis"} in fifth["notices"]["because"]
    assert of_code in fifth["institutions"]["because"]
    assert [one["notices"]["version"] for one in (third, fourth, fifth, sixth)] == ["2.0.0", "2.0.1", "2.1.0", "2.1.1"]
    assert [one["institutions"]["version"] for one in (third, fourth, fifth, sixth)] == ["2.0.0", "2.0.0", "3.0.0", "3.0.1"]
    assert [made.home.manifest(name)["pipeline"] for name in made.home.release_ids()] == [False, False, True, False, True, False]


def test_no_release_has_a_lower_version_than_the_one_before_it(made: Work) -> None:
    names = made.home.release_ids()
    for before, now in zip(names, names[1:], strict=False):
        for dataset, one in made.home.manifest(now)["versions"].items():
            was = made.home.manifest(before)["versions"][dataset]["version"]
            assert one["from"] == was
            assert tuple(map(int, one["version"].split("."))) >= tuple(map(int, was.split(".")))


def test_a_release_from_before_there_were_versions_is_followed_without_a_false_step(work: Work) -> None:
    deliver(work, world(3))
    path = work.home.releases / "2026-11-01" / "manifest.json"
    before = {key: value for key, value in json.loads(path.read_bytes()).items() if key not in ("versions", "meaning", "pipeline")}
    path.write_text(json.dumps(before))
    deliver(work, world(4), 1)
    assert said(work, "notices")[:2] == ("1.1.0", "minor")
    assert said(work, "regions") == (FIRST, "none", [])
