"""`make bench ARGS="--feeds-http --size 2000"`: feeds as readers poll them, beside an ASGI application that does nothing.

Two servers and one asker as in serving.py. Nearly all who poll have what there is: a 304 is held against an answer of no bytes, a 200 against one of as many.
"""

import http.client
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from .serving import CONNECTIONS, ROUNDS, SECONDS, WARM, Load, cpu_of, load, made, show, started, today

FEED, SEARCH = "/feeds/records.atom", "/feeds/records.atom?kind=penalty"
CODINGS = ("br, gzip", "gzip", "identity")
EACH = 0.005  # seconds


def measure(size: int, *, home: Path | None = None, seconds: float = SECONDS) -> None:
    """Serve, ask and print. `home` has a release of the reference platform of that size; without one it is made by a real run."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-feeds-"))
    try:
        home = home or made(folder / "home", size)
        ours = [sys.executable, "-m", "publish", "--home", str(home), "--site", "https://feeds.example", "serve", "--port", "0"]
        theirs = [sys.executable, "-c", "import sys; sys.path[:0] = ['tests']; from bench.serving import serve_bare; serve_bare()"]
        with started(ours) as (url, pid), started(theirs) as (plain, plain_pid):
            print(f"feeds of {size:,} institutions by HTTP, {CONNECTIONS} connections", flush=True)
            for path in (FEED, SEARCH):
                for coding in CODINGS if path == FEED else CODINGS[:1]:
                    accepts = f"Accept-Encoding: {coding}\r\n"
                    tag = _tag(url, path, coding)
                    for name, headers in ((f"304, {coding}", f"{accepts}If-None-Match: {tag}\r\n"), (f"200, {coding}", accepts)):
                        length = _length(load(url, [path], count=WARM, headers=headers))
                        load(plain, [f"/{length}"], count=WARM)
                        served, nothing = Load(), Load()
                        for _ in range(ROUNDS):
                            for address, process, which, asked, given in (
                                (url, pid, served, path, headers),
                                (plain, plain_pid, nothing, f"/{length}", accepts),
                            ):
                                before = cpu_of(process)
                                done = load(address, [asked], seconds=seconds, headers=given)
                                done.server = cpu_of(process) - before
                                which += done
                        show(f"{path} {name}", served, nothing)
            print(
                f"  from go-live to the new release's entry being served: {_waited(url, home, size) * 1000:.0f} ms (it is looked for every {EACH * 1000:.0f})"
            )
    finally:
        shutil.rmtree(folder)


def _waited(url: str, home: Path, size: int) -> float:
    """Seconds from the rename of `current` by a run of the next day until a reader gets the entry of the release, at the most."""
    from run import platform, timed  # the other half of `make bench`

    asked, last = f"{url}/feeds/releases.json", threading.Event()
    seen: list[float] = []

    def poll(before: bytes) -> None:
        while not last.is_set():
            with urllib.request.urlopen(asked) as answer:
                if answer.read() != before:
                    seen.append(time.time())
                    return
            time.sleep(EACH)

    with urllib.request.urlopen(asked) as answer:
        reader = threading.Thread(target=poll, args=[answer.read()])
    reader.start()
    try:
        with platform(size, 1, today() + 1) as address:
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
            command = [sys.executable, "-m", "publish", "--home", str(home), "--site", "https://feeds.example", "--now", tomorrow]
            timed([*command, "run", "--source", f"platform={address}", "--rate", "0"])
        reader.join(30)
    finally:
        last.set()
    return seen[0] - (home / "current").lstat().st_mtime


def _tag(url: str, path: str, coding: str) -> str:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": coding})
    tag = connection.getresponse().headers["etag"]
    connection.close()
    return tag


def _length(done: Load) -> int:
    return done.bytes // max(done.count, 1)
