"""Find documents in an index: the ways in which documents may answer, the narrowest first, then an order by how well each does.

A question is held against identifiers, then against all texts word for word, then without the words that only ask, then letters are read as pinyin
or initials. Only where nothing answers so is something looked for that is near. What answers a way is a set: it is counted, filtered
and sorted as a whole; the first of it, names before other texts, are ordered by a score, the rest follow in static rank.
"""

import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .document import BEGINS, IDENTIFIER, INITIALS, INSIDE, SOUND, TYPO, WHOLE, Hit, Match, Results, Suggestion
from .facets import Facets
from .file import Array, read_file
from .gather import Gather
from .numbers import Numbers
from .order import MANY, scores
from .postings import NOBODY, Documents, among, is_among
from .question import Question, question, without_asking, without_form
from .rank import NEAR, Field, by_likeness, by_words, matched_in, resembles, score_of
from .stored import Stored
from .suggest import suggestions
from .write import KIND

WINDOW = 100  # documents that are scored
SHORTEST_NUMBER = 8  # characters; a permit number "2024" must not hide every text that has 2024 in it
DEEPEST = 1_000_000  # results that can be paged through
LIKELY = 0.42  # the score from which on what is near is shown
BESIDE = 0.72  # and the share of the best score
LONGEST_SPOKEN = 80  # letters of pinyin
PART = 0.7  # the score of a part of an identifier
MEANT = 0.6  # and from which on it may have been meant

Scored = tuple[float, tuple[Match, ...]]


@dataclass(frozen=True, slots=True)
class _Found:
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


def open_index(path: Path) -> "Index":
    """Open an index that `build` wrote. The file must not change while it is open. Raises ValueError when it is none, or of another format."""
    return Index(*read_file(path))


