"""Sign releases: with which key, and what a new, a lost or a revoked key means for those that are there.

`manifest.json.minisig` is minisign's signature over manifest.json, which names every other file; its trusted comment is the line of SHA256SUMS
about itself, so that `minisign` and `sha256sum` are enough to verify all of it. It is outside the manifest: a release is signed anew without being another one.
Nothing in it is of a clock.

A home that has signed once does not publish without a signature, unless whoever runs it says so each time.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import keys as known
from .errors import BadHome, BadKey
from .home import LINKS, SIGNATURE, SUMS, Home, release_order, write_whole
from .keys import LEAKED, LOST
from .minisign import PublicKey, SecretKey, Signature, read_secret, write_secret

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
    keys = known.read(home)
    if keys is None and (signed := _signed(home)):
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


def _signed(home: Home) -> str | None:
    """The last release with a signature."""
    return next((name for name in reversed(home.release_ids()) if (home.releases / name / SIGNATURE).is_file()), None)


def sums(files: Mapping[str, Mapping[str, Any]], manifest: bytes) -> bytes:
    """SHA256SUMS of the files that a manifest names, and of itself: what `sha256sum -c` reads."""
    of = {**{name: str(entry["sha256"]) for name, entry in files.items()}, "manifest.json": hashlib.sha256(manifest).hexdigest()}
    return "".join(f"{of[name]}  {name}\n" for name in sorted(of)).encode()


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


def sign_anew(home: Home, key: SecretKey) -> Iterator[str]:
    """Sign what a leaked key had signed, where that is what it signed, and what is from before the first key. Gives a line for each."""
    keys = known.read(home)
    if keys is None or keys.current.public != key.public:
        return
    first = keys.keys[0].after
    for folder in _links(home):
        try:
            text = (folder / SIGNATURE).read_text("ascii")
        except FileNotFoundError:
            if first is not None and release_order(folder.name) <= release_order(first):
                sign(folder, key)
                yield f"signed release {folder.name}, which is from before the first key"
            continue
        except (OSError, UnicodeDecodeError):
            text = ""
        try:
            signature = Signature.parse(text)
        except ValueError as error:
            yield f"{folder / SIGNATURE}: {error}; restore the release from a copy"
            continue
        by = keys.get(signature.key)
        if by is None or not by.is_leaked:
            continue
        if _is_of(folder, by.public, signature):
            sign(folder, key)
            yield f"signed release {folder.name} anew, for key {by.public.id} leaked"
        else:
            yield f"{folder / SIGNATURE}: is not of what is there; restore the release from a copy"


def _links(home: Home) -> Iterator[Path]:
    """The folders of the releases that are kept, and of what is left of others."""
    yield from (home.releases / name for name in home.release_ids())
    kept = set(home.release_ids())
    found = home.chain.iterdir() if home.chain.is_dir() else ()
    yield from sorted(path for path in found if path.name not in kept and (path / LINKS[0]).is_file())


def _is_of(folder: Path, key: PublicKey, signature: Signature) -> bool:
    try:
        data, line = (folder / LINKS[0]).read_bytes(), sums_line((folder / SUMS).read_bytes())
    except OSError:
        return False
    return signature.comment == line and key.verifies(data, signature)


def enter(home: Home, file: Path) -> Iterator[str]:
    """Make a home's first key, or take the one that is in `file`, and sign what is there. Gives lines. Raises BadKey where it has one."""
    if (keys := known.read(home)) or (signed := _signed(home)):
        has = f"key {keys.current.public.id}" if keys else f"the signed release {signed} and no {home.keys.name}: restore that from a copy"
        raise BadKey(f"{home.path}: has {has}; another key comes by `mingbai keys rotate NEWFILE`")
    key = _made(home, file)
    known.write(home, known.first(key, home.live()), key)
    yield f"key {key.public.id} signs; for readers: {key.public.line}"
    yield from sign_anew(home, key)


def rotate(home: Home, how: Signing, file: Path, on: str, lost: bool = False) -> Iterator[str]:
    """Let a new key sign from the next release on; the one before vouches for it, unless it is lost."""
    old = None if lost else signer(home, Signing(how.file, how.text))
    keys = known.read(home)
    if keys is None:
        raise BadKey(f"{home.path}: has no key that could be replaced; enter the first with `mingbai keys new FILE`")
    new = _made(home, file)
    if keys.get(new.public.id):
        raise BadKey(f"{file}: key {new.public.id} signs or has signed here; expected a new one")
    known.write(home, keys.followed_by(new, old, home.live(), on), new)
    yield f"key {new.public.id} signs from the next release on; for readers: {new.public.line}"
    if lost:
        yield f"key {keys.current.public.id} is revoked as {LOST}; nothing vouches for the new one: tell readers by another way"


def revoke(home: Home, how: Signing, identifier: str, reason: str, on: str) -> Iterator[str]:
    """Revoke a key that was replaced; what a leaked one signed is signed anew."""
    key, keys = signer(home, Signing(how.file, how.text)), known.read(home)
    found = keys.get(identifier) if keys else None
    if key is None or keys is None or found is None:
        raise BadKey(f"{home.path}: has no key {identifier}; it has {', '.join(one.public.id for one in keys.keys) if keys else 'none'}")
    if found is keys.current:
        raise BadKey(f"{identifier} signs, and something has to; first let another: mingbai keys rotate NEWFILE")
    if found.revoked and found.revoked["reason"] == reason:
        yield f"key {identifier} is revoked as {reason} since {found.revoked['on']}"
    elif found.is_leaked:
        raise BadKey(f"{identifier} is revoked as {LEAKED}, and that cannot be less")
    else:
        known.write(home, keys.without(identifier, reason, on), key)
        yield f"key {identifier} is revoked as {reason}"
    yield from sign_anew(home, key)


def _made(home: Home, file: Path) -> SecretKey:
    """The key in a file, or a new one in a new file outside the home, of which copies go to servers."""
    if file.resolve().is_relative_to(home.path.resolve()):
        raise BadHome(f"{file}: is in the home, of which servers have copies; name a file elsewhere")
    return read_secret(file) if file.exists() else write_secret(file)
