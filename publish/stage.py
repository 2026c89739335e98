"""Load validated pages into private tables, reading each page once in its life.

The staging file holds the rows of every page that the release is made of: the latest snapshot of each source and, behind it, those that
its rules still need (the one before for a full snapshot, so that absence delists only after two; all for increments). A page whose content
is in the last release's staging file under the same recipe is kept as it is, and so is a record that its page had before (unchanged.py). What is
staged is therefore a function of the snapshots and the recipe alone, and a test compares both ways of getting there.
"""

import hashlib
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .batch import Batch, Issue
from .catalogue import Catalogue
from .dataset import Table
from .dates import TOO_LATE
from .home import to_read
from .progress import Progress, silent
from .snapshot import Page, Snapshot
from .tables import Working, create_staged, give_back, working
from .unchanged import Listing, Torn, earlier_pages, identity, place, repeat, tables_of
from .workers import validated

SCHEMA = """
CREATE TABLE recipe (recipe TEXT NOT NULL) STRICT;
CREATE TABLE pages (
  page INTEGER PRIMARY KEY, source TEXT NOT NULL, listing TEXT NOT NULL, file TEXT NOT NULL, identity TEXT NOT NULL,
  generation INTEGER NOT NULL, ordinal INTEGER NOT NULL, records INTEGER NOT NULL, set_aside INTEGER NOT NULL, as_of TEXT
) STRICT;
CREATE TABLE issues (
  page INTEGER NOT NULL, source TEXT NOT NULL, listing TEXT NOT NULL, file TEXT NOT NULL, row INTEGER NOT NULL, kind TEXT NOT NULL,
  field TEXT NOT NULL, found TEXT NOT NULL, expected TEXT NOT NULL, count INTEGER NOT NULL
) STRICT;
"""
# Modules that read, show or move what others made. What is not named here counts: forgetting one costs a re-reading, never a stale row.
MAKE_NO_ROWS = ("__init__", "__main__", "about", "amend", "amounts", "anew", "answering", "apply", "at_once", "audit", "bounds", "called", "candidate", "canonical", "carry", "causes", "cells", "channel", "coverage", "decide", "deltas", "demo", "diff", "documents",
    "downloads", "drift", "entries", "errors", "events", "extract", "extracts", "families", "feedfile", "feedtables", "filed", "forgotten", "fresh", "given", "guarded", "guards", "happened", "hidden", "history", "historyfile", "hold", "home", "hotlines", "inbox", "index", "inputs", "issues", "keep", "known_issues", "ledger", "live", "meant", "measure", "metadata", "net", "notice_entry", "nowhere", "partitions", "past", "progress", "questions",
    "rebuild", "reissue", "release", "restore", "review", "reviewpage", "reviewtext", "run", "same", "snapshot", "statements", "steps", "stones", "summary", "texts", "undone", "versions", "withdraw",
    "withdrawals", "wording", "work", "workbooks", "workers",
    "addresses", "bodies", "callers", "deliver", "hooks", "outbox", "websub",
    "citation", "columnkinds", "csvw", "datapackage", "dcat", "described", "descriptions", "dictionary", "licence", "linked", "schemaorg",
    "keys", "minisign", "places", "signing", "verified", "chain", "manifests", "served", "vouching", "witness")  # fmt: skip
HERE = Path(__file__).parent
DECLARED_ONLY = (
    "sources",
    "regions",
    "codes",
    "notice_links",
    "held_partitions",
    "notice_statements",
)  # made from declarations, from other rows or from the log of decisions, never staged


@dataclass(frozen=True)
class Staged:
    """The private staging file, and what it was made of."""

    path: Path
    inputs: Mapping[str, tuple[Snapshot, ...]]
    recipe: str
    read: int  # pages read this time
    kept: int  # pages taken over from the base
    repeated: int = 0  # records of the pages that were read that are in the base already


