"""How Chinese characters are read, without tones, and how letters that somebody typed are divided into syllables.

A character has every reading that the dictionary gives it, in any word: 重庆 is found by chongqing and by zhongqing, 厦门 by xiamen, 单县 by shanxian
and 番禺 by panyu. A reading by phrases would be one of them, and 43 MiB of phrases in every process; what is too many is told apart by the characters
beside it. ü is v, as keyboards have it, and u.
"""

import os
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_kept = os.environ.get("PYPINYIN_NO_PHRASES")
os.environ["PYPINYIN_NO_PHRASES"] = "true"  # the library's own switch: 13 MiB and 0.1 s instead of 56 and 0.4
from pypinyin.pinyin_dict import pinyin_dict  # noqa: E402

if _kept is None:
    del os.environ["PYPINYIN_NO_PHRASES"]
else:
    os.environ["PYPINYIN_NO_PHRASES"] = _kept

MOST = 4  # readings of a character that are kept; a fifth is no reading of today
PATHS = 6  # ways to divide letters that are tried
LONGEST = 6  # letters of a syllable: zhuang
_LATIN = re.compile("[a-z]+")


@cache
def _plain(reading: str) -> tuple[str, ...]:
    """A reading as it is typed, without its tone; () for what nobody types, such as the readings of interjections."""
    parts = unicodedata.normalize("NFD", reading)
    letters = "".join(letter for letter in parts if letter.isascii())
    if not _LATIN.fullmatch(letters) or not set(letters) & set("aeiou"):
        return ()
    return (letters.replace("u", "v"), letters) if "\u0308" in parts else (letters,)


@lru_cache(maxsize=65_536)
def syllables(character: str) -> tuple[str, ...]:
    """The readings of a character, the usual one first; () for what is no Chinese character."""
    readings = pinyin_dict.get(ord(character), "").split(",")
    return tuple(dict.fromkeys(plain for reading in readings for plain in _plain(reading)))[:MOST]


@cache
def known() -> dict[str, int]:
    """Every syllable that there is, with a number from 1 on."""
    readings = {reading for readings in pinyin_dict.values() for reading in readings.split(",")}
    return {each: number for number, each in enumerate(sorted({plain for reading in readings for plain in _plain(reading)}), 1)}


@lru_cache(maxsize=4_096)
def divided(letters: str) -> tuple[tuple[str, ...], ...]:
    """The ways to read letters as syllables, those of the fewest first: xian is xian and xi'an. () where there is none."""
    every = known()
    ways: list[list[tuple[str, ...]]] = [[()], *([] for _ in letters)]
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - LONGEST), end):
            if ways[start] and letters[start:end] in every:
                ways[end] += [(*way, letters[start:end]) for way in ways[start]]
        ways[end] = sorted(ways[end], key=len)[:PATHS]
    return tuple(ways[-1])


def sounds_like(one: str, other: str) -> bool:
    """Whether two characters have a reading in common."""
    return one == other or not set(syllables(one)).isdisjoint(syllables(other))


@lru_cache(maxsize=65_536)
def _typed(character: str) -> tuple[str, ...]:
    """What may be typed for a character: it, or a reading of it."""
    return (character, *syllables(character))


@lru_cache(maxsize=65_536)
def _typed_first(character: str) -> tuple[str, ...]:
    return (character, *dict.fromkeys(each[0] for each in syllables(character)))


def spoken(letters: str, text: str, initials: bool = False) -> tuple[int, int] | None:
    """Where characters stand in a row in a text that can be read as these letters, or have them as initials: the first such place."""
    typed = _typed_first if initials else _typed
    for start, character in enumerate(text):
        if not letters.startswith(typed(character)):
            continue
        rests = {letters}
        for end in range(start, len(text)):
            readings = typed(text[end])
            rests = {rest[len(each) :] for rest in rests for each in readings if rest.startswith(each)}
            if "" in rests:
                return start, end + 1
            if not rests:
                break
    return None


def is_usual(letters: str, text: str, initials: bool = False) -> bool:
    """Whether letters are the first readings of the characters of a text that can be read so, or their initials."""
    first = [typed[0] if (typed := syllables(character)) else character for character in text]
    return letters == "".join(each[0] for each in first) if initials else letters == "".join(first)


class Sounds:
    """The readings of the characters of an index, by their numbers."""

    def __init__(self, points: NDArray[np.uint32]) -> None:
        numbers = known()
        initials = np.zeros((26, len(points)), bool)  # whether a character begins with each letter; a Latin letter begins with itself
        self._having: dict[int, list[int]] = {}
        for code, point in enumerate(points.tolist()):
            if 97 <= point <= 122:
                initials[point - 97, code] = True
            elif point >= 0x2E80:
                for each in syllables(chr(point)):
                    initials[ord(each[0]) - 97, code] = True
                    self._having.setdefault(numbers[each], []).append(code)
        self._initials = [np.flatnonzero(row) for row in initials]
        self._codes = {number: np.array(codes, np.uint32) for number, codes in self._having.items()}

    def beginning(self, letter: str) -> NDArray[Any]:
        """The characters of which a reading begins with a letter."""
        return self._initials[ord(letter) - 97]

    def having(self, syllable: str) -> NDArray[np.uint32]:
        """The characters with this reading."""
        return self._codes.get(known().get(syllable, 0), np.empty(0, np.uint32))

    def like(self, character: str) -> NDArray[np.uint32]:
        """The characters that share one of the two usual readings of this one."""
        found = [self.having(each) for each in syllables(character)[:2]]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.uint32)
