"""What goes back over HTTP: status, body, media type and headers, with entity tags and HEAD, whatever made it."""

import asyncio
import gzip
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import cached_property, lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import orjson

from ..forms.packed import gzipped
from ..wording import LANGUAGES, say
from .conditions import ASKED, NoSuchPart, coding, is_another, part, unchanged
from .pieces import NoRoom, Stored, give_stored

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
CSV = "text/csv; charset=utf-8"
OPEN = (("cache-control", "no-cache"), ("access-control-allow-origin", "*"))  # data that any site may read
READ_IN_PARTS = (
    *OPEN,
    ("access-control-expose-headers", "accept-ranges, content-disposition, content-length, content-range, etag"),
)  # DuckDB in a browser
TYPES = {
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8", ".png": "image/png",
    ".rss": "application/rss+xml; charset=utf-8", ".atom": "application/atom+xml; charset=utf-8", ".json": "application/feed+json; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8", ".xml": "application/xml; charset=utf-8",
    ".ndjson": "application/x-ndjson", ".csv": "text/csv; charset=utf-8",
}  # fmt: skip
PACKED = frozenset((HTML, TEXT, TYPES[".css"], TYPES[".svg"], TYPES[".js"], TYPES[".xml"]))  # while they are sent, to whoever takes them so
WORTH_PACKING = 1_400  # bytes: what is less goes in one packet
SHOWN_AS = {TYPES[ending]: TYPES[".xml"] for ending in (".rss", ".atom")}  # what browsers show as a text, and what they show with its style

# No page of ours needs a script, and the styles are one file: what a source's text may smuggle in has nothing to run with. Where somebody types a
# name, a script of ours may ask us for suggestions. Without a script nobody else asks (connect-src) but
# tools that read robots.txt in a page's name, as Lighthouse does.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EMBEDDED = CSP.replace("frame-ancestors 'none'", "frame-ancestors http: https:")  # of the one page that is made to stand in another site's
SCRIPTED = (
    b"content-security-policy",
    f"{CSP}; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'".encode(),
)
UNSCRIPTED = (b"content-security-policy", CSP.encode())
RETRY_SECONDS = 10
log = logging.getLogger(__name__)
UNFRAMED = (b"x-frame-options", b"DENY")
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    UNFRAMED,
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

OURS_ALONE = {b"set-cookie", b"content-security-policy", *(name for name, _ in SECURITY)}


@dataclass(frozen=True)
class Answer:
    """One answer. Its entity tag is that of the headers, or else made from the body. One with `parts` is as long as they are: it is made while
    it is sent, and has neither length nor tag; parts that are empty are work, between which others have their turn. One with `codings`
    (gzip at least) has its body in them, made ahead, and unpacks it for who takes no other. One that is `stored` is a file, which is sent in pieces.
    One that comes `later` is made beside the loop when it is given, HEAD too, and says all the rest itself."""

    status: int
    body: bytes
    type: str = HTML
    headers: tuple[tuple[str, str], ...] = (("cache-control", "no-cache"),)  # a cache asks again: a notice ends at midnight
    parts: Iterator[bytes] | None = None
    in_threads: bool = False  # whether each part is made beside the loop: it reads much
    scripted: bool = False  # whether the page has a script of ours
    codings: Mapping[str, bytes] = field(default_factory=dict)
    stored: Stored | None = None
    later: Callable[[], Awaitable["Answer"]] | None = None

    @cached_property
    def etag(self) -> str:
        return self.said.get("etag") or f'"{sha256(self.body).hexdigest()[:24]}"'

    @cached_property
    def said(self) -> dict[str, str]:
        """Its headers by name."""
        return dict(self.headers)


def as_json(data: object, status: int = 200) -> Answer:
    """Plain data as JSON that any site may read."""
    return Answer(status, orjson.dumps(data), JSON, OPEN)


def packed(body: bytes, type: str, headers: tuple[tuple[str, str], ...]) -> Answer:
    """A body that is worth packing, for whoever takes it packed; its entity tag is of what is packed."""
    return Answer(
        200, b"", type, (*headers, ("etag", f'"{sha256(body).hexdigest()[:24]}"')), codings={"gzip": gzip.compress(body, 6, mtime=0)}
    )


def beside(make: Callable[[], Answer], failed: Callable[[], Answer]) -> Answer:
    """What `make` gives in a thread; what `failed` gives where it cannot, which is written down without what was asked."""

    async def later() -> Answer:
        try:
            return await asyncio.to_thread(make)
        except Exception:
            log.exception("an answer could not be made")
            return failed()

    return Answer(200, b"", later=later)


def busy(seconds: int = RETRY_SECONDS) -> Answer:
    """Too much is asked for at once: in words of every language, since who asks for files may be a program."""
    text = "\n".join(say(lang, "problem.export_busy.text") for lang in LANGUAGES)
    return Answer(503, text.encode(), TEXT, (("cache-control", "no-store"), ("retry-after", str(seconds))))


def redirect(to: str) -> Answer:
    """To another spelling of the same address."""
    return Answer(308, b"", HTML, (("location", to),))


def moved(to: str) -> Answer:
    """To another thing that has the place of this one, as far as is known today: a cache asks again."""
    return Answer(308, b"", HTML, (("location", to), ("cache-control", "no-cache"), ("access-control-allow-origin", "*")))


