"""Rules of publication that look at one row: what a notice or a rating may show, and until when.

The numbers are those of the rules of publication in the README; the law behind rule 5 is 信用修复管理办法 (in force since 2026-04-01). Where a rule
could hurt somebody the choice is in one named constant, so that it can be changed in one place. Rows are dicts by column and are
changed in place; nothing here knows a source or a database.
"""

from collections.abc import Callable, Collection
from datetime import date
from operator import mul

import orjson

from .persons import looks_like_organisation, looks_like_person, masked_person

Row = dict[str, object]
Rule = Callable[[Row, Collection[str]], str | None]

SUPPRESS_BELOW = 5  # rule 10: fewer ratings than this are nobody's business but the platform's
TERM_YEARS = {"general": 1, "serious": 3, None: 1}  # rule 5; minor has no term, it is not published
WITHHELD_SERIOUSNESS = ("minor",)
SHOWN_STATES = ("active", "corrected", "disputed")  # an allow-list: an unknown state is not shown

ORGANISATION, PERSON, UNKNOWN = "organisation", "person", "unknown"


def years_after(day: str, years: int) -> str:
    """The day that ends a term of years which began on `day` (YYYY, YYYY-MM or YYYY-MM-DD; a missing part counts as the first).

    The first day does not count and the corresponding day is the last; without one (29 February) the month's last day is
    (Civil Code, articles 201 and 202).
    """
    year, month, number = (int(part) for part in f"{day}-01-01"[:10].split("-"))
    try:
        return date(year + years, month, number).isoformat()
    except ValueError:
        return date(year + years, month, 28).isoformat()


def notice(row: Row, unreadable: Collection[str]) -> str | None:
    """Mask a natural person, find the last day of publication, and say why the notice is withheld (None: it is not).

    `unreadable` are the columns whose value was there and could not be read.
    """
    _mask(row)
    seriousness = row.get("seriousness")
    given = row.get("public_until")
    if isinstance(given, str) and len(given) == 10:
        row["public_until_rule"] = "source"
    else:
        begun = row.get("decided_on") or row.get("published_on") or row.get("found_on")
        years = TERM_YEARS.get(seriousness)  # type: ignore[call-overload]
        row["public_until"] = years_after(begun, years) if isinstance(begun, str) and years else None
        row["public_until_rule"] = "derived"
    if "state" in unreadable:  # it could say that the decision was revoked
        return "unknown_state"
    row["state"] = row.get("state") or "active"
    if seriousness in WITHHELD_SERIOUSNESS:
        return "minor"
    if row["state"] not in SHOWN_STATES:
        return str(row["state"])
    return "no_term" if row["public_until"] is None else None


def _mask(row: Row) -> None:
    name = row.get("subject_name")
    if not isinstance(name, str):
        row["subject_kind"] = row.get("subject_kind") or UNKNOWN
        return
    if row.get("subject_kind") not in (ORGANISATION, PERSON):
        row["subject_kind"] = PERSON if looks_like_person(name) else ORGANISATION if looks_like_organisation(name) else UNKNOWN
    if row["subject_kind"] == PERSON:
        row["subject_name"] = masked = masked_person(name)
        row["subject_credit_code"] = row["subject_permit_no"] = None  # both would find the person again
        for column, value in row.items():
            if isinstance(value, str) and name in value:
                row[column] = value.replace(name, masked)


def rating(row: Row, unreadable: Collection[str]) -> str | None:
    """Count and mean of the histogram; below SUPPRESS_BELOW nothing of it is kept. Withheld when it is not on the scale that is declared."""
    histogram = row["histogram"]
    assert isinstance(histogram, list)
    if len(histogram) != row["scale_max"]:
        row["histogram"] = None
        return "off_scale"
    count = sum(histogram)
    if count < SUPPRESS_BELOW:
        row["histogram"] = row["rating_count"] = row["mean_rating"] = None
        row["is_suppressed"] = 1
        return None
    row["rating_count"] = count
    row["mean_rating"] = round(sum(map(mul, histogram, range(1, len(histogram) + 1))) / count, 4)
    row["histogram"] = orjson.dumps(histogram).decode()
    row["is_suppressed"] = 0
    return None


RULES: dict[str, Rule] = {"notices": notice, "ratings": rating}
