"""Whether a name is a natural person's, and what may be shown of it: 姓+某 (rule 8).

Private by default: what could be a person's name counts as one unless it says plainly that it is an organisation. It knows surnames and
suffixes and no register, so a shop called 金色童年 is masked too; a source that says 组织 is believed before this is asked.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from search import simple

from .cleaning import words

_COMPOUND = (
    "欧阳 上官 司徒 司马 诸葛 夏侯 皇甫 东方 公孙 令狐 慕容 尉迟 长孙 宇文 端木 南宫 独孤 闻人 万俟 轩辕 钟离 澹台 申屠 太史 呼延 百里 东郭 西门 赫连 濮阳 "
    "淳于 单于 公冶 仲孙 鲜于 闾丘 亓官 司空 拓跋 完颜 纳兰 叶赫 那拉 巫马 公羊 谷梁 左丘 梁丘 乐正 宗政 歐陽 司徒 司馬 諸葛 東方 張簡 范姜"
)
COMPOUND = frozenset(_COMPOUND.split())
# The usual ones on the mainland, and as Taiwan writes them. Rare ones that are everyday words (就, 说, 可) are left out.
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱"
    "侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文葛樊兰殷施洪梅章鲁倪齐庞聂庄焦童左柳岳翟邢欧耿尚安颜关纪骆祝申俞路温冉阮伍邬凌"
    "窦冀辛柯季毕裴甘霍鲍柴牛成包屈祁冷滕符翁路莘苗仇宁卞凤项祖解盛管古应窦边盖党谷车卓官时伊宗艾游司虞阎饶匡解龙靳臧米麻褚卢池隋苑戚全代佟明华谌房连"
    "揭封桂娄郁单巫隆井储巩阳荆缪沙敖尤强郎芦楚尧幸晏宫闵桑荣占步景屠柏敬蒲查干宣翁岑丛岳计禹战初褟晋薄鞠木楼郦竺栾凡闻鄢储利蓝牟农阙原仝迟逯郜喻湛胥"
    "班辜郗邝邸晁寇杭习仉嵇濮阚由门雍燕苟阴花奚舒毋冼水支富宿乌乐焉弓松茅闪惠麦糜勾邰那么佘丘卜仲候粟区佴兀冒印"
    "萧傅涂费甄曲席卫吉刁瞿畅廉简穆谈姬商蒙练栗伏蔺厉蓬宰扈浦慕茹宦庾满弘广融权巢蒯桓裘诸钮滑荀芮羿巴牧隗衡"
    "張劉陳楊黃趙吳孫馬羅鄭謝許鄧韓馮蕭葉蘇呂盧鍾鐘薑譚陸範韋賈鄒龍賀顧龔萬錢嚴湯喬賴蘭魯齊龐聶莊歐顏關紀駱溫鄔寧鳳項應竇邊蓋黨車時閻饒盧臧連單鞏陽"
    "闕凃塗簡詹巫卓游藍溫練邱侯"
)
_ORGANISATIONS = (
    "公司|集团|集團|学校|學校|中心|教育|培训|培訓|补习班|補習班|机构|機構|学院|學院|大学|大學|中学|中學|小学|小學|幼儿园|幼兒園|工作室|俱乐部|俱樂部|协会|協會|学会|學會|"
    "研究院|研究所|研究会|基金会|委员会|委員會|合作社|事务所|事務所|托管|书院|書院|学堂|學堂|画室|畫室|琴行|棋院|武馆|武館|艺术|藝術|文化|科技|体育|體育|舞蹈|音乐|音樂|美术|"
    "美術|书法|書法|英语|英語|美语|美語|编程|商行|商店|超市|门市部|经营部|服务部|培训部|分公司|分校|校区|少年宫|文化宫|图书馆|体育馆|街道|居委会|村委会|政府|教育局|管理局|"
    "文理|安亲班|安親班|課後照顧|课后照顾|有限|股份|企业|企業|连锁|連鎖|Ltd|Inc|Co\\.|School|Academy|Center|Centre|Education|Training|Studio|Club|College|University|Group|Company|English"
)
_HAS_ORGANISATION = re.compile(_ORGANISATIONS, re.IGNORECASE)
_ENDS_IN_ORGANISATION = re.compile(f"(?:{_ORGANISATIONS})$", re.IGNORECASE)
_SUFFIXES = tuple(word for word in _ORGANISATIONS.split("|") if not word.isascii())
_PLAIN = re.compile(r"(?:(?![和与與及])[\u3400-\u9fff]){5,60}")
_ENDINGS = frozenset("局厅署馆厂店校院所廳館廠")  # one character that ends an organisation's name and hardly ever a person's
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_MINORITY = re.compile(r"[\u3400-\u9fff]{1,10}(?:[·•‧・.．][\u3400-\u9fff]{1,10}){1,3}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{0,30}(?:[ .·,]{1,2}[A-Za-z][A-Za-z'’-]{0,30}){1,4}\.?")
_LONGEST = 300  # of a subject field that is looked at; a longer one is cut, and its time is bounded
# Variants and their usual form, of which OpenCC leaves both as they are: an input method offers both, and so registers print both.
_VARIANTS = (
    "喆哲囯国凃涂呉吴戸户鄕乡栢柏渕渊隣邻淸清靑青厰厂凴凭鑛矿煕熙晧皓崐昆邨村甯宁寗宁逹达濬浚嵒岩寔实甦苏迺乃彊强堃坤犇奔晳皙昦昊桼漆"
)
_PERSON_LABELS = (
    "被处罚当事人|被處罰當事人|被处罚人|被處罰人|被处理人|行政相对人|违法当事人|违法行为人|法定代表人|实际控制人|實際負責人|实际负责人|实际经营者|主要负责人|法人代表|当事人|當事人|相对人|自然人个人|自然人|经营者|經營者|"
    "负责人|負責人|责任人|举办人|举办者|舉辦人|舉辦者|举办方|开办者|开办人|创办人|设立人|投资人|出资人|合伙人|发起人|所有人|户主|业主|股东|股東|公民|个人|個人|姓名|校长|校長|园长|園長|教师|老师|外教|法人|居民|"
    "曾用名|又名|别名|原名|现名|化名|本名|真名|艺名|英文名|中文名|自称"
)
_LABEL = re.compile(rf"(?:(?:{_PERSON_LABELS})(?:姓名|名称)?[ 为為系係是]?)+")
_LABEL_INSIDE = re.compile(_PERSON_LABELS)
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
_TRANSLITERATED = re.compile(
    "[阿依古丽麗买麦提木江尔爾吐热熱合斯拜克努汗孜帕艾玉素甫吾布力卡逊遜加玛瑪卜杜拉娜姆萨薩伊米哈巴肉孜迪夏赛赛吉尼达達西巴图圖其木格乌烏日娜苏蘇扎旺次仁措姆卓玛央金多吉]{4,12}"
)
# Not a name, though of two to four characters: what subject fields hold besides one, and what everyday shop names are made of.
_NO_NAMES = words(
    "民办 公办 民营 私营 私人 国有 集体 其他 其它 不详 未知 暂无 没有 同上 本人 自营 独资 合资 合伙 联办 股份制 个人独资 普通合伙 有限合伙 个体 个体户 企业 单位 事业单位 社会团体 社会组织 国家机关 政府 组织 自然人 个人 "
    "身份证 身份证号 证件号 护照 护照号 电话 手机 手机号 联系电话 性别 男性 女性 男女 汉族 回族 学生 家长 中国 美国 英国 法国 德国 日本 韩国 国籍 退休 在职 认缴 实缴 出资 持股 占股 各占 万元 无证 已注销 注销 见附件 "
    "保密 匿名 公示 未公示 住址 地址 出生 年龄 曾用名 别名 原名 法人 负责人 校长 经理 无名称 无字号 无牌 字号 名称 非学科类 学科类 等人 多人 三人 两人"
)
_EVERYDAY = re.compile(
    "东方|東方|未来|未來|世纪|阳光|星空|童年|天地|之家|之星|之声|之光|宝贝|课堂|部落|王国|乐园|家园|世界|梦想|智慧|卓越|精英|启航|起航|启蒙|启明|快乐|少年|少儿|儿童|幼儿|成长|学苑|学园|教室|学校|基地|平台|联盟|联合|国际|环球|全球|"
    "某某|不明|学科|辅导|补习|家教|补课|英语|数学|语文|作文|钢琴|吉他|围棋|象棋|街舞|跆拳|游泳|篮球|足球|乒乓|绘画|口才|主持|表演|机器人|课程|班级|无证|办学|地区|负责"
)
_NO_LAST = frozenset("班部社团團队隊会會苑园園堂室坊斋吧站网網市区縣县镇乡村街路号楼层人类類")  # of what has no surname
_NO_LAST_IN_BRACKETS = frozenset("班部社团團队会區区市县镇乡村街路号楼层人类省州期")


def surname(name: str) -> str:
    """The surname that a Chinese name begins with, or ''."""
    if name[:2] in COMPOUND and len(name) > 2:
        return name[:2]
    return name[:1] if name[:1] in SURNAMES else ""


def looks_like_organisation(name: str) -> bool:
    """Whether the name itself says that it is an organisation's."""
    return len(name) >= 4 and _HAS_ORGANISATION.search(name) is not None


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
    shows would make somebody two people. The names of organisations are told apart more strictly (telling.name_key)."""
    return "".join(one for one in _fold(name) if unicodedata.category(one)[0] in "LN")


class _Part(NamedTuple):
    """A part of a subject field: where it stands, how deep in brackets, a person's name or an organisation's."""

    start: int
    end: int
    deep: bool
    name: str  # '' where it is no person's
    after: str  # 等三人
    is_organisation: bool


def _parts(spelled: str) -> list[_Part]:
    if len(spelled) > 4 and spelled.endswith(_SUFFIXES) and _PLAIN.fullmatch(spelled):
        return [_Part(0, len(spelled), False, "", "", True)]  # as most are
    parts: list[_Part] = []
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
            end - start == 1 or joined[-1][1] - joined[-1][0] == 1 or _is_latin(token[start]) == _is_latin(token[joined[-1][1] - 1]) == 1
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


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _name(token: str) -> bool:
    label = _LABEL.match(token)
    return _one(token[label.end() :] if label else token, sure=label is not None)


def _part(spelled: str, start: int, end: int, deep: bool, labelled: bool) -> _Part:
    """What one part is. It gives an empty span for a label that stands alone."""
    after = ""
    if label := _LABEL.match(spelled, start, end):
        start, labelled = label.end(), True
        while start < end and spelled[start].isspace():
            start += 1
    elif (inner := _INNER_LABEL.search(spelled, start, end)) and _one(spelled[inner.end() : end].strip(" 为是系"), sure=True):
        start, labelled = inner.end(), True
        while spelled[start] in " 为是系":
            start += 1
    while (ending := _ENDING.search(spelled, start, end)) and ending.end() == end and ending.start() - start >= 2:
        after, end = ending["shown"] or after, ending.start()
    name = spelled[start:end]
    organisation = len(name) > 2 and not _one(name, sure=labelled) and (looks_like_organisation(name) or name[-1] in _ENDINGS)
    if not name or organisation:
        return _Part(start, end, deep, "", after, organisation)
    person = _strict(name) if deep and not labelled else _one(name, sure=labelled)
    return _Part(start, end, deep, name if person else "", after, False)


def _strict(name: str) -> bool:
    """Whether what stands in brackets without a label is a name: it needs a surname, a dot or two Latin words."""
    bare = _GAP.sub("", name)
    if _WRITTEN_HAN.fullmatch(bare):
        return (
            bool(surname(bare))
            and bare not in _NO_NAMES
            and bare[-1] not in _NO_LAST_IN_BRACKETS
            and not _EVERYDAY.search(bare)
            and _one(bare)
        )
    return _one(name)


def _one(name: str, sure: bool = False) -> bool:
    """Whether one part is a person's name; `sure`: a label before it says that it is."""
    bare = _GAP.sub("", unicodedata.normalize("NFKC", name)) if not _HAN.fullmatch(name) else name
    if _WRITTEN_HAN.fullmatch(bare):
        if bare in _NO_NAMES or (bare[-1] in _ENDINGS and len(bare) > 2) or (len(bare) == 4 and _ENDS_IN_ORGANISATION.search(bare)):
            return False
        if surname(bare) or sure:
            return True
        return bare[-1] not in _NO_LAST and "某" not in bare and not _EVERYDAY.search(bare) and not _HAS_ORGANISATION.search(bare)
    if _MINORITY.fullmatch(bare) or _TRANSLITERATED.fullmatch(bare):
        return not _HAS_ORGANISATION.search(bare)
    latin = unicodedata.normalize("NFKC", name).strip()
    if _LATIN.fullmatch(latin) or _LATIN_WORD.fullmatch(latin) or (sure and len(latin) > 1 and latin.isascii() and latin.isalpha()):
        return not _HAS_ORGANISATION.search(latin)
    return False


