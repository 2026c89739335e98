"""Identifiers: looked up whole, by a part, or with one character wrong, missing, added or swapped.

Numbers are printed with 号 after them, and handed over without it: with it a whole number is meant, or the end of one.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from .file import Array

SHORTEST = 6  # characters of a part that is looked for: four digits are in too many numbers
TYPED = 10  # characters of a number that may have a slip: in a shorter one the slip makes another number
END = 6  # bytes: one slip leaves the first so many whole, or the last
WIDE = 6  # bytes that one slip changes at most: two characters swapped
MOST = 20_000  # that begin alike and are compared; first come the shortest, and what begins is the place and the kind
FEW = 1_000  # documents that numpy's unique sorts; for more it takes ten times as long as a mask of all
NUMBER_SIGN = "号"


class Numbered:
    """Compact identifiers with their documents while an index is written."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[Array, Array]]] = {}
        self._letters: set[str] = set()

    def add(self, numbers: Iterable[tuple[str, int]]) -> None:
        of: dict[int, list[tuple[bytes, int]]] = {}
        for text, document in numbers:
            raw = text.encode()
            self._letters.update(text)
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
        letters = np.array(sorted(map(ord, self._letters)), np.uint32)
        return table, {"numbers": np.concatenate(texts), "numbered": np.concatenate(documents), "number_letters": letters}


class Numbers:
    """The identifiers of an open index."""

    def __init__(self, table: Iterable[tuple[int, int]], arrays: Mapping[str, Array]) -> None:
        self._all: list[tuple[int, NDArray[np.bytes_], NDArray[np.uint32]]] = []
        self.lengths: dict[int, int] = {}
        self._bytes, self._documents = arrays["numbers"], arrays["numbered"]
        self._letters = frozenset(map(chr, arrays["number_letters"].tolist()))  # no part of a number has any other
        groups = [(0, 0, 1)]  # where the numbers of one length begin, the row of the first of them, and their length
        at = row = 0
        for length, count in table:
            texts = arrays["numbers"][at : at + length * count].view(f"S{length}")
            self.lengths[length] = len(self._all)
            self._all.append((length, texts, arrays["numbered"][row : row + count]))
            groups.append((at, row, length))
            at, row = at + length * count, row + count
        self._groups = np.array(groups[1:], np.int64).reshape(-1, 3)

    def whole(self, run: str) -> NDArray[np.uint32]:
        """The documents with exactly this identifier, whether 号 stands after it or not."""
        some = self._whole(run)
        return some if len(some) or not run.endswith(NUMBER_SIGN) else self._whole(run[:-1])

    def _whole(self, run: str) -> NDArray[np.uint32]:
        raw = run.encode()
        place = self.lengths.get(len(raw))
        if place is None:
            return np.empty(0, np.uint32)
        _, texts, documents = self._all[place]
        asked = np.bytes_(raw)
        first = last = int(texts.searchsorted(asked))
        while last < len(texts) and texts[last] == asked:
            last += 1
        return np.unique(documents[first:last]) if last - first > 1 else documents[first:last]

    def holding(self, run: str) -> NDArray[np.uint32]:
        """The documents with an identifier in which this stands; with 号 after it, at its end."""
        part = run.removesuffix(NUMBER_SIGN)
        if len(run) < SHORTEST or not any(map(str.isdigit, run)) or not self._letters.issuperset(part):
            return np.empty(0, np.uint32)
        found = self._documents[self._rows_with(run.encode())]
        if part != run:
            end = part.encode()
            ending = [documents[_rows_ending(texts, end, length)] for length, texts, documents in self._all if length >= len(end)]
            found = np.concatenate([found, *ending])
        if len(found) < FEW:
            return np.unique(found)
        mask = np.zeros(1 + int(found.max()), bool)
        mask[found] = True
        return np.flatnonzero(mask).astype(np.uint32)

    def _rows_with(self, raw: bytes) -> NDArray[np.int64]:
        """The rows in which some bytes stand; one may come twice.

        All numbers are compared as words of four bytes, of which one begins within the first four of these: a quarter of the time of byte after byte.
        """
        data, size = self._bytes, 4 if len(raw) >= 7 else 2
        words = data[: len(data) // size * size].view(f"<u{size}")
        found = [size * np.flatnonzero(words == np.frombuffer(raw, f"<u{size}", 1, back)[0]) - back for back in range(size)]
        spots = np.concatenate(found)
        spots = spots[(spots >= 0) & (spots <= len(data) - len(raw))]
        for place, byte in enumerate(raw):
            spots = spots[data[spots + place] == byte]
        if not len(spots):
            return spots
        begins, rows, lengths = self._groups[self._groups[:, 0].searchsorted(spots, "right") - 1].T
        whole = (spots - begins) % lengths <= lengths - len(raw)
        having: NDArray[np.int64] = (rows + (spots - begins) // lengths)[whole]
        return having

    def near(self, run: str) -> dict[int, str]:
        """The documents with an identifier that is one slip away, each with it."""
        run = run.removesuffix(NUMBER_SIGN)
        raw = run.encode()
        if len(run) < TYPED or not any(character.isdigit() for character in run):
            return {}
        found: dict[int, str] = {}
        for length in range(len(raw) - 3, len(raw) + 4):  # a character has up to three bytes
            if length not in self.lengths or length <= END:
                continue
            _, texts, documents = self._all[self.lengths[length]]
            first = int(texts.searchsorted(np.bytes_(raw[:END])))
            last = min(int(texts.searchsorted(np.bytes_(raw[:END] + b"\xff"), "right")), first + MOST)
            begun = first + np.flatnonzero(_shared(texts[first:last], raw, length) >= min(length, len(raw)) - WIDE)
            rows = np.union1d(begun, _rows_ending(texts, raw[-END:], length))
            choices = [text.decode("utf-8", "replace") for text in texts[rows].tolist()]
            if choices:
                distances = process.cdist([run], choices, scorer=OSA.distance, score_cutoff=1)[0]
                found |= {int(documents[rows[spot]]): choices[spot] for spot in np.flatnonzero(distances == 1)}
        return found


def _shared(texts: NDArray[np.bytes_], raw: bytes, length: int) -> NDArray[np.int64]:
    """How many bytes each text has in common with one at its beginning, and at its end."""
    rows, size = texts.view(np.uint8).reshape(-1, length), min(length, len(raw))
    other = np.frombuffer(raw, np.uint8)
    total = np.zeros(len(rows), np.int64)
    for unlike in (rows[:, :size] != other[:size], (rows[:, length - size :] != other[len(raw) - size :])[:, ::-1]):
        total += np.where(unlike.any(axis=1), unlike.argmax(axis=1), size)
    return total


def _rows_ending(texts: NDArray[np.bytes_], raw: bytes, length: int) -> NDArray[np.int64]:
    """The rows that end so, byte after byte from the last: each leaves few."""
    columns = texts.view(np.uint8).reshape(-1, length)
    rows = np.flatnonzero(columns[:, -1] == raw[-1])
    for back in range(2, len(raw) + 1):
        rows = rows[columns[rows, -back] == raw[-back]]
    return rows
