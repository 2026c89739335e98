"""`make bench ARGS="--withdrawal 365 --size 1000"`: one withdrawal that reaches a year of daily releases.

Each release is made by a real run on the reference platform's next day, without HTTP between. Then two people withdraw a notice that is in as many
of them as any, and the files are searched for it. Seconds stand beside those of copying the releases that were issued anew: that much has to be
read and written whatever the way. Room is what stands in the home beyond what it had before, sampled while the withdrawal is carried out.
"""

import os
import resource
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from making import approved, snapshot
from publish.catalogue import load
from publish.errors import ReviewNeeded
from publish.home import Home
from publish.nowhere import nowhere
from publish.platform.world import LISTINGS, World, new_world
from publish.run import run
from publish.withdraw import withdraw
from publish.work import Work

from .history import timed

NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)
EVERY = 30  # releases between two lines


def size_of(folder: Path) -> int:
    """Bytes of all files; those that go while they are counted are not."""
    total = 0
    for at, _, names in os.walk(folder):  # which passes over folders that vanish
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_size
    return total


class Room(Thread):
    """The most bytes that a folder held while it was watched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.most, self.ended = folder, size_of(folder), Event()

    def run(self) -> None:
        while not self.ended.wait(2):
            self.most = max(self.most, size_of(self.folder))


def deliver(work: Work, world: World, folder: Path) -> None:
    """One day's run."""
    listings = {
        name: [record for part in world.parts(name) for record in world.records(name, part.name, 0, part.places)] for name in LISTINGS
    }
    taken = work.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = snapshot(folder, f"p{world.day}", listings, page_size=200, as_of=world.today.isoformat(), taken_at=taken)
    try:
        run(work, {"platform": str(made.folder)})
    except ReviewNeeded:
        approved(work)
    shutil.rmtree(made.folder)


def measure(size: int, days: int) -> None:
    """Withdraw one notice from `days` releases of `size` institutions."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-withdrawal-"))
    try:
        home = Home(folder / "home")
        work = Work(home, load(), NOON, "http://127.0.0.1:8001")
        world = new_world(size, months=1)
        in_releases: Counter[str] = Counter()
        for day in range(days):
            at = replace(work, now=NOON + timedelta(days=day))
            wall, cpu, _ = timed(lambda at=at, day=day: deliver(at, world.on_day(day), folder))
            with closing(sqlite3.connect(f"file:{at.live_database}?mode=ro&immutable=1", uri=True)) as connection:
                in_releases.update(dict.fromkeys((id for (id,) in connection.execute("SELECT id FROM notices")), 1))
                live = {id for (id,) in connection.execute("SELECT id FROM notices")}
            if day % EVERY == 0 or day == days - 1:
                print(f"  release {day + 1}: made in {wall:.1f} s (cpu {cpu:.1f} s), {len(live)} notices", flush=True)
        number = len(home.release_ids())
        notice = min(live, key=lambda id: (-in_releases[id], id))
        whole = size_of(home.releases)
        print(
            f"{size:,} institutions, {number} releases of {whole / number / 2**20:.1f} MiB; {notice} is in {in_releases[notice]}",
            flush=True,
        )
        first = next(iter(home.release_ids()))
        copied, copying, _ = timed(lambda: shutil.copytree(home.releases / first, folder / "copy"))
        before, room = size_of(home.path), Room(home.path)
        with suppress(ReviewNeeded):
            withdraw(at, notice, "revoked", "撤销决定书", "张三", "法院撤销")
        room.start()
        began = time.monotonic()
        wall, cpu, _ = timed(lambda: withdraw(at, notice, "revoked", "撤销决定书", "李四", "法院撤销"))
        room.ended.set()
        room.join()
        assert time.monotonic() - began >= wall
        print(
            f"  withdrawn from {in_releases[notice]} releases in {wall:.0f} s (cpu {cpu:.0f} s, {cpu / in_releases[notice]:.2f} s each, copying one {copied:.3f} s, cpu {copying:.3f} s); "
            f"room beyond what was there {max(room.most - before, 0) / (whole / number):.1f} releases; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB",
            flush=True,
        )
        wall, cpu, lines = timed(lambda: list(nowhere(at)))
        print(f"  proved in {wall:.0f} s (cpu {cpu:.0f} s): {lines[-1]}", flush=True)
        work = replace(work, now=NOON + timedelta(days=days))
        wall, cpu, _ = timed(lambda: deliver(work, world.on_day(days), folder))
        print(f"  the next run: {wall:.1f} s (cpu {cpu:.1f} s)", flush=True)
    finally:
        shutil.rmtree(folder)
