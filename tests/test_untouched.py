"""Closed months of ratings are taken over from the live release only where that is what making them anew gives."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from making import Record, on, rating, snapshot, world
from publish.assemble import assemble
from publish.assembled import Assembled
from publish.inputs import inputs_for
from publish.stage import Staged, stage
from publish.tables import working
from publish.untouched import untouched
from publish.work import Work
from test_pipeline import publish_day

Listings = dict[str, list[Record]]


def moved(listings: Listings) -> None:
    listings["institutions"][1] |= {"address": "搬到这里"}


def gone(listings: Listings) -> None:
    del listings["institutions"][1]


def rated(listings: Listings) -> None:
    listings["ratings"].append(rating(2, month="2026-09"))


def said(work: Work, **otherwise: Any) -> None:
    """Let the manifest of the live release say something else."""
    path = work.home.releases / str(work.live) / "manifest.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | otherwise))


def damaged(work: Work) -> None:
    with working(work.home.releases / str(work.live) / "mingbai.db") as connection:
        connection.execute("UPDATE ratings SET rating_count = rating_count + 1")


def made(work: Work, listings: Listings, *, anew: bool = False, day: int = 1) -> tuple[Staged, Assembled, set[str]]:
    """The candidate of a day, its ratings taken over where that may be; `anew`: whatever may be."""
    work = on(work, day)
    name = f"platform-{day}-{anew}"
    inputs = inputs_for(work, {"platform": snapshot(work.home.raw, name, listings, as_of=work.day.isoformat())})
    staged = stage(inputs, work.catalogue, work.home.path / f"{name}.db", work.home.base)
    same = set() if anew else set(untouched(work.home, str(work.live), staged, work.catalogue))
    path = work.home.path / f"{name}-public.db"
    return staged, assemble(staged, work.catalogue, work.day, path, work.live_database, untouched=same), same


def rows(candidate: Assembled) -> list[Any]:
    with working(candidate.path) as connection:
        return connection.all("SELECT * FROM ratings ORDER BY 1, 2, 3")


@pytest.mark.parametrize(("change", "may"), [(moved, True), (gone, True), (rated, False)])
@pytest.mark.parametrize("day", [1, 40])
def test_ratings_are_what_making_them_anew_gives(work: Work, change: Callable[[Listings], None], may: bool, day: int) -> None:
    first = world(6)
    first["ratings"] = [rating(n, month=month) for n in range(1, 7) for month in ("2026-09", "2026-10") if (n, month) != (2, "2026-09")]
    publish_day(work, first)
    change(first)
    _, taken, same = made(work, first, day=day)
    _, anew, _ = made(work, first, anew=True, day=day)
    assert same == ({"ratings"} if may else set())
    assert rows(taken) == rows(anew)
    assert (taken.accounting, taken.tables) == (anew.accounting, anew.tables)


def test_ratings_of_an_institution_that_is_no_longer_there_are_not_taken_over(work: Work) -> None:
    """It is absent at first, and goes with the next snapshot that misses it too."""
    listings = world(6)
    publish_day(work, listings)
    gone(listings)
    publish_day(work, listings, 1, approve=True)
    moved(listings)
    _, taken, same = made(work, listings, day=2)
    assert same == {"ratings"}
    assert rows(taken) == rows(made(work, listings, anew=True, day=2)[1])
    assert len(rows(taken)) == 5


def test_an_open_month_is_not_taken_for_all_that_there_is(work: Work) -> None:
    listings = world(3)
    listings["ratings"].append(rating(1, month="2026-11"))
    publish_day(work, listings)
    moved(listings)
    _, taken, same = made(work, listings, day=31)
    assert same == set()
    assert [row[1] for row in rows(taken)].count("2026-11") == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda work: said(work, recipe="another"),
        lambda work: said(work, restores="2026-10-01"),
        lambda work: said(work, held=[{"source": "platform"}]),
        lambda work: said(work, accounting={"ratings": {"records": 3, "published": 3, "kept_held": 1}}),
        lambda work: said(work, accounting={"ratings": {"records": 4, "published": 3, "set_aside": 1}}),
        lambda work: said(work, accounting={}),
        damaged,
    ],
    ids=["another recipe", "went back", "held", "kept from before", "set aside", "not accounted for", "damaged"],
)
def test_a_release_that_proves_nothing_is_not_built_on(work: Work, spoil: Callable[[Work], None]) -> None:
    listings = world(3)
    publish_day(work, listings)
    moved(listings)
    assert made(work, listings)[2] == {"ratings"}
    spoil(work)
    assert made(work, listings, day=2)[2] == set()
