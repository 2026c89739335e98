"""The command line as a person meets it: help that teaches, one line for each error, exit codes, variables, and servers that stop."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from fed import document, served
from making import copy
from publish.catalogue import default_folder
from publish.cli import main
from publish.home import Home
from publish.keep import POLICY
from publish.platform import Server, new_world, serve
from publish.platform.faults import Faults

ROOT = Path(__file__).resolve().parent.parent
NOW = "2026-11-01T12:00:00+08:00"
NEXT = "2026-11-02T12:00:00+08:00"
HANGZHOU = [(code, name, "浙江省", "杭州市") for code, name in (("330106", "西湖区"), ("330108", "滨江区"), ("330109", "萧山区"))]
STEPS = ("extract", "validate", "stage", "diff", "review", "release", "downloads", "index", "go-live")
HELD = re.compile(r"mingbai approve ([0-9a-f]{16})$")
SIGNED = ("--by", "张三", "--reason", "与来源核对过")


@pytest.fixture(scope="module")
def steady() -> Iterator[Server]:
    """A platform that nobody moves or breaks."""
    with serve(new_world(120, months=2, regions=HANGZHOU)) as server:
        yield server


@pytest.fixture
def platform() -> Iterator[Server]:
    with serve(new_world(120, months=2, regions=HANGZHOU)) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def mingbai(home: Path, *arguments: str, now: str | None = NOW, **environment: str) -> Result:
    """The command in this process, as if typed."""
    options = ["--home", str(home), *(["--now", now] if now else [])]
    return CliRunner().invoke(main, [*options, *arguments], env={"MINGBAI_RATE": "0", **environment})


def done(result: Result) -> str:
    """What a command that went well printed."""
    assert result.exit_code == 0, result.stderr or result.exception
    return result.stdout


def told(result: Result, code: int) -> str:
    """The one line in which a command said why it failed; progress may stand before it."""
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("mingbai: ")]
    assert len(lines) == 1, result.stderr
    assert result.stderr.splitlines()[-1] == lines[0], "it is the last thing that is said"
    return lines[0]


def source(server: Server) -> tuple[str, str]:
    return "--source", f"platform={server.url}"


def typed(home: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """The command as a process of its own, as if typed at no terminal, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "publish", "--home", str(home), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "MINGBAI_RATE": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def marked(mark: str) -> list[int]:
    """The processes that have a mark in their environment: a server with everything that it started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("name", ["", *main.commands])
def test_every_command_explains_itself_and_each_of_its_options(name: str, home: Path) -> None:
    said = done(mingbai(home, *filter(None, [name]), "--help", now=None))
    command: click.Command = main.commands[name] if name else main
    assert command.help
    assert len(command.help.split("\n")[0].split()) >= 4, "a sentence"
    assert said.startswith("Usage: ")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_eager and parameter.name not in ("host", "port"):
            assert parameter.help or parameter.show_default, f"{name} --{parameter.name} has no words"
    assert not home.exists(), "help makes nothing"


def test_the_help_names_the_commands_in_the_order_of_the_work_and_every_exit_code(home: Path) -> None:
    said = done(mingbai(home, "--help", now=None))
    commands = re.findall(r"^  ([a-z-]+) ", said.partition("Commands:")[2], re.MULTILINE)
    assert [name for name in commands if name in STEPS] == list(STEPS)
    for code in range(2, 7):
        assert f" {code} " in " ".join(said.split())
    assert "serve and hooks go by the clock" in " ".join(said.split())
    assert "whatever --now says" in " ".join(done(mingbai(home, "serve", "--help", now=None)).split())


def test_the_steps_one_after_another_make_the_release_that_run_makes(steady: Server, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert "release 2026-11-01 is live" in done(mingbai(home, "run", *source(steady)))
    for name in STEPS:
        arguments = source(steady) if name == "extract" else ()
        assert done(mingbai(other, name, *arguments)).strip(), f"{name} says what it did"
    one, two = (Home(path).manifest("2026-11-01") for path in (home, other))
    assert {name: entry["sha256"] for name, entry in one["files"].items()} == {
        name: entry["sha256"] for name, entry in two["files"].items()
    }
    assert one == two
    assert Home(other).live() == "2026-11-01"


def test_the_steps_of_the_second_day_make_the_release_that_run_makes(platform: Server, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for path in (home, other):
        done(mingbai(path, "run", *source(platform)))
    platform.move(1)
    done(mingbai(home, "run", *source(platform), now=NEXT))
    for name in STEPS:
        done(mingbai(other, name, *(source(platform) if name == "extract" else ()), now=NEXT))
    assert Home(home).manifest("2026-11-02") == Home(other).manifest("2026-11-02")


def test_the_single_steps_refuse_an_old_delivery_too(platform: Server, home: Path) -> None:
    platform.move(1)
    done(mingbai(home, "run", *source(platform), now=NEXT))
    platform.move(0)
    later, words = "2026-11-03T12:00:00+08:00", "is as of 2026-11-01 and 2026-11-02 is live; an old delivery was handed in as new"
    assert words in told(mingbai(home, "extract", *source(platform), now=later), 4)
    assert words in told(mingbai(home, "stage", now=later), 4)
    assert not Home(home).candidate.exists()
    assert len(list(Home(home).raw.iterdir())) == 2, "it stays, to be looked at"
    platform.move(2)
    for name in ("extract", "stage", "diff"):
        done(mingbai(home, name, *(source(platform) if name == "extract" else ()), now="2026-11-03T13:00:00+08:00"))


def test_a_delivery_of_a_day_to_come_is_refused_and_locks_out_no_true_one(platform: Server, home: Path) -> None:
    platform.move(1)
    words = "is as of 2026-11-02, and today is 2026-11-01 in China; a day up to today was expected"
    assert words in told(mingbai(home, "run", *source(platform)), 4)
    assert words in told(mingbai(home, "stage"), 4)
    assert Home(home).live() is None
    platform.move(0)
    done(mingbai(home, "run", *source(platform)))
    assert Home(home).live() == "2026-11-01"


@pytest.mark.parametrize("name", ["stage", "validate"])
def test_a_step_without_a_snapshot_says_which_comes_first(name: str, home: Path) -> None:
    assert "run `mingbai extract` first" in told(mingbai(home, name), 2)


@pytest.mark.parametrize("name", ["diff", "review", "release", "downloads", "index", "go-live"])
def test_a_step_without_a_candidate_says_which_comes_first(name: str, home: Path) -> None:
    assert "run `mingbai stage` or `mingbai run` first" in told(mingbai(home, name), 2)


@pytest.fixture(scope="module")
def after(steady: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A home after so many steps, at its number."""
    folder = tmp_path_factory.mktemp("after")
    for number, name in enumerate(STEPS):
        if number:
            (folder / f"{number}").mkdir()
            copy(folder / "home", folder / f"{number}")
        done(mingbai(folder / "home", name, *(source(steady) if name == "extract" else ())))
    return [folder / f"{number}" for number in range(len(STEPS))]


