"""Accidents that last: what readers get on the days after, while nobody has looked and when the source is itself again."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded
from publish.home import Home
from publish.run import run
from publish.work import Work

from .clean import Days, Records
from .harness import hand_over, noon

pytestmark = pytest.mark.usefixtures("no_downloads")


class Told:
    """A platform whose deliveries pass through a damage, day after day."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder, self.days = folder, Days(seed=7, pace=0.2)
        self.work = Work(Home(folder / "home"), catalogue, noon(self.days))
        self.county = min(self.sizes(), key=lambda county: (abs(self.sizes()[county] - 15), county))

    def sizes(self) -> dict[str, int]:
        """Institutions by county, in truth."""
        counties = [record["areaCode"] for record in self.days.institutions.values()]
        return {county: counties.count(county) for county in counties}

    def day(self, damage: Callable[[Records], Records] = lambda records: records) -> str:
        """A day goes by and its delivery comes: released, nothing_new, held or stopped."""
        self.days.step()
        self.work = replace(self.work, now=noon(self.days))
        try:
            result = run(self.work, {"platform": hand_over(self.folder / "handed", damage(self.days.records()), self.work.now)})
        except ReviewNeeded:
            return "stopped"
        return "held" if self.work.live_manifest()["held"] else result.outcome

    def shown(self, table: str = "institutions") -> tuple[int, int]:
        """Rows of the county that readers see, and how many of them are marked as absent."""
        with closing(sqlite3.connect(self.work.live_database or "")) as connection:
            sql = f"SELECT count(*), count(absent_since) FROM {table} WHERE region_code = ?"
            number, absent = connection.execute(sql, [self.county]).fetchone()
            return number, absent

    def without(self, share: float) -> Callable[[Records], Records]:
        """The delivery without the first `share` of the county's institutions and all that belongs to them."""

        def damage(records: Records) -> Records:
            there = [record["orgId"] for record in records["institutions"] if record["areaCode"] == self.county]
            gone = set(there[: round(share * len(there))])
            return {name: [record for record in several if record.get("orgId") not in gone] for name, several in records.items()}

        return damage


@pytest.fixture
def told(tmp_path: Path, catalogue: Catalogue) -> Told:
    found = Told(tmp_path, catalogue)
    assert [found.day(), found.day()] == ["released", "released"]
    return found


def test_a_county_that_is_lost_for_a_week_is_there_every_day_and_comes_back_by_itself(told: Told) -> None:
    before = told.shown()
    for _ in range(7):
        assert told.day(told.without(1.0)) == "held"
        assert told.shown() == before
    assert told.day() == "released"
    assert abs(told.shown()[0] - told.sizes()[told.county]) <= 2


def test_half_of_a_county_that_is_lost_for_two_days_is_never_marked_as_gone(told: Told) -> None:
    before = told.shown()
    assert told.day(told.without(0.5)) == "held"
    assert told.day(told.without(0.5)) == "held"
    assert told.shown() == before


def test_a_county_that_leaks_is_held_before_a_half_of_it_is_gone(told: Told) -> None:
    """Each day a seventh of what is left: no day by itself is beyond a fifth."""
    before, _ = told.shown()
    outcomes = [told.day(told.without(1 - (6 / 7) ** day)) for day in range(1, 8)]
    number, absent = told.shown()
    assert "held" in outcomes, outcomes
    assert number - absent >= before / 2, (outcomes, before, number, absent)


def test_an_accident_of_the_whole_leaves_the_last_good_release_until_a_good_one_comes(told: Told) -> None:
    live = told.work.live
    for _ in range(3):
        assert told.day(lambda records: {name: several[: len(several) // 2] for name, several in records.items()}) == "stopped"
        assert told.work.live == live
    assert told.day() == "released"
    assert told.shown()[1] <= 1, "nobody is marked as absent because of deliveries that were stopped"
