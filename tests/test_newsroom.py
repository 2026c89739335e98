"""What an operator types about hubs and webhooks, and what a newsroom is sent of real releases: never more than may be said that day."""

import base64
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from click.testing import CliRunner
from click.testing import Result as Typed
from standardwebhooks.webhooks import Webhook

from making import NOON, notice, on, query, snapshot, world
from publish import hooks
from publish.bodies import bodies
from publish.catalogue import Catalogue
from publish.cli import main
from publish.cli.newsroom import _secret
from publish.deliver import _alone, after_release, deliver
from publish.errors import BadDeclaration, Busy, Mingbai, ReviewNeeded
from publish.home import Home
from publish.outbox import outbox
from publish.run import run
from publish.withdraw import withdraw
from publish.work import Result, Work
from readmes import block
from receiving import LOOPBACK, Receiver, make_live, receiving
from receiving import bodies as small
from test_deliver import FEED, SECRET, events, rows, subscribe

FACTS = "甲乙丙丁未经批准增加教学点"
NEW = notice(2, facts=FACTS, title=FACTS, decidedOn="2026-10-30", publicUntil="2026-11-20")
LOCAL = ",".join(LOOPBACK)


def published(work: Work, day: int, *notices: Mapping[str, Any], fresh: int = 3) -> None:
    """A release of so many institutions and these notices."""
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    made = snapshot(folder, f"platform-{day}", {**world(fresh), "notices": list(notices)}, as_of=work.day.isoformat())
    run(work, {"platform": str(made.folder)})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """A home with two releases, of which the second shows a notice that is news."""
    work = Work(Home(tmp_path_factory.mktemp("made") / "home").prepare(), catalogue, NOON)
    published(work, 0, notice(1))
    published(work, 1, notice(1), NEW)
    return work.home.path


@pytest.fixture
def told(work: Work, made: Path) -> Work:
    """That home, on its second day."""
    shutil.copytree(made, work.home.path, symlinks=True, dirs_exist_ok=True)
    return replace(on(work, 1), allowed=LOOPBACK)


def sent(server: Receiver) -> list[dict[str, Any]]:
    """The bodies that came in, each signed by the secret, in order."""
    found = [Webhook(SECRET).verify(one.body, one.headers) for one in server.asked]
    server.asked.clear()
    return sorted(found, key=lambda body: body["data"]["number"])


def test_a_newsroom_is_sent_what_the_feed_says_of_a_number_and_the_hub_is_told(told):
    with receiving() as server, receiving() as hub:
        subscribe(told, server.url, feed="notices")
        deliver(replace(told, hubs=(hub.url,)), bodies)
        (body,) = sent(server)
        topics = {parse_qs(one.body.decode())["hub.url"][0] for one in hub.asked}
    assert (body["type"], body["timestamp"]) == ("notice.first", "2026-11-02T00:00:00+08:00")
    assert body["data"].keys() == {"feed", "number", "subject", "release", "item"}
    item = body["data"]["item"]
    assert (body["data"]["number"], item["_mingbai"]["number"], item["id"].rpartition("/")[2]) == (
        1,
        1,
        body["data"]["subject"].rpartition("/")[2],
    )
    assert FACTS in item["content_text"]
    assert {f"{told.site}/feeds/notices.{form}" for form in ("atom", "json", "rss")} <= topics


def test_what_is_gone_when_a_letter_goes_is_told_without_its_text(told):
    with receiving() as server:
        subscribe(told, server.url, feed="notices")
        ((key,),) = query(told, "SELECT id FROM notices WHERE title = ?", FACTS)
        for name in ("张三", "李四"):
            with suppress(ReviewNeeded):
                withdraw(on(told, 2), key, "revoked", "撤销判决书", name, "法院撤销了这一决定")
        deliver(on(told, 2), bodies)
        found = sent(server)
    assert [body["type"] for body in found] == ["notice.first", "notice.tombstone", "notice.removal"]
    assert [("item" in body["data"], "deleted" in body["data"]) for body in found] == [(False, True), (False, True), (True, False)]
    assert FACTS not in orjson.dumps(found).decode()
    assert {body["data"]["subject"] for body in found} == {f"notice/{key}"}


