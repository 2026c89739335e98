"""What the platform answers, without a socket: a request in, a response out. The contract is openapi.yml beside this file."""

import gzip
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

import orjson

from .faults import RENAMED, Fault, Faults
from .paging import Page, Problem, find, neighbour, number_in
from .world import LISTINGS, NAME, Records, World

VIEWS = 3  # the newest, and two earlier days for readers that are still paging
CONTRACT = Path(__file__).with_name("openapi.yml")
SPOILING = ("page_repeated", "changed_schema", "county_lost", "empty_listing")  # faults that change what a page holds
SORRY = "<!doctype html><html lang=zh><title>系统繁忙</title><body><h1>系统繁忙，请稍后再试</h1></body></html>".encode()


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader asks: `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; length, date and connection are the socket's business."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut_at: int | None = None  # send only so much of the body, then hang up
    packed: bytes = field(default=b"", compare=False, repr=False)  # the body as gzip, where that was made ahead


@dataclass
class Service:
    """A platform at work. `move` takes it to another day; readers with a snapshot of one of the last two days may finish."""

    world: World
    faults: Faults = field(default_factory=Faults)
    token: str | None = None

    def __post_init__(self) -> None:
        self._views = {self.world.token: self.world}
        self._lock = Lock()
        self._lost = lru_cache(None)(self._count_lost)
        self._ahead: dict[tuple[str, Page], tuple[bytes, bytes]] = {}  # as it is, and packed where its reader unpacks

    def move(self, day: int) -> World:
        """Make it this day. Raises ValueError below 0."""
        with self._lock:
            self.world = self.world.on_day(day)
            views = {token: world for token, world in self._views.items() if token != self.world.token}
            self._views = dict([*views.items(), (self.world.token, self.world)][-VIEWS:])
            return self.world

    def answer(self, request: Request) -> Response:
        """The response to any request; what is refused is a problem of RFC 9457."""
        try:
            response = self._route(request)
        except Problem as problem:
            said = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
            return Response(problem.status, orjson.dumps(said), "application/problem+json", problem.headers)
        if response.body and "gzip" in request.headers.get("accept-encoding", ""):
            body = response.packed or _packed(response.body)
            headers = (*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
            response = replace(response, body=body, headers=headers, cut_at=None if response.cut_at is None else len(body) // 2)
        return response

    def _route(self, request: Request) -> Response:
        url = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        listing = url.path.removeprefix("/v1/listings/")
        if url.path in ("/healthz", "/openapi.yml"):
            _allow("GET", request)
            return self._health() if url.path == "/healthz" else Response(200, CONTRACT.read_bytes(), "application/yaml")
        if self.token is not None and not _same(request.headers.get("authorization", ""), f"Bearer {self.token}"):
            raise Problem(401, "Unauthorized", "send Authorization: Bearer TOKEN", ("WWW-Authenticate", "Bearer"))
        if url.path == "/v1/_day":
            _allow("POST", request)
            self.move(number_in(query, "day", None, 0, 36_500))
            return self._health()
        if url.path != "/v1/listings" and listing not in LISTINGS:
            raise Problem(404, "Not Found", f"{url.path} is not here; see /v1/listings and /openapi.yml")
        _allow("GET", request)
        return self._index() if url.path == "/v1/listings" else self._page(listing, query, request)

    def _health(self) -> Response:
        return _json({"status": "ok", "day": self.world.day, "today": self.world.today.isoformat(), "snapshot": self.world.token})

    def _index(self) -> Response:
        if refusal := _refuse(self.faults.strike("index", 1, 1)):
            return refusal
        world = self.world
        listings = [
            {"name": listing, "as_of": world.as_of(listing), "snapshot": world.token, "total": self._total(world, listing)}
            for listing in LISTINGS
        ]
        return _json({"platform": NAME, "listings": listings})

    def _page(self, listing: str, query: Mapping[str, str], request: Request) -> Response:
        world = self._view(query)
        page = find(world, listing, query)
        faults = self.faults.strike(listing, page.number, page.pages)
        if refusal := _refuse(faults):
            return refusal
        facts = (
            ("Listing-Snapshot", world.token),
            ("Listing-As-Of", world.as_of(listing)),
            ("Listing-Total", str(self._total(world, listing))),
        )
        asked = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        spoilt = {name: fault for name, fault in faults.items() if name in SPOILING}
        tag = _tag(world, page, spoilt)
        headers = (("ETag", tag), *facts)
        if tag in asked:
            return Response(304, headers=headers)
        ready = None if faults else self._ahead.pop((world.token, page), None)
        whole, packed = ready or (self._made(world, page, spoilt), b"")
        whole = whole[: len(whole) // 2] if "truncated_json" in faults else whole
        cut_at = len(whole) // 2 if "cut_off_body" in faults else None
        return Response(200, whole, headers=headers, cut_at=cut_at, packed=packed)

    def _view(self, query: Mapping[str, str]) -> World:
        token = query.get("snapshot")
        if token is None:
            return self.world
        world = self._views.get(token)
        if world is None:
            raise Problem(410, "Gone", f"snapshot {token!r} is not kept any more; begin again without a cursor")
        return world

    def _records(self, world: World, page: Page, faults: Mapping[str, Fault]) -> Records:
        if "empty_listing" in faults:
            return []
        if "page_repeated" in faults:
            page = neighbour(world, page)
        records = world.records(page.listing, page.part, page.start, page.start + page.limit)
        if "county_lost" in faults:
            lost = _lost_county(world)
            records = [record for record in records if world.county_of(record) != lost]
        if "changed_schema" in faults:
            old, new = RENAMED[page.listing]
            records = [{new if name == old else name: value for name, value in record.items()} for record in records]
        return records

    def _total(self, world: World, listing: str) -> int:
        if self.faults.standing("empty_listing", listing):
            return 0
        total = world.total(listing)
        if self.faults.standing("county_lost", listing):
            total -= self._lost(world, listing)
        return total + (7 if self.faults.standing("total_not_met", listing) else 0)

    def _count_lost(self, world: World, listing: str) -> int:
        lost = _lost_county(world)
        parts = world.parts(listing)
        return sum(world.county_of(record) == lost for part in parts for record in world.records(listing, part.name, 0, part.places))

    def _made(self, world: World, page: Page, spoilt: Mapping[str, Fault]) -> bytes:
        if spoilt:
            records = self._records(world, page, spoilt)
            body, count = orjson.dumps(records), len(records)
        else:
            body, count = world.body(page.listing, page.part, page.start, page.start + page.limit)
        content = {
            "listing": page.listing,
            "as_of": world.as_of(page.listing),
            "snapshot": world.token,
            "total": self._total(world, page.listing),
            "count": count,
            "records": orjson.Fragment(body),
            "next": None if "empty_listing" in spoilt else page.following,
        }
        return orjson.dumps(content)

    def prepare(self, request: Request) -> None:
        """Make the page after the one that was just given, while its reader is busy with that one: another core would stand idle."""
        url = urlsplit(request.target)
        listing = url.path.removeprefix("/v1/listings/")
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if request.method != "GET" or listing not in LISTINGS or self.faults.any or "if-none-match" in request.headers:
            return  # who has this page may have the next one too
        world = self._view(query)
        following = find(world, listing, query).following
        if following is not None:
            page = find(world, listing, {**query, "cursor": following})
            whole = self._made(world, page, {})
            self._ahead = {(world.token, page): (whole, _packed(whole) if "gzip" in request.headers.get("accept-encoding", "") else b"")}


def new_service(world: World, faults: Iterable[Fault | str] = (), token: str | None = None) -> Service:
    """A platform that shows this world, with these faults, to readers that have this token. Raises Mingbai for a fault that is none."""
    return Service(world, Faults(faults), token)


def _allow(method: str, request: Request) -> None:
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise Problem(405, "Method Not Allowed", f"{request.method} is not {method}", ("Allow", method))


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0)


def _json(content: object) -> Response:
    return Response(200, orjson.dumps(content))


def _tag(world: World, page: Page, spoilt: Iterable[str]) -> str:
    """The validator: of what the records are made of, so that none is made to say that it is as it was; and of where the next page begins: a reader
    that has the page goes on from there.

    A last page that is full stays as it is when another page comes after it, and so does the last page of a part.
    """
    state = world.state(page.listing, page.part, page.start, page.start + page.limit)
    made_of = f"{world.label} {page.listing} {page.part} {page.start} {state} {' '.join(spoilt)}"
    return f'"{sha256(made_of.encode()).hexdigest()[:32]}.{page.following or "end"}"'


def _refuse(faults: Mapping[str, Fault]) -> Response | None:
    """The answer of a fault that does not come as far as the records."""
    if "slow" in faults:
        time.sleep(faults["slow"].pause)
    if "rate_limited" in faults:
        raise Problem(429, "Too Many Requests", "slow down", ("Retry-After", str(round(faults["rate_limited"].pause))))
    if "server_error" in faults:
        raise Problem(500, "Internal Server Error", "something broke; try again")
    if "page_missing" in faults:
        raise Problem(404, "Not Found", "there is no such page")
    if "error_page_200" in faults:
        return Response(200, SORRY, "text/html; charset=utf-8")
    return None


def _lost_county(world: World) -> str:
    return world.register.identity(0).county.code
