"""Characters as numbers of two bytes, and texts as arrays of them; and texts as they are kept.

What is kept is the UTF-8 of places in an order of the characters by how often they come: the 128 of them that make two thirds of all names take a byte
each, and Python reads it in one call. Numbers below FIRST are no characters: a value begins with the number of its field, END stands after its last character. In a string a mark
is of the private use area, which `fold` leaves in no text.
"""

import numpy as np
from numpy.typing import NDArray

FIELDS = 64  # at most
START, END, BACK = (
    64,
    65,
    66,
)  # begins a name, ends a value, stands for the first of a document's further values where another begins with it
FIRST = 68
UNKNOWN = 67  # one of more characters than there are numbers
PHRASES = 0xC000  # from here on: whole values that many documents have
MARK = 0xE000
BETWEEN = "\ue0ff"  # after the last value
PHRASE_MARK = 0xF0000
STRETCH = 500_000  # characters that are worked through at a time
SURROGATES = 0xD800  # UTF-8 has none

Codes = NDArray[np.uint16]


class Letters:
    """The characters of the texts that are written, numbered as they come."""

    def __init__(self) -> None:
        self._table = np.zeros(0x110000, np.uint16)
        self._table[MARK : MARK + FIRST] = np.arange(FIRST)
        self._table[PHRASE_MARK : PHRASE_MARK + 0x10000 - PHRASES] = np.arange(PHRASES, 0x10000)
        self._points: list[NDArray[np.uint32]] = [np.arange(MARK, MARK + FIRST, dtype=np.uint32)]
        self._next = FIRST

    def codes(self, text: str) -> Codes:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        found: Codes = self._table[points]
        new = np.flatnonzero((found == 0) & (points != MARK))
        if len(new):
            fresh = np.unique(points[new])
            numbered = fresh[: PHRASES - self._next]
            self._table[numbered] = np.arange(self._next, self._next + len(numbered))
            self._table[fresh[len(numbered) :]] = UNKNOWN
            self._points.append(numbered)
            self._next += len(numbered)
            found = self._table[points]
        return found

    @property
    def points(self) -> NDArray[np.uint32]:
        return np.concatenate(self._points)


def by_frequency(*texts: Codes) -> Codes:
    """The numbers that come in the texts, the most frequent first."""
    counts = np.zeros(0x10000, np.int64)
    for text in texts:
        for start in range(0, len(text), STRETCH):
            counts += np.bincount(text[start : start + STRETCH], minlength=0x10000)
    order: Codes = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].astype(np.uint16)
    return order


def kept(codes: Codes, order: Codes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A text as it is kept, and how many bytes each of its characters takes."""
    places = np.zeros(0x10000, "<u4")
    places[order] = placed(order)
    takes = 1 + (places >= 0x80).astype(np.uint8) + (places >= 0x800) + (places >= 0x10000)
    parts = [codes[start : start + STRETCH] for start in range(0, len(codes), STRETCH)]
    raw = b"".join(places[part].tobytes().decode("utf-32-le").encode() for part in parts)
    return np.frombuffer(raw, np.uint8), takes[codes]


def placed(order: Codes) -> list[int]:
    """What stands for each number of an order in what is kept."""
    return [place if place < SURROGATES else place + 0x800 for place in range(len(order))]


def grams(codes: Codes, owners: NDArray[np.uint32], *, starts: bool) -> NDArray[np.uint64]:
    """Each pair of neighbouring characters of the values, over its owner: gram << 32 | owner, sorted, each once. With `starts` also where values begin."""
    if not len(codes):
        return np.empty(0, np.uint64)
    left = codes.astype(np.uint32)
    right = np.append(left[1:], np.uint32(0))
    right[np.flatnonzero(np.diff(owners)) if len(owners) > 1 else []] = 0
    keep = (left >= FIRST) | ((right >= FIRST) & starts)
    left[left < FIELDS] = START
    right[right < FIELDS] = END
    keys = (((left << np.uint32(16)) | right).astype(np.uint64) << np.uint64(32)) | owners
    found = keys[keep]
    found.sort()
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found
