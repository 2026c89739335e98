"""Find documents in an index: candidates by static rank from FTS5, then some hundreds ordered by where they matched.

What is looked for is narrowed in steps: the whole of a name or identifier, then its beginning, then the words in a row, then the words
anywhere. Only when no document has all the words is a word cut into parts. Steps fill one window, which alone is scored; results beyond
it follow in static rank. bm25 is not used: it scores every match, 107 ms for 28,900 of them.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType

from .document import IDENTIFIER, WHOLE, Hit, Results, Suggestion
from .fold import fold
from .grams import either, entire, every, label, phrase, splits, within
from .score import Field, score
from .write import BETWEEN, FORMAT

LONGEST = 2_000  # characters of a query as typed; what is longer is no question
LONGEST_COMPACT = 256  # and of its letters and digits
MOST_WORDS = 16
WINDOW = 300  # documents that are scored
STEP = 100  # of them at most from one of the narrow steps
SHORTEST_IDENTIFIER = 8  # characters; a permit number "2024" must not hide every text that has 2024 in it
LONGEST_SPLIT = 14  # characters of a word that is cut; all cuts of 14 are 56 expressions
LONGEST_CUT = 28  # and of a query whose words are cut: sixteen such words took 84 ms
DEEPEST = 1_000_000  # results that can be paged through; no more than SQLite can count to


@dataclass(frozen=True, slots=True)
class _Question:
    words: tuple[str, ...]
    run: str  # all of it in a row


def _question(query: str) -> _Question | None:
    if len(query) > LONGEST:
        return None
    words = fold(query).split()
    run = "".join(words)
    words = list(dict.fromkeys(words))
    if not words or len(words) > MOST_WORDS or len(run) > LONGEST_COMPACT:
        return None
    return _Question(tuple(words), run)


def open_index(path: Path) -> "Index":
    """Open an index that `build` wrote. The file must not change while it is open. Raises ValueError when it is none, or of another format."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise ValueError(f"{path}: not a search index ({error}); build it again") from error
    try:
        about = dict(connection.execute("SELECT key, value FROM about"))
        found = about.get("format", "unknown")
    except sqlite3.Error as error:
        about, found = {}, str(error)
    if found != FORMAT:
        connection.close()
        raise ValueError(f"{path}: not a search index of format {FORMAT!r} ({found}); build it again")
    return Index(connection, [(str(name), float(weight)) for name, weight in json.loads(about["fields"])])


