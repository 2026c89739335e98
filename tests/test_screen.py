"""Personal data leaves the text, and what a reader needs stays. Every number and person here is made up."""

import csv
import gzip
import re
import time
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publish.cleaning import prose
from publish.screen import MARKS, Screened, screen, suspects
from publish.values import is_credit_code

ID, PHONE, MAIL, ACCOUNT, BANK, PLATE, HOME = (
    MARKS[kind] for kind in ("id_number", "phone", "email", "account", "bank_account", "plate", "address")
)

HIDDEN = [
    ("身份证号33010619900307123X，", f"身份证号{ID}，"),
    ("身份证33010619900307 1234。", f"身份证{ID}。"),
    ("（330106199003071231）", f"（{ID}）"),
    ("外教91110119810803002X，", f"外教{ID}，"),  # of a foreigner who lives here
    ("外教911101 19810803 002x，", f"外教{ID}，"),
    ("注册号99000019900301007X，", f"注册号{ID}，"),  # no place, but a right check character
    ("３３０１０６１９９００３０７１２３１", ID),
    ("330106 19900307 1231", ID),
    ("330106900307123", ID),
    ("330106********1234", ID),
    ("护照号码：E12345678", f"护照号码：{ID}"),
    ("持G12345678出境", f"持{ID}出境"),
    ("持居留证AC30497408", f"持居留证{ID}"),
    ("电话13800138000。", f"电话{PHONE}。"),
    ("138 0013 8000", PHONE),
    ("138-0013-8000", PHONE),
    ("1380013-8000", PHONE),
    ("1 3 8 0 0 1 3 8 0 0 0", PHONE),
    ("+86 13800138000", PHONE),
    ("(86)138-0013-8000", PHONE),
    ("１３８００１３８０００", PHONE),
    ("1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3\u200b8\u200b0\u200b0\u200b0", PHONE),
    ("138\u30000013\u30008000", PHONE),
    ("\u06f1\u06f3\u06f8\u06f0\u06f0\u06f1\u06f3\u06f8\u06f0\u06f0\u06f0", PHONE),  # digits of another script
    ("一三八零零一三八零零零", PHONE),
    ("微信wx13800138000", f"微信{ACCOUNT}"),
    ("0912-345-678", PHONE),
    ("請撥0912345678。", f"請撥{PHONE}。"),
    ("0571-88889999", PHONE),
    ("（0571）88889999转8001", f"{PHONE}"),
    ("02-2345-6789", PHONE),
    ("联系电话：88889999", f"联系电话：{PHONE}"),
    ("回復電話：３８４８０７１", f"回復電話：{PHONE}"),
    ("zhang.san@example.com", MAIL),
    ("ｚｓ＠example.com", MAIL),
    ("微信号：abc_12345", f"微信号：{ACCOUNT}"),
    ("QQ：123456789", f"QQ：{ACCOUNT}"),
    ("ＱＱ群123456789", f"ＱＱ群{ACCOUNT}"),
    ("加VX abc12345", f"加VX {ACCOUNT}"),
    ("6222020200011112222", BANK),
    ("6222 0202 0001 1112 222", BANK),
    ("账号：330106012345", f"账号：{BANK}"),
    ("浙A12345", PLATE),
    ("浙Ａ·D12345", PLATE),
    ("住址：某某花园1幢2单元301室，", f"住址：{HOME}，"),
    ("家住某某花园1幢。", f"家住{HOME}。"),
    ("1\u034f3\u034f8\u034f00138000", PHONE),
    ("1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣", PHONE),
    ("①③⑧①①①③⑧②②②", PHONE),
    ("¹³⁸⁰⁰¹³⁸⁰⁰⁰", PHONE),
    ("138\u31640013\u31648000", PHONE),
    *((f"138{mark}0013{mark}8000", PHONE) for mark in ",，、*|~"),
    ("13九12345678", PHONE),
    ("一三九12345678", PHONE),
    ("l3912345678", PHONE),
    *((f"{word}88889999", f"{word}{PHONE}") for word in ("致电", "座机", "拨打")),
    ("6222.0202.0001.1112", BANK),
    ("6222/0202/0001/1112/222", BANK),
    ("H12345678", ID),
    ("abc#163.com", MAIL),
    ("abc[at]163.com", MAIL),
    ("加微abc123", f"加微{ACCOUNT}"),
    ("V：abc12345", f"V：{ACCOUNT}"),
    ("钉钉号abc12345", f"钉钉号{ACCOUNT}"),
    ("在其家中（翠苑一区12幢3单元501室）授课", f"在其家中（{HOME}）授课"),
    ("租住翠苑一区12幢3单元501室。", f"租住{HOME}。"),
    ("居住于翠苑一区12幢。", f"居住于{HOME}。"),
    ("出生于1990年3月7日，", f"出生于{MARKS['birthday']}，"),
    ("户籍所在地为浙江省杭州市某某路1号；", f"户籍所在地为{HOME}；"),
]


