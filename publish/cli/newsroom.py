"""Who is told of what is published: webhooks of newsrooms, and the round that tells them and the hubs."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from .. import hooks as of
from ..addresses import networks, shown
from ..bodies import bodies
from ..callers import Caller
from ..deliver import Live, Round, attached, deliver, told
from ..errors import BadDeclaration, BadHome, Busy, Mingbai
from ..families import FACETS, can_tell
from ..home import Home
from ..outbox import Callee, Outbox, exists, outbox
from ..work import Work
from .group import MakeWork, main

TEST = {"type": "test", "timestamp": "", "data": {"item": None}}


class NotTold(Mingbai):
    """A test message was not accepted."""


def secrets(command: Any) -> Any:
    """The two places that a secret may come from: never the command line, which others on the machine can read."""
    command = click.option("--secret-env", metavar="NAME", help="Variable with the secret.")(command)
    return click.option("--secret-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the secret.")(command)


def _secret(file: Path | None, variable: str | None) -> str:
    if (file is None) == (variable is None):
        raise BadDeclaration("expected one of --secret-file FILE and --secret-env NAME; make a secret with `openssl rand -base64 32`")
    if file is not None:
        try:
            return of.secret(file.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadDeclaration(f"{file}: cannot be read as a secret ({type(error).__name__})") from error
    return of.secret(os.environ.get(str(variable), ""))


@main.command("deliver")
@click.option("--watch", is_flag=True, help="Go on with it, and with each release that goes live, until the process is ended.")
@click.option("--now", "hurry", is_flag=True, help="Try at once what failed and waits for its next try, whenever that is.")
@click.pass_obj
def deliver_command(make: MakeWork, watch: bool, hurry: bool) -> None:
    """Tell hubs (--hub) and webhooks what they were not told of the live release, and try again what failed and is due."""
    work = make()
    work.home.there()
    if hurry:
        with _open(work) as box:
            box.hurry()

    def say(found: Round) -> None:
        if not watch or found.accepted or found.failed or found.trouble:
            click.echo(told(found))
            if found.failed:
                with _open(work) as box:
                    for line in _failing(box):
                        click.echo(line)

    try:
        deliver(work, bodies, rounds=None if watch else 1, each=say)
    except Busy:
        if watch or not hurry:
            raise
        click.echo("another process delivers, and now tries all that waits")


@main.group()
def hooks() -> None:
    """Webhooks: newsrooms' systems that are told of each number of a feed, signed."""


@contextmanager
def _open(work: Work, feeds: bool = False) -> Iterator[Outbox]:
    """The outbox, with the live release's feeds attached as `live` where they are needed."""
    work.home.there()
    with outbox(work.home.path, time.time) as box:
        if not feeds:
            yield box
            return
        live = Live(work.home)
        live.is_other()
        with attached(box, live.file) as there:
            if not there:
                raise BadHome(f"{work.home.path}: has no feeds of a live release; run `mingbai run`, or `mingbai feeds` where one is live")
            yield box


@hooks.command()
@click.argument("url")
@click.option(
    "--feed", required=True, metavar="KEY", help="Which feed: its address without /feeds/ and ending, such as notices/region/350000."
)
@click.option("--from", "first", type=click.IntRange(1), help="The first number to send.  [default: the next one there will be]")
@secrets
@click.pass_obj
def add(make: MakeWork, url: str, feed: str, first: int | None, secret_file: Path | None, secret_env: str | None) -> None:
    """Send each number of a feed to URL from now on. Print its id."""
    work = make()
    secret = _secret(secret_file, secret_env)
    Caller(networks(work.allowed)).check(url)
    with _open(work, feeds=True) as box:
        _known(box, work, feed)
        callee = of.add(box, url, feed, [secret], None if first is None else first - 1, work.day.isoformat())
    click.echo(f"hook {callee.id}: {feed} from number {callee.entered + 1}")


def _known(box: Outbox, work: Work, feed: str) -> None:
    """Raises BadDeclaration for what is no feed: of it nothing would ever come."""
    family, _, rest = feed.partition("/")
    if rest.partition("/")[0] in FACETS.get(family, ()):  # what another family has told of has a feed in this one as well
        alike = orjson.dumps([f"{one}/{rest}" for one in FACETS]).decode()
        if box.connection.execute(
            "SELECT 1 FROM live.feed_items WHERE feed IN (SELECT value FROM json_each(?)) LIMIT 1", [alike]
        ).fetchone():
            return
    if can_tell(
        feed, lambda code: (at := work.catalogue.regions.at(code)) is not None and at.level != "country", work.catalogue.codes.__getitem__
    ):
        return
    raise BadDeclaration(
        f"--feed {feed!r}: there is no such feed; expected one of {', '.join(FACETS)}, one of these with /region/CODE, or another that /feeds lists"
    )


@hooks.command("list")
@click.pass_obj
def list_command(make: MakeWork) -> None:
    """Show every webhook: whom it calls, of which feed, how far it is, when it is called next."""
    with _open(make()) as box:
        for callee in box.callees("hook"):
            counts = box.connection.execute(
                "SELECT count(*) FILTER (WHERE NOT is_dead), count(*) FILTER (WHERE is_dead) FROM letters WHERE callee = ?", [callee.id]
            ).fetchone()
            state = f"ended: {callee.ended}" if callee.ended else _failed(box, callee) if callee.failures else "well"
            click.echo(
                f"{callee.id}  {shown(callee.url)}  {callee.feed}  up to {callee.entered}, {counts[0]:,} waiting{_next(box, callee.id)}, {counts[1]:,} dead; "
                f"{len(callee.secrets)} secrets; since {callee.added}; {state}"
            )


