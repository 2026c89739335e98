"""A snapshot while it is being taken: a folder ID.part that a later attempt finds again.

Bodies are written under their final names; a journal in `.attempt/` says after each one what it was and where paging goes on. A body is not fsynced here (5,000 times
0.2 ms, and a crash of the machine is rare): a later attempt hashes what the journal names and goes on before the first that is not as it was.
Bodies that no longer belong to a consistent view wait in `.attempt/stale/` to be asked for by their ETag.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ..errors import BadHome
from ..snapshot import NOTES, PART, Page, file_hash

PRIVATE = 0o700


@dataclass(frozen=True)
class Sealed:
    """A page that is on the disk. `following` is the cursor after it, None after the last; `view` is the snapshot token it was read under."""

    page: Page
    path: Path
    following: str | None
    view: str | None


class Attempt:
    """The folder of one attempt, new or continued: finds or makes it under `raw`, for this source at this address."""

    def __init__(self, raw: Path, source: str, address: str, now: datetime, clock: Callable[[], float], name: str | None = None) -> None:
        self._now, self._clock, self._began = now, clock, clock()
        raw.parent.mkdir(parents=True, exist_ok=True)
        self._make(raw)
        self._key = {"source": source, "address": address}
        self.folder, self.taken_at = self._found(raw) or self._new(raw, name)
        self._notes = self.folder / NOTES
        self._sealed = self._journal()

    def stamp(self) -> str:
        """This moment, UTC: the time that the run was given plus what has passed since."""
        return _utc(self._now + timedelta(seconds=self._clock() - self._began))

    def sealed(self, listing: str, view: str | None = None) -> list[Sealed]:
        """What an earlier attempt left of a listing under the same view, in order and whole. What does not fit is put aside as stale."""
        kept = self._sealed.get(listing, [])
        if any(item.view != view for item in kept):
            self.put_aside(listing)
            return []
        return kept

    def put_aside(self, listing: str) -> list[Sealed]:
        """Take the pages of a listing out of the snapshot; they stay readable, to be asked for by ETag, until the seal."""
        kept = self._sealed.pop(listing, [])
        target = self._notes / "stale" / listing
        if kept:
            shutil.rmtree(target, ignore_errors=True)
            self._make(target.parent)
            os.rename(self.folder / listing, target)
        self.stale[listing] = [Sealed(item.page, target / item.path.name, item.following, item.view) for item in kept]
        self._log({"aside": listing})
        return self.stale[listing]

    def path(self, listing: str, name: str) -> Path:
        """Where a body of a listing goes."""
        self._make(self.folder / listing)
        return self.folder / listing / name

    def write(self, listing: str, name: str, body: bytes) -> str:
        """Keep a body as received; gives its name relative to the folder."""
        path = self.path(listing, name)
        path.write_bytes(body)
        return f"{listing}/{name}"

    def link(self, listing: str, name: str, original: Path) -> str:
        """Keep a body that we have already, without copying where the disk allows; gives its name relative to the folder."""
        path = self.path(listing, name)
        path.unlink(missing_ok=True)
        try:
            os.link(original.resolve(), path)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(original, path)
        return f"{listing}/{name}"

    def note(self, page: Page, following: str | None = None, view: str | None = None) -> Page:
        """Say in the journal that a page is done, so that a later attempt need not fetch it again."""
        self._sealed.setdefault(page.listing, []).append(Sealed(page, self.folder / page.file, following, view))
        self._log({"page": vars(page), "following": following, "view": view})
        return page

    def close(self) -> Path:
        """The folder with nothing but bodies in it, ready for the seal."""
        self._journal_file.close()
        shutil.rmtree(self._notes)
        kept = {self.folder / item.page.file for items in self._sealed.values() for item in items}
        for path in self.folder.rglob("*"):  # half-written bodies of an earlier attempt
            if path.is_file() and path not in kept:
                path.unlink()
        return self.folder

    def discard(self) -> None:
        """Leave nothing behind: there was nothing new."""
        self._journal_file.close()
        shutil.rmtree(self.folder)

    def pause(self) -> None:
        """Leave everything behind for the next attempt."""
        self._journal_file.close()

    def _found(self, raw: Path) -> tuple[Path, str] | None:
        for part in sorted(raw.glob(f"*{PART}")):
            try:
                about = orjson.loads((part / NOTES / "about.json").read_bytes())
            except (
                FileNotFoundError,
                NotADirectoryError,
                orjson.JSONDecodeError,
            ):  # killed as it began, or as it was sealed: nobody could continue it
                shutil.rmtree(part)
                continue
            if {name: about.get(name) for name in self._key} == self._key:
                return part, about["taken_at"]
            if about.get("source") == self._key["source"]:  # of an address that is no longer asked: nobody would ever continue it
                shutil.rmtree(part)
        return None

    def _new(self, raw: Path, name: str | None) -> tuple[Path, str]:
        stem = name or f"{self._key['source']}-{self._now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        names = [stem, *(f"{stem}.{number}" for number in range(2, 100))]
        free = next((free for free in names if not (raw / free).exists() and not (raw / (free + PART)).exists()), None)
        if free is None:
            raise BadHome(f"{raw.name}/{stem}: there are 99 snapshots of this second; the clock of this machine stands still")
        folder = raw / (free + PART)
        self._make(folder / NOTES)
        taken_at = _utc(self._now)
        (folder / NOTES / "about.json").write_bytes(orjson.dumps({**self._key, "taken_at": taken_at}))
        return folder, taken_at

    def _journal(self) -> dict[str, list[Sealed]]:
        """What the journal names and the disk confirms; of each listing up to the first page that is not as it was."""
        self.stale: dict[str, list[Sealed]] = {}
        path = self._notes / "journal.ndjson"
        found: dict[str, list[Sealed]] = {}
        for line in path.read_bytes().splitlines() if path.exists() else []:
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:  # the last line of an attempt that was killed
                break
            if "aside" in entry:
                found.pop(entry["aside"], None)
                continue
            page = Page(**entry["page"])
            found.setdefault(page.listing, []).append(Sealed(page, self.folder / page.file, entry["following"], entry["view"]))
        for listing, items in found.items():
            whole = next(
                (n for n, item in enumerate(items) if not item.path.is_file() or file_hash(item.path) != item.page.sha256), len(items)
            )
            found[listing] = items[:whole]
        self._journal_file = path.open("wb")
        for items in found.values():
            for item in items:
                self._log({"page": vars(item.page), "following": item.following, "view": item.view})
        return found

    def _log(self, entry: dict[str, Any]) -> None:
        self._journal_file.write(orjson.dumps(entry) + b"\n")
        self._journal_file.flush()

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            if folder.parent != folder and not folder.parent.is_dir():
                self._make(folder.parent)  # mkdir(parents=True) would give the parents the usual mode
            folder.mkdir(PRIVATE, exist_ok=True)


def sha256(body: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
