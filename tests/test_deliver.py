"""Whoever is to be told is told: each number once by its key, in order, whatever fails and whoever is killed."""

import base64
import hashlib
import hmac
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from publish import hooks
from publish.addresses import networks
from publish.callers import Caller
from publish.deliver import Live, Round, attached, deliver, fill
from publish.errors import BadDeclaration, Busy
from publish.hooks import signed
from publish.outbox import Outbox, Patience, outbox
from publish.work import Work
from receiving import LOOPBACK, Asked, Newsroom, bodies, make_live, receiving

FEED = "notices/region/330106"
SECRET = hooks.secret(base64.b64encode(b"k" * 32).decode())
OTHER = hooks.secret(base64.b64encode(b"o" * 32).decode())
QUICK = Patience(first=0.01, factor=2.0, longest=0.2, tries=60, settle=0)
AT = 1_800_000_000.0


class Done(Exception):
    """Nothing waits any more."""


def events(number: int, of: int = 10, start: int = 0, feed: str = FEED) -> list[tuple[str, str, str]]:
    """So many events of notices that have `of` each."""
    kinds = ("first", *["changed"] * of)
    subjects = -(-number // of)
    return [(feed, f"n-{start + n % subjects}", kinds[n // subjects]) for n in range(number)]


@pytest.fixture
def told(work: Work) -> Work:
    """A home with a live release of thirty events."""
    make_live(work.home.path, [("2026-11-01", events(30))])
    return replace(work, allowed=LOOPBACK)


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A caller that may call loopback and does not wait long."""
    one = Caller(networks(LOOPBACK), to_answer=0.4)
    yield one
    one.close()


def subscribe(work: Work, url: str, feed: str = FEED, after: int | None = 0, secrets: tuple[str, ...] = (SECRET,)) -> int:
    with outbox(work.home.path, time.time) as box, attached(box, _live(work)):
        return hooks.add(box, url, feed, secrets, after, "2026-11-01").id


def _live(work: Work) -> Path:
    live = Live(work.home)
    live.is_other()
    assert live.file is not None
    return live.file


def until_done(work: Work, caller: Caller, patience: Patience = QUICK) -> Round:
    total = Round()

    def count(found: Round) -> None:
        total.accepted, total.failed, total.dead = (
            total.accepted + found.accepted,
            total.failed + found.failed,
            total.dead + found.dead,
        )
        if not found.waiting:
            raise Done

    with pytest.raises(Done):
        deliver(work, bodies, caller, patience, rounds=None, each=count)
    return total


def rows(work: Work, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(work.home.path / "outbox.db")) as connection:
        return connection.execute(sql, values).fetchall()


def judged(room: Newsroom, number: int, feed: str = FEED) -> None:
    """Everything was applied, once, and in the order of its subject."""
    assert sorted(key.rpartition("/")[0] for key in room.applied) == sorted(f"{feed}/{one}" for one in range(1, number + 1))
    assert all(numbers == sorted(numbers) for numbers in room.of_subject.values())


def test_each_number_is_applied_once_by_its_key_and_in_order_where_one_in_five_calls_fails(told, caller):
    make_live(told.home.path, [("2026-11-01", events(300, of=6))])
    room = Newsroom()
    with receiving(room) as server:
        subscribe(told, server.url)
        found = until_done(told, caller)
    judged(room, 300)
    assert (found.accepted, found.dead) == (300, 0)
    assert room.again > 10, "what it had before its own crash came again"
    assert 25 < found.failed <= sum(room.failures.values()), "a reset on a connection that was kept is tried once more at once"
    assert set(room.failures) >= {"500", "503", "reset", "slow", "crash"}


KILLED = """
import sys, time
from publish.addresses import networks
from publish.callers import Caller
from publish.deliver import deliver
from publish.home import Home
from publish.outbox import Patience
from publish.work import Work
from datetime import datetime, UTC
from pathlib import Path
from receiving import bodies
class Done(Exception): pass
def each(found):
    if not found.waiting: raise Done
work = Work(Home(Path(sys.argv[1])), None, datetime(2026, 11, 1, 4, tzinfo=UTC))
caller = Caller(networks(["127.0.0.0/8"]), to_answer=0.4)
print("ready", flush=True)
try: deliver(work, bodies, caller, Patience(first=0.01, factor=2.0, longest=0.2, tries=60, settle=0), rounds=None, each=each)
except Done: sys.exit(0)
"""


def killed_again_and_again(work: Work, room: Newsroom, number: int, kills: int) -> None:
    """Deliver from processes that are killed on the way, until one of them ends by itself."""
    for kill in range(kills + 1):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(work.home.path)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        if kill < kills:
            goal = min(number - 1, len(room.applied) + number // (kills + 1))
            while len(room.applied) < goal and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        process.stdout.close()
        ended = process.wait(200)
        assert ended == (-signal.SIGKILL if kill < kills else 0)


def test_a_deliverer_that_is_killed_loses_nothing_and_nothing_is_applied_twice(told):
    make_live(told.home.path, [("2026-11-01", events(200))])
    room = Newsroom(slow=0.45)
    with receiving(room) as server:
        subscribe(told, server.url)
        killed_again_and_again(told, room, 200, kills=1)
    judged(room, 200)
    assert rows(told, "SELECT count(*) FROM letters") == [(0,)]


@pytest.mark.bench
def test_ten_thousand_numbers(told):
    make_live(told.home.path, [("2026-11-01", events(10_000, of=5))])
    room = Newsroom(slow=0.45)
    with receiving(room) as server:
        subscribe(told, server.url)
        killed_again_and_again(told, room, 10_000, kills=4)
    judged(room, 10_000)
    failed = sum(room.failures.values())
    print(f"10,000 applied once each; {failed:,} calls failed ({dict(room.failures)}), {room.again:,} came again")


def test_a_message_is_signed_as_standard_webhooks_asks_by_each_secret_while_it_changes(told, caller):
    with receiving() as server:
        hook = subscribe(told, server.url)
        deliver(told, bodies, caller, QUICK)
        with outbox(told.home.path, time.time) as box:
            hooks.rotate(box, hook, OTHER)
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(1, start=90))])
        deliver(told, bodies, caller, QUICK)
        with outbox(told.home.path, time.time) as box:
            hooks.rotate(box, hook, None)
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(1, start=90)), ("2026-11-03", events(1, start=91))])
        deliver(told, bodies, caller, QUICK)
    assert len(server.asked) == 32
    first, both, last = server.asked[0], server.asked[30], server.asked[31]
    assert [_verifies(SECRET, one) for one in (first, both, last)] == [True, True, False]
    assert [_verifies(OTHER, one) for one in (first, both, last)] == [False, True, True]
    assert not _verifies(SECRET, replace(first, body=first.body + b" "))
    assert not _verifies(SECRET, replace(first, headers=first.headers | {"webhook-id": f"{FEED}/9"}))
    assert {_number(one) for one in server.asked} == {f"{FEED}/{number}" for number in range(1, 33)}
    assert {one.headers["content-type"] for one in server.asked} == {"application/json"}
    assert set(orjson.loads(first.body)) == {"type", "timestamp", "data"}


def _number(asked: Asked) -> str:
    """FEED/NUMBER of its id, without the mark of what happened."""
    return asked.headers["webhook-id"].rpartition("/")[0]


def _verifies(secret: str, asked: Asked) -> bool:
    try:
        Webhook(secret).verify(asked.body, asked.headers)
    except WebhookVerificationError:
        return False
    return True


def test_the_signature_is_over_id_time_and_body():
    headers = signed([SECRET], "a/1", b"{}", 1_700_000_000)
    mark = base64.b64encode(hmac.new(b"k" * 32, b"a/1.1700000000.{}", hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mark}"
    with pytest.raises(ValueError, match="cannot be told"):
        signed([SECRET], "a.1", b"{}", 1)


@pytest.mark.parametrize("text", ["", "whsec_", "not base64!", base64.b64encode(b"short").decode(), base64.b64encode(b"l" * 65).decode()])
def test_what_is_no_secret_is_refused_and_not_shown(text):
    with pytest.raises(BadDeclaration) as caught:
        hooks.secret(text)
    assert not text.removeprefix("whsec_") or text not in str(caught.value)


def test_a_hook_without_from_gets_what_comes_and_not_what_was(told, caller):
    with receiving() as server:
        subscribe(told, server.url, after=None)
        assert deliver(told, bodies, caller).accepted == 0
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(2, start=90))])
        assert deliver(told, bodies, caller).accepted == 2
    assert sorted(orjson.loads(one.body)["data"]["number"] for one in server.asked) == [31, 32]


def test_a_feed_that_has_nothing_yet_can_be_waited_for(told, caller):
    with receiving() as server:
        subscribe(told, server.url, feed="notices/region/350000", after=None)
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(1, feed="notices/region/350000"))])
        assert deliver(told, bodies, caller).accepted == 1


def test_filling_twice_adds_nothing_and_what_a_dead_run_did_not_tell_comes_with_the_next(told, caller):
    history = [("2026-11-01", events(30)), ("2026-11-02", events(3, start=50)), ("2026-11-03", events(4, start=70))]
    with receiving() as server:
        subscribe(told, server.url)
        make_live(told.home.path, history[:2])  # nobody delivers
        make_live(told.home.path, history)
        for _ in range(3):
            with outbox(told.home.path, time.time) as box:
                live = Live(told.home)
                live.is_other()
                fill(box, live, told)
        assert rows(told, "SELECT count(*) FROM letters") == [(37,)]
        assert deliver(told, bodies, caller).accepted == 37
        assert deliver(told, bodies, caller).accepted == 0
    assert len(server.asked) == 37


def test_a_hub_is_told_when_the_site_has_had_time_to_see_the_release_and_a_round_waits_for_that(told, caller):
    waited = []
    clock = Clock()

    def wait_for(seconds: float) -> None:
        waited.append((seconds, len(hub.asked)))
        clock.now += seconds

    with receiving() as hub:
        found = deliver(replace(told, hubs=(hub.url,)), bodies, caller, clock=clock, wait_for=wait_for)
    assert waited == [(2.0, 0)]
    assert (found.accepted, found.waiting) == (3, 0)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


def deaf(status: int, **headers: str) -> Callable[..., Any]:
    return lambda *_: (status, headers)


def test_retries_come_later_and_later_and_end_in_the_dead_letters_from_where_they_come_back(told, caller):
    clock, patience = Clock(), Patience(tries=4, failures=99)
    make_live(told.home.path, [("2026-11-01", events(2, of=2))])  # two numbers of one notice
    waits = []
    with receiving(deaf(500)) as server:
        hook = subscribe(told, server.url)
        for turn in range(4):
            found = deliver(told, bodies, caller, patience, clock=clock)
            assert len(server.asked) == turn + 1 + (turn == 3), "the second waits until the first is dead"
            if turn < 3:
                waits.append((found.next_due or 0) - clock.now)
                clock.now = found.next_due or 0
        assert found.dead == 1
        assert [5 * 4**n / 2 <= wait <= 5 * 4**n for n, wait in enumerate(waits)] == [True] * 3
        assert rows(told, "SELECT number, is_dead, tries, said FROM letters ORDER BY number") == [
            (1, 1, 4, "status 500"),
            (2, 0, 1, "status 500"),
        ]
        server.answering = lambda *_: 204
        clock.now += 60
        assert deliver(told, bodies, caller, patience, clock=clock).accepted == 1
        with outbox(told.home.path, clock) as box:
            assert hooks.redeliver(box, hooks.hook(box, hook), 7) == 0
            assert hooks.redeliver(box, hooks.hook(box, hook), None) == 1
        assert deliver(told, bodies, caller, patience, clock=clock).accepted == 1
    assert rows(told, "SELECT count(*) FROM letters") == [(0,)]


def test_who_asks_to_be_left_alone_for_a_while_is(told, caller):
    clock = Clock()
    with receiving(deaf(429, **{"Retry-After": "7200"})) as server:
        subscribe(told, server.url)
        found = deliver(told, bodies, caller, clock=clock)
        assert len(server.asked) <= 4, "those that were under way"
        assert (found.next_due or 0) >= AT + 7200
        clock.now += 7199
        deliver(told, bodies, caller, clock=clock)
        assert len(server.asked) <= 4
        clock.now += 3600
        server.answering = lambda *_: 204
        assert until_due_ends(told, caller, clock) == 30


def until_due_ends(work: Work, caller: Caller, clock: Clock) -> int:
    accepted = 0
    while True:
        found = deliver(work, bodies, caller, clock=clock)
        accepted += found.accepted
        if not found.waiting:
            return accepted
        clock.now = max(clock.now, found.next_due or 0)


def test_who_asks_for_a_year_is_asked_again_in_a_day(told, caller):
    clock = Clock()
    with receiving(deaf(503, **{"Retry-After": "31536000"})) as server:
        subscribe(told, server.url)
        assert (deliver(told, bodies, caller, clock=clock).next_due or 0) <= AT + 24 * 3600


def test_who_fails_and_fails_is_asked_one_thing_at_a_time_and_holds_up_nobody(told, caller):
    clock = Clock()
    with receiving(deaf(500)) as broken, receiving() as well:
        subscribe(told, broken.url)
        subscribe(told, well.url)
        found = deliver(told, bodies, caller, clock=clock)
        assert (found.accepted, len(well.asked)) == (30, 30)
        before = len(broken.asked)
        assert before <= 5 + 4, "five failures, and what was under way"
        for _ in range(3):
            clock.now = deliver(told, bodies, caller, clock=clock).next_due or 0
            deliver(told, bodies, caller, clock=clock)
            assert len(broken.asked) == before + 1
            before = len(broken.asked)
    assert rows(told, "SELECT max(tries) < 4 FROM letters"), "they take turns in being tried"


def test_410_ends_a_hook_until_it_is_resumed_and_nothing_is_lost(told, caller):
    status = 410
    with receiving(lambda *_: status) as server:
        hook = subscribe(told, server.url)
        deliver(told, bodies, caller)
        asked = len(server.asked)
        assert asked <= 4
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(2, start=90))])
        assert deliver(told, bodies, caller).waiting == 0
        assert len(server.asked) == asked
        assert rows(told, "SELECT ended, entered FROM callees") == [("it answered 410 Gone", 30)]
        assert rows(told, "SELECT count(*) FROM letters") == [(30,)]
        status = 204
        with outbox(told.home.path, time.time) as box:
            hooks.resume(box, hook)
            with pytest.raises(BadDeclaration, match="not ended"):
                hooks.resume(box, hook)
        until_done(told, caller)
        keys = {_number(one) for one in server.asked}
    assert keys == {f"{FEED}/{number}" for number in range(1, 33)}
    assert rows(told, "SELECT count(*) FROM letters") == [(0,)]


def test_no_redirect_leads_elsewhere(told, caller):
    with receiving() as elsewhere, receiving(deaf(307, Location=elsewhere.url)) as server:
        subscribe(told, server.url)
        deliver(told, bodies, caller)
    assert elsewhere.asked == []
    assert {said for (said,) in rows(told, "SELECT said FROM letters WHERE tries > 0")} == {"status 307"}


def test_without_leave_loopback_is_not_called_and_what_waits_says_why(told):
    with receiving() as server:
        subscribe(told, server.url)
        deliver(replace(told, allowed=()), bodies)
    assert server.asked == []
    assert "only https" in rows(told, "SELECT DISTINCT said FROM letters WHERE tries > 0")[0][0]


def test_two_do_not_deliver_for_one_home(told, caller):
    def meanwhile(*_: Any) -> int:
        with pytest.raises(Busy, match="another process"):
            deliver(told, bodies, caller)
        return 204

    make_live(told.home.path, [("2026-11-01", events(1))])
    with receiving(meanwhile) as server:
        subscribe(told, server.url)
        assert deliver(told, bodies, caller).accepted == 1


def test_a_release_that_goes_live_meanwhile_is_told_of_in_the_same_round(told, caller):
    def first(asked: Asked, _: Any) -> int:
        if orjson.loads(asked.body)["data"]["number"] == 1:
            make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(5, start=90))])
            (told.home.path / "feeds" / "2026-11-01.db").unlink()
        return 204

    with receiving(first) as server:
        subscribe(told, server.url)
        assert deliver(told, bodies, caller).accepted == 35


def test_a_home_of_before_there_were_feeds_is_no_error(work, caller):
    with outbox(work.home.path, time.time):
        pass
    assert deliver(work, bodies, caller) == Round()


FIRST, LOST = ("2026-11-01", events(20)), ("2026-11-02", events(10, start=50))


def test_an_older_copy_of_a_home_is_told_of_when_it_tells_something_else(told, caller):
    make_live(told.home.path, [FIRST, LOST])
    with receiving() as server:
        hook, other = subscribe(told, server.url), subscribe(told, f"{server.url}/other", feed="notices/region/350000", after=None)
        deliver(told, bodies, caller)
        make_live(told.home.path, [FIRST])
        found = deliver(told, bodies, caller)
        assert len(server.asked) == 30
        assert [f"hook {hook}: was told of {FEED} up to 30, and that of the live release ends at 20" in line for line in found.trouble] == [
            True
        ]
        make_live(told.home.path, [FIRST, LOST])
        assert deliver(told, bodies, caller).trouble == [], "the newest was put back"
        make_live(told.home.path, [FIRST, ("2026-11-03", events(15, start=70))])
        found = deliver(told, bodies, caller)
    assert [line.startswith(f"hook {hook}: was told of {FEED} up to 30, and after 20") for line in found.trouble] == [True]
    assert found.accepted == 15
    assert sorted(orjson.loads(one.body)["data"]["number"] for one in server.asked[30:]) == list(range(21, 36))
    assert len({one.headers["webhook-id"] for one in server.asked}) == 45, "no key has two meanings"
    assert {hook: 35, other: 0} == dict(rows(told, "SELECT id, entered FROM callees"))
    assert deliver(told, bodies, caller).trouble == []


def test_that_numbers_are_told_again_is_said_also_where_the_round_waits_for_a_hub(told, caller):
    clock = Clock()

    def round_(history: Any, *hubs: str) -> Round:
        make_live(told.home.path, history)
        return deliver(
            replace(told, hubs=hubs), bodies, caller, clock=clock, wait_for=lambda seconds: setattr(clock, "now", clock.now + seconds)
        )

    with receiving() as server, receiving() as hub:
        subscribe(told, server.url)
        round_([("2026-11-01", events(30))])
        found = round_([("2026-11-02", events(3))], hub.url)
        assert len(hub.asked) == 3
    assert ["told again from 1 under other ids" in line for line in found.trouble] == [True]


def test_numbers_that_still_wait_or_are_dead_when_the_home_is_of_an_older_copy_are_not_told(told, caller):
    make_live(told.home.path, [FIRST, LOST])
    with receiving(deaf(410)) as server:
        hook = subscribe(told, server.url)
        deliver(told, bodies, caller, Patience(tries=1))
        make_live(told.home.path, [FIRST, ("2026-11-03", events(5, start=70))])
        deliver(told, bodies, caller)
        with outbox(told.home.path, time.time) as box:
            hooks.redeliver(box, hooks.hook(box, hook), None)
            hooks.resume(box, hook)
        server.asked.clear()
        server.answering = lambda *_: 204
        found = until_done(told, caller)
    assert (found.accepted, found.failed) == (25, 0)
    again = [data for one in server.asked if (data := orjson.loads(one.body)["data"])["number"] > 20]
    assert {data["subject"] for data in again} == {"notice/n-70"}
    assert {_number(one) for one in server.asked} == {f"{FEED}/{number}" for number in range(1, 26)}


def test_also_where_what_was_told_is_of_the_older_copy_no_key_has_two_meanings(told, caller, tmp_path):
    make_live(told.home.path, [FIRST])
    with receiving() as server:
        subscribe(told, server.url)
        deliver(told, bodies, caller)
        (tmp_path / "backup").write_bytes((told.home.path / "outbox.db").read_bytes())
        for second in (LOST, ("2026-11-02", events(10, start=70)), ("2026-11-03", events(10, start=50))):
            for path in told.home.path.glob("outbox.db*"):
                path.unlink()
            (told.home.path / "outbox.db").write_bytes((tmp_path / "backup").read_bytes())
            make_live(told.home.path, [FIRST, second])
            assert deliver(told, bodies, caller).accepted == 10
    assert len({one.headers["webhook-id"] for one in server.asked}) == 50


def test_a_hook_is_not_added_before_those_that_there_are_were_told_again(told, caller):
    make_live(told.home.path, [FIRST, LOST])
    with receiving() as server:
        subscribe(told, server.url)
        make_live(told.home.path, [FIRST, ("2026-11-03", events(5, start=70))])
        with pytest.raises(BadDeclaration, match="run `mingbai deliver` first"):
            subscribe(told, f"{server.url}/other", after=None)
        deliver(told, bodies, caller)
        assert subscribe(told, f"{server.url}/other", after=None) == 2
        assert deliver(told, bodies, caller).accepted == 0


def test_an_outbox_from_before_marks_takes_the_numbers_as_they_are(told, caller):
    with receiving() as server:
        subscribe(told, server.url, after=None)
        with closing(sqlite3.connect(told.home.path / "outbox.db")) as connection:
            connection.executescript("DROP TABLE lived; PRAGMA user_version=1")
        make_live(told.home.path, [("2026-11-01", events(30)), ("2026-11-02", events(2, start=90))])
        found = deliver(told, bodies, caller)
    assert (found.accepted, found.trouble) == (2, [])


def test_an_outbox_from_before_marks_beside_an_older_copy_loses_no_number(told, caller):
    make_live(told.home.path, [FIRST, LOST])
    with receiving() as server:
        subscribe(told, server.url)
        assert deliver(told, bodies, caller).accepted == 30
        server.answering = deaf(503)
        make_live(told.home.path, [FIRST, LOST, ("2026-11-03", events(2, start=90))])
        assert deliver(told, bodies, caller).waiting == 2, "letters of the lost line"
        with closing(sqlite3.connect(told.home.path / "outbox.db")) as connection:
            connection.executescript("DROP TABLE lived; PRAGMA user_version=1")
        server.asked.clear()
        server.answering = lambda *_: 204
        make_live(told.home.path, [FIRST])
        (said,) = deliver(told, bodies, caller).trouble
        assert said.endswith("the home is an older copy; what comes there next is told from 21 again")
        assert deliver(told, bodies, caller).trouble == []
        make_live(told.home.path, [FIRST, ("2026-11-03", events(15, start=70))])
        assert until_done(told, caller).trouble == []
    assert sorted(orjson.loads(one.body)["data"]["number"] for one in server.asked) == [*range(21, 36)]


def test_feeds_of_another_form_are_not_told_of(told, caller):
    with receiving() as server:
        subscribe(told, server.url)
        with closing(sqlite3.connect(_live(told))) as connection:
            connection.execute("PRAGMA user_version=1")
        assert deliver(told, bodies, caller) == Round()


def test_what_waits_can_be_hurried_also_for_who_is_left_alone(told, caller):
    clock = Clock()
    with receiving(deaf(503, **{"Retry-After": "7200"})) as server:
        hook = subscribe(told, server.url)
        deliver(told, bodies, caller, clock=clock)
        asked, server.answering = len(server.asked), lambda *_: 204
        assert deliver(told, bodies, caller, clock=clock).accepted == 0
        with outbox(told.home.path, clock) as box:
            assert (box.next_due(hook) or 0) >= AT + 7200
            assert box.next_due(hook + 1) is None
            hub = box.add("hub", "https://hub.example/")
            box.connection.execute(
                "INSERT INTO letters (callee, subject, number, what, due, since) VALUES (?, 'notices.atom', 0, 'b', ?, 0)", [hub, AT + 2]
            )
            box.hurry()
            assert box.next_due(hub) == AT + 2, "the site has not seen the release yet"
            box.connection.execute("DELETE FROM callees WHERE id = ?", [hub])
        assert until_due_ends(told, caller, clock) == 30
        assert len(server.asked) == asked + 30
    assert clock.now == AT


def test_the_file_is_for_its_owner_alone_and_says_nothing_of_its_secrets(told):
    os.umask(0)
    subscribe(told, "https://paper.example/in")
    folder = told.home.path
    with outbox(folder, time.time) as box:
        assert SECRET not in repr(box.callees("hook"))
        assert {path.name: path.stat().st_mode & 0o777 for path in folder.glob("outbox.db*")}.items() >= {
            ("outbox.db", 0o600),
            ("outbox.db-wal", 0o600),
        }


def test_a_file_that_others_could_read_is_for_its_owner_alone_again(told):
    subscribe(told, "https://paper.example/in")
    (told.home.path / "outbox.db").chmod(0o644)  # as a backup put it back
    with outbox(told.home.path, time.time):
        assert (told.home.path / "outbox.db").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_overwritten_also_by_an_sqlite_that_does_not_do_so_by_itself(told, monkeypatch):
    connect = sqlite3.connect

    def as_elsewhere(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **more)
        connection.execute("PRAGMA secure_delete=OFF")
        return connection

    monkeypatch.setattr("publish.outbox.sqlite3.connect", as_elsewhere)
    hook = subscribe(told, "https://paper.example/in")
    with outbox(told.home.path, time.time) as box:
        hooks.remove(box, hook)
    assert SECRET[6:].encode() not in (told.home.path / "outbox.db").read_bytes()


def test_a_removed_hook_leaves_no_secret_behind_and_its_id_to_nobody(told):
    hook = subscribe(told, "https://paper.example/in")
    with outbox(told.home.path, time.time) as box:
        hooks.remove(box, hook)
    assert SECRET[6:].encode() not in (told.home.path / "outbox.db").read_bytes()
    assert subscribe(told, "https://paper.example/in") == hook + 1


@pytest.mark.parametrize("change", ["remove", "rotate"])
def test_a_secret_that_was_taken_out_is_in_no_file_while_somebody_delivers(told, change):
    with outbox(told.home.path, time.time) as deliverer:
        hook = subscribe(told, "https://paper.example/in")
        deliverer.callees("hook")
        with outbox(told.home.path, time.time) as box:
            if change == "remove":
                hooks.remove(box, hook)
            else:
                for _ in range(hooks.SIGNING):
                    hooks.rotate(box, hook, "whsec_" + base64.b64encode(os.urandom(24)).decode())
        for path in told.home.path.glob("outbox.db*"):
            assert SECRET[6:].encode() not in path.read_bytes(), path.name


def test_the_same_address_is_not_told_twice_and_no_number_is_before_the_first_or_behind_the_next(told):
    subscribe(told, "https://paper.example/in")
    with pytest.raises(BadDeclaration, match="already"):
        subscribe(told, "https://paper.example/in")
    with pytest.raises(BadDeclaration, match="expected 1 to 31"):
        subscribe(told, "https://other.example/in", after=31)


def test_a_letter_that_changed_while_it_was_under_way_goes_again(told):
    with outbox(told.home.path, Clock()) as box:
        hub = box.add("hub", "https://hub.example/")
        box.connection.execute(
            "INSERT INTO letters (callee, subject, number, what, due, since) VALUES (?, 'notices.atom', 0, 'b', 0, 0)", [hub]
        )
        letter = box.ready(box.callees("hub")[0], 1, set())[0]
        box.accepted(replace(letter, what="a"))
        assert _waiting(box) == 1
        box.accepted(letter)
        assert _waiting(box) == 0


def _waiting(box: Outbox) -> int:
    return int(box.connection.execute("SELECT count(*) FROM letters").fetchone()[0])
