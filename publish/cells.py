"""Cells of a CSV that people open in a spreadsheet."""

import re

FORMULA = tuple("=+-@\t\r\n＝＋－＠﹦﹢﹣﹫−")  # a spreadsheet computes what begins so; the apostrophe is its own sign for a text
# The patterns are for two engines, Python's and RE2 (Arrow's), which agree on what is written out: so what is blank stands here sign by sign.
_BLANK = "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff"
# What it takes for a number, a date, a time, a truth or an error, and writes otherwise: 011001, 18 digits, 52110108E1001, 2026-10, 1-2, 2026年10月, MAR1, 十月 5, TRUE, #N/A.
# In Chinese and Japanese settings LibreOffice takes full-width signs and 〇 for those of ASCII: １／２ is a day to it.
_DIGIT = "0-9０-９〇"
_DIGITS = rf"[{_DIGIT}.,:/\\\-+．，：／＼－＋−％＄￡（）Ｅｅ{_BLANK}%$¥￥£€()eE年月日时分秒]"
_MONTH = r"(?:(?i:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-zA-Z]*|十?[一二三四五六七八九十]月)"
_BETWEEN = rf"[{_BLANK}.\-/,．－−／，]*"
_OF_DAY = "(?:上午|下午|早上|晚上|凌晨|中午)"
_TAKEN = (
    rf"{_DIGITS}*[{_DIGIT}]{_DIGITS}*",
    rf"{_MONTH}{_BETWEEN}[{_DIGIT}]+(?:{_BETWEEN}[{_DIGIT}]+)?",
    rf"[{_DIGIT}]+{_BETWEEN}{_MONTH}.*",
    rf"(?:{_OF_DAY}{_DIGITS}*[{_DIGIT}]{_DIGITS}*|{_DIGITS}*[{_DIGIT}]{_DIGITS}*(?:(?i:[ap]m?)|{_OF_DAY}))",
    r"(?i:true|false)",
    r"#(?i:n/a|ref!|value!|div/0!|name\?|num!|null!|spill!|calc!|field!|busy!|getting_data)",
)
TAKEN_FOR_A_NUMBER = rf"^[{_BLANK}]*(?:{'|'.join(_TAKEN)})[{_BLANK}]*$"
AS_IT_IS = r"^(?:[1-9][0-9]{0,10}|0|[0-9]{4}-[0-9]{2}-[0-9]{2})$"  # numbers and days that look the same when they are one
GUARDED = rf"^[{_BLANK}]*[{''.join(map(re.escape, FORMULA))}]|{TAKEN_FOR_A_NUMBER}"
LONGEST_NUMBER = 15  # digits that a spreadsheet keeps


def cell(value: object) -> object:
    """A value as nothing but a value."""
    if isinstance(value, bool):
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
