"""Code tables: a spelling is known or refused, never filed under "other"; a wrong file is refused with its line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.codes import load_codes
from publish.errors import BadDeclaration, BadValue


@pytest.fixture(scope="module")
def tables(root):
    return load_codes(root / "datasets" / "codes")


EXPECTED = {
    "lists", "notice_kinds", "notice_states", "seriousness", "classes", "violation_types", "penalty_types", "measures", "institution_statuses", "organiser_natures",
    "fund_modes", "alias_kinds", "link_methods", "document_kinds", "batch_kinds", "dimensions", "subject_kinds", "public_until_rules", "region_levels", "tombstone_reasons",
    "bounds", "statement_kinds", "lineage_kinds", "lineage_methods",
}  # fmt: skip


def test_every_table_is_there_and_regions_is_none_of_them(tables):
    assert tables.keys() == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_table_speaks_two_languages_and_has_no_rest(tables, name):
    for row in tables[name].rows:
        assert re.search(r"[\u4e00-\u9fff]", row.label_zh), row
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]+", row.label_en), row
        assert row.code not in ("other", "misc", "unclear"), row
    assert ("unknown" in tables[name]) == (name == "subject_kinds")


@pytest.mark.parametrize(
    ("table", "raw", "code"),
    [
        ("lists", "白名单", "white"), ("lists", "灰", "grey"), ("lists", "预警", "warning"), ("lists", "黑名单", "black"), ("lists", "正常", "normal"), ("lists", "已注销", "cancelled"),
        ("lists", "white", "white"), ("lists", "White list", "white"), ("lists", " 白 名单 ", "white"), ("lists", "“白名单”", "white"), ("lists", "暂无", None), ("lists", "", None), ("lists", None, None),
        ("classes", "非学科类（体育）", "sport"), ("classes", "非学科类(体育)", "sport"), ("classes", "艺术类", "arts"), ("classes", "学科类", "subject"), ("classes", "科技", "technology"),
        ("classes", "综合实践", "practice"), ("notice_kinds", "行政处罚", "penalty"), ("notice_kinds", "风险提示", "warning"), ("seriousness", "轻微", "minor"), ("seriousness", "严重", "serious"),
        ("penalty_types", "责令停止招收学员", "stop_enrolment"), ("penalty_types", "没收违法所得", "confiscation"), ("penalty_types", "吊销许可证件", "revoke_permit"),
        ("measures", "约谈", "talk"), ("measures", "责令退费", "order_to_refund"), ("fund_modes", "风险保证金", "deposit"), ("subject_kinds", "个人", "person"),
        ("subject_kinds", "个体工商户", "unknown"), ("subject_kinds", "法人", "organisation"),
        *(("seriousness", raw, "minor") for raw in ("较轻", "轻微失信行为", "情节较轻", "轻微（不予公示）", "轻微违法行为", "违法情节轻微")), ("seriousness", "严重失信行为", "serious"),
        ("violation_types", "无证办学", "unlicensed"), ("violation_types", "虚假宣传", "false_advertising"), ("violation_types", "拒不退费", "refund_refused"),
    ],
)  # fmt: skip
def test_a_sources_spelling_is_a_code(tables, table, raw, code):
    assert tables[table].code(raw) == code


@pytest.mark.parametrize(
    "raw",
    ["红名单", "其他", "other", "白名单、黑名单", "x" * 10_000_000, 7, 1.5, True, float("nan"), ["白名单"], {}, 10**40],
    ids=lambda raw: str(raw)[:12],
)
def test_an_unknown_spelling_is_a_bad_value_that_lists_what_is_known(tables, raw):
    with pytest.raises(BadValue, match=r"lists\.csv \(白名单, 灰名单"):
        tables["lists"].code(raw)


@given(raw=st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text())))
def test_a_table_gives_a_code_or_bad_value(tables, raw):
    try:
        code = tables["classes"].code(raw)
    except BadValue:
        return
    assert code is None or code in tables["classes"]


def test_a_measure_is_no_penalty(tables):
    for measure in ("责令改正", "责令退费", "约谈", "列入黑名单"):
        with pytest.raises(BadValue):
            tables["penalty_types"].code(measure)


def test_a_code_has_labels_and_kinds_below_it(tables):
    label = tables["lists"].label("white")
    assert (label.zh, label.en) == ("白名单", "White list")
    assert tables["classes"].children("non_subject") == ("sport", "arts", "practice", "technology")
    assert tables["classes"]["sport"].parent == "non_subject"
    assert list(tables["seriousness"]) == ["minor", "general", "serious"]
    assert len(tables["seriousness"]) == 3


HEAD = "code,label_zh,label_en,source_terms\n"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("code,label\na,甲\n", "lists.csv:1: the header is 'code,label'"),
        (HEAD.replace("\n", ",colour\n") + "a,甲,A,,red\n", "lists.csv:1: the header"),
        (HEAD, "lists.csv: has no rows"),
        (HEAD + "a,甲,A\n", "lists.csv:2: 3 cells; expected 4"),
        (HEAD + "白,甲,A,\n", "lists.csv:2: code '白' is not a short word"),
        (HEAD + "a,甲,A,\na,乙,B,\n", "lists.csv:3: code 'a' is given twice"),
        (HEAD + "a,甲,,\n", "lists.csv:2: a lacks a label"),
        (HEAD + "a,甲,A,x||y\n", "lists.csv:2: a has an empty spelling"),
        (HEAD + "a,甲,A,x\nb,乙,B,Ｘ\n", "lists.csv:3: 'Ｘ' already means 'a'"),
        (HEAD + "a,甲,A,\nb,乙,B,甲\n", "lists.csv:3: '甲' already means 'a'"),
        (HEAD.replace("\n", ",parent\n") + "a,甲,A,,b\n", "lists.csv:2: parent 'b' is not another code"),
        (HEAD.replace("\n", ",parent\n") + "a,甲,A,,a\n", "lists.csv:2: parent 'a' is not another code"),
        (HEAD + 'a,"甲,A,\n', "lists.csv: not readable as CSV"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path, body, complaint):
    (tmp_path / "lists.csv").write_text(body, encoding="utf-8")
    with pytest.raises(BadDeclaration) as error:
        load_codes(tmp_path)
    assert str(error.value).startswith(complaint)


def test_a_table_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "lists.csv").write_bytes((HEAD + "a,白名单,A,\n").encode("gb18030"))
    with pytest.raises(BadDeclaration, match=r"lists\.csv: not readable as CSV in UTF-8"):
        load_codes(tmp_path)


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(BadDeclaration, match="holds no code table"):
        load_codes(tmp_path)
