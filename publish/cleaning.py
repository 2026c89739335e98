"""What was written in a cell, made fit to be shown or matched; the words that mean "nothing"; how a bad value is described.

`clean` is for what a reader sees and changes no visible character; `folded` undoes full width and compatibility forms too and is for
numbers, dates and codes. Nothing here knows a kind.
"""

import html
import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from .errors import BadValue

MAX_TEXT = 100_000  # characters; the longest real text seen has 1,004
MAX_NAME = 300
MAX_SHORT = 4_000  # of what is folded and matched: no number, date or address of ours is longer


def words(spaced: str) -> frozenset[str]:
    """The words of a text with spaces between them, to keep a table of many short ones readable."""
    return frozenset(spaced.split())


# What sources write for "nothing", after cleaning and in lower case. A name that reads so is refused, not taken for absent.
SENTINELS = frozenset([*words("暂无 暂无数据 暂无信息 无 無 不详 未知 空 / // \\ - -- --- — —— － n/a null none nan"), ""])

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Controls, soft hyphen, zero-width and direction marks, lone surrogates, non-characters.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_SPACE = re.compile(r"\s+")
_LINES = re.compile(r"\s*\n\s*")
_SPACE_IN_LINE = re.compile(r"[^\S\n]+")


def shown(raw: object) -> str:
    """What was found, short enough for a message whatever it was."""
    if isinstance(raw, str):
        return repr(raw) if len(raw) <= 60 else f"{raw[:60]!r}… ({len(raw)} characters)"
    if isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < 1e18:
        return str(raw)
    return "a number out of range" if isinstance(raw, int | float) and not isinstance(raw, bool) else type(raw).__name__


def bad(raw: object, expected: str) -> BadValue:
    """The complaint that a cell is not what was expected."""
    return BadValue(f"found {shown(raw)}; expected {expected}")


def written(raw: object, expected: str, limit: int = MAX_SHORT) -> str:
    """The cell as text; a whole number loses the .0 that a spreadsheet gave it."""
    if isinstance(raw, str):
        if len(raw) > limit:
            raise bad(raw, f"{expected} of at most {limit} characters")
        return raw
    if raw is None:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or (isinstance(raw, int) and abs(raw) > 10**40) or not math.isfinite(raw):
        raise bad(raw, expected)
    return str(int(raw)) if raw == int(raw) else repr(raw)


def clean(written: str, keep_lines: bool = False) -> str:
    """Text as a reader may see it: entities undone, no invisible characters, NFC, single spaces; with `keep_lines` its line breaks."""
    if "&" in written:
        for _ in range(3):  # real registers hold &amp;#38954;
            unescaped = _ENTITY.sub(lambda entity: html.unescape(entity[0]), written)
            if unescaped == written:
                break
            written = unescaped
    if not written.isprintable():
        written = INVISIBLE.sub("", written.replace("\r\n", "\n").replace("\r", "\n"))
    if not unicodedata.is_normalized("NFC", written):
        written = unicodedata.normalize("NFC", written)
    if keep_lines and "\n" in written:
        return _LINES.sub("\n", _SPACE_IN_LINE.sub(" ", written)).strip()
    if not written.isprintable() or "  " in written:
        written = _SPACE.sub(" ", written)
    return written.strip()


def is_clean(written: str) -> bool:
    """Whether `clean` would give the text back as it is, said in a fifth of the time: nearly every cell is."""
    return (
        written.isprintable()
        and "&" not in written
        and "  " not in written
        and len(written) <= MAX_NAME
        and written[:1] != " " != written[-1:]
        and unicodedata.is_normalized("NFC", written)
    )


def folded(raw: object, expected: str) -> str:
    """Short text with full width, compatibility forms and invisible characters undone: for what is matched, not shown."""
    return unicodedata.normalize("NFKC", clean(written(raw, expected))).strip()


def text(raw: object) -> str | None:
    """One line of text as it may be shown: no control characters, NFC, entities undone, single spaces. Idempotent but for entities of entities."""
    found = raw if type(raw) is str and is_clean(raw) else clean(written(raw, "text", MAX_TEXT))
    return None if len(found) < 5 and found.lower() in SENTINELS else found


def prose(raw: object) -> str | None:
    """Text that keeps its line breaks."""
    found = clean(written(raw, "text", MAX_TEXT), keep_lines=True)
    return None if len(found) < 5 and found.lower() in SENTINELS else found


def name(raw: object) -> str:
    """A name: text that is there and is not a sentinel."""
    found = raw if type(raw) is str and is_clean(raw) else clean(written(raw, "a name"))
    if len(found) > MAX_NAME:  # counted as it reads: as entities of entities a name of 26 characters has over 300
        raise bad(raw, f"a name of at most {MAX_NAME} characters")
    if len(found) < 5 and found.lower() in SENTINELS:
        raise bad(raw, "a name")
    return found


def texts(column: Sequence[str | None]) -> Sequence[str | None] | None:
    """What `text` gives of each of many cells, an empty one being None, where all are clean; None where one has to be looked at by itself."""
    found = _clean_together(column)
    if found is None or min(map(len, filter(None, found)), default=5) >= 5:
        return found
    return [None if one is None or (len(one) < 5 and one.lower() in SENTINELS) else one for one in found]


def names(column: Sequence[str | None]) -> Sequence[str | None] | None:
    """What `name` gives of each of many cells, likewise; None also where one is a sentinel, which is no name."""
    found = _clean_together(column)
    if found is None or any(len(one) < 5 and one.lower() in SENTINELS for one in found if one is not None):
        return None
    return found


def _clean_together(column: Sequence[str | None]) -> Sequence[str | None] | None:
    """The cells with None for empty ones, where `is_clean` holds for each: said of all in one, since what is true of a text is true of its parts."""
    there = list(filter(None, column))
    whole = f"|{'|'.join(there)}|"
    if (
        not whole.isprintable()
        or "&" in whole
        or "  " in whole
        or "| " in whole
        or " |" in whole
        or not unicodedata.is_normalized("NFC", whole)
        or max(map(len, there), default=0) > MAX_NAME
    ):
        return None
    return column if "" not in column else [one or None for one in column]


# Numbers that lead to a person and that a number of another kind must not be

PROVINCES = words(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"
)  # 91: of foreigners
_RESIDENT_ID = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_MOBILE = re.compile(r"(?<![0-9])(?:(?:\+|00)?86[-_.+ ]?)?1[3-9][0-9](?:[-_.+ ]?[0-9]{4}){2}(?![0-9])")


def is_day(digits: str) -> bool:
    """Whether eight digits are a day on which somebody who lives could be born, or later."""
    try:
        return 1850 < date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year < 2100
    except ValueError:
        return False


def has_resident_check(number: str) -> bool:
    """Whether the check character (ISO 7064 mod 11-2, GB 11643) of 18 characters is right."""
    if len(number) != 18 or not number.isascii() or not number[:17].isdigit():
        return False
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def is_resident_id(number: str) -> bool:
    """Whether place, birthday and check character of 18 characters are right; 1 credit code in some 12,000 is too."""
    return number[:2] in PROVINCES and has_resident_check(number) and is_day(number[6:14])


def holds_mobile(text: str) -> bool:
    """Whether a mobile number of the mainland is in a text whose width is undone."""
    return _MOBILE.search(text) is not None


def holds_resident_id(text: str) -> bool:
    """Whether a valid identity number is in a text whose width is undone."""
    return any(is_resident_id(match[0]) for match in _RESIDENT_ID.finditer(text))
