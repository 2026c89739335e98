"""A release's files as the site gives them out, and what a page has found as a file: read with other people's tools."""

import asyncio
import csv
import errno
import gzip
import hashlib
import html
import inspect
import io
import json
import os
import re
import shutil
import socket
import socketserver
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import httpx
import openpyxl
import pyarrow.parquet as parquet
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.downloads import Issue, downloads
from publish.home import CHINA
from publish.places import Measured, Withheld
from publish.same import fingerprint
from publish.served import Site, place
from publish.sources import SourcePlan
from publish.sources.http import Http
from publish.web import exports, holding, offered, pieces, visit
from publish.web.answer import Answer, give
from publish.web.ended import ended, keys
from publish.web.pieces import UNPACKING, Stored
from publish.web.server import Application, build_app
from publish.web.visit import Visit
from publish.wording import LANGUAGES
from tab import serving
from web_release import ACTIVE, ITS_DOCUMENT, REPAIRED, SWEET, TODAY, Rows, go_live, make_release, rows, write_index, write_past

NOON = datetime.fromisoformat(f"{TODAY}T12:00:00").replace(tzinfo=CHINA)
OLD = "2026-11-20"
UNREADABLE_DATES = ("Thu, 01 Jan 1970 00:00:00 +99999999999999999999", "Thu, 01 Jan 19700000000000000000 00:00:00 GMT")


def seal(folder: Path) -> None:
    """The manifest says what is in the folder now."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    manifest["files"] = {
        path.relative_to(folder).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
        for path in paths
    }
    write(folder / "manifest.json", json.dumps(manifest).encode())


def said() -> Rows:
    """What is in a release: nothing that was repaired, which none has."""
    found = rows(TODAY)
    found["notices"] = [row for row in found["notices"] if row["id"] != REPAIRED]
    found["notice_links"] = [row for row in found["notice_links"] if row["notice_id"] != REPAIRED]
    return found


def publish(there: Path, identifier: str, catalogue: Catalogue, tables: Rows | None = None) -> Path:
    """A release with files to take away."""
    folder = make_release(there, identifier, catalogue, mark=TODAY, tables=tables or said())  # the same words in each
    downloads(folder, catalogue, Issue(identifier, identifier, dict.fromkeys(catalogue.datasets, "1.0.0")))
    seal(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Two releases."""
    there = tmp_path_factory.mktemp("home")
    for identifier in (OLD, TODAY):
        publish(there, identifier, catalogue)
    go_live(there, TODAY)
    write_index(there, OLD, TODAY)
    write_past(there, catalogue, OLD, TODAY)
    return there


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """The same to be changed: what is written over is another file."""
    shutil.copytree(home, tmp_path / "home", copy_function=os.link, symlinks=True)
    return tmp_path / "home"