@hooks.command()
@click.argument("hook", type=int)
@click.pass_obj
def remove(make: MakeWork, hook: int) -> None:
    """Forget a webhook with its secrets and what waits for it."""
    with _open(make()) as box:
        of.remove(box, hook)


@hooks.command()
@click.argument("hook", type=int)
@click.pass_obj
def resume(make: MakeWork, hook: int) -> None:
    """Call a webhook again that had ended (410 Gone), with all that came meanwhile."""
    with _open(make()) as box:
        click.echo(f"hook {hook}: goes on after number {of.resume(box, hook).entered}, with what it did not take before")


@hooks.command()
@click.argument("hook", type=int)
@click.option("--end", is_flag=True, help="Sign with the newest secret alone again.")
@secrets
@click.pass_obj
def rotate(make: MakeWork, hook: int, end: bool, secret_file: Path | None, secret_env: str | None) -> None:
    """Sign with a new secret as well, until --end: the newsroom changes over in between."""
    new = None if end else _secret(secret_file, secret_env)
    with _open(make()) as box:
        click.echo(f"hook {hook}: {len(of.rotate(box, hook, new).secrets)} secrets sign")


@hooks.command()
@click.argument("hook", type=int)
@click.pass_obj
def test(make: MakeWork, hook: int) -> None:
    """Send a webhook a signed message of the type `test`, once, and say what it answers."""
    work = make()
    with _open(work) as box:
        callee = of.hook(box, hook)
        now = int(box.clock())
    at = datetime.fromtimestamp(now, UTC).isoformat()
    body = of.message(callee.feed, 0, {**TEST, "timestamp": at})[1]
    caller = Caller(networks(work.allowed))
    said = caller.post(callee.url, body, of.signed(callee.secrets, f"test/{now}", body, now))
    caller.close()
    if not said.is_yes:
        raise NotTold(f"hook {hook}: {said.words}; expected a status from 200 to 299")
    click.echo(f"hook {hook}: {said.words}")


@hooks.command()
@click.argument("hook", type=int, required=False)
@click.option("--redeliver", is_flag=True, help="Try them again with the next round.")
@click.option("--number", type=int, help="This one alone.")
@click.pass_obj
def dead(make: MakeWork, hook: int | None, redeliver: bool, number: int | None) -> None:
    """Show what was given up, of one webhook or all; with --redeliver try it again."""
    with _open(make()) as box:
        for callee in [of.hook(box, hook)] if hook is not None else box.callees("hook"):
            if redeliver:
                click.echo(f"hook {callee.id}: {of.redeliver(box, callee, number):,} wait again")
                continue
            for letter, subject, tries, said in box.connection.execute(
                "SELECT number, subject, tries, said FROM letters WHERE callee = ? AND is_dead = 1 AND number = coalesce(?, number) ORDER BY number",
                [callee.id, number],
            ):
                click.echo(f"{callee.id}  {callee.feed}/{letter}  {subject}  {tries} tries: {said}")


def _next(box: Outbox, callee: int | None = None) -> str:
    """When something is tried next, to anybody or to one callee; nothing where nothing waits."""
    due = box.next_due(callee)
    if due is None:
        return ""
    return f", next try {datetime.fromtimestamp(due, UTC):%Y-%m-%dT%H:%M:%SZ}" if due > box.clock() else ", due now"


def _failed(box: Outbox, callee: Callee) -> str:
    """How often a callee did not take what it was told, and why the last time."""
    why = box.connection.execute("SELECT said FROM letters WHERE callee = ? AND said <> '' ORDER BY is_dead, due DESC LIMIT 1", [callee.id])
    return ": ".join((f"{callee.failures} failures in a row", *(said for (said,) in why)))


def _failing(box: Outbox) -> Iterator[str]:
    """A line for each callee that fails or has ended."""
    for callee in (*box.callees("hub"), *box.callees("hook")):
        if callee.ended or callee.failures:
            what = callee.ended or _failed(box, callee)
            yield f"  {callee.kind} {callee.id} {shown(callee.url)} {callee.feed}: {what}{_next(box, callee.id)}"


def standing(home: Home) -> Iterator[str]:
    """What waits to be told, in lines for `status`; nothing where nobody is to be told."""
    if not exists(home.path):
        return
    try:
        with outbox(home.path, time.time) as box:
            waiting, dead, since = box.connection.execute(
                "SELECT count(*) FILTER (WHERE waits), count(*) FILTER (WHERE is_dead), min(since) FILTER (WHERE waits) "
                "FROM (SELECT is_dead, since, NOT is_dead AND ended IS NULL AS waits FROM letters JOIN callees ON id = callee)"
            ).fetchone()
            oldest = f", the oldest since {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}" if since else ""
            yield f"to tell: {waiting:,} waiting{oldest}, {dead:,} dead{_next(box)}"
            yield from _failing(box)
    except (OSError, sqlite3.Error) as error:
        yield f"to tell: {home.path / 'outbox.db'}: {error}"
