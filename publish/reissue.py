"""Issue releases anew without notices that were withdrawn (rule 6): the same id, other bytes, and the manifest says so.

The new folder is made beside the old one and takes its name; then the old bytes go. Nothing else of the release changes: the rows are those
that it had, and the index is made of them as it was made then. Whatever the number of releases, room is needed for two more, and what a
run that dies leaves is done by the next one: whether a release still has a notice is asked of its database and remembered nowhere. A release
that cannot be read keeps no other one from being issued anew. The delta of a release begins with the bytes of the one before it: it is made anew when
these are others, from the oldest release on, and that of the live one when another is live.
"""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from . import deltas, downloads, historyfile, stones, texts
from .assembled import Assembled
from .canonical import canonical
from .catalogue import Catalogue
from .errors import BadHome
from .filed import shared
from .home import DOWNLOADS, Home, as_json, sync, write_whole
from .index import index
from .live import OLD, write_index
from .minisign import SecretKey
from .progress import Progress, silent
from .release import close, file_sha256
from .restore import without
from .signing import sign
from .vouching import differs
from .withdrawals import in_database

NEW = ".reissued.part"  # behind the id, while it is made
Gone = Mapping[str, tuple[str, str, str]]  # forgotten.gone


def reissue_all(home: Home, catalogue: Catalogue, gone: Gone, progress: Progress = silent, key: SecretKey | None = None) -> list[str]:
    """Issue every release but the live one anew that has one of these notices, signed with `key`. Returns a line for each that could not be."""
    wanted, trouble, unread = [], [], set()
    for name in home.release_ids():
        try:
            if name != home.live() and in_database(home.releases / name / "mingbai.db", gone):
                wanted.append(name)
        except sqlite3.Error as error:
            unread.add(name)
            trouble.append(f"release {name} cannot be read ({error}), and whether it has what was withdrawn is not known")
    progress.start("reissue", len(wanted))
    for name in wanted:
        try:
            number = len(reissue(home, catalogue, name, gone, key))
            progress.say(f"issued {name} anew without {number} withdrawn {'notice' if number == 1 else 'notices'}")
        except (sqlite3.Error, BadHome) as error:
            trouble.append(f"release {name} has what was withdrawn and could not be issued anew ({error})")
        progress.advance(1)
    progress.finish()
    late = []
    for name in home.release_ids():
        try:
            if name != home.live() and name not in unread and deltas.outdated(home, name):
                late.append(name)
                _lead_to(home, catalogue, name, key)
        except (sqlite3.Error, BadHome) as error:
            trouble.append(f"the delta of release {name} begins with what is no longer there and could not be made anew ({error})")
    if wanted or late:
        write_index(home)
    return [f"{home.releases}: {line}; restore it from a copy, or remove it" for line in trouble]


def reissue(home: Home, catalogue: Catalogue, identifier: str, gone: Gone, key: SecretKey | None) -> list[str]:
    """Take the notices that are gone out of a release that is not live. Returns which it had."""
    old, part = home.releases / identifier, home.releases / f"{identifier}{NEW}"
    manifest = home.manifest(identifier)
    had = in_database(old / "mingbai.db", gone)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    work = part / "work.db.part"
    shutil.copyfile(old / "mingbai.db", work)
    made = without(work, had, manifest, catalogue, date.fromisoformat(manifest["released_on"]))
    canonical(work, part / "mingbai.db")
    work.unlink()
    index(part / "mingbai.db", catalogue, part / "search" / "index.db")
    texts.texts(part / "mingbai.db", catalogue, part / texts.FILE)
    left = {notice: stones.stone(gone[notice][1], gone[notice][0]) for notice in had}
    if (old / DOWNLOADS).is_dir():
        versions = {dataset: one["version"] for dataset, one in manifest.get("versions", {}).items()}
        downloads.anew(part, catalogue, downloads.Issue(identifier, manifest["released_on"], versions), old)
    write_whole(part / stones.TOMBSTONES, as_json({**stones.read(old), **left}))
    deltas.anew(home, catalogue, part, identifier, manifest["previous"])
    close(part, _manifest(manifest, old, made, [gone[notice] for notice in had]), None)
    _take_place(home, identifier, part, key)
    return had


def _take_place(home: Home, identifier: str, part: Path, key: SecretKey | None) -> None:
    """Sign a new issue and give it its name. Its hashes are entered before it is there: a run that dies here does all of it again.

    What was made of anything but what this home published, in any of its files, is without what was withdrawn, and is neither signed nor entered:
    each run names it (vouching.py).
    """
    old, made = home.releases / identifier, _hashes(part)
    wrote = historyfile.hashes(home.history).get(identifier, (None, None))
    # entered by a run that died before the renames: it held the old one against what was there before, which the new one names
    if differs(home, old, *(_hashes(old) if wrote == made else wrote)) is None:
        sign(part, key)
        historyfile.enter_hashes(home.history, identifier, *made)
    os.rename(old, home.releases / f"{identifier}{OLD}")
    os.rename(part, home.releases / identifier)
    sync(home.releases)
    shutil.rmtree(home.releases / f"{identifier}{OLD}")


def _lead_to(home: Home, catalogue: Catalogue, identifier: str, key: SecretKey | None) -> None:
    """Make the delta of a release anew, whose base is another one since. Its other files are the same."""
    old, part = home.releases / identifier, home.releases / f"{identifier}{NEW}"
    manifest = home.manifest(identifier)
    notes = home.manifest(manifest["previous"]).get("reissues")
    if not notes:
        raise BadHome(f"release {manifest['previous']} is as it was before it was issued anew")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(old, part, copy_function=shared)  # nothing of a release is written over
    deltas.anew(home, catalogue, part, identifier, manifest["previous"])
    said = {**manifest, "reissues": [*manifest.get("reissues", []), {"on": notes[-1]["on"], "withdrawn": {}, **_superseded(old)}]}
    close(part, said, None)
    _take_place(home, identifier, part, key)


def _hashes(folder: Path) -> tuple[str, str]:
    return file_sha256(folder / "mingbai.db"), file_sha256(folder / "manifest.json")


def _superseded(old: Path) -> dict[str, str]:
    """What a note of a new issue says of the one before it."""
    return {"supersedes": file_sha256(old / "manifest.json"), "database": file_sha256(old / "mingbai.db")}


def _manifest(before: Mapping[str, Any], old: Path, made: Assembled, had: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The manifest with what a re-issue says of itself: since when, how many notices by class of reason, and which manifest it supersedes."""
    reasons = [reason for reason, _, _ in had]
    note = {
        "on": max(on for _, on, _ in had),
        "withdrawn": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        **_superseded(old),
    }
    counted = {"tables": dict(made.tables), "accounting": made.accounting, "next_expiry": made.next_expiry}
    return {**before, **counted, "reissues": [*before.get("reissues", []), note]}
