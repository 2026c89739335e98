"""A page that is read column by column gives what reading it record by record gives, and what is remembered changes nothing; anything odd is seen."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import listing, rating, snapshot
from publish.catalogue import Catalogue
from publish.validate import Batch, Validator

ODD: list[tuple[str, Any]] = [
    ("month", ""), ("month", None), ("month", "2026年9月"), ("month", "202613"), ("month", 202609), ("month", True), ("month", ["2026-09"]),
    ("scaleMax", "5"), ("scaleMax", 5.0), ("scaleMax", True), ("scaleMax", None), ("scaleMax", 4),
    ("histogram", [1, 2, True, 0, 0]), ("histogram", [1, 2, 3.0, 0, 0]), ("histogram", []), ("histogram", None), ("histogram", "[0,1,2,3,4]"),
    ("histogram", [-1, 0, 0, 0, 9]), ("histogram", [0, 0, 0, 0, 10**13]), ("histogram", [0, 0, [], 0, 0]), ("histogram", [0, 9]),
    ("dimension", "师资"), ("dimension", "no such thing"), ("orgId", ""), ("orgId", 7), ("orgId", "ＯＲＧ1"), ("orgId", {"id": 1}), ("orgId", " ORG000001 "),
    ("unheard of", "x"), ("unheard of", None),
]  # fmt: skip


def both(catalogue: Catalogue, folder: Path, records: list[Any]) -> tuple[Batch, Batch]:
    """What a page of ratings becomes by columns (where it can be read so) and by records."""
    one = snapshot(folder, "s", {"ratings": records})
    source = catalogue.source("platform")
    batches = []
    for by_columns in (True, False):
        validator = Validator(source.listings["ratings"], source, catalogue, "2026-11-01")
        assert validator.flat is not None
        validator.flat = validator.flat if by_columns else None
        batches += [deepcopy(validator.page(one.folder, page)) for page in one.pages]
    return batches[0], batches[1]


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize(("field", "value"), ODD)
def test_an_odd_value_is_read_and_told_as_record_by_record(
    catalogue: Catalogue, tmp_path: Path, field: str, value: Any, place: int
) -> None:
    records = [rating(number) for number in range(1, 6)]
    records[place] = {**records[place], field: value}
    by_columns, by_records = both(catalogue, tmp_path, records)
    assert by_columns == by_records


@pytest.mark.parametrize("record", [None, [], "rating", {}])
def test_a_record_that_is_none_is_told_as_record_by_record(catalogue: Catalogue, tmp_path: Path, record: Any) -> None:
    by_columns, by_records = both(catalogue, tmp_path, [rating(1), record, rating(2)])
    assert by_columns == by_records


counts = st.lists(st.integers(0, 4) | st.integers(0, 2**63), min_size=4, max_size=6)


@given(data=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["2026-09", "2026-10", "2026年8月"]), counts), min_size=1, max_size=8))
def test_any_page_of_counts_is_read_as_record_by_record(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, data: list[Any]
) -> None:
    records = [rating(number, month, histogram) for number, month, histogram in data]
    by_columns, by_records = both(catalogue, tmp_path_factory.mktemp("page"), records)
    assert by_columns == by_records


def test_what_is_plain_is_not_looked_at_record_by_record(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def record(*_: Any) -> None:
        raise AssertionError("a plain page was read record by record")

    monkeypatch.setattr(Validator, "_record", record)
    source = catalogue.source("platform")
    one = snapshot(tmp_path, "s", {"ratings": [rating(1), rating(2, histogram=(0, 0, 0, 0, 1)), rating(3, scaleMax=4)]})
    batch = Validator(source.listings["ratings"], source, catalogue, None).page(one.folder, one.pages[0])
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
