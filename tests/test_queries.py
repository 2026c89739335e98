"""The labelled queries are the same each time, of every class, and their labels hold by other means than those that made them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from bench import spellings
from bench.corpus import REGIONS, SEED, SOURCES, TODAY, Institution, corpus, syllables, weights
from bench.labels import Labels
from bench.queries import CLASSES, NEIGHBOURS, Neighbour, Query, neighbours, queries
from bench.serving import Answer
from publish.platform import new_world, running
from publish.platform.counties import regions_from
from publish.run import run
from publish.work import Access
from search import Document, build

LITERAL = ("full", "sign", "former", "half", "no_legal", "no_trade", "no_place")
SLIPS = ("homophone", "wrong", "missing", "added", "swapped")
SIZE, COUNT = 500, 1000


@pytest.fixture(scope="module")
def known() -> dict[str, Institution]:
    return {one.id: one for one in corpus(SIZE)}


@pytest.fixture(scope="module")
def labels(known: dict[str, Institution]) -> Labels:
    return Labels(list(known.values()))


@pytest.fixture(scope="module")
def asked(labels: Labels) -> list[Query]:
    return queries(labels, COUNT)


@pytest.fixture(scope="module")
def near(labels: Labels) -> list[Neighbour]:
    return neighbours(labels, 300)


def plain(text: str) -> str:
    """A text of the platform without what `compact` drops, by hand."""
    return text.translate(str.maketrans("", "", "（）()[]、 ")).lower()


def one_slip(typed: str, meant: str) -> bool:
    """Whether one character is wrong, missing, added or swapped with the next."""
    if typed == meant:
        return True
    spot = next((spot for spot, (left, right) in enumerate(zip(typed, meant, strict=False)) if left != right), min(len(typed), len(meant)))
    rests = (typed[spot:], meant[spot:])
    left, right = rests
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])


def test_the_same_arguments_make_the_same_queries(asked, near):
    again = Labels(corpus(SIZE))
    assert (queries(again, COUNT), neighbours(again, 300)) == (asked, near)


def test_there_are_queries_of_every_class_in_both_parts(asked):
    counts = Counter((query.kind, query.part) for query in asked)
    assert len(CLASSES) >= 18
    assert {(kind, part) for kind in CLASSES for part in ("tune", "held")} - set(counts) == set()


def test_an_institution_is_in_one_part_and_is_right_itself(asked):
    parts = defaultdict(set)
    for query in asked:
        parts[query.of].add(query.part)
        assert query.of in query.right
    assert {len(found) for found in parts.values()} == {1}


def test_what_is_scored_is_asked_in_words_that_are_not_tuned_on():
    assert set(spellings.questions("tune")).isdisjoint(spellings.questions("held"))
    assert min(len(spellings.questions(part)) for part in ("tune", "held")) >= 15


@pytest.mark.parametrize("kind", LITERAL)
def test_right_are_those_that_hold_the_text_and_nobody_else(asked, known, kind):
    for query in asked:
        if query.kind == kind:
            assert query.right == {one.id for one in known.values() if any(plain(query.text) in plain(name) for name in one.names)}, query


@pytest.mark.parametrize("kind", SLIPS)
def test_a_slip_is_one_character_from_a_part_of_every_right_name_and_is_in_no_name(asked, known, kind):
    for query in asked:
        if query.kind != kind:
            continue
        typed = plain(query.text)
        assert not any(typed in plain(name) for one in known.values() for name in one.names), query
        for id in query.right:
            names = [plain(name) for name in known[id].names]
            parts = [
                name[start : start + size]
                for name in names
                for size in range(len(typed) - 1, len(typed) + 2)
                for start in range(len(name) - size + 1)
            ]
            assert any(one_slip(typed, part) for part in parts), (query, names)


def test_a_code_with_a_slip_is_nobodys_and_one_character_from_every_right_code(asked, known):
    codes = {one.code for one in known.values()}
    for query in asked:
        if query.kind == "code_typo":
            assert query.text not in codes
            assert all(one_slip(query.text, known[id].code) for id in query.right), query


def test_a_brand_with_a_region_is_of_institutions_there(asked, known):
    for query in asked:
        if query.kind in ("brand_district", "brand_city"):
            for one in (known[id] for id in query.right):
                assert sum(query.text.count(character) for character in one.brand) >= len(one.brand)
                assert set(query.text) <= set(f"{one.brand}{one.trade}{one.region_text}{one.name} "), (query, one)


def test_initials_and_pinyin_are_those_of_a_right_name(asked, known):
    for query in asked:
        if query.kind.startswith("pinyin") or query.kind == "initials":
            for one in (known[id] for id in query.right):
                read = [syllables(one, name) for name in one.names]
                spelt = ["".join(part[0] if query.kind == "initials" else part for part in found).lower() for found in read]
                assert any(query.text.replace(" ", "") in letters for letters in spelt), (query, spelt)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("重庆市渝中区", "chongqingshiyuzhongqu"),
        ("厦门", "xiamen"),
        ("长沙市", "changshashi"),
        ("乐清市", "yueqingshi"),
        ("六安", "luan"),
        ("番禺区", "panyuqu"),
        ("蚌埠市", "bengbushi"),
        ("单县", "shanxian"),
        ("台州", "taizhou"),
        ("西安", "xian"),
    ],
)
def test_a_place_is_read_as_people_there_say_it(place, read):
    one = Institution("o-1", SOURCES[0], f"{place}启明艺术培训中心", place, "启明", "艺术", "培训中心")
    assert "".join(syllables(one, one.name)) == f"{read}qimingyishupeixunzhongxin"


def test_a_neighbour_is_nobodys_name(near, known):
    names = {plain(name) for one in known.values() for name in one.names}
    assert set(NEIGHBOURS) == {one.kind for one in near}
    assert not [one for one in near if plain(one.text) in names]


def test_a_neighbour_by_brand_differs_in_one_character(near, known):
    for one in near:
        if one.kind == "brand":
            name = known[one.of].name
            assert len(one.text) == len(name)
            assert sum(left != right for left, right in zip(one.text, name, strict=True)) == 1


def test_an_answer_is_read_however_it_comes_in():
    answer, sent = Answer(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"
    assert [answer.whole(sent[spot : spot + 1]) for spot in range(len(sent))] == [None] * (len(sent) - 1) + [(404, 5)]
    assert answer.whole(sent) == (404, 5)
    with pytest.raises(ValueError, match="without content-length"):
        answer.whole(b"HTTP/1.1 200 OK\r\n\r\n")


def test_what_is_searched_is_what_a_release_is_indexed_by(work, monkeypatch):
    handed: list[Document] = []
    said: dict[str, float] = {}

    def kept(path: Path, documents: Iterable[Document], weights: Mapping[str, float]) -> int:
        handed.extend(documents)
        said.update(weights)
        return build(path, handed, weights)

    monkeypatch.setattr("search.build", kept)
    with running(new_world(40, seed=SEED, months=1, regions=regions_from(REGIONS, TODAY))) as address:
        run(work, {"platform": address}, access=Access(rate=0))
    made = {one.name: one.document(1) for one in corpus(40, day=0)}
    theirs = [document for document in handed if document.kind == "institution"]
    assert {document.title for document in theirs} == set(made)
    for document in theirs:
        ours = made[document.title]
        lines = [{name: set(text.split("\n")) for name, text in one.fields.items()} for one in (ours, document)]
        assert lines[0] == lines[1]
        assert ours.identifiers == document.identifiers
        assert ours.facets.keys() >= document.facets.keys() - {"list"}
    assert weights().items() <= said.items()


@pytest.mark.real
def test_real_names_are_asked_for_too(real_data):
    found = Labels(corpus(2000, real_data))
    counts = Counter(query.source for query in queries(found, 800))
    assert set(counts) == set(SOURCES)
    assert min(counts.values()) > 50
