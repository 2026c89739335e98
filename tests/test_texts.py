"""Full texts: what a query means, what it finds, and what it must not tell. What the site makes of it is in test_notices_page.py."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import search.texts_write
from search import DATE, KEYWORD, NUMBER, TEXT, Document, Field, Texts, build_texts, open_texts, texts_runs, tokens
from search.texts_query import parse
from search.texts_tree import BadQuery
from search.texts_values import days

FIELDS = (
    Field("title", TEXT, ("标题", "title"), 3),
    Field("facts", TEXT, ("事实",), 1),
    Field("number", TEXT, ("文号", "no"), 5),
    Field("authority", KEYWORD, ("机关", "authority")),
    Field("kind", KEYWORD, ("类型", "type"), labels={"penalty": "行政处罚 Penalty", "warning": "风险提示 Warning"}),
    Field("measure", KEYWORD, ("措施",)),
    Field("on", DATE, ("日期", "date")),
    Field("fine", NUMBER, ("罚款", "fine")),
)
WORDS = {name: (one.name, one.kind) for one in FIELDS for name in (one.name, *one.called)}


def document(number: int, title: str, facts: str = "", no: str = "", **values: str | tuple[str, ...]) -> Document:
    texts = {"title": title, "facts": facts, "number": no}
    return Document(f"n-{number:04d}", "notice", title, {name: text for name, text in texts.items() if text}, (), number, values)


DOCUMENTS = (
    document(1, "關於甜果培訓中心超期收費的處罰", "一次性收取 12 个月费用，共 3.5 万元。", "榕鼓教罚〔2026〕7 号", kind="penalty", authority="福州市鼓楼区教育局", on="2026-10-15", fine="12000", measure=("refund", "correct")),
    document(2, "关于K12乐学堂的风险提示", "该机构收费后停业，培训学校已空。", kind="warning", authority="厦门市教育局", on="2026-09", measure="correct"),
    document(3, "无证办学处罚决定", "擅自举办校外培训机构。", "厦思教罚〔2025〕70号", kind="penalty", authority="厦门市思明区教育局", on="2025-12-31", fine="50000"),
    document(4, "处罚决定：收费未公示", "费用，收取未公示；机构培训。", kind="penalty", authority="福州市市场监督管理局", on="2026"),
    document(5, "", "", "榕教罚〔2026〕99号"),
)  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    path = tmp_path_factory.mktemp("texts") / "notices.db"
    assert build_texts(path, DOCUMENTS, FIELDS) == len(DOCUMENTS)
    with open_texts(path) as opened:
        yield opened


def numbers(ids: tuple[str, ...]) -> list[int]:
    return [int(id[2:]) for id in ids]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("收费", [1, 2, 4]),
        ("费", [1, 2, 4]),
        ("收費", [1, 2, 4]),
        ("培训机构", [3]),
        ("机构 培训", [2, 3, 4]),
        ('"机构 培训"', [4]),
        ("Ｋ12", [2]),
        ("k1*", [2]),
        ("1", []),
        ("2026", [1, 5]),
        ("〔2026〕7号", [1]),
        ("收费 OR 无证", [1, 2, 3, 4]),
        ("收费 | 无证", [1, 2, 3, 4]),
        ("收费 或 无证", [1, 2, 3, 4]),
        ("处罚 NOT 收费", [3]),
        ("处罚 -收费", [3]),
        ("-处罚", [2]),
        ("(超期 OR 停业) 收费", [1, 2]),
        ("（超期 OR 停业）且 收费", [1, 2]),
        ("收费 -(超期 OR 停业)", [4]),
        ("(收费 -超期) OR (处罚 -收费 -机关:厦门) OR (无证 -日期:2026)", [2, 3, 4]),
        ("(收费 -超期 -停业) OR 无证", [3, 4]),
        ("NOT 收费 OR 超期", [1, 3]),
        ("机关:教育局", [1, 2, 3]),
        ("机关：厦门", [2, 3]),
        ("机关:(厦门 OR 鼓楼)", [1, 2, 3]),
        ("机关: 厦门 -机关:思明", [2]),
        ("authority:思明区 OR 停业", [2, 3]),
        ("类型:行政处罚", [1, 3, 4]),
        ("type:warning", [2]),
        ("type:Warning", [2]),
        ("标题:收费", [1, 4]),
        ("标题:(收费 OR 无证)", [1, 3, 4]),
        ('标题:"处罚 决定"', [3, 4]),
        ("文号:99", [5]),
        ("日期:2026", [1, 2, 4]),
        ("日期:2026-09", [2, 4]),
        ("日期:2026-10-15", [1, 4]),
        ("日期:2025-12..2026-09", [2, 3, 4]),
        ("日期:2026年9月..", [1, 2, 4]),
        ("日期:..2025", [3]),
        ("日期:2026-09至2026-10", [1, 2, 4]),
        ("罚款:1万..2万", [1]),
        ("罚款:50000", [3]),
        ("罚款:1.2万元", [1]),
        ("罚款:1.3万..", [3]),
        ("收费 ，。 超期", [1]),
        ("擅自举办校外培训机构，超期", []),
    ],
)
def test_a_query_finds_what_it_says(texts: Texts, query: str, found: list[int]) -> None:
    answer = texts.search(query)
    assert (sorted(numbers(answer.ids)), answer.problem) == (found, None)
    assert answer.total == len(found)


@pytest.mark.parametrize(
    ("query", "kind", "at"),
    [
        ("收费 (超期", "bracket", 3),
        ("收费) 超期", "bracket", 2),
        ('收费 "超期', "quote", 3),
        ("收费 AND", "operand", 3),
        ("OR 收费", "operand", 0),
        ("收费 OR OR 超期", "operand", 3),
        ("收费 NOT", "operand", 3),
        ("(收费 OR )", "operand", 4),
        ("来源:甲", "field", 0),
        ("机关:", "value", 0),
        ("机关:()", "value", 0),
        ("日期:2026-13", "day", 3),
        ("日期:去年", "day", 3),
        ("日期:2026-02-30..", "day", 3),
        ("日期:2026..2025", "order", 3),
        ("罚款:很多", "amount", 3),
        ("罚款:5万..1万", "order", 3),
        ("*", "star", 0),
        ("培*训", "star", 0),
        ("k*", "star", 0),
        ("，。", "nothing", 0),
        ("😀", "nothing", 0),
        ("(" * 100, "deep", 16),
        ("- -" * 50, "operand", 2),
        ("收 " * 17, "many", 32),
        ("收费" * 61, "many", 0),
        ("收" * 501, "long", 500),
    ],
)
def test_a_query_that_is_none_says_what_is_wrong_and_where(texts: Texts, query: str, kind: str, at: int) -> None:
    problem = texts.search(query).problem
    assert problem is not None
    assert (problem.kind, problem.at) == (kind, at)


def test_without_operators_every_word_is_only_a_word(texts: Texts) -> None:
    assert texts.search("NOT 收费", operators=False).total == 0
    assert texts.search("收费) 超期(", operators=False).ids == ("n-0001",)
    assert texts.search("来源:甲", operators=False).problem is None


@given(query=st.text(alphabet=st.one_of(st.sampled_from(' ()"-|*:：（）“”ORANDT机关日期.收费0129'), st.characters()), max_size=60))
def test_whatever_is_asked_is_answered(texts: Texts, query: str) -> None:
    answer = texts.search(query, count=("kind",))
    assert answer.problem is None or 0 <= answer.problem.at <= len(query)
    texts.passages(query, {"title": "关于收费的机关"})


@given(of=st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_every_run_of_a_text_is_found_and_no_other(texts: Texts, of: list[int]) -> None:
    run = tokens(" ".join(DOCUMENTS[1].fields.values()))
    piece = run[of[0] % len(run) :][: len(of)]
    expected = [
        int(one.id[2:]) for one in DOCUMENTS if any(f" {' '.join(piece)} " in f" {' '.join(tokens(text))} " for text in one.fields.values())
    ]
    assert sorted(numbers(texts.search(f'"{" ".join(piece)}"').ids)) == expected


def test_a_long_run_is_exact_although_it_is_asked_for_in_pieces(tmp_path: Path) -> None:
    name = "杭州市西湖区启明艺术培训中心有限公司"
    apart = "杭州市西湖区启明艺术培训中心有限责任公司与艺术培训中心有限公司"
    build_texts(tmp_path / "t.db", [document(1, name), document(2, apart)], FIELDS)
    with open_texts(tmp_path / "t.db") as opened:
        assert opened.search(name).ids == ("n-0001",)
        assert opened.search(f"标题:{name} OR 无").ids == ("n-0001",)


# -- values ----------------------------------------------------------------------------------------------------------------


def test_facets_are_counted_over_all_that_matched_and_their_own_filter_is_left_out(texts: Texts) -> None:
    answer = texts.search("收费", filters={"kind": "penalty", "measure": ["refund", "none"]}, count=("kind", "measure"), limit=1)
    assert (answer.total, answer.ids) == (1, ("n-0001",))
    assert answer.facets == {"kind": {"penalty": 1}, "measure": {"correct": 1, "refund": 1}}
    assert texts.search("收费", filters={"kind": []}).total == 0


def test_a_document_without_a_day_is_in_no_range_and_is_there_where_none_is_asked_for(tmp_path: Path) -> None:
    build_texts(tmp_path / "t.db", [document(1, "收费", kind="penalty")], FIELDS)
    with open_texts(tmp_path / "t.db") as opened:
        assert opened.search("收费", ranges={"on": (None, None)}).ids == ("n-0001",)
        assert opened.search("收费", ranges={"on": ("2020", None)}).ids == ()


def test_a_range_keeps_what_may_lie_in_it(texts: Texts) -> None:
    assert sorted(numbers(texts.search("", ranges={"on": ("2026-09-15", None)}).ids)) == [1, 2, 4], (
        "a month and a year may mean a day of it"
    )
    assert sorted(numbers(texts.search("", ranges={"on": (None, "2025-12")}).ids)) == [3]


def test_sorting_is_by_a_value_and_then_by_rank(texts: Texts) -> None:
    assert numbers(texts.search("", sort="-on").ids) == [1, 2, 4, 3]
    assert numbers(texts.search("", sort="fine").ids) == [1, 3, 2, 4], "a number is no text, and none comes last"
    assert numbers(texts.search("", sort="-fine", limit=1, offset=1).ids) == [1]


def test_what_is_unsaid_sorts_as_what_has_no_value(texts: Texts) -> None:
    unsaid = {"n-0003": ("on",), "n-0001": ("fine",)}
    assert numbers(texts.search("", sort="on").ids) == [3, 4, 2, 1]
    assert numbers(texts.search("", sort="on", unsaid=unsaid).ids) == [4, 2, 1, 3]
    assert numbers(texts.search("", sort="-on", unsaid=unsaid).ids) == [1, 2, 4, 3]
    assert numbers(texts.search("", sort="fine", unsaid=unsaid).ids) == [3, 1, 2, 4], "in rank, with those that have none"


def test_what_weighs_more_comes_first(texts: Texts) -> None:
    assert numbers(texts.search("收费 OR 无证").ids)[-1] == 2


def test_a_document_without_values_is_found_by_its_words_alone(texts: Texts) -> None:
    assert texts.search("〔2026〕99号").ids == ("n-0005",)
    for query in ("", "NOT 收费", "机关:教育局 OR 日期:2026", "NOT 机关:教育局", "-(收费 OR 超期)"):
        assert "n-0005" not in texts.search(query).ids, query
    assert texts.search("99", filters={"kind": "penalty"}).total == 0


# -- what may not be seen --------------------------------------------------------------------------------------------------


def test_what_is_hidden_counts_nowhere(texts: Texts) -> None:
    for query in ("收费", "处罚", "", "NOT 无证", "机关:福州", "日期:2026"):
        answer = texts.search(query, hidden={"n-0001", "n-9999"}, count=("kind", "authority"))
        assert "n-0001" not in answer.ids
        assert answer.total == len(answer.ids) == sum(answer.facets["kind"].values())
        assert "福州市鼓楼区教育局" not in answer.facets["authority"]
    assert texts.search("甜果陪训中心").meant == "甜果培训中心"
    assert texts.search("甜果陪训中心", hidden={"n-0001"}).meant is None


def test_of_what_is_unsaid_neither_presence_nor_absence_is_told(texts: Texts) -> None:
    unsaid = {"n-0001": ("title", "authority")}
    assert texts.search("超期", unsaid=unsaid).total == 0
    assert texts.search("一次性", unsaid=unsaid).ids == ("n-0001",)
    assert texts.search("一次性 超期", unsaid=unsaid).total == 0
    for denied in ("超期", "无此事", "机关:鼓楼", "机关:思明"):
        assert texts.search(f"一次性 -{denied}", unsaid=unsaid).ids == ("n-0001",), denied
    assert texts.search("一次性", unsaid=unsaid, count=("authority", "kind")).facets == {"authority": {}, "kind": {"penalty": 1}}
    assert texts.search("一次性", unsaid=unsaid, filters={"authority": "福州市鼓楼区教育局"}).total == 0
    assert texts.search("机关:鼓楼 OR 超期", unsaid=unsaid).total == 0
    assert texts.search("甜果陪训中心", unsaid=unsaid).meant is None


# -- what is shown ---------------------------------------------------------------------------------------------------------


def test_passages_mark_what_answers_in_the_text_as_it_is_shown(texts: Texts) -> None:
    shown = {"title": "關於（超 期）收費的處罰", "facts": "甲" * 100 + "超期\u200b收费 K12 " + "乙" * 200, "number": "7号"}
    title, facts = texts.passages("超期 收费 -处罚", shown)
    assert [title.text[a:b] for a, b in title.spans] == ["超 期", "收費"]
    assert (title.field, title.cut) == ("title", (False, False))
    assert [facts.text[a:b] for a, b in facts.spans] == ["超期", "收费"]
    assert facts.cut == (True, True)
    assert len(facts.text) == 160
    assert [one.field for one in texts.passages("标题:收费", shown)] == ["title"]
    assert [one.text[a:b] for one in texts.passages("k1*", shown) for a, b in one.spans] == ["K12"]
    assert texts.passages("(", shown) == texts.passages("", shown) == ()


@pytest.mark.parametrize(
    ("query", "meant"),
    [("甜果陪训", "甜果培训"), ("风险示", "风险提示"), ("风提险示", "风险提示"), ("风险的提示", "风险提示"), ("收费 无证办雪", "收费 无证办学"), ("收费", None), ("喜马拉雅", None)],
)  # fmt: skip
def test_a_word_that_is_nowhere_has_one_that_may_be_meant(texts: Texts, query: str, meant: str | None) -> None:
    answer = texts.search(query)
    assert answer.meant == meant
    assert meant is None or texts.search(meant.split()[-1]).total


# -- the language ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026", ("2026", "2026")),
        ("2026-3", ("2026-03", "2026-03")),
        ("2026年3月5日", ("2026-03-05", "2026-03-05")),
        ("2026.03.05", ("2026-03-05", "2026-03-05")),
        ("2026-01..2026-03", ("2026-01", "2026-03")),
        ("..2026", ("", "2026")),
        ("2026..", ("2026", "")),
        ("..", None),
        ("", None),
        ("2026-00", None),
        ("2026..2027..2028", None),
        ("26-1-1", None),
    ],
)
def test_days_are_read_as_people_write_them(text: str, found: tuple[str, str] | None) -> None:
    assert days(text) == found


def test_quotes_take_the_meaning_from_a_sign() -> None:
    for query in ('"OR"', '"机关:甲"', '"(a"', "“AND”"):
        assert parse(query, WORDS)
    with pytest.raises(BadQuery):
        parse("甲:乙", WORDS)


C = "培训学校机构无证办收费退责令改正公告处罚"
HOSTILE = (
    *(
        "培" * 499,
        "(" * 499,
        "- " * 249,
        '"' * 499,
        "(" * 10_000,
        "培训" * 249,
        "培" * 120,
        "😀" * 499,
        "NEAR " * 90,
        "'; DROP TABLE texts; --",
    ),
    *(" ".join(C[:16]), " OR ".join(C[:16]), " OR ".join(f"NOT {c}" for c in C[:16]), " ".join(f"-{c}" for c in C[:16])),
    *(
        " OR ".join(f"({a} -{b})" for a, b in zip(C[:8], C[8:16], strict=True)),
        " OR ".join(f"罚款:{n}.." for n in range(16)),
        "机关:局 OR " * 15 + "培",
    ),
)


@pytest.mark.bench
def test_no_query_over_20_000_documents_takes_long(tmp_path: Path) -> None:
    many = [replace(DOCUMENTS[number % 4], id=f"n-{number:05d}", rank=number) for number in range(20_000)]
    build_texts(tmp_path / "t.db", many, FIELDS)
    with open_texts(tmp_path / "t.db") as opened:
        for query in HOSTILE:
            took = []
            for _ in range(3):
                start = process_time()
                opened.search(query, count=("authority", "kind"))
                took.append(process_time() - start)
            assert min(took) < 0.05, f"{query[:40]} took {min(took) * 1_000:.0f} ms of a core"


# -- the file --------------------------------------------------------------------------------------------------------------


def test_the_same_documents_make_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(pickle.dumps((DOCUMENTS, FIELDS)))
    script = (
        "import sys, pickle, pathlib, search; a, b = map(pathlib.Path, sys.argv[1:]); search.build_texts(b, *pickle.loads(a.read_bytes()))"
    )
    made = []
    for seed in ("1", "2"):
        path = tmp_path / (seed * 3) / "notices.db"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "given"), str(path)], check=True, env=environment)
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_an_index_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notices.db"
    build_texts(path, DOCUMENTS, FIELDS)
    before = path.read_bytes()
    monkeypatch.setattr(search.texts_write, "BATCH", 1)

    def broken() -> Iterator[Document]:
        yield DOCUMENTS[0]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        build_texts(path, broken(), FIELDS)
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["notices.db"]


@pytest.mark.parametrize(
    ("documents", "fields", "said"),
    [
        ([DOCUMENTS[0], DOCUMENTS[0]], FIELDS, "twice"),
        ([DOCUMENTS[1], DOCUMENTS[0]], FIELDS, "order"),
        ([document(1, "a", place="x")], FIELDS, "'place', which is no field"),
        ([], [Field("a", TEXT, ("机关",)), Field("b", KEYWORD, ("机关",))], "two fields"),
    ],
)
def test_what_cannot_be_an_index_is_refused(tmp_path: Path, documents: list[Document], fields: tuple[Field, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_texts(tmp_path / "notices.db", documents, fields)


def test_what_is_no_index_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "notices.db"
    for content in (b"", b"not a database" * 100):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not an index of texts"):
            open_texts(path)


def test_what_a_text_says_can_be_seen_in_the_bytes(tmp_path: Path) -> None:
    build_texts(tmp_path / "notices.db", DOCUMENTS, FIELDS)
    assert " ".join(tokens("擅自举办校外培训机构")).encode() in (tmp_path / "notices.db").read_bytes()


def test_what_is_told_at_a_glance_is_what_is_found(texts: Texts) -> None:
    """Without what may be meant and without counts, most of what is nowhere is told without SQLite; and nothing that is there is lost."""
    queries = ["退费", "超期收费", "退收", "晨星 退费", "abc", "9135", "责令改正", "令责", "退费 nowhere", "收"]
    for query in queries:
        quick, whole = texts.search(query, operators=False, meant=False), texts.search(query, operators=False)
        assert (quick.total, quick.ids) == (whole.total, whole.ids), query


def test_what_is_shown_of_many_is_found_without_reading_all(tmp_path: Path) -> None:
    """The same as with their number; of one word by two questions that end at the documents that are ordered."""
    made = [document(n, f"{'退费' * (n % 7)}通知", "关于退费" if n % 5 else "收费", kind="penalty") for n in range(1_500)]
    build_texts(tmp_path / "notices.db", made, FIELDS)
    with open_texts(tmp_path / "notices.db") as texts:
        unsaid, hidden = {"n-0003": ["title"]}, {one.id for one in made[:1_250]}
        ways: list[dict[str, Any]] = [
            {},
            {"offset": 8},
            {"limit": 1_400},
            {"hidden": hidden},
            {"unsaid": unsaid},
            {"filters": {"kind": "x"}},
        ]
        for query in ("退费", "退费 通知", "退费通知", "通知", "收", "nowhere", "退费" * 5, ""):
            for how in ways:
                quick, whole = (texts.search(query, operators=False, meant=False, total=total, **how) for total in (False, True))
                assert quick.ids == whole.ids, (query, how)
        asked: list[str] = []
        texts._file.connection.set_trace_callback(asked.append)
        texts.search("退费", operators=False, meant=False, total=False)
        ours = [sql for sql in asked if sql.startswith("SELECT")]
        assert [any(end in sql for end in ("LIMIT 1 OFFSET 999", "rowid <= 1030 ORDER BY bm25")) for sql in ours] == [True, True], ours


@given(
    st.lists(st.lists(st.sampled_from("甲乙丙丁戊a1"), max_size=8), max_size=5),
    st.lists(st.sampled_from("甲乙丙丁戊a1"), min_size=1, max_size=4),
)
def test_a_run_that_stands_somewhere_is_never_said_to_be_nowhere(documents: list[list[str]], asked: list[str]) -> None:
    runs = {run for tokens in documents for run in texts_runs.of(tokens)}
    made = texts_runs.bits(runs, len(runs))
    if any(tokens[start : start + len(asked)] == asked for tokens in documents for start in range(len(tokens))):
        assert texts_runs.may_have(made, asked)
    assert not texts_runs.may_have(made, ["nowhere", "at"])
