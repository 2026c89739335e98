"""What people do to a name on the way to the box: slips, other characters of the same sound, other widths and scripts, a question around it."""

import unicodedata
from collections import defaultdict
from functools import cache
from random import Random

from opencc import OpenCC
from pypinyin import lazy_pinyin

TRADITIONAL = ("s2t", "s2tw", "s2hk")
# The tuning part asks by the first half, the scored part by the second: to know the one does not help with the other.
QUESTIONS = (
    "请问{}在白名单里吗", "{}正规吗？", "想给孩子报{}，靠谱吗", "帮我查一下{}有没有办学许可证", "{}是不是合法的培训机构", "我家楼下的{}有资质吗", "{}怎么样啊",
    "听说{}被罚了，是真的吗？", "查询{}", "有人知道{}吗", "孩子在{}上课，想看看评分", "{}的地址在哪里", "麻烦问下{}能不能退费", "{} 有备案吗", "你好，{}是黑名单吗",
    "{}跑路了吗？？", "我想了解{}的情况", "{}可以报名吗谢谢",
    "老师推荐的{}有证吗", "{}是不是黑机构", "求助！{}到底合不合规", "请帮忙看看{}有没有在名单上", "{}收费高不高，正规不", "给娃报了{}，能信吗", "这个{}是真的假的",
    "附近的{}有没有被处罚过", "{}是哪个区的", "关于{}的资质问题", "您好 我想查{}", "{}营业执照有没有问题", "搜一下{}", "{}还开着吗", "有没有叫{}的机构", "{}靠不靠谱呀",
    "在{}学习安全吗？", "想问一下{}在不在白名单",
)  # fmt: skip


def questions(part: str) -> tuple[str, ...]:
    half = len(QUESTIONS) // 2
    return QUESTIONS[:half] if part == "tune" else QUESTIONS[half:]


@cache
def converter(name: str) -> OpenCC:
    return OpenCC(name)


def simplified(text: str) -> str:
    return converter("t2s").convert(text)


def other_script(text: str, drawn: Random) -> str:
    """Traditional for Simplified, and the other way where it was Traditional."""
    other = simplified(text)
    return other if other != text else converter(drawn.choice(TRADITIONAL)).convert(text)


@cache
def _common() -> tuple[str, ...]:
    """The 3,755 common characters (GB 2312, level 1)."""
    return tuple(
        bytes((row, cell)).decode("gb2312") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) if (row, cell) < (0xD7, 0xFA)
    )


@cache
def _by_sound() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for character in _common():
        found[lazy_pinyin(character)[0]].append(character)
    return {sound: tuple(characters) for sound, characters in found.items()}


def is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def homophone(text: str, drawn: Random) -> str | None:
    """One Chinese character as another of the same sound, whatever the tone."""
    spots = [spot for spot, character in enumerate(text) if is_chinese(character)]
    spot = drawn.choice(spots) if spots else 0
    sound = lazy_pinyin(simplified(text))
    if len(sound) != len(text):
        return None
    others = [other for other in _by_sound().get(sound[spot], ()) if other not in (text[spot], simplified(text[spot]))]
    return text[:spot] + drawn.choice(others) + text[spot + 1 :] if others else None


def wrong(text: str, drawn: Random) -> str:
    spot = drawn.randrange(len(text))
    return text[:spot] + drawn.choice([one for one in _common() if one != text[spot]]) + text[spot + 1 :]


def missing(text: str, drawn: Random) -> str:
    spot = drawn.randrange(len(text))
    return text[:spot] + text[spot + 1 :]


def added(text: str, drawn: Random) -> str:
    spot = drawn.randrange(len(text) + 1)
    more = text[spot - 1] if spot and drawn.random() < 0.3 else drawn.choice(_common())
    return text[:spot] + more + text[spot:]


def swapped(text: str, drawn: Random) -> str | None:
    spots = [spot for spot in range(len(text) - 1) if text[spot] != text[spot + 1]]
    if not spots:
        return None
    spot = drawn.choice(spots)
    return text[:spot] + text[spot + 1] + text[spot] + text[spot + 2 :]


def wide(text: str) -> str:
    """Full width where there is such a form."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else "\u3000" if one == " " else one for one in text)


def narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def parted(pieces: list[str], drawn: Random) -> str:
    """A name with blanks, brackets and dots that are not in it, or without those that are."""
    pieces = [piece for piece in pieces if piece]
    way = drawn.randrange(5)
    if way == 0:
        return "".join(f"（{piece}）" if spot == 0 and len(pieces) > 1 else piece for spot, piece in enumerate(pieces))
    if way == 1:
        return "\u3000".join(pieces)
    if way == 2:
        return " " + "·".join(pieces) + "  "
    if way == 3:
        return "“" + wide(" ".join(pieces)) + "”"
    return " ".join("".join(pieces))
