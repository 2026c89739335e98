"""`make demo`: the reference platform, two of its days extracted over HTTP, and the site, in one command.

The platform and the site run as processes of their own, started with the command that a person would type, and are ended with this one.
The platform's two days are a week ago and today, so that the feed has news and history has changes of every kind.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta

from .candidate import Candidate
from .decide import approve
from .errors import BadHome, ReviewNeeded, SourceUnavailable
from .home import DEMO
from .run import run
from .work import Result, Work

DAY_ZERO = date(2026, 11, 1)  # of the reference platform
NAMES = ("演示甲", "演示乙")  # who approves: nobody takes these for people
BETWEEN = 7  # days between the two releases: enough for a few new notices, corrections and withdrawals


@contextmanager
def _platform(institutions: int, day: int) -> Iterator[str]:
    command = [sys.executable, "-m", "publish", "platform", "--institutions", str(institutions), "--day", str(day), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise SourceUnavailable(f"the reference platform did not start: {' '.join(command)} ended with {process.wait()}")
        yield address
    finally:
        process.terminate()
        process.wait()


def _publish(work: Work, address: str, say: Callable[[str], None]) -> Result:
    """One run. A week of withdrawals among few notices can be more than the gate lets through by itself: then the demo is the clerk."""
    try:
        return run(work, {"platform": address})
    except ReviewNeeded as held:
        say(f"{held}\nThe demo approves it.")
        candidate = Candidate.load(work.home)
        for name in NAMES[: candidate.names]:
            with suppress(ReviewNeeded):
                return approve(work, candidate.judged(), name, "演示数据，自动批准")
        raise


def demo(work: Work, port: int, institutions: int, say: Callable[[str], None]) -> None:
    """Publish two days of the reference platform into the home and serve them on `port` until interrupted.

    Raises BadHome at once where the port is taken: who waits a minute for a release wants to see it.
    """
    from .web.server import listening, serve

    listening("127.0.0.1", port).close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    mark = work.home.path / DEMO
    if work.live is not None and not mark.is_file():
        raise BadHome(f"{work.home.path}: holds releases that are no demo's; give another folder with --home or MINGBAI_HOME")
    work.home.prepare()
    mark.write_text("The data here is invented.\n", encoding="utf-8")
    day = max((work.day - DAY_ZERO).days, BETWEEN)
    work = replace(work, site=f"http://127.0.0.1:{port}")
    for offset in (BETWEEN, 0) if work.live is None else (0,):  # a home that has releases goes on from them
        with _platform(institutions, day - offset) as address:
            say(f"day {day - offset} of the reference platform is at {address}")
            result = _publish(replace(work, now=work.now - timedelta(days=offset)), address, say)
            say(f"release {result.release}" if result.release else "nothing new")
    say("serving; Ctrl-C ends it")
    serve(work.home.path, "127.0.0.1", port, on_ready=lambda url: say(f"mingbai answers at {url}"))