def looks_like_person(name: str) -> bool:
    """Whether the name could be a natural person's, or one part of it; in doubt yes.

    Two to four Chinese characters with a surname and no organisation's ending (王文化 is a person, 启明文化 is not), such without a usual
    surname unless it holds an everyday word of shops (新东方), names with a middle dot, and Latin words that name no organisation.
    """
    if len(name) < 4 and _HAN.fullmatch(name) and not _LABEL.match(name):
        return _one(name)
    return any(part.name for part in _parts(name[:_LONGEST]))


def person_names(spelled: str) -> tuple[str, ...]:
    """Every name of a natural person in a subject field, without labels, brackets and 等三人; () where none can be told."""
    if len(spelled) < 4 and spelled[-1:] != "等" and _HAN.fullmatch(spelled) and not _LABEL.match(spelled):
        return (spelled,) if _one(spelled) else ()
    return tuple(dict.fromkeys(part.name for part in _parts(spelled[:_LONGEST]) if part.name))


def _initial(name: str) -> str:
    bare = _GAP.sub("", name)
    return f"{surname(bare) or bare[0]}某"


def masked_person(spelled: str) -> str:
    """What may be shown of a person's name: 王某, 欧阳某; of several, each; of a Latin or foreign name, its first character and 某.

    Labels, what stands in brackets and everything else that is no organisation's name are left out; 某 where no name can be told.
    """
    parts = _parts(spelled[:_LONGEST])
    if not any(part.name for part in parts):
        return "某"
    top = [part for part in parts if not part.deep and (part.name or part.is_organisation)]
    if not any(part.name for part in top):
        if top:
            return masked_organiser(spelled[:_LONGEST])
        top = [part for part in parts if part.name][:1]
    shown, at = "", 0
    for part in top:
        slash = re.search(r"[、,，;；/／]", spelled[at : part.start]) if shown else None
        shown += ("" if not shown else slash[0] if slash else "、") + (
            _initial(part.name) if part.name else _hidden(spelled[part.start : part.end], parts)
        )
        shown, at = shown + part.after, part.end
    return shown


