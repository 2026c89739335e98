"""The releases before one that is verified, and what the newest that is there says of all of them.

A manifest is linked to the one before it by its hash, of then. Which issue of a release counts by now, each later manifest says: so whoever puts an issue
back that a withdrawal has superseded has to withhold every release that was signed since, and no copy of it passes beside one of these.
"""

from collections.abc import Iterator

from .errors import SourceBroken, SourceUnavailable
from .home import RELEASE_ID, release_order
from .keys import Keys
from .manifests import Found, Link, Read, line, read, signature
from .places import Place, Unreadable


def newest(place: Place, manifest: Read, keys: Keys, out: Found) -> Read | None:
    """The newest release's manifest, where one is there that came later and its signature counts; a fault where it says that this issue does not count."""
    try:
        there = place.newest()
        data = there.small("manifest.json") if there else None
    except (Unreadable, SourceBroken, SourceUnavailable) as error:
        out.notes.append(line("the newest release", f"could not be read ({error})", "its word on whether this one was issued anew"))
        return None
    if there is None or data is None:
        if place.is_site:
            out.notes.append("the newest release is not here, and with it the word on whether this one was issued anew")
        return None
    wrong: list[str] = []
    found = read(data, "the newest release", wrong)
    if not found.said or not RELEASE_ID.fullmatch(manifest.id) or release_order(found.id) <= release_order(manifest.id):
        return None
    signature(there, f"{found.id}/", found, keys, wrong)
    if wrong:
        out.notes.append(
            f"release {found.id}, which is newer, does not count and is not asked whether this one was issued anew: {wrong[0]}"
        )
        return None
    if fault := _superseded("manifest.json", manifest, found):
        out.faults.append(fault)
    elif manifest.id not in (issued := found.on("issued", dict)) and issued:
        out.notes.append(f"release {found.id}, which is newer, does not name release {manifest.id}: ask the publisher what became of it")
    return found


def _superseded(file: str, manifest: Read, word: Read) -> str | None:
    """A fault where a later release says that this issue of a release does not count any more."""
    issue = word.on("issued", dict).get(manifest.id)
    if issue is None or issue in manifest.supersedes or (issue == manifest.sha256 and manifest.id not in word.on("superseded", list)):
        return None
    return line(
        file,
        f"is an issue that does not count since release {word.id}",
        f"one without what was withdrawn: delete this copy of {manifest.id} and fetch it again",
    )


def chain(place: Place, first: Read, keys: Keys, word: Read | None, out: Found) -> Iterator[Link]:
    """The links of the earlier releases that are there, newest first, each held against what the one after it says, and the newest."""
    after = first
    while (before := after.said.get("previous")) is not None:
        link = after.said.get("previous_manifest")
        if not isinstance(link, str):
            out.notes.append(f"release {after.id} is from before manifests were linked: the chain begins with it")
            return
        if not RELEASE_ID.fullmatch(str(before)) or release_order(before) >= release_order(after.id):
            of = "manifest.json" if after is first else f"{after.id}/manifest.json"
            out.faults.append(line(of, f"names {before!r} as the release before it", "an earlier one"))
            return
        there, file = place.earlier(before), f"{before}/manifest.json"
        try:
            data = there.small("manifest.json")
        except Unreadable as error:
            out.faults.append(line(file, str(error), f"the manifest that {after.id} names"))
            return
        if data is None:
            out.notes.append(f"release {before} is not here: the chain is followed back to {after.id}")
            return
        found = read(data, file, out.faults)
        if not found.said or not _linked(there, found, before, link, after, keys, word or first, out):
            return
        yield found.link
        after = found


def _linked(there: Place, found: Read, name: str, link: str, after: Read, keys: Keys, word: Read, out: Found) -> bool:
    """Whether an earlier release is the one that the one after it names, or was issued anew of it, and counts."""
    file, is_it = f"{name}/manifest.json", found.sha256 == link
    count = len(out.faults)
    if found.id != name:
        out.faults.append(line(file, f"is of release {found.id}", name))
    elif not is_it and link not in found.supersedes:
        out.faults.append(line(file, "is another, and names none that it supersedes", f"sha256 {link}, as release {after.id} says"))
    elif fault := _superseded(file, found, word):
        out.faults.append(fault)
    else:
        signature(there, f"{name}/", found, keys, out.faults, may_lack=is_it)
    return len(out.faults) == count
