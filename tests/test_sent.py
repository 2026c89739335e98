"""What a page may be sent by POST: a form or JSON within bounds, where the page asks for it and nowhere else."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web import sent
from publish.web.answer import Answer, App, as_json
from publish.web.frame import Frame, environment
from publish.web.pages import Pages
from publish.web.plugin import decoded
from publish.web.reader import Reader
from publish.web.sent import MOST_BYTES, MOST_FIELDS, NotReceived, SenderGone, received
from publish.web.shelf import Shelf
from publish.web.site import Site
from publish.web.visit import Visit
from publish.wording import LANGUAGES, wording
from web_release import TODAY, go_live, make_release

JSON, FORM = {"content-type": "application/json"}, {"content-type": "application/x-www-form-urlencoded"}


class Echo(Pages):
    """The site's pages and one more, which says what it was sent."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._routes.append((re.compile(r"/echo(\.json)?"), self.echo))
        self.posted = (*self.posted, self.echo)

    def echo(self, visit: Visit, reader: Reader) -> Answer:
        return as_json({"release": reader.id, "sent": visit.sent and {"fields": visit.sent.fields, "is_form": visit.sent.is_form}})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[App]:
    home: Path = tmp_path_factory.mktemp("home")
    make_release(home, TODAY, catalogue)
    go_live(home, TODAY)
    said = dictionary(catalogue)
    shelf = Shelf(home, said)
    shelf.open_now()
    pages = Echo(shelf, environment(Frame(said, None)), said)
    yield Site(shelf, pages, lambda: datetime(2026, 11, 23, 4, tzinfo=UTC), 1.0, decoded).around(_nobody)
    shelf.close()


async def _nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nothing that is posted reaches the inner application")


async def ask(app: App, method: str, path: str, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        return await client.request(method, path, **more)


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("path", ["/echo", "/en/echo.json"])
async def test_a_form_and_json_arrive_whole_or_in_pieces(site, path):
    text = '{"names": ["甜果", 1]}'.encode()
    whole = (await ask(site, "POST", path, content=b"\xef\xbb\xbf" + text, headers=JSON)).json()
    pieces = (await ask(site, "POST", path, content=_pieces(text[:14], text[14:]), headers=JSON)).json()
    form = (await ask(site, "POST", path, data={"names": "甜果\r\n同学堂", "empty": ""})).json()
    assert whole == pieces == {"release": TODAY, "sent": {"fields": {"names": ["甜果", 1]}, "is_form": False}}
    assert form["sent"] == {"fields": {"names": "甜果\r\n同学堂", "empty": ""}, "is_form": True}
    assert (await ask(site, "GET", path)).json()["sent"] is None


@pytest.mark.parametrize(
    ("content", "headers", "status", "kind"),
    [
        (b"{", JSON, 400, "bad_request"),
        (b"[]", JSON, 400, "bad_request"),
        (b'{"a": "\xff"}', JSON, 400, "bad_request"),
        (b"[" * 100_000, JSON, 400, "bad_request"),
        (b"a=%FF", FORM, 400, "bad_request"),
        (b"&".join(b"a%d=" % n for n in range(MOST_FIELDS + 1)), FORM, 400, "bad_request"),
        (b"x", {"content-type": "text/plain"}, 415, "media_type"),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded; charset=gbk"}, 415, "media_type"),
        (b"x", {}, 415, "media_type"),
        (b" " * (MOST_BYTES + 1), JSON, 413, "too_large"),
    ],
)
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_what_cannot_be_used_is_refused_with_a_clear_word(site, content, headers, status, kind, lang):
    prefix = "" if lang == "zh" else "/en"
    page = await ask(site, "POST", f"{prefix}/echo", content=content, headers=headers)
    data = await ask(site, "POST", f"{prefix}/echo.json", content=content, headers=headers)
    assert (page.status_code, data.status_code) == (status, status)
    assert wording(lang)[f"problem.{kind}.text"] in page.text
    assert data.json() == {"error": kind, "message": wording(lang)[f"problem.{kind}.text"], "status": status}
    assert page.headers["connection"] == "close"


async def test_what_grows_too_large_in_pieces_is_refused_although_it_did_not_say_so(site):
    answer = await ask(site, "POST", "/echo.json", content=_pieces(*[b" " * 300_000] * 4), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_as_much_as_may_be_sent_can_be_sent(site):
    answer = await ask(site, "POST", "/echo.json", content=b'{"a":1}'.ljust(MOST_BYTES), headers=JSON)
    assert answer.json()["sent"]["fields"] == {"a": 1}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", "GET, HEAD"),
        ("POST", "/search.json", "GET, HEAD"),
        ("POST", "/mingbai/institutions", "GET, HEAD"),
        ("POST", "/nowhere", "GET, HEAD"),
        ("PUT", "/echo", "GET, HEAD, POST"),
        ("DELETE", "/echo", "GET, HEAD, POST"),
    ],
)
async def test_elsewhere_nothing_is_taken_and_what_is_allowed_is_said(site, method, path, allowed):
    answer = await ask(site, method, path, content=b"{}", headers=JSON)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_an_answer_to_what_was_sent_is_never_called_unchanged(site):
    first = await ask(site, "POST", "/echo", content=b"{}", headers=JSON)
    again = await ask(site, "POST", "/echo", content=b"{}", headers={**JSON, "if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 200)


def _sender(*messages: Any) -> Callable[[], Any]:
    left = list(messages)

    async def receive() -> Any:
        return left.pop(0) if left else await asyncio.Event().wait()

    return receive


SCOPE: dict[str, Any] = {"headers": [(b"content-type", b"application/json")]}


async def test_a_sender_that_stops_is_not_waited_for():
    with pytest.raises(NotReceived) as no:
        await received(SCOPE, _sender({"type": "http.request", "body": b"{", "more_body": True}), seconds=0.02)
    assert (no.value.status, no.value.kind) == (408, "sent_slowly")


async def test_a_sender_that_leaves_is_not_answered(site):
    with pytest.raises(SenderGone):
        await received(SCOPE, _sender({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}))
    scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", **SCOPE}
    await site(scope, _sender({"type": "http.disconnect"}), _nobody_listens)


async def _nobody_listens(message: Any) -> None:
    raise AssertionError("an answer to nobody")


async def test_of_what_is_far_too_large_the_end_is_not_waited_for():
    piece = {"type": "http.request", "body": b" " * sent.DRAINED_BYTES, "more_body": True}
    with pytest.raises(NotReceived, match="too_large"):
        await received(SCOPE, _sender(piece, piece), seconds=5)
