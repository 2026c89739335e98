"""`make bench`: a run at full size against the reference platform on loopback, each step as the command that a person would type.

Printed for each size: wall and CPU seconds and peak memory of every step, and the ratio of the whole to the floor, measured in the same
run: the same records as NDJSON, parsed with orjson and written by one `executemany` a table in one transaction. Then the same as one `mingbai run`,
and against that a second day, a third, and a run without new content. Commands have their bytecode, as those that were installed do. Nothing here
asserts: these machines are shared, and only the ratios carry over to another one.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import history
import orjson

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent.parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
STEPS = ("extract", "stage", "diff", "review", "release", "downloads", "index", "go-live")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock and CPU, and the peak resident memory in MiB, of a command with its workers."""

    wall: float
    cpu: float
    peak: float


def resident(pid: int) -> float:
    """MiB that a process and its workers hold now. Pages that they share are counted for each: the truth is a little lower."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(resident(int(child)) for child in children)


def timed(command: list[str], **more: str) -> Cost:
    """Run a command to its end. Exits with its output when it fails."""
    with tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env={**ENVIRONMENT, **more}, stdout=output, stderr=output)
        peak = 0.0
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, resident(process.pid))
            time.sleep(0.05)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, max(peak, used.ru_maxrss / 1024))


@contextmanager
def platform(size: int, months: int, day: int, notices: int | None = None, port: int = 0) -> Iterator[str]:
    """The reference platform on a day; with the `port` of the day before it is the same source, which is asked for what changed."""
    command = [
        sys.executable,
        "-m",
        "publish",
        "platform",
        "--institutions",
        str(size),
        "--months",
        str(months),
        "--day",
        str(day),
        "--port",
        str(port),
        *(["--notices", str(notices)] if notices else []),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        print(f"  the platform itself took {sum(map(int, ticks)) / os.sysconf('SC_CLK_TCK'):.1f} s of CPU to make its pages", flush=True)
        process.send_signal(signal.SIGTERM)
        process.wait()


def mingbai(home: Path, day: int, *arguments: str) -> list[str]:
    now = f"2026-11-{1 + day:02d}T12:00:00+08:00"
    return [sys.executable, "-m", "publish", "--home", str(home), "--now", now, *arguments]


def floor(folder: Path, home: Path) -> Cost:
    """Write the newest snapshot's records as NDJSON (not timed), then time the floor on them."""
    raw = max((home / "raw").iterdir())
    pages = json.loads((raw / "seal.json").read_bytes())["pages"]
    for page in pages:
        body = (raw / page["file"]).read_bytes()
        if page["file"].endswith(".gz"):
            import gzip

            body = gzip.decompress(body)
        with open(folder / f"{page['listing']}.ndjson", "ab") as out:
            for record in orjson.loads(body)["records"]:
                out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    return timed([sys.executable, str(HERE.parent / "floor.py"), str(folder)])


def total(costs: list[Cost]) -> Cost:
    return Cost(sum(c.wall for c in costs), sum(c.cpu for c in costs), max(c.peak for c in costs))


def show(label: str, cost: Cost, against: Cost | None = None) -> None:
    ratio = f"  wall x{cost.wall / against.wall:.2f} cpu x{cost.cpu / against.cpu:.2f}" if against else ""
    print(f"  {label:<22} wall {cost.wall:7.2f} s  cpu {cost.cpu:7.2f} s  peak {cost.peak:6.0f} MiB{ratio}", flush=True)


