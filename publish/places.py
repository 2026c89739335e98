"""Where a release is that is to be verified: a folder, or an address of a site that serves one. Both give bytes and judge nothing.

Nothing but regular files of the folder itself is opened, however they are named, and no address beyond the one that was given. What is too
large to be what it should be is not read to its end.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urljoin

from .errors import BadHome, SourceBroken, SourceUnavailable
from .home import DOWNLOAD_HOLDS, DOWNLOADS
from .keys import LIMIT as KEYS_LIMIT
from .sources import SourcePlan

if TYPE_CHECKING:
    from .sources.http import Http

LIMIT = 16 << 20  # bytes of a manifest: one of 3,000 held counties in every table has 3 million


class Unreadable(Exception):
    """A file is there and is not what it can be; the words say what was found."""


class Withheld(Exception):
    """A site does not give a file out today, and says so."""


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

    def measured(self, file: str, size: int) -> Measured | None:
        """A file of the release, None where it is not there. Raises Unreadable, Withheld."""
        ...

    def gives(self, file: str) -> bool:
        """Whether a file of a release is one that is to be found here."""
        ...

    def unnamed(self, named: set[str]) -> Iterator[tuple[str, str]]:
        """What is there beside what is named, and what that is."""
        ...

    def keys(self) -> bytes | None:
        """keys.json, None where it is not there. Raises Unreadable."""
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

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def small(self, file: str, limit: int = LIMIT) -> bytes | None:
        return _read(self.path / file, limit)

    def measured(self, file: str, size: int) -> Measured | None:
        with _opened(self.path / file) as opened:
            if opened is None:
                return None
            if (seen := os.fstat(opened.fileno()).st_size) != size:
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

    def keys(self) -> bytes | None:
        whole = self.path.resolve()
        for folder in (whole.parent, whole.parent.parent):
            if (found := _read(folder / "keys.json", KEYS_LIMIT)) is not None:
                return found
        return None

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


class Site:
    """A release as a site serves it, by the address of its folder: https://mingbai.example/data/2026-11-23/, or …/data/latest/."""

    def __init__(self, base: str, client: "Http") -> None:
        self._base, self._client = base, client

    @property
    def name(self) -> str:
        return self._base.rstrip("/").rsplit("/", 1)[-1]

    def _get(self, url: str, limit: int) -> bytes | None:
        try:
            answer = self._client.get(url, url, accept="*/*", compressed=False)
        except SourceBroken as error:
            if "the body is over" not in str(error):
                raise
            raise Unreadable(f"more than {limit:,} bytes") from error  # which were not read to their end
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise Unreadable(f"status {answer.status}")
        if len(answer.body) > limit:
            raise Unreadable(f"{len(answer.body):,} bytes, more than {limit:,}")
        if url.startswith(self._base) and answer.url != url:  # of the newest release, which is under its own name
            self._base = answer.url.rsplit("/", 1)[0] + "/"
        return answer.body

    def small(self, file: str, limit: int = LIMIT) -> bytes | None:
        return self._get(self._base + file, limit)

    def measured(self, file: str, size: int) -> Measured | None:
        url = self._base + quote(file)
        with tempfile.TemporaryDirectory(prefix="mingbai-") as folder:
            into = Path(folder) / "file"
            try:
                answer = self._client.get(url, url, accept="*/*", compressed=False, into=into)
            except SourceUnavailable as error:
                if str(error.__cause__).startswith("status 503"):
                    raise Withheld("status 503") from error
                raise
            if answer.status == 410:
                raise Withheld("status 410")
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise Unreadable(f"status {answer.status}")
            with into.open("rb") as file_:
                return Measured(hashlib.file_digest(file_, "sha256").hexdigest(), into.stat().st_size)

    def gives(self, file: str) -> bool:
        if file == f"{DOWNLOADS}/{DOWNLOAD_HOLDS}":
            return False
        return file == "mingbai.db" or file.startswith(f"{DOWNLOADS}/")  # the rest is what a site works with

    def unnamed(self, named: set[str]) -> Iterator[tuple[str, str]]:
        return iter(())

    def keys(self) -> bytes | None:
        return self._get(urljoin(self._base, "../keys.json"), KEYS_LIMIT)

    def earlier(self, release: str) -> "Site":
        return Site(urljoin(self._base, f"../{release}/"), self._client)

    def close(self) -> None:
        self._client.close()


def place(where: str) -> Place:
    """A folder or an address. Raises BadHome for what is neither, BadDeclaration for an address that cannot be asked."""
    if where.startswith(("http://", "https://")):
        http: Http = _http().Http(SourcePlan("release", where, (), rate=0, retries=2))
        return Site(where.removesuffix("manifest.json").rstrip("/") + "/", http)
    if not Path(where).is_dir():
        raise BadHome(f"{where}: is no folder; expected that of a release, or its address: https://mingbai.example/data/2026-11-23/")
    return Folder(Path(where))


def _http() -> ModuleType:
    """How we speak HTTP. It brings requests, for which no command waits that calls nobody."""
    from .sources import http

    return http
