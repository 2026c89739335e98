"""Days, months and years as sources write them, in ISO form with the precision that they give (rule 13).

It knows no clock: a date without a year takes that of the document that it stands in. Days are China's.
"""

import re
import unicodedata
from datetime import date as Date
from datetime import datetime, timedelta, timezone

from .cleaning import SENTINELS, bad, clean, folded, words

CHINA = timezone(timedelta(hours=8))  # since 1991 without summer time; the sources print local time and do not say so
YEARS = (1901, 2199)
SERIALS = (20_000, 80_000)  # Excel: 1954-10-03 to 2119-01-09
OPEN_ENDED = words("长期 长期有效 永久 永久有效 无固定期限 无期限 无处罚期限 无公示期限 9999-12-31 9999/12/31 99991231 9999年12月31日")
NO_DATE = words(
    "1900-1-1 1900-01-01 1900/1/1 1900/01/01 1900.1.1 1900.01.01 19000101 1900年1月1日 0000-00-00 0001-01-01 1899-12-30 1899-12-31"
)

_ISO_MONTH = re.compile(r"(?:19|20|21)[0-9]{2}-(?:0[1-9]|1[0-2])")
_DATE = re.compile(r"([0-9]{1,4})([-/.年])([0-9]{1,2})(?:(?:\2|[-/.月])([0-9]{1,2})[日号]?|月)?")
_YEAR = re.compile(r"([0-9]{4})年?")
_COMPACT = re.compile(r"([0-9]{3,4})([0-9]{2})([0-9]{2})")
_COMPACT_MONTH = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})")
TOO_LATE = "a date with a year (in that of the document it would be after"  # and a later document can make it readable
_NO_YEAR = re.compile(r"([0-9]{1,2})月([0-9]{1,2})[日号]")
_ROC = re.compile(r"(?:中華|中华)?民[國国](.+)")
_TIME = re.compile(r"(.{8,11}?)[T ]*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_HAN_DATE = re.compile(r"[〇零一二三四五六七八九]{4}年(?:[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}[日号])?)?")
_HAN_DIGIT = {
    digit: str(value) for value, digits in enumerate(("〇零", "一", "二", "三", "四", "五", "六", "七", "八", "九")) for digit in digits
}
_EXPECTED = "a date such as 2026-01-02"


def date_sentinel(raw: object) -> str | None:
    """What a cell without a date says: "open" (长期, 9999-12-31), "unknown" (暂无, 1900-1-1, empty), or None where it may be a date."""
    if not isinstance(raw, str):
        return "unknown" if raw is None else "open" if isinstance(raw, Date) and raw.year == 9999 else None
    if len(raw) > 40:
        return None
    found = unicodedata.normalize("NFKC", clean(raw)).replace(" 00:00:00", "").replace("T00:00:00", "").strip().lower()
    return "open" if found in OPEN_ENDED else "unknown" if found in NO_DATE or found in SENTINELS else None


def date(raw: object, *, document_day: str | None = None, calendar: str = "ce") -> str | None:
    """A date in ISO form with the precision that the source gives: 2026-01-02, 2026-01 or 2026.

    Sentinels are None; `date_sentinel` tells which. `calendar` "roc" reads 113/05/01 as 2024-05-01 (民國 says so itself); "excel" reads
    serials written as text, which otherwise count only as numbers. A day without a year takes the year of `document_day` unless that
    would be after it (rule 13).
    """
    if type(raw) is str and len(raw) == 10 and raw[4] == "-" == raw[7] and raw.isascii() and "1901" <= raw[:4] <= "2199":
        try:
            return Date.fromisoformat(raw).isoformat()
        except ValueError:
            pass  # let the rest say what is wrong with it
    if date_sentinel(raw):
        return None
    if isinstance(raw, datetime):
        raw = (raw.astimezone(CHINA) if raw.tzinfo and 1900 < raw.year < 9999 else raw).date()
    if isinstance(raw, Date):
        return _made(raw, str(raw.year), str(raw.month), str(raw.day))
    if isinstance(raw, int | float) and not isinstance(raw, bool) and SERIALS[0] <= raw <= SERIALS[1]:
        return _serial(raw)
    found = folded(raw, _EXPECTED).replace(" ", "") if not (isinstance(raw, str) and ":" in raw) else folded(raw, _EXPECTED)
    if calendar == "excel" and re.fullmatch(r"[2-7][0-9]{4}(?:\.[0-9]{1,12})?", found):
        return _serial(float(found))
    if ":" in found:
        return _instant(raw, found, document_day, calendar)
    return _date(raw, found, document_day, calendar)


