"""Labelled queries: what people may type for an institution, and who is right. The same for the same corpus and seed.

Every query is made from one institution, whose id says whether it is for tuning or is only scored; its right answers are all that are as right. A class
gives nothing for an institution that it does not fit (no brand, no permit); of each class there are as many from every source as its share, where it has them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from pypinyin import lazy_pinyin

from search import compact

from . import spellings
from .corpus import ORGANISATIONS, PLATFORM, SCHOOLS, SEED, Institution, digest, syllables
from .labels import Labels, Right, bare, meant

SHARES = {PLATFORM: 0.5, SCHOOLS: 0.3, ORGANISATIONS: 0.2}
TYPOS = ("homophone", "wrong", "missing", "added", "swapped", "code_typo")  # whose aim is lower
FORMS = ("培训学校", "培训中心", "培训班", "工作室", "培训机构", "学校", "教育中心")  # taken for another
TRIED = 60  # institutions for each query that is wanted
Made = tuple[str, Right] | None


@dataclass(frozen=True, slots=True)
class Query:
    kind: str  # its class
    source: str
    text: str
    right: frozenset[str]  # ids
    of: str  # the id of the institution that it was made from
    part: str  # tune, held


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A name that nobody in the corpus has, though one is near. `of` is the one it must not be taken for."""

    kind: str
    source: str
    text: str
    of: str
    part: str


def part_of(id: str) -> str:
    return "tune" if int(digest(f"part {id}"), 16) % 2 else "held"


def queries(labels: Labels, count: int = 6000, seed: int = SEED, kinds: Sequence[str] = ()) -> list[Query]:
    """About so many, over all classes; those of some classes alone are the same as among all."""
    found: dict[tuple[str, str], Query] = {}
    for kind, make in CLASSES.items():
        if kinds and kind not in kinds:
            continue
        for source, share in SHARES.items():
            wanted = round(count / len(CLASSES) * share)
            for place, drawn in _drawn(labels, source, f"{seed} {kind}", wanted * TRIED):
                if wanted <= 0:
                    break
                one = labels.corpus[place]
                made = make(one, drawn, labels)
                if made and place in made[1] and compact(made[0]) and (kind, made[0]) not in found:
                    right = frozenset(labels.corpus[other].id for other in made[1])
                    found[kind, made[0]] = Query(kind, source, made[0], right, one.id, part_of(one.id))
                    wanted -= 1
    return list(found.values())


def neighbours(labels: Labels, count: int = 1500, seed: int = SEED) -> list[Neighbour]:
    """Names that must not be said to be listed: one brand character, the district or the city is another."""
    found: dict[tuple[str, str], Neighbour] = {}
    for kind, make in NEIGHBOURS.items():
        for source, share in {PLATFORM: 0.6, SCHOOLS: 0.4}.items():
            wanted = round(count / len(NEIGHBOURS) * share)
            pool = [one for one in labels.corpus if one.source == source and one.brand]
            for place, drawn in _drawn(labels, source, f"{seed} {kind}", wanted * TRIED):
                if wanted <= 0:
                    break
                one = labels.corpus[place]
                text = make(one, drawn.choice(pool), drawn, labels) if one.brand else None
                if text and compact(text) not in labels.whole and (kind, text) not in found:
                    found[kind, text] = Neighbour(kind, source, text, one.id, part_of(one.id))
                    wanted -= 1
    return list(found.values())


def _drawn(labels: Labels, source: str, seed: str, most: int) -> Iterator[tuple[int, Random]]:
    """Institutions of a source in an order of chance, each with a chance of its own."""
    places = [place for place, one in enumerate(labels.corpus) if one.source == source]
    order = Random(f"{seed} {source}")
    for place in order.sample(places, min(most, len(places))):
        yield place, Random(f"{seed} {labels.corpus[place].id}")


def _held(labels: Labels, text: str) -> Made:
    return text, labels.names.holders(compact(text))


def _full(one: Institution, drawn: Random, labels: Labels) -> Made:
    return _held(labels, one.name) if len(one.name) > 4 else None


def _alias(*kinds: str) -> Callable[[Institution, Random, Labels], Made]:
    def make(one: Institution, drawn: Random, labels: Labels) -> Made:
        names = [name for name, kind in one.aliases if kind in kinds]
        if not names and "sign" in kinds and one.source == SCHOOLS and len(one.brand) > 2:
            names = [one.brand]
        return _held(labels, drawn.choice(names)) if names else None

    return make


