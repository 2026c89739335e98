"""Which institution of a release is meant by what somebody typed: one, or the reasons why none can be named.

Two are the same where a number is, or a whole name as folded (`search.compact`); half a name, another character or what sounds alike is only near, and a
name that several have is nobody's until the region or a number decides. Knows no database and no index; its caller brings who may be meant.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from search import BRAND, Difference, compact, differences, is_question, near, parts

from .errors import BadValue
from .regions import COUNTRY, Regions, short_form
from .telling import name_key, tells_apart
from .values import credit_code, is_credit_code, permit_no

CODE, PERMIT, NAME, ALIAS, NEAR, CODE_NEAR = "code", "permit", "name", "alias", "near", "code_near"  # how a candidate matched
FORMER = "former"  # the kind of an alias that was a legal name
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # of a credit code (GB 32100-2015, section 4)
MOST_CANDIDATES = 10
LONGEST_NAME = 8  # characters of a province: 新疆维吾尔自治区
LONGEST = 200  # characters of each thing that is asked
_CODE, _PERMIT = (
    re.compile(r"(?=(?:.*[0-9]){8})[0-9A-Za-z]{17,19}"),
    re.compile(r"(?:教民)?[0-9]{13}(?:[0-9]{2})?号?"),
)  # in the place of a name
# what makes a word of the last character of a place: 大同市场, 海南省心, 海淀区块链; a school that is 民办 begins so too
_WORD = re.compile(r"场|民(?!办)|政|集|井|值|级|心|力|时|钱|事|域|块|间|别|城|委|长")
_COUNTRY = re.compile("^中国")  # 中国上海市
_ENDS = ("省", "市", "自治区", "州")  # of what lies above a zone that no table of regions has: 西安市高新区, 甘肃省兰州新区
# what makes another word of the short name of a place: 北京路, 四川北路, 西安区, 上海城, 长春藤
_NO_PLACE = re.compile(r"[省市区县州旗镇乡村城滩湖湾港塔藤话]|[东西南北中前后]?[一二三四五大新]?[路街道巷弄桥站]")
_ABOVE = ("province", "city")  # 东方市 and 解放区 are brands as often; of these two no full name is


@dataclass(frozen=True)
class Query:
    """What somebody asks, as typed: any of them, and the region as code or in words."""

    name: str = ""
    code: str = ""
    permit: str = ""
    region: str = ""


@dataclass(frozen=True)
class Asked:
    """A query that was read; `faults` say what of it could not be, `notes` what else to know, both as keys of wording."""

    name: str = ""
    code: str | None = None
    permit: str | None = None
    region: str | None = None
    is_county: bool = False  # the region has none below it
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """An institution of a release that may be meant."""

    id: str
    name: str
    region_code: str | None = None
    region_text: str | None = None
    address: str | None = None
    code: str | None = None
    aliases: tuple[tuple[str, str | None], ...] = ()  # name and kind
    permits: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()  # region codes


@dataclass(frozen=True)
class Candidate:
    """How one matches: by `matched`, which is a name or number of it. What differs from what was asked is empty for the same."""

    known: Known
    how: str
    matched: str
    alias_kind: str | None = None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Which institution is meant: one (`found`), or none with the reasons why; no reason at all is that nothing like it is there."""

    found: Candidate | None = None
    is_sure: bool = False  # so that what may hurt it can be told
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()


def region_of(text: str, regions: Regions, day: str) -> tuple[str | None, bool]:
    """The code that a region's name or code means, None for the whole country, and whether it has none below it. Raises BadValue."""
    row = regions.resolve(text, day)
    return (None, False) if row.code == COUNTRY else (row.code, row.code in regions.county_codes())


def place_of(name: str, regions: Regions) -> str | None:
    """The code of the region that a name begins with, where that is sure: its full name (上海市, 江苏省南京市), or that of what lies in it behind a short
    one (上海浦东新区). None for a place in a short form alone, which is in roads, brands and surnames too: 北京路, 中山, 东方. Of a place in which no
    region is called so (西安市高新区) the longest beginning that is one."""
    text = _COUNTRY.sub("", compact(name))
    place = parts(text)[0]
    if place and regions.meanings(place):
        return _sure(text, place, regions)
    above = (place[:end] for end in range(len(place), 0, -1) if place[:end].endswith(_ENDS))
    return next((code for beginning in above if (code := _sure(text, beginning, regions))), None)


