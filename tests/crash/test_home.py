"""What happens to a home between and beside runs: a second run, a clock that goes back, another place, lost rights, a reader who stays."""

import os
import shutil
import signal
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from homes import (
    FINE,
    IN_WORDS,
    NOON,
    Scene,
    a_work,
    ask,
    copied,
    day_of,
    delivered,
    ended,
    forked,
    history_rows,
    in_words,
    seen_by_readers,
    sha256,
    unlike,
    whole_home,
)

from making import notice
from publish.catalogue import Catalogue
from publish.errors import BadHome, Busy
from publish.home import Home, release_order
from publish.web.reader import Reader
from publish.work import Work

NOBODY = 65534


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not come"
        time.sleep(0.005)


def holding(home: Home, held: Path) -> Callable[[], None]:
    """For a child: take the lock and keep it for ever."""

    def act() -> None:
        with home.locked():
            held.touch()
            signal.pause()

    return act


def test_a_second_run_waits_for_nobody_and_a_dead_owner_holds_no_lock(
    scenes: dict[str, Scene], archives: list[Path], tmp_path: Path
) -> None:
    scene, held = scenes["second"], tmp_path / "held"
    work = scene.starts(tmp_path / "home")
    owner = forked(holding(work.home, held), tmp_path / "said")
    try:
        wait_for(held)
        with pytest.raises(Busy, match=f"process {owner} is working here"):
            ask(work, archives[1], 1)
        assert seen_by_readers(work.home) == scene.old
    finally:
        os.kill(owner, signal.SIGKILL)
        ended(owner)
    assert scene.judge(work, "the owner of the lock was killed") == "old"


def test_of_many_runs_at_once_one_releases_and_the_others_are_busy(scenes: dict[str, Scene], tmp_path: Path) -> None:
    scene, start = scenes["second"], tmp_path / "start"
    work = scene.starts(tmp_path / "home")

    def act() -> None:
        wait_for(start)
        try:
            scene.act(work)
        except Busy:
            os._exit(Busy.exit_code)

    runs = [forked(act, tmp_path / f"said{number}") for number in range(6)]
    start.touch()
    codes = [ended(pid) for pid in runs]
    assert set(codes) <= {FINE, Busy.exit_code}, [path.read_text("utf-8") for path in tmp_path.glob("said*")]
    assert FINE in codes
    assert scene.judge(work, "six runs at once") == "new"


def ending(number: int, last_day: str) -> dict[str, list[dict[str, object]]]:
    """A delivery with a notice that is public up to a day."""
    listings = day_of(number)
    listings["notices"][5] = notice(6, publicUntil=last_day)
    return listings


def numbers(work: Work) -> set[str]:
    connection = sqlite3.connect(f"file:{work.live_database}?mode=ro&immutable=1", uri=True)
    try:
        return {number for (number,) in connection.execute("SELECT document_no FROM notices")}
    finally:
        connection.close()


def test_while_the_clock_is_behind_nothing_that_ended_comes_back_and_ids_go_on(catalogue: Catalogue, tmp_path: Path) -> None:
    work = a_work(tmp_path / "home", catalogue)
    ended_one, archive = "西教罚〔2026〕6号", [delivered(tmp_path / "in", number, ending(number, "2026-11-03")) for number in range(3)]
    ask(work, archive[0], 0)
    assert ended_one in numbers(work)
    ask(work, archive[1], 5)
    assert ended_one not in numbers(work)
    back = ask(replace(work, now=NOON - timedelta(days=400)), archive[2], 0)
    assert back.release == "2026-11-06.2", "an id is used once and they sort"
    assert ended_one not in numbers(work)
    assert work.live_manifest()["released_on"] == "2026-11-06"
    assert ask(work, delivered(tmp_path / "in", 7), 7).release == "2026-11-08", "with the clock put right"
    names = ["2026-11-01", "2026-11-06", "2026-11-06.2", "2026-11-08"]
    assert work.home.release_ids() == names
    assert history_releases(work.home) == names


def test_a_home_that_was_moved_goes_on_where_it_was(scenes: dict[str, Scene], archives: list[Path], tmp_path: Path) -> None:
    for name in ("second", "approved"):
        scene = scenes[name]
        work = scene.starts(tmp_path / "here")
        moved = replace(work, home=Home(tmp_path / "elsewhere" / name))
        moved.home.path.parent.mkdir(exist_ok=True)
        shutil.move(work.home.path, moved.home.path)
        assert seen_by_readers(moved.home) == scene.old
        scene.act(moved)
        assert unlike(whole_home(moved.home), scene.whole) == []
        for path in [path for path in moved.home.path.rglob("*") if path.is_file()]:
            assert str(work.home.path).encode() not in path.read_bytes(), path


def test_a_copy_without_the_link_says_how_to_make_it(scenes: dict[str, Scene], archives: list[Path], tmp_path: Path) -> None:
    work = scenes["second"].starts(tmp_path / "home")
    release = os.readlink(work.home.current)
    work.home.current.unlink()
    for restore in (None, work.home.releases / "2026-11-01"):  # gone, or copied as the folder that it named
        if restore:
            shutil.copytree(restore, work.home.current)
        with pytest.raises(BadHome, match="ln -s releases/ID current"):
            ask(work, archives[1], 1)
    shutil.rmtree(work.home.current)
    work.home.current.symlink_to(release)
    assert scenes["second"].judge(work, "the link was made again") == "old"


