"""Rules of publication that look at one row: what a notice or a rating may show, and until when.

The numbers are those of the rules of publication in datasets/README.md; the law behind rule 5 is 信用修复管理办法 (in force since 2026-04-01). Where a rule
could hurt somebody the choice is in one named constant, so that it can be changed in one place. Rows are dicts by column and are
changed in place; nothing here knows a source or a database.
"""

from calendar import monthrange
from collections.abc import Callable, Collection
from datetime import date
from operator import mul

import orjson

from .masked import hide_person, masked_person
from .namewords import looks_like_organisation
from .persons import looks_like_person

Row = dict[str, object]
Rule = Callable[[Row, Collection[str]], str | None]

SUPPRESS_BELOW = 5  # rule 10: fewer ratings than this are nobody's business but the platform's
TERM_YEARS = {"general": 1, "serious": 3, None: 1}  # rule 5; minor has no term, it is not published
LONGEST_YEARS = 3  # rule 5: no term is longer, whatever a source gives (2099-12-31)
WITHHELD_SERIOUSNESS = ("minor",)
DECIDING = ("state", "seriousness", "public_until")
TEXTS = ("title", "facts", "legal_basis", "penalty_text", "violation_text")  # of a notice, where its subject can be named
MOST_RATINGS = 10**12
SHOWN_STATES = ("active", "corrected", "disputed")  # an allow-list: an unknown state is not shown
CAUSES = ("source", "correction", "expiry", "repair", "withdrawal", "dispute", "pipeline")  # why something changed, as causes.py settles it

AGAINST = ("black", "grey", "warning")
ADVERSE = f"({', '.join(map(repr, AGAINST))})"  # in SQL
HARMLESS = ("white", "normal", "cancelled")  # an allow-list: a list that we do not know may hurt


def _after(day: str, years: int) -> str:
    """years_after in SQL. SQLite counts 29 February on into March, so the month's last day is asked for too."""
    return f"min(date({day}, '+{years} years'), date({day}, 'start of month', '+{years} years', '+1 month', '-1 day'))"


_WHOLE = "iif(length({0}) = 10, {0}, NULL)"
_LAST = "CASE length({0}) WHEN 10 THEN {0} WHEN 7 THEN date({0} || '-01', '+1 month', '-1 day') ELSE {0} || '-12-31' END"  # last_day
_GIVEN = _LAST.format("s.valid_until")
_LISTED = "substr(coalesce(s.listed_on, s.as_of) || '-01-01', 1, 10)"
# Rule 5 in SQL: the last day of what has an end. A listing that is not white ends as its list says, at the latest as any notice, else a year after
# it was made, as a notice of unknown seriousness does; without a whole day to count that from it is not published.
ENDS = {
    "notices": "s.public_until",
    "listings": f"""CASE WHEN s.list IN {ADVERSE} THEN coalesce(min({_GIVEN}, {_after(_LISTED, LONGEST_YEARS)}), {_GIVEN},
      {_after(_WHOLE.format("s.listed_on"), 1)}, {_after(_WHOLE.format("s.as_of"), 1)}, '') END""",
}

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


def last_day(date_text: str) -> str:
    """The last day that a date of any precision covers: 2026-10 is 2026-10-31, 2026 is 2026-12-31."""
    if len(date_text) == 10:
        return date_text
    year, month = int(date_text[:4]), int(date_text[5:7] or 12)
    return f"{year:04d}-{month:02d}-{monthrange(year, month)[1]:02d}"


def notice(row: Row, unreadable: Collection[str]) -> str | None:
    """Mask a natural person, find the last day of publication, and say why the notice is withheld (None: it is not).

    `unreadable` are the columns whose value was there and could not be read, or whose field is missing: what decides about publication
    and cannot be read withholds the notice, because it could say that the decision was revoked, is minor or has ended.
    """
    withheld = _protect(row)
    for column in DECIDING:
        if column in unreadable:
            withheld = withheld or f"unknown_{column}"
    row["public_until"], row["public_until_rule"] = _term(row, unreadable)
    row["state"] = row.get("state") or "active"
    if row.get("seriousness") in WITHHELD_SERIOUSNESS:
        return withheld or "minor"
    if row["state"] not in SHOWN_STATES:
        return withheld or str(row["state"])
    return withheld or ("no_term" if row["public_until"] is None else None)


def _term(row: Row, unreadable: Collection[str]) -> tuple[str | None, str]:
    """The last day of publication, and whether the source gave it. No end is further from the decision than the longest term in law."""
    starts = (
        ("decided_on", "published_on", "found_on") if "decided_on" not in unreadable else ("found_on",)
    )  # never later than the decision
    begun = next((str(row[column]) for column in starts if row.get(column)), None)
    given = row.get("public_until")
    if isinstance(given, str):
        end = last_day(given)
        return (
            (end, "source") if begun is None or end <= years_after(begun, LONGEST_YEARS) else (years_after(begun, LONGEST_YEARS), "derived")
        )
    years = TERM_YEARS.get(row.get("seriousness"))  # type: ignore[call-overload]
    return (years_after(begun, years) if begun and years else None), "derived"


def _protect(row: Row) -> str | None:
    """Mask who is, or could be, a natural person, wherever the name stands in the row. Says why that is not enough, if it is not."""
    name = row.get("subject_name")
    kind = row.get("subject_kind")
    if isinstance(name, str):
        if looks_like_person(name):  # also where the source says 组织: an organisation's legal name says what it is
            kind = PERSON
        elif kind not in (ORGANISATION, PERSON):
            kind = ORGANISATION if looks_like_organisation(name) else UNKNOWN
    row["subject_kind"] = kind = kind or UNKNOWN
    if kind == ORGANISATION:
        return None
    row["subject_credit_code"] = row["subject_permit_no"] = None  # both would find the person again
    if not isinstance(name, str):
        return "unnamed_person" if kind == PERSON else None
    row["subject_name"] = masked_person(name)
    for column in TEXTS:
        value = row.get(column)
        if isinstance(value, str):
            row[column] = hide_person(value, name)
    return None


def rating(row: Row, unreadable: Collection[str]) -> str | None:
    """Count and mean of the histogram; below SUPPRESS_BELOW nothing of it is kept. Withheld when it is not on the scale that is declared."""
    histogram = row["histogram"]
    assert isinstance(histogram, list)
    count = sum(histogram)
    if len(histogram) != row["scale_max"] or count > MOST_RATINGS:
        row["histogram"] = None
        return "off_scale"
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
READS = {"ratings": ("scale_max", "histogram")}  # of a rule that looks at nothing else of a row: the same of these is judged the same
