"""What journalists are told to ask runs: each question on the site, by `mingbai sql` and in DuckDB, on a release that the pipeline made."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx
import pytest
from click.testing import CliRunner, Result

from making import NOON, deliver, institution, listing, notice, world
from publish.catalogue import Catalogue, dictionary
from publish.cli import main
from publish.home import Home, china_day
from publish.questions import DUCKDB, NOTICES, QUESTIONS
from publish.web.server import Application, build_app
from publish.web.terms import utc_now
from publish.work import Work
from readmes import blocks, told

FIRST, SECOND, LAST = "2026-11-01", "2026-11-02", "2026-11-03"
OVER = [{"permitNo": "教民133010670000011", "issuer": "西湖区教育局", "validFrom": "2016-01-01", "validTo": "2019-12"}]
GOOD = [{"permitNo": "教民133010670000012", "issuer": "西湖区教育局", "validFrom": "2020-01-01", "validTo": "2099-12-31"}]
OPEN = [{"permitNo": "教民133010670000013", "issuer": "西湖区教育局", "validFrom": "2020-01-01", "validTo": ""}]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """Three days: 1 has only a permit that is over, 2 another that is not, 3 one of which nobody says, 4 leaves the white list, 5 one for this year."""
    work = Work(Home(tmp_path_factory.mktemp("world") / "home"), catalogue, NOON)
    this_year = [{**OVER[0], "validTo": str(china_day(utc_now()).year)}]  # to its end
    permits = {1: OVER, 2: OVER + GOOD, 3: OVER + OPEN, 4: GOOD, 5: this_year}
    made = {
        **world(20),
        "institutions": [institution(number, permits=permits.get(number, GOOD)) for number in range(1, 21)],
        "notices": [notice(1, violationType="违规收费"), notice(2), notice(3, decidedOn="2026-09-30", fineWan="")],
    }
    deliver(work, made, 0)
    made["listings"] = [listing(number) for number in range(1, 21) if number != 4]
    for day in (1, 2):
        deliver(work, made, day)
    return work


@pytest.fixture(scope="module")
def site(work: Work, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(work.home.path, dictionary=dictionary(catalogue), now=lambda: NOON + timedelta(days=2))
    yield app
    app.shelf.close()


@pytest.fixture
def ask(site: Application) -> Callable[..., object]:
    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://site.example") as client:
            return await client.get(path, follow_redirects=True)

    return ask


def asked(work: Work, *given: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(work.home.path), "sql", *given])


def rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_who_was_delisted_in_my_province_this_quarter(ask, root):
    example = re.search(r"`(/history/left_the_white_list)(\?region=)330000(&from=)\S+?(&to=)\S+?`", told(root))
    assert example is not None
    path, region, since, to = example.groups()
    found = (await ask(f"{path}.json{region}330000{since}{FIRST}{to}{LAST}&_shape=array")).json()
    assert [row["subject_name"] for row in found] == [listing(4)["orgName"]]
    assert (await ask(f"{path}.json{region}350000{since}{FIRST}{to}{LAST}&_shape=array")).json() == []


async def test_notices_by_violation_and_month_are_the_same_wherever_they_are_counted(work, ask, root, tmp_path):
    here = rows(asked(work, NOTICES, "--as", "json"))
    assert [(row["month"], row["notices"], row["fines_yuan"]) for row in here] == [
        ("2026-10", 1, 15000.0),
        ("2026-10", 1, 15000.0),
        ("2026-09", 1, None),
    ]
    assert sum(row["violation"] is not None for row in here) == 1
    assert (await ask(f"/mingbai/{NOTICES}.json?_shape=array")).json() == here
    for table in ("notices", "codes"):
        shutil.copy(work.home.releases / LAST / "downloads" / f"{table}.parquet", tmp_path)
        duckdb.sql(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM '{tmp_path / table}.parquet'")
    found = duckdb.sql(QUESTIONS[NOTICES])
    assert [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()] == here
    assert DUCKDB in blocks(root, "python")
    printed = subprocess.run([sys.executable, "-c", DUCKDB], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "2026-09" in printed


async def test_who_is_still_listed_has_no_permit_any_more(work, ask):
    """A permit of which nobody says when it ends is none that is over, and the year or month that a source gives is good to its end."""
    found = rows(asked(work, "permit_over_and_still_listed", "--as", "json"))
    assert [(row["name"], row["permit_until"]) for row in found] == [(institution(1)["orgName"], "2019-12")]
    assert (await ask("/mingbai/permit_over_and_still_listed.json?_shape=array")).json() == found


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("lang", ["", "/en"])
async def test_a_question_is_where_a_journalist_looks(ask, root, name, lang):
    assert f"{QUESTIONS[name]}\n" in blocks(root, "sql")
    page = (await ask(f"{lang}/data")).text
    assert f'href="{lang}/mingbai/{name}"' in page
    assert f'href="{lang}/history/left_the_white_list"' in page
    assert (await ask(f"{lang}/mingbai/{name}")).status_code == 200
    assert name in (await ask(f"{lang}/mingbai")).text
    assert name in CliRunner().invoke(main, ["sql", "--help"]).stdout


def test_a_name_that_is_no_question_is_told_those_that_are_and_where_one_of_the_past_is(work):
    for name, where in (("left_the_white_list", "on the site at /history/left_the_white_list"), ("who_left", "")):
        refused = asked(work, name)
        assert refused.exit_code == 1
        assert f"{name}: is no ready-made question; there are {', '.join(QUESTIONS)}, or give a SELECT" in refused.stderr
        assert where in refused.stderr
        assert ("/history/" in refused.stderr) == bool(where)


def test_forms_say_the_same(work):
    query = "SELECT id, name, '=1+1' AS formula, '011001' AS code, NULL AS blank, 7 AS number FROM institutions ORDER BY id LIMIT 2"
    as_json, as_csv, sheet, table = (asked(work, query, "--as", form).stdout for form in ("json", "csv", "spreadsheet", "table"))
    said = [json.loads(line) for line in as_json.splitlines()]
    assert said[0]["blank"] is None
    assert [{**row, "blank": None, "number": 7} for row in csv.DictReader(io.StringIO(as_csv))] == said
    assert sheet.startswith("\ufeff")
    assert [(row["formula"], row["code"], row["number"]) for row in csv.DictReader(io.StringIO(sheet))] == [("'=1+1", "'011001", "7")] * 2
    assert [line.split()[0] for line in table.splitlines()] == ["id", "-" * len(said[0]["id"]), said[0]["id"], said[1]["id"]]


def test_what_is_asked_for_comes_out_as_it_is(work):
    """A value that is unknown, an empty text, bytes, a number that a spreadsheet would round; a number to compare with a count, and a table of many rows."""
    query = "SELECT NULL AS unknown, '' AS empty, x'00ff' AS bytes, 123456789012345678 AS large, 'a\"b' AS quoted"
    assert asked(work, query, "--as", "csv").stdout.splitlines()[1] == ',"",00ff,123456789012345678,"a""b"'
    assert asked(work, query, "--as", "spreadsheet").stdout.splitlines()[1].split(",")[3] == "'123456789012345678"
    counted = "SELECT list, count(*) AS n FROM listings GROUP BY list HAVING count(*) >= :least"
    assert rows(asked(work, counted, "--as", "json", "--set", "least:=2"))
    many = asked(work, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n")
    assert (len(many.stdout.splitlines()), "first 1,000 rows" in many.stderr) == (1002, True)


def test_of_which_release_and_with_which_values_is_said(work, tmp_path):
    query = "SELECT count(*) AS n FROM listings WHERE absent_since IS NULL AND region_code LIKE :region"
    taken = tmp_path / "taken.db"
    shutil.copy(work.home.releases / FIRST / "mingbai.db", taken)
    for release in (FIRST, str(taken)):
        assert rows(asked(work, query, "--as", "json", "--set", "region=33%", "--release", release)) == [{"n": 20}]
    assert rows(asked(work, query, "--as", "json", "--set", "region=33%")) == [{"n": 19}]
    assert rows(asked(work, query, "--as", "json", "--set", "region=35%")) == [{"n": 0}]


@pytest.mark.parametrize(("given", "code", "said"), [
    (["SELEC 1"], 1, "syntax error"), (["SELECT * FROM missing"], 1, "no such table: missing"), (["SELECT :region"], 1, "region"), (["SELECT 1; SELECT 2"], 1, "one"),
    (["DELETE FROM notices"], 1, "readonly"), (["PRAGMA user_version = 7"], 1, "readonly"), (["CREATE TABLE a (b)"], 1, "readonly"), (["ATTACH 'other.db' AS other"], 1, "too many attached"),
    ([""], 1, "asks for nothing"), (["SELECT 1", "--release", "2020-01-01"], 2, "is no release"), (["SELECT 1", "--release", "../history"], 2, "is no release"),
    (["SELECT 1", "--set", "region"], 1, "NAME=TEXT"), (["SELECT :n", "--set", "n:=two"], 1, "is no number"), (["SELECT 1 AS id, 2 AS id", "--as", "json"], 1, "two columns are called id"), (["SELECT 1", "--as", "xls"], 2, "xls"), (["SELECT 1", "--release", "nothing.db"], 2, "is no release"),
])  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_line_and_nothing_is_written(work, given, code, said):
    database = work.home.releases / LAST / "mingbai.db"
    before = database.read_bytes()
    result = asked(work, *given, *([] if "--release" in given else ["--release", str(database)]))
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output
    assert database.read_bytes() == before
    assert not Path("other.db").exists()
