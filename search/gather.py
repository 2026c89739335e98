"""Which documents answer a question at all: sets of documents from postings.

`with_words` are those that have every pair of neighbouring characters of every word. `sounding` and `beginning_with` read letters as pinyin and as
initials, and hold them against the names themselves. `near` are those with the most, and the rarest, of the question's pairs, of pairs that sound like
them, and of pairs that a slip makes of them.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from .document import INITIALS, Match
from .file import Array
from .letters import END, FIRST, START
from .postings import Documents, Postings
from .rank import Field
from .readings import PATHS, Sounds, divided, spoken
from .stored import Stored, values

FEW = 24  # documents that are cheaper to look at than to look up
BUDGET = 60_000  # entries of postings that are added up for one question
CLOSE, CLOSEST = 120, 32  # documents of which the longest common subsequence is asked, and those that are then looked at
LEAST, UNKNOWN = 0.3, 3.0  # bits that a character tells at least, and where nobody has the pairs that it stands in
MOST_INITIALS = 24
HELD = 4_000  # documents whose names are held against letters

NOBODY: Documents = np.empty(0, np.uint32)


class Gather:
    """The postings of an open index, and the characters that they are of."""

    def __init__(self, stored: Stored, arrays: dict[str, dict[str, Array]]) -> None:
        self._stored = stored
        self._documents = stored.count
        self.names = Postings(arrays["names"], stored.count)
        self.others = Postings(arrays["others"], stored.count)
        self.sounds = Sounds(stored.points[: FIRST + len(stored.codes)])

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
        lists: list[tuple[int, int, int, str]] = []
        single = []
        for word in words:
            if len(word) == 1:
                single.append(word)
                continue
            grams = self.grams(word)
            if grams is None:
                return NOBODY
            for gram, spot in {gram: spot for spot, gram in enumerate(grams)}.items():
                name, other = self.names.place(gram), self.others.place(gram)
                if name < 0 and other < 0:
                    return NOBODY
                size = (self.names.sizes[name] if name >= 0 else 0) + (self.others.sizes[other] if other >= 0 else 0)
                lists.append((size, name, other, word[spot : spot + 2]))
        lists.sort()
        found: Documents | None = None
        for number, (_, name, other, _) in enumerate(lists):
            if found is None:
                found = self._either(name, other)
            elif len(found) > FEW:
                found = found[self._has(name, other, found)]
            else:
                found = self._having([pair for *_, pair in lists[number:]], found)
                break
        letters = [word for word in words if len(word) > 2 and word.isascii()]
        if letters and found is not None and len(found) <= HELD:
            found = self._having(letters, found)  # a few letters make many pairs that mean nothing apart
        for character in single:
            mask = self._character(character, self.names, self.others)
            found = np.flatnonzero(mask).astype(np.uint32) if found is None else found[mask[found]]
        return NOBODY if found is None else found

    def in_parts(self, words: Iterable[str]) -> Documents:
        """The documents that have the words in parts of two characters or more, each as long as can be: 朝阳新东方 is a region and a brand."""
        found: Documents | None = None
        had: set[int] = set()
        for word in words:
            grams = self.grams(word)
            if grams is None or len(word) < 2 or word.isascii():
                return NOBODY
            spot = begun = 0
            while spot < len(grams):
                if grams[spot] in had:
                    spot += 1
                    continue
                name, other = self.names.place(grams[spot]), self.others.place(grams[spot])
                some = self._either(name, other) if found is None else found[self._has(name, other, found)]
                if len(some):
                    had.add(grams[spot])
                    found, spot = some, spot + 1
                elif spot == begun:
                    return NOBODY
                else:
                    begun = spot = spot + 1  # the pair that nobody has is where two parts meet
            if begun == len(grams):
                return NOBODY  # one character is left
        return NOBODY if found is None else found

    def _having(self, pairs: Sequence[str], documents: Documents) -> Documents:
        """Those whose texts have the pairs, by looking at them."""
        kept = []
        for document in documents.tolist():
            names = self._stored.names(document)
            missing = [pair for pair in pairs if pair not in names]
            if missing:
                others = self._stored.others(document)
                missing = [pair for pair in missing if pair not in others]
            if not missing:
                kept.append(document)
        return np.array(kept, np.uint32)

    def _either(self, name: int, other: int) -> Documents:
        found = self.names.of(name) if name >= 0 else NOBODY
        if other < 0:
            return found
        more = self.others.of(other)
        if not len(found):
            return more
        mask = np.zeros(self._documents, bool)
        mask[found] = mask[more] = True
        return np.flatnonzero(mask).astype(np.uint32)

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

    # -- by sound ----------------------------------------------------------------------------------------------------

    def sounding(self, *words: str, start: bool = False) -> Documents:
        """The documents with a name in which characters that can be read like these words stand in a row."""
        ways: list[tuple[str, ...]] = [()]
        for word in words:
            ways = [(*way, *more) for way in ways for more in divided(word)][:PATHS]
        found = [self._read(way, start) for way in ways if len(way) > 1]
        return np.unique(np.concatenate([NOBODY, *found]))

    def _read(self, way: Sequence[str], start: bool) -> Documents:
        codes = [self.sounds.having(each) for each in way]
        some = self._through([_crossed(one, other) for one, other in pairwise(codes)])
        tables = []
        for one in codes:
            table = np.zeros(0x10000, bool)
            table[one] = True
            tables.append(table)
        return self._held(some, tables, start)

    def beginning_with(self, *words: str, start: bool = False) -> Documents:
        """The documents with a name in which characters with these initials stand in a row."""
        letters = "".join(words)
        if not 2 <= len(letters) <= MOST_INITIALS:
            return NOBODY
        bits = [np.uint32(1 << (ord(letter) - 97)) for letter in letters]
        firsts = self.sounds.initials[self.names.grams >> np.uint32(16)]
        seconds = self.sounds.initials[self.names.grams & np.uint32(0xFFFF)]
        begun = [self._begun(np.flatnonzero(self.sounds.initials & bits[0]))] if start else []
        some = self._joined(chain(begun, (np.flatnonzero((firsts & one != 0) & (seconds & other != 0)) for one, other in pairwise(bits))))
        return self._held(some, [self.sounds.initials & bit != 0 for bit in bits], start)

    def heard(self, words: Sequence[str], by: str, names: str, fields: Sequence[Field]) -> tuple[float, tuple[Match, ...]]:
        """The score of a document whose names sound like the words, and why."""
        best: dict[str, float] = {}
        letters = "".join(word for word in words if word.isascii() and word.isalpha())
        rest = [word for word in words if not (word.isascii() and word.isalpha())]
        for number, value in values(names):
            for text in (letters, *words):
                if text.isascii() and (span := spoken(text, value, by == INITIALS)):
                    start, end = span
                    share = (end - start) / len(value)
                    worth = (0.62 if by == INITIALS else 0.75) + (0.1 if share == 1 else 0.06 if start == 0 else 0.0) + 0.05 * share
                    best[fields[number].name] = max(
                        best.get(fields[number].name, 0), worth * (0.4 + 0.6 * fields[number].weight) * (1.0 if text == letters else 0.8)
                    )
            for word in rest:
                if word in value:
                    best.setdefault(fields[number].name, 0.3)
        return max(best.values(), default=0.3), tuple(Match(name, by) for name in sorted(best, key=lambda name: (-best[name], name)))

    def _through(self, pairs: Sequence[NDArray[np.uint32]]) -> Documents:
        places = [self.names.places(grams) for grams in pairs]
        return self._joined(sorted(places, key=lambda some: int(self.names.sizes[some].sum())))

    def _begun(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        """Where the grams stand by which a name begins with one of some characters."""
        return self.names.places(_crossed(np.array([START]), codes))

    def _joined(self, families: Iterable[NDArray[np.int64]]) -> Documents:
        """The documents that have one gram of each family, up to where few are left."""
        mask: NDArray[np.bool_] | None = None
        for places in families:
            if not len(places):
                return NOBODY
            has = np.zeros(self._documents, bool)
            self.names.union(places, has)
            mask = has if mask is None else mask & has
            if mask.sum() < HELD:
                break
        return NOBODY if mask is None else np.flatnonzero(mask).astype(np.uint32)

    def _held(self, documents: Documents, tables: Sequence[NDArray[np.bool_]], start: bool) -> Documents:
        """Those with a name in which a character of each table stands in a row."""
        if not len(documents):
            return NOBODY
        documents = documents[:HELD] if start else documents  # for suggestions, the first are enough
        codes, of = self._stored.gathered(documents)
        spots = np.flatnonzero(tables[0][codes])
        for place, table in enumerate(tables[1:], 1):
            spots = spots[spots + place < len(codes)]
            spots = spots[table[codes[spots + place]]]  # a mark is in no table, so a run stays in one value
        if start:
            spots = spots[codes[spots - 1] < FIRST]
        return documents[np.unique(of[spots])]

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

    def near(self, run: str, scope: NDArray[np.bool_] | None) -> Documents:
        """The documents that share most with a run, by the rarity of what they share."""
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
            some = some[np.argpartition(-(alike + scores[some] / scores[some].max()), CLOSEST)[:CLOSEST]]
        return np.sort(some).astype(np.uint32)

    def _alike(self, one: str, other: str, first: int, second: int, both: bool) -> NDArray[np.uint32]:
        like, likewise = self.sounds.like(one), self.sounds.like(other)
        if both:
            return _crossed(like, likewise)
        found = [_crossed(like, np.array([second], np.uint32))] if second >= 0 else []
        return np.concatenate([NOBODY, *found, *([_crossed(np.array([first], np.uint32), likewise)] if first >= 0 else [])])

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


def _crossed(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Every pair of a character of one and a character of the other, as grams in order."""
    return ((one.astype(np.uint32)[:, None] << np.uint32(16)) | other.astype(np.uint32)[None, :]).ravel()
