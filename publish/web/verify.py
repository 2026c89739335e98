"""/verify: is this one listed, for one by address and for up to 1,000 at once by POST, as a page and as JSON.

A list is answered while it is sent, a question at a time, so that others have their turn; each answer is an answer of its own, and one that fails
is "cannot say". Nothing that is asked is kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import orjson

from ..answering import CANNOT_SAY, STATUSES, cannot_say
from ..answering import Answer as Said
from ..meant import Candidate, Query
from . import facts
from .answer import HTML, JSON, OPEN, Answer, as_json
from .asked import AS_OF, NoSuchChoice, read, refused
from .reader import Reader, Row
from .verifier import Verifier
from .visit import Visit

MOST = 1_000  # of one list
IN_HEADING = ("is_listed", "on_other_list")  # reasons that the heading of a page says with its status
KEYS = ("name", "code", "permit", "region")
SENT = ("names", "queries", "region")
BROKEN = {"error": 500, "unsearchable": 503}
REFUSED = ("no_question", "too_long")  # reasons that are the asker's alone
LISTING = ("id", "list", "subject_name", "authority", "batch_label", "as_of", "valid_until", "is_over", "absent_since", "held_since", "source_id", "region_code")  # fmt: skip


class BadList(Exception):
    """What was sent is no list that can be answered: status and kind of the problem."""

    def __init__(self, status: int, kind: str, **said: str) -> None:
        super().__init__(kind)
        self.status, self.kind, self.said = status, kind, {"most": f"{MOST:,}", **said}


class VerifyPages:
    """The page and its JSON."""

    def __init__(
        self, render: Callable[..., Answer], problem: Callable[..., Answer], of: Callable[[Visit, Reader], Mapping[str, Any]]
    ) -> None:
        """`of` is what JSON says of the release that it is of."""
        self._render, self._problem, self._of = render, problem, of

    def page(self, visit: Visit, reader: Reader) -> Answer:
        try:
            if visit.sent is not None:
                return self._many(visit, reader, _list(visit.pairs, visit.sent.fields))
            given = read(visit.pairs, KEYS, (AS_OF,))
        except BadList as no:
            return self._problem(visit, no.status, no.kind, no.said)
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/verify", KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        query = Query(**{key: values[0] for key, values in given.items() if key in KEYS})
        if query == Query() and not visit.wants_json:
            return self._render("verify.html", query=query, answer=None, many=None, most=MOST, says=STATUSES)
        _, said = Verifier(reader, visit.today).verify(query)
        status = BROKEN.get(said.reasons[0], 400 if set(said.reasons) & set(REFUSED) else 200)
        if visit.wants_json:
            found = public(query, said, visit, reader)
            if said.status != CANNOT_SAY:
                found |= {part: [visit.t(key) for key in keys] for part, keys in MEANING[said.status].items()}
            return as_json({**self._about(visit, reader), **found}, status)
        shown = [source for source in facts.sources(reader, visit.today) if source["id"] in {it.id for it in said.sources}]
        return self._render(
            "verify.html",
            status,
            query=query,
            answer=said,
            many=None,
            most=MOST,
            sources=shown,
            meaning=MEANING[said.status],
            in_heading=IN_HEADING,
        )

    def _about(self, visit: Visit, reader: Reader) -> dict[str, Any]:
        return {**self._of(visit, reader), "as_of": facts.freshness(reader, visit.today)["as_of"]}

    def _many(self, visit: Visit, reader: Reader, asked: list[Query | None]) -> Answer:
        ask = partial(_ask, Verifier(reader, visit.today))
        if visit.wants_json:
            return Answer(200, b"", JSON, OPEN, parts=self._json(visit, reader, asked, ask))
        return Answer(200, b"", HTML, (("cache-control", "no-store"),), parts=self._table(asked, ask, facts.sources(reader, visit.today)))

    def _json(self, visit: Visit, reader: Reader, asked: list[Query | None], ask: Callable[[Query | None], Said]) -> Iterator[bytes]:
        yield orjson.dumps(self._about(visit, reader))[:-1] + b',"answers":['
        for number, query in enumerate(asked):
            yield (b"," if number else b"") + orjson.dumps(public(query or Query(), ask(query), visit, reader))
        yield b"]}"

    def _table(self, asked: list[Query | None], ask: Callable[[Query | None], Said], sources: list[Row]) -> Iterator[bytes]:
        many = []
        for query in asked:
            many.append((query or Query(), ask(query)))
            yield b""
        yield self._render("verify.html", query=Query(), answer=None, many=many, most=MOST, sources=sources, in_heading=IN_HEADING).body


def _ask(verifier: Verifier, query: Query | None) -> Said:
    return cannot_say("unreadable") if query is None else verifier.verify(query)[1]


def _list(pairs: Sequence[tuple[str, str]], fields: Mapping[str, Any]) -> list[Query | None]:
    """The questions of a list, in order; None for one that cannot be read. Raises BadList, also for a key that none of them has."""
    for key in (*(key for key, _ in pairs), *(key for key in fields if key not in SENT)):
        raise BadList(400, "posted", name=str(key), known=", ".join(SENT))
    names, queries = fields.get("names"), fields.get("queries")
    region = fields.get("region")
    if isinstance(names, str):  # pasted lines
        names = [line.strip() for line in names.splitlines() if line.strip()]
    if isinstance(queries, list) and names is None and region is not None:
        raise BadList(400, "posted", name="region", known="queries")  # each has its own
    if isinstance(queries, list) and names is None:
        lines: list[Any] = queries
    elif isinstance(names, list) and queries is None:
        lines = [{"name": name, "region": region} for name in names]
    else:
        raise BadList(400, "no_list")
    if not lines:
        raise BadList(400, "no_list")
    if len(lines) > MOST:
        raise BadList(413, "long_list")
    return [_query(line) for line in lines]


def _query(line: Any) -> Query | None:
    if not isinstance(line, dict) or not line.keys() <= set(KEYS):
        return None
    values = {key: "" if line.get(key) is None else line[key] for key in KEYS}
    return Query(**values) if all(isinstance(value, str) for value in values.values()) else None


MEANING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "listed": {
        "means": ("verify.listed.means",),
        "means_not": ("verify.listed.means_not.1", "verify.listed.means_not.2"),
        "do": ("none.do.2",),
    },
    "other_list": {
        "means": ("verify.other.means",),
        "means_not": ("verify.other.means_not", "verify.listed.means_not.2"),
        "do": ("none.do.2", "none.do.3"),
    },
    "not_listed": {
        "means": ("none.means.1", "none.means.2"),
        "means_not": ("none.means_not.1", "none.means_not.2"),
        "do": ("verify.do.1", "none.do.2", "none.do.3"),
    },
    "cannot_say": {"means": ("verify.unsure.means",), "means_not": ("verify.unsure.means_not",), "do": ("none.do.2", "none.do.3")},
}


def public(query: Query, said: Said, visit: Visit, reader: Reader) -> Row:
    """One answer as JSON has it."""
    lists = {"lists": visit.t("list.and").join(reader.label("lists", code, visit.lang) for code in said.lists)}
    return {
        "query": {key: value for key, value in asdict(query).items() if value},
        "status": said.status,
        "text": visit.t(said.heading),
        "reasons": [{"code": code, "text": visit.t(f"verify.reason.{code}", **lists)} for code in said.reasons],
        "notes": [{"code": code, "text": visit.t(f"verify.note.{code}")} for code in said.notes],
        "lists": said.lists,
        "institution": said.found and _candidate(said.found, visit, reader),
        "listings": [{**{key: it[key] for key in LISTING}, "label": reader.label("lists", it["list"], visit.lang)} for it in said.listings],
        "notices_in_force": said.notices_in_force,
        "notices": [it["id"] for it in said.notices or ()],
        "unmatched_notices": [it["id"] for it in said.unmatched],
        "candidates": [_candidate(it, visit, reader) for it in said.candidates],
        "sources": [{"id": it.id, "as_of": it.as_of} for it in said.sources],
    }


def _candidate(one: Candidate, visit: Visit, reader: Reader) -> Row:
    known = one.known
    return {
        "id": known.id,
        "name": known.name,
        "region_code": known.region_code,
        "region": reader.region(known.region_code, known.region_text, visit.lang),
        "address": known.address,
        "code": known.code,
        "how": one.how,
        "matched": one.matched,
        "alias_kind": one.alias_kind,
        "differences": [asdict(it) for it in one.differences],
    }
