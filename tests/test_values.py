"""A cell becomes a value, nothing, or a BadValue that says what was found: never another error, never a guess."""

import csv
import datetime
import gzip
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from publish.cleaning import clean, is_clean, name, names, prose, text, texts
from publish.dates import date, date_sentinel, day, month
from publish.errors import BadDeclaration, BadValue
from publish.masked import masked_person
from publish.namewords import looks_like_organisation
from publish.persons import looks_like_person
from publish.values import (
    KINDS,
    credit_code,
    fen,
    flag,
    histogram,
    integer,
    is_credit_code,
    number,
    parser,
    permit_no,
    share,
    url,
)

ANY_CELL = st.one_of(
    st.text(),
    st.text(alphabet="0123456789０１２年月日-/.:TZ民國教民万元￥,%[]| \u200b\ud800&#;", max_size=24),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers() | st.text(max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
    st.binary(max_size=8),
)
MONSTERS: dict[str, Callable[[], Any]] = {
    "10 MB of digits": lambda: "1" * 10_000_000,
    "30 MB of Chinese": lambda: "二" * 10_000_000,
    "10 MB of entities": lambda: "&amp;" * 2_000_000,
    "5,000 digits": lambda: 10**5000,
    "minus 5,000 digits": lambda: -(10**5000),
    "lists in lists": lambda: [[[]]] * 1000,
    "infinity": lambda: float("inf"),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"unit": "wanyuan", "calendar": "roc", "document_day": "2026-03-01", "scale_max": 5},
    {"calendar": "excel", "document_day": "2026"},
]


def outcome(parse: Callable[[object], Any], raw: object) -> tuple[Any, str | None]:
    """The value, or the message of the BadValue."""
    try:
        return parse(raw), None
    except BadValue as error:
        return None, str(error)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "declared", "excel"])
@pytest.mark.parametrize("kind", KINDS)
@given(raw=ANY_CELL)
def test_a_kind_parses_or_says_bad_value(kind, options, raw):
    value, message = outcome(parser(kind, **options), raw)
    if message is not None:
        assert "expected" in message
        assert len(message) < 1000
    if isinstance(value, str):
        value.encode()  # SQLite takes it
        assert value == value.strip()
        assert value
    if isinstance(value, int):
        assert abs(value) < 2**63


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("monster", MONSTERS)
def test_a_monstrous_cell_is_a_bad_value(kind, monster):
    raw = MONSTERS[monster]()
    with pytest.raises(BadValue, match="expected") as error:
        parser(kind)(raw)
    assert len(str(error.value)) < 1000


def test_a_kind_without_a_parser_is_a_wrong_declaration():
    with pytest.raises(BadDeclaration, match="'colour' has no parser"):
        parser("colour")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  启明\u3000艺术\xa0培训 ", "启明 艺术 培训"),
        ("擅自增設&amp;#38954;科", "擅自增設頪科"),
        ("A&amp;B", "A&B"),
        ("AT&T &lt;b&gt;", "AT&T <b>"),
        ("a\x00b\x07c\u200bd\ufeffe\u202ef", "abcdef"),
        ("e\u0301cole", "école"),
        ("一\n二\t三", "一 二 三"),
        (12.0, "12"),
        (12.5, "12.5"),
        ("ＡＢＣ", "ＡＢＣ"),
        ("\ud800", None),
        *[(sentinel, None) for sentinel in ("", " ", "暂无", "无", "/", "-", "—", "N/A", "null", "NULL", "－")],
    ],
)
def test_text_is_clean_or_nothing(raw, expected):
    assert text(raw) == expected


@given(st.text(max_size=60) | st.text(alphabet=" a&;#1启\u3000\u200b\n\u0301e", max_size=12))
def test_what_looks_clean_is_what_cleaning_gives(raw):
    if is_clean(raw):
        assert clean(raw) == raw


CELLS = ("", None, "启明", "暂无", "无", "a", " a", "a ", "a|", "| a", "e\u0301", "\u0301", "a  b", "&amp;", "\n", "启" * 301, "None")


