"""Issue releases anew without notices that were withdrawn (rule 6): the same id, other bytes, and the manifest says so.

The new folder is made beside the old one and takes its name; then the old bytes go. Nothing else of the release changes: the rows are those
that it had, index and feeds are made of them as they were made then. Space for one release more is needed, whatever their number, and what a
run that dies leaves is done by the next one: whether a release still has a notice is asked of its database and remembered nowhere.
"""

import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from . import history, stones
from .assemble import Assembled
from .canonical import canonical
from .catalogue import Catalogue
from .home import Home, as_json, sync, write_whole
from .index import index
from .live import OLD, write_index
from .progress import Progress, silent
from .release import close, file_sha256
from .restore import without
from .syndicate import syndicate
from .withdrawals import Withdrawal, in_database

NEW = ".reissued.part"  # behind the id, while it is made


def finish(home: Home, catalogue: Catalogue, withdrawn: Mapping[str, Withdrawal], site: str, progress: Progress = silent) -> list[str]:
    """Take what was withdrawn out of history and out of every release but the live one. Returns a line for each release."""
    live = home.live()
    if not withdrawn or live is None:
        return []
    history.forget(home.history, catalogue, {notice: (one.reason, str(one.on)) for notice, one in withdrawn.items()})
    wanted = [name for name in home.release_ids() if name != live and in_database(home.releases / name / "mingbai.db", withdrawn)]
    progress.start("reissue", len(wanted))
    said = []
    for identifier in wanted:
        gone = reissue(home, catalogue, identifier, withdrawn, site)
        said.append(f"issued {identifier} anew without {len(gone)} withdrawn {'notice' if len(gone) == 1 else 'notices'}")
        progress.advance(1)
    progress.finish()
    if wanted:
        write_index(home)
    return said


def reissue(home: Home, catalogue: Catalogue, identifier: str, withdrawn: Mapping[str, Withdrawal], site: str) -> list[str]:
    """Take the withdrawn notices out of a release that is not live. Returns which it had."""
    old, part = home.releases / identifier, home.releases / f"{identifier}{NEW}"
    manifest = home.manifest(identifier)
    gone = in_database(old / "mingbai.db", withdrawn)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    work = part / "work.db.part"
    shutil.copyfile(old / "mingbai.db", work)
    made = without(work, gone, manifest, catalogue, date.fromisoformat(manifest["released_on"]))
    canonical(work, part / "mingbai.db")
    work.unlink()
    index(part / "mingbai.db", catalogue, part / "search" / "index.db")
    number = history.number_of(home.history, identifier)
    past, changed = history.past(home.history, number), history.changed(home.history, number)
    syndicate(part, identifier, past, changed, catalogue, site)
    left = {notice: stones.stone(str(withdrawn[notice].on), withdrawn[notice].reason) for notice in gone}
    write_whole(part / stones.FILE, as_json({**stones.read(old), **left}))
    close(part, _manifest(manifest, old, made, [withdrawn[notice] for notice in gone]))
    os.rename(old, home.releases / f"{identifier}{OLD}")
    os.rename(part, old)
    sync(home.releases)
    shutil.rmtree(home.releases / f"{identifier}{OLD}")
    return gone


def _manifest(before: Mapping[str, Any], old: Path, made: Assembled, gone: list[Withdrawal]) -> dict[str, Any]:
    """The manifest with what a re-issue says of itself: since when, how many notices by class of reason, and which manifest it supersedes."""
    reasons = [one.reason for one in gone]
    note = {
        "on": max(str(one.on) for one in gone),
        "withdrawn": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "supersedes": file_sha256(old / "manifest.json"),
    }
    counted = {"tables": dict(made.tables), "accounting": made.accounting, "next_expiry": made.next_expiry}
    return {**before, **counted, "reissues": [*before.get("reissues", []), note]}
