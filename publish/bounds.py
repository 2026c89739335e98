"""How far a release may be from the last one before somebody looks, as it is declared.

Every dataset says it for its tables under `bounds`, and a source file overrides it under `bounds: {TABLE: {...}}` where the source is known to
move otherwise. `total_X` is about a whole source and stops a release; `partition_X` is about one region of it and holds that region at its last
good rows. What is not declared is not judged, so nothing is left out by a typo: an unknown name is refused. Bounds make no row, and so they
are no part of the recipe.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from .declarations import Node

# How many days back a window begins; each is a measure of its own: rows that stood then and are gone without a word of their source.
WINDOWS = {"week": 7, "month": 30}

# What is measured, each with a share for a whole source (total_) and for one region of it (partition_). lost: rows that are gone; added: rows
# that are new; changed: rows in which a column says something else; traded: rows that took over another row's name or key; scaled: amounts in
# another unit; cut: texts of which the beginning alone is left; emptied: values that are gone from a column; week and month: rows that are
# gone since then; codes: rows that moved from or to a code; chinese: characters in
# names and texts that are no longer usual Chinese ones; invalid: credit codes whose check character is wrong; dates: days in the future or
# before 1949; unlinked: notices that lost their institution; doubled: rows that say what another one says; adverse_added and adverse_removed:
# notices, and listings that are black, grey or a warning, which two people must look at.
MEASURED = (
    "lost", "added", "changed", "traded", "scaled", "cut", "emptied", "codes", "chinese", "invalid", "dates", "unlinked", "doubled", "adverse_added", "adverse_removed", *WINDOWS,
)  # fmt: skip
OF_SOURCE = ("set_aside", "issues", "held")  # shares of a source's records that could not be used, had an issue, are in held partitions
SMALL = ("small_rows", "small_total", "small_adverse")  # so many rows (of a region, a whole source, a black list) are never too many
SHARES = (*(f"{scope}_{name}" for scope in ("total", "partition") for name in MEASURED), *OF_SOURCE)
GROWTH = ("added",)  # may be more than all that was there: every other share is at most 1


@dataclass(frozen=True)
class Bounds:
    """The bounds of one table by name; `free` are columns in which every row may change at once, such as the as-of day of a list."""

    allowed: Mapping[str, float]
    free: frozenset[str] = frozenset()

    def over(self, other: "Bounds | None") -> "Bounds":
        """These, and where they say nothing the `other`."""
        return self if other is None else replace(self, allowed={**other.allowed, **self.allowed}, free=self.free | other.free)


def read_bounds(node: Node, tables: Mapping[str, Collection[str]]) -> dict[str, Bounds]:
    """The bounds under a `bounds` key: table > name > number. `tables` are those that may be named, with their columns.

    Raises BadDeclaration naming file and key: a guard that is spelled wrong must not be a guard that is not there.
    """
    node.only(*tables)
    return {table: _bounds(node.node(table), tables[table]) for table in node.data}


def _bounds(node: Node, columns: Collection[str]) -> Bounds:
    node.only(*SHARES, *SMALL, "free")
    free = node.texts("free", ())
    for column in free:
        if column not in columns:
            raise node.fail(f"{column!r} is none of its columns", "free")
    allowed = {}
    for name in node.data:
        if name == "free":
            continue
        value = float(node.number(name))
        most = float("inf") if name in SMALL or name.endswith(GROWTH) else 1.0
        if not 0 <= value <= most or value != value:
            raise node.fail(f"{value:g} is out of its range; expected a number from 0 to {most:g}", name)
        allowed[name] = value
    return Bounds(allowed, frozenset(free))