def each(read, column):
    """What each cell is read as by itself; BadValue where it is refused."""
    found = []
    for raw in column:
        try:
            found.append(read(raw) if raw else None)
        except BadValue:
            found.append(BadValue)
    return found


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("together", "read"), [(texts, text), (names, name)])
def test_a_cell_among_clean_ones_reads_as_by_itself(together, read, cell):
    column = ["启明", cell, "星光艺术"]
    assert (found := together(column)) is None or list(found) == each(read, column)


@given(st.lists(st.sampled_from(CELLS) | st.text(max_size=6), max_size=6))
def test_cells_that_are_clean_together_read_as_each_does(column):
    for together, read in ((texts, text), (names, name)):
        assert (found := together(column)) is None or list(found) == each(read, column)


def test_cells_that_are_clean_are_read_together():
    assert texts(["启明", "", None, "无"]) == ["启明", None, None, None]
    assert names(["启明", "", None, "无名"]) == ["启明", None, None, "无名"]


@given(st.text(max_size=60))
def test_clean_text_stays_as_it_is(raw):
    once = text(raw)
    if once is not None and "&" not in once:
        assert text(once) == once


def test_prose_keeps_its_lines():
    assert prose("一、 未公示\r\n\r\n 二、超收 ") == "一、 未公示\n二、超收"


@pytest.mark.parametrize("raw", ["", "无", "暂无", "/", "-", "N/A", None, "\u200b"])
def test_a_name_is_never_empty_or_a_sentinel(raw):
    with pytest.raises(BadValue, match="expected a name"):
        name(raw)


