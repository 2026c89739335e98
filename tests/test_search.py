"""Search finds a name by any part of it, in any spelling, and takes every query for words."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from search import (
    BEGINS,
    IDENTIFIER,
    INITIALS,
    INSIDE,
    SOUND,
    TYPO,
    WHOLE,
    WORDS,
    Document,
    Index,
    Match,
    Results,
    build,
    compact,
    fold,
    is_question,
    open_index,
    spans,
)
from search.ear import HELD
from search.letters import SURROGATES, kept, placed
from search.numbers import Numbered, Numbers
from search.postings import DENSE, Postings, encode
from search.stored import Stored

WEIGHTS = {"name": 10.0, "title": 3.0, "alias": 8.0, "region": 3.0, "address": 2.0, "facts": 1.0}
CODE, PERMIT = "91350100M000100Y4", "教民135010270000018"

DOCUMENTS = (
    Document("i-star", "institution", "福州市鼓楼区晨星教育培训有限公司", {"name": "福州市鼓楼区晨星教育培训有限公司", "alias": "晨星英语\n小星星", "region": "福建省福州市鼓楼区"}, (CODE, PERMIT), 0, {"list": "white", "province": "35"}),
    Document("i-east", "institution", "新东方（朝阳）培训学校", {"name": "新东方（朝阳）培训学校", "region": "北京市朝阳区", "address": "建国路８８号SOHO现代城B座"}, (), 1, {"list": "white", "province": "11"}),
    Document("i-west", "institution", "新东方培训学校", {"name": "新东方培训学校", "region": "重庆市渝中区", "address": "朝阳街1号"}, (), 2, {"list": "grey", "province": "50"}),
    Document("i-sun", "institution", "朝阳区日出艺术中心", {"name": "朝阳区日出艺术中心", "region": "北京市朝阳区", "address": "新东方大厦3层"}, (), 3, {"list": "grey", "province": "11"}),
    Document("i-drum", "institution", "乾元擊鼓舞蹈工作室", {"name": "乾元擊鼓舞蹈工作室"}, (), 3, {}),
    Document("n-fine", "notice", "关于晨星教育的处罚", {"facts": "当事人收取超过三个月的费用，编号" + CODE}, (), 4, {"list": "none"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path = tmp_path_factory.mktemp("search") / "index.db"
    assert build(path, DOCUMENTS, WEIGHTS) == len(DOCUMENTS)
    with open_index(path) as opened:
        yield opened


def ids(results: Results) -> list[str]:
    return [hit.id for hit in results.hits]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("福州市鼓楼区晨星教育培训有限公司", "i-star"),
        ("晨星教育", "i-star"),
        ("小星星", "i-star"),
        ("擊", "i-drum"),
        ("击鼓", "i-drum"),
        ("乾", "i-drum"),  # by phrases 乾元 and 乾 fold to two different characters
        ("乾元", "i-drum"),
        ("舞蹈 乾元", "i-drum"),
        ("鼓樓區 晨星", "i-star"),
        ("鼓楼晨星", "i-star"),
        ("晨星鼓楼区福建", "i-star"),
        ("新东方", "i-west"),  # what begins a shorter name stands before the rest
        ("新东方朝阳", "i-east"),
        ("新东方(朝阳)", "i-east"),
        ("新东方【朝阳】培训学校", "i-east"),
        ("朝阳 新东方", "i-east"),
        ("新东方 渝中", "i-west"),
        ("日出", "i-sun"),
        ("ｓｏｈｏ 88号", "i-east"),
        ("soho现代城Ｂ", "i-east"),
        ("b", "i-east"),
        (CODE, "i-star"),
        (CODE.lower(), "i-star"),
        ("９１３５ ０１００-M000100Y4", "i-star"),
        ("0100M0001", "i-star"),
        ("教民 135010270000018", "i-star"),
        ("晨星 " + PERMIT, "i-star"),
        ("处罚 三个月", "n-fine"),
    ],
)
def test_it_finds(index: Index, query: str, best: str) -> None:
    assert ids(index.search(query))[0] == best


@given(data=st.data())
def test_every_part_of_every_text_finds_its_document(index: Index, data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(DOCUMENTS))
    values = [value for text in (document.title, *document.fields.values()) for value in text.splitlines()]
    text = data.draw(st.sampled_from([*values, *document.identifiers]))
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    of_number = text in document.identifiers and len(compact(part)) < 6  # four digits are in too many numbers
    if (
        compact(part) and not of_number and (document.identifiers or CODE not in part)
    ):  # a whole identifier stands for itself, as a test below says
        assert document.id in ids(index.search(part))


@pytest.mark.parametrize("query", ["火星", "zzz", "火", "qqqqqq", "99999999"])
def test_it_finds_nothing_that_is_not_there(index: Index, query: str) -> None:
    assert index.search(query) == Results(0)


@pytest.mark.parametrize(("query", "near"), [("新东方培训中心大楼", "i-west"), ("星星小", "i-star"), (CODE[:-1] + "5", "i-star")])
def test_what_is_only_near_is_never_the_same(index: Index, query: str, near: str) -> None:
    hits = index.search(query).hits
    assert near in [hit.id for hit in hits]
    assert all(not hit.exact and hit.score < 0.9 for hit in hits)


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "　",
        "，。（）",
        '"',
        '"" *',
        "😀",
        "\x00",
        "\ud800",
        "\u202e\u200b",
        "\ue000",
        "́",
        "a" * 3000,
        "培" * 300,
        " ".join(map(str, range(17))),
    ],
)
def test_a_query_without_anything_to_search_for_has_no_hits(index: Index, query: str) -> None:
    assert index.search(query) == Results(0)


@pytest.mark.parametrize(
    "query",
    [
        "NEAR(新东方 学校, 2)",
        "{c0} : 新",
        "c0:新东方",
        '新" OR "晨',
        "^新东方*",
        "'; DROP TABLE documents; --",
        "(" * 300 + "新",
        "新\x00东方",
        "0" * 256,
        "NOT 新",
        "AND",
    ],
)
def test_operators_are_words(index: Index, query: str) -> None:
    words = fold(query).split()
    for hit in index.search(query).hits:
        document = next(document for document in DOCUMENTS if document.id == hit.id)
        text = compact("".join((document.title, *document.fields.values(), *document.identifiers)))
        assert all(any(part in text for part in (word, word[:2])) for word in words)


@given(
    query=st.text() | st.text(alphabet="新东方 朝阳\"'()*^:{}-+\0ANDORNT😀\ud800", max_size=60),
    kind=st.none() | st.text(max_size=3),
    limit=st.integers(-(2**70), 2**70),
    offset=st.integers(-(2**70), 2**70),
    filters=st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2), max_size=2),
)
def test_no_query_raises(
    index: Index, query: str, kind: str | None, limit: int, offset: int, filters: dict[str, str | list[str]] | None
) -> None:
    results = index.search(query, kind=kind, limit=limit, offset=offset, filters=filters)
    assert len(results.hits) <= max(0, min(results.total, limit))


def test_it_says_where_it_matched(index: Index) -> None:
    assert index.search(CODE, kind="institution").hits[0].why == (Match(IDENTIFIER, WHOLE),)
    assert index.search("小星星").hits[0].why == (Match("alias", WHOLE),)
    assert index.search("处罚 三个月").hits[0].why == (Match("title", INSIDE), Match("facts", INSIDE))
    west = next(hit for hit in index.search("新东方 朝阳").hits if hit.id == "i-west")
    assert west.why == (Match("name", BEGINS), Match("address", BEGINS))


def test_an_identifier_stands_for_itself_and_words_beside_it_still_count(index: Index) -> None:
    assert ids(index.search(CODE)) == ["i-star"]
    assert ids(index.search(CODE + " 小星星")) == ["i-star"]
    assert ids(index.search(CODE + " 三个月")) == ["n-fine"]  # the code stands in its text
    assert ids(index.search(CODE, kind="notice")) == ["n-fine"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"list": "white"}, ["i-east"]),
        ({"list": ["white", "grey"]}, ["i-east", "i-sun", "i-west"]),
        ({"list": ["white", "grey"], "province": "11"}, ["i-east", "i-sun"]),
        ({"list": "White"}, []),
        ({"list": []}, []),
        ({"unknown": "white"}, []),
    ],
)
def test_filters_are_exact(index: Index, filters: dict[str, str | list[str]], found: list[str]) -> None:
    assert sorted(ids(index.search("新东方 朝阳", filters=filters))) == found


def test_kinds_are_kept_apart(index: Index) -> None:
    assert ids(index.search("晨星", kind="notice")) == ["n-fine"]
    assert ids(index.search("晨星", kind="institution")) == ["i-star"]


def test_pages_hold_each_result_once_and_the_whole_name_is_on_the_first(tmp_path: Path) -> None:
    many = [
        Document(str(number), "institution", f"天津市第{number}培训中心", {"address": "和平路"}, ("20262026",), number)
        for number in range(1_000)
    ]
    build(tmp_path / "index.db", [*many, Document("whole", "institution", "培训中心", {}, (), 1_000)], {"address": 1, "title": 2})
    with open_index(tmp_path / "index.db") as index:
        for query, total in (("培训中心", 1_001), ("天津 中心", 1_000), ("20262026", 1_000), ("培", 1_001), ("中心天津", 1_000)):
            seen = [hit for offset in range(0, 1_100, 70) for hit in index.search(query, limit=70, offset=offset).hits]
            assert index.search(query).total == len(seen) == len({hit.id for hit in seen}) == total
            assert [hit.score for hit in seen] == sorted((hit.score for hit in seen), reverse=True)
        assert ids(index.search("培训中心", limit=1)) == ["whole"]
        assert ids(index.search("天津市第999培训中心", limit=1)) == ["999"]
        assert index.search("培训中心", offset=2_000) == Results(1_001)


def test_names_stand_before_other_texts_however_many_those_are(tmp_path: Path) -> None:
    others = [Document(f"i-{n}", "k", f"第{n}号学校", {"address": "晨星路1号"}, (), n) for n in range(4_200)]
    named = [Document(f"n-{n}", "k", f"{n}晨星", {}, (), 5_000 + n) for n in range(150)]
    build(tmp_path / "index.db", [*others, *named], {"title": 3, "address": 1})
    with open_index(tmp_path / "index.db") as index:
        found = [hit.id for offset in range(0, 200, 40) for hit in index.search("晨星", limit=40, offset=offset).hits]
        assert {*found[:100]} <= {one.id for one in named}
        assert {*found[:150]} == {one.id for one in named}
        assert found[150:] == [one.id for one in others[:50]]
        assert index.search("晨星").total == 4_350


def test_a_whole_name_is_found_among_many_numbers_that_hold_it(tmp_path: Path) -> None:
    names = {350: "123456", 360: "123456青禾", 370: "青禾123456"}
    documents = [
        Document(f"i-{n}", "k", names.get(n, f"第{n}号学校"), {}, (f"教民123456{n:06}",) if n != 360 else (), n, {"county": "ab"[n % 2]})
        for n in range(400)
    ]
    build(tmp_path / "index.db", documents, {"title": 1.0})
    with open_index(tmp_path / "index.db") as index:
        found = index.search("123456", count=("county",))
        paged = [hit.id for offset in range(0, 400, 90) for hit in index.search("123456", limit=90, offset=offset).hits]
    assert [(hit.id, hit.exact) for hit in found.hits[:3]] == [("i-350", True), ("i-360", False), ("i-370", False)]
    assert Match(IDENTIFIER, INSIDE) in found.hits[5].why
    assert (found.total, found.facets["county"]) == (400, {"a": 200, "b": 200})
    assert sorted(paged) == sorted(document.id for document in documents)


def test_equals_stand_in_static_rank(tmp_path: Path) -> None:
    build(tmp_path / "index.db", [Document(id, "institution", "明德学校", {}, (), rank) for rank, id in enumerate("cab")], {})
    with open_index(tmp_path / "index.db") as index:
        assert ids(index.search("明德")) == ["c", "a", "b"]


BUILD = """
import hashlib, sys
from pathlib import Path
from search import Document, build
path = Path(sys.argv[1])
texts = {"name": "乾元擊鼓", "address": "路1号", "facts": "收费"}
build(path, (Document(f"i-{n}", "k", f"名{n}", dict(texts), ("a1", "b2"), n, {"x": "1", "y": "2", "z": str(n)}) for n in range(300)), dict.fromkeys(texts, 1.0))
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_same_documents_make_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        made = subprocess.run(
            [sys.executable, "-c", BUILD, str(tmp_path / f"{seed}.db")],
            env=environment,
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(made.stdout.strip())
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([Document("a", "k", "一", {}, (), 2), Document("b", "k", "二", {}, (), 1)], "'b' has rank 1 and comes after rank 2"),
        ([Document("a", "k", "一"), Document("a", "k", "二")], "'a' comes twice"),
        ([Document("a", "k", "一", {"phone": "1"})], "'phone', which has no weight"),
    ],
)
def test_a_build_that_fails_leaves_the_old_index_and_nothing_beside_it(tmp_path: Path, documents: list[Document], message: str) -> None:
    path = tmp_path / "index.db"
    build(path, DOCUMENTS, WEIGHTS)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=message):
        build(path, documents, WEIGHTS)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [child.name for child in tmp_path.iterdir()] == ["index.db"]


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\x00" + b"\0" * 4080])
def test_what_is_no_index_is_refused_in_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "索引 #1?.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="build it again"):
        open_index(path)


