"""An open index: what answers a question (answers.py) is counted, filtered and sorted as a whole, and the first of it is ordered (ranking.py)."""

import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .answers import Answers, Found, Scored
from .document import Hit, Results, Suggestion
from .facets import Facets
from .file import Array, read_file
from .gather import Gather
from .numbers import Numbers
from .postings import Documents
from .question import question
from .rank import Field
from .ranking import WINDOW, Ranking
from .stored import Stored
from .suggest import suggestions
from .write import KIND

DEEPEST = 1_000_000  # results that can be paged through


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
        heaviest = max(weight for _, weight, _ in about["fields"])
        self._fields = [Field(name, weight / heaviest, is_name) for name, weight, is_name in about["fields"]]
        self._answers = Answers(self._stored, self._gather, Numbers(about["numbers"], arrays), self._fields)
        self._ranking = Ranking(self._stored, self._gather, self._fields)

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
        found = self._answers.of(asked, scope)
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
            hits = [self._hit(document, self._ranking.score(document, found), found) for document in ordered]
        else:
            first, rest = self._ranking.window(some, found)
            ordered = self._ranking.ranked(first, found)[offset : offset + limit]
            hits = [self._hit(document, self._ranking.score(document, found), found) for document in ordered]
            beyond = max(offset - len(first), 0)
            for document in rest()[beyond : beyond + limit - len(hits)].tolist() if len(hits) < limit else []:
                score, why = self._ranking.score(document, found)
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

    def _passing(self, documents: Documents, filters: Mapping[str, str | Sequence[str]]) -> Documents:
        mask = self._facets.mask(filters)
        return documents if mask is None else documents[mask[documents]]

    def _hit(self, document: int, scored: Scored, found: Found) -> Hit:
        kind = self._one_kind or self._facets.values(KIND, document)[0]
        title = self._stored.title(document, self._ranking.names(document, found))
        return Hit(self._stored.id(document), kind, title, round(scored[0], 4), scored[1])