class Index:
    """An open index, for any number of threads: one connection behind a lock."""

    def __init__(self, connection: sqlite3.Connection, fields: Sequence[tuple[str, float]]) -> None:
        self._connection = connection
        self._lock = Lock()
        heaviest = max(weight for _, weight in fields)
        self._fields = (Field(IDENTIFIER, heaviest * 2), *(Field(name, weight) for name, weight in fields))
        # A whole or a beginning is sought where names stand. In all fields, every school of 朝阳区 would fill the window of 朝阳区明德.
        self._most = heaviest * 20
        self._whole = {IDENTIFIER, *(name for name, weight in fields if weight * 2 >= heaviest)}
        self._names = ["identifiers", *(f"c{number}" for number, (_, weight) in enumerate(fields) if weight * 2 >= heaviest)]

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
        """Documents that have every word of the query, best first. Whatever the query is, it is words and never an operator, and nothing raises.

        `filters` are facets by name, each with the value or one of the values that a document must have. `sort` is None, for relevance, or
        the name of a facet: by its least value, those without it last, then in static rank. `count` are facets to count over all that matched.
        """
        question = _question(query)
        if question is None:
            return Results(0)
        limit, offset = min(max(limit, 0), DEEPEST), min(max(offset, 0), DEEPEST)
        with self._lock:
            facets = {name: self._counts(question, _scope(kind, filters, but=name), name) for name in count}
            found = self._search(question, _scope(kind, filters), limit, offset, sort)
            return Results(found.total, found.hits, facets)

    def suggest(self, query: str, *, limit: int = 8, filters: Mapping[str, str | Sequence[str]] | None = None) -> tuple[Suggestion, ...]:
        """What somebody who has typed this much may mean."""
        question = _question(query)
        if question is None:
            return ()
        with self._lock:
            names = within(self._names, phrase(question.run, start=True))
            places = self._places(every([names, *_scope(None, filters)]), max(0, min(limit, WINDOW)))
            return tuple(Suggestion(hit.title, hit.id, hit.why[0].field) for hit in self._hits(places, question) if hit.why)

    def close(self) -> None:
        """Close the file, once running searches have ended. A search after it raises sqlite3.ProgrammingError."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _counts(self, question: _Question, scope: list[str], facet: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for places in self._all(question, scope):
            for value in self._facets(places).get(facet, []):
                counts[value] = counts.get(value, 0) + 1
        return counts

    def _all(self, question: _Question, scope: list[str]) -> list[int]:
        return next((found for way in self._ways(question) if (found := self._places(every([*way, *scope]), DEEPEST))), [])

    def _facets(self, place: int) -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads(
            self._connection.execute("SELECT facets FROM documents WHERE rank = ?", (place,)).fetchone()[0]
        )
        return found

    def _search(self, question: _Question, scope: list[str], limit: int, offset: int, sort: str | None) -> Results:
        if sort is not None:
            places = self._all(question, scope)
            values = {place: min(self._facets(place).get(sort, []), default=None) for place in places}
            places.sort(key=lambda place: (values[place] is None, values[place] or "", place))
            shown = places[offset : offset + limit]
            order = {place: number for number, place in enumerate(sorted(shown))}
            hits = self._hits(shown, question, ranked=True, ordered=False)
            return Results(len(places), tuple(hits[order[place]] for place in shown))
        for way in self._ways(question):
            loose = every([*way, *scope])
            if found := self._places(loose, WINDOW + 1):
                break
        else:
            return Results(0)
        if len(found) <= WINDOW:
            return Results(len(found), tuple(self._hits(found, question)[offset : offset + limit]))
        window: dict[int, None] = {}
        for narrow in _narrow(question):
            window.update(dict.fromkeys(self._places(every([within(self._names, narrow), loose]), STEP)))
        window.update(dict.fromkeys([place for place in found if place not in window][: WINDOW - len(window)]))
        hits = self._hits(list(window), question)[offset : offset + limit]
        if len(hits) < limit:
            hits += self._hits(self._beyond(loose, window, limit - len(hits), max(offset - WINDOW, 0)), question, ranked=False)
        return Results(self._count(loose), tuple(hits))

    def _ways(self, question: _Question) -> Iterator[list[str]]:
        """How a document may hold the question, each way wider than the one before: as identifiers, word for word, in parts."""
        exact = [question.run] if self._is_identifier(question.run) else [word for word in question.words if self._is_identifier(word)]
        if exact:
            rest = [] if exact == [question.run] else [phrase(word) for word in question.words if word not in exact]
            yield [*(f'"{entire(word)}"' for word in exact), *rest]
        yield [phrase(word) for word in question.words]
        if len(question.run) <= LONGEST_CUT:
            yield [either([phrase(word), *(every(map(phrase, parts)) for parts in splits(word, LONGEST_SPLIT))]) for word in question.words]

    def _is_identifier(self, run: str) -> bool:
        return len(run) >= SHORTEST_IDENTIFIER and bool(self._places(f'"{entire(run)}"', 1))

    def _count(self, expression: str) -> int:
        return int(self._connection.execute("SELECT count(*) FROM grams WHERE grams MATCH ?", (expression,)).fetchone()[0])

    def _places(self, expression: str, most: int) -> list[int]:
        rows = self._connection.execute("SELECT rowid FROM grams WHERE grams MATCH ? ORDER BY rowid LIMIT ?", (expression, most))
        return [row[0] for row in rows]

    def _hits(self, places: list[int], question: _Question, *, ranked: bool = True, ordered: bool = True) -> list[Hit]:
        """The documents at these places: best first and equals in static rank, or all in static rank with no score."""
        sql = f"SELECT id, kind, title, texts FROM documents WHERE rank IN ({', '.join('?' * len(places))}) ORDER BY rank"  # noqa: S608
        hits = []
        for id, kind, title, texts in self._connection.execute(sql, places):
            worth, why = score(self._fields, texts.split(BETWEEN), question.words, question.run)
            whole = any(match.how == WHOLE and match.field in self._whole for match in why) and len(question.words) == 1
            hits.append(Hit(id, kind, title, 1.0 if whole else round(min(worth / self._most, 0.99), 4) if ranked else 0.0, why))
        return sorted(hits, key=lambda hit: -hit.score) if ordered else hits

    def _beyond(self, expression: str, window: Iterable[int], limit: int, offset: int) -> list[int]:
        """Places that follow the window, in static rank."""
        outside = ", ".join(map(str, window))
        sql = f"SELECT rowid FROM grams WHERE grams MATCH ? AND rowid NOT IN ({outside}) ORDER BY rowid LIMIT ? OFFSET ?"  # noqa: S608
        return [row[0] for row in self._connection.execute(sql, (expression, limit, offset))]


def _scope(kind: str | None, filters: Mapping[str, str | Sequence[str]] | None, but: str | None = None) -> list[str]:
    """The expressions for a kind and filters, without the filter of the facet `but`."""
    scope = [] if kind is None else [f'"{label("kind", kind)}"']
    for name, values in sorted((filters or {}).items()):
        if name != but:
            wanted = [values] if isinstance(values, str) else values
            scope.append(either(f'"{label(f"facet.{name}", value)}"' for value in wanted) if wanted else f'"{label("nothing", "")}"')
    return scope


def _narrow(question: _Question) -> Iterator[str]:
    """All of the question in one piece: a whole value, the beginning of one, anywhere in one."""
    yield phrase(question.run, start=True, end=True)
    yield phrase(question.run, start=True)
    if len(question.run) > 1:  # one character has no pairs to be found by in one field
        yield phrase(question.run)