def test_what_has_ended_at_midnight_is_told_without_its_text_though_no_run_followed(told):
    with receiving() as server:
        subscribe(told, server.url, feed="notices")
        deliver(on(told, 20), bodies)  # the term ends with 20 November, and it is the 21st
        (body,) = sent(server)
    assert (body["type"], body["data"]["deleted"]["reason"]) == ("notice.first", "expired")
    assert FACTS not in orjson.dumps(body).decode()


def test_a_run_tells_who_is_to_be_told_and_goes_well_where_nobody_answers(told):
    with receiving() as server, receiving() as hub:
        here = replace(on(told, 0), hubs=(hub.url,))
        subscribe(here, server.url, feed="releases", after=None)
        published(here, 2, notice(1), NEW, fresh=4)
        assert [body["type"] for body in sent(server)] == ["release.released"]
        assert hub.asked
    published(here, 3, notice(1), NEW, fresh=5)  # both are down
    assert here.home.live() == "2026-11-04"
    assert rows(here, "SELECT count(*) > 1 FROM letters") == [(1,)]


def test_who_is_to_be_told_is_told_of_a_withdrawal_though_the_source_is_down(told, monkeypatch):
    with receiving() as server:
        subscribe(told, server.url, feed="notices", after=None)
        ((key,),) = query(told, "SELECT id FROM notices WHERE facts = ?", FACTS)
        monkeypatch.setattr("publish.withdraw.at_work", lambda *_: Result("withdrawn", None))  # killed when both have signed
        for name in ("张三", "李四"):
            with suppress(ReviewNeeded):
                withdraw(on(told, 2), key, "revoked", "撤销判决书", name, "法院撤销了这一决定")
        with pytest.raises(Mingbai):
            run(on(told, 2), {"platform": str(told.home.path / "nowhere")})
        assert told.home.live() != "2026-11-02"
        assert [body["type"] for body in sent(server)] == ["notice.tombstone", "notice.removal"]


@pytest.mark.parametrize("error", [ValueError, KeyError, LookupError])
def test_a_release_is_live_whatever_a_body_cannot_be_made_of(told, error):
    def broken(*_: Any) -> Any:
        raise error("broken")

    with receiving() as server:
        subscribe(told, server.url, feed="notices", after=0)
        after_release(told, broken)
        assert not server.asked


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a live release of thirty events."""
    make_live(tmp_path, [("2026-11-01", events(30))])
    return tmp_path


def mingbai(home: Path, *arguments: str, allowed: str = LOCAL, **environment: str) -> Typed:
    found = CliRunner().invoke(main, ["--home", str(home), *arguments], env={"MINGBAI_ALLOW_PRIVATE": allowed, **environment})
    assert SECRET.removeprefix("whsec_") not in found.output
    return found


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A file with a secret, as `openssl rand -base64 32` leaves it."""
    path = tmp_path / "secret"
    path.write_text(SECRET.removeprefix("whsec_") + "\n")
    return str(path)


