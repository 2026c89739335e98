"""Where words stand in a text as it is shown, the passage around them, and what was meant where they stand nowhere."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .texts_tree import Words, tokens

AROUND = 40  # characters of a passage before its first mark
LONGEST = 160  # of a passage
Slip = tuple[tuple[str, ...], bool, tuple[str, ...]]
SHORTEST, MOST = 3, 12  # tokens of what may be misspelt


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text of a field, as it is shown, and what of it answers: (start, end). `cut` says whether the text goes on before and after."""

    field: str
    text: str
    spans: tuple[tuple[int, int], ...]
    cut: tuple[bool, bool]


def passages(words: Sequence[Words], texts: Mapping[str, str], names: Iterable[str]) -> tuple[Passage, ...]:
    """A passage of each text in which a word stands, in the order of `names`."""
    found = []
    for name in names:
        text = texts.get(name) or ""
        if spans := _spans([word for word in words if word.field in (None, name)], text):
            start = max(0, spans[0][0] - AROUND) if len(text) > LONGEST else 0
            end = min(len(text), start + LONGEST)
            kept = tuple((a - start, b - start) for a, b in spans if b <= end)
            found.append(Passage(name, text[start:end], kept, (start > 0, end < len(text))))
    return tuple(found)


def _spans(words: Sequence[Words], text: str) -> list[tuple[int, int]]:
    placed = list(_placed(text)) if words else []
    marked: list[tuple[int, int]] = []
    for word in words:
        size, last = len(word.tokens), word.tokens[-1]
        for at in range(len(placed) - size + 1):
            if placed[at][0] != word.tokens[0] and not (size == 1 and word.begins):
                continue
            run = [token for token, _, _ in placed[at : at + size]]
            if tuple(run[:-1]) == word.tokens[:-1] and (run[-1] == last or (word.begins and run[-1].startswith(last))):
                marked.append((placed[at][1], placed[at + size - 1][2]))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(marked):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _placed(text: str) -> Iterator[tuple[str, int, int]]:
    """The tokens of a text with where they stand in it."""
    word, start, end = "", 0, 0
    for place, character in enumerate(text):
        made = tokens(character)
        if len(made) == 1 and made[0].isascii():
            word, start, end = word + made[0], start if word else place, place + 1
            continue
        if not made and unicodedata.category(character) in ("Mn", "Me", "Cf"):  # vanishes, and parts nothing
            continue
        if word:
            yield word, start, end
            word = ""
        yield from ((token, place, place + 1) for token in made)
    if word:
        yield word, start, end


def slips(word: Words) -> list[list[Slip]]:
    """What may be meant by a word, likeliest first, each as (tokens, whether one more stands between, tokens): one is missing, two are swapped, one is
    wrong, one is too many."""
    given = word.tokens
    size = len(given)
    if not SHORTEST <= size <= MOST:
        return []
    missing: list[Slip] = [(given[:at], True, given[at:]) for at in range(1, size)]
    swapped: list[Slip] = [
        ((*given[:at], given[at + 1], given[at], *given[at + 2 :]), False, ()) for at in range(size - 1) if given[at] != given[at + 1]
    ]
    wrong: list[Slip] = [(given[:at], True, given[at + 1 :]) for at in range(size)]
    many: list[Slip] = [((*given[:at], *given[at + 1 :]), False, ()) for at in range(size) if size > SHORTEST]
    return [missing, swapped, wrong, many]


def likeliest(word: Words, texts: Sequence[str]) -> tuple[str, ...] | None:
    """The run that most of these texts (of tokens) have in place of a word."""
    for ways in slips(word):
        forms = [" ".join((*map(re.escape, before), *[r"\S+"] * between, *map(re.escape, after))) for before, between, after in ways]
        form = re.compile(f"(?<!\\S)(?=({'|'.join(forms)})(?!\\S))") if forms else None
        seen = Counter(run for text in texts for run in {match[1] for match in form.finditer(text)}) if form else Counter[str]()
        seen.pop(" ".join(word.tokens), None)
        if seen:
            return tuple(min(seen, key=lambda run: (-seen[run], run)).split())
    return None
