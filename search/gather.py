"""Which documents answer a question at all: sets of documents from postings.

`with_words` are those that have every pair of neighbouring characters of every word, `in_parts` those that have each word in parts. What is only near is
likeness.py's.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .ear import Ear
from .file import Array
from .letters import END, START
from .postings import NOBODY, SHORT, Documents, Postings
from .stored import Stored

# What looking at a document costs, and looking up a list of no length: in bytes of a short list that are read in that time.
LOOK, LOOK_UP = 110, 190
FEW = 12  # documents whose texts are looked at for each pair of a word in parts: as quick as looking up two lists
REMEMBERED = 10_000  # grams whose places are remembered, at most: 2 MB
HELD = 4_000  # documents whose texts are looked at for letters
_LETTERS = re.compile("[a-z]{3,}|^[0-9a-z]{3,}$")


class Gather:
    """The postings of an open index, and the characters that they are of."""

    def __init__(self, stored: Stored, arrays: dict[str, dict[str, Array]]) -> None:
        self._stored = stored
        self._documents = stored.count
        self.names = Postings(arrays["names"], stored.count)
        self.others = Postings(arrays["others"], stored.count)
        self.ear = Ear(stored, self.names)
        self._places: dict[int, tuple[int, int, int]] = {}

    def grams(self, word: str, *, start: bool = False, end: bool = False) -> list[int] | None:
        """The pairs of a word of two characters or more; None where a character is in no text."""
        codes = [START] * start + self._stored.coded(word) + [END] * end
        return None if -1 in codes else [one << 16 | other for one, other in pairwise(codes)]

    def _character(self, character: str, *families: Postings) -> NDArray[np.bool_]:
        mask = np.zeros(self._documents, bool)
        for family in families:
            code = self._stored.codes.get(character, -1)
            if code >= 0:
                family.union(family.beginning(code), mask)
        return mask

    def with_words(self, words: Sequence[str]) -> Documents:
        """The documents that have every pair of the words, in names or in other texts; of a word of one character, the character."""
        pairs: dict[int, str] = {}
        single = []
        for word in words:
            if len(word) == 1:
                single.append(word)
                continue
            grams = self.grams(word)
            if grams is None:
                return NOBODY
            for spot, gram in enumerate(grams):
                pairs[gram] = word[spot : spot + 2]
        lists = self._lists(pairs)
        if not all(size for size, *_ in lists):
            return NOBODY
        lists.sort()
        found: Documents | None = None
        for number, (size, name, other, _) in enumerate(lists):
            if found is None:
                found = self._either(name, other)
            elif LOOK * len(found) > LOOK_UP + min(size, SHORT + size // 16):
                found = found[self._has(name, other, found)]
            else:
                found = self._having([pair for *_, pair in lists[number:]], found)
                break
        if found is not None:
            found = self._spelling(words, found)
        for character in single:
            mask = self._character(character, self.names, self.others)
            found = np.flatnonzero(mask).astype(np.uint32) if found is None else found[mask[found]]
        return NOBODY if found is None else found

    def _lists(self, pairs: Mapping[int, str]) -> list[tuple[int, int, int, str]]:
        """Of each gram how much is kept of it, where it stands among those of names and of other texts, and its characters. The places of many grams
        are remembered: 培训 and its like are in every other question."""
        places = self._places
        if len(places) > REMEMBERED:
            places = self._places = {}
        if new := [gram for gram in pairs if gram not in places]:
            asked = np.array(new, np.uint32)
            names, others = self.names.each(asked), self.others.each(asked)
            sizes = self.names.sizes[names] + self.others.sizes[others]
            places.update(zip(new, zip(sizes.tolist(), names.tolist(), others.tolist(), strict=True), strict=True))
        return [(*places[gram], pair) for gram, pair in pairs.items()]

    def in_parts(self, words: Sequence[str]) -> Documents:
        """The documents that have the words in parts of two characters or more, each as long as can be: 朝阳新东方 is a region and a brand."""
        found: Documents | None = None
        had: set[int] = set()
        texts = cache(self._texts)
        for word in words:
            grams = self.grams(word)
            if grams is None or len(word) < 2 or word.isascii():
                return NOBODY
            found = self._in_parts(word, grams, found, had, texts)
            if not len(found):
                return NOBODY
        return NOBODY if found is None else self._spelling(words, found)

    def with_two(self, word: str, some: Documents) -> Documents:
        """A few documents that have every pair of a word; and where none has it in a row, those that have it in two parts: 新兴区科技 is a region and a trade,
        though an address in 新兴区科学路 has the pair where they meet."""
        if not 0 < len(some) <= FEW or len(word) < 4 or word.isascii() or any(word in self._texts(document) for document in some.tolist()):
            return some
        found = [some, *(self.with_words((word[:at], word[at:])) for at in range(2, len(word) - 1))]
        return np.unique(np.concatenate(found))

    def _in_parts(self, word: str, grams: Sequence[int], found: Documents | None, had: set[int], texts: Callable[[int], str]) -> Documents:
        """Those of some documents that have a word in parts. A part may have taken a pair that is only where two meet: one step back is tried."""
        spot = begun = 0
        before = earlier = found  # what was found without the last pair, and without the one before the place where two parts meet
        meet = -1
        while spot < len(grams) or begun == len(grams):
            some = NOBODY
            if spot < len(grams):
                if grams[spot] in had and found is not None:
                    some = found
                elif found is not None and len(found) <= FEW:
                    pair = word[spot : spot + 2]
                    some = found[[pair in texts(document) for document in found.tolist()]]
                else:
                    some = self._with(grams[spot], found)
            if len(some):
                had.add(grams[spot])
                before, found, spot = found, some, spot + 1
            elif spot > begun:
                earlier, meet = before, spot if spot > begun + 1 else -1
                begun = spot = spot + 1  # the pair that nobody has is where two parts meet
            elif meet < 0:
                return NOBODY  # nobody has what is left, or it is one character
            else:
                had.discard(grams[meet - 1])
                found, begun, spot, meet = earlier, meet, meet, -1
        return NOBODY if found is None else found

    def _with(self, gram: int, among: Documents | None) -> Documents:
        ((_, name, other, _),) = self._lists({gram: ""})
        return self._either(name, other) if among is None else among[self._has(name, other, among)]

    def _texts(self, document: int) -> str:
        return self._stored.names(document) + self._stored.others(document)

    def _spelling(self, words: Iterable[str], documents: Documents) -> Documents:
        """Those of some documents that have the letters of the words in a row: a few letters make many pairs that mean nothing apart."""
        letters = [run for word in words for run in _LETTERS.findall(word)]
        return self._having(letters, documents) if letters and len(documents) <= HELD else documents

    def _having(self, pairs: Sequence[str], documents: Documents) -> Documents:
        """Those whose texts have the pairs, by looking at them."""
        kept = []
        for document in documents.tolist():
            names, others = self._stored.names(document), None
            for pair in pairs:
                if pair not in names:
                    others = self._stored.others(document) if others is None else others
                    if pair not in others:
                        break
            else:
                kept.append(document)
        return np.array(kept, np.uint32)

    def _either(self, name: int, other: int) -> Documents:
        found = self.names.of(name) if name >= 0 else NOBODY
        if other < 0:
            return found
        more = self.others.of(other)
        if not len(found):
            return more
        both: Documents = np.concatenate([found, more])
        both.sort()
        once: Documents = both[np.append(True, both[1:] != both[:-1])]
        return once

    def _has(self, name: int, other: int, some: Documents) -> NDArray[np.bool_]:
        has = self.names.among(name, some) if name >= 0 else np.zeros(len(some), bool)
        if other >= 0 and not has.all():
            has |= self.others.among(other, some)
        return has

    def named(self, words: Iterable[str], among: Documents, *, start: bool = False, end: bool = False) -> Documents:
        """Those of some documents whose names have every pair of the words, or begin or end with them."""
        for word in words:
            if len(word) == 1 and not start:
                among = among[self._character(word, self.names)[among]]
                continue
            places = {self.names.place(gram) for gram in self.grams(word, start=start, end=end) or [-1]}
            if min(places) < 0 or not len(among):
                return NOBODY
            for place in sorted(places, key=lambda place: int(self.names.sizes[place])):  # the rarest first
                among = among[self.names.among(place, among)]
        return among

    def beginning(self, word: str) -> Documents:
        """The documents with a name that begins with the pairs of a word, though perhaps not in a row."""
        grams = self.grams(word, start=True)
        places = [self.names.place(gram) for gram in grams or [-1]]
        if min(places) < 0:
            return NOBODY
        places.sort(key=lambda place: int(self.names.sizes[place]))
        found = self.names.of(places[0])
        for place in places[1:]:
            found = found[self.names.among(place, found)]
        return found
