"""The request at hand: which release it reads, in which language, on which day.

It is set once at the start of a request and read by everything below it, also through Datasette, which passes no context of ours along.
A task has its own context, so requests that run side by side do not see each other's.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import quote

from ..wording import LANGUAGES, say
from .reader import Reader
from .sent import Sent

ROUTES = ROUTE, HISTORY = "mingbai", "history"  # the names of the databases in Datasette's addresses: of the live release, and of its past
# Datasette's pages that are of use to a visitor. Its debugging pages set cookies or list threads and are not there.
DASHED = ("/-/metadata", "/-/versions", "/-/plugins", "/-/settings", "/-/databases")
MOST = 50  # keys of a query string
_BYTES = re.compile("(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True)
class Visit:
    """`path` is without the language's prefix; `query` is as it came."""

    reader: Reader | None
    today: str
    lang: str = LANGUAGES[0]
    path: str = "/"
    query: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)  # of the path, by the route's names
    as_of: str | None = None  # the release or day that was asked for; `reader` is then of that release, and `live` the newest
    live: Reader | None = None
    same_day: tuple[str, ...] = ()  # the other releases of the day of `reader`
    sent: Sent | None = None  # of a POST
    narrow: frozenset[str] = frozenset()  # the tables that Datasette reads for it without notices about persons (whole.py)
    whole: str = ""  # where all of that is, of which an answer gives less for it
    origin: str = ""  # scheme and host under which the site was asked; for what needs a whole address where the site was not told its own
    _pairs: list[tuple[str, str]] | None = field(default=None, compare=False, repr=False)

    @property
    def wants_json(self) -> bool:
        return self.path.endswith((".json", ".jsonld")) or (self.path.startswith("/reconcile") and not self.path.endswith("/preview"))

    @property
    def is_past(self) -> bool:
        """Whether the release is not the newest."""
        return self.live is not None and self.reader is not self.live

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query string's keys and values, read once: it costs as much as a look-up. Raises ValueError for more than anybody has to ask."""
        if self._pairs is None:
            object.__setattr__(self, "_pairs", pairs_of(self.query))
        return self._pairs or []

    @property
    def asked(self) -> dict[str, str]:
        """The first value of each key of the query string."""
        return dict(reversed(self.pairs))

    def t(self, key: str, **values: object) -> str:
        return say(self.lang, key, **values)


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The keys and values of a query string, as urllib's parse_qsl reads them with blank ones kept; a Chinese name takes it 45 microseconds, and 4
    here, where its bytes are read in one go. Raises ValueError for more keys than anybody has to ask for."""
    if query.count("&") >= MOST:
        raise ValueError(f"more than {MOST} keys")
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(_unquoted(key), _unquoted(value)) for key, _, value in parts]


def _unquoted(text: str) -> str:
    text = text.replace("+", " ")
    return _BYTES.sub(lambda some: bytes.fromhex(some[0].replace("%", "")).decode("utf-8", "replace"), text) if "%" in text else text


current: ContextVar[Visit] = ContextVar("visit")


def address(path: str, lang: str) -> str:
    """A path of the site in a language."""
    return path if lang == LANGUAGES[0] else f"/{lang}{path}"


def spelt(visit: Visit, path: str) -> str:
    """The address of another path in the language and with the query of a visit."""
    return quote(address(path, visit.lang)) + (f"?{visit.query}" if visit.query else "")


def of_release(visit: Visit, reader: Reader) -> dict[str, str]:
    """Which release JSON is of; `as_of` alone is already the day of the data."""
    asked = {"asked_as_of": visit.as_of, "newest_release": visit.live.id} if visit.as_of and visit.live else {}
    return {"release": reader.id, **asked}
