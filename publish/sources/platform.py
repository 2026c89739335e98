"""The platform's API (publish/platform/openapi.yml): listings by cursor under a pinned view, every promise of it checked.

A page is asked for by its ETag where we have it: from the last snapshot, or from a view that expired while we read it. The platform's ETag is over the records and not over
`next`, so a page that was the last is asked for in full: rows may now follow it. When a listing still has the token, the day and the total of the last
snapshot, the view is the same view and no page is asked for at all.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import orjson

from ..errors import SourceBroken, SourceUnavailable
from ..progress import Progress
from ..snapshot import Page, Snapshot
from . import ListingPlan, SourcePlan
from .attempt import Attempt, Sealed, sha256
from .http import Answer, Http, shown
from .text import gunzip
from .walk import Listed, Walk

JSON = "application/json"


class _Expired(Exception):
    """The pinned view is gone (410)."""


@dataclass(frozen=True)
class PlatformSource:
    """Adapter of a platform at `plan.address`; the path of a listing is its name there."""

    plan: SourcePlan
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def pages(self, attempt: Attempt, previous: Snapshot | None, progress: Progress) -> Iterator[Page]:
        """Every page of every listing; see `Source`."""
        http = Http(self.plan, self.wait, self.clock)
        try:
            listed = self._listings(http)
            for listing in self.plan.listings:
                known = _known(previous, listing.name)
                try:
                    pages = self._listing(http, attempt, listing, listed, known, progress)
                except _Expired:
                    progress.say(f"{self.plan.name}: {listing.name}: the view expired while it was read; reading it again")
                    known |= _by_cursor(attempt.put_aside(listing.name))
                    listed = self._listings(http)
                    try:
                        pages = self._listing(http, attempt, listing, listed, known, progress)
                    except _Expired as expired:
                        raise SourceUnavailable(
                            f"{self.plan.name}: {listing.name}: the view expired twice while it was read (410); run again when the platform is quieter"
                        ) from expired
                yield from pages
        finally:
            http.close()

    def _listings(self, http: Http) -> dict[str, Listed]:
        what = f"{self.plan.name}: /v1/listings"
        answer = http.get(f"{self._base}/v1/listings", what, accept=JSON)
        self._must_be_200(answer, what)
        body, _ = self._json(answer, what)
        found: dict[str, Listed] = {}
        entries = body.get("listings")
        for entry in entries if isinstance(entries, list) else []:
            match entry:
                case {"name": str(name), "as_of": str(as_of), "snapshot": str(snapshot), "total": int(total)} if (
                    _is_day(as_of) and snapshot and total >= 0
                ):
                    found[name] = Listed(as_of, snapshot, total)
                case _:
                    raise SourceBroken(
                        f"{what}: an entry is {self._cut(entry)}; name, as_of (a day), snapshot and total were expected: tell the platform"
                    )
        for listing in self.plan.listings:
            if listing.path not in found:
                raise SourceBroken(
                    f"{what}: there is no listing {listing.path!r}, only {', '.join(sorted(found)) or 'none at all'}; correct the declaration or tell the platform"
                )
            if found[listing.path].total == 0 and not listing.may_be_empty:
                raise SourceBroken(
                    f"{self.plan.name}: {listing.name}: is empty (total 0 as of {found[listing.path].as_of}); rows were expected: tell the platform, nothing is published"
                )
        return found

    def _listing(
        self,
        http: Http,
        attempt: Attempt,
        listing: ListingPlan,
        all_listed: dict[str, Listed],
        known: dict[str, Sealed],
        progress: Progress,
    ) -> list[Page]:
        listed = all_listed[listing.path]
        walk = Walk(attempt, self.plan.name, listing, listed)
        progress.start(listing.name, listed.total)
        kept = attempt.sealed(listing.name, listed.snapshot)
        if not kept:
            known = known | _by_cursor(attempt.stale.get(listing.name, []))
        cursor: str | None = ""
        for done in kept:
            walk.step(cursor or "", done.page)
            cursor = done.following
            progress.advance(done.page.records)
        same_view = not kept and _is_same_view(list(known.values()), listed)
        while cursor is not None:
            number = len(walk.pages) + 1
            what = f"{self.plan.name}: {listing.name}, page {number}"
            url = f"{self._base}/v1/listings/{quote(listing.path)}?limit={listing.page_size or self.plan.page_size}"
            url += (f"&cursor={quote(cursor, safe='')}" if cursor else "") + f"&snapshot={quote(listed.snapshot, safe='')}"
            item = known.get(cursor)
            if item is not None and same_view:
                page, following = self._again(attempt, item, number, item.page.url, listed), item.following
            else:
                etag = item.page.etag if item is not None and item.following is not None else None
                answer = http.get(url, what, accept=JSON, etag=etag)
                if answer.status == 410:
                    raise _Expired
                if answer.status == 304 and item is not None and etag is not None:
                    page, following = self._again(attempt, item, number, url, listed), item.following
                else:
                    self._must_be_200(answer, what)
                    page, following = self._read(attempt, answer, what, listing, listed, number, walk)
            walk.step(cursor, page)
            attempt.note(page, following, listed.snapshot)
            progress.advance(page.records)
            cursor = following
        walk.end()
        progress.finish()
        return walk.pages

    def _read(
        self, attempt: Attempt, answer: Answer, what: str, listing: ListingPlan, listed: Listed, number: int, walk: Walk
    ) -> tuple[Page, str | None]:
        body, packed = self._json(answer, what)
        for key, expected in (("listing", listing.path), ("as_of", listed.as_of), ("snapshot", listed.snapshot), ("total", listed.total)):
            if body.get(key) != expected:
                raise SourceBroken(
                    f"{what}: {key} is {self._cut(body.get(key))}, {expected!r} was expected; the platform mixes views: run again, then tell the platform"
                )
        records, count, following = body.get("records"), body.get("count"), body.get("next")
        if type(records) is not list or set(map(type, records)) - {dict}:
            raise SourceBroken(
                f"{what}: records is no list of objects ({self._cut(records)}); its schema changed: compare it with publish/platform/openapi.yml"
            )
        if count != len(records) or type(count) is not int:
            raise SourceBroken(
                f"{what}: count is {self._cut(count)} and there are {len(records)} records; a part is missing: run again, then tell the platform"
            )
        if following is not None and (type(following) is not str or not following or len(following) > 4096):
            raise SourceBroken(f"{what}: next is {self._cut(following)}; a cursor or null was expected: tell the platform")
        walk.look(records)
        try:
            content = sha256(orjson.dumps(records))
        except orjson.JSONEncodeError as error:
            raise SourceBroken(f"{what}: a record is nested too deep; its schema changed: tell the platform") from error
        file = attempt.write(listing.name, f"{number:06d}.json{'.gz' if packed else ''}", answer.body)
        page = Page(
            listing=listing.name,
            file=file,
            form="platform",
            sha256=sha256(answer.body),
            content_sha256=content,
            size=len(answer.body),
            records=count,
            url=answer.url,
            etag=answer.headers.get("ETag"),
            fetched_at=attempt.stamp(),
            as_of=listed.as_of,
        )
        return page, following

    def _again(self, attempt: Attempt, item: Sealed, number: int, url: str, listed: Listed) -> Page:
        """The page that we have already, as part of this snapshot."""
        suffix = "".join(item.path.suffixes)
        file = attempt.link(item.page.listing, f"{number:06d}{suffix}", item.path)
        return replace(item.page, file=file, url=url, fetched_at=attempt.stamp(), as_of=listed.as_of)

    def _json(self, answer: Answer, what: str) -> tuple[dict[str, Any], bool]:
        """The body as an object, and whether it came packed."""
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if encoding not in ("gzip", "x-gzip", "identity"):
            raise SourceBroken(
                f"{what}: came in Content-Encoding {shown(encoding, self.plan.token)}, gzip or none was asked for: tell the platform"
            )
        packed = encoding != "identity"
        text = gunzip(answer.body, what) if packed else answer.body
        if kind != JSON and not re.fullmatch(r"application/[\w.-]+\+json", kind):
            words = shown(text[:2000], self.plan.token)
            raise SourceBroken(
                f"{what}: status {answer.status} with {shown(kind, None) or 'no content type'} instead of JSON; it begins “{words}”: look at the address in a browser"
            )
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise SourceBroken(
                f"{what}: is not whole JSON ({error.msg} at character {error.pos} of {len(text)}), it ends “{shown(text[-60:], self.plan.token)}”; run again, then tell the platform"
            ) from error
        if type(body) is not dict:
            raise SourceBroken(f"{what}: is JSON, but no object: {self._cut(body)}; compare it with publish/platform/openapi.yml")
        return body, packed

    def _must_be_200(self, answer: Answer, what: str) -> None:
        words = shown(answer.body[:2000], self.plan.token) if "gzip" not in answer.headers.get("Content-Encoding", "") else ""
        if answer.status in (401, 403):
            hint = "check MINGBAI_TOKEN" if self.plan.token else "does it need a token (MINGBAI_TOKEN)?"
            raise SourceUnavailable(f"{what}: status {answer.status}, we may not read it; {hint}")
        if answer.status == 304:
            raise SourceBroken(f"{what}: status 304 to a question that named no ETag; tell the platform")
        if answer.status != 200:
            raise SourceBroken(
                f"{what}: status {answer.status} ({words}), 200 was expected; the page is missing: run again, then tell the platform"
            )

    def _cut(self, value: object) -> str:
        return shown(repr(value)[:2000], self.plan.token, 60)

    @property
    def _base(self) -> str:
        return self.plan.address.rstrip("/")


def _known(previous: Snapshot | None, listing: str) -> dict[str, Sealed]:
    """The pages of the last snapshot by the cursor that they answered, with the cursor that followed."""
    pages = [page for page in previous.of(listing) if page.form == "platform"] if previous is not None else []
    asked = [parse_qs(urlsplit(page.url).query) for page in pages]
    cursors = [query.get("cursor", [""])[0] for query in asked]
    views = [query.get("snapshot", [None])[0] for query in asked]
    folder = previous.folder if previous is not None else None
    return {
        cursor: Sealed(page, folder / page.file, following, view)
        for page, cursor, following, view in zip(pages, cursors, [*cursors[1:], None], views, strict=False)
        if folder is not None
    }


def _by_cursor(sealed: list[Sealed]) -> dict[str, Sealed]:
    return {parse_qs(urlsplit(item.page.url).query).get("cursor", [""])[0]: item for item in sealed}


def _is_same_view(known: list[Sealed], listed: Listed) -> bool:
    """Whether these pages are the whole of the view that is now to be read."""
    same = all(item.view == listed.snapshot and item.page.as_of == listed.as_of for item in known)
    return bool(known) and same and known[-1].following is None and sum(item.page.records for item in known) == listed.total


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
