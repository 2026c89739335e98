"""A snapshot: everything that a source gave at one time, as it gave it, hashed and sealed in one folder.

The folder is private (0700): it holds what the source published and we do not, such as telephone numbers. `seal.json` lists every body with two
hashes: of the bytes as received, which proves that the archive is whole, and of what they say, which does not change when only the
as-of day, the compression or the order of JSON keys around the records did. Two snapshots of equal `content_sha256` say the same.

A folder appears under its final name complete or not at all: bodies, seal and folders are on the disk before the rename.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from .errors import SourceBroken
from .home import china_day, sync

Record = tuple[int, dict[str, Any]]
"""The row number as a person would count it in that file, from 1, and the fields as the source spells them."""

SEAL = "seal.json"
PART = ".part"
NOTES = ".attempt"  # in the folder of an extraction that can go on
FORMAT = 1


@dataclass(frozen=True)
class Page:
    """One body as received. `file` is relative to the snapshot's folder; `form` says which reader understands it."""

    listing: str
    file: str
    form: str
    sha256: str
    content_sha256: str
    size: int
    records: int
    url: str
    etag: str | None
    fetched_at: str
    as_of: str | None


@dataclass(frozen=True)
class Snapshot:
    """A sealed folder. Immutable: whoever needs something else makes another one."""

    id: str
    source: str
    folder: Path
    address: str
    taken_at: str
    pages: tuple[Page, ...]
    content_sha256: str

    def as_of(self, listing: str) -> str | None:
        """The day that the source says this listing is of; of several files the earliest, so that we never claim to be newer than a part is."""
        return self._days.get(listing)

    @property
    def taken_on(self) -> date:
        """The day in China on which it was taken."""
        return china_day(datetime.fromisoformat(self.taken_at))

    @cached_property
    def _days(self) -> dict[str, str]:
        days: dict[str, str] = {}
        for page in self.pages:
            if page.as_of:
                days[page.listing] = min(page.as_of, days.get(page.listing, page.as_of))
        return days

    def of(self, listing: str) -> tuple[Page, ...]:
        """The pages of one listing, in the order in which the source gave them."""
        return tuple(page for page in self.pages if page.listing == listing)


def content_hash(pages: Iterable[Page]) -> str:
    """The hash of what a snapshot says: over (listing, content hash) in page order."""
    digest = hashlib.sha256()
    for page in pages:
        digest.update(f"{page.listing}\t{page.content_sha256}\n".encode())
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()


def seal(part: Path, *, source: str, address: str, taken_at: str, pages: Iterable[Page]) -> Snapshot:
    """Close `part` (a folder ID.part with its bodies) and give it its name. After this a crash cannot lose or tear it."""
    pages = tuple(pages)
    folder = part.with_name(part.name.removesuffix(PART))
    snapshot = Snapshot(folder.name, source, folder, address, taken_at, pages, content_hash(pages))
    listed = {
        "format": FORMAT,
        "id": snapshot.id,
        "source": source,
        "address": address,
        "taken_at": taken_at,
        "content_sha256": snapshot.content_sha256,
    }
    body = orjson.dumps(
        {**listed, "pages": [vars(page) for page in pages]}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    (part / SEAL).write_bytes(body)
    for path in sorted(part.rglob("*")):  # files, then the folders that name them, then the folder that names this one
        sync(path)
    sync(part)
    os.rename(part, folder)
    sync(folder.parent)
    return snapshot


def load(folder: Path, *, bodies: bool = True) -> Snapshot:
    """The snapshot in a folder, after every body was hashed again; without `bodies` for whoever reads none: what the seal says of it.

    Raises SourceBroken naming the file when the seal cannot be read or a body is missing, was changed or lies outside the folder.
    """
    where = f"{folder.name}/{SEAL}"
    try:
        seal_ = orjson.loads((folder / SEAL).read_bytes())
        if seal_["format"] != FORMAT:
            raise SourceBroken(f"{where}: format {seal_['format']!r}, this version reads {FORMAT}; use the version that made it")
        pages = tuple(Page(**{field.name: entry[field.name] for field in fields(Page)}) for entry in seal_["pages"])
        snapshot = Snapshot(seal_["id"], seal_["source"], folder, seal_["address"], seal_["taken_at"], pages, seal_["content_sha256"])
        named = [PurePosixPath(page.file) for page in pages]
    except (OSError, orjson.JSONDecodeError) as error:
        raise SourceBroken(f"{where}: cannot be read ({type(error).__name__}); the folder is no sealed snapshot: extract again") from error
    except (KeyError, TypeError) as error:
        raise SourceBroken(f"{where}: is not a seal ({error} is missing or of another type); extract again") from error
    inside = folder.resolve()
    for page, name in zip(pages, named, strict=True) if bodies else ():
        path = folder / name
        if len(name.parts) != 2 or name.parts[0] != page.listing or not path.resolve().is_relative_to(inside):
            raise SourceBroken(f"{where}: names {page.file!r}, which is not in the folder of {page.listing!r}; do not use this archive")
        if not path.is_file():
            raise SourceBroken(f"{folder.name}/{page.file}: is in the seal and not in the folder; restore it or extract again")
        if (found := file_hash(path)) != page.sha256:
            raise SourceBroken(
                f"{folder.name}/{page.file}: has SHA-256 {found[:12]}…, was sealed with {page.sha256[:12]}…; restore it or extract again"
            )
    if content_hash(pages) != snapshot.content_sha256:
        raise SourceBroken(f"{where}: its content hash is not that of its pages; the seal was changed: extract again")
    return snapshot


def sealed(raw: Path) -> list[Path]:
    """The folders of the snapshots under `raw`; one that is about to get its name is none yet."""
    return sorted(path.parent for path in raw.glob(f"*/{SEAL}") if path.parent.suffix != PART)


def discard(folder: Path) -> None:
    """Remove a sealed snapshot. It loses its name first, so that a crash leaves no seal without bodies: the next extraction clears the rest."""
    part = folder.with_name(folder.name + PART)
    os.rename(folder, part)
    shutil.rmtree(part)
