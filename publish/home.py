"""Where things are under $MINGBAI_HOME, and the few operations on the whole of it: the lock, names of releases, small files replaced whole.

`current` is the only commit point: what it names is live, and everything newer is a leftover of a run that did not get there. releases.json
and the site's status are made from what is live and can be made again at any time.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson

from .errors import BadHome, Busy

CHINA = ZoneInfo("Asia/Shanghai")  # the platform and the authorities print local time and do not say so
DELTAS, DELTA_INDEX, DELTA_HOLDS = "deltas", "index.json", "holds.json"  # in a release
DOWNLOADS, DOWNLOAD_INDEX, DOWNLOAD_HOLDS = "downloads", "index.json", "holds.json"  # in a release
SUMS, SIGNATURE = "SHA256SUMS", "manifest.json.minisig"
DEMO = "demo.txt"  # in a home of invented data: the demo goes into no other, and its pages say so
LINKS = "manifest.json", SUMS, SIGNATURE  # what is not in a manifest itself, and stays of a release that is no longer kept
PAST_FORM = 7  # of past/ID.db (past.py): one of another form tells what this one leaves out; it is made again, and not shown before
RELEASE_ID = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d*))?")


def china_day(now: datetime) -> date:
    """The day in China at an instant. Raises ValueError for an instant without a zone."""
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now.astimezone(CHINA).date()


def release_order(identifier: str) -> tuple[str, int]:
    """Sorts `2026-11-23` < `2026-11-23.2` < `2026-11-23.10`. Raises BadHome for what is no release id."""
    match = RELEASE_ID.fullmatch(identifier)
    if match is None:
        raise BadHome(f"{identifier!r} is no release id; expected a day such as 2026-11-23, or 2026-11-23.2 for its second release")
    return match[1], int(match[2] or 1)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace `path` so that a reader, or a crash, finds all of the old or all of the new."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable: without it a power cut can empty the one and undo a rename in the other."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def to_read(database: Path, for_good: bool = False) -> str:
    """The address of a database that is only read, for sqlite3 with `uri` and for ATTACH; `for_good`: of one that nobody writes to any more.

    Whatever signs a home's path has: a # or a ? in it would end the path, and a % begin a sign.
    """
    return f"file:{quote(str(database))}?mode=ro{'&immutable=1' if for_good else ''}"


def as_json(value: Any) -> bytes:
    """Stable JSON: sorted keys, two spaces, a newline at the end."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True)
