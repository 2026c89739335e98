"""When a notice or a listing may be shown, worked out from the rules of publication alone (domain 5 and 6): nothing of publish is asked.

A record is as its source spells it. What is not public at all has no end.
"""

import re
from calendar import monthrange
from datetime import date
from typing import Any

SHOWN = ("", "公示中", "已更正", "有异议")  # any other state, and one that nobody knows, is not shown
TERMS = {"": 1, "一般": 1, "严重": 3}  # years; minor is not published, and neither is what nobody can read
LONGEST = 3
NO_DATE = ("", "暂无", "1900-1-1", "无处罚期限", "9999-12-31")
HARMLESS = ("白名单", "正常", "已注销")


def span(text: str) -> tuple[date, date] | None:
    """The first and the last day that a date of any precision covers; None where it is none."""
    if text in NO_DATE:
        return None
    year, month, day = (int(part) if part else None for part in re.fullmatch(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?", text).groups())  # type: ignore[union-attr]
    if day:
        found = date(year, month, day)
        return found, found
    return date(year, month or 1, 1), date(year, month or 12, monthrange(year, month or 12)[1])


def later(day: date, years: int) -> date:
    """The corresponding day so many years later; without one (29 February) the month's last."""
    return date(day.year + years, day.month, min(day.day, monthrange(day.year + years, day.month)[1]))


def readable(text: str) -> bool:
    return text in NO_DATE or re.fullmatch(r"[\d-]+", text) is not None


def of_notice(record: dict[str, Any]) -> tuple[date, date] | None:
    """The first and the last day on which a notice may be shown as its source has it; None where it may not be."""
    if record["state"] not in SHOWN or record["seriousness"] not in TERMS or not readable(record["publicUntil"]):
        return None
    days = [span(record[name]) for name in ("decidedOn", "publishedOn")]
    begun = next((found[0] for found in days if found), None)
    given = span(record["publicUntil"])
    if begun is None:
        return None if given is None else (date.min, given[1])
    end = min(given[1], later(begun, LONGEST)) if given else later(begun, TERMS[record["seriousness"]])
    return max(found[0] for found in days if found), end


def of_listing(record: dict[str, Any]) -> tuple[date, date] | None:
    """The same of a listing. One that harms nobody has no end."""
    if record["list"] in HARMLESS:
        return date.min, date.max
    days = [found for name in ("listedOn", "asOf") if (found := span(record[name]))]
    whole = [first for first, last in days if first == last]
    given = span(record["validTo"])
    if given:
        return date.min, min(given[1], later(days[0][0], LONGEST)) if days else given[1]
    return (date.min, later(whole[0], 1)) if whole else None
