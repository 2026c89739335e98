"""Days and amounts as people write them, one or from one to another: 2026-05, 2026年5月1日, 2026-01..2026-03, 1万..5万元."""

import re
import unicodedata
from datetime import date

from .texts_tree import AMOUNT, DATE, DAY, ORDER, BadQuery, Between

_TO = re.compile(r"\.{2,}|…+|~|至")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_PARTED = re.compile(r"[年月/.]")
_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(万|亿)?元?")
_TIMES = {"": 1, "万": 10_000, "亿": 100_000_000}


def between(name: str, kind: str, written: str, at: int) -> Between:
    """What is written for a field of days (DATE) or of amounts, at a character of a query. Raises BadQuery."""
    text = unicodedata.normalize("NFKC", written).replace(" ", "").replace(",", "")
    since: str | int | None
    until: str | int | None
    if kind == DATE:
        found = days(text)
        if found is None:
            raise BadQuery(DAY, at, written)
        since, until = found[0] or None, found[1] or None
        backward = bool(since and until) and found[1] < found[0][: len(found[1])]
    else:
        ends = _TO.split(text)
        amounts = [_amount(end) if end else None for end in ends]
        if len(ends) > 2 or any(end and amount is None for end, amount in zip(ends, amounts, strict=True)) or not any(ends):
            raise BadQuery(AMOUNT, at, written)
        since, until = amounts[0], amounts[-1]
        backward = since is not None and until is not None and until < since
    if backward:
        raise BadQuery(ORDER, at, written)
    return Between(name, since, until)


def days(text: str) -> tuple[str, str] | None:
    """The first and last day, in the text's own precision, of a day, month, year or range; an end that is open is "". None where it is none."""
    ends = _TO.split(text)
    if len(ends) > 2:
        return None
    made = [_day(end) if end else "" for end in ends]
    if None in made or not any(made):
        return None
    return str(made[0]), str(made[-1])


def _day(text: str) -> str | None:
    match = _DAY.fullmatch(_PARTED.sub("-", text.removesuffix("日")).removesuffix("-"))
    if not match:
        return None
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        whole = date(year, month, day).isoformat()
    except ValueError:
        return None
    return whole[: 4 if not match[2] else 7 if not match[3] else 10]


def _amount(text: str) -> int | None:
    match = _AMOUNT.fullmatch(text)
    return int(float(match[1]) * _TIMES[match[2] or ""]) if match else None
