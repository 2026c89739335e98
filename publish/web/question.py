"""What /search is asked: the query string as one frozen noun, and every key and value that does not exist refused with those that do.

    q=WORDS                a name, a part of one, a permit number or a credit code
    province, city, county a code of a region
    class, list, permit, supervision   each may stand several times: one of them is enough
    sort=region            by region instead of by how well it answers
    limit=N, offset=N      the page

Each state has one spelling (`link`): keys in this order, without what goes without saying. Knows nothing of pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..rules import HARMLESS
from .asked import REGIONS, State, common, read
from .reader import Reader

STATES = ("valid", "open", "not_yet", "expired", "none")  # of permits, as publish.index counts them
LONGEST = 200  # characters of a query; what is beyond it is not searched for, and the page says so


@dataclass(frozen=True)
class Question(State):
    """`query` is what is searched for, `typed` what was typed."""

    FACETS = (*REGIONS, "class", "list", "permit", "supervision")
    KEYS = ("q", *FACETS, "sort", "limit", "offset")
    CODES = {"class": "classes", "list": "lists", "supervision": "fund_modes"}  # noqa: RUF012
    SORTS = {"relevance": None, "region": "county"}  # noqa: RUF012

    typed: str = ""


def ask(pairs: Sequence[tuple[str, str]], reader: Reader, also: Sequence[str] = ()) -> Question:
    """The question of a query string's keys and values; `also` are keys that are somebody else's. Raises NoSuchChoice."""
    given = read(pairs, Question.KEYS, also, several=Question.FACETS)
    typed = given.get("q", [""])[0]
    query = typed[:LONGEST]

    def known(facet: str, value: str) -> str | None:
        return None if _exists(reader, facet, value) else ", ".join(choices(reader, facet, given))

    return Question(query, **common(Question, query, given, known), typed=typed)


def choices(reader: Reader, facet: str, given: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The values of a facet; of a region those under the one above it that is asked for."""
    if facet == "permit":
        return STATES
    if facet not in REGIONS:
        codes = reader.codes(Question.CODES[facet])
        return [code for code in codes if code in HARMLESS] if facet == "list" else [*codes, "none"] if facet == "supervision" else codes
    above = given.get(REGIONS[REGIONS.index(facet) - 1], []) if facet != "province" else []
    found = [code for code, row in reader.regions.items() if row["level"] == facet]
    return [code for code in found if reader.regions[code]["parent_code"] in above] or found[:100]


def _exists(reader: Reader, facet: str, value: str) -> bool:
    if facet in REGIONS:
        row = reader.regions.get(value)
        return row is not None and row["level"] == facet
    return value in choices(reader, facet, {})