def test_the_life_of_a_hook(home, secret, monkeypatch):
    monkeypatch.setattr("publish.cli.newsroom.bodies", small)
    with receiving() as server:
        added = mingbai(home, "hooks", "add", f"{server.url}/t0ken", "--feed", FEED, "--from", "29", "--secret-file", secret)
        assert added.output == f"hook 1: {FEED} from number 29\n"
        assert mingbai(home, "hooks", "test", "1").exit_code == 0
        assert Webhook(SECRET).verify(server.asked[0].body, server.asked[0].headers)["type"] == "test"
        assert "accepted 2" in mingbai(home, "deliver", "--now").output.replace("2 accepted", "accepted 2")
        listed = mingbai(home, "hooks", "list").output
        assert f"{FEED}  up to 30, 0 waiting, 0 dead; 1 secrets" in listed
        assert "t0ken" not in listed
        new = base64.b64encode(b"n" * 32).decode()
        assert mingbai(home, "hooks", "rotate", "1", "--secret-env", "NEW", NEW=new).output == "hook 1: 2 secrets sign\n"
        assert mingbai(home, "hooks", "rotate", "1", "--end").output == "hook 1: 1 secrets sign\n"
        mingbai(home, "hooks", "test", "1")
        assert Webhook(hooks.secret(new)).verify(server.asked[-1].body, server.asked[-1].headers)
    assert "to tell: 0 waiting, 0 dead" in mingbai(home, "status").output
    assert mingbai(home, "hooks", "remove", "1").exit_code == 0
    assert mingbai(home, "hooks", "list").output == ""
    assert "there is no hook 1; there are none" in mingbai(home, "hooks", "test", "1").output


def test_status_says_what_waits_since_when_and_what_is_given_up(home, secret):
    with receiving(lambda *_: 410) as server:
        mingbai(home, "hooks", "add", server.url, "--feed", FEED, "--from", "1", "--secret-file", secret)
        with outbox(home, lambda: 1_700_000_000.0) as box:
            box.connection.execute(
                "INSERT INTO letters (callee, subject, number, what, due, since, is_dead, tries, said) VALUES (1,'a',1,'',0,0,1,16,'status 500')"
            )
            box.connection.execute("INSERT INTO letters (callee, subject, number, what, due, since) VALUES (1,'a',2,'',0,1700000000)")
            assert "to tell: 1 waiting, the oldest since 2023-11-14T22:13:20Z, 1 dead, due now\n" in mingbai(home, "status").output
            box.connection.execute("UPDATE letters SET due = 4102444800, tries = 1 WHERE NOT is_dead")
            assert "1 dead, next try 2100-01-01T00:00:00Z\n" in mingbai(home, "status").output
            assert "1 waiting, next try 2100-01-01T00:00:00Z, 1 dead;" in mingbai(home, "hooks", "list").output
            box.end(1, "it answered 410 Gone")
    said = mingbai(home, "status").output
    assert "to tell: 0 waiting, 1 dead" in said
    assert f"hook 1 {server.url.removesuffix('/in')} {FEED}: it answered 410 Gone" in said
    assert mingbai(home, "hooks", "dead").output == f"1  {FEED}/1  a  16 tries: status 500\n"
    assert mingbai(home, "hooks", "dead", "1", "--redeliver").output == "hook 1: 1 wait again\n"
    assert mingbai(home, "hooks", "dead").output == ""
    assert mingbai(home, "hooks", "resume", "1").output == "hook 1: goes on after number 0, with what it did not take before\n"
    assert "to tell: 2 waiting" in mingbai(home, "status").output


def test_who_delivers_already_is_hurried(home, secret, monkeypatch):
    monkeypatch.setattr("publish.cli.newsroom.bodies", small)
    with receiving(lambda *_: (503, {"Retry-After": "7200"})) as server:
        mingbai(home, "hooks", "add", server.url, "--feed", FEED, "--from", "30", "--secret-file", secret)
        mingbai(home, "deliver")
        assert ", next try 20" in mingbai(home, "hooks", "list").output
        with _alone(Home(home)):
            assert mingbai(home, "deliver").exit_code == Busy.exit_code
            said = mingbai(home, "deliver", "--now")
        assert (said.exit_code, said.output) == (0, "another process delivers, and now tries all that waits\n")
        assert ", due now, " in mingbai(home, "hooks", "list").output
        asked = len(server.asked)
        mingbai(home, "deliver")
        assert len(server.asked) == asked + 1


