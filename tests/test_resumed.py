"""A transfer that breaks off is taken up where it stopped, and two issues of a file are never joined."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import closing
from random import Random

import pytest

from deliveries.scripted import Asked, Said, serving
from publish.errors import SourceBroken, SourceUnavailable
from publish.places import Measured
from publish.served import Site
from publish.sources import SourcePlan
from publish.sources.http import Http
from publish.sources.resumed import MOST

ONE, OTHER = Random(1).randbytes(200_000), Random(2).randbytes(200_000)
Answer = Callable[[Asked, int], Said]  # to a request, the how manieth it is


def body(data: bytes, asked: Asked, etag: str = '"one"', cut: int | None = None, **more: str) -> Said:
    """What a site answers: the rest where the issue is the one that is asked for, else all."""
    first = int(asked.headers.get("range", "bytes=0-")[6:-1])
    if first and asked.headers.get("if-range") == etag:
        return Said(206, data[first:], {"ETag": etag, "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}", **more}, cut)
    return Said(200, data, {"ETag": etag, **more}, cut)


def fetched(answer: Answer, retries: int = 2) -> tuple[bytes, list[Asked], list[float]]:
    """The body that arrives, what was asked, and how long it was waited."""
    whole: list[bytes] = []
    waits: list[float] = []

    def take(chunks: Iterable[bytes]) -> None:
        whole.append(b"".join(chunks))

    counted = iter(range(10_000))
    with serving(lambda asked: answer(asked, next(counted))) as server:
        plan = SourcePlan("release", server.url, (), rate=0, timeout=(2, 2), retries=retries)
        with closing(Http(plan, waits.append)) as http:
            try:
                assert http.get(f"{server.url}/file", "file", accept="*/*", compressed=False, into=take).status == 200
            finally:
                assert all(one.headers["accept-encoding"] == "identity" for one in server.asked)
    return whole[-1], server.asked, waits


@pytest.mark.parametrize("seed", range(5))
def test_a_transfer_that_breaks_off_at_random_places_goes_on_where_it_stopped(seed: int) -> None:
    chance, sent = Random(seed), [0]

    def answer(asked: Asked, number: int) -> Said:
        said = body(ONE, asked, cut=chance.choice([0, 1, 100, 70_000, chance.randrange(1, 200_000)]) if number < 12 else None)
        sent[0] += min(len(said.body), len(said.body) if said.cut is None else said.cut)
        return said

    found, asked, waits = fetched(answer, retries=12)
    assert hashlib.sha256(found).digest() == hashlib.sha256(ONE).digest()
    assert len(waits) == len(asked) - 1 > 1
    assert sent[0] == len(ONE), "nothing is sent twice"


def test_a_file_that_is_another_meanwhile_is_begun_anew() -> None:
    def answer(asked: Asked, number: int) -> Said:
        return body(*((ONE, asked, '"one"', 150_000) if number == 0 else (OTHER, asked, '"other"', 60_000 if number < 3 else None)))

    found, asked, _ = fetched(answer)
    assert found == OTHER
    assert [one.headers.get("if-range") for one in asked] == [None, '"one"', None, '"other"']


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content-Range": "bytes 0-199999/200000"},
        {"Content-Range": "bytes 99999-199998/200000"},
        {"Content-Range": "bytes 100001-199999/200000"},
        {"Content-Range": "bytes 100000-199999/200001"},
        {"Content-Range": "bytes 100000-199999/*"},
        {"Content-Range": "bytes */200000"},
        {"Content-Range": "lines 100000-199999/200000"},
        {"Content-Range": ""},
        {"ETag": '"other"'},
        {"ETag": 'W/"one"'},
        {"ETag": ""},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_part_that_is_not_the_one_that_was_asked_for_is_not_joined(wrong: dict[str, str]) -> None:
    def answer(asked: Asked, number: int) -> Said:
        if number == 0:
            return body(ONE, asked, cut=100_000)
        good = body(OTHER, asked, '"one"')  # other bytes: where they are joined to the first half, it shows
        return Said(good.status, good.body, {**good.headers, **wrong}) if number == 1 else body(ONE, asked)

    found, asked, _ = fetched(answer)
    assert found == ONE
    assert ["range" in one.headers for one in asked] == [False, True, False]


@pytest.mark.parametrize("status", [200, 404, 410, 416, 302, 304])
def test_any_other_answer_than_the_part_begins_anew(status: int) -> None:
    def answer(asked: Asked, number: int) -> Said:
        first = body(ONE, asked, cut=100_000) if number == 0 else body(ONE, asked)
        return Said(status, b"x" * 9 if status != 304 else b"", {"ETag": '"one"'}) if number == 1 else first

    found, asked, _ = fetched(answer)
    assert (found == ONE, len(asked)) == (True, 3)


@pytest.mark.parametrize("said", [{"ETag": 'W/"one"'}, {"ETag": "one"}, {"ETag": ""}, {"Content-Encoding": "gzip"}])
def test_what_has_no_strong_tag_or_is_coded_on_its_way_is_begun_anew(said: dict[str, str]) -> None:
    found, asked, _ = fetched(lambda asked, number: Said(200, ONE, said, 100_000 if number == 0 else None))
    assert (found == ONE, ["range" in one.headers for one in asked]) == (True, [False, False])


def test_a_part_in_chunks_that_ends_early_or_goes_on_too_long_is_not_the_rest() -> None:
    def chunked(data: bytes) -> Said:
        said = {"ETag": '"one"', "Content-Range": "bytes 100000-199999/200000", "Transfer-Encoding": "chunked"}
        return Said(206, b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data), said)

    def answer(asked: Asked, number: int) -> Said:
        return [body(ONE, asked, cut=100_000), chunked(ONE[100_000:150_000]), body(ONE, asked)][number]

    assert fetched(answer)[0] == ONE
    longer = [chunked(ONE[100_000:] + b"more"), Said(200, ONE, {"ETag": '"one"'})]
    assert fetched(lambda asked, number: body(ONE, asked, cut=100_000) if number == 0 else longer[number - 1])[0] == ONE


@pytest.mark.parametrize("cut", [None, 50_000])
@pytest.mark.parametrize("then", [ONE, OTHER])
def test_what_was_joined_and_is_not_what_was_signed_is_fetched_once_from_its_beginning(then: bytes, cut: int | None) -> None:
    """A cache may keep one strong tag over two issues."""

    def answer(asked: Asked, number: int) -> Said:
        return body(ONE if number == 0 else OTHER if number == 1 else then, asked, cut=(100_000, None, cut, None)[number])

    counted = iter(range(9))
    with serving(lambda asked: answer(asked, next(counted))) as server:
        client = Http(SourcePlan("release", server.url, (), rate=0, timeout=(2, 2), retries=2), lambda _: None)
        with closing(Site(f"{server.url}/data/2026-11-23/", client)) as there:
            sha256 = hashlib.sha256(ONE).hexdigest()
            found = there.measured("mingbai.db", len(ONE), sha256)
        assert found == Measured(hashlib.sha256(then).hexdigest(), len(ONE))
        assert ["range" in one.headers for one in server.asked] == [False, True, False, *([False] if cut else [])]


def test_what_came_in_one_piece_is_fetched_once_whatever_it_is() -> None:
    with serving(lambda asked: body(ONE, asked)) as server:
        client = Http(SourcePlan("release", server.url, (), rate=0), lambda _: None)
        with closing(Site(f"{server.url}/data/2026-11-23/", client)) as there:
            assert there.measured("mingbai.db", len(ONE), "0" * 64) == Measured(hashlib.sha256(ONE).hexdigest(), len(ONE))
        assert len(server.asked) == 1


def test_who_is_asked_to_wait_waits_and_who_has_to_wait_too_long_is_told() -> None:
    def answer(asked: Asked, number: int, after: str) -> Said:
        if number == 1:
            return Said(503, b"", {"Retry-After": after})
        return body(ONE, asked, cut=100_000 if number == 0 else None)

    found, asked, waits = fetched(lambda asked, number: answer(asked, number, "7"))
    assert (found == ONE, len(asked), 7 < waits[1] < 8) == (True, 3, True)
    with pytest.raises(SourceUnavailable, match="asks us to come back in 9999 s"):
        fetched(lambda asked, number: answer(asked, number, "9999"))


def test_a_server_that_never_brings_the_end_is_left_after_a_few_tries() -> None:
    asked: list[Asked] = []

    def answer(one: Asked, number: int) -> Said:
        asked.append(one)
        return body(ONE, one, cut=1 if "range" not in one.headers else 0)

    with pytest.raises(SourceBroken, match=r"the body ends early \(3 requests\)"):
        fetched(answer)
    assert len(asked) == 3, "in all, from its beginning or for the rest"


@pytest.mark.parametrize(("step", "changes", "most"), [(1, False, 6), (1999, False, 6), (2000, False, MOST), (2000, True, MOST)])
def test_one_count_is_kept_of_all_that_is_asked_for_one_body(step: int, changes: bool, most: int) -> None:
    """However often it is another one, or a little more of it comes."""
    asked: list[Asked] = []

    def drips(one: Asked, number: int) -> Said:
        asked.append(one)
        return body(ONE, one, f'"{number // 20 if changes else 0}"', step)

    with pytest.raises(SourceBroken, match=rf"the body ends early \({most} requests"):
        fetched(drips, retries=5)
    assert len(asked) == most