@pytest.mark.parametrize(
    ("raw", "options", "expected"),
    [
        ("2026-01-02", {}, "2026-01-02"),
        ("2026-1-2", {}, "2026-01-02"),
        ("2026/01/02", {}, "2026-01-02"),
        ("2026.1.2", {}, "2026-01-02"),
        ("2026年1月2日", {}, "2026-01-02"),
        ("２０２６年１月２日", {}, "2026-01-02"),
        ("2026 年 1 月 2 日", {}, "2026-01-02"),
        ("二〇二六年十一月二十三日", {}, "2026-11-23"),
        ("二〇二六年十月", {}, "2026-10"),
        ("2026年1月", {}, "2026-01"),
        ("2026-01", {}, "2026-01"),
        ("202601", {}, "2026-01"),
        ("2026年", {}, "2026"),
        (2026, {}, "2026"),
        ("20260102", {}, "2026-01-02"),
        (20260102, {}, "2026-01-02"),
        ("2026-01-02 00:00:00", {}, "2026-01-02"),
        ("2026-01-02T18:30:00Z", {}, "2026-01-03"),  # half past two in China
        ("2026-01-02T01:00:00+08:00", {}, "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 12, 0), {}, "2026-01-02"),  # noqa: DTZ001  (a spreadsheet knows no zone)
        (datetime.datetime(2026, 1, 2, 18, 30, tzinfo=datetime.UTC), {}, "2026-01-03"),
        (45321, {}, "2024-01-30"),
        (45321.75, {}, "2024-01-30"),
        ("45321", {"calendar": "excel"}, "2024-01-30"),
        ("民國113年5月1日", {}, "2024-05-01"),
        ("中華民國99年12月31日", {}, "2010-12-31"),
        ("113/05/01", {"calendar": "roc"}, "2024-05-01"),
        ("1130501", {"calendar": "roc"}, "2024-05-01"),
        ("99年", {"calendar": "roc"}, "2010"),
        ("2024-05-01", {"calendar": "roc"}, "2024-05-01"),
        ("2月9日", {"document_day": "2026-03-01"}, "2026-02-09"),
        ("3月1日", {"document_day": "2026-03-01"}, "2026-03-01"),
        *[
            (sentinel, {}, None)
            for sentinel in ("1900-1-1", "1900-01-01 00:00:00", "暂无", "无处罚期限", "长期", "9999-12-31", "", None, "/")
        ],
    ],
)
def test_a_date_is_iso_in_the_precision_that_is_given(raw, options, expected):
    assert date(raw, **options) == expected


@pytest.mark.parametrize(
    ("raw", "options"),
    [
        ("2026-02-30", {}), ("2026-13-01", {}), ("1850-01-01", {}), ("26-01-02", {}), ("113/05/01", {}), ("45321", {}), (19999, {}), (80001, {}), (True, {}),
        ("2月9日", {}), ("3月2日", {"document_day": "2026-03-01"}), ("2月30日", {"document_day": "2026-03-01"}), ("2026年1月2日至3日", {}), ("民國前3年", {}),
        ("2026-01-02 25:00", {}), ("二〇二六年十三月", {}), ("1月", {"document_day": "2026-03-01"}), ("2026/1-2月", {}), ("明天", {}),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(raw, options):
    with pytest.raises(BadValue, match="expected"):
        date(raw, **options)


def test_a_date_sentinel_says_which_it_is():
    said = {raw: date_sentinel(raw) for raw in ("长期", "9999-12-31", "无处罚期限", "暂无", "1900-1-1", None, "2026-01-02")}
    assert [raw for raw, what in said.items() if what == "open"] == ["长期", "9999-12-31", "无处罚期限"]
    assert [raw for raw, what in said.items() if what == "unknown"] == ["暂无", "1900-1-1", None]


def test_a_day_and_a_month_have_their_precision():
    assert (day("2026-1-2"), month("2026年1月"), day("长期"), month("")) == ("2026-01-02", "2026-01", None, None)
    for parse, raw in ((day, "2026-01"), (month, "2026-01-02"), (month, "2026"), (month, "2026-13")):
        with pytest.raises(BadValue, match="expected"):
            parse(raw)


@given(st.dates(min_value=datetime.date(1901, 1, 1), max_value=datetime.date(2199, 12, 31)))
def test_every_day_is_read_in_every_spelling(when):
    republic = f"民國{when.year - 1911}年{when.month}月{when.day}日" if when.year > 1911 else when.isoformat()
    spellings = [
        when.isoformat(),
        f"{when:%Y%m%d}",
        f"{when.year}/{when.month}/{when.day}",
        f"{when.year}年{when.month}月{when.day}日",
        republic,
        when,
    ]
    assert {date(spelling) for spelling in spellings} == {when.isoformat()}


@pytest.mark.parametrize(
    ("raw", "unit", "expected"),
    [
        ("1.5", "wanyuan", 1_500_000),
        (1.5, "wanyuan", 1_500_000),
        (0.3, "wanyuan", 300_000),
        ("５，０００．５", "yuan", 500_050),
        ("￥5,000", "yuan", 500_000),
        ("人民币5000元整", "wanyuan", 500_000),
        ("1.5万元", "yuan", 1_500_000),
        ("3万", "yuan", 3_000_000),
        ("0.000001", "wanyuan", 1),
        ("0", "wanyuan", 0),
        (12345.600000000001, "yuan", 1_234_560),
        ("12元", None, 1200),
        ("无", "yuan", None),
        ("", "yuan", None),
    ],
)
def test_money_is_exact_fen(raw, unit, expected):
    assert fen(raw, unit) == expected


@pytest.mark.parametrize(
    ("raw", "unit"),
    [
        ("12", None),
        ("￥5000", "wanyuan"),
        ("50000", "wanyuan"),
        ("0.001", "yuan"),
        ("-5", "yuan"),
        ("1e3", "yuan"),
        ("1,00", "yuan"),
        ("约5000元", "yuan"),
        ("inf", "yuan"),
        ("99999999999999999999", "yuan"),
        ("二千元", "yuan"),
        ("12", "usd"),
    ],
)
def test_money_that_is_unclear_is_refused(raw, unit):
    with pytest.raises(BadValue, match="expected"):
        fen(raw, unit)


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_no_fen_is_lost(amount):
    assert fen(f"{Decimal(amount) / 100:f}") == amount
    assert fen(f"{Decimal(amount) / 100:,f}元") == amount


@pytest.mark.parametrize(
    ("parse", "raw", "expected"),
    [
        (integer, "１２，０００", 12000), (integer, "-3", -3), (integer, 3.0, 3), (integer, "7.0", 7), (integer, "暂无", None),
        (number, "120.5平方米", 120.5), (number, "１２０㎡", 120.0), (number, 5, 5.0), (number, "1,000.5", 1000.5), (number, "-", None),
        (share, "85%", 0.85), (share, "８５％", 0.85), (share, 0.5, 0.5), (share, 1, 1.0), (share, "", None),
        (flag, "是", 1), (flag, "有", 1), (flag, True, 1), (flag, "TRUE", 1), (flag, 1, 1), (flag, "否", 0), (flag, "无", 0), (flag, False, 0), (flag, "0", 0), (flag, "", None),
        (url, " https://example.org/a?b=1&amp;c=2 ", "https://example.org/a?b=1&c=2"), (url, "http://例子.中国/路径", "http://例子.中国/路径"), (url, "暂无", None),
        (histogram, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]), (histogram, "[0, 1，2]", [0, 1, 2]), (histogram, "3|4|5", [3, 4, 5]),
        (permit_no, " 教民１３３０１０６７００００１１ 号", "教民1330106700001 1".replace(" ", "")), (permit_no, "教民 133010670000011", "教民133010670000011"),
        (permit_no, "52110108E1001", "52110108E1001"), (permit_no, "杭西教〔2020〕 5 号", "杭西教〔2020〕5"), (permit_no, "无", None), (permit_no, 110011, "110011"),
        *((permit_no, word, None) for word in ("办理中", "正在办理", "是", "无证", "无许可证", "未取得", "已注销", "见附件", "另附", "有", "0", 0, "教民")),
    ],
)  # fmt: skip
def test_other_kinds_are_read(parse, raw, expected):
    value = parse(raw)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (integer, "1.5"), (integer, "1,00"), (integer, "二"), (integer, True), (integer, "9223372036854775808"), (integer, float("nan")), (number, "inf"), (number, float("nan")), (number, "1e5"), (number, "12 亩"),
        (share, "120%"), (share, 1.01), (share, -0.1), (flag, "也许"), (flag, 2), (url, "www.example.org"), (url, "javascript:alert(1)"), (url, "ftp://example.org"),
        (url, "https://user:secret@example.org/"), (url, "https://"), (url, "https://[::1"), (url, "https://example.org/a b"), (url, "https://example.org/<script>"),
        (url, "https://example.org:99999/"), (histogram, [1, -1]), (histogram, [1, 2.0]), (histogram, [True, 1]), (histogram, [1]), (histogram, None), (histogram, "[[1,2]]"), (permit_no, "x" * 61),
        *((permit_no, raw) for raw in (11001, "教民1", "王小明", "12345", "13912345678", "139-1234-5678", "11010519491231002X", "详询王小明")),
        *((url, f"https://example.org/{rest}") for rest in ("u/13912345678", "?t=139%2D1234%2D5678", "%31%33912345678", "?a=b&id=11010519491231002X", "?t=１３９１２３４５６７８")),
    ],
)  # fmt: skip
def test_other_kinds_refuse_what_they_are_not(parse, raw):
    with pytest.raises(BadValue, match="expected"):
        parse(raw)


