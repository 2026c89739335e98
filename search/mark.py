"""Which characters of a text as it is shown answer a query."""

from collections.abc import Sequence
from functools import lru_cache

from .fold import REMEMBERED, compact, fold

_letters = lru_cache(REMEMBERED)(compact)  # of one character


def spans(query: str, text: str) -> tuple[tuple[int, int], ...]:
    """What to mark in `text` for a query: (start, end) in order, apart from each other. Each word in one piece, or else in its longest parts."""
    words = fold(query).split()[:16]
    letters = [_letters(character) for character in text]
    run = "".join(letters)
    is_even = len(run) == len(text) and "" not in letters  # each character is one letter, as is usual
    places: Sequence[int] = range(len(text)) if is_even else [place for place, some in enumerate(letters) for _ in some]
    marked: set[int] = set()
    for word in dict.fromkeys(("".join(words), *words)):
        start = run.find(word) if word else -1
        while start >= 0:
            marked.update(places[start : start + len(word)])
            start = run.find(word, start + len(word))
    if not marked:
        for word in words:
            _parts(word[:64], run, places, marked)
    found: list[tuple[int, int]] = []
    for place in sorted(marked):
        if found and found[-1][1] == place:
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return tuple(found)


def _parts(word: str, run: str, places: Sequence[int], marked: set[int]) -> None:
    start = 0
    while start < len(word) - 1:
        size = next((size for size in range(len(word) - start, 1, -1) if word[start : start + size] in run), 0)
        if size:
            place = run.find(word[start : start + size])
            marked.update(places[place : place + size])
        start += size or 1
