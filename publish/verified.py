"""Verify a release, in a folder or at an address: its signature, its manifest, every file, and the chain to the releases before it.

What is trusted is a key: the one that is given, and what keys.json says of those that it vouches for; without one keys.json itself, which is said. Each fault is
one line: the file, what was found, what was expected. Nothing of a release is believed before its signature is: what a manifest names is
opened all the same, for whoever looks for the fault, within the bounds of publish/places.py.

The chain: a manifest has the hash of the one before it. A release that was issued anew, for a withdrawal, has another manifest, which names that of each
earlier issue in `reissues`; then its own signature vouches for it, else the hash does. Each manifest names the issue of every earlier release that counts
by then (witness.py), so that the newest that is there convicts an issue that was superseded, and an old keys.json. Of a release that is no longer kept, manifest and
signature stay (publish/keep.py). A log that others keep of what was signed (transparency) has its place behind the signature of the newest release: until
there is one, an old release that is served as the newest, with the keys of then, and another chain by the same key are told by what a reader remembers alone (remembered.py).

What was not read is never well: it is in `unread`, whatever the reason that is given for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .chain import chain, newest
from .errors import BadHome, BadKey
from .home import DOWNLOADS, LINKS, RELEASE_ID, SUMS
from .keys import LEAKED, Key, Keys, parse
from .manifests import Found, Link, Read, line, printable, read, signature
from .minisign import PublicKey
from .places import Folder, Measured, Place, Unreadable, Withheld
from .remembered import Remembered
from .signing import sums


@dataclass(frozen=True)
class Verified:
    """What was found. `files` were read and are right, or are those that were given and of the release, as `known` says in lines; `faults`, `unread` and `notes`
    are lines too, and `unjudged`, what was asked and could not be; `chain` the releases that were followed, newest first, the release itself not among them. `manifest` is the SHA-256 of its manifest."""

    release: str
    manifest: str
    key: str
    files: int
    faults: tuple[str, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    unjudged: tuple[str, ...]
    chain: tuple[str, ...]
    known: tuple[str, ...]


def verify(place: Place, pin: PublicKey | None = None, given: Sequence[Path] = (), by: Remembered | None = None) -> Verified:
    """What a release is worth; with files that were `given`, these instead of its own, by what is in them and whatever they are called. It is held
    against what the reader remembers, too.

    Raises BadHome where there is none, BadKey where nothing says which key is to be trusted.
    """
    out = Found()
    known: list[str] = []
    followed: list[Link] = []
    manifest = _manifest(place, out.faults)
    keys, has_keys = _keys(place, pin, out)
    key = signature(place, "", manifest, keys, out.faults)
    if manifest.said:
        if RELEASE_ID.fullmatch(place.name) and manifest.id != place.name:
            out.faults.append(line("manifest.json", f"is of release {manifest.id}", f"{place.name}, where it lies"))
        if given:
            out.faults += _sums(place, manifest.said, manifest.data)
            known += _given(given, manifest, out.faults)
        else:
            out.faults += list(contents(place, manifest.said, manifest.data, out))
        word = newest(place, manifest, keys, out)
        _of_keys(keys, has_keys, (manifest, word), out.faults)
        followed += chain(place, manifest, keys, word, out)
        if by is not None:
            by.judge(manifest.link, followed, out)
    files = len(known) if given else sum(map(place.gives, manifest.said.get("files", {}))) - len(out.unread)
    lines = tuple(out.faults), tuple(out.unread), tuple(out.notes), tuple(out.unjudged)
    return Verified(manifest.id, manifest.sha256, key, files, *lines, tuple(one.id for one in followed), tuple(known))


def contents(place: Place, said: Mapping[str, Any], data: bytes, out: Found | None = None, only_sums: bool = False) -> Iterator[str]:
    """A line for each thing in a release that is not what its manifest says, and for what lies there beside it."""
    yield from _sums(place, said, data)
    if not only_sums:
        yield from _files(place, said["files"], out or Found())
        for file, what in place.unnamed({*said["files"], *LINKS}):
            yield line(file, what, "nothing else")


def _given(given: Sequence[Path], manifest: Read, faults: list[str]) -> Iterator[str]:
    """A line for each file that is of the release, which says what it is there; a fault for each other one, and for one that is not what it is called."""
    of: dict[Measured, list[str]] = {}
    for name, entry in (*manifest.said["files"].items(), *manifest.on("unpacked", dict).items()):
        of.setdefault(Measured(entry["sha256"], entry["size"]), []).append(name.removeprefix(f"{DOWNLOADS}/"))
    names = {name for several in of.values() for name in several}
    for path in given:
        try:
            found = Folder(path.parent).measured(path.name, None)
        except Unreadable as error:
            faults.append(line(str(path), str(error), f"a file of release {manifest.id}"))
            continue
        if found is None or found not in of:
            faults.append(line(str(path), str(found or "is not there"), f"a file of release {manifest.id}, none of which has that hash"))
        elif (called := path.name.removeprefix(f"mingbai-{manifest.id}-")) in names and called not in of[found]:
            faults.append(line(str(path), f"is {of[found][0]} of release {manifest.id}", f"{called}, as it is called"))
        else:
            yield printable(f"{path}: is {called if called in of[found] else of[found][0]} of release {manifest.id}")


def _manifest(place: Place, faults: list[str]) -> Read:
    try:
        data = place.small("manifest.json")
    except Unreadable as error:
        raise BadHome(f"manifest.json: {error}; expected that of a release") from error
    if data is None:
        raise BadHome(
            f"{place.name}: has no manifest.json; expected a release, such as https://mingbai.example/data/2026-11-23/ or its folder"
        )
    return read(data, "manifest.json", faults)


def _keys(place: Place, pin: PublicKey | None, out: Found) -> tuple[Keys, bool]:
    """The keys that are trusted, and whether keys.json says so. Raises BadKey where there is none."""
    found, why, where = None, "", ""
    try:
        if (there := place.keys()) is not None:
            where, data = there
            found = parse(data)
    except (BadKey, Unreadable) as error:
        why = str(error)
        out.faults.append(line("keys.json", why, "the keys that sign") if isinstance(error, Unreadable) else printable(f"keys.json: {why}"))
    if found is None and pin is None:
        missing = "is not beside the release, as where nobody signs, and then nothing can be verified; else"
        raise BadKey(printable(f"keys.json: {f'{why};' if why else missing} give the publisher's public key with --key"))
    if pin is None and found is not None:
        out.notes.append(
            printable(
                f"key {found.current.public.id} is what {where} says: compare {found.current.public.line} with what the publisher says elsewhere, or give that with --key"
            )
        )
        return found, True
    assert pin is not None
    if found is not None and (distrust := found.distrusts(pin)):
        out.faults.append(f"keys.json: {distrust}")
        found = None
    elif found is None and not why:
        missing = f"whether key {pin.id} was replaced or revoked is not known"
        if place.is_site:
            out.faults.append(line("keys.json", f"is not there, and {missing}", "the keys, which a site that signs gives out"))
        else:
            out.notes.append(f"keys.json is not beside the release: {missing}")
    return found or Keys((Key(pin, None),)), found is not None


def _of_keys(keys: Keys, has_keys: bool, words: Sequence[Read | None], faults: list[str]) -> None:
    """Faults where a release knows of a key, or of one that leaked, and what is trusted does not: then that is older than the release."""
    for word, said in ((one, said) for one in words if one for said in one.on("keys", list) if isinstance(said, dict)):
        key, identifier = keys.get(str(said.get("id"))), said.get("id")
        if has_keys and key is None:
            faults.append(line("keys.json", f"does not have key {identifier}", f"the one of release {word.id} or of a later one"))
        elif key is not None and said.get("revoked") == LEAKED and not key.is_leaked:
            what = f"does not say that key {identifier} leaked" if has_keys else f"is not there, and key {identifier} leaked"
            faults.append(line("keys.json", what, f"the one of release {word.id}, which says so, or of a later one"))


def _sums(place: Place, said: Mapping[str, Any], data: bytes) -> Iterator[str]:
    """SHA256SUMS says what the manifest says."""
    expected = sums(said, data)
    try:
        found = place.small(SUMS)
    except Unreadable as error:
        yield line(SUMS, str(error), "the hashes of the manifest")
        return
    if found is None:
        yield line(SUMS, "is not there", "the hashes of the manifest")
    elif found != expected:
        wrong = [one for one in found.split(b"\n") if one not in expected.split(b"\n")]
        missing = [one for one in expected.split(b"\n") if one not in found.split(b"\n")]
        yield line(
            SUMS, (wrong or [b"other lines"])[0].decode("utf-8", "replace"), (missing or [b"one a file"])[0].decode("utf-8", "replace")
        )


def _files(place: Place, files: Mapping[str, Mapping[str, Any]], out: Found) -> Iterator[str]:
    """A line for each file that is not what the manifest says."""
    for file, entry in sorted(files.items()):
        expected = Measured(entry["sha256"], entry["size"])
        if not _is_plain(file):
            yield line(file, "leads out of the release or is no name of a file", "a file of the release")
            continue
        if not place.gives(file):
            continue
        try:
            found = place.measured(file, expected.size, expected.sha256)
        except Withheld as error:
            out.unread.append(printable(f"{file}: could not be read ({error}) and is not verified"))
            continue
        except Unreadable as error:
            yield line(file, str(error), str(expected))
            continue
        if found != expected:
            yield line(file, "is not there" if found is None else str(found), str(expected))


def _is_plain(file: str) -> bool:
    parts = file.split("/")
    return file not in LINKS and "\\" not in file and file.isprintable() and not {"", ".", ".."} & set(parts)
