"""What may be fetched of a release today: the files that its index names, each with whether it may be given out (holding.py), and where it lies.

Only of the live release it is kept what there is; of hundreds of earlier ones only what of it may be given out, which is dear to know. A release that is
issued anew is another one. To be asked beside the loop.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ..forms import FORMS
from ..home import CHINA, DOWNLOAD_HOLDS, DOWNLOAD_INDEX, DOWNLOADS
from .archive import Identity, identity_of
from .ended import ended
from .holding import UNREADABLE, sealed, still
from .past import hidden_since, past_file
from .pieces import Stored
from .reader import Reader, Row
from .terms import over

SQLITE = "application/vnd.sqlite3"
DATABASE = "mingbai.db"  # lies in the release itself, beside its downloads


@dataclass(frozen=True)
class Kept:
    """A file as the index says it, and where it lies: `stored` of so many bytes, in the folder of the release."""

    public: Row
    stored: str
    stored_bytes: int
    is_gzip: bool = False


@dataclass(frozen=True)
class Offered:
    """What may be fetched of a release. `changed` is the day on which it was made, or issued anew, and a second for each time that it was, as HTTP says it:
    the same on every copy of the site, and another one of each issue."""

    changed: str
    files: Mapping[str, Kept]


def offered(folder: Path, live: Reader, today: str) -> tuple[Identity, Offered]:
    """What may be fetched of a release, each with whether it is given out today, and of which issue of it that is. Raises what is in UNREADABLE,
    FileNotFoundError where the release is away."""
    seen = identity_of(folder / "manifest.json")
    if seen is None:
        raise FileNotFoundError(folder)
    own, of = folder == live.folder, f"{folder.name} {seen}"
    if own:
        return seen, live.once(today, f"downloads {of}", lambda: _read(folder, today, lambda tables: _in_force(live, today, tables)))
    # of hundreds of earlier ones it is not kept what they have, only what of it may be given out
    by = identity_of(past_file(live))  # it is made again when other code hides
    return seen, _read(folder, today, lambda tables: live.once(today, f"given out {of} {by}", lambda: _may(folder, live, today, tables)))


def unjudged(folder: Path, today: str) -> Offered:
    """What there is of a release where nobody can say what may be given out: nothing is. Nothing there is where that cannot be read either."""
    try:
        return _read(folder, today, lambda tables: dict.fromkeys(tables, False))
    except UNREADABLE:
        return Offered("", {})


def _may(folder: Path, live: Reader, today: str, tables: Mapping[str, Any]) -> Mapping[str, bool]:
    """Of each table of an earlier release whether the live one still says all that may hurt somebody in it, and nothing of it is hidden today."""
    holds, hidden = sealed(folder, f"{DOWNLOADS}/{DOWNLOAD_HOLDS}"), hidden_since(live, folder)
    return {name: name not in hidden and (not said["holds"] or still(live, today, holds[name])) for name, said in tables.items()}


def _in_force(live: Reader, today: str, tables: Mapping[str, Any]) -> Mapping[str, bool]:
    """Of each table of the live release whether its pages still show all that is in it."""
    shown, there = ended(live, today).counts, live.shown_counts()
    return {name: shown.get(name) == there.get(name) for name in tables}


def _read(folder: Path, today: str, judged: Callable[[Mapping[str, Any]], Mapping[str, bool]]) -> Offered:
    """`judged` says of each table whether it may be given out today."""
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    notes = manifest.get("reissues", [])
    day = datetime.fromisoformat(max([manifest["released_on"], *(note["on"] for note in notes)])).replace(tzinfo=CHINA)
    changed = formatdate(day.timestamp() + len(notes), usegmt=True)
    if f"{DOWNLOADS}/{DOWNLOAD_INDEX}" not in manifest["files"]:  # from before there were any
        return Offered(changed, {})
    made = sealed(folder, f"{DOWNLOADS}/{DOWNLOAD_INDEX}")
    may = judged(made["tables"])
    found: dict[str, Kept] = {}
    for name, said in sorted(made["files"].items()):
        ended = said["first_end"] is not None and over(said["first_end"], today)
        one = {
            "of": said.get("table", said.get("dataset")),
            "form": said["form"],
            "packing": said.get("packing"),
            "region": said.get("region"),
            "rows": said["rows"],
            "is_given": not ended and all(may[table] for table in said["tables"]),
        }
        plain = said.get("plain")
        if plain and said["packing"] == "gzip":
            is_whole = plain["name"] == DATABASE
            public = {"name": plain["name"], **one, "packing": None, "media_type": _media_type(said["form"]), **_size(plain)}
            lies = (DATABASE, plain["bytes"]) if is_whole else (f"{DOWNLOADS}/{name}", said["bytes"])
            found[plain["name"]] = Kept(public, *lies, is_gzip=not is_whole)
        public = {"name": name, **one, "media_type": said["media_type"], **_size(said)}
        found[name] = Kept(public, f"{DOWNLOADS}/{name}", said["bytes"])
    return Offered(changed, found)


def _media_type(form: str) -> str:
    return FORMS[form].media_type if form in FORMS else SQLITE


def _size(said: Mapping[str, Any]) -> Row:
    return {"bytes": said["bytes"], "sha256": said["sha256"]}


def opened(folder: Path, found: Kept) -> Stored:
    """Raises OSError, ValueError for a file that is not as long as the index says."""
    path = folder / found.stored
    file: BinaryIO = path.open("rb")
    if os.fstat(file.fileno()).st_size != found.stored_bytes:
        file.close()
        raise ValueError(f"{found.stored}: is not what the release's index says")
    return Stored(file, found.public["bytes"], found.is_gzip, path)
