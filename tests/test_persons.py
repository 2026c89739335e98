"""Who is a natural person in a subject field, what is shown of one, and that the name is nowhere else. Every person here is made up."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.masked import hide_person, holds_person, masked_organiser, masked_person
from publish.persons import looks_like_person, person_names
from publish.samename import person_key
from publish.telling import name_key


@pytest.mark.parametrize(
    ("spelled", "names", "shown"),
    [
        ("王小明", ("王小明",), "王某"),
        ("王小明（身份证330106********1234）", ("王小明",), "王某"),
        ("王小明（男，曾用名王大明）", ("王小明", "王大明"), "王某"),
        ("王小明(王大明)", ("王小明", "王大明"), "王某"),
        ("王小明、李小红", ("王小明", "李小红"), "王某、李某"),
        ("王小明，李小红;张三", ("王小明", "李小红", "张三"), "王某，李某;张某"),
        ("王小明 李小红", ("王小明", "李小红"), "王某、李某"),
        ("王小明和李小红", ("王小明", "李小红"), "王某、李某"),
        ("李和平与欧阳及人", ("李和平", "欧阳及人"), "李某、欧阳某"),
        ("王 小 明", ("王 小 明",), "王某"),
        ("自然人王小明", ("王小明",), "王某"),
        ("当事人：王小明", ("王小明",), "王某"),
        ("被处罚人为王小明", ("王小明",), "王某"),
        ("经营者: 么小明", ("么小明",), "么某"),
        ("个人（王小明）", ("王小明",), "王某"),
        ("王小明等三人", ("王小明",), "王某等三人"),
        ("王小明等", ("王小明",), "王某等"),
        ("王小明先生", ("王小明",), "王某"),
        ("王小明/杭州某教育公司", ("王小明",), "王某/杭州某教育公司"),
        ("王小明/王小明艺术培训中心", ("王小明",), "王某/王某艺术培训中心"),
        ("杭州启明公司（负责人王小明）", ("王小明",), "杭州启明公司（负责人王某）"),
        ("阿依古丽·买买提", ("阿依古丽·买买提",), "阿某"),
        ("阿依古丽买买提", ("阿依古丽买买提",), "阿某"),
        ("John Smith", ("John Smith",), "J某"),
        ("外教John", ("John",), "J某"),
        ("John Smith、王小明", ("John Smith", "王小明"), "J某、王某"),
        ("李○婷", ("李○婷",), "李某"),
        ("自然人", (), "某"),
        ("启明艺术培训中心", (), "某"),
        ("", (), "某"),
    ],
)
def test_a_subject_field_gives_its_names_and_what_is_shown(spelled, names, shown):
    assert person_names(spelled) == names
    assert masked_person(spelled) == shown
    assert looks_like_person(spelled) == bool(names)


@pytest.mark.parametrize(
    "who",
    [
        "阿依古丽",
        "么小明",
        "王小明/杭州某教育公司",
        "Wangxiaoming",
        "王小明（校长）",
        "王小明等三人",
        "自然人王小明",
        "ＷａｎｇＸｉａｏｍｉｎｇ",
    ],
)
def test_who_could_be_a_person_is_one(who):
    assert looks_like_person(who)


@pytest.mark.parametrize(
    "who",
    [
        "新东方",
        "启明教育",
        "启明公司（西湖校区）",
        "杭州启明公司（温州）",
        "启明教室",
        "个人",
        "自然人",
        "民办",
        "Bestschool",
        "快乐吉他",
        "启明培训中心（高中部）",
    ],
)
def test_what_is_an_organisation_or_no_name_is_no_person(who):
    assert not looks_like_person(who)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("王小明、启明公司", "王某、启明公司"),
        ("个人（王小明）", "个人（王某）"),
        ("王小明60%，李小红40%", "王某60%，李某40%"),
        ("王小明（60%）、李小红（40%）", "王某（60%）、李某（40%）"),
        ("王小明出资60万元", "王某出资60万元"),
        ("杭州启明公司（王小明）", "杭州启明公司（王某）"),
        ("杭州启明公司法定代表人王小明", "杭州启明公司法定代表人王某"),
        ("自然人：王小明", "自然人：王某"),
        ("王小明与启明公司", "王某与启明公司"),
        ("杭州启明教育咨询有限公司", "杭州启明教育咨询有限公司"),
        ("个人", "个人"),
        ("杭州市西湖区教育局", "杭州市西湖区教育局"),
        ("启明公司（西湖校区）", "启明公司（西湖校区）"),
        ("", ""),
    ],
)
def test_of_an_organiser_only_persons_are_masked(value, shown):
    assert masked_organiser(value) == shown


SHORT = st.text(alphabet="王李欧阳某等各占先生女士老师校长园长法人姓名曾用一二红明店馆男独资公司之家", max_size=3)


@given(SHORT, st.sampled_from(["", "校长", "法人", "先生", "等", "各", "负责人", "曾用名", "个人"]), SHORT)
def test_a_short_name_that_stands_alone_is_masked_as_among_others(first, word, last):
    value = f"{first}{word}{last}"
    assert masked_organiser(f"{value}、") == f"{masked_organiser(value)}、"


@pytest.mark.parametrize(
    ("text", "spelled", "shown"),
    [
        ("经查，王小明擅自办学", "王小明（身份证330106）", "经查，王某擅自办学"),
        ("王小明和李小红均", "王小明、李小红", "王某和李某均"),
        ("王 小\u3000明、王\u200b小明、曾用名王大明", "王小明（曾用名王大明）", "王某、王某、曾用名王某"),
        ("陳曉華被罚", "陈晓华", "陈某被罚"),
        ("陈晓华被罚", "陳曉華", "陳某被罚"),
        ("陳曉瑤和张喆峯被罚", "陈晓瑶、张哲峰", "陈某和张某被罚"),
        ("阿依古丽买买提、阿依古丽•买买提、阿依古丽．买买提", "阿依古丽·买买提", "阿某、阿某、阿某"),
        ("ＪＯＨＮ smith、SmithJohn、Smith John and Johnsmithson", "John Smith", "J某、J某、J某 and Johnsmithson"),
        ("对自然人王小明作出", "自然人王小明", "对王某作出"),
        ("没收个人所得", "个人", "没收个人所得"),
        ("启明画坊被罚", "启明画坊", "某被罚"),
        ("启明", "", "启明"),
    ],
)
def test_a_subjects_name_is_hidden_wherever_it_stands(text, spelled, shown):
    assert hide_person(text, spelled) == shown
    assert hide_person(shown, spelled) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://a.cn/?n=王小明",
        f"https://a.cn/{quote('王小明')}",
        f"/{quote(quote('王小明'))}",
        f"/{quote('王小明'.encode('gbk'))}",
        "王·小明",
    ],
)
def test_a_name_is_found_in_an_address_on_the_web(text):
    assert holds_person(text, "当事人：王小明")
    assert not holds_person(text, "李小红")


def test_a_short_latin_name_is_not_found_inside_a_word():
    assert not holds_person("English", "外教Li")


@given(
    st.text(alphabet="王小明李红、，（）() 和等人公司A b·%6自然人：○\u200b", max_size=30),
    st.text(alphabet="王小明李红、（ 公司A·", max_size=12),
)
def test_any_subject_can_be_masked_and_its_names_are_gone(spelled, text):
    for name in person_names(spelled):
        if len(name) > 2 and "某" not in name:
            assert name not in masked_organiser(spelled)
            assert name not in masked_person(spelled)
    hide_person(text, spelled)
    holds_person(text, spelled)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((f"张{one}", f"张{other}") for one, other in zip("瑤韻徳爲峯囯昇喆曉凃郷惠", "瑶韵德为峰国升哲晓涂乡恵", strict=True)),
        ("閆明", "闫明"),
        *(("王小明", f"王小{mark}明") for mark in "\u2800\ufffc\u3164\uffa0\u115f\u200b\u00ad\ufe0f\u0300\u2e3b、.-_~|*★😀\ue000"),
        ("王小明", "王\U0001d159小明"),
        ("王小明", "王⼩明"),
        ("Li Lei", "ｌｉ.ＬＥＩ"),
    ],
)
def test_a_name_that_is_written_another_way_is_no_second_person(one: str, other: str) -> None:
    assert person_key(one) == person_key(other)


@pytest.mark.parametrize(("one", "other"), [("张三", "张三丰"), ("王小明", "王晓明"), ("李娜", "李纳"), ("张三", "张三2")])
def test_another_name_is_a_second_person(one: str, other: str) -> None:
    assert person_key(one) != person_key(other)


def test_who_signs_is_one_person_however_it_is_typed_and_organisations_are_told_apart_by_every_character() -> None:
    assert person_key("张三") == person_key("張 三")
    assert name_key("張三書院") != name_key("张三书院")
