"""How two names differ, and whether one could be meant where the other was said.

A name of an organisation is read as place, brand and kind: 福州市鼓楼区 + 甜果 + 培训中心有限公司. The brand is what tells two of them apart, and one
character of it is enough: so nothing here ever says that two names are the same. Equal is `compact(a) == compact(b)` and nothing else.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA, Levenshtein

from .fold import compact

PLACE, BRAND, KIND = "place", "brand", "kind"
LONGEST = 200  # characters of a name that are compared
LONGEST_PLACE = 12
ONE_IN = 4  # characters of a brand for each that may be wrong; in a shorter one, one
_PLACE = re.compile(r"[\u3400-\u9fff]{2,7}?(?:自治区|自治州|自治县|地区|新区|省|市|区|县|旗|盟)")
_KIND = re.compile(
    "(?:股份有限公司|有限责任公司|有限公司|分公司|公司|集团|民办|校外|课外|课后|培训中心|培训学校|培训机构|培训基地|培训部|培训班|培训|辅导|学校|学院|书院|学堂|中心|机构|工作室|俱乐部|研究院|活动|教育|文化|艺术|美术|音乐"
    "|舞蹈|体育|运动|健身|科技|技术|信息|网络|传播|传媒|咨询|管理|服务|发展|托管|总部|总校|分校|分部|校区|教学点|店)$"
)  # the leftmost match is the longest


@dataclass(frozen=True, slots=True)
class Difference:
    """What one name has where the other has something else, in one part of it; "" where it has nothing there."""

    part: str
    asked: str
    found: str


def parts(name: str, places: Collection[str] = ()) -> tuple[str, str, str]:
    """Place, brand and kind of a name, folded. `places` are names of places that do not say what they are (福州). The brand is never empty
    unless the name is."""
    text = compact(name[:LONGEST])
    at = 0
    while length := _place_at(text, at, places):
        at += length
    end = len(text)
    while end > at and (kind := _KIND.search(text, at, end)):
        end = kind.start()
    if end == at:  # only words that anybody has: then they are all there is to go by
        return (text[:at], text[at:], "") if at < len(text) else ("", text, "")
    return text[:at], text[at:end], text[end:]


def _place_at(text: str, at: int, places: Collection[str]) -> int:
    for length in range(min(LONGEST_PLACE, len(text) - at - 1), 1, -1):
        if text[at : at + length] in places:
            end = at + length + (text[at + length] in "省市区县")
            return end - at if end < len(text) else 0
    found = _PLACE.match(text, at)
    return found.end() - at if found and found.end() < len(text) else 0


def differences(asked: str, found: str, places: Collection[str] = ()) -> tuple[Difference, ...]:
    """Part by part, with the characters that differ; () where the two are equal as folded. A place is named whole."""
    if compact(asked) == compact(found):
        return ()
    told = tuple(_told(parts(asked, places), parts(found, places)))
    return told or (Difference(BRAND, compact(asked[:LONGEST]), compact(found[:LONGEST])),)  # cut differently, or beyond LONGEST


def _told(asked: tuple[str, str, str], found: tuple[str, str, str]) -> Iterator[Difference]:
    for part, one, other in zip((PLACE, BRAND, KIND), asked, found, strict=True):
        if part == PLACE or not set(one) & set(other):
            yield from [Difference(part, one, other)] if one != other else []
        else:
            for step in Levenshtein.opcodes(one, other):
                if step.tag != "equal":
                    yield Difference(part, one[step.src_start : step.src_end], other[step.dest_start : step.dest_end])


def near(asked: str, found: str, places: Collection[str] = ()) -> bool:
    """Whether somebody who says one name may mean the other: half of it, another place or kind, or a brand that is hardly different."""
    whole, other = compact(asked[:LONGEST]), compact(found[:LONGEST])
    if len(whole) < 2 or len(other) < 2:
        return False
    (_, one, _), (_, two, _) = parts(asked, places), parts(found, places)
    if whole in other or other in whole or one == two:
        return True
    if min(len(one), len(two)) >= 2 and (one in two or two in one):
        return True
    shorter = min(len(one), len(two))
    return shorter >= 2 and OSA.distance(one, two) <= max(1, shorter // ONE_IN)
