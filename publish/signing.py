"""Sign releases: with which key, and over what.

`manifest.json.minisig` is minisign's signature over manifest.json, which names every other file; its trusted comment is the line of SHA256SUMS
about itself, so that `minisign` and `sha256sum` are enough to verify all of it. It is outside the manifest: a release is signed anew without being another one.
Nothing in it is of a clock.

A home that has signed once does not publish without a signature, unless whoever runs it says so each time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import keys as known
from .errors import BadHome, BadKey
from .home import SIGNATURE, SUMS, Home, write_whole
from .minisign import SecretKey, Signature, read_secret

VARIABLE = "MINGBAI_SIGNING_KEY"


@dataclass(frozen=True)
class Signing:
    """Where the key is that signs: a file, or a text that is one; or the word that this time none does."""

    file: Path | None = None
    text: str | None = field(default=None, repr=False)
    unsigned: bool = False

    def secret(self) -> SecretKey | None:
        """The key; None where none is given. Raises BadKey for one that cannot be used."""
        if self.file is not None and self.text is not None:
            raise BadKey(f"--signing-key {self.file} and {VARIABLE} are both given; expected one of them")
        if self.text is not None:
            return SecretKey.parse(self.text, VARIABLE)
        return read_secret(self.file) if self.file is not None else None


BY_NONE = Signing()


def signer(home: Home, how: Signing) -> SecretKey | None:
    """The key that signs in this home; None where it has never signed, or is told not to. Raises BadKey for any other than its current one."""
    if how.file is not None:
        outside(home, how.file)
    keys = known.read(home)
    if keys is None and (signed := last_signed(home)):
        raise BadKey(f"{home.keys}: is not there and release {signed} is signed; restore it from a copy: every copy of the site has it")
    if how.unsigned or (keys is None and how.file is None and how.text is None):
        return None
    secret = how.secret()
    if keys is None:
        raise BadKey(f"{home.path}: has no key yet and one is given; enter it with `mingbai keys new FILE`")
    current = keys.current.public
    if secret is None:
        raise BadKey(
            f"{home.path}: its releases are signed and no key is given; give key {current.id} with --signing-key FILE or {VARIABLE}; where it is lost: mingbai keys rotate NEWFILE --lost; to publish without a signature this once: --unsigned"
        )
    if secret.public != current:
        key = keys.get(secret.public.id)
        what = "is not one of this home" if key is None else f"was revoked as {key.revoked['reason']}" if key.revoked else "was replaced"
        raise BadKey(f"{home.path}: the key that is given, {secret.public.id}, {what}; expected {current.id}")
    return secret


def outside(home: Home, file: Path) -> None:
    """Raises BadHome for a key in the home, of which copies go to servers."""
    if file.resolve().is_relative_to(home.path.resolve()):
        raise BadHome(f"{file}: is in the home, of which servers have copies; keep the key elsewhere and name that file")


def last_signed(home: Home) -> str | None:
    """The last release with a signature."""
    return next((name for name in reversed(home.release_ids()) if (home.releases / name / SIGNATURE).is_file()), None)


def signed_by(home: Home) -> str | None:
    """The id of the key by which the live release says that it is signed; None where it is not."""
    try:
        return Signature.parse((home.current / SIGNATURE).read_text("ascii")).key
    except (OSError, ValueError):
        return None


def sums(said: Mapping[str, Any], manifest: bytes) -> bytes:
    """SHA256SUMS of the files that a manifest names, and of itself: what `sha256sum -c` reads. What is given out unpacked is in it as remarks, for
    who looks for the hash of what they have."""
    of = {**{name: str(entry["sha256"]) for name, entry in said["files"].items()}, "manifest.json": hashlib.sha256(manifest).hexdigest()}
    unpacked = said.get("unpacked", {})
    return "".join(
        [*(f"{of[name]}  {name}\n" for name in sorted(of)), *(f"# {unpacked[name]['sha256']}  {name}\n" for name in sorted(unpacked))]
    ).encode()


def sums_line(data: bytes) -> str:
    """What `sha256sum SHA256SUMS` prints: the trusted comment of a signature."""
    return f"{hashlib.sha256(data).hexdigest()}  {SUMS}"


def sign(folder: Path, key: SecretKey | None) -> None:
    """Sign what is in the folder of a release; without a key take a signature away that is of other bytes."""
    if key is None:
        (folder / SIGNATURE).unlink(missing_ok=True)
        return
    made = key.sign((folder / "manifest.json").read_bytes(), sums_line((folder / SUMS).read_bytes()))
    write_whole(folder / SIGNATURE, made.text.encode())
