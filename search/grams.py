"""Text as pairs of characters, and the FTS5 expressions that find them.

A value is stored as its overlapping pairs with a mark before and after: 新东方 becomes ⟨新 新东 东方 方⟩. A run of pairs is then exactly a run
of characters, so a phrase finds every part of a name, of two characters or any number; with a mark it finds the beginning, the end or
the whole. Against single characters as tokens, over 100,000 names: 14 instead of 11 MB and built in 1.7 instead of 0.7 s, but 新东方 in 0.02
instead of 0.6 ms and a full name in 0.24 instead of 1.9.

One character is the prefix of the pairs that it begins, and each begins exactly one (学: 4 ms). A digit or a Latin letter begins too many of
the pairs in codes and addresses (95 ms); the column `letters` has each of a document's once. All characters there took 20 MB more and a
quarter more time to build, FTS5's own prefix index twice the file.

Everything in an expression comes from `compact`, which leaves letters and digits only: no query can speak FTS5's language.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from string import ascii_lowercase, digits

START, END = "\ue000", "\ue001"  # private use: `fold` leaves none in a text
PIECE = 25  # characters, which most names do not have
ASCII = digits + ascii_lowercase
LABELS = 0xE100  # and here a label's bytes begin, so that no word can meet one


def pairs(run: str) -> str:
    """The overlapping pairs of a run of characters, in order, as FTS5's `ascii` tokenizer takes them apart again."""
    spaced = [" "] * (3 * len(run) - 4)  # laid out by slices: a third of the time that joining pairs takes
    spaced[0::3], spaced[1::3] = run[:-1], run[1:]
    return "".join(spaced)


def grams(values: Iterable[str]) -> str:
    """What is stored for the compact values of one field. The marks keep two values from meeting in a phrase."""
    return " ".join(pairs(f"{START}{value}{END}") for value in values if value)


@lru_cache(maxsize=4_096)
def label(name: str, value: str) -> str:
    """One token for a kind or a facet: its bytes in a private alphabet, since a tokenizer would take a code apart or change its case."""
    return "".join(chr(LABELS + byte) for byte in f"{name}\x1f{value}".encode("utf-8", "surrogatepass"))


def entire(identifier: str) -> str:
    """One token for a compact identifier, beside its pairs: they find any part of it, in 3-6 ms at 100,000 documents; this finds it in 0.1."""
    return f"{START}{identifier}{END}"


def letters(text: str) -> str:
    """The digits and Latin letters of a text, each once."""
    return " ".join([letter for letter in ASCII if letter in text])


def phrase(run: str, *, start: bool = False, end: bool = False) -> str:
    """The expression for a compact run of characters anywhere in a value; at its `start`, its `end`, or both for the whole.

    A long run is asked for in pieces that may lie apart: each pair of a phrase walks its own list, and 256 zeros took 270 ms.
    """
    run = START * start + run + END * end
    if len(run) == 1:
        return f'letters : "{run}"' if run in ASCII else f'"{run}"*'
    starts = range(0, len(run) - 1, PIECE - 1)  # each piece begins with the last character of the one before
    pieces = dict.fromkeys(run[place : place + PIECE] for place in starts)
    return every(f'"{pairs(piece)}"' for piece in pieces)


def every(expressions: Iterable[str]) -> str:
    """All of them, each anywhere in the document."""
    return f"({' AND '.join(expressions)})"


def either(expressions: Iterable[str]) -> str:
    """At least one of them."""
    return f"({' OR '.join(expressions)})"


def within(columns: Sequence[str], expression: str) -> str:
    """The expression, in these columns alone."""
    return f"{{{' '.join(columns)}}} : ({expression})"


def splits(word: str, most: int) -> Iterator[tuple[str, ...]]:
    """Each way to cut a word in two or three parts of two characters or more: 朝阳新东方 is a region and a brand. None beyond `most` characters."""
    size = len(word)
    if size > most:
        return
    for first in range(2, size - 1):
        yield word[:first], word[first:]
        for second in range(first + 2, size - 1):
            yield word[:first], word[first:second], word[second:]
