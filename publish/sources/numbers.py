"""What a number in a workbook means: its format says whether it is a day, a month, a code with leading zeros, or a number.

Shared by .xlsx and .xls. A date has the precision that the sheet shows: 2024年7月 is stored as the first of July and is not that day.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf
from typing import Any

LOST_FROM = 10**15  # Excel keeps 15 digits; what it stores beyond them is not what was typed

# Formats that a file may name by number only; those from 27 on are the Chinese ones.
BUILT_IN = {
    14: "m/d/yyyy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm",
    19: "h:mm:ss",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yyyy h:mm",
    45: "mm:ss",
    47: "mm:ss.0",
}
BUILT_IN |= (
    dict.fromkeys((27, 36, 50, 52, 57), "yyyy年m月")
    | dict.fromkeys((28, 29, 51, 53, 54, 58), "m月d日")
    | {30: "m-d-yy", 31: "yyyy年m月d日"}
)
BUILT_IN |= dict.fromkeys((32, 33, 34, 35, 55, 56), "h时mm分")


@lru_cache(maxsize=1024)
def meaning(code: str) -> str:
    """What a number format shows: "day", "instant", "month", "year", "time", "zeros6" (six digits at least) or "number"."""
    if re.fullmatch(r"0{2,}", code):
        return f"zeros{len(code)}"
    code = code.split(";")[0].lower()
    code = re.sub(r'"[^"]*"|\\.|_.|\*.', " ", code)
    if re.search(r"\[[hms]+\]", code):
        return "number"  # an elapsed time
    code = re.sub(r"\[[^\]]*\]|am/pm|a/p|上午/下午|general", " ", code)
    has = {letter for letter in "ymdhs" if letter in code}
    if "y" in has or "d" in has:
        if {"h", "s"} & has and "d" in has:
            return "instant"
        return "day" if "d" in has else "month" if "m" in has else "year"
    if "m" in has and not {"h", "s"} & has:
        return "day"
    return "time" if has else "number"


def value(number: float | int, shows: str, from_1904: bool) -> tuple[Any, str | None]:
    """The value of a numeric cell, and the remark that it needs. Dates and times are ISO text."""
    if shows != "number" and 0 <= number < inf:
        if shows.startswith("zeros"):
            if number == int(number) and number < LOST_FROM:
                return f"{int(number):0{shows[5:]}d}", None
        elif (text := _dated(number, shows, from_1904)) is not None:
            return text, None
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and abs(number) >= LOST_FROM:
        return str(number), "lost_digits"
    return number, None


def _dated(serial: float, shows: str, from_1904: bool) -> str | None:
    days, share = divmod(serial, 1)
    seconds = round(share * 86400)
    if shows == "time" and days == 0:
        return None if seconds == 86400 else (datetime(1900, 1, 1) + timedelta(seconds=seconds)).time().isoformat()  # noqa: DTZ001  a sheet knows no time zone
    if from_1904:
        began = datetime(1904, 1, 1)  # noqa: DTZ001
    elif days == 60:
        return "1900-02-29"  # Excel's own day that never was; no kind accepts it, and that is the point
    else:
        began = datetime(1899, 12, 31) if days < 60 else datetime(1899, 12, 30)  # noqa: DTZ001
    try:
        moment = began + timedelta(days=days, seconds=seconds)
    except OverflowError:
        return None
    if shows in ("month", "year"):
        return f"{moment:%Y-%m}" if shows == "month" else f"{moment:%Y}"
    return moment.date().isoformat() if seconds == 0 or shows == "day" else moment.isoformat()
