"""Verify a release, in a folder or at an address: its signature, its manifest, every file, and the chain to the releases before it.

What is trusted is a key: the one that is given, and what keys.json says of those that it vouches for; without one keys.json itself, which is said. Each fault is
one line: the file, what was found, what was expected. Nothing of a release is believed before its signature is: what a manifest names is
opened all the same, for whoever looks for the fault, within the bounds of publish/places.py.

The chain: a manifest has the hash of the one before it. A release that was issued anew, for a withdrawal, has another manifest, which names that of each
earlier issue in `reissues`; then its own signature vouches for it, else the hash does. Of a release that is no longer kept, manifest and
signature stay (publish/keep.py). A log that others keep of what was signed (transparency) has its place behind the signature of the newest release: until
there is one, an old release that is served as the newest is not told from it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import BadHome, BadKey
from .home import LINKS, RELEASE_ID, SIGNATURE, SUMS, as_json, release_order
from .keys import Key, Keys, parse
from .minisign import PublicKey, Signature
from .places import Measured, Place, Unreadable, Withheld
from .signing import sums, sums_line

SMALL = 4096  # bytes of a signature


@dataclass(frozen=True)
class Verified:
    """What was found. `faults` and `notes` are lines; `chain` the releases that were followed, newest first, the release itself not among them."""

    release: str
    key: str
    files: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    chain: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    """A manifest, as it lies and as it reads. `said` is {} where it cannot be read."""

    data: bytes
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.said.get("id"))


def verify(place: Place, pin: PublicKey | None = None) -> Verified:
    """What a release is worth. Raises BadHome where there is none, BadKey where nothing says which key is to be trusted."""
    faults: list[str] = []
    notes: list[str] = []
    manifest = _manifest(place, faults)
    keys = _keys(place, pin, faults, notes)
    key = _signed(place, "", manifest, keys, faults)
    if manifest.said and RELEASE_ID.fullmatch(place.name) and manifest.id != place.name:
        faults.append(_line("manifest.json", f"is of release {manifest.id}", f"{place.name}, where it lies"))
    files = manifest.said.get("files", {})
    if manifest.said:
        _sums(place, manifest, faults)
        faults += _files(place, files, notes)
        faults += [_line(file, what, "nothing else") for file, what in place.unnamed({*files, *LINKS})]
    chain = tuple(_chain(place, manifest, keys, faults, notes)) if manifest.said else ()
    return Verified(manifest.id, key, sum(map(place.gives, files)), tuple(faults), tuple(notes), chain)


def _line(file: str, found: str, expected: str) -> str:
    return " ".join(f"{file if file.isprintable() else ascii(file)}: {found}; expected {expected}".split())


def _manifest(place: Place, faults: list[str]) -> _Read:
    try:
        data = place.small("manifest.json")
    except Unreadable as error:
        raise BadHome(f"manifest.json: {error}; expected that of a release") from error
    if data is None:
        raise BadHome(
            f"{place.name}: has no manifest.json; expected a release, such as https://mingbai.example/data/2026-11-23/ or its folder"
        )
    return _read(data, "manifest.json", faults)


def _read(data: bytes, what: str, faults: list[str]) -> _Read:
    try:
        said = orjson.loads(data)
        if not isinstance(said, dict) or not RELEASE_ID.fullmatch(str(said.get("id"))) or not isinstance(said.get("files"), dict):
            raise ValueError("it has no id and files")
        if as_json(said) != data:
            raise ValueError("it is not in its one form")
        for entry in said["files"].values():
            if set(entry) != {"sha256", "size"} or not isinstance(entry["sha256"], str) or type(entry["size"]) is not int:
                raise ValueError("it names a file without hash and size")
    except (ValueError, TypeError) as error:
        faults.append(_line(what, f"is no manifest ({error})", "the one that was signed"))
        return _Read(data, {})
    return _Read(data, said)


def _keys(place: Place, pin: PublicKey | None, faults: list[str], notes: list[str]) -> Keys:
    """The keys that are trusted. Raises BadKey where there is none."""
    found, why = None, ""
    try:
        if (data := place.keys()) is not None:
            found = parse(data)
    except (BadKey, Unreadable) as error:
        why = str(error)
        faults.append(f"keys.json: {why}")
    if found is None and pin is None:
        raise BadKey(f"keys.json: {why or 'is not beside the release'}; give the publisher's public key with --key")
    if pin is None and found is not None:
        notes.append(
            f"key {found.current.public.id} is what keys.json says: compare {found.current.public.line} with what the publisher says elsewhere, or give that with --key"
        )
        return found
    assert pin is not None
    if found is not None and (distrust := found.distrusts(pin)):
        faults.append(f"keys.json: {distrust}")
        found = None
    return found or Keys((Key(pin, None),))


def _signed(place: Place, of: str, manifest: _Read, keys: Keys, faults: list[str], may_lack: bool = False) -> str:
    """The id of the key that signed a manifest; '' with a fault where that does not count."""
    file = f"{of}{SIGNATURE}"
    try:
        text = place.small(SIGNATURE, SMALL)
        if text is None:
            if not may_lack:
                faults.append(_line(file, "is not there", f"a signature by key {keys.current.public.id}"))
            return ""
        signature = Signature.parse(text.decode("ascii"))
    except (Unreadable, ValueError) as error:
        why = "is no text of minisign's" if isinstance(error, UnicodeDecodeError) else str(error)
        faults.append(_line(file, why, "a signature"))
        return ""
    key = keys.get(signature.key)
    if refused := keys.refuses(signature.key, manifest.id) if manifest.said or key is None else None:
        faults.append(f"{file}: is {refused}")
    elif key is not None and key.public.verifies(manifest.data, signature):
        if not manifest.said or signature.comment == sums_line(sums(manifest.said["files"], manifest.data)):
            return signature.key
        faults.append(_line(file, "has another word on SHA256SUMS", "its hash, as the manifest gives it"))
    else:
        faults.append(_line(file, f"is not of {of}manifest.json", f"what key {signature.key} signed"))
    return ""


def _sums(place: Place, manifest: _Read, faults: list[str]) -> None:
    """SHA256SUMS says what the manifest says."""
    try:
        found = place.small(SUMS)
    except Unreadable as error:
        faults.append(_line(SUMS, str(error), "the hashes of the manifest"))
        return
    expected = sums(manifest.said["files"], manifest.data)
    if found == expected:
        return
    if found is None:
        faults.append(_line(SUMS, "is not there", "the hashes of the manifest"))
        return
    wrong = [line for line in found.split(b"\n") if line not in expected.split(b"\n")]
    missing = [line for line in expected.split(b"\n") if line not in found.split(b"\n")]
    faults.append(
        _line(SUMS, (wrong or [b"other lines"])[0].decode("utf-8", "replace"), (missing or [b"one a file"])[0].decode("utf-8", "replace"))
    )


def _files(place: Place, files: Mapping[str, Mapping[str, Any]], notes: list[str]) -> Iterator[str]:
    """A line for each file that is not what the manifest says."""
    for file, entry in sorted(files.items()):
        expected = Measured(entry["sha256"], entry["size"])
        if not _is_plain(file):
            yield _line(file, "leads out of the release or is no name of a file", "a file of the release")
            continue
        if not place.gives(file):
            continue
        try:
            found = place.measured(file, expected.size)
        except Withheld as error:
            notes.append(f"{file}: is not given out today ({error}) and was not verified")
            continue
        except Unreadable as error:
            yield _line(file, str(error), str(expected))
            continue
        if found != expected:
            yield _line(file, "is not there" if found is None else str(found), str(expected))


def _is_plain(file: str) -> bool:
    parts = file.split("/")
    return file not in LINKS and "\\" not in file and file.isprintable() and not {"", ".", ".."} & set(parts)


def _chain(place: Place, newest: _Read, keys: Keys, faults: list[str], notes: list[str]) -> Iterator[str]:
    """The earlier releases that are there, newest first, each held against what the one after it says."""
    after = newest
    while (before := after.said.get("previous")) is not None:
        link = after.said.get("previous_manifest")
        if not isinstance(link, str):
            notes.append(f"release {after.id} is from before manifests were linked: the chain begins with it")
            return
        if not RELEASE_ID.fullmatch(str(before)) or release_order(before) >= release_order(after.id):
            faults.append(_line(_of(after, newest), f"names {before!r} as the release before it", "an earlier one"))
            return
        there = place.earlier(before)
        try:
            data = there.small("manifest.json")
        except Unreadable as error:
            faults.append(_line(f"{before}/manifest.json", str(error), f"the manifest that {after.id} names"))
            return
        if data is None:
            notes.append(f"release {before} is not here: the chain is followed back to {after.id}")
            return
        found = _read(data, f"{before}/manifest.json", faults)
        if not found.said or not _linked(there, found, before, link, after, keys, faults):
            return
        yield before
        after = found


def _of(manifest: _Read, newest: _Read) -> str:
    return "manifest.json" if manifest is newest else f"{manifest.id}/manifest.json"


def _linked(place: Place, found: _Read, name: str, link: str, after: _Read, keys: Keys, faults: list[str]) -> bool:
    """Whether an earlier release is the one that the one after it names, or was issued anew of it."""
    file = f"{name}/manifest.json"
    is_it = hashlib.sha256(found.data).hexdigest() == link
    notes = found.said.get("reissues", [])
    superseded = [note.get("supersedes") for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    if found.id != name:
        faults.append(_line(file, f"is of release {found.id}", name))
    elif not is_it and link not in superseded:
        faults.append(_line(file, "is another, and names none that it supersedes", f"sha256 {link}, as release {after.id} says"))
    else:
        count = len(faults)
        _signed(place, f"{name}/", found, keys, faults, may_lack=is_it)
        return len(faults) == count
    return False
