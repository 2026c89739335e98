"""What goes little by little, each day within its bounds: held or stopped once, and never again for what somebody has looked at.

The world is a county of 20 institutions and one of 400, so that a few of the small one are little in total.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from making import Record, approved, institution, listing, notice, on, one_province, snapshot
from publish.assembled import Assembled
from publish.audit import append, entries
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.decide import accept, approve, back
from publish.drift import _begins, windows
from publish.errors import ReviewNeeded
from publish.reviewtext import lines
from publish.run import run
from publish.steps import show
from publish.work import Work

SMALL, LARGE = "330108", "330106"
FEW, MANY = 20, 400
WHY = "与来源核对过"
pytestmark = pytest.mark.usefixtures("no_downloads")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def world(gone: Iterable[int] = (), news: str = "", **changed: list[Record]) -> dict[str, list[Record]]:
    """The two counties without the institutions that are `gone`; `news` is a change that nobody minds."""
    there = [n for n in range(1, FEW + MANY + 1) if n not in set(gone)]
    institutions = [institution(n, areaCode=SMALL if n <= FEW else LARGE) for n in there]
    institutions[-1] = {**institutions[-1], "address": f"搬到{news}"}
    notices = [notice(n, areaCode=SMALL if n <= FEW else LARGE, publicUntil="2027-09-30") for n in range(1, FEW + 101)]
    return {"institutions": institutions, "listings": [listing(FEW + MANY)], "notices": notices, "ratings": [], **changed}


def deliver(work: Work, listings: dict[str, list[Any]], day: int) -> str:
    """How the delivery of a day ended: `released`, `held` where a county is, or `stopped`."""
    at = on(work, day)
    folder = work.home.path.parent / "handed-in"
    stamp = at.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = snapshot(folder, f"platform-{day:03d}-{len(list(folder.glob('*')))}", listings, as_of=at.day.isoformat(), taken_at=stamp)
    try:
        outcome = run(at, {"platform": str(made.folder)}).outcome
    except ReviewNeeded as stop:
        print(stop)  # pytest shows it where the test fails
        return "stopped"
    return "held" if work.live_manifest()["held"] else outcome


def standing(work: Work, region: str = SMALL) -> int:
    connection = sqlite3.connect(f"file:{work.live_database}?mode=ro&immutable=1", uri=True)
    try:
        sql = "SELECT count(*) FROM institutions WHERE region_code = ? AND absent_since IS NULL"
        return int(connection.execute(sql, [region]).fetchone()[0])
    finally:
        connection.close()


def leaked(work: Work) -> list[str]:
    """Three institutions of the small county go each day, until it is held."""
    return [deliver(work, world(range(1, 3 * day + 1), str(day)), day) for day in range(3)]


def bounds(work: Work) -> set[tuple[str, str]]:
    return {(row["table"], row["bound"]) for row in work.live_manifest()["held"]}


# -- a county ---------------------------------------------------------------------------------------------------------


def test_a_county_that_leaks_is_held_when_a_fifth_is_gone_since_a_week_ago(work: Work) -> None:
    assert leaked(work) == ["released", "released", "held"]
    assert (standing(work), bounds(work)) == (FEW - 3, {("institutions", "partition_week")})


def test_a_county_that_leaks_slowly_is_held_when_a_quarter_is_gone_since_a_month_ago(work: Work) -> None:
    outcomes = [deliver(work, world(range(1, 2 * number + 1), str(number)), 8 * number) for number in range(5)]
    assert outcomes == ["released", "released", "released", "released", "held"]
    assert bounds(work) == {("institutions", "partition_month")}


def test_a_hold_does_not_end_by_itself_when_the_window_has_moved_past_what_was_lost(work: Work) -> None:
    leaked(work)
    lost = range(1, 7)
    for day in (3, 9, 10, 20, 40, 80):
        assert deliver(work, world(lost, f"第{day}天"), day) == "held"
        assert standing(work) == FEW - 3
    (row,) = work.live_manifest()["held"]
    assert (row["since"], row["bound"]) == ("2026-11-03", "partition_week")


def test_a_county_that_is_itself_again_is_held_no_longer(work: Work) -> None:
    leaked(work)
    assert deliver(work, world(), 3) == "released"
    assert standing(work) == FEW


def test_people_who_approve_something_else_do_not_end_a_hold(work: Work) -> None:
    leaked(work)
    lost = set(range(1, 7))
    assert deliver(work, world(lost | set(range(300, 350))), 3) == "stopped"
    approved(on(work, 3))
    assert deliver(work, world(lost | set(range(300, 350)), "四"), 4) == "held"
    assert deliver(work, world(lost | set(range(300, 350)), "五"), 5) == "held"


def flood(gone: Iterable[int], news: str = "", **changed: list[Record]) -> dict[str, list[Record]]:
    """The world with many new notices of the large county."""
    listings = world(gone, news, **changed)
    listings["notices"] = [*listings["notices"], *(notice(1000 + n, areaCode=LARGE, publicUntil="2027-09-30") for n in range(100))]
    return listings


def test_people_who_approve_a_flood_elsewhere_have_not_looked_at_what_a_county_lost(work: Work) -> None:
    assert [deliver(work, world(range(1, 3 * day + 1)), day) for day in range(2)] == ["released", "released"]
    assert deliver(work, flood(range(1, 4)), 2) == "stopped"
    approved(on(work, 2))
    assert entries(work.home)[-1].about["losses"] == []
    assert deliver(work, flood(range(1, 7)), 3) == "held"
    assert (standing(work), bounds(work)) == (FEW - 3, {("institutions", "partition_week")})


def test_people_who_approve_what_a_source_lost_of_one_table_have_not_looked_at_another(work: Work) -> None:
    def day(number: int, institutions: int, notices: int) -> str:
        gone = range(300, 300 + institutions)  # that no notice is about
        return deliver(work, world(gone, str(number), notices=world()["notices"][notices:]), number)

    assert [day(0, 0, 0), day(1, 0, 3), day(2, 40, 3)] == ["released", "released", "stopped"]
    approved(on(work, 2))
    assert entries(work.home)[-1].about["losses"] == [["platform", "institutions", None]]
    assert day(3, 40, 5) == "held"
    assert bounds(work) == {("notices", "partition_week")}


def test_what_is_held_is_not_lost_by_leave_of_who_approves_something_else(work: Work) -> None:
    deliver(work, world(), 0)
    assert deliver(work, flood(range(1, 7)), 1) == "stopped"
    approved(on(work, 1))
    assert (bounds(work), entries(work.home)[-1].about["losses"]) == ({("institutions", "partition_lost")}, [])


def test_who_goes_back_has_looked_at_all_of_it(work: Work) -> None:
    for day in range(3):
        deliver(work, world(range(1, 1 + min(3 * day, 3)), str(day)), day)
    back(on(work, 2), "2026-11-02", "张三", WHY)
    assert "losses" not in entries(work.home)[-1].about
    assert deliver(work, world(range(1, 7)), 3) == "stopped"
    assert Candidate.load(work.home).held == ()


ANEW, SINCE_THE_FIRST = {"week": "2026-11-03"}, {"week": "2026-11-01"}


@pytest.mark.parametrize(
    ("about", "small", "large", "notices"),
    [
        ({"names": ["张三"]}, (ANEW, ""), (ANEW, ""), (ANEW, "")),
        ({"names": []}, (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, "")),
        ({"names": ["张三"], "losses": []}, (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, "")),
        ({"names": ["张三"], "losses": [["platform", "institutions", None]]}, (ANEW, ""), (ANEW, ""), (SINCE_THE_FIRST, "")),
        ({"names": ["张三"], "losses": [["platform", "institutions", SMALL]]}, (ANEW, "_apart"), (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, "")),
        ({"names": ["张三"], "losses": [["another", "institutions", None]]}, (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, ""), (SINCE_THE_FIRST, "")),
    ],
    ids=["the log does not say", "nobody", "no loss", "a source", "a county", "another source"],
)  # fmt: skip
def test_a_window_begins_anew_for_what_people_were_shown_as_lost(about: Any, small: Any, large: Any, notices: Any, work: Work) -> None:
    for day in range(5):
        deliver(work, world(news=str(day)), day)
    append(work.home, "release", "mingbai", WHY, {"release": "2026-11-03", "digest": "d", "content": {}, **about}, work.now)
    candidate = Candidate({}, work.live, "", {}, Assembled(work.home.path, "2026-11-06", {}, {}, {}, {}, None))
    found = windows(on(work, 5), candidate)
    assert [found.of(("platform", *place)) for place in (("institutions", SMALL), ("institutions", LARGE), ("notices", SMALL))] == [
        small,
        large,
        notices,
    ]


def test_a_loss_that_is_accepted_is_not_asked_about_again(work: Work) -> None:
    leaked(work)
    assert accept(on(work, 2), "platform", "institutions", SMALL, "张三", WHY).outcome == "released"
    for day in (3, 4, 8, 12, 31, 35, 60):
        assert deliver(work, world(range(1, 7), f"第{day}天"), day) == "released"
    assert standing(work) == FEW - 6


def test_what_goes_on_after_it_was_accepted_is_asked_about_anew(work: Work) -> None:
    leaked(work)
    accept(on(work, 2), "platform", "institutions", SMALL, "张三", WHY)
    assert deliver(work, world(range(1, 10), "又少三家"), 3) == "released"
    assert deliver(work, world(range(1, 13), "又少三家"), 4) == "held"


# -- a source ---------------------------------------------------------------------------------------------------------


def without(number: int, news: str = "") -> dict[str, list[Record]]:
    return world(range(FEW + 1, FEW + 1 + number), news)


def test_a_source_that_leaks_is_stopped_and_what_is_approved_is_not_stopped_again(work: Work) -> None:
    assert [deliver(work, without(8 * day), day) for day in range(3)] == ["released"] * 3
    assert deliver(work, without(24), 3) == "stopped"
    candidate = Candidate.load(work.home)
    assert {(finding.bound, finding.subject) for finding in candidate.findings} == {("total_week", "since 2026-11-01")}
    approved(on(work, 3))
    for day in (4, 5, 10, 33, 40):
        assert deliver(work, without(24, f"第{day}天"), day) == "released"


def test_what_is_approved_on_another_day_is_what_was_looked_at(work: Work) -> None:
    for day in range(9):
        deliver(work, without(0 if day < 7 else 8 * (day - 6), str(day)), day)
    assert deliver(work, without(24), 9) == "stopped"
    candidate = Candidate.load(work.home)
    assert {finding.subject for finding in candidate.findings} == {"since 2026-11-03"}
    assert approve(on(work, 10), candidate.judged(), "张三", WHY).outcome == "released"


def test_the_review_says_since_when_in_both_languages(work: Work) -> None:
    leaked(work)
    deliver(work, world(range(1, 7), "三", notices=[]), 3)
    told = {lang: "\n".join(lines(show(on(work, 3), Candidate.load(work.home)), lang)) for lang in ("zh", "en")}
    assert "与 3 天前的版本 2026-11-01 相比，地区：七天内记录逐渐减少" in told["zh"]
    assert "since release 2026-11-01 of 3 days ago, Region - rows lost bit by bit in seven days" in told["en"]


# -- what is not lost -------------------------------------------------------------------------------------------------


def test_what_was_withdrawn_or_has_ended_bit_by_bit_is_not_lost(work: Work) -> None:
    """Also when its source no longer has it at all, and only history knows what became of it."""
    notices = world()["notices"]
    for n in (15, 16):
        notices[n] = {**notices[n], "publicUntil": "2026-11-03"}
    deliver(work, world(notices=notices), 0)
    for day in range(1, 5):
        for n in (2 * day - 2, 2 * day - 1):
            notices[n] = {**notices[n], "state": ("已撤销", "已修复")[day % 2]}
        assert deliver(work, world(news=str(day), notices=notices), day) == "released"
    for day in range(5, 9):
        assert deliver(work, world(news=str(day), notices=notices[8:]), day) == "released"


def test_as_many_that_vanish_are_lost(work: Work) -> None:
    notices = world()["notices"]
    outcomes = [deliver(work, world(news=str(day), notices=notices[2 * day :]), day) for day in range(5)]
    assert outcomes == ["released", "released", "released", "held", "held"]
    assert bounds(work) == {("notices", "partition_week")}


# -- nothing to compare with ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda release: (release / "mingbai.db").unlink(),
        lambda release: sqlite3.connect(release / "mingbai.db").executescript("DROP TABLE institutions"),
        lambda release: sqlite3.connect(release / "mingbai.db").executescript(
            "ALTER TABLE institutions RENAME COLUMN absent_since TO absent"
        ),
    ],
    ids=["no file", "no table", "no column"],
)
def test_a_release_that_says_nothing_of_a_table_is_not_compared_with(damage: Any, work: Work) -> None:
    deliver(work, world(), 0)
    deliver(work, world(range(1, 4)), 1)
    damage(work.home.releases / "2026-11-01")
    assert deliver(work, world(range(1, 7)), 2) == "released"


DAYS = ["2026-10-01", "2026-10-20", "2026-10-30", "2026-10-30.2", "2026-10-31", "2026-11-01"]


@pytest.mark.parametrize(
    ("day", "looked_at", "expected"),
    [
        ("2026-11-06", [], {"week": "2026-10-30.2", "month": "2026-10-01"}),
        ("2026-11-05", [], {"week": "2026-10-20", "month": "2026-10-01"}),
        ("2026-11-07", [], {"week": "2026-10-31", "month": "2026-10-01"}),
        ("2026-11-20", [], {"month": "2026-10-20"}),
        ("2026-12-20", [], {}),
        ("2026-10-05", [], {"week": "2026-10-01"}),
        ("2026-11-06", ["2026-10-02"], {"week": "2026-10-30.2", "month": "2026-10-20"}),
        ("2026-11-06", ["2026-10-02", "2026-10-31"], {"week": "2026-10-31"}),
        ("2026-11-06", ["2026-11-01"], {}),
        ("2026-11-06", ["2026-11-02"], {}),
    ],
)
def test_a_window_begins_with_the_newest_release_that_is_old_enough(day: str, looked_at: list[str], expected: dict[str, str]) -> None:
    assert _begins(DAYS, date.fromisoformat(day), looked_at) == expected


def test_no_older_release_is_none_to_begin_with() -> None:
    assert _begins([], date(2026, 11, 1), []) == {}
