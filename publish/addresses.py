"""Which addresses may be called: how one is written, what of it may stand in a log, and whether it is anybody's on the Internet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import urlsplit

from .errors import BadDeclaration

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNICAST = ip_network("2000::/3")  # all that is given out of IPv6 today
# Not told apart by every Python that we run on (https://github.com/python/cpython/issues/113171), or a way through to an IPv4 address
NOT_PUBLIC = tuple(
    map(
        ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)


class Refused(Exception):
    """An address that may not be called."""


@dataclass(frozen=True)
class Target:
    """An address in its parts."""

    scheme: str
    name: str
    port: int
    path: str
    host: str  # as the header says it


def networks(given: Iterable[str]) -> tuple[Network, ...]:
    """Networks from what an operator wrote, such as 10.20.0.0/16 or one address. Raises BadDeclaration."""
    found = []
    for text in given:
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise BadDeclaration(f"--allow-private {text!r}: {error}; expected a network such as 10.20.0.0/16") from error
    return tuple(found)


def spelled(url: str) -> str:
    """An address that could be called, as far as it can be told without looking it up. Raises BadDeclaration."""
    try:
        target(url)
    except Refused as error:
        raise BadDeclaration(str(error)) from error
    return url


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet could have this address: not private, shared, local, multicast, reserved, nor a way to one that is."""
    bare = plain(address)
    return (
        bare.is_global
        and not (bare.is_multicast or bare.is_reserved)
        and (bare.version == 4 or bare in UNICAST)
        and not any(bare in network for network in NOT_PUBLIC)
    )


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, or the address."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def shown(url: str) -> str:
    """As much of an address as may stand in a log: who is called. Its path may be a password."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return "the address"


def target(url: str) -> Target:
    """The parts of an address. Raises Refused, without showing what may be a password."""
    try:
        parts = urlsplit(url)
        usual = 443 if parts.scheme == "https" else 80
        name, port = parts.hostname, parts.port or usual
        if not re.fullmatch(r"[\x21-\x7e]+", url) or parts.scheme not in ("http", "https") or not name or parts.port == 0:
            raise ValueError
    except ValueError as error:
        raise Refused("the address is not https://host[:port]/path in ASCII; write it as a browser's address line copies it") from error
    if "@" in parts.netloc:
        raise Refused(f"the address of {name} has a user or password in it; the signature is what tells who calls")
    host = f"[{name}]" if ":" in name else name
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, name, port, path, host if port == usual else f"{host}:{port}")