def test_a_histogram_has_a_count_for_each_score():
    assert parser("histogram", scale_max=5)([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5]
    with pytest.raises(BadValue, match="found 4 counts; expected 5"):
        parser("histogram", scale_max=5)([1, 2, 3, 4])


VALID = ["91350100M000100Y43", "11320000MB151840XJ"]


@pytest.mark.parametrize(
    "raw", [*VALID, VALID[0].lower(), f" {VALID[0][:2]} {VALID[0][2:8]}-{VALID[0][8:]} ", "".join(chr(ord(c) + 0xFEE0) for c in VALID[0])]
)
def test_a_valid_credit_code_is_read_in_any_spelling(raw):
    assert credit_code(raw) in VALID


@pytest.mark.parametrize("raw", ["", "暂无", "/", "是", "办理中", None])
def test_a_credit_code_that_is_not_there_is_nothing(raw):
    assert credit_code(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        "91350100M000100Y4",
        "91350100M000100Y44",
        "9135O100M000100Y43",
        "110108000012345",
        "0" * 18,
        "1" * 18,
        913501000001000043,
        "个体户",
        "是否",
    ],
)
def test_a_wrong_credit_code_is_refused_and_not_guessed(raw):
    with pytest.raises(BadValue, match="expected a credit code"):
        credit_code(raw)


