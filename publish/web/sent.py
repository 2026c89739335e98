"""What a POST brings: the fields of a form or of a JSON object, within bounds of size and time.

Only pages that ask for it are sent anything (`Pages.takes_post`); elsewhere a body is not looked at. Nothing of it is written down.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .answer import Receive, Scope

MOST_BYTES = 1 << 20  # 1,000 names of 100 characters are 0.3 MB in JSON
DRAINED_BYTES = 8 << 20  # read and thrown away of one that is too large: who is cut off while sending does not see why
SECONDS = 10.0  # for all of it: 1 MiB in 10 s is 0.8 Mbit/s
MOST_FIELDS = 50


@dataclass(frozen=True)
class Sent:
    """The first value of each field; of a form they are texts, of JSON whatever JSON holds."""

    fields: Mapping[str, Any]
    is_form: bool


class NotReceived(Exception):
    """Nothing that can be used was sent: `status` and `kind` say why, as `Pages.problem` takes them."""

    def __init__(self, status: int, kind: str) -> None:
        super().__init__(kind)
        self.status, self.kind = status, kind


class SenderGone(Exception):
    """Whoever was sending has left; there is nobody to answer."""


async def received(scope: Scope, receive: Receive, most: int = MOST_BYTES, seconds: float = SECONDS) -> Sent:
    """The body of a request. Raises NotReceived (400, 408, 413, 415) and SenderGone."""
    headers = dict(scope["headers"])
    media, _, rest = headers.get(b"content-type", b"").decode("latin-1").lower().partition(";")
    if media.strip() not in ("application/json", "application/x-www-form-urlencoded") or ("charset=" in rest and "utf-8" not in rest):
        raise NotReceived(415, "media_type")
    said = headers.get(b"content-length", b"").decode("latin-1")
    try:
        async with asyncio.timeout(seconds):
            body = await _body(receive, most, said.isdigit() and int(said[:20]) > most)
    except TimeoutError:
        raise NotReceived(408, "sent_slowly") from None
    return _read(body, media.strip().endswith("urlencoded"))


async def _body(receive: Receive, most: int, over: bool) -> bytes:
    body, size, more = bytearray(), 0, True
    while more and size <= max(most, DRAINED_BYTES):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderGone
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        over = over or size > most
        if not over:
            body += part
    if over:
        raise NotReceived(413, "too_large")
    return bytes(body)


def _read(body: bytes, is_form: bool) -> Sent:
    fields: dict[str, Any] = {}
    try:
        if is_form:
            for key, value in parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS):
                fields.setdefault(key, value)
        else:
            fields = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:  # bytes that are no UTF-8, no JSON, too many fields
        raise NotReceived(400, "bad_request") from error
    if not isinstance(fields, dict):
        raise NotReceived(400, "bad_request")
    return Sent(fields, is_form)
