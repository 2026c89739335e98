"""Which old releases are kept. Declared here alone: it is a promise to whoever cites a release by its id, the same for every dataset and
source, and not a setting of one installation.

Days are counted back from the release before the live one, never from the clock: a clock that is years ahead for one run removes nothing.
History keeps what every release said of every row; what is removed here is the files, but for those by which what came after it can be verified. A snapshot under raw/ goes when no release that is
kept, and nothing in the making, is made of it, and it is as old: until then a delivery that was refused can be looked at.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import orjson

from .errors import BadHome
from .home import LINKS, Home, release_order, sync, write_whole
from .live import write_index
from .snapshot import SEAL, discard, sealed

DAYS = 400  # every release of a year and of the month after it, in which that year is written about
AT_ONCE = 31  # at most so many a run, the oldest first: an error of ours or of the clock is seen before it has cost a year
POLICY = f"every release of the last {DAYS} days, then the last of each month; the live one and the one before it always"


def keep(home: Home) -> list[str]:
    """Remove the releases and snapshots that the policy lets go. Returns a line for each."""
    live = home.live()
    if live is None:
        return []
    whole = home.release_ids()
    since = _since(whole, live)
    go = gone(whole, live)[:AT_ONCE]
    for identifier in go:
        _leave_links(home, identifier)
    for identifier in go:  # without its name first: a crash leaves no half of a release
        os.rename(home.releases / identifier, home.releases / f"{identifier}.part")
    if go:
        write_index(home)
    for identifier in go:
        shutil.rmtree(home.releases / f"{identifier}.part")
    kept = [identifier for identifier in whole if identifier not in go]
    said, trouble = [f"removed release {identifier}" for identifier in go], []
    try:
        for folder in _unnamed(home, kept, since):
            discard(folder)
            said.append(f"removed snapshot {folder.name}")
    except BadHome as error:  # of that release nobody knows what it was made of
        trouble.append(f"{error}; no snapshot is removed before that")
    return [*(f"{line}; kept is {POLICY}" for line in said), *trouble]


def _leave_links(home: Home, identifier: str) -> None:
    """Copy what later manifests are linked to."""
    folder = home.chain / identifier
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKS:
        if (home.releases / identifier / name).is_file():
            write_whole(folder / name, (home.releases / identifier / name).read_bytes())
        else:
            (folder / name).unlink(missing_ok=True)
    sync(home.chain)
    sync(home.path)


def named(home: Home, releases: Iterable[str]) -> set[str]:
    """The ids of the snapshots of which these releases, and what is in the making, are made."""
    found = {snapshot["id"] for identifier in releases for row in home.manifest(identifier)["sources"] for snapshot in row["snapshots"]}
    if home.candidate_file.is_file():
        inputs = orjson.loads(home.candidate_file.read_bytes())["inputs"]
        found |= {identifier for several in inputs.values() for identifier in several}
    return found


def gone(releases: Iterable[str], live: str) -> list[str]:
    """Those of `releases` that need not be kept while `live` is live, oldest first."""
    ordered = sorted(releases, key=release_order)
    since = _since(ordered, live)
    last_of_month = {release_order(identifier)[0][:7]: identifier for identifier in ordered}
    always = {*last_of_month.values(), *_always(ordered, live)}
    return [identifier for identifier in ordered if identifier not in always and release_order(identifier)[0] < since]


def _always(ordered: Sequence[str], live: str) -> Sequence[str]:
    """The live release and the one before it, and whatever is newer."""
    return ordered[max(ordered.index(live) - 1, 0) :]


def _since(ordered: Sequence[str], live: str) -> str:
    """The first day of which every release is kept."""
    before = date.fromisoformat(release_order(_always(ordered, live)[0])[0])
    return (before - timedelta(days=DAYS)).isoformat()


def _unnamed(home: Home, kept: Iterable[str], since: str) -> list[Path]:
    """The snapshots taken before `since` that nothing needs any more."""
    needed = named(home, kept)
    return [
        folder
        for folder in sealed(home.raw)
        if folder.name not in needed and orjson.loads((folder / SEAL).read_bytes())["taken_at"] < since
    ]
