"""The keys that sign releases: the first, the next, one that leaked or was lost. Each act is entered in the log of decisions before it is done."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from .. import keys as known
from ..audit import append, entries
from ..errors import ReviewNeeded
from ..keys import REASONS
from ..samename import person_key
from ..vouching import Agree, enter, revoke, rotate
from ..work import Work, opened
from .group import MakeWork, main

file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


def signed_command(command: Callable[..., Any]) -> Callable[..., Any]:
    """With the name of whoever does it, and why."""
    command = click.option("--note", required=True, metavar="TEXT", help="Why, for the log of decisions.")(command)
    return click.option("--by", required=True, metavar="NAME", help="Who does it.")(command)


@main.group()
def keys() -> None:
    """Keys that sign releases. FILE is a secret key of minisign's without a password, outside the home; it is made where it is not there.

    What is done is entered in the log of decisions. Two people must say that a key leaked, or that the one that signs is lost.
    """


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _agree(work: Work, by: str, note: str) -> Agree:
    def agree(about: Mapping[str, Any], people: int) -> None:
        names = {person_key(one.by): one.by for one in entries(work.home) if (one.act, one.about) == ("key", about)}
        if person_key(by) not in names:
            names[person_key(by)] = append(work.home, "key", by, note, about, work.now).by
        if (more := people - len(names)) > 0:
            said = " and ".join(names.values())
            raise ReviewNeeded(
                f"key {about['key']}, {about['what']}: {said} signed and {more} more must, by the same command (and FILE) with --by NAME --note TEXT"
            )

    return agree


@keys.command()
@file_argument
@signed_command
@click.pass_obj
def new(make: MakeWork, file: Path, by: str, note: str) -> None:
    """Enter the first key of this home, and sign the releases that it published. From then on each release is signed."""
    work = make()
    with opened(work):
        _say(enter(work.home, file, _agree(work, by, note)))


@keys.command("list")
@click.pass_obj
def list_keys(make: MakeWork) -> None:
    """Show the public keys: which signs, from and until which release each did, which are revoked and why."""
    work = make()
    work.home.there()
    found = known.read(work.home)
    for key in found.keys if found else ():
        since = f"after release {key.after}" if key.after else "from the first release"
        until = "signs" if found and key is found.current else f"until release {key.until or 'none'}"
        gone = f", revoked as {key.revoked['reason']} on {key.revoked['on']}" if key.revoked else ""
        click.echo(f"{key.public.id}  {key.public.line}  {since}, {until}{gone}")


@keys.command("rotate")
@file_argument
@click.option("--lost", is_flag=True, help="The key that signs is lost, and cannot vouch for the new one. Two people sign.")
@signed_command
@click.pass_obj
def rotate_key(make: MakeWork, file: Path, lost: bool, by: str, note: str) -> None:
    """Let another key sign from the next release on. Give the one that signs now with --signing-key, before the command, and the new one afterwards."""
    work = make()
    with opened(work):
        _say(rotate(work.home, work.signing, file, work.day.isoformat(), lost, _agree(work, by, note)))


@keys.command("revoke")
@click.argument("key")
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    required=True,
    help="leaked: nothing that it signed counts, and what this home published is signed anew; two people sign. lost: no more than that.",
)
@signed_command
@click.pass_obj
def revoke_key(make: MakeWork, key: str, reason: str, by: str, note: str) -> None:
    """Revoke a key, by its id, that another has replaced (`keys rotate`)."""
    work = make()
    with opened(work):
        _say(revoke(work.home, work.signing, key, reason, work.day.isoformat(), _agree(work, by, note)))
