"""A release to describe: the invented one of the site's tests with its downloads, as the run makes them; its tables also unpacked, as they are served."""

import gzip
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from publish.catalogue import Catalogue
from publish.described import Described, File, described
from publish.downloads import Issue, downloads
from publish.release import file_sha256
from web_release import TODAY, make_release

VERSIONS = {"institutions": "2.5.1", "notices": "1.0.3", "ratings": "1.1.0"}
MORE = (
    "INSERT INTO held_partitions VALUES ('platform', 'notices', '', '2026-11-01', 'partition_lost')",  # of rows without a region
    "INSERT INTO sources SELECT 'second', '第二个|来源*', 'A second [source]', '某局', 'A bureau', '350000', NULL, NULL, 'incremental', 30, '2026-10-31'",
)


def make(home: Path, catalogue: Catalogue, more: tuple[str, ...] = ()) -> Described:
    """The release, whose folder is home/releases/TODAY; `more` are statements on its database."""
    folder = make_release(home, TODAY, catalogue)
    with closing(sqlite3.connect(folder / "mingbai.db")) as connection:
        for statement in (*MORE, *more):
            connection.execute(statement)
        connection.commit()
    made = downloads(folder, catalogue, Issue(TODAY, TODAY, VERSIONS))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for path in (folder / "downloads").iterdir():
        manifest["files"][f"downloads/{path.name}"] = {"sha256": file_sha256(path), "size": path.stat().st_size}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    it = described(folder / "mingbai.db", catalogue, TODAY, TODAY, VERSIONS)
    files = []
    for name, said in made["files"].items():
        if said["form"] == "description":
            continue
        plain = said.get("plain") and tuple(said["plain"][key] for key in ("name", "bytes", "sha256"))
        files.append(
            File(
                name,
                said["media_type"],
                said["bytes"],
                said["sha256"],
                said["form"],
                said.get("table"),
                said.get("dataset"),
                said["rows"],
                plain,
            )
        )
        if name.endswith(".csv.gz") and said["form"] == "csv":
            (folder / "downloads" / plain[0]).write_bytes(gzip.decompress((folder / "downloads" / name).read_bytes()))
    return replace(it, files=tuple(sorted(files, key=lambda file: (file.name.endswith(".gz"), file.name))))
