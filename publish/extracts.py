"""The rows of a table as a query: all of them, or those under a region, where the table has one or belongs to a row that has one.

Names and codes of regions are from the declarations: no value of anybody else is in what is made here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

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


def outside(catalogue: Catalogue, table: Table, regions: Collection[str]) -> str | None:
    """The condition for the rows that lie in none of these regions: of no region, or of the whole country."""
    at = catalogue.regions
    within = {row.code for row in at.rows() if not {row.code, *(above.code for above in at.ancestors(row.code))}.isdisjoint(regions)}
    listed = ", ".join(f"'{code}'" for code in sorted(within))
    found = belonging(catalogue.tables, table, lambda column: f'"{column}" IN ({listed})')
    return found and f"NOT coalesce({found}, 0)"


def belonging(tables: Mapping[str, Table], table: Table, condition: Callable[[str], str]) -> str | None:
    """The condition on a table's column of a region, or on that of the row that its own belong to; None for a table without regions. A part that says no
    region (an address of an institution) lies where what it is a part of does."""
    column = next((column.name for column in table.published if column.kind == "region" and column.name != "parent_code"), None)
    if column is not None:
        own, part = condition(column), next((each for each in table.published if each.name == table.key[0] and each.kind == "ref"), None)
        of = tables[str(part.ref)] if part and part.ref not in (table.name, *OF_NO_PLACE) else None
        above = belonging(tables, of, condition) if of else None
        if of is None or above is None:
            return own
        return f'({own} OR "{column}" IS NULL AND "{table.key[0]}" IN (SELECT "{of.key[0]}" FROM "{of.name}" WHERE {above}))'
    refs = [column for column in table.published if column.kind == "ref" and column.ref not in (table.name, *OF_NO_PLACE)]
    for ref in sorted(refs, key=lambda column: column.name != table.key[0]):  # what it is a part of comes first
        of = tables[str(ref.ref)]
        if (found := belonging(tables, of, condition)) is not None:
            return f'"{ref.name}" IN (SELECT "{of.key[0]}" FROM "{of.name}" WHERE {found})'
    return None
