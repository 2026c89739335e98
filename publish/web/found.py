"""/search as a page and JSON: the institutions that a question finds, and the notices that mention it.

What the index cannot answer is "cannot say" and never "not found". Nobody's question is written down.
"""

import logging
from collections.abc import Callable

import search

from . import facts
from .answer import Answer, as_json
from .ended import ended
from .reader import Reader, Row
from .visit import Visit, of_release

NUMBERS = ("subject_credit_code", "subject_permit_no")  # which the index knows as numbers alone
MOST_WORDS = 16  # as search answers; more is no question
LONGEST_QUERY = 200  # characters; what is beyond it is not searched for, and the page says so
PAGE, MOST, FARTHEST = 20, 100, 1_000
NOTICES = 10  # beside the institutions of a search
log = logging.getLogger(__name__)


class SearchPages:
    """`render` and `problem` are those of Pages."""

    def __init__(self, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._render, self._problem = render, problem

    def page(self, visit: Visit, reader: Reader) -> Answer:
        asked = visit.asked
        query = " ".join(asked.get("q", "").split())
        short = query[:LONGEST_QUERY]
        limit, offset = _whole(asked.get("limit"), PAGE, 1, MOST), _whole(asked.get("offset"), 0, 0, FARTHEST)
        if not query:
            return (
                as_json({**of_release(visit, reader), "query": "", "total": 0, "results": [], "notices": []})
                if visit.wants_json
                else self._render("search.html", query="", found=None)
            )
        words = search.fold(short).split()
        if not words or len(words) > MOST_WORDS:
            return (
                as_json({"error": "no_question", "message": visit.t("search.no_question"), "status": 400}, 400)
                if visit.wants_json
                else self._render("search.html", 400, query=query, found=None, unasked=True)
            )
        try:
            found = reader.index.search(short, kind="institution", limit=limit, offset=offset)
            of_notices = reader.index.search(
                short, kind="notice", limit=NOTICES + min(ended(reader, visit.today).notices, FARTHEST), offset=0
            )
        except Exception:  # what the index cannot answer is "cannot say", never "not found"
            log.exception("the search index failed")  # without the query: nobody's search is written down
            return self._problem(visit, 500, "search")
        by = {hit.id: {match.field for match in hit.why} for hit in of_notices.hits}
        institutions = facts.cards(reader, [hit.id for hit in found.hits], visit.today)
        shown = facts.notices(reader, list(by), visit.today)
        notices = [it for it in shown if _found_by_what_is_shown(it, by[it["id"]])][:NOTICES]
        if visit.wants_json:
            fresh, why = facts.freshness(reader, visit.today), {hit.id: [match.field for match in hit.why] for hit in found.hits}
            return as_json(
                {
                    **of_release(visit, reader),
                    "query": short,
                    "as_of": fresh["as_of"],
                    "total": found.total,
                    "results": [{**card, "why": why[card["id"]]} for card in institutions],
                    "notices": notices,
                }
            )
        more = offset + limit if offset + limit < min(found.total, FARTHEST) else None
        return self._render(
            "search.html",
            query=query,
            short=short,
            found=institutions,
            total=found.total,
            notices=notices,
            offset=offset,
            more=more,
            limit=limit,
            sources=facts.sources(reader, visit.today),
        )


def _found_by_what_is_shown(notice: Row, why: set[str]) -> bool:
    """Whether all the fields that matched are shown: a name that is not repeated must not be found either."""
    unsaid = {search.IDENTIFIER if column in NUMBERS else column for column in notice.get("not_repeated", ())}
    return not unsaid or bool(why and not why & unsaid)


def _whole(text: str | None, default: int, least: int, most: int) -> int:
    """A number of the query string within its bounds; what is no number is the default."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return max(least, min(most, int(text[:9])))
