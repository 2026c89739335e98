"""Make a release's files to take away: every table in every form, a workbook for each dataset, the database packed, all tables in one archive.

All of it is a function of the folder's mingbai.db and of the declarations, to the byte: no clock, no path, no host. A table is read once, and each batch is
written in all forms at the same time. What is made of tables whose rows, columns and writers are those of an earlier release is that release's own file,
by a hard link. A file has its name when it is whole, and index.json, which says what there is, is written last.

A file has one hash and nothing can be left out of it, so it holds what is public on the day of its release: index.json says of each when the first of it ends, and
holds.json, which is not served, what in a table may hurt somebody, as deltas say it of theirs.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from .catalogue import Catalogue
from .dataset import Column, Dataset, Table
from .extracts import rows
from .forms import FORMS, PACKINGS, Page
from .home import DOWNLOAD_HOLDS, DOWNLOAD_INDEX, DOWNLOADS, as_json, write_whole
from .net import HOLDS, held
from .progress import Progress, silent
from .release import file_sha256
from .tables import Working, working

FORM = 1  # of index.json
DATABASE, WHOLE = "mingbai.db", "mingbai.csv.zip"
LIBRARIES = ("adbc-driver-sqlite", "isal", "pyarrow", "xlsxwriter")
PIECE = 1 << 20
Put = Callable[[Any], None]


def downloads(
    part: Path, catalogue: Catalogue, earlier: Path | None = None, same: Collection[str] = (), progress: Progress = silent
) -> Mapping[str, Any]:
    """Write the downloads of the release in the folder `part`, whole or without an index. Returns the index.

    `earlier` is the folder of a release of which the tables in `same` have the same rows.
    """
    return _write(part, catalogue, earlier, same, progress, anew=False)


def anew(part: Path, catalogue: Catalogue, old: Path) -> Mapping[str, Any]:
    """The same for a release that is issued anew, which was in the folder `old`. Files of tables in which nothing changed stay as they were published,
    whoever wrote them."""
    return _write(part, catalogue, old, alike(old / DATABASE, part / DATABASE, catalogue), silent, anew=True)


def alike(old: Path, new: Path, catalogue: Catalogue) -> set[str]:
    """The tables that have the same rows in two databases."""
    found = set()
    with working(Path(":memory:")) as connection:
        for name, path in (("old", old), ("new", new)):
            connection.execute(f"ATTACH ? AS {name}", [f"file:{quote(str(path))}?mode=ro&immutable=1"])
        for table in catalogue.tables:
            made = [connection.all(f"SELECT sql FROM {side}.sqlite_schema WHERE name = ?", [table]) for side in ("old", "new")]
            if made[0] and made[0] == made[1]:
                before, after = (connection.one(f'SELECT count(*) FROM {side}."{table}"') for side in ("old", "new"))
                more = f'SELECT EXISTS (SELECT * FROM new."{table}" EXCEPT SELECT * FROM old."{table}")'
                if before == after and not connection.one(more):
                    found.add(table)
    return found


def _write(
    part: Path, catalogue: Catalogue, earlier: Path | None, same: Collection[str], progress: Progress, *, anew: bool
) -> Mapping[str, Any]:
    folder = part / DOWNLOADS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with working(Path(":memory:")) as connection, ThreadPoolExecutor(2) as pool:
        connection.execute("ATTACH ? AS new", [f"file:{quote(str(part / DATABASE))}?mode=ro&immutable=1"])
        connection.execute(HOLDS)
        making = _Making(part, catalogue, connection, pool, earlier, same, progress, anew)
        making.everything()
    write_whole(folder / DOWNLOAD_HOLDS, as_json(making.holds))
    index = making.index()
    write_whole(folder / DOWNLOAD_INDEX, as_json(index))
    return index


def read(folder: Path) -> dict[str, Any]:
    """What downloads a release has; {} where it is older than they are, or nobody can say."""
    try:
        found: dict[str, Any] = orjson.loads((folder / DOWNLOADS / DOWNLOAD_INDEX).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found if found.get("form") == FORM else {}


@cache
def _writers() -> list[str]:
    """What makes the bytes besides rows and declarations."""
    here = Path(__file__).parent
    paths = [here / "cells.py", here / "extracts.py", Path(__file__), *sorted((here / "forms").glob("*.py"))]
    return [*(f"{name} {version(name)}" for name in LIBRARIES), *(file_sha256(path) for path in paths)]


class _Making:
    """The downloads of one release while they are made."""

    def __init__(
        self,
        part: Path,
        catalogue: Catalogue,
        connection: Working,
        pool: Executor,
        earlier: Path | None,
        same: Collection[str],
        progress: Progress,
        anew: bool,
    ) -> None:
        self._database, self._folder, self._catalogue, self._pool = part / DATABASE, part / DOWNLOADS, catalogue, pool
        self._before, self._earlier, self._progress = read(earlier) if earlier else {}, earlier, progress
        self._same = set(same)
        self.holds: dict[str, Any] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._tables: dict[str, dict[str, Any]] = {}
        self._columns: dict[str, list[Column]] = {}
        for table in catalogue.tables.values():
            there = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, 'new')", [table.name])}
            if columns := [column for column in table.published if column.name in there]:
                self._columns[table.name] = columns
                found = held(connection, table)
                self.holds[table.name] = found["holds"]
                self._tables[table.name] = {
                    "rows": connection.one(f'SELECT count(*) FROM new."{table.name}"'),
                    "columns": [column.name for column in columns],
                    "recipe": self._before.get("tables", {}).get(table.name, {}).get("recipe")
                    if anew and table.name in self._same
                    else _digest([repr(columns), repr(table.label), *_writers()]),
                    "first_end": found["first_end"],
                    "holds": any(found["holds"].values()),
                }

    def index(self) -> dict[str, Any]:
        """What index.json says."""
        return {"form": FORM, "database": file_sha256(self._database), "tables": self._tables, "files": self._files}

    def everything(self) -> None:
        """Write every file."""
        self._progress.start("downloads", self._rows(self._tables))
        for dataset in self._catalogue.datasets.values():
            if tables := [self._catalogue.tables[name] for name in dataset.tables if name in self._columns]:
                self._dataset(dataset, tables)
        self._archive()
        self._packed()
        self._progress.finish()

    def _dataset(self, dataset: Dataset, tables: Sequence[Table]) -> None:
        from .forms.workbook import Workbook

        book = f"{dataset.name}{FORMS['xlsx'].suffix}"
        taken = self._take([book], [table.name for table in tables])
        with ExitStack() as stack:
            made = None
            if not taken:
                said: dict[str, Any] = {"dataset": dataset.name, "tables": [table.name for table in tables], "form": "xlsx"}
                target = stack.enter_context(self._file(book, said, self._rows(said["tables"])))
                made = Workbook(target, [(table.label.zh, self._columns[table.name]) for table in tables], self._pages(dataset, tables))
            for table in tables:
                self._table(table, made)
            if made is not None:
                made.close()

    def _table(self, table: Table, book: Any) -> None:
        from .forms.arrow import batches
        from .forms.packed import Counted
        from .forms.writers import writer

        columns, number = self._columns[table.name], self._tables[table.name]["rows"]
        forms = [form for form in FORMS.values() if form.name != "xlsx"]
        names = [f"{table.name}{form.suffix}{PACKINGS[p].suffix if p else ''}" for form in forms for p in form.packed or ("",)]
        taken = self._take(names, [table.name])
        if taken and book is None:
            self._progress.advance(number)
            return
        with ExitStack() as stack:
            puts: list[Put] = []
            ends: list[Callable[[], object]] = []
            if book is not None:
                book.sheet()
                puts.append(book.put)
            for form in forms if not taken else ():
                said = {"table": table.name, "tables": [table.name], "form": form.name}
                name, plain = f"{table.name}{form.suffix}", dict[str, Any]()
                if form.packed:
                    packers = self._packers(stack, name, form.packed, said | {"plain": plain}, number)
                    target = Counted(*packers)
                    ends += [each.close for each in packers] + [partial(self._say, plain, name, target)]
                else:
                    target = stack.enter_context(self._file(name, said, number))
                one = writer(form.name, columns, target, table.label.zh)
                puts.append(one.put)
                ends.insert(0, one.close)
            for batch in _ahead(self._pool, batches(self._database, columns, rows(table, columns))):
                list(self._pool.map(_given, puts, repeat(batch)))
                self._progress.advance(batch.num_rows)
            for end in ends:
                end()

    def _packers(self, stack: ExitStack, name: str, packings: Iterable[str], said: Mapping[str, Any], number: int) -> list[Any]:
        """A file for each packing."""
        from .forms.packed import packer

        return [
            packer(one, stack.enter_context(self._file(f"{name}{PACKINGS[one].suffix}", {**said, "packing": one}, number)))
            for one in packings
        ]

    def _say(self, plain: dict[str, Any], name: str, target: Any) -> None:
        plain.update(name=name, **target.said())

    def _archive(self) -> None:
        """All tables as CSV in one file."""
        from .forms.packed import archive, entry, unpacked

        tables = list(self._columns)
        if self._take([WHOLE], tables):
            return
        said = {"tables": tables, "form": "csv", "packing": "zip"}
        with self._file(WHOLE, said, self._rows(tables)) as target, archive(target) as made:
            for name in tables:
                with open(self._folder / f"{name}.csv.gz", "rb") as packed, entry(made, f"{name}.csv", large=True) as file:
                    shutil.copyfileobj(unpacked("gzip", packed), file, PIECE)

    def _packed(self) -> None:
        """The database, in both packings at once."""
        from .forms.packed import Counted

        tables, plain, target = list(self._columns), dict[str, Any](), Counted()
        with ExitStack() as stack:
            packers = self._packers(stack, DATABASE, PACKINGS, {"tables": tables, "form": "sqlite", "plain": plain}, self._rows(tables))
            with open(self._database, "rb") as file:
                while piece := file.read(PIECE):
                    target.write(piece)
                    list(self._pool.map(_given, [each.write for each in packers], repeat(piece)))
            for each in packers:
                each.close()
            self._say(plain, DATABASE, target)

    def _rows(self, tables: Iterable[str]) -> int:
        return sum(self._tables[name]["rows"] for name in tables)

    @contextmanager
    def _file(self, name: str, said: Mapping[str, Any], number: int) -> Iterator[Any]:
        """A file that is written under another name until it is whole, and then is in the index."""
        from .forms.packed import Counted

        part = self._folder / f"{name}.part"
        with open(part, "wb") as file:
            target = Counted(file)
            try:
                yield target
            finally:
                target.drop()
        os.replace(part, self._folder / name)
        packing = said.get("packing")
        media = PACKINGS[packing].media_type if packing in PACKINGS else "application/zip" if packing else FORMS[said["form"]].media_type
        ends = [end for table in said["tables"] if (end := self._tables[table]["first_end"]) is not None]
        self._files[name] = {**said, "media_type": media, "rows": number, "first_end": min(ends, default=None), **target.said()}

    def _take(self, names: Sequence[str], tables: Sequence[str]) -> bool:
        """Take files over from the earlier release, where all they are made of is the same and they are what its index says."""
        if self._earlier is None or not set(tables) <= self._same:
            return False
        there, found = self._before.get("tables", {}), self._before.get("files", {})
        if any(there.get(table, {}).get(what) != self._tables[table][what] for table in tables for what in ("recipe", "rows")):
            return False
        before = self._earlier / DOWNLOADS
        if any(name not in found or not (before / name).is_file() or file_sha256(before / name) != found[name]["sha256"] for name in names):
            return False
        for name in names:
            _link(before / name, self._folder / name)
            ends = [end for table in tables if (end := self._tables[table]["first_end"]) is not None]
            self._files[name] = {**found[name], "first_end": min(ends, default=None)}
        return True

    def _pages(self, dataset: Dataset, tables: Sequence[Table]) -> list[Page]:
        return []


def _given(put: Put, what: Any) -> None:
    put(what)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def _link(path: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def _ahead(pool: Executor, batches: Iterator[Any]) -> Iterator[Any]:
    """Batches, of which the next one is read while one is written."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch
