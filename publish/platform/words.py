"""The words that a world is made of. Names are put together from single characters: none of them is taken from a real register."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Character and reading: a brand is two or three of them, its Latin name their readings.
BRAND = _words(
    "启qi 明ming 博bo 睿rui 慧hui 文wen 思si 学xue 优you 卓zhuo 晨chen 星xing 育yu 智zhi 新xin 华hua 英ying 致zhi 远yuan 弘hong 毅yi 乐le "
    "童tong 雅ya 艺yi 知zhi 行xing 德de 才cai 诚cheng 志zhi 向xiang 阳yang 春chun 晓xiao 晴qing 蓝lan 青qing 禾he 苗miao 林lin 木mu 云yun 海hai "
    "川chuan 石shi 金jin 玉yu 珠zhu 翰han 墨mo 书shu 雨yu 露lu 竹zhu 梅mei 松song 柏bai 鹏peng 鹰ying 燕yan 麒qi 麟lin 朗lang 悦yue 嘉jia "
    "未wei 来lai 佳jia"
)
BRAND_END = _words("星xing 堂tang 园yuan 坊fang 派pai 客ke 轩xuan 阁ge 树shu 鱼yu 鸟niao 舟zhou 桥qiao 帆fan 光guang 苑yuan")

# Class as the platform spells it: (trade in a name, in English, contents taught).
CLASSES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "学科类": (
        ("文化课", "Tutoring", "语文、数学、英语"),
        ("外语", "Languages", "英语"),
        ("文化", "Learning", "数学、物理"),
        ("教育", "Education", "语文、数学"),
    ),
    "体育类": (
        ("体育", "Sports", "篮球、足球"),
        ("篮球", "Basketball", "篮球"),
        ("游泳", "Swimming", "游泳"),
        ("跆拳道", "Taekwondo", "跆拳道"),
        ("棋院", "Chess", "围棋、象棋"),
    ),
    "艺术类": (
        ("艺术", "Arts", "美术、舞蹈、音乐"),
        ("美术", "Fine Arts", "素描、水彩"),
        ("音乐", "Music", "钢琴、声乐"),
        ("舞蹈", "Dance", "舞蹈"),
        ("书法", "Calligraphy", "书法"),
    ),
    "科技类": (
        ("科技", "Science", "机器人、编程"),
        ("编程", "Coding", "少儿编程"),
        ("机器人", "Robotics", "机器人"),
        ("创客", "Makers", "创客、航模"),
    ),
    "综合实践类": (("综合实践", "Practice", "劳动、综合实践"), ("研学", "Field Study", "研学实践"), ("手工", "Crafts", "手工、陶艺")),
}
CLASS_NAMES = tuple(CLASSES)
CLASS_WHEEL = ("学科类",) * 4 + ("体育类",) * 8 + ("艺术类",) * 13 + ("科技类",) * 5 + ("综合实践类",) * 2
DEPARTMENTS = {"学科类": "教育局", "体育类": "体育局", "艺术类": "文化和旅游局", "科技类": "科学技术局", "综合实践类": "教育局"}

COMPANY_FORMS = ("培训中心有限公司", "培训学校有限公司", "培训有限公司", "培训中心有限责任公司", "咨询服务有限公司")
SCHOOL_FORMS = ("培训中心", "培训学校", "培训部", "少年培训中心")
SIGN_ENDS = ("中心", "工作室", "校区", "学堂", "旗舰店")
COMPANY_MARKS = ("（集团）", "（连锁）", "(中国)")

ROADS = _words(
    "人民路 解放路 中山路 建设路 文化路 学府路 新华路 和平路 朝阳路 青年路 工农路 滨河路 迎宾大道 花园街 胜利街 东风路 育才路 湖滨路 长江路 振兴街 "
    "站前路 民主路 公园路 体育场路 金桥大道 科技路 兴业路 南环路 北环路 红旗街"
)
BUILDINGS = ("商务中心", "大厦", "广场", "商业街", "生活馆", "文化产业园")

SURNAMES = (*tuple("赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢"), "欧阳", "上官", "司徒")
GIVEN = tuple("伟芳娜敏静丽强磊军洋勇艳杰涛超霞平刚桂兰玉华建国志明晓红海燕文斌宇浩然欣怡子轩梓涵雨彤")

BANKS = ("江海商业银行", "启元农村商业银行", "汇川银行", "云岭商业银行", "北岸村镇银行")
FUND_MODES = ("银行托管", "风险保证金")

STATUSES = {"open": "正常", "suspended": "停业", "closed": "注销"}
NATURES = ("营利性", "非营利性")

LISTS = {"white": "白名单", "grey": "灰名单", "warning": "预警", "black": "黑名单", "normal": "正常", "cancelled": "已注销"}

DIMENSIONS = ("overall", "teaching", "service", "environment", "safety", "refund")
SCALE_MAX = 10  # points; declared in every rating

NOTICE_KINDS = ("黑名单", "行政处罚", "典型案例", "风险提示")
STATES = {"active": "公示中", "corrected": "已更正", "repaired": "已修复", "withdrawn": "已撤销"}
SERIOUSNESS = ("轻微", "一般", "严重", "")

# Type of violation: (what was found; {name} is the subject, {sum} an amount).
VIOLATIONS: dict[str, tuple[str, ...]] = {
    "无证办学": (
        "未取得办学许可证，在{place}擅自开展面向中小学生的培训，收取费用{sum}元。",
        "未经审批在居民楼内举办校外培训，现场有学生{few}名。",
    ),
    "违规收费": ("一次性收取{few}个月培训费{sum}元，超过三个月的上限。", "收取的培训费{sum}元未进入资金监管账户。"),
    "虚假宣传": ("在门头和宣传单上使用“全国第一”“包过”等用语，与实际不符。", "网页所称师资情况与聘用合同不一致。"),
    "超范围办学": ("许可内容为艺术类，实际开设数学班{few}个。", "许可证载明的培训内容以外，开展学科类培训。"),
    "违规时段培训": ("在周六、周日组织学科类培训{few}次。", "晚上九点以后仍在授课。"),
    "安全隐患": ("疏散通道堆放杂物，灭火器过期{few}具。", "教学场所位于三层以上且只有一个安全出口。"),
    "拒不退费": ("闭店后未按合同退还剩余课时费{sum}元，涉及学员{few}名。", "以系统升级为由拖延退费{few}个月。"),
    "违规聘用人员": ("聘用未取得教师资格的人员从事学科类培训。", "未按规定公示从业人员信息。"),
}
VIOLATION_NAMES = tuple(VIOLATIONS)
LAWS = (
    "《校外培训行政处罚暂行办法》第十七条", "《校外培训行政处罚暂行办法》第二十条", "《中华人民共和国民办教育促进法》第六十四条",
    "《中华人民共和国未成年人保护法》第三十八条", "《中华人民共和国广告法》第二十四条", "",
)  # fmt: skip
PENALTIES = ("警告", "通报批评", "罚款", "没收违法所得", "责令停止招收学员", "责令停止举办", "吊销许可证件", "限制从业")
MEASURES = ("责令改正", "责令退费", "约谈", "列入黑名单")
NO_END = ("1900-1-1", "暂无", "无处罚期限", "", "")  # as 公示截止期 is filled where there is none
