"""What was typed, as words: folded, without what only asks."""

import re
from dataclasses import dataclass
from functools import lru_cache

from .fold import fold

LONGEST = 2_000  # characters of a query as typed; what is longer is no question
LONGEST_RUN = 128  # and of its letters and digits
MOST_WORDS = 24
_PIECES = re.compile("[a-z]+|[^a-z]+")

# Words of a question round a name. They go only where nothing has them all: a name that has one of them is found by it.
_ASKED = re.compile(
    "请问一下|请问|您好|你好|大家好|求助|麻烦|谢谢|帮忙|帮我|请帮|想问一下|问一下|问下|想问|我想知道|我想了解|我想查|我想|我要|想了解|想知道|想给|想报|想去|了解一下|了解|"
    "查一下|查查|查询一下|查询|查找|查|搜索|搜一下|搜搜|找一下|看看|看一下|听说|听人说|有人知道|有谁知道|谁知道|知道|关于|"
    "我家楼下的?|我家附近的?|家附近的?|附近的?|楼下的?|老师推荐的?|推荐的?|孩子在|孩子报|给孩子报?|孩子|给娃报?|娃|小孩|上课|学习|报了名?|报名|报个|"
    "有没有叫|有没有被?|有没|可以|是不是|能不能|可不可以|在不在|会不会|到底|究竟|是真的吗|真的假的|真的吗|是真的|真的|"
    "靠不靠谱|靠谱吗?|合不合规|合规吗?|合法吗?|合法的?|正规吗?|正不正规|正规的?|正规不|可信吗?|能信吗?|可靠吗?|安全吗?|怎么样啊?|怎样|如何|好不好|好吗|行不行|行吗|"
    "在哪个区|哪个区的?|在哪里|在哪儿|在哪|哪里|哪家|地址|电话|联系方式|多少钱|收费标准|收费|学费|贵不贵|高不高|评分|评价|口碑|"
    "(?:在|上|进)?(?:白名单|黑名单|名单)(?:里面?|上|中|内)?|备案|资质|办学许可证|许可证|营业执照|执照|有证吗|有证|证书|处罚过?|被罚了?|罚款|投诉|跑路了?|倒闭了?|关门了?|还开着吗?|还在吗|退费|退款|问题|情况|"
    "的培训机构|的机构|培训机构吗|机构吗|黑机构|这家的?|那家的?|这个|那个|一个|叫做?"
)
# What kind of place it is, where it stands last: people remember another one than the name has.
_FORM = re.compile(
    "(?:(?:培训|辅导|教育|短期)?(?:中心|学校|机构|基地|部|班|补习班)|工作室|俱乐部|学院|书院|学堂|教室|总校|分校|校区|教学点)(?:(?:股份|责任)?有限(?:责任)?公司|分公司|公司)?$"
    "|(?:(?:股份|责任)?有限(?:责任)?公司|分公司|公司)$"
)
STEM = 4  # characters that are left of what was typed, at least
_ENDS = "吗呢吧啊呀哦嘛么的了在是有能被想问给和不请求个这那叫去"  # and these where they stand at the end of what is left


@dataclass(frozen=True, slots=True)
class Question:
    """The words, each once, all that was typed in a row, and that in pieces of letters and of other characters; and how many words were typed."""

    words: tuple[str, ...]
    run: str
    pieces: tuple[str, ...]
    typed: int


@lru_cache(maxsize=64)  # whether it is one is asked before it is asked
def question(query: str) -> Question | None:
    """None for what has no letter or digit, or is too long to be a question."""
    if len(query) > LONGEST:
        return None
    return _made(fold(query).split())


def is_question(query: str, most: int = LONGEST) -> bool:
    """Whether an index looks for a query at all, and it has at most so many words: where it does not, that nothing is found says nothing."""
    asked = question(query)
    return asked is not None and asked.typed <= most


def _made(words: list[str]) -> Question | None:
    run, typed = "".join(words), len(words)
    if all(len(word) == 1 for word in words) and len(words) > 2:
        words = [run]  # b l a n k s between all characters part no words
    kept = tuple(dict.fromkeys(words))
    pieces = tuple(piece for word in words for piece in _PIECES.findall(word))
    return Question(kept, run, pieces, typed) if 0 < len(kept) <= MOST_WORDS and len(run) <= LONGEST_RUN else None


def without_asking(asked: Question) -> Question | None:
    """The question without the words that only ask; None where there are none, or nothing but them."""
    parts = [part for word in asked.words for part in _ASKED.sub(" ", word).split()]
    if tuple(parts) == asked.words and asked.run[-1] not in "吗呢吧啊呀嘛":
        return None
    bare = [part.strip(_ENDS) for part in parts]
    return _made([part for part in bare if part])


def without_form(asked: Question) -> Question | None:
    """The question without what it says last of the kind of place; None where it says nothing of it, or hardly anything else."""
    stem = _FORM.sub("", asked.words[-1])
    made = _made([*asked.words[:-1], *([stem] if stem else [])]) if stem != asked.words[-1] else None
    return made if made and len(made.run) >= STEM else None