@pytest.mark.parametrize(("text", "shown"), HIDDEN)
def test_what_leads_to_a_person_is_hidden(text, shown):
    found = screen(text)
    assert found.text == shown
    assert sum(finding.count for finding in found.findings) == 1


NAMED = [
    ("校长王小明，联系", "校长王某，联系"),
    ("负责人：王小明对上述事实", "负责人：王某对上述事实"),
    ("负责人（王小明）", "负责人（王某）"),
    ("负责人为王小明。", "负责人为王某。"),
    ("法定代表人李红到场", "法定代表人李某到场"),
    ("法人代表系欧阳小明，", "法人代表系欧阳某，"),
    ("举办人王小明", "举办人王某"),
    ("举办者：欧阳敏", "举办者：欧阳某"),
    ("教师卫涵超个人账户", "教师卫某个人账户"),
    ("教师王军个人账户", "教师王某个人账户"),
    ("教师王小明、李红和张三等", "教师王某、李某和张某等"),
    ("校长方志明、教师严磊未到", "校长方某、教师严某未到"),
    ("投诉人张三称", "投诉人张某称"),
    ("学生家长李小红反映，", "学生家长李某反映，"),
    ("学生王小明受到", "学生王某受到"),
    ("联系人:周小兰 ", "联系人:周某 "),
    ("校长：高峰", "校长：高某"),
    ("校长高峰表示", "校长高某表示"),
    ("班主任邱李小玲，", "班主任邱某，"),
    ("班主任已變更為陳建宇，", "班主任已變更為陳某，"),
    ("受到黃小蓉老師體罰", "受到黃某老師體罰"),
    ("，王小明先生称", "，王某先生称"),
    ("教師李○婷於109年", "教師李某於109年"),
    ("，王*明，", "，王某，"),
    ("教师王*明在", "教师王某在"),
    ("校长王小明。经查，王小明又于次日", "校长王某。经查，王某又于次日"),
    *(
        (f"{title}王小宝，", f"{title}王某，")
        for title in [
            "未成年人",
            "孩子",
            "其子",
            "幼儿",
            "小朋友",
            "母亲",
            "受害人",
            "证人",
            "信访人",
            "反映人",
            "申请人",
            "合伙人",
            "出资人",
            "责任人",
            "店长",
            "经理",
            "会计",
            "从业人员",
            "授课人",
            "开办者",
            "居民",
        ]
    ),
    ("王小宝（学生）", "王某（学生）"),
    ("，王小宝家长称", "，王某家长称"),
    ("收取王小宝学费", "收取王某学费"),
    ("由王小宝授课", "由王某授课"),
    ("与王小宝签订合同", "与王某签订合同"),
    ("聘用王小宝为英语老师", "聘用王某为英语老师"),
    ("教师阿依古丽·买买提在", "教师阿某在"),
    ("教师么小宝，", "教师么某，"),
    ("外教John Smith授课", "外教J某授课"),
    ("教师Wang Xiaobao，", "教师W某，"),
    ("501室（王小明住宅）", "501室（王某住宅）"),
    ("校\u200b长王\u200b小明，", "校长王某，"),
    *(
        (f"{title}{name}。", f"{title}李某。")
        for title in ["法定代表人：", "负责人", "校长", "教师", "学生"]
        for name in ["李 红", "李  红", "李\u3000红", "李\u3000\u3000红"]
    ),
    ("负责人李 红到场", "负责人李某到场"),
    *(
        (f"{title}{name}{verb}", f"{title}王某{verb}")
        for title in ["学生", "学员", "幼儿", "家长", "教师", "老师", "当事人", "经营者"]
        for name in ["王小明", "王红"]
        for verb in ["缴费", "交费", "上课", "购买", "死亡"]
    ),
    ("当事人王小明缴费参加教育培训", "当事人王某缴费参加教育培训"),
    ("家长李红反映", "家长李某反映"),
    ("聘用李红为教师", "聘用李某为教师"),
    ("聘请李红等3人", "聘请李某等3人"),
    ("聘用李红、王小宝为教师", "聘用李某、王某为教师"),
    ("被处罚人：李红", "被处罚人：李某"),
    ("负责人（姓名：李红）", "负责人（姓名：李某）"),
    ("法人代表人李红", "法人代表人李某"),
    *((f"{title}李红", f"{title}李某") for title in ["助教", "教练", "教员"]),
    ("任课教师名单：李红 王丽 张敏", "任课教师名单：李某 王某 张某"),
    ("任课教师名单：李 红 王小丽、张敏。", "任课教师名单：李某 王某、张某。"),
]


