"""How well one document answers, by where the words of a question stand in its texts.

A text has the mark of its field before each value (stored.py). Scores are 0-1: 1.0 is the whole of a name; a word in a row in a name at most 0.95;
what is only near at most 0.85.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import fuzz

from .document import BEGINS, INSIDE, SOUND, TYPO, WHOLE, WORDS, Match
from .letters import MARK
from .readings import sounds_like
from .stored import bounds, parted

WORTH = {WHOLE: 0.95, BEGINS: 0.85, INSIDE: 0.78, WORDS: 0.3}  # in a row in what weighs least is worth more than apart: 0.4 of 0.78
ORDER = (WHOLE, BEGINS, INSIDE, WORDS, SOUND, "initials", TYPO)
PLACE = {how: place for place, how in enumerate(ORDER)}
NEAR = 0.85
APART = 0.02  # for each place at which the question had to be cut
UNKNOWN = 3.0  # bits that a character is worth at most: one that no name has tells nothing of which name is meant
LEAST = 0.3
ONE_IN = 5  # letters of a Latin word for each that may be wrong; in a shorter one, none


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the documents, how much a match in it is worth (0-1), and whether it is a name."""

    name: str
    weight: float
    is_name: bool
    share: float = field(init=False)  # of what the place of a word is worth

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", 0.4 + 0.6 * self.weight)


@lru_cache(maxsize=1_024)
def matched_in(field: str, how: str) -> Match:
    """A reason, which is made once: a page has some dozens, and of a few kinds."""
    return Match(field, how)


def standing(word: str, text: str, fields: Sequence[Field]) -> dict[int, tuple[float, str]]:
    """Where a word stands in a row in a text: by the number of the field what the best place is worth and how it stands there."""
    found: dict[int, tuple[float, str]] = {}
    for number, worth, how in _places(word, text, fields):
        if number not in found or found[number][0] < worth:
            found[number] = worth, how
    return found


def worth(word: str, text: str, fields: Sequence[Field]) -> tuple[float, bool]:
    """What the best place of a word in a text is worth, 0 where it stands nowhere in a row; and whether it is the whole of a name."""
    best, whole = 0.0, False
    for number, worth, how in _places(word, text, fields):
        best, whole = max(best, worth), whole or (how == WHOLE and fields[number].is_name)
    return best, whole


def _places(word: str, text: str, fields: Sequence[Field]) -> list[tuple[int, float, str]]:
    """Of each value in which a word stands in a row the number of its field, what that is worth and how it stands there."""
    if word not in text:
        return []
    found, parts, size = [], parted(text), len(word)
    for spot in range(1, len(parts), 2):
        value = parts[spot]
        if word in value:
            how = INSIDE if not value.startswith(word) else WHOLE if len(value) == size else BEGINS
            number = ord(parts[spot - 1]) - MARK
            found.append((number, (WORTH[how] + 0.05 * size / len(value)) * fields[number].share, how))
    return found


def apart(word: str, names: str) -> float:
    """What a word is worth that stands nowhere in a row: a little more where more of it is in names. 乐平市音乐 means a name with 音乐."""
    pairs = [word[spot : spot + 2] for spot in range(len(word) - 1)]
    return WORTH[WORDS] * (5 + sum(pair in names for pair in pairs) / max(len(pairs), 1)) / 6


def score_of(words: Sequence[str], run: str, names: str, others: Callable[[], str], fields: Sequence[Field]) -> float:
    """The score of a document that has the words. Its other texts are looked at only for a word that is in no name: by_words may say more."""
    if len(words) == 1 and words[0] == run:
        best, whole = worth(run, names, fields)
        best = best or worth(run, others(), fields)[0] or apart(run, names)
    else:
        total = sum((worth(word, names, fields)[0] or worth(word, others(), fields)[0] or apart(word, names)) * len(word) for word in words)
        as_typed, whole = worth(run, names, fields)
        best = max(total / sum(map(len, words)), as_typed)
    return 1.0 if whole else min(best, 0.95)


def by_words(
    words: Sequence[str], run: str, names: str, others: Callable[[], str], fields: Sequence[Field]
) -> tuple[float, tuple[Match, ...]]:
    """The score of a document that has the words, and why. 1.0 where all that was typed is the whole of a name."""
    matched: dict[int, str] = {}
    total = 0.0
    in_names: dict[int, tuple[float, str]] = {}
    for word in words:
        in_names = standing(word, names, fields)
        places = {**standing(word, others(), fields), **in_names}
        total += max(places.values())[0] * len(word) if places else apart(word, names) * len(word)
        _match(matched, places)
        if not places:
            for number in _parts(word, names, others()):
                matched.setdefault(number, WORDS)
    score = min(total / sum(map(len, words)), 0.95)
    exact = None
    as_typed = in_names if len(words) == 1 and words[0] == run else standing(run, names, fields)
    _match(matched, as_typed)
    for number, (worth, how) in as_typed.items():
        score = max(score, min(worth, 0.95))
        if how == WHOLE and fields[number].is_name:
            exact, score = number, 1.0
    why = [*matched.items()]
    if len(why) > 1:
        why.sort(key=lambda item: (item[0] != exact, PLACE[item[1]], item[0]))
    return score, tuple(matched_in(fields[number].name, how) for number, how in why)


def _match(matched: dict[int, str], places: Mapping[int, tuple[float, str]]) -> None:
    """Take over how a word stands in each field, where that is better than what is known."""
    for number, (_, how) in places.items():
        if number not in matched or PLACE[how] < PLACE[matched[number]]:
            matched[number] = how


