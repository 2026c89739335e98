"""Lay a release out as a folder under a temporary name: the database in its canonical form, and at the end the manifest and the sums.

Everything in the folder is a function of the candidate: no clock, no path, no host name goes in. The manifest alone says more: where the log
of decisions ended, and what the manifest of the release before it was. It is public from the moment that it is live and never written again.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from .assembled import Assembled
from .audit import End
from .candidate import Candidate
from .canonical import canonical
from .catalogue import Catalogue
from .fresh import is_stale
from .home import DOWNLOAD_INDEX, DOWNLOADS, LINKS, SUMS, Home, as_json, sync, write_whole
from .minisign import SecretKey
from .signing import sign, sums
from .snapshot import Snapshot
from .sourcefile import SourceDeclaration
from .versions import released

TITLE = "明白 mingbai"


def release(candidate: Assembled, home: Home, identifier: str) -> Path:
    """The folder `releases/ID.part` with the canonical mingbai.db. Raises FileExistsError when the release exists."""
    final, part = home.releases / identifier, home.releases / f"{identifier}.part"
    if final.exists():
        raise FileExistsError(final)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    canonical(candidate.path, part / "mingbai.db")
    return part


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(
    part: Path,
    identifier: str,
    candidate: Candidate,
    sources: Mapping[str, tuple[Snapshot, ...]],
    previous: Mapping[str, Any],
    catalogue: Catalogue,
    before: Mapping[str, Any] | None = None,
    audit: End | None = None,
    key: SecretKey | None = None,
    word: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write manifest.json and SHA256SUMS over everything in the folder, sign with `key`, and make the folder durable. Returns the manifest.

    `previous` is the manifest of the live release, {} where there is none; `before` that of the one whose content this one goes on from. `audit` is the newest entry of the log of decisions, the release's own; `word` what
    the release says of others and of the keys (witness.py).
    """
    made, changes = candidate.assembled, candidate.compared()
    live = part.with_name(previous["id"]) / "mingbai.db" if previous else None
    manifest: dict[str, Any] = {
        "id": identifier,
        "title": TITLE,
        "released_on": made.day,
        "previous": previous.get("id"),
        # of that release as it was then: where it is issued anew later, its manifest names this hash in `reissues`
        "previous_manifest": file_sha256(live.with_name("manifest.json")) if live else None,
        "restores": previous.get("restores") if candidate.goes_on else candidate.restores,
        "recipe": candidate.recipe,
        "audit": vars(audit) if audit else None,
        **(word or {}),
        "sources": previous["sources"]
        if candidate.goes_on
        else [_source(catalogue.source(name), sources[name], made.day, before or previous) for name in sorted(sources)],
        "held": [vars(held) for held in candidate.held],
        "unread": dict(candidate.unread),
        "tables": dict(made.tables),
        "accounting": {name: dict(kinds) for name, kinds in made.accounting.items()},
        "issues": dict(made.issues),
        "known_issues": list(candidate.known_issues),
        "changes": {name: dict(kinds) for name, kinds in changes.counts.items()},
        "next_expiry": made.next_expiry,
        "pipeline": bool(previous) and previous["recipe"] != candidate.recipe,  # what changed may be our own doing
        **released(part / "mingbai.db", live, changes.path, changes.counts, previous, catalogue, candidate.goes_on),
    }
    return close(part, manifest, key)


def close(part: Path, said: Mapping[str, Any], key: SecretKey | None) -> dict[str, Any]:
    """Write manifest.json, which is what is `said` and the folder's files, SHA256SUMS, and the signature where there is a key; make the folder
    durable. Returns the manifest."""
    files: dict[str, dict[str, Any]] = {}
    for half in part.rglob("*.part"):  # of a step that was killed; the step that was done again wrote another
        half.unlink()
    for path in sorted(path for path in part.rglob("*") if path.is_file() and path not in [part / name for name in LINKS]):
        files[path.relative_to(part).as_posix()] = {"sha256": file_sha256(path), "size": path.stat().st_size}
    manifest = {**said, "files": files, "unpacked": _unpacked(part)}
    data = as_json(manifest)
    write_whole(part / "manifest.json", data)
    write_whole(part / SUMS, sums(manifest, data))
    sign(part, key)
    for path in sorted(part.rglob("*")):  # files, then the folders that name them
        sync(path)
    sync(part)
    return manifest


def _unpacked(part: Path) -> dict[str, dict[str, Any]]:
    """What a site gives out of a file unpacked, under the name that it has then: a reader who took that has no file of the release itself."""
    try:
        made = orjson.loads((part / DOWNLOADS / DOWNLOAD_INDEX).read_bytes())["files"].values()
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    plain = [said["plain"] for said in made if said.get("plain")]
    return {f"{DOWNLOADS}/{one['name']}": {"sha256": one["sha256"], "size": one["bytes"]} for one in plain}


def _filled(source: SourceDeclaration) -> list[str]:
    """The tables that its records fill, with those of their parts and documents."""
    targets = [target for listing in source.listings.values() for several in listing.fields.values() for target in several]
    return sorted({"documents", *(listing.table for listing in source.listings.values()), *(target.table for target in targets)})


def _source(source: SourceDeclaration, snapshots: tuple[Snapshot, ...], day: str, previous: Mapping[str, Any]) -> dict[str, Any]:
    newest = snapshots[0]
    as_of = {listing: newest.as_of(listing) for listing in sorted({page.listing for page in newest.pages})}
    before = next((row for row in previous.get("sources", []) if row["id"] == source.name), None)
    same = before is not None and before["snapshots"][0]["content_sha256"] == newest.content_sha256
    since = before.get("content_since", previous["released_on"]) if before and same else day
    return {
        "id": source.name,
        "as_of": as_of,
        "tables": _filled(source),
        "content_since": since,  # the day of the first release with what it says now
        "stale": is_stale(since, max(filter(None, as_of.values()), default=None), source.interval_days, day),
        "snapshots": [{"id": snapshot.id, "content_sha256": snapshot.content_sha256} for snapshot in snapshots],
    }