def test_history_is_not_taken_back_because_releases_were_not_found(scenes: dict[str, Scene], archives: list[Path], tmp_path: Path) -> None:
    """Of a home that was restored in part, history is the part that nothing else can give back."""
    work = copied(scenes["second"].after, tmp_path / "home")
    before = history_rows(work.home)
    for gone in (work.home.releases, work.home.raw):
        shutil.rmtree(gone)
    work.home.current.unlink()
    (work.home.path / "releases.json").unlink()
    with pytest.raises(BadHome, match=r"history\.db: has 2 releases after none, which is live"):
        ask(work, archives[2], 2)
    assert history_rows(work.home) == before


def test_a_release_that_is_whole_is_not_taken_out_of_history(scenes: dict[str, Scene], archives: list[Path], tmp_path: Path) -> None:
    """Somebody moved the link by hand: history says so, instead of losing what was live."""
    work = copied(scenes["second"].after, tmp_path / "home")
    before = history_rows(work.home)
    work.home.current.unlink()
    work.home.current.symlink_to(Path("releases") / "2026-11-01")
    with pytest.raises(BadHome, match="has 1 releases after 2026-11-01"):
        ask(work, archives[2], 2)
    assert history_rows(work.home) == before
    assert "2026-11-02" in work.home.release_ids()


def reading(home: Home, stop: Path) -> None:
    """For a child: follow `current` again and again; every file is what the SHA256SUMS beside it say, and ids only go on."""
    met: list[str] = []
    while not stop.exists() or not met:
        folder = home.current.resolve(strict=True)
        for line in (line for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines() if line[0] != "#"):
            digest, _, name = line.partition("  ")
            assert sha256(folder / name) == digest, (folder.name, name)
        if met[-1:] != [folder.name]:
            met.append(folder.name)
    assert met == sorted(set(met), key=release_order), met
    assert len(met) > 1, "it met a change"


def test_a_reader_holds_the_old_release_while_ten_are_made(
    scenes: dict[str, Scene], archives: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, stop, said = scenes["second"].starts(tmp_path / "home"), tmp_path / "stop", tmp_path / "said"
    held = Reader(work.home.current.resolve())
    was = held.rows("SELECT * FROM institutions ORDER BY id"), held.rows("SELECT * FROM notices ORDER BY id")
    reader = forked(partial(reading, work.home, stop), said)
    for number in range(1, 11):
        assert ask(work, archives[number], number).release == f"2026-11-{number + 1:02d}"
    stop.touch()
    assert ended(reader) == FINE, said.read_text("utf-8")
    assert len(history_releases(work.home)) == 11
    monkeypatch.setattr("publish.keep.DAYS", 0)  # the policy would let it go: who has it open reads on
    ask(work, archives[11], 11)
    assert work.home.release_ids() == ["2024-01-20", "2026-11-11", "2026-11-12"]
    assert (held.rows("SELECT * FROM institutions ORDER BY id"), held.rows("SELECT * FROM notices ORDER BY id")) == was
    held.close()


def history_releases(home: Home) -> list[str]:
    connection = sqlite3.connect(home.history)
    try:
        return [name for (name,) in connection.execute("SELECT id FROM releases ORDER BY number")]
    finally:
        connection.close()


def owned(folder: Path, owner: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner, follow_symlinks=False)


def as_nobody(action: Callable[[], object]) -> None:
    """For a child: rights bind whoever is not root."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    in_words(action)


TAKEN = {
    "home may not be written": ("", 0o555),
    "releases may not be written": ("releases", 0o555),
    "releases may not be listed": ("releases", 0o311),
    "releases are closed": ("releases", 0o000),
    "raw is another's": ("raw", None),
    "staging is another's": ("staging", None),
    "history may not be written": ("history.db", 0o400),
    "history may not be read": ("history.db", 0o000),
    "history is another's": ("history.db", None),
    "the lock is another's": ("lock", None),
    "the status may not be read": ("status.json", 0o000),
    "the index may not be read": ("releases.json", 0o000),
    "the live database may not be read": ("releases/2026-11-01/mingbai.db", 0o000),
    "the live manifest may not be read": ("releases/2026-11-01/manifest.json", 0o000),
    "the base may not be read": ("staging/base.db", 0o000),
}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("what", TAKEN)
def test_a_right_that_was_lost_fails_in_words_and_comes_back(what: str, scenes: dict[str, Scene], archives: list[Path]) -> None:
    scene = scenes["second"]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as reachable:
        folder = Path(reachable)
        folder.chmod(0o755)
        shutil.copytree(archives[1], folder / "in")
        work = scene.starts(folder / "home")
        owned(folder, NOBODY)
        name, mode = TAKEN[what]
        path = work.home.path / name
        was = stat.S_IMODE(path.stat().st_mode)
        if mode is None:
            os.chown(path, 0, 0)
            path.chmod(0o600 if path.is_file() else 0o700)
        else:
            path.chmod(mode)
        act, said = partial(as_nobody, partial(ask, work, folder / "in", 1)), folder / "said"
        said.write_bytes(b"")
        said.chmod(0o666)
        code = ended(forked(act, said))
        assert code in (FINE, IN_WORDS), said.read_text("utf-8")
        found = seen_by_readers(work.home)
        assert found == (scene.new if code == FINE else scene.old)
        os.chown(path, NOBODY, NOBODY)
        path.chmod(was)
        assert ended(forked(act, said)) == FINE, said.read_text("utf-8")
        assert unlike(whole_home(work.home), scene.whole) == []
