"""/notices as a page and JSON: the full text of the notices that may be shown today.

What may not be shown is told to the index, which then counts it nowhere: notices that are over, and of an earlier release the words that the live one does not
repeat. Passages are cut from the rows as they are shown and never from the index. Nobody's query is written down.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson

import search

from ..same import CODES
from . import facts
from .answer import Answer, as_json
from .asked import PAGE, REGIONS, NoSuchChoice, refused, unsearchable
from .ended import ended
from .facets import facets, label
from .notice_question import Question, ask
from .reader import NoIndex, Reader, Row
from .visit import Visit

SHOWN = 12  # authorities of which the number is said; there are thousands
HELP = ("words", "phrase", "either", "not", "group", "field", "code", "day", "sum", "star")
FIELDS = (
    *(
        "title",
        "subject_name",
        "facts",
        "penalty_text",
        "document_no",
        "subject_credit_code",
        "subject_permit_no",
        "kind",
        "authority",
        "region",
    ),
    *(
        "decided_on",
        "published_on",
        "year",
        "fine",
        "confiscated",
        "seriousness",
        "violation_type",
        "penalty_code",
        "measure_code",
        "state",
        "source_id",
    ),
)
PERSONAL = (
    "title",
    "subject_name",
    "facts",
    "penalty_text",
    "subject_credit_code",
    "subject_permit_no",
)  # which finds nobody but an organisation
_NO_ORGANISATION = (
    "SELECT id, document_no FROM notices WHERE subject_kind IS NOT 'organisation' ORDER BY decided_on IS NULL, decided_on DESC, id"
)
FIELD = re.compile(r"^\s*\w{1,20}\s*[:：]")  # a number may be asked for in its field
QUOTES = str.maketrans(dict.fromkeys("“”„「」『』＂", '"') | {"（": "(", "）": ")"})
QUOTED = re.compile(r'"[^"]*"')
SMALL = re.compile(r"(?<![^\s()])(and|or|not)(?![^\s()])", re.IGNORECASE)
TEXTS = "SELECT * FROM notices WHERE id IN (SELECT value FROM json_each(?1))"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unseen:
    """What of a release's notices may not be told today."""

    hidden: frozenset[str]
    unsaid: Mapping[str, tuple[str, ...]]
    numbers: Mapping[
        str, tuple[str, ...]
    ]  # notices about who is no organisation, by the whole number of the decision: what alone finds them


def unseen(reader: Reader, today: str) -> Unseen:
    """Worked out once a day."""
    return reader.once(today, "notices unseen", lambda: _unseen(reader, today))


def _unseen(reader: Reader, today: str) -> Unseen:
    over = frozenset(orjson.loads(ended(reader, today).gone["notices"]))
    unsaid = {
        id: (*map(_field, names), *(["year"] if "decided_on" in names else []), *(REGIONS if "region_code" in names else ()))
        for id, names in reader.unsaid().items()
    }
    numbers: dict[str, tuple[str, ...]] = {}
    others = reader.rows(_NO_ORGANISATION)
    for row in others:
        if row["document_no"] and row["id"] not in over and "document_no" not in unsaid.get(row["id"], ()):
            number = search.compact(row["document_no"])
            numbers[number] = (*numbers.get(number, ()), row["id"])
    return Unseen(over | {row["id"] for row in others}, unsaid, numbers)


def _field(column: str) -> str:
    """What the index calls a column, or what a notice orders."""
    return CODES[column][1] if column in CODES else column.removesuffix("_fen")


def find(reader: Reader, today: str, query: str, *, limit: int = 20, offset: int = 0, **how: Any) -> search.Found:
    """What the index finds of what may be shown. Raises NoIndex.

    A notice about a natural person, or about who could be one, is found by the whole number of its decision as the whole query and by nothing
    else (rule 8): the beginning of one is the same for all of a city. It is in no filter and no count of a facet.
    """
    beside = unseen(reader, today)
    persons = () if how.get("filters") else beside.numbers.get(search.compact(FIELD.sub("", query)), ())
    before = max(offset - len(persons), 0)
    found = reader.texts.search(
        query, hidden=beside.hidden, unsaid=beside.unsaid, limit=max(limit - len(persons[offset:]), 0), offset=before, **how
    )
    if not persons or found.problem is not None:
        return found
    ids = (*persons[offset : offset + limit], *found.ids)
    return search.Found(found.total + len(persons), ids, found.facets, found.meant)


def mentioning(reader: Reader, query: str, today: str, limit: int) -> list[Row]:
    """The first notices in force that have all the words of what somebody typed, none of which is an operator. Raises NoIndex."""
    return facts.notices(reader, find(reader, today, query, limit=limit, operators=False, meant=False, total=False).ids, today)


