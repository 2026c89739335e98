"""Faults of one column: what spreadsheets, exports and encodings do to the values of a column, record by record or down the whole sheet."""

import re
from datetime import date, timedelta
from random import Random
from typing import Any

from .fault import ALL, COUNTY, FEW, TENTH, THIRD, Column, column_fault

WIDELY = {  # where a few rows at once are an accident. A third of a county's notices would be three or four: what rule 3 lets it lose
    "institutions.name": (FEW, THIRD, COUNTY, TENTH, ALL), "institutions.id": (FEW, THIRD, COUNTY, TENTH, ALL), "notices.facts": (FEW, COUNTY, TENTH, ALL),
}  # fmt: skip


def _each(change: Any) -> Any:
    return lambda values, chance: [change(value) for value in values]


def _text(change: Any) -> Any:
    return _each(lambda value: change(value) if isinstance(value, str) and value else value)


def _day(change: Any) -> Any:
    """A change of dates that are written as a year, a month and a day; others stay."""

    def one(value: str) -> str:
        try:
            return str(change(date.fromisoformat(value.replace("/", "-"))))
        except ValueError:
            return value

    return _text(one)


def _shuffled(values: Column, chance: Random) -> Column:
    return chance.sample(values, len(values))


def _sorted(values: Column, chance: Random) -> Column:
    return sorted(values, key=str)


def _moved(values: Column, chance: Random) -> Column:
    return [*values[1:], *values[:1]]


def _filled(values: Column, chance: Random) -> Column:
    return [next((value for value in values if value), "")] * len(values)


def _scaled(factor: int) -> Any:
    def one(value: str) -> str:
        number = float(value) * factor if re.fullmatch(r"[0-9.]+", value) else None
        return value if number is None else f"{number:.8f}".rstrip("0").rstrip(".")

    return _text(one)


def _mojibake(value: str) -> str:
    """UTF-8 read as GBK, as an export in the wrong encoding has it."""
    return value.encode().decode("gbk", "replace")


def _serial(day: date) -> int:
    return (day - date(1899, 12, 30)).days


def _other_year(years: int) -> Any:
    return lambda day: (day + timedelta(days=365 * years)).isoformat()


def _swapped(day: date) -> str:
    return f"{day.year:04d}-{day.day:02d}-{day.month:02d}"


VERBS: dict[str, tuple[str, Any]] = {
    "blanked": ("the cells are empty", _each(lambda value: "")),
    "null": ("the cells say NULL, as a database's export without its quotes", _each(lambda value: "NULL")),
    "mojibake": ("UTF-8 that was read as GBK", _text(_mojibake)),
    "question marks": ("every Chinese character became ?", _text(lambda value: re.sub(r"[\u3400-\u9fff]", "?", value))),
    "filled down": ("the first value was dragged down the column", _filled),
    "shuffled": ("the values stand in other rows", _shuffled),
    "sorted alone": ("the column was sorted without the others", _sorted),
    "a row off": ("the values slipped by one row", _moved),
    "cut short": ("only the first six characters fitted", _text(lambda value: value[:6])),
    "escaped twice": ("characters are written as entities of entities", _text(lambda value: "".join(f"&amp;#{ord(c)};" for c in value))),
    "as serials": ("a spreadsheet's day numbers", _day(_serial)),
    "a year late": ("the year is one too high", _day(_other_year(1))),
    "a year early": ("the year is one too low", _day(_other_year(-1))),
    "in the year 2062": ("two digits of the year were read as another century", _day(lambda day: f"2062-{day:%m-%d}")),
    "day and month swapped": ("where that gives a day", _day(_swapped)),
    "times 10,000": ("yuan stand in a column of 万元", _scaled(10_000)),
    "scientific": ("a spreadsheet took the code for a number", _text(lambda value: f"{value[:1]}.{value[1:6]}E+{len(value) - 1}")),
    "another word": ("a code has another spelling that nobody announced", _text(lambda value: f"{value}（新）")),
    "one digit wrong": ("the last character is another one", _text(lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"))),
    "renumbered": ("all have a new identifier", _text(lambda value: f"X{value}")),
}
AMONG_COLUMNS: dict[str, tuple[str, ...]] = {
    "blanked": (
        "institutions.name", "institutions.credit_code", "institutions.region_code", "institutions.address", "institutions.status",
        "institutions.competent_authority", "permits.permit_no", "permits.valid_until", "listings.authority", "notices.subject_name",
        "notices.facts", "notices.authority", "notices.fine_fen", "notices.decided_on", "notices.region_code", "notices.penalty_text",
    ),
    "null": ("institutions.address", "notices.facts"),
    "mojibake": ("institutions.name", "institutions.address", "listings.authority", "notices.subject_name", "notices.facts"),
    "question marks": ("institutions.name", "notices.facts"),
    "filled down": ("institutions.name", "institutions.address", "institutions.opened_on", "notices.subject_name", "notices.facts"),
    "shuffled": ("institutions.name", "institutions.id", "institutions.credit_code", "permits.permit_no", "notices.subject_name", "notices.id"),
    "sorted alone": ("institutions.name", "institutions.address"),
    "a row off": ("institutions.name", "institutions.address", "listings.institution_id", "notices.subject_name", "ratings.institution_id"),
    "cut short": ("institutions.name", "notices.facts"),
    "escaped twice": ("institutions.name", "notices.facts"),
    "as serials": ("institutions.opened_on", "notices.decided_on"),
    "a year late": ("notices.decided_on", "permits.valid_until"),
    "a year early": ("notices.decided_on", "notices.public_until", "permits.valid_until"),
    "in the year 2062": ("notices.decided_on", "institutions.opened_on"),
    "day and month swapped": ("notices.decided_on", "institutions.opened_on"),
    "times 10,000": ("notices.fine_fen",),
    "scientific": ("institutions.credit_code", "permits.permit_no"),
    "another word": (
        "institutions.status", "institution_classes.class_code", "fund_supervision.mode", "listings.list", "notices.kind", "notices.seriousness", "notices.state",
    ),
    "one digit wrong": ("institutions.credit_code", "institutions.region_code"),
    "renumbered": ("institutions.id", "notices.id"),
}  # fmt: skip
for verb, columns in AMONG_COLUMNS.items():
    for column in columns:
        about, change = VERBS[verb]
        column_fault(verb, about, change, column, *WIDELY.get(column, ()))
