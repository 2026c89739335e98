"""What of an earlier release comes back when somebody goes back to it, and what has ended, was withdrawn or was corrected since."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from byhand import DAY, Row, published, put, staged
from publish import historyfile, restore
from publish.catalogue import Catalogue
from publish.errors import BadHome
from publish.tables import Working, working

OLD = 2  # the number of the release that somebody goes back to; a later one is live
Change = tuple[int, str, str, str]  # release, table, kind, cause
# notice: facts in the release of then (None: not there), facts live, what happened, what its source says of it now, facts that come back
NOTICES: dict[str, tuple[str | None, str | None, list[Change], str | None, str | None]] = {
    "as it was": ("then", "then", [], None, "then"),
    "spoilt since": ("then", "now", [(3, "notices", "change", "source")], None, "then"),
    "gone since": ("then", None, [(3, "notices", "remove", "source")], None, "then"),
    "withdrawn": ("then", None, [(3, "notices", "remove", "withdrawal")], None, None),
    "repaired": ("then", None, [(4, "notices", "remove", "repair")], None, None),
    "expired": ("then", None, [(3, "notices", "remove", "expiry")], None, None),
    "withdrawn before": ("then", None, [(OLD, "notices", "remove", "withdrawal")], None, "then"),
    "withdrawn and back": ("then", "then", [(3, "notices", "remove", "withdrawal")], "withdrawn", "then"),
    "changed for a withdrawal": ("then", None, [(3, "notices", "change", "withdrawal")], None, "then"),
    "of another table": ("then", "now", [(3, "listings", "remove", "withdrawal"), (3, "listings", "change", "correction")], None, "then"),
    "said to be withdrawn": ("then", None, [], "withdrawn", None),
    "said to be repaired": ("then", None, [], "repaired", None),
    "said to be expired": ("then", None, [], "expired", None),
    "said to be minor": ("then", None, [], "minor", "then"),
    "corrected": ("then", "now", [(3, "notices", "change", "correction"), (4, "notices", "change", "correction")], None, "now"),
    "disputed": ("then", "now", [(3, "notices", "change", "dispute")], None, "now"),
    "corrected before": ("then", "now", [(OLD, "notices", "change", "correction")], None, "then"),
    "corrected away": ("then", None, [(3, "notices", "change", "correction")], None, None),
    "corrected to nothing": ("then", None, [(3, "notices", "remove", "correction")], None, None),
    "gone for a correction": ("then", "now", [(3, "notices", "remove", "correction")], None, "then"),
    "new and corrected": (None, "now", [(3, "notices", "change", "correction")], None, None),
    "new": (None, "now", [(3, "notices", "add", "source")], None, None),
}  # fmt: skip
MORE_THEN: dict[str, list[Row]] = {
    "institutions": [{"id": "i"}, {"id": "absent", "absent_since": DAY}],
    "listings": [{"id": "ended", "list": "black", "listed_on": "2020-01-01", "absent_since": DAY}, {"id": "runs"}],
    "ratings": [{"institution_id": "i", "month": month, "mean_rating": 1.0} for month in ("2026-10", "2026-11")],
    "notices": [{"id": "ended", "public_until": "2026-11-01"}, {"id": "ends today", "public_until": DAY, "document_id": "named"}],
    "documents": [{"id": "named"}, {"id": "not named"}],
}


def document(name: str, facts: str) -> str:
    """The document of a notice: one of its own for what it said then and says now, but for one that is disputed, where it is the same."""
    return name if name == "disputed" else f"{name} {facts}"


def side(number: int) -> dict[str, list[Row]]:
    """The rows of then (0) or the live ones (1); every notice has a document, a measure and a link of its own."""
    there = {name: facts for name, sides in NOTICES.items() if (facts := sides[number])}
    rows: dict[str, list[Row]] = {
        "notices": [{"id": name, "facts": facts, "document_id": document(name, facts)} for name, facts in there.items()],
        "documents": [{"id": document(name, facts)} for name, facts in there.items()],
        "notice_measures": [{"notice_id": name, "measure_code": facts} for name, facts in there.items()],
        "notice_links": [{"notice_id": name, "institution_id": "i", "method": facts} for name, facts in there.items()],
    }
    if number:
        rows["notice_links"].append({"notice_id": "corrected", "institution_id": "new", "method": "now"})
        return rows | {"institutions": [{"id": "i"}, {"id": "new"}]}
    return {name: [*rows.get(name, []), *MORE_THEN.get(name, [])] for name in {**rows, **MORE_THEN}}


def made(folder: Path, catalogue: Catalogue) -> tuple[Path, Path, Path, Path]:
    """The release of then, the live one, which knows no legal basis, the history and the staging file of the live one."""
    past = folder / "history.db"
    with working(past) as connection:
        connection.execute(historyfile.SCHEMA)
        put(connection, {"releases": [{"number": n, "id": f"r{n}", "day": DAY} for n in (1, OLD, 3, 4)]})
        changes = [
            {"release": release, "table_name": table, "key": name, "kind": kind, "cause": cause}
            for name, (_, _, several, _, _) in NOTICES.items()
            for release, table, kind, cause in several
        ]
        put(connection, {"changes": changes})
    said = [{"id": name, "withheld": now} for name, (_, _, _, now, _) in NOTICES.items() if now]
    then = published(folder / "then.db", catalogue, side(0))
    live = published(folder / "live.db", catalogue, side(1), ["notices.legal_basis"])
    return then, live, past, staged(folder / "private.db", catalogue, {"notices": said})


MANIFEST = {
    "accounting": {
        "institutions": {"records": 2, "published": 1, "kept_absent": 1},
        "listings": {"records": 9, "published": 1, "kept_absent": 1},
        "notices": {"records": 0, "published": 30, "kept_absent": 0},
        "ratings": {"records": 1, "published": 1, "kept_held": 1},
    },
    "issues": {"bad_value": 1},
}


def outcomes(module: Any, catalogue: Catalogue, sides: tuple[Path, Path, Path, Path], folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """(what is asked, what `module` did, what is right) of everything that going back does."""
    then, live, past, base = sides
    path = Path(shutil.copyfile(then, folder / "candidate.db"))
    made = module.restore(path, f"r{OLD}", live, past, base, MANIFEST, catalogue, date.fromisoformat(DAY))
    connection = Working(str(path))
    came = {name: right for name, (*_, right) in NOTICES.items() if right}
    facts = dict(connection.all("SELECT id, facts FROM notices"))
    for name in NOTICES:
        yield f"notices: {name}", facts.get(name), came.get(name)
    yield "what ended", {name for name in facts if name not in NOTICES}, {"ends today"}
    for table, code in (("notice_measures", "measure_code"), ("notice_links", "method")):
        yield table, dict(connection.all(f"SELECT notice_id, {code} FROM {table}")), came
    yield "links to who is not there", connection.all("SELECT DISTINCT institution_id FROM notice_links"), [("i",)]
    yield "documents", {row[0] for row in connection.all("SELECT id FROM documents")}, {"named", *(document(*each) for each in came.items())}  # fmt: skip
    yield "listings", connection.all("SELECT id FROM listings"), [("runs",)]
    yield "ratings", connection.all("SELECT month FROM ratings"), [("2026-10",)]
    yield "institutions", connection.all("SELECT id FROM institutions ORDER BY 1"), [("absent",), ("i",)]
    yield "counts", made.tables, {name: connection.one(f'SELECT count(*) FROM "{name}"') for name in catalogue.tables}
    connection.close()
    gone = sum(1 for then, _, _, _, right in NOTICES.values() if then and not right) + 1
    right = {
        "institutions": {"records": 2, "published": 1, "kept_absent": 1},
        "listings": {"records": 9, "published": 1},
        "notices": {"records": 0, "published": 30 - gone, "over_since": gone},
        "ratings": {"records": 1, "published": 0, "kept_held": 1, "over_since": 1},
    }
    yield "accounting", made.accounting, right
    yield "the rest", (made.day, dict(made.issues), made.next_expiry, made.unusable), (DAY, {"bad_value": 1}, DAY, {})
    for fates, numbers, said in FATES:
        yield f"fates {numbers}", module.fates_without(fates, *numbers), said
    yield from _without(module, catalogue, sides, folder)


FATES: list[tuple[dict[str, int], tuple[int, int], dict[str, int]]] = [
    ({"records": 5, "published": 5}, (0, 0), {"records": 5, "published": 5}),
    ({"records": 5, "published": 5, "kept_absent": 2}, (3, 1), {"records": 5, "published": 3, "kept_absent": 1, "over_since": 2}),
    ({"records": 5, "published": 1, "kept_held": 4}, (3, 0), {"records": 5, "published": 0, "kept_held": 2, "over_since": 1}),
    ({"records": 5, "published": 5, "over_since": 1}, (1, 0), {"records": 5, "published": 4, "over_since": 2}),
    ({"records": 0, "published": 0, "duplicate": 0}, (0, 0), {"records": 0, "published": 0}),
]


def _without(module: Any, catalogue: Catalogue, sides: tuple[Path, Path, Path, Path], folder: Path) -> Iterator[tuple[str, Any, Any]]:
    then, live, past, _ = sides
    path = Path(shutil.copyfile(then, folder / "candidate.db"))
    module.restore(path, f"r{OLD}", live, past, folder / "none.db", MANIFEST, catalogue, date.fromisoformat(DAY))
    with working(path) as connection:
        yield "without a staging file the history alone tells", connection.all("SELECT id FROM notices WHERE id IN ('withdrawn', 'said to be withdrawn')"), [("said to be withdrawn",)]  # fmt: skip
    whole = Path(shutil.copyfile(then, folder / "candidate.db"))
    module.without(whole, ["corrected", "not there"], MANIFEST, catalogue, date.fromisoformat(DAY))
    with working(whole) as connection:
        there = {name for name, (facts, *_) in NOTICES.items() if facts} | {row["id"] for row in MORE_THEN["notices"]}
        yield "without one notice", {id for (id,) in connection.all("SELECT id FROM notices")}, there - {"corrected"}
        yield "and what belonged to it", connection.all("SELECT 1 FROM notice_measures WHERE notice_id = 'corrected'"), []
    try:
        module.restore(path, "unknown", live, past, folder / "none.db", MANIFEST, catalogue, date.fromisoformat(DAY))
        yield "a release that nobody knows", "restored", "refused"
    except BadHome as error:
        yield "a release that nobody knows", "does not know release unknown" in str(error), True


def test_what_has_ended_since_does_not_come_back(catalogue: Catalogue, tmp_path: Path) -> None:
    for asked, said, right in outcomes(restore, catalogue, made(tmp_path, catalogue), tmp_path):
        assert said == right, asked
