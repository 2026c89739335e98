"""keys.json: the public keys that sign releases, from when until when, and which were revoked and why. Published as it is.

The last key is the one that signs. Each is vouched for by the one before it (minisign's signature over its line, `public`), and the whole file is
signed by the last, so that who has any of them from elsewhere can follow to the newest. Nobody vouches for a key that came after one that was lost:
whoever has only the lost one has to ask us.

Which signatures count. `until` is the release that was live when a key was replaced: what it signs for later ones does not count. A key that was
lost is one that nobody else has, and counts like one that was replaced. Of a key that leaked nothing counts, whatever the release, for it
signs with any date; the releases are signed anew by a later one (signing.py), and nobody who has it, or one before it, from elsewhere is led on from it.
`after` tells when a key began and bounds nothing: a later key signs earlier releases where these are issued anew.

A thief with the newest key and a copy of the site is found by whoever compares copies, and by nobody who has one: room for a log that everybody sees
(transparency) is the signature over this whole file, and mirrors serve it and the releases as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .errors import BadKey
from .home import RELEASE_ID, Home, as_json, release_order, write_whole
from .minisign import PublicKey, SecretKey, Signature

REASONS = ("leaked", "lost")
LEAKED, LOST = REASONS
COMMENT = "mingbai keys"
LIMIT = 1 << 20  # bytes: a rotation a day for three years


@dataclass(frozen=True)
class Key:
    """One key and what is said of it. `after` and `until`: the releases that were live when it came and when it was replaced, None where none was."""

    public: PublicKey
    after: str | None
    until: str | None = None
    endorsement: Signature | None = None
    revoked: Mapping[str, str] | None = None  # on, reason

    @property
    def is_leaked(self) -> bool:
        return self.revoked is not None and self.revoked["reason"] == LEAKED

    def as_entry(self) -> dict[str, Any]:
        """As keys.json has it."""
        said = {"id": self.public.id, "public": self.public.line, "after": self.after, "until": self.until, "revoked": self.revoked}
        return {**said, "endorsement": self.endorsement and self.endorsement.text}


@dataclass(frozen=True)
class Keys:
    """Every key that signed, oldest first. One at least."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The one that signs."""
        return self.keys[-1]

    def get(self, identifier: str) -> Key | None:
        """The key of this id."""
        return next((key for key in self.keys if key.public.id == identifier), None)

    def refuses(self, identifier: str, release: str) -> str | None:
        """Why a signature by a key does not count for a release, or None."""
        key = self.get(identifier)
        if key is None:
            return f"by key {identifier}, which keys.json does not have; expected {self.current.public.id}"
        if key.is_leaked:
            return f"by key {identifier}, which is revoked as {LEAKED}: nothing that it signed counts; expected one by a later key"
        if key is not self.current and (key.until is None or release_order(release) > release_order(key.until)):
            return f"by key {identifier}, which counts until release {key.until or 'none'}; expected one by a later key"
        return None

    def distrusts(self, pin: PublicKey) -> str | None:
        """Why who has this key from elsewhere cannot trust the last of these, or None."""
        at = next((number for number, key in enumerate(self.keys) if key.public == pin), None)
        if at is None:
            return f"does not have key {pin.id}; expected the key that you gave"
        for key, after in zip(self.keys[at:], (*self.keys[at + 1 :], None), strict=True):
            if key.is_leaked:
                return f"says that key {key.public.id} is revoked as {LEAKED}; expected a key that came after it, which the publisher has to tell you"
            if after is not None and after.endorsement is None:
                return f"has key {after.public.id} after key {key.public.id}, which was lost and does not vouch for it; expected a key that the publisher has to tell you"
        return None

    def followed_by(self, new: SecretKey, old: SecretKey | None, live: str | None, on: str) -> "Keys":
        """With a new key that signs from now on; `old` vouches for it, and where there is none it was lost."""
        last = replace(self.current, until=live, revoked=None if old else {"on": on, "reason": LOST})
        came = Key(new.public, live, endorsement=old.sign(new.public.line.encode(), _vouches(old.public, new.public)) if old else None)
        return Keys((*self.keys[:-1], last, came))

    def without(self, identifier: str, reason: str, on: str) -> "Keys":
        """With a key revoked. The last cannot be: something has to sign that."""
        return Keys(tuple(replace(key, revoked={"on": on, "reason": reason}) if key.public.id == identifier else key for key in self.keys))

    def text(self, signer: SecretKey) -> bytes:
        """keys.json, signed by the last key."""
        said = {"keys": [key.as_entry() for key in self.keys]}
        return as_json({**said, "signature": signer.sign(as_json(said), COMMENT).text})


