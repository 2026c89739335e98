"""The rows of a table as a query: all of them, or those under a region, where the table has one or belongs to a row that has one.

Names and codes of regions are from the declarations: no value of anybody else is in what is made here.
"""

from collections.abc import Callable, Mapping, Sequence

from .catalogue import Catalogue
from .dataset import Column, Table

OF_NO_PLACE = ("sources", "documents")  # what a row is from says nothing about where it is


def rows(table: Table, columns: Sequence[Column], where: str = "") -> str:
    """The query for these columns in the order of the key. `where` is one of the conditions below."""
    names, keys = (", ".join(f'"{name}"' for name in several) for several in ([column.name for column in columns], table.key))
    return f'SELECT {names} FROM "{table.name}" {f"WHERE {where} " if where else ""}ORDER BY {keys}'


def under(catalogue: Catalogue, table: Table, region: str) -> str | None:
    """The condition for the rows of a region and of those that lie in it; None for a table without regions. Raises KeyError for a code that is none."""
    if catalogue.regions.at(region) is None:
        raise KeyError(region)
    codes = {row.code for row in catalogue.regions.rows() if catalogue.regions.is_within(row.code, region)}
    listed = ", ".join(f"'{code}'" for code in sorted(codes))
    return belonging(catalogue.tables, table, lambda column: f'"{column}" IN ({listed})')


def of_no_region(catalogue: Catalogue, table: Table) -> str | None:
    """The condition for the rows of no region."""
    found = belonging(catalogue.tables, table, lambda column: f'"{column}" IS NOT NULL')
    return found and f"NOT coalesce({found}, 0)"


def belonging(tables: Mapping[str, Table], table: Table, condition: Callable[[str], str]) -> str | None:
    """The condition on a table's column of a region, or on that of the row that its own belong to; None for a table without regions."""
    column = next((column.name for column in table.published if column.kind == "region" and column.name != "parent_code"), None)
    if column is not None:
        return condition(column)
    refs = [column for column in table.published if column.kind == "ref" and column.ref not in (table.name, *OF_NO_PLACE)]
    for ref in sorted(refs, key=lambda column: column.name != table.key[0]):  # what it is a part of comes first
        of = tables[str(ref.ref)]
        if (found := belonging(tables, of, condition)) is not None:
            return f'"{ref.name}" IN (SELECT "{of.key[0]}" FROM "{of.name}" WHERE {found})'
    return None
