"""What a day makes of what the data says: when a source is stale, whether a permit is valid. Days are compared as text, in the precision of the source.

A source is stale when its content did not change for three of its intervals, however often it was fetched (rule 4).

The one place that says so. The manifest, status.json and the pages ask here; pages ask on the day on which they are read, because a source
that stands still makes no release that could say it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

STALE_INTERVALS = 3


def is_stale(content_since: str | None, as_of: str | None, interval_days: int | None, today: str) -> bool:
    """Whether content that is the same since one day, and by its own word is of another, is older than three intervals.

    The earlier day counts: a mirror that writes a new day on old content every morning is stale, and so is a list of last year that was
    fetched today. Without a whole day or an interval nothing was promised and nothing is stale.
    """
    days = [day for day in (content_since, as_of) if day and len(day) == 10]
    if not days or not interval_days:
        return False
    return (date.fromisoformat(today) - date.fromisoformat(min(days))).days > STALE_INTERVALS * interval_days


def over(until: str, today: str) -> bool:
    """Whether `until` (a day, month or year) has wholly passed."""
    return until < today[: len(until)]


def permit_state(permit: Mapping[str, Any], today: str) -> str:
    """valid, expired, not_yet, or open: the source gives no end."""
    start, end = permit["valid_from"], permit["valid_until"]
    if start and start > today[: len(start)]:
        return "not_yet"
    if end is None:
        return "open"
    return "expired" if over(end, today) else "valid"