class Home:
    """The folder that a run works in."""

    PAST: ClassVar = "past"
    FEEDS: ClassVar = "feeds"
    path: Path

    @property
    def raw(self) -> Path:
        return self.path / "raw"

    @property
    def staging(self) -> Path:
        return self.path / "staging"

    @property
    def candidate(self) -> Path:
        return self.staging / "candidate"

    @property
    def candidate_file(self) -> Path:
        """What makes a candidate of the databases beside it: publish/candidate.py writes it."""
        return self.candidate / "candidate.json"

    @property
    def base(self) -> Path:
        return self.staging / "base.db"

    @property
    def releases(self) -> Path:
        return self.path / "releases"

    @property
    def history(self) -> Path:
        return self.path / "history.db"

    @property
    def past(self) -> Path:
        """What may be told of every release's past: one file, of the live release (publish/past.py)."""
        return self.path / self.PAST

    @property
    def feeds(self) -> Path:
        """What the site serves of feeds: one file, of the live release (publish/feedfile.py)."""
        return self.path / self.FEEDS

    @property
    def current(self) -> Path:
        return self.path / "current"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def keys(self) -> Path:
        """The public keys that sign releases, for readers: publish/keys.py."""
        return self.path / "keys.json"

    @property
    def chain(self) -> Path:
        """What is left of releases that are no longer kept: manifest, sums and signature, by which later ones are linked to earlier ones."""
        return self.path / "chain"

    @property
    def inbox(self) -> Path:
        """Where clerks put statements as files: publish/inbox.py takes them."""
        return self.path / "inbox"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    @property
    def audit_end(self) -> Path:
        return self.path / "audit.end"

    @property
    def held_page(self) -> Path:
        """What the last release in which something was held would have changed there."""
        return self.staging / "held.html"

    @property
    def withdrawn(self) -> Path:
        """What notices said that were withdrawn, for the proof that it is nowhere else."""
        return self.staging / "withdrawn.json"

    @property
    def detail(self) -> Path:
        """What the last run that failed said in full, for the staff: it can repeat a source's words."""
        return self.staging / "last_error.txt"

    def there(self) -> None:
        """Raises BadHome where there is no such folder: of a name that was mistyped nothing is to be said."""
        if not self.path.is_dir():
            raise BadHome(f"{self.path}: is no folder; give the home with --home or MINGBAI_HOME, which `mingbai run` makes")

    def prepare(self) -> "Home":
        """Make the folders. Raises BadHome when that is not possible."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for private in (self.raw, self.staging):
                private.mkdir(mode=0o700, exist_ok=True)
                os.chmod(private, 0o700)
            self.releases.mkdir(exist_ok=True)
        except OSError as error:
            raise BadHome(f"{self.path}: {error.strerror}; give a folder that can be written with --home or MINGBAI_HOME") from error
        return self

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for one run. The kernel lets go when the owner dies. Raises Busy when another run holds it."""
        self.prepare()
        with open(self.path / "lock", "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                raise Busy(
                    f"{self.path}: process {file.read().strip() or 'unknown'} is working here; wait for it or give another --home"
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def live(self) -> str | None:
        """The id of the live release. Raises BadHome when `current` leads nowhere."""
        if not self.current.is_symlink():
            if (self.path / "releases.json").is_file():
                raise BadHome(
                    f"{self.current}: is no link and releases.json says that there are releases; restore it (ln -s releases/ID current, with the id that releases.json calls live) before anything is published"
                )
            return None
        identifier = os.readlink(self.current).rstrip("/").rsplit("/", 1)[-1]
        release_order(identifier)
        if not (self.releases / identifier / "manifest.json").is_file():
            raise BadHome(f"{self.current}: names release {identifier}, which has no manifest; restore that release")
        return identifier

    def release_ids(self) -> list[str]:
        """Releases that are whole, oldest first."""
        if not self.releases.exists():
            return []
        # not by glob, which finds nothing, and says nothing, in a folder that may not be read
        found = [path.name for path in self.releases.iterdir() if RELEASE_ID.fullmatch(path.name) and (path / "manifest.json").is_file()]
        return sorted(found, key=release_order)

    def leftovers(self) -> list[str]:
        """Whole releases that never went live: newer than the live one and not in releases.json. Without that file nothing can be said of them."""
        live = self.live()
        try:
            known = {row["id"] for row in orjson.loads((self.path / "releases.json").read_bytes())["releases"]}
        except FileNotFoundError:
            known = set() if live is None else set(self.release_ids())
        except (orjson.JSONDecodeError, KeyError, TypeError):
            known = set(self.release_ids())
        return [name for name in self.release_ids() if name not in known and (live is None or release_order(name) > release_order(live))]

    def next_release(self, day: date) -> str:
        """The id for a release made on `day`; never one that was used, also when the clock went back."""
        used = [release_order(name) for name in self.release_ids()]
        last = max(used, default=("", 0))
        if day.isoformat() > last[0]:
            return day.isoformat()
        return f"{last[0]}.{last[1] + 1}"

    def manifest(self, identifier: str) -> dict[str, Any]:
        """The manifest of a release. Raises BadHome when it cannot be read."""
        path = self.releases / identifier / "manifest.json"
        try:
            found: dict[str, Any] = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise BadHome(f"{path}: cannot be read ({error}); restore the release from a copy") from error
        return found

    def read_status(self) -> dict[str, Any]:
        """The public status, {} before the first run."""
        try:
            found = orjson.loads(self.status.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def clear_candidate(self) -> None:
        """Forget what is in the making. First the file that makes a candidate of the rest: none is ever left that says what it no longer has."""
        self.candidate_file.unlink(missing_ok=True)
        for folder in (self.candidate, *self.releases.glob("*.part")):
            shutil.rmtree(folder, ignore_errors=True)
