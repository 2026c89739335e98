"""What /search is asked: the query string as one frozen noun, and every key and value that does not exist refused with those that do.

    q=WORDS                a name, a part of one, a permit number or a credit code
    province, city, county a code of a region
    class, list, permit, supervision   each may stand several times: one of them is enough
    sort=region            by region instead of by how well it answers
    limit=N, offset=N      the page

Each state has one spelling (`link`): keys in this order, without what goes without saying. Knows nothing of pages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from ..rules import HARMLESS
from .reader import Reader
from .selection import NoSuchChoice

REGIONS = ("province", "city", "county")
STATES = ("valid", "open", "not_yet", "expired", "none")  # of permits, as publish.index counts them
CODES = {"class": "classes", "list": "lists", "supervision": "fund_modes"}
FACETS = (*REGIONS, "class", "list", "permit", "supervision")
SORTS = {"relevance": None, "region": "county"}
KEYS = ("q", *FACETS, "sort", "limit", "offset")
LONGEST = 200  # characters of a query; what is beyond it is not searched for, and the page says so
PAGE, MOST = 20, 100
_ASCII = re.compile(r"[\x00-\x7f\ud800-\udfff]")
SILENT = {"sort": "relevance", "limit": PAGE, "offset": 0}  # what goes without saying


@dataclass(frozen=True)
class Question:
    """`query` is what is searched for, `typed` what was typed; `filters` have the values of each facet that is asked for."""

    typed: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "relevance"
    limit: int = PAGE
    offset: int = 0

    @property
    def query(self) -> str:
        return self.typed[:LONGEST]

    @property
    def order(self) -> str | None:
        """The facet that the index sorts by."""
        return SORTS[self.sort]

    def link(self, **instead: object) -> str:
        """The query string of this state on its first page, or of one with other values: a facet's are a tuple."""
        asked = {"q": self.query, **self.filters, "sort": self.sort, "limit": self.limit, **instead}
        pairs = []
        for key in KEYS:
            if key in asked:
                values = each if isinstance(each := asked[key], tuple) else (each,)
                pairs += [f"{key}={_quoted(str(value))}" for value in values if value != SILENT.get(key, "")]
        return "&".join(pairs)


def _quoted(text: str) -> str:
    """As quote_plus does; a Chinese name takes that 15 microseconds."""
    if text.isascii():
        return text if text.isalnum() else quote_plus(text)
    return quote_plus(text) if _ASCII.search(text) else f"%{text.encode().hex('%').upper()}"


def ask(pairs: Sequence[tuple[str, str]], reader: Reader, also: Sequence[str] = ()) -> Question:
    """The question of a query string's keys and values; `also` are keys that are somebody else's. Raises NoSuchChoice."""
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if key not in KEYS and key not in also:
            raise NoSuchChoice(key, ", ".join(KEYS), is_key=True)
        if value := " ".join(value.split()):
            given.setdefault(key, []).append(value)
    filters = {}
    for facet in FACETS:
        if facet in given:
            for value in given[facet]:
                if not _exists(reader, facet, value):
                    raise NoSuchChoice(facet, ", ".join(choices(reader, facet, given)))
            filters[facet] = tuple(dict.fromkeys(given[facet]))
    sort = given.get("sort", ["relevance"])[0]
    if sort not in SORTS:
        raise NoSuchChoice("sort", ", ".join(SORTS))
    return Question(
        given.get("q", [""])[0],
        filters,
        sort,
        min(MOST, _whole("limit", given, PAGE, f"1–{MOST}") or PAGE),
        _whole("offset", given, 0, "0, 1, 2 …"),
    )


def choices(reader: Reader, facet: str, given: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The values of a facet; of a region those under the one above it that is asked for."""
    if facet == "permit":
        return STATES
    if facet not in REGIONS:
        codes = reader.codes(CODES[facet])
        return [code for code in codes if code in HARMLESS] if facet == "list" else [*codes, "none"] if facet == "supervision" else codes
    above = given.get(REGIONS[REGIONS.index(facet) - 1], []) if facet != "province" else []
    found = [code for code, row in reader.regions.items() if row["level"] == facet]
    return [code for code in found if reader.regions[code]["parent_code"] in above] or found[:100]


def _exists(reader: Reader, facet: str, value: str) -> bool:
    if facet in REGIONS:
        row = reader.regions.get(value)
        return row is not None and row["level"] == facet
    return value in choices(reader, facet, {})


def _whole(name: str, given: Mapping[str, Sequence[str]], default: int, known: str) -> int:
    text = given.get(name, [str(default)])[0]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NoSuchChoice(name, known)
    return int(text)