def first(key: SecretKey, live: str | None) -> Keys:
    """The first key of a home."""
    return Keys((Key(key.public, live),))


def parse(data: bytes) -> Keys:
    """Raises BadKey, with what is wrong, for a file that is not to the byte what its last key signed, or whose keys do not vouch for each other."""
    try:
        found = orjson.loads(data)
        keys = Keys(tuple(_key(entry) for entry in found["keys"]))
        signature = Signature.parse(found["signature"])
        said = as_json({"keys": [key.as_entry() for key in keys.keys]})
        if data != as_json({"keys": orjson.loads(said)["keys"], "signature": signature.text}):
            raise ValueError("is not in its one form")
        if len({key.public.number for key in keys.keys}) != len(keys.keys):
            raise ValueError("has a key twice")
        if keys.current.revoked or keys.current.until:
            raise ValueError("has no key that signs")
        if signature.comment != COMMENT or not keys.current.public.verifies(said, signature):
            raise ValueError(f"is not what its key {keys.current.public.id} signed")
        for before, key in zip((None, *keys.keys), keys.keys, strict=False):
            _follows(before, key)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        why = str(error) if type(error) is ValueError else "has not the form of one"
        raise BadKey(f"{why}; expected the file as it was signed") from error
    return keys


def _key(entry: Mapping[str, Any]) -> Key:
    after, until, revoked, endorsement = (entry[name] for name in ("after", "until", "revoked", "endorsement"))
    for release in filter(None, (after, until)):
        if not RELEASE_ID.fullmatch(release):
            raise ValueError("names what is no release")
    if revoked is not None and (set(revoked) != {"on", "reason"} or revoked["reason"] not in REASONS):
        raise ValueError("revokes a key for no reason that it can be for")
    return Key(PublicKey.parse(entry["public"]), after, until, endorsement and Signature.parse(endorsement), revoked)


def _follows(before: Key | None, key: Key) -> None:
    """Raises ValueError where a key does not come after the one before it."""
    if key.endorsement is None:
        if before is not None and before.revoked is None:
            raise ValueError(f"has key {key.public.id}, for which key {before.public.id} does not vouch")
    elif (
        before is None
        or key.endorsement.comment != _vouches(before.public, key.public)
        or not any(before.public.verifies(text.encode(), key.endorsement) for text in _vouched(key.public))
    ):
        raise ValueError(f"has key {key.public.id} with a word for it that is not by the key before")


def _vouched(new: PublicKey) -> tuple[str, ...]:
    """What a word for a key is over: its line. In a home of before, over its file as we wrote it then: with the id in full, or as the tool shortens it."""
    return (new.line, new.text, new.text.replace(new.id.lstrip("0"), new.id, 1))


def _vouches(old: PublicKey, new: PublicKey) -> str:
    return f"mingbai key {new.id} follows {old.id}"


def read(home: Home) -> Keys | None:
    """The keys of a home, None where it never signed. Raises BadKey where they cannot be read."""
    try:
        data = home.keys.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadKey(f"{home.keys}: cannot be read ({error.strerror}); restore it from a copy") from error
    try:
        return parse(data)
    except BadKey as error:
        raise BadKey(f"{home.keys}: {error}; restore it from a copy") from error


def write(home: Home, keys: Keys, signer: SecretKey) -> None:
    """Replace keys.json whole."""
    write_whole(home.keys, keys.text(signer))
