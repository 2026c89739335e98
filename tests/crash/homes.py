"""A home that is killed, filled, cut off: what a trial starts from, what readers and staff see of it, and how a run dies in a child.

A trial forks from this process, which has the declarations loaded already: a whole run of this small world takes half a second. The next run is
followed to its end where nobody has followed one from the same place (Followed).
"""

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import publish.reissue
import publish.run
from making import notice, rating, snapshot, world
from publish.catalogue import Catalogue
from publish.cli.group import FULL_WORDS, NO_RIGHT, NO_ROOM
from publish.errors import BadHome
from publish.home import Home, as_json
from publish.run import run
from publish.work import Result, Work

NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)
PAGE = 20
FINE, RAISED, IN_WORDS, KILLED = 0, 3, 7, -signal.SIGKILL
# what may differ between a home that a run died in and one that it did not: who worked last, when, and what only saves time
NOT_COMPARED = ("lock", "status.json", "staging/base.db", "history.db")


def day_of(number: int) -> dict[str, list[dict[str, Any]]]:
    """The delivery of a day: institutions are added, one moves, a notice is added and one changes."""
    listings = world(30 + number)
    listings["institutions"][number]["address"] = f"迁往{number}号"
    listings["notices"][number] = notice(number + 1, facts=f"第{number}次更正。")
    listings["ratings"].append(rating(1, month=f"2025-{number % 12 + 1:02d}"))
    return listings


def delivered(folder: Path, number: int, listings: Mapping[str, Sequence[Any]] | None = None) -> Path:
    """An archived snapshot of a day: a source that needs no server, and whose bytes are the same in every trial."""
    day = (NOON + timedelta(days=number)).date().isoformat()
    made = snapshot(folder, f"platform-{number:03d}", listings or day_of(number), as_of=day, page_size=PAGE, taken_at=f"{day}T04:00:00Z")
    return made.folder


def old_release(home: Home, identifier: str, *snapshots: str) -> None:
    """A release of long ago: what is asked of it is its manifest alone."""
    folder = home.releases / identifier
    folder.mkdir(parents=True)
    about = {"id": identifier, "released_on": identifier[:10], "previous": None, "tables": {}}
    sources = [{"id": "platform", "snapshots": [{"id": name, "content_sha256": f"of {name}"} for name in snapshots or ("none",)]}]
    (folder / "manifest.json").write_bytes(as_json({**about, "sources": sources}))


def old_snapshot(home: Home, day: str, name: str) -> None:
    """A sealed snapshot that was taken on a day."""
    snapshot(home.raw, name, {"institutions": []}, as_of=day, taken_at=f"{day}T04:00:00Z")


def on(work: Work, number: int) -> Work:
    return replace(work, now=NOON + timedelta(days=number))


def ask(work: Work, archive: Path, number: int) -> Result:
    """The run of a day."""
    return run(on(work, number), {"platform": str(archive)})


def copied(work: Work, to: Path) -> Work:
    """The same work in a copy of its home."""
    copy(work.home.path, to)
    return replace(work, home=Home(to))


def copy(home: Path, to: Path) -> None:
    """A home as it is, its links too: what releases share they share there."""
    shutil.rmtree(to, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", home, to], check=True)  # a fifth of what shutil takes


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seen_by_readers(home: Home) -> dict[str, str]:
    """The live release as whoever follows `current` finds it: its id and the SHA-256 of every file. {} before the first one."""
    if not home.current.exists():
        return {}
    folder = home.current.resolve()
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in folder.rglob("*") if path.is_file()}
    return {"": os.readlink(home.current), **files}


