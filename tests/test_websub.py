"""Hubs are told of each document that changed, and a hub that others wrote brings it to its subscriber.

The hub is Flask-WebSub's, one of those in W3C's implementation report of WebSub. It asks for Celery, which it is given here as a thread.
"""

import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

import feedparser
import flask
import pytest
import requests
import uvicorn
from flask_websub.hub import Hub, SQLite3HubStorage

from making import NOON, notice
from publish.addresses import networks
from publish.callers import Caller
from publish.catalogue import dictionary
from publish.deliver import after_release, deliver
from publish.outbox import Patience
from publish.web.server import build_app
from publish.websub import NOT_GIVEN
from publish.work import Work
from receiving import LOOPBACK, Asked, Receiver, bodies, make_live, receiving
from test_deliver import Clock, events, rows
from test_newsroom import FACTS, NEW, published

FEEDS = ("notices", "notices/region/330106", "releases")
FORMS = ("atom", "json", "rss")
NOW = Patience(settle=0)


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A caller that may call loopback."""
    one = Caller(networks(LOOPBACK), to_answer=5)
    yield one
    one.close()


def live(work: Work, releases: int, feeds: tuple[str, ...] = FEEDS) -> None:
    """So many releases, each with an event in every feed of the first release and later ones in the first feed alone."""
    told = [("2026-11-01", [event for feed in feeds for event in events(1, feed=feed)])]
    told += [(f"2026-11-{day:02}", events(1, start=day, feed=feeds[0])) for day in range(2, releases + 1)]
    make_live(work.home.path, told)


def pinged(server: Receiver) -> list[str]:
    """The addresses that a hub was told of, which it is told in both ways that hubs know."""
    forms = [parse_qs(one.body.decode(), strict_parsing=True) for one in server.asked]
    assert all(form.keys() == {"hub.mode", "hub.url", "hub.topic"} for form in forms)
    assert all(form["hub.mode"] == ["publish"] and form["hub.url"] == form["hub.topic"] for form in forms)
    assert {one.headers["content-type"] for one in server.asked} <= {"application/x-www-form-urlencoded"}
    found = [form["hub.url"][0] for form in forms]
    server.asked.clear()
    return sorted(found)


def addresses(work: Work, *feeds: str) -> list[str]:
    return sorted(f"{work.site}/feeds/{feed}.{form}" for feed in feeds for form in FORMS)


def at(work: Work, *hubs: str) -> Work:
    return replace(work, hubs=hubs, allowed=LOOPBACK)


def test_a_hub_is_told_of_each_document_that_changed_and_of_no_other(work, caller):
    with receiving() as hub:
        here = at(work, hub.url)
        live(work, 1)
        assert deliver(here, bodies, caller, NOW).accepted == 9
        assert pinged(hub) == addresses(work, *FEEDS)
        deliver(here, bodies, caller, NOW)
        assert pinged(hub) == []
        live(work, 2)
        deliver(here, bodies, caller, NOW)
        assert pinged(hub) == addresses(work, FEEDS[0])


def test_a_hub_that_is_new_is_told_of_what_the_live_release_changed_and_not_of_every_feed(work, caller):
    live(work, 3)
    with receiving() as hub:
        deliver(at(work, hub.url), bodies, caller, NOW)
        assert pinged(hub) == addresses(work, FEEDS[0])


def test_several_hubs_are_each_told_of_the_same(work, caller):
    live(work, 1)
    with receiving() as one, receiving() as other:
        deliver(at(work, one.url, other.url), bodies, caller, NOW)
        assert pinged(one) == pinged(other) == addresses(work, *FEEDS)


def test_releases_that_nobody_told_of_are_not_forgotten_and_told_of_once(work, caller):
    clock = Clock()
    with receiving() as hub:
        here = at(work, hub.url)
        live(work, 1)
        deliver(here, bodies, caller, NOW, clock=clock)
        pinged(hub)
        hub.answering = lambda *_: 500  # it is down for two releases, and nobody delivers at all for a third
        for releases in (2, 3):
            live(work, releases)
            deliver(here, bodies, caller, NOW, clock=clock)
            clock.now += 86_400
        live(work, 4)
        hub.answering = lambda *_: 204
        hub.asked.clear()
        deliver(here, bodies, caller, NOW, clock=clock)
        assert pinged(hub) == addresses(work, FEEDS[0])
    assert rows(work, "SELECT count(*) FROM letters") == [(0,)]


def test_a_document_that_is_again_as_it_was_told_needs_no_telling(work, caller):
    with receiving() as hub:
        here = at(work, hub.url)
        live(work, 1)
        deliver(here, bodies, caller, NOW)
        hub.answering = lambda *_: 500
        live(work, 2)
        deliver(here, bodies, caller, NOW)
        pinged(hub)
        live(work, 1)
        deliver(here, bodies, caller, NOW)
    assert rows(work, "SELECT count(*) FROM letters") == [(0,)]


def test_a_hub_that_is_no_longer_given_is_left_alone_and_hears_everything_since_when_it_is_given_again(work, caller):
    with receiving() as hub:
        live(work, 1)
        deliver(at(work, hub.url), bodies, caller, NOW)
        pinged(hub)
        live(work, 2)
        deliver(at(work), bodies, caller, NOW)
        assert rows(work, "SELECT ended FROM callees") == [(NOT_GIVEN,)]
        assert pinged(hub) == []
        deliver(at(work, hub.url), bodies, caller, NOW)
        assert pinged(hub) == addresses(work, FEEDS[0])


def test_a_hub_that_is_down_is_asked_a_few_times_and_not_once_for_each_of_its_documents(work, caller):
    live(work, 1, tuple(f"notices/region/{code}" for code in range(330100, 330150)))
    with receiving(lambda *_: 503) as hub:
        found = deliver(at(work, hub.url), bodies, caller, NOW)
        assert len(hub.asked) <= 5 + 4
    assert found.waiting == 150


class Said(list[str]):
    """A progress that remembers what was said."""

    def say(self, text: str) -> None:
        self.append(text)


def test_a_run_is_no_failure_where_hubs_are_down_or_addresses_are_wrong(work):
    live(work, 1)
    said = Said()
    with receiving() as hub:
        gone = hub.url
    for hubs in ((gone,), ("https://机构.example/",), ("ftp://127.0.0.1/",)):
        after_release(replace(at(work, *hubs), progress=said), bodies)
    assert len(said) == 3
    after_release(replace(at(work), allowed=("no network",), progress=said), bodies)
    assert "nobody was told of it yet" in said[-1]


def test_who_tells_nobody_has_no_outbox(work):
    live(work, 1)
    after_release(replace(work, hubs=()), bodies)
    assert not (work.home.path / "outbox.db").exists()


class Tasks:
    """As much of Celery as Flask-WebSub's hub asks for: a thread that does what it is given, and again what asks for it."""

    def __init__(self) -> None:
        self._todo: queue.Queue[Callable[[], Any] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (task := self._todo.get()) is not None:
            task()

    def task(self, bind: bool = False, **_: Any) -> Callable[[Callable[..., Any]], Any]:
        def made(function: Callable[..., Any]) -> Any:
            return _Task(function, self._todo, bind)

        return made

    def close(self) -> None:
        """Do what is left, then end."""
        self._todo.put(lambda: self._todo.put(None))
        self._thread.join()


class _Task:
    def __init__(self, function: Callable[..., Any], todo: "queue.Queue[Any]", bind: bool) -> None:
        self._function, self._todo, self._bind = function, todo, bind
        self.request = self
        self.retries = 0

    def delay(self, *arguments: Any) -> None:
        self._todo.put(lambda: self._function(*((self, *arguments) if self._bind else arguments)))

    def retry(self, **_: Any) -> None:
        raise AssertionError("the subscriber is there")


@contextmanager
def wsgi(app: Any) -> Iterator[str]:
    """An app on loopback; gives its address."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def a_hub(folder: Path, tasks: Tasks) -> flask.Flask:
    """Flask-WebSub's hub, as its documentation sets one up."""
    app = flask.Flask("hub")
    app.config["PUBLISH_SUPPORTED"] = True
    hub = Hub(SQLite3HubStorage(str(folder / "hub.sqlite3")), tasks, **app.config)
    app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))
    return app


