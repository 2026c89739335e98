"""/compare: up to four institutions side by side, as a page and as JSON. Which ones stands in the address and nowhere else.

They stand in the order in which they were chosen, nothing is ranked and no sum is made of what is said. One that is gone is told with who took its place,
and is not put in its place unasked: two that were merged would stand there as one.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

import search

from . import facts, queries
from .answer import Answer, as_json
from .asked import AS_OF, NoSuchChoice, read, refused, unsearchable
from .rated import ratings
from .reader import NoIndex, Reader, Row
from .visit import Visit, address, of_release

MOST = 4
OFFERED = 8  # names to add
LONGEST = 64  # characters of an id
KEYS = ("id", "q")
ORDERED = ("penalties", "measures", "fine_fen", "fine_text", "confiscated_fen", "confiscated_text")  # of a notice in force
log = logging.getLogger(__name__)


class ComparePages:
    """`render` and `problem` are those of Pages."""

    def __init__(self, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._render, self._problem = render, problem

    def page(self, visit: Visit, reader: Reader) -> Answer:
        try:
            given = read(visit.pairs, KEYS[:1] if visit.wants_json else KEYS, (AS_OF,), several=("id",))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/compare", KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        ids = list(given.get("id", ()))
        if len(set(ids)) < len(ids):
            return self._refused(visit, 400, "compare_twice", list(dict.fromkeys(ids))[:MOST], {"known": _repeated(ids)})
        if len(ids) > MOST:
            return self._refused(visit, 400, "compare_many", ids[:MOST], {"most": str(MOST)})
        if not ids and visit.wants_json:
            return self._problem(visit, 400, "compare_none")
        found = {row["id"]: row for row in facts.cards(reader, ids, visit.today)}
        gone: list[Row] = [{"id": id, "successors": facts.successors(reader, id)} for id in ids if id not in found]
        if nobody := [row["id"] for row in gone if not row["successors"]]:
            return self._refused(
                visit, 404, "compare_unknown", [id for id in ids if id not in nobody], {"known": ", ".join(id[:LONGEST] for id in nobody)}
            )
        in_force = [notice["id"] for row in found.values() for notice in row["notices_in_force"]]
        whole = {it["id"]: it for it in facts.notices(reader, in_force, visit.today)}
        for id, row in found.items():
            row["notices_in_force"] = [{**it, **{name: whole[it["id"]][name] for name in ORDERED}} for it in row["notices_in_force"]]
            row["classes"] = reader.rows(queries.CLASSES, id)
            row["ratings"] = ratings(reader, id)
        shown = [found[id] for id in ids if id in found]
        if visit.wants_json:
            return as_json({**of_release(visit, reader), "institutions": shown, "gone": gone})
        asked = given.get("q", [""])[0]
        try:
            offered = self._offered(reader, asked, ids)
        except NoIndex:
            return unsearchable(self._problem, visit, reader, "institutions")
        except Exception:
            log.exception("the search index failed")  # without what was asked
            return self._problem(visit, 500, "search")
        return self._render(
            "compare.html", ids=ids, shown=shown, gone=gone, asked=asked, offered=offered, most=MOST, link=partial(link, visit)
        )

    def _refused(self, visit: Visit, status: int, kind: str, rest: Sequence[str], said: dict[str, str]) -> Answer:
        """With a link to the comparison without what cannot be compared."""
        return self._problem(visit, status, kind, said, onward=link(visit, rest), onward_said="compare.onward")

    def _offered(self, reader: Reader, asked: str, ids: Sequence[str]) -> list[Row] | None:
        """Who may be added; None where nobody was looked for, or what was asked is no question."""
        if not asked or len(ids) >= MOST or not search.is_question(asked):
            return None
        hits = reader.index.search(asked, kind="institution", limit=OFFERED).hits
        return [row for row in facts.names(reader, [hit.id for hit in hits]) if row["id"] not in ids]


def link(visit: Visit, ids: Sequence[str]) -> str:
    """The address of a comparison of these, in the language and release of a visit."""
    pairs = [*(("id", id) for id in ids), *([(AS_OF, visit.as_of)] if visit.as_of else [])]
    return address("/compare", visit.lang) + (f"?{urlencode(pairs)}" if pairs else "")


def _repeated(ids: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(id[:LONGEST] for id in ids if ids.count(id) > 1))
