"""A release's files as the site gives them out, and what a page has found as a file: read with other people's tools."""

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet as parquet
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.downloads import downloads
from publish.home import CHINA
from publish.web.pieces import MOST_UNPACKED, UNPACKING
from publish.web.server import build_app
from test_browser import SERVE
from web_release import TODAY, go_live, make_release, rows, write_index

NOON = datetime.fromisoformat(f"{TODAY}T12:00:00").replace(tzinfo=CHINA)
OLD = "2026-11-20"


def seal(folder: Path) -> None:
    """The manifest says what is in the folder now."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    manifest["files"] = {
        path.relative_to(folder).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
        for path in paths
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Two releases with files to take away."""
    there = tmp_path_factory.mktemp("home")
    for identifier in (OLD, TODAY):
        folder = make_release(there, identifier, catalogue, mark=TODAY)  # the same words in both
        downloads(folder, catalogue)
        seal(folder)
    go_live(there, TODAY)
    write_index(there, OLD, TODAY)
    return there


@pytest.fixture
def ask(home: Path, catalogue: Catalogue) -> Callable[..., Any]:
    async def ask(path: str, now: datetime = NOON, method: str = "GET", where: Path = home, **headers: str) -> httpx.Response:
        app = build_app(where, dictionary=dictionary(catalogue), now=lambda: now)
        headers.setdefault("accept-encoding", "identity")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example", headers=headers) as client:
            return await client.request(method, path)

    return ask


@pytest.fixture(scope="module")
def served(home: Path, root: Path) -> Iterator[str]:
    """The site on a port of this machine."""
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/")
    finally:
        server.terminate()
        server.communicate(timeout=20)


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


async def test_names_are_for_everybody_and_for_who_reads_chinese(ask):
    said = (await ask(f"/data/{TODAY}/notices.spreadsheet.csv")).headers["content-disposition"]
    assert f'filename="mingbai-{TODAY}-notices.spreadsheet.csv"' in said
    assert f"filename*=UTF-8''%E6%98%8E%E7%99%BD-{TODAY}-%E5%85%AC%E5%91%8A.spreadsheet.csv" in said


async def test_who_has_a_file_already_is_told_so_by_either_validator(ask):
    first = await ask(f"/data/{TODAY}/institutions.csv")
    for known in ({"if-none-match": first.headers["etag"]}, {"if-modified-since": first.headers["last-modified"]}):
        again = await ask(f"/data/{TODAY}/institutions.csv", **known)
        assert (again.status_code, again.content) == (304, b"")
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
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"


