"""A release's files to take away, as they may be given out today, and what there is of them.

A file is one with its hash, so nothing can be left out of it: of the live release it goes out while nothing in it has ended, of an earlier one while all that
may hurt somebody in it is still public (holding.py). Names are taken from the release's own index and from nowhere else. Plain CSV and NDJSON are
kept as their gzip, and sent as that or unpacked (pieces.py).
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import orjson

from ..forms import FORMS
from ..home import CHINA, DOWNLOAD_HOLDS, DOWNLOAD_INDEX, DOWNLOADS
from .answer import Answer, as_json
from .archive import identity_of
from .exports import attachment
from .frame import Dictionary
from .holding import RETRY_SECONDS, UNREADABLE, sealed, still
from .pieces import Stored
from .reader import Reader, Row
from .shelf import Shelf
from .terms import over
from .visit import Visit, address, of_release

RELEASE = r"(?P<release>latest|\d{4}-\d{2}-\d{2}(?:\.[1-9]\d*)?)"
LIST = rf"/data/{RELEASE}(?P<index>/index\.json)?"
FILE = rf"/data/{RELEASE}/(?P<file>[A-Za-z0-9_-][A-Za-z0-9_.-]{{0,99}})"
LATEST = "latest"
SQLITE = "application/vnd.sqlite3"
DATABASE = "mingbai.db"  # lies in the release itself, beside its downloads
log = logging.getLogger(__name__)


class Downloads:
    """`render` and `problem` are those of Pages."""

    def __init__(self, shelf: Shelf, render: Callable[..., Answer], problem: Callable[..., Answer], dictionary: Dictionary) -> None:
        self._shelf, self._render, self._problem = shelf, render, problem
        self._datasets = dictionary
        self._labels = {name: table["label"] for dataset in dictionary.values() for name, table in dataset["tables"].items()}

    def index(self, visit: Visit, reader: Reader) -> Answer | None:
        """Which files a release has, as a page and JSON; None for a release that is not kept."""
        folder = self._folder(visit, reader)
        if folder is None:
            return None
        if visit.parts["release"] == LATEST:
            return to(visit, f"/data/{reader.id}{visit.parts.get('index', '')}")
        files = self._files(folder, reader, visit.today)
        if "index" in visit.parts:
            return as_json({**of_release(visit, reader), "of_release": folder.name, "files": files})
        return self._render("downloads.html", release=folder.name, is_newest=folder.name == reader.id, groups=self._grouped(files))

    def file(self, visit: Visit, reader: Reader) -> Answer | None:
        """A file of a release; None where there is none of that name."""
        folder, name = self._folder(visit, reader), visit.parts["file"]
        if folder is None:
            return None
        try:
            found = next((one for one in self._files(folder, reader, visit.today) if one["name"] == name), None)
        except UNREADABLE:
            log.exception("downloads cannot be judged")  # then nobody knows what may be shown
            return self._ended(visit, is_own=folder.name == reader.id)
        if found is None:
            return None
        if visit.parts["release"] == LATEST:
            return to(visit, f"/data/{reader.id}/{name}")
        if not found["is_given"]:
            return self._ended(visit, is_own=folder.name == reader.id)
        headers = (
            ("cache-control", "no-cache"),  # a cache asks again: a notice ends at midnight
            ("access-control-allow-origin", "*"),
            ("etag", f'"{found["sha256"][:32]}"'),
            ("last-modified", _changed(orjson.loads((folder / "manifest.json").read_bytes()))),
            ("content-disposition", attachment(f"{folder.name}-{name}", f"{folder.name}-{self._chinese(name)}")),
        )
        kept = folder / DOWNLOADS / name
        stored = Stored(kept, found["bytes"])
        if name == DATABASE:
            stored = Stored(folder / name, found["bytes"])
        elif not kept.is_file():
            stored = Stored(kept.with_name(f"{name}.gz"), found["bytes"], is_gzip=True)
        if not stored.path.is_file() or (not stored.is_gzip and stored.path.stat().st_size != found["bytes"]):
            log.error("a download of release %s is not what its index says", folder.name)
            return self._ended(visit, is_own=True)
        return Answer(200, b"", found["media_type"], headers, stored=stored)

    def given(self, reader: Reader, today: str) -> Mapping[str, list[Row]]:
        """The files of the live release by the dataset or table that they are of; {} where there are none."""
        try:
            files = self._files(reader.folder, reader, today)
        except UNREADABLE:
            return {}
        found: dict[str, list[Row]] = {}
        for one in files:
            found.setdefault(one["of"] or "", []).append(one)
        return found

    def _folder(self, visit: Visit, reader: Reader) -> Path | None:
        asked = visit.parts["release"]
        if asked in (LATEST, reader.id):
            return reader.folder
        return self._shelf.home / "releases" / asked if asked in (id for id, _ in self._shelf.archive.known(reader)) else None

    def _files(self, folder: Path, live: Reader, today: str) -> list[Row]:
        """What may be fetched of a release, each with whether it is given out today; [] of a release from before there were downloads."""
        seen = identity_of(folder / "manifest.json")
        return live.once(today, f"downloads {folder.name} {seen}", lambda: _files(folder, live, today))

    def _ended(self, visit: Visit, *, is_own: bool) -> Answer:
        said = self._problem(visit, 503 if is_own else 410, "download_ended" if is_own else "download_gone")
        retry = (("retry-after", str(RETRY_SECONDS)),) if is_own else ()
        return Answer(said.status, said.body, said.type, (("cache-control", "no-store"), *retry))

    def _chinese(self, name: str) -> str:
        stem, dot, rest = name.partition(".")
        label = self._labels.get(stem)
        return f"{label['zh']}{dot}{rest}" if label else name

    def _grouped(self, files: list[Row]) -> list[tuple[str, Mapping[str, str] | None, list[Row]]]:
        """The files of each dataset with its name and label, those of the whole first."""
        whole: list[tuple[str, Mapping[str, str] | None, list[Row]]] = [("all", None, [one for one in files if one["of"] is None])]
        of = [(name, it["label"], [one for one in files if one["of"] in (name, *it["tables"])]) for name, it in self._datasets.items()]
        return [group for group in whole + of if group[2]]


def _files(folder: Path, live: Reader, today: str) -> list[Row]:
    try:
        made = sealed(folder, f"{DOWNLOADS}/{DOWNLOAD_INDEX}")
    except FileNotFoundError:
        return []
    tables, own = made["tables"], folder == live.folder
    holds: Mapping[str, Any] = {} if own else sealed(folder, f"{DOWNLOADS}/{DOWNLOAD_HOLDS}")
    may = {name: own or not said["holds"] or still(live, today, holds[name]) for name, said in tables.items()}
    found = []
    for name, said in sorted(made["files"].items()):
        ended = said["first_end"] is not None and over(said["first_end"], today)
        one = {
            "of": said.get("table", said.get("dataset")),
            "form": said["form"],
            "packing": said.get("packing"),
            "rows": said["rows"],
            "is_given": not ended and all(may[table] for table in said["tables"]),
        }
        plain = said.get("plain")
        if plain and said["packing"] == "gzip":
            found.append(
                {
                    "name": plain["name"],
                    **one,
                    "packing": None,
                    "media_type": FORMS[said["form"]].media_type if said["form"] in FORMS else SQLITE,
                    **_size(plain),
                }
            )
        found.append({"name": name, **one, "media_type": said["media_type"], **_size(said)})
    return found


def _size(said: Mapping[str, Any]) -> Row:
    return {"bytes": said["bytes"], "sha256": said["sha256"]}


def to(visit: Visit, path: str) -> Answer:
    """To the newest release's: another one tomorrow."""
    return Answer(
        302, b"", headers=(("location", address(path, visit.lang)), ("cache-control", "no-store"), ("access-control-allow-origin", "*"))
    )


def _changed(manifest: Mapping[str, Any]) -> str:
    """The day on which the release was made, or issued anew, as HTTP says it: the same on every copy of the site."""
    day = max([manifest["released_on"], *(note["on"] for note in manifest.get("reissues", []))])
    return formatdate(datetime.fromisoformat(day).replace(tzinfo=CHINA).timestamp(), usegmt=True)