def history_rows(home: Home) -> list[str]:
    """Everything that history says. A journal that a dead run left is rolled back by whoever opens it, as SQLite does."""
    if not home.history.is_file():
        return []
    with closing(sqlite3.connect(home.history)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return sorted(connection.iterdump())


def whole_home(home: Home) -> dict[str, str]:
    """Every file under the home by its hash, links by what they name, history by what it says: nothing may be left over, nothing lost."""
    found = {}
    for path in home.path.rglob("*"):
        name = path.relative_to(home.path).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = "folder"
        elif name not in NOT_COMPARED:
            found[name] = sha256(path)
    return {**found, "history": "\n".join(history_rows(home))}


def unlike(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """The names that are in one of them only or say something else."""
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def forked(action: Callable[[], object], said: Path) -> int:
    """Start `action` in a child of this process; gives its pid. It ends with FINE or RAISED and writes what it raised to `said`."""
    pid = os.fork()
    if pid:
        return pid
    code = RAISED
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        action()
        code = FINE
    except BaseException:
        said.write_text(traceback.format_exc(), "utf-8")
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """The exit code of a child, or minus the signal that it died of."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_words(action: Callable[[], object]) -> None:
    """For a child: ends with IN_WORDS on an error that the command line has words for; any other keeps its traceback."""
    try:
        action()
    except BadHome:
        os._exit(IN_WORDS)
    except OSError as error:
        if error.errno not in (*NO_ROOM, *NO_RIGHT):
            raise
        os._exit(IN_WORDS)
    except sqlite3.DatabaseError as error:
        if not any(word in str(error) for word in FULL_WORDS):
            raise
        os._exit(IN_WORDS)


def killed_after(seconds: float, action: Callable[[], object], said: Path) -> int:
    """Run `action` in a child that gets SIGKILL so much later, wherever it then is, SQLite's own writing included."""
    pid = forked(action, said)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)  # one that is done waits as a zombie: its number is not another's yet
    return ended(pid)


CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "sqlite3.connect", "open")


def steps_of(home: Home, step: Callable[[str], None]) -> None:
    """From now on, for the rest of this process, call `step` before each change to a file of the home. What SQLite does is not heard."""
    ours = (str(home.path), f"file:{home.path}")

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CHANGES or not str(arguments[0]).startswith(ours):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        step(f"{event} {str(arguments[0]).replace(str(home.path), '')}")

    sys.addaudithook(heard)


def left_at(
    chosen: Iterable[int], action: Callable[[], object], listen: Callable[[Callable[[str], None]], None], home: Path, to: Path
) -> Iterator[tuple[int, str]]:
    """The home of an action in `to`, as it is left where that is killed at each of the chosen steps of those that `listen` hears of; gives the
    number and the step.

    One child does the action for all of them. At a step it stops itself, every thread of it: what is on the disk then is what its death would
    leave, and that is copied. It dies at the last one.
    """
    name, said = to.with_name("step"), to.with_name("said")
    numbers = sorted(chosen)

    def act() -> None:
        wanted, count = set(numbers), iter(range(sys.maxsize))

        def step(what: str) -> None:
            if next(count) in wanted:
                name.write_text(what, "utf-8")
                os.kill(os.getpid(), signal.SIGSTOP)

        listen(step)
        action()

    pid = forked(act, said)
    try:
        for number in numbers:
            status = os.waitpid(pid, os.WUNTRACED)[1]
            assert os.WIFSTOPPED(status), (number, said.read_text("utf-8") if said.is_file() else "it was done")
            copy(home, to)
            yield number, name.read_text("utf-8")
            if number != numbers[-1]:
                os.kill(pid, signal.SIGCONT)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            ended(pid)


def heard(action: Callable[[], object], listen: Callable[[Callable[[str], None]], None], folder: Path) -> list[str]:
    """The steps of an action that nothing disturbs, done in a child."""

    def act() -> None:
        steps: list[str] = []
        listen(steps.append)
        action()
        (folder / "steps").write_text("\n".join(steps), "utf-8")

    code = ended(forked(act, folder / "said"))
    assert code == FINE, (folder / "said").read_text("utf-8")
    return (folder / "steps").read_text("utf-8").splitlines()


class Known(BaseException):
    """A run has come to where one was that was followed to its end."""


