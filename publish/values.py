"""From what a source wrote to a value of a kind: one function each, `parser` for the validator.

A function returns the value, or None where the source says that there is none (SENTINELS), or raises BadValue saying what was found and
what was expected. It raises nothing else whatever it is given: text, numbers, NaN, lists, a cell of 10 MB. It never guesses: O and 0 stay
what they are, an amount without a unit is refused, a day that does not exist is refused. It knows one value and no record.

Microseconds a call, on one quiet core: integer, number 0.1; text, name 0.4; url, month, flag, histogram 0.6; day and date 1.4 in ISO and 3.5
to 7 otherwise; permit_no 1.5; fen 3; credit_code 3. The validator remembers what repeats.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from operator import getitem
from urllib.parse import unquote, urlsplit

from stdnum.cn import uscc

from .cleaning import SENTINELS, bad, clean, folded, holds_mobile, holds_resident_id, is_resident_id, name, prose, text, words, written
from .dates import date, day, month
from .errors import BadDeclaration, BadValue

Value = str | int | float | list[int] | None

MAX_INTEGER = 2**63 - 1  # what SQLite holds
EXACT = 2**53  # up to here every whole number is a float
PENDING = words("是 办理中 正在办理 正在办理中")  # the credit code "is being processed"
NO_PERMIT = PENDING | words(
    "有 否 0 教民 无证 无许可证 无办学许可证 无办学许可 没有 未取得 未办理 未取得办学许可证 未办理办学许可证 已注销 注销 已吊销 见附件 详见附件 另附 待定 待办 申请中 审批中"
)

# Numbers

_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_PLAIN = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?")
_AREA = re.compile(r"(.*?)(?:平方米|平米|m2)", re.IGNORECASE)
_MONEY = re.compile(r"(?:人民币|RMB|CNY)?([¥￥])?([0-9][0-9,.]{0,40})(万元|万|元整|元|圆整|圆)?(?:人民币)?", re.IGNORECASE)
_UNCLEAR_WAN = 10_000  # 100 million yuan: a bare number so large in a column of 万元 is in yuan as likely as not


def _plain(found: str) -> str | None:
    if _PLAIN.fullmatch(found):
        return found
    return found.replace(",", "") if _GROUPED.fullmatch(found) and len(found) < 40 else None


def integer(raw: object) -> int | None:
    """A whole number that a 64-bit column holds."""
    if type(raw) is int and -MAX_INTEGER <= raw <= MAX_INTEGER:
        return raw
    found = folded(raw, "a whole number").replace(" ", "")
    if found.lower() in SENTINELS:
        return None
    plain = _plain(found)
    if plain is None or (value := Decimal(plain)) != int(value) or abs(value) > MAX_INTEGER:
        raise bad(raw, "a whole number")
    return int(value)


def number(raw: object) -> float | None:
    """A finite number; an area may say 平方米."""
    if type(raw) is float and math.isfinite(raw):
        return raw
    if type(raw) is int and -EXACT <= raw <= EXACT:
        return float(raw)
    found = folded(raw, "a number").replace(" ", "")
    if found.lower() in SENTINELS:
        return None
    if area := _AREA.fullmatch(found):
        found = area[1]
    plain = _plain(found)
    if plain is None:
        raise bad(raw, "a number")
    return float(plain)


def share(raw: object) -> float | None:
    """A share from 0 to 1; 85% is 0.85."""
    percent = isinstance(raw, str) and len(raw) < 40 and unicodedata.normalize("NFKC", raw).strip().endswith("%")
    value = number(unicodedata.normalize("NFKC", str(raw)).strip()[:-1] if percent else raw)
    if value is not None and percent:
        value = float(Decimal(repr(value)) / 100)
    if value is not None and not 0 <= value <= 1:
        raise bad(raw, "a share from 0 to 1, or a percentage")
    return value


def fen(raw: object, unit: str | None = "yuan") -> int | None:
    """Money in fen (1/100 CNY). Exact: never through binary fractions.

    `unit` is that of a bare number: "yuan" or "wanyuan". A unit in the cell is plainer than the column's and wins. What stays unclear is
    refused (rule 12): no unit at all, a ¥ in a column of 万元, a bare number of 万元 that would be 100 million yuan, parts of a fen.
    """
    if isinstance(raw, float) and math.isfinite(raw):
        raw = format(raw, ".15g")  # what a spreadsheet shows; the binary digits after that are noise
    found = folded(raw, "an amount of money").replace(" ", "")
    if found.lower() in SENTINELS:
        return None
    parts = _MONEY.fullmatch(found)
    plain = _plain(parts[2]) if parts else None
    if parts is None or plain is None:
        raise bad(raw, "an amount of money in 元 or 万元")
    named = {"万": "wanyuan", "元": "yuan", "圆": "yuan"}[parts[3][0]] if parts[3] else None
    unit = named or unit
    amount = Decimal(plain)
    if unit not in ("yuan", "wanyuan") or (not named and unit == "wanyuan" and (parts[1] or amount >= _UNCLEAR_WAN)):
        raise bad(raw, "an amount whose unit is clear (元 or 万元)")
    total = amount * (100 if unit == "yuan" else 1_000_000)
    if total != int(total) or total > MAX_INTEGER:
        raise bad(raw, "an amount in whole fen")
    return int(total)


_FLAGS = dict.fromkeys(words("是 有 true yes y 1 √ ✓"), 1) | dict.fromkeys(words("否 无 無 没有 false no n 0 × ✗"), 0)


def flag(raw: object) -> int | None:
    """1 or 0. 无 is 0 here and no sentinel."""
    if raw is True or raw is False:
        return int(raw)
    found = folded(raw, "是 or 否").lower()
    if found in _FLAGS:
        return _FLAGS[found]
    if found in SENTINELS:
        return None
    raise bad(raw, "是 or 否, 有 or 无, true or false, 1 or 0")


# Identifiers and the rest

_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # in the order of their values
_PERMIT = re.compile(r"教民第?([0-9]{15}|[0-9]{13})号?")
_YEAR_AND_NUMBER = re.compile(r"[\u3400-\u9fff][〔\[(【](?:19|20)[0-9]{2}[〕\])】]第?[0-9]{1,5}")
_WHOLE_MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]-?[0-9]{4}-?[0-9]{4}")
_DIGITS = frozenset("0123456789")
_PLAIN_URL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*[a-z0-9](?:/[A-Za-z0-9/._~?=%-]*)?")
_MANY_DIGITS = re.compile(r"[0-9]{3}[-_.+ ]?[0-9]{4}[-_.+ ]?[0-9]{4}")
_HISTOGRAM = re.compile(r"\[?[0-9]{1,10}(?:[,;|][0-9]{1,10}){0,99}\]?")


@lru_cache(1024)  # of one record it is asked twice and more
def is_credit_code(code: str) -> bool:
    """Whether 18 upper-case characters are a credit code: charset and check character (GB 32100-2015, section 4)."""
    # stdnum.cn.uscc.validate refuses letters among the first eight, which registrars A, N and Y use; its check character is right for them.
    return _CREDIT.fullmatch(code) is not None and code[-1] == _check_character(code) and len(set(code[:-1])) > 1


@cache
def _moves() -> tuple[dict[str, int], ...]:
    """How far on in _CHARACTERS each character at each place moves the check character: stdnum's word for it, once instead of 5 microseconds a code."""
    return tuple({one: _CHARACTERS.index(uscc.calc_check_digit("0" * place + one)) for one in _CHARACTERS} for place in range(17))


