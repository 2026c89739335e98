"""Find Chinese names and texts by any part of them. Knows Chinese text and nothing of what is searched.

`build` writes an index, `open_index` reads it; `fold` says which spellings are the same.
"""

from .compare import Difference, differences, near
from .document import IDENTIFIER, Document, Hit, Results
from .fold import compact, fold, simple
from .read import Index, open_index
from .write import build

__all__ = [
    "IDENTIFIER",
    "Difference",
    "Document",
    "Hit",
    "Index",
    "Results",
    "build",
    "compact",
    "differences",
    "fold",
    "near",
    "open_index",
    "simple",
]
