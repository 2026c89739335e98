"""Sites without a server, who asks them for their pages, and what they read."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from publish.catalogue import Catalogue, dictionary
from publish.web.answer import App
from publish.web.server import Application, build_app


@contextmanager
def sites(usual: Path, catalogue: Catalogue, noon: datetime, **always: Any) -> Iterator[Callable[..., Application]]:
    """Makes sites whose clock stands still, and closes them. One over the usual home is the same for all who ask for the same; one over another is new."""
    said, known, others = dictionary(catalogue), dict[Any, Application](), list[Application]()

    def make(now: datetime = noon, home: Path = usual, **more: Any) -> Application:
        key = now, tuple(sorted(more.items()))
        if home == usual and key in known:
            return known[key]
        app = build_app(home, dictionary=said, now=lambda: now, **(always | more))
        if home == usual:
            known[key] = app
        else:
            others.append(app)
        return app

    yield make
    for app in (*known.values(), *others):
        app.shelf.close()


@asynccontextmanager
async def visitor(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        yield client


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