def test_an_empty_index_answers(tmp_path: Path) -> None:
    path = tmp_path / "索引 #1?.db"
    assert build(path, [], {}) == 0
    with open_index(path) as index:
        assert index.search("新东方") == Results(0)


def test_threads_share_an_index(index: Index) -> None:
    expected = index.search("新东方")
    with ThreadPoolExecutor(8) as pool:
        assert all(results == expected for results in pool.map(index.search, ["新东方"] * 400))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("重慶市臺灣", "重庆市台湾"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("新东方（朝阳）·教育", "新东方 朝阳 教育"),
        ("Xīn Dōngfāng", "xin dongfang"),
        ("新\u200b东\ufeff方", "新东方"),
        ("㈱① ｶﾞ", "株 1 ガ"),
        ("ß İ", "ss i"),
        ("\x00\ud800😀", ""),
    ],
)
def test_spellings_fold_into_one(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing_and_leaves_letters_and_digits(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert compact(text).encode() == folded.replace(" ", "").encode()
    assert all(character.isalnum() or character >= "\u0900" for character in compact(text))


@given(st.text(alphabet=st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF)), st.integers(0, 50))
def test_half_of_a_name_folds_to_half_of_the_folded_name(text: str, cut: int) -> None:
    assert compact(text) == compact(text[:cut]) + compact(text[cut:])


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("晨星", "福州市晨星教育", ["晨星"]),
        ("鼓樓 晨星", "鼓楼（区）晨星", ["鼓楼", "晨星"]),
        ("新东方(朝阳)", "新东方（朝阳）培训学校", ["新东方", "朝阳"]),
        ("鼓楼晨星", "鼓楼区晨星教育", ["鼓楼", "晨星"]),
        ("火", "晨星", []),
        ("", "晨星", []),
        ("2", "½（晨", ["½"]),
        ("晨星", "½（晨）星", ["晨", "星"]),
    ],
)
def test_what_answers_a_query_is_marked(query: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in spans(query, text)] == marked


