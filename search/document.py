"""What goes into an index and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

IDENTIFIER = "identifier"  # the name under which a match in `Document.identifiers` is reported

# How a field matched, best first.
WHOLE = "whole"  # the query, or a word of it, is the whole of a value
BEGINS = "begins"
INSIDE = "inside"
WORDS = "words"  # all of it is there, but apart or in another order
SOUND = "sound"  # by pinyin, or by characters that sound the same
INITIALS = "initials"  # by the first letters of the pinyin
TYPO = "typo"  # but for a character that is wrong, missing, added or swapped


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be found.

    `fields` are its searchable texts by field name; a line break in a text parts values (two aliases), which then never match as one.
    The title is searched as the field that has the same text, or as the field `title`. `rank` is the static rank, 0 the best: documents
    are handed over in its order. `facets` are what a search may be filtered by, counted and sorted by: a value or several.
    """

    id: str
    kind: str
    title: str
    fields: Mapping[str, str] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    rank: int = 0
    facets: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """Where and how a document matched: a field of `Document.fields`, or IDENTIFIER, and one of the words above."""

    field: str
    how: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found.

    `score` is 0-1 and comparable between searches; it is 1.0 only where the query is the whole of a name or of an identifier, and 0 for
    results too far down to be scored. `why` has each field that matched once, best reason first.
    """

    id: str
    kind: str
    title: str
    score: float
    why: tuple[Match, ...]

    @property
    def exact(self) -> bool:
        """Whether the query is the whole of a name or an identifier, as folded: the only hits that may be called the same."""
        return self.score == 1.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody who is typing may mean: the text to search for, the document that it names where it names one alone, and the text's field."""

    text: str
    id: str | None
    field: str


@dataclass(frozen=True, slots=True)
class Results:
    """`total` is exact and counts what is beyond `hits` too; of thousands that are found by sound it counts who has every pair of the syllables. A query without a letter or digit, or one too long to be a question, has none.

    `facets` has for each facet that was asked for how many documents have each value: of all that matched, the facet's own filter left out.
    `meant` is another spelling of the query, where nothing has its words and something a typo away does.
    """

    total: int
    hits: tuple[Hit, ...] = ()
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    meant: str | None = None