class Index:
    """An open index, for any number of threads: nothing in it changes."""

    def __init__(self, about: dict[str, Any], arrays: dict[str, Array], memory: mmap.mmap) -> None:
        self._memory = memory
        self._stored = Stored(about, arrays)
        families = {
            family: {key.removeprefix(f"{family}."): array for key, array in arrays.items() if key.startswith(f"{family}.")}
            for family in ("names", "others")
        }
        self._gather = Gather(self._stored, families)
        self._facets = Facets(about["facets"], arrays, self._stored.count)
        self._one_kind = self._facets.only(KIND)
        self._numbers = Numbers(about["numbers"], arrays)
        heaviest = max(weight for _, weight, _ in about["fields"])
        self._fields = [Field(name, weight / heaviest, is_name) for name, weight, is_name in about["fields"]]

    def search(
        self,
        query: str,
        *,
        kind: str | None = None,
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        sort: str | None = None,
        count: Sequence[str] = (),
    ) -> Results:
        """What answers the query, best first. Whatever the query is, it is words and never an operator, and nothing raises.

        `filters` are facets by name, each with the value or one of the values that a document must have. `sort` is None, for relevance, or
        the name of a facet: by its least value, those without it last, then in static rank. `count` are facets to count over all that matched.
        """
        asked = question(query)
        if asked is None:
            return Results(0)
        limit, offset = min(max(limit, 0), DEEPEST), min(max(offset, 0), DEEPEST)
        scope = None if kind is None or kind == self._one_kind else self._facets.mask({KIND: kind})
        found = self._answers(asked, scope)
        filters = dict(filters or {})
        some = self._passing(found.documents, filters)
        facets = {
            name: self._facets.counts(
                name, self._passing(found.documents, {k: v for k, v in filters.items() if k != name}) if name in filters else some
            )
            for name in count
        }
        ordered: Sequence[int]
        if sort is not None:
            ordered = self._facets.order(sort, some)[offset : offset + limit].tolist()
            hits = [self._hit(document, self._score(document, found), found) for document in ordered]
        else:
            first, rest = self._window(some, found)
            ordered = self._ranked(first, found)[offset : offset + limit]
            hits = [self._hit(document, self._score(document, found), found) for document in ordered]
            beyond = max(offset - len(first), 0)
            for document in rest[beyond : beyond + limit - len(hits)].tolist() if len(hits) < limit else []:
                score, why = self._score(document, found)
                hits.append(self._hit(document, (0.0 if score < 1.0 else 1.0, why), found))
        return Results(len(some), tuple(hits), facets, found.meant)

    def suggest(self, query: str, *, limit: int = 8, filters: Mapping[str, str | Sequence[str]] | None = None) -> tuple[Suggestion, ...]:
        """What somebody who has typed this much may mean: names that begin with it, as written, by pinyin or by initials, then names with it inside."""
        asked = question(query)
        if asked is None:
            return ()
        passing = self._facets.mask(filters or {})
        found = suggestions(asked.run, self._stored, self._gather, self._fields, passing, max(0, min(limit, WINDOW)))
        return tuple(found)

    def close(self) -> None:
        """Nothing more is asked. The file stays mapped until the last search has ended and the index is forgotten."""

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- what answers ------------------------------------------------------------------------------------------------

    def _passing(self, documents: Documents, filters: Mapping[str, str | Sequence[str]]) -> Documents:
        mask = self._facets.mask(filters)
        return documents if mask is None else documents[mask[documents]]

    def _answers(self, asked: Question, scope: Any) -> _Found:
        def within(documents: Documents) -> Documents:
            return documents if scope is None else documents[scope[documents]]

        numbered, complete = self._numbered(asked)
        if complete and len(some := within(numbered)):
            return _Found(some, asked, self._by_number(asked, some))
        some = self._gather.with_words(asked.words)
        some = within(self._gather.with_two(asked.run, some) if len(asked.words) == 1 else some)
        parts = within(self._numbers.holding(asked.run))
        if (len(some) or len(parts)) and not len(heard := within(self._spoken(asked, SOUND)[0])):
            return _Found(self._either(some, parts), asked, literal=some, parts=parts)
        if len(some) or len(parts):
            return _Found(self._either(some, heard), asked, by=SOUND, literal=some)
        if len(some := within(numbered)):
            return _Found(some, asked, self._by_number(asked, some))
        if slips := {each: text for each, text in self._numbers.near(asked.run).items() if scope is None or scope[each]}:
            scored = {each: (0.8, (matched_in(IDENTIFIER, TYPO),)) for each in slips}
            return _Found(np.array(sorted(slips), np.uint32), asked, scored, meant=slips[min(slips)].upper())
        if len(some := within(self._gather.in_parts(asked.words))):  # letters of a longer word are a part too: what sounds so may be meant
            heard = within(self._spoken(asked, SOUND)[0])
            return _Found(self._either(some, heard), asked, by=SOUND if len(heard) else None, literal=some)
        bare = without_asking(asked)
        if bare and len(some := within(self._gather.with_words(bare.words))):
            return _Found(some, bare)
        if bare and len(some := within(self._gather.in_parts(bare.words))):
            return _Found(some, bare)
        for one in (asked, bare):
            if one:
                some, by = self._spoken(one)
                if len(some := within(some)):
                    return _Found(some, one, by=by)
        for one in (asked, bare):
            if one and (stem := without_form(one)) and len(some := within(self._gather.with_words(stem.words))):
                return _Found(some, stem, stem_only=True)
        for one in (bare, asked):
            if one and (near := self._near(one, scope)):
                return near
        return _Found(NOBODY, asked)

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

    def _near(self, asked: Question, scope: Any) -> _Found | None:
        run = asked.run
        if len(run) < 2:
            return None
        weights = self._gather.rarity(run)
        scored: dict[int, Scored] = {}
        best, meant = 0.0, None
        letters = [piece for piece in asked.pieces if len(piece) > 2 and piece.isascii() and piece.isalpha()]
        for document in self._gather.near(run, weights, scope).tolist():
            names, others = self._stored.names(document), _once(partial(self._stored.others, document))
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
        return _Found(np.array(sorted(kept), np.uint32), asked, kept, meant=meant)

    # -- how well ----------------------------------------------------------------------------------------------------

    def _window(self, some: Documents, found: _Found) -> tuple[list[int], Documents]:
        """The documents that are scored, and the others: those with the whole as a name first, names before other texts."""
        if len(some) <= WINDOW:
            return some.tolist(), NOBODY
        if found.by:  # those that have the letters as they are come first: one of them may be the whole
            written = among(some, found.literal)
            scored, more = self._window(some[written], replace(found, by=None))
            heard, room = some[~written], WINDOW - len(scored)
            return [*scored, *heard[:room].tolist()], np.concatenate([more, heard[room:]])
        named = self._gather.named(found.asked.words, some)
        begun = self._gather.named([found.asked.run], some, start=True)
        whole = self._gather.named([found.asked.run], begun, start=True, end=True)
        first: dict[int, None] = {}
        for each in (whole, begun, named, some):
            first.update(dict.fromkeys(each[: 2 * WINDOW].tolist()))
        kept = list(first)[:WINDOW]
        mask = np.ones(self._stored.count, bool)
        mask[named] = False
        rest = np.concatenate([named, some[mask[some]]])
        mask[:] = True
        mask[kept] = False
        return kept, rest[mask[rest]]

    def _ranked(self, documents: Sequence[int], found: _Found) -> Sequence[int]:
        """Documents, best first."""
        if len(documents) < 2:
            return documents
        if found.scored or found.by or len(found.parts):
            return sorted(documents, key=lambda document: (-self._score(document, found)[0], document))
        words, run, fields = found.asked.words, found.asked.run, self._fields
        if len(documents) >= MANY:
            scored: Sequence[float] = scores(words, run, documents, self._stored, fields).tolist()
        else:
            others = self._stored.others
            scored = [score_of(words, run, self._names(each, found), partial(others, each), fields) for each in documents]
        return [document for _, document in sorted((-score, document) for score, document in zip(scored, documents, strict=True))]

    def _names(self, document: int, found: _Found) -> str:
        names = found.read.get(document)
        if names is None:
            names = found.read[document] = self._stored.names(document)
        return names

    def _score(self, document: int, found: _Found) -> Scored:
        known = found.scored.get(document) or found.told.get(document)
        if known is None:
            known = found.told[document] = self._scored(document, found)
        return known

    def _scored(self, document: int, found: _Found) -> Scored:
        names = self._names(document, found)
        if found.by and not is_among(document, found.literal):
            return self._by_sound(names, found)
        in_part = PART if is_among(document, found.parts) else 0.0
        if in_part and not is_among(document, found.literal):
            return in_part, (matched_in(IDENTIFIER, INSIDE),)
        others = _once(partial(self._stored.others, document))
        score, why = by_words(found.asked.words, found.asked.run, names, others, self._fields)
        if in_part:
            inside = matched_in(IDENTIFIER, INSIDE)
            return max(in_part, score), (inside, *why) if in_part > score else (*why, inside)
        if found.stem_only:
            return min(score, NEAR), tuple(matched_in(match.field, BEGINS) if match.how == WHOLE else match for match in why)
        return score, why

    def _by_sound(self, names: str, found: _Found) -> Scored:
        return self._gather.ear.heard(found.asked.pieces, found.by or SOUND, names, self._fields)

    def _hit(self, document: int, scored: Scored, found: _Found) -> Hit:
        kind = self._one_kind or self._facets.values(KIND, document)[0]
        title = self._stored.title(document, self._names(document, found))
        return Hit(self._stored.id(document), kind, title, round(scored[0], 4), scored[1])


def _once(make: Callable[[], str]) -> Callable[[], str]:
    """A text that is made when it is first asked for: functools.cache takes 10 microseconds to say so."""
    made: list[str] = []

    def text() -> str:
        if not made:
            made.append(make())
        return made[0]

    return text
