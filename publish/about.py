"""Of what and of when a change is: whose row it is, in which region, since when it holds, and on which day its source said so.

Expressions in SQL over one row, for the statements of diff.py. A date that nobody gave is NULL: of a removal no source says since when it holds.
"""

from collections.abc import Mapping

from .catalogue import Catalogue
from .dataset import Table

# the day since which a row that was added holds, and a row that changed holds as it is now, where the row says so itself: an old day of a row
# that changed in something else, such as that its list no longer has it, says nothing of that
ADDED = {
    "notices": ("decided_on",),
    "listings": ("listed_on", "as_of"),
    "institutions": ("updated_on",),
    "permits": ("valid_from",),
    "fund_supervision": ("since",),
    "ratings": ("month",),
    "notice_statements": ("said_on", "recorded_on"),
}
CHANGED = {"institutions": ("updated_on",), "listings": ("as_of",)}
SINCE: Mapping[str, Mapping[str, tuple[str, ...]]] = {"add": ADDED, "change": CHANGED, "remove": {}}


def about(table: Table, catalogue: Catalogue, alias: str, kind: str) -> str:
    """Four values: the id of the institution or notice (else the row's own), the region's code, the day since which the change holds, and the
    day of its publication: of a row that was added its own, else the day up to which its source was read. `alias` is the row, in `new`, or in
    `old` for one that is removed; beside one that changed, `o` is the row as it was."""
    side = "old" if kind == "remove" else "new"
    owner = next((catalogue.tables[name] for name in ("notices", "institutions") if name == table.name or table.ref_to(name)), table)
    subject = f'{alias}."{table.key[0] if owner is table else table.ref_to(owner.name)}"'
    of = [(table, alias)] if owner is table else [(table, alias), (owner, "p")]

    def first(*columns: str) -> str:
        found = [f'{row}."{column}"' for each, row in of for column in columns if column in each.columns]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})" if found else "NULL"

    days = SINCE[kind].get(table.name, ())
    said = [f"iif({alias}.{day} IS NOT o.{day}, {alias}.{day}, NULL)" if kind == "change" else f"{alias}.{day}" for day in days]
    effective = f"coalesce({', '.join(said)}, NULL)" if days else "NULL"
    source = f"(SELECT s.as_of FROM new.sources s WHERE s.id = {first('source_id')})" if first("source_id") != "NULL" else "NULL"
    document = f"(SELECT d.as_of FROM new.documents d WHERE d.id = {first('document_id')})"
    own = [first(day) for day in ("published_on", "as_of") if first(day) != "NULL"]
    dates = [*own, *([document] if first("document_id") != "NULL" else []), source] if kind == "add" else [source]
    published = f"coalesce({', '.join(dates)}, NULL)"
    if owner is table:
        return f"{subject}, {first('region_code')}, {effective}, {published}"
    joined = f'FROM {side}."{owner.name}" p WHERE p."{owner.key[0]}" = {subject}'
    return f"{subject}, (SELECT {first('region_code')} {joined}), {effective}, (SELECT {published} {joined})"