@pytest.mark.parametrize("missing", range(3, len(STEPS) - 1))
def test_a_step_that_was_left_out_is_named(missing: int, after: list[Path], home: Path) -> None:
    home.mkdir()
    copy(after[missing], home)
    result = next(result for name in STEPS[missing + 1 :] if (result := mingbai(home, name)).exit_code)  # the first that needs it
    assert f"`mingbai {STEPS[missing]}`" in told(result, 2)
    assert Home(home).live() is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--source", "nobody=http://127.0.0.1:9/"], "datasets/sources/nobody.yml"),
        (["run", "--source", "platform"], "expected NAME=ADDRESS"),
        (["run", "--source", "platform="], "expected NAME=ADDRESS"),
        (["run"], "no source is given"),
        (["run", "--source", "platform=ftp://example.org/"], "neither http"),
        (["approve", "0123456789abcdef", *SIGNED], "no release is in the making"),
        (["refuse", "0123456789abcdef", *SIGNED], "no release is in the making"),
        (["live", "2026-10-01", *SIGNED], "release 2026-10-01 is not here"),
        (["live", "yesterday", *SIGNED], "is no release id"),
        (["extract"], "no source is given"),
        (["serve", "--contact", "nobody"], "--contact (MINGBAI_CONTACT): 'nobody' is neither an e-mail address nor a web address"),
        (["--site", "mingbai.example", "status"], "--site 'mingbai.example': is no address"),
        (["--datasets", "/nonexistent", "check"], "/nonexistent"),
        (["--more-sources", "/nonexistent", "check"], "/nonexistent"),
        (["validate", "platform-20200101T000000Z"], "platform-20200101T000000Z"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_one_line_and_exit_code_2(arguments: list[str], words: str, home: Path) -> None:
    assert words in told(mingbai(home, *arguments), 2)


def test_a_wrong_declaration_is_one_line_that_names_file_and_key_and_exit_code_2(steady: Server, home: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "xihu.yml").write_text("source: xihu\nlable: {zh: 西湖, en: Xihu}\n", encoding="utf-8")
    line = told(mingbai(home, "--more-sources", str(more), "run", *source(steady)), 2)
    assert "xihu.yml: lable: is not a key here" in line
    assert not home.exists(), "nothing was fetched or made"


def test_a_home_that_cannot_be_is_exit_code_2(steady: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in told(mingbai(tmp_path / "file", "run", *source(steady)), 2)


@pytest.mark.parametrize("now", ["2026-11-01T12:00:00", "2026-11-01", "yesterday", ""])
def test_an_instant_without_a_zone_is_refused(now: str, home: Path) -> None:
    for result in (mingbai(home, "check", now=None, MINGBAI_NOW=now or " "), CliRunner().invoke(main, ["--now", now, "check"])):
        assert result.exit_code == 2, result.output
        assert "--now" in result.stderr
        assert "Traceback" not in result.output


def test_a_source_that_is_out_of_reach_is_exit_code_3(home: Path) -> None:
    with serve(new_world(8, months=0, regions=HANGZHOU), token="asked for") as server:
        assert "MINGBAI_TOKEN" in told(mingbai(home, "run", *source(server)), 3)
    assert "there is no file or folder" in told(mingbai(home, "run", "--source", f"platform={home / 'nowhere'}"), 3)


def test_a_source_that_breaks_a_promise_is_exit_code_4_and_the_release_stays(platform: Server, home: Path) -> None:
    done(mingbai(home, "run", *source(platform)))
    platform.service.faults = Faults(["empty_listing:notices"])
    platform.move(1)
    assert "notices: is empty" in told(mingbai(home, "run", *source(platform), now=NEXT), 4)
    said = done(mingbai(home, "status", now=NEXT))
    assert "live: 2026-11-01" in said
    assert "SourceBroken" in said


def test_a_held_candidate_is_exit_code_5_and_goes_live_by_its_digest(platform: Server, home: Path) -> None:
    done(mingbai(home, "run", *source(platform)))
    platform.service.faults = Faults(["county_lost"])
    platform.move(1)
    line = told(mingbai(home, "run", *source(platform), now=NEXT), 5)
    digest = HELD.search(line)
    assert digest is not None, line
    assert f"in the making: {digest[1]}" in done(mingbai(home, "status", now=NEXT))
    assert "is not its digest" in told(mingbai(home, "approve", "0" * 16, *SIGNED, now=NEXT), 5)
    assert digest[1] in told(mingbai(home, "release", now=NEXT), 5), "the single step holds it too"
    platform.stop()
    assert "release 2026-11-02 is live" in done(mingbai(home, "approve", digest[1], *SIGNED, now=NEXT))


@pytest.fixture(scope="module")
def once_held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home in which a candidate is held; its digest."""
    home = tmp_path_factory.mktemp("held") / "home"
    with serve(new_world(120, months=2, regions=HANGZHOU)) as server:
        done(mingbai(home, "run", *source(server)))
        server.service.faults = Faults(["county_lost"])
        server.move(1)
        digest = HELD.search(told(mingbai(home, "run", *source(server), now=NEXT), 5))
    assert digest is not None
    return home, digest[1]


@pytest.fixture
def held(once_held: tuple[Path, str], home: Path) -> str:
    """The digest of what is held in a home like that."""
    home.mkdir()
    copy(once_held[0], home)
    return once_held[1]


def test_review_says_in_both_languages_what_would_change_and_where_the_page_is(held: str, home: Path) -> None:
    said = done(mingbai(home, "review", now=NEXT))
    assert said.splitlines()[-1] == f"held {held}"
    for words in (
        "已拦下，没有发布任何内容",
        "Stopped, and nothing was published",
        "首次缺失",
        "浙江省杭州市",
        f"mingbai refuse {held} --by 姓名 --reason 理由",
    ):
        assert words in said, words
    page = Path(said.splitlines()[-2])
    assert held in page.read_text("utf-8")
    assert done(mingbai(home, "review", now=NEXT)) == said, "looking changes nothing"


@pytest.mark.parametrize("name", ["approve", "refuse", "live"])
@pytest.mark.parametrize("left_out", ["--by", "--reason"])
def test_a_decision_without_a_name_or_a_reason_is_refused(name: str, left_out: str, held: str, home: Path) -> None:
    signed = {"--by": "张三", "--reason": "与来源核对过"}
    given = [part for option, value in signed.items() if option != left_out for part in (option, value)]
    about = "2026-10-01" if name == "live" else held
    assert mingbai(home, name, about, *given, now=NEXT).exit_code == 2
    assert left_out in told(mingbai(home, name, about, *given, left_out, " ", now=NEXT), 2)
    assert (Home(home).live(), Home(home).audit.read_bytes().count(b"\n")) == ("2026-11-01", 1)


def test_what_is_refused_is_gone_and_in_the_log(held: str, home: Path) -> None:
    assert "the live release stays as it is" in done(mingbai(home, "refuse", held, *SIGNED, now=NEXT))
    assert done(mingbai(home, "review", now=NEXT)) == "nothing waits for a decision; the live release stays as it is\n"
    assert "in the making" not in done(mingbai(home, "status", now=NEXT))
    assert "last run: 2026-11-02T04:00:00Z refused" in done(mingbai(home, "status", now=NEXT))
    log = done(mingbai(home, "audit", now=NEXT)).splitlines()
    assert [line.split()[2] for line in log[:-1]] == ["release", "refuse"]
    assert "by 张三: 与来源核对过" in log[1]
    assert log[-1].startswith("2 entries, each follows the one before")


def test_the_log_says_what_people_were_shown_as_lost(held: str, home: Path) -> None:
    done(mingbai(home, "approve", held, *SIGNED, now=NEXT))
    *_, last, _ = done(mingbai(home, "audit", now=NEXT)).splitlines()
    assert re.search(r"approved by people \(.*; losses platform institutions \d+, .*platform institutions all, .*; names 张三;", last), last


def test_a_log_that_was_changed_or_cut_off_is_exit_code_2(platform: Server, home: Path) -> None:
    home.mkdir()
    assert done(mingbai(home, "audit")) == "no entries yet\n"
    for day in (0, 1):
        platform.move(day)
        done(mingbai(home, "run", *source(platform), now=(NOW, NEXT)[day]))
    log = Home(home).audit
    whole = log.read_bytes()
    assert "2 entries" in done(mingbai(home, "audit"))
    log.write_bytes(whole.splitlines(keepends=True)[0])
    assert "audit.jsonl: ends with entry 1, and the manifest of release 2026-11-02 knows entry 2" in told(mingbai(home, "audit"), 2)
    log.write_bytes(whole.replace(b"mingbai", b"nobody!", 1))
    assert "audit.jsonl: line 1: is not what was written" in told(mingbai(home, "audit"), 2)
    log.write_bytes(whole[:-9])
    assert "audit.jsonl: line 2: is torn" in told(mingbai(home, "audit"), 2)


def test_one_can_go_back_to_an_earlier_release(platform: Server, home: Path) -> None:
    for day in (0, 1):
        platform.move(day)
        done(mingbai(home, "run", *source(platform), now=(NOW, NEXT)[day]))
    said = done(mingbai(home, "live", "2026-11-01", *SIGNED, now=NEXT))
    assert "release 2026-11-02.2 is live" in said
    assert Home(home).manifest("2026-11-02.2")["restores"] == "2026-11-01"
    assert "is live already" in told(mingbai(home, "live", "2026-11-02.2", *SIGNED, now=NEXT), 2)


@pytest.mark.parametrize(
    "name", ["run", "extract", "stage", "diff", "review", "release", "downloads", "index", "go-live", "feeds", "approve", "refuse", "live"]
)
def test_another_run_at_work_is_exit_code_6(name: str, steady: Server, home: Path) -> None:
    with Home(home).locked():
        assert "is working here" in told(
            mingbai(
                home,
                name,
                *(source(steady) if name in ("run", "extract") else ("x", *SIGNED) if name in ("approve", "refuse", "live") else ()),
            ),
            6,
        )


def test_status_says_what_is_live_and_how_the_last_run_ended(steady: Server, home: Path) -> None:
    for command in ("status", "audit", "withdrawn"):
        assert told(mingbai(home, command), 2).startswith(f"mingbai: {home}: is no folder; give the home with --home")
    home.mkdir()
    assert done(mingbai(home, "status")).splitlines() == ["live: no release yet", f"kept: 0 releases; {POLICY}", "last run: none"]
    done(mingbai(home, "run", *source(steady)))
    assert done(mingbai(home, "status")).splitlines() == [
        "live: 2026-11-01",
        f"kept: 1 releases; {POLICY}",
        f"versions: {', '.join(f'{path.stem} 1.0.0' for path in sorted(default_folder().glob('*.yml')))}",
        "last run: 2026-11-01T04:00:00Z released: release 2026-11-01",
        "source platform: as of 2026-11-01, says the same since 2026-11-01, last checked 2026-11-01T04:00:00Z",
    ]
    assert "nothing new" in done(mingbai(home, "run", *source(steady), now=NEXT))
    assert "last run: 2026-11-02T04:00:00Z nothing_new" in done(mingbai(home, "status"))
    (home / "current" / "search" / "index.db").write_bytes(b"of another form")
    assert "it cannot be searched" in done(mingbai(home, "status")).splitlines()[1]


def test_status_answers_while_the_candidate_belongs_to_an_older_release(steady: Server, home: Path) -> None:
    for name in STEPS[:5]:
        done(mingbai(home, name, *(source(steady) if name == "extract" else ())))
    kept = {path: path.read_bytes() for path in (home / "staging" / "candidate").iterdir()}
    for name in STEPS[5:]:
        done(mingbai(home, name))
    (home / "staging" / "candidate").mkdir(exist_ok=True)
    for path, content in kept.items():
        path.write_bytes(content)
    said = mingbai(home, "status")
    assert said.exit_code == 0, said.stderr
    assert "live: 2026-11-01" in said.stdout


def test_every_option_can_be_a_variable(steady: Server, home: Path) -> None:
    variables = {
        "MINGBAI_HOME": str(home),
        "MINGBAI_NOW": NOW,
        "MINGBAI_SOURCES": f"platform={steady.url}",
        "MINGBAI_SITE": "https://mingbai.example/",
    }
    result = CliRunner().invoke(main, ["run"], env={**variables, "MINGBAI_RATE": "0"})
    assert "release 2026-11-01 is live" in done(result)
    assert orjson.loads(document(Home(home), "records"))["home_page_url"].startswith("https://mingbai.example/")


def test_feeds_of_the_live_release_are_made_again_for_another_address(steady: Server, home: Path) -> None:
    assert "run `mingbai run` first" in told(mingbai(home, "feeds"), 2)
    done(mingbai(home, "run", *source(steady)))
    before = served(Home(home), "SELECT * FROM feed_items")
    done(mingbai(home, "--site", "https://moved.example", "feeds"))
    assert orjson.loads(document(Home(home), "records"))["feed_url"] == "https://moved.example/feeds/records.json"
    assert served(Home(home), "SELECT * FROM feed_items") == before


def test_a_command_without_an_address_goes_on_with_the_one_and_the_hubs_that_feeds_were_made_for(platform: Server, home: Path) -> None:
    def feeds() -> tuple[str, bool]:
        made = document(Home(home), "records")
        return orjson.loads(made)["home_page_url"].partition("/feeds")[0], b"https://127.0.0.1:9/hub" in made

    hub = ("--hub", "https://127.0.0.1:9/hub")
    done(mingbai(home, "--site", "https://first.example", *hub, "run", *source(platform)))
    assert "feeds are now made" not in done(mingbai(home, "feeds"))
    done(mingbai(home, "deliver"))
    assert "not among the hubs given" not in done(mingbai(home, "status"))
    assert feeds() == ("https://first.example", True)
    (home / "feeds" / "2026-11-01.db").chmod(0o600)
    with open(home / "feeds" / "2026-11-01.db", "r+b") as file:  # of another form: the next command makes it again
        file.seek(60)
        file.write(bytes(4))
    assert "for https://first.example" in mingbai(home, "stage").stderr
    assert feeds() == ("https://first.example", True)
    said = "feeds are now made for https://second.example with no hub; before it was https://first.example with https://127.0.0.1:9/hub"
    assert said in done(mingbai(home, "--site", "https://second.example", "feeds"))
    assert feeds() == ("https://second.example", False)
    done(mingbai(home, *hub, "feeds"))
    assert feeds() == ("https://second.example", True)
    platform.move(1)
    made = mingbai(home, "--site", "https://third.example", "run", *source(platform), now=NEXT)
    assert "release 2026-11-02 is live" in done(made)
    assert "feeds are now made for https://third.example with no hub" in made.stderr


def test_the_address_is_known_from_feeds_of_the_form_before_and_is_asked_for_where_they_are_lost(steady: Server, home: Path) -> None:
    def feeds() -> tuple[str, bool]:
        made = document(Home(home), "records")
        return orjson.loads(made)["home_page_url"].partition("/feeds")[0], b"https://127.0.0.1:9/hub" in made

    first = ("--site", "https://first.example", "--hub", "https://127.0.0.1:9/hub")
    done(mingbai(home, *first, "run", *source(steady)))
    file = home / "feeds" / "2026-11-01.db"
    file.chmod(0o600)

    def before() -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript("DROP TABLE made; PRAGMA user_version=1")

    before()
    done(mingbai(home, "feeds"))
    assert feeds() == ("https://first.example", True)
    before()
    made = mingbai(home, "--site", "https://second.example", "feeds")
    done(made)
    assert "feeds are now made for https://second.example with no hub; before it was https://first.example" in made.stderr
    assert feeds() == ("https://second.example", False)
    file.unlink()
    assert "with --site" in told(mingbai(home, "stage"), 2)
    file.write_bytes(b"torn")
    assert "with --site" in told(mingbai(home, "feeds"), 2)
    assert file.read_bytes() == b"torn", "made for nobody"
    done(mingbai(home, "status"))
    done(mingbai(home, *first, "feeds"))
    assert feeds() == ("https://first.example", True)


def test_a_token_can_be_a_variable_and_is_never_shown(home: Path) -> None:
    with serve(new_world(40, months=1, notices=8, regions=HANGZHOU), token="s3cret") as server:
        result = mingbai(home, "run", *source(server), MINGBAI_TOKEN="s3cret")
        done(result)
        shown = result.output + told(mingbai(home, "run", *source(server), MINGBAI_TOKEN="s3cret-of-yesterday", now=NEXT), 3)
        shown += done(mingbai(home, "run", "--help", MINGBAI_TOKEN="s3cret"))
    assert "s3cret" not in shown


@pytest.mark.parametrize("token", ["line\nbreak", "密钥", ""])
def test_a_token_that_no_header_can_carry_is_one_line(token: str, steady: Server, home: Path) -> None:
    result = mingbai(home, "run", "--token", token, *source(steady))
    assert told(result, 2).count("token") >= 1
    assert not token.strip() or token not in result.output


def test_progress_is_plain_lines_where_nobody_watches(steady: Server, home: Path) -> None:
    process = typed(home, "--now", NOW, "run", *source(steady))
    said, progress = process.communicate(timeout=60)
    assert process.returncode == 0, progress
    assert not re.search(r"[\r\x1b\x08]", said + progress), "no terminal, no control characters"
    assert all(line.strip() for line in progress.splitlines())
    assert {"institutions … (120)", "stage … (", "assemble … ("} <= {
        re.sub(r"(stage|assemble)( … \().*", r"\1\2", line) for line in progress.splitlines()
    }
    assert said.startswith("release 2026-11-01 is live\n"), "what was asked for is on standard output"


def test_a_pipe_that_closes_early_is_no_traceback(steady: Server, home: Path) -> None:
    done(mingbai(home, "run", *source(steady)))
    process = typed(home, "metadata")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.wait(30)
    process.stderr.close()
    assert "Traceback" not in said


def test_a_run_that_is_interrupted_exits_with_130_and_the_next_one_goes_on(home: Path) -> None:
    with serve(new_world(120, months=2, regions=HANGZHOU), faults=["slow:listings"]) as server:
        process = typed(home, "--now", NOW, "run", *source(server))
        assert process.stderr is not None
        assert any(line.startswith("listings") for line in process.stderr), "the run ended before it was interrupted"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert "Traceback" not in said
        assert process.returncode == 130, (process.returncode, said)
        server.service.faults = Faults()
        assert "release 2026-11-01 is live" in done(mingbai(home, "run", *source(server)))


@dataclass
class Started:
    """A server that was started as a command: the lines that it said and the address in the one that was waited for."""

    process: "subprocess.Popen[str]"
    mark: str
    lines: list[str] = field(default_factory=list)

    def wait_for(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if words in line:
                return line
        raise AssertionError(f"ended without {words!r}: {self.lines}, {self.process.stderr and self.process.stderr.read()}")

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said

    def left(self) -> list[int]:
        """What still runs two seconds later at most."""
        for _ in range(20):
            if not (found := marked(self.mark)):
                return []
            time.sleep(0.1)
        return found


@pytest.fixture
def start(home: Path) -> Iterator[Any]:
    """Start a command; whatever is left of it at the end is killed, process by process."""
    begun: list[Started] = []

    def begin(*arguments: str, **environment: str) -> Started:
        mark = uuid.uuid4().hex
        begun.append(Started(typed(home, *arguments, MINGBAI_TEST_MARK=mark, **environment), mark))
        return begun[-1]

    yield begin
    for started in begun:
        for process in marked(started.mark):
            os.kill(process, signal.SIGKILL)
        started.process.communicate(timeout=30)


def answered(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as response:
        body: bytes = response.read()
        return body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_answers_and_stops_leaving_nothing(number: signal.Signals, start: Any) -> None:
    demo = start("demo", "--institutions", "60", "--port", "0")
    address = demo.wait_for("mingbai answers at").split()[-1]
    assert "明白" in answered(address).decode()
    assert orjson.loads(answered(f"{address}status.json"))["serving"]["id"]
    assert orjson.loads(answered(f"{address}search.json?q=%E5%9F%B9%E8%AE%AD"))["results"]
    assert sum(line.startswith("release ") for line in demo.lines) == 2
    code, said = demo.stop(number)
    assert code in (0, 130), (code, said)
    assert "Traceback" not in said
    assert demo.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_interrupted_at_work_stops_the_platform_that_it_started(number: signal.Signals, start: Any) -> None:
    demo = start("demo", "--institutions", "60", "--port", "0")
    demo.wait_for("of the reference platform is at")
    assert len(marked(demo.mark)) == 2
    code, said = demo.stop(number)
    assert code in (0, 1, 130, 143), (code, said)
    assert "Traceback" not in said
    assert demo.left() == []


def test_the_demo_on_a_port_that_is_taken_is_one_line_and_leaves_nothing(start: Any) -> None:
    with serve(new_world(8, months=0, regions=HANGZHOU)) as server:
        demo = start("demo", "--institutions", "60", "--port", server.url.rpartition(":")[2])
        out, said = demo.process.communicate(timeout=60)
        assert demo.process.returncode == 2, said
        assert "Traceback" not in said
        assert said.splitlines()[-1].startswith("mingbai: cannot listen at 127.0.0.1:")
        assert out == "", "it says so before it makes anything"
        assert demo.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["platform", "serve"])
def test_a_server_says_where_it_is_and_stops_when_told(name: str, number: signal.Signals, start: Any) -> None:
    server = start(name, *(["--institutions", "8"] if name == "platform" else []), "--port", "0")
    address = server.wait_for("http://127.0.0.1:").split()[-1].rstrip("/")
    assert answered(f"{address}/{'healthz' if name == 'platform' else 'status.json'}")
    assert server.stop(number)[0] == 0
    assert server.left() == []


@pytest.mark.parametrize("fault", ["unheard_of", "page_missing:nowhere", "page_missing:notices:none"])
def test_a_fault_that_the_platform_does_not_know_is_one_line(fault: str, home: Path) -> None:
    assert "fault" in told(mingbai(home, "platform", "--fault", fault, "--port", "0"), 1)


def test_check_counts_what_is_declared(home: Path) -> None:
    assert re.fullmatch(r"\d+ datasets, \d+ tables, \d+ sources, \d+ code tables: all well\n", done(mingbai(home, "check")))
