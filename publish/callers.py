"""Calling the addresses that others gave us, hubs and newsrooms' webhooks, and nobody else.

A name is looked up once, each address that it has is judged, and the connection goes to one of these, with the name in TLS and in `Host`: a name that
points elsewhere a moment later changes nothing. A redirect is an answer like any other. Nothing of the environment counts but the CA bundle:
no proxy, no .netrc, no cookies. Only https, but to addresses that the operator allowed. One instant ends every call, however slowly an answer drips.

requests-hardened, the library for this that is kept up, cannot allow a newsroom's own network without allowing the machine's metadata
service with it, and knows no end for a whole call.
"""

import io
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from ipaddress import ip_address
from threading import Lock
from types import ModuleType
from typing import Any, cast

from .addresses import Address, Network, Refused, Target, is_public, plain, shown, target
from .errors import BadDeclaration

BODY_LIMIT = 64 << 10  # of an answer, which is thrown away
SEVERAL = 3  # addresses of one name that are tried
IDLE = 30.0  # seconds after which a connection is looked up anew


@dataclass(frozen=True)
class Said:
    """What somebody who was called said: the status, seconds until they want to be asked again, and a word for people. No status: no answer."""

    status: int | None
    words: str
    after: float | None = None

    @property
    def is_yes(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


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
        return ssl.create_default_context(cafile=self._trusted or _http().bundle())  # half a second

    def check(self, url: str) -> None:
        """Raises BadDeclaration, with what to do, for an address that would not be called. The name is looked up."""
        try:
            self._addresses(target(url))
        except Refused as error:
            raise BadDeclaration(str(error)) from error
        except UnicodeError as error:  # a label of more than 63 letters, or of none
            raise BadDeclaration(f"{shown(url)}: its host is no name; check its spelling") from error
        except OSError as error:
            raise BadDeclaration(f"{shown(url)}: cannot be looked up ({_http().reason(error)}); check its spelling") from error

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        """What the address says to a POST. Never raises for what the other side, or the way there, does."""
        try:
            to = target(url)
            sent = {"Host": to.host, "User-Agent": _http().AGENT, "Connection": "keep-alive", **headers}
            if line := self._kept(to):
                with suppress(
                    RemoteDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError
                ):  # it was closed while nobody looked; what is sent twice has one key
                    return self._ask(line, to, body, sent)
            return self._ask(self._connect(to), to, body, sent)
        except Refused as error:
            return Said(None, str(error))
        except (OSError, HTTPException, ValueError) as error:
            return Said(None, _http().reason(error))

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            for _, line in (pair for lines in self._idle.values() for pair in lines):
                line.close()
            self._idle.clear()

    def _kept(self, target: Target) -> HTTPConnection | None:
        with self._lock:
            lines = self._idle[target.scheme, target.name, target.port]
            while lines:
                since, line = lines.pop()
                if self._clock() - since < IDLE:
                    return line
                line.close()
        return None

    def _addresses(self, target: Target) -> list[Address]:
        """Every address of a name. Raises Refused where one of them may not be called: a name that leads inside as well is no newsroom's."""
        found = [ip_address(sockaddr[0]) for *_, sockaddr in self._resolve(target.name, target.port, type=socket.SOCK_STREAM)]
        for address in found:
            if any(plain(address) in network for network in self._allowed):
                continue
            if target.scheme != "https":
                raise Refused(f"{target.host}: only https is called; use https, or allow its network with --allow-private")
            if not is_public(address):
                raise Refused(
                    f"{target.host}: {address} is not a public address; where it is meant, allow its network with --allow-private"
                )
        if not found:
            raise Refused(f"{target.host}: has no address; check its spelling")
        return list(dict.fromkeys(found))

    def _connect(self, target: Target) -> HTTPConnection:
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

    def _ask(self, line: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]) -> Said:
        keep = False
        try:
            cast(_Timed, line.sock).until = self._clock() + self._to_answer
            line.request("POST", target.path, body, headers)
            with closing(line.getresponse()) as answer:
                answer.read(BODY_LIMIT)
                keep = answer.isclosed() and not answer.will_close
            return Said(answer.status, f"status {answer.status}", _http().retry_after(cast(Mapping[str, str], answer.headers)))
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


def _http() -> ModuleType:
    """How we speak HTTP. It brings requests, for which no command waits that calls nobody."""
    from .sources import http

    return http
