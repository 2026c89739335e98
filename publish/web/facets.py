"""The facets of a search as links: each adds a value to the question or takes it away again, and says how many it would find.

A region is chosen from the province down: the cities of a province stand where it is chosen, and whoever chooses another has left them. Of the
other facets several values can be chosen. A facet's counts leave its own filter out, so that they say what the other values would find.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .question import CODES, FACETS, REGIONS, STATES, Question
from .reader import Reader
from .visit import Visit

Counts = Mapping[str, Mapping[str, int]]
SHOWN = 12  # values of one facet before the rest is folded away


@dataclass(frozen=True)
class Choice:
    """A value of a facet; `query` is the question with it, or without it where it is `chosen`."""

    label: str
    count: int
    chosen: bool
    query: str


@dataclass(frozen=True)
class Facet:
    """`chosen` is whether one of its choices is."""

    name: str
    choices: tuple[Choice, ...]
    chosen: bool


def facets(question: Question, counts: Counts, total: int, reader: Reader, visit: Visit) -> list[Facet]:
    """The facets that can narrow what was found in all, or that do."""
    found = []
    for name in FACETS:
        asked = question.filters.get(name, ())
        values = {**counts.get(name, {}), **{value: counts.get(name, {}).get(value, 0) for value in asked}}
        if not _is_open(name, question, counts) or not (asked or any(count < total for count in values.values())):
            continue
        order = _order(name, reader, values)
        choices = tuple(
            Choice(label(name, value, reader, visit), values[value], value in asked, question.link(**_turned(question, name, value)))
            for value in order
        )
        found.append(Facet(name, choices, bool(asked)))
    return found


def label(facet: str, value: str, reader: Reader, visit: Visit) -> str:
    """What a value is called, by the release's tables."""
    if facet in REGIONS:
        at = reader.regions.get(value)
        return str(at["name_zh"] if visit.lang == "zh" else at["name_en"] or at["name_zh"]) if at else value
    if value == "none" or facet == "permit":
        return visit.t(f"facet.{facet}.{value}")
    return reader.label(CODES[facet], value, visit.lang)


def without(question: Question) -> list[tuple[str, str, str]]:
    """Each filter that is set: facet, value and the question without it."""
    return [(name, value, question.link(**_turned(question, name, value))) for name in FACETS for value in question.filters.get(name, ())]


def _turned(question: Question, name: str, value: str) -> dict[str, tuple[str, ...]]:
    """The filters with a value added, or taken away where it is there; a region takes those under it along."""
    asked = question.filters.get(name, ())
    if name in REGIONS:
        below = dict.fromkeys(REGIONS[REGIONS.index(name) + 1 :], ())
        return {**below, name: () if value in asked else (value,)}
    return {name: tuple(one for one in asked if one != value) if value in asked else (*asked, value)}


def _is_open(name: str, question: Question, counts: Counts) -> bool:
    """Whether a facet is for choosing from already: a city when it is clear in which province, a county in which city, or province that has none."""
    if name not in REGIONS[1:] or name in question.filters:
        return True
    above = "city" if name == "county" and ("city" in question.filters or counts.get("city")) else "province"
    return above in question.filters or len(counts.get(above, {})) == 1


def _order(name: str, reader: Reader, values: Mapping[str, int]) -> list[str]:
    """Regions by their codes, the rest in the order of their tables; never by how many there are."""
    known = list(STATES) if name == "permit" else [] if name in REGIONS else [*reader.codes(CODES[name]), "none"]
    return sorted(values, key=lambda value: (known.index(value) if value in known else len(known), value))
