"""The facets of a search as links: each adds a value to the question or takes it away again, and says how many it would find.

A region is chosen from the province down: the cities of a province stand where it is chosen, and whoever chooses another has left them. Of the
other facets several values can be chosen. A facet's counts leave its own filter out, so that they say what the other values would find.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .asked import REGIONS, State
from .reader import Reader
from .visit import Visit

Counts = Mapping[str, Mapping[str, int]]
NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True)
class Choice:
    """A value of a facet; `query` is the question with it, or without it where it is `chosen`."""

    label: str
    count: int
    chosen: bool
    query: str


@dataclass(frozen=True)
class Facet:
    """`chosen` is whether one of its choices is; `more` is how many are not shown."""

    name: str
    choices: tuple[Choice, ...]
    chosen: bool
    more: int


def facets(
    asked: State,
    counts: Counts,
    total: int,
    called: Callable[[str, str], str],
    ordered: Callable[[str, Mapping[str, int]], Sequence[str]],
    most: Mapping[str, int] = NOTHING,
) -> list[Facet]:
    """The facets that can narrow what was found in all, or that do, with what their values are `called`, in the order that is given; of those
    in `most` no more are shown but the chosen ones."""
    found = []
    for name in asked.FACETS:
        chosen = asked.filters.get(name, ())
        values = {**counts.get(name, {}), **{value: counts.get(name, {}).get(value, 0) for value in chosen}}
        if not _is_open(asked, name, counts) or not (chosen or any(count < total for count in values.values())):
            continue
        order = ordered(name, values)
        kept = [value for place, value in enumerate(order) if place < most.get(name, len(order)) or value in chosen]
        choices = tuple(Choice(called(name, value), values[value], value in chosen, asked.turned(name, value)) for value in kept)
        found.append(Facet(name, choices, bool(chosen), len(order) - len(kept)))
    return found


def label(asked: State, facet: str, value: str, reader: Reader, visit: Visit) -> str:
    """What a value is called, by the release's tables."""
    if facet in REGIONS:
        return reader.region_name(value, visit.lang)
    if value == "none" or facet == "permit":
        return visit.t(f"facet.{facet}.{value}")
    return reader.label(asked.CODES[facet], value, visit.lang) if facet in asked.CODES else value


def _is_open(asked: State, name: str, counts: Counts) -> bool:
    """Whether a facet is for choosing from already: a city when it is clear in which province, a county in which city, or province that has none."""
    if name not in REGIONS[1:] or name in asked.filters:
        return True
    above = "city" if name == "county" and ("city" in asked.filters or counts.get("city")) else "province"
    return above in asked.filters or len(counts.get(above, {})) == 1
