"""The site as an ASGI application around another one: our addresses are answered here, Datasette's are passed on.

Each request takes one release at its start and holds it to its end, Datasette's requests too, so that an answer is wholly of one
release. Knows nothing of Datasette but the shape of its addresses.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from ..home import china_day
from ..questions import QUESTIONS
from ..regions import COUNTRY
from ..wording import LANGUAGES
from .answer import Answer, App, Receive, Scope, Send, give, guarded, moved, redirect
from .archive import NoSuchRelease
from .asked import AS_OF, NoSuchChoice, refused
from .kept import Kept
from .near import near
from .pages import NotHere, Page, Pages
from .reader import Reader
from .selection import regions_under
from .sent import NotReceived, SenderGone, Sent, received
from .shelf import Shelf
from .tablesearch import PAGES, is_refused
from .terms import Clock
from .views import OF_DAYS, PARAMETERS, QUERIES
from .visit import DASHED, HISTORY, ROUTE, ROUTES, Visit, address, current, spelt
from .whole import headers, less, may_hold_persons, narrowed

log = logging.getLogger(__name__)
HOST = re.compile(r"([A-Za-z0-9-]{1,63}\.){0,9}[A-Za-z0-9-]{1,63}(:[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,39}\](:[0-9]{1,5})?")
KEYS = re.compile(rb"=[^&]*")  # what is not a key in a query string


class Site:
    """Our addresses around an application that has the others."""

    def __init__(self, shelf: Shelf, pages: Pages, now: Clock, poll_seconds: float, decode: Callable[[str], str]) -> None:
        """`decode` reads a part of the inner application's addresses."""
        self._decode = decode
        self.shelf = shelf
        self.pages = pages
        self._now = now
        self._poll_seconds = poll_seconds
        self._day = -1.0, ""

    def around(self, inner: App) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await self._live(inner, scope, receive, send)
            elif scope["type"] == "http":
                await self._request(inner, scope, receive, send)

        return app

    async def _live(self, inner: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch for releases as long as the server runs."""
        running = [asyncio.create_task(each) for each in (self.shelf.watch(self._poll_seconds), self._prepare())]
        try:
            await inner(scope, receive, send)
        finally:
            for each in running:
                each.cancel()
                with suppress(asyncio.CancelledError):
                    await each
            self.shelf.close()

    async def _prepare(self) -> None:
        """Work out beside the loop, once for a release and a day, what takes seconds, before somebody waits for it."""
        tried: tuple[Reader | None, str] = None, ""
        while True:
            with self.shelf.hold() as reader:
                if reader and (reader, self._today()) != tried:
                    tried = reader, self._today()
                    try:
                        await self.pages.regions.ready(*tried)
                    except Exception:  # whoever asks tries again
                        log.exception("the numbers of the regions could not be worked out")
            await asyncio.sleep(self._poll_seconds)

    async def _request(self, inner: App, scope: Scope, receive: Receive, send: Send) -> None:
        hot = self.pages.hot.get(scope["path"])
        if hot and scope["method"] == "GET" and (hot_answer := self._hot(hot, scope)):
            await give(hot_answer, scope, send)
            return
        if scope["path"].startswith("/feeds/") and (answer := self._hot_feed(scope)):
            await give(answer, scope, send)
            return
        lang, path = _language(scope["path"])
        query = scope["query_string"].decode("latin-1")
        sent: Sent | NotReceived | None = None
        if scope["method"] == "POST" and self.pages.takes_post(path):
            try:  # before a release is held: a sender may take its time
                sent = await received(scope, receive)
            except NotReceived as no:
                sent = no
            except SenderGone:
                return
        with self.shelf.hold() as reader:
            visit = Visit(reader, self._today(), lang, path, query, origin=_origin(scope))
            token = current.set(visit)
            try:
                if isinstance(sent, NotReceived):
                    answer = _closing(self.pages.problem(visit, sent.status, sent.kind))
                elif sent:
                    current.set(visit := replace(visit, sent=sent))
                    answer = self._answer(visit, "POST")
                else:
                    answer = await self._past(visit, scope["method"]) or self._answer(visit, scope["method"])
                if answer is None:
                    await inner(_without_language(scope, path), receive, guarded(send, headers(current.get())))
                else:
                    await give(answer, scope, send, receive)
            finally:
                current.reset(token)

    def _hot_feed(self, scope: Scope) -> Answer | None:
        """A document of a feed that was given before on this day: most of those who poll have it already."""
        if self.shelf.reader is None or scope["method"] not in ("GET", "HEAD"):
            return None
        return self.pages.feeds.hot(self.shelf.reader, self._today(), scope["path"], scope["query_string"])

    def _hot(self, page: Page, scope: Scope) -> Answer | None:
        """What is asked for often leaves here, with nothing done that only other pages need; None where it goes the long way.

        It is the same page on the same release, which nobody can close meanwhile: it waits for nothing. The newest answers are kept for the day, in
        memory alone, since many people ask for the same names.
        """
        reader, query, today = self.shelf.reader, scope["query_string"], self._today()
        if reader is None:
            return None
        kept = reader.once(today, "answers", Kept)
        key = scope["path"], query
        if answer := kept.get(key):
            return answer
        if b"as_of" in query or b"%" in KEYS.sub(b"", query):
            return None
        lang, path = _language(scope["path"])
        try:
            answer = page(Visit(reader, today, lang, path, query.decode("latin-1")), reader)
        except Exception:  # said and logged there
            return None
        if answer.status == 200:
            kept.keep(key, answer)
        return answer

    def _today(self) -> str:
        """The day in China. Its midnight is a whole quarter of an hour."""
        now = self._now()
        quarter = now.timestamp() // 900
        if self._day[0] != quarter:
            self._day = quarter, china_day(now).isoformat()
        return self._day[1]

    async def _past(self, visit: Visit, method: str) -> Answer | None:
        """The page of an earlier release, or None where none is asked for.

        What may be shown of it is judged at the end, when it is open: a withdrawal that came meanwhile counts.
        """
        if not visit.query or method not in ("GET", "HEAD") or visit.reader is None or not self.pages.has_past(visit.path):
            return None
        try:
            days = list(dict.fromkeys(value for key, value in visit.pairs if key == AS_OF and value))
        except ValueError:  # too many keys to know what is asked for
            return self.pages.problem(visit, 400, "bad_request")
        if not days:
            return None
        if len(days) > 1:
            no = NoSuchChoice(AS_OF, ", ".join(days), "twice")
            return refused(self.pages.problem, visit, no, visit.path, [key for key, _ in visit.pairs])
        (asked,) = days
        try:
            answer = await self._as_of(visit, asked, method)
        except NoSuchRelease as no:
            answer = self.pages.problem(visit, no.status, no.kind, no.said)
        except Exception:
            log.exception("an earlier release could not be shown")
            answer = self.pages.problem(visit, 500, "bug")
        return answer and replace(answer, headers=(*answer.headers, ("x-robots-tag", "noindex")))

    async def _as_of(self, visit: Visit, asked: str, method: str) -> Answer | None:
        archive, live = self.shelf.archive, self.shelf.reader
        assert live is not None
        identifier = archive.find(asked, live, visit.today)
        seen = replace(visit, reader=live, live=live, as_of=asked, same_day=tuple(archive.same_day(identifier, live)))
        if identifier == live.id:
            current.set(seen)
            return self._answer(seen, method)
        async with archive.hold(identifier) as older:
            newest, today = self.shelf.reader or live, china_day(self._now()).isoformat()
            older.beside(newest, today)
            seen = replace(seen, reader=older, live=newest, today=today)
            current.set(seen)
            return self._answer(seen, method)

    def _answer(self, visit: Visit, method: str) -> Answer | None:
        """The answer, or None where Datasette has it."""
        try:
            return self._choose(visit, method)
        except NotHere:
            return self.pages.problem(visit, 404, "not_then" if visit.is_past else "not_found")
        except Exception:
            log.exception("a page failed")  # the address is left out: it holds what was searched for
            return self.pages.problem(visit, 500, "bug")

    def _choose(self, visit: Visit, method: str) -> Answer | None:
        path, reader = visit.path, visit.reader
        if not path:
            return redirect(f"/{visit.lang}/")
        if method not in ("GET", "HEAD") and visit.sent is None:
            allowed = ("allow", "GET, HEAD, POST" if self.pages.takes_post(path) else "GET, HEAD")
            refusal = self.pages.problem(visit, 405, "method")
            return replace(refusal, headers=(*refusal.headers, allowed))
        if path in ("/status", "/status.json"):
            return self.pages.status(visit)
        if path.startswith("/static/") or path == "/favicon.ico":
            answer = self.pages.static("icon.svg" if path == "/favicon.ico" else path.removeprefix("/static/"), fixed="v=" in visit.query)
            if answer is None:
                raise NotHere
            return answer
        found = self.pages.find(path)
        if found is None and not _datasettes(path):
            if len(path) > 1 and path.endswith("/") and not path.startswith("//"):
                return redirect(spelt(visit, path.rstrip("/") or "/"))
            raise NotHere
        if reader is None:
            return self.pages.problem(visit, 503, "no_release")
        if found is None:
            return self._of_datasette(visit, reader)
        page, parts = found
        return page(replace(visit, parts=parts) if parts else visit, reader)

    def _of_datasette(self, visit: Visit, reader: Reader) -> Answer | None:
        """None where Datasette answers. A table is spelt as it is, or it is not there; the row of a notice that is over is our own page."""
        parts = [self._decode(part) for part in visit.path.split("/")[2:]]
        try:
            asked = visit.asked
        except ValueError:  # more keys than anybody has to ask
            return self.pages.problem(visit, 400, "bad_request")
        if visit.path in [f"/{route}.csv" for route in ROUTES] and not asked.get("sql", "").strip():  # Datasette answers 500
            return self.pages.problem(visit, 400, "no_sql", instead=[("workshop", address("/data#questions", visit.lang))])
        if not parts or visit.path.startswith("/-/"):
            if not parts and "sql" in asked:  # of one's own
                current.set(less(visit, may_hold_persons(reader)))
            return None
        table = parts[0] if len(parts) > 1 else parts[0].partition(".")[0]
        of_past = _route(visit.path) == HISTORY
        if table not in reader.counts and not of_past and not (table in QUESTIONS and len(parts) == 1):
            others = near(table, {one: address(f"/{ROUTE}/{one}", visit.lang) for one in reader.counts})
            return self.pages.problem(visit, 404, "not_found", near=others, instead=[("tables", address(f"/{ROUTE}", visit.lang))])
        limit = asked.get("_timelimit", "")
        if limit and not (limit.isascii() and limit.isdigit()):  # Datasette answers 500
            return self.pages.problem(visit, 400, "bad_request")
        if is_refused("" if of_past or len(parts) > 1 else table, asked):
            return self.pages.problem(visit, 400, "no_table_search", instead=searches(visit))
        if of_past and any(key.startswith("_facet") for key in asked):  # over every release at once they take longer than a query may
            return self.pages.problem(visit, 400, "bad_request")
        if of_past and table in QUERIES and (elsewhere := self._not_asked_rightly(visit, reader, table)):
            return elsewhere
        if visit.path == f"/{ROUTE}/{table}.csv" and table in reader.counts and asked.keys().isdisjoint(("_stream", "_size", "_next")):
            return redirect(
                spelt(visit, visit.path) + f"{'&' if visit.query else '?'}_stream=on"
            )  # else it is the first page, and does not say so
        if not (len(parts) == 1 and table in (QUERIES if of_past else QUESTIONS)):
            is_row = len(parts) > 1
            current.set(less(visit, narrowed(reader, table, is_row, asked), table, is_row))
        if table != "notices" or len(parts) != 2:
            return None
        for id in (parts[1], parts[1].rpartition(".")[0]):  # an id holds no dot; what follows one is a format
            row = replace(visit, path=f"/notices/{id}{'.json' if visit.wants_json else ''}", parts={"id": id})
            with suppress(NotHere):
                answer = self.pages.notice(row, reader)
                return answer if answer.status == 410 else None
        return None

    def _not_asked_rightly(self, visit: Visit, reader: Reader, table: str) -> Answer | None:
        """What a ready question is answered that cannot be: without a value as data (its page says what to fill in), of a day of which there is no release,
        or of a region that is spelt otherwise than by its code."""
        asked = visit.asked
        missing = [key for key in PARAMETERS[table] if not asked.get(key, "").strip()]
        if missing and visit.path != f"/{HISTORY}/{table}":
            said = visit.t("list.and").join(f"{key} ({visit.t(f'history.asked.{key}')})" for key in missing)
            return self.pages.problem(visit, 400, "missing", {"missing": said}, onward=address(f"/{HISTORY}/{table}", visit.lang))
        for key in OF_DAYS:
            if day := asked.get(key):
                try:
                    self.shelf.archive.find(day, reader, visit.today)
                except NoSuchRelease as no:
                    return self.pages.problem(visit, no.status, no.kind, no.said, detail=f"{key}={day}")
        region = asked.get("region", "").strip()
        if "region" in missing or "region" not in PARAMETERS[table] or reader.territory.at(region):
            return None
        meant = [one.code for one in reader.territory.meanings(region)]
        if len(meant) == 1:
            query = urlencode([(key, meant[0] if key == "region" else value) for key, value in visit.pairs])
            return moved(f"{address(visit.path, visit.lang)}?{query}")
        known = meant or sorted(regions_under(reader, COUNTRY, visit.today))
        return self.pages.problem(visit, 400, "no_region", {"known": ", ".join(known)}, detail=f"region={region}")


def searches(visit: Visit) -> list[tuple[str, str]]:
    """Where to search instead, as problem.html takes it."""
    return [(f"search_{table}", address(f"/{ROUTE}/{table}", visit.lang)) for table in PAGES]


def _origin(scope: Scope) -> str:
    """Scheme and host of a request; "" where the host is not spelt as one."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return f"{scope['scheme']}://{host}" if HOST.fullmatch(host) else ""


def _closing(answer: Answer) -> Answer:
    """An answer after which the connection is closed: what was not read of a body must not be taken for the next request."""
    return replace(answer, headers=(*answer.headers, ("connection", "close")))


def _language(path: str) -> tuple[str, str]:
    for lang in LANGUAGES[1:]:
        if path == f"/{lang}" or path.startswith(f"/{lang}/"):
            return lang, path[len(lang) + 1 :]  # "" for /en, which is redirected to /en/
    return LANGUAGES[0], path


def _without_language(scope: Scope, path: str) -> Scope:
    """The scope as the other application expects it behind a prefix: its addresses without, its links with."""
    prefix = len(scope["path"]) - len(path)
    return {**scope, "path": path, "raw_path": scope["raw_path"][prefix:]} if prefix and scope.get("raw_path") else {**scope, "path": path}


def _route(path: str) -> str:
    return path.split("/", 2)[1].partition(".")[0]


def _datasettes(path: str) -> bool:
    return (_route(path) in ROUTES and path != f"/{_route(path)}.db") or path.partition(".")[0] in DASHED
