"""Which documents answer a question at all: sets of documents from postings.

`with_words` are those that have every pair of neighbouring characters of every word. `near` are those with the most, and the rarest, of the question's pairs, of pairs that sound like
them, and of pairs that a slip makes of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from .ear import Ear
from .file import Array
from .letters import END, START
from .postings import NOBODY, SHORT, Documents, Postings, crossed
from .stored import Stored

# What looking at a document costs, and looking up a list of no length: in bytes of a short list that are read in that time.
LOOK, LOOK_UP = 110, 190
BUDGET = 60_000  # entries of postings that are added up for one question
CLOSE, CLOSEST = 120, 32  # documents of which the longest common subsequence is asked, and those that are then looked at
TELLING = 8  # and beside them those that share what tells most
LEAST, UNKNOWN = 0.3, 3.0  # bits that a character tells at least, and where nobody has the pairs that it stands in
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

    def _codes(self, word: str) -> list[int]:
        return [self._stored.codes.get(character, -1) for character in word]

    def grams(self, word: str, *, start: bool = False, end: bool = False) -> list[int] | None:
        """The pairs of a word of two characters or more; None where a character is in no text."""
        codes = [START] * start + self._codes(word) + [END] * end
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
            for gram in set(self.grams(word, start=start, end=end) or [-1]):
                place = self.names.place(gram)
                if place < 0 or not len(among):
                    return NOBODY
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

    # -- by likeness -------------------------------------------------------------------------------------------------

    def rarity(self, run: str) -> list[float]:
        """What each character of a run tells of which document is meant, in bits: by how many have the pairs that it stands in."""
        codes = self._codes(run)
        grams = np.array([one << 16 | other if one >= 0 and other >= 0 else 0 for one, other in pairwise(codes)], np.uint32)
        sizes = np.zeros(len(grams))
        for family in (self.names, self.others):
            if len(family.grams):
                places = np.minimum(family.grams.searchsorted(grams), len(family.grams) - 1)
                sizes += np.where(family.grams[places] == grams, family.sizes[places], 0)
        bits = [0.0, *np.where(sizes > 0, np.log2(1 + self._documents / (1 + sizes)), 0.0).tolist(), 0.0]
        told = [max(pair) if min(pair) == 0.0 else sum(pair) / 2 for pair in pairwise(bits)]
        return [max(each, LEAST) if each else UNKNOWN for each in told]

    def near(self, run: str, weights: Sequence[float], scope: NDArray[np.bool_] | None) -> Documents:
        """The documents that share most with a run, by the rarity of what they share; `weights` are what each character of it tells."""
        codes = self._codes(run)
        wanted: dict[int, float] = {}
        for spot, one in enumerate(codes[:-1]):
            other = codes[spot + 1]
            if one >= 0 and other >= 0:
                wanted[one << 16 | other] = 1.0
                wanted.setdefault(other << 16 | one, 0.6)
            if spot + 2 < len(codes) and one >= 0 and codes[spot + 2] >= 0:
                wanted.setdefault(one << 16 | codes[spot + 2], 0.6)
            for gram in self._alike(run[spot], run[spot + 1], one, other, len(run) < 4):
                wanted.setdefault(gram, 0.8)
        scores = np.zeros(self._documents)
        grams = np.array(list(wanted), np.uint32)
        worth = np.array(list(wanted.values()))
        self._add(self.names, grams, worth, scores)
        exact = worth == 1.0
        self._add(self.others, grams[exact], worth[exact] * 0.5, scores)
        some = np.flatnonzero(scores if scope is None else scores * scope)
        if len(some) > CLOSE:
            some = some[np.argpartition(-scores[some], CLOSE)[:CLOSE]]
        if len(some) > CLOSEST:
            names = [self._stored.names(document) for document in some.tolist()]
            alike = process.cdist([run], names, scorer=LCSseq.similarity)[0] / len(run)
            told = np.fromiter((_told(run, weights, each) for each in names), float, len(names)) / sum(weights)
            ways = (alike + scores[some] / scores[some].max(), CLOSEST), (told, TELLING)
            some = np.unique(np.concatenate([some[np.argpartition(-way, most)[:most]] for way, most in ways]))
        return np.sort(some).astype(np.uint32)

    def _alike(self, one: str, other: str, first: int, second: int, both: bool) -> NDArray[np.uint32]:
        like, likewise = self.ear.sounds.like(one), self.ear.sounds.like(other)
        if both:
            return crossed(like, likewise)
        found = [crossed(like, np.array([second], np.uint32))] if second >= 0 else []
        return np.concatenate([NOBODY, *found, *([crossed(np.array([first], np.uint32), likewise)] if first >= 0 else [])])

    def _add(self, family: Postings, grams: NDArray[np.uint32], worth: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
        """Add what each gram is worth to its documents, the rarest grams first and as far as the budget goes."""
        if not len(family.grams) or not len(grams):
            return
        places = np.minimum(family.grams.searchsorted(grams), len(family.grams) - 1)
        there = family.grams[places] == grams
        places, worth = places[there], worth[there]
        sizes = family.sizes[places]
        order = np.argsort(sizes, kind="stable")
        order = order[: max(1, int(np.searchsorted(np.cumsum(sizes[order]), BUDGET)))]
        order = order[[int(place) not in family.dense for place in places[order]]]  # what so many have tells nothing
        if len(order):
            documents, counts = family.many(places[order])
            scores += np.bincount(
                documents, np.repeat(worth[order] * np.log2(1 + self._documents / (1 + sizes[order])), counts), self._documents
            )


def _told(run: str, weights: Sequence[float], names: str) -> float:
    """What the characters of a run tell that stand in names together with one beside them."""
    told, last = 0.0, -1
    for spot in range(len(run) - 1):
        if run[spot : spot + 2] in names:
            told += weights[spot + 1] + (weights[spot] if last < spot else 0.0)
            last = spot + 1
    return told
