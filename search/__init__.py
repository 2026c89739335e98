"""Find Chinese names and texts by any part of them. Knows Chinese text and nothing of what is searched.

`build` writes an index, `open_index` reads it; `fold` says which spellings are the same, `spans` what of a text to mark for a query.
"""

from .compare import BRAND, Difference, differences, near, parts
from .document import BEGINS, IDENTIFIER, INITIALS, INSIDE, SOUND, TYPO, WHOLE, WORDS, Document, Hit, Match, Results, Suggestion
from .fold import compact, fold, simple
from .mark import spans
from .read import Index, open_index
from .write import build

__all__ = [
    "BEGINS",
    "BRAND",
    "IDENTIFIER",
    "INITIALS",
    "INSIDE",
    "SOUND",
    "TYPO",
    "WHOLE",
    "WORDS",
    "Difference",
    "Document",
    "Hit",
    "Index",
    "Match",
    "Results",
    "Suggestion",
    "build",
    "compact",
    "differences",
    "fold",
    "near",
    "open_index",
    "parts",
    "simple",
    "spans",
]
