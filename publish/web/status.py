"""/status: how fresh each source is, how the last runs ended, what waits for people, and what is wrong.

Of status.json, which the pipeline writes for the public, only what is named here is read, and of it only what looks as it should: the file may be another
mingbai's. That something waits is told with its source, table and bound; what it is, where and how much is for the people who look at it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from . import facts
from .answer import Answer, as_json
from .asked import AS_OF, NoSuchChoice, read, refused
from .shelf import Shelf
from .visit import Visit

TEXTS = (str, type(None))
LAST = {"at": TEXTS, "outcome": TEXTS, "reason": TEXTS}
RUN = {"first": TEXTS, "last": TEXTS, "times": (int,), "outcome": TEXTS, "reason": TEXTS, "release": TEXTS}
WAITING = {"source": TEXTS, "table": TEXTS, "bound": TEXTS, "since": TEXTS}
SOURCE = {"last_checked": TEXTS, "content_since": TEXTS}
OUTCOMES = ("released", "nothing_new", "refused", "withdrawn", "ReviewNeeded", "SourceUnavailable", "SourceBroken")  # that have words
Shape = Mapping[str, tuple[type, ...]]


class StatusPages:
    """`render` and `problem` are those of Pages."""

    def __init__(self, shelf: Shelf, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._shelf, self._render, self._problem = shelf, render, problem

    def page(self, visit: Visit) -> Answer:
        try:
            read(visit.pairs, (), (AS_OF,))  # which it answers as of now
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/status", ())
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        reader, said = visit.reader, told(self._shelf.home)
        sources = facts.sources(reader, visit.today) if reader else []
        if visit.wants_json:
            serving = reader and {
                "id": reader.id,
                "released_on": reader.released_on,
                "sources": sources,
                **facts.freshness(reader, visit.today),
            }
            return as_json({"serving": serving, "problem": self._shelf.problem, "status": said})
        of_home = said or {"last_run": None, "runs": [], "waiting": [], "sources": {}}
        return self._render(
            "status.html", sources=sources, said=of_home, held=reader.held if reader else [], outcomes=OUTCOMES, problem=self._shelf.problem
        )


def told(home: Path) -> dict[str, Any] | None:
    """What status.json of a home says; None where there is none to read."""
    try:
        found = orjson.loads((home / "status.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    sources = found.get("sources")
    return {
        "live": found.get("live") if isinstance(found.get("live"), str) else None,
        "signed_by": found.get("signed_by") if isinstance(found.get("signed_by"), str) else None,
        "last_run": _of(found.get("last_run"), LAST),
        "runs": _each(found.get("runs"), RUN),
        "waiting": _each(found.get("waiting"), WAITING),
        "sources": {name: one for name, row in sources.items() if (one := _of(row, SOURCE))} if isinstance(sources, dict) else {},
    }


def _each(rows: object, shape: Shape) -> list[dict[str, Any]]:
    return [one for row in rows if (one := _of(row, shape))] if isinstance(rows, list) else []


def _of(row: object, shape: Shape) -> dict[str, Any] | None:
    """What of a row is of its shape; None where it is no row, or says something of another kind."""
    if not isinstance(row, dict):
        return None
    found = {key: row.get(key) for key in shape}
    return found if all(isinstance(value, shape[key]) for key, value in found.items()) else None