def write(path: Path, data: bytes) -> None:
    """Another file under the name of one, as a release that is issued anew has."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


@pytest.fixture(scope="module")
def site(catalogue: Catalogue) -> Iterator[Callable[..., Application]]:
    """The site over a home on a day; one for all who ask for the same."""
    said, made = dictionary(catalogue), dict[tuple[Path, datetime], Application]()

    def site(where: Path, now: datetime = NOON) -> Application:
        if (where, now) not in made:
            made[where, now] = build_app(where, dictionary=said, now=lambda: now)
        return made[where, now]

    yield site
    for app in made.values():
        app.shelf.close()


@pytest.fixture
def ask(home: Path, site: Callable[..., Application]) -> Callable[..., Any]:
    async def ask(path: str, now: datetime = NOON, method: str = "GET", where: Path = home, **headers: str) -> httpx.Response:
        headers.setdefault("accept-encoding", "identity")
        transport = httpx.ASGITransport(app=site(where, now))
        async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers) as client:
            return await client.request(method, path)

    return ask


@pytest.fixture(scope="module")
def served(home: Path, root: Path) -> Iterator[str]:
    """The site on a port of this machine."""
    with serving(home, root, NOON) as address:
        yield address


def index_of(home: Path, release: str = TODAY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "releases" / release / "downloads" / "index.json").read_bytes())
    return found


# -- files -------------------------------------------------------------------------------------------------------------


async def test_every_file_of_the_index_comes_whole_and_as_it_says(ask, home):
    listed = (await ask(f"/data/{TODAY}/index.json")).json()["files"]
    assert {one["name"] for one in listed} >= {*index_of(home)["files"], "institutions.csv", "notices.ndjson", "mingbai.db"}
    for one in listed:
        answer = await ask(f"/data/{TODAY}/{one['name']}")
        assert answer.status_code == 200, one
        assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (one["bytes"], one["sha256"]), one
        assert answer.headers["content-length"] == str(one["bytes"])
        assert answer.headers["content-type"] == one["media_type"]


async def test_plain_text_comes_packed_to_who_takes_it_packed(ask):
    plain, packed = (
        await ask(f"/data/{TODAY}/institutions.csv"),
        await ask(f"/data/{TODAY}/institutions.csv", **{"accept-encoding": "gzip"}),
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # httpx has unpacked it
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["etag"] != plain.headers["etag"]


async def test_the_newest_is_led_to_by_a_name_that_stays(ask):
    for path in ("/data/latest/institutions.csv", "/data/institutions.csv"):
        answer = await ask(path)
        assert (answer.status_code, answer.headers["location"]) == (302, f"/data/{TODAY}/institutions.csv")
        assert answer.headers["cache-control"] == "no-store"
    assert (await ask("/en/data/latest/index.json")).headers["location"] == f"/en/data/{TODAY}/index.json"


@pytest.mark.parametrize("path", [
    "/data/2026-11-23/nothing.csv", "/data/2025-01-01/institutions.csv", "/data/2026-11-23/holds.json", "/data/2026-11-23/..%2Fmanifest.json",
    "/data/2026-11-23/institutions.csv.part", "/data/nothing.csv", "/data/institutions.pdf", "/data/2026-11-23/%00",
])  # fmt: skip
async def test_a_name_that_the_index_does_not_have_is_not_there(ask, path):
    assert (await ask(path)).status_code == 404


@pytest.mark.parametrize("path", [
    f"/data/{TODAY}/nothing.csv", f"/data/{TODAY}/institutions.pdf", f"/data/{OLD}/institutions.xls", "/data/institutions.pdf", "/data/nothing.csv", "/data/nothing.csv?region=350000",
    "/data/institutions.exe?region=350000", "/data/latest/nothing.csv",
])  # fmt: skip
async def test_who_asks_for_a_table_or_a_form_that_is_none_is_told_which_there_are(ask, path):
    for lang in ("", "/en"):
        answer = await ask(f"{lang}{path}")
        assert answer.status_code == 404
        assert all(
            word in answer.text for word in ("institutions, ", "notice_penalties", "spreadsheet.csv, ", "csv.gz, ", "csv.zst, ", "parquet")
        )
        of = next((one for one in (OLD, TODAY) if one in path), TODAY if "/latest/" in path else "latest")
        assert f'href="{lang}/data/{of}"' in answer.text
    said = (await ask(f"/data/{TODAY}/institution.json")).json()
    assert (said["error"], said["tables"][0], "spreadsheet.csv.gz" in said["forms"]) == ("no_file", "institutions", True)
    assert f"/data/{TODAY}/institutions.ndjson" in said["near_addresses"]


@pytest.mark.parametrize(("path", "onward"), [
    ("/search.pdf?q=a", "/search?q=a"), ("/search.PDF", "/search"), ("/search.CSV?q=a", "/search.csv?q=a"),
    ("/notices.CSV", "/notices.csv"), ("/notices.csv.gz?kind=penalty", "/notices.csv?kind=penalty"), ("/notices.Json", "/notices.json"),
    ("/notices.atom?kind=penalty", "/feeds/notices.atom?kind=penalty"), ("/notices.RSS", "/feeds/notices.rss"),
])  # fmt: skip
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_who_asks_for_results_in_a_form_that_is_none_is_told_those_of_results(ask, lang, path, onward):
    answer = await ask(visit.address(path, lang))
    assert (answer.status_code, "csv, spreadsheet.csv, ndjson, parquet, xlsx, json" in answer.text, "notice_penalties" in answer.text) == (
        404,
        True,
        False,
    )
    links = re.findall(r'href="([^"]+)"', answer.text.partition("<main")[2].partition("</main>")[0])
    assert {visit.address(one, lang) for one in (onward, "/data/latest")} <= set(map(html.unescape, links))
    for link in links:
        assert (await ask(html.unescape(link))).status_code < 400, link


async def test_of_an_earlier_release_the_tables_and_forms_are_named_that_it_has(ask, copy):
    folder = copy / "releases" / OLD
    index = index_of(copy, OLD)
    files = {
        name: one for name, one in index["files"].items() if one.get("table") != "ratings" and one["form"] not in ("parquet", "ndjson")
    }
    write(folder / "downloads" / "index.json", json.dumps({**index, "files": files}).encode())
    seal(folder)
    for path in (f"/data/{OLD}/nothing.csv", f"/data/{OLD}/ratings.csv", f"/data/{OLD}/institutions.parquet"):
        answer = await ask(path, where=copy)
        assert (answer.status_code, "institutions, " in answer.text, "spreadsheet.csv" in answer.text) == (404, True, True)
        said = answer.text.partition("<h1>")[2].partition("</p>")[0].replace(path.rpartition("/")[2], "")
        assert not any(word in said for word in ("ratings", "parquet", "ndjson")), said
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"] = {name: one for name, one in manifest["files"].items() if not name.startswith("downloads/")}
    write(folder / "manifest.json", json.dumps(manifest).encode())
    answer = await ask(f"/data/{OLD}/institutions.csv", where=copy)
    assert (answer.status_code, "没有做好的下载文件" in answer.text, "：。" in answer.text) == (404, True, False)
    write(copy / "releases" / TODAY / "manifest.json", json.dumps({**manifest, "id": TODAY, "released_on": TODAY}).encode())
    answer = await ask("/data/institution.csv", where=copy)
    assert (answer.status_code, "institutions, " in answer.text, "parquet" in answer.text) == (404, True, True)


@pytest.mark.parametrize(("path", "onward"), [
    ("/data/2026-11-23/institution.csv", ("/data/2026-11-23/institutions.csv", "/data/2026-11-23", "/history/releases")), ("/data/institution.csv", ("/data/2026-11-23/institutions.csv", "/data/latest", "/data")),
    ("/data/2026-11-22", ("/data/2026-11-20", "/data/2026-11-23", "/data/latest", "/history/releases")), ("/data/2019-01-01/mingbai.db", ("/data/2026-11-20", "/data/latest")),
    ("/data/2026-11-22/manifest.json", ("/data/2026-11-23",)), ("/data/Notice", ("/data/about/notices", "/data")), ("/data/about/notice", ("/data/about/notices", "/data")),
    ("/data/notice.csv?region=350000", ("/data/2026-11-23/notices.csv",)), ("/mingbai/notice", ("/mingbai/notices", "/mingbai")), ("/mingbai/notices/n-nobody", ("/mingbai/notices",)), ("/history/nothing", ("/history",)),
])  # fmt: skip
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_what_is_not_there_leads_on_to_what_is(ask, lang, path, onward):
    answer = await ask(visit.address(path, lang))
    assert answer.status_code == 404
    links = (
        re.findall(r'href="([^"]+)"', answer.text.partition("<main")[2].partition("</main>")[0])
        if "<main" in answer.text
        else answer.json()["near_addresses"]
    )
    assert {visit.address(one, lang) for one in onward} <= set(links)
    for link in links:
        assert (await ask(link)).status_code < 400, link


async def test_a_page_that_is_not_there_has_a_field_to_search_by(ask):
    assert 'action="/en/search"' in (await ask("/en/nothing")).text


async def test_names_are_for_everybody_and_for_who_reads_chinese(ask):
    said = (await ask(f"/data/{TODAY}/notices.spreadsheet.csv")).headers["content-disposition"]
    assert f'filename="mingbai-{TODAY}-notices.spreadsheet.csv"' in said
    assert f"filename*=UTF-8''%E6%98%8E%E7%99%BD-{TODAY}-%E5%85%AC%E5%91%8A.spreadsheet.csv" in said


async def test_who_has_a_file_already_is_told_so_by_either_validator(ask):
    first = await ask(f"/data/{TODAY}/institutions.csv")
    for known in ({"if-none-match": first.headers["etag"]}, {"if-modified-since": first.headers["last-modified"]}):
        again = await ask(f"/data/{TODAY}/institutions.csv", **known)
        assert (again.status_code, again.content) == (304, b"")
    for date in ("Tue, 24 Nov 2026 08:00:00 GMT", "Sun, 22 Nov 2026 16:00:01 GMT"):  # by the clock of whoever asks
        assert (await ask(f"/data/{TODAY}/institutions.csv", **{"if-modified-since": date})).status_code == 200
    head = await ask(f"/data/{TODAY}/institutions.csv", method="HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", first.headers["content-length"])


@pytest.mark.parametrize("name", ["institutions.csv", "institutions.parquet", "mingbai.db"])
@pytest.mark.parametrize("part", ["0-9", "10-", "-7", "5-5"])
async def test_a_part_is_that_part(ask, name, part):
    whole = (await ask(f"/data/{TODAY}/{name}")).content
    answer = await ask(f"/data/{TODAY}/{name}", range=f"bytes={part}", **{"accept-encoding": "gzip"})
    first, _, last = part.partition("-")
    start = int(first) if first else len(whole) - int(last)
    end = int(last) + 1 if first and last else len(whole)
    assert (answer.status_code, answer.content) == (206, whole[start:end])
    assert {"etag", "content-range"} <= set(answer.headers["access-control-expose-headers"].split(", ")), "another site's script reads it"
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"


async def test_a_part_of_another_file_is_the_whole_and_one_beyond_the_end_is_none(ask):
    whole = await ask(f"/data/{TODAY}/institutions.csv")
    other = await ask(f"/data/{TODAY}/institutions.csv", range="bytes=3-", **{"if-range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    for coding in ("identity", "gzip"):  # a date is the same for both, and their bytes are not
        had = await ask(f"/data/{TODAY}/institutions.csv", **{"accept-encoding": coding})
        rest = await ask(f"/data/{TODAY}/institutions.csv", range="bytes=3-", **{"if-range": had.headers["last-modified"]})
        assert (rest.status_code, rest.content) == (200, whole.content)
    beyond = await ask(f"/data/{TODAY}/institutions.csv", range=f"bytes={len(whole.content)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")


@pytest.mark.parametrize("date", ["Thu Jan  1 00:00:00 1970", "Thursday, 01-Jan-70 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00", "Thu, 01 Jan 1970 00:00:00 -0000", "Mon, 01 Jan 0001 00:00:00 +1400", "x", *UNREADABLE_DATES])  # fmt: skip
async def test_a_date_in_any_form_is_a_date_and_no_mistake_of_ours(ask, date):
    for header in ("if-modified-since", "if-unmodified-since"):
        answer = await ask("/static/site.css", **{header: date})
        assert answer.status_code == (412 if header == "if-unmodified-since" and date not in ("x", *UNREADABLE_DATES) else 200)


@pytest.mark.parametrize("path", [f"/data/{TODAY}/institutions.csv", f"/data/{TODAY}/institutions.parquet", f"/data/{TODAY}/manifest.json", "/notices.csv?kind=penalty"])  # fmt: skip
async def test_who_goes_on_with_what_they_have_or_with_nothing_is_never_given_another(ask, path):
    whole = await ask(path)
    etag = whole.headers["etag"]
    given = 200 if path.endswith("/manifest.json") else 206  # which offers no parts: it is small, and counts as it was signed
    for known, status in ((etag, given), ("*", given), (f'"a", {etag}', given), ('"a"', 412), (f"W/{etag}", 412), ("", 412)):
        answer = await ask(path, range="bytes=3-9", **{"if-match": known})
        assert answer.status_code == status, known
        assert answer.content == {200: whole.content, 206: whole.content[3:10], 412: b""}[status]
    if changed := whole.headers.get("last-modified"):
        for date, is_same in (
            (changed, True),
            ("Thu, 01 Jan 2099 00:00:00 GMT", True),
            ("Thu, 01 Jan 1970 00:00:00 GMT", False),
            ("x", True),
        ):
            answer = await ask(path, **{"if-unmodified-since": date})
            assert answer.status_code == (200 if is_same else 412), date
    assert (await ask(path, **{"if-match": '"a"', "if-none-match": etag})).status_code == 412


def test_curl_goes_on_where_it_stopped(served, tmp_path):
    address = f"{served}/data/{TODAY}/institutions.csv"
    whole = subprocess.run(["curl", "-sS", "--fail", address], capture_output=True, check=True).stdout
    for had in (1, len(whole) // 2, len(whole) - 1):
        target = tmp_path / "institutions.csv"
        target.write_bytes(whole[:had])
        subprocess.run(["curl", "-sS", "--fail", "-C", "-", "-o", str(target), address], check=True)
        assert target.read_bytes() == whole
    packed = subprocess.run(["curl", "-sS", "--fail", "--compressed", address], capture_output=True, check=True).stdout
    assert packed == whole


class Client:
    """Who takes what is sent: `at` says what happens when so many pieces were."""

    def __init__(self, at: Mapping[int, Callable[[], object]] | None = None) -> None:
        self.got, self.status, self._at, self._gone = b"", 0, at or {}, asyncio.Event()
        self.pieces = 0

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.got += message["body"]
        self.pieces += 1
        if self.pieces in self._at:
            done = self._at[self.pieces]()
            if inspect.isawaitable(done):
                await done
        await asyncio.sleep(0.001)

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.sleep(0.01)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A packed file of ten pieces."""
    path = tmp_path / "large.csv.gz"
    path.write_bytes(gzip.compress(b"0123456789abcdef" * (10 * pieces.PIECE_BYTES // 16)))
    return path


async def give_large(path: Path, client: Client, **headers: str) -> Stored:
    stored = Stored(path.open("rb"), 10 * pieces.PIECE_BYTES, is_gzip=True, path=path)
    scope = {"method": "GET", "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}
    with suppress(OSError):
        await give(Answer(200, b"", stored=stored), scope, client.send, client.receive)
    return stored


async def fails() -> None:
    raise OSError("a broken pipe")


@pytest.mark.parametrize("what", ["leaves", "stalls", "breaks", "takes all", "moves"])
async def test_whatever_becomes_of_who_is_sent_a_file_it_is_closed_and_read_no_further(large, what, monkeypatch):
    monkeypatch.setattr(pieces, "PATIENCE_SECONDS", 0.05)
    client = Client()
    client._at = {2: {
        "leaves": client.leave, "stalls": lambda: asyncio.sleep(30), "breaks": fails, "takes all": lambda: None,
        "moves": lambda: write(large, gzip.compress(b"another issue of the release")),
    }[what]}  # fmt: skip
    stored = await give_large(large, client)
    assert (stored.file.closed, UNPACKING.left) == (True, pieces.MOST_UNPACKED)
    assert client.status == 200
    assert client.pieces == (10 if what == "takes all" else client.pieces)
    assert (client.pieces < 5) == (what != "takes all")


async def test_who_leaves_while_the_end_is_looked_for_is_not_waited_for(large, monkeypatch):
    client, read, read_pieces = Client(), pieces._read, []

    def reading(file: BinaryIO, most: int) -> bytes:
        read_pieces.append(most)
        return read(file, most)

    monkeypatch.setattr(pieces, "_read", reading)
    client._gone.set()
    await give_large(large, client, range="bytes=-1")
    assert len(read_pieces) < 10


async def test_more_than_can_be_unpacked_at_once_are_told_to_come_again(large, ask, monkeypatch):
    monkeypatch.setattr(UNPACKING, "left", 0)
    answer = await ask(f"/data/{TODAY}/institutions.csv")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["content-type"]) == (503, "10", "text/plain; charset=utf-8")
    assert "请稍后再试" in answer.text
    assert "content-disposition" not in answer.headers
    assert (await ask(f"/data/{TODAY}/institutions.csv", **{"accept-encoding": "gzip"})).status_code == 200
    assert (await give_large(large, Client())).file.closed


@pytest.mark.parametrize("is_gzip", [True, False])
async def test_who_takes_too_little_for_too_long_leaves_the_place_to_others(large, monkeypatch, is_gzip):
    """A piece in time each time, and the whole in hours: where few can be sent at once. A file that is sent as it is takes nobody's place."""
    monkeypatch.setattr(pieces, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(pieces, "LEAST_BYTES", 100 * pieces.PIECE_BYTES)
    client = Client(dict.fromkeys(range(1, 11), lambda: asyncio.sleep(0.08)))
    if is_gzip:
        stored = await give_large(large, client)
    else:
        large.write_bytes(gzip.decompress(large.read_bytes()))
        stored = Stored(large.open("rb"), 10 * pieces.PIECE_BYTES, path=large)
        await give(Answer(200, b"", stored=stored), {"method": "GET", "headers": []}, client.send, client.receive)
    assert (client.pieces < 10, stored.file.closed, UNPACKING.left) == (is_gzip, True, pieces.MOST_UNPACKED)


async def test_of_head_no_part_is_asked(ask):
    whole = await ask(f"/data/{TODAY}/institutions.csv", method="HEAD")
    part = await ask(f"/data/{TODAY}/institutions.csv", method="HEAD", range="bytes=0-9")
    assert (part.status_code, part.headers["content-length"]) == (200, whole.headers["content-length"])


async def test_a_key_behind_a_file_is_never_left_out(ask):
    """Who asks for a region is not given everything."""
    province = "350000"
    some = FORMS["csv"]((await ask(f"/data/institutions.csv?region={province}")).content)
    assert some
    for path in (f"/data/latest/institutions.csv?region={province}", f"/data/{TODAY}/institutions.csv?region={province}"):
        assert FORMS["csv"]((await ask(path)).content) == some, path
    for path in (f"/data/{OLD}/institutions.csv?region={province}", f"/data/{TODAY}/mingbai.db?region={province}", f"/data/{TODAY}/institutions.csv?county=1",
                 f"/data/{TODAY}?q=1", f"/data/{TODAY}/institutions.csv.gz?region={province}", f"/data/{TODAY}/nothing.csv?as_of={OLD}"):  # fmt: skip
        assert (await ask(path)).status_code in (400, 404), path


async def test_a_form_in_which_a_table_does_not_lie_ready_is_not_there(ask):
    assert (await ask("/data/permits.xlsx")).status_code == 404
    assert (await ask("/data/latest/permits.xlsx")).status_code == 404
    assert (await ask("/data/institutions.xlsx")).headers["location"] == f"/data/{TODAY}/institutions.xlsx"


async def test_other_addresses_below_data_are_what_they_were(ask, copy):
    write(copy / "releases" / TODAY / "SHA256SUMS", b"0  nothing\n")
    assert (await ask("/data/changelog.csv")).headers["content-type"].startswith("text/csv")
    assert (await ask(f"/data/{TODAY}/manifest.json")).json()["id"] == TODAY
    assert (await ask(f"/data/{TODAY}/SHA256SUMS", where=copy)).content == b"0  nothing\n"
    assert (await ask("/data/latest/SHA256SUMS", where=copy)).headers["location"] == f"/data/{TODAY}/SHA256SUMS"
    raw = await ask(f"/data/{TODAY}/downloads/index.json")
    assert raw.json() == index_of(copy)


@pytest.mark.parametrize(
    "path", ["/data/2026-11-23/nothing.csv", "/search.csv", "/data/institutions.parquet?region=1", "/en/notices.xlsx?q=("]
)
async def test_a_problem_at_the_address_of_a_file_is_a_page_and_no_file(ask, path):
    answer = await ask(path)
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-disposition" not in answer.headers
    assert ('<html lang="en"' in answer.text) == path.startswith("/en/")


async def test_a_release_from_before_there_were_files_says_so(ask, tmp_path, catalogue):
    for identifier in (OLD, TODAY):
        make_release(tmp_path, identifier, catalogue)
    go_live(tmp_path, TODAY)
    write_index(tmp_path, OLD, TODAY)
    for release in (OLD, TODAY):
        page = await ask(f"/data/{release}", where=tmp_path)
        assert (page.status_code, "没有做好的下载文件" in page.text) == (200, True)
        assert (await ask(f"/data/{release}/mingbai.db", where=tmp_path)).status_code == 404
    assert (await ask("/data/institutions.csv", where=tmp_path)).status_code == 404
    assert f"/data/{TODAY}/" not in (await ask("/data", where=tmp_path)).text
    assert (await ask("/data/institutions.csv?region=350000", where=tmp_path)).status_code == 200


def issue_anew(folder: Path) -> bytes:
    """Another issue of a release: what its institutions are now."""
    made = json.loads((folder / "downloads" / "index.json").read_bytes())
    text = b'"id","name"\n"i-a","b"\n'
    write(folder / "downloads" / "institutions.csv.gz", packed := gzip.compress(text))
    one = made["files"]["institutions.csv.gz"]
    one.update(bytes=len(packed), sha256=hashlib.sha256(packed).hexdigest())
    one["plain"].update(bytes=len(text), sha256=hashlib.sha256(text).hexdigest())
    write(folder / "downloads" / "index.json", json.dumps(made).encode())
    seal(folder)
    return text


async def test_a_release_that_is_issued_anew_is_what_it_is_now_and_meanwhile_nowhere(ask, copy):
    folder, path = copy / "releases" / OLD, f"/data/{OLD}/institutions.csv"
    before = await ask(path, where=copy)
    away = folder.rename(copy / "releases" / "away")
    for address in (path, f"/data/{OLD}", f"/data/{OLD}/index.json"):
        answer = await ask(address, where=copy)
        assert (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"]) == (503, "5", "no-store"), address
    text = issue_anew(away)
    away.rename(folder)
    after = await ask(path, where=copy, range="bytes=5-", **{"if-range": before.headers["etag"]})
    assert (after.status_code, after.content) == (200, text)  # and not the rest of another one


async def test_who_has_the_issue_of_before_is_not_told_that_it_is_this_one(ask, copy):
    """Withdrawn from a release on its own day, and once more on that day."""
    folder, path = copy / "releases" / OLD, f"/data/{OLD}/institutions.csv"
    for number in range(1, 3):
        before = (await ask(path, where=copy)).headers
        text = issue_anew(folder)
        manifest = json.loads((folder / "manifest.json").read_bytes())
        write(folder / "manifest.json", json.dumps(manifest | {"reissues": [{"on": OLD, "withdrawn": {"revoked": 1}}] * number}).encode())
        for asked in ({"if-modified-since": before["last-modified"]}, {"range": "bytes=5-", "if-range": before["last-modified"]}):
            answer = await ask(path, where=copy, **asked)
            assert (answer.status_code, answer.content) == (200, text)


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_release_that_is_issued_anew_between_the_judging_and_the_sending_is_judged_again(ask, copy, monkeypatch, is_open):
    opened, text = offered.opened, []

    def meanwhile(folder: Path, found: Any) -> Stored:
        before = opened(folder, found) if is_open and not text else None
        if not text:
            text.append(issue_anew(folder))
        return before or opened(folder, found)

    monkeypatch.setattr("publish.web.downloads.opened", meanwhile)
    answer = await ask(f"/data/{OLD}/institutions.csv", where=copy)
    assert (answer.status_code, answer.content) == (200, text[0])


# -- what may be given out ---------------------------------------------------------------------------------------------


async def test_what_holds_something_that_has_ended_is_not_given_out(ask, home):
    files = index_of(home)["files"]
    end = min(one["first_end"] for one in files.values() if one["first_end"])
    after = datetime.fromisoformat(f"{end}T12:00:00").replace(tzinfo=CHINA) + timedelta(days=1)
    for name, one in files.items():
        answer = await ask(f"/data/{TODAY}/{name}", now=after)
        ended = one["first_end"] is not None and one["first_end"] <= end
        assert answer.status_code == (503 if ended else 200), name
        if ended:
            assert answer.headers["cache-control"] == "no-store"
            assert int(answer.headers["retry-after"]) > 0
    listed = (await ask(f"/data/{TODAY}/index.json", now=after)).json()["files"]
    assert {one["name"]: one["is_given"] for one in listed if one["name"] in ("notices.csv", "ratings.csv", "mingbai.db")} == {
        "notices.csv": False, "ratings.csv": True, "mingbai.db": False,
    }  # fmt: skip


async def test_on_the_day_after_no_file_has_what_the_pages_no_longer_show(ask, home, site):
    """By the pages' own word, and not by what the index says of an end: also the document of a decision that is over."""
    after = NOON + timedelta(days=1)
    reader = site(home, after).shelf.reader
    gone = ended(reader, after.date().isoformat()).gone
    assert json.loads(gone["documents"]) == [ITS_DOCUMENT]
    for release in (TODAY, OLD):
        for name, said in index_of(home, release)["files"].items():
            plain = name.removesuffix(".gz")
            answer = await ask(f"/data/{release}/{plain}", now=after)
            assert answer.status_code != 200 or "documents" not in said["tables"], (release, name)
            table, _, form = plain.partition(".")
            if answer.status_code == 200 and table in gone and form in FORMS:
                column = keys(reader)[table]
                assert not {row[column] for row in FORMS[form](answer.content)} & set(json.loads(gone[table])), name
    assert index_of(home)["files"]["documents.csv.gz"]["first_end"] == TODAY


async def test_an_earlier_release_gives_what_the_newest_one_still_says(ask, copy, catalogue):
    names = ("notices.csv", "notices.csv.gz", "mingbai.db", "mingbai.csv.zip", "notices.xlsx", "institutions.csv")
    assert {name: (await ask(f"/data/{OLD}/{name}")).status_code for name in names} == dict.fromkeys(names, 200)
    shutil.rmtree(copy / "releases" / TODAY)
    corrected = said()
    next(row for row in corrected["notices"] if row["id"] == ACTIVE)["facts"] = "更正后的事实"
    publish(copy, TODAY, catalogue, corrected)
    gone = {name: (await ask(f"/data/{OLD}/{name}", where=copy)).status_code for name in names}
    assert gone == dict.fromkeys(names, 410) | {"institutions.csv": 200}


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Two releases: what the first one says of an institution is screened in the second."""
    there, then = tmp_path_factory.mktemp("screened"), said()
    next(row for row in then["institutions"] if row["id"] == SWEET).update(organiser="王小明", address="东大路1号，电话13800000000")
    publish(there, OLD, catalogue, then)
    publish(there, TODAY, catalogue)
    go_live(there, TODAY)
    write_index(there, OLD, TODAY)
    write_past(there, catalogue, OLD, TODAY)
    return there


async def test_what_is_screened_today_is_given_out_of_no_earlier_release(ask, screened):
    names = (
        "institutions.csv",
        "institutions.parquet",
        "institutions.xlsx",
        "mingbai.csv.zip",
        "mingbai.db",
        "mingbai.db.zst",
        "permits.csv",
    )
    given = {name: (await ask(f"/data/{OLD}/{name}", where=screened)).status_code for name in names}
    assert given == dict.fromkeys(names, 410) | {"permits.csv": 200}
    assert (await ask(f"/data/{TODAY}/institutions.csv", where=screened)).status_code == 200


async def test_a_page_of_an_earlier_release_shows_a_text_as_it_would_be_published_today(ask, screened):
    for end in ("", ".json"):
        answer = await ask(f"/institutions/{SWEET}{end}?as_of={OLD}", where=screened)
        assert answer.status_code == 200
        assert "王小明" not in answer.text
        assert "13800000000" not in answer.text
        assert "王某" in answer.text
        assert "东大路1号，电话【已隐去电话】" in answer.text


@pytest.mark.parametrize("path", ["/search?q=13800000000", "/search.json?q=13800000000"])
async def test_what_is_screened_today_finds_nobody_in_an_earlier_release_and_is_not_said_not_to_be_there(ask, screened, path):
    answer = await ask(f"{path}&as_of={OLD}", where=screened)
    assert answer.status_code == 503
    assert SWEET not in answer.text
    assert (await ask(path, where=screened)).status_code == 200


@pytest.mark.parametrize("name", ["甜果13800000000", "没有这家机构"])
async def test_of_a_release_with_what_is_screened_today_no_name_is_said_not_to_be_listed(ask, screened, name):
    answer = (await ask(f"/verify.json?name={quote(name)}&region=350102&as_of={OLD}", where=screened)).json()
    assert (answer["status"], [each["code"] for each in answer["reasons"]]) == ("cannot_say", ["unsearchable"])


async def test_a_release_is_searched_still_where_nobody_is_found_by_what_is_hidden_today(ask, tmp_path, catalogue):
    then = said()
    next(row for row in then["institutions"] if row["id"] == SWEET)["organiser"] = "王小明"
    publish(tmp_path, OLD, catalogue, then)
    publish(tmp_path, TODAY, catalogue)
    go_live(tmp_path, TODAY)
    write_index(tmp_path, OLD, TODAY)
    write_past(tmp_path, catalogue, OLD, TODAY)
    found, file = [await ask(path, where=tmp_path) for path in (f"/search.json?q=甜果&as_of={OLD}", f"/data/{OLD}/institutions.csv")]
    assert ([one["id"] for one in found.json()["results"]][:1], file.status_code) == ([SWEET], 410)
    assert "王小明" not in found.text


NAME = "张三丰"  # who a mapping once put where others stand, without a title


def linked(home: Path, there: Path) -> Path:
    shutil.copytree(home, there, copy_function=os.link, symlinks=True)
    (there / "history.db").unlink()  # which is written to
    return there


def replaced(home: Path, there: Path, catalogue: Catalogue, changed: Mapping[str, Mapping[str, str]]) -> Path:
    """The two releases, the first of which says something else of an institution: by our own recipe, all of that was changed since."""
    then = said()
    for table, values in changed.items():
        next(row for row in then[table] if SWEET in row.values()).update(values)
    shutil.rmtree(linked(home, there) / "releases" / OLD)
    publish(there, OLD, catalogue, then)
    write_past(there, catalogue, OLD, TODAY, ours=[TODAY])
    return there


@pytest.fixture(scope="module")
def named(home: Path, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    changed = {"institutions": {"registrar": NAME}, "institution_aliases": {"name": NAME}}
    return replaced(home, tmp_path_factory.mktemp("named") / "home", catalogue, changed)


async def test_a_bare_name_that_our_recipe_took_out_of_another_column_is_in_nothing_that_is_given_of_before(ask, named):
    names = ("institutions.csv", "institutions.parquet", "institution_aliases.csv", "mingbai.db", "mingbai.db.zst", "permits.csv")
    given = {name: (await ask(f"/data/{OLD}/{name}", where=named)).status_code for name in names}
    assert given == dict.fromkeys(names, 410) | {"permits.csv": 200}
    assert (await ask(f"/data/{TODAY}/institutions.csv", where=named)).status_code == 200
    for end in ("", ".json"):
        answer = await ask(f"/institutions/{SWEET}{end}?as_of={OLD}", where=named)
        assert (answer.status_code, NAME in answer.text, answer.text.count("张某") >= 2) == (200, False, True)
    assert (await ask(f"/search?q={NAME}&as_of={OLD}", where=named)).status_code == 503, "an alias is searched"
    for table in ("institutions_as_of", "institutions_difference", "institution_aliases_as_of", "changes"):
        told = await ask(f"/history/{table}.json?_shape=array", where=named)
        assert (told.status_code, SWEET in told.text, NAME in told.text) == (200, True, False), table
    assert NAME.encode() not in (named / "past" / f"{TODAY}.db").read_bytes()


async def test_what_our_recipe_changed_and_is_no_name_takes_no_file_away(ask, home, tmp_path, catalogue):
    texts = {"registrar": "福州市市场监督管理局", "address": "文三路1号2楼", "region_text": "马尾区"}
    changed = {
        "institutions": {**texts, "opened_on": "2018", "status": "closed"},
        "institution_classes": {"class_code": "arts", "content": "美术、书法"},
        "institution_sites": {"address": "白马路 1 号"},
    }
    there = replaced(home, tmp_path / "home", catalogue, changed)
    for name in ("institutions.csv", "institution_classes.csv", "institution_sites.csv", "mingbai.db"):
        assert (await ask(f"/data/{OLD}/{name}", where=there)).status_code == 200
    answer = (await ask(f"/institutions/{SWEET}.json?as_of={OLD}", where=there)).text
    assert all(text in answer for text in (*texts.values(), "美术、书法", "白马路 1 号"))


async def test_what_the_source_itself_says_otherwise_takes_no_file_away(ask, named, tmp_path, catalogue):
    there = linked(named, tmp_path / "home")
    write_past(there, catalogue, OLD, TODAY)
    assert (await ask(f"/data/{OLD}/institutions.csv", where=there)).status_code == 200
    assert NAME in (await ask(f"/institutions/{SWEET}?as_of={OLD}", where=there)).text


async def test_while_nobody_can_say_what_our_recipe_changed_a_page_of_before_shows_no_bare_name(ask, named, tmp_path):
    there = linked(named, tmp_path / "home")
    (there / "past" / f"{TODAY}.db").unlink()
    page = await ask(f"/institutions/{SWEET}?as_of={OLD}", where=there)
    assert (page.status_code, NAME in page.text, "张某" in page.text) == (200, False, True)


async def test_a_column_that_is_no_longer_published_is_given_out_of_no_earlier_release(ask, copy):
    database = copy / "releases" / OLD / "mingbai.db"
    write(database, database.read_bytes())
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("ALTER TABLE institutions ADD COLUMN phone TEXT")
        connection.execute("UPDATE institutions SET phone = '13800000000'")
    assert (await ask(f"/data/{OLD}/institutions.csv", where=copy)).status_code == 410
    assert (await ask(f"/data/{OLD}/permits.csv", where=copy)).status_code == 200
    assert "13800000000" not in (await ask(f"/institutions/{SWEET}.json?as_of={OLD}", where=copy)).text


async def test_without_the_past_nobody_knows_what_may_be_given_of_an_earlier_release(ask, copy):
    (copy / "past" / f"{TODAY}.db").unlink()
    assert (await ask(f"/data/{OLD}/institutions.csv", where=copy)).status_code == 410
    assert (await ask(f"/data/{TODAY}/institutions.csv", where=copy)).status_code == 200


async def test_what_cannot_be_judged_goes_nowhere(ask, copy):
    write(copy / "releases" / OLD / "downloads" / "holds.json", b"{}")
    assert (await ask(f"/data/{OLD}/institutions.csv", where=copy)).status_code == 410
    listed = (await ask(f"/data/{OLD}/index.json", where=copy)).json()
    assert (listed["release"], listed["newest_release"], {one["is_given"] for one in listed["files"] if one["form"] != "description"}) == (
        OLD,
        TODAY,
        {False},
    )
    assert "现在不提供" in (await ask(f"/data/{OLD}", where=copy)).text
    write(copy / "releases" / TODAY / "downloads" / "institutions.parquet", b"another")
    (copy / "releases" / TODAY / "downloads" / "ratings.parquet").unlink()
    assert (await ask(f"/data/{TODAY}/ratings.parquet", where=copy)).status_code == 503
    assert (await ask(f"/data/{TODAY}/institutions.parquet", where=copy)).status_code == 503
    assert (await ask(f"/data/{TODAY}/institutions.csv", where=copy)).status_code == 200


async def test_thousands_of_notices_are_judged_beside_the_loop_and_once_for_every_release(ask, copy, monkeypatch, catalogue):
    threads, compared = [], []

    def judged(live: Any, today: str, holds: Any) -> bool:
        threads.append(threading.current_thread())
        return holding.still(live, today, holds)

    def counted(table: str, row: Any) -> str | None:
        compared.append((table, row.get("id") or (row["notice_id"], row["number"])))
        return fingerprint(table, row)

    monkeypatch.setattr("publish.web.offered.still", judged)
    monkeypatch.setattr(holding, "fingerprint", counted)
    monkeypatch.setattr(holding, "MANY", 0)
    shutil.copytree(copy / "releases" / OLD, copy / "releases" / "2026-11-19", copy_function=os.link)
    write_index(copy, "2026-11-19", OLD, TODAY)
    for release in (OLD, "2026-11-19"):
        assert (await ask(f"/data/{release}/notices.csv", where=copy)).status_code == 200
    assert threads
    assert threading.main_thread() not in threads
    assert len(compared) == len(set(compared))


def test_a_release_is_verified_by_its_address(served, home):
    """All that the manifest names and the site gives out, where the site says where it lies."""
    manifest = json.loads((home / "releases" / TODAY / "manifest.json").read_bytes())
    there = place(f"{served}/data/latest/")
    try:
        assert json.loads(there.small("manifest.json") or b"")["id"] == TODAY
        given = [name for name in manifest["files"] if there.gives(name)]
        assert {"mingbai.db", "downloads/index.json", "downloads/institutions.csv.gz"} <= set(given)
        for name in given:
            said = manifest["files"][name]
            with suppress(Withheld):  # what has ended by the clock of the machine
                assert there.measured(name, said["size"]) == Measured(said["sha256"], said["size"]), name
    finally:
        there.close()


class Cut(socketserver.BaseRequestHandler):
    """What lies between a site and who reads from it over a bad line: after some thousand bytes it is gone."""

    site: tuple[str, int] = ("", 0)
    chance = Random(20261123)

    def handle(self) -> None:
        with socket.create_connection(self.site) as there:
            threading.Thread(target=_poured, args=(self.request, there, 1 << 30), daemon=True).start()
            _poured(there, self.request, self.chance.randrange(2_000, 60_000))


def _poured(source: socket.socket, target: socket.socket, most: int) -> None:
    with suppress(OSError):
        while most and (data := source.recv(min(most, 4096))):
            target.sendall(data)
            most -= len(data)
        target.shutdown(socket.SHUT_RDWR)


def test_a_release_is_verified_over_a_line_that_breaks_off(served, home):
    manifest = json.loads((home / "releases" / TODAY / "manifest.json").read_bytes())
    handler = type("Handler", (Cut,), {"site": ("127.0.0.1", urlsplit(served).port)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as line:
        line.daemon_threads = True
        threading.Thread(target=line.serve_forever, args=(0.02,), daemon=True).start()
        client = Http(SourcePlan("release", f"http://127.0.0.1:{line.server_address[1]}", (), rate=0, retries=9), wait=lambda _: None)
        with closing(Site(f"http://127.0.0.1:{line.server_address[1]}/data/{TODAY}/", client)) as there:
            for name in ("mingbai.db", "downloads/regions.xlsx"):
                said = manifest["files"][name]
                assert said["size"] > 60_000, "more than one connection brings"
                assert there.measured(name, said["size"]) == Measured(said["sha256"], said["size"])
        line.shutdown()


# -- what was found ----------------------------------------------------------------------------------------------------

FORMS = {
    "csv": lambda body: list(csv.DictReader(io.StringIO(body.decode("utf-8")))),
    "ndjson": lambda body: [json.loads(line) for line in body.splitlines()],
    "parquet": lambda body: parquet.read_table(io.BytesIO(body)).to_pylist(),
}


async def pages_of(ask: Callable[..., Any], path: str) -> list[str]:
    found: list[str] = []
    while True:
        page = (await ask(f"{path}&limit=3&offset={len(found)}")).json()
        found += [one["id"] for one in page["results"]]
        if len(found) >= page["total"]:
            return found


@pytest.mark.parametrize(
    "page", ["/search{}?q=%E5%9F%B9%E8%AE%AD", "/notices{}?kind=penalty", "/notices{}?q=%E6%94%B6%E8%B4%B9&sort=oldest"]
)
@pytest.mark.parametrize("form", FORMS)
async def test_everything_that_a_page_finds_is_in_the_file_in_its_order(ask, page, form):
    ids = await pages_of(ask, page.format(".json"))
    answer = await ask(page.format(f".{form}"))
    assert (answer.status_code, [row["id"] for row in FORMS[form](answer.content)]) == (200, ids)
    assert ids


async def test_a_workbook_and_a_spreadsheet_say_the_same(ask):
    plain = FORMS["csv"]((await ask("/search.csv?q=%E5%9F%B9%E8%AE%AD")).content)
    sheet = openpyxl.load_workbook(io.BytesIO((await ask("/search.xlsx?q=%E5%9F%B9%E8%AE%AD")).content)).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [row["id"] for row in plain]
    spread = (await ask("/search.spreadsheet.csv?q=%E5%9F%B9%E8%AE%AD")).content
    assert spread.startswith("\ufeff".encode())
    assert [row[0] for row in csv.reader(io.StringIO(spread.decode("utf-8-sig")))][1:] == [row["id"] for row in plain]


async def test_a_notice_that_has_ended_is_in_no_export(ask):
    assert FORMS["csv"]((await ask("/notices.csv")).content)
    years = NOON + timedelta(days=5 * 366)
    assert FORMS["csv"]((await ask("/notices.csv", now=years)).content) == []


async def test_what_has_ended_is_in_no_export_of_a_region(ask, site, home):
    years = NOON + timedelta(days=5 * 366)
    reader = site(home, years).shelf.reader
    gone = ended(reader, years.date().isoformat()).gone
    with_region = {table: column for table, column in keys(reader).items() if table != "documents"}
    for table, column in with_region.items():
        before, after = [
            {row[column] for row in FORMS["csv"]((await ask(f"/data/{table}.csv?region=350000", now=now)).content)} for now in (NOON, years)
        ]
        over = set(json.loads(gone[table]))
        assert before & over or not reader.counts[table] or table == "listings", table
        assert after == before - over, table
    assert json.loads(gone["listings"])


@pytest.mark.parametrize(("path", "known"), [
    ("/search.csv?q=a&limit=5", "q"), ("/search.csv?q=a&as_of=2026-11-20", "q"), ("/search.csv", "q"), ("/search.csv?q=a&nothing=1", "q"),
    ("/notices.csv?kind=nothing", "penalty"), ("/notices.csv?q=(", "("), ("/data/institutions.csv?region=1", "110000"), ("/data/institutions.csv?county=1", "region"),
    ("/data/codes.csv?region=110000", "institutions"), ("/search.csv?q=%E3%80%82%E3%80%82", "没有可以查的字"), ("/search.xlsx?q=-", "没有可以查的字"),
    ("/search.csv?q=" + "%20".join("abcdefghijklmnopqr"), "词太多"), ("/search.csv?q=%E7%94%9C%E6%9E%9C" + "%E7%94%9C" * 199, "没有可以查的字"), ("/data/institutions.csv?region=110000&region=120000", "110000"),
])  # fmt: skip
async def test_what_cannot_be_asked_is_refused_with_what_can(ask, path, known):
    answer = await ask(path)
    assert (answer.status_code, known in answer.text) == (400, True), answer.text[-2000:]


async def test_a_region_has_its_rows_and_those_of_what_lies_in_it(ask, home):
    everything = FORMS["csv"]((await ask(f"/data/{TODAY}/institutions.csv")).content)
    province = everything[0]["region_code"][:2]
    some = FORMS["csv"]((await ask(f"/data/institutions.csv?region={province}0000")).content)
    assert [row["id"] for row in some] == [row["id"] for row in everything if row["region_code"].startswith(province)]
    permits = FORMS["csv"]((await ask(f"/data/permits.csv?region={province}0000")).content)
    ids = {row["id"] for row in some}
    every = FORMS["csv"]((await ask(f"/data/{TODAY}/permits.csv")).content)
    assert permits == [row for row in every if row["institution_id"] in ids]
    assert permits


async def test_an_export_is_a_file_like_any_other(ask):
    path = "/notices.csv?kind=penalty"
    whole = await ask(path)
    assert whole.headers["content-length"] == str(len(whole.content))
    assert (await ask(path, method="HEAD")).headers["content-length"] == str(len(whole.content))
    assert (await ask(path, **{"if-none-match": whole.headers["etag"]})).status_code == 304
    rest = await ask(path, range="bytes=5-", **{"if-range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[5:])
    assert "%E5%85%AC%E5%91%8A" in whole.headers["content-disposition"]


async def test_who_takes_long_to_take_an_export_keeps_nobody_from_making_one(site, home, catalogue, monkeypatch):
    shelf = site(home).shelf
    making = exports.Exports(lambda *_: Answer(500, b""), dictionary(catalogue))
    answers = []
    for _ in range(exports.MOST + 1):  # each of which is made, and none taken
        visit = Visit(shelf.reader, TODAY, path="/notices.csv", parts={"form": "csv"})
        later = making.notices(visit, shelf.reader).later
        assert later is not None
        answers.append(await asyncio.wait_for(later(), 30))
    assert [answer.status for answer in answers] == [200] * (exports.MOST + 1)
    assert making._open == exports.MOST + 1
    assert making._bytes == sum(answer.stored.size for answer in answers) > 0
    monkeypatch.setattr(exports, "MOST_BYTES", making._bytes)
    later = making.notices(visit, shelf.reader).later
    assert later is not None
    assert (await later()).status == 503, "there is no room for more"
    for answer in answers:
        answer.stored.close()
    assert (making._open, making._bytes) == (0, 0)


async def test_only_so_many_wait_for_their_turn(ask, monkeypatch):
    monkeypatch.setattr(exports, "MOST_WAITING", -exports.MOST)
    answer = await ask("/search.csv?q=%E5%9F%B9%E8%AE%AD")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


async def test_more_rows_than_an_export_has_are_refused(ask, monkeypatch):
    monkeypatch.setattr(exports, "MOST_ROWS", 1)
    answer = await ask("/en/data/institutions.xlsx?region=350000")
    assert (answer.status_code, "more than 1 rows" in answer.text) == (400, True)


async def test_a_full_disk_is_said_and_no_question_is_written_down(ask, caplog, monkeypatch):
    opened = []

    def full(form: str, columns: Any, batches: Any, target: Any, title: str) -> int:
        opened.append(target._targets[0])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("publish.web.exports.forms.write", full)
        answer = await ask("/search.csv?q=%E7%A7%98%E5%AF%86")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"]) == (503, "60", "no-store")
    assert "秘密" not in caplog.text
    assert [file.closed for file in opened] == [True]
    assert (await ask("/search.csv?q=%E7%A7%98%E5%AF%86")).status_code == 200


async def test_a_table_that_the_release_does_not_have_is_not_there(ask, copy):
    database = copy / "releases" / TODAY / "mingbai.db"
    write(database, database.read_bytes())  # another file
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE fund_supervision")
        connection.commit()
    assert (await ask("/data/fund_supervision.csv?region=350000", where=copy)).status_code == 404


@pytest.mark.parametrize("page", ["/search?q=%E5%9F%B9%E8%AE%AD&limit=1&offset=1", "/notices?kind=penalty&limit=1"])
async def test_the_link_of_all_results_is_of_all_results(ask, page):
    link = re.search(r'href="([^"]*[.]csv[?][^"]*)"', (await ask(page)).text)
    assert link is not None
    found = await ask(html.unescape(link[1]))
    assert (found.status_code, len(FORMS["csv"](found.content.removeprefix("\ufeff".encode()))) > 1) == (200, True)


@pytest.mark.parametrize("lang", ["", "/en"])
async def test_pages_lead_to_the_files(ask, lang):
    assert f'href="{lang}/data/{TODAY}"' in (await ask(f"{lang}/data")).text
    page = (await ask(f"{lang}/data/{TODAY}")).text
    assert f'href="{lang}/data/{TODAY}/institutions.spreadsheet.csv"' in page
    assert f'href="{lang}/search.xlsx?q=' in (await ask(f"{lang}/search?q=%E5%9F%B9%E8%AE%AD")).text
    assert f'href="{lang}/notices.csv?' in (await ask(f"{lang}/notices")).text
