"""A server on loopback that answers what a test wrote down, and a small true platform to break."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson


@dataclass
class Asked:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Said:
    """One response. `cut` sends only so many bytes of the body that Content-Length promises."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Script:
    """A running server: its address, and what it was asked so far."""

    url: str
    asked: list[Asked]


Answer = Callable[[Asked], Said]


@contextmanager
def serving(answer: Answer) -> Iterator[Script]:
    """A server that answers with `answer` until the block ends."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            one = Asked(
                parts.path,
                {name: values[0] for name, values in parse_qs(parts.query).items()},
                {k.lower(): v for k, v in self.headers.items()},
            )
            asked.append(one)
            said = answer(one)
            head = [f"HTTP/1.1 {said.status} X", *(f"{name}: {value}" for name, value in said.headers.items())]
            if said.status != 304 and not {"Content-Length", "Transfer-Encoding"} & set(said.headers):
                head.append(f"Content-Length: {len(said.body)}")
            if said.cut is not None:
                self.close_connection = True
            self.wfile.write("\r\n".join([*head, "", ""]).encode() + said.body[: said.cut])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Script(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Small:
    """A true platform of one listing, `rows`, in pages of two keys; fields may be changed between two questions."""

    rows: list[dict[str, Any]]
    as_of: str = "2026-11-22"
    view: str = "v1"
    packed: bool = True
    name: str = "rows"
    expired: set[str] = field(default_factory=set)

    def __call__(self, asked: Asked) -> Said:
        if asked.path == "/v1/listings":
            listing = {"name": self.name, "as_of": self.as_of, "snapshot": self.view, "total": len(self.rows)}
            return self.json({"platform": "small", "listings": [listing]})
        if asked.query.get("snapshot") in self.expired:
            return Said(410, b'{"title": "snapshot expired"}', {"Content-Type": "application/problem+json"})
        start = int(asked.query.get("cursor", "0"))
        records = [row for row in self.rows if start <= row["id"] < start + 2]
        following = str(start + 2) if any(row["id"] >= start + 2 for row in self.rows) else None
        etag = f'"{abs(hash(orjson.dumps(records)))}"'
        if asked.headers.get("if-none-match") == etag:
            return Said(304, headers={"ETag": etag})
        return self.json(self.page(records, following, asked.query.get("snapshot", self.view)), ETag=etag)

    def page(self, records: list[dict[str, Any]], following: str | None, view: str) -> dict[str, Any]:
        return {
            "listing": self.name, "as_of": self.as_of, "snapshot": view, "total": len(self.rows), "count": len(records), "records": records, "next": following,
        }  # fmt: skip

    def json(self, body: Any, **headers: str) -> Said:
        text = orjson.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        return Said(200, gzip.compress(text, mtime=0), {**headers, "Content-Encoding": "gzip"}) if self.packed else Said(200, text, headers)


def rows(count: int) -> list[dict[str, Any]]:
    """So many records with keys from 0."""
    return [{"id": number, "orgName": f"启明{number}培训中心"} for number in range(count)]
