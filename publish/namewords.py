"""What names are made of, as tables of words: surnames, what organisations call themselves, what stands before a person's name, what is none.

How a name is read by them is for persons.py to know.
"""

import re

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
HAS_ORGANISATION = re.compile(_ORGANISATIONS, re.IGNORECASE)
ENDS_IN_ORGANISATION = re.compile(f"(?:{_ORGANISATIONS})$", re.IGNORECASE)
SUFFIXES = tuple(word for word in _ORGANISATIONS.split("|") if not word.isascii())
ENDINGS = frozenset("局厅署馆厂店校院所廳館廠")  # one character that ends an organisation's name and hardly ever a person's
PERSON_LABELS = (
    "被处罚当事人|被處罰當事人|被处罚人|被處罰人|被处理人|行政相对人|违法当事人|违法行为人|法定代表人|实际控制人|實際負責人|实际负责人|实际经营者|主要负责人|法人代表|当事人|當事人|相对人|自然人个人|自然人|经营者|經營者|"
    "负责人|負責人|责任人|举办人|举办者|舉辦人|舉辦者|举办方|开办者|开办人|创办人|设立人|投资人|出资人|合伙人|发起人|所有人|户主|业主|股东|股東|公民|个人|個人|姓名|校长|校長|园长|園長|教师|老师|外教|法人|居民|"
    "曾用名|又名|别名|原名|现名|化名|本名|真名|艺名|英文名|中文名|自称"
)
TRANSLITERATED = re.compile(
    "[阿依古丽麗买麦提木江尔爾吐热熱合斯拜克努汗孜帕艾玉素甫吾布力卡逊遜加玛瑪卜杜拉娜姆萨薩伊米哈巴肉孜迪夏赛赛吉尼达達西巴图圖其木格乌烏日娜苏蘇扎旺次仁措姆卓玛央金多吉]{4,12}"
)
# Not a name, though of two to four characters: what subject fields hold besides one, and what everyday shop names are made of.
NO_NAMES = words(
    "民办 公办 民营 私营 私人 国有 集体 其他 其它 不详 未知 暂无 没有 同上 本人 自营 独资 合资 合伙 联办 股份制 个人独资 普通合伙 有限合伙 个体 个体户 企业 单位 事业单位 社会团体 社会组织 国家机关 政府 组织 自然人 个人 "
    "身份证 身份证号 证件号 护照 护照号 电话 手机 手机号 联系电话 性别 男性 女性 男女 汉族 回族 学生 家长 中国 美国 英国 法国 德国 日本 韩国 国籍 退休 在职 认缴 实缴 出资 持股 占股 各占 万元 无证 已注销 注销 见附件 "
    "保密 匿名 公示 未公示 住址 地址 出生 年龄 曾用名 别名 原名 法人 负责人 校长 经理 无名称 无字号 无牌 字号 名称 非学科类 学科类 等人 多人 三人 两人"
)
EVERYDAY = re.compile(
    "东方|東方|未来|未來|世纪|阳光|星空|童年|天地|之家|之星|之声|之光|宝贝|课堂|部落|王国|乐园|家园|世界|梦想|智慧|卓越|精英|启航|起航|启蒙|启明|快乐|少年|少儿|儿童|幼儿|成长|学苑|学园|教室|学校|基地|平台|联盟|联合|国际|环球|全球|"
    "某某|不明|学科|辅导|补习|家教|补课|英语|数学|语文|作文|钢琴|吉他|围棋|象棋|街舞|跆拳|游泳|篮球|足球|乒乓|绘画|口才|主持|表演|机器人|课程|班级|无证|办学|地区|负责"
)
NO_LAST = frozenset("班部社团團队隊会會苑园園堂室坊斋吧站网網市区縣县镇乡村街路号楼层人类類")  # of what has no surname
NO_LAST_IN_BRACKETS = frozenset("班部社团團队会區区市县镇乡村街路号楼层人类省州期")


def surname(name: str) -> str:
    """The surname that a Chinese name begins with, or ''."""
    if name[:2] in COMPOUND and len(name) > 2:
        return name[:2]
    return name[:1] if name[:1] in SURNAMES else ""


def looks_like_organisation(name: str) -> bool:
    """Whether the name itself says that it is an organisation's."""
    return len(name) >= 4 and HAS_ORGANISATION.search(name) is not None