def _hidden(text: str, parts: list[_Part]) -> str:
    return _replaced(text, {part.name: _initial(part.name) for part in parts if part.name})


def masked_organiser(value: str) -> str:
    """A field that names persons, organisations or both, with each person as 姓+某 and all else as it was."""
    if len(value) < 2:
        return value
    if len(value) <= 4 and _HAN.fullmatch(value) and not any(mark.search(value) for mark in (_LABEL_INSIDE, _INNER_LABEL, _ENDING)):
        return _initial(value) if _one(value) else value  # as most names of persons are
    parts = _parts(value)
    shown, at = "", 0
    for part in parts:
        if part.name:
            shown += value[at : part.start] + _initial(part.name)
            at = part.end
    return _hidden(shown + value[at:], parts) if at else value


def hide_person(text: str, spelled: str) -> str:
    """The text with every name of the subject field, and the whole field, as 姓+某: see `_Folded` for what does not count."""
    names = person_names(spelled)
    instead = {name: _initial(name) for name in names}
    if spelled not in instead and spelled not in _NO_NAMES and not _LABEL.fullmatch(spelled) and len(spelled) <= _LONGEST:
        instead[spelled] = masked_person(spelled)
    return _replaced(text, instead)


def holds_person(text: str, spelled: str) -> bool:
    """Whether one of the subject field's names is in the text, be it percent-encoded, as in an address on the web."""
    keys = [key for name in person_names(spelled) or (spelled,) for key in _keys(name)]
    if _holds(text, keys):
        return True
    if "%" not in text:
        return False
    once = unquote(text)
    return any(_holds(plain, keys) for plain in (once, unquote(once), unquote(text, encoding="gb18030")))


def _holds(text: str, keys: list[str]) -> bool:
    folded = _fold(text)
    return any(key in folded and (not key.isascii() or _found(text, key)) for key in keys)


def _keys(name: str) -> Iterator[str]:
    """What the name is looked for as; a Latin one also with its words the other way about."""
    key = _fold(name)
    if len(key) < 2:
        return
    yield key
    parts = re.split(r"[ .·,]+", name.strip(" ."))
    if len(parts) > 1 and key.isascii():
        yield _fold("".join(reversed(parts)))


def _replaced(text: str, instead: dict[str, str]) -> str:
    folded = _fold(text)
    keys = {key: shown for name, shown in instead.items() for key in _keys(name) if key in folded}
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
        inside = key.isascii() and (_is_latin(text[start - 1 : start] or " ") or _is_latin(text[end : end + 1] or " "))
        if not inside:
            spans.append((start, end))
        at = folded.find(key, at + (1 if inside else len(key)))
    return spans
