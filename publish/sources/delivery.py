"""A bureau's delivery: files in a folder, one file, or files below a web address, each copied as received and read through once.

The reading counts the records and proves that the file is whole and has the declared header, so that a broken delivery stops here and not half-way into staging. What the
reading stepped over is summed up in one line a file; the stage that validates hears it in full.
"""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from ..errors import SourceBroken, SourceUnavailable
from ..progress import Progress
from ..snapshot import Page, Snapshot, file_hash
from . import ListingPlan, Remark, SourcePlan
from .attempt import Attempt
from .http import FILE_LIMIT, Http, origin, same_origin, shown
from .reading import form_of, records

AS_OF = re.compile(r"截[至止]到?[\s:：]*(\d{4})\s*[年.\-/]\s*(\d{1,2})\s*[月.\-/]\s*(\d{1,2})")
IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.年]?(\d{1,2})[-_.月]?(\d{1,2})(?!\d)")


@dataclass(frozen=True)
class FileSource:
    """Adapter of a delivery at `plan.address`, a path or an http(s) address."""

    plan: SourcePlan
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def pages(self, attempt: Attempt, previous: Snapshot | None, progress: Progress) -> Iterator[Page]:
        """A page for every file of every listing; see `Source`."""
        remote = self.plan.address.startswith(("http://", "https://"))
        for listing in self.plan.listings:
            attempt.put_aside(listing.name)  # a file may have changed since; they are few
            yield from self._fetched(attempt, listing, previous, progress) if remote else self._copied(attempt, listing, progress)

    def _copied(self, attempt: Attempt, listing: ListingPlan, progress: Progress) -> Iterator[Page]:
        what = f"{self.plan.name}: {listing.name}"
        place = Path(self.plan.address)
        if place.is_dir():
            wanted = {*place.glob(listing.path or "*"), *place.glob(f"{listing.path or '*'}.gz")}
            found = sorted(path for path in wanted if path.is_file() and not path.name.startswith((".", "~$")))
        elif place.is_file():
            found = [place] if len(self.plan.listings) == 1 or not listing.path or fnmatch(place.name, Path(listing.path).name) else []
        else:
            raise SourceUnavailable(f"{self.plan.name}: there is no file or folder {place}; check the address")
        if not found:
            raise SourceBroken(
                f"{what}: no file in {place} is called {listing.path or '*'}; a file was expected: ask the bureau, or correct the declaration"
            )
        progress.start(listing.name, len(found))
        for number, path in enumerate(found, 1):
            name = _file_name(number, path.name)
            if (size := path.stat().st_size) > FILE_LIMIT:
                raise SourceBroken(f"{what}, {path.name}: {size >> 20} MiB, at most {FILE_LIMIT >> 20} are read; ask for it in parts")
            shutil.copyfile(path, attempt.path(listing.name, name))
            url = os.fsencode(path.relative_to(place).as_posix() if place.is_dir() else path.name).decode("utf-8", "replace")
            yield self._page(attempt, listing, name, url, None, progress)
        progress.finish()

    def _fetched(self, attempt: Attempt, listing: ListingPlan, previous: Snapshot | None, progress: Progress) -> Iterator[Page]:
        what = f"{self.plan.name}: {listing.name}"
        base = self.plan.address
        url = urljoin(base if base.endswith("/") else base + "/", quote(listing.path, safe="/%?&=:+,;@~")) if listing.path else base
        if not same_origin(url, origin(base)):
            raise SourceBroken(f"{what}: {shown(url, None)} is not on {origin(base).netloc}; give it a source of its own")
        name = _file_name(1, unquote(Path(urlsplit(url).path).name) or "index.html")
        known = next((page for page in previous.of(listing.name) if page.url == url and page.etag), None) if previous is not None else None
        progress.start(listing.name, None)
        http = Http(self.plan, self.wait, self.clock)
        try:
            path = attempt.path(listing.name, name)
            answer = http.get(url, what, accept="*/*", etag=known.etag if known else None, compressed=False, into=path)
        finally:
            http.close()
        if answer.status == 304 and known is not None and previous is not None:
            name = Path(known.file).name
            attempt.link(listing.name, name, previous.folder / known.file)
            yield attempt.note(replace(known, fetched_at=attempt.stamp()))
        elif answer.status != 200:
            words = shown(answer.body[:2000], self.plan.token)
            error = SourceUnavailable if answer.status in (401, 403) else SourceBroken
            raise error(
                f"{what}: {shown(url, self.plan.token)} is status {answer.status} ({words}), 200 was expected; look at the address in a browser"
            )
        else:
            encoding = answer.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
            if encoding not in ("gzip", "x-gzip", "identity"):
                raise SourceBroken(f"{what}: came in Content-Encoding {shown(encoding, None)}, which was not asked for: tell the source")
            if encoding != "identity" and not name.endswith(".gz"):
                name += ".gz"
                os.rename(path, path.with_name(name))
            yield self._page(attempt, listing, name, url, answer.headers.get("ETag"), progress)
        progress.finish()

    def _page(self, attempt: Attempt, listing: ListingPlan, name: str, url: str, etag: str | None, progress: Progress) -> Page:
        path = attempt.path(listing.name, name)
        form = form_of(path, listing.form)
        kinds: Counter[str] = Counter()
        said: list[str] = []

        def hear(remark: Remark) -> None:
            kinds[remark.kind] += 1
            if remark.kind in ("title", "note") and len(said) < 50:
                said.append(remark.text)

        count = sum(1 for _ in records(path, form, listing, hear))
        if count == 0 and not listing.may_be_empty:
            raise SourceBroken(
                f"{self.plan.name}: {listing.name}, {name}: has no records under its header; rows were expected: ask the bureau, nothing is published"
            )
        if kinds:
            progress.say(
                f"{self.plan.name}: {listing.name}, {name}: {count} records; beside them {', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}"
            )
        progress.advance()
        digest = file_hash(path)
        return attempt.note(
            Page(
                listing=listing.name,
                file=f"{listing.name}/{name}",
                form=form,
                sha256=digest,
                content_sha256=digest,
                size=path.stat().st_size,
                records=count,
                url=url,
                etag=etag,
                fetched_at=attempt.stamp(),
                as_of=as_of(said, name),
            )
        )


def as_of(said: list[str], name: str) -> str | None:
    """The day that a file says it is of: 截至 … in its title or notes, else a date in its name."""
    for text, pattern in [*((text, AS_OF) for text in said), (name, IN_NAME)]:
        for year, month, day in pattern.findall(text):
            try:
                return date(int(year), int(month), int(day)).isoformat()
            except ValueError:
                continue
    return None


def _file_name(number: int, given: str) -> str:
    """A name for the archive that cannot leave it and in which a person knows the file again."""
    kept = re.sub(r"[^\w.()（）-]+", "_", given).strip("._")
    while len(kept.encode()) > 200:
        kept = kept[1:]
    return f"{number:06d}-{kept or 'file'}"
