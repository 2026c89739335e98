"""Which documents are near a question that none answers as it stands: by the pairs of characters that they share, the rare ones first.

Looked for are the question's pairs, pairs that sound like them and pairs that a slip makes of them. How well each is near is rank.by_likeness'.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from .postings import NOBODY, Documents, Postings, crossed
from .readings import Sounds
from .stored import Stored

BUDGET = 60_000  # entries of postings that are added up for one question
CLOSE, CLOSEST = 120, 32  # documents of which the longest common subsequence is asked, and those that are then looked at
TELLING = 8  # and beside them those that share what tells most
LEAST, UNKNOWN = 0.3, 3.0  # bits that a character tells at least, and where nobody has the pairs that it stands in


class Likeness:
    """The postings of an open index, and which characters sound alike."""

    def __init__(self, stored: Stored, names: Postings, others: Postings, sounds: Sounds) -> None:
        self._stored, self._documents = stored, stored.count
        self._names, self._others, self._sounds = names, others, sounds

    def rarity(self, run: str) -> list[float]:
        """What each character of a run tells of which document is meant, in bits: by how many have the pairs that it stands in."""
        codes = self._stored.coded(run)
        grams = np.array([one << 16 | other if one >= 0 and other >= 0 else 0 for one, other in pairwise(codes)], np.uint32)
        sizes = np.zeros(len(grams))
        for family in (self._names, self._others):
            if len(family.grams):
                places = np.minimum(family.grams.searchsorted(grams), len(family.grams) - 1)
                sizes += np.where(family.grams[places] == grams, family.sizes[places], 0)
        bits = [0.0, *np.where(sizes > 0, np.log2(1 + self._documents / (1 + sizes)), 0.0).tolist(), 0.0]
        told = [max(pair) if min(pair) == 0.0 else sum(pair) / 2 for pair in pairwise(bits)]
        return [max(each, LEAST) if each else UNKNOWN for each in told]

    def near(self, run: str, weights: Sequence[float], scope: NDArray[np.bool_] | None) -> Documents:
        """The documents that share most with a run, by the rarity of what they share; `weights` are what each character of it tells."""
        codes = self._stored.coded(run)
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
        self._add(self._names, grams, worth, scores)
        exact = worth == 1.0
        self._add(self._others, grams[exact], worth[exact] * 0.5, scores)
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
        like, likewise = self._sounds.like(one), self._sounds.like(other)
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
