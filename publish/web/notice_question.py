"""What /notices is asked: the query string as one frozen noun, and every key and value that does not exist refused with those that do.

    q=QUERY                in the language of search/texts_query.py
    province, city, county a code of a region
    kind, authority, seriousness, state, violation_type, year   each may stand several times: one of them is enough
    since, until           days, months or years of the decision
    sort=relevance|newest|oldest, limit=N, offset=N    by relevance where there is a query, else newest first

Each state has one spelling (`link`). Knows nothing of pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import search

from .asked import AS_OF, REGIONS, NoSuchChoice, State, common, read
from .reader import Reader

LONGEST = 200  # characters of a value


@dataclass(frozen=True)
class Question(State):
    """`since` and `until` are days, months or years of the decision."""

    FACETS = (*REGIONS, "kind", "authority", "seriousness", "violation_type", "year", "state")
    ENDS = ("since", "until")
    KEYS = ("q", *FACETS, *ENDS, "sort", "limit", "offset")
    CODES = {"kind": "notice_kinds", "seriousness": "seriousness", "state": "notice_states", "violation_type": "violation_types"}  # noqa: RUF012
    SORTS = {"relevance": None, "newest": "-decided_on", "oldest": "decided_on"}  # noqa: RUF012

    since: str = ""
    until: str = ""

    @classmethod
    def sorts(cls, query: str) -> tuple[str, ...]:
        """Without a query nothing answers better than another."""
        return tuple(name for name in cls.SORTS if query or cls.SORTS[name])


def ask(pairs: Sequence[tuple[str, str]], reader: Reader) -> Question:
    """The question of a query string's keys and values. Raises NoSuchChoice."""
    given = read(pairs, Question.KEYS, (AS_OF,), as_is=("q",), several=Question.FACETS)
    query, since, until = given.get("q", [""])[0], _day("since", given), _day("until", given)
    if since and until and since[: len(until)] > until[: len(since)]:
        raise NoSuchChoice("since", f"≤ {until}")
    made = common(Question, query, given, lambda facet, value: _known(reader, facet, value))
    return Question(query, **made, since=since, until=until)


def _known(reader: Reader, facet: str, value: str) -> str | None:
    """The values of a facet where this is none of them; None where it is, or where they are whatever sources write."""
    if facet in REGIONS:
        of_level = [code for code, row in reader.regions.items() if row["level"] == facet]
        return None if value in of_level else ", ".join(of_level[:100])
    if facet in Question.CODES:
        codes = reader.codes(Question.CODES[facet])
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
