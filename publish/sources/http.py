"""Asking a server politely with requests: one pooled session, a rate, retries with backoff and jitter, `Retry-After`, limits on time and size.

A body that breaks off is taken up where that can be done (resumed.py); bodies are given undecoded, as they came over the wire. Redirects are followed on the
same origin only. The token is sent to the plan's own origin, never over plain http to another machine, and appears in no message: what a server says is
shown only after `shown`.
A `.netrc` is not read; proxies and CA bundles of the environment are, once.
"""

import email.utils
import ipaddress
import os
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3

from ..errors import BadDeclaration, SourceBroken, SourceUnavailable
from . import SourcePlan
from .resumed import Anew, Begun, Failed, Tries

AGENT = "mingbai/0.1 (public-interest register of off-campus training)"
CHUNK = 1 << 16
BODY_LIMIT = 64 << 20  # a page of 1,000 records is 0.1-1 MB
FILE_LIMIT = 1 << 30
REDIRECTS = (301, 302, 303, 307, 308)
Sink = Path | Callable[[Iterable[bytes]], object]
AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """One response. `body` is as received: what `Content-Encoding` says was not undone. Empty when it went to a file. `is_joined` when it came in parts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    is_joined: bool = False


class Http:
    """A polite client for one source. `wait`, `clock` and `jitter` are arguments, so that a test needs no time and no luck."""

    def __init__(
        self,
        plan: SourcePlan,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._plan, self._wait, self._clock, self._jitter = plan, wait, clock, jitter
        self._origin = origin(plan.address)
        self._next = 0.0
        headers = {"User-Agent": AGENT}
        if plan.token is not None:
            if not re.fullmatch(r"[\x21-\x7e]+", plan.token):  # requests would print it in its complaint
                raise BadDeclaration(f"{plan.name}: the token is empty or has a character that a header cannot carry; set it again")
            if self._origin.scheme != "https" and not _is_loopback(self._origin.hostname or ""):
                raise BadDeclaration(f"{plan.name}: a token is set and the address is not https; use https or unset the token")
            headers["Authorization"] = f"Bearer {plan.token}"
        self._headers = headers
        self._session = requests.Session()
        self._session.trust_env = False  # per request that costs as much as the request; here once
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._proxies = requests.utils.get_environ_proxies(plan.address)
        self._verify = bundle()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(
        self,
        url: str,
        what: str,
        *,
        accept: str,
        etag: str | None = None,
        compressed: bool = True,
        into: Sink | None = None,
        limit: int | None = None,
        final: Collection[int] = (),
        may_resume: bool = True,
    ) -> Answer:
        """The answer to a GET, whatever its status unless the status says to try again and is not among `final`. `what` names it in messages.

        `into` is where the body of a status 200 goes, again from its beginning where it could not be taken up; `limit` how many bytes it may have.

        Raises SourceUnavailable after the last retry, SourceBroken when every try was cut short, the certificate is wrong or a redirect leaves the origin.
        """
        headers = {**self._headers, "Accept": accept, "Accept-Encoding": "gzip" if compressed else "identity"}
        if etag is not None:
            headers["If-None-Match"] = etag
        tries, begun = Tries(self._plan.retries, may_resume), 0
        while True:
            begun, tries.idle, tries.is_joined = begun + 1, tries.idle + 1, False
            try:
                return self._follow(url, what, headers, into, limit, final, tries)
            except Failed as failed:
                if failed.is_too_long:
                    raise SourceUnavailable(
                        f"{what}: {failed} and asks us to come back in {failed.after:.0f} s; run again then, what was fetched is kept"
                    ) from failed
                if begun > self._plan.retries or tries.is_over:
                    self._give_up(what, tries, failed)
                self._back_off(failed, tries)

    def _back_off(self, failed: Failed, tries: Tries) -> None:
        tries.reasons.append(str(failed))
        backoff = min(30.0, 0.25 * 2 ** max(tries.idle, 1)) * (0.5 + self._jitter() / 2)
        self._wait(backoff if failed.after is None else failed.after + backoff * 0.1)

    def _give_up(self, what: str, tries: Tries, failed: Failed) -> NoReturn:
        tries.reasons.append(str(failed))
        said = f"{what}: {tries}"
        if failed.broken:
            raise SourceBroken(
                f"{said}; a whole answer was expected: tell the source, then run again, what was fetched is kept"
            ) from failed
        raise SourceUnavailable(f"{said}; run again later, what was fetched is kept") from failed

    def _follow(
        self, url: str, what: str, headers: dict[str, str], into: Sink | None, limit: int | None, final: Collection[int], tries: Tries
    ) -> Answer:
        for _ in range(6):
            tries.requests += 1
            answer = self._once(url, what, headers, into, limit, final, tries)
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not target:
                return answer
            url = urljoin(url, target)
            if not same_origin(url, self._origin):
                raise SourceBroken(
                    f"{what}: redirects to {shown(url, self._plan.token)}, which is not {self._origin.scheme}://{self._origin.netloc}; if it moved, change the address"
                )
        raise SourceBroken(f"{what}: redirects more than five times; check the address")

    def _once(
        self, url: str, what: str, headers: dict[str, str], into: Sink | None, most: int | None, final: Collection[int], tries: Tries
    ) -> Answer:
        with self._asked(url, what, headers, final) as response:
            status, got = response.status_code, response.headers
            whole = status == 200 and into is not None
            limit = (most or FILE_LIMIT) if whole else BODY_LIMIT
            chunks = (
                self._whole(response, url, what, headers, limit, tries)
                if status == 200
                else self._body(response, limit, what, self._deadline())
            )
            if whole and into is not None:
                if callable(into):
                    into(chunks)
                else:
                    with into.open("wb") as file:
                        file.writelines(chunks)
                return Answer(status, got, b"", url, tries.is_joined)
            return Answer(status, got, b"".join(chunks), url, tries.is_joined)

    def _whole(
        self, response: requests.Response, url: str, what: str, headers: dict[str, str], limit: int, tries: Tries
    ) -> Iterator[bytes]:
        """The body in pieces; where it breaks off, it is taken up where that can be done."""
        begun, deadline = Begun.of(response.headers), self._deadline()
        pieces = self._body(response, limit, what, deadline)
        if begun is None or not tries.may_resume:
            return pieces

        def rest(done: int) -> Iterator[bytes]:
            tries.requests += 1
            with self._asked(url, what, {**headers, **begun.asked(done)}, ()) as response:
                if not begun.is_rest(done, response.status_code, response.headers):
                    raise Anew("what came was not the rest of the same body", broken=True)
                tries.is_joined = True
                yield from self._body(response, limit, what, deadline, done)

        return begun.whole(pieces, rest, self._back_off, tries)

    @contextmanager
    def _asked(self, url: str, what: str, headers: dict[str, str], final: Collection[int]) -> Iterator[requests.Response]:
        """The answer to one request, closed in the end. Raises Failed for one that says to try again and is not among `final`."""
        self._pace()
        with self._told(url, what):
            request = requests.Request("GET", url, headers).prepare()
            adapter = self._session.get_adapter(url)  # Session.send adds cookies, hooks, redirects and 0.2 ms, none of which is wanted
            response = adapter.send(request, stream=True, timeout=self._plan.timeout, verify=self._verify, proxies=self._proxies)
            with closing(response):
                status, got = response.status_code, response.headers
                if status in AGAIN and status not in final:
                    words = "" if "Content-Encoding" in got else shown(response.raw.read1(400, decode_content=False), self._plan.token)
                    raise Failed(f"status {status} ({words})" if words else f"status {status}", after=retry_after(got))
                yield response

    @contextmanager
    def _told(self, url: str, what: str) -> Iterator[None]:
        """What goes wrong on the way, as one of ours."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise SourceBroken(
                f"{what}: the TLS certificate of {self._origin.hostname} was not accepted ({reason(error)}); check the address and this machine's CA bundle"
            ) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema) as error:
            raise BadDeclaration(f"{what}: {shown(url, self._plan.token)} is not an address that can be asked") from error
        except (urllib3.exceptions.IncompleteRead, urllib3.exceptions.InvalidChunkLength) as error:
            raise Failed("the body ends early", broken=True) from error
        except urllib3.exceptions.ProtocolError as error:
            early = isinstance(error.args[-1] if error.args else None, urllib3.exceptions.IncompleteRead | HTTPException)
            raise Failed("the body ends early" if early else reason(error), broken=early) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            raise Failed(reason(error)) from error

    def _deadline(self) -> float:
        """The read timeout is for one piece; a server that drips is given twenty times as long for all of them."""
        return self._clock() + 20 * self._plan.timeout[1]

    def _body(self, response: requests.Response, limit: int, what: str, deadline: float, size: int = 0) -> Iterator[bytes]:
        """The body in pieces, after `size` bytes of it."""
        with self._told(response.url, what):
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                size += len(chunk)
                if size > limit:
                    raise SourceBroken(f"{what}: the body is over {limit >> 20} MiB; ask the source for smaller pieces")
                if self._clock() > deadline:
                    raise Anew(f"the body is not here after {20 * self._plan.timeout[1]:.0f} s")
                yield chunk

    def _pace(self) -> None:
        if self._plan.rate > 0:
            now = self._clock()
            if now < self._next:
                self._wait(self._next - now)
            self._next = max(now, self._next) + 1 / self._plan.rate


