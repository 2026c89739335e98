"""Whether two spellings are one person's name, and where a name stands in a text, however it was typed there.

Width, case, spaces, dots, marks without width and the script do not count (`_Folded`). It knows no surname and asks not whether a name is a
person's; those of organisations are told apart more strictly (telling.name_key).
"""

import re
import unicodedata
from collections.abc import Iterator

from search import simple

# Variants and their usual form, of which OpenCC leaves both as they are: an input method offers both, and so registers print both.
_VARIANTS = (
    "喆哲囯国凃涂呉吴戸户鄕乡栢柏渕渊隣邻淸清靑青厰厂凴凭鑛矿煕熙晧皓崐昆邨村甯宁寗宁逹达濬浚嵒岩寔实甦苏迺乃彊强堃坤犇奔晳皙昦昊桼漆"
)


class _Folded(dict[int, str]):
    """A character as names are compared: width, case, spaces, dots, marks without width and the other script do not count."""

    def __missing__(self, code: int) -> str:
        characters = unicodedata.normalize("NFKC", chr(code)).casefold()
        kept = (one for one in characters if one not in _DOTS and unicodedata.category(one) not in ("Zs", "Cc", "Cf", "Mn", "Me"))
        self[code] = "".join(_USUAL.get(same, same) for same in (simple(one) if _HAN_LETTER.fullmatch(one) else one for one in kept))
        return self[code]


_DOTS = frozenset("·•‧・.．｡。∙⋅ᐧꞏ･˙∘●\u115f\u1160\u3164\uffa0\u2027\u2022")
_HAN_LETTER = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_USUAL = dict(zip(_VARIANTS[::2], _VARIANTS[1::2], strict=True))
_FOLDED = _Folded()


def _fold(text: str) -> str:
    return text.translate(_FOLDED)


def person_key(name: str) -> str:
    """What a person's name is compared by, however it was typed: 张三 and 張 三 are one. Letters and numbers alone, or one more mark that hardly
    shows would make somebody two people."""
    return "".join(one for one in _fold(name) if unicodedata.category(one)[0] in "LN")


def is_latin(character: str) -> bool:
    """Whether it is one of A to Z, small or large."""
    return character.isascii() and character.isalpha()


def forms_of(name: str) -> Iterator[str]:
    """What the name is looked for as; a Latin one also with its words the other way about."""
    key = _fold(name)
    if len(key) < 2:
        return
    yield key
    parts = re.split(r"[ .·,]+", name.strip(" ."))
    if len(parts) > 1 and key.isascii():
        yield _fold("".join(reversed(parts)))


def holds(text: str, forms: list[str]) -> bool:
    """Whether one of the forms of a name is in the text."""
    folded = _fold(text)
    return any(form in folded and (not form.isascii() or _found(text, form)) for form in forms)


def replaced(text: str, instead: dict[str, str]) -> str:
    """The text with something else for each name, the longest first."""
    folded = _fold(text)
    keys = {key: shown for name, shown in instead.items() for key in forms_of(name) if key in folded}
    for key in sorted(keys, key=lambda key: (-len(key), key)):
        spans = _found(text, key)
        for start, end in reversed(spans):
            text = text[:start] + keys[key] + text[end:]
    return text


def _found(text: str, key: str) -> list[tuple[int, int]]:
    """Where the folded name stands in the text. A Latin one does not count inside a longer word."""
    pieces = [(place, _FOLDED[ord(character)]) for place, character in enumerate(text)]
    places = [place for place, piece in pieces for _ in piece]
    folded = "".join(piece for _, piece in pieces)
    spans, at = [], folded.find(key)
    while at >= 0:
        start, end = places[at], places[at + len(key) - 1] + 1
        inside = key.isascii() and (is_latin(text[start - 1 : start] or " ") or is_latin(text[end : end + 1] or " "))
        if not inside:
            spans.append((start, end))
        at = folded.find(key, at + (1 if inside else len(key)))
    return spans