SCHOOLS = (
    Document("a", "institution", "重庆市渝中区启明星舞蹈培训中心有限公司", {"name": "重庆市渝中区启明星舞蹈培训中心有限公司", "alias": "启明星舞蹈工作室\nQimingxing Dance", "region": "重庆市渝中区", "address": "重庆市渝中区民权路28号"}, ("91500103MA5U00A10T",), 0, {"county": "500103", "class": ("arts", "sport")}),
    Document("b", "institution", "厦门市思明区卓远编程培训学校", {"name": "厦门市思明区卓远编程培训学校", "alias": "卓远", "region": "福建省厦门市思明区", "address": "福建省厦门市思明区厦禾路9号"}, (), 1, {"county": "350203", "class": ("technology",)}),
    Document("c", "institution", "厦门市思明区卓越编程培训学校", {"name": "厦门市思明区卓越编程培训学校", "region": "福建省厦门市思明区", "address": "福建省厦门市思明区湖滨路1号"}, (), 2, {"county": "350203", "class": ("technology", "arts")}),
    Document("d", "institution", "菏泽市单县长乐书法培训部", {"name": "菏泽市单县长乐书法培训部", "region": "山东省菏泽市单县"}, (), 3, {"county": "371722", "class": ("arts",)}),
    Document("e", "institution", "广州市番禺区启明星美术培训中心", {"name": "广州市番禺区启明星美术培训中心", "region": "广东省广州市番禺区"}, (), 4, {}),
)  # fmt: skip


