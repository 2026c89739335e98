"""What holds on a given day in China: whether a notice may still be shown, whether a permit is valid, whether a source is stale.

The data says until when; these say what that means today, so that nothing waits for the next release. Days are compared as text in
the precision of the source: a permit valid until 2026-11 is valid on the whole of 30 November.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .. import fresh
from ..fresh import over as over
from ..fresh import permit_state as permit_state
from ..rules import SHOWN_STATES

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock that a site runs by when nobody gives it another."""
    return datetime.now(UTC)


def in_force(notice: Mapping[str, Any], today: str) -> bool:
    """Whether a notice may be shown today: its state may be, and it has an end that is not over. queries.IN_FORCE says it in SQL."""
    until: object = notice["public_until"]
    return isinstance(until, str) and not over(until, today) and notice["state"] in SHOWN_STATES


def tombstone(notice: Mapping[str, Any], today: str, released_on: str) -> dict[str, str]:
    """All that may be said of a notice that is no longer shown: since when, and for which class of reason."""
    until = notice["public_until"]
    if notice["state"] not in SHOWN_STATES:
        return {"id": notice["id"], "on": notice["absent_since"] or released_on, "class": str(notice["state"] or "unknown")}
    if until is None:
        return {"id": notice["id"], "on": released_on, "class": "no_term"}
    return {"id": notice["id"], "on": until, "class": "expired"}


def is_stale(source: Mapping[str, Any], today: str) -> bool:
    """Whether a source of a release is stale today."""
    return fresh.is_stale(source["content_since"], source["as_of"], source["interval_days"], today)