def test_a_credit_code_that_is_an_identity_number_too_is_refused():
    bodies = [f"11010519491231{number:03d}" for number in range(1000)]
    numbers = [body + "10X98765432"[sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body)) % 11] for body in bodies]
    both = [number for number in numbers if is_credit_code(number)]
    assert both
    for code in both:
        with pytest.raises(BadValue, match="found an identity number") as error:
            credit_code(code)
        assert code not in str(error.value)


def test_a_long_number_in_a_web_address_is_no_telephone():
    for found in ("https://example.org/a/20261122/1391234567890.html", "https://example.org:8080/a?id=91350100M000100Y43"):
        assert url(found) == found


def test_letters_among_the_first_eight_are_accepted_where_stdnum_refuses_them():
    code = next(f"A1110000600037341{check}" for check in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(f"A1110000600037341{check}"))
    assert credit_code(code) == code
    assert not uscc.is_valid(code)


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_one_of_31_check_characters_is_right(body):
    valid = [body + check for check in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(body + check)]
    assert [code[-1] for code in valid] == [uscc.calc_check_digit(body)] * (len(set(body)) > 1)
    if valid and body[:8].isdigit():
        assert uscc.is_valid(valid[0])


@pytest.mark.parametrize(
    ("given_name", "masked"),
    [
        ("王小明", "王某"), ("李红", "李某"), ("欧阳小明", "欧阳某"), ("王文化", "王某"), ("张學友", "张某"), ("陳建宇", "陳某"), ("王小明（校长）", "王某"), ("王小明、李红", "王某、李某"),
        ("阿卜杜拉·买买提", "阿某"), ("John Smith", "J某"), ("李○婷", "李某"), ("", "某"),
    ],
)  # fmt: skip
def test_of_a_person_only_the_surname_is_shown(given_name, masked):
    assert masked_person(given_name) == masked


@pytest.mark.parametrize(
    "who",
    [
        "王小明",
        "李红",
        "欧阳小明",
        "王文化",
        "陳建宇",
        "王小明、李红",
        "王小明（负责人）",
        "阿卜杜拉·买买提",
        "John Smith",
        "金色童年",
        "司徒雷登",
        "卫建",
    ],
)
def test_what_could_be_a_person_is_one(who):
    assert looks_like_person(who)


@pytest.mark.parametrize(
    "who",
    ["启明教育", "王小明艺术培训中心", "杭州市西湖区启明艺术培训中心有限公司", "新东方", "小明文理短期补习班", "王府学校", "Bright Star English School", "ABC", "", "某", "龙头" * 60],
)  # fmt: skip
def test_what_says_that_it_is_an_organisation_is_no_person(who):
    assert not looks_like_person(who)


def test_an_organisation_is_known_by_its_own_words():
    assert looks_like_organisation("启明教育科技有限公司")
    assert not looks_like_organisation("王小明")


@pytest.mark.real
def test_the_real_registers_dates_are_read(real_data):
    refused = set()
    with gzip.open(real_data / "register" / "registry_2025-04-30.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        name(row["name"])
        try:
            date(row["licence_date"])
        except BadValue:
            refused.add(row["licence_date"])
    assert len(rows) > 17_000
    assert len(refused) < 5


def test_a_name_is_as_long_as_it_reads() -> None:
    long = "某某市某某区启明" * 5
    assert name("".join(f"&amp;#{ord(character)};" for character in long)) == long
    for too_long in ("名" * 301, "&#21517;" * 301, "名" * 5000):
        with pytest.raises(BadValue, match="a name of at most"):
            name(too_long)
