"""/search as a page and JSON, and the suggestions for who is typing.

What the index cannot answer is "cannot say" and never "not found". Nobody's question is written down. Results are in the order of how well they
answer, or of regions, and never of ratings.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

import search

from ..answering import NO_SUCH_PLACE
from . import covered, facts, why
from .alike import alike
from .answer import Answer, as_json
from .asked import AS_OF, REGIONS, NoSuchChoice, refused, unsearchable
from .compare import MOST as COMPARED
from .facets import facets, label
from .noticing import mentioning
from .question import STATES, Question, ask
from .reader import NoIndex, Reader, Row
from .verifier import naming
from .visit import Visit, address, of_release

MOST_WORDS = 16  # as the notices beside it take
NOTICES = 10  # beside the institutions
SUGGESTED = 8
AROUND = 2  # pages that are linked on each side of the one at hand
log = logging.getLogger(__name__)


class CannotSay(Exception):
    """The index gave no answer."""


class SearchPages:
    """`render` and `problem` are those of Pages."""

    def __init__(self, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._render, self._problem = render, problem

    def page(self, visit: Visit, reader: Reader) -> Answer:
        try:
            question = ask(visit.pairs, reader, (AS_OF,))
        except NoSuchChoice as no:
            return self._refused(visit, no)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        if not question.query:
            if question.filters:
                return self._refused(visit, NoSuchChoice("q", visit.t("search.label")))
            nothing = {**of_release(visit, reader), "query": "", "total": 0, "hints": [], "results": [], "notices": []}
            return as_json(nothing) if visit.wants_json else self._render("search.html", asked=question, found=None)
        if not search.is_question(question.query, MOST_WORDS):
            if visit.wants_json:
                return self._problem(visit, 400, "no_question")
            return self._render("search.html", 400, asked=question, found=None, unasked=True)
        try:
            return self._json(visit, reader, question) if visit.wants_json else self._html(visit, reader, question)
        except NoIndex:
            return unsearchable(self._problem, visit, reader, "institutions")
        except CannotSay:
            return self._problem(visit, 500, "search")

    def suggest(self, visit: Visit, reader: Reader) -> Answer:
        """What somebody who has typed this much may mean, as JSON."""
        try:
            query = ask(visit.pairs, reader).query
        except NoSuchChoice as no:
            return self._refused(visit, no)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        try:
            found = reader.index.suggest(query, limit=SUGGESTED) if query else ()
        except NoIndex:
            return self._problem(visit, 503, "unsearchable")
        except Exception:
            log.exception("the search index failed")
            return self._problem(visit, 500, "search")
        named = {row["id"]: row for row in facts.names(reader, [each.id for each in found if each.id])}
        return as_json(
            {
                "release": reader.id,
                "query": query,
                "suggestions": [
                    _suggested(each, named.get(each.id or ""), reader, visit) for each in found if each.id is None or each.id in named
                ],
            }
        )

    def _refused(self, visit: Visit, no: NoSuchChoice) -> Answer:
        return refused(self._problem, visit, no, "/search", Question.KEYS)

    def _find(self, reader: Reader, question: Question, **more: Any) -> search.Results:
        asked: dict[str, Any] = {
            "limit": question.limit,
            "offset": question.offset,
            "filters": question.filters,
            "sort": question.order,
            **more,
        }
        try:
            return reader.index.search(question.query, **asked)
        except NoIndex:
            raise
        except Exception as error:
            log.exception("the search index failed")  # without the query: nobody's search is written down
            raise CannotSay from error

    def _counted(self, reader: Reader, question: Question) -> search.Results:
        """What is found, with its facets; those of a region say what is in the others of its level, so the regions under it are left out too."""
        found = self._find(reader, question, count=question.FACETS)
        if not any(level in question.filters for level in REGIONS[1:]):
            return found
        counts = dict(found.facets)
        for place, level in enumerate(REGIONS[:-1]):
            less = {name: values for name, values in question.filters.items() if name not in REGIONS[place + 1 :]}
            if len(less) < len(question.filters):
                counts[level] = self._find(reader, question, filters=less, limit=0, offset=0, count=(level,)).facets.get(level, {})
        return replace(found, facets=counts)

    def _json(self, visit: Visit, reader: Reader, question: Question) -> Answer:
        found = self._counted(reader, question)
        cards = facts.card_json(reader, [hit.id for hit in found.hits], visit.today)
        return as_json(
            {
                **question.head(visit, reader, "/search", found),
                "hints": [{"code": code, "text": visit.t(f"verify.note.{code}")} for code in self._hints(visit, reader, question, found)],
                "results": [_result(cards[hit.id], hit) for hit in found.hits if hit.id in cards],
                "notices": self._notices(visit, reader, question),
            }
        )

    def _html(self, visit: Visit, reader: Reader, question: Question) -> Answer:
        found = self._counted(reader, question)
        hits = {hit.id: hit for hit in found.hits}
        cards = facts.cards(reader, list(hits), visit.today)
        shown = why.texts(reader, found.hits, question.query)
        near = alike([card["name"] for card in cards])
        for card, others in zip(cards, near, strict=True):
            card |= {"why": why.reasons(hits[card["id"]], card, question.query), "texts": shown.get(card["id"], []), "alike": others}
        is_exact = self._is_exact(reader, question, found)
        named = facts.notices(reader, naming(reader, visit.today, question.query), visit.today)
        called = partial(label, question, reader=reader, visit=visit)
        return self._render(
            "search.html",
            asked=question,
            found=cards,
            total=found.total,
            alike=sum(others > 0 for others in near),
            meant=found.meant if found.meant and found.meant != question.query else None,
            facets=facets(question, found.facets, found.total, called, partial(_order, reader)),
            chosen=[(name, called(name, value), link) for name, value, link in question.chosen],
            sorts=[(name, name == question.sort, question.link(sort=name)) for name in question.sorts(question.query)],
            pages=_pages(question, found.total),
            most=COMPARED,
            wider=self._wider(reader, question) if not found.total else [],
            elsewhere=self._elsewhere(reader, question) if not found.total else [],
            place=next((question.filters[level][-1] for level in reversed(REGIONS) if question.filters.get(level)), None),
            near_names=self._near(reader, question) if not found.total else [],
            hints=self._hints(visit, reader, question, found),
            is_exact=is_exact,
            naming=[it for it in named if not (it["links"] and is_exact)],  # whom one is linked to has it on the card
            notices=[] if question.filters or question.offset else self._notices(visit, reader, question),
            sources=facts.sources(reader, visit.today),
        )

    def _is_exact(self, reader: Reader, question: Question, found: search.Results) -> bool:
        """Whether somebody, on whatever page, has the whole of what was asked as a name or number."""
        first = found.hits if not (question.offset or question.order) else self._find(reader, question, limit=1, offset=0, sort=None).hits
        return any(hit.exact for hit in first)

    def _hints(self, visit: Visit, reader: Reader, question: Question, found: search.Results) -> list[str]:
        """What to know of what was found or not, by its key of wording: that the name, which nobody has, begins with a place of which the sources have nothing."""
        nowhere = covered.names_nowhere(reader, visit.today, question.query)
        return [NO_SUCH_PLACE] if nowhere and not self._is_exact(reader, question, found) else []

    def _notices(self, visit: Visit, reader: Reader, question: Question) -> list[Row]:
        """The first notices in force that mention what is searched for."""
        try:
            return mentioning(reader, question.query, visit.today, NOTICES)
        except NoIndex:
            raise
        except Exception as error:
            log.exception("the search index failed")
            raise CannotSay from error

    def _wider(self, reader: Reader, question: Question) -> list[tuple[str, str, str, int]]:
        """The filters without which something would be found: facet, value, the question without it, and how many that finds."""
        found = []
        for name, value, link in question.chosen:
            less = {key: values for key, values in question.filters.items() if key != name}
            if total := self._find(reader, question, filters=less, limit=0, offset=0).total:
                found.append((name, value, link, total))
        return found

    def _elsewhere(self, reader: Reader, question: Question) -> list[tuple[str, str, int]]:
        """The provinces with something that answers, where none does in the region that was chosen: code, question, how many."""
        less = {key: values for key, values in question.filters.items() if key not in REGIONS}
        if less == question.filters:
            return []
        counts = self._find(reader, question, filters=less, limit=0, offset=0, count=("province",)).facets["province"]
        return [(code, question.link(province=(code,), city=(), county=()), n) for code, n in sorted(counts.items())]

    def _near(self, reader: Reader, question: Question) -> list[Row]:
        try:
            suggested = reader.index.suggest(question.query, limit=SUGGESTED)
        except NoIndex:
            raise
        except Exception as error:
            log.exception("the search index failed")
            raise CannotSay from error
        return facts.names(reader, [each.id for each in suggested if each.id])


def _result(card: bytes, hit: search.Hit) -> orjson.Fragment:
    """A card with how it was found."""
    how = {"score": hit.score, "exact": hit.exact, "why": [{"field": match.field, "how": match.how} for match in hit.why]}
    return orjson.Fragment(card[:-1] + b"," + orjson.dumps(how)[1:])


def _suggested(each: search.Suggestion, row: Row | None, reader: Reader, visit: Visit) -> Row:
    """A suggestion: of one institution with its name, region and address; its own name as it is spelt, which the index has folded."""
    told = {"text": each.text, "field": each.field, "id": None, "name": None, "region": None, "url": None}
    if row is None:
        return told
    text = row["name"] if search.compact(row["name"]) == search.compact(each.text) else each.text
    region = reader.region(row["region_code"], row["region_text"], visit.lang) or None
    return {
        **told,
        "text": text,
        "id": row["id"],
        "name": row["name"],
        "region": region,
        "url": address(f"/institutions/{row['id']}", visit.lang),
    }


def _order(reader: Reader, name: str, values: Mapping[str, int]) -> list[str]:
    """Regions by their codes, the rest in the order of their tables; never by how many there are."""
    known = list(STATES) if name == "permit" else [] if name in REGIONS else [*reader.codes(Question.CODES[name]), "none"]
    return sorted(values, key=lambda value: (known.index(value) if value in known else len(known), value))


def _pages(question: Question, total: int) -> list[tuple[int, bool, str] | None]:
    """Links to the first page, those around the one at hand and the last: number, whether it is at hand, query; None where some are left out."""
    at, last = question.offset // question.limit, max(total - 1, 0) // question.limit
    if last == 0 and at == 0:
        return []
    numbers = sorted({0, last, *range(max(at - AROUND, 0), min(at + AROUND, last) + 1)})
    pages: list[tuple[int, bool, str] | None] = []
    for before, number in zip([-1, *numbers], numbers, strict=False):
        if number > before + 1:
            pages.append(None)
        pages.append((number + 1, number * question.limit == question.offset, question.link(offset=number * question.limit)))
    return pages
