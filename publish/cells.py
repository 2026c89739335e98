"""Cells of a CSV that people open in a spreadsheet."""

import re

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # a spreadsheet computes what begins so; the apostrophe is its own sign for a text
# What it takes for a number, a date or a time, and writes otherwise: 011001, 18 digits, 52110108E1001, 2026-10, 1-2, 2026年10月, MAR1.
_DIGITS = r"[0-9０-９.,:/\\\-+\s%$¥￥()eE年月日时分秒]"
_MONTH = r"(?i:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-zA-Z]*"
TAKEN_FOR_A_NUMBER = rf"^(?:{_DIGITS}*[0-9０-９]{_DIGITS}*|{_MONTH}[\s.\-/]*[0-9]+|[0-9]+[\s.\-/]*{_MONTH}.*)$"
AS_IT_IS = r"^(?:[1-9][0-9]{0,10}|0|[0-9]{4}-[0-9]{2}-[0-9]{2})$"  # numbers and days that look the same when they are one
GUARDED = rf"^\s*[{''.join(map(re.escape, FORMULA))}]|{TAKEN_FOR_A_NUMBER}"


def cell(value: object) -> object:
    """A value as nothing but a value."""
    if isinstance(value, bool):
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
