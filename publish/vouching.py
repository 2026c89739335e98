"""The keys of a home: the first, the next, one that was lost or leaked; and what the key of today vouches for of what is there.

It signs what this home published and nothing else. That a leaked key signed something is what its thief can do, and that something lies in the home is
what anybody does who restores a folder from a copy: so what is signed is held against what the home wrote down by itself when it made it (history.db,
which is in no copy of the site), and every file against the manifest. What is not the same is said, by each run, and is not signed.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from . import historyfile
from . import keys as known
from .errors import BadKey
from .home import LINKS, SIGNATURE, Home
from .keys import LEAKED, LOST, Keys
from .minisign import SecretKey, Signature, read_secret, write_secret
from .places import Folder
from .signing import Signing, last_signed, outside, sign, signer
from .verified import contents
from .withdrawals import PEOPLE
from .witness import links

Agree = Callable[[Mapping[str, Any], int], object]  # is told what is about to be done, and how many people must have said so; may raise


def _unasked(about: Mapping[str, Any], people: int) -> None:
    pass


def sign_anew(home: Home, key: SecretKey) -> Iterator[str]:
    """Sign what this home published and has no signature that counts: by a leaked key, from before the first one, or without one. Gives a line for each."""
    keys = known.read(home)
    if keys is None or keys.current.public != key.public:
        return
    made: Mapping[str, tuple[str | None, str | None]] | None = None
    for folder in links(home):
        if (why := _lacks(folder, keys)) is None:
            continue
        made = historyfile.hashes(home.history) if made is None else made
        if fault := differs(home, folder, *made.get(folder.name, (None, None))):
            yield f"{folder}: {fault}; it is not signed: restore the release from a copy"
        else:
            sign(folder, key)
            yield f"signed release {folder.name}{why}"


def _lacks(folder: Path, keys: Keys) -> str | None:
    """Why a release is to be signed; None where its signature counts."""
    try:
        signature = Signature.parse((folder / SIGNATURE).read_text("ascii"))
    except FileNotFoundError:
        return ", which had no signature"
    except (OSError, ValueError):
        return ", whose signature could not be read"
    by = keys.get(signature.key)
    if by is not None and by.is_leaked:
        return f" anew, for key {by.public.id} leaked"
    return ", whose signature does not count" if keys.refuses(signature.key, folder.name) else None


def differs(home: Home, folder: Path, database: str | None, manifest: str | None) -> str | None:
    """What in a release is not what this home wrote down, or None. Of one that was made before it did, its database is known and the next release's word."""
    try:
        data = (folder / LINKS[0]).read_bytes()
        said = orjson.loads(data)
        found, its = hashlib.sha256(data).hexdigest(), said["files"]["mingbai.db"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"manifest.json cannot be read ({error})"
    expected = manifest or _next_says(home, folder.name) or found
    if database is None or its != database:
        return f"its mingbai.db has sha256 {its[:12]} and {home.history.name} knows {(database or 'none')[:12]}"
    if found != expected:
        return f"manifest.json has sha256 {found[:12]} and this home knows {expected[:12]}"
    return next(contents(Folder(folder), said, data, only_sums=folder.parent == home.chain), None)


def _next_says(home: Home, identifier: str) -> str | None:
    """The hash by which the release after this one names its manifest."""
    for folder in links(home):
        try:
            said = orjson.loads((folder / LINKS[0]).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(said, dict) and said.get("previous") == identifier:
            link = said.get("previous_manifest")
            return link if isinstance(link, str) else None
    return None


def enter(home: Home, file: Path, agree: Agree = _unasked) -> Iterator[str]:
    """Make a home's first key, or take the one that is in `file`, and sign what is there. Gives lines. Raises BadKey where it has one."""
    if (keys := known.read(home)) or (signed := last_signed(home)):
        has = f"key {keys.current.public.id}" if keys else f"the signed release {signed} and no {home.keys.name}: restore that from a copy"
        raise BadKey(f"{home.path}: has {has}; another key comes by `mingbai keys rotate NEWFILE`")
    key = _made(home, file)
    agree({"what": "new", "key": key.public.id}, 1)
    known.write(home, known.first(key, home.live()), key)
    yield f"key {key.public.id} signs; for readers: {key.public.line}"
    yield from sign_anew(home, key)


def rotate(home: Home, how: Signing, file: Path, on: str, lost: bool = False, agree: Agree = _unasked) -> Iterator[str]:
    """Let a new key sign from the next release on; the one before vouches for it, unless it is lost."""
    old = None if lost else signer(home, Signing(how.file, how.text))
    keys = known.read(home)
    if keys is None:
        raise BadKey(f"{home.path}: has no key that could be replaced; enter the first with `mingbai keys new FILE`")
    new = _made(home, file)
    if keys.get(new.public.id):
        raise BadKey(f"{file}: key {new.public.id} signs or has signed here; expected a new one")
    agree({"what": LOST if lost else "rotate", "key": keys.current.public.id, "by": new.public.id}, PEOPLE if lost else 1)
    known.write(home, keys.followed_by(new, old, home.live(), on), new)
    yield f"key {new.public.id} signs from the next release on; for readers: {new.public.line}"
    if lost:
        yield f"key {keys.current.public.id} is revoked as {LOST}; nothing vouches for the new one: tell readers by another way"


def revoke(home: Home, how: Signing, identifier: str, reason: str, on: str, agree: Agree = _unasked) -> Iterator[str]:
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
        agree({"what": f"revoke as {reason}", "key": identifier}, PEOPLE if reason == LEAKED else 1)
        known.write(home, keys.without(identifier, reason, on), key)
        yield f"key {identifier} is revoked as {reason}"
    yield from sign_anew(home, key)


def _made(home: Home, file: Path) -> SecretKey:
    """The key in a file, or a new one in a new file outside the home."""
    outside(home, file)
    return read_secret(file) if file.exists() else write_secret(file)
