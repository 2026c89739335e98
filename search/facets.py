"""What documents are filtered by, counted by and sorted by: of each facet one small number a document, for the set of values that it has."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .file import Array, smallest

Values = tuple[str, ...]
FEW = 50


class Column:
    """A facet while an index is written. A document without the facet has the empty set."""

    def __init__(self) -> None:
        self._sets: dict[Values, int] = {(): 0}
        self._codes = array("L")

    def add(self, place: int, values: str | Values) -> None:
        wanted = (values,) if isinstance(values, str) else tuple(sorted(set(values))) if len(values) != 1 else values
        if place > len(self._codes):
            self._codes.extend([0] * (place - len(self._codes)))
        self._codes.append(self._sets.setdefault(wanted, len(self._sets)))

    def finish(self, documents: int) -> tuple[list[Values], Array]:
        """The sets in the order of their values, and the number of its set for each document."""
        self._codes.extend([0] * (documents - len(self._codes)))
        order = sorted(self._sets)
        renumbered = np.zeros(len(order), np.uint32)
        renumbered[[self._sets[values] for values in order]] = np.arange(len(order))
        return order, smallest(renumbered)[np.frombuffer(self._codes, np.uint64)]


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts in the order of how many, and of their values; sorted twice, since a key of both takes four times as long."""
    return {value: counts[value] for value in sorted(sorted(counts), key=counts.__getitem__, reverse=True)}


class Facets:
    """The facets of an open index."""

    def __init__(self, sets: Mapping[str, Sequence[Sequence[str]]], arrays: Mapping[str, Array], documents: int) -> None:
        self._documents = documents
        self._sets = {name: [tuple(values) for values in its] for name, its in sets.items()}
        self._columns: dict[str, NDArray[Any]] = {name: arrays[f"facet.{name}"] for name in sets}
        # of a facet of which no document has several values: the value of each set, the empty one first
        self._single = {
            name: ["".join(values) for values in its]
            for name, its in self._sets.items()
            if its == sorted({(), *its}) and all(len(values) < 2 for values in its)
        }
        self._having: dict[str, dict[str, list[int]]] = {}
        for name, its in self._sets.items():
            having = self._having.setdefault(name, {})
            for number, values in enumerate(its):
                for value in values:
                    having.setdefault(value, []).append(number)

    def mask(self, filters: Mapping[str, str | Sequence[str]]) -> NDArray[np.bool_] | None:
        """The documents that pass all the filters, each with a value or one of the values; None where there is no filter."""
        mask = None
        for name, wanted in filters.items():
            having = self._having.get(name, {})
            allowed = np.zeros(len(self._sets.get(name, ())) or 1, bool)
            for value in [wanted] if isinstance(wanted, str) else wanted:
                allowed[having.get(value, [])] = True
            passed = allowed[self._columns[name]] if name in self._columns else np.zeros(self._documents, bool)
            mask = passed if mask is None else mask & passed
        return mask

    def only(self, name: str) -> str | None:
        """The value that every document has of a facet, and no other; None where there is no such value."""
        sets = self._sets.get(name, [])
        whole = len(sets) == 2 and len(sets[1]) == 1 and self._documents > 0 and bool(self._columns[name].all())
        return sets[1][0] if whole else None

    def values(self, name: str, document: int) -> Values:
        """What one document has of a facet."""
        return self._sets[name][int(self._columns[name][document])]

    def counts(self, name: str, documents: NDArray[np.uint32]) -> dict[str, int]:
        """How many of the documents have each value, the most frequent first."""
        if name not in self._columns:
            return {}
        column, sets, found = self._columns[name], self._sets[name], dict[str, int]()
        if len(documents) == 1:
            return dict.fromkeys(sets[column[documents[0]]], 1)
        # of few documents a bin for each of 3,000 counties costs more than they do
        if len(documents) < FEW:
            counted = [(each, 1) for each in column.take(documents).tolist()]
        else:
            bins = np.bincount(column.take(documents))  # an index of 32 bits takes seven times as long as take
            if (values := self._single.get(name)) is not None:  # by their values already
                bins[0] = 0
                order = np.argsort(-bins, kind="stable")[: np.count_nonzero(bins)]
                return dict(zip([values[number] for number in order.tolist()], bins[order].tolist(), strict=True))
            numbers = np.flatnonzero(bins)
            counted = list(zip(numbers.tolist(), bins[numbers].tolist(), strict=True))
        for number, count in counted:
            for value in sets[number]:
                found[value] = found.get(value, 0) + count
        return most_frequent_first(found)

    def order(self, name: str, documents: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Documents by their least value of a facet, those without it last, then in static rank."""
        if name not in self._columns:
            return documents
        codes = self._columns[name][documents].astype(np.int64)
        codes[codes == 0] = len(self._sets[name])  # the empty set is the least of all
        return documents[np.argsort(codes, kind="stable")]
