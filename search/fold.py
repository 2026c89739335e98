"""Fold what people type and what registers print into one spelling, so that both sides of a search can be compared.

Character by character, on purpose. Conversion by phrases keeps 乾 in 乾隆 and makes 干 of it elsewhere: then half a name folds to something
that is not half of the folded name. Merging 乾 and 干 everywhere costs nothing here, since both sides are merged and nothing folded is shown.

OpenCC (Apache-2.0, wheels, releases every few months) and not zhconv (GPL-2.0-or-later, which our licence cannot carry). By phrases OpenCC
took 2.4 and zhconv 4.0 microseconds a name; the table below, filled from OpenCC as characters are met, takes 0.8.
"""

import unicodedata
from functools import cache

from opencc import OpenCC

REMEMBERED = 65_536  # characters; what all real text needs many times over, and hostile text cannot fill memory


def fold(text: str) -> str:
    """Words of letters and digits, one space between them: Simplified, half width, lower case, Latin without accents.

    Punctuation, brackets, symbols, emoji and control characters part words; what is invisible (zero width, combining marks) vanishes.
    Whatever comes in, `fold` never raises.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS).split())


def compact(text: str) -> str:
    """`fold` without the spaces: how names are compared, since （ ） · and blanks in a name are nobody's to remember."""
    return fold(text).replace(" ", "")


def simple(character: str) -> str:
    """A Chinese character in its one form: Simplified for Traditional (瑶 for 瑤) and for Japan's (德 for 徳). For names that are compared one
    with another; an index has the forms of `fold`, which leaves Japan's alone."""
    return _simplified(_converter("jp2t").convert(character))


@cache
def _converter(name: str) -> OpenCC:
    return OpenCC(name)


def _simplified(character: str) -> str:
    while (simpler := _converter("t2s").convert(character)) != character and len(simpler) == 1:
        character = simpler  # until nothing changes: one step leaves some characters Traditional
    return character


def _letter(character: str) -> str:
    """What one character of normalised, case-folded text becomes: itself, another, a space or nothing."""
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if category[0] not in "LNM":
        return " "  # private use too: `grams` marks the ends of a value with such characters
    if category == "Lo" and ord(character) >= 0x2E80:
        return _simplified(character)
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character


class _Letters(dict[int, str]):
    def __missing__(self, code: int) -> str:
        letter = _letter(chr(code))
        if len(self) < REMEMBERED:
            self[code] = letter
        return letter


_LETTERS = _Letters()