def place_said(name: str, regions: Regions) -> str | None:
    """What place_of says, or else the province, or the capital of one, that a name begins with in its short form or is alone (北京新东方, 北京). Sure
    enough for a note that harms nobody, and for no status."""
    if code := place_of(name, regions):
        return code
    text = _COUNTRY.sub("", compact(name))
    for end in range(min(len(text), LONGEST_NAME), 1, -1):
        found = [it for it in regions.meanings(text[:end]) if it.level == "province" or it.code.endswith("0100")]
        if len(found) == 1 and (
            end == len(text) or (text[:end] == compact(short_form(found[0].name_zh)) and not _NO_PLACE.match(text, end))
        ):
            return found[0].code
    return None


def _sure(text: str, place: str, regions: Regions) -> str | None:
    """The code of the one region that a place at the beginning of a text means, where it is neither a short form alone nor the beginning of a word."""
    found = regions.meanings(place)
    if len(found) != 1 or _WORD.match(text, len(place)):
        return None
    of = found[0]
    return of.code if place != compact(short_form(of.name_zh)) and (of.level in _ABOVE or place != compact(of.name_zh)) else None


def read(query: Query, region_of: Callable[[str], tuple[str | None, bool]]) -> Asked:
    """What was asked, in the spelling of a release; a number may stand in the place of the name. What cannot be read is a fault, never left out.

    A word that a list has where there is no number yet (是, 办理中, 无) is none, and a note says so.
    """
    faults: list[str] = []
    notes: tuple[str, ...] = ()
    if any(len(text) > LONGEST for text in (query.name, query.code, query.permit, query.region)):
        return Asked(faults=("too_long",))
    name, code, permit, region, is_county = query.name.strip(), None, None, None, False
    plain = unicodedata.normalize("NFKC", "".join(name.split()))
    if not query.code.strip() and _CODE.fullmatch(plain):
        name, query = "", replace(query, code=plain)
    elif not query.permit.strip() and _PERMIT.fullmatch(plain):
        name, query = "", replace(query, permit=plain)
    if compact(name) and not is_question(name):
        return Asked(faults=("too_long",))  # no index looks for it
    if query.code.strip():
        try:
            code = credit_code(query.code)
        except BadValue:
            faults.append("code_invalid")
        notes = () if code or faults else ("no_number",)
    if query.permit.strip():
        try:
            permit = permit_no(query.permit)
        except BadValue:
            faults.append("permit_invalid")
        notes = notes if permit or "permit_invalid" in faults else ("no_number",)
    if query.region.strip():
        try:
            region, is_county = region_of(query.region)
        except BadValue:
            faults.append("region_unclear")
    if not faults and not code and not permit and not compact(name):
        faults.append("no_question")
    return Asked(name, code, permit, region, is_county, tuple(faults), notes)


def near_codes(typed: str) -> list[str]:
    """Valid credit codes one wrong, missing, added or swapped character away from what was typed."""
    text = "".join(typed.split()).upper()
    if not 17 <= len(text) <= 19 or not text.isalnum() or not text.isascii():
        return []
    cut = [text[:at] + text[at + 1 :] for at in range(len(text))]
    one = [text[:at] + letter + text[at + 1 :] for at in range(len(text)) for letter in ALPHABET]
    more = [text[:at] + letter + text[at:] for at in range(len(text) + 1) for letter in ALPHABET] if len(text) == 17 else []
    swapped = [text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)]
    return sorted({code for code in (*cut, *one, *more, *swapped) if len(code) == 18 and code != text and is_credit_code(code)})


def placed(known: Known, region: str, regions: Regions) -> bool | None:
    """Whether an institution is in a region; None where it gives none, or only a wider one."""
    codes = [code for code in (known.region_code, *known.sites) if code]
    if any(regions.is_within(code, region) for code in codes):
        return True
    return None if not codes or any(regions.is_within(region, code) for code in codes) else False


def identify(
    asked: Asked,
    by_number: Sequence[Known],
    by_name: Sequence[Known],
    regions: Regions,
    places: Collection[str] = (),
    like: Collection[str] = (),
) -> Identity:
    """Which institution is meant. `by_number` have the code or permit number, `by_name` came from the index; `like` are ids of those that
    sound like the name, or are a typo away from it, whatever their characters."""
    if by_number:
        return _by_number(asked, by_number, regions, places)
    identity = _by_name(asked, by_name, regions, places, like) if compact(asked.name) else Identity()
    found = identity.found
    if found is None or not (asked.code or asked.permit):
        return identity
    if not _numbers_fit(asked, found.known):
        return Identity(reasons=("number_and_name_differ",), candidates=(found,))
    return Identity(found, False, notes=(*identity.notes, "number_not_there"), candidates=identity.candidates)


def _numbers_fit(asked: Asked, known: Known) -> bool:
    """Whether no number of an institution is another than what was asked; one that it has not says nothing."""
    return (not asked.code or known.code in (None, asked.code)) and (not asked.permit or not known.permits or asked.permit in known.permits)


