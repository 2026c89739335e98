"""For each gram the documents that have it: ascending numbers, kept as differences in bytes of seven bits, the common ones as one bit a document.

All arithmetic is numpy's, over any number of lists at once: most of what a short list costs is the calls.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .file import Array, smallest

Documents = NDArray[np.uint32]
NOBODY: Documents = np.empty(0, np.uint32)
DENSE = 8  # a gram of more than one document in so many is kept as bits
STRETCH = 500_000  # keys that are encoded at a time
SHORT = 256  # bytes of a list that is read byte by byte, 0.08 microseconds each; numpy's calls take 25
# long lists that are kept unpacked: many ask for the same regions and trades. Of 100 kB at most among 200,000, since those kept as bits are not (0.3 ms each)
REMEMBERED = 64
SMALL = 1_024  # documents of an index in which none is


def encode(keys: NDArray[np.uint64], documents: int) -> dict[str, Array]:
    """The arrays for gram << 32 | document, sorted and each once. Worked through in stretches: what it takes beside the keys does not grow with them."""
    parts: list[tuple[Array, ...]] = []
    first = rows = 0
    while first < len(keys):
        last = min(first + STRETCH, len(keys))
        if last < len(keys):  # a gram is not torn
            last = int(keys.searchsorted(((keys[last] >> np.uint64(32)) + np.uint64(1)) << np.uint64(32)))
        part = _encoded(keys[first:last], documents)
        parts.append((*part[:3], part[3] + np.uint32(rows), part[4]))
        rows += len(part[0])
        first = last
    kinds = (np.uint32, np.int64, np.uint8, np.uint32, np.uint8)
    found, sizes, packed, dense, bits = (
        np.concatenate([*(part[place] for part in parts), np.empty(0, kind)]) for place, kind in enumerate(kinds)
    )
    begun = {
        "firsts": smallest(np.bincount(found >> np.uint32(16))),
        "seconds": found.astype(np.uint16),
    }  # of grams in order, half of each is the same
    return {**begun, "sizes": smallest(sizes), "bytes": packed, "dense": dense, "bits": bits}


def _encoded(keys: NDArray[np.uint64], documents: int) -> tuple[Array, ...]:
    """Of a stretch: the grams, the bytes that each takes, the bytes, the places of the common ones and their bits."""
    owners = (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    of = (keys >> np.uint64(32)).astype(np.uint32)
    firsts = np.flatnonzero(np.append(True, of[1:] != of[:-1]))
    counts = np.diff(np.append(firsts, len(of)))
    gaps = owners.copy()
    gaps[1:] -= owners[:-1]
    gaps[firsts] = owners[firsts]
    is_dense = counts * DENSE > documents if documents >= SMALL else np.zeros(len(counts), bool)
    bits = []
    for place in np.flatnonzero(is_dense):
        mask = np.zeros(documents, bool)
        mask[owners[firsts[place] : firsts[place] + counts[place]]] = True
        bits.append(np.packbits(mask))
    packed, lengths = _packed(gaps[np.repeat(~is_dense, counts)])
    sizes = np.zeros(len(counts), np.int64)
    kept = np.where(is_dense, 0, counts)
    sparse = np.flatnonzero(kept)
    if len(sparse):
        sizes[sparse] = np.add.reduceat(lengths, (np.cumsum(kept) - kept)[sparse])
    return of[firsts], sizes, packed, np.flatnonzero(is_dense).astype(np.uint32), np.concatenate([*bits, np.empty(0, np.uint8)])


def _packed(values: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Numbers in groups of seven bits, the highest first, all but the last with the eighth bit set; and the bytes that each takes."""
    lengths = np.ones(len(values), np.int64)
    for bits in (7, 14, 21, 28):
        lengths += values >= np.uint32(1 << bits)
    ends = np.cumsum(lengths)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for back in range(int(lengths.max(initial=0))):
        some = np.flatnonzero(lengths > back) if back else slice(None)
        out[ends[some] - 1 - back] = ((values[some] >> np.uint32(7 * back)) & np.uint32(127)) | np.uint32(128 if back else 0)
    return out, lengths


