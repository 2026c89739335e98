"""Which tokens, and which two in a row, an index of texts has at all, as bits: most of what is asked for beside another search is in none, and that is told
in some microseconds where FTS5 takes a hundred. Never says that something is not there which is: two runs may have the same bit, and then SQLite is asked.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from zlib import crc32

ROOM = 16  # bits for each run: one of sixteen that are not there is taken to be, and of a name of ten characters none
SMALLEST, LARGEST = 1 << 10, 1 << 26


def bits(runs: Iterable[tuple[str, ...]], count: int) -> bytes:
    """The bits of so many runs of one token or two."""
    size = SMALLEST
    while size < ROOM * count and size < LARGEST:
        size *= 2
    made = bytearray(size // 8)
    for run in runs:
        place = _place(run, size)
        made[place >> 3] |= 1 << (place & 7)
    return bytes(made)


def of(tokens: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """The runs of some tokens in a row, with the tokens themselves."""
    yield from ((token,) for token in tokens)
    yield from pairwise(tokens)


def may_have(made: bytes, tokens: Sequence[str]) -> bool:
    """Whether the tokens may stand in a row in some text."""
    size = 8 * len(made)
    for run in pairwise(tokens) if len(tokens) > 1 else [tuple(tokens)]:
        place = _place(run, size)
        if not made[place >> 3] >> (place & 7) & 1:
            return False
    return True


def _place(run: tuple[str, ...], size: int) -> int:
    return crc32(" ".join(run).encode("utf-8", "replace")) & (size - 1)
