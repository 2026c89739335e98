"""Ed25519 in the files of minisign: keys and signatures that Debian's `minisign` makes and reads, byte for byte. The home of cryptography.

minisign and not DSSE: a reader verifies with one small tool that distributions carry, without us and without Python, and a signature is four lines
beside the file that it is of, signed as it lies. DSSE wraps what it signs, and who reads it needs in-toto's or sigstore's tools. What a
transparency log takes in is a file and a detached signature over it, which these are. Knows nothing of releases.

Secret keys are minisign's without a password (`minisign -G -W`): whoever runs at night has the password beside the key. A system that keeps
credentials encrypted hands them over as a file or a variable.
"""

import base64
import binascii
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from .errors import BadKey
from .home import sync

UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
MADE_BY = "signature from minisign secret key"  # what the tool says, so that both write the same bytes
PLAIN, PREHASHED = b"Ed", b"ED"
SECRET_BYTES, SECRET_LIMIT = 158, 4096
HEAD = PLAIN + b"\0\0B2" + bytes(48)  # of a secret key without a password: no salt, no limits


@dataclass(frozen=True)
class Signature:
    """A signature over a file's BLAKE2b-512, and with the comment that it vouches for as well."""

    number: bytes
    raw: bytes
    comment: str
    over_comment: bytes

    @property
    def key(self) -> str:
        """The id of the key that it says it is by."""
        return _id(self.number)

    @property
    def text(self) -> str:
        """The signature's file."""
        lines = UNTRUSTED + MADE_BY, _base64(PREHASHED + self.number + self.raw), TRUSTED + self.comment, _base64(self.over_comment)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Signature":
        """Raises ValueError for anything that is not to the byte what `text` writes: the tool lets a comment be changed that nobody has signed."""
        lines = text.split("\n")
        if len(lines) != 5:
            raise ValueError("is no signature of minisign's")
        signed, over_comment = _bytes(lines[1], 74), _bytes(lines[3], 64)
        found = cls(signed[2:10], signed[10:], lines[2].removeprefix(TRUSTED), over_comment)
        if found.text != text:
            raise ValueError("is not written as minisign writes a signature")
        return found


@dataclass(frozen=True)
class PublicKey:
    """A key that verifies. `number` is minisign's for it, drawn by lot."""

    number: bytes
    raw: bytes

    @property
    def id(self) -> str:
        """The key's name, as minisign prints it."""
        return _id(self.number)

    @property
    def line(self) -> str:
        """What `minisign -P` takes."""
        return _base64(PLAIN + self.number + self.raw)

    @property
    def text(self) -> str:
        """The key's file."""
        return f"{UNTRUSTED}minisign public key {self.id.lstrip('0')}\n{self.line}\n"  # as the tool writes it

    @classmethod
    def parse(cls, line: str) -> "PublicKey":
        """Raises ValueError for what is no public key."""
        found = _bytes(line, 42)
        if not found.startswith(PLAIN):
            raise ValueError("is no public key of minisign's")
        return cls(found[2:10], found[10:])

    def verifies(self, data: bytes, signature: Signature) -> bool:
        """Whether the signature is this key's, over these bytes and its own comment."""
        if signature.number != self.number:
            return False
        from cryptography.exceptions import InvalidSignature

        key = _ed25519().Ed25519PublicKey.from_public_bytes(self.raw)
        try:
            key.verify(signature.raw, hashlib.blake2b(data).digest())
            key.verify(signature.over_comment, signature.raw + signature.comment.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SecretKey:
    """A key that signs. Its secret is in no repr."""

    public: PublicKey
    seed: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "SecretKey":
        """A key that nobody has."""
        seed, number = secrets.token_bytes(32), secrets.token_bytes(8)
        return cls(PublicKey(number, _public(seed)), seed)

    @classmethod
    def parse(cls, text: str, where: str) -> "SecretKey":
        """A secret key of minisign's, of its whole file or the second line alone. Raises BadKey, which names `where` and nothing of what it read."""
        lines = [line for line in text.split("\n") if line.strip() and not line.startswith(UNTRUSTED)]
        try:
            found = _bytes(lines[0].strip(), SECRET_BYTES) if len(lines) == 1 else b""
        except ValueError:
            found = b""
        if not found.startswith(PLAIN):
            _refuse(where, "is no secret key of minisign's; make one with `mingbai keys new FILE` or `minisign -G -W -s FILE`")
        if found[2:4] != b"\0\0":
            _refuse(where, "has a password, which nobody types at night; take it away with `minisign -C -W -s FILE`, or give another key")
        number, seed, public = found[54:62], found[62:94], found[94:126]
        if _public(seed) != public:
            _refuse(where, "is damaged: its two halves are not of one key; restore it from a copy")
        return cls(PublicKey(number, public), seed)

    @property
    def text(self) -> str:
        """The key's file. For its owner's eyes."""
        data = HEAD + self.public.number + self.seed + self.public.raw + bytes(32)
        return f"{UNTRUSTED}secret key {self.public.id} of minisign's: keep it secret\n{_base64(data)}\n"

    def sign(self, data: bytes, comment: str) -> Signature:
        """A signature over the bytes and the comment. The same for the same: Ed25519 draws no lot."""
        key = _ed25519().Ed25519PrivateKey.from_private_bytes(self.seed)
        raw = key.sign(hashlib.blake2b(data).digest())
        return Signature(self.public.number, raw, comment, key.sign(raw + comment.encode()))


def read_secret(file: Path) -> SecretKey:
    """The secret key in a file that nobody else can read. Raises BadKey."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            seen = os.fstat(opened.fileno())
            if not stat.S_ISREG(seen.st_mode):
                _refuse(str(file), "is no file")
            if seen.st_uid not in (os.geteuid(), 0):
                _refuse(
                    str(file),
                    f"is not this user's (its owner is {seen.st_uid}); expected {os.geteuid()}: whoever owns it can read and replace it",
                )
            if stat.S_IMODE(seen.st_mode) & 0o077:
                _refuse(str(file), f"others can read it (mode {stat.S_IMODE(seen.st_mode):04o}); expected 0600: chmod 600 {file}")
            data = opened.read(SECRET_LIMIT)
    except OSError as error:
        raise BadKey(f"{file}: the signing key cannot be read ({error.strerror}); give its file with --signing-key") from error
    return SecretKey.parse(data.decode("ascii", "replace"), str(file))


def write_secret(file: Path) -> SecretKey:
    """A new key in a new file, for its owner alone, on the disk when this returns. Raises BadKey, and leaves no file, where it cannot be written."""
    key, made = SecretKey.new(), False
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            made = True
            opened.write(key.text)
            opened.flush()
            os.fsync(opened.fileno())
        sync(file.resolve().parent)  # its name too: keys.json is about to say that this key signs
    except OSError as error:
        if made:
            file.unlink(missing_ok=True)
        raise BadKey(f"{file}: the signing key cannot be written ({error.strerror}); name a file in a folder that can be") from error
    return key


def _refuse(where: str, why: str) -> NoReturn:
    raise BadKey(f"{where}: {why}") from None  # what was read stands in no traceback


def _id(number: bytes) -> str:
    return number[::-1].hex().upper()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(line: str, length: int) -> bytes:
    """Raises ValueError for what is not so many bytes in base64."""
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != length or _base64(found) != line:
        raise ValueError("is not in minisign's form")
    return found


def _public(seed: bytes) -> bytes:
    found: bytes = _ed25519().Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return found


def _ed25519() -> ModuleType:
    """What signs and verifies. It takes a tenth of a second to load, for which no command waits that does neither."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519