@pytest.mark.parametrize(("text", "shown"), NAMED)
def test_a_name_after_a_title_is_a_surname(text, shown):
    found = screen(text)
    assert found.text == shown
    assert {finding.kind for finding in found.findings} == {"name"}


KEPT = [
    "统一社会信用代码91350100M000100Y43", "11320000MB151840XJ", "许可证号教民133010670000011号", "教民 1330106700001", "沪教罚〔2026〕12号", "浙教监罚决字[2026]第00012号", "府教社字第1140083373號",
    "基府教社貳字第0912345678號", "文號「1060255628」", "0990337944", "罚款人民币15000.00元，没收1234567.89元", "2026年10月2日至2027-10-02", "自2009-11-01至2010-01-31止", "97.03-20及97.07.22二度稽查",
    "周一至周五13.00-15.00 9.30", "注册号330106000012345", "统一社会信用代码：330106199003071238913", "12345热线、12315", "咨询400-820-8820", "微信支付3000元", "微信公众号启明教育", "通过QQ收款12000元", "文三路138号0013室",
    "聘用高校教师", "聘请韩语教师授课", "聘请武术教练等3人", "聘用方应当缴费", "未聘用有资质的教师", "教练员证", "学生周末缴费", "家长陆续交费", "学生高效上课", "学生安全上课", "教师 高级 职称", "学生 周 一", "家长齐声要求", "聘请胡琴教师", "学生王牌课程", "学生红星缴费",
    "被处罚人：杭州红星教育科技有限公司", "当事人张小泉教育科技有限公司缴费", "经营者红星画室购买", "教师名单：见附件 时间", "家长应当缴费", "学生家长购买课程", "教师高 级", "举办者 红 星",
    "教师安全培训", "学生家长委员会", "教师和学生", "学生应当", "家长向我局投诉", "教师于2026年3月", "教师任教班级", "负责人在场", "负责人未到场", "学生高一年级", "学生周末上课", "教师高级职称", "负责人陈述申辩", "当事人许可证",
    "当事人马鞍山市启明教育科技有限公司", "举办者：张小泉教育科技有限公司", "社團法人高雄市某某會", "张老师", "联系人：张老师", "投诉人张女士", "老师文理短期补习班", "学生人数超过规定容量", "班主任資料", "校长王某", "教师张某某", "非本市户籍的学生",
    "1~3楼*3/22初查", "一楼**招生", "地下1楼招生授课，", "2楼原为住宅，", "会计管理混乱", "未签订合同", "与学员签订合同", "收取家长学费", "向学生收取高额学费", "在住宅楼内办学", "出生证明", "教师Python课程",
    "云A座101", "苏B栋", "新A级", "招牌不符複查*陽明補習班", "★★★", "杭州市西湖区启明艺术培训中心有限公司", "浙江省杭州市西湖区文三路138号2楼301-305室", "",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_what_a_reader_needs_stays(text):
    found = screen(text)
    assert found.text is text
    assert found.findings == ()


def test_an_identity_number_is_hidden_even_where_it_is_a_valid_credit_code():
    # Made up: 1101 99 is no place. One identity number in 31 has the check character of a credit code too.
    bodies = [f"11019919900101{number:03d}" for number in range(1000)]
    numbers = [body + "10X98765432"[sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body)) % 11] for body in bodies]
    both = [number for number in numbers if is_credit_code(number)]
    assert both
    assert [screen(f"号码{number}。").text for number in both] == [f"号码{ID}。"] * len(both)


def test_findings_count_by_kind_and_say_nothing_else():
    found = screen("校长王小明（13800138000、13900139000），邮箱a@example.org")
    assert {finding.kind: finding.count for finding in found.findings} == {"name": 1, "phone": 2, "email": 1}
    assert found.text == f"校长王某（{PHONE}、{PHONE}），邮箱{MAIL}"


PIECES = st.sampled_from(
    [text for text, _ in HIDDEN + NAMED]
    + KEPT
    + list(MARKS.values())
    + ["1", "-", " ", "王", "某", "校长", "账号", "，", "（", "住址", "\u200b", "0", "微信"]
)


@given(st.lists(PIECES, max_size=8).map("".join))
@example("账号6222020200011112222 13800138000")
@example("年0#楼*楼×2楼同长*年明微·.)年：x")
def test_screening_twice_changes_nothing(text):
    once = screen(text)
    again = screen(once.text)
    assert again.text == once.text
    assert again.findings == ()


@given(st.lists(PIECES, max_size=5).map("".join) | st.text(alphabet="0123456789一三八零- .、/号路年XEGx*(", max_size=24))
def test_what_is_passed_over_for_want_of_digits_holds_nothing(text):
    quick = screen(text)
    assert _by_every_rule(text) == quick


