"""Find Chinese names and texts by any part of them. Knows Chinese text and nothing of what is searched.

`build` writes an index, `open_index` reads it; `build_texts` and `open_texts` do the same for full texts, with a query language.
`fold` says which spellings are the same, `spans` what of a text to mark for a query.

What searches is imported when it is first asked for: who only folds, each worker of a run among them, does not pay for arrays and readings (0.3 s).

Names are matched, not searched as documents. At 200,000 institutions (a quarter of them real names), on two cores that a dozen processes shared, in CPU time:
2,541 labelled queries of the scored part in 32 classes at the median 1.2 ms (1.75 before this form of the index, by turns in the same run), whole names 0.4, numbers 0.1,
where the words are there 0.3-1.2, pinyin and initials 2-3, a part of a number 5, one character mistyped 8-9, p99 13; success@1 0.99, success@5 0.96-1.00 in every class, no
name that differs in one character, the district or the city exact. Built in 14 s of CPU; 30.3 MiB, which is 0.95 of
the bytes of all that is searched (names, aliases, regions, addresses, contents, numbers) and 2.9 of those of legal names and aliases alone. Of these 2.9 the names
themselves are 0.50 and their pairs 0.46; addresses, regions and contents 0.35 and 0.49; numbers 0.65, ids 0.18, titles that fold to something else 0.09, facets
0.19. So what a name needs is 1.2 of its bytes, and the rest is what else it is found by. What is kept of a text is UTF-8 of characters by their frequency (letters.py):
in two bytes each they were 1.30 in place of 0.82. A build is cheap enough to be made whole each time: there is no change in place, and the same documents give
the same bytes. Not taken: numbers without what neighbours begin with alike (0.2), which would be whole in every process's own memory.

FTS5 over pairs, which this took the place of, knew no slips and no pinyin, took 50 s, and 22.9 MB at 20,000. Readings by phrases were left
out (readings.py). Reckoned and not tried: a hash of whole names (11 bytes a document for what two lists tell in 0.08 ms), texts in blocks under zlib (20 blocks for 20 hits).
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
    from .texts_tree import DATE, KEYWORD, NUMBER, TEXT, Problem, tokens
    from .texts_values import days
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
    "texts_tree": "DATE KEYWORD NUMBER TEXT Problem tokens",
    "texts_values": "days",
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
