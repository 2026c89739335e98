"""Which record took the place of which: found safely, carried on, never in a circle; and what happens twice on one day stays two things."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest

from making import approved, credit_code, institution, listing, notice, on, query, rating, snapshot
from publish.decide import back
from publish.errors import ReviewNeeded
from publish.identity import make_id
from publish.lineage import Step, leading
from publish.run import run
from publish.work import Result, Work

OLD, NEW, THIRD = "OLD", "NEW", "THIRD"
ROWS = "SELECT predecessor_id, successor_id, kind, method, since FROM institution_lineage ORDER BY 1, 2"
CODE = credit_code(7)


def of(key: str) -> str:
    return make_id("i", "platform", key)


def one(key: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A record like any other of its number, under another key."""
    return institution(number, **{"orgId": key, "creditCode": CODE, **more})


MANY = [institution(n) for n in range(100, 200)]  # so that one that goes is within the bounds


def deliver(work: Work, day: int, *records: Mapping[str, Any], more: tuple[Mapping[str, Any], ...] = (), stamp: str = "") -> Result:
    work = on(work, day)
    listings = {
        "institutions": [*MANY, *records],
        "listings": [listing(n) for n in range(100, 103)],
        "notices": [notice(n) for n in range(100, 103)],
        "ratings": [rating(n) for n in range(100, 103)],
    }
    made = snapshot(work.home.path.parent / "handed-in", f"platform-{day:03d}{stamp}", listings, as_of=work.day.isoformat())
    try:
        return run(work, {"platform": str(made.folder)})
    except ReviewNeeded:
        return approved(work)


def days(work: Work, *several: tuple[Mapping[str, Any], ...]) -> list[list[tuple[Any, ...]]]:
    """What the table holds after each day's delivery; a day that says what the one before said has another record beside it."""
    return [deliver(work, day, *records, institution(300 + day)) and query(work, ROWS) for day, records in enumerate(several)]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("renumbered", {}),
        ("rename", {"orgName": "杭州市西湖区朝阳艺术培训中心有限公司"}),
        ("move", {"address": "文三路99号"}),
        ("new_permit", {"permits": [{"permitNo": "教民133010670009991", "issuer": "", "validFrom": "", "validTo": ""}]}),
        ("several", {"address": "文三路99号", "orgName": "杭州市西湖区朝阳艺术培训中心有限公司"}),
        ("renumbered", {"orgName": "杭州市西湖区启明１艺术培训中心有限公司"}),  # width is no other name
    ],
)
def test_a_record_is_known_again_by_its_credit_code_when_the_old_one_goes(work: Work, kind: str, changed: dict[str, Any]) -> None:
    then = days(work, (one(OLD),), (one(NEW, **changed),), (one(NEW, **changed),), (one(NEW, **changed),))
    row = (of(OLD), of(NEW), kind, "credit_code", "2026-11-03")
    assert then == [[], [], [row], [row]], "not while the old one is kept as absent (rule 2)"
