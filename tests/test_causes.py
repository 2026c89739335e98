"""Whose doing a change is: no source is blamed for what we did, and nothing that our recipe changed passes for what people entered."""

from pathlib import Path
from typing import Any

import pytest

from byhand import DAY, published
from publish.assembled import Assembled
from publish.catalogue import Catalogue
from publish.diff import diff
from publish.tables import working

REPLY = {"notice_id": "n-1", "number": 1, "kind": "reply", "text": "校长王小明", "said_on": "2026-11-01", "recorded_on": DAY}
DISPUTE = {"notice_id": "n-1", "number": 1, "kind": "dispute", "recorded_on": DAY, "document": "王小明的申请"}
CORRECTION = {"notice_id": "n-1", "number": 1, "kind": "correction", "fields": "facts fine_fen", "recorded_on": DAY}
NOTICE = {"id": "n-1", "facts": "甲", "title": "校长王小明", "fine_fen": 1, "state": "active"}
CORRECTED = {**NOTICE, "facts": "乙", "title": "校长王某", "fine_fen": 2, "state": "corrected"}
DOCUMENT = {"id": "d-1", "as_of": "2026-10-02"}
NAMED, OVER = {**NOTICE, "document_id": "d-1"}, {**NOTICE, "document_id": "d-1", "public_until": "2026-11-01"}
BLACK = {"id": "l-1", "list": "black", "listed_on": "2025-10-01", "document_id": "d-1"}


def side(statements: Any = (), notices: Any = (NOTICE,), **more: Any) -> dict[str, Any]:
    return {"sources": [{"id": "s", "as_of": "2026-11-01"}], "notices": notices, "notice_statements": statements, **more}


def said(field: str, cause: str) -> tuple[str, str, str]:
    return "notices", field, cause


Case = tuple[dict[str, Any], dict[str, Any], bool, list[tuple[str, str, str]]]
CASES: dict[str, Case] = {
    "a reply is masked better": (
        side([REPLY]), side([{**REPLY, "text": "校长王某"}]), True,
        [("notice_statements", "text", "pipeline")],
    ),
    "a reply is masked better by what calls itself the same recipe": (
        side([REPLY]), side([{**REPLY, "text": "校长王某"}]), False,
        [("notice_statements", "text", "pipeline")],
    ),
    "a correction from before reads otherwise, and so does its notice": (
        side([{**CORRECTION, "document": "王小明"}]), side([{**CORRECTION, "document": "王某"}], [{**NOTICE, "title": "校长王某"}]), True,
        [("notice_statements", "document", "pipeline"), said("title", "pipeline")],
    ),
    "a correction is entered while the recipe changes": (
        side(), side([CORRECTION], [CORRECTED]), True,
        [("notice_statements", "add", "correction"), said("facts", "correction"), said("fine_fen", "correction"), said("state", "correction"), said("title", "pipeline")],
    ),
    "a correction is entered": (
        side(), side([CORRECTION], [CORRECTED]), False,
        [("notice_statements", "add", "correction"), *(said(field, "correction") for field in ("facts", "fine_fen", "state", "title"))],
    ),
    "a column whose name ends as one that is corrected": (
        side(), side([{**CORRECTION, "fields": "penalty_text"}], [{**NOTICE, "fine_text": "乙", "penalty_text": "丙"}]), True,
        [("notice_statements", "add", "correction"), said("fine_text", "pipeline"), said("penalty_text", "correction")],
    ),
    "a dispute is entered while the recipe changes": (
        side(), side([DISPUTE], [{**CORRECTED, "state": "disputed"}]), True,
        [("notice_statements", "add", "dispute"), *(said(field, "dispute" if field == "state" else "pipeline") for field in ("facts", "fine_fen", "state", "title"))],
    ),
    "a dispute is settled while the recipe changes": (
        side([DISPUTE], [{**NOTICE, "state": "disputed"}]), side([{**DISPUTE, "settled_on": DAY}], [{**NOTICE, "title": "别的"}]), True,
        [("notice_statements", "settled_on", "dispute"), said("state", "dispute"), said("title", "pipeline")],
    ),
    "the subject became a person": (
        side([REPLY]), side((), [{**NOTICE, "subject_kind": "person"}]), False,
        [("notice_statements", "remove", "dispute"), said("subject_kind", "source")],
    ),
    "the subject of what was corrected became a person": (
        side([CORRECTION], [CORRECTED]), side((), [{**CORRECTED, "subject_kind": "person", "state": "active"}]), False,
        [("notice_statements", "remove", "correction"), said("state", "source"), said("subject_kind", "source")],
    ),
    "a reply goes with its notice": (side([REPLY]), side((), ()), False, [("notice_statements", "remove", "source"), said("remove", "source")]),
    "a document goes with what has ended": (
        side((), [OVER], documents=[DOCUMENT]), side((), ()), False,
        [("documents", "remove", "expiry"), said("remove", "expiry")],
    ),
    "a document goes with two of which a source took one": (
        side((), [OVER, {**NAMED, "id": "n-2"}], documents=[DOCUMENT]), side((), ()), False,
        [("documents", "remove", "source"), said("remove", "expiry"), said("remove", "source")],
    ),
    "a document that a notice names no longer": (
        side((), [OVER, {**NAMED, "id": "n-2"}], documents=[DOCUMENT]), side((), [{**NOTICE, "id": "n-2"}]), False,
        [("documents", "remove", "source"), said("document_id", "source"), said("remove", "expiry")],
    ),
    "a document goes with a listing that has ended": (
        side((), (), documents=[DOCUMENT], listings=[BLACK]), side((), ()), False,
        [("documents", "remove", "expiry"), ("listings", "remove", "expiry")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_no_source_is_blamed_for_what_we_did_and_our_recipe_for_all_that_it_did(catalogue: Catalogue, tmp_path: Path, what: str) -> None:
    before, after, ours, expected = CASES[what]
    old, new = published(tmp_path / "old.db", catalogue, before), published(tmp_path / "new.db", catalogue, after)
    changes = diff(Assembled(new, DAY, {}, {}, {}, {}, None), old, catalogue, tmp_path / "changes.db", ours=ours)
    with working(changes.path) as connection:
        sql = "SELECT table_name, coalesce(field, kind), cause FROM changes WHERE table_name <> 'sources' ORDER BY 1, 2, 3"
        assert connection.all(sql) == expected
        for cause, day in connection.all("SELECT cause, published_on FROM changes WHERE table_name = 'documents'"):
            assert day == ("2026-11-01" if cause == "source" else None)
        entered = connection.all("SELECT DISTINCT published_on FROM changes WHERE cause IN ('dispute', 'correction')")
        assert entered in ([], [(None,)])