def measure(size: int, months: int) -> None:
    print(f"{size:,} institutions, {size // 10:,} notices, {size * months:,} rating rows", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="mingbai-bench-"))
    try:
        home, again = folder / "home", folder / "again"
        timed(mingbai(home, 0, "check"))  # whose bytecode is made now
        show("start-up alone", timed(mingbai(home, 0, "check")))
        with platform(size, months, 0) as address:
            source = ["--source", f"platform={address}", "--rate", "0"]
            costs = []
            for step in STEPS:
                costs.append(timed(mingbai(home, 0, step, *(source if step == "extract" else []))))
                show(step, costs[-1])
            whole = timed(mingbai(again, 0, "run", *source))
        ndjson = folder / "floor"
        ndjson.mkdir()
        base, first = floor(ndjson, home), total(costs)
        show("floor", base)
        show("first run, by steps", first, base)
        show("first run, as one", whole, base)
        with platform(size, months, 1, port=int(address.rpartition(":")[2])) as address:
            source = ["--source", f"platform={address}", "--rate", "0"]
            show("second run (vs one)", timed(mingbai(home, 1, "run", *source)), whole)
            show("third run (vs one)", timed(mingbai(home, 2, "run", *source)), whole)  # what the second missed is confirmed
            before = written(home)
            show("no new content", timed(mingbai(home, 2, "run", *source)), whole)
            print(f"  bytes of data written by it: {sum(size for path, size in written(home).items() if before.get(path) != size)}")
        print(
            f"  release {sum(p.stat().st_size for p in (home / 'current').rglob('*') if p.is_file()) / 2**20:,.0f} MiB, history {(home / 'history.db').stat().st_size / 2**20:,.0f} MiB"
        )
    finally:
        shutil.rmtree(folder)


def written(home: Path) -> dict[tuple[str, int], int]:
    """Every file of the data with its time and size; status.json is no data."""
    files = [path for path in home.rglob("*") if path.is_file() and path.name not in ("status.json", "lock")]
    return {(str(path), path.stat().st_mtime_ns): path.stat().st_size for path in files}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="50000,100000,200000", help="institutions, with commas between")
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--history", type=int, metavar="DAYS", help="measure history over so many daily releases instead (history.py)")
    parser.add_argument("--withdrawal", type=int, metavar="DAYS", help="measure one withdrawal from so many daily releases (withdrawal.py)")
    parser.add_argument(
        "--feeds", type=int, metavar="NOTICES", help="measure all feeds of a release with so many notices instead (feeding.py)"
    )
    parser.add_argument("--size", type=int, default=100_000, help="institutions for --history, --withdrawal and --search-http")
    parser.add_argument("--search", type=int, metavar="SIZE", help="measure the search among so many institutions instead (searching.py)")
    parser.add_argument("--part", choices=("tune", "held"), default="tune", help="which half of the queries is asked")
    parser.add_argument("--queries", type=int, default=6000, help="labelled queries, both parts together")
    parser.add_argument("--sample", type=int, default=200, help="queries for the baselines; 0 leaves them out")
    parser.add_argument("--misses", type=int, default=0, help="misses of each class to list (of the tuning part)")
    parser.add_argument("--kinds", default="", help="classes of queries with commas between; without it all")
    parser.add_argument(
        "--search-http", action="store_true", help="measure the search by HTTP among --size institutions instead (serving.py)"
    )
    parser.add_argument(
        "--home", type=Path, help="of --search-http, --site and --downloads: a home with a release of that size, made before"
    )
    parser.add_argument(
        "--downloads",
        type=int,
        metavar="SIZE",
        help="measure the downloads of a release with so many institutions instead (downloading.py)",
    )
    parser.add_argument("--feeds-http", action="store_true", help="measure feeds by HTTP among --size institutions instead (polling.py)")
    parser.add_argument(
        "--site", type=int, metavar="SIZE", help="measure our pages of a release with so many institutions instead (paging.py)"
    )
    given = parser.parse_args()
    sys.path.append(str(HERE.parent.parent))
    if given.search_http:
        from bench import serving

        serving.measure(given.size, home=given.home)
    elif given.feeds_http:
        from bench import polling

        polling.measure(given.size, home=given.home)
    elif given.site:
        from bench import paging

        paging.measure(given.site, home=given.home)
    elif given.downloads:
        from bench import downloading

        downloading.measure(given.downloads, given.home)
    elif given.search:
        from bench import searching

        searching.measure(
            given.search,
            given.part,
            asked_for=given.queries,
            sample=given.sample,
            misses=given.misses,
            kinds=[kind for kind in given.kinds.split(",") if kind],
        )
    elif given.feeds:
        from bench import feeding

        feeding.measure(given.feeds)
    elif given.withdrawal:
        from bench import withdrawal

        withdrawal.measure(given.size, given.withdrawal)
    elif given.history:
        history.measure(given.size, given.history)
    else:
        for number in given.sizes.split(","):
            measure(int(number), given.months)
