"""The first stage: get everything that a source offers, as it offers it, into one sealed snapshot.

By the address: a folder that has a seal is an archive; http(s) is the platform's API, or a file when the address or the declaration says so; a folder or file is a bureau's
delivery. Interrupted or failed work is found again and continued by the next call for the same source and address.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from .errors import BadDeclaration
from .progress import Progress, silent
from .snapshot import SEAL, Snapshot, content_hash, load, seal
from .sources import Source, SourcePlan
from .sources.archive import ArchiveSource
from .sources.attempt import Attempt
from .sources.reading import SUFFIXES


def extract(
    source: SourcePlan,
    home: Path,
    now: datetime,
    previous: Snapshot | None = None,
    progress: Progress = silent,
    *,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot:
    """A sealed snapshot of every listing of a source, or `previous` itself when the source says nothing that `previous` does not say.

    `previous` also spares the source: what it still has under the same ETag is not sent again. In the second case nothing is left behind under `home`.

    Raises SourceUnavailable (run again; what was fetched is kept), SourceBroken, BadDeclaration; then no snapshot appears.
    """
    _check(source)
    raw = home / "raw"
    adapter = _adapter(source, wait, clock)
    if isinstance(adapter, ArchiveSource):
        return _unarchived(adapter, raw, now, clock, progress)
    if previous is not None and (previous.source, previous.address) != (source.name, source.address):
        previous = None
    attempt = Attempt(raw, source.name, source.address, now, clock)
    try:
        pages = tuple(adapter.pages(attempt, previous, progress))
        if previous is not None and content_hash(pages) == previous.content_sha256:
            attempt.discard()
            return previous
        folder = attempt.close()
        return seal(folder, source=source.name, address=source.address, taken_at=attempt.taken_at, pages=pages)
    finally:
        attempt.pause()


def _adapter(source: SourcePlan, wait: Callable[[float], None], clock: Callable[[], float]) -> Source:
    from .sources.delivery import FileSource  # requests takes a fifth of a second to import, which no other step should wait for
    from .sources.platform import PlatformSource

    if not source.address.startswith(("http://", "https://")):
        if (Path(source.address) / SEAL).is_file():
            return ArchiveSource(source, Path(source.address))
        return FileSource(source, wait, clock)
    path = PurePosixPath(urlsplit(source.address).path)
    is_file = any(suffix in SUFFIXES for suffix in path.suffixes[-2:]) or any(
        listing.form not in (None, "platform") for listing in source.listings
    )
    return FileSource(source, wait, clock) if is_file else PlatformSource(source, wait, clock)


def _unarchived(adapter: ArchiveSource, raw: Path, now: datetime, clock: Callable[[], float], progress: Progress) -> Snapshot:
    """The archived snapshot under `raw`, with the id, the times and the seal that it has in the archive."""
    archived = adapter.opened()
    if (raw / archived.id / SEAL).is_file():
        here = load(raw / archived.id)
        if here.content_sha256 == archived.content_sha256:
            return here
        raise BadDeclaration(f"{archived.id}: raw/ has a snapshot of this id that says something else; move one of them away")
    attempt = Attempt(raw, f"archive of {archived.source}", archived.id, now, clock, name=archived.id)
    try:
        pages = tuple(adapter.pages(attempt, None, progress))
        return seal(attempt.close(), source=archived.source, address=archived.address, taken_at=archived.taken_at, pages=pages)
    finally:
        attempt.pause()


def _check(source: SourcePlan) -> None:
    """Names become folders; an address is asked."""
    from .sources.http import origin

    for name in (source.name, *(listing.name for listing in source.listings)):
        if not name.replace("-", "a").replace("_", "a").isidentifier():
            raise BadDeclaration(f"{source.name}: {name!r} is no name: letters, digits, - and _ only")
    if not source.listings:
        raise BadDeclaration(f"{source.name}: has no listings")
    if len({listing.name for listing in source.listings}) != len(source.listings):
        raise BadDeclaration(f"{source.name}: two listings have the same name")
    if source.address.startswith(("http://", "https://")):
        origin(source.address)
    elif "://" in source.address:
        raise BadDeclaration(f"{source.name}: the address is neither http(s):// nor a path")
