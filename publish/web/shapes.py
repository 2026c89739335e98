"""What our JSON answers look like, as JSON Schema: rows by the data dictionary, and around them what each page adds.

An object that a page makes itself names all its keys and takes no others, so that one which is forgotten here is found by the tests. A row may be of an
earlier release and have other columns: its known ones are of their types, and none but its key has to be there.
"""

from collections.abc import Mapping
from typing import Any

from ..answering import STATUSES
from ..columnkinds import SAID
from .frame import Dictionary

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
MAYBE: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": "number"}
YES: Schema = {"type": "boolean"}
COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANY: Schema = {}


def thing(optional: Mapping[str, Schema] | None = None, /, **keys: Schema) -> Schema:
    """An object with these keys, perhaps the optional ones, and no others."""
    properties = {**keys, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(keys), "additionalProperties": False}


def each(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def ref(name: str) -> Schema:
    """One of the shapes by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(shape: Schema) -> Schema:
    """A shape, or null."""
    return {"anyOf": [shape, {"type": "null"}]}


def row(dictionary: Dictionary, table: str, lang: str, more: Mapping[str, Schema] | None = None) -> Schema:
    """A row of a table with what a page adds to it."""
    described = next(one["tables"][table] for one in dictionary.values() if table in one["tables"])
    properties: dict[str, Schema] = {}
    for name, column in described["columns"].items():
        kind = SAID[column["kind"]].json
        found: Schema = {
            "type": kind if name in described["key"] else [kind, "null"],
            "title": column["label"][lang],
            "description": column["about"][lang],
        }
        properties[name] = found
    return {"type": "object", "title": described["label"][lang], "properties": {**properties, **(more or {})}}


OF_RELEASE = {"asked_as_of": TEXT, "newest_release": TEXT}
DOCUMENT = {"document_title": MAYBE, "document_url": MAYBE, "document_as_of": MAYBE, "source_zh": MAYBE, "source_en": MAYBE}
HELD = {"held_since": MAYBE, "lists_held_since": MAYBE, "notices_held_since": MAYBE}
SINCE = {"state_now": TEXT, "not_repeated": TEXTS}  # of a notice in an earlier release
CODED = each(thing(code=TEXT, text=TEXT))
FLAG: Schema = {"type": "integer", "enum": [0, 1]}
BY_RELEASE = thing(release=TEXT, day=TEXT, is_pipeline=YES, add=WHOLE, change=WHOLE, remove=WHOLE)


def shapes(dictionary: Dictionary, lang: str) -> dict[str, Schema]:
    """Every shape by its name; labels and descriptions of columns in one language."""
    return {
        **_common(),
        **_rows(dictionary, lang),
        **_pages(),
        **_regions(dictionary, lang),
        **_verify(),
        **_changes(),
        **_reconcile(),
        **_others(),
    }


def _common() -> dict[str, Schema]:
    said = dict.fromkeys(("name", "known", "kind", "near", "table", "newest", "first", "last", "most", "detail", "said"), TEXT)
    return {
        "Problem": thing(
            {**said, "at": WHOLE, "tables": TEXTS, "forms": TEXTS, "near_addresses": TEXTS},
            error=TEXT,
            message=TEXT,
            status={"type": "integer", "minimum": 400},
        ),
        "DatasetteProblem": {
            "type": "object",
            "properties": {"ok": YES, "error": MAYBE, "status": WHOLE, "title": MAYBE},
            "required": ["ok", "error"],
        },
        "Anything": {"type": ["object", "array"]},
        "Linked": thing({"@context": ANY}, **{"@graph": each({"type": "object", "required": ["@id"]})}),
        "OpenAPI": {"type": "object", "required": ["openapi", "info", "paths"]},
        "Gone": thing(
            {**OF_RELEASE, "public_from": MAYBE, "public_to": MAYBE}, release=TEXT, tombstone=thing(id=TEXT, on=TEXT, **{"class": TEXT})
        ),
    }


def _rows(dictionary: Dictionary, lang: str) -> dict[str, Schema]:
    def of(table: str, more: Mapping[str, Schema] | None = None) -> Schema:
        return row(dictionary, table, lang, more)

    listing = of("listings", {**DOCUMENT, "is_over": YES, "is_to_come": YES, "held_since": MAYBE})
    card_notice = of(
        "notices",
        {"replies": WHOLE, "corrections": WHOLE, "penalties": TEXTS, "measures": TEXTS, "is_blacklisting": FLAG, "is_revoking": FLAG},
    )
    short = of("notices", {**DOCUMENT, **SINCE, "replies": WHOLE, "corrections": WHOLE, "penalties": TEXTS, "measures": TEXTS, "links": WHOLE, "held_since": MAYBE, "method": TEXT, "confidence": NUMBER, "passages": each(ref("Passage")), "statements": each(of("notice_statements"))})  # fmt: skip
    whole = {"aliases": each(of("institution_aliases")), "sites": each(of("institution_sites")), "classes": each(of("institution_classes"))}
    parts = {"permits": each(of("permits", {"state": TEXT})), "fund_supervision": each(of("fund_supervision")), "listings": each(ref("Listing")), "unmatched_notices": each(ref("CardNotice")), "source_as_of": MAYBE}  # fmt: skip
    ratings = thing(**DOCUMENT, source_id=MAYBE, interval=maybe(each(NUMBER)), dimension=TEXT, scale_max=WHOLE, count=WHOLE, histogram=each(WHOLE), from_month=MAYBE, to_month=MAYBE, months=WHOLE, suppressed_months=WHOLE, mean={"type": ["number", "null"]})  # fmt: skip
    step = thing(id=TEXT, kind=MAYBE, method=MAYBE, since=MAYBE)
    return {
        "Listing": listing,
        "CardNotice": card_notice,
        "ShortNotice": short,
        "Passage": thing(field=TEXT, text=TEXT, spans=each(each(WHOLE)), cut=each(YES)),
        "Card": of("institutions", {**parts, **HELD, "notices_in_force": each(ref("CardNotice")), "score": NUMBER, "exact": YES, "why": each(thing(field=TEXT, how=TEXT))}),
        "Institution": {
            **of("institutions", {**OF_RELEASE, **DOCUMENT, **whole, **parts, **HELD, "release": TEXT, "notices": each(ref("ShortNotice")), "ratings": each(ratings),
                "predecessors": each(thing(id=TEXT, successor_id=TEXT, kind=MAYBE, method=MAYBE, since=MAYBE, shown_in=MAYBE)), "successors": each(step), "timeline": ref("Timeline")}),
            "required": ["release", "id", "name", "listings", "notices", "timeline"],
        },
        "Notice": {
            **of("notices", {**OF_RELEASE, **DOCUMENT, **SINCE, "release": TEXT, "penalties": TEXTS, "measures": TEXTS, "statements": each(of("notice_statements")),
                "links": each(of("notice_links", {"name": MAYBE})), "held_since": MAYBE, "timeline": ref("Timeline")}),
            "required": ["release", "id", "kind", "state", "links", "statements", "timeline"],
        },
        "Successors": thing(OF_RELEASE, release=TEXT, id=TEXT, successors=each(of("institutions")), lineage=each(step)),
        "Compared": thing(OF_RELEASE, release=TEXT, gone=each(thing(id=TEXT, successors=each(of("institutions")))),
            institutions=each(of("institutions", {**parts, **HELD, "notices_in_force": each(ref("CardNotice")), "classes": whole["classes"], "ratings": each(ratings)}))),
        "Source": of("sources", {"content_since": MAYBE, "is_stale": YES, "held": each(each(MAYBE))}),
    }  # fmt: skip


def _pages() -> dict[str, Schema]:
    head = {"url": TEXT, "as_of": MAYBE, "filters": {"type": "object", "additionalProperties": TEXTS}, "sort": TEXT, "limit": WHOLE, "offset": WHOLE, "meant": MAYBE, "facets": {"type": "object", "additionalProperties": COUNTS}}  # fmt: skip
    suggestion = thing(text=TEXT, field=MAYBE, id=MAYBE, name=MAYBE, region=MAYBE, url=MAYBE)
    return {
        "Found": thing(
            {**OF_RELEASE, **head},
            release=TEXT,
            query=TEXT,
            total=WHOLE,
            hints=CODED,
            results=each(ref("Card")),
            notices=each(ref("ShortNotice")),
        ),
        "Suggestions": thing(release=TEXT, query=TEXT, suggestions=each(suggestion)),
        "FoundNotices": thing(
            OF_RELEASE,
            release=TEXT,
            query=TEXT,
            total=WHOLE,
            since=MAYBE,
            until=MAYBE,
            hints=CODED,
            results=each(ref("ShortNotice")),
            **head,
        ),
    }


def _regions(dictionary: Dictionary, lang: str) -> dict[str, Schema]:
    counts = {"institutions": MAYBE_WHOLE, "lists": {"type": "object", "additionalProperties": MAYBE_WHOLE}, "notices_in_force": MAYBE_WHOLE}  # fmt: skip
    told = thing(is_covered=YES, not_covered=maybe(thing(code=TEXT, text=TEXT)))
    part = thing(code=TEXT, **counts, is_covered={"type": "object", "additionalProperties": YES}, url=TEXT)
    source = thing(id=TEXT, label_zh=MAYBE, label_en=MAYBE, as_of=MAYBE, is_stale=YES, is_whole=YES, held=each(each(MAYBE)))
    changes = thing(selection={"type": "object"}, by_release=each(BY_RELEASE), newest=each(ref("Change")))
    return {
        "Regions": thing(OF_RELEASE, release=TEXT, as_of=MAYBE, counts=thing(**counts), without_region=thing(**counts), classes=COUNTS, regions=each(part)),
        "Region": thing(
            OF_RELEASE, release=TEXT, url=TEXT, as_of=MAYBE, region=row(dictionary, "regions", lang, {"name": TEXT}), above=TEXTS, successors=TEXTS,
            coverage=thing(listings=told, notices=told), sources=each(source), hotlines=each(thing(number=TEXT, name=TEXT, note=TEXT, region=TEXT)),
            counts=thing(**counts), classes=COUNTS, regions=each(part), notices_by_month=COUNTS, listings_by_month=COUNTS, changes=maybe(changes),
            newest_notices=each(ref("ShortNotice")), filters={"type": "object", "additionalProperties": TEXT}, total=WHOLE, limit=WHOLE, offset=WHOLE,
            institutions=each(ref("Card")),
        ),
    }  # fmt: skip


def _verify() -> dict[str, Schema]:
    who = thing(
        id=TEXT,
        name=TEXT,
        region_code=MAYBE,
        region=TEXT,
        address=MAYBE,
        code=MAYBE,
        how=TEXT,
        matched=MAYBE,
        alias_kind=MAYBE,
        differences=each({"type": "object"}),
    )
    listing = {"type": "object", "required": ["id", "list", "label"], "additionalProperties": {"type": ["string", "boolean", "null"]}}
    answer: dict[str, Schema] = {
        "query": {"type": "object", "additionalProperties": TEXT}, "status": {"type": "string", "enum": list(STATUSES)}, "text": TEXT, "reasons": CODED, "notes": CODED, "lists": TEXTS,
        "institution": maybe(ref("Who")), "listings": each(listing), "notices_in_force": MAYBE_WHOLE, "notices": TEXTS, "unmatched_notices": TEXTS, "candidates": each(ref("Who")),
        "sources": each(thing(id=TEXT, as_of=MAYBE)),
    }  # fmt: skip
    meaning = {"means": TEXTS, "means_not": TEXTS, "do": TEXTS}
    # of each name, region, code and permit; one that cannot be read is answered as such and keeps none of the others from its answer
    return {
        "Who": who,
        "Answered": thing(**answer),
        "One": thing({**OF_RELEASE, **meaning}, release=TEXT, as_of=MAYBE, **answer),
        "Many": thing(OF_RELEASE, release=TEXT, as_of=MAYBE, answers=each(ref("Answered"))),
        "Verified": {"anyOf": [ref("One"), ref("Many")]},
        "ToVerify": {
            "anyOf": [
                thing({"region": TEXT}, names={"type": "array", "items": ANY, "minItems": 1, "maxItems": 1000}),
                thing(queries={"type": "array", "items": ANY, "minItems": 1, "maxItems": 1000}),
            ]
        },
    }


def _changes() -> dict[str, Schema]:
    field = thing(field=TEXT, before=ANY, after=ANY, has_values=YES)
    item = thing(
        number=MAYBE_WHOLE, release=TEXT, recorded_on=TEXT, dataset=TEXT, table=TEXT, key=MAYBE, kind=TEXT, cause=MAYBE, subject=MAYBE, region=MAYBE, is_shown=YES,
        effective_on=MAYBE, published_on=MAYBE, fields=each(field), name=MAYBE, event=TEXT, region_name=MAYBE, url=MAYBE,
    )  # fmt: skip
    reason = {"type": "object", "required": ["table", "kind"]}
    entry = thing(
        {"from": MAYBE, "pipeline": {"type": ["boolean", "null"]}, "reissued_on": MAYBE},
        release=TEXT,
        day=TEXT,
        dataset=TEXT,
        to=TEXT,
        bump=TEXT,
        because=each(reason),
    )
    delta = {"type": "object"}
    return {
        "Change": item,
        "Timeline": maybe(each(ref("Change"))),
        "Changes": thing(
            release=TEXT, selection={"type": "object", "required": ["releases"]}, counts=each(thing(table=TEXT, kind=TEXT, cause=TEXT, rows=WHOLE)),
            by_release=each(BY_RELEASE), first_release=COUNTS, items=each(ref("Change")), next=MAYBE,
        ),
        "Changelog": thing(OF_RELEASE, release=TEXT, versions={"type": "object", "additionalProperties": TEXT}, entries=each(entry)),
        "Deltas": thing(
            release=TEXT, sha256=MAYBE, windows={"type": "object", "additionalProperties": delta}, releases=each(thing(id=TEXT, released_on=TEXT, delta=maybe(delta)))
        ),
    }  # fmt: skip


def _reconcile() -> dict[str, Schema]:
    kind = thing(id=TEXT, name=TEXT)
    entity = thing(id=TEXT, name=TEXT, description=TEXT, type=each(kind), score=NUMBER, match=YES, features=each(thing(id=TEXT, value=ANY)))
    manifest = {"type": "object", "required": ["versions", "name", "identifierSpace", "schemaSpace", "batchSize"]}
    result = thing({"error": TEXT}, result=each(entity))
    extended = thing(meta=each(kind), rows={"type": "object", "additionalProperties": {"type": "object"}})
    return {
        "ReconcileResult": result,
        "Reconciled": {"anyOf": [manifest, extended, {"type": "object", "additionalProperties": ref("ReconcileResult")}]},
        "ReconcileSuggestions": thing(result=each(thing({"description": TEXT, "notable": each(kind)}, id=TEXT, name=TEXT))),
        "ReconcileProperties": thing(type=TEXT, properties=each(kind)),
        "Flyout": thing(id=TEXT, html=TEXT),
        "ToReconcile": {
            "anyOf": [{"type": "object", "required": [key], "properties": {key: {"type": "object"}}} for key in ("queries", "extend")]
        },
    }


def _others() -> dict[str, Schema]:
    both = thing(zh=TEXT, en=TEXT)
    checked = thing(id=TEXT, as_of=MAYBE, checked_at=MAYBE, is_stale=YES)
    serving = thing(
        id=TEXT,
        released_on=TEXT,
        sources=each(ref("Source")),
        release=TEXT,
        as_of=MAYBE,
        oldest_as_of=MAYBE,
        stale_sources=TEXTS,
        held=each({"type": "object"}),
    )
    file = thing(
        name=TEXT,
        of=MAYBE,
        form=TEXT,
        packing=MAYBE,
        region=MAYBE,
        rows=MAYBE_WHOLE,
        is_given=YES,
        media_type=TEXT,
        bytes=WHOLE,
        sha256=TEXT,
    )
    return {
        "Downloads": thing(release=TEXT, newest_release=TEXT, files=each(file)),
        "Manifest": {"type": "object", "required": ["id", "released_on", "files"]},
        "Status": thing(serving=maybe(serving), problem=MAYBE, status=maybe(ref("LastRuns"))),
        "LastRuns": thing(
            live=MAYBE,
            signed_by=MAYBE,
            last_run=maybe(thing(at=MAYBE, outcome=MAYBE, reason=MAYBE)),
            runs=each(thing(first=MAYBE, last=MAYBE, times=WHOLE, outcome=MAYBE, reason=MAYBE, release=MAYBE)),
            waiting=each(thing(source=MAYBE, table=MAYBE, bound=MAYBE, since=MAYBE)),
            sources={"type": "object", "additionalProperties": thing(last_checked=MAYBE, content_since=MAYBE)},
        ),
        "Dataset": thing(
            OF_RELEASE,
            release=TEXT,
            dataset=TEXT,
            version=MAYBE,
            label=both,
            about=both,
            tables=each({"type": "object", "required": ["name", "rows", "rows_as_published", "label", "key", "columns"]}),
            sources=TEXTS,
            rows_over_time=each(thing(release=TEXT, day=TEXT, rows=COUNTS)),
            known_issues=each(thing(table=TEXT, column=MAYBE, kind=TEXT, count=WHOLE)),
            held=each(thing(source=TEXT, table=TEXT, region=TEXT, since=TEXT, bound=MAYBE)),
        ),
        "Feed": {"type": "object"},
        "Heartbeat": thing(
            feed=TEXT,
            release=TEXT,
            last=WHOLE,
            mark=MAYBE,
            updated=MAYBE,
            checked_at=MAYBE,
            as_of=MAYBE,
            is_covered={"type": ["boolean", "null"]},
            not_covered=maybe(thing(code=TEXT, text=TEXT)),
            sources=each(checked),
            since=TEXT,
        ),
        "Rows": {"type": ["object", "array"]},
    }