async def test_a_part_of_another_file_is_the_whole_and_one_beyond_the_end_is_none(ask):
    whole = await ask(f"/data/{TODAY}/institutions.csv")
    other = await ask(f"/data/{TODAY}/institutions.csv", range="bytes=3-", **{"if-range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = await ask(f"/data/{TODAY}/institutions.csv", range=f"bytes={len(whole.content)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")


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


def test_who_leaves_half_way_keeps_nobody_waiting(served):
    for _ in range(3 * MOST_UNPACKED):
        with urllib.request.urlopen(f"{served}/data/{TODAY}/institutions.ndjson") as answer:
            answer.read(1)
    with urllib.request.urlopen(f"{served}/data/{TODAY}/institutions.ndjson") as answer:
        assert answer.read().endswith(b"}\n")


async def test_more_than_a_few_are_not_unpacked_at_once(ask, monkeypatch):
    monkeypatch.setattr(UNPACKING, "_left", 0)
    answer = await ask(f"/data/{TODAY}/institutions.csv")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert (await ask(f"/data/{TODAY}/institutions.csv", **{"accept-encoding": "gzip"})).status_code == 200


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


async def test_an_earlier_release_gives_what_the_newest_one_still_says(ask, home, catalogue, tmp_path):
    for name in ("notices.csv", "mingbai.db", "mingbai.csv.zip", "institutions.csv"):
        assert (await ask(f"/data/{OLD}/{name}")).status_code == 200, name
    shutil.copytree(home, tmp_path, dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(tmp_path / "releases" / TODAY)
    said = rows(TODAY)
    said["notices"][0]["facts"] = "更正后的事实"
    folder = make_release(tmp_path, TODAY, catalogue, tables=said)
    downloads(folder, catalogue)
    seal(folder)
    gone = {
        name: (await ask(f"/data/{OLD}/{name}", where=tmp_path)).status_code
        for name in ("notices.csv", "mingbai.db", "mingbai.csv.zip", "institutions.csv")
    }
    assert gone == {"notices.csv": 410, "mingbai.db": 410, "mingbai.csv.zip": 410, "institutions.csv": 200}


async def test_what_cannot_be_judged_goes_nowhere(ask, home, tmp_path):
    shutil.copytree(home, tmp_path, dirs_exist_ok=True, symlinks=True)
    (tmp_path / "releases" / OLD / "downloads" / "holds.json").write_text("{}")
    assert (await ask(f"/data/{OLD}/institutions.csv", where=tmp_path)).status_code == 410
    assert (await ask(f"/data/{TODAY}/institutions.csv", where=tmp_path)).status_code == 200


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
    assert (await ask("/data/notices.csv?region=440000", now=years)).text.count("\n") == 1


@pytest.mark.parametrize(("path", "known"), [
    ("/search.csv?q=a&limit=5", "q"), ("/search.csv?q=a&as_of=2026-11-20", "q"), ("/search.csv", "q"), ("/search.csv?q=a&nothing=1", "q"),
    ("/notices.csv?kind=nothing", "penalty"), ("/notices.csv?q=(", "("), ("/data/institutions.csv?region=1", "110000"), ("/data/institutions.csv?county=1", "region"),
    ("/data/codes.csv?region=110000", "institutions"), ("/data/institutions.csv?region=110000&region=120000", "110000"),
])  # fmt: skip
async def test_what_cannot_be_asked_is_refused_with_what_can(ask, path, known):
    answer = await ask(path)
    if "codes.csv" in path:
        assert answer.status_code in (400, 404)
        return
    assert (answer.status_code, known in answer.text) == (400, True), answer.text[-2000:]


async def test_a_region_has_its_rows_and_those_of_what_lies_in_it(ask, home):
    everything = FORMS["csv"]((await ask(f"/data/{TODAY}/institutions.csv")).content)
    province = everything[0]["region_code"][:2]
    some = FORMS["csv"]((await ask(f"/data/institutions.csv?region={province}0000")).content)
    assert [row["id"] for row in some] == [row["id"] for row in everything if row["region_code"].startswith(province)]
    permits = FORMS["csv"]((await ask(f"/data/permits.csv?region={province}0000")).content)
    assert {row["institution_id"] for row in permits} <= {row["id"] for row in some}


async def test_only_a_few_are_made_at_once_and_who_comes_too_late_is_told(ask, home, catalogue, monkeypatch):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    monkeypatch.setattr("publish.web.exports.threading.BoundedSemaphore", lambda most: threading.Semaphore(0))
    answer = await ask("/search.csv?q=%E5%9F%B9%E8%AE%AD")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert app is not None


async def test_no_question_is_written_down(ask, caplog, monkeypatch):
    def fails(*_: Any, **__: Any) -> int:
        raise OSError("no space left")

    monkeypatch.setattr("publish.web.exports.forms.write", fails)
    answer = await ask("/search.csv?q=%E7%A7%98%E5%AF%86")
    assert answer.status_code == 500
    assert "秘密" not in caplog.text


@pytest.mark.parametrize("lang", ["", "/en"])
async def test_pages_lead_to_the_files(ask, lang):
    assert f'href="{lang}/data/{TODAY}"' in (await ask(f"{lang}/data")).text
    page = (await ask(f"{lang}/data/{TODAY}")).text
    assert f'href="{lang}/data/{TODAY}/institutions.spreadsheet.csv"' in page
    assert f'href="{lang}/search.xlsx?q=' in (await ask(f"{lang}/search?q=%E5%9F%B9%E8%AE%AD")).text
    assert f'href="{lang}/notices.csv?' in (await ask(f"{lang}/notices")).text
