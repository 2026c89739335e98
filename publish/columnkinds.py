"""What a kind of column is in the words of the descriptions that others read: Table Schema, CSVW and JSON Schema.

One table, so that they cannot disagree. A date is as precise as its source (2026, 2026-03 or 2026-03-05) and so is no date type of anybody's; a
code has leading zeros and is no number. The pattern is what every value of ours keeps, by values.py and dates.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .dataset import Column, Table

DATE, REGION, CREDIT_CODE = r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", r"[0-9]{6}(L[0-9]{2})?", r"[0-9A-HJ-NPQRTUWXY]{18}"


@dataclass(frozen=True)
class Said:
    """A kind as Table Schema (`type`, `more`), CSVW (`base`) and JSON (`json`) say it; `pattern` is that of the whole text."""

    type: str
    base: str
    json: str
    pattern: str | None = None
    more: Mapping[str, Any] | None = None
    least: int | None = None
    most: int | None = None


TEXT = Said("string", "string", "string")
SAID: Mapping[str, Said] = {
    **dict.fromkeys(("id", "ref", "former", "key", "text", "name", "prose", "code", "permit_no"), TEXT),
    "url": TEXT,  # as its source spells it: with letters that a strict reader of URIs does not take
    "region": Said("string", "string", "string", REGION),
    "credit_code": Said("string", "string", "string", CREDIT_CODE),
    "date": Said("string", "string", "string", DATE),
    "day": Said("date", "date", "string", r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "month": Said("yearmonth", "gYearMonth", "string", r"[0-9]{4}-[0-9]{2}"),
    "fen": Said("integer", "integer", "integer", least=0),
    "integer": Said("integer", "integer", "integer"),
    "flag": Said("boolean", "boolean", "integer", more={"trueValues": ["1"], "falseValues": ["0"]}, least=0, most=1),
    "number": Said("number", "double", "number"),
    "share": Said("number", "double", "number", least=0, most=1),
    "histogram": Said("array", "json", "string"),
}


def is_given(table: Table, column: Column) -> bool:
    """Whether every row has a value there that a reader of CSV takes for one. A part of a key is never unknown, but one that is a text may be empty."""
    return column.name in table.key and (len(table.key) == 1 or column.kind != "text")
