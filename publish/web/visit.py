"""The request at hand: which release it reads, in which language, on which day.

It is set once at the start of a request and read by everything below it, also through Datasette, which passes no context of ours along.
A task has its own context, so requests that run side by side do not see each other's.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, quote

from ..wording import LANGUAGES, say
from .reader import Reader


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

    @property
    def wants_json(self) -> bool:
        return self.path.endswith(".json")

    @property
    def is_past(self) -> bool:
        """Whether the release is not the newest."""
        return self.live is not None and self.reader is not self.live

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The query string's keys and values. Raises ValueError for more than anybody has to ask."""
        return parse_qsl(self.query, keep_blank_values=True, max_num_fields=50) if self.query else []

    @property
    def asked(self) -> dict[str, str]:
        """The first value of each key of the query string."""
        return dict(reversed(self.pairs))

    def t(self, key: str, **values: object) -> str:
        return say(self.lang, key, **values)


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
