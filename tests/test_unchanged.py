"""A record that a page had before is not read again, and nobody can tell: what is staged is what reading everything gives."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from making import Record, institution, listing, snapshot, world
from publish.catalogue import Catalogue
from publish.snapshot import Snapshot
from publish.stage import Staged, stage, staged_tables

SIZE = 20
Change = Callable[[dict[str, list[Record]]], object]


def put(name: str, place: int, **changed: Any) -> Change:
    return lambda listings: listings[name].__setitem__(place, listings[name][place] | changed)


# What a day changes, and how many records of institutions and listings need not be read again.
CHANGES: dict[str, tuple[Change, int]] = {
    "one moves": (put("institutions", 5, address="搬到这里"), SIZE - 1),
    "one has another part": (put("institutions", 5, sites=[{"address": "别处", "areaCode": "330106", "floorArea": 1.0}]), SIZE - 1),
    "one goes": (lambda all: all["institutions"].pop(7), SIZE - 1),
    "one comes first": (lambda all: all["institutions"].insert(0, institution(99)), SIZE),
    "the order is another": (lambda all: all["institutions"].reverse(), SIZE),
    "one comes twice": (lambda all: all["institutions"].append(dict(all["institutions"][3])), SIZE + 1),
    "a document is shown otherwise first": (put("listings", 0, docUrl="https://example.org/white/4"), SIZE - 1),
    "a document has another day": (put("listings", 0, asOf="2026-10-02"), SIZE - 1),
    "a field is no longer mapped": (put("institutions", 5, blog="https://example.org"), SIZE - 1),
    "a field is gone from one": (lambda all: all["institutions"][5].pop("registrar"), SIZE - 1),
    "a field is gone from some": (lambda all: [one.pop("creditCode") for one in all["institutions"][6:9]], SIZE - 3),
    "notices are read again": (put("notices", 3, facts="另一事实。"), 0),
    "ratings are read again": (put("ratings", 3, histogram=[9, 9, 9, 9, 9]), 0),
}  # fmt: skip


def remarkable() -> dict[str, list[Record]]:
    """A delivery in which something is remarked of some records: these are read again whatever happens."""
    listings = world(SIZE)
    listings["institutions"][1] |= {"openedOn": "去年"}
    listings["institutions"][2]["permits"][0]["colour"] = "red"
    listings["institutions"][4] = dict(listings["institutions"][3])
    listings["listings"][2] |= {"orgName": "联系人王小明13800000000"}
    return listings


def staged(made: Staged, catalogue: Catalogue) -> dict[str, list[str]]:
    """All that is staged, in an order of its own: who was read first has a lower number and nothing else."""
    with closing(sqlite3.connect(made.path)) as connection:
        place = "p.source || p.listing || p.generation || '/' || p.ordinal"
        tables = [*(table.name for table in staged_tables(catalogue)), "issues"]
        rows = {}
        for name in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")') if row[1] != "page"]
            shown = ", ".join(f's."{column}"' for column in columns)
            rows[name] = sorted(map(repr, connection.execute(f'SELECT {place}, {shown} FROM "{name}" s JOIN pages p USING (page)')))
        rows["pages"] = sorted(
            map(repr, connection.execute("SELECT source, listing, identity, generation, ordinal, records, set_aside, as_of FROM pages"))
        )
        return rows


def days(folder: Path, first: dict[str, list[Record]], second: dict[str, list[Record]], **more: Any) -> tuple[Snapshot, Snapshot]:
    return snapshot(folder, "one", first), snapshot(folder, "two", second, **more)


def both_ways(catalogue: Catalogue, folder: Path, one: Snapshot, two: Snapshot) -> tuple[Staged, Staged]:
    """The second day after the first, with what was staged then and without."""
    base = stage({"platform": (one,)}, catalogue, folder / "base.db").path
    inputs = {"platform": (two, one)}
    return stage(inputs, catalogue, folder / "after.db", base), stage(inputs, catalogue, folder / "alone.db")


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("begin", [lambda: world(SIZE), remarkable], ids=["clean", "remarkable"])
def test_what_is_staged_is_what_reading_everything_gives(
    catalogue: Catalogue, tmp_path: Path, what: str, begin: Callable[[], dict[str, list[Record]]]
) -> None:
    change, again = CHANGES[what]
    second = begin()
    change(second)
    after, alone = both_ways(catalogue, tmp_path, *days(tmp_path, begin(), second))
    assert staged(after, catalogue) == staged(alone, catalogue)
    assert alone.repeated == 0
    assert after.repeated == again or (begin is remarkable and after.repeated < again)


def test_what_is_of_another_year_is_read_again(catalogue: Catalogue, tmp_path: Path) -> None:
    """A date without a year in it is of the year of its page."""
    first, second = world(3), world(3)
    first["institutions"][0]["openedOn"] = second["institutions"][0]["openedOn"] = "2月9日"
    second["institutions"][2]["address"] = "搬到这里"
    after, alone = both_ways(catalogue, tmp_path, *days(tmp_path, first, second, as_of="2027-03-01"))
    assert staged(after, catalogue) == staged(alone, catalogue)
    assert after.repeated == 0


def test_a_date_that_was_too_early_is_read_again(catalogue: Catalogue, tmp_path: Path) -> None:
    first, second = world(3), world(3)
    first["institutions"][0]["openedOn"] = second["institutions"][0]["openedOn"] = "11月5日"
    second["institutions"][2]["address"] = "搬到这里"
    after, alone = both_ways(catalogue, tmp_path, *days(tmp_path, first, second, as_of="2026-11-06"))
    assert staged(after, catalogue) == staged(alone, catalogue)
    assert after.repeated == 0  # the whole page is of its day


def test_a_base_that_lacks_a_row_is_not_built_on(catalogue: Catalogue, tmp_path: Path) -> None:
    second = world(SIZE)
    second["institutions"][5]["address"] = "搬到这里"
    one, two = days(tmp_path, world(SIZE), second)
    base = stage({"platform": (one,)}, catalogue, tmp_path / "base.db").path
    with closing(sqlite3.connect(base, isolation_level=None)) as connection:
        connection.execute("DELETE FROM institutions WHERE row = 9")
    after = stage({"platform": (two, one)}, catalogue, tmp_path / "after.db", base)
    alone = stage({"platform": (two, one)}, catalogue, tmp_path / "alone.db")
    assert (after.kept, after.repeated) == (0, 0)
    assert staged(after, catalogue) == staged(alone, catalogue)


def test_pages_are_held_against_what_was_asked_for_before(catalogue: Catalogue, tmp_path: Path) -> None:
    """Of a listing of several pages each is held against its own, whatever the view was called."""
    second = world(SIZE)
    second["listings"][SIZE - 1] = listing(SIZE, batch="第四期")
    after, alone = both_ways(
        catalogue,
        tmp_path,
        snapshot(tmp_path, "one", world(SIZE), page_size=8),
        snapshot(tmp_path, "two", second, page_size=8),
    )
    assert staged(after, catalogue) == staged(alone, catalogue)
    assert after.repeated == 3
