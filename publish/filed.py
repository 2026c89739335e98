"""Files of a release's downloads while they are made: written under another name until they are whole, or taken over from an earlier release.

Knows hashes, links and what the index says of a file, and nothing of rows or forms.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson

from .forms import FORMS, PACKINGS
from .home import DOWNLOAD_INDEX, DOWNLOADS
from .release import file_sha256

VERSION = 1  # of index.json
MEDIA_TYPES = {"zip": "application/zip", **{name: packing.media_type for name, packing in PACKINGS.items()}}
Said = dict[str, Any]


def read(folder: Path) -> Said:
    """What downloads a release has; {} where it is older than they are, or nobody can say."""
    try:
        found: Said = orjson.loads((folder / DOWNLOADS / DOWNLOAD_INDEX).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found if found.get("version") == VERSION else {}


class Files:
    """`files` is what the index says of those that are there by now, by name; `tables` what it says of the tables that they are made of."""

    def __init__(self, folder: Path, tables: Mapping[str, Said], earlier: Path | None, same: Collection[str]) -> None:
        self.files: dict[str, Said] = {}
        self.folder, self._tables, self._earlier, self._same = folder, tables, earlier, same
        self._before = read(earlier) if earlier else {}

    @contextmanager
    def new(self, name: str, said: Mapping[str, Any]) -> Iterator[Any]:
        """A file to be written, which is there when it is whole. `said` has its `form`, the `tables` in it and, where it is packed, its `packing`."""
        from .forms.packed import Counted

        part = self.folder / f"{name}.part"
        with open(part, "wb") as file:
            target = Counted(file)
            try:
                yield target
            finally:
                target.drop()
        os.replace(part, self.folder / name)
        media = MEDIA_TYPES[said["packing"]] if "packing" in said else FORMS[said["form"]].media_type
        tables = said["tables"]
        of = {"rows": sum(self._tables[table]["rows"] for table in tables), "first_end": self._first_end(tables)}
        self.files[name] = {**of, **said, "media_type": media, **target.said()}

    def packers(self, stack: ExitStack, name: str, packings: Iterable[str], said: Mapping[str, Any]) -> list[Any]:
        """Files for all that is to be in a file of this name, one for each packing."""
        from .forms.packed import packer

        return [packer(one, stack.enter_context(self.new(f"{name}{PACKINGS[one].suffix}", {**said, "packing": one}))) for one in packings]

    def add(self, path: Path, media_type: str) -> None:
        """Name a file that describes the others and that somebody else has written."""
        said: Said = {"form": "description", "tables": [], "media_type": media_type, "rows": None, "first_end": None}
        self.files[path.name] = {**said, "bytes": path.stat().st_size, "sha256": file_sha256(path)}

    def take(self, names: Sequence[str], tables: Collection[str], **also: object) -> bool:
        """Take files over from the earlier release, where the tables in them are the same, were written by the same, and the files are what its index says;
        what it says of them `also` must be this."""
        if self._earlier is None or not set(tables) <= set(self._same):
            return False
        there, found = self._before.get("tables", {}), self._before.get("files", {})
        if any(there.get(table, {}).get(what) != self._tables[table][what] for table in tables for what in ("recipe", "rows")):
            return False
        before = self._earlier / DOWNLOADS
        if any(found.get(name, {}).get(key) != value for name in names for key, value in also.items()):
            return False
        if any(name not in found or not (before / name).is_file() or file_sha256(before / name) != found[name]["sha256"] for name in names):
            return False
        for name in names:
            shared(before / name, self.folder / name)
            self.files[name] = {**found[name], "first_end": self._first_end(tables)}
        return True

    def recipe_of(self, table: str) -> str | None:
        """What wrote the table of the earlier release."""
        found = self._before.get("tables", {}).get(table, {}).get("recipe")
        return found if found is None else str(found)

    def _first_end(self, tables: Collection[str]) -> str | None:
        return min((end for table in tables if (end := self._tables[table]["first_end"]) is not None), default=None)


def shared(path: str | Path, target: str | Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
