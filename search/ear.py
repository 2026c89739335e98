"""Which documents have a name that sounds like letters that were typed: as syllables of pinyin, or as their initials.

Characters of one reading are looked up together, in the postings of the characters themselves; what is left is held against the names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .document import INITIALS, Match
from .letters import FIRST, START
from .postings import NOBODY, Documents, Postings
from .rank import Field, matched_in
from .readings import PATHS, Sounds, divided, is_usual, spoken
from .stored import Stored, values

MOST_INITIALS = 24
HEARD = 0.9  # the score of what is only heard, at most
BESIDE = 0.1  # what it adds to a score that what was typed in characters stands beside what was typed in letters, as it was typed
RARE = 0.1  # and what it takes from it that a character is not read as it mostly is: 奇 is qi, and yi in a word that nobody uses
JOINED = 500  # and of which so few are left that this is quicker than looking up more pairs
HELD = 4_000  # documents whose names are held against letters; of more, the others are taken by the pairs that they have


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The characters that are read so, whether each of all is, and how much is kept of the pairs that they begin."""

    codes: NDArray[Any]
    table: NDArray[np.bool_]
    often: int


class Ear:
    """The names of an open index as they sound."""

    def __init__(self, stored: Stored, names: Postings) -> None:
        self._stored, self._names = stored, names
        self.sounds = Sounds(stored.points)
        often = names.often()

        def sound(codes: NDArray[Any]) -> Sound:
            table = np.zeros(len(stored.points), bool)
            table[codes] = True
            return Sound(codes, table, int(often[codes].sum()))

        self._start = sound(np.array([START]))
        self._read = cache(lambda syllable: sound(self.sounds.having(syllable)))
        self._begin = cache(lambda letter: sound(self.sounds.beginning(letter)))

    def sounding(self, *words: str, start: bool = False) -> Documents:
        """The documents with a name in which characters that can be read like these words stand in a row."""
        ways: list[tuple[str, ...]] = [()]
        for word in words:
            ways = [(*way, *more) for way in ways for more in divided(word)][:PATHS]
        having = cache(self._having)  # the ways have most pairs in common
        found = [some for way in ways if len(way) > 1 and len(some := self._found(list(map(self._read, way)), having, start))]
        return found[0] if len(found) == 1 else np.unique(np.concatenate([NOBODY, *found]))

    def beginning_with(self, *words: str, start: bool = False) -> Documents:
        """The documents with a name in which characters with these initials stand in a row."""
        letters = "".join(words)
        if not 2 <= len(letters) <= MOST_INITIALS:
            return NOBODY
        return self._found(list(map(self._begin, letters)), self._having, start)

    def heard(self, words: Sequence[str], by: str, names: str, fields: Sequence[Field]) -> tuple[float, tuple[Match, ...]]:
        """The score of a document whose names sound like the words, and why."""
        best: dict[str, float] = {}
        letters = "".join(word for word in words if word.isascii() and word.isalpha())
        rest = [word for word in words if not (word.isascii() and word.isalpha())]
        for number, value in values(names):
            for text in dict.fromkeys((letters, *words)):
                if text.isascii() and (span := self._spoken(text, value, by, words)):
                    start, end, beside = span
                    share = (end - start) / len(value)
                    worth = (0.57 if by == INITIALS else 0.7) + (0.1 if share == 1 else 0.06 if start == 0 else 0.0) + 0.05 * share
                    worth = min(worth + BESIDE * beside - RARE * (not is_usual(text, value[start:end], by == INITIALS)), HEARD)
                    best[fields[number].name] = max(
                        best.get(fields[number].name, 0), worth * (0.4 + 0.6 * fields[number].weight) * (1.0 if text == letters else 0.8)
                    )
            for word in rest:
                if word in value:
                    best.setdefault(fields[number].name, 0.3)
        return max(best.values(), default=0.3), tuple(matched_in(name, by) for name in sorted(best, key=lambda name: (-best[name], name)))

    def _spoken(self, text: str, value: str, by: str, words: Sequence[str]) -> tuple[int, int, bool] | None:
        """Where a value sounds so, and whether what stands there beside it is what was typed beside it: such a place comes before the first one."""
        first, at = None, 0
        before = {one for one, other in pairwise(words) if other == text and not one.isascii()}
        after = {other for one, other in pairwise(words) if one == text and not other.isascii()}
        while span := spoken(text, value[at:], by == INITIALS):
            start, end = at + span[0], at + span[1]
            first = first or (start, end, False)
            if any(value.endswith(one, 0, start) for one in before) or any(value.startswith(other, end) for other in after):
                return start, end, True
            if not before and not after:
                break
            at = start + 1
        return first

    def _found(self, each: Sequence[Sound], having: Callable[[Sound, Sound], NDArray[np.bool_]], start: bool) -> Documents:
        """The documents with a name in which a character of each set stands in a row: the pairs that few names have are looked up first, and no more
        where few are left."""
        order = sorted(range(len(each) - 1), key=lambda spot: each[spot].often * each[spot + 1].often)
        mask = having(self._start, each[0]) if start else None
        for spot in order:
            if mask is not None and np.count_nonzero(mask) < JOINED:
                break
            has = having(each[spot], each[spot + 1])
            mask = has if mask is None else mask & has
        some = NOBODY if mask is None else np.flatnonzero(mask).astype(np.uint32)
        return self._held(some, [one.table for one in each], start)

    def _having(self, one: Sound, other: Sound) -> NDArray[np.bool_]:
        """Which documents have a name in which a character of the other stands after one of the one."""
        mask = np.zeros(self._names.documents, bool)
        self._names.union(self._names.paired(one.codes, other.table), mask)
        return mask

    def _held(self, documents: Documents, tables: Sequence[NDArray[np.bool_]], start: bool) -> Documents:
        """Those with a name in which a character of each table stands in a row: of many, the first are looked at, which are those that are shown."""
        if not len(documents) or (len(tables) == 2 and not start):
            return documents  # two in a row are a pair, and that was looked up
        documents, others = documents[:HELD], NOBODY if start else documents[HELD:]  # for suggestions, the first are enough
        codes, of = self._stored.gathered(documents)
        spots = np.flatnonzero(tables[0][codes])
        for place, table in enumerate(tables[1:], 1):
            spots = spots[spots + place < len(codes)]
            spots = spots[table[codes[spots + place]]]  # a mark is in no table, so a run stays in one value
        if start:
            spots = spots[codes[spots - 1] < FIRST]
        return np.concatenate([documents[np.unique(of[spots])], others])
