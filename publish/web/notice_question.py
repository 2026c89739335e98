"""What /notices is asked: the query string as one frozen noun, and every key and value that does not exist refused with those that do.

    q=QUERY                in the language of search/texts_query.py
    province, city, county a code of a region
    kind, authority, seriousness, state, violation_type, year   each may stand several times: one of them is enough
    since, until           days, months or years of the decision
    sort=relevance|newest|oldest, limit=N, offset=N    by relevance where there is a query, else newest first

Each state has one spelling (`link`). Knows nothing of pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import search

from .asked import AS_OF, MOST, PAGE, NoSuchChoice, read, whole
from .reader import Reader

REGIONS = ("province", "city", "county")
CODES = {"kind": "notice_kinds", "seriousness": "seriousness", "state": "notice_states", "violation_type": "violation_types"}
FACETS = (*REGIONS, "kind", "authority", "seriousness", "violation_type", "year", "state")
SORTS = {"relevance": None, "newest": "-decided_on", "oldest": "decided_on"}
KEYS = ("q", *FACETS, "since", "until", "sort", "limit", "offset")
LONGEST = 200  # characters of a value


@dataclass(frozen=True)
class Question:
    """`filters` have the values of each facet that is asked for; a day that is not asked for is ""."""

    query: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    sort: str = "relevance"
    limit: int = PAGE
    offset: int = 0

    @property
    def order(self) -> str | None:
        """The field that the index sorts by."""
        return SORTS[self.sort]

    @property
    def sorts(self) -> tuple[str, ...]:
        """The orders that there are; without a query nothing answers better than another."""
        return _sorts(self.query)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        return [(name, value) for name in FACETS for value in self.filters.get(name, ())]

    def pairs(self, **instead: object) -> list[tuple[str, str]]:
        """The query string of this state, or of one with other values: a facet's are a sequence. None of a page but by `offset`."""
        asked = {
            **{
                "q": self.query,
                **self.filters,
                "since": self.since,
                "until": self.until,
                "sort": self.sort,
                "limit": self.limit,
                "offset": 0,
            },
            **instead,
        }
        silent = {"sort": _sorts(str(asked["q"]))[0], "limit": PAGE, "offset": 0}
        found = []
        for key in KEYS:
            values = asked.get(key, ())
            for value in values if isinstance(values, tuple) else (values,):
                if value != silent.get(key, ""):
                    found.append((key, str(value)))
        return found

    def link(self, **instead: object) -> str:
        return urlencode(self.pairs(**instead))

    def turned(self, name: str, value: str) -> dict[str, tuple[str, ...]]:
        """The filters with a value added, or taken away where it is there; a region takes those under it along."""
        asked = self.filters.get(name, ())
        if name in REGIONS:
            below = dict.fromkeys(REGIONS[REGIONS.index(name) + 1 :], ())
            return {**below, name: () if value in asked else (value,)}
        return {name: tuple(one for one in asked if one != value) if value in asked else (*asked, value)}

    def is_open(self, name: str) -> bool:
        """Whether a facet is for choosing from already: a city when it is clear in which province, a county in which city or province."""
        return name not in REGIONS[1:] or name in self.filters or any(above in self.filters for above in REGIONS[: REGIONS.index(name)])


def ask(pairs: Sequence[tuple[str, str]], reader: Reader) -> Question:
    """The question of a query string's keys and values. Raises NoSuchChoice."""
    given = read(pairs, KEYS, (AS_OF,), as_is=("q",))
    filters = {}
    for facet in FACETS:
        for value in given.get(facet, ()):
            if (known := _known(reader, facet, value)) is not None:
                raise NoSuchChoice(facet, known)
        if facet in given:
            filters[facet] = tuple(dict.fromkeys(given[facet]))
    query, since, until = given.get("q", [""])[0], _day("since", given), _day("until", given)
    sorts = _sorts(query)
    sort = given.get("sort", sorts)[0]
    if sort not in sorts:
        raise NoSuchChoice("sort", ", ".join(sorts))
    if since and until and since[: len(until)] > until[: len(since)]:
        raise NoSuchChoice("since", f"≤ {until}")
    return Question(
        query,
        filters,
        since,
        until,
        sort,
        min(MOST, whole("limit", given, PAGE, f"1–{MOST}") or PAGE),
        whole("offset", given, 0, "0, 1, 2 …"),
    )


def _sorts(query: str) -> tuple[str, ...]:
    """The orders of what a query finds, the one that goes without saying first."""
    return tuple(name for name in SORTS if query or SORTS[name])


def _known(reader: Reader, facet: str, value: str) -> str | None:
    """The values of a facet where this is none of them; None where it is, or where they are whatever sources write."""
    if facet in REGIONS:
        of_level = [code for code, row in reader.regions.items() if row["level"] == facet]
        return None if value in of_level else ", ".join(of_level[:100])
    if facet in CODES:
        codes = reader.codes(CODES[facet])
        return None if value in codes else ", ".join(codes)
    if facet == "year":
        return None if value.isascii() and value.isdigit() and len(value) == 4 else "2026"
    return None if len(value) <= LONGEST else f"1–{LONGEST}"


def _day(name: str, given: Mapping[str, Sequence[str]]) -> str:
    text = given.get(name, [""])[0]
    found = search.days(text) if text else ("", "")
    if found is None or found[0] != found[1]:
        raise NoSuchChoice(name, "2026, 2026-03, 2026-03-05")
    return found[0]
