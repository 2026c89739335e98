"""Chance without state: what is drawn for record number n depends on the seed, the kind of record and n alone.

So any record can be made by itself, in any order, in any process and on any machine, and a world of any size needs no memory. Nothing
here uses Python's `hash` (which changes from run to run) or one shared generator (whose n-th number needs the n before it).
"""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from math import gcd
from typing import TypeVar

T = TypeVar("T")

NUMBERS = 32  # how many numbers one draw has
WHOLE = 1 << 16  # each is below this
_unpack = struct.Struct("<32H").unpack
_pack = struct.Struct("<Q").pack

Draw = tuple[int, ...]


class Draws:
    """One stream of chance: `draws(n)` are the 32 numbers below 65,536 of record n, always the same."""

    def __init__(self, kind: str, seed: int) -> None:
        self._start = blake2b(digest_size=64, person=kind.encode()[:16], salt=_pack(seed & (1 << 64) - 1))

    def __call__(self, number: int) -> Draw:
        state = self._start.copy()
        state.update(_pack(number))
        return _unpack(state.digest())


def pick(pool: Sequence[T], number: int) -> T:
    """The member of the pool at the place that a number below 65,536 stands for."""
    return pool[number * len(pool) >> 16]


def within(number: int, low: int, high: int) -> int:
    """A number below 65,536 as a whole number from low to high, both included."""
    return low + (number * (high - low + 1) >> 16)


def chance(number: int, share: float) -> bool:
    """Whether a number below 65,536 falls into this share of all."""
    return number < share * WHOLE


class Shuffle:
    """Every number below `size` to another one, without repetition: an order that looks like chance and needs no list."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        step = int(size * 0.6180339887) + seed % 97 | 1
        while gcd(step, size) != 1:
            step += 2 if size % 2 == 0 else 1
        self._step, self._start = step, seed * 7919 % max(size, 1)

    def __call__(self, number: int) -> int:
        return (number * self._step + self._start) % self.size
