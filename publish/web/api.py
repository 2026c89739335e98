"""Every address of ours that answers in JSON: one table, of which openapi.json is made and which the tests hold against the pages.

A route's keys are those that its page declares; what they may be is said here once, as JSON Schema, with the codes of the release at hand. The words are
in words/*.yml: `api.route.NAME` and `api.key.KEY`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..descriptions import CSVW, DCAT, PACKAGE, SCHEMA
from ..families import FACETS
from ..rules import CAUSES
from . import feed_question, notice_question, question, region_question, regional, selection, verify
from .asked import AS_OF, REGIONS
from .reader import Reader
from .visit import DASHED, HISTORY, ROUTE

Schema = Mapping[str, Any]
RELEASE = r"^\d{4}-\d{2}-\d{2}(\.[1-9]\d*)?$"
REGION = r"^\d{6}(L\d{2})?$"
ID = r"^[A-Za-z0-9_-]{1,64}$"
DAY = r"^\d{4}(-\d{2}(-\d{2})?)?$"
MOST = 999_999_999  # nine digits are read of a number
TEXT: Schema = {"type": "string"}
PROBLEM, FOUND = "Problem", 200
OF_DATASETTE: Mapping[int, str] = {400: "Problem|DatasetteProblem", 403: "Problem|DatasetteProblem"}


@dataclass(frozen=True)
class Route:
    """One address. `answers` is the shape of the answer by its status, beside those that every address has (`problems`); `sent` that of what may be sent to it.
    `example` are values that give an answer of status 200; those of an id or a release are looked up (`samples`)."""

    name: str
    path: str
    keys: tuple[str, ...] = ()
    answers: Mapping[int, str] = field(default_factory=dict)
    example: Mapping[str, str] = field(default_factory=dict)
    sent: str | None = None
    many: tuple[str, ...] = ()  # keys that may stand several times
    type: str = "application/json"
    problems: tuple[int, ...] = (400, 404, 500, 503)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(part.partition("}")[0] for part in self.path.split("{")[1:])


FEED, LINKED = "application/feed+json", "application/ld+json"
SEARCH, NOTICES = question.Question, notice_question.Question


def _feeds() -> tuple[Route, ...]:
    """The feeds, each of which is of everything or of a part."""
    found = []
    for suffix, path, example in (
        ("", "/feeds/{family}", {"family": "notices"}),
        ("_part", "/feeds/{family}/{facet}/{value}", {"family": "notices"}),
    ):
        keys = feed_question.KEYS if not suffix else ()
        found += [
            Route(f"feed{suffix}", f"{path}.json", keys, {FOUND: "Feed"}, example, many=NOTICES.FACETS if keys else (), type=FEED),
            Route(f"feed_since{suffix}", f"{path}/since/{{number}}.json", (), {FOUND: "Feed"}, {**example, "number": "0"}, type=FEED),
            Route(
                f"feed_archive{suffix}", f"{path}/archive/{{page}}.json", (), {FOUND: "Feed", 307: ""}, {**example, "page": "1"}, type=FEED
            ),
            Route(f"feed_heartbeat{suffix}", f"{path}/heartbeat.json", (), {FOUND: "Heartbeat"}, example),
        ]
    return tuple(found)


ROUTES: tuple[Route, ...] = (
    Route("search", "/search.json", (*SEARCH.KEYS, AS_OF), {FOUND: "Found"}, {"q": "培训"}, many=SEARCH.FACETS),
    Route("suggest", "/suggest.json", ("q",), {FOUND: "Suggestions"}, {"q": "培训"}),
    Route("verify", "/verify.json", (*verify.KEYS, AS_OF), {FOUND: "Verified", 400: "Verified|Problem", 500: "Verified|Problem", 503: "Verified|Problem", 408: PROBLEM, 413: PROBLEM, 415: PROBLEM}, {"name": "培训中心"}, sent="ToVerify"),
    Route("institution", "/institutions/{id}.json", (AS_OF,), {FOUND: "Institution", 300: "Successors", 308: ""}, {"id": "$institution"}),
    Route("compare", "/compare.json", ("id", AS_OF), {FOUND: "Compared"}, {"id": "$institution"}, many=("id",)),
    Route("notices", "/notices.json", (*NOTICES.KEYS, AS_OF), {FOUND: "FoundNotices"}, {"q": "培训"}, many=NOTICES.FACETS),
    Route("notice", "/notices/{id}.json", (AS_OF,), {FOUND: "Notice", 410: "Gone"}, {"id": "$notice"}),
    Route("regions", "/regions.json", ("class",), {FOUND: "Regions"}),
    Route("region", "/regions/{region}.json", region_question.KEYS, {FOUND: "Region", 308: ""}, {"region": "350000"}),
    Route("changelog", "/data/changelog.json", (AS_OF,), {FOUND: "Changelog"}),
    Route("dataset", "/data/about/{dataset}.json", (AS_OF,), {FOUND: "Dataset"}, {"dataset": "institutions"}),
    Route("manifest", "/data/{release}/manifest.json", (), {FOUND: "Manifest"}, {"release": "$release"}),
    Route("keys", "/data/keys.json", (), {FOUND: "Anything"}),
    Route("downloads", "/data/{release}/index.json", (), {FOUND: "Downloads", 302: ""}, {"release": "$release"}),
    *(
        Route("described", f"/data/{{release}}/{file}", (), {FOUND: shape, 302: ""}, {"release": "$release"}, type=type)
        for file, shape, type in ((PACKAGE, "Anything", "application/json"), (CSVW, "Anything", "application/json"), (f"{DCAT}.jsonld", "Linked", LINKED), (SCHEMA, "Anything", LINKED))
    ),
    Route("changes", "/changes.json", selection.KEYS, {FOUND: "Changes"}, {"kind": "add"}),
    Route("deltas", "/deltas/index.json", (), {FOUND: "Deltas"}),
    Route("status", "/status.json", (), {FOUND: "Status"}),
    Route("reconcile", "/reconcile", ("queries", "extend", "callback"), {FOUND: "Reconciled", 413: PROBLEM, 408: PROBLEM, 415: PROBLEM}, sent="ToReconcile"),
    Route("reconcile_suggest", "/reconcile/suggest/{of}", ("prefix", "cursor"), {FOUND: "ReconcileSuggestions"}, {"of": "property", "prefix": ""}),
    Route("reconcile_flyout", "/reconcile/flyout/{of}", ("id",), {FOUND: "Flyout"}, {"of": "type", "id": "institution"}),
    Route("reconcile_extend", "/reconcile/extend", ("type", "limit"), {FOUND: "ReconcileProperties"}),
    *_feeds(),
    Route("feed_institution", "/feeds/institutions/{id}.json", (), {FOUND: "Feed", 308: ""}, {"id": "$institution"}, type=FEED),
    Route("catalogue", "/catalog.jsonld", (), {FOUND: "Linked"}, type=LINKED),
    Route("openapi", "/openapi.json", (), {FOUND: "OpenAPI"}),
    *(
        route
        for base in (ROUTE, HISTORY)
        for route in (
            Route(f"{base}_sql", f"/{base}.json", ("sql", "_shape"), {FOUND: "Rows", **OF_DATASETTE}, {"sql": "SELECT 1 AS one"}, problems=(404, 500, 503)),
            Route(f"{base}_table", f"/{base}/{{table}}.json", ("_size", "_shape"), {FOUND: "Rows", 302: "", **OF_DATASETTE}, {"table": "sources" if base == ROUTE else "releases"}, problems=(404, 500, 503)),
        )
    ),
    Route("row", f"/{ROUTE}/{{table}}/{{key}}.json", ("_shape",), {FOUND: "Rows", 410: "Gone", 302: "", **OF_DATASETTE}, {"table": "institutions", "key": "$institution"}, problems=(404, 500, 503)),
    *(Route("datasette", f"{path}.json", (), {FOUND: "Anything"}) for path in DASHED),
)  # fmt: skip


def samples(reader: Reader, today: str) -> Mapping[str, str]:
    """What the release has, for examples that find something: ids, an institution's name and county, and its province."""
    one = "SELECT id, name, region_code FROM institutions {} ORDER BY id LIMIT 1"
    institution = reader.row(one.format("WHERE region_code IS NOT NULL")) or reader.row(one.format("")) or {}
    region = institution.get("region_code") or "350102"
    notice = reader.row("SELECT id FROM notices WHERE public_until >= ? AND state = 'active' ORDER BY id LIMIT 1", today)
    return {
        "$release": reader.id,
        "$institution": institution.get("id", "i-aaaaaaaaaaa2"),
        "$name": institution.get("name", "培训中心"),
        "$region": region,
        "$province": f"{region[:2]}0000",
        "$notice": notice["id"] if notice else "n-aaaaaaaaaaa2",
    }


