"""What tells one institution from another: its name, letter by letter, and a number that is long enough to be nobody else's.

By these alone a notice is linked and a row of somebody's spreadsheet is called the same. What is only alike is for people to look at.
"""

import re
import unicodedata

LEAST_DIGITS = 6
_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord("【"): "[", ord("】"): "]", ord("〔"): "[", ord("〕"): "]"}


def name_key(name: str | None) -> str | None:
    """A name for exact comparison: width, case, spaces and the shape of brackets do not count, every other character does.

    Not NFKC: it makes ① a 1, and 启明① is another institution than 启明1.
    """
    if name is None:
        return None
    return _SPACE.sub("", unicodedata.normalize("NFC", name).translate(_WIDE)).casefold() or None


def tells_apart(permit: str | None) -> bool:
    """Whether a permit number is long enough to be one institution's: 办理中, 是 and 12号 are many's."""
    return permit is not None and sum(character.isdigit() for character in permit) >= LEAST_DIGITS
