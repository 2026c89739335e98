"""A release as a site serves it, by its address. No address beyond that site's is asked, and of no file more is read than it can have."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from .errors import BadHome, SourceBroken, SourceUnavailable
from .home import DOWNLOAD_HOLDS, DOWNLOADS
from .keys import LIMIT as KEYS_LIMIT
from .places import LIMIT, Folder, Measured, Place, Unreadable, Withheld
from .sources import SourcePlan

if TYPE_CHECKING:
    from .sources.http import Http

LATEST = "latest"  # in an address: whichever release is the newest
SLACK = 1 << 20  # bytes: what is too long is said as that, and not as a broken promise


class Site:
    """A release as a site serves it, by the address of its folder: https://mingbai.example/data/2026-11-23/, or …/data/latest/."""

    is_site = True

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

    def measured(self, file: str, size: int, sha256: str | None = None) -> Measured | None:
        found, is_joined = self._measured(file, size, True)
        if is_joined and found is not None and sha256 not in (None, found.sha256):  # a cache may keep one strong tag over two issues
            found, _ = self._measured(file, size, False)
        return found

    def _measured(self, file: str, size: int, may_resume: bool) -> tuple[Measured | None, bool]:
        """What a file is, and whether it was put together of several answers."""
        url = self._base + quote(file)
        seen: list[Measured] = []

        def measure(chunks: Iterable[bytes]) -> None:
            hashed, length = hashlib.sha256(), 0
            for chunk in chunks:
                hashed.update(chunk)
                length += len(chunk)
                if length > size:
                    raise Unreadable(f"more than {size:,} bytes")
            seen.append(Measured(hashed.hexdigest(), length))

        try:
            answer = self._client.get(
                url, url, accept="*/*", compressed=False, into=measure, limit=size + SLACK, final=(503,), may_resume=may_resume
            )
        except (SourceBroken, SourceUnavailable) as error:
            raise Withheld(str(error)) from error
        if answer.status in (410, 503):
            raise Withheld(f"status {answer.status}")
        if answer.status == 404:
            return None, False
        if answer.status != 200:
            raise Unreadable(f"status {answer.status}")
        return seen[-1], answer.is_joined

    def gives(self, file: str) -> bool:
        if file == f"{DOWNLOADS}/{DOWNLOAD_HOLDS}":
            return False
        return file == "mingbai.db" or file.startswith(f"{DOWNLOADS}/")  # the rest is what a site works with

    def unnamed(self, named: set[str]) -> Iterator[tuple[str, str]]:
        return iter(())

    def keys(self) -> tuple[str, bytes] | None:
        url = urljoin(self._base, "../keys.json")
        found = self._get(url, KEYS_LIMIT)
        return None if found is None else (url, found)

    def newest(self) -> "Site":
        return Site(urljoin(self._base, f"../{LATEST}/"), self._client)

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
