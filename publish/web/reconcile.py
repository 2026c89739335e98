"""The reconciliation service (W3C Reconciliation Service API 0.2), by which OpenRefine finds out whom the rows of a spreadsheet mean.

    /reconcile                        the manifest; queries= finds candidates, extend= adds columns (GET, or a form by POST)
    /reconcile/suggest/WHAT?prefix=   entities, properties and types while somebody types; /reconcile/flyout/WHAT?id= a few words about one
    /reconcile/preview?id=            a page for a frame in OpenRefine
    /reconcile/extend?type=           which columns there are

One query of a batch that cannot be read says so and leaves the others alone; where the index fails, the whole batch fails: nothing is ever "not
found" because of an error. Nothing that was asked is written down.
"""

import logging
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, cast

import orjson
from jinja2 import Environment

import search

from ..wording import LANGUAGES
from . import facts
from .answer import EMBEDDED, JSON, OPEN, Answer, Instead, as_json
from .candidates import Candidate, Line, candidates
from .frame import Dictionary, Frame, clean
from .properties import MATCHED, Properties, Property
from .reader import Reader, Row
from .visit import Visit

ADDRESS = r"/reconcile(/(?P<what>preview|extend|(suggest|flyout)/(entity|property|type)))?"
INSTITUTION = "institution"  # the one type there is
BATCH = 50  # queries, and MOST_IDS of extend, in one request; OpenRefine asks for 10 where it is not told
MOST_IDS, MOST_PROPERTIES = 100, 50
LIMIT, MOST = 10, 20  # candidates of one query, suggestions
LONGEST = 200  # characters of a name or value: no name of an institution is longer
MOST_VALUES = 20
FRAME_SIZE = {"width": 430, "height": 320}
CALLBACK = re.compile(r"[A-Za-z_$][\w$]{0,63}(\.[A-Za-z_$][\w$]{0,63}){0,4}", re.ASCII)
PREVIEW = (("cache-control", "no-cache"), ("content-security-policy", EMBEDDED))
SCRIPT = "text/javascript; charset=utf-8"
Work = Generator[bytes, None, dict[str, Any]]  # empty parts, between which others have their turn, and what comes of it
log = logging.getLogger(__name__)


class BadQuery(Exception):
    """What cannot be read or is not there; its text is the key of the word that says why, `said` are the values of that."""

    def __init__(self, kind: str, status: int = 400, **said: str) -> None:
        super().__init__(kind)
        self.status, self.said = status, said


