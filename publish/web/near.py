"""What is near a name that names nothing: for who misspelt a table, a file or a dataset, and has to go on from the page that says so."""

from collections.abc import Mapping
from difflib import get_close_matches

MOST, LIKE = 5, 0.5
Place = tuple[str, str]  # a name, and its address


def near(name: str, places: Mapping[str, str]) -> list[Place]:
    """The names that are most like one, with their addresses; the nearest first."""
    by_folded = {one.casefold(): one for one in places}
    found = [by_folded[one] for one in get_close_matches(name[:100].casefold(), by_folded, MOST, LIKE)]
    return [(one, places[one]) for one in found]


def near_releases(asked: str, known: list[str]) -> list[str]:
    """The releases before and after the one that was asked for, which need not be one; `known` are in order."""
    before, after = [one for one in known if one < asked], [one for one in known if one > asked]
    return [*before[-2:], *after[:2]]
