"""A release's downloads: what there is, that it is of the release, what is taken over, what is withdrawn from all of it, and what is never half there."""

import csv
import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from click.testing import CliRunner
from python_calamine import CalamineWorkbook

from making import copied, deliver, institution, listing, notice, on, rating, world
from publish import downloads as stage
from publish.catalogue import Catalogue
from publish.cli import main
from publish.downloads import DATABASE, WHOLE, Issue, alike, downloads
from publish.errors import BadHome, ReviewNeeded
from publish.extracts import outside, rows, under
from publish.nowhere import remains
from publish.rebuild import rebuild_downloads
from publish.steps import make_downloads
from publish.withdraw import withdraw
from publish.work import Work
from unpacked import all_said, said

OF = Issue("2026-11-01", "2026-11-01", {"institutions": "1.0.0"})
SECRET = "甲乙丙丁的决定已被法院撤销"


@pytest.fixture(scope="module")
def made(begun: Callable[[], Work]) -> Work:
    """A release with three institutions."""
    work = begun()
    deliver(work, world(), 0)
    return work


@pytest.fixture
def live(made: Work, work: Work) -> Path:
    """The folder of that release."""
    return copied(made, work).home.releases / "2026-11-01"


def index(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "downloads" / "index.json").read_bytes())
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plain(path: Path) -> bytes:
    """What is packed in a file, by another library than packed it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()


def test_the_index_says_what_there_is_and_what_is_in_it(live: Path, catalogue: Catalogue) -> None:
    made = index(live)
    there = {path.name for path in (live / "downloads").iterdir()} - {"index.json", "holds.json"}
    assert set(made["files"]) == there
    assert made["database"] == sha256(live / DATABASE)
    for name, entry in made["files"].items():
        path = live / "downloads" / name
        assert (entry["bytes"], entry["sha256"]) == (path.stat().st_size, sha256(path)), name
        if "plain" in entry:
            data = plain(path)
            assert (entry["plain"]["bytes"], entry["plain"]["sha256"]) == (len(data), hashlib.sha256(data).hexdigest()), name
    for table in catalogue.tables:
        assert {f"{table}{end}" for end in (".csv.gz", ".csv.zst", ".spreadsheet.csv.gz", ".ndjson.gz", ".ndjson.zst", ".parquet")} <= there
    assert {*(f"{dataset}.xlsx" for dataset in catalogue.datasets), "mingbai.db.gz", "mingbai.db.zst", WHOLE, "datapackage.json"} <= there


def test_command_line_tools_take_them(live: Path) -> None:
    folder = live / "downloads"
    for tool, name in (("gzip", "mingbai.db.gz"), ("zstd", "mingbai.db.zst")):
        got = subprocess.run([tool, "-dc", str(folder / name)], capture_output=True, check=True).stdout
        assert got == (live / DATABASE).read_bytes()
    header = (folder / "notices.csv.gz").read_bytes()[:10]
    assert header[3:8] == b"\0" * 5, "no name and no time"


def test_every_form_has_the_rows_of_the_database(live: Path, catalogue: Catalogue) -> None:
    folder = live / "downloads"
    with closing(sqlite3.connect(live / DATABASE)) as connection:
        for table in catalogue.tables.values():
            names = [column.name for column in table.published]
            expected = connection.execute(rows(table, table.published)).fetchall()
            lines = plain(folder / f"{table.name}.ndjson.zst").decode().splitlines()
            assert [tuple(json.loads(line).values()) for line in lines] == expected
            found = duckdb.sql(f"SELECT * FROM '{folder / table.name}.parquet'").fetchall()
            assert [tuple(_plainly(value) for value in row) for row in found] == expected
            assert plain(folder / f"{table.name}.csv.gz") == plain(folder / f"{table.name}.csv.zst")
            texts = [[("" if value is None else f"{value}") for value in row] for row in expected]
            for form, mark in ((".csv.gz", ""), (".spreadsheet.csv.gz", "'")):
                cells = list(csv.reader(io.StringIO(plain(folder / f"{table.name}{form}").decode("utf-8-sig"), newline="")))[1:]
                assert len(cells) == len(texts), (table.name, form)
                for line, row in zip(cells, texts, strict=True):
                    assert all(
                        cell in (text, f"{mark}{text}") or float(cell) == float(text) for cell, text in zip(line, row, strict=True)
                    ), (form, line, row)
            assert plain(folder / f"{table.name}.csv.gz").decode().partition("\n")[0] == ",".join(f'"{name}"' for name in names)
            book = CalamineWorkbook.from_path(str(folder / f"{table.dataset}.xlsx"))
            sheet = book.get_sheet_by_name(_sheet(table.label.zh)).to_python(skip_empty_area=False)[1:]
            assert [[_read(value) for value in row] for row in sheet] == [[_read(value) for value in row] for row in expected], table.name


def _plainly(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value.isoformat() if hasattr(value, "isoformat") else value


def _read(value: Any) -> Any:
    """A value as a sheet has it."""
    if value in (None, ""):
        return None
    return value.isoformat()[:10] if hasattr(value, "isoformat") else value if isinstance(value, str) else float(value)


def _sheet(title: str) -> str:
    return "".join(" " if sign in "[]:*?/\\'" else sign for sign in title)[:31]


def test_a_workbook_says_what_its_columns_mean_where_it_is_from_and_on_which_terms(live: Path) -> None:
    book = CalamineWorkbook.from_path(str(live / "downloads" / "notices.xlsx"))
    assert book.sheet_names[-3:] == ["字典 Dictionary", "来源 Sources", "许可 Licence"]
    words = [row[1] for row in book.get_sheet_by_name("字典 Dictionary").to_python()]
    assert {"fine_fen", "public_until"} <= set(words)
    assert "histogram" not in words, "that is of another dataset"


def test_the_archive_has_every_table_and_what_describes_them(live: Path, catalogue: Catalogue) -> None:
    with zipfile.ZipFile(live / "downloads" / WHOLE) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) >= {*(f"{table}.csv" for table in catalogue.tables), "datapackage.json"}
        assert archive.read("notices.csv") == plain(live / "downloads" / "notices.csv.gz")
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.extract_version for info in archive.infolist()} == {20}, "of what every reader knows"


def test_they_are_a_function_of_the_database(live: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    again.mkdir()
    (again / DATABASE).write_bytes((live / DATABASE).read_bytes())
    made, manifest = index(live), json.loads((live / "manifest.json").read_bytes())
    of = Issue(manifest["id"], manifest["released_on"], {dataset: one["version"] for dataset, one in manifest["versions"].items()})
    assert downloads(again, catalogue, of) == made
    assert (again / "downloads" / "holds.json").read_bytes() == (live / "downloads" / "holds.json").read_bytes()


def test_what_did_not_change_is_the_file_of_the_release_before(work: Work, live: Path) -> None:
    deliver(work, {**world(), "notices": [notice(1), notice(2), notice(3, facts="另一事实。")]}, 1)
    new, old = work.home.releases / "2026-11-02" / "downloads", live / "downloads"
    for name in ("ratings.parquet", "ratings.csv.gz", "institutions.ndjson.zst", "permits.spreadsheet.csv.gz", "ratings.xlsx"):
        assert os.path.samefile(new / name, old / name), name
    for name in ("notices.parquet", "notices.csv.gz", "notices.xlsx"):
        assert sha256(new / name) != sha256(old / name), name
        assert not os.path.samefile(new / name, old / name), name
    assert index(work.home.releases / "2026-11-02")["files"]["ratings.parquet"] == index(live)["files"]["ratings.parquet"]


@pytest.mark.parametrize("what", ["bytes", "index", "recipe"])
def test_a_file_that_is_not_what_it_should_be_is_made_anew(work: Work, live: Path, what: str) -> None:
    good, made = (live / "downloads" / "ratings.parquet").read_bytes(), index(live)
    if what == "bytes":
        (live / "downloads" / "ratings.parquet").write_bytes(good[:-1] + b"X")
    elif what == "index":
        (live / "downloads" / "index.json").write_bytes(b"{")
    else:
        made["tables"]["ratings"]["recipe"] = "of other writers"
        (live / "downloads" / "index.json").write_text(json.dumps(made))
    deliver(work, {**world(), "notices": [notice(1)]}, 1)
    new = work.home.releases / "2026-11-02" / "downloads" / "ratings.parquet"
    assert new.read_bytes() == good
    assert not os.path.samefile(new, live / "downloads" / "ratings.parquet")


def test_a_workbook_whose_dictionary_or_sources_say_something_else_is_made_anew(live: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes((live / DATABASE).read_bytes())
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE sources SET licence = '另一许可'")
    of_two = {name: dataset for name, dataset in catalogue.datasets.items() if name == "ratings" or "sources" in dataset.tables}
    tables = {name: catalogue.tables[name] for dataset in of_two.values() for name in dataset.tables}
    downloads(tmp_path, replace(catalogue, datasets=of_two, tables=tables), OF, live, {"ratings"})
    made, before = tmp_path / "downloads" / "ratings.xlsx", live / "downloads" / "ratings.xlsx"
    assert not os.path.samefile(made, before)
    assert "另一许可" in str(CalamineWorkbook.from_path(str(made)).get_sheet_by_name("来源 Sources").to_python())
    assert os.path.samefile(tmp_path / "downloads" / "ratings.parquet", live / "downloads" / "ratings.parquet")


def test_rows_are_alike_or_they_are_not(live: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    copy = tmp_path / DATABASE
    copy.write_bytes((live / DATABASE).read_bytes())
    assert alike(live / DATABASE, copy, catalogue) == set(catalogue.tables)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE notices SET facts = 'x' WHERE id = (SELECT min(id) FROM notices)")
        connection.execute("DELETE FROM permits WHERE institution_id = (SELECT min(institution_id) FROM permits)")
    assert set(catalogue.tables) - alike(live / DATABASE, copy, catalogue) == {"notices", "permits"}


# What may be given out


def test_the_index_says_when_the_first_of_a_file_ends(work: Work) -> None:
    ending = [notice(1, publicUntil="2026-12-01"), notice(2, publicUntil="2026-11-20")]
    deliver(work, {**world(2), "notices": ending}, 0)
    folder = work.home.releases / "2026-11-01"
    ends = {name: entry["first_end"] for name, entry in index(folder)["files"].items()}
    assert {
        ends[name]
        for name in (
            "notices.csv.gz",
            "notices.parquet",
            "notices.xlsx",
            "notice_measures.csv.zst",
            "documents.parquet",
            "mingbai.db.gz",
            WHOLE,
        )
    } == {"2026-11-20"}
    assert {ends[name] for name in ("institutions.csv.gz", "ratings.parquet", "listings.xlsx", "regions.csv.gz")} == {None}


def test_what_may_hurt_somebody_is_written_beside_them_as_deltas_have_it(work: Work) -> None:
    black = listing(2, list="黑名单", docUrl="https://example.org/black/1")
    deliver(work, {**world(2), "listings": [listing(1), black]}, 0)
    folder = work.home.releases / "2026-11-01"
    holds, made = json.loads((folder / "downloads" / "holds.json").read_bytes()), index(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        notices = {id for (id,) in connection.execute("SELECT id FROM notices")}
        blacks = {id for (id,) in connection.execute("SELECT id FROM listings WHERE list = 'black'")}
    assert {id for id, _, _ in holds["notices"]["notices"]} == notices == {id for id, _, _ in holds["notice_penalties"]["notices"]}
    assert {id for id, _, _ in holds["listings"]["listings"]} == blacks
    assert len(holds["documents"]["documents"]) == 3, "those of the notices and of the black listing, not of the white one"
    assert {table for table, entry in made["tables"].items() if entry["holds"]} >= {"notices", "notice_links", "listings", "documents"}
    assert not any(made["tables"][table]["holds"] for table in ("institutions", "ratings", "permits", "regions", "codes"))


def test_a_withdrawal_reaches_every_file_and_leaves_the_others(work: Work) -> None:
    secret = [notice(1), notice(2, title=SECRET, facts=f"{SECRET}<其>&“事实”"), notice(3)]
    deliver(work, {**world(), "notices": secret}, 0)
    deliver(work, {**world(4), "notices": [*secret, notice(4)]}, 1)
    old = work.home.releases / "2026-11-01"
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        (identifier,) = connection.execute("SELECT id FROM notices WHERE title = ?", [SECRET]).fetchone()
    assert SECRET.encode() in all_said([old])
    hiding = [path.name for path in (old / "downloads").iterdir() if SECRET.encode() in said(path)]
    assert set(hiding) == {
        *(f"notices{end}" for end in (".csv.gz", ".csv.zst", ".spreadsheet.csv.gz", ".ndjson.gz", ".ndjson.zst", ".parquet", ".xlsx")),
        *("mingbai.db.gz", "mingbai.db.zst", WHOLE),
    }
    gone = {identifier: ("revoked", "2026-11-03", identifier)}
    found = "\n".join(remains(work.home, gone))
    for name in hiding:
        assert str(old / "downloads" / name) in found, "the proof looks into every form"
    before = {path.name: path.stat().st_ino for path in (old / "downloads").iterdir()}
    for name in ("张三", "李四"):
        try:
            withdraw(on(work, 2), identifier, "revoked", "撤销判决书", name, "法院撤销了这一决定")
        except ReviewNeeded:
            assert name == "张三"
    for release in work.home.release_ids():
        folder = work.home.releases / release
        assert SECRET.encode() not in all_said([folder])
        assert index(folder)["database"] == sha256(folder / DATABASE)
        assert all(entry["sha256"] == sha256(folder / "downloads" / name) for name, entry in index(folder)["files"].items())
        (work.home.path.parent / release).mkdir()
        shutil.copyfile(folder / DATABASE, work.home.path.parent / release / DATABASE)
        assert not rebuild_downloads(work.home, work.catalogue, release, work.home.path.parent / release / DATABASE), (
            "as it was issued anew"
        )
    after = {path.name: path.stat().st_ino for path in (old / "downloads").iterdir()}
    same = {name for name, inode in before.items() if after[name] == inode}
    assert same >= {"ratings.parquet", "institutions.csv.gz", "institutions.xlsx", "regions.ndjson.zst"}
    assert not same & set(hiding)


# A workbook that is too large


def test_what_is_too_much_for_a_sheet_is_split_by_province(
    work: Work, live: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = [institution(1), institution(2, areaCode="350102"), institution(3, areaCode="000000")]
    deliver(
        work, {**world(), "institutions": here, "ratings": [rating(n, month) for n in (1, 2, 3) for month in ("2026-09", "2026-10")]}, 1
    )
    database = work.home.releases / str(work.live) / DATABASE
    monkeypatch.setattr("publish.forms.form.SHEET_ROWS", 4)
    of_both = {name: catalogue.datasets[name] for name in ("institutions", "ratings")}
    catalogue = replace(
        catalogue, datasets=of_both, tables={t: catalogue.tables[t] for dataset in of_both.values() for t in dataset.tables}
    )
    folder = tmp_path / "split"
    folder.mkdir()
    (folder / DATABASE).write_bytes(database.read_bytes())
    made = downloads(folder, catalogue, OF)["files"]
    books = sorted(name for name in made if name.startswith("ratings") and name.endswith(".xlsx"))
    assert books == ["ratings-330000.xlsx", "ratings-350000.xlsx", "ratings-none.xlsx", "ratings.xlsx"]
    assert [made[name]["rows"] for name in books] == [2, 2, 2, 6]
    listed = CalamineWorkbook.from_path(str(folder / "downloads" / "ratings.xlsx")).get_sheet_by_index(0).to_python()
    assert [row[0] for row in listed[1:]] == books[:3]
    said = [
        row[0]
        for name in books[:3]
        for row in CalamineWorkbook.from_path(str(folder / "downloads" / name)).get_sheet_by_index(0).to_python()[1:]
    ]
    with closing(sqlite3.connect(database)) as connection:
        assert sorted(said) == [id for (id,) in connection.execute("SELECT institution_id FROM ratings ORDER BY 1")]
        again = tmp_path / "again"
        again.mkdir()
        (again / DATABASE).write_bytes(database.read_bytes())
    moved = sqlite3.connect(again / DATABASE)
    with closing(moved), moved:
        moved.execute("UPDATE institutions SET region_code = '330106' WHERE region_code = '000000'")
    downloads(again, catalogue, OF, folder, set(catalogue.tables) - {"institutions"})
    linked = {
        name
        for name in books
        if (again / "downloads" / name).is_file() and os.path.samefile(again / "downloads" / name, folder / "downloads" / name)
    }
    assert linked == {"ratings-350000.xlsx"}, "an institution moved into the other one"
    assert not (again / "downloads" / "ratings-none.xlsx").exists()


def test_a_province_that_no_sheet_holds_is_split_and_what_nothing_holds_is_named(
    work: Work, live: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = ["330106", "330106", "330203", "330000"]  # of one province: twice in a city, once in another, once in none
    here = [institution(number, areaCode=code) for number, code in enumerate(places, 1)]
    deliver(
        work, {**world(), "institutions": here, "ratings": [rating(n, month) for n in (1, 2, 3, 4) for month in ("2026-09", "2026-10")]}, 1
    )
    of_both = {name: catalogue.datasets[name] for name in ("institutions", "ratings")}
    catalogue = replace(
        catalogue, datasets=of_both, tables={t: catalogue.tables[t] for dataset in of_both.values() for t in dataset.tables}
    )
    for limit, named in ((4, {"330100": 4, "330200": 2, "330000-none": 2}), (3, {"330200": 2, "330000-none": 2})):
        monkeypatch.setattr("publish.forms.form.SHEET_ROWS", limit)
        folder = tmp_path / str(limit)
        folder.mkdir()
        shutil.copyfile(work.home.releases / str(work.live) / DATABASE, folder / DATABASE)
        made = downloads(folder, catalogue, OF)["files"]
        books = {name: one["rows"] for name, one in made.items() if name.startswith("ratings-") and name.endswith(".xlsx")}
        assert books == {f"ratings-{code}.xlsx": number for code, number in named.items()}
        listed = CalamineWorkbook.from_path(str(folder / "downloads" / "ratings.xlsx")).get_sheet_by_index(0).to_python()
        assert sum(int(row[3]) for row in listed[1:]) == 8, "all rows are told of"
    assert ["330106" in str(row[1]) and "CSV" in str(row[0]) for row in listed[1:]].count(True) == 1


def test_a_part_that_says_no_region_lies_where_what_it_is_of_does(live: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    copy, sites = tmp_path / DATABASE, catalogue.tables["institution_sites"]
    shutil.copyfile(live / DATABASE, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(
            "UPDATE institution_sites SET region_code = NULL WHERE institution_id = (SELECT min(institution_id) FROM institution_sites)"
        )
        for where, number in ((under(catalogue, sites, "330106"), 3), (outside(catalogue, sites, ["330000"]), 0)):
            assert len(connection.execute(rows(sites, sites.published, where or "")).fetchall()) == number


def test_files_in_another_order_are_made_anew(live: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes((live / DATABASE).read_bytes())
    ratings = replace(catalogue.tables["ratings"], key=("month", *(name for name in catalogue.tables["ratings"].key if name != "month")))
    tables = {name: catalogue.tables[name] for name in catalogue.datasets["ratings"].tables} | {"ratings": ratings}
    other = replace(catalogue, datasets={"ratings": catalogue.datasets["ratings"]}, tables=tables)
    downloads(tmp_path, other, OF, live, set(tables))
    assert not os.path.samefile(tmp_path / "downloads" / "ratings.parquet", live / "downloads" / "ratings.parquet")


def test_a_region_has_its_rows_and_those_of_what_lies_in_it(live: Path, catalogue: Catalogue) -> None:
    with closing(sqlite3.connect(live / DATABASE)) as connection:
        for table in catalogue.tables.values():
            every = connection.execute(f"SELECT count(*) FROM ({rows(table, table.published)})").fetchone()[0]
            where, rest = under(catalogue, table, "330000"), outside(catalogue, table, ["330000"])
            assert (where is None) == (rest is None)
            if where is not None and rest is not None:
                assert every == sum(
                    connection.execute(f"SELECT count(*) FROM ({rows(table, table.published, one)})").fetchone()[0] for one in (where, rest)
                )
        notices = catalogue.tables["notice_penalties"]
        counts = [
            connection.execute(
                f"SELECT count(*) FROM ({rows(notices, notices.published, under(catalogue, notices, code) or '')})"
            ).fetchone()[0]
            for code in ("330106", "330100", "330000", "350000")
        ]
        assert counts == [3, 3, 3, 0]
    with pytest.raises(KeyError):
        under(catalogue, catalogue.tables["notices"], "' OR 1")


def test_downloads_are_made_again_of_history_alone(work: Work, live: Path, tmp_path: Path) -> None:
    deliver(work, {**world(), "notices": [notice(1), notice(2, facts="另一事实。")]}, 1)
    folder = tmp_path / "again"
    for number, release in enumerate(work.home.release_ids()):
        (folder / str(number)).mkdir(parents=True)
        database = folder / str(number) / DATABASE
        given = ["--home", str(work.home.path), "rebuild", release, "--to", str(database), "--downloads"]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == 0, result.output
        assert "every file to the byte" in result.output
        published = work.home.releases / release / "downloads"
        made = {path.name: sha256(path) for path in (folder / str(number) / "downloads").iterdir()}
        assert made == {path.name: sha256(path) for path in published.iterdir()}
    published = live / "downloads" / "index.json"
    published.write_bytes(published.read_bytes().replace(sha256(live / "downloads" / "notices.parquet").encode(), b"0" * 64))
    (folder / "2").mkdir()
    result = CliRunner().invoke(main, [*given[:3], "2026-11-01", "--to", str(folder / "2" / DATABASE), "--downloads"])
    assert result.exit_code == 2
    assert result.stderr.strip().endswith("libraries: notices.parquet")


def test_what_is_made_again_is_its_owners_alone_at_every_moment_and_nothing_of_it_stays_where_it_fails(
    work: Work, live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, seen = tmp_path / "again" / DATABASE, set[str]()
    database.parent.mkdir(mode=0o755)
    shutil.copyfile(live / DATABASE, database)

    def full(*_: Any) -> None:
        for path in database.parent.rglob("*"):
            if all(up.stat().st_mode & 0o077 for up in (path, *path.parents) if up.is_relative_to(database.parent)):
                seen.add(path.name)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stage, "descriptions", full)
    with pytest.raises(OSError, match="No space"):
        rebuild_downloads(work.home, work.catalogue, "2026-11-01", database)
    assert seen <= {DATABASE}, "what anybody could read while it was made"
    assert [path.name for path in database.parent.iterdir()] == [DATABASE]


# What goes wrong


def test_a_step_is_done_again_and_needs_the_one_before(work: Work) -> None:
    from publish.candidate import Candidate

    with pytest.raises(BadHome, match="no release is in the making"):
        make_downloads(work, Candidate.load(work.home))


@pytest.mark.parametrize("limit", [100, 9_000])
def test_a_disk_that_is_full_leaves_no_file_half_there(live: Path, catalogue: Catalogue, tmp_path: Path, limit: int) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / DATABASE).write_bytes((live / DATABASE).read_bytes())
    code = f"""
import resource, signal, sys
from pathlib import Path
from publish.catalogue import load
from publish.downloads import Issue, downloads
catalogue = load()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    downloads(Path(sys.argv[1]), catalogue, Issue("2026-11-01", "2026-11-01", {{}}))
except OSError as error:
    print("full", error.errno)
"""
    ran = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, env={**os.environ})
    assert ran.stdout.startswith("full"), ran.stderr
    there = {path.name for path in (folder / "downloads").iterdir()}
    assert "index.json" not in there
    whole = index(live)["files"]
    for name in there:
        if not name.endswith(".part"):
            assert sha256(folder / "downloads" / name) == whole[name]["sha256"], name
