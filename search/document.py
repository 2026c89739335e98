"""What goes into an index and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

IDENTIFIER = "identifier"  # the name under which a match in `Document.identifiers` is reported


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be found.

    `fields` are its searchable texts by field name; a line break in a text parts values (two aliases), which then never match as one.
    The title is searched as the field that has the same text, or as the field `title`. `rank` is the static rank, 0 the best: documents
    are handed over in its order. `facets` are what a search may be filtered by.
    """

    id: str
    kind: str
    title: str
    fields: Mapping[str, str] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    rank: int = 0
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found. `score` orders the hits of one search and means nothing between two, and is 0 for results too far
    down to be scored; `why` names the fields that matched, heaviest first."""

    id: str
    kind: str
    title: str
    score: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """`total` is exact and counts what is beyond `hits` too. A query without a letter or digit, or one too long to be a question, has none."""

    total: int
    hits: tuple[Hit, ...] = ()