def _date(raw: object, found: str, document_day: str | None, calendar: str) -> str:
    if spoken := _HAN_DATE.fullmatch(found):
        found = _from_han(spoken[0])
    if republic := _ROC.fullmatch(found):
        found, calendar = republic[1], "roc"
    if parts := _DATE.fullmatch(found):
        return _made(raw, parts[1], parts[3], parts[4], calendar)
    if parts := _NO_YEAR.fullmatch(found):
        if not document_day:
            raise bad(raw, "a date with a year")
        made = _made(raw, document_day[:4], parts[1], parts[2])
        if made[: len(document_day)] > document_day:
            raise bad(raw, f"{TOO_LATE} {document_day})")
        return made
    if parts := _COMPACT_MONTH.fullmatch(found):
        return _made(raw, parts[1], parts[2], None)
    if (parts := _COMPACT.fullmatch(found)) and (len(parts[1]) == 4 or calendar == "roc"):
        return _made(raw, parts[1], parts[2], parts[3], calendar)
    if (parts := _YEAR.fullmatch(found)) or (calendar == "roc" and (parts := re.fullmatch(r"([0-9]{2,3})年", found))):
        return _made(raw, parts[1], None, None, calendar)
    raise bad(raw, _EXPECTED)


def _made(raw: object, year: str, month: str | None, day: str | None, calendar: str = "ce") -> str:
    number = int(year)
    if calendar == "roc" and number < 1000:
        number += 1911
    elif len(year) < 4:
        raise bad(raw, f"{_EXPECTED}, with a year of four digits")
    if not YEARS[0] <= number <= YEARS[1]:
        raise bad(raw, f"{_EXPECTED}, in {YEARS[0]} to {YEARS[1]}")
    try:
        whole = Date(number, int(month or 1), int(day or 1)).isoformat()
    except ValueError:
        raise bad(raw, "a day that exists") from None
    return whole if day else whole[:7] if month else whole[:4]


def _serial(number: float) -> str:
    return (Date(1899, 12, 30) + timedelta(days=int(number))).isoformat()


def _instant(raw: object, found: str, document_day: str | None, calendar: str) -> str:
    parts = _TIME.fullmatch(found)
    if parts is None or int(parts[2]) > 23 or int(parts[3]) > 59:
        raise bad(raw, _EXPECTED)
    made = _date(raw, parts[1].replace(" ", ""), document_day, calendar)
    if parts[5] and len(made) == 10:
        zone = "+00:00" if parts[5] == "Z" else parts[5]
        try:
            return datetime.fromisoformat(f"{made}T{int(parts[2]):02d}:{parts[3]}:00{zone}").astimezone(CHINA).date().isoformat()
        except (ValueError, OverflowError):
            raise bad(raw, _EXPECTED) from None
    return made


def _from_han(spoken: str) -> str:
    year, _, rest = spoken.partition("年")
    parts = ["".join(_HAN_DIGIT[digit] for digit in year)]
    for number in re.findall("[一二三四五六七八九十]+", rest):
        tens, ten, ones = number.rpartition("十")
        if len(tens) > 1 or len(ones) > 1:
            raise bad(spoken, _EXPECTED)
        parts.append(str((int(_HAN_DIGIT[tens]) if tens else 1) * 10 + int(_HAN_DIGIT.get(ones, "0"))) if ten else _HAN_DIGIT[number])
    return "-".join(parts) if len(parts) > 1 else f"{parts[0]}年"


def day(raw: object, *, document_day: str | None = None, calendar: str = "ce") -> str | None:
    """A date that is known to the day."""
    found = date(raw, document_day=document_day, calendar=calendar)
    if found is not None and len(found) != 10:
        raise bad(raw, f"{_EXPECTED}, to the day")
    return found


def month(raw: object, *, calendar: str = "ce") -> str | None:
    """A month as YYYY-MM."""
    if type(raw) is str and _ISO_MONTH.fullmatch(raw) and raw >= "1901":
        return raw
    found = date(raw, calendar=calendar)
    if found is not None and len(found) != 7:
        raise bad(raw, "a month such as 2026-01")
    return found
