"""Send a file in pieces, whole or a part of it, in a memory that does not grow with it.

A file that is kept as its gzip alone is sent as that to who takes the coding, and unpacked on its way to who does not: a part of what is inside is
found by unpacking what is before it. Who leaves is noticed, who takes nothing for long is left, or too little where others wait, and nothing more is read for them. A file that goes from
its place meanwhile, since its release is issued anew or removed, is sent no further: whoever had a part of it asks for the rest, and is told what holds then.
"""

import asyncio
import gzip
import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from .conditions import ASKED, Asked, NoSuchPart, coding, is_another, part, unchanged

PIECE_BYTES = 256 * 1024
MOST_UNPACKED = 64  # at once in a process: of each some 0.4 MB are in memory
PATIENCE_SECONDS = 60.0  # for one piece: 4 KB a second
LEAST_BYTES = 32 * 1024  # a second after that, in the mean, of what few can be sent at once: who takes less goes on with a part later
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class NoRoom(Exception):
    """Too many files are being unpacked."""


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Stored:
    """An open file that is sent, or where it `is_gzip` what is in it. `size` is in bytes, of what is sent to who takes no coding. `path` is the place that
    it must keep, if any. Whoever has one closes it."""

    file: BinaryIO
    size: int
    is_gzip: bool = False
    path: Path | None = None
    closed: Callable[[], None] = _nothing

    def close(self) -> None:
        self.file.close()
        self.closed()

    @property
    def is_scarce(self) -> bool:
        """Whether few can be sent at once: unpacked, or from where it takes room of its own."""
        return self.is_gzip or self.path is None

    @property
    def is_there(self) -> bool:
        """Whether it still has its place."""
        try:
            return self.path is None or os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except OSError:
            return False


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
        self.left = most

    def __enter__(self) -> None:
        if not self.left:
            raise NoRoom
        self.left -= 1

    def __exit__(self, *_: object) -> None:
        self.left += 1


UNPACKING = Unpacking()


def chosen(stored: Stored, asked: Asked, etag: str, changed: str | None) -> Sending:
    """Which bytes a request is given, by its conditions (RFC 9110); 412, 304, 206 and 416 too."""
    packed = coding(asked.get(b"accept-encoding", b""), ("gzip",)) if stored.is_gzip and b"range" not in asked else ""
    if packed:
        etag = f'{etag[:-1]}-{packed}"'
    headers = [(b"etag", etag.encode("latin-1")), (b"accept-ranges", b"bytes")]
    if stored.is_gzip:
        headers.append((b"vary", b"accept-encoding"))
    if is_another(asked, etag, changed):
        return Sending(412, 0, 0, False, (*headers, _length(0)))
    if unchanged(asked, etag, changed, exactly=True):
        return Sending(304, 0, 0, False, tuple(headers))
    if packed:
        size = os.fstat(stored.file.fileno()).st_size
        return Sending(200, 0, size, False, (*headers, (b"content-encoding", b"gzip"), _length(size)))
    try:
        found = part(asked, etag, stored.size) if b"range" in asked else None
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
    """Send a file with the headers that are `said`, and close it. Without `receive` nobody hears who leaves. Raises NoRoom, when nothing is sent yet."""
    is_head = scope["method"] == "HEAD"
    asked = {name: value for name, value in scope["headers"] if name in ASKED and not (is_head and name == b"range")}
    try:
        how = chosen(stored, asked, etag, changed)
        headers = [*said, *how.headers]
        if is_head or how.first >= how.end:
            await send({"type": "http.response.start", "status": how.status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        elif how.unpacked:
            with UNPACKING, gzip.GzipFile(fileobj=stored.file) as inside:
                await _send(stored, cast(BinaryIO, inside), how, headers, receive, send)
        else:
            await _send(stored, stored.file, how, headers, receive, send)
    finally:
        stored.close()


async def _send(
    stored: Stored, file: BinaryIO, how: Sending, headers: list[tuple[bytes, bytes]], receive: Receive | None, send: Send
) -> None:
    gone = asyncio.create_task(_leaving(receive)) if receive else None
    try:
        if how.unpacked:  # piece by piece: who asks for the end of a large file and leaves is noticed
            before = how.first
            while before and not (gone and gone.done()):
                before -= len(await asyncio.to_thread(_read, file, before))
        else:
            file.seek(how.first)
        await send({"type": "http.response.start", "status": how.status, "headers": headers})
        left, begun = how.end - how.first, asyncio.get_running_loop().time()
        while left and not (gone and gone.done()) and stored.is_there:
            piece = await asyncio.to_thread(_read, file, left)
            left -= len(piece)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            seconds = asyncio.get_running_loop().time() - begun
            if stored.is_scarce and seconds > PATIENCE_SECONDS and how.end - how.first - left < LEAST_BYTES * seconds:
                break
    except TimeoutError:
        pass  # the server breaks the answer off, as where the file has gone from its place
    finally:
        if gone:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


def _read(file: BinaryIO, most: int) -> bytes:
    piece = file.read(min(PIECE_BYTES, most))
    if not piece:
        raise OSError(f"a file ends {most} bytes before what its release says of it")
    return piece


async def _leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
