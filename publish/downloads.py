"""Make a release's files to take away: every table in every form, a workbook for each dataset, the database packed, all tables in one archive.

All of it is a function of the folder's mingbai.db, its id, and the declarations, to the byte: no clock, no path, no host. A table is read once, and each batch
is written in all forms at the same time, on two cores. What is made of tables whose rows, columns and writers are those of the release before is that
release's own file, by a hard link. index.json, which says what there is, is written last.

A file has one hash and nothing can be left out of it, so it holds what is public on the day of its release: index.json says of each when the first of it ends, and
holds.json, which is not served, what in a table may hurt somebody, as deltas say it of theirs.
"""

import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import Any

import orjson

from .catalogue import Catalogue
from .dataset import Dataset, Table
from .described import Described, File, described
from .descriptions import TYPES, descriptions, in_archive
from .extracts import rows
from .filed import VERSION, Files, Said
from .forms import FORMS, PACKINGS, form
from .home import DOWNLOAD_HOLDS, DOWNLOAD_INDEX, DOWNLOADS, as_json, to_read, write_whole
from .net import HOLDS, held
from .progress import Progress, silent
from .release import file_sha256
from .tables import give_back, working
from .workbooks import Workbooks

DATABASE, WHOLE = "mingbai.db", "mingbai.csv.zip"
LIBRARIES = ("adbc-driver-sqlite", "isal", "pyarrow", "xlsxwriter")
PIECE = 1 << 20
LARGE = 2**31  # bytes of an entry: from here on its size is written in another way, which not all read
Put = Callable[[Any], None]


@dataclass(frozen=True)
class Issue:
    """What the files say of their release: its id, its day, and the version of each dataset."""

    release: str
    day: str
    versions: Mapping[str, str]


def downloads(
    part: Path, catalogue: Catalogue, of: Issue, earlier: Path | None = None, same: Collection[str] = (), progress: Progress = silent
) -> Mapping[str, Any]:
    """Write the downloads of the release in the folder `part`, whole or without an index. Returns the index.

    `earlier` is the folder of a release of which the tables in `same` have the same rows.
    """
    return _write(part, catalogue, of, earlier, same, progress, anew=False)


def anew(part: Path, catalogue: Catalogue, of: Issue, old: Path) -> Mapping[str, Any]:
    """The same for a release that is issued anew, which was in the folder `old`. Files of tables in which nothing changed stay as they were published,
    whoever wrote them."""
    return _write(part, catalogue, of, old, alike(old / DATABASE, part / DATABASE, catalogue), silent, anew=True)


def alike(old: Path, new: Path, catalogue: Catalogue) -> set[str]:
    """The tables that have the same rows in two databases."""
    found = set()
    with working(Path(":memory:")) as connection:
        for name, path in (("old", old), ("new", new)):
            connection.execute(f"ATTACH ? AS {name}", [to_read(path, for_good=True)])
        for table in catalogue.tables:
            made = [connection.all(f"SELECT sql FROM {side}.sqlite_schema WHERE name = ?", [table]) for side in ("old", "new")]
            if made[0] and made[0] == made[1]:
                before, after = (connection.one(f'SELECT count(*) FROM {side}."{table}"') for side in ("old", "new"))
                more = f'SELECT EXISTS (SELECT * FROM new."{table}" EXCEPT SELECT * FROM old."{table}")'
                if before == after and not connection.one(more):
                    found.add(table)
    return found


def _write(
    part: Path, catalogue: Catalogue, of: Issue, earlier: Path | None, same: Collection[str], progress: Progress, *, anew: bool
) -> Mapping[str, Any]:
    folder = part / DOWNLOADS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    it = described(part / DATABASE, catalogue, of.release, of.day, of.versions)
    with working(Path(":memory:")) as connection, ThreadPoolExecutor(2) as pool:
        connection.execute("ATTACH ? AS new", [to_read(part / DATABASE, for_good=True)])
        connection.execute(HOLDS)
        tables: dict[str, Said] = {}
        files = Files(folder, tables, earlier, same)
        holds = {}
        for name, table in it.tables.items():
            found = held(connection, catalogue.tables[name])
            holds[name] = found["holds"]
            tables[name] = {
                "rows": connection.one(f'SELECT count(*) FROM new."{name}"'),
                "recipe": (files.recipe_of(name) if anew and name in same else None) or _recipe(table),
                "first_end": found["first_end"],
                "holds": any(found["holds"].values()),
            }
        progress.start("downloads", sum(table["rows"] for table in tables.values()))
        books = Workbooks(part / DATABASE, catalogue, it, files, connection, pool)
        _Making(part / DATABASE, it, tables, files, books, pool, progress).everything()
        progress.finish()
    write_whole(folder / DOWNLOAD_HOLDS, as_json(holds))
    index = {"version": VERSION, "database": file_sha256(part / DATABASE), "tables": tables, "files": files.files}
    write_whole(folder / DOWNLOAD_INDEX, as_json(index))
    return index


def _recipe(table: Table) -> str:
    """A table's declaration with the key that its rows are in the order of, and what makes bytes of them."""
    return hashlib.sha256(orjson.dumps([repr(table.key), repr(table.published), repr(table.label), *_writers()])).hexdigest()


