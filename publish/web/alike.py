"""Institutions on one page that could be taken for each other, because their names are nearly the same.

Names are compared as they are searched, without brackets and blanks. Two are nearly the same when they differ in one place, by two characters
at most: another district, another brand of two characters, 一 for 二. It decides about a hint on a page and about nothing else.
"""

from collections.abc import Sequence

import search

DIFFERENT, SAME = 2, 4  # characters that differ at most, and that are the same at least


def alike(names: Sequence[str]) -> list[int]:
    """For each name with how many others it could be confused."""
    folded = [search.compact(name) for name in names]
    near = [0] * len(folded)
    for one, name in enumerate(folded):
        for other in range(one + 1, len(folded)):
            if _is_near(name, folded[other]):
                near[one] += 1
                near[other] += 1
    return near


def _is_near(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter, longer = sorted((len(one), len(other)))
    if longer - shorter > DIFFERENT or shorter < SAME:
        return False
    front = back = 0
    while front < shorter and one[front] == other[front]:
        front += 1
    while back < shorter - front and one[-1 - back] == other[-1 - back]:
        back += 1
    return longer - front - back <= DIFFERENT and front + back >= SAME
