"""What a disk holds after its power was cut: what was fsynced, and of the rest what suits it.

A model beside the real file system, for a child process: it hears every fsync, rename, replace and symlink of Python's os, and remembers the
bytes of a file and the names in a folder as they were when they were last fsynced. A `Cut` is a home laid out from that memory, in the two
ways that hurt most: names that were not fsynced are lost (their files with them), or names are all there and data that was not fsynced is
not, as on ext4 with delayed allocation. SQLite syncs history.db by itself: it is taken as it is.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ITSELF = ("history.db", "history.db-journal", "lock")


@dataclass
class Disk:
    """The durable state of a home; `cut` is called after each change to it and before each rename."""

    home: Path
    cut: Callable[["Disk", str], None]
    data: dict[int, bytes] = field(default_factory=dict)  # by inode
    names: dict[int, dict[str, tuple[str, Any]]] = field(default_factory=dict)  # of a folder: kind, and inode or what a link names
    held: dict[int, int] = field(default_factory=dict)  # an open file's inode is not given to another one

    def begin(self) -> None:
        """Take what is there as durable, and listen from now on for the rest of this process."""
        for folder, _, files in os.walk(self.home):
            self._folder(Path(folder))
            for name in files:
                if not (Path(folder) / name).is_symlink():
                    self._file(Path(folder) / name)
        self._hear("fsync", self._synced, after=True)
        for name in ("rename", "replace"):
            self._hear(name, self._renamed, after=False)

    def _hear(self, name: str, told: Callable[..., None], *, after: bool) -> None:
        real = getattr(os, name)

        def heard(*arguments: Any, **named: Any) -> Any:
            if after:
                result = real(*arguments, **named)
                told(*arguments)
                return result
            told(*arguments)
            return real(*arguments, **named)

        setattr(os, name, heard)

    def _synced(self, handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if path.is_relative_to(self.home):
            (self._folder if path.is_dir() else self._file)(path)
            self.cut(self, f"after fsync {path.relative_to(self.home)}")

    def _renamed(self, source: Any, target: Any, *_: Any) -> None:
        if Path(target).is_relative_to(self.home):
            self.cut(self, f"before the rename to {Path(target).relative_to(self.home)}")

    def _hold(self, path: Path) -> int:
        inode = path.stat().st_ino
        if inode not in self.held:
            self.held[inode] = os.open(path, os.O_RDONLY)
        return inode

    def _file(self, path: Path) -> None:
        self.data[self._hold(path)] = path.read_bytes()

    def _folder(self, path: Path) -> None:
        self.names[self._hold(path)] = {inner.name: self._entry(inner) for inner in path.iterdir()}

    def _entry(self, path: Path) -> tuple[str, Any]:
        if path.is_symlink():
            return "link", os.readlink(path)
        return "folder" if path.is_dir() else "file", self._hold(path)

    def lay_out(self, to: Path, names_lost: bool) -> None:
        """The home as it is found when the power is back: without the names that were not synced, or with all of them."""
        entry = ("folder", self.home.stat().st_ino)
        self._durable(entry, to) if names_lost else self._named(self.home, to)
        for name in ITSELF:
            (to / name).unlink(missing_ok=True)
            if (self.home / name).is_file():
                (to / name).write_bytes((self.home / name).read_bytes())

    def _durable(self, entry: tuple[str, Any], to: Path) -> None:
        kind, what = entry
        if kind == "link":
            to.symlink_to(what)
        elif kind == "file":
            to.write_bytes(self.data.get(what, b""))
        else:
            to.mkdir(mode=0o700)
            for name, inner in self.names.get(what, {}).items():
                self._durable(inner, to / name)

    def _named(self, path: Path, to: Path) -> None:
        if path.is_symlink():
            to.symlink_to(os.readlink(path))
        elif path.is_dir():
            to.mkdir(mode=0o700)
            for inner in path.iterdir():
                self._named(inner, to / inner.name)
        else:
            to.write_bytes(self.data.get(path.stat().st_ino, b""))
