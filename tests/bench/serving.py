"""`make bench ARGS="--search-http --size 200000"`: the search by HTTP, beside an ASGI application that does nothing.

One process serves a release of the reference platform as `mingbai serve` does, another answers every request with as many bytes that it has ready, both on
loopback under uvicorn with the same settings; a third asks them in turn over kept connections, one request at a time on each. What carries over to another
machine is the share: of requests a second, and of the server's CPU for a request, which does not mind what else the machine does.
"""

import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, urlsplit

from publish.home import CHINA
from publish.platform.institutions import DAY_ZERO

from . import verifying
from .corpus import ROOT, corpus
from .labels import Labels
from .queries import queries

CONNECTIONS = 16
ROUNDS = 3  # of each server in turn
SECONDS = 5.0  # of each round, at most
COUNT = 20_000  # requests of each round, at most
WARM = 50
ONCE = "each of them once"  # whose answers are in no cache
AIMS = {"identifiers and names": 0.5, ONCE: 0.5, "all queries": 0.1}
SEARCH, SUGGEST = "/search.json?q=", "/suggest.json?q="


@dataclass(slots=True)
class Load:
    """What came of some requests: how many, with which status, of how many bytes, in how many seconds of the clock and of the client's CPU."""

    count: int = 0
    seconds: float = 0.0
    client: float = 0.0
    server: float = 0.0
    bytes: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def cost(self) -> float:
        """Microseconds of the server's CPU for a request."""
        return self.server / self.count * 1e6 if self.count else 0.0

    def __iadd__(self, other: "Load") -> "Load":
        for name in ("count", "seconds", "client", "server", "bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.statuses += other.statuses
        return self


class Answer:
    """Bytes of one answer as they come in; `whole` is its status and length once it is all there."""

    def __init__(self) -> None:
        self.bytes = b""

    def whole(self, more: bytes) -> tuple[int, int] | None:
        self.bytes += more
        head, mark, body = self.bytes.partition(b"\r\n\r\n")
        if not mark:
            return None
        low = head.lower()
        at = low.find(b"\r\ncontent-length:")
        if at < 0:
            raise ValueError(f"an answer without content-length: {head[:200]!r}")
        length = int(low[at + 17 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        status = int(head[9:12])
        self.bytes = b""
        return status, length


def request(host: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\r\n".encode()


def load(url: str, paths: Sequence[str], *, count: int = COUNT, seconds: float = SECONDS, connections: int = CONNECTIONS) -> Load:
    """Ask for the paths in turn, over and over, until so many are answered or so much time has passed. Raises ValueError when a connection ends."""
    parts = urlsplit(url)
    asking = cycle([request(parts.netloc, path) for path in paths])
    poll, open_ones, done = select.epoll(), dict[int, tuple[socket.socket, Answer]](), Load()
    try:
        for _ in range(connections):
            one = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=10)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(one.fileno(), select.EPOLLIN)
            open_ones[one.fileno()] = one, Answer()
        began, client = time.perf_counter(), time.process_time()
        left = count
        for one, _ in open_ones.values():
            one.sendall(next(asking))
            left -= 1
        waiting = len(open_ones)
        while waiting:
            found = poll.poll(30)
            if not found:
                raise ValueError(f"{url}: no answer in 30 s")
            late = time.perf_counter() - began > seconds
            for number, _ in found:
                one, answer = open_ones[number]
                more = one.recv(262_144)
                if not more:
                    raise ValueError(f"{url}: ended the connection")
                whole = answer.whole(more)
                if whole is None:
                    continue
                done.count += 1
                done.statuses[whole[0]] += 1
                done.bytes += whole[1]
                if left > 0 and not late:
                    one.sendall(next(asking))
                    left -= 1
                else:
                    waiting -= 1
        done.seconds, done.client = time.perf_counter() - began, time.process_time() - client
    finally:
        for one, _ in open_ones.values():
            one.close()
        poll.close()
    return done


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(command: list[str]) -> Iterator[tuple[str, int]]:
    """A server that prints its address, and its process."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = next((line for line in process.stdout if "http://" in line), "")
        if not line:
            raise ValueError(f"{' '.join(command)} did not say where it serves")
        yield line[line.index("http://") :].split()[0].rstrip("/"), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


async def bare(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
    """Answer with as many bytes as the path says."""
    if scope["type"] == "lifespan":
        while True:
            await send({"type": f"{(await receive())['type']}.complete"})  # type: ignore[operator]
    body = b"x" * int(scope["path"][1:])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


def serve_bare() -> None:
    import uvicorn

    with closing(socket.create_server(("127.0.0.1", 0), backlog=2048)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(bare, access_log=False, log_level="warning", server_header=False, ws="none", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


def asked_for(home: Path, labels: Labels, seed: int) -> dict[str, list[str]]:
    """Paths of each group, in an order of chance."""
    drawn = random.Random(seed)
    with closing(sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        rows = connection.execute("SELECT name, credit_code, id FROM institutions ORDER BY id").fetchall()
        permits = [number for (number,) in connection.execute("SELECT permit_no FROM permits ORDER BY institution_id, permit_no")]
    drawn.shuffle(rows)
    rows, others, permits = rows[:2000], rows[2000:], drawn.sample(permits, min(500, len(permits)))
    once = [code if number % 2 and code else name for number, (name, code, _) in enumerate(others)]
    sure = [name for name, _, _ in rows[:1000]] + [code for _, code, _ in rows[1000:] if code] + permits
    mixed = [query.text for query in queries(labels, 4000) if query.part == "held"]
    begun = [name[: drawn.randint(1, len(name))] for name, _, _ in rows]
    groups = {"identifiers and names": (SEARCH, sure), ONCE: (SEARCH, once), "all queries": (SEARCH, mixed), "suggest": (SUGGEST, begun)}
    found = {}
    for name, (start, texts) in groups.items():
        drawn.shuffle(texts)
        found[name] = [start + quote(text) for text in texts]
    return found


def today() -> int:
    """The platform's day: a release of an older one is out of date, and then everything is "cannot say"."""
    return max((datetime.now(CHINA).date() - DAY_ZERO).days, 0)


def made(home: Path, size: int) -> Path:
    """A home with a release of today, of a platform of that size, by a real run."""
    from run import platform, timed  # the other half of `make bench`

    with platform(size, 1, today()) as address:
        timed([sys.executable, "-m", "publish", "--home", str(home), "run", "--source", f"platform={address}", "--rate", "0"])
    return home


def measure(size: int, *, home: Path | None = None, seconds: float = SECONDS) -> None:
    """Serve, ask and print. `home` has a release of the reference platform of that size; without one it is made by a real run."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-http-"))
    try:
        if home is None:
            home = made(folder / "home", size)
        labels = Labels(corpus(size, seed=1, day=today()))  # as `mingbai platform` makes them
        groups = asked_for(home, labels, 1)
        ours = [sys.executable, "-m", "publish", "--home", str(home), "serve", "--port", "0"]
        theirs = [sys.executable, "-c", "import sys; sys.path[:0] = ['tests']; from bench.serving import serve_bare; serve_bare()"]
        with started(ours) as (url, pid), started(theirs) as (plain, plain_pid):
            print(f"{size:,} institutions by HTTP, {CONNECTIONS} connections", flush=True)
            for name, paths in groups.items():
                warm = load(url, paths, count=WARM)
                if set(warm.statuses) != {200} and not warm.statuses[200]:
                    print(f"  {name}: not served ({dict(warm.statuses)})")
                    continue
                length = warm.bytes // warm.count
                load(plain, [f"/{length}"], count=WARM)
                served, nothing = Load(), Load()
                for part in range(ROUNDS):
                    some = paths[WARM + part :: ROUNDS] if name == ONCE else paths
                    count = min(COUNT, len(some)) if name == ONCE else COUNT
                    for address, process, which, asking in ((url, pid, served, some), (plain, plain_pid, nothing, [f"/{length}"])):
                        before = cpu_of(process)
                        done = load(address, asking, count=count, seconds=seconds)
                        done.server = cpu_of(process) - before
                        which += done
                _show(name, served, nothing)
            verifying.measure(url, home, labels)
    finally:
        shutil.rmtree(folder)


def _show(name: str, served: Load, nothing: Load) -> None:
    aim = f" (aim {AIMS[name]})" if name in AIMS else ""
    print(
        f"  {name:24} {served.rate:8,.0f} requests a second, {served.cost:7,.0f} µs of CPU each, {served.bytes // max(served.count, 1):,} bytes; "
        f"the bare one {nothing.rate:8,.0f}, {nothing.cost:5,.0f} µs; share {served.rate / nothing.rate:.3f}, by CPU {nothing.cost / served.cost:.3f}{aim}; "
        f"statuses {dict(served.statuses)}; the client was busy for {served.client / served.seconds:.0%} and {nothing.client / nothing.seconds:.0%} of it",
        flush=True,
    )
