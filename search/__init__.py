"""Find Chinese names and texts by any part of them. Knows Chinese text and nothing of what is searched.

`build` writes an index, `open_index` reads it; `build_texts` and `open_texts` do the same for full texts, with a query language.
`fold` says which spellings are the same, `spans` what of a text to mark for a query.
"""

from .compare import BRAND, Difference, differences, near, parts
from .document import BEGINS, IDENTIFIER, INITIALS, INSIDE, SOUND, TYPO, WHOLE, WORDS, Document, Hit, Match, Results, Suggestion
from .fold import compact, fold, simple
from .mark import spans
from .read import Index, open_index
from .texts import Found, Texts, open_texts
from .texts_near import Passage
from .texts_query import DATE, KEYWORD, NUMBER, TEXT, Problem, days, tokens
from .texts_write import Field, build_texts
from .write import build

__all__ = [
    "BEGINS",
    "BRAND",
    "DATE",
    "IDENTIFIER",
    "INITIALS",
    "INSIDE",
    "KEYWORD",
    "NUMBER",
    "SOUND",
    "TEXT",
    "TYPO",
    "WHOLE",
    "WORDS",
    "Difference",
    "Document",
    "Field",
    "Found",
    "Hit",
    "Index",
    "Match",
    "Passage",
    "Problem",
    "Results",
    "Suggestion",
    "Texts",
    "build",
    "build_texts",
    "compact",
    "days",
    "differences",
    "fold",
    "near",
    "open_index",
    "open_texts",
    "parts",
    "simple",
    "spans",
    "tokens",
]