def _read(raw: NDArray[np.uint8]) -> Documents:
    number = gap = 0
    found = []
    for byte in raw.tobytes():
        gap = gap << 7 | byte & 127
        if byte < 128:
            number += gap
            gap = 0
            found.append(number)
    return np.array(found, np.uint32)


class Postings:
    """The lists of one family of grams in an open file."""

    def __init__(self, arrays: dict[str, Array], documents: int) -> None:
        self.documents = documents
        begun: NDArray[np.uint32] = np.arange(len(arrays["firsts"]), dtype=np.uint32) << np.uint32(16)
        self.grams: NDArray[np.uint32] = np.bitwise_or(np.repeat(begun, arrays["firsts"]), arrays["seconds"])
        begins = np.append(0, np.cumsum(arrays["firsts"], dtype=np.int64))
        self._begins: NDArray[np.int64] = np.append(
            begins, np.full(0x10001 - len(begins), begins[-1])
        )  # where those of each first character do
        self.starts: NDArray[np.int64] = np.append(0, np.cumsum(arrays["sizes"], dtype=np.int64))
        self._bytes: NDArray[np.uint8] = arrays["bytes"]
        rows = arrays["bits"].reshape(len(arrays["dense"]), (documents + 7) // 8)
        self.dense: dict[int, NDArray[np.uint8]] = dict(zip(arrays["dense"].tolist(), rows, strict=True))
        self._long = lru_cache(REMEMBERED)(self._of)
        self.sizes = np.append(np.diff(self.starts), 0)  # the last is that of -1, which is no place
        for place, row in self.dense.items():
            self.sizes[place] = int(np.bitwise_count(row).sum())

    def place(self, gram: int) -> int:
        """Where a gram stands in the order of all, or -1."""
        if gram < 0:
            return -1
        place = int(self.grams.searchsorted(np.uint32(gram)))
        return place if place < len(self.grams) and int(self.grams[place]) == gram else -1

    def each(self, grams: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Where each of the grams stands, or -1."""
        if not len(self.grams):
            return np.full(len(grams), -1)
        places: NDArray[np.int64] = self.grams.searchsorted(grams)
        places[places == len(self.grams)] = 0
        places[self.grams[places] != grams] = -1
        return places

    def places(self, grams: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Where those of the grams that there are stand."""
        places = self.each(grams)
        return places[places >= 0]

    def beginning(self, code: int) -> NDArray[np.int64]:
        """Where the grams stand whose first character it is."""
        return np.arange(self._begins[code], self._begins[code + 1])

    def often(self) -> NDArray[np.int64]:
        """For each character the bytes of the lists of the grams that it begins, by which one is told to be rarer than another."""
        sums: NDArray[np.int64] = np.append(0, np.cumsum(self.sizes[:-1]))
        often: NDArray[np.int64] = np.diff(sums[self._begins])
        return often

    def paired(self, firsts: NDArray[Any], seconds: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Where the grams stand of one of some characters and a second one that a table has: each of the pairs looked up took four times as long."""
        begun, ended = self._begins[firsts], self._begins[firsts + 1]
        sizes = ended - begun
        at: NDArray[np.int64] = np.repeat(begun - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
        places: NDArray[np.int64] = at[seconds[self.grams[at] & np.uint32(0xFFFF)]]
        return places

    def of(self, place: int) -> Documents:
        """The documents of one gram."""
        if place in self.dense:
            return np.flatnonzero(np.unpackbits(self.dense[place], count=self.documents).view(bool)).astype(np.uint32)
        raw = self._bytes[self.starts[place] : self.starts[place + 1]]
        return _read(raw) if 0 < len(raw) <= SHORT else self._long(place)

    def _of(self, place: int) -> Documents:
        found = _unpacked(self._bytes[self.starts[place] : self.starts[place + 1]])
        found.flags.writeable = False  # another search has it too
        return found

    def among(self, place: int, some: Documents) -> NDArray[np.bool_]:
        """Which of some documents one gram has."""
        row = self.dense.get(place)
        if row is not None:
            found: NDArray[np.bool_] = (row[some >> np.uint32(3)] >> (7 - (some & np.uint32(7))).astype(np.uint8)) & 1 == 1
            return found
        having = self.of(place)
        if len(having) < len(some):  # the fewer are looked up among the more
            there: NDArray[np.bool_] = np.zeros(len(some), bool)
            spots = some.searchsorted(having)
            spots[spots == len(some)] = 0
            there[spots[some[spots] == having]] = True
            return there
        spots = having.searchsorted(some)
        spots[spots == len(having)] = 0
        same: NDArray[np.bool_] = having[spots] == some
        return same

    def union(self, places: NDArray[np.int64], mask: NDArray[np.bool_]) -> None:
        """Set what any of the grams, which are in order, have in a mask of all documents."""
        if not len(places):
            return
        common = np.fromiter(self.dense, np.int64, len(self.dense))
        for place in common[places[np.minimum(places.searchsorted(common), len(places) - 1)] == common].tolist():
            mask |= np.unpackbits(self.dense[place], count=self.documents).view(bool)
        mask[self.many(places)[0]] = True

    def many(self, at: NDArray[np.int64]) -> tuple[Documents, NDArray[np.int64]]:
        """The documents of many grams, list after list, and how many each has; none of those that are kept as bits."""
        starts, ends = self.starts[at], self.starts[at + 1]
        sizes = ends - starts
        if not sizes.sum():
            return np.empty(0, np.uint32), np.zeros(len(at), np.int64)
        if len(at) == 1 or (starts[1:] == ends[:-1]).all():
            raw = self._bytes[starts[0] : ends[-1]]
        elif len(at) <= 64:
            raw = np.concatenate([self._bytes[first:last] for first, last in zip(starts, ends, strict=True)])
        else:
            before = np.cumsum(sizes) - sizes
            raw = self._bytes[np.repeat(starts - before, sizes) + np.arange(sizes.sum())]
        further = np.flatnonzero(raw >= 128)
        ends = np.cumsum(sizes)
        counts: NDArray[np.int64] = sizes - np.diff(further.searchsorted(np.append(0, ends)))
        sums = _summed(raw, further)
        before = np.where(ends > sizes, sums[ends - sizes - 1], 0).astype(np.uint32)
        return (sums if not len(further) else sums[raw < 128]) - np.repeat(before, counts), counts


def _summed(raw: NDArray[np.uint8], further: NDArray[np.int64]) -> NDArray[np.uint32]:
    """At each byte the sum of the numbers up to it, modulo 2 ** 32; `further` are the bytes that others of the same number follow, which are few."""
    values = raw.astype(np.uint32)
    if len(further):
        follow = np.append(further[1:] == further[:-1] + 1, False)  # one of them is next
        shifts = np.full(len(further), 7, np.uint32)
        more = follow
        while more.any():
            shifts[more] += np.uint32(7)
            more = more & np.append(more[1:], False)
        values[further] = (values[further] & np.uint32(127)) << shifts
    return np.cumsum(values, dtype=np.uint32)


def _unpacked(raw: NDArray[np.uint8]) -> Documents:
    further = np.flatnonzero(raw >= 128)
    sums = _summed(raw, further)
    return sums[raw < 128] if len(further) else sums


def crossed(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Every pair of a character of one and a character of the other, as grams in order."""
    return ((one.astype(np.uint32)[:, None] << np.uint32(16)) | other.astype(np.uint32)[None, :]).ravel()


def among(some: Documents, others: Documents) -> NDArray[np.bool_]:
    """Which of some documents are among others, both in order: numpy's isin sorts them again."""
    mask = np.zeros(1 + max(int(each[-1]) if len(each) else 0 for each in (some, others)), bool)
    mask[others] = True
    there: NDArray[np.bool_] = mask[some]
    return there


def is_among(document: int, others: Documents) -> bool:
    """Whether a document is among others, which are in order."""
    if not len(others):
        return False
    spot = int(others.searchsorted(np.uint32(document)))
    return spot < len(others) and int(others[spot]) == document
