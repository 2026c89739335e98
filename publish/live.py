"""Make a sealed release the live one, and put right what a run that died left behind.

The order is: history, what may be told of it, feeds, folder, `current`, then what can be made again (releases.json, the base for the next staging). The rename of
`current` is the commit: before it a reader sees the old release, after it the new one, and there is nothing between.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from . import history
from .catalogue import Catalogue
from .deltas import leads_to
from .diff import Changes
from .errors import BadHome
from .feedfile import feedfile, has_feeds, moved
from .feedfile import only as only_feeds
from .home import Home, as_json, sync, write_whole
from .past import has_past, past
from .past import only as only_past
from .snapshot import NOTES, PART
from .versions import noted

OLD = ".superseded.part"  # behind the id of a release whose new issue takes its name (reissue.py)


def go_live(home: Home, part: Path, catalogue: Catalogue, changes: Changes, day: str, site: str, hubs: Sequence[str] = ()) -> str:
    """Enter the release into history, give its folder its name and point `current` at it. Returns its id."""
    identifier = part.name.removesuffix(".part")
    data = (part / "manifest.json").read_bytes()
    hashes = orjson.loads(data)["files"]["mingbai.db"]["sha256"], hashlib.sha256(data).hexdigest()
    history.record(home.history, catalogue, identifier, day, part / "mingbai.db", changes, home.live(), *hashes)
    past(home, catalogue, part, identifier)
    feedfile(home, catalogue, part, identifier, site, hubs)
    os.rename(part, home.releases / identifier)
    sync(home.releases)
    point(home, identifier)
    if (home.candidate / "private.db").is_file():
        sync(home.candidate / "private.db")  # a base that is torn would be staged from
        os.replace(home.candidate / "private.db", home.base)
        sync(home.staging)
    home.clear_candidate()
    return identifier


def point(home: Home, identifier: str) -> None:
    """Move `current` to a release, in one rename."""
    link = home.path / ".current.part"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / identifier)
    os.replace(link, home.current)
    sync(home.path)
    only_past(home, identifier)
    only_feeds(home, identifier)
    write_index(home)


def write_index(home: Home) -> None:
    """releases.json: every release, oldest first, and which is live. Made from the manifests, and written only where it differs. A release whose manifest
    cannot be read is not in it, and stops none of the others; whoever asks for the live one's is told."""
    manifests = []
    for name in home.release_ids():
        with suppress(BadHome):
            manifests.append(home.manifest(name))
    rows = [
        {"id": m["id"], "released_on": m["released_on"], "previous": m["previous"], "tables": m["tables"], **noted(m)}
        | ({"reissued_on": max(on)} if (on := [note["on"] for note in m.get("reissues", []) if note["withdrawn"]]) else {})
        | leads_to(home.releases / m["id"])
        for m in manifests
    ]
    path, made = home.path / "releases.json", as_json({"live": home.live(), "releases": rows})
    if not path.is_file() or path.read_bytes() != made:
        write_whole(path, made)


def repair(home: Home, catalogue: Catalogue, site: str, hubs: Sequence[str] = ()) -> list[str]:
    """Remove what a run that died left: releases that never went live, and what is in the making where nobody can go on with it.
    Returns a line for each."""
    done = [f"put {name} back, whose new issue did not take its place" for name in _put_back(home)]
    live = home.live()
    for name in home.leftovers():
        os.rename(home.releases / name, home.releases / f"{name}.part")  # without its name first: half a release is none
        done.append(f"removed release {name}, which never went live")
    gone = history.repair(home.history, catalogue, live, home.release_ids())
    done.extend(f"took release {name} back out of history" for name in gone)
    base, laid_out = _in_the_making(home)
    if base != live:
        home.clear_candidate()
    for path in home.releases.glob("*.part"):
        if path.name != f"{laid_out}.part":
            shutil.rmtree(path)
            done.append(f"removed the unfinished {path.name}")
    for path in home.raw.glob(f"*{PART}"):
        if not (path / NOTES).is_dir():  # killed as it began, was sealed or was removed: no extraction can go on with it
            shutil.rmtree(path)
    for path in (*home.path.glob(".*.part"), *home.past.glob(".*.part"), *home.feeds.glob(".*.part")):
        path.unlink()
    only_past(home, live)
    only_feeds(home, live)
    if live is not None:
        if not has_past(home, live):
            past(home, catalogue, home.releases / live, live)
            done.append(f"made the past of release {live} again")
        if not has_feeds(home, catalogue, live):
            if line := moved(home, site, hubs):
                done.append(line)
            feedfile(home, catalogue, home.releases / live, live, site, hubs)
            done.append(f"made the feeds of release {live} again, for {site}")
        write_index(home)
    return done


def _put_back(home: Home) -> list[str]:
    """Give releases their name back whose re-issue died between two renames. Whoever asks next issues them anew."""
    back = []
    for path in sorted(home.releases.glob(f"*{OLD}")):
        name = path.name.removesuffix(OLD)
        if not (home.releases / name).exists():
            os.rename(path, home.releases / name)
            back.append(name)
    return back


def _in_the_making(home: Home) -> tuple[str | None, str | None]:
    """The release that the candidate was begun on, and the id under which it is laid out."""
    try:
        found = orjson.loads(home.candidate_file.read_bytes())
        return found["base"], found["release"]
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError):
        return None, None
