"""A release to describe: the invented one of the site's tests, with its tables as CSV in the form that the downloads have."""

import csv
import gzip
import hashlib
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from publish.catalogue import Catalogue
from publish.described import Described, File, described
from web_release import TODAY, make_release

HELD = "INSERT INTO held_partitions VALUES ('platform', 'notices', '', '2026-11-01', 'partition_lost')"  # of rows without a region
VERSIONS = {"institutions": "2.5.1", "notices": "1.0.3", "ratings": "1.1.0"}
SOURCE = "INSERT INTO sources SELECT 'second', '第二个|来源*', 'A second [source]', '某局', 'A bureau', '350000', NULL, NULL, 'incremental', 30, '2026-10-31'"


def make(home: Path, catalogue: Catalogue) -> Described:
    """The release, whose folder is home/releases/TODAY, with its downloads: plain CSV as it is served, and packed as it is stored."""
    folder = make_release(home, TODAY, catalogue)
    downloads = folder / "downloads"
    downloads.mkdir()
    database = folder / "mingbai.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(SOURCE)
        connection.execute(HELD)
        connection.commit()
        files = [file for table in catalogue.tables.values() for file in _csv(connection, downloads, table.name, table.dataset)]
    whole = gzip.compress(database.read_bytes(), mtime=0)
    (downloads / "mingbai.db.gz").write_bytes(whole)
    files.append(File("mingbai.db.gz", "application/gzip", len(whole), hashlib.sha256(whole).hexdigest(), "sqlite"))
    ends = {"notices": "2026-11-23", "mingbai.db": "2026-11-23"}  # TODAY's midnight
    index = {"files": {file.name: {"first_end": ends.get(file.name.partition(".csv")[0].removesuffix(".gz"))} for file in files}}
    (downloads / "index.json").write_text(json.dumps(index))
    return described(database, catalogue, TODAY, TODAY, VERSIONS, files)


def _csv(connection: sqlite3.Connection, downloads: Path, table: str, dataset: str) -> list[File]:
    found = connection.execute(f'SELECT * FROM "{table}"')
    rows = found.fetchall()
    text = io.StringIO()
    lines = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    lines.writerow([column[0] for column in found.description])
    lines.writerows(rows)
    plain = text.getvalue().encode()
    body = gzip.compress(plain, mtime=0)
    (downloads / f"{table}.csv.gz").write_bytes(body)
    (downloads / f"{table}.csv").write_bytes(plain)  # as it is served
    inside = (f"{table}.csv", len(plain), hashlib.sha256(plain).hexdigest())
    return [
        File(f"{table}.csv.gz", "application/gzip", len(body), hashlib.sha256(body).hexdigest(), "csv", table, dataset, len(rows), inside)
    ]
