"""Small homes whose releases are signed, by the code that signs real ones: what keys and verification are tried on."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from publish import keys as known
from publish.home import SIGNATURE, Home
from publish.keys import Keys
from publish.minisign import PublicKey, SecretKey, Signature
from publish.release import close, file_sha256
from publish.witness import witness

DAYS = tuple(f"2026-11-0{day}" for day in range(1, 6))


def a_key(number: int = 1) -> SecretKey:
    """The same each time."""
    seed = bytes([number]) * 32
    raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return SecretKey(PublicKey(bytes([number]) * 8, raw), seed)


def saved(folder: Path, key: SecretKey) -> Path:
    """A key in its file."""
    path = folder / f"{key.public.id}.key"
    path.write_text(key.text)
    path.chmod(0o600)
    return path


def lay(home: Home, identifier: str, key: SecretKey | None, previous: str | None = None, **said: Any) -> Path:
    """A release with some files, sealed and signed by `key`."""
    part = home.releases / f"{identifier}.part"
    for name in ("mingbai.db", "search/index.db", "tombstones.json", "downloads/notices.csv.gz", "downloads/机构 1.xlsx"):
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        (part / name).write_bytes(f"{identifier} {name}\n".encode() * 3)
    said = {**witness(home), **said}
    link = {"previous": previous, "previous_manifest": file_sha256(home.releases / previous / "manifest.json") if previous else None}
    close(part, {"id": identifier, "released_on": identifier[:10], "tables": {}, "sources": [], **link, **said}, key)
    _write_down(home, part, identifier)
    os.rename(part, home.releases / identifier)
    home.current.unlink(missing_ok=True)
    home.current.symlink_to(Path("releases") / identifier)
    return home.releases / identifier


def issue_anew(home: Home, identifier: str, key: SecretKey | None) -> None:
    """The release with another content, as a withdrawal leaves it."""
    folder = home.releases / identifier
    manifest = home.manifest(identifier)
    notes = [*manifest.get("reissues", []), {"on": "2026-11-09", "supersedes": file_sha256(folder / "manifest.json")}]
    (folder / "mingbai.db").write_bytes(f"{len(notes)} without".encode())
    close(folder, {**manifest, "reissues": notes}, key)
    _write_down(home, folder, identifier)


def _write_down(home: Home, folder: Path, identifier: str) -> None:
    """As a run does in history, of what it is about to publish."""
    with sqlite3.connect(home.history) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS releases (id TEXT PRIMARY KEY, sha256 TEXT, manifest TEXT)")
        hashes = file_sha256(folder / "mingbai.db"), file_sha256(folder / "manifest.json")
        connection.execute("INSERT OR REPLACE INTO releases VALUES (?, ?, ?)", [identifier, *hashes])
    connection.close()


def a_home(folder: Path, key: SecretKey | None = None, days: tuple[str, ...] = DAYS[:3]) -> Home:
    """A home of one release a day, signed from the first on."""
    home, before = Home(folder).prepare(), None
    if key is not None:
        known.write(home, known.first(key, None), key)
    for day in days:
        lay(home, day, key, before)
        before = day
    return home


def keys_of(home: Home) -> Keys:
    """The home's keys, which it has."""
    found = known.read(home)
    assert found is not None
    return found


def signer_of(folder: Path) -> str:
    """The id of the key that a release says it is signed by."""
    return Signature.parse((folder / SIGNATURE).read_text()).key