def _by_every_rule(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publish.screen._MANY_DIGITS", re.compile(""))  # no quick look
        return screen(text)


UNPLAIN = [
    ("110101xxxxxxxx1234", ID),
    ("身份证110101xxxxxxxx123X", f"身份证{ID}"),
    ("110101ＸＸＸＸＸＸＸＸ1234", ID),
    ("身份证1-----2", f"身份证{ID}"),
    ("1三八零零一三八零零零", PHONE),
    ("１三八零零一三八零零零", PHONE),
    ("①三八零零一三八零零零", PHONE),
    ("1三八零零一三八②零零", PHONE),
    ("联系1三八00一3八零零零", f"联系{PHONE}"),
    ("⑴⑶⑻⑴⑴⑴⑶⑻⑴⑴⑴", PHONE),
    ("1\ufe0f\ufe0f\ufe0f\ufe0f3800138000", PHONE),
    ("１\u0301３\u0301８\u030100138000", PHONE),
    ("校\u034f长王小明", "校长王某"),
    ("校\ufe0f长王小明", "校长王某"),
    ("王小宝（未成年）", "王某（未成年）"),
    ("微\ufe0f信:abc123", f"微信:{ACCOUNT}"),
    ("浙\ufe0fA19901", PLATE),
    ("浙Ａ19901", PLATE),
    ("ＬＩＮＥ:abcdef12", f"ＬＩＮＥ:{ACCOUNT}"),
    ("vＸ:abc123", f"vＸ:{ACCOUNT}"),
    ("abc［at］163.com", MAIL),
]


@pytest.mark.parametrize(("text", "shown"), UNPLAIN)
def test_what_is_written_to_escape_the_quick_look_is_hidden(text, shown):
    assert screen(text).text == shown
    assert suspects(["启明艺术", text, "文三路1号"]) == {text}


ADVERSARIAL = st.sampled_from(
    [*"1３八零幺①⑴一7０xXＸ*vＶLＬqＱ:：-－ 　\u034f\ufe0f\u20e3\u0301\u200b校长王明微信浙A京Ａ@＠住在号字第证件某\n", *"abc1"]
)


@given(st.lists(ADVERSARIAL | st.sampled_from([text for text, _ in UNPLAIN + HIDDEN + NAMED]), max_size=14).map("".join))
@example("证件1x x x2")
@example("微信文号12345")
def test_the_quick_look_passes_over_nothing_that_every_rule_would_find(text):
    sought = _by_every_rule(text)
    assert screen(text) == sought
    assert sought == Screened(text) or suspects(["启明", text, "12"]) == {text}


@given(st.text() | st.text(alphabet="0123456789-+@*○王校长：微信号 \u200b\ud800", max_size=200))
def test_any_text_can_be_screened(text):
    assert screen(screen(text).text).findings == ()


@pytest.mark.parametrize(
    "piece",
    ["1", "1 8", "13 ", "教师", "校长王小", "校长王小明、", "a@", "a", "王", "王○", "0-", "微信号", "住址", "一", "京A", "+86 ", "账号1", "330106", "VX", "*", "王*", "〔2026〕", "字第1", "教民1", "【已隐去"],
)  # fmt: skip
def test_the_time_grows_with_the_text_and_no_faster(piece):
    def cost(length):
        text = (piece * length)[:length]
        begun = time.process_time()
        screen(text)
        return time.process_time() - begun

    assert cost(100_000) < 2  # a quadratic search would take minutes; it takes 0.2 s at worst


@pytest.mark.real
def test_real_findings_lose_names_and_telephones_and_nothing_else(real_data):
    kinds: Counter[tuple[str, str]] = Counter()
    with gzip.open(real_data / "register" / "violations_2025-04-30.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, row in ((column, row) for row in rows for column in ("name", "address", "violation", "disposition", "doc_no")):
        shown = prose(row[column])
        if shown:
            for finding in screen(shown).findings:
                kinds[column, finding.kind] += finding.count
    # Read one by one: 2 landlines, a plate, a passport, a number that may be a telephone, and names after a title or half masked by the county.
    assert {kind for kind in kinds if kind[0] != "violation"} == set()
    assert 60 <= kinds["violation", "name"] <= 90
    assert sum(kinds.values()) - kinds["violation", "name"] == 5


@given(st.lists(st.lists(PIECES, max_size=4).map("".join) | st.text(max_size=20), max_size=6))
@example(["1380", "0138", "000"])
@example(["校长", "王小明"])
def test_one_look_at_a_whole_page_passes_over_nothing(texts):
    suspect = suspects(texts)
    clear = [text for text in texts if text not in suspect]
    assert [screen(text) for text in clear] == [Screened(text) for text in clear]


@pytest.mark.parametrize("text", [text for text, _ in HIDDEN])
def test_one_look_sees_what_is_hidden_among_other_texts(text):
    hidden = {text, "微\u200b信：abc_1234"}
    assert suspects(["杭州市西湖区文三路1号", *hidden, "启明艺术", ""]) == hidden