@cache
def _writers() -> list[str]:
    here = Path(__file__).parent
    paths = [
        *(here / f"{name}.py" for name in ("cells", "dictionary", "extracts", "workbooks")),
        Path(__file__),
        *sorted((here / "forms").glob("*.py")),
    ]
    return [*(f"{name} {version(name)}" for name in LIBRARIES), *(file_sha256(path) for path in paths)]


@dataclass
class _Making:
    """The downloads of one release while they are made."""

    database: Path
    it: Described
    tables: Mapping[str, Said]
    files: Files
    books: Workbooks
    pool: Executor
    progress: Progress

    def everything(self) -> None:
        for dataset in self.it.datasets.values():
            tables = self.it.of(dataset)
            if max(self.tables[table.name]["rows"] for table in tables) > form.SHEET_ROWS:
                for table in tables:
                    self._table(table, None)
                self.books.by_region(dataset, tables)
            else:
                self._dataset(dataset, tables)
            self._made_so_far()
        self._archive()
        self._packed()
        for path in descriptions(self._with_files(), self.files.folder):
            self.files.add(path, TYPES[path.suffix])

    def _made_so_far(self) -> None:
        """Give back what the tables of a dataset took: others follow, and other steps."""
        from .forms.arrow import release

        release()
        give_back()

    def _dataset(self, dataset: Dataset, tables: Sequence[Table]) -> None:
        """All tables of a dataset in all forms, and in a workbook."""
        book = f"{dataset.name}{FORMS['xlsx'].suffix}"
        taken = self.books.taken(book, tables)
        with ExitStack() as stack:
            made = None if taken else self.books.whole(stack, book, tables)
            for table in tables:
                self._table(table, made)
            if made is not None:
                made.close()

    def _table(self, table: Table, book: Any) -> None:
        from .forms.arrow import ahead, batches
        from .forms.packed import Counted
        from .forms.writers import writer

        columns = table.published
        forms = [form for form in FORMS.values() if form.name != "xlsx"]
        names = [f"{table.name}{form.suffix}{PACKINGS[one].suffix if one else ''}" for form in forms for one in form.packed or ("",)]
        taken = self.files.take(names, [table.name])
        if taken and book is None:
            self.progress.advance(self.tables[table.name]["rows"])
            return
        with ExitStack() as stack:
            puts: list[Put] = []
            ends: list[Callable[[], object]] = []
            if book is not None:
                book.sheet()
                puts.append(book.put)
            for form in forms if not taken else ():
                said = {"table": table.name, "dataset": table.dataset, "tables": [table.name], "form": form.name}
                name, plain = f"{table.name}{form.suffix}", Said()
                if form.packed:
                    packers = self.files.packers(stack, name, form.packed, said | {"plain": plain})
                    target = Counted(*packers)
                    ends += [each.close for each in packers] + [partial(_say, plain, name, target)]
                else:
                    target = stack.enter_context(self.files.new(name, said))
                one = writer(form.name, columns, target, table.label.zh)
                puts.append(one.put)
                ends.insert(0, one.close)
            for batch in ahead(self.pool, batches(self.database, columns, rows(table, columns))):
                list(self.pool.map(_given, puts, repeat(batch)))
                self.progress.advance(batch.number)
            for end in ends:
                end()

    def _archive(self) -> None:
        """All tables as CSV in one file, with what describes them."""
        from .forms.packed import archive, copy, entry

        said = {"tables": list(self.it.tables), "form": "csv", "packing": "zip"}
        with self.files.new(WHOLE, said) as target, archive(target) as made:
            for name, body in in_archive(self._with_files()).items():
                with entry(made, name) as file:
                    file.write(body)
            for name in self.it.tables:
                packed = f"{name}.csv.gz"
                with open(self.files.folder / packed, "rb") as file:
                    size = int(self.files.files[packed]["plain"]["bytes"])
                    copy(made, f"{name}.csv", file, size, large=size > LARGE)

    def _packed(self) -> None:
        """The database, in both packings at once."""
        from .forms.packed import Counted

        plain, target = Said(), Counted()
        with ExitStack() as stack:
            said = {"tables": list(self.it.tables), "form": "sqlite", "plain": plain}
            packers = self.files.packers(stack, DATABASE, PACKINGS, said)
            with open(self.database, "rb") as file:
                while piece := file.read(PIECE):
                    target.write(piece)
                    list(self.pool.map(_given, [each.write for each in packers], repeat(piece)))
            for each in packers:
                each.close()
            _say(plain, DATABASE, target)

    def _with_files(self) -> Described:
        """The release with the files that are there by now; of those of one form and table gzip's last, which every reader takes."""
        named = sorted(self.files.files.items(), key=lambda file: (file[0].endswith(".gz"), file[0]))
        return replace(self.it, files=tuple(_file(name, said) for name, said in named))


def _file(name: str, said: Said) -> File:
    plain = said.get("plain")
    inside = (plain["name"], plain["bytes"], plain["sha256"]) if plain else None
    form = said["form"] if "table" in said or said.get("packing") != "zip" else "zip"
    return File(name, said["media_type"], said["bytes"], said["sha256"], form, said.get("table"), said.get("dataset"), said["rows"], inside)


def _say(plain: Said, name: str, target: Any) -> None:
    plain.update(name=name, **target.said())


def _given(put: Put, what: Any) -> None:
    put(what)
