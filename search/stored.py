"""What an index keeps of each document, read where it lies."""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .file import Array
from .letters import BACK, BETWEEN, FIELDS, FIRST, MARK, PHRASES, placed

MARKS = re.compile(f"[{chr(MARK)}-{chr(MARK + FIELDS - 1)}{BETWEEN}]")
PARTED = re.compile(f"({MARKS.pattern})")
LENGTHS = ".lengths"
_BACK = chr(MARK + BACK)


class Stored:
    """The texts of documents, as strings with the mark of its field before each value and one mark after the last."""

    def __init__(self, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        self.count: int = about["documents"]
        self.points: NDArray[np.uint32] = arrays["points"]
        self.codes = {chr(point): code for code, point in enumerate(self.points.tolist()) if code >= FIRST}
        self._arrays = arrays
        self._ends = {name.removesuffix(LENGTHS): ends(array) for name, array in arrays.items() if name.endswith(LENGTHS)}
        self._titled: memoryview = arrays["titled"].data  # which is asked for one number quicker than an array
        self._names, self._others = arrays["names.texts"], arrays["others.texts"]
        self.name_ends = self._ends["names"]
        self._prefix = str(arrays["ids.prefix"].tobytes(), "utf-8") if "ids.prefix" in arrays else ""
        self._digits = len(arrays["ids.digits"]) // max(self.count, 1) if "ids.digits" in arrays else 0
        places, order = placed(arrays["order"]), arrays["order"]
        self._numbers = np.zeros(0x11000, np.uint16)  # of what stands in what is kept
        self._numbers[places] = order
        characters = [chr(point) for point in self.points.tolist()]
        self._spelled = {
            place: characters[code] if code < PHRASES else self._string("phrases", code - PHRASES)
            for place, code in zip(places, order.tolist(), strict=True)
        }

    def _string(self, name: str, place: int) -> str:
        first, last = self._ends[name][place : place + 2]
        return str(self._arrays[name][first:last].tobytes(), "utf-8")

    def id(self, document: int) -> str:
        if size := self._digits:
            return self._prefix + self._arrays["ids.digits"][size * document : size * (document + 1)].tobytes().hex()
        return self._string("ids", document)

    def title(self, document: int, names: str) -> str:
        """As it is printed; `names` are those of the document."""
        place = bisect_left(self._titled, document)
        if place < len(self._titled) and self._titled[place] == document:
            return self._string("titles", place)
        return parted(names)[1]

    def names(self, document: int) -> str:
        first, last = self.name_ends[document : document + 2].tolist()
        return self._names[first:last].tobytes().decode().translate(self._spelled) + BETWEEN

    def others(self, document: int) -> str:
        first, last = self._ends["others"][document : document + 2].tolist()
        text = self._others[first:last].tobytes().decode().translate(self._spelled)
        if _BACK in text:
            text = text.replace(_BACK, text[1 : ended(text)])
        return text + BETWEEN

    def others_later(self, document: int) -> Callable[[], str]:
        """Its other texts, read when they are first asked for: functools.cache takes 10 microseconds to say so."""
        made: list[str] = []

        def text() -> str:
            if not made:
                made.append(self.others(document))
            return made[0]

        return text

    def coded(self, word: str) -> list[int]:
        """The numbers of the characters of a word; -1 for one that is in no text."""
        return [self.codes.get(character, -1) for character in word]

    def gathered(self, documents: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """The character numbers of the names of some documents in a row, and of which of them each is; 0 parts them."""
        first = self.name_ends[documents].astype(np.int64)
        sizes = self.name_ends[documents + np.uint32(1)].astype(np.int64) - first
        before = np.cumsum(sizes) - sizes
        raw = self._names[np.repeat(first - before, sizes) + np.arange(int(sizes.sum()))]
        places = np.frombuffer(raw.tobytes().decode().encode("utf-32-le"), "<u4")
        begins = (raw & np.uint8(0xC0)) != 0x80  # the further bytes of a character are 10xxxxxx
        return self._numbers[places], np.repeat(np.arange(len(documents)), sizes)[begins]


def ends(lengths: Array) -> NDArray[np.uint32]:
    """Where each of some things in a row ends, and where the first begins."""
    return np.append(0, np.cumsum(lengths, dtype=np.int64)).astype(np.uint32)


@lru_cache(maxsize=512)  # a search asks for the same ones again: to order them, and to say why
def parted(text: str) -> list[str]:
    """A text as marks and the values after them: mark, value, mark, value and so on."""
    return PARTED.split(text)[1:-2]


def values(text: str) -> Sequence[tuple[int, str]]:
    """The values of a text, each with the number of its field."""
    parts = parted(text)
    return [(ord(mark) - MARK, value) for mark, value in zip(parts[::2], parts[1::2], strict=True)]


def bounds(text: str, spot: int) -> tuple[int, int, int]:
    """Of the value that has the character at `spot`: the number of its field, where it begins and where it ends."""
    begun = spot
    while not MARK <= ord(text[begun]) < MARK + FIELDS:
        begun -= 1
    return ord(text[begun]) - MARK, begun + 1, ended(text, spot)


def ended(text: str, spot: int = 1) -> int:
    """Where the value ends that has the character at `spot`."""
    mark = MARKS.search(text, spot)
    return mark.start() if mark else len(text)
