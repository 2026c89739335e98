"""Ratings: one histogram an institution, month and dimension; a month is published when it has closed and never changes again.

A page of a closed month is therefore the same on every later day. Histograms come from a pool that the seed makes once: drawing each
anew would cost more than everything else that the server does.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any

import orjson

from .identities import key
from .institutions import DAY_ZERO, Institutions
from .words import DIMENSIONS, SCALE_MAX

QUALITIES = (5.6, 6.5, 7.2, 7.8, 8.3, 8.7, 9.1, 9.5)  # the mean that an institution's ratings lie about
SIZES = (1, 2, 3, 4, 7, 16, 45, 160)  # ratings a month, about
SIZE_WHEEL = (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7)  # about half have fewer than five
VARIANTS = 64
MONTH = "YYYY-MM"
ROWS = 256  # pages of which is kept what all months have in common, 0.26 MB a thousand ratings
_WORD = (1 << 64) - 1


class Ratings:
    """The ratings of a world, month by month."""

    def __init__(self, institutions: Institutions, months: int, dimensions: int, seed: int) -> None:
        self.institutions, self.months = institutions, months
        self.dimensions = DIMENSIONS[:dimensions]
        self._mix = seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D & _WORD
        chance = Random(seed)
        self._pool = [  # as they are written
            orjson.dumps(_histogram(chance, quality, size)).decode() for quality in QUALITIES for size in SIZES for _ in range(VARIANTS)
        ]
        self._row = lru_cache(ROWS)(self._blank)
        self.closed_months, self.size, self.total = (
            lru_cache(None)(self._closed_months),
            lru_cache(None)(self._size),
            lru_cache(None)(self._total),
        )

    def _closed_months(self, day: int) -> tuple[str, ...]:
        """The months that are closed on this day, the oldest first: `months` of them on day 0, one more with each month that ends."""
        today = DAY_ZERO + timedelta(days=day)
        last = today.year * 12 + today.month - 2
        first = DAY_ZERO.year * 12 + DAY_ZERO.month - 1 - self.months
        return tuple(f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, last + 1))

    def _size(self, month: str) -> int:
        """How many institutions could have ratings of this month; times the dimensions, the size of its part of the listing."""
        return self.institutions.end(max(0, (_month_end(month) - DAY_ZERO).days))

    def _total(self, month: str) -> int:
        """How many ratings the month has."""
        return self.institutions.total(_settled(month)) * len(self.dimensions)

    def body(self, month: str, start: int, stop: int) -> tuple[bytes, int]:
        """The ratings at these places of the month as a JSON list, ordered by institution and dimension, and how many they are.

        They are written as text and never were objects: of all records that the platform has nine in ten are these.
        """
        text, drawn = self._row(start, min(stop, self.size(month) * len(self.dimensions)), _settled(month))
        turn = int(month[:4]) * 12 + int(month[5:])
        pool, shift, last = self._pool, turn % 24, VARIANTS - 1
        histograms = [pool[first | (mixed >> shift ^ turn * 29 + add) & last] for first, mixed, add in drawn]
        return (text.replace(MONTH, month) % tuple(histograms)).encode(), len(drawn)

    def _blank(self, start: int, stop: int, settled: int) -> tuple[str, list[tuple[int, int, int]]]:
        """What every month has at these places: the text without month and histograms, and where in the pool those of each place are."""
        drawn, records, each = [], [], len(self.dimensions)
        for place in range(start, stop):
            number, dimension = divmod(place, each)
            if number >= self.institutions.size and not self.institutions.is_there(number, settled):
                continue
            mixed = (number + 1) * self._mix & _WORD
            mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & _WORD
            kind = mixed >> 56 & 0x38 | SIZE_WHEEL[mixed >> 55 & 15]
            drawn.append((kind * VARIANTS, mixed, dimension * 13))
            named = f'"orgId":"{key(number)}","month":"{MONTH}","dimension":"{self.dimensions[dimension]}"'
            records.append(f'{{{named},"scaleMax":{SCALE_MAX},"histogram":%s}}')
        return f"[{','.join(records)}]", drawn

    def records(self, month: str, start: int, stop: int) -> list[dict[str, Any]]:
        """The same ratings, read."""
        found: list[dict[str, Any]] = orjson.loads(self.body(month, start, stop)[0])
        return found


def _histogram(chance: Random, quality: float, size: int) -> Sequence[int]:
    """How many gave each of the points from 1 to SCALE_MAX."""
    counts = [0] * SCALE_MAX
    for _ in range(max(1, round(size * (0.6 + 0.8 * chance.random())))):
        # A few are angry, whatever the quality.
        points = 1 if chance.random() < 0.04 else round(quality + (chance.random() + chance.random() - 1) * 4)
        counts[max(1, min(SCALE_MAX, points)) - 1] += 1
    return counts


def _month_end(month: str) -> date:
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def _settled(month: str) -> int:
    """A day number on which it is known which of the month's additions were mistakes; they are taken out within their month."""
    return max(0, (_month_end(month) - DAY_ZERO).days) if month >= f"{DAY_ZERO:%Y-%m}" else 0
