"""A disk that is full, at any size: the run fails in words or goes through, readers see the old release or the new, and with room it goes on.

A limit to the size of a file (RLIMIT_FSIZE) is hit by whatever grows beyond it, SQLite and the feeds alike; a small tmpfs, where one can be
mounted, is full as a disk is.
"""

import errno
import random
import resource
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from homes import FINE, IN_WORDS, Scene, copied, ended, forked, in_words, seen_by_readers
from test_kill import POINTS

from publish.cli import main
from publish.work import Work

TRIALS = max(POINTS // 8, 1)


def files_of_at_most(size: int, action: Callable[[], object]) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    in_words(action)


@pytest.mark.parametrize("name", ["first", "second", "approved"])
def test_no_file_grows_beyond_a_size(name: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    scene, said = scenes[name], tmp_path / "said"
    biggest = max(path.stat().st_size for path in scene.after.home.path.rglob("*") if path.is_file())
    draw = random.Random(f"size {name}")
    found: Counter[str] = Counter()
    for _ in range(TRIALS // 2):
        size = int(biggest ** (draw.random() * 1.1))
        work = scene.starts(tmp_path / "home")
        code = ended(forked(partial(files_of_at_most, size, partial(scene.act, work)), said))
        assert code in (FINE, IN_WORDS), (size, said.read_text("utf-8"))
        found["full" if code == IN_WORDS else "enough"] += 1
        scene.judge(work, f"no file above {size:,} bytes")
    assert found["full"], found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk that a test may fill, where one can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here (needs root)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def filled(disk: Path, room: int) -> Path:
    """Fill a disk up to `room` bytes; gives the file that takes the place."""
    ballast = disk / "ballast"
    free = subprocess.run(["df", "--output=avail", "-B1", str(disk)], capture_output=True, text=True, check=True).stdout.split()[1]
    with ballast.open("wb") as file:
        file.write(b"\0" * max(int(free) - room, 0))
    return ballast


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_disk_is_full(name: str, scenes: dict[str, Scene], small_disk: Path, tmp_path: Path) -> None:
    scene, said = scenes[name], tmp_path / "said"
    grows = sum(path.stat().st_size for path in scene.after.home.path.rglob("*") if path.is_file() and not path.is_symlink())
    draw = random.Random(f"disk {name}")
    found: Counter[str] = Counter()
    for _ in range(TRIALS // 2):
        work = scene.starts(small_disk / "home")
        room = int(draw.random() * 1.5 * grows)
        ballast = filled(small_disk, room)
        code = ended(forked(partial(in_words, partial(scene.act, work)), said))
        assert code in (FINE, IN_WORDS), (room, said.read_text("utf-8"))
        found["full" if code == IN_WORDS else "enough"] += 1
        ballast.unlink()
        scene.judge(work, f"{room:,} bytes of room")
    assert found["full"], found


def test_a_release_that_is_live_is_not_called_failed_because_nothing_more_can_be_written(scenes: dict[str, Scene], tmp_path: Path) -> None:
    """What follows the commit fails: the run says that the release is live, and the next one does the rest."""
    scene = scenes["second"]
    for room, last in (("live", "write_index"), ("steps", "keep"), ("work", "write_status")):
        work = copied(scene.before, tmp_path / last)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"publish.{room}.{last}", partial(no_room, last, work))
            result = scene.act(work)
        assert getattr(result, "release", None) == work.live == scene.after.live, last
        assert seen_by_readers(work.home) == scene.new
        assert any("2026-11-02 is live" in line or "still says how" in line for line in work.progress.said), last  # type: ignore[attr-defined]
        scene.judge(work, last)


def no_room(what: str, work: Work, *_: object) -> tuple[str, ...]:
    if work.live == "2026-11-02":
        raise OSError(errno.ENOSPC, "No space left on device", what)
    return ()


def test_a_full_disk_is_one_line_that_says_what_to_do(scenes: dict[str, Scene], archives: list[Path], tmp_path: Path) -> None:
    work, said = scenes["second"].starts(tmp_path / "home"), tmp_path / "said"
    arguments = ["--home", str(work.home.path), "--now", "2026-11-02T04:00:00Z", "run", "--source", f"platform={archives[1]}"]

    def command() -> None:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2, result.output
        assert result.stderr.splitlines()[-1].endswith("what is live is whole: make room and run again"), result.stderr

    assert ended(forked(partial(files_of_at_most, 100_000, command), said)) == FINE, said.read_text("utf-8")