def file_answer(path: Path, etag: str | None = None, cache: str = "no-cache") -> Answer | None:
    """A file as it is, or None where there is none."""
    try:
        body, changed = path.read_bytes(), path.stat().st_mtime
    except OSError:
        return None
    tag = etag or f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = (
        ("cache-control", cache),
        ("etag", tag),
        ("last-modified", formatdate(changed, usegmt=True)),
        ("access-control-allow-origin", "*"),
    )
    return Answer(200, body, TYPES.get(path.suffix, "application/octet-stream"), headers)


@lru_cache(maxsize=64)
def _headers(given: tuple[tuple[str, str], ...], scripted: bool) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that are as they were said, and those that every one has."""
    said = [(name.encode(), value.encode("latin-1")) for name, value in given if name != "etag"]
    if (b"content-security-policy", EMBEDDED.encode()) in said:
        return [*said, *(one for one in SECURITY if one != UNFRAMED)]
    return [*said, SCRIPTED if scripted else UNSCRIPTED, *SECURITY]


async def give(answer: Answer, scope: Scope, send: Send, receive: Receive | None = None) -> None:
    """Send an answer, as 304 where the asker has it already, without its body to HEAD. `receive` tells of who leaves while a file is sent."""
    if answer.later is not None:
        answer = await answer.later()
    if answer.type in SHOWN_AS and _is_browser(scope, answer.type):
        tag = "etag", f'{answer.etag[:-1]}-xml"'  # the last of a name holds
        answer = replace(answer, type=SHOWN_AS[answer.type], headers=(*answer.headers, tag))
    if answer.stored is not None:
        said = [*_headers(answer.headers, answer.scripted), (b"content-type", answer.type.encode())]
        try:
            await give_stored(answer.stored, said, scope, receive, send, answer.etag, answer.said.get("last-modified"))
        except NoRoom:
            await give(busy(), scope, send)
        return
    if answer.parts is not None:
        await _give_parts(answer, answer.parts, scope, send)
        return
    status, body = answer.status, answer.body
    headers = _headers(answer.headers, answer.scripted).copy()
    if status == 200:
        status, body = _asked_for(answer, scope, headers)
    if status != 304:
        headers += ((b"content-type", answer.type.encode()), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _is_browser(scope: Scope, type: str) -> bool:
    """Whether somebody asks for pages, and not for what feed readers take."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
    return b"text/html" in accept and type.partition(";")[0].encode() not in accept


def _asked_for(answer: Answer, scope: Scope, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Status and body as the conditions of a request have them; adds the headers that say which body it is."""
    asked = {name: value for name, value in scope["headers"] if name in ASKED} if scope["method"] != "POST" else {}
    etag, changed, chosen = answer.etag, answer.said.get("last-modified"), ""
    is_packed_now = not answer.codings and answer.type in PACKED and len(answer.body) >= WORTH_PACKING
    if is_packed_now:
        headers.append((b"vary", b"accept-encoding"))
    if (answer.codings or is_packed_now) and b"range" not in asked:
        chosen = coding(asked.get(b"accept-encoding", b""), tuple(answer.codings) or ("gzip",))
    if chosen:
        etag = f'{etag[:-1]}-{chosen}"'
    headers.append((b"etag", etag.encode("latin-1")))
    if asked and is_another(asked, etag, changed):
        return 412, b""
    if asked and unchanged(asked, etag, changed):
        return 304, b""
    if chosen:
        headers.append((b"content-encoding", chosen.encode()))
        return 200, gzipped(answer.body) if is_packed_now else answer.codings[chosen]
    body = gzip.decompress(answer.codings["gzip"]) if answer.codings else answer.body
    if b"range" not in asked or "accept-ranges" not in answer.said:
        return 200, body
    try:
        found = part(asked, etag, len(body))
    except NoSuchPart:
        headers.append((b"content-range", f"bytes */{len(body)}".encode()))
        return 416, b""
    if found is None:
        return 200, body
    headers.append((b"content-range", f"bytes {found[0]}-{found[1] - 1}/{len(body)}".encode()))
    return 206, body[slice(*found)]


class Instead(Exception):
    """The parts of an answer cannot be made: `answer` is given instead, as long as nothing of them was."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


async def _give_parts(answer: Answer, parts: Iterator[bytes], scope: Scope, send: Send) -> None:
    headers = [*_headers(answer.headers, answer.scripted), (b"content-type", answer.type.encode())]
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": headers}
    has_begun = False
    try:
        making = iter(parts if scope["method"] != "HEAD" else ())
        while (part := await asyncio.to_thread(next, making, None) if answer.in_threads else next(making, None)) is not None:
            if part:
                if not has_begun:
                    await send(start)
                    has_begun = True
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)  # others have their turn
    except Instead as other:
        if has_begun:
            raise
        await give(other.answer, scope, send)
        return
    if not has_begun:
        await send(start)
    await send({"type": "http.response.body", "body": b""})


def guarded(send: Send, more: Mapping[bytes, bytes]) -> Send:
    """`send` for the answers of somebody else, Datasette's: with the security headers that ours have and `more`, and without cookies."""

    async def guarded_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = OURS_ALONE | (more.keys() - {b"link"})  # of which there may be several
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
            message = {**message, "headers": [*kept, *more.items(), UNSCRIPTED, *SECURITY]}
        await send(message)

    return guarded_send
