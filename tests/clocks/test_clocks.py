"""A simulation of five years: what has ended is not visible on any surface at the first request after midnight in China."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

import httpx
import pytest

from making import notice, query, snapshot, world
from publish import rules
from publish.catalogue import Catalogue, dictionary
from publish.run import run
from publish.web.server import build_app
from publish.work import Work

from .lives import CUT, DAYS, FIRST_DAY, institutions, listings, notices
from .oracle import of_notice
from .releases import Releases
from .visits import Visitor

SEED = 20261101
LAST_SECOND = 24 * 60 * 60 - 1  # of a day, from its first on


@dataclass(frozen=True)
class Size:
    """How much is walked over: `every` so many days, about, a run; `closely`: all surfaces on each day, else where something ends, and each run."""

    notices: int
    listings: int
    institutions: int
    every: int
    days: int
    closely: bool


SMALL, WHOLE = Size(200, 40, 30, 60, 330, False), Size(5_000, 800, 1_000, 30, DAYS, True)


async def walk(size: Size, work: Work, catalogue: Catalogue) -> Visitor:
    """Publish and visit, day by day. Every draw is of one seed."""
    draw = Random(SEED)
    subjects = institutions(size.institutions)
    lives = [*notices(size.notices, subjects, draw), *listings(size.listings, subjects, draw)]
    start = FIRST_DAY + timedelta(100)
    releases = Releases(work, subjects, lives, (start, start + timedelta(2 * size.every)))
    releases.deliver(FIRST_DAY)
    visitor = Visitor(work.home.path, catalogue, releases, draw)
    runs, day = {FIRST_DAY}, FIRST_DAY
    while (day := day + timedelta(draw.randrange(size.every // 2, size.every * 3 // 2))) < FIRST_DAY + timedelta(size.days):
        runs.add(day)
    for number in range(1, size.days):
        day = FIRST_DAY + timedelta(number)
        await visitor.to(day)
        ended = sorted(mark for mark, end in releases.live.items() if end == day - timedelta(1))
        last = sorted(mark for mark, end in releases.live.items() if end == day)
        runs_today = day in runs
        if size.closely or runs_today or ended:
            await look(visitor, ended, last, (size.closely and number % 10 == 0) or runs_today)
        if runs_today:  # at noon: since midnight only the clock could hide anything
            releases.deliver(day)
            people(releases, day, draw)
            if number % 7 == 0:
                releases.deliver(day)
            await visitor.to(day)
            await look(visitor, [], [], True)
    await visitor.close()
    return visitor


async def look(visitor: Visitor, ended: list[str], last: list[str], widely: bool) -> None:
    releases, draw = visitor.releases, visitor.draw
    await visitor.overview()
    for mark in ended:
        if mark.startswith("mk"):
            await visitor.gone(mark)
        await visitor.about(mark)
    must = sorted(releases.must(visitor.day))
    some = draw.sample(must, min(1, len(must)))
    for mark in some:
        await visitor.about(mark)
    visitor.wait(LAST_SECOND)
    for mark in sorted({*some, *last} & {*must}):
        if mark.startswith("mk"):
            await visitor.there(mark)
    visitor.wait(-LAST_SECOND)
    older = [release for release in releases.work.home.release_ids() if release != releases.work.live]
    if older:
        over = sorted(releases.id_of.keys() - releases.visible(visitor.day))
        await visitor.earlier(draw.choice(older), [*ended[:1], *draw.sample(over, min(1, len(over))), *some])
    await visitor.deltas()
    if widely:
        await visitor.tables()
        await visitor.changes()


def people(releases: Releases, day: date, draw: Random) -> None:
    """What people of ours enter: a correction that ends a notice sooner, and now and then a withdrawal."""
    must = releases.must(day)
    shown = [
        life for life in releases.lives if life.mark in must and life.county != CUT and life.table == "notices" and len(life.turns) == 1
    ]
    for life in shown if draw.random() < 0.5 else ():
        if life.mark not in releases.corrected and day < releases.corrected_end(life, day) < releases.live[life.mark]:
            releases.correct(life.mark, day)
            break
    if shown and draw.random() < 0.1:
        releases.withdraw(draw.choice(shown).mark, day)


def assert_kept(visitor: Visitor) -> None:
    assert not visitor.leaks, "\n".join(f"{where}: {len(found)}: {found[:5]}" for where, found in visitor.leaks.items())
    assert not visitor.lacks, "\n".join(f"{where}: {len(found)}: {found[:5]}" for where, found in visitor.lacks.items())
    for surface in (
        "start",
        "institution",
        "there",
        "search",
        "verify",
        "verify list",
        "extend",
        "preview",
        "sql",
        "filter",
        "table",
        "csv",
        "page",
        "as-of",
        "feed",
        "feed of one",
        "feed of a search",
        "delta",
        "history",
        "history sql",
    ):
        assert visitor.asked[surface, 200], f"nothing of {surface} was ever seen"


@pytest.mark.timeout(600)  # 15 seconds of a core, on a machine that does other things too
async def test_nothing_is_visible_outside_of_its_window(work: Work, catalogue: Catalogue) -> None:
    visitor = await walk(SMALL, work, catalogue)
    assert_kept(visitor)


ENDS = (
    ({"decidedOn": "2026-10"}, "2027-10-01"),
    ({"decidedOn": "2026", "seriousness": ""}, "2027-01-01"),
    ({"decidedOn": "", "publishedOn": "2026-09"}, "2027-09-01"),
    ({"decidedOn": "2024-02-29", "seriousness": "严重"}, "2027-02-28"),
    ({"decidedOn": "2026-10-20", "seriousness": "严重"}, "2029-10-20"),
    ({"decidedOn": "2026-10-20", "publicUntil": "2028-02", "seriousness": "严重"}, "2028-02-29"),
    ({"decidedOn": "2026-10-20", "publicUntil": "2027"}, "2027-12-31"),
    ({"decidedOn": "2026-10-20", "publicUntil": "2099-12-31"}, "2029-10-20"),
    ({"decidedOn": "2026-10-20", "publicUntil": "2026-11-01"}, "2026-11-01"),
)


async def test_a_notice_is_gone_at_four_in_the_afternoon_of_its_last_day_in_utc(work: Work, catalogue: Catalogue) -> None:
    said = [notice(n, title=f"公告{n}号", **{"publishedOn": "", **changed}) for n, (changed, _) in enumerate(ENDS)]
    run(work, {"platform": str(snapshot(work.home.path.parent / "in", "p", {**world(1), "notices": said}).folder)})
    ids = dict(query(work, "SELECT title, id FROM notices"))
    clock = [work.now]
    app = build_app(work.home.path, dictionary=dictionary(catalogue), now=lambda: clock[0])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        for record, (_, last) in zip(said, ENDS, strict=True):
            assert of_notice(record) is not None
            assert str(of_notice(record)[1]) == last, "the oracle is right"  # type: ignore[index]
            for clock[0], status in (
                (datetime.fromisoformat(f"{last}T15:59:59Z"), 200),
                (datetime.fromisoformat(f"{last}T16:00:00Z"), 410),
            ):
                answer = await client.get(f"/notices/{ids[record['title']]}.json")
                assert (answer.status_code, clock[0]) == (status, clock[0])
    app.shelf.close()


@pytest.mark.parametrize(
    ("listed_on", "as_of", "valid_until", "last"),
    [
        ("2028-02-29", None, None, "2029-02-28"),
        ("2027-02-28", None, None, "2028-02-28"),
        (None, "2026-10-31", None, "2027-10-31"),
        ("2026", "2026-10-31", None, "2027-10-31"),
        ("2026-10", None, None, ""),
        (None, None, None, ""),
        ("2028-02-29", None, "2099-12-31", "2031-02-28"),
        ("2026-10", None, "2099-12-31", "2029-10-01"),
        ("2027-03-01", None, "2028-02", "2028-02-29"),
        ("2027-03-01", None, "2028", "2028-12-31"),
    ],
)
@pytest.mark.parametrize("which", ["black", "grey", "warning", "white"])
def test_a_listing_that_may_hurt_has_a_last_day(
    which: str, listed_on: str | None, as_of: str | None, valid_until: str | None, last: str
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        sql = f"SELECT {rules.ENDS['listings']} FROM (SELECT ? AS list, ? AS listed_on, ? AS as_of, ? AS valid_until) s"
        ((found,),) = connection.execute(sql, [which, listed_on, as_of, valid_until]).fetchall()
    assert found == (None if which == "white" else last)


@pytest.mark.bench
@pytest.mark.timeout(7200)
async def test_five_years_of_five_thousand_notices(work: Work, catalogue: Catalogue) -> None:
    assert_kept(await walk(WHOLE, work, catalogue))
