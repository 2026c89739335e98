"""Calling the addresses that others gave us, hubs and newsrooms' webhooks, and nobody else.

A name is looked up once, each address that it has is judged, and the connection goes to one of these, with the name in TLS and in `Host`: a name that
points elsewhere a moment later changes nothing. A redirect is an answer like any other. Nothing of the environment counts but the CA bundle:
no proxy, no .netrc, no cookies. Only https, but to addresses that the operator allowed. One instant ends every call, however slowly an answer drips.

requests-hardened, the library for this that is kept up, cannot allow a newsroom's own network without allowing the machine's metadata
service with it, and knows no end for a whole call.
"""

import io
import re
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

from .errors import BadDeclaration
from .sources.http import AGENT, bundle, reason, retry_after

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

BODY_LIMIT = 64 << 10  # of an answer, which is thrown away
SEVERAL = 3  # addresses of one name that are tried
IDLE = 30.0  # seconds after which a connection is looked up anew
UNICAST = ip_network("2000::/3")  # all that is given out of IPv6 today
# Not told apart by every Python that we run on (https://github.com/python/cpython/issues/113171), or a way through to an IPv4 address
NOT_PUBLIC = tuple(
    map(
        ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)


class _Refused(Exception):
    """An address that may not be called."""


@dataclass(frozen=True)
class Said:
    """What somebody who was called said: the status, seconds until they want to be asked again, and a word for people. No status: no answer."""

    status: int | None
    words: str
    after: float | None = None

    @property
    def is_yes(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class _Target:
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
        _target(url)
    except _Refused as error:
        raise BadDeclaration(str(error)) from error
    return url


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet could have this address: not private, shared, local, multicast, reserved, nor a way to one that is."""
    plain = _plain(address)
    return (
        plain.is_global
        and not (plain.is_multicast or plain.is_reserved)
        and (plain.version == 4 or plain in UNICAST)
        and not any(plain in network for network in NOT_PUBLIC)
    )


def _plain(address: Address) -> Address:
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


class Caller:
    """Sends POSTs, from several threads at once. `resolve`, `clock` and the CA bundle are arguments, so that a test needs no Internet."""

    def __init__(
        self,
        allowed: Iterable[Network] = (),
        *,
        resolve: Callable[..., Any] = socket.getaddrinfo,
        clock: Callable[[], float] = time.monotonic,
        trusted: str | None = None,
        to_connect: float = 5.0,
        to_answer: float = 15.0,
    ) -> None:
        self._allowed, self._resolve, self._clock = tuple(allowed), resolve, clock
        self._to_connect, self._to_answer = to_connect, to_answer
        self._trusted = trusted
        self._idle: dict[tuple[str, str, int], list[tuple[float, HTTPConnection]]] = defaultdict(list)
        self._lock = Lock()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._trusted or bundle())  # half a second

    def check(self, url: str) -> None:
        """Raises BadDeclaration, with what to do, for an address that would not be called. The name is looked up."""
        try:
            self._addresses(_target(url))
        except _Refused as error:
            raise BadDeclaration(str(error)) from error
        except OSError as error:
            raise BadDeclaration(f"{shown(url)}: cannot be looked up ({reason(error)}); check its spelling") from error

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        """What the address says to a POST. Never raises for what the other side, or the way there, does."""
        try:
            target = _target(url)
            sent = {"Host": target.host, "User-Agent": AGENT, "Connection": "keep-alive", **headers}
            if line := self._kept(target):
                with suppress(
                    RemoteDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError
                ):  # it was closed while nobody looked; what is sent twice has one key
                    return self._ask(line, target, body, sent)
            return self._ask(self._connect(target), target, body, sent)
        except _Refused as error:
            return Said(None, str(error))
        except (OSError, HTTPException, ValueError) as error:
            return Said(None, reason(error))

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            for _, line in (pair for lines in self._idle.values() for pair in lines):
                line.close()
            self._idle.clear()

    def _kept(self, target: _Target) -> HTTPConnection | None:
        with self._lock:
            lines = self._idle[target.scheme, target.name, target.port]
            while lines:
                since, line = lines.pop()
                if self._clock() - since < IDLE:
                    return line
                line.close()
        return None

    def _addresses(self, target: _Target) -> list[Address]:
        """Every address of a name. Raises _Refused where one of them may not be called: a name that leads inside as well is no newsroom's."""
        found = [ip_address(sockaddr[0]) for *_, sockaddr in self._resolve(target.name, target.port, type=socket.SOCK_STREAM)]
        for address in found:
            if any(_plain(address) in network for network in self._allowed):
                continue
            if target.scheme != "https":
                raise _Refused(f"{target.host}: only https is called; use https, or allow its network with --allow-private")
            if not is_public(address):
                raise _Refused(
                    f"{target.host}: {address} is not a public address; where it is meant, allow its network with --allow-private"
                )
        if not found:
            raise _Refused(f"{target.host}: has no address; check its spelling")
        return list(dict.fromkeys(found))

    def _connect(self, target: _Target) -> HTTPConnection:
        """A connection to one of the addresses that were just judged."""
        failed: OSError | None = None
        for address in self._addresses(target)[:SEVERAL]:
            try:
                bare = socket.create_connection((str(address), target.port), self._to_connect)
                break
            except OSError as error:
                failed = error
        else:
            raise failed or OSError("no address")
        try:
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured = self._context.wrap_socket(bare, server_hostname=target.name) if target.scheme == "https" else bare
        except BaseException:
            bare.close()
            raise
        line = HTTPConnection(target.name, target.port)
        line.auto_open = 0  # it never connects by itself
        line.sock = cast(socket.socket, _Timed(secured, self._clock))
        return line

    def _ask(self, line: HTTPConnection, target: _Target, body: bytes, headers: Mapping[str, str]) -> Said:
        keep = False
        try:
            cast(_Timed, line.sock).until = self._clock() + self._to_answer
            line.request("POST", target.path, body, headers)
            with closing(line.getresponse()) as answer:
                answer.read(BODY_LIMIT)
                keep = answer.isclosed() and not answer.will_close
            return Said(answer.status, f"status {answer.status}", retry_after(cast(Mapping[str, str], answer.headers)))
        finally:
            if keep and line.sock is not None:
                with self._lock:
                    self._idle[target.scheme, target.name, target.port].append((self._clock(), line))
            else:
                line.close()


class _Timed:
    """As much of a socket as HTTPConnection asks of one; everything that is read and written has to be done by one instant.

    As of a socket, what was made of it can be read when it is closed, and only then is its end told.
    """

    def __init__(self, sock: socket.socket, clock: Callable[[], float]) -> None:
        self._sock, self._clock, self.until = sock, clock, 0.0
        self._readers, self._is_closed = 0, False

    def left(self) -> socket.socket:
        """The socket, with the time that is left."""
        if (left := self.until - self._clock()) <= 0:
            raise TimeoutError("no answer in time")
        self._sock.settimeout(left)
        return self._sock

    def sendall(self, data: bytes) -> None:
        self.left().sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Answer(self))

    def close(self) -> None:
        self._is_closed = True
        self._end()

    def is_read(self) -> None:
        """Who read it is done."""
        self._readers -= 1
        self._end()

    def _end(self) -> None:
        if self._is_closed and not self._readers:
            self._sock.close()


class _Answer(io.RawIOBase):
    """What comes in."""

    def __init__(self, line: _Timed) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.left().recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._line.is_read()


def shown(url: str) -> str:
    """As much of an address as may stand in a log: who is called. Its path may be a password."""
    try:
        return f"{urlsplit(url).scheme}://{urlsplit(url).hostname}"
    except ValueError:
        return "the address"


def _target(url: str) -> _Target:
    """The parts of an address. Raises _Refused."""
    try:
        parts = urlsplit(url)
        usual = 443 if parts.scheme == "https" else 80
        name, port = parts.hostname, parts.port or usual
        if not re.fullmatch(r"[\x21-\x7e]+", url) or parts.scheme not in ("http", "https") or not name or parts.port == 0:
            raise ValueError
    except ValueError as error:
        raise _Refused("the address is not https://host[:port]/path in ASCII; write it as a browser's address line copies it") from error
    if "@" in parts.netloc:
        raise _Refused(f"the address of {name} has a user or password in it; the signature is what tells who calls")
    host = f"[{name}]" if ":" in name else name
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(parts.scheme, name, port, path, host if port == usual else f"{host}:{port}")
