"""Send a file in pieces, whole or a part of it, in a memory that does not grow with it.

A file that is kept as its gzip alone is sent as that to who takes the coding, and unpacked on its way to who does not: a part of what is inside is
found by unpacking what is before it, so only a few are unpacked at once. Who leaves is noticed, and nothing more is read for them.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from .conditions import ASKED, Asked, NoSuchPart, coding, part, unchanged

PIECE_BYTES = 256 * 1024
MOST_UNPACKED = 4  # at once in a process: each is a thread that does nothing else
RETRY_SECONDS = 10
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Stored:
    """What is sent: a file, or where it `is_gzip` what is in it. `size` is in bytes, of what is sent to who takes no coding."""

    path: Path
    size: int
    is_gzip: bool = False


@dataclass(frozen=True)
class Sending:
    """How a request is answered: `first` to `end` of a file's bytes, unpacked or as they are."""

    status: int
    first: int
    end: int
    unpacked: bool
    headers: tuple[tuple[bytes, bytes], ...]


class Unpacking:
    """How many files are unpacked at once."""

    def __init__(self, most: int = MOST_UNPACKED) -> None:
        self._left = most

    def __enter__(self) -> bool:
        """Whether there is room for one more."""
        self._left -= 1
        return self._left >= 0

    def __exit__(self, *_: object) -> None:
        self._left += 1


UNPACKING = Unpacking()


def chosen(stored: Stored, asked: Asked, etag: str, changed: str | None) -> Sending:
    """Which bytes a request is given, by its conditions (RFC 9110); 304, 206 and 416 too."""
    packed = coding(asked.get(b"accept-encoding", b""), ("gzip",)) if stored.is_gzip and b"range" not in asked else ""
    if packed:
        etag = f'{etag[:-1]}-{packed}"'
    headers = [(b"etag", etag.encode("latin-1")), (b"accept-ranges", b"bytes")]
    if stored.is_gzip:
        headers.append((b"vary", b"accept-encoding"))
    if unchanged(asked, etag, changed):
        return Sending(304, 0, 0, False, tuple(headers))
    if packed:
        size = stored.path.stat().st_size
        return Sending(200, 0, size, False, (*headers, (b"content-encoding", b"gzip"), _length(size)))
    try:
        found = part(asked, etag, changed, stored.size) if b"range" in asked else None
    except NoSuchPart:
        return Sending(416, 0, 0, False, (*headers, (b"content-range", f"bytes */{stored.size}".encode()), _length(0)))
    first, end = found or (0, stored.size)
    if found:
        headers.append((b"content-range", f"bytes {first}-{end - 1}/{stored.size}".encode()))
    return Sending(206 if found else 200, first, end, stored.is_gzip, (*headers, _length(end - first)))


def _length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


async def give_stored(
    stored: Stored,
    said: list[tuple[bytes, bytes]],
    scope: MutableMapping[str, Any],
    receive: Receive | None,
    send: Send,
    etag: str,
    changed: str | None,
) -> None:
    """Send a file with the headers that are `said`. Without `receive` nobody hears who leaves."""
    asked = {name: value for name, value in scope["headers"] if name in ASKED}
    how = chosen(stored, asked, etag, changed)
    if scope["method"] == "HEAD" or how.first >= how.end:
        await _all(send, how.status, [*said, *how.headers], b"")
        return
    if not how.unpacked:
        await _send(stored.path, how, said, receive, send)
        return
    with UNPACKING as has_room:
        if has_room:
            await _send(stored.path, how, said, receive, send)
        else:
            busy = [(name, value) for name, value in said if name not in (b"content-disposition", b"cache-control", b"content-type")]
            await _all(send, 503, [*busy, (b"retry-after", str(RETRY_SECONDS).encode()), _length(0)], b"")


async def _send(path: Path, how: Sending, said: list[tuple[bytes, bytes]], receive: Receive | None, send: Send) -> None:
    gone = asyncio.create_task(_leaving(receive)) if receive else None
    file = cast(BinaryIO, await asyncio.to_thread(gzip.open if how.unpacked else open, path, "rb"))
    try:
        await asyncio.to_thread(file.seek, how.first)
        await send({"type": "http.response.start", "status": how.status, "headers": [*said, *how.headers]})
        left = how.end - how.first
        while left and not (gone and gone.done()):
            piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, left))
            if not piece:
                raise OSError(f"{path}: ends {left} bytes before what its release says of it")  # the server breaks the answer off
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
    finally:
        file.close()
        if gone:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


async def _leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _all(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