def _by_number(asked: Asked, known: Sequence[Known], regions: Regions, places: Collection[str]) -> Identity:
    all_of_them = tuple(_numbered(asked, one, places) for one in known)
    fitting = [one for one in all_of_them if _numbers_fit(asked, one.known)]
    if not fitting:
        return Identity(reasons=("numbers_differ",), candidates=all_of_them)
    if compact(asked.name):
        named = [one for one in fitting if not one.differences]
        alike = [one for one in fitting if _name_fits(asked.name, one, places)]
        if not named and not alike:
            return Identity(reasons=("number_and_name_differ",), candidates=tuple(fitting))
        fitting = named or alike
    if asked.region:
        here = [one for one in fitting if placed(one.known, asked.region, regions) is not False]
        if not here:
            return Identity(reasons=("number_and_region_differ",), candidates=tuple(fitting))
        fitting = here
    if len(fitting) > 1:
        return Identity(reasons=("ambiguous",), candidates=tuple(fitting))
    one = fitting[0]
    is_sure = one.how == CODE or tells_apart(one.matched)  # 〔2026〕7 is given out by every county
    return Identity(one, is_sure, notes=("name_differs",) if one.differences else ())


def _numbered(asked: Asked, known: Known, places: Collection[str]) -> Candidate:
    how, number = (CODE, known.code) if asked.code and known.code == asked.code else (PERMIT, asked.permit)
    same = _same_name(asked.name, known)
    return Candidate(
        known,
        how,
        number or "",
        same[1] if same else None,
        () if same or not compact(asked.name) else differences(asked.name, known.name, places),
    )


def _name_fits(name: str, one: Candidate, places: Collection[str]) -> bool:
    """Whether a name says nothing else than that of the institution with the number: half of it, or another place or kind; no other brand."""
    names = [one.known.name, *(alias for alias, _ in one.known.aliases)]
    return any(compact(name) in compact(other) or all(it.part != BRAND for it in differences(name, other, places)) for other in names)


def _same_name(name: str, known: Known) -> tuple[str, str | None] | None:
    """(how, kind of alias) where a name is the whole legal name or alias of an institution, as folded."""
    asked = compact(name)
    if not asked:
        return None
    if compact(known.name) == asked:
        return NAME, None
    return next(((ALIAS, kind) for alias, kind in known.aliases if compact(alias) == asked), None)


def _by_name(asked: Asked, known: Sequence[Known], regions: Regions, places: Collection[str], like: Collection[str]) -> Identity:
    same = [Candidate(one, how[0], asked.name, how[1]) for one in known if (how := _same_name(asked.name, one))]
    close = list(_close(asked.name, [one for one in known if all(one is not it.known for it in same)], places, like))
    if same and not any(one.how == NAME or one.alias_kind == FORMER for one in same):  # a sign or a brand says who runs it to nobody
        return Identity(reasons=("by_alias",), candidates=(*same, *close)[:MOST_CANDIDATES])
    if same and asked.region:
        at = {one.known.id: placed(one.known, asked.region, regions) for one in same}
        if not any(place is not False for place in at.values()):
            return Identity(reasons=("other_region",), candidates=(*same, *close)[:MOST_CANDIDATES])
        same = [one for one in same if at[one.known.id] is not False]
        if len(same) == 1:
            one = same[0]
            is_legal = one.how == NAME and name_key(one.known.name) == name_key(asked.name)  # 启明① folds to 启明1, which is another
            is_sure = asked.is_county and is_legal and at[one.known.id] is True
            return Identity(one, is_sure, candidates=tuple(close))
    if len(same) == 1:
        return Identity(same[0], candidates=tuple(close))
    if same:
        return Identity(reasons=("ambiguous",), candidates=tuple(same[:MOST_CANDIDATES]))
    here = [one for one in close if not asked.region or placed(one.known, asked.region, regions) is not False]
    return Identity(reasons=("near",) if here else (), candidates=(*here, *(one for one in close if one not in here)))


def _close(name: str, known: Iterable[Known], places: Collection[str], like: Collection[str]) -> Iterator[Candidate]:
    for one in list(known)[:MOST_CANDIDATES]:
        names: list[tuple[str, str | None]] = [(one.name, None), *one.aliases]
        alike = [it for it in names if near(name, it[0], places)] or (names[:1] if one.id in like else [])
        told = [(differences(name, other, places), other, kind) for other, kind in alike]
        if told:
            differ, other, kind = min(told, key=lambda it: sum(len(step.asked) + len(step.found) for step in it[0] if step.part == BRAND))
            yield Candidate(one, NEAR, other, kind, differ)
