"""Every text of the site and of what the staff looks at, in Chinese and English, from web/words/zh.yml and en.yml.

A text is a format string and knows no markup: it is escaped like any other value, after its values are filled in. Both files have the
same keys, and no template holds a text of its own (tests/test_web.py). `{n:day|days}` is one word where n is 1 and the other where it is not.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .declarations import read

LANGUAGES = ("zh", "en")  # the first is the default and has no prefix in the address
FOLDER = Path(__file__).parent / "web" / "words"
_NUMBERED = re.compile(r"\{(\w+):([^{}|]*)\|([^{}]*)\}")


@cache
def wording(lang: str) -> Mapping[str, str]:
    """The texts of one language by key."""
    return {key: str(value) for key, value in read(FOLDER / f"{lang}.yml").data.items()}


def say(lang: str, key: str, **values: object) -> str:
    """One text with its values filled in. Raises KeyError for a text or a value that is missing: that is a bug, not bad input."""
    return numbered(wording(lang)[key], values).format(**values)


def numbered(text: str, values: Mapping[str, object]) -> str:
    """A text whose words for one and for several are chosen by its values."""
    if "|" not in text:
        return text
    return _NUMBERED.sub(lambda found: found[2] if str(values[found[1]]) == "1" else found[3], text)
