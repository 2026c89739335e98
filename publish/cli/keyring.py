"""The keys that sign releases: the first, the next, one that leaked or was lost."""

from collections.abc import Iterable
from pathlib import Path

import click

from .. import keys as known
from ..keys import REASONS
from ..signing import enter, revoke, rotate
from ..work import opened
from .group import MakeWork, main

file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@main.group()
def keys() -> None:
    """Keys that sign releases. FILE is a secret key of minisign's without a password, outside the home; it is made where it is not there."""


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


@keys.command()
@file_argument
@click.pass_obj
def new(make: MakeWork, file: Path) -> None:
    """Enter the first key of this home, and sign the releases that are there. From then on each release is signed."""
    work = make()
    with opened(work):
        _say(enter(work.home, file))


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
@click.option("--lost", is_flag=True, help="The key that signs is lost, and cannot vouch for the new one.")
@click.pass_obj
def rotate_key(make: MakeWork, file: Path, lost: bool) -> None:
    """Let another key sign from the next release on. Give the one that signs now with --signing-key, before the command, and the new one afterwards."""
    work = make()
    with opened(work):
        _say(rotate(work.home, work.signing, file, work.day.isoformat(), lost))


@keys.command("revoke")
@click.argument("key")
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    required=True,
    help="leaked: nothing that it signed counts, and it is signed anew; lost: no more than that.",
)
@click.pass_obj
def revoke_key(make: MakeWork, key: str, reason: str) -> None:
    """Revoke a key, by its id, that another has replaced (`keys rotate`)."""
    work = make()
    with opened(work):
        _say(revoke(work.home, work.signing, key, reason, work.day.isoformat()))
