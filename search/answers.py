"""The ways in which documents may answer a question, the narrowest first.

A question is held against identifiers, then against all texts word for word, then without the words that only ask, then letters are read as pinyin
or initials. Only where nothing answers so is something looked for that is near. What answers a way is a set. In which order it stands is for ranking.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .document import IDENTIFIER, INITIALS, SOUND, TYPO, WHOLE, Match
from .gather import Gather
from .likeness import Likeness
from .numbers import Numbers
from .postings import NOBODY, Documents, among
from .question import Question, without_asking, without_form
from .rank import Field, by_likeness, matched_in, resembles
from .stored import Stored

SHORTEST_NUMBER = 8  # characters; a permit number "2024" must not hide every text that has 2024 in it
LIKELY = 0.42  # the score from which on what is near is shown
BESIDE = 0.72  # and the share of the best score
LONGEST_SPOKEN = 80  # letters of pinyin
MEANT = 0.6  # and from which on it may have been meant

Scored = tuple[float, tuple[Match, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """What answers a question: a set, the words that it answers by, scores where they are known already, and what may have been meant."""

    documents: Documents
    asked: Question
    scored: Mapping[int, Scored] = field(default_factory=dict)
    by: str | None = None  # SOUND or INITIALS: letters were read so
    literal: Documents = field(default_factory=lambda: NOBODY)  # and these have them as they are
    parts: Documents = field(default_factory=lambda: NOBODY)  # these have the question in an identifier
    meant: str | None = None
    stem_only: bool = False  # the question has more, which they do not have: none of them is what was asked for
    read: dict[int, str] = field(default_factory=dict)  # the names of documents that were looked at
    told: dict[int, Scored] = field(default_factory=dict)  # and what they scored


class Answers:
    """What answers is looked for in the postings, identifiers and texts of an open index."""

    def __init__(self, stored: Stored, gather: Gather, numbers: Numbers, fields: Sequence[Field]) -> None:
        self._stored, self._gather, self._numbers, self._fields = stored, gather, numbers, fields
        self._likeness = Likeness(stored, gather.names, gather.others, gather.ear.sounds)

    def of(self, asked: Question, scope: Any) -> Found:
        """What answers a question first; `scope` is None, or which documents may."""

        def within(documents: Documents) -> Documents:
            return documents if scope is None else documents[scope[documents]]

        numbered, complete = self._numbered(asked)
        if complete and len(some := within(numbered)):
            return Found(some, asked, self._by_number(asked, some))
        some = self._gather.with_words(asked.words)
        some = within(self._gather.with_two(asked.run, some) if len(asked.words) == 1 else some)
        parts = within(self._numbers.holding(asked.run))
        if (len(some) or len(parts)) and not len(heard := within(self._spoken(asked, SOUND)[0])):
            return Found(self._either(some, parts), asked, literal=some, parts=parts)
        if len(some) or len(parts):
            return Found(self._either(some, heard), asked, by=SOUND, literal=some)
        if len(some := within(numbered)):
            return Found(some, asked, self._by_number(asked, some))
        if slips := {each: text for each, text in self._numbers.near(asked.run).items() if scope is None or scope[each]}:
            scored = {each: (0.8, (matched_in(IDENTIFIER, TYPO),)) for each in slips}
            return Found(np.array(sorted(slips), np.uint32), asked, scored, meant=slips[min(slips)].upper())
        if len(some := within(self._gather.in_parts(asked.words))):  # letters of a longer word are a part too: what sounds so may be meant
            heard = within(self._spoken(asked, SOUND)[0])
            return Found(self._either(some, heard), asked, by=SOUND if len(heard) else None, literal=some)
        bare = without_asking(asked)
        if bare and len(some := within(self._gather.with_words(bare.words))):
            return Found(some, bare)
        if bare and len(some := within(self._gather.in_parts(bare.words))):
            return Found(some, bare)
        for one in (asked, bare):
            if one:
                some, by = self._spoken(one)
                if len(some := within(some)):
                    return Found(some, one, by=by)
        for one in (asked, bare):
            if one and (stem := without_form(one)) and len(some := within(self._gather.with_words(stem.words))):
                return Found(some, stem, stem_only=True)
        for one in (bare, asked):
            if one and (near := self._near(one, scope)):
                return near
        return Found(NOBODY, asked)

    def _either(self, one: Documents, other: Documents) -> Documents:
        if not len(other):
            return one
        mask = np.zeros(self._stored.count, bool)
        mask[one] = mask[other] = True
        return np.flatnonzero(mask).astype(np.uint32)

    def _numbered(self, asked: Question) -> tuple[Documents, bool]:
        """The documents with an identifier of the question, and whether they have its other words too."""
        for text in dict.fromkeys((asked.run, *asked.words)):
            if len(text) >= SHORTEST_NUMBER and len(some := self._numbers.whole(text)):
                rest = [word for word in asked.words if word != text] if text != asked.run else []
                both = some[np.isin(some, self._gather.with_words(rest))] if rest else some
                return (both, True) if len(both) else (some, False)
        return NOBODY, True

    def _by_number(self, asked: Question, some: Documents) -> dict[int, Scored]:
        whole = len(self._numbers.whole(asked.run)) > 0
        return {int(each): (1.0 if whole else 0.95, (matched_in(IDENTIFIER, WHOLE),)) for each in some}

    def _spoken(self, asked: Question, *only: str) -> tuple[Documents, str]:
        """The documents whose names sound like the letters and have the other words."""
        letters = [piece for piece in asked.pieces if piece.isascii() and piece.isalpha()]
        if not letters or sum(map(len, letters)) > LONGEST_SPOKEN:
            return NOBODY, SOUND
        rest = list(dict.fromkeys(piece for piece in asked.pieces if piece not in letters))
        others = self._gather.with_words(rest) if rest else None
        if others is not None and not len(others):
            return NOBODY, SOUND
        for by in only or (SOUND, INITIALS):
            ways = self._gather.ear.sounding if by == SOUND else self._gather.ear.beginning_with
            for texts in ([letters], [[piece] for piece in letters]):
                found = others
                for words in texts:
                    some = ways(*words)
                    found = some if found is None else some[among(some, found)]
                if found is not None and len(found):
                    return found, by
        return NOBODY, SOUND

    def _near(self, asked: Question, scope: Any) -> Found | None:
        run = asked.run
        if len(run) < 2:
            return None
        weights = self._likeness.rarity(run)
        scored: dict[int, Scored] = {}
        best, meant = 0.0, None
        letters = [piece for piece in asked.pieces if len(piece) > 2 and piece.isascii() and piece.isalpha()]
        for document in self._likeness.near(run, weights, scope).tolist():
            names, others = self._stored.names(document), self._stored.others_later(document)
            if letters and not all(resembles(piece, names) or resembles(piece, others()) for piece in letters):
                continue
            score, why, text = by_likeness(run, weights, names, others, self._fields)
            if score >= LIKELY:
                scored[document] = score, why
                if score > best:
                    best, meant = score, text
        kept = {document: each for document, each in scored.items() if each[0] >= best * BESIDE}
        if not kept:
            return None
        meant = meant if meant and meant != run and best >= MEANT else None
        return Found(np.array(sorted(kept), np.uint32), asked, kept, meant=meant)
