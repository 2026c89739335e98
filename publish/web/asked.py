"""What a page of ours is asked, read strictly: a key or a value that does not exist is refused with those that do, and never left out.

Who misspells a filter would otherwise be told of all of them, and who asks for a day of today's. What /search and /notices have in common is a `State`:
words, filters by facet, an order and a page, with one spelling in an address. Knows no page.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlencode

from . import facts
from .answer import Answer
from .reader import Reader, Row
from .visit import Visit, address, of_release

AS_OF = "as_of"  # read by site.py before a page is asked
_ASCII = re.compile(r"[\x00-\x7f\ud800-\udfff]")
PAGE, MOST = 20, 100  # results of one page, and at most
REGIONS = ("province", "city", "county")  # facets of which each lies in the one before
Given = Mapping[str, Sequence[str]]


class NoSuchChoice(Exception):
    """A value (`kind` is choice) or a key that does not exist, and `known` are those that do; or a key that stands `twice` where one value can be meant."""

    def __init__(self, name: str, known: str, kind: str = "choice") -> None:
        super().__init__(name)
        self.name, self.known, self.kind = name, known, kind


def read(
    pairs: Sequence[tuple[str, str]], keys: Sequence[str], also: Sequence[str] = (), as_is: Sequence[str] = (), several: Sequence[str] = ()
) -> Given:
    """The values of each key that has any, spaces made one except of the keys `as_is`; `also` are keys that are somebody else's, and those of `several`
    may have more than one value. Raises NoSuchChoice."""
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if key not in keys and key not in also:
            raise NoSuchChoice(key, ", ".join((*keys, *also)), "key")
        if value := value.strip() if key in as_is else " ".join(value.split()):
            given.setdefault(key, []).append(value)
    for key, values in given.items():
        if key not in several and values.count(values[0]) < len(values):
            raise NoSuchChoice(key, ", ".join(values), "twice")
    return given


@dataclass(frozen=True)
class State:
    """What a search page is asked. `filters` have the values of each facet that is asked for; an end that is not asked for is ""."""

    KEYS: ClassVar[tuple[str, ...]]  # in the order of an address
    FACETS: ClassVar[tuple[str, ...]]
    CODES: ClassVar[Mapping[str, str]]  # the table of codes of a facet
    SORTS: ClassVar[Mapping[str, str | None]]  # what the index sorts by
    ENDS: ClassVar[tuple[str, ...]] = ()  # keys of a range

    query: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "relevance"
    limit: int = PAGE
    offset: int = 0

    @classmethod
    def sorts(cls, query: str) -> tuple[str, ...]:
        """The orders that there are for a query, the one that goes without saying first."""
        return tuple(cls.SORTS)

    @property
    def order(self) -> str | None:
        """The field that the index sorts by."""
        return self.SORTS[self.sort]

    def pairs(self, **instead: object) -> list[tuple[str, str]]:
        """The keys and values of this state, or of one with others: a facet's are a tuple. Of its first page but by `offset`; without what goes without saying."""
        asked = {"q": self.query, **self.filters, **{end: getattr(self, end) for end in self.ENDS}}
        asked |= {"sort": self.sort, "limit": self.limit, "offset": 0, **instead}
        silent = {"sort": self.sorts(str(asked["q"]))[0], "limit": PAGE, "offset": 0}
        each = [(key, value) for key in self.KEYS for value in (asked[key] if isinstance(asked.get(key), tuple) else (asked.get(key, ""),))]
        return [(key, str(value)) for key, value in each if value != silent.get(key, "")]

    def link(self, **instead: object) -> str:
        """The query string of `pairs`."""
        return "&".join(f"{key}={_quoted(value)}" for key, value in self.pairs(**instead))

    @property
    def whole(self) -> str:
        """The link of all that is found, not of a page of it."""
        return self.link(limit=PAGE)

    def turned(self, name: str, value: str) -> str:
        """The link with a value added, or taken away where it is there; a region takes those under it along."""
        asked = self.filters.get(name, ())
        if name in REGIONS:
            below = dict.fromkeys(REGIONS[REGIONS.index(name) + 1 :], ())
            return self.link(**{**below, name: () if value in asked else (value,)})
        return self.link(**{name: tuple(one for one in asked if one != value) if value in asked else (*asked, value)})

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """Each filter that is set: facet, value and the link without it."""
        return [(name, value, self.turned(name, value)) for name in self.FACETS for value in self.filters.get(name, ())]

    def head(self, visit: Visit, reader: Reader, path: str, found: Any) -> Row:
        """How the JSON of what was found begins."""
        return {
            **of_release(visit, reader),
            "query": self.query,
            "url": f"{address(path, visit.lang)}?{self.link(offset=self.offset)}",
            "as_of": facts.freshness(reader, visit.today)["as_of"],
            "total": found.total,
            "filters": self.filters,
            **{end: getattr(self, end) or None for end in self.ENDS},
            "sort": self.sort,
            "limit": self.limit,
            "offset": self.offset,
            "meant": found.meant,
            "facets": found.facets,
        }


def _quoted(text: str) -> str:
    """As quote_plus does; a Chinese name takes that 15 microseconds."""
    if text.isascii():
        return text if text.isalnum() else quote_plus(text)
    return quote_plus(text) if _ASCII.search(text) else f"%{text.encode().hex('%').upper()}"


def common(kind: type[State], query: str, given: Given, known: Callable[[str, str], str | None]) -> dict[str, Any]:
    """Filters, order and page of a state; `known` has the values of a facet where one is none of them, else None. Raises NoSuchChoice."""
    for facet in kind.FACETS:
        for value in given.get(facet, ()):
            if (choices := known(facet, value)) is not None:
                raise NoSuchChoice(facet, choices)
    sorts = kind.sorts(query)
    sort = given.get("sort", sorts)[0]
    if sort not in sorts:
        raise NoSuchChoice("sort", ", ".join(sorts))
    return {
        "filters": {facet: tuple(dict.fromkeys(given[facet])) for facet in kind.FACETS if facet in given},
        "sort": sort,
        "limit": min(MOST, whole("limit", given, PAGE, f"1–{MOST}") or PAGE),
        "offset": whole("offset", given, 0, "0, 1, 2 …"),
    }


def whole(name: str, given: Given, default: int, known: str) -> int:
    """A whole number. Raises NoSuchChoice."""
    text = given.get(name, [str(default)])[0]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NoSuchChoice(name, known)
    return int(text)


def unsearchable(problem: Callable[..., Answer], visit: Visit, reader: Reader, table: str) -> Answer:
    """The answer where a release has no index that can be read: what of it can be asked all the same."""
    where = f"/history/{table}_as_of?release={reader.id}" if visit.is_past else f"/mingbai/{table}"
    instead = {"table": address(where, visit.lang)}
    if visit.is_past:
        rest = urlencode([pair for pair in visit.pairs if pair[0] != AS_OF])
        instead["newest"] = f"{address(visit.path, visit.lang)}?{rest}"
    return problem(visit, 503, "unsearchable", instead if visit.wants_json else {}, instead=list(instead.items()))


def refused(problem: Callable[..., Answer], visit: Visit, no: NoSuchChoice, path: str, keys: Sequence[str]) -> Answer:
    """The answer to what does not exist, with a link to the same page without it."""
    rest = [(key, value) for key, value in visit.pairs if key in (*keys, AS_OF) and key != no.name]
    onward = f"{address(path, visit.lang)}?{urlencode(rest)}" if rest else address(path, visit.lang)
    return problem(visit, 400, no.kind, {"name": no.name, "known": no.known}, onward=onward)
