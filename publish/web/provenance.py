"""Where each value on an institution's page comes from: source, document, day, and what the source itself wrote where we wrote it otherwise.

A row of a release has one source and one document, which are those of each of its values, also of the parts of an institution (its permits, sites …). What
the source wrote stands in a column of its own, by name (`fine_fen` and `fine_text`), and how a value is come by in the declaration of its column.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .frame import Dictionary
from .reader import Row

PARTS: Mapping[str, str] = {  # of an institution as `facts.institution` has them, and their tables
    "aliases": "institution_aliases",
    "permits": "permits",
    "sites": "institution_sites",
    "classes": "institution_classes",
    "fund_supervision": "fund_supervision",
}
OURS = ("id", "source_id", "document_id", "institution_id")  # what a row is, not what it says
ENDINGS = ("_fen", "_code", "_type")  # of what we made of a text


@dataclass(frozen=True)
class Value:
    """One value of a row: its column, what we say, and what the source wrote where that is kept beside it."""

    table: str
    column: str
    value: object
    text: object


@dataclass(frozen=True)
class Origin:
    """Rows of one source and one document. `row` is the one that names them, `page` the page or row that they are of."""

    name: str  # the end of a key of wording
    row: Row
    values: tuple[Value, ...]
    table: str
    key: str | None


def origins(found: Row, dictionary: Dictionary) -> Iterator[Origin]:
    """Everything that `facts.institution` has, by where it is from."""
    columns = {name: table["columns"] for dataset in dictionary.values() for name, table in dataset["tables"].items()}

    def of(table: str, row: Row) -> tuple[Value, ...]:
        return tuple(_values(table, row, columns[table]))

    parts = tuple(value for part, table in PARTS.items() for row in found[part] for value in of(table, row))
    yield Origin("identity", found, of("institutions", found) + parts, "institutions", found["id"])
    for listing in found["listings"]:
        yield Origin("listing", listing, of("listings", listing), "listings", listing["id"])
    for notice in found["notices"]:
        yield Origin("notice", notice, of("notices", notice) + of("notice_links", notice), "notices", notice["id"])
    for rating in found["ratings"]:
        said = {"dimension": rating["dimension"], "scale_max": rating["scale_max"], "rating_count": rating["count"] or None}
        yield Origin("rating", rating, of("ratings", said), "ratings", None)


def _values(table: str, row: Row, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Value]:
    """The values of a row that has any, in the order of the declaration."""
    texts = {column: _text(column, columns) for column in columns}
    for column in columns:
        if column in OURS or column in texts.values():
            continue
        value, text = row.get(column), row.get(texts[column] or "")
        if value is not None or text is not None:
            yield Value(table, column, value, text)


def _text(column: str, columns: Sequence[str] | Mapping[str, object]) -> str | None:
    """The column that has what the source wrote for another."""
    stems = [column, *(column.removesuffix(ending) for ending in ENDINGS)]
    return next((f"{stem}_text" for stem in stems if f"{stem}_text" in columns and f"{stem}_text" != column), None)
