"""Identifiers of our own: the same in every release, never made from a name, never used twice.

An id is a letter for the table and 64 bits of a hash over the source and the source's own key. It needs no ledger to be stable, so the
same snapshot gives the same ids on another machine. Two keys that met in one hash would be two rows with one id: staging reports a
duplicate and never merges them (with 10 million keys the chance is 3 in a million).
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b

from .cleaning import folded
from .errors import BadValue

KEY_SEPARATOR = "\x1f"  # the unit separator: no cleaned value holds a control character, so ("a", "b") and ("ab",) differ


def key_text(parts: Iterable[object]) -> str:
    """The source's key as one text: how `source_key` is stored and what an id is made from. Width and invisible characters do not count."""
    return KEY_SEPARATOR.join("" if part is None else key_part(part) for part in parts)


def key_part(part: object) -> str:
    """One part of a key, cleaned: a source that changes the width of a digit does not make another record of it."""
    spelled = part if isinstance(part, str) else str(part)
    if spelled.isascii() and spelled.isprintable():
        return spelled.strip()
    try:
        return folded(spelled, "a key").encode("utf-8", "ignore").decode().replace("\ufffd", "")  # half a character is none
    except BadValue:  # longer than any key: it keeps its own spelling
        return spelled.strip().encode("utf-8", "ignore").decode()


def id_maker(prefix: str, source: str) -> Callable[[str], str]:
    """The function that makes the ids of a table's rows from a source: see `make_id`. Half the cost where there are millions."""
    begun = blake2b(f"{prefix}{KEY_SEPARATOR}{source}{KEY_SEPARATOR}".encode(), digest_size=8)
    letter = f"{prefix}-"

    def make(key: str) -> str:
        digest = begun.copy()
        digest.update(key.encode("utf-8", "surrogatepass"))
        return letter + digest.hexdigest()

    return make


def make_id(prefix: str, source: str, key: str) -> str:
    """Such as `i-5c7d0f3ab1e24986`: the table's letter and 16 hexadecimal digits (four times as fast as base32)."""
    return id_maker(prefix, source)(key)