@contextmanager
def a_site(work: Work) -> Iterator[None]:
    """The site of a home at its own address, as `mingbai serve` has it."""
    listener = socket.create_server(("127.0.0.1", int(work.site.rpartition(":")[2])))
    app = build_app(
        work.home.path, dictionary=dictionary(work.catalogue), base_url=work.site, hubs=work.hubs, now=lambda: NOON + timedelta(days=1)
    )
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield
    server.should_exit = True
    thread.join()
    listener.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def subscribe(hub: str, topic: str, callback: str) -> None:
    form = {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.lease_seconds": "600",
        "hub.secret": "a secret of the two",
    }
    answer = requests.post(hub, data=form, timeout=10)
    assert answer.status_code == 202


def confirming() -> tuple[flask.Flask, "queue.Queue[Asked]", threading.Event]:
    """A subscriber: it confirms what it is asked and keeps what it is brought."""
    app, brought, confirmed = flask.Flask("subscriber"), queue.Queue[Asked](), threading.Event()

    @app.get("/callback")
    def intent() -> str:
        confirmed.set()
        return flask.request.args["hub.challenge"]

    @app.post("/callback")
    def content() -> tuple[str, int]:
        headers = {name.lower(): value for name, value in flask.request.headers.items()}
        brought.put(Asked("/callback", headers, flask.request.get_data()))
        return "", 200

    return app, brought, confirmed


def test_a_subscriber_of_somebody_elses_hub_is_brought_what_a_run_published(work, tmp_path):
    app, brought, confirmed = confirming()
    tasks = Tasks()
    with wsgi(a_hub(tmp_path, tasks)) as address, wsgi(app) as there:
        here = replace(at(work, f"{address}/hub"), site=f"http://127.0.0.1:{free_port()}")
        topic = f"{here.site}/feeds/notices.atom"
        published(replace(here, hubs=()), 0, notice(1))
        with a_site(here):
            subscribe(here.hubs[0], topic, f"{there}/callback")
            assert confirmed.wait(10)
            deadline = time.monotonic() + 10
            while not _subscribed(tmp_path) and time.monotonic() < deadline:
                time.sleep(0.01)
            published(here, 1, notice(1), NEW)  # the run tells the hub, which fetches the document
            got = brought.get(timeout=20)
            tasks.close()
    assert [entry.title for entry in feedparser.parse(got.body).entries if FACTS in entry.summary] != []
    assert got.headers["x-hub-signature"].startswith("sha512=")
    assert got.headers["link"] == f'<{here.hubs[0]}>; rel="hub", <{topic}>; rel="self"'
    assert rows(work, "SELECT count(*) FROM letters") == [(0,)]
    assert brought.empty(), "it was told of one topic, once"


def _subscribed(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "hub.sqlite3")) as connection:
        return bool(connection.execute("SELECT count(*) FROM hub").fetchone()[0])
