"""The search finds what people mean among 1,500 invented institutions: each class of labelled queries at or above its aim.

The whole measurement, at full size and with real names, is `make bench ARGS="--search 200000"`.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.corpus import corpus, weights
from bench.hostile import HOSTILE
from bench.labels import Labels
from bench.queries import CLASSES, TYPOS, Neighbour, Query, neighbours, queries
from bench.searching import AIM, AIM_TYPOS, KIND
from search import Index, Results, build, open_index
from search.order import scores
from search.question import question
from search.rank import score_of

SIZE, COUNT = 1500, 2600


@pytest.fixture(scope="module")
def labels() -> Labels:
    return Labels(corpus(SIZE))


@pytest.fixture(scope="module")
def index(labels: Labels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    path: Path = tmp_path_factory.mktemp("quality") / "index.db"
    build(path, (one.document(rank) for rank, one in enumerate(labels.corpus, 1)), weights())
    with open_index(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def asked(labels: Labels) -> dict[str, list[Query]]:
    found = defaultdict(list)
    for query in queries(labels, COUNT):
        found[query.kind].append(query)
    return found


@pytest.fixture(scope="module")
def near(labels: Labels) -> list[Neighbour]:
    return neighbours(labels, 450)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_right_institution_is_among_five(index, labels, asked, kind):
    names = {one.id: one.name for one in labels.corpus}
    missed = []
    for query in asked[kind]:
        hits = index.search(query.text, kind=KIND, limit=5).hits
        if query.right.isdisjoint(hit.id for hit in hits):
            missed.append(f"{query.text!r} of {names[query.of]!r}: {[hit.title for hit in hits]}")
    aim = AIM_TYPOS if kind in TYPOS else AIM
    assert len(asked[kind]) >= 20
    assert 1 - len(missed) / len(asked[kind]) >= aim, "\n".join(missed)


def test_a_name_that_nobody_has_is_never_called_the_same(index, near):
    assert len(near) > 200
    said = [(one.text, hits[0].title) for one in near if (hits := index.search(one.text, kind=KIND, limit=1).hits) and hits[0].exact]
    assert said == []


@pytest.mark.parametrize("kind", ["one", "two", "region", "order", "half", "brand_city", "address"])
def test_many_documents_score_at_once_what_each_does(index, asked, kind):
    count = 0
    for query in asked[kind]:
        words = question(query.text)
        some = index._gather.with_words(words.words)[:100].tolist()
        if not some:
            continue
        one_by_one = [
            score_of(words.words, words.run, index._stored.names(each), partial(index._stored.others, each), index._fields) for each in some
        ]
        assert scores(words.words, words.run, some, index._stored, index._fields).tolist() == one_by_one, query.text
        count += len(some)
    assert count > 5


@pytest.mark.parametrize("kind", ["full", "code"])
def test_a_whole_name_and_a_code_are_called_the_same(index, asked, kind):
    for query in asked[kind]:
        assert index.search(query.text, kind=KIND, limit=1).hits[0].exact, query


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_answered(index, name):
    found = index.search(HOSTILE[name], kind=KIND)
    assert isinstance(found, Results)
    assert found.total >= len(found.hits)
    assert len(index.suggest(HOSTILE[name])) <= 8
