"""`make bench ARGS="--site 200000"`: what our pages cost, in process: seconds of the server's for each, and bytes and requests of a first view.

Each page is asked for once under many addresses (names, institutions, regions drawn by chance), as a browser asks, packed. Nothing is in a cache but what the
release keeps for the day. The aim is a p95 under 30 ms and a first view under 60 kB.
"""

import asyncio
import gzip
import random
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote

from publish.web.server import build_app

from .serving import made

COUNT = 300  # addresses of a page
DRAWN_WITH = re.compile(rb'<(?:script src|link rel="(?:icon|stylesheet)" href)="(/[^"]+)"')
HEADERS = [(b"host", b"mingbai.example"), (b"accept-encoding", b"gzip, br"), (b"accept", b"text/html")]


async def ask(app: object, path: str) -> tuple[float, float, int, bytes]:
    """Seconds by the clock and of CPU, status and the body as it is sent."""
    place, _, query = path.partition("?")
    sent: list[Mapping[str, object]] = []
    scope = {"type": "http", "method": "GET", "path": place, "raw_path": quote(place).encode(), "query_string": query.encode(), "headers": HEADERS, "scheme": "https", "server": ("mingbai.example", 443), "http_version": "1.1"}  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, object]) -> None:
        sent.append(message)

    began, used = time.perf_counter(), time.process_time()
    await app(scope, receive, send)  # type: ignore[operator]
    took, used = time.perf_counter() - began, time.process_time() - used
    return took, used, int(str(sent[0]["status"])), b"".join(bytes(one.get("body", b"")) for one in sent[1:])  # type: ignore[arg-type]


def addresses(home: Path, seed: int = 1) -> dict[str, list[str]]:
    """Addresses of each page."""
    drawn = random.Random(seed)
    with closing(sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        rows = connection.execute("SELECT id, name FROM institutions ORDER BY id").fetchall()
        notices = [id for (id,) in connection.execute("SELECT id FROM notices WHERE state = 'active' ORDER BY id")]
        regions = [
            code for (code,) in connection.execute("SELECT DISTINCT region_code FROM institutions WHERE region_code IS NOT NULL ORDER BY 1")
        ]
    drawn.shuffle(rows)
    names = [name for _, name in rows[:COUNT]]
    half = [name[(at := drawn.randrange(max(len(name) - 4, 1))) : at + drawn.randint(2, 4)] for name in names]
    provinces = sorted({code[:2] + "0000" for code in regions})
    places = [*provinces, *sorted({code[:4] + "00" for code in regions}), *regions]
    drawn.shuffle(places)
    return {
        "start": ["/", "/en/"] * (COUNT // 2),
        "result, a whole name": [f"/search?q={quote(name)}" for name in names],
        "result, a part of one": [f"/search?q={quote(part)}" for part in half],
        "result, not found": [f"/search?q={quote(name[::-1])}" for name in names],
        "institution": [f"/institutions/{id}" for id, _ in rows[COUNT : 2 * COUNT]],
        "notice": [f"/notices/{id}" for id in drawn.sample(notices, min(COUNT, len(notices)))],
        "region": [f"/regions/{code}" for code in places[:COUNT]],
        "region, some of it": [
            f"/regions/{code}?{some}" for code in provinces for some in ("list=black", "list=adverse", "class=technology&offset=1000")
        ],
        "region, an address": [f"/regions/{code}?address={quote('中山路')}" for code in provinces],
        "data": ["/data", "/en/data"] * 10,
    }


async def first_view(app: object, path: str) -> tuple[int, int]:
    """Bytes and requests of a page with all that it is drawn with."""
    *_, body = await ask(app, path)
    html = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    others = set(DRAWN_WITH.findall(html))
    sizes = [len((await ask(app, other.decode()))[-1]) for other in others]
    return len(body) + sum(sizes), 1 + len(sizes)


async def asked(home: Path) -> None:
    """Ask for everything, and print."""
    app = build_app(home, base_url="https://mingbai.example")
    for name, paths in addresses(home).items():
        await ask(app, paths[0])  # what a release works out once a day
        took: list[float] = []
        cpu: list[float] = []
        statuses: set[int] = set()
        sizes: list[tuple[int, int]] = []
        for number, path in enumerate(paths):
            seconds, used, status, _ = await ask(app, path)
            took.append(seconds)
            cpu.append(used)
            statuses.add(status)
            if number % max(len(paths) // 20, 1) == 0:
                sizes.append(await first_view(app, path))
        show(name, took, cpu, statuses, sizes)
    app.shelf.close()


def show(name: str, took: Sequence[float], cpu: Sequence[float], statuses: set[int], sizes: Sequence[tuple[int, int]]) -> None:
    """The middle and the tail by the clock, and of CPU, which does not mind what else the machine does."""
    clock, used = (", ".join(f"{quantiles(each, n=100)[part - 1] * 1e3:.1f}" for part in (50, 95, 99)) for each in (took, cpu))
    print(
        f"  {name:22} p50, p95, p99: {clock} ms, of CPU {used}; first view at most {max(sizes)[0]:,} bytes, "
        f"{max(requests for _, requests in sizes)} requests; {len(took)} addresses, statuses {sorted(statuses)}",
        flush=True,
    )


def measure(size: int, *, home: Path | None = None) -> None:
    """`home` has a release of the reference platform of that size; without one it is made by a real run."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-pages-"))
    try:
        home = home or made(folder / "home", size)
        print(f"pages of {size:,} institutions, in process", flush=True)
        asyncio.run(asked(home))
    finally:
        shutil.rmtree(folder)
