"""Whether a name is a natural person's, and which of the names in a subject field are (rule 8).

Private by default: what could be a person's name counts as one unless it says plainly that it is an organisation. It knows surnames and
suffixes (namewords.py) and no register, so a shop called 金色童年 is masked too; a source that says 组织 is believed before this is asked.
What may be shown of a person's name is in masked.py.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from .namewords import (
    COMPOUND,
    ENDINGS,
    ENDS_IN_ORGANISATION,
    EVERYDAY,
    HAS_ORGANISATION,
    NO_LAST,
    NO_LAST_IN_BRACKETS,
    NO_NAMES,
    PERSON_LABELS,
    SUFFIXES,
    SURNAMES,
    TRANSLITERATED,
    looks_like_organisation,
    surname,
)
from .samename import is_latin

_PLAIN = re.compile(r"(?:(?![和与與及])[\u3400-\u9fff]){5,60}")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_MINORITY = re.compile(r"[\u3400-\u9fff]{1,10}(?:[·•‧・.．][\u3400-\u9fff]{1,10}){1,3}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{0,30}(?:[ .·,]{1,2}[A-Za-z][A-Za-z'’-]{0,30}){1,4}\.?")
LONGEST = 300  # of a subject field that is looked at; a longer one is cut, and its time is bounded
_LABEL = re.compile(rf"(?:(?:{PERSON_LABELS})(?:姓名|名称)?[ 为為系係是]?)+")
_LABEL_INSIDE = re.compile(PERSON_LABELS)
_INNER_LABEL = re.compile(r"法定代表人|实际控制人|负责人|負責人|经营者|經營者|举办人|举办者|投资人|出资人|当事人|被处罚人|曾用名|校长|园长")
_ENDING = re.compile(
    r" ?(?:(?P<shown>等(?:共?[0-9〇一二两三四五六七八九十]{0,3}(?:个?自然人|人|名|位)?)?)|先生|女士|小姐|同志|老师|校长|园长|个人独资|个人|个体工商户|个体户|自然人"
    r"|(?:认缴|实缴)?(?:出资|持股|占股|占比|各占|各|占)(?:额|比例)?| [男女])$"
)
_TOKEN = re.compile(r"[^、,，;；/／|｜\n()（）\[\]【】〔〕<>《》「」『』“”\"':：0-9０-９%％＋+&]+|[(（\[【〔]|[)）\]】〕]")
_GAP = re.compile(r"\s+")
_CONNECTED = re.compile(
    rf"(?<=[\u3400-\u9fff]{{2}})[和与與及](?=[{''.join(sorted(SURNAMES))}]|(?:{'|'.join(sorted(COMPOUND))})|[\u3400-\u9fff]{{2,4}}$)"
)
_WRITTEN_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff][\u3400-\u9fff\U00020000-\U0003ffff○〇*＊×●]{1,3}")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]{7,30}")


class Part(NamedTuple):
    """A part of a subject field: where it stands, how deep in brackets, a person's name or an organisation's."""

    start: int
    end: int
    deep: bool
    name: str  # '' where it is no person's
    after: str  # 等三人
    is_organisation: bool


def parts_of(spelled: str) -> list[Part]:
    """The parts of a subject field that are not empty, in its order."""
    if len(spelled) > 4 and spelled.endswith(SUFFIXES) and _PLAIN.fullmatch(spelled):
        return [Part(0, len(spelled), False, "", "", True)]  # as most are
    parts: list[Part] = []
    depth, labelled = 0, False
    for match in _TOKEN.finditer(spelled):
        token = match[0]
        if token in "(（[【〔":
            depth += 1
        elif token in ")）]】〕":
            depth = max(0, depth - 1)
        elif latin := _LATIN.fullmatch(token.strip()):
            start = match.start() + token.index(latin[0])
            parts.append(_part(spelled, start, start + len(latin[0]), depth > 0, labelled))
            labelled = False
        else:
            for start, end in _pieces(token):
                parts.append(part := _part(spelled, match.start() + start, match.start() + end, depth > 0, labelled))
                labelled = part.start == part.end  # a label alone: what comes next is what it names
    return [part for part in parts if part.end > part.start]


def _pieces(token: str) -> Iterator[tuple[int, int]]:
    """Where the parts of a token stand: divided at spaces between words of two characters and at 和 before a surname."""
    begun = 0
    spans = [match.span() for match in re.finditer(r"\S+", token)]
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and (
            end - start == 1 or joined[-1][1] - joined[-1][0] == 1 or is_latin(token[start]) == is_latin(token[joined[-1][1] - 1]) == 1
        ):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    for start, end in joined:
        begun = start
        if end - start > 4:
            for between in _CONNECTED.finditer(token, start, end):
                if between.start() - begun >= 2 and _name(token[begun : between.start()]):
                    yield begun, between.start()
                    begun = between.end()
        yield begun, end


def _name(token: str) -> bool:
    label = _LABEL.match(token)
    return is_name(token[label.end() :] if label else token, sure=label is not None)


def _part(spelled: str, start: int, end: int, deep: bool, labelled: bool) -> Part:
    """What one part is. It gives an empty span for a label that stands alone."""
    after = ""
    if label := _LABEL.match(spelled, start, end):
        start, labelled = label.end(), True
        while start < end and spelled[start].isspace():
            start += 1
    elif (inner := _INNER_LABEL.search(spelled, start, end)) and is_name(spelled[inner.end() : end].strip(" 为是系"), sure=True):
        start, labelled = inner.end(), True
        while spelled[start] in " 为是系":
            start += 1
    while (ending := _ENDING.search(spelled, start, end)) and ending.end() == end and ending.start() - start >= 2:
        after, end = ending["shown"] or after, ending.start()
    name = spelled[start:end]
    organisation = len(name) > 2 and not is_name(name, sure=labelled) and (looks_like_organisation(name) or name[-1] in ENDINGS)
    if not name or organisation:
        return Part(start, end, deep, "", after, organisation)
    person = _strict(name) if deep and not labelled else is_name(name, sure=labelled)
    return Part(start, end, deep, name if person else "", after, False)


def _strict(name: str) -> bool:
    """Whether what stands in brackets without a label is a name: it needs a surname, a dot or two Latin words."""
    bare = _GAP.sub("", name)
    if _WRITTEN_HAN.fullmatch(bare):
        return (
            bool(surname(bare))
            and bare not in NO_NAMES
            and bare[-1] not in NO_LAST_IN_BRACKETS
            and not EVERYDAY.search(bare)
            and is_name(bare)
        )
    return is_name(name)


def is_name(name: str, sure: bool = False) -> bool:
    """Whether one part is a person's name; `sure`: a label before it says that it is."""
    bare = _GAP.sub("", unicodedata.normalize("NFKC", name)) if not _HAN.fullmatch(name) else name
    if _WRITTEN_HAN.fullmatch(bare):
        if bare in NO_NAMES or (bare[-1] in ENDINGS and len(bare) > 2) or (len(bare) == 4 and ENDS_IN_ORGANISATION.search(bare)):
            return False
        if surname(bare) or sure:
            return True
        return bare[-1] not in NO_LAST and "某" not in bare and not EVERYDAY.search(bare) and not HAS_ORGANISATION.search(bare)
    if _MINORITY.fullmatch(bare) or TRANSLITERATED.fullmatch(bare):
        return not HAS_ORGANISATION.search(bare)
    latin = unicodedata.normalize("NFKC", name).strip()
    if _LATIN.fullmatch(latin) or _LATIN_WORD.fullmatch(latin) or (sure and len(latin) > 1 and latin.isascii() and latin.isalpha()):
        return not HAS_ORGANISATION.search(latin)
    return False


