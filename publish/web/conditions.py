"""What the headers of a request ask of an answer (RFC 9110): is it the one that they have already, in which coding, and which part of it.

Each coding of a body is a representation with its own entity tag. A part is cut from the identity alone, so whoever asks for one is given no coding.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

ASKED = frozenset((b"if-match", b"if-unmodified-since", b"if-none-match", b"if-modified-since", b"accept-encoding", b"range", b"if-range"))
BEST = ("br", "gzip")  # of those that a reader likes as much: the smaller one
_RANGE = re.compile(rb"bytes=(\d{0,15})-(\d{0,15})")  # one part; several are answered with the whole, as is what nobody can read
Asked = Mapping[bytes, bytes]


class NoSuchPart(Exception):
    """The answer is not as long as that."""


@lru_cache(maxsize=256)
def coding(accept: bytes, kept: tuple[str, ...]) -> str:
    """Which of the kept codings a reader likes best by its Accept-Encoding; "" is none."""
    likes: dict[str, float] = {}
    for one in accept.decode("latin-1").lower().split(","):
        name, _, rest = one.partition(";")
        key, _, number = rest.replace(" ", "").partition("=")
        try:
            likes[name.strip()] = float(number) if key == "q" else 1.0
        except ValueError:
            likes[name.strip()] = 0.0
    best, most = "", likes.get("identity", 0.0)
    for name in BEST:
        likes_it = likes.get(name, likes.get("*", 0.0))
        if name in kept and likes_it > 0 and (likes_it > most or (not best and likes_it >= most)):
            best, most = name, likes_it
    return best


def is_another(asked: Asked, etag: str, changed: str | None) -> bool:
    """Whether the asker wants what it knows or nothing (13.1.1, 13.1.4), and this is another one: who goes on with a download may ask so."""
    if (tags := asked.get(b"if-match")) is not None:
        given = tags.decode("latin-1").strip()
        return given != "*" and etag not in [tag.strip() for tag in given.split(",")]
    there, here = (_instant(text) if text else None for text in (asked.get(b"if-unmodified-since", b"").decode("latin-1"), changed))
    return there is not None and here is not None and here > there


def unchanged(asked: Asked, etag: str, changed: str | None, *, exactly: bool = False) -> bool:
    """Whether the asker has it (13.2.2): by If-None-Match, and only without it by If-Modified-Since. `changed` is Last-Modified; `exactly` that day
    alone says so, and not a later one by the clock of whoever asks: it may be of the same day and of another issue."""
    if (tags := asked.get(b"if-none-match")) is not None:
        given = tags.decode("latin-1").strip()
        return given == etag or given == "*" or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]
    if (since := asked.get(b"if-modified-since")) is None or changed is None:
        return False
    text = since.decode("latin-1")
    if text == changed or exactly:
        return text == changed
    there, here = _instant(text), _instant(changed)
    return there is not None and here is not None and here <= there


def part(asked: Asked, etag: str, size: int) -> tuple[int, int] | None:
    """From where to where (the last one not in it) the part goes that is asked for; None for the whole. Only the entity tag says what the asker has a
    part of: a date is the same for every coding, and for what changes twice in its second. Raises NoSuchPart."""
    match = _RANGE.fullmatch(asked.get(b"range", b"").strip())
    if match is None or match[1] == match[2] == b"":
        return None
    if (rests_on := asked.get(b"if-range")) is not None and rests_on.decode("latin-1").strip() != etag:
        return None  # it has a part of another one
    if match[1] and match[2] and int(match[1]) > int(match[2]):
        return None
    first = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    end = min(int(match[2]) + 1, size) if match[1] and match[2] else size
    if first >= end:
        raise NoSuchPart
    return first, end


def _instant(text: str) -> datetime | None:
    """One of HTTP's three forms of a date (5.6.7), of which one names no zone."""
    try:
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
