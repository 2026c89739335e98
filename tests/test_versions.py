"""The versions of datasets mean what they say: a number that rises tells a consumer whether a query of yesterday still holds."""

import csv
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from html import unescape
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

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
    for before, now in pairwise(names):
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


# -- the changelog is data, and on a page --------------------------------------------------------------------------

VERSION = {"type": "string", "pattern": r"^[1-9]\d*\.\d+\.\d+$"}
DAY = {"type": "string", "format": "date"}
NAME = {"type": "string", "pattern": "^[a-z_0-9]+$"}
REASON = {
    "type": "object",
    "required": ["table", "kind"],
    "additionalProperties": False,
    "properties": {
        "table": NAME,
        "kind": {"enum": list(BUMP)},
        "column": NAME,
        "rows": {"type": "integer", "minimum": 0},
        "codes": {"type": "array", "items": NAME, "minItems": 1},
        "before": {"type": "string"},
        "after": {"type": "string"},
    },
}
ENTRY = {
    "type": "object",
    "required": ["release", "day", "dataset", "from", "to", "bump", "because", "pipeline", "reissued_on"],
    "additionalProperties": False,
    "properties": {
        "release": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d(\.\d+)?$"},
        "day": DAY,
        "dataset": NAME,
        "from": {"anyOf": [VERSION, {"type": "null"}]},
        "to": VERSION,
        "bump": {"enum": list(BUMPS)},
        "because": {"type": "array", "items": REASON, "minItems": 1},
        "pipeline": {"type": ["boolean", "null"]},
        "reissued_on": {"anyOf": [DAY, {"type": "null"}]},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["release", "versions", "entries"],
    "properties": {
        "release": {"type": "string"},
        "versions": {"type": "object", "additionalProperties": VERSION},
        "entries": {"type": "array", "items": ENTRY},
    },
}


@pytest.fixture
def site(made: Work, catalogue: Catalogue) -> Iterator[httpx.AsyncClient]:
    app = build_app(made.home.path, dictionary=dictionary(catalogue), now=lambda: on(made, 5).now)
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example")
    app.shelf.close()


async def test_the_changelog_is_data_that_keeps_its_shape(made: Work, site: httpx.AsyncClient) -> None:
    answer = await site.get("/data/changelog.json")
    said = answer.json()
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(said)
    assert answer.headers["access-control-allow-origin"] == "*"
    names = made.home.release_ids()
    order = [names.index(entry["release"]) for entry in said["entries"]]
    assert order == sorted(order, reverse=True)
    assert set(order) == set(range(len(names)))
    manifests = {name: made.home.manifest(name) for name in names}
    told = {(entry["release"], entry["dataset"]): entry for entry in said["entries"]}
    assert set(told) == {(name, dataset) for name in names for dataset, one in manifests[name]["versions"].items() if one["because"]}
    for (name, dataset), entry in told.items():
        one = manifests[name]["versions"][dataset]
        assert [entry[key] for key in ("from", "to", "bump", "because")] == [one[key] for key in ("from", "version", "bump", "because")]
        assert entry["pipeline"] == (name in ("2026-11-03", "2026-11-05"))
        assert entry["reissued_on"] == ("2026-11-04" if name < "2026-11-04" else None)
    for dataset, version in said["versions"].items():
        assert next(entry["to"] for entry in said["entries"] if entry["dataset"] == dataset) == version


async def test_the_changelog_as_a_table_says_the_same(site: httpx.AsyncClient) -> None:
    answer = await site.get("/data/changelog.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    dialect = csv.Sniffer().sniff(answer.text)
    assert (dialect.delimiter, dialect.quotechar, csv.Sniffer().has_header(answer.text)) == (",", '"', True)
    lines = list(csv.DictReader(StringIO(answer.text), dialect=dialect, strict=True))
    wanted = [
        {key: entry.get(key) for key in ("release", "day", "dataset", "from", "to", "bump", "pipeline", "reissued_on")}
        | {key: reason.get(key) for key in REASON["properties"]}
        for entry in (await site.get("/data/changelog.json")).json()["entries"]
        for reason in entry["because"]
    ]
    assert lines == [{key: _as_text(value) for key, value in line.items()} for line in wanted]


def _as_text(value: object) -> str:
    return (
        "" if value is None else str(int(value)) if isinstance(value, bool) else " ".join(value) if isinstance(value, list) else str(value)
    )


@pytest.mark.parametrize("asked", ["2026-11-02", "2026-11-03", "2026-11-06"])
async def test_as_of_then_the_versions_and_the_changelog_are_those_of_then(made: Work, site: httpx.AsyncClient, asked: str) -> None:
    said = (await site.get(f"/data/changelog.json?as_of={asked}")).json()
    now = (await site.get("/data/changelog.json")).json()
    assert (said["release"], said["newest_release"]) == (asked, "2026-11-06")
    assert said["versions"] == {dataset: one["version"] for dataset, one in made.home.manifest(asked)["versions"].items()}
    assert said["entries"] == [entry for entry in now["entries"] if entry["release"] <= asked]
    page = (await site.get(f"/en/data?as_of={asked}")).text
    assert f"Version {said['versions']['notices']}" in page
    of_one = (await site.get(f"/en/data/about/notices?as_of={asked}")).text
    assert ("2.0.0" in of_one) == (asked > "2026-11-02")
    assert f"/en/data/changelog.csv?as_of={asked}" in page
    assert f"\n{asked}," in (await site.get(f"/data/changelog.csv?as_of={asked}")).text


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_pages_say_what_became_of_each_dataset_in_words(made: Work, site: httpx.AsyncClient, lang: str) -> None:
    paths = [f"{'' if lang == 'zh' else '/en'}/data{path}" for path in ("", *(f"/about/{name}" for name in made.catalogue.datasets))]
    page = "".join([unescape(re.sub(r"<[^>]+>", "", (await site.get(path)).text)) for path in paths])
    words = wording(lang)
    for text in (
        words["version.is"].format(version="2.1.1"),
        words["version.in"].format(release="2026-11-06"),
        words["version.step.minor"].format(version="2.0.1"),
        words["version.because.column_added"].format(column="legal_basis"),
        words["version.because.rows_removed"].format(rows=1),
        words["version.because.codes_changed"].split("{")[0],
        words["version.pipeline"],
    ):
        assert text in page, text
    assert words["version.first"] in page, "of a dataset that changed little"
    assert words["version.reissued"].format(on="2026-11-04") in page


async def test_without_releases_json_the_live_release_tells_of_itself(made: Work, catalogue: Catalogue, tmp_path: Path) -> None:
    shutil.copytree(made.home.path, tmp_path / "home", symlinks=True)
    (tmp_path / "home" / "releases.json").unlink()
    app = build_app(tmp_path / "home", dictionary=dictionary(catalogue), now=lambda: on(made, 5).now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        found = (await client.get("/data/changelog.json")).json()["entries"]
    app.shelf.close()
    assert {entry["release"] for entry in found} == {"2026-11-06"}


def test_every_kind_of_reason_has_words() -> None:
    for lang in LANGUAGES:
        kinds = {key.removeprefix("version.because.") for key in wording(lang) if key.startswith("version.because.")}
        assert kinds == set(BUMP)
