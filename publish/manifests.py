"""A manifest as it was found, whose it is by its signature, and how a fault is put into one line. Of other files of a release it knows nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from .home import RELEASE_ID, SIGNATURE, as_json
from .keys import Keys
from .minisign import Signature
from .places import Place, Unreadable
from .signing import sums, sums_line

SMALL = 4096  # bytes of a signature
LONGEST = 300  # characters of what a fault repeats


@dataclass(frozen=True)
class Read:
    """A manifest, as it lies and as it reads. `said` is {} where it cannot be read."""

    data: bytes
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.said.get("id"))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def supersedes(self) -> list[Any]:
        """The hashes of its earlier issues."""
        notes = self.said.get("reissues", [])
        return [note.get("supersedes") for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []

    @property
    def link(self) -> "Link":
        """Its link to the one before."""
        supersedes = tuple(one for one in self.supersedes if isinstance(one, str))
        return Link(self.id, self.sha256, supersedes, self.said.get("previous"), self.said.get("previous_manifest"))

    def on(self, what: str, kind: type) -> Any:
        """What it says of other releases and of keys; empty where it is from before that was said."""
        found = self.said.get(what)
        return found if isinstance(found, kind) else kind()


@dataclass(frozen=True)
class Link:
    """What of a manifest the chain goes by: of hundreds of them this much is kept."""

    id: str
    sha256: str
    supersedes: tuple[str, ...]
    previous: str | None
    previous_manifest: str | None


@dataclass
class Found:
    """What is found on the way, as lines."""

    faults: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)


def line(file: str, found: str, expected: str) -> str:
    """A fault. What others wrote is in it as one line that does nothing to a terminal."""
    return printable(f"{file}: {found[:LONGEST]}; expected {expected[:LONGEST]}")


def printable(text: str) -> str:
    """A text in one line, with what cannot be seen, and could do something, spelled out."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def read(data: bytes, what: str, faults: list[str]) -> Read:
    """A manifest of these bytes; with a fault, which calls it `what`, where it is none."""
    try:
        said = orjson.loads(data)
        if not isinstance(said, dict) or not RELEASE_ID.fullmatch(str(said.get("id"))) or not isinstance(said.get("files"), dict):
            raise ValueError("it has no id and files")
        if as_json(said) != data:
            raise ValueError("it is not in its one form")
        unpacked = said.get("unpacked", {})
        if not isinstance(unpacked, dict):
            raise ValueError("it names what is unpacked in no way")
        for entry in (*said["files"].values(), *unpacked.values()):
            if set(entry) != {"sha256", "size"} or not isinstance(entry["sha256"], str) or type(entry["size"]) is not int:
                raise ValueError("it names a file without hash and size")
    except (ValueError, TypeError) as error:
        faults.append(line(what, f"is no manifest ({error})", "the one that was signed"))
        return Read(data, {})
    return Read(data, said)


def signature(place: Place, of: str, manifest: Read, keys: Keys, faults: list[str], may_lack: bool = False) -> str:
    """The id of the key that signed a manifest; '' with a fault where that does not count."""
    file = f"{of}{SIGNATURE}"
    try:
        text = place.small(SIGNATURE, SMALL)
        if text is None:
            if not may_lack:
                faults.append(line(file, "is not there", f"a signature by key {keys.current.public.id}"))
            return ""
        made = Signature.parse(text.decode("ascii"))
    except (Unreadable, ValueError) as error:
        why = "is no text of minisign's" if isinstance(error, UnicodeDecodeError) else str(error)
        faults.append(line(file, why, "a signature"))
        return ""
    key = keys.get(made.key)
    if refused := keys.refuses(made.key, manifest.id) if manifest.said or key is None else None:
        faults.append(f"{file}: is {refused}")
    elif key is not None and key.public.verifies(manifest.data, made):
        if not manifest.said or made.comment == sums_line(sums(manifest.said, manifest.data)):
            return made.key
        faults.append(line(file, "has another word on SHA256SUMS", "its hash, as the manifest gives it"))
    else:
        faults.append(line(file, f"is not of {of}manifest.json", f"what key {made.key} signed"))
    return ""