def _number(least: int = 0, most: int = MOST) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _pattern(text: str) -> Schema:
    return {"type": "string", "pattern": text}


KEYS: Mapping[str, Schema] = {
    **dict.fromkeys(("q", "name", "code", "permit", "region", "authority", "prefix", "queries", "extend", "sql", "address", "type", "id", "after", "subject", "table", "key", "value"), TEXT),
    **{key: _pattern(REGION) for key in REGIONS},
    **{key: _pattern(RELEASE) for key in (AS_OF, "release", "from", "to")},
    **{key: _pattern(DAY) for key in ("since", "until")},
    "year": _pattern(r"^\d{4}$"),
    "limit": _number(),
    "offset": _number(),
    "_size": _number(1, 200),
    "_shape": {"type": "string", "enum": ["arrays", "objects", "array", "arrayfirst", "object"]},
    "callback": {"type": "string", "pattern": r"^[A-Za-z_$][A-Za-z0-9_$]{0,63}$"},
    "cause": {"type": "string", "enum": list(CAUSES)},
    "of": {"type": "string", "enum": ["entity", "property", "type"]},
    "family": {"type": "string", "enum": list(FACETS)},
    "facet": {"type": "string", "enum": sorted({facet for facets in FACETS.values() for facet in facets})},
    "number": _number(),
    "page": _number(1),
}  # fmt: skip


def key_schema(route: Route, key: str, reader: Reader) -> Schema:
    """What a key of a route, or a part of its path, may be: of a code those that the release has."""
    if key == "id" and ("{id}" in route.path or route.name == "compare"):
        return {"type": "string", "pattern": ID}
    if route.name == "search" and key in SEARCH.FACETS and key not in REGIONS:
        return {"type": "string", "enum": list(question.choices(reader, key, {}))}
    if route.name in ("regions", "region") and key in ("class", "list"):
        return {"type": "string", "enum": [*reader.codes(question.Question.CODES[key]), *([regional.ANY_ADVERSE] if key == "list" else [])]}
    if key in NOTICES.CODES and route.name in ("notices", "feed"):
        return {"type": "string", "enum": reader.codes(NOTICES.CODES[key])}
    if key in ("cursor", "limit") and route.name.startswith("reconcile"):
        return TEXT  # a number; what is none is as if it were not there
    if key == "sort":
        return {"type": "string", "enum": list((SEARCH if route.name == "search" else NOTICES).SORTS)}
    if key == "kind":
        return {"type": "string", "enum": list(selection.KINDS)}
    return KEYS.get(key, TEXT)