class NoticePages:
    """`render` and `problem` are those of Pages."""

    def __init__(self, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._render, self._problem = render, problem

    def page(self, visit: Visit, reader: Reader) -> Answer:
        try:
            question = ask(visit.pairs, reader)
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/notices", Question.KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        try:
            found = self._found(visit, reader, question)
        except NoIndex:
            return unsearchable(self._problem, visit, reader, "notices")
        except Exception:  # what the index cannot answer is "cannot say", never "not found"
            log.exception("the index of notices failed")  # without the query: nobody's search is written down
            return self._problem(visit, 500, "search")
        if found.problem is not None:
            return self._misunderstood(visit, question, found.problem)
        notices = _with_passages(reader, question.query, facts.notices(reader, found.ids, visit.today))
        return (
            self._json(visit, reader, question, found, notices) if visit.wants_json else self._html(visit, reader, question, found, notices)
        )

    def _found(self, visit: Visit, reader: Reader, question: Question) -> search.Found:
        """What is found, with its facets; those of a region say what is in the others of its level, so the regions under it are left out too."""
        how: dict[str, Any] = {"ranges": {"decided_on": (question.since or None, question.until or None)}}

        def make() -> search.Found:
            return find(reader, visit.today, question.query, **how, filters=question.filters, sort=question.order, count=question.FACETS, limit=question.limit, offset=question.offset)  # fmt: skip

        found = make() if question.pairs(offset=question.offset) else reader.once(visit.today, "notices, none asked for", make)
        for place, level in enumerate(REGIONS):
            under = set(REGIONS[place + 1 :]) & question.filters.keys()
            if under and found.problem is None:
                less = {name: values for name, values in question.filters.items() if name not in under}
                wider = find(reader, visit.today, question.query, **how, filters=less, count=(level,), limit=0)
                found = search.Found(found.total, found.ids, {**found.facets, level: wider.facets[level]}, found.meant)
        return found

    def _misunderstood(self, visit: Visit, question: Question, problem: search.Problem) -> Answer:
        if visit.wants_json:
            return misunderstood(visit, problem)
        said = why_misunderstood(visit, problem)
        return self._render("notices.html", 400, asked=question, said=said, found=None, help=HELP, fields=called(visit))

    def _json(self, visit: Visit, reader: Reader, question: Question, found: search.Found, notices: list[Row]) -> Answer:
        return as_json(
            {
                **question.head(visit, reader, "/notices", found),
                "hints": [{"code": code, "text": visit.t(f"notices.hint.{code}")} for code in _hints(question.query)],
                "results": notices,
            }
        )

    def _html(self, visit: Visit, reader: Reader, question: Question, found: search.Found, notices: list[Row]) -> Answer:
        for it in notices:
            it["marked_title"] = next((_pieces(one) for one in it["passages"] if one["text"] == it["title"]), None)
            it["pieces"] = [(one["field"], _pieces(one)) for one in it["passages"] if one["text"] != it["title"]]
        called_so = partial(label, question, reader=reader, visit=visit)
        return self._render(
            "notices.html",
            asked=question,
            said=None,
            found=notices,
            total=found.total,
            meant=found.meant,
            hints=_hints(question.query),
            facets=facets(question, found.facets, found.total, called_so, _order, {"authority": SHOWN}),
            chosen=[(name, called_so(name, value), link) for name, value, link in question.chosen],
            sorts=[(name, name == question.sort, question.link(sort=name)) for name in question.sorts(question.query)],
            help=HELP,
            fields=called(visit),
            feed=feed_of(question),
        )


def misunderstood(visit: Visit, problem: search.Problem) -> Answer:
    """The answer in JSON to a query that is none: where and why."""
    said = {"error": "query", "kind": problem.kind, "at": problem.at, "near": problem.near}
    return as_json({**said, "message": why_misunderstood(visit, problem), "status": 400}, 400)


def why_misunderstood(visit: Visit, problem: search.Problem) -> str:
    """What is wrong with a query, and where, in the visitor's language."""
    return visit.t(f"notices.problem.{problem.kind}", at=problem.at + 1, near=problem.near, known=" ".join(called(visit)))


def feed_of(question: Question) -> str:
    """The path below /feeds/ of what is asked for as a feed: one with numbers where only a region is asked for, else that of the search."""
    pairs = question.pairs(sort=question.sorts(question.query)[0], limit=PAGE)
    if len(pairs) == 1 and pairs[0][0] in REGIONS:
        return f"notices/region/{pairs[0][1]}"
    return f"notices?{urlencode(pairs)}" if pairs else "notices"


def _hints(query: str) -> list[str]:
    """What to know of how a query was read: `or` in small letters is a word like any other, and is searched for."""
    words = SMALL.findall(QUOTED.sub(" ", query.translate(QUOTES)))
    return ["operators"] if any(word.upper() != word for word in words) else []


def called(visit: Visit) -> list[str]:
    """What the fields are called in a visitor's queries."""
    return [visit.t(f"notices.field.{name}") for name in FIELDS]


def _with_passages(reader: Reader, query: str, notices: list[Row]) -> list[Row]:
    """The notices with what of their texts, as they are shown, answers."""
    texts = {row["id"]: row for row in reader.rows(TEXTS, orjson.dumps([it["id"] for it in notices]).decode())} if query else {}
    for it in notices:
        shown = {name: text for name, text in texts.get(it["id"], {}).items() if isinstance(text, str)}
        if it["subject_kind"] != "organisation":
            shown = {name: text for name, text in shown.items() if name not in PERSONAL}
        it["passages"] = [
            {"field": one.field, "text": one.text, "spans": one.spans, "cut": one.cut} for one in reader.texts.passages(query, shown)
        ]
    return notices


def _pieces(passage: Row) -> list[tuple[str, bool]]:
    """A passage in pieces, each with whether it is marked."""
    at, found = 0, []
    text, (before, after) = passage["text"], passage["cut"]
    for start, end in passage["spans"]:
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [("…", False)] * before + [*found, (text[at:], False)] + [("…", False)] * after


def _order(name: str, values: Mapping[str, int]) -> list[str]:
    """Regions by their codes, years newest first, the rest by how many there are."""
    return sorted(values, reverse=name == "year") if name in (*REGIONS, "year") else list(values)