def _half(one: Institution, drawn: Random, labels: Labels) -> Made:
    size = max(3, len(one.name) // 2)
    first, last = 0, len(one.name) - size
    if one.brand:  # half a name without it is nobody's
        brand = one.name.index(one.brand)
        first, last = max(0, brand + len(one.brand) - size), min(brand, last)
    made = _held(labels, one.name[(spot := drawn.randint(min(first, last), max(first, last))) : spot + size])
    return made if one.brand or len(made[1]) <= 20 else None  # type: ignore[index]


def _region_short(name: str) -> str:
    return name[:-1] if len(name) > 2 and name[-1] in "市区县區縣鄉鎮" else name


def _joined(first: str, second: str, drawn: Random) -> str:
    first, second = (first, second) if drawn.random() < 0.6 else (second, first)
    return drawn.choice((" ", "", "")).join((first, second))


def _brand_and(attribute: str) -> Callable[[Institution, Random, Labels], Made]:
    def make(one: Institution, drawn: Random, labels: Labels) -> Made:
        region = getattr(one, attribute)
        if not region or not one.brand:
            return None
        region = drawn.choice((region, _region_short(region)))
        what = drawn.choice((one.brand, f"{one.brand}{one.trade}"))
        return _joined(region, what, drawn), labels.with_words(what, region)

    return make


def _no_legal(one: Institution, drawn: Random, labels: Labels) -> Made:
    text = bare(one.name)
    return _held(labels, text) if len(text) > 3 and text != one.name else None


def _no_trade(one: Institution, drawn: Random, labels: Labels) -> Made:
    if not one.brand:
        return None
    return _held(labels, drawn.choice((f"{one.place}{one.brand}{one.trade}", f"{one.place}{one.brand}")))


def _other_form(one: Institution, drawn: Random, labels: Labels) -> Made:
    """As somebody remembers it, with the end of another's name."""
    if not one.brand:
        return None
    stem = f"{drawn.choice((one.place, ''))}{one.brand}{one.trade}"
    typed = stem + drawn.choice([form for form in FORMS if form[:4] != spellings.simplified(one.form)[:4]])
    return (typed, labels.names.holders(compact(stem))) if not labels.names.holders(compact(typed)) else None


def _no_place(one: Institution, drawn: Random, labels: Labels) -> Made:
    start = len(one.place) if one.brand else 0
    return _held(labels, one.name[one.name.index(one.brand) :]) if start else None


def _script(one: Institution, drawn: Random, labels: Labels) -> Made:
    text = drawn.choice(meant(one)[:3])
    other = spellings.other_script(text, drawn)
    return (other, labels.names.holders(compact(text))) if other != text and len(text) > 3 else None


def _width(one: Institution, drawn: Random, labels: Labels) -> Made:
    latin = [name for name, kind in one.aliases if kind == "latin"]
    if latin:
        return spellings.wide(latin[0]), labels.names.holders(compact(latin[0]))
    cut = len(one.name) // 2
    rest = one.name.partition(one.brand)[2] if one.brand else ""
    pieces = [one.place, one.brand, rest] if one.brand and one.name == f"{one.place}{one.brand}{rest}" else [one.name[:cut], one.name[cut:]]
    return (spellings.parted(pieces, drawn), labels.names.holders(compact(one.name))) if len(one.name) > 4 else None


def _read(one: Institution, drawn: Random, *, whole: bool = False) -> tuple[str, ...] | None:
    """The reading of what somebody types in pinyin: brand and trade, the place before them, the sign, or a short whole name."""
    signs = [name for name, kind in one.aliases if kind == "sign"]
    if not one.brand:
        texts = [bare(one.name)] if 4 <= len(bare(one.name)) <= 12 else []
    else:
        texts = [f"{one.place}{one.brand}{one.trade}"] if whole else [f"{one.brand}{one.trade}", f"{one.place}{one.brand}", *signs]
    texts = [text for text in texts if all(map(spellings.is_chinese, text))]
    if not texts:
        return None
    text = drawn.choice(texts)
    if text not in signs and text in one.name:  # read within its name: that is how it is read
        spot, read = one.name.index(text), syllables(one, one.name)
        return read[spot : spot + len(text)] if len(read) == len(one.name) else None
    return syllables(one, text)


def _pinyin(between: str) -> Callable[[Institution, Random, Labels], Made]:
    def make(one: Institution, drawn: Random, labels: Labels) -> Made:
        read = _read(one, drawn)
        return (between.join(read), labels.sounding(read)) if read and len("".join(read)) > 6 else None

    return make


def _pinyin_place(one: Institution, drawn: Random, labels: Labels) -> Made:
    """The place has a character that is read otherwise elsewhere: 重庆, 乐清, 六安."""
    if one.source != PLATFORM or not one.place:
        return None
    read = syllables(one, one.name)
    if all(lazy_pinyin(character)[0] == sound for character, sound in zip(one.place, read, strict=False)):
        return None
    read = read[: len(one.place) + len(one.brand)]
    return drawn.choice(("", " ")).join(read), labels.sounding(read)


def _initials(one: Institution, drawn: Random, labels: Labels) -> Made:
    read = _read(one, drawn, whole=drawn.random() < 0.5)
    text = "".join(syllable[0] for syllable in read or ())
    return (text, labels.initials.holders(text)) if len(text) > 4 else None


def _slip(slip: Callable[[str, Random], str | None]) -> Callable[[Institution, Random, Labels], Made]:
    def make(one: Institution, drawn: Random, labels: Labels) -> Made:
        texts = [text for text in (*meant(one)[:3], *(name for name, kind in one.aliases if kind == "sign")) if len(text) > 4]
        if not texts:
            return None
        text = drawn.choice(texts)
        typed = slip(text, drawn)
        if not typed or compact(typed) == compact(text) or labels.names.holders(compact(typed)):
            return None  # what is typed is somebody's name as it is
        return typed, labels.names.holders(compact(text)) | labels.near(typed)

    return make


def _order(one: Institution, drawn: Random, labels: Labels) -> Made:
    if not one.brand or not one.trade:
        return None
    pieces = [piece for piece in (one.place, one.brand, one.trade, *([one.form] if drawn.random() < 0.4 else [])) if piece]
    mixed = drawn.sample(pieces, len(pieces))
    if mixed == pieces:
        mixed.reverse()
    return drawn.choice((" ", "")).join(mixed), labels.with_words(one.brand, *mixed)


def _latin(one: Institution, drawn: Random, labels: Labels) -> Made:
    latin = [name for name, kind in one.aliases if kind == "latin"]
    if latin and drawn.random() < 0.5:
        text = drawn.choice((latin[0], latin[0].split()[0]))
        return drawn.choice((text, text.lower(), text.upper(), text.replace(" ", ""))), labels.names.holders(compact(text))
    if one.brand and one.trade and all(map(spellings.is_chinese, one.brand)):  # a brand in pinyin before its trade: QIMING艺术
        read = syllables(one, one.name)[(spot := one.name.index(one.brand)) : spot + len(one.brand)]
        right = frozenset(place for place in labels.sounding(read) if compact(one.trade) in labels.texts[place])
        word = "".join(read)
        return drawn.choice((word, word.upper(), word.capitalize())) + drawn.choice(("", " ")) + one.trade, right
    if re.search("[A-Za-z]", one.name) and len(one.name) > 4:
        return drawn.choice((one.name.swapcase(), one.name.lower(), spellings.wide(one.name))), labels.names.holders(compact(one.name))
    return None


def _chatty(one: Institution, drawn: Random, labels: Labels) -> Made:
    question = drawn.choice(spellings.questions(part_of(one.id)))
    if one.brand and one.county and drawn.random() < 0.3:
        region = _region_short(one.county)
        what = f"{one.brand}{one.trade}"
        return question.format(f"{region}{what}"), labels.with_words(what, region)
    texts = [text for text in (*meant(one)[:3], *(name for name, kind in one.aliases if kind == "sign")) if len(text) > 4]
    text = drawn.choice(texts) if texts else ""
    return (question.format(text), labels.names.holders(compact(text))) if text else None


def _code(one: Institution, drawn: Random, labels: Labels) -> Made:
    code = one.code
    typed = drawn.choice((code, code.lower(), f"{code[:2]} {code[2:8]} {code[8:17]} {code[17:]}", spellings.wide(code)))
    return (typed, frozenset([labels.codes[code]])) if code else None


def _code_typo(one: Institution, drawn: Random, labels: Labels) -> Made:
    if not one.code:
        return None
    spot = drawn.randrange(len(one.code))
    other = drawn.choice([letter for letter in "0123456789ABCDEFGHJKLMNPQRTUWXY" if letter != one.code[spot]])
    replaced = one.code[:spot] + other + one.code[spot + 1 :]
    typed = drawn.choice((replaced, spellings.missing(one.code, drawn), spellings.swapped(one.code, drawn)))
    return (typed, labels.near_code(typed)) if typed and typed not in labels.codes else None


def _permit(one: Institution, drawn: Random, labels: Labels) -> Made:
    permit = one.permit
    typed = drawn.choice((permit, f"{permit}号", f"{permit[:2]} {permit[2:]} 号", spellings.wide(permit)))
    run = compact(permit)
    return (typed, frozenset(place for place in labels.permits.holders(f"{run}号") if compact(labels.corpus[place].permit) == run)) if permit else None  # fmt: skip


def _permit_part(one: Institution, drawn: Random, labels: Labels) -> Made:
    digits = re.findall(r"\d{7,}", one.permit)
    if not digits:
        return None
    text = drawn.choice((digits[-1], digits[-1][-drawn.randint(7, 9) :], f"{digits[-1][-8:]}号"))
    return text, labels.permits.holders(compact(text))


def _address(one: Institution, drawn: Random, labels: Labels) -> Made:
    if not one.addresses:
        return None
    found = re.search(r"[\w]*?(\w{2,8}[路街道段巷弄]\w{0,4}?\d+[号號])", drawn.choice(one.addresses))
    if not found:
        return None
    text = found[1] if one.source == SCHOOLS else re.sub(r"^.*[市区县]", "", found[1])
    text = text if one.source == SCHOOLS or drawn.random() < 0.5 else f"{one.county}{text}"
    return text, labels.addresses.holders(compact(text))


def _characters(size: int) -> Callable[[Institution, Random, Labels], Made]:
    def make(one: Institution, drawn: Random, labels: Labels) -> Made:
        text = one.brand or one.name
        spot = drawn.randint(0, max(0, len(text) - size))
        run = text[spot : spot + size]
        return (run, labels.anywhere.holders(compact(run))) if len(compact(run)) == size else None

    return make


def _region(one: Institution, drawn: Random, labels: Labels) -> Made:
    if not one.county:
        return None
    city = one.city if one.source == PLATFORM else ""
    way = drawn.randrange(3)
    if way == 0 or not (one.trade or city):
        text = drawn.choice((one.county, _region_short(one.county)))
        return text, labels.anywhere.holders(compact(text))
    if way == 1 and city and city != one.county:
        return drawn.choice(("", " ")).join((city, one.county)), labels.anywhere.holders(compact(f"{city}{one.county}"))
    return drawn.choice(("", " ")).join((one.county, one.trade)), labels.with_words(one.trade, one.county) if one.trade else frozenset()


CLASSES: dict[str, Callable[[Institution, Random, Labels], Made]] = {
    "full": _full,
    "sign": _alias("sign", "brand"),
    "former": _alias("former"),
    "half": _half,
    "brand_district": _brand_and("county"),
    "brand_city": _brand_and("city"),
    "no_legal": _no_legal,
    "no_trade": _no_trade,
    "other_form": _other_form,
    "no_place": _no_place,
    "script": _script,
    "width": _width,
    "pinyin": _pinyin(""),
    "pinyin_spaced": _pinyin(" "),
    "pinyin_place": _pinyin_place,
    "initials": _initials,
    "homophone": _slip(spellings.homophone),
    "wrong": _slip(spellings.wrong),
    "missing": _slip(spellings.missing),
    "added": _slip(spellings.added),
    "swapped": _slip(spellings.swapped),
    "order": _order,
    "latin": _latin,
    "chatty": _chatty,
    "code": _code,
    "code_typo": _code_typo,
    "permit": _permit,
    "permit_part": _permit_part,
    "address": _address,
    "one": _characters(1),
    "two": _characters(2),
    "region": _region,
}


def _other_brand(one: Institution, other: Institution, drawn: Random, labels: Labels) -> str | None:
    spot = drawn.randrange(len(one.brand))
    brand = one.brand[:spot] + other.brand[min(spot, len(other.brand) - 1)] + one.brand[spot + 1 :]
    return one.name.replace(one.brand, brand, 1) if compact(brand) != compact(one.brand) else None


def _other_region(attribute: str) -> Callable[[Institution, Institution, Random, Labels], str | None]:
    def make(one: Institution, other: Institution, drawn: Random, labels: Labels) -> str | None:
        """The name with another district or city where it has one, and before a name that has none and that nobody there has."""
        mine, theirs = getattr(one, attribute), getattr(other, attribute)
        if not mine or not theirs or mine == theirs:
            return None
        there = mine if mine in one.place else _region_short(mine)
        if there in one.place:
            return one.name.replace(there, theirs if there == mine else _region_short(theirs), 1)
        if one.place.removesuffix("私立") or labels.with_words(one.name, theirs):
            return None
        return f"{theirs}{one.name}"

    return make


NEIGHBOURS: dict[str, Callable[[Institution, Institution, Random, Labels], str | None]] = {
    "brand": _other_brand,
    "district": _other_region("county"),
    "city": _other_region("city"),
}
