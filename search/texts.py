"""Full text of some ten thousand documents: a query language, values to filter, count and sort by, passages. One SQLite file, written by `build_texts`.

Whoosh was to do this, and does not. Measured over 20,000 notices of the reference platform in one run, CPU seconds (Whoosh-Reloaded 2.7.5 with characters as
tokens and phrases, beside it FTS5 over the same tokens): built in 59 against 2.0, 27 against 12 MB; the top twenty for 培训 (17,596 found) in 3,669 against
45 ms, 责令改正 1,153 against 14, 校外培训机构 1,054 against 10, 无证办学 with 退费 947 against 4. Over 20,000 findings of a real register: built in 28 against
1.5; 補習班 2,247 against 53 ms, 未經核准 670 against 7, and no query under 27 ms. Pairs of characters without positions, whose runs somebody else would have to
check: built in 104, and the four in 318, 135, 167 and 191 ms. Its parser hides what it does not understand (texts_query.py), its segments have
random names, it unpickles what it opens, and nobody keeps it: the original is of 2016, Whoosh-Reloaded (2024) says itself that it is no longer maintained,
and whoosh3 (3.54.0) had a hundred releases in its first three months and takes the same time (61 s; 3,343, 1,196, 859 and 1,023 ms). SQLite has none of this, and FTS5 walks positions of characters in C.

This index, with text, values and facets counted, over the same 20,000 notices: built in 2.6 CPU seconds, 20 MB (the tokens are kept beside their postings),
opened in 44 ms, 1,500 queries of ten kinds p50 7, p99 32, the longest 45 ms; over the real findings 2.0 s, 16 MB, p50 6, p99 33, longest 41. Of 22 hostile queries the
longest took 44 ms (sixteen frequent characters with OR).

A document is searched by its words in `Field`s of the kind TEXT and by its values in the others. Those are kept as one array a field: a filter and a
count over all of them take a millisecond. A document without any value is found by words that it has, and never by what it does not say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType

from .texts_file import File, open_file
from .texts_near import Passage, passages
from .texts_query import parse, plain
from .texts_rows import NOWHERE, View
from .texts_tree import BadQuery, Either, Node, Problem, Words, wanted

WINDOW = 1_000  # documents ordered by bm25, the first by rank that have the words; it takes 2.5 microseconds each
NOTHING: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """`total` is exact, `ids` are a page of it. `facets` has for each facet that was asked for how many documents have each value: of all that
    matched, its own filter left out. `meant` is the query with a word that documents have in place of one that none has; `problem` is why a query is none."""

    total: int
    ids: tuple[str, ...] = ()
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    meant: str | None = None
    problem: Problem | None = None


def open_texts(path: Path) -> "Texts":
    """Open an index that `build_texts` wrote. The file must not change while it is open. Raises ValueError when it is none, or of another format."""
    return Texts(open_file(path))


class Texts:
    """An open index, for any number of threads: one connection behind a lock."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._lock = Lock()
        weights = ", ".join(str(float(weight)) for weight in file.weights)
        self._scored = f"SELECT rowid FROM texts WHERE texts MATCH ? AND rowid <= ? ORDER BY bm25(texts, 0, {weights}), rowid"  # noqa: S608

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are searched by words, in the order in which they were described."""
        return tuple(self._file.columns)

    def search(
        self,
        query: str,
        *,
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        ranges: Mapping[str, tuple[str | None, str | None]] | None = None,
        sort: str | None = None,
        count: Sequence[str] = (),
        hidden: Collection[str] = (),
        unsaid: Mapping[str, Collection[str]] = NOTHING,
        operators: bool = True,
        meant: bool = True,
        total: bool = True,
    ) -> Found:
        """What a query of texts_query.py finds, or every document with a value where it is empty. Never raises, whatever the query is.

        `filters` are values by field, each one or one of several; `ranges` are the first and last day, or number, by field. `sort`: None is by
        relevance, then rank; the name of a field is its lowest value first, with a `-` before it its highest. Without `operators` every word is only a word, and
        without `meant` no time is spent on what may be meant where nothing is found. Without `total` none is spent on what is found beyond the page: `total` may
        then be less.
        """
        try:
            tree = None if not query.strip() else parse(query, self._file.asked) if operators else plain(query)
        except BadQuery as no:
            return Found(0, problem=no.problem)
        if tree is not None and not meant and not count and self._file.lacks(tree):
            return Found(0)
        start, end = max(offset, 0), max(offset, 0) + max(limit, 0)
        with self._lock:
            view = View(self._file, hidden, unsaid)
            first = None if total or meant or filters or ranges or sort or count else self._first(tree, view, end)
            if first is not None:
                return Found(len(first), tuple(self._file.ids[place] for place in first[start:]))
            rows = view.rows(tree)
            kept = {name: view.having(name, [one] if isinstance(one, str) else one) for name, one in (filters or {}).items()}
            for name, (since, until) in (ranges or {}).items():
                if since or until:  # a document without a day is in no range, and where none is asked for it is there
                    rows &= view.between(name, since, until)
            all_kept = rows.intersection(*kept.values()) if kept else rows
            order = self._ordered(all_kept, tree, sort, view)
            facets = {
                name: view.counted(name, rows.intersection(*(those for other, those in kept.items() if other != name)) if kept else rows)
                for name in count
            }
            better = view.meant(query, wanted(tree)) if meant and tree is not None and not rows else None
        return Found(len(order), tuple(self._file.ids[place] for place in order[start:end]), facets, better)

    def passages(self, query: str, texts: Mapping[str, str], *, operators: bool = True) -> tuple[Passage, ...]:
        """What of these texts, as they are shown, answers a query."""
        try:
            return passages(wanted(parse(query, self._file.asked) if operators else plain(query)), texts, self._file.columns)
        except BadQuery:
            return ()

    def close(self) -> None:
        """Close the file, once running searches have ended."""
        with self._lock:
            self._file.connection.close()

    def __enter__(self) -> "Texts":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _first(self, tree: Node | None, view: View, most: int) -> list[int] | None:
        """The first documents with one word, in the order of `_ordered`; None where that does not show without all that are found."""
        expression = view.expression(tree) if isinstance(tree, Words) and not view.bound else None
        if expression is None:
            return None
        last = self._last(expression)
        scored = [place for (place,) in self._file.connection.execute(self._scored, [expression, last])]
        shown = view.shown(set(scored))
        found = [place for place in scored if place in shown][:most]
        return found if len(found) == most or last == len(self._file.ids) else None

    def _last(self, expression: str) -> int:
        """The last document by rank that is ordered by how well it answers."""
        beyond = "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid LIMIT 1 OFFSET ?"
        (last,) = self._file.connection.execute(beyond, [expression, WINDOW - 1]).fetchone() or (len(self._file.ids),)
        return int(last)

    def _ordered(self, rows: set[int], tree: Node | None, sort: str | None, view: View) -> list[int]:
        by_rank = sorted(rows)
        if sort is not None:
            name = sort.removeprefix("-")
            known, codes = self._file.compared[name], self._file.codes[name]
            silent = view.without(name)  # where they stand would tell what they do not say
            said = [place for place in by_rank if codes[place] and place not in silent]
            others = [place for place in by_rank if not codes[place] or place in silent]
            return sorted(said, key=lambda place: known[codes[place]][0], reverse=sort.startswith("-")) + others
        words = wanted(tree) if tree is not None else []
        if not words or len(rows) < 2:
            return by_rank
        expression = view.expression(Either(tuple(words)) if len(words) > 1 else words[0], pieces=True) or NOWHERE
        best = [
            place
            for (place,) in self._file.connection.execute(self._scored, [expression, self._last(expression)])
            if place in rows and place not in view.bound
        ]
        first = set(best)
        return best + [place for place in by_rank if place not in first]