def is_plain(field: str) -> bool:
    """Whether a field is two to four Chinese characters without a label or an ending among them, as most names of persons are."""
    return (
        len(field) <= 4 and _HAN.fullmatch(field) is not None and not any(m.search(field) for m in (_LABEL_INSIDE, _INNER_LABEL, _ENDING))
    )


def says_nothing(field: str) -> bool:
    """Whether a field is a word that is no name (不详), or a label alone."""
    return field in NO_NAMES or _LABEL.fullmatch(field) is not None


def looks_like_person(name: str) -> bool:
    """Whether the name could be a natural person's, or one part of it; in doubt yes.

    Two to four Chinese characters with a surname and no organisation's ending (王文化 is a person, 启明文化 is not), such without a usual
    surname unless it holds an everyday word of shops (新东方), names with a middle dot, and Latin words that name no organisation.
    """
    if len(name) < 4 and _HAN.fullmatch(name) and not _LABEL.match(name):
        return is_name(name)
    return any(part.name for part in parts_of(name[:LONGEST]))


def is_names(text: str) -> bool:
    """Whether a text is nothing but persons' names. Short names of places and banks (余杭, 招商银行) may be too."""
    parts = parts_of(text) if len(text) <= LONGEST else []
    return bool(parts) and all(part.name for part in parts)


def person_names(spelled: str) -> tuple[str, ...]:
    """Every name of a natural person in a subject field, without labels, brackets and 等三人; () where none can be told."""
    if len(spelled) < 4 and spelled[-1:] != "等" and _HAN.fullmatch(spelled) and not _LABEL.match(spelled):
        return (spelled,) if is_name(spelled) else ()
    return tuple(dict.fromkeys(part.name for part in parts_of(spelled[:LONGEST]) if part.name))
