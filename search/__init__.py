"""Find Chinese names and texts by any part of them. Knows Chinese text and nothing of what is searched.

`build` writes an index, `open_index` reads it; `build_texts` and `open_texts` do the same for full texts, with a query language.
`fold` says which spellings are the same, `spans` what of a text to mark for a query.

What searches is imported when it is first asked for: who only folds, each worker of a run among them, does not pay for arrays and readings (0.3 s).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .fold import compact, fold, simple

if TYPE_CHECKING:
    from .compare import BRAND, Difference, differences, near, parts
    from .document import BEGINS, IDENTIFIER, INITIALS, INSIDE, SOUND, TYPO, WHOLE, WORDS, Document, Hit, Match, Results, Suggestion
    from .mark import spans
    from .question import is_question
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
    "is_question",
    "near",
    "open_index",
    "open_texts",
    "parts",
    "simple",
    "spans",
    "tokens",
]
_LATER = {
    "compare": "BRAND Difference differences near parts",
    "document": "BEGINS IDENTIFIER INITIALS INSIDE SOUND TYPO WHOLE WORDS Document Hit Match Results Suggestion",
    "mark": "spans",
    "question": "is_question",
    "read": "Index open_index",
    "texts": "Found Texts open_texts",
    "texts_near": "Passage",
    "texts_query": "DATE KEYWORD NUMBER TEXT Problem days tokens",
    "texts_write": "Field build_texts",
    "write": "build",
}
_HOME = {name: module for module, names in _LATER.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """PEP 562: a name of a module that is not imported yet."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = found
    return found