def recipe(catalogue: Catalogue) -> str:
    """SHA-256 over the declarations and the code that makes rows of records: another one means that our own doing changed."""
    digest = hashlib.sha256(catalogue.recipe.encode())
    for path in row_makers():
        digest.update(f"{path.relative_to(HERE.parent)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def row_makers() -> list[Path]:
    """The files of that code: ours, and how samename.py folds the names that are hidden."""
    ours = (path for path in HERE.glob("*.py") if path.stem not in MAKE_NO_ROWS)
    return sorted([*ours, *(HERE / "sources").glob("*.py"), HERE.parent / "search" / "fold.py"])


def staged_tables(catalogue: Catalogue) -> list[Table]:
    """The tables that records fill, in the order of the declarations."""
    return [table for table in catalogue.tables.values() if table.name not in DECLARED_ONLY]


def referred_to_first(tables: Iterable[Table]) -> list[Table]:
    """The tables in an order in which one that others refer to comes before them."""
    among = list(tables)  # not sorted in place: a list is empty while it sorts itself
    return sorted(among, key=lambda table: sum(table.ref_to(other.name) is not None for other in among))


def _is_early(batch: Batch) -> bool:
    """Whether the page has a date that a later as-of can read."""
    return any(issue.expected.startswith(TOO_LATE) for issue in batch.issues)


def needed(inputs: Mapping[str, Sequence[Snapshot]], catalogue: Catalogue) -> list[tuple[Snapshot, Page, int, int]]:
    """The pages that a release of `inputs` (newest first for each source) is made of: snapshot, page, generation (0 is newest), ordinal.

    A page that says the same as one of a newer generation adds nothing and is left out.
    """
    pages: list[tuple[Snapshot, Page, int, int]] = []
    for source, snapshots in inputs.items():
        seen: set[tuple[str, str]] = set()
        for generation, snapshot in enumerate(snapshots):
            now: set[tuple[str, str]] = set()
            for ordinal, page in enumerate(snapshot.pages):
                listing = catalogue.source(source).listings[page.listing]
                # ratings have no day of absence: of a full snapshot the newest counts alone
                last = 1 if catalogue.tables[listing.table].prefix else 0
                if (generation > last and listing.batch == "full_snapshot") or (page.listing, identity(page)) in seen:
                    continue
                now.add((page.listing, identity(page)))
                pages.append((snapshot, page, generation, ordinal))
            seen |= now
    return pages


def stage(
    inputs: Mapping[str, Sequence[Snapshot]], catalogue: Catalogue, path: Path, base: Path | None = None, progress: Progress = silent
) -> Staged:
    """The staging file at `path` (replaced whole), from `inputs`: each source's snapshots, newest first.

    `base` is the staging file of an earlier release; it only saves work. Raises SourceBroken when a page breaks a promise.
    """
    made = recipe(catalogue)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base is not None and _recipe_of(base) == made:
        shutil.copyfile(base, part)
    else:
        part.touch()
    os.chmod(part, 0o600)
    pages = needed(inputs, catalogue)
    with working(part) as connection:
        if not part.stat().st_size:
            connection.execute(SCHEMA)
            connection.execute("INSERT INTO recipe VALUES (?)", [made])
            for table in staged_tables(catalogue):
                create_staged(connection, table)
        connection.execute("BEGIN")
        try:
            read, repeated = _fill(connection, pages, catalogue, progress)
        except Torn:
            connection.close()
            return stage(inputs, catalogue, path, None, progress)
        connection.execute("COMMIT")
    give_back()
    progress.finish()
    os.replace(part, path)
    return Staged(path, {name: tuple(snapshots) for name, snapshots in inputs.items()}, made, read, len(pages) - read, repeated)


def _fill(connection: Working, pages: list[tuple[Snapshot, Page, int, int]], catalogue: Catalogue, progress: Progress) -> tuple[int, int]:
    """Keep what is there of the pages and read the rest. Returns how many were read, and how many of their records are there."""
    kept = {
        (source, listing, identity): page
        for page, source, listing, identity in connection.execute("SELECT page, source, listing, identity FROM pages")
    }
    fresh = _keep(connection, pages, kept, catalogue)
    progress.start("stage", sum(page.records for _, page, _, _ in fresh))
    earlier = earlier_pages(connection, pages, kept)
    batches = validated([(snapshot, page, earlier.get(place(snapshot, page))) for snapshot, page, _, _ in fresh], catalogue)
    connection.execute("CREATE TEMP TABLE same (was_page INTEGER, was INTEGER, page INTEGER, row INTEGER)")
    repeating = Counter[Listing]()
    for number, ((snapshot, page, generation, ordinal), batch) in enumerate(
        zip(fresh, batches, strict=True), max(kept.values(), default=0) + 1
    ):
        as_of = snapshot.as_of(page.listing)
        connection.execute(
            "INSERT INTO pages VALUES (?,?,?,?,?,?,?,?,?,?)",
            [
                number,
                snapshot.source,
                page.listing,
                page.file,
                identity(page, _is_early(batch)),
                generation,
                ordinal,
                batch.records,
                batch.set_aside,
                as_of,
            ],
        )
        _insert(connection, number, batch)
        if batch.same:
            was_page = earlier[place(snapshot, page)].number
            connection.executemany(
                "INSERT INTO temp.same VALUES (?,?,?,?)", [(was_page, was, number, row) for row, was in batch.same.items()]
            )
            repeating[snapshot.source, page.listing] += len(batch.same)
        progress.advance(batch.records)
    repeat(connection, catalogue, repeating)
    return len(fresh), repeating.total()


def _recipe_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    connection = sqlite3.connect(to_read(path), uri=True)
    try:
        row = connection.execute("SELECT recipe FROM recipe").fetchone()
        return str(row[0]) if row else None
    except sqlite3.DatabaseError:
        return None  # a damaged base only costs the time that it would have saved
    finally:
        connection.close()


def _keep(
    connection: Working,
    pages: list[tuple[Snapshot, Page, int, int]],
    kept: dict[tuple[str, str, str], int],
    catalogue: Catalogue,
) -> list[tuple[Snapshot, Page, int, int]]:
    """Give the pages that are there already their new place, forget those that are no longer needed, and return the rest to be read."""
    fresh = []
    wanted: set[int] = set()
    for snapshot, page, generation, ordinal in pages:
        where = snapshot.source, page.listing
        at = kept.get((*where, identity(page)), kept.get((*where, identity(page, exact=True))))
        if at is None or at in wanted:
            fresh.append((snapshot, page, generation, ordinal))
            continue
        wanted.add(at)
        connection.execute(
            "UPDATE pages SET generation = ?, ordinal = ?, file = ?, as_of = ? WHERE page = ?",
            [generation, ordinal, page.file, snapshot.as_of(page.listing), at],
        )
    gone = [(page,) for page in set(kept.values()) - wanted]
    if gone:
        connection.execute("CREATE TEMP TABLE gone (page INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO gone VALUES (?)", gone)
        listings = {
            row[0]
            for row in connection.execute("SELECT DISTINCT source || '/' || listing FROM pages WHERE page IN (SELECT page FROM gone)")
        }
        touched = {table for name in listings for table in tables_of(catalogue, *name.split("/", 1))}
        for name in [*sorted(touched), "documents", "issues", "pages"]:
            connection.execute(f'DELETE FROM "{name}" WHERE page IN (SELECT page FROM gone)')
    return fresh


def _insert(connection: Working, page: int, batch: Batch) -> None:
    for table, rows in batch.rows.items():
        if rows:
            marks = ",".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks},{page:d})', rows)
    documents = [(*row, page) for row in batch.documents]
    if documents:
        connection.executemany(f"INSERT INTO documents VALUES ({','.join('?' * len(documents[0]))})", documents)
    connection.executemany("INSERT INTO issues VALUES (?,?,?,?,?,?,?,?,?,?)", [(page, *_issue_row(issue)) for issue in batch.issues])


def _issue_row(issue: Issue) -> tuple[object, ...]:
    return (issue.source, issue.listing, issue.file, issue.row, issue.kind, issue.field, issue.found, issue.expected, issue.count)