def _check_character(code: str) -> str:
    return _CHARACTERS[sum(map(getitem, _moves(), code)) % len(_CHARACTERS)]


def credit_code(raw: object) -> str | None:
    """A unified social credit code whose check character is right (GB 32100-2015). 是 ("being processed") is None.

    Lower case, full width, spaces and hyphens are undone; O and 0, I and 1 are not guessed.
    """
    found = raw if isinstance(raw, str) and len(raw) == 18 and raw.isascii() else folded(raw, "a credit code of 18 characters")
    if not found.isalnum() or not found.isupper():
        found = re.sub(r"[\s\-–—]", "", found) if len(found) > 2 else found
        if found.lower() in SENTINELS or found in PENDING:
            return None
        found = found.upper()
    if len(found) != 18:
        raise bad(raw, "a credit code of 18 characters")
    if not is_credit_code(found):
        raise bad(raw, "a credit code whose check character is right")
    if is_resident_id(found):
        raise BadValue("found an identity number; expected a credit code, which this would pass for")
    return found


_ISSUED = re.compile(r"[\u4e00-\u9fff]{2,}[字第證证号號〔〕\[\]()\w]*\d")  # 府教社字第70226號: a real register has 1,139 of 17,657 so short


def permit_no(raw: object) -> str | None:
    """A permit number in one spelling: 教民 and 13 or 15 digits; another form of six digits or more, or of an
    authority's word and three, or of 〔year〕 and number, without spaces
    and a closing 号. None for words such as 办理中: as a number they would link everybody who is waiting for one.
    """
    if type(raw) is str and (parts := _PERMIT.fullmatch(raw)):  # as most are
        return f"教民{parts[1]}"
    found = folded(raw, "a permit number").replace(" ", "").upper()
    if found.lower() in SENTINELS or found in NO_PERMIT:
        return None
    if len(found) > 60:
        raise bad(raw, "a permit number of at most 60 characters")
    if parts := _PERMIT.fullmatch(found):
        return f"教民{parts[1]}"
    if _WHOLE_MOBILE.fullmatch(found) or holds_resident_id(found):
        raise BadValue("found a telephone or identity number; expected a permit number")
    digits = sum(character in _DIGITS for character in found)
    if digits < 6 and not _YEAR_AND_NUMBER.search(found) and not (digits >= 3 and _ISSUED.match(found)):
        raise bad(raw, "a permit number of at least 6 digits, or of an authority's word and 3")
    return found.removesuffix("号").removesuffix("號")


