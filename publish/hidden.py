"""What is taken out of a text before it is published (rule 8), asked of a text that was published already.

A better screen finds tomorrow what was published yesterday: pages of an earlier release show its texts as they would be published today, and its files
are given out no more where that is not what is in them. Outside of notices, whose words are held against today's (same.py), it is a function of the
text alone: so it needs neither the record that the text came from nor the cause of a change. Only a bare name in a column of other texts needs that:
past.py looks for it where our recipe changed what stands there.
"""

import hashlib
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from .masked import masked_organiser
from .persons import is_names
from .screen import SCREENED, screen

HERE = Path(__file__).parent
BY = (  # what hides: all of ours that this imports
    *("hidden.py", "screen.py", "named.py", "masked.py", "persons.py", "namewords.py", "samename.py", "cleaning.py", "values.py"),
    *("dates.py", "../search/__init__.py", "../search/fold.py"),
)
REMEMBERED = 4096  # authorities, registrars and banks repeat


@cache
def hidden_by() -> int:
    """By which a judgement of what hides is known, in 31 bits: of other code it is another one."""
    beside = f"{version('OpenCC')} {version('python-stdnum')} {unicodedata.unidata_version}".encode()
    digest = hashlib.sha256(b"\0".join((beside, *((HERE / name).read_bytes() for name in BY))))
    return int.from_bytes(digest.digest()[:4], "big") >> 1


def nameless(text: str) -> str:
    """How a text is shown of a column that names nobody, where our own recipe has put something else there since: it was not meant for the column,
    so that a name without a title is one."""
    return _masked(text) if is_names(text) else _screened(text)


def publishable(kind: str, is_masked: bool) -> Callable[[str], str] | None:
    """How a text of such a column is published today; None for a column that holds no free text."""
    if kind not in SCREENED:
        return None
    return _masked if is_masked and kind == "text" else _screened


@lru_cache(REMEMBERED)
def _screened(text: str) -> str:
    return screen(text).text


@lru_cache(REMEMBERED)
def _masked(text: str) -> str:
    return _screened(masked_organiser(text))
