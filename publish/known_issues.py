"""What of the newest records could not be used as it was, for everybody: how many by our table, our column and kind, and nothing else.

An issue is private: it repeats what a source wrote, and a field that nobody mapped is spelt by the source. So only names of ours leave here, of columns that
are published; whatever else there is counts under its table alone. The lines for the staff are issues.py's.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .home import to_read
from .sourcefile import ListingDeclaration, Rows, Target

KINDS = ("set_aside", "part_set_aside", "bad_value", "missing_field", "unmapped_field", "duplicate_key", "duplicate_part", "screened")
DOCUMENT = ("title", "url", "as_of", "batch_label", "authority")
FILE = "file"  # every other kind: a row that is no record, a sheet that was passed over, a cell that a form cannot hold
Place = tuple[str, str | None]  # table and column


def known_issues(private: Path, catalogue: Catalogue) -> list[dict[str, Any]]:
    """`table`, `column` (None: of the record, or of no column that is published), `kind` and `count`, from the staging file of a candidate."""
    connection = sqlite3.connect(to_read(private), uri=True)
    try:
        found = connection.execute(
            """SELECT i.source, i.listing, i.kind, i.field, sum(i.count) FROM issues i JOIN pages p ON p.page = i.page
            WHERE p.generation = 0 GROUP BY 1, 2, 3, 4"""
        ).fetchall()
    finally:
        connection.close()
    places: dict[tuple[str, str], Mapping[str, Place]] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for source, listing, kind, field, count in found:
        declared = catalogue.source(source).listings[listing]
        if (source, listing) not in places:
            places[source, listing] = dict(_places(declared, catalogue))
        table, column = _place(declared, kind, field, places[source, listing], catalogue)
        counts[table, column or "", kind if kind in KINDS else FILE] += count
    said = ((*place, count) for place, count in sorted(counts.items()))
    return [{"table": table, "column": column or None, "kind": kind, "count": count} for table, column, kind, count in said]


def _place(listing: ListingDeclaration, kind: str, field: str, places: Mapping[str, Place], catalogue: Catalogue) -> Place:
    """Where an issue of a listing is, in our words."""
    if kind == "duplicate_part":  # it names the table of the part
        return (field if field in catalogue.tables else listing.table), None
    if kind == "screened":  # it names a column of ours: of the record where that has it, else of a part or the document
        tables = dict.fromkeys([listing.table, *(table for table, _ in places.values())])
        table, column = next(((name, field) for name in tables if field in catalogue.tables[name].columns), (listing.table, None))
    elif kind == "part_set_aside":  # it names both
        table, _, column = field.partition(".")
    elif kind == "unmapped_field":  # of the record, or of a part
        table, column = places.get(field.partition(".")[0], (listing.table, None))[0], None
    elif kind in KINDS:
        table, column = places.get(field, (listing.table, None))
    else:
        table, column = listing.table, None
    is_public = column is not None and catalogue.tables[table].columns[column].published
    return table, column if is_public else None


def _places(listing: ListingDeclaration, catalogue: Catalogue) -> Iterator[tuple[str, Place]]:
    """What an issue calls a field of the source, and where it goes: of several places the first."""
    rule = listing.document
    fields = (rule.title_field, rule.url_field, rule.as_of_field, rule.batch_field, rule.authority_field)
    yield from ((field, ("documents", column)) for field, column in zip(fields, DOCUMENT, strict=True) if field)
    for name, targets in listing.fields.items():
        for target in reversed(targets):
            if isinstance(target, Target):
                yield name, (target.table, target.column)
            else:
                yield from _nested(name, target)


def _nested(name: str, rows: Rows) -> Iterator[tuple[str, Place]]:
    yield name, (rows.table, rows.value.column if rows.value else None)
    yield from ((f"{name}.{key}", (inner.table, inner.column)) for key, inner in rows.fields.items())
