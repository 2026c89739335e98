"""The whole run against the reference platform over HTTP: what it publishes, what it leaves alone when something fails, how it goes on.

Only waiting between tries is patched: `run` takes no clock for it, and a test has no eight seconds.
"""

import gc
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from deliveries.scripted import Asked, Said, serving
from making import on
from publish import workers
from publish.catalogue import Catalogue, load
from publish.decide import approve
from publish.errors import BadHome, Busy, Mingbai, ReviewNeeded, SourceBroken, SourceUnavailable
from publish.extract import extract
from publish.home import Home
from publish.index import unsearchable
from publish.platform import FAULTS, Server, World, new_world, serve
from publish.platform.faults import Faults
from publish.platform.service import Request, Response, Service
from publish.run import run
from publish.work import RUNS, SELDOM, Access, Result, Work, opened, write_status
from unpacked import all_said

HANGZHOU = [(code, name, "浙江省", "杭州市") for code, name in (("330106", "西湖区"), ("330108", "滨江区"), ("330109", "萧山区"))]
TOKEN = "t0ken-that-nobody-may-see"
PASSING = {"rate_limited", "server_error", "slow"}
HELD = {"county_lost"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The real declarations; the platform is read in pages of a hundred, so that a small world has a second page to break."""
    real = load()
    platform = real.source("platform")
    listings = {name: replace(listing, page_size=100) for name, listing in platform.listings.items()}
    return replace(real, sources={**real.sources, "platform": replace(platform, listings=listings)})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries nobody waits."""
    monkeypatch.setattr("publish.inputs.extract", partial(extract, wait=lambda seconds: None))


def world(day: int = 0) -> World:
    return new_world(240, months=2, day=day, regions=HANGZHOU)


@pytest.fixture
def platform() -> Iterator[Server]:
    with serve(world()) as server:
        yield server


def ask(work: Work, server: Server | str, day: int = 0, **access: Any) -> Result:
    """Run on a day, without a limit to the rate."""
    address = server if isinstance(server, str) else server.url
    return run(on(work, day), {"platform": address}, access=Access(**{"rate": 0.0, **access}))


def files(home: Home, *but: str) -> dict[str, tuple[int, int]]:
    """Size and time of every file under the home."""
    found = (path for path in home.path.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        name: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in found
        if (name := path.relative_to(home.path).as_posix()) not in but
    }


def seen_by_readers(home: Home) -> dict[str, str]:
    """What is public or must never be torn: where `current` leads, releases.json, the history, and every byte of every release."""
    paths = [home.path / "releases.json", home.history, *home.releases.rglob("*")]
    found = {path.relative_to(home.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}
    return {**found, "current": os.readlink(home.current)}


def status(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(home.status.read_bytes())
    return found


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def test_a_first_release_and_the_next_day_a_second_with_its_changes_in_history(work: Work, platform: Server) -> None:
    assert ask(work, platform) == Result("released", "2026-11-01")
    first = work.live_manifest()
    for name in ("institutions", "listings", "notices", "ratings"):
        assert first["accounting"][name]["records"] == platform.service.world.total(name), name
    assert query(work.home.history, "SELECT count(*) FROM changes") == [(0,)], "the first release has nothing that it could have changed"

    platform.move(1)
    assert ask(work, platform, 1) == Result("released", "2026-11-02")
    second = work.live_manifest()
    assert (second["previous"], second["sources"][0]["as_of"]["institutions"]) == ("2026-11-01", "2026-11-02")
    rows = query(work.home.history, "SELECT table_name, kind, count(DISTINCT key) FROM changes WHERE release = 2 GROUP BY 1, 2")
    assert {(table, kind): number for table, kind, number in rows} == {
        (table, kind): number for table, kinds in second["changes"].items() for kind, number in kinds.items()
    }
    assert second["changes"]["institutions"]["add"] >= 1
    assert second["changes"]["institutions"]["change"] >= 1
    index = orjson.loads((work.home.path / "releases.json").read_bytes())
    assert (index["live"], [row["id"] for row in index["releases"]]) == ("2026-11-02", ["2026-11-01", "2026-11-02"])
    assert status(work.home)["last_run"] == {"at": "2026-11-02T04:00:00Z", "outcome": "released", "reason": "release 2026-11-02"}


def test_what_did_not_change_is_not_sent_again(work: Work, platform: Server) -> None:
    ask(work, platform)
    platform.move(1)
    recorder = Recorder.beside(platform)
    ask(work, platform, 1)
    assert recorder.count(304) > recorder.count(200), recorder.answered


def test_a_run_with_nothing_new_writes_not_one_byte_of_data(work: Work, platform: Server) -> None:
    ask(work, platform)
    before = files(work.home, "status.json", "lock")
    assert ask(work, platform, 1) == Result("nothing_new", None)
    assert files(work.home, "status.json", "lock") == before
    assert status(work.home)["last_run"]["outcome"] == "nothing_new"
    assert status(work.home)["sources"] == {"platform": {"content_since": "2026-11-01", "last_checked": "2026-11-02T04:00:00Z"}}
    ask(work, platform, 2)
    runs = [(run["outcome"], run["first"][:10], run["last"][:10], run["times"], run["release"]) for run in status(work.home)["runs"]]
    assert runs == [("nothing_new", "2026-11-02", "2026-11-03", 2, None), ("released", "2026-11-01", "2026-11-01", 1, "2026-11-01")]


def test_the_runs_that_readers_are_told_of_are_the_last_ones(work: Work) -> None:
    for number in range(2 * RUNS):
        write_status(on(work, number), ("nothing_new", "SourceUnavailable")[number % 2], "as it ended", ())
    runs = status(work.home)["runs"]
    assert (len(runs), runs[0]["last"][:10], runs[0]["outcome"]) == (
        RUNS,
        on(work, 2 * RUNS - 1).now.date().isoformat(),
        "SourceUnavailable",
    )


@pytest.mark.parametrize("name", ["index.db", "notices.db"])
def test_a_live_release_that_an_upgrade_made_unsearchable_is_followed_by_one_that_can_be(name: str, work: Work, platform: Server) -> None:
    ask(work, platform)
    index = work.home.releases / "2026-11-01" / "search" / name
    index.write_bytes(b"an index of another form" + index.read_bytes())
    assert ask(work, platform, 1) == Result("released", "2026-11-02")
    assert unsearchable(work.home.releases / "2026-11-02") is None
    assert ask(work, platform, 2) == Result("nothing_new", None)


def test_the_same_snapshot_is_not_counted_as_a_second_one_without_a_record(work: Work, platform: Server) -> None:
    ask(work, platform)
    platform.move(1)
    ask(work, platform, 1)
    assert work.live_manifest()["accounting"]["notices"]["kept_absent"] == 1, "choose a world in which something vanished on day 1"
    before = files(work.home, "status.json", "lock")
    assert ask(work, platform, 1) == Result("nothing_new", None), (
        "the platform stands still: this is the same full snapshot asked for twice"
    )
    assert files(work.home, "status.json", "lock") == before


@pytest.mark.parametrize("kind", FAULTS)
def test_no_fault_of_the_platform_harms_the_last_good_release(kind: str, work: Work, platform: Server) -> None:
    ask(work, platform)
    live = seen_by_readers(work.home)
    platform.move(1)
    platform.service.faults = Faults([f"{kind}:notices" if kind == "slow" else kind])
    if kind in PASSING:
        assert ask(work, platform, 1) == Result("released", "2026-11-02")
        return
    with pytest.raises(ReviewNeeded if kind in HELD else SourceBroken) as error:
        ask(work, platform, 1)
    assert seen_by_readers(work.home) == live
    said = status(work.home)
    assert said["live"] == "2026-11-01"
    assert said["last_run"] == {"at": "2026-11-02T04:00:00Z", "outcome": type(error.value).__name__, "reason": error.value.public}
    assert work.home.detail.read_text("utf-8") == f"{error.value}\n"
    assert work.home.detail.stat().st_mode & 0o077 == 0
    assert "\n" not in str(error.value)
    checked = 2 if kind in HELD else 1  # what is held was checked, what failed was not
    assert said["sources"] == {"platform": {"content_since": "2026-11-01", "last_checked": f"2026-11-0{checked}T04:00:00Z"}}
    waits = said["waiting"]  # what of it waits, and not whose it is or how much
    assert [set(one) for one in waits] == [{"source", "table", "bound", "since"}] * len(waits)
    assert bool(waits) == (kind in HELD)
    assert {(one["source"], one["since"]) for one in waits} <= {("platform", "2026-11-02T04:00:00Z")}

    platform.service.faults = Faults()
    assert ask(work, platform, 1) == Result("released", "2026-11-02")
    assert (status(work.home)["last_run"]["outcome"], status(work.home)["waiting"]) == ("released", [])
    assert not list(work.home.raw.glob("*.part"))
    assert {name: live[name] for name in live if name.startswith("releases/2026-11-01/")}.items() <= seen_by_readers(work.home).items()


@pytest.mark.parametrize("kind", ["cut_off_body", "page_missing", "total_not_met", "empty_listing", "changed_schema"])
def test_a_fault_in_the_first_run_leaves_no_release(kind: str, work: Work, platform: Server) -> None:
    platform.service.faults = Faults([kind])
    with pytest.raises(SourceBroken):
        ask(work, platform)
    assert (work.live, work.home.release_ids(), work.home.history.exists()) == (None, [], False)
    assert status(work.home)["live"] is None


def test_a_platform_that_is_gone_is_out_of_reach_and_the_release_stays(work: Work, platform: Server) -> None:
    ask(work, platform)
    live = seen_by_readers(work.home)
    platform.stop()
    with pytest.raises(SourceUnavailable, match="platform"):
        ask(work, platform, 1)
    assert seen_by_readers(work.home) == live
    assert status(work.home)["last_run"]["outcome"] == "SourceUnavailable"


@pytest.mark.parametrize("kind", [None, "page_missing", "error_page_200", "county_lost"])
def test_a_token_is_sent_and_is_in_no_file_and_no_message(kind: str | None, work: Work, capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    with serve(world(), token=TOKEN) as server:
        recorder = Recorder.beside(server)
        with pytest.raises(SourceUnavailable, match="MINGBAI_TOKEN") as refused:
            ask(work, server)
        said.append(str(refused.value))
        with pytest.raises(SourceUnavailable, match="check MINGBAI_TOKEN") as refused:
            ask(work, server, token=f"{TOKEN}-of-yesterday")
        said.append(str(refused.value))
        assert ask(work, server, token=TOKEN).release == "2026-11-01"
        assert {request.headers.get("authorization") for request in recorder.asked[2:]} == {f"Bearer {TOKEN}"}
        if kind:
            server.move(1)
            recorder.service.faults = Faults([kind])
            with pytest.raises(Mingbai) as error:
                ask(work, server, 1, token=TOKEN)
            said.append(str(error.value))
    said += [*capfd.readouterr(), repr(Access(TOKEN))]
    assert TOKEN not in "\n".join(said)
    assert TOKEN.encode() not in all_said([work.home.path])


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(work: Work) -> None:
    def answer(asked: Asked) -> Said:
        return Said(404, f"no page for {asked.headers['authorization']} {asked.path}".encode(), {"Content-Type": "text/plain"})

    with serving(answer) as script, pytest.raises(SourceBroken) as error:
        ask(work, script.url, token=TOKEN)
    assert TOKEN not in str(error.value)
    assert TOKEN.encode() not in all_said([work.home.path])


def test_of_two_runs_at_once_the_second_says_busy_and_changes_nothing(work: Work) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(_: Asked) -> Said:
        asked.set()
        go_on.wait(30)
        return Said(404)

    ended: list[BaseException] = []

    def first() -> None:
        try:
            ask(work, script.url)
        except Mingbai as error:
            ended.append(error)

    with serving(answer) as script:
        thread = threading.Thread(target=first)
        thread.start()
        try:
            assert asked.wait(30)
            before = files(work.home)
            with pytest.raises(Busy, match=f"process {os.getpid()} is working here"):
                ask(work, script.url)
            assert files(work.home) == before
        finally:
            go_on.set()
            thread.join()
    assert [type(error) for error in ended] == [SourceBroken], "the first one was not disturbed"


def test_an_interrupted_extraction_is_resumed_by_the_next_run(work: Work, platform: Server) -> None:
    recorder = Recorder.beside(platform)
    with pytest.raises(KeyboardInterrupt):
        ask(replace(work, progress=Interrupted(250)), platform)
    assert (work.live, len(list(work.home.raw.glob("*.part")))) == (None, 1)
    whole = {request.target for request in recorder.pages()}
    recorder.forget()
    assert ask(work, platform).release == "2026-11-01"
    again = {request.target for request in recorder.pages()}
    assert len(whole) == 4
    assert not whole & again, "a page that is sealed is not fetched again"
    assert work.live_manifest()["accounting"]["institutions"]["records"] == platform.service.world.total("institutions")


def test_a_resumed_run_publishes_the_bytes_of_one_that_was_not_disturbed(work: Work, platform: Server, tmp_path: Path) -> None:
    platform.service.faults = Faults(["cut_off_body:listings:2:6"])
    with pytest.raises(SourceBroken):
        ask(work, platform)
    ask(work, platform)
    other = replace(work, home=Home(tmp_path / "other"))
    ask(other, platform)
    assert hashes(work) == hashes(other)


def test_a_held_candidate_is_published_by_its_digest_and_the_source_is_not_asked(work: Work, platform: Server) -> None:
    ask(work, platform)
    live = seen_by_readers(work.home)
    platform.move(1)
    platform.service.faults = Faults(["county_lost"])
    with pytest.raises(ReviewNeeded, match=r"platform institutions: \d+ before, \d+ now \(total_lost") as held:
        ask(work, platform, 1)
    digest = str(held.value).rpartition("approve ")[2]
    platform.stop()

    with pytest.raises(ReviewNeeded, match="0123456789abcdef is not its digest"):
        approve(on(work, 1), "0123456789abcdef", "张三", "与来源核对过")
    assert seen_by_readers(work.home) == live
    assert status(work.home)["last_run"]["outcome"] == "ReviewNeeded"
    waits = {"source": "platform", "table": "institutions", "bound": "total_lost", "since": "2026-11-02T04:00:00Z"}
    assert waits in status(work.home)["waiting"]
    with pytest.raises(SourceUnavailable):
        ask(work, platform, 2)
    assert waits in status(work.home)["waiting"], "it waits still, since the same moment"

    assert approve(on(work, 1), digest, "张三", "与来源核对过") == Result("released", "2026-11-02")
    assert work.live_manifest()["accounting"]["institutions"]["kept_absent"] > 20, "what is missing for the first time is kept and marked"
    with pytest.raises(BadHome, match="no release is in the making"):
        approve(on(work, 1), digest, "张三", "与来源核对过")
    assert work.live == "2026-11-02"


def test_an_approval_when_nothing_is_held_is_one_line(work: Work) -> None:
    with pytest.raises(BadHome, match="no release is in the making"):
        approve(work, "0123456789abcdef", "张三", "与来源核对过")


def test_a_digest_approves_what_was_looked_at_and_not_what_came_after(work: Work, platform: Server) -> None:
    ask(work, platform)
    platform.service.faults = Faults(["county_lost"])
    digests = []
    for day in (1, 2):
        platform.move(day)
        with pytest.raises(ReviewNeeded) as held:
            ask(work, platform, day)
        digests.append(str(held.value).rpartition("approve ")[2])
    assert digests[0] != digests[1]
    with pytest.raises(ReviewNeeded, match="is not its digest"):
        approve(on(work, 2), digests[0], "张三", "与来源核对过")
    assert approve(on(work, 2), digests[1], "张三", "与来源核对过").release == "2026-11-03"


def test_workers_make_the_same_bytes_as_this_process(work: Work, platform: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(work, home=Home(tmp_path / "other"))
    ask(work, platform)
    monkeypatch.setattr("publish.workers.FEW", 0)
    pools: list[int] = []

    class Pool(ProcessPoolExecutor):
        def __init__(self, *arguments: Any) -> None:
            pools.append(arguments[0])
            super().__init__(*arguments)

        def submit(self, *arguments: Any) -> Any:  # type: ignore[override]
            given.append(arguments[1])
            return super().submit(*arguments)

    def read(self: Any, task: Any) -> Any:
        here.append(task)
        return read_here(self, task)

    given: list[Any] = []
    here: list[Any] = []
    read_here = workers._Reader.read
    monkeypatch.setattr(workers._Reader, "read", read)
    monkeypatch.setattr("publish.workers.ProcessPoolExecutor", Pool)
    monkeypatch.setattr("publish.workers.os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    ask(other, platform)
    assert pools == [1], "the other core is this process's"
    assert given, "pages are read in the worker"
    assert here, "and here while it has enough to do"
    assert hashes(work) == hashes(other)


def test_a_step_looks_for_circles_seldom_and_leaves_the_collector_as_it_was(work: Work) -> None:
    before = gc.get_threshold()
    with opened(work):
        assert gc.get_threshold() == (SELDOM, *before[1:])
    assert gc.get_threshold() == before


def test_a_page_that_workers_cannot_read_ends_the_run_in_words(work: Work, platform: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.workers.FEW", 0)
    monkeypatch.setattr("publish.workers.os.sched_getaffinity", lambda _: {0, 1}, raising=False)

    def spoilt(*arguments: Any, **named: Any) -> Any:
        snapshot = extract(*arguments, **named, wait=lambda seconds: None)
        (snapshot.folder / snapshot.of("notices")[0].file).write_bytes(b"{}")
        return snapshot

    monkeypatch.setattr("publish.inputs.extract", spoilt)
    with pytest.raises(SourceBroken, match="notices"):
        ask(work, platform)
    assert work.live is None


def hashes(work: Work) -> dict[str, str]:
    """The SHA-256 of every file of the live release."""
    return {name: entry["sha256"] for name, entry in work.live_manifest()["files"].items()}


@dataclass
class Interrupted:
    """Progress that a person breaks off once so many records are there."""

    left: int

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        self.left -= amount
        if self.left < 0:
            raise KeyboardInterrupt

    def finish(self) -> None:
        pass

    def say(self, text: str) -> None:
        pass


@dataclass
class Recorder:
    """A platform's service that remembers what it was asked and how it answered."""

    service: Service
    asked: list[Request] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    @classmethod
    def beside(cls, server: Server) -> "Recorder":
        recorder = cls(server.service)
        server.service = recorder  # type: ignore[assignment]
        return recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)

    def answer(self, request: Request) -> Response:
        response = self.service.answer(request)
        self.asked.append(request)
        self.answered.append(response.status)
        return response

    def pages(self) -> list[Request]:
        return [request for request in self.asked if "/v1/listings/" in request.target]

    def count(self, answer: int) -> int:
        return self.answered.count(answer)

    def forget(self) -> None:
        self.asked.clear()
        self.answered.clear()


def test_an_old_state_is_not_taken_for_a_new_one(work: Work, platform: Server) -> None:
    platform.move(1)
    ask(work, platform, 1)
    platform.move(0)
    with pytest.raises(SourceBroken, match="is as of 2026-11-01 and 2026-11-02 is live"):
        ask(work, platform, 2)
    assert work.home.live() == "2026-11-02"
