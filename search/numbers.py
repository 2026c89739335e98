"""Identifiers: looked up whole, by a part, or with one character wrong, missing, added or swapped."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from .file import Array

SHORTEST = 6  # characters of a part that is looked for: four digits are in too many numbers
TYPED = 10  # characters of a number that may have a slip: in a shorter one the slip makes another number
END = 6  # bytes: one slip leaves the first so many whole, or the last
MOST = 2_000  # that begin alike and are compared; first come the shortest, and what begins is the place and the kind


class Numbered:
    """Compact identifiers with their documents while an index is written."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[Array, Array]]] = {}

    def add(self, numbers: Iterable[tuple[str, int]]) -> None:
        of: dict[int, list[tuple[bytes, int]]] = {}
        for text, document in numbers:
            raw = text.encode()
            of.setdefault(len(raw), []).append((raw, document))
        for length, pairs in of.items():
            texts, documents = zip(*pairs, strict=True)
            self._of.setdefault(length, []).append((np.array(texts, f"S{length}"), np.array(documents, np.uint32)))

    def finish(self) -> tuple[list[tuple[int, int]], dict[str, Array]]:
        """How many there are of each length in bytes, and the arrays, by length and then in order."""
        table, texts, documents = [], [np.empty(0, np.uint8)], [np.empty(0, np.uint32)]
        for length in sorted(self._of):
            its, of = (np.concatenate(parts) for parts in zip(*self._of[length], strict=True))
            order = np.lexsort((of, its))
            table.append((length, len(its)))
            texts.append(its[order].view(np.uint8))
            documents.append(of[order])
        return table, {"numbers": np.concatenate(texts), "numbered": np.concatenate(documents)}


class Numbers:
    """The identifiers of an open index."""

    def __init__(self, table: Iterable[tuple[int, int]], arrays: Mapping[str, Array]) -> None:
        self._all: list[tuple[int, NDArray[np.bytes_], NDArray[np.uint32]]] = []
        self.lengths: dict[int, int] = {}
        at = row = 0
        for length, count in table:
            texts = arrays["numbers"][at : at + length * count].view(f"S{length}")
            self.lengths[length] = len(self._all)
            self._all.append((length, texts, arrays["numbered"][row : row + count]))
            at, row = at + length * count, row + count

    def whole(self, run: str) -> NDArray[np.uint32]:
        """The documents with exactly this identifier."""
        raw = run.encode()
        place = self.lengths.get(len(raw))
        if place is None:
            return np.empty(0, np.uint32)
        _, texts, documents = self._all[place]
        first, last = texts.searchsorted(np.bytes_(raw), "left"), texts.searchsorted(np.bytes_(raw), "right")
        return np.unique(documents[first:last]) if last - first > 1 else documents[first:last]

    def holding(self, run: str) -> NDArray[np.uint32]:
        """The documents with an identifier in which this stands."""
        raw = run.encode()
        if len(run) < SHORTEST or not any(character.isdigit() for character in run):
            return np.empty(0, np.uint32)
        found = [documents[_rows_with(texts, raw, length)] for length, texts, documents in self._all if length >= len(raw)]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.uint32)

    def near(self, run: str) -> dict[int, str]:
        """The documents with an identifier that is one slip away, each with it."""
        raw = run.encode()
        if len(run) < TYPED or not any(character.isdigit() for character in run):
            return {}
        found: dict[int, str] = {}
        for length in range(len(raw) - 3, len(raw) + 4):  # a character has up to three bytes
            if length not in self.lengths or length <= END:
                continue
            _, texts, documents = self._all[self.lengths[length]]
            first = int(texts.searchsorted(np.bytes_(raw[:END])))
            last = int(texts.searchsorted(np.bytes_(raw[:END] + b"\xff"), "right"))
            tails = texts.view(np.uint8).reshape(-1, length)[:, -END:] == np.frombuffer(raw[-END:], np.uint8)
            rows = np.union1d(np.arange(first, min(last, first + MOST * 10)), np.flatnonzero(tails.all(axis=1)))
            choices = [text.decode("utf-8", "replace") for text in texts[rows].tolist()]
            if choices:
                distances = process.cdist([run], choices, scorer=OSA.distance, score_cutoff=1)[0]
                found |= {int(documents[rows[spot]]): choices[spot] for spot in np.flatnonzero(distances == 1)}
        return found


def _rows_with(texts: NDArray[np.bytes_], raw: bytes, length: int) -> list[int]:
    """The rows in which some bytes stand, by one search through all."""
    data = texts.tobytes()
    rows, at = [], data.find(raw)
    while at >= 0:
        row = at // length
        if at + len(raw) <= (row + 1) * length:
            rows.append(row)
            at = data.find(raw, (row + 1) * length)
        else:
            at = data.find(raw, at + 1)  # it reached over the end of one
    return rows