def _parts(word: str, *texts: str) -> list[int]:
    """The fields in which the pairs of a word stand."""
    found = set()
    for text in texts:
        for spot in range(len(word) - 1):
            place = text.find(word[spot : spot + 2])
            if place > 0:
                found.add(bounds(text, place)[0])
    return sorted(found)


def resembles(letters: str, text: str) -> bool:
    """Whether a Latin word stands in a text but for one letter in so many: pairs of letters that it shares with other words mean nothing."""
    wrong = len(letters) // ONE_IN
    return fuzz.partial_ratio(letters, text) >= 100 * (1 - wrong / len(letters))


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a question and where it stands in a text."""

    start: int
    size: int
    is_name: bool
    place: int


def _blocks(run: str, names: str, others: Callable[[], str]) -> list[Block]:
    """The parts of a run that stand in a text, from left to right, each as long as can be: of two characters or more, names before others."""
    found: list[Block] = []
    more: str | None = None
    start = 0
    while start < len(run) - 1:
        size, place = _longest(run, start, names, 2)
        if not size:
            more = others() if more is None else more
            size, place = _longest(run, start, more, 2)
            if size:
                found.append(Block(start, size, False, place))
        else:
            found.append(Block(start, size, True, place))
        start += size or 1
    return found


def _longest(run: str, start: int, text: str, size: int) -> tuple[int, int]:
    """The size of the longest part of a run from `start` on that stands in a text, and where; (0, 0) where that is shorter than `size`."""
    best = 0, 0
    place = text.find(run[start : start + size])
    while place >= 0:
        best = size, place
        size += 1
        if start + size > len(run):
            break
        place = text.find(run[start : start + size], place)
    return best


def by_likeness(
    run: str, weights: Sequence[float], names: str, others: Callable[[], str], fields: Sequence[Field]
) -> tuple[float, tuple[Match, ...], str | None]:
    """The score of a document that may be meant, why, and how the question would be spelled as the document has it, where it stands in one piece."""
    found = _blocks(run, names, others) or _alone(run, names)
    if not found:
        return 0.0, (), None
    got = 0.0
    slips = 0
    sounds = True
    for block in found:
        got += sum(weights[block.start : block.start + block.size]) * (1.0 if block.is_name else 0.8)
    edges = [None, *found, None]
    for left, right in pairwise(edges):
        low, high = left.start + left.size if left else 0, right.start if right else len(run)
        if low < high or (left and right):
            gap = _gap(left, right, names, high - low)
            more, heard = _mended(run[low:high], weights[low:high], gap)
            got += more
            if low < high:
                slips += high - low
                sounds = sounds and heard
            elif gap:
                slips += 1
                sounds = False
    total = sum(weights)
    main = max(found, key=lambda block: (block.is_name, block.size))
    text = names if main.is_name else others()
    number, begun, end = bounds(text, main.place)
    inside = [block for block in found if block.is_name == main.is_name and begun <= block.place < end]
    share = sum(block.size for block in inside) / (end - begun)
    in_order = all(one.place < other.place for one, other in pairwise(found)) and len(inside) == len(found)
    score = NEAR * (0.92 * got / total + 0.08 * share) - APART * (len(found) - 1) * (not in_order)
    how = WORDS if slips == 0 else SOUND if sounds else TYPO
    whole = inside[0].place - inside[0].start, inside[-1].place + inside[-1].size + len(run) - inside[-1].start - inside[-1].size
    near = in_order and slips <= max(1, len(run) // 4) and abs(whole[1] - whole[0] - len(run)) <= 1
    meant = text[max(whole[0], begun) : min(whole[1], end)] if near else None
    fields_of = {number: how}
    for block in found:
        other = names if block.is_name else others()
        fields_of.setdefault(bounds(other, block.place)[0], INSIDE)
    return max(score, 0.0), tuple(matched_in(fields[each].name, way) for each, way in fields_of.items()), meant


def _gap(left: Block | None, right: Block | None, names: str, size: int) -> str:
    """What the name has between two parts, or beside the first or last."""
    if left and right:
        if not (left.is_name and right.is_name) or right.place < left.place or right.place - left.place - left.size > size + 2:
            return ""
        return names[left.place + left.size : right.place]
    if right:
        return names[max(0, right.place - size) : right.place] if right.is_name else ""
    return names[left.place + left.size : left.place + left.size + size] if left and left.is_name else ""


def _mended(typed: str, weights: Sequence[float], gap: str) -> tuple[float, bool]:
    """What characters that stand nowhere are still worth beside what the name has in their place; and whether they sound the same."""
    if not typed:
        return 0.0, True
    if len(typed) == len(gap):
        if len(typed) == 2 and typed == gap[::-1]:
            return 0.9 * sum(weights), False
        alike = [sounds_like(one, other) for one, other in zip(typed, gap, strict=True)]
        return sum(weight * (0.9 if like else 0.25) for weight, like in zip(weights, alike, strict=True)), all(alike)
    return sum(0.35 if len(typed) == 1 else 0.15 for _ in typed) * min(weights), False


def _alone(run: str, names: str) -> list[Block]:
    """For a short question of which no two characters stand together: where its characters, or ones that sound the same, begin to stand in a row."""
    if len(run) > 4:
        return []
    best: tuple[int, int, int] | None = None
    for place in range(1, len(names) - len(run)):
        same = sum(names[place + spot] == run[spot] for spot in range(len(run)))
        like = sum(sounds_like(names[place + spot], run[spot]) for spot in range(len(run)))
        if like == len(run) and (best is None or same > best[0]):
            spot = next((spot for spot in range(len(run)) if names[place + spot] == run[spot]), 0)
            best = same, place, spot
    if best is None:
        return []
    return [Block(best[2], 1, True, best[1] + best[2])] if best[0] else [Block(0, 0, True, best[1])]
