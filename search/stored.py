"""What an index keeps of each document, read where it lies."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .file import Array
from .letters import BACK, BETWEEN, FIELDS, FIRST, MARK, PHRASE_MARK, PHRASES, spelled

MARKS = re.compile(f"[{chr(MARK)}-{chr(MARK + FIELDS - 1)}{BETWEEN}]")
_BACK = chr(MARK + BACK)


class Stored:
    """The texts of documents, as strings with the mark of its field before each value and one mark after the last."""

    def __init__(self, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        self.count: int = about["documents"]
        self.points = np.zeros(0x10000, np.uint32)
        self.points[: len(arrays["points"])] = arrays["points"]
        self.points[PHRASES:] = np.arange(PHRASE_MARK, PHRASE_MARK + 0x10000 - PHRASES)
        self.codes = {chr(point): code for code, point in enumerate(arrays["points"].tolist()) if code >= FIRST}
        self._arrays = arrays
        self.name_codes: NDArray[np.uint16] = arrays["names.codes"]
        self.name_ends: NDArray[np.uint32] = arrays["names.ends"]
        self._prefix = str(arrays["ids.prefix"].tobytes(), "utf-8") if "ids.prefix" in arrays else ""
        phrases = [self._string("phrases", place) for place in range(len(arrays["phrases.ends"]) - 1)]
        self._phrases = {PHRASE_MARK + number: phrase for number, phrase in enumerate(phrases)}

    def _string(self, name: str, place: int) -> str:
        first, last = self._arrays[f"{name}.ends"][place : place + 2]
        return str(self._arrays[name][first:last].tobytes(), "utf-8")

    def id(self, document: int) -> str:
        if "ids.digits" in self._arrays:
            return self._prefix + self._arrays["ids.digits"][8 * document : 8 * document + 8].tobytes().hex()
        return self._string("ids", document)

    def title(self, document: int) -> str:
        titled = self._arrays["titled"]
        place = int(titled.searchsorted(np.uint32(document)))
        if place < len(titled) and titled[place] == document:
            return self._string("titles", place)
        names = self.names(document)
        return names[1 : _ended(names)]

    def names(self, document: int) -> str:
        first, last = self.name_ends[document : document + 2].tolist()
        return spelled(self.name_codes[first:last], self.points) + BETWEEN

    def others(self, document: int) -> str:
        first, last = self._arrays["others.ends"][document : document + 2].tolist()
        text = spelled(self._arrays["others.codes"][first:last], self.points).translate(self._phrases)
        if _BACK in text:
            text = text.replace(_BACK, text[1 : _ended(text)])
        return text + BETWEEN

    def gathered(self, documents: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """The character numbers of the names of some documents in a row, and of which of them each is; 0 parts them."""
        first = self.name_ends[documents].astype(np.int64)
        sizes = self.name_ends[documents + np.uint32(1)].astype(np.int64) - first
        before = np.cumsum(sizes) - sizes
        codes: NDArray[np.uint16] = self.name_codes[np.repeat(first - before, sizes) + np.arange(int(sizes.sum()))]
        return codes, np.repeat(np.arange(len(documents)), sizes)


def values(text: str) -> Sequence[tuple[int, str]]:
    """The values of a text, each with the number of its field."""
    marks = [mark.start() for mark in MARKS.finditer(text)]
    return [(ord(text[begun]) - MARK, text[begun + 1 : end]) for begun, end in pairwise(marks)]


def bounds(text: str, spot: int) -> tuple[int, int, int]:
    """Of the value that has the character at `spot`: the number of its field, where it begins and where it ends."""
    begun = spot
    while not MARK <= ord(text[begun]) < MARK + FIELDS:
        begun -= 1
    return ord(text[begun]) - MARK, begun + 1, _ended(text, spot)


def _ended(text: str, spot: int = 1) -> int:
    mark = MARKS.search(text, spot)
    return mark.start() if mark else len(text)