def url(raw: object) -> str | None:
    """An http or https address without a password in it, and without a mobile or identity number after the host, percent-encoded or not."""
    if isinstance(raw, str) and len(raw) < 2000 and _PLAIN_URL.fullmatch(raw):
        return _impersonal(raw, raw)
    found = clean(written(raw, "a web address"))
    if found.lower() in SENTINELS:
        return None
    try:
        parts = urlsplit(found)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise bad(raw, "a web address") from None
    if parts.scheme.lower() not in ("http", "https") or not host or port == 0 or parts.username is not None or len(found) > 2000:
        raise bad(raw, "a web address that begins with http:// or https://")
    if any(character.isspace() or character in "\"'<>\\^`{|}" for character in found):
        raise bad(raw, "a web address without spaces, quotes or brackets")
    return _impersonal(raw, found)


def _impersonal(raw: object, found: str) -> str:
    """The address, unless it holds a number that leads to a person. Most have too few digits to look further."""
    if not _MANY_DIGITS.search(found) and "%" not in found and found.isascii():
        return found
    decoded = unicodedata.normalize("NFKC", unquote(unquote(found.partition("//")[2].partition("/")[2] or found.partition("?")[2])))
    if holds_mobile(decoded) or holds_resident_id(decoded):
        raise BadValue("found a web address with a telephone or identity number in it; expected one without")
    return found


def histogram(raw: object, scale_max: int | None = None) -> list[int]:
    """How many ratings of each score, from 1 to the top of the scale."""
    if (
        type(raw) is list
        and 2 <= len(raw) <= 100
        and set(map(type, raw)) == {int}
        and min(raw) >= 0
        and max(raw) <= MAX_INTEGER
        and scale_max is None
    ):
        return raw  # a record's own list, as nearly all of millions are
    if isinstance(raw, str):
        found = folded(raw, "a list of counts").replace(" ", "")
        if not _HISTOGRAM.fullmatch(found):
            raise bad(raw, "a list of counts such as [0,1,2,3,4]")
        raw = [int(count) for count in re.split("[,;|]", found.strip("[]"))]
    if not isinstance(raw, list | tuple) or not 2 <= len(raw) <= 100:
        raise bad(raw, "a list of 2 to 100 counts")
    if scale_max is not None and len(raw) != scale_max:
        raise BadValue(f"found {len(raw)} counts; expected {scale_max}, one for each score")
    for count in raw:
        if type(count) is not int or not 0 <= count <= MAX_INTEGER:
            raise bad(count, "a count: a whole number, not negative")
    return list(raw)


_PLAIN_KINDS: dict[str, Callable[[object], Value]] = {
    "text": text, "key": text, "name": name, "prose": prose, "integer": integer, "number": number, "share": share, "flag": flag,
    "credit_code": credit_code, "permit_no": permit_no, "url": url,
}  # fmt: skip
KINDS = (*_PLAIN_KINDS, "date", "day", "month", "fen", "histogram")


def parser(
    kind: str, *, unit: str | None = None, calendar: str = "ce", document_day: str | None = None, scale_max: int | None = None
) -> Callable[[object], Value]:
    """The function that reads a cell as `kind`, with what the source file says about it. Codes, regions and references have tables of their own."""
    if kind in _PLAIN_KINDS:
        return _PLAIN_KINDS[kind]
    if kind == "date":
        return lambda raw: date(raw, document_day=document_day, calendar=calendar)
    if kind == "day":
        return lambda raw: day(raw, document_day=document_day, calendar=calendar)
    if kind == "month":
        return lambda raw: month(raw, calendar=calendar)
    if kind == "fen":
        return lambda raw: fen(raw, unit)
    if kind == "histogram":
        return lambda raw: histogram(raw, scale_max)
    raise BadDeclaration(f"kind {kind!r} has no parser; expected one of {', '.join(KINDS)}")