class Reconciliation:
    """`render` is that of Pages."""

    def __init__(self, render: Callable[..., Answer], dictionary: Dictionary, templates: Environment) -> None:
        self._render = render
        self._properties = Properties(dictionary, templates)
        self._frame = cast(Frame, templates.globals["frame"])

    def page(self, visit: Visit, reader: Reader) -> Answer:
        what, _, of = visit.parts.get("what", "").partition("/")
        try:
            asked: Mapping[str, Any] = visit.sent.fields if visit.sent else visit.asked
        except ValueError:  # too many fields
            return self._refused(visit, 400, "nothing")
        if what == "preview":
            return self._preview(visit, reader, str(asked.get("id", "")))
        callback = asked.get("callback")
        if callback is not None and not (isinstance(callback, str) and CALLBACK.fullmatch(callback)):
            return self._refused(visit, 400, "callback")
        return Answer(
            200, b"", SCRIPT if callback else JSON, OPEN, self._parts(visit, self._found(visit, reader, what, of, asked), callback)
        )

    def _parts(self, visit: Visit, work: Work, callback: str | None) -> Iterator[bytes]:
        """What is found, when all of it is; what cannot be is an answer of its own."""
        try:
            found = yield from work
        except BadQuery as no:
            raise Instead(self._refused(visit, no.status, str(no), **no.said)) from no
        except Exception as error:
            log.exception("a reconciliation failed")  # without what was asked
            raise Instead(self._refused(visit, 500, "failed")) from error
        yield b"/**/" + callback.encode() + b"(" + orjson.dumps(found) + b");" if callback else orjson.dumps(found)

    def _found(self, visit: Visit, reader: Reader, what: str, of: str, asked: Mapping[str, Any]) -> Work:
        if what == "suggest":
            return {"result": self._suggested(visit, reader, of, str(asked.get("prefix", "")), _number(asked.get("cursor"), 0, 0, 1_000))}
        if what == "flyout":
            return self._flyout(visit, reader, of, str(asked.get("id", "")))
        if "extend" in asked:
            return (yield from self._extended(visit, reader, _parsed(asked["extend"])))
        if what == "extend":
            return self._proposed(visit, asked)
        if "queries" in asked:
            return (yield from self._reconciled(visit, reader, _parsed(asked["queries"])))
        if visit.sent or not self._frame.site("/").startswith("http"):
            raise BadQuery("nothing")
        return self._manifest(visit)

    def _refused(self, visit: Visit, status: int, kind: str, **said: str) -> Answer:
        return as_json({"error": kind, "message": visit.t(f"reconcile.problem.{kind}", **said), "status": status, **said}, status)

    def _type(self, visit: Visit) -> dict[str, str]:
        return {"id": INSTITUTION, "name": visit.t("reconcile.type")}

    def _manifest(self, visit: Visit) -> dict[str, Any]:
        site, ours = self._frame.site, self._frame.site("/reconcile")
        suggest = {
            of: {"service_url": ours, "service_path": f"/suggest/{of}", "flyout_service_path": f"/flyout/{of}?id=${{id}}"}
            for of in ("entity", "property", "type")
        }
        return {
            "versions": ["0.2"],
            "name": visit.t("reconcile.name"),
            "identifierSpace": site("/institutions/", LANGUAGES[0]),  # the same entities in every language
            "schemaSpace": site("/data#institutions", LANGUAGES[0]),
            "documentation": site("/data#reconcile"),
            "defaultTypes": [self._type(visit)],
            "view": {"url": site("/institutions/{{id}}")},
            "preview": {"url": f"{ours}/preview?id={{{{id}}}}", **FRAME_SIZE},
            "suggest": suggest,
            "extend": {"propose_properties": {"service_url": ours, "service_path": "/extend"}, "property_settings": []},
            "batchSize": BATCH,
        }

    # -- queries -----------------------------------------------------------------------------------------------------

    def _reconciled(self, visit: Visit, reader: Reader, batch: Any) -> Work:
        if not isinstance(batch, dict):
            raise BadQuery("batch")
        if len(batch) > BATCH:
            raise BadQuery("too_many", 413, most=str(BATCH))
        results = {}
        for key, query in batch.items():
            results[key] = self._result(visit, reader, query)
            yield b""
        return results

    def _result(self, visit: Visit, reader: Reader, query: Any) -> dict[str, Any]:
        try:
            asked = read(query)
        except BadQuery as no:
            return {"result": [], "error": visit.t(f"reconcile.problem.{no}", most=LONGEST)}
        if not _is_ours(query.get("type"), query.get("type_strict")):
            return {"result": []}
        found = candidates(reader, asked, visit.today)[: _number(query.get("limit"), LIMIT, 1, MOST)]
        return {"result": [self._candidate(visit, one) for one in found]}

    def _candidate(self, visit: Visit, one: Candidate) -> dict[str, Any]:
        return {
            **self._entity(one.card),
            "type": [self._type(visit)],
            "score": one.score,
            "match": one.is_certain,
            "features": [{"id": name, "value": value} for name, value in one.features.items()],
        }

    def _entity(self, card: Row) -> dict[str, Any]:
        said = (self._frame.region(card["region_code"], card["region_text"]), card["address"], card["credit_code"])
        return {"id": card["id"], "name": clean(card["name"]), "description": " · ".join(str(clean(text)) for text in said if text)}

    # -- suggest -----------------------------------------------------------------------------------------------------

    def _suggested(self, visit: Visit, reader: Reader, of: str, prefix: str, cursor: int) -> list[dict[str, Any]]:
        prefix = " ".join(prefix.split())[:LONGEST]
        if of == "entity":
            hits = reader.index.search(prefix, kind=INSTITUTION, limit=LIMIT, offset=cursor).hits if prefix else ()
            ids = [prefix, *(hit.id for hit in hits)] if cursor == 0 else [hit.id for hit in hits]
            cards = facts.cards(reader, list(dict.fromkeys(ids)), visit.today)
            return [{**self._entity(card), "notable": [self._type(visit)]} for card in cards]
        known = [self._type(visit)] if of == "type" else [self._described(visit, one) for one in self._properties.all()]
        word = prefix.casefold()
        return [one for one in known if word in one["id"].casefold() or word in one["name"].casefold()][cursor : cursor + MOST_PROPERTIES]

    def _described(self, visit: Visit, one: Property) -> dict[str, str]:
        about = one.about[visit.lang]
        return {
            "id": one.id,
            "name": one.label[visit.lang],
            "description": visit.t("reconcile.matched", about=about) if one.id in MATCHED else about,
        }

    def _flyout(self, visit: Visit, reader: Reader, of: str, id: str) -> dict[str, str]:
        if of == "entity":
            cards = facts.cards(reader, [id], visit.today)
            said = self._entity(cards[0]) if cards else None
        elif of == "type":
            said = {**self._type(visit), "description": visit.t("reconcile.type.about")} if id == INSTITUTION else None
        else:
            one = self._properties.get(id)
            said = self._described(visit, one) if one else None
        if said is None:
            raise BadQuery("unknown", 404)
        html = self._render("flyout.html", name=said["name"], about=said["description"]).body.decode()
        return {"id": id, "html": html}

    def _preview(self, visit: Visit, reader: Reader, id: str) -> Answer:
        cards = facts.cards(reader, [id], visit.today)
        successors = [] if cards else facts.successors(reader, id)
        answer = self._render("preview.html", 200 if cards else 404, it=cards[0] if cards else None, successors=successors)
        return Answer(answer.status, answer.body, answer.type, PREVIEW)

    # -- extend ------------------------------------------------------------------------------------------------------

    def _proposed(self, visit: Visit, asked: Mapping[str, Any]) -> dict[str, Any]:
        known = self._properties.all() if asked.get("type", INSTITUTION) in ("", INSTITUTION) else []
        limit = _number(asked.get("limit"), len(known), 1, len(known) or 1)
        return {
            "type": asked.get("type", INSTITUTION),
            "properties": [{"id": one.id, "name": one.label[visit.lang]} for one in known[:limit]],
        }

    def _extended(self, visit: Visit, reader: Reader, query: Any) -> Work:
        ids, wanted = (query.get("ids"), query.get("properties")) if isinstance(query, dict) else (None, None)
        if not isinstance(ids, list) or not isinstance(wanted, list) or not all(isinstance(id, str) for id in ids):
            raise BadQuery("extend")
        if len(ids) > MOST_IDS or len(wanted) > MOST_PROPERTIES:
            raise BadQuery("too_many", 413, most=str(MOST_IDS if len(ids) > MOST_IDS else MOST_PROPERTIES))
        found = [self._properties.get(one["id"]) if isinstance(one, dict) and isinstance(one.get("id"), str) else None for one in wanted]
        chosen = [one for one in found if one]
        if len(chosen) < len(found):
            raise BadQuery("property")
        rows = {}
        for id in ids:
            it = facts.institution(reader, id, visit.today)
            rows[id] = {one.id: one.cells(it) if it else [] for one in chosen}
            yield b""
        return {"meta": [{"id": one.id, "name": one.label[visit.lang]} for one in chosen], "rows": rows}