@pytest.fixture(scope="module")
def schools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path = tmp_path_factory.mktemp("search") / "schools"
    build(path, SCHOOLS, WEIGHTS)
    with open_index(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "best", "how"),
    [
        ("重庆市渝中区启明星舞蹈培训中心有限公司", "a", WHOLE),
        ("启明星舞蹈工作室", "a", WHOLE),
        ("重庆市渝中区启明星", "a", BEGINS),
        ("启明星舞蹈", "a", BEGINS),
        ("qimingxingwudao", "a", SOUND),
        ("qi ming xing wu dao", "a", SOUND),
        ("chongqingshiyuzhongqu", "a", SOUND),
        ("xiamenshisimingqu", "b", SOUND),
        ("shanxianchangle", "d", SOUND),
        ("panyuqu", "e", SOUND),
        ("cqsyzq", "a", INITIALS),
        ("sxcl", "d", INITIALS),
        ("qimingxing舞蹈", "a", WORDS),
        ("厦门市思明区桌远编程培训学校", "b", SOUND),
        ("厦门市思明区卓远编成培训学校", "b", SOUND),
        ("厦门市思明区卓远便程培训学笑", "b", SOUND),
        ("厦门市思明区卓哈编程培训学校", "b", TYPO),
        ("厦门市思明卓远编程培训学校", "b", WORDS),
        ("厦门市思明区卓远编程的培训学校", "b", TYPO),
        ("厦门市思明区卓远程编培训学校", "b", TYPO),
        ("91500103MA5U00A10T", "a", WHOLE),
        ("91500103MA5U00A1OT", "a", TYPO),
        ("9150103MA5U00A10T", "a", TYPO),
        ("91500103MA5U0A010T", "a", TYPO),
        ("MA5U00A10T", "a", INSIDE),
        ("民权路28号", "a", INSIDE),
        ("舞蹈 启明星 渝中", "a", BEGINS),
        ("番禺启明星", "e", WORDS),
        ("请问启明星舞蹈在哪里？", "a", BEGINS),
        ("卓远编程靠谱吗", "b", INSIDE),
        ("单县长乐书法是不是正规的", "d", INSIDE),
        ("啟明星舞蹈", "a", BEGINS),
        ("卓", "b", BEGINS),
        ("卓 远 编 程", "b", INSIDE),
    ],
)
def test_an_institution_is_found_and_it_says_how(schools: Index, query: str, best: str, how: str) -> None:
    hit = schools.search(query).hits[0]
    assert (hit.id, how in {match.how for match in hit.why}) == (best, True), hit