def bundle() -> str:
    """The file of certificates that are trusted: the environment's, else the one that comes with requests."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or requests.utils.DEFAULT_CA_BUNDLE_PATH


def origin(address: str) -> SplitResult:
    """The parts of an address that may be asked. Raises BadDeclaration, without showing what may be a password."""
    try:
        parts = urlsplit(address)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or (parts.port is not None and not 0 < parts.port < 65536)
    except ValueError:
        bad = True
    if bad:
        raise BadDeclaration("the address is not http(s)://host[:port]/path; correct it in the source's declaration")
    if "@" in parts.netloc:
        raise BadDeclaration(f"the address of {parts.hostname} has a user or password in it; set a token instead")
    return parts


def same_origin(url: str, own: SplitResult) -> bool:
    """Whether an address is on the host and port and under the scheme that the plan names."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, _port(parts)) == (own.scheme, own.hostname, _port(own)) and "@" not in parts.netloc
    except ValueError:
        return False


def shown(said: bytes | str, token: str | None, length: int = 100) -> str:
    """The first words of what a server said, fit to be printed: one line, no control characters, no token, no markup."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if token:
        text = text.replace(token, "…")
    text = re.sub(r"<[^<>]{0,200}>", " ", text)
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return words if len(words) <= length else words[:length] + "…"


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`: a number, or a date measured against the server's own clock."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return float(said)
    try:
        then = email.utils.parsedate_to_datetime(said)
        sent = email.utils.parsedate_to_datetime(headers["Date"]) if headers.get("Date") else datetime.now(UTC)
        return max(0.0, (then - sent).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def reason(error: BaseException) -> str:
    """Why a connection failed, in the system's words; requests' own text is a page long and names objects."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop(0)
        if isinstance(item, BaseException) and item not in seen and len(seen) < 20:
            seen.append(item)
            todo += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
    for item in reversed(seen):
        if isinstance(item, OSError) and item.strerror:
            return item.strerror.lower()
    if any(isinstance(item, TimeoutError | requests.exceptions.Timeout | urllib3.exceptions.TimeoutError) for item in seen):
        return "no answer in time"
    return "the connection was closed" if any(isinstance(item, HTTPException) for item in seen) else type(error).__name__