def read(query: Any) -> Line:
    """What a query says. Raises BadQuery where it says nothing that can be looked for, or is longer than a name."""
    if not isinstance(query, dict) or not isinstance(query.get("query", ""), str) or not isinstance(query.get("properties", []), list):
        raise BadQuery("query")
    said: dict[str, list[str]] = {}
    for one in query.get("properties", [])[: MOST_VALUES + 1]:
        if not isinstance(one, dict) or not isinstance(one.get("pid"), str):
            raise BadQuery("query")
        if one["pid"] in MATCHED:
            said.setdefault(MATCHED[one["pid"]], []).extend(_texts(one.get("v")))
    name = " ".join(query.get("query", "").split())
    values = [name, *(text for texts in said.values() for text in texts)]
    if not any(values):
        raise BadQuery("empty")
    unread = search.compact(name) and not search.is_question(name)
    if unread or len(values) > MOST_VALUES or any(len(text) > LONGEST for text in values):
        raise BadQuery("long")
    return Line(name, **{kind: tuple(texts) for kind, texts in said.items()})


def _texts(value: Any) -> list[str]:
    """A value of a property, or several, as texts: a cell of an entity is its name. An empty cell says nothing."""
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    found = [one.get("name") or one.get("id") if isinstance(one, dict) else one for one in values]
    texts = [" ".join(str(one).split()) for one in found if isinstance(one, str | int | float) and not isinstance(one, bool)]
    return [text for text in texts if text]


def _is_ours(types: Any, strict: Any) -> bool:
    """Whether a query may be answered with institutions: `should` is a wish, `all` and `any` are conditions."""
    named = [one.get("id") if isinstance(one, dict) else one for one in (types if isinstance(types, list) else [types] if types else [])]
    if not named or strict == "should":
        return True
    return all(one == INSTITUTION for one in named) if strict == "all" else INSTITUTION in named


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except ValueError as error:
        raise BadQuery("json") from error


def _number(value: Any, default: int, least: int, most: int) -> int:
    """A whole number within bounds, as JSON or a query string has it; the default for what is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(max(least, min(most, value)))
