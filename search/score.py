"""How well a document answers, by where the words stand in it. Small on purpose: candidates are few and already hold every word."""

from collections.abc import Sequence
from dataclasses import dataclass

from .document import BEGINS, INSIDE, WHOLE, WORDS, Match

WORTH = {WHOLE: 4.0, BEGINS: 3.0, INSIDE: 2.0}
ORDER = (WHOLE, BEGINS, INSIDE, WORDS)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the documents and how much a match in it is worth."""

    name: str
    weight: float


def score(fields: Sequence[Field], texts: Sequence[str], words: Sequence[str], run: str) -> tuple[float, tuple[Match, ...]]:
    """The score, and the fields that matched with how the query's words stand in them, in the order given.

    `texts` has the compact values of each field, a line each. Each word counts by its share of the query and in the field where it is worth
    most; several words that stand in a row (`run`) count once more as one.
    """
    total = 0.0
    matched: dict[str, set[str]] = {}
    present = [(field, text, f"\n{text}\n") for field, text in zip(fields, texts, strict=True) if text]
    for word in (*words, run) if len(words) > 1 else words:
        best = 0.0
        for field, text, lines in present:
            if word not in text:
                continue
            how = WHOLE if f"\n{word}\n" in lines else BEGINS if f"\n{word}" in lines else INSIDE
            matched.setdefault(field.name, set()).add(how)
            best = max(best, field.weight * (WORTH[how] + len(word) / len(text)))
        if not best and word in words:
            best = _partly(present, word, matched)
        total += best * len(word) / len(run)
    why = (Match(field.name, min(matched[field.name], key=ORDER.index)) for field, _, _ in present if field.name in matched)
    return total, tuple(why)


def _partly(present: Sequence[tuple[Field, str, str]], word: str, matched: dict[str, set[str]]) -> float:
    """The worth of a word that stands nowhere in one piece: the share of its pairs that a field has."""
    wanted = {word[place : place + 2] for place in range(len(word) - 1)}
    best = 0.0
    for field, text, _ in present:
        share = sum(pair in text for pair in wanted) / max(len(wanted), 1)
        if share:
            matched.setdefault(field.name, set()).add(WORDS)
            best = max(best, field.weight * share)
    return best
