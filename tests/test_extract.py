"""A source becomes one sealed snapshot, or one clear line and nothing; what was fetched is not fetched twice."""

import gzip
import hashlib
import os
import shutil
import stat
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from deliveries import make
from deliveries.scripted import Answer, Asked, Said, Script, Small, rows, serving
from publish.errors import BadDeclaration, Mingbai, SourceBroken, SourceUnavailable
from publish.extract import extract
from publish.platform import FAULTS, new_world, running
from publish.snapshot import Snapshot, load
from publish.sources import ListingPlan, SourcePlan
from publish.sources.delivery import as_of
from publish.sources.http import shown
from publish.sources.reading import records

NOW = datetime(2026, 11, 23, 2, 3, 4, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC)
TOKEN = "s3cret-Token"


class Waits(list[float]):
    """Stands for sleeping: remembers how long it should have been."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


class Told:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.amount = 0

    def start(self, label: str, total: int | None) -> None:
        self.lines.append(f"{label} {total}")

    def advance(self, amount: int = 1) -> None:
        self.amount += amount

    def finish(self) -> None:
        self.lines.append("done")

    def say(self, text: str) -> None:
        self.lines.append(text)


def plan(address: str, **changed: Any) -> SourcePlan:
    listings = changed.pop("listings", (ListingPlan("rows", "rows", header=changed.pop("header", ())),))
    return SourcePlan("platform", address, listings, **{"rate": 0, "retries": 2, "timeout": (2, 2), **changed})


def take(answer: Answer, home: Path, previous: Snapshot | None = None, now: datetime = NOW, **changed: Any) -> tuple[Snapshot, list[Asked]]:
    """A snapshot of a scripted server, and what it was asked. The port is another one each time, so `previous` is moved along."""
    with serving(answer) as server:
        if previous is not None:
            previous = _moved(previous, server)
        return extract(plan(server.url, **changed), home, now, previous, wait=Waits()), server.asked


def _moved(snapshot: Snapshot, server: Script) -> Snapshot:
    return Snapshot(snapshot.id, snapshot.source, snapshot.folder, server.url, snapshot.taken_at, snapshot.pages, snapshot.content_sha256)


def said(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [record for page in snapshot.pages for _, record in records(snapshot.folder / page.file, page.form, ListingPlan(page.listing))]


def pages_asked(asked: list[Asked]) -> list[str]:
    return [one.query.get("cursor", "first") for one in asked if one.path != "/v1/listings"]


@pytest.mark.parametrize("packed", [True, False])
def test_a_listing_is_kept_as_received_hashed_and_sealed(packed: bool, tmp_path: Path) -> None:
    snapshot, asked = take(Small(rows(5), packed=packed), tmp_path)
    assert said(snapshot) == rows(5)
    assert (snapshot.id, snapshot.taken_at, snapshot.as_of("rows")) == ("platform-20261123T020304Z", "2026-11-23T02:03:04Z", "2026-11-22")
    assert [page.records for page in snapshot.pages] == [2, 2, 1]
    assert all(one.headers["accept-encoding"] == "gzip" for one in asked)
    for page in snapshot.pages:
        body = (snapshot.folder / page.file).read_bytes()
        assert hashlib.sha256(body).hexdigest() == page.sha256
        assert page.file.endswith(".json.gz" if packed else ".json")
        assert (
            page.content_sha256
            == hashlib.sha256(orjson.dumps(orjson.loads(gzip.decompress(body) if packed else body)["records"])).hexdigest()
        )
    assert load(snapshot.folder) == snapshot
    assert sorted(path.name for path in snapshot.folder.iterdir()) == ["rows", "seal.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "raw", snapshot.folder, snapshot.folder / "rows")] == [0o700] * 3


def test_the_content_hash_knows_what_is_said_and_not_when_or_how(tmp_path: Path) -> None:
    first, _ = take(Small(rows(5)), tmp_path / "a")
    other, _ = take(Small(rows(5), as_of="2026-11-23", view="v2", packed=False), tmp_path / "b", now=LATER)
    changed, _ = take(Small([*rows(4), {"id": 4, "orgName": "启明"}]), tmp_path / "c")
    assert first.content_sha256 == other.content_sha256 != changed.content_sha256


def test_nothing_new_gives_the_previous_snapshot_and_leaves_nothing(tmp_path: Path) -> None:
    small = Small(rows(5))
    first, _ = take(small, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    same_view, asked = take(small, tmp_path, first, LATER)
    assert (same_view.id, pages_asked(asked)) == (first.id, []), "the same view is not asked for again"
    small.view, small.as_of = "v2", "2026-11-23"
    other_view, asked = take(small, tmp_path, first, LATER)
    assert (other_view.id, pages_asked(asked)) == (first.id, ["first", "2", "4"])
    assert [one.headers.get("if-none-match") is not None for one in asked] == [False, True, True, False], (
        "rows may now follow the last page: it is asked for in full"
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unchanged_page_is_linked_and_says_the_new_day(tmp_path: Path) -> None:
    small = Small(rows(5))
    first, _ = take(small, tmp_path)
    small.rows, small.view, small.as_of = rows(8), "v2", "2026-11-23"
    second, _ = take(small, tmp_path, first, LATER)
    assert said(second) == rows(8)
    assert second.as_of("rows") == "2026-11-23"
    assert os.path.samefile(first.folder / first.pages[0].file, second.folder / second.pages[0].file)
    assert second.pages[0].etag == first.pages[0].etag
    assert load(second.folder) == second


def test_an_interrupted_extraction_goes_on_where_it_stopped(tmp_path: Path) -> None:
    small, down = Small(rows(8)), True

    def answer(asked: Asked) -> Said:
        return Said(503, b"busy") if down and asked.query.get("cursor") == "4" else small(asked)

    with serving(answer) as server:
        with pytest.raises(
            SourceUnavailable,
            match=r"platform: rows, page 3: status 503 \(busy\) \(3 requests\); run again later, what was fetched is kept",
        ):
            extract(plan(server.url), tmp_path, NOW, wait=Waits())
        assert [path.name for path in (tmp_path / "raw").iterdir()] == ["platform-20261123T020304Z.part"]
        down = False
        server.asked.clear()
        snapshot = extract(plan(server.url), tmp_path, LATER, wait=Waits())
        assert pages_asked(server.asked) == ["4", "6"]
    assert (snapshot.id, said(snapshot)) == ("platform-20261123T020304Z", rows(8))
    assert load(snapshot.folder) == snapshot


def test_what_an_attempt_left_is_used_only_whole_and_under_the_same_view(tmp_path: Path) -> None:
    small, down = Small(rows(8)), True

    def answer(asked: Asked) -> Said:
        return Said(404, b"gone") if down and asked.query.get("cursor") == "6" else small(asked)

    with serving(answer) as server:
        for damage, asked_again in (
            (lambda: None, ["6"]),
            (lambda: body(2).write_bytes(b"torn"), ["2", "4", "6"]),
            (lambda: setattr(small, "view", "v2"), ["first", "2", "4", "6"]),
        ):
            home = tmp_path / str(len(asked_again))

            def body(number: int, home: Path = home) -> Path:
                return next((home / "raw").glob(f"*.part/rows/{number:06d}*"))

            down = True
            with pytest.raises(SourceBroken, match="page 4: status 404"):
                extract(plan(server.url), home, NOW, wait=Waits())
            damage()
            down = False
            server.asked.clear()
            assert said(extract(plan(server.url), home, LATER, wait=Waits())) == rows(8)
            assert pages_asked(server.asked) == asked_again
        assert [one.headers.get("if-none-match") is not None for one in server.asked[1:]] == [True, True, True, False], (
            "a stale page is asked for by its ETag"
        )


def test_a_view_that_expires_is_read_again_once(tmp_path: Path) -> None:
    small = Small(rows(8))

    def answer(asked: Asked) -> Said:
        if asked.query.get("cursor") == "4" and small.view in ("v1", "v9"):
            small.expired.add(small.view)
            small.view = "v2" if small.view == "v1" else "v10"
        return small(asked)

    told = Told()
    with serving(answer) as server:
        snapshot = extract(plan(server.url), tmp_path, NOW, None, told, wait=Waits())
        assert pages_asked(server.asked) == ["first", "2", "4", "first", "2", "4", "6"]
        assert [one.headers.get("if-none-match") is not None for one in server.asked if one.path != "/v1/listings"] == [False] * 3 + [
            True,
            True,
            False,
            False,
        ]
    assert said(snapshot) == rows(8)
    assert any("the view expired" in line for line in told.lines)
    assert load(snapshot.folder) == snapshot
    small.expired = {"v2"}
    with serving(small) as server, pytest.raises(SourceUnavailable, match="the view expired twice"):
        extract(plan(server.url), tmp_path / "b", NOW, wait=Waits())


def changed(page: int, **fields: Any) -> Callable[[Small, Asked], Said | None]:
    """The platform says something else on a page of its own otherwise."""

    def script(small: Small, asked: Asked) -> Said | None:
        if asked.path == "/v1/listings" or asked.query.get("cursor", "0") != str(page * 2 - 2):
            return None
        body = small.page(rows(6)[page * 2 - 2 : page * 2], str(page * 2) if page < 3 else None, small.view) | fields
        answer = small.json({name: value for name, value in body.items() if value is not ...})
        return replace(answer, body=answer.body.replace(b'"DEEP"', b"[" * 300 + b"]" * 300))

    return script


def instead(answer: Said) -> Callable[[Small, Asked], Said | None]:
    """Page 2 is this."""
    return lambda small, asked: answer if asked.query.get("cursor") == "2" else None


def index(**fields: Any) -> Callable[[Small, Asked], Said | None]:
    """The list of listings says this of its only one."""
    entry = {"name": "rows", "as_of": "2026-11-22", "snapshot": "v1", "total": 6} | fields
    return lambda small, asked: small.json({"listings": [entry]}) if asked.path == "/v1/listings" else None


DEEP = [{"a": "DEEP"}, {}]
JSON = {"Content-Type": "application/json"}
_packer = zlib.compressobj(wbits=31)
_first, _again = (_packer.compress(bytes(1 << 20)) + _packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
BOMB = _first + _again * 200  # after a full flush each MiB of nothing stands by itself
PACKED = gzip.compress(b'{"records": []}' * 99)
BROKEN: dict[str, tuple[Callable[[Small, Asked], Said | None], str]] = {
    "another listing": (changed(2, listing="other"), "rows, page 2: listing is 'other', 'rows' was expected"),
    "another view": (changed(2, snapshot="v2"), "page 2: snapshot is 'v2', 'v1' was expected; the platform mixes views"),
    "another day": (changed(3, as_of="2026-11-23"), "page 3: as_of is '2026-11-23'"),
    "another total": (changed(2, total=7), "page 2: total is 7, 6 was expected"),
    "no total": (changed(2, total=...), "page 2: total is None"),
    "a count that is not": (changed(2, count=3), "page 2: count is 3 and there are 2 records"),
    "records that are none": (changed(2, records=["a", "b"]), "page 2: records is no list of objects"),
    "no records": (changed(2, records=...), "page 2: records is no list"),
    "a cursor that is a number": (changed(2, next=4), "page 2: next is 4; a cursor or null"),
    "an end too early": (changed(2, next=None), "rows: 4 records on 2 pages, its total is 6; a page is missing"),
    "a circle": (changed(3, next="0"), "6 records so far|its cursor was there before|says the same as page 1"),
    "a page twice": (changed(2, records=rows(2)), "page 2: says the same as page 1; a page is repeated"),
    "too many": (changed(3, records=rows(9)[4:8], count=4), "page 3: 8 records so far, its total is 6"),
    "nested too deep": (changed(2, records=DEEP), "page 2: a record is nested too deep"),
    "not found": (instead(Said(404, b"{}", JSON)), "page 2: status 404"),
    "an error page with 200": (
        instead(Said(200, b"<html><h1>\xe7\xb3\xbb\xe7\xbb\x9f\x1b[31m</h1>", {"Content-Type": "text/html"})),
        "status 200 with text/html instead of JSON; it begins “系统 .31m”",
    ),
    "no content type": (instead(Said(200, b"{}")), "with no content type instead of JSON"),
    "half a JSON": (instead(Said(200, b'{"records": [{"a"', JSON)), "page 2: is not whole JSON .* it ends “{.records.: "),
    "a JSON list": (instead(Said(200, b"[]", JSON)), "page 2: is JSON, but no object"),
    "no UTF-8": (instead(Said(200, '{"a": "启"}'.encode("gb18030"), JSON)), "page 2: is not whole JSON"),
    "half a gzip": (instead(Said(200, PACKED[:-9], JSON | {"Content-Encoding": "gzip"})), "page 2: the body ends early after"),
    "no gzip": (instead(Said(200, b"{}", JSON | {"Content-Encoding": "gzip"})), "page 2: says gzip and is not"),
    "a gzip bomb": (
        instead(Said(200, BOMB, JSON | {"Content-Encoding": "gzip"})),
        "bytes unpack to over 128 MiB; refused",
    ),
    "another packing": (instead(Said(200, b"{}", JSON | {"Content-Encoding": "br"})), "Content-Encoding br, gzip or none was asked for"),
    "304 to no question": (instead(Said(304)), "page 2: status 304 to a question that named no ETag"),
    "a cut body": (
        instead(Said(200, b'{"a": 1}', JSON, cut=4)),
        r"page 2: the body ends early \(3 requests\); a whole answer was expected",
    ),
    "a redirect away": (
        instead(Said(302, headers={"Location": "http://127.0.0.2:9/x"})),
        "redirects to http://127.0.0.2:9/x, which is not http://127.0.0.1",
    ),
    "a redirect to a file": (instead(Said(302, headers={"Location": "file:///etc/passwd"})), "redirects to file:///etc/passwd"),
    "a circle of redirects": (instead(Said(302, headers={"Location": "/v1/listings/rows?cursor=2"})), "redirects more than five times"),
    "an empty listing": (index(total=0), r"rows: is empty \(total 0 as of 2026-11-22\)"),
    "another name": (index(name="others"), "there is no listing 'rows', only others"),
    "no day": (index(as_of="yesterday"), "an entry is .*as_of .a day"),
    "no list": (
        lambda small, asked: small.json({}) if asked.path == "/v1/listings" else None,
        "there is no listing 'rows', only none at all",
    ),
    "a field that is gone": (
        lambda small, asked: small.json(small.page([{"id": n} for n in range(6)], None, "v1")) if asked.path != "/v1/listings" else None,
        "no record has orgName; found id: its schema changed",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_is_one_line_and_leaves_no_snapshot(case: str, tmp_path: Path) -> None:
    script, message = BROKEN[case]
    small = Small(rows(6), packed=False)
    with serving(lambda asked: script(small, asked) or small(asked)) as server, pytest.raises(SourceBroken, match=message) as raised:
        extract(plan(server.url, header=("orgName",), token=TOKEN), tmp_path, NOW, wait=Waits())
    assert str(raised.value).startswith("platform: ")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500
    assert TOKEN not in str(raised.value)
    assert [path.suffix for path in (tmp_path / "raw").iterdir()] == [".part"]
    with serving(small) as server:
        assert said(extract(plan(server.url, header=("orgName",)), tmp_path, NOW, wait=Waits())) == rows(6), (
            "the next run is not held up by what the broken one left"
        )


def test_a_contradiction_is_not_continued_under_the_same_view(tmp_path: Path) -> None:
    small, wrong = Small(rows(6)), True
    script = changed(2, next=None)
    with serving(lambda asked: (script(small, asked) if wrong else None) or small(asked)) as server:
        with pytest.raises(SourceBroken, match="4 records on 2 pages"):
            extract(plan(server.url), tmp_path, NOW, wait=Waits())
        wrong = False
        assert said(extract(plan(server.url), tmp_path, NOW, wait=Waits())) == rows(6)


@pytest.mark.parametrize("cut", [None, 40, -5])
def test_a_body_in_chunks_is_whole_or_told(cut: int | None, tmp_path: Path) -> None:
    small = Small(rows(2), packed=False)

    def answer(asked: Asked) -> Said:
        body = small(asked).body
        return Said(200, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), JSON | {"Transfer-Encoding": "chunked"}, cut=cut)

    if cut is None:
        assert said(take(answer, tmp_path)[0]) == rows(2)
    else:
        with pytest.raises(SourceBroken, match=r"the body ends early \(3 requests\)"):
            take(answer, tmp_path)


def test_an_empty_listing_is_right_where_the_plan_says_so(tmp_path: Path) -> None:
    snapshot, _ = take(Small([]), tmp_path, listings=(ListingPlan("rows", "rows", may_be_empty=True),))
    assert said(snapshot) == []


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        (Said(429, headers={"Retry-After": "7"}), (7.0, 7.1)),
        (Said(503, headers={"Retry-After": "Mon, 23 Nov 2026 02:00:09 GMT", "Date": "Mon, 23 Nov 2026 02:00:00 GMT"}), (9.0, 9.1)),
        (Said(503, headers={"Retry-After": "Mon, 23 Nov 2026 02:00:00 GMT", "Date": "Mon, 23 Nov 2026 02:00:09 GMT"}), (0.0, 0.1)),
        (Said(429, headers={"Retry-After": "soon"}), (0.25, 0.5)),
        (Said(429, headers={"Retry-After": "Mon, 23 Nov 2026 02:00:09 +99999999999999999999"}), (0.25, 0.5)),
        (Said(500), (0.25, 0.5)),
        (Said(200, b"{}" * 99, cut=10), (0.25, 0.5)),
    ],
)
def test_a_passing_failure_is_waited_out(first: Said, waits: tuple[float, float], tmp_path: Path) -> None:
    small, left, slept = Small(rows(3)), [first], Waits()
    with serving(lambda asked: left.pop() if left else small(asked)) as server:
        assert said(extract(plan(server.url), tmp_path, NOW, wait=slept)) == rows(3)
    assert len(slept) == 1
    assert waits[0] <= slept[0] <= waits[1]


def test_each_wait_is_longer_and_the_last_failure_is_told(tmp_path: Path) -> None:
    slept = Waits()
    with (
        serving(lambda asked: Said(500, b"<h1>oops</h1>")) as server,
        pytest.raises(SourceUnavailable, match=r"/v1/listings: status 500 \(oops\) \(7 requests\)"),
    ):
        extract(plan(server.url, retries=6), tmp_path, NOW, wait=slept)
    assert len(slept) == 6
    assert all(0.25 * 2**turn <= wait <= 0.5 * 2**turn for turn, wait in enumerate(slept))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Said(429, headers={"Retry-After": "3600"}), "asks us to come back in 3600 s"),
        (Said(401, b"{}"), "status 401, we may not read it; check MINGBAI_TOKEN"),
        (Said(403, b"{}"), "status 403"),
    ],
)
def test_a_refusal_is_unavailable_and_is_not_insisted_on(answer: Said, message: str, tmp_path: Path) -> None:
    with serving(lambda asked: answer) as server, pytest.raises(SourceUnavailable, match=message):
        extract(plan(server.url, token=TOKEN), tmp_path, NOW, wait=Waits())
    assert len(server.asked) == 1


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    with serving(lambda asked: Said()) as server:
        address = server.url
    with pytest.raises(SourceUnavailable, match=r"platform: /v1/listings: connection refused \(3 requests\); run again later"):
        extract(plan(address), tmp_path, NOW, wait=Waits())
    with pytest.raises(SourceUnavailable, match="no file or folder"):
        extract(plan(str(tmp_path / "nowhere")), tmp_path, NOW)


def test_silence_is_a_timeout(tmp_path: Path) -> None:
    import time

    def answer(asked: Asked) -> Said:
        time.sleep(0.3)
        return Said()

    with serving(answer) as server, pytest.raises(SourceUnavailable, match="no answer in time"):
        extract(plan(server.url, timeout=(1, 0.1), retries=0), tmp_path, NOW, wait=Waits())


def test_the_rate_is_kept(tmp_path: Path) -> None:
    slept: list[float] = []
    ticks = [0.0]

    def wait(seconds: float) -> None:
        slept.append(seconds)
        ticks[0] += seconds

    with serving(Small(rows(6))) as server:
        extract(plan(server.url, rate=4), tmp_path, NOW, wait=wait, clock=lambda: ticks[0])
    assert slept == [0.25] * 3, "four requests, the first at once"


def test_the_token_goes_to_the_source_and_nowhere_else(tmp_path: Path) -> None:
    _, asked = take(Small(rows(3)), tmp_path, token=TOKEN)
    assert {one.headers["authorization"] for one in asked} == {f"Bearer {TOKEN}"}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    assert TOKEN not in repr(plan("http://127.0.0.1", token=TOKEN))
    assert TOKEN not in shown(f"your token {TOKEN} is bad", TOKEN)


@pytest.mark.parametrize(
    ("address", "token", "message"),
    [
        ("http://example.org", TOKEN, "a token is set and the address is not https"),
        ("https://example.org", f"{TOKEN}\n", "the token is empty or has a character"),
        ("https://me:pass@example.org", None, "has a user or password in it"),
        ("https://", None, "is not http"),
        ("http://[::1", None, "is not http"),
        ("http://a:99999", None, "is not http"),
        ("ftp://example.org", None, "neither http"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused(address: str, token: str | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadDeclaration, match=message) as raised:
        extract(plan(address, token=token), tmp_path, NOW)
    assert TOKEN not in str(raised.value)
    assert "pass@" not in str(raised.value)


SUCCEEDS = {
    "rate_limited",
    "server_error",
    "slow",
    "county_lost",
    "changed_schema",
}  # the last two are for the review and the validation to see


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_reference_platform_is_told_or_waited_out(fault: str, tmp_path: Path) -> None:
    from publish.platform import Fault

    listings = tuple(ListingPlan(name, name) for name in ("institutions", "notices"))
    broken = Fault(fault, listing="institutions", seconds=0 if fault in ("slow", "rate_limited") else None)
    with running(new_world(institutions=40, months=1), [broken]) as address:
        source = plan(address, listings=listings, page_size=10)
        if fault in SUCCEEDS:
            assert extract(source, tmp_path, NOW, wait=Waits()).pages
        else:
            with pytest.raises((SourceBroken, SourceUnavailable), match="platform: institutions"):
                extract(source, tmp_path, NOW, wait=Waits())
            assert not [path for path in (tmp_path / "raw").iterdir() if path.suffix != ".part"]


# Deliveries and archives.

WHITE = ListingPlan("white", "白名单*", header=("机构名称", "办学许可证号"))
BLACK = ListingPlan("black", "黑名单*.csv", header=("机构名称",))


def delivery(folder: Path) -> Path:
    folder.mkdir()
    title = [["校外培训机构白名单（截至 2026年11月1日）"], list(make.HEADER), *make.ROWS, ["说明：无"]]
    make.xlsx(folder / "白名单-东城区.xlsx", title)
    make.xls(folder / "白名单-西城区.xls", title)
    (folder / "黑名单2026-10-31.csv").write_text("机构名称\n启航\n", encoding="gb18030")
    (folder / "~$白名单-东城区.xlsx").write_bytes(b"lock")
    return folder


def test_a_delivery_is_copied_as_received_and_read_through(tmp_path: Path) -> None:
    folder, told = delivery(tmp_path / "in"), Told()
    snapshot = extract(SourcePlan("bureau", str(folder), (WHITE, BLACK)), tmp_path, NOW, None, told)
    assert [(page.listing, page.form, page.records, page.url, page.as_of) for page in snapshot.pages] == [
        ("white", "xlsx", 3, "白名单-东城区.xlsx", "2026-11-01"),
        ("white", "xls", 3, "白名单-西城区.xls", "2026-11-01"),
        ("black", "csv", 1, "黑名单2026-10-31.csv", "2026-10-31"),
    ]
    assert (snapshot.folder / snapshot.pages[0].file).read_bytes() == (folder / "白名单-东城区.xlsx").read_bytes()
    assert "bureau: white, 000001-白名单-东城区.xlsx: 3 records; beside them 1 note, 1 title" in told.lines
    again = extract(SourcePlan("bureau", str(folder), (WHITE, BLACK)), tmp_path, LATER, snapshot)
    assert again is snapshot
    assert [path.name for path in (tmp_path / "raw").iterdir()] == [snapshot.id]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "黑名单2026-10-31.csv").unlink(), "bureau: black: no file in .* is called 黑名单"),
        (
            lambda folder: (folder / "黑名单2026-10-31.csv").write_text("机构名称\n"),
            "bureau: black, 000001-黑名单2026-10-31.csv: has no records under its header",
        ),
        (
            lambda folder: (folder / "白名单-西城区.xls").write_bytes((folder / "白名单-西城区.xls").read_bytes()[:1500]),
            "white/000002-白名单-西城区.xls: is no whole workbook",
        ),
        (lambda folder: (folder / "白名单-西城区.csv").write_text("名称\nx\n"), "white/000002-白名单-西城区.csv: no header"),
    ],
)
def test_a_broken_delivery_leaves_no_snapshot_and_a_mended_one_goes_through(
    spoil: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    folder = delivery(tmp_path / "in")
    source = SourcePlan("bureau", str(folder), (WHITE, BLACK))
    spoil(folder)
    with pytest.raises(SourceBroken, match=message):
        extract(source, tmp_path, NOW)
    shutil.rmtree(folder)
    delivery(folder)
    snapshot = extract(source, tmp_path, NOW)
    assert load(snapshot.folder) == snapshot
    assert sorted(path.name for path in snapshot.folder.rglob("*") if path.is_file()) == sorted(
        [*(Path(page.file).name for page in snapshot.pages), "seal.json"]
    )


def test_two_listings_may_be_sheets_of_one_file(tmp_path: Path) -> None:
    rows_ = [["机构名称"], ["启明"]]
    path = make.xlsx(tmp_path / "all.xlsx", rows_, 黑名单=[*rows_, ["启航"]])
    listings = tuple(ListingPlan(name, "", sheet=sheet, header=("机构名称",)) for name, sheet in (("white", "名单"), ("black", "黑名单")))
    assert [page.records for page in extract(SourcePlan("bureau", str(path), listings), tmp_path, NOW).pages] == [1, 2]


def test_a_delivery_by_http_is_fetched_once(tmp_path: Path) -> None:
    content = gzip.compress("机构名称,办学许可证号\n启明,1\n".encode())

    def answer(asked: Asked) -> Said:
        if asked.headers.get("if-none-match") == '"1"':
            return Said(304)
        return (
            Said(200, content, {"ETag": '"1"', "Content-Encoding": "gzip", "Content-Type": "text/csv"})
            if asked.path == "/lists/2026%E5%B9%B4/white.csv"
            else Said(404, b"<p>no</p>")
        )

    with serving(answer) as server:
        source = SourcePlan(
            "bureau", f"{server.url}/lists", (ListingPlan("white", "2026年/white.csv", header=WHITE.header, form="csv"),), rate=0
        )
        snapshot = extract(source, tmp_path, NOW, wait=Waits())
        assert snapshot.pages[0].file == "white/000001-white.csv.gz"
        assert said(snapshot) == [{"机构名称": "启明", "办学许可证号": "1"}]
        assert extract(source, tmp_path, LATER, snapshot, wait=Waits()) is snapshot
        assert [one.headers.get("if-none-match") for one in server.asked] == [None, '"1"']
        missing = SourcePlan("bureau", f"{server.url}/no.csv", (ListingPlan("white"),), rate=0)
        with pytest.raises(SourceBroken, match=r"no.csv is status 404 \(no\), 200 was expected"):
            extract(missing, tmp_path, NOW, wait=Waits())
        away = SourcePlan("bureau", f"{server.url}/a.csv", (ListingPlan("white", "//127.0.0.2/x.csv"),), rate=0)
        with pytest.raises(SourceBroken, match="give it a source of its own"):
            extract(away, tmp_path, NOW, wait=Waits())


def test_an_archive_gives_the_same_snapshot_with_the_same_seal(tmp_path: Path) -> None:
    original, _ = take(Small(rows(5)), tmp_path / "a")
    source = plan(str(original.folder))
    copy = extract(source, tmp_path / "b", LATER)
    assert (copy.id, copy.pages, copy.content_sha256, copy.taken_at, copy.address) == (
        original.id,
        original.pages,
        original.content_sha256,
        original.taken_at,
        original.address,
    )
    assert (copy.folder / "seal.json").read_bytes() == (original.folder / "seal.json").read_bytes()
    assert extract(source, tmp_path / "b", LATER) == copy, "what is there is not taken twice"
    with pytest.raises(SourceBroken, match="is a snapshot of 'platform', one of 'bureau' was expected"):
        extract(SourcePlan("bureau", str(original.folder), (WHITE,)), tmp_path / "c", NOW)
    with pytest.raises(SourceBroken, match="has no listing 'white', only rows"):
        extract(plan(str(original.folder), listings=(WHITE,)), tmp_path / "c", NOW)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed body": (
        lambda folder: (folder / "rows/000001.json.gz").write_bytes(b"x"),
        "rows/000001.json.gz: has SHA-256 2d711642b726…, was sealed with",
    ),
    "a body that is gone": (
        lambda folder: (folder / "rows/000002.json.gz").unlink(),
        "rows/000002.json.gz: is in the seal and not in the folder",
    ),
    "no seal": (lambda folder: (folder / "seal.json").unlink(), "seal.json: cannot be read"),
    "half a seal": (lambda folder: (folder / "seal.json").write_bytes(b'{"format": 1'), "seal.json: cannot be read"),
    "a seal of nothing": (lambda folder: (folder / "seal.json").write_bytes(b'{"format": 1}'), "seal.json: is not a seal"),
    "a seal of a list": (lambda folder: (folder / "seal.json").write_bytes(b"[]"), "seal.json: is not a seal"),
    "a later seal": (lambda folder: edit(folder, format=2), "format 2, this version reads 1"),
    "a name outside": (lambda folder: edit(folder, file="../../x"), "names '../../x', which is not in the folder of 'rows'"),
    "another content": (lambda folder: edit(folder, content_sha256="0"), "its content hash is not that of its pages"),
}


def edit(folder: Path, **fields: Any) -> None:
    seal = orjson.loads((folder / "seal.json").read_bytes())
    for name, new in fields.items():
        (seal["pages"][0] if name == "file" else seal)[name] = new
    (folder / "seal.json").write_bytes(orjson.dumps(seal))


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_archive_names_what_is_wrong(case: str, tmp_path: Path) -> None:
    snapshot, _ = take(Small(rows(5)), tmp_path)
    spoil, message = SPOILT[case]
    spoil(snapshot.folder)
    with pytest.raises(SourceBroken, match=message):
        load(snapshot.folder)


def test_a_seal_is_the_same_bytes_for_the_same_answers(tmp_path: Path) -> None:
    seals = []
    with serving(Small(rows(5))) as server:
        for name in ("a", "b"):
            snapshot = extract(plan(server.url), tmp_path / name, NOW, wait=Waits(), clock=lambda: 0.0)
            seals.append((snapshot.folder / "seal.json").read_bytes())
    assert seals[0] == seals[1]
    assert str(tmp_path).encode() not in seals[0]


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a b"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadDeclaration, match="is no name"):
        extract(plan("http://127.0.0.1", listings=(ListingPlan(name),)), tmp_path, NOW)


@pytest.mark.parametrize(
    ("texts", "name", "day"),
    [
        (["白名单", "（截止到2026.1.2，单位：家）"], "a.csv", "2026-01-02"), ([], "registry_2024-07-31.csv.gz", "2024-07-31"), ([], "名单20240731.xlsx", "2024-07-31"), ([], "2024年7月31日名单.xls", "2024-07-31"),
        (["印发于2026年1月2日"], "a.csv", None), ([], "20249931.csv", None), (["截至2026年13月1日"], "1234567890123.csv", None),
    ],
)  # fmt: skip
def test_a_file_says_of_which_day_it_is(texts: list[str], name: str, day: str | None) -> None:
    assert as_of(texts, name) == day


def test_every_error_of_this_stage_has_an_exit_code() -> None:
    assert {error.exit_code for error in (SourceBroken, SourceUnavailable, BadDeclaration)} == {2, 3, 4}
    assert issubclass(SourceBroken, Mingbai)
