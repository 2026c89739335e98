"""Whether a name is a natural person's, and what may be shown of it: 姓+某 (rule 8).

Private by default: what could be a person's name counts as one unless it says plainly that it is an organisation. It knows surnames and
suffixes and no register, so a shop called 金色童年 is masked too; a source that says 组织 is believed before this is asked.
"""

import re

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
    "班辜郗邝邸晁寇杭习仉嵇濮阚由门雍燕苟阴花奚舒毋冼水支富宿乌乐焉弓松茅闪惠麦糜勾邰那佘丘卜仲候粟区佴兀冒印"
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
_ENDINGS = frozenset("局厅署馆厂店校院所廳館廠")  # one character that ends an organisation's name and hardly ever a person's
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_MINORITY = re.compile(r"[\u3400-\u9fff]{1,10}(?:[·•‧・.．][\u3400-\u9fff]{1,10}){1,3}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]{0,30}(?:[ .·,]{1,2}[A-Za-z][A-Za-z'’-]{0,30}){1,4}\.?")
_BRACKETS = re.compile(r"[（(【\[][^（()）】\]]{0,40}[）)】\]]")
_BETWEEN = re.compile(r"[、,，;；/]|\s+(?=[\u3400-\u9fff]{2,4}(?:\s|$))")
_LONGEST = 80  # a longer text is no person's name, however it begins


def surname(name: str) -> str:
    """The surname that a Chinese name begins with, or ''."""
    if name[:2] in COMPOUND and len(name) > 2:
        return name[:2]
    return name[:1] if name[:1] in SURNAMES else ""


def looks_like_organisation(name: str) -> bool:
    """Whether the name itself says that it is an organisation's."""
    return len(name) >= 4 and _HAS_ORGANISATION.search(name) is not None


def looks_like_person(name: str) -> bool:
    """Whether the name could be a natural person's, or several persons'; in doubt yes.

    Two to four Chinese characters with a surname and no organisation's ending (王文化 is a person, 启明文化 is not), names with a middle
    dot, and two or more Latin words that name no organisation.
    """
    if len(name) > _LONGEST:
        return False
    if not _HAN.fullmatch(name):
        name = _BRACKETS.sub("", name).strip()
        parts = [part.strip() for part in _BETWEEN.split(name)]
        if len(parts) > 1:
            return all(_one(part) for part in parts)
    return _one(name)


def _one(name: str) -> bool:
    if _HAN.fullmatch(name):
        if not surname(name):
            return False
        return not (name[-1] in _ENDINGS and len(name) > 2) and not (len(name) == 4 and _ENDS_IN_ORGANISATION.search(name))
    if _MINORITY.fullmatch(name):
        return not _HAS_ORGANISATION.search(name)
    return _LATIN.fullmatch(name) is not None and not _HAS_ORGANISATION.search(name)


def masked_person(name: str) -> str:
    """What may be shown of a person's name: 王某, 欧阳某; of several, each; of a Latin or foreign name, its first character and 某."""
    bare = _BRACKETS.sub("", name[:_LONGEST]).strip()
    latin = _LATIN.fullmatch(bare) is not None
    parts = [part.strip() for part in ([bare] if latin else _BETWEEN.split(bare)) if part.strip()]
    return "、".join(f"{surname(part) or part[0]}某" for part in parts) or "某"