def test_who_fails_is_named_with_why(home, secret, monkeypatch):
    monkeypatch.setattr("publish.cli.newsroom.bodies", small)
    with receiving(lambda *_: 500) as server, receiving() as other:
        for one in (server, other):
            mingbai(home, "hooks", "add", f"{one.url}/t0ken", "--feed", FEED, "--from", "30", "--secret-file", secret)
        failed = mingbai(home, "deliver").output
        assert f"hook 1 {server.url.removesuffix('/in')} {FEED}: 1 failures in a row: status 500, next try 20" in failed
        assert "hook 2" not in failed
        refused = mingbai(home, "deliver", "--now", allowed="").output
        assert f"hook 1 {server.url.removesuffix('/in')} {FEED}: 2 failures in a row: 127.0.0.1" in refused
        assert "--allow-private" in refused
        listed = mingbai(home, "hooks", "list").output
    assert "2 failures in a row: 127.0.0.1" in listed
    assert all(f"  {one.url.removesuffix('/in')}  {FEED}" in listed for one in (server, other))  # by their ports
    assert "t0ken" not in failed + refused + listed


def test_an_address_that_would_not_be_called_is_refused_when_it_is_added(home, secret):
    found = mingbai(home, "hooks", "add", "https://127.0.0.1:9/in", "--feed", FEED, "--secret-file", secret, allowed="")
    assert (found.exit_code, "not a public address" in found.output) == (2, True)


@pytest.mark.parametrize("feed", ["notices/violation/safety", "records/region/350000", "listings"])
def test_a_feed_that_has_told_nothing_yet_can_be_asked_for(home, secret, feed):
    assert mingbai(home, "hooks", "add", "http://127.0.0.1:9/in", "--feed", feed, "--secret-file", secret).exit_code == 0


@pytest.mark.parametrize(
    "feed", ["notices/region/999999", "notices/region/000000", "notices/violation/none", "releases/region/350000", "notices/", "none"]
)
def test_a_feed_that_is_none_is_refused_with_what_there_is(home, secret, feed):
    found = mingbai(home, "hooks", "add", "http://127.0.0.1:9/in", "--feed", feed, "--secret-file", secret)
    assert (found.exit_code, "there is no such feed" in found.output) == (2, True)


@pytest.mark.parametrize("given", [(None, None), (None, "NONE"), (Path("missing"), None), (Path("secret"), "NEW")])
def test_a_secret_comes_from_one_place_and_never_from_the_command_line(given):
    with pytest.raises(BadDeclaration, match="secret"):
        _secret(*given)


def test_a_hub_whose_address_is_none_stops_a_command_before_anything_is_made(home):
    found = mingbai(home, "--site", "https://mingbai.example", "--hub", "hub.example", "deliver")
    assert (found.exit_code, "not https" in found.output) == (2, True)


def test_a_hub_is_refused_where_the_site_is_not_told_its_address(home):
    found = mingbai(home, "--hub", "https://hub.example/", "deliver")
    assert (found.exit_code, found.output.count("\n")) == (2, 1)
    assert "--site" in found.output


def test_what_the_readme_tells_a_newsroom_verifies_a_signature(root):
    code = block(root, "python", "def is_ours")
    names: dict[str, Any] = {}
    exec(code, names)
    check: Callable[..., bool] = names["is_ours"]
    now, other = int(time.time()), hooks.secret(base64.b64encode(b"o" * 32).decode())
    headers = hooks.signed([other, SECRET], "notices/1", b"{}", now)
    assert check(SECRET, headers, b"{}")
    assert check(other, headers, b"{}")
    assert not check(SECRET, headers, b"{ }")
    assert not check(SECRET, headers | {"webhook-id": "notices/2"}, b"{}")
    assert not check(SECRET, hooks.signed([other], "notices/1", b"{}", now), b"{}")
    assert not check(SECRET, hooks.signed([SECRET], "notices/1", b"{}", now - 3600), b"{}")
