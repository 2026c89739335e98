"""Where a release is that is to be verified: a folder, or a site that serves one (served.py). Both give bytes and judge nothing.

Nothing but regular files of the folder itself is opened, however they are named. What is too large to be what it should be is not read to its end.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from .home import RELEASE_ID, release_order
from .keys import LIMIT as KEYS_LIMIT

HOLD = ("releases", "chain")  # in a home, what has folders of releases
LIMIT = 16 << 20  # bytes of a manifest: one of 3,000 held counties in every table has 3 million


class Unreadable(Exception):
    """A file is there and is not what it can be; the words say what was found."""


class Withheld(Exception):
    """A site does not give a file out, or not whole; the words say how."""


@dataclass(frozen=True)
class Measured:
    """What a file is."""

    sha256: str
    size: int

    def __str__(self) -> str:
        return f"sha256 {self.sha256}, {self.size:,} bytes"


class Place(Protocol):
    """A release, with the keys and the other releases beside it."""

    @property
    def name(self) -> str:
        """What it calls itself."""
        ...

    def small(self, file: str, limit: int = LIMIT) -> bytes | None:
        """A small file of the release, None where it is not there. Raises Unreadable."""
        ...

    @property
    def is_site(self) -> bool:
        """Whether it is where a publisher gives out what belongs to a release."""
        ...

    def measured(self, file: str, size: int, sha256: str | None = None) -> Measured | None:
        """A file of the release, of which no more is read than a byte over its `size`; None where it is not there. What was put together of several answers
        and has not the hash that is expected is read once more, in one. Raises Unreadable, Withheld."""
        ...

    def gives(self, file: str) -> bool:
        """Whether a file of a release is one that is to be found here."""
        ...

    def unnamed(self, named: set[str]) -> Iterator[tuple[str, str]]:
        """What is there beside what is named, and what that is."""
        ...

    def keys(self) -> tuple[str, bytes] | None:
        """Where keys.json is, and what is in it; None where there is none. Raises Unreadable."""
        ...

    def newest(self) -> "Place | None":
        """The newest release beside this one; None where nothing says which that is."""
        ...

    def earlier(self, release: str) -> "Place":
        """Another release of the same home, there or not."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(frozen=True)
class Folder:
    """A release's folder, in a home or copied out of one: then keys.json and other releases may lie beside it."""

    path: Path
    is_site: bool = False

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def small(self, file: str, limit: int = LIMIT) -> bytes | None:
        return _read(self.path / file, limit)

    def measured(self, file: str, size: int | None, sha256: str | None = None) -> Measured | None:
        with _opened(self.path / file) as opened:
            if opened is None:
                return None
            if (seen := os.fstat(opened.fileno()).st_size) != size and size is not None:
                raise Unreadable(f"{seen:,} bytes")
            return Measured(hashlib.file_digest(opened, "sha256").hexdigest(), seen)

    def gives(self, file: str) -> bool:
        return True

    def unnamed(self, named: set[str]) -> Iterator[tuple[str, str]]:
        folders = {parent.as_posix() for file in named for parent in Path(file).parents}
        for root, inner, files in os.walk(self.path):
            inner.sort()
            for name in sorted([*files, *inner]):
                path = Path(root, name)
                what = path.relative_to(self.path).as_posix()
                if path.is_symlink():
                    yield what, "is a link"
                elif what not in (folders if name in inner else named):
                    yield what, "is not named in the manifest"

    def keys(self) -> tuple[str, bytes] | None:
        beside = self.path.resolve().parent  # two folders up in a home alone: elsewhere that may be anybody's
        for folder in (beside, *([beside.parent] if beside.name in HOLD else [])):
            if (found := _read(folder / "keys.json", KEYS_LIMIT)) is not None:
                return str(folder / "keys.json"), found
        return None

    def newest(self) -> "Folder | None":
        beside = self.path.resolve().parent
        beside = beside.with_name("releases") if beside.name == "chain" else beside
        try:
            found = [path for path in beside.iterdir() if RELEASE_ID.fullmatch(path.name) and (path / "manifest.json").is_file()]
        except OSError:
            return None
        return Folder(max(found, key=lambda path: release_order(path.name))) if found else None

    def earlier(self, release: str) -> "Folder":
        beside = self.path.resolve().parent
        left = beside.parent / "chain" / release
        return Folder(left if not (beside / release).is_dir() and left.is_dir() else beside / release)

    def close(self) -> None:
        pass


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader | None]:
    """A regular file that is there itself, and no link to one. Raises Unreadable for what is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Unreadable("is no file")
    with open(handle, "rb") as opened:
        yield opened


def _read(path: Path, limit: int) -> bytes | None:
    with _opened(path) as opened:
        if opened is None:
            return None
        if (size := os.fstat(opened.fileno()).st_size) > limit:
            raise Unreadable(f"{size:,} bytes, more than {limit:,}")
        return opened.read(limit)
