"""Which tables of millions the live release has to the letter as they would be assembled: closed months of ratings do not change.

A table without ids of its own is taken from there where every step from its pages to its rows is known to be the same: the pages say the same
under the same recipe, and of the live release the manifest says that each of their records became a row of its own. What was held, went back, was
set aside or left out makes other rows, and a file that is not what its manifest says proves nothing: then the table is made anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .catalogue import Catalogue
from .home import Home
from .release import file_sha256
from .snapshot import Snapshot, load
from .stage import Staged, needed, staged_tables
from .unchanged import identity


def untouched(home: Home, live: str, staged: Staged, catalogue: Catalogue) -> frozenset[str]:
    """The tables of the release that is live which the candidate that is `staged` may take over."""
    manifest = home.manifest(live)
    if manifest["recipe"] != staged.recipe or manifest["restores"] or manifest["held"]:
        return frozenset()
    before = {row["id"]: [load(home.raw / one["id"], bodies=False) for one in row["snapshots"]] for row in manifest["sources"]}
    names = {table.name for table in staged_tables(catalogue) if not table.prefix and not table.parent}
    names = {
        name
        for name in names
        if _all_published(manifest, name) and _pages(staged.inputs, name, catalogue) == _pages(before, name, catalogue)
    }
    whole = names and file_sha256(home.releases / live / "mingbai.db") == manifest["files"]["mingbai.db"]["sha256"]
    return frozenset(names if whole else ())


def _all_published(manifest: Mapping[str, Any], table: str) -> bool:
    """Whether each record was a row, and each row is one of these records."""
    fates, rows = manifest["accounting"].get(table, {}), manifest["tables"].get(table)
    return bool(rows) and fates == {"records": rows, "published": rows}


def _pages(inputs: Mapping[str, Sequence[Snapshot]], table: str, catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """What every page says that the rows of a table are made of. Behind one another or not: no two of their records are of one row."""
    return sorted(
        (snapshot.source, page.listing, identity(page))
        for snapshot, page, _, _ in needed(inputs, catalogue)
        if catalogue.source(snapshot.source).listings[page.listing].table == table
    )