@dataclass
class Followed:
    """Where those runs came by that were followed to their end and found right.

    From there on a run is a function of the home and of what it has in its hands: another one that comes there with the same is followed no further.
    """

    known: set[str] = field(default_factory=set)

    @contextmanager
    def to_its_end(self, home: Home) -> Iterator[None]:
        """What is in this block is left where the run in it comes to a place that is known, and makes the places known where it came by."""
        here: set[str] = set()

        def at(name: str, stage: Callable[..., object], *arguments: object) -> object:
            hands = [one.now if isinstance(one, Work) else one for one in arguments if not isinstance(one, Catalogue)]
            place = f"{name} {hands} {on_the_disk(home)}".replace(str(home.path), "")
            if place in self.known:
                raise Known
            here.add(place)
            return stage(*arguments)

        stages = {
            (module, name): getattr(module, name)
            for module, name in ((publish.run, "compare"), (publish.run, "make_downloads"), (publish.reissue, "reissue"))
        }
        for (module, name), stage in stages.items():
            setattr(module, name, partial(at, name, stage))
        try:
            yield
        except Known:
            return
        finally:
            for (module, name), stage in stages.items():
                setattr(module, name, stage)
        self.known |= here


@dataclass
class Scene:
    """A home before a run, the run, and what the home is like after it when nothing disturbs it."""

    name: str
    before: Work
    act: Callable[[Work], object]
    again: Callable[[Work], object]  # what the staff would do next
    after: Work
    known: dict[str, str] = field(default_factory=dict)  # homes that were judged already, by what is in them
    followed: Followed = field(default_factory=Followed)

    @cached_property
    def old(self) -> dict[str, str]:
        return seen_by_readers(self.before.home)

    @cached_property
    def new(self) -> dict[str, str]:
        return seen_by_readers(self.after.home)

    @cached_property
    def whole(self) -> dict[str, str]:
        return whole_home(self.after.home)

    def starts(self, folder: Path) -> Work:
        """A copy of the home before the run."""
        return copied(self.before, folder)

    def placed(self, found: Path, folder: Path) -> Work:
        """A home that was found somewhere, put where the others are."""
        shutil.rmtree(folder)
        os.rename(found, folder)
        return replace(self.before, home=Home(folder))

    def judge(self, trial: Work, where: str) -> str:
        """Check a home that the run died in, let the next run go on, and check again. Gives what readers saw in between: `old` or `new`.

        The next run is a function of the home: of two deaths that left the same bytes one is gone on from.
        """
        state = on_the_disk(trial.home)
        if state not in self.known:
            self.known[state] = self._judge(trial, where)
        return self.known[state]

    def _judge(self, trial: Work, where: str) -> str:
        found = seen_by_readers(trial.home)
        assert found in (self.old, self.new), (
            f"{where}: readers see neither the old nor the new release: {unlike(found, self.old)} {unlike(found, self.new)}"
        )
        with self.followed.to_its_end(trial.home):
            self.again(trial)
            wrong = unlike(whole_home(trial.home), self.whole)
            assert not wrong, f"{where}: the next run did not put right {wrong}"
            said = trial.home.read_status()
            assert (said["live"], said["last_run"]["outcome"]) in ((trial.live, "released"), (trial.live, "nothing_new")), where
        return "new" if found == self.new else "old"


def on_the_disk(home: Home) -> str:
    """The hash of every name and byte under a home, but the number of the process that worked there."""
    digest = hashlib.sha256()
    for path in sorted(home.path.rglob("*")):
        digest.update(f"{path.relative_to(home.path)}\0".encode())
        if path.is_symlink():
            digest.update(os.readlink(path).encode())
        elif path.is_file() and path.name != "lock":
            digest.update(path.read_bytes())
    return digest.hexdigest()


def scene(name: str, before: Work, act: Callable[[Work], object], folder: Path, again: Callable[[Work], object] | None = None) -> Scene:
    """`act` on a copy of `before`, done once undisturbed."""
    after = copied(before, folder / f"{name}-after")
    act(after)
    return Scene(name, before, act, again or act, after)


@dataclass
class Heard:
    """Progress that keeps what was said."""

    said: list[str]

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)


def a_work(home: Path, catalogue: Catalogue, said: list[str] | None = None) -> Work:
    return Work(Home(home), catalogue, NOON, progress=Heard([] if said is None else said))
