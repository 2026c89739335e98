"""Who asks a site for its pages without a server, and what they read."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from publish.web.answer import App


@asynccontextmanager
async def visitor(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        yield client


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
