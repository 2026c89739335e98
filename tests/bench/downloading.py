"""`make bench ARGS="--downloads 200000"`: all downloads of a release, and each form beside the fastest plain library call for it on the same rows.

The release is the reference platform's, with 24 months of ratings and a notice for each ten institutions. Each measure is a process of its own, for its
memory. Ours reads the database and writes every table in one form; beside it the same rows are read whole by ADBC, and written by pyarrow (CSV, Parquet),
DuckDB on one core (NDJSON), XlsxWriter with constant memory (of at most SAMPLE rows of a table, both), and the database is packed by ISA-L and zstd as
one piece. Nothing here asserts: seconds are those of a shared machine, and the ratios are of one run.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent.parent)]

from run import STEPS, mingbai, platform, show, timed  # noqa: E402 - found by the line above, as a script and as a part of run.py

from publish.catalogue import load  # noqa: E402
from publish.extracts import rows  # noqa: E402

MONTHS, SAMPLE = 24, 50_000
FORMS = ("csv", "spreadsheet", "ndjson", "parquet", "xlsx")
PACKED = ("gzip", "zstd")
OUT = "out"


def whole(database: Path, out: Path) -> None:
    """All downloads, as the stage makes them."""
    from publish.downloads import Issue, downloads

    part = out / "part"
    part.mkdir()
    os.link(database, part / "mingbai.db")
    downloads(part, load(), Issue("2026-11-01", "2026-11-01", {}))


def unchanged(database: Path, out: Path) -> None:
    """The same after a release in which no row changed."""
    from publish.downloads import Issue, downloads

    catalogue, part = load(), out / "next"
    part.mkdir()
    os.link(database, part / "mingbai.db")
    downloads(part, catalogue, Issue("2026-11-02", "2026-11-02", {}), out / "part", set(catalogue.tables))


def ours(form: str, database: Path, out: Path) -> None:
    """Every table in a form."""
    from publish.forms.arrow import batches
    from publish.forms.writers import writer

    for table in load().tables.values():
        with open(out / f"{table.name}.{form}", "wb") as file:
            made = writer(form, table.published, file, table.name)
            query = rows(table, table.published) + (f" LIMIT {SAMPLE}" if form == "xlsx" else "")
            for batch in batches(database, table.published, query):
                made.put(batch)
            made.close()


def plainly(form: str, database: Path, out: Path) -> None:
    """The same by one call of a library."""
    import adbc_driver_sqlite.dbapi as sqlite

    with sqlite.connect(f"file:{database}?mode=ro&immutable=1") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": 1_000_000})
        for table in load().tables.values():
            cursor.execute(rows(table, table.published) + (f" LIMIT {SAMPLE}" if form == "xlsx" else ""))
            CALLS[form](cursor.fetch_arrow_table(), str(out / f"{table.name}.{form}"))


def _csv(table: Any, path: str) -> None:
    import pyarrow.csv

    pyarrow.csv.write_csv(table, path)


def _parquet(table: Any, path: str) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, path, compression="zstd")


def _ndjson(table: Any, path: str) -> None:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("found", table)
        connection.execute(f"COPY found TO '{path}' (FORMAT json)")


def _xlsx(table: Any, path: str) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value[:32_767])
                elif value is not None:
                    sheet.write_number(number, place, value)


CALLS: dict[str, Callable[[Any, str], None]] = {"csv": _csv, "spreadsheet": _csv, "ndjson": _ndjson, "parquet": _parquet, "xlsx": _xlsx}


def packed(packing: str, database: Path, out: Path) -> None:
    """The database packed in pieces, as the stage does."""
    from publish.forms.packed import packer

    with open(database, "rb") as source, open(out / packing, "wb") as file:
        made = packer(packing, file)
        while piece := source.read(1 << 20):
            made.write(piece)
        made.close()


def packed_plainly(packing: str, database: Path, out: Path) -> None:
    """The same by one call of the library."""
    import zstandard
    from isal import igzip

    call = (lambda data: igzip.compress(data, 2)) if packing == "gzip" else zstandard.ZstdCompressor(level=1).compress
    (out / packing).write_bytes(call(database.read_bytes()))


def measure(size: int, home: Path | None) -> None:
    """Print what downloads of a release with so many institutions cost. `home` has one that was made before."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-downloads-"))
    try:
        if home is None:
            home = folder / "home"
            with platform(size, MONTHS, 0) as address:
                for step in STEPS[: STEPS.index("downloads")]:
                    timed(mingbai(home, 0, step, *(["--source", f"platform={address}", "--rate", "0"] if step == "extract" else [])))
        database = folder / "mingbai.db"
        shutil.copyfile(max((home / "releases").glob("*/mingbai.db")), database)  # of the live release, or of the one in the making
        print(f"{size:,} institutions; the database has {database.stat().st_size / 2**20:,.0f} MiB", flush=True)
        (folder / OUT).mkdir()

        def one(what: str, *arguments: str) -> tuple[Any, float]:
            before = _size(folder / OUT)
            cost = timed([sys.executable, str(HERE), what, str(database), str(folder / OUT), *arguments])
            return cost, _size(folder / OUT) - before

        for what in ("whole", "unchanged"):
            cost, made = one(what)
            show(what, cost)
            print(f"    {made / 2**20:,.1f} MiB more on the disk", flush=True)
        for what, among in (("ours", FORMS), ("packed", PACKED)):
            for form in among:
                shutil.rmtree(folder / OUT)
                (folder / OUT).mkdir()
                base, _ = one("plainly" if what == "ours" else "packed_plainly", form)
                shutil.rmtree(folder / OUT)
                (folder / OUT).mkdir()
                cost, made = one(what, form)
                show(form, cost, base)
                print(f"    {made / 2**20:,.1f} MiB; beside it cpu {base.cpu:.2f} s, peak {base.peak:.0f} MiB", flush=True)
    finally:
        shutil.rmtree(folder)


def _size(folder: Path) -> int:
    """Bytes on the disk: a file that two names have counts once."""
    return sum({path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}.values())


if __name__ == "__main__":
    what, database, out, *arguments = sys.argv[1:]
    globals()[what](*arguments, Path(database), Path(out))