def test_a_name_is_exact_only_as_a_whole(schools: Index) -> None:
    exact = schools.search("厦门市思明区卓远编程培训学校")
    assert [(hit.id, hit.exact) for hit in exact.hits] == [("b", True)]
    for near in ("厦门市思明区卓元编程培训学校", "厦门市思明区卓远编程培训学", "厦门市思明区卓远编程", "厦门市集美区卓远编程培训学校"):
        assert not any(hit.exact or hit.score > 0.95 for hit in schools.search(near).hits), near
    assert max(hit.score for hit in schools.search("厦门市思明区卓元编程培训学校").hits) < 0.86


@pytest.mark.parametrize(
    ("query", "meant"), [("厦门市思明区桌越编程培训学校", "厦门市思明区卓越编程培训学校"), ("卓远编程", None), ("zzzz", None)]
)
def test_it_asks_what_was_meant_where_nothing_has_the_words(schools: Index, query: str, meant: str | None) -> None:
    assert schools.search(query).meant == meant


@pytest.mark.parametrize("typed", ["启明", "qiming", "qmx", "重庆市渝", "启明星舞"])
def test_what_is_typed_is_completed_by_names(schools: Index, typed: str) -> None:
    found = schools.suggest(typed)
    names = {value for document in SCHOOLS for value in (document.title, *document.fields.get("alias", "").splitlines())}
    assert found
    assert {compact(one.text) for one in found} <= {compact(name) for name in names}
    assert len({one.text for one in found}) == len(found)
    assert all(one.id in {None, *(document.id for document in SCHOOLS)} for one in found)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Index, list[Document]]]:
    counties = ("110101", "110102", "310101")
    documents = [
        Document(f"i-{n}", "institution", f"晨星{'舞蹈' if n % 3 else '书法'}第{n}中心", {}, (), n, {"class": tuple({"x", "yz"[n % 2]}), **({"county": counties[n % 7]} if n % 7 < 3 else {})})
        for n in range(700)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("search") / "many"
    build(path, documents, {})
    with open_index(path) as index:
        yield index, documents


@pytest.mark.parametrize("filters", [{}, {"county": "110101"}, {"class": ["y", "z"]}, {"class": "y", "county": ["110102", "310101"]}])
@pytest.mark.parametrize("sort", [None, "county", "class", "nothing"])
def test_counts_are_of_all_that_matched_and_pages_hold_each_once(
    many: tuple[Index, list[Document]], filters: dict[str, str | list[str]], sort: str | None
) -> None:
    index, documents = many
    facets = {document.id: {name: (values,) if isinstance(values, str) else values for name, values in document.facets.items()} for document in documents}  # fmt: skip
    seen = [
        hit.id for offset in range(0, 800, 90) for hit in index.search("晨星舞蹈", limit=90, offset=offset, filters=filters, sort=sort).hits
    ]
    found = index.search("晨星舞蹈", filters=filters, sort=sort, count=("class", "county", "nothing"))
    assert found.total == len(seen) == len(set(seen))
    for facet in ("class", "county"):
        others = {name: wanted for name, wanted in filters.items() if name != facet}
        every = [hit.id for hit in index.search("晨星舞蹈", limit=1_000, filters=others).hits]
        recount: dict[str, int] = {}
        for id in every:
            for value in facets[id].get(facet, ()):
                recount[value] = recount.get(value, 0) + 1
        assert [*found.facets[facet].items()] == sorted(recount.items(), key=lambda item: (-item[1], item[0]))
    assert found.facets["nothing"] == {}
    if sort in ("county", "class"):
        order = [(not facets[id].get(sort), sorted(facets[id].get(sort, ())), int(id[2:])) for id in seen]
        assert order == sorted(order)


HOSTILE = ("(" * 10_000, "培" * 10_000, "[(" * 120, "*" * 200, "%_" * 60, '"新" OR 1=1; DROP TABLE x --', "😀" * 500, "\x00\x07" * 300, "a" * 128, "qmx" * 40, "zhi" * 26, "新 " * 24, "91" * 60, "有限公司" * 32)  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_queries_are_quick(many: tuple[Index, list[Document]], query: str) -> None:
    begun = time.process_time()
    many[0].search(query, count=("class",))
    many[0].suggest(query)
    assert time.process_time() - begun < 0.5, "50 ms on a machine with nothing else to do"


KILLED = """
import os, signal, sys
from pathlib import Path
from search import Document, build
def documents():
    for n in range(20_000):
        if n == 15_000:
            os.kill(os.getpid(), signal.SIGKILL)
        yield Document(str(n), "k", f"名{n}", {}, (), n)
build(Path(sys.argv[1]), documents(), {})
"""


def test_a_build_that_is_killed_leaves_the_old_index(tmp_path: Path) -> None:
    path = tmp_path / "index"
    build(path, SCHOOLS, WEIGHTS)
    before = path.read_bytes()
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parent.parent, check=False).returncode < 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("cut", [0, 10, 40, 500, -1])
def test_a_part_of_an_index_is_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "index"
    build(path, SCHOOLS, WEIGHTS)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="build it again"):
        open_index(path)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Where an index is, and what it was."""
    path = tmp_path_factory.mktemp("search") / "damaged"
    build(path, SCHOOLS, WEIGHTS)
    return path, path.read_bytes()


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_an_index_with_a_bit_that_fell_over_is_none(damaged: tuple[Path, bytes], at: int, bit: int) -> None:
    path, was = damaged
    whole = bytearray(was)
    whole[at % len(whole)] ^= 1 << bit
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="build it again"):
        open_index(path)


def test_an_index_with_a_block_of_noughts_is_none(tmp_path: Path) -> None:
    path = tmp_path / "index"
    build(path, [Document(f"i-{n}", "k", f"第{n}号晨星培训学校", {}, (), n) for n in range(2_000)], {})
    whole = path.read_bytes()
    header = whole.index(b'"arrays"')
    blocks = range(-(-header // 4096) * 4096, len(whole) - 4096, 4096)
    assert len(blocks) > 3
    for at in blocks:
        path.write_bytes(whole[:at] + bytes(4096) + whole[at + 4096 :])
        with pytest.raises(ValueError, match="build it again"):
            open_index(path)


# -- what is told apart ----------------------------------------------------------------------------------------------

LIKE = (
    Document("shulan", "institution", "舒兰市金童体育培训学校", {"name": "舒兰市金童体育培训学校", "alias": "Golden Child Sports"}, ("教民2233",), 0),
    Document("yulan", "institution", "吉林市玉兰体育培训学校", {"name": "吉林市玉兰体育培训学校", "alias": "玉兰体育"}, ("教民222022010000018",), 1),
    Document("far", "institution", "惠东县慧晨桥创客中心", {"name": "惠东县慧晨桥创客中心", "alias": "Huichenqiao Huiying"}, (), 2),
    Document("huiqi", "institution", "厦门市慧启创客培训中心", {"name": "厦门市慧启创客培训中心"}, (), 3),
    Document("place", "institution", "保定市嘉阳手工培训中心", {"name": "保定市嘉阳手工培训中心"}, (), 4),
    Document("between", "institution", "保定嘉禾美术培训中心", {"name": "保定嘉禾美术培训中心", "alias": "Disney"}, (), 5),
    Document("street", "institution", "英苗舞蹈学校", {"name": "英苗舞蹈学校", "address": "新兴区科学路9号", "facts": "科技"}, (), 6),
    Document("trade", "institution", "七台河市新兴区墨鹰科技培训中心", {"name": "七台河市新兴区墨鹰科技培训中心"}, (), 7),
)  # fmt: skip


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path = tmp_path_factory.mktemp("search") / "like"
    build(path, LIKE, WEIGHTS)
    with open_index(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("Huiqi创客", "huiqi"),  # and not whose name has these pairs of letters apart
        ("Yulan体育", "yulan"),  # 舒 is read yù too, but 体育 does not stand beside it
        ("保定嘉阳", "place"),  # two parts, though 定嘉 stands in another name
        ("新兴区科技", "trade"),  # and not whose address has the pair where a region and a trade meet
        ("嘉阳手工工作室", "place"),  # the end of another's name
        ("Disnay", "between"),
        ("教民222022010000018号", "yulan"),
        ("10000018号", "yulan"),
    ],
)
def test_what_was_typed_stands_before_what_is_like_it(like: Index, query: str, best: str) -> None:
    found = like.search(query)
    assert ids(found)[:1] == [best]
    assert found.meant is None or best == "between"


BESIDE = (  # each pair: what only resembles the query comes first by its rank
    Document("apart", "institution", "青翰手工中心", {"name": "青翰手工中心", "address": "体育东路88号，育场路3号"}, (), 0),
    Document("in a row", "institution", "金鸟跆拳道馆", {"name": "金鸟跆拳道馆", "address": "东川区体育场路88号"}, (), 1),
    Document("longer", "institution", "书阳桥艺术中心", {"name": "书阳桥艺术中心", "alias": "Shuyangqiao", "content": "舞蹈"}, (), 2),
    Document("heard", "institution", "定襄县书雅舞蹈培训中心", {"name": "定襄县书雅舞蹈培训中心"}, (), 3),
    Document("rare", "institution", "奇瑞重工", {"name": "奇瑞重工"}, (), 4),
    Document("usual", "institution", "晋中市毅睿编程中心", {"name": "晋中市毅睿编程中心"}, (), 5),
    Document("sounds", "institution", "株洲启航学堂", {"name": "株洲启航学堂", "alias": "启航"}, (), 6),
    Document("written", "institution", "株洲乐翼学堂", {"name": "株洲乐翼学堂", "alias": "Qihang Dance"}, (), 7),
    Document("taught", "institution", "林金咨询", {"name": "林金咨询", "address": "乐平市", "content": "音乐"}, (), 8),
    Document("called", "institution", "新树音乐学堂", {"name": "新树音乐学堂", "address": "乐平市"}, (), 9),
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("体育场路88号", "in a row"),  # though an address weighs least
        ("SHUYA舞蹈", "heard"),  # and not only whose letters begin so, with the other word elsewhere
        ("Yirui", "usual"),  # 奇 is yi in no word of today
        ("乐平市音乐", "called"),  # a name says what kind of place it is
        ("Qihang", "written"),  # letters stand before what sounds like them
    ],
)
def test_what_is_nearer_to_the_query_stands_before_what_has_the_better_rank(tmp_path: Path, query: str, best: str) -> None:
    build(tmp_path / "index", BESIDE, {"name": 10, "alias": 8, "address": 2, "content": 1})
    with open_index(tmp_path / "index") as opened:
        found = opened.search(query)
    assert ids(found)[:1] == [best]
    assert found.total == 2


@pytest.mark.parametrize("query", ["New Oriental", "New Oriental 英语", "Gordon Chapel", "yoga", "TAL Education", "222022010000018号1"])
def test_nothing_is_better_than_what_only_shares_letters(like: Index, query: str) -> None:
    assert like.search(query).total == 0


def test_another_form_is_never_the_same_though_the_rest_is_a_whole_name(like: Index) -> None:
    (first, *_) = like.search("玉兰体育工作室").hits
    assert (first.id, first.exact) == ("yulan", False)
    assert first.score < 0.9
    assert WHOLE not in {match.how for match in first.why}
    assert like.search("玉兰体育").hits[0].exact


@given(st.data())
def test_numbers_one_slip_away_are_found_and_no_others(data: st.DataObject) -> None:
    digits = st.text("0123", min_size=9, max_size=12).map("教1A".__add__) | st.text("012学", min_size=10, max_size=12)
    known = data.draw(st.lists(digits.filter(lambda text: any(map(str.isdigit, text))), min_size=1, max_size=8, unique=True))
    typed = data.draw(st.sampled_from(known) | digits)
    place = data.draw(st.integers(0, len(typed)))
    typed = typed[:place] + data.draw(st.sampled_from(["", "3", "学"])) + typed[place + data.draw(st.integers(0, 1)) :]
    writing = Numbered()
    writing.add((text, number) for number, text in enumerate(known))
    numbers = Numbers(*writing.finish())
    near = {number: text for number, text in enumerate(known) if OSA.distance(typed, text) == 1}
    assert numbers.near(typed) == (near if len(typed) >= 10 and any(map(str.isdigit, typed)) else {})
    assert numbers.whole(f"{typed}号").tolist() == numbers.whole(typed).tolist() == [n for n, text in enumerate(known) if text == typed]
    end = data.draw(st.sampled_from(known))[-6:]
    has_digit = any(map(str.isdigit, end))
    assert numbers.holding(f"{end}号").tolist() == [n for n, text in enumerate(known) if has_digit and text.endswith(end)]
    assert numbers.holding(end).tolist() == [n for n, text in enumerate(known) if has_digit and end in text]


def test_a_text_is_kept_whatever_its_characters_are() -> None:
    order = np.random.default_rng(1).permutation(0xE000).astype(np.uint16)
    codes = np.concatenate([order[:200], order[2000:2100], order[SURROGATES - 5 :]])
    raw, sizes = kept(codes, order)
    back = dict(zip(placed(order), order.tolist(), strict=True))
    assert [back[ord(letter)] for letter in raw.tobytes().decode()] == codes.tolist()
    assert (sizes[:128] == 1).all()
    assert len(raw) == sizes.sum()


def test_documents_with_thousands_of_characters_come_back_as_they_were(tmp_path: Path) -> None:
    letters = [letter for letter in map(chr, range(0x4E00, 0x4E00 + 5000)) if compact(letter) == letter]
    names = ["".join(letters[start : start + 10]) for start in range(0, len(letters) - 10, 10)]
    build(
        tmp_path / "index",
        (Document(f"i-{number:08x}", "i", name, {"name": name, "address": f"{name}路"}) for number, name in enumerate(names)),
        WEIGHTS,
    )
    with open_index(tmp_path / "index") as index:
        for number in range(0, len(names), 17):
            (hit,) = index.search(names[number]).hits
            assert (hit.id, hit.title, hit.exact) == (f"i-{number:08x}", names[number], True)
            assert {match.field for match in hit.why} == {"name", "address"}


def test_one_kind_of_documents_is_all_of_them_and_another_none(schools: Index) -> None:
    assert schools.search("启明星", kind="institution").total == schools.search("启明星").total == 2
    assert schools.search("启明星", kind="notice").total == 0


def test_a_question_has_as_many_words_as_were_typed() -> None:
    assert is_question("学 校 中 心", 4)
    assert not is_question("学 校 中 心", 3)
    assert not is_question("ﷺ" * 6, 16)  # a sign of four words, of which the last and the next one's first are one


# -- what nearly everybody has ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Index, list[Document]]]:
    """More than HELD whose names have 培训, most of them as a centre, and whose numbers have the same parts."""
    documents = [
        Document(f"i-{n:05}", "k", f"{('鼓楼', '台江', '思明')[n % 3]}区第{n}{'培训' if n % 9 else '托管'}{'中心' if n % 8 else '学校'}", {}, (f"9135010{n % 5}{n:09}X", f"教民1350{n:010}"), n, {"county": str(n % 4)})
        for n in range(3 * HELD)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("search") / "alike"
    build(path, documents, {})
    with open_index(path) as index:
        yield index, documents


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("peixun", ["培训"]),
        ("px", ["培训"]),
        ("gulou peixun zhongxin", ["鼓楼", "培训", "中心"]),
        ("peixunzhongxin", ["培训中心"]),
        ("pxzx", ["培训中心"]),
        ("培训 zhongxin", ["培训", "中心"]),
    ],
)
def test_of_what_nearly_every_name_sounds_like_few_are_looked_at_and_all_are_counted(
    alike: tuple[Index, list[Document]], monkeypatch: pytest.MonkeyPatch, query: str, words: list[str]
) -> None:
    index, documents = alike
    looked_at, gathered = [], Stored.gathered
    monkeypatch.setattr(Stored, "gathered", lambda self, some: looked_at.append(len(some)) or gathered(self, some))
    right = [document for document in documents if all(word in document.title for word in words)]
    found = index.search(query, count=("county",))
    index.suggest(query)
    assert found.total == len(right) > 0
    assert found.facets["county"] == {value: sum(one.facets["county"] == value for one in right) for value in found.facets["county"]}
    assert set(ids(found)) <= {document.id for document in right}
    assert max(looked_at, default=0) <= HELD


@pytest.mark.parametrize("query", ["教民1350", "350102", "135010", "0000000", "教民13500000", "00123x"])
def test_parts_that_nearly_every_number_has_find_each_once(alike: tuple[Index, list[Document]], query: str) -> None:
    index, documents = alike
    right = [document for document in documents if any(fold(query) in fold(number) for number in document.identifiers)]
    found = index.search(query, count=("county",))
    assert found.total == sum(found.facets["county"].values()) == len(right) > 0


def test_no_search_changes_the_documents_of_another():
    """A rare gram's list is kept and cannot be written to; a common one's, which is larger, is made for each search."""
    documents = 4_000
    grams = [(1, range(documents // 2)), (2, range(documents // DENSE))]
    keys = np.array([gram << 32 | document for gram, some in grams for document in some], np.uint64)
    postings = Postings(encode(keys, documents), documents)
    common, rare = postings.of(postings.place(1)), postings.of(postings.place(2))
    with pytest.raises(ValueError, match="read-only"):
        rare[0] = 7
    common[0] = 7
    for place, some in enumerate(some for _, some in grams):
        assert postings.of(place).tolist() == list(some)
    assert postings.of(1) is rare
    assert rare.nbytes <= documents / DENSE * 4
