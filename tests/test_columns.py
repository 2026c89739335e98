"""A record becomes what it would become alone, whoever stands beside it and whatever was read before; anything odd is seen and told of in order."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import institution, listing, notice, rating, snapshot
from publish.batch import Batch, Issue
from publish.catalogue import Catalogue
from publish.columns import Raw, fill
from publish.mapping import Cell
from publish.validate import Validator
from publish.values import integer

ODD: list[tuple[str, Any]] = [
    ("month", ""), ("month", None), ("month", "2026年9月"), ("month", "202613"), ("month", 202609), ("month", True), ("month", ["2026-09"]),
    ("scaleMax", "5"), ("scaleMax", 5.0), ("scaleMax", True), ("scaleMax", None), ("scaleMax", 4),
    ("histogram", [1, 2, True, 0, 0]), ("histogram", [1, 2, 3.0, 0, 0]), ("histogram", []), ("histogram", None), ("histogram", "[0,1,2,3,4]"),
    ("histogram", [-1, 0, 0, 0, 9]), ("histogram", [0, 0, 0, 0, 10**13]), ("histogram", [0, 0, [], 0, 0]), ("histogram", [0, 9]), ("histogram", [[1], [2]]), ("histogram", [[0, 1, 2, 3, 4]]),
    ("dimension", "师资"), ("dimension", "no such thing"), ("orgId", ""), ("orgId", 7), ("orgId", "ＯＲＧ1"), ("orgId", {"id": 1}), ("orgId", " ORG000001 "),
    ("unheard of", "x"), ("unheard of", None),
]  # fmt: skip


Told = tuple[int, str, str, str, str, int]


def page(catalogue: Catalogue, folder: Path, listing: str, records: list[Any]) -> Batch:
    """What a page becomes."""
    one = snapshot(folder, "s", {listing: records})
    source = catalogue.source("platform")
    return Validator(source.listings[listing], source, catalogue, "2026-11-01").page(one.folder, one.pages[0])


def told(batch: Batch) -> list[Told]:
    return [(one.row, one.kind, one.field, one.found, one.expected, one.count) for one in batch.issues]


def of_page(one: Told) -> bool:
    """Whether it is told of a page and not of a record."""
    return one[1] == "missing_field" or one[2] in ("unheard of", "unheard", "key")


def alone(catalogue: Catalogue, folder: Path, listing: str, records: list[Any]) -> Batch:
    """What the records become when each is read by itself, but for a plain one before it, so that no page lacks a field."""
    whole = Batch(rows={listing: []})
    issues: list[Told] = []
    of_pages: dict[tuple[str, str], tuple[int, int]] = {}
    for number, record in enumerate(records, 1):
        batch = page(catalogue, folder / str(number), listing, [PLAIN[listing], record])
        before = page(catalogue, folder / f"{number}-plain", listing, [PLAIN[listing]])
        assert not before.issues
        for table, rows in batch.rows.items():
            whole.rows.setdefault(table, []).extend((*row[:-2], number, row[-1]) for row in rows if row[-2] == 2)
        shown = {document[:-1] for document in whole.documents if document[-1] is None}
        for document in batch.documents:
            known = document[-1] is None and any(document[0] == one[0] for one in shown)
            if document not in before.documents and not known:
                whole.documents[document] = None
        whole.set_aside += batch.set_aside
        for row, kind, field, found, expected, count in told(batch):
            if of_page((row, kind, field, found, expected, count)):
                first, several = of_pages.get((kind, field), (number, 0))
                of_pages[kind, field] = first, several + count
            else:
                issues.append((number if row else 0, kind, field, found, expected, count))
    issues += [(first, kind, field, "", "", count) for (kind, field), (first, count) in sorted(of_pages.items())]
    whole.issues = [Issue("platform", listing, "", *one) for one in issues]
    return whole


# of another document than all others, and nothing is told of it
PLAIN = {
    "institutions": institution(999), "listings": listing(999, docUrl="https://example.org/white/999"), "notices": notice(999), "ratings": rating(999),
}  # fmt: skip
RECORDS = {
    "institutions": institution, "listings": lambda n: listing(n, docUrl=f"https://example.org/white/{n}", batch=f"第{n}期"), "notices": notice, "ratings": rating,
}  # fmt: skip


def assert_as_alone(catalogue: Catalogue, folder: Path, listing: str, records: list[Any]) -> None:
    together = page(catalogue, folder / "together", listing, [PLAIN[listing], *records])
    alone_ = alone(catalogue, folder, listing, records)
    rows = {table: [(*row[:-2], row[-2] - 1, row[-1]) for row in rows if row[-2] > 1] for table, rows in together.rows.items()}
    assert {table: several for table, several in rows.items() if several} == {t: several for t, several in alone_.rows.items() if several}
    mine = page(catalogue, folder / "plain", listing, [PLAIN[listing]]).documents
    assert [document for document in together.documents if document not in mine] == list(alone_.documents)
    assert [(max(row - 1, 0), *more) for row, *more in told(together)] == told(alone_)
    assert (together.records, together.set_aside) == (len(records) + 1, alone_.set_aside)


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize(("field", "value"), ODD)
def test_an_odd_value_among_ratings_is_read_and_told_as_if_it_were_alone(
    catalogue: Catalogue, tmp_path: Path, field: str, value: Any, place: int
) -> None:
    records = [rating(number) for number in range(1, 6)]
    records[place] = {**records[place], field: value}
    assert_as_alone(catalogue, tmp_path, "ratings", records)


@pytest.mark.parametrize("listing", list(RECORDS))
@pytest.mark.parametrize("record", [None, [], "record", {}])
def test_a_record_that_is_none_is_told_as_if_it_were_alone(catalogue: Catalogue, tmp_path: Path, listing: str, record: Any) -> None:
    assert_as_alone(catalogue, tmp_path, listing, [RECORDS[listing](1), record, RECORDS[listing](2)])


counts = st.lists(st.integers(0, 4) | st.integers(0, 2**63), min_size=4, max_size=6)


@settings(max_examples=20)
@given(data=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["2026-09", "2026-10", "2026年8月"]), counts), min_size=1, max_size=4))
def test_any_page_of_counts_is_read_as_if_each_were_alone(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, data: list[Any]
) -> None:
    records = [rating(number, month, histogram) for number, month, histogram in data]
    assert_as_alone(catalogue, tmp_path_factory.mktemp("page"), "ratings", records)


CELL = st.sampled_from(
    [
        "暂无", " x ", "a  b", "&amp;某", "校长王小明", "电话13812345678", "2026年3月", "3月5日", "330106", 330106, 1, 1.0, True, None, "", [], {}, ["a"], {"a": 1},
        "e\u0301", "\u200b零宽", "9" * 50, "x" * 400, "白名单", "黑名单", "个人", "轻微", "已撤销", "https://example.org/?d=13812345678", "张三、李四", "罚款",
        "91330106MA00000017", "教民133010670000011号", "a\nb",
    ]
)  # fmt: skip


@st.composite
def odd_records(draw: st.DrawFn, listing: str) -> list[Any]:
    """Records of which some values are odd, some fields are gone or new, and some parts have the like."""
    records = [RECORDS[listing](number) for number in range(1, draw(st.integers(2, 4)))]
    for _ in range(draw(st.integers(1, 6))):
        record = draw(st.sampled_from(records))
        name = draw(st.sampled_from([*PLAIN[listing], "unheard of"]))
        parts = [part for part in (record.get(name) if isinstance(record.get(name), list) else []) if isinstance(part, dict)]
        if parts and draw(st.booleans()):
            parts[0][draw(st.sampled_from([*parts[0], "colour"]))] = draw(CELL)
        elif isinstance(record.get(name), list) and draw(st.booleans()):
            record[name] = [*record[name], draw(CELL)]
        elif draw(st.integers(0, 4)):
            record[name] = draw(CELL)
        else:
            record.pop(name, None)
    return records


@pytest.mark.parametrize("listing", list(RECORDS))
def test_any_record_is_read_and_told_as_if_it_were_alone(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, listing: str
) -> None:
    @settings(max_examples=25)
    @given(records=odd_records(listing))
    def check(records: list[Any]) -> None:
        assert_as_alone(catalogue, tmp_path_factory.mktemp("page"), listing, records)

    check()


@pytest.mark.parametrize("turned", [False, True])
def test_a_document_of_several_is_shown_for_each_person_and_once_for_others(catalogue: Catalogue, tmp_path: Path, turned: bool) -> None:
    person = {"subjectName": "王小明", "subjectType": "个人", "docTitle": "关于王小明的决定"}
    records = [notice(1, docTitle="关于王小明的决定"), notice(1, **person), notice(1, **person | {"subjectName": "李小红"})]
    records = records[::-1] if turned else records
    assert_as_alone(catalogue, tmp_path, "notices", records)
    assert len(page(catalogue, tmp_path / "page", "notices", records).documents) == 3


def test_of_two_fields_for_one_column_the_later_counts_where_it_says_something() -> None:
    first, second = (Cell(key, key, integer, "n", "t", False, {}, 0) for key in ("a", "b"))
    records = [{"a": "1", "b": "2"}, {"a": "1", "b": ""}, {"a": "1", "b": "x"}, {"a": "", "b": "2"}, {"a": "1", "b": "暂无"}, {"b": "3"}]
    columns, faults = fill([first, second], Raw(records))
    assert list(columns["n"]) == [2, 1, 1, 2, None, 3]
    assert list(columns["t"]) == ["1", "1", "1", "2", "1", "3"]
    assert [(fault.row, fault.cell, fault.raw) for fault in faults] == [(2, second, "x")]


def test_what_is_plain_is_not_judged_row_by_row(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ruled(*_: Any) -> None:
        raise AssertionError("a plain page was judged row by row")

    monkeypatch.setattr("publish.records.ruled", ruled)
    batch = page(catalogue, tmp_path, "ratings", [rating(1), rating(2, histogram=(0, 0, 0, 0, 1)), rating(3, scaleMax=4)])
    assert [row[-1] for row in batch.rows["ratings"]] == [None, None, "off_scale"]


PERSONAL = ("电话13812345678", "校长王小明", "13812345678", "地址同上", "")
ANY = st.sampled_from(
    ["白名单", "白名单 ", "第一期", "2026-03-15", "3月15日", "330106", 330106, 1, True, 1.0, "1", [], {"a": 1}, None, *PERSONAL]
)


@given(changes=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(sorted(listing(1))), ANY), max_size=8))
def test_what_was_met_on_an_earlier_page_is_read_as_if_it_were_new(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str, Any]]
) -> None:
    records = [listing(number) for number in range(1, 4)]
    for number, name, value in changes:
        records[number - 1][name] = value
    one = snapshot(tmp_path_factory.mktemp("page"), "s", {"listings": records})
    source = catalogue.source("platform")
    fresh, used = (Validator(source.listings["listings"], source, catalogue, "2026-11-01") for _ in range(2))
    first = [deepcopy(used.page(one.folder, one.pages[0])) for _ in range(3)]
    assert first == [fresh.page(one.folder, one.pages[0])] * 3
