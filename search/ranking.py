"""In which order the documents that answer stand: the first of them, names before other texts, by how well each does; the rest in static rank."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from .answers import Found, Scored
from .document import BEGINS, IDENTIFIER, INSIDE, SOUND, WHOLE
from .gather import Gather
from .order import MANY, scores
from .postings import NOBODY, Documents, among, is_among
from .rank import NEAR, Field, by_words, matched_in, score_of
from .stored import Stored

WINDOW = 100  # documents that are scored
MOSTLY = 4_000  # documents among which there are mostly enough that have the words in their names
PART = 0.7  # the score of a part of an identifier


class Ranking:
    """What the texts of an open index tell of how well a document answers."""

    def __init__(self, stored: Stored, gather: Gather, fields: Sequence[Field]) -> None:
        self._stored, self._gather, self._fields = stored, gather, fields

    def window(self, some: Documents, found: Found) -> tuple[list[int], Callable[[], Documents]]:
        """The documents that are scored, and what gives the others: those with the whole as a name first, names before other texts."""
        if len(some) <= WINDOW:
            return some.tolist(), lambda: NOBODY
        if found.by:  # those that have the letters as they are come first: one of them may be the whole
            written = among(some, found.literal)
            scored, more = self.window(some[written], replace(found, by=None))
            heard, room = some[~written], WINDOW - len(scored)
            return [*scored, *heard[:room].tolist()], lambda: np.concatenate([more(), heard[room:]])
        named = self._gather.named(found.asked.words, some[:MOSTLY])
        if len(named) < 2 * WINDOW and len(some) > MOSTLY:
            named = self._gather.named(found.asked.words, some)
        begun = self._gather.named([found.asked.run], some, start=True)
        whole = self._gather.named([found.asked.run], begun, start=True, end=True)
        first: dict[int, None] = {}
        for each in (whole, begun, named, some):
            first.update(dict.fromkeys(each[: 2 * WINDOW].tolist()))
        kept = list(first)[:WINDOW]
        return kept, lambda: self._others(kept, some, found)

    def _others(self, kept: list[int], some: Documents, found: Found) -> Documents:
        named = self._gather.named(found.asked.words, some)
        mask = np.ones(self._stored.count, bool)
        mask[named] = False
        rest = np.concatenate([named, some[mask[some]]])
        mask[:] = True
        mask[kept] = False
        others: Documents = rest[mask[rest]]
        return others

    def ranked(self, documents: Sequence[int], found: Found) -> Sequence[int]:
        """Documents, best first."""
        if len(documents) < 2:
            return documents
        if found.scored or found.by or len(found.parts):
            return sorted(documents, key=lambda document: (-self.score(document, found)[0], document))
        words, run, fields = found.asked.words, found.asked.run, self._fields
        if len(documents) >= MANY:
            scored: Sequence[float] = scores(words, run, documents, self._stored, fields).tolist()
        else:
            others = self._stored.others
            scored = [score_of(words, run, self.names(each, found), partial(others, each), fields) for each in documents]
        return [document for _, document in sorted((-score, document) for score, document in zip(scored, documents, strict=True))]

    def names(self, document: int, found: Found) -> str:
        """The names of a document, read once for a question."""
        names = found.read.get(document)
        if names is None:
            names = found.read[document] = self._stored.names(document)
        return names

    def score(self, document: int, found: Found) -> Scored:
        """How well a document answers, and where; worked out once for a question."""
        known = found.scored.get(document) or found.told.get(document)
        if known is None:
            known = found.told[document] = self._scored(document, found)
        return known

    def _scored(self, document: int, found: Found) -> Scored:
        names = self.names(document, found)
        if found.by and not is_among(document, found.literal):
            return self._by_sound(names, found)
        in_part = PART if is_among(document, found.parts) else 0.0
        if in_part and not is_among(document, found.literal):
            return in_part, (matched_in(IDENTIFIER, INSIDE),)
        others = self._stored.others_later(document)
        score, why = by_words(found.asked.words, found.asked.run, names, others, self._fields)
        if in_part:
            inside = matched_in(IDENTIFIER, INSIDE)
            return max(in_part, score), (inside, *why) if in_part > score else (*why, inside)
        if found.stem_only:
            return min(score, NEAR), tuple(matched_in(match.field, BEGINS) if match.how == WHOLE else match for match in why)
        return score, why

    def _by_sound(self, names: str, found: Found) -> Scored:
        return self._gather.ear.heard(found.asked.pieces, found.by or SOUND, names, self._fields)
