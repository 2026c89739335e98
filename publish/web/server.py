"""Serve the releases of a home: build the application, run it, say where it is.

The access log is off and failed SQL is not logged: nobody writes down what was searched for.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvicorn

from .. import catalogue
from ..errors import BadHome
from ..home import DEMO
from ..hotlines import FILE as HOTLINES
from ..hotlines import load_hotlines
from .answer import App, Receive, Scope, Send
from .contact import Contact
from .frame import TEMPLATES, Dictionary, Frame, environment
from .pages import Pages
from .plugin import Shown, decoded, register
from .shelf import GRACE_SECONDS, Shelf
from .site import Site
from .terms import Clock, utc_now
from .views import described
from .visit import HISTORY, ROUTE


@dataclass(frozen=True)
class Application:
    """The ASGI application, and the shelf that it serves from."""

    app: App
    shelf: Shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def build_app(
    home: Path,
    *,
    dictionary: Dictionary | None = None,
    base_url: str | None = None,
    hubs: Sequence[str] = (),
    contact: Contact | None = None,
    now: Clock = utc_now,
    poll_seconds: float = 1.0,
    grace_seconds: float = GRACE_SECONDS,
) -> Application:
    """The site over a home, serving its current release if there is one.

    A watcher runs during the application's lifespan; without one, `await app.shelf.refresh()` takes the next release.
    `dictionary` is that of `catalogue.dictionary` (default: of the declarations). `base_url` is the public address, for canonical links and feeds, which name `hubs`;
    `contact` is where the operator wants to hear of errors.
    """
    register()
    said = dictionary if dictionary is not None else catalogue.dictionary(catalogue.load())
    shelf = Shelf(home, said, grace_seconds)
    of_past = described(said)
    frame = Frame(
        {**said, **of_past}, base_url, load_hotlines(catalogue.default_folder() / "codes" / HOTLINES), is_demo=(home / DEMO).is_file()
    )
    site = Site(shelf, Pages(shelf, environment(frame, contact), said, hubs), now, poll_seconds, decoded)
    shown = Shown(site, frame, {ROUTE: said, HISTORY: of_past}, str(TEMPLATES))
    shelf.opened, shelf.closed = shown.open, shown.shut
    shelf.open_now()
    return Application(cast(App, shown.app()), shelf)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


@contextmanager
def _asked_to_stop() -> Iterator[None]:
    """uvicorn raises the signal again that ended it; that was an order and is no failure."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises BadHome where the address cannot be listened at."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise BadHome(f"cannot listen at {host}:{port}: {error.strerror}; give another port with --port or MINGBAI_PORT") from error


def serve(
    home: Path,
    host: str = "127.0.0.1",
    port: int = 8001,
    *,
    base_url: str | None = None,
    hubs: Sequence[str] = (),
    contact: Contact | None = None,
    on_ready: Callable[[str], None] | None = None,
    poll_seconds: float = 1.0,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is running, at most 5 seconds. `on_ready` is told the address once it answers.

    Port 0 is any free one. Raises BadHome when the address cannot be listened at.
    """
    app = build_app(home, base_url=base_url, hubs=hubs, contact=contact, poll_seconds=poll_seconds)
    listener = listening(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{listener.getsockname()[1]}/"
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", lifespan="on", server_header=False, ws="none", timeout_graceful_shutdown=5
    )
    server = _Server(config, lambda: on_ready(url) if on_ready else None)
    with listener, _asked_to_stop():
        server.run(sockets=[listener])
