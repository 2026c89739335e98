"""The group of the commands: its options, the order in which help lists them, and how an error becomes one line and an exit code.

Options can be given as MINGBAI_* variables; there is no other configuration. Exit codes: 0 done (also: nothing new), 1 a value or record
cannot be used, 2 a wrong declaration, option or home, 3 the source is out of reach for now, 4 the source broke a promise, 5 held for review,
6 another run is working here, 7 a key that signs or verifies is missing or wrong, 130 interrupted.
"""

import errno
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from .. import __version__
from ..addresses import spelled
from ..catalogue import load
from ..errors import BadDeclaration, BadHome, Mingbai
from ..feedfile import made_for
from ..home import Home
from ..signing import VARIABLE, Signing
from ..work import DEFAULT_SITE, Work
from .bar import Bar

ORDER = (
    "run", "extract", "validate", "stage", "diff", "review", "release", "downloads", "index", "go-live", "feeds", "status", "approve", "refuse", "accept",
    "live", "withdraw", "withdrawn", "reply", "dispute", "correct", "audit", "deliver", "hooks", "keys", "rebuild", "serve", "screen", "sql", "apply",
    "verify-release",
)  # fmt: skip
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("full", "I/O", "unable to open", "readonly", "malformed")  # the last of a file without a journal, after a write that failed
NO_RIGHT = (errno.EROFS, errno.EACCES, errno.EPERM)


class Commands(click.Group):
    """Lists commands in the order of the work and turns every error that is ours into one line and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Mingbai as error:
            said = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in " ".join(str(error).split()))
            click.echo(f"mingbai: {said}", err=True)  # it can repeat what others wrote
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("mingbai: interrupted; run again, what was fetched is kept", err=True)
            ctx.exit(130)
        except OSError as error:
            if error.errno not in (*NO_ROOM, *NO_RIGHT):
                raise
            what = "make room" if error.errno in NO_ROOM else "let this user write there"
            click.echo(
                f"mingbai: {error.filename or ctx.params['home']}: {error.strerror}; what is live is whole: {what} and run again", err=True
            )
            ctx.exit(BadHome.exit_code)
        except sqlite3.DatabaseError as error:
            if not any(word in str(error) for word in FULL_WORDS):
                raise
            click.echo(f"mingbai: {ctx.params['home']}: {error}; what is live is whole: make room and run again", err=True)
            ctx.exit(BadHome.exit_code)


@click.group(
    cls=Commands, context_settings={"auto_envvar_prefix": "MINGBAI", "max_content_width": 110, "help_option_names": ["-h", "--help"]}
)
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path("var"),
    show_default=True,
    show_envvar=True,
    help="Folder for everything that is made.",
)
@click.option(
    "--datasets",
    type=click.Path(path_type=Path),
    default=None,
    show_envvar=True,
    help="Folder of declarations; the project's own unless given.",
)
@click.option(
    "--more-sources", type=click.Path(path_type=Path), default=None, show_envvar=True, help="Folder with further source files (NAME.yml)."
)
@click.option(
    "--site",
    default=None,
    show_envvar=True,
    help=f"Public address of the site, for links in feeds.  [default: the one that the feeds were made for last, with its hubs; at first {DEFAULT_SITE}]",
)
@click.option(
    "--hub",
    "hubs",
    multiple=True,
    metavar="URL",
    envvar="MINGBAI_HUB",
    show_envvar=True,
    help="A WebSub hub that feeds name and that is told of each change. Repeatable. With --site, the hubs that are not given are named no more.",
)
@click.option(
    "--allow-private", "allowed", multiple=True, metavar="NETWORK", envvar="MINGBAI_ALLOW_PRIVATE", show_envvar=True,
    help="A network of your own (10.20.0.0/16) where hubs and webhooks may be, also without https. Repeatable.",
)  # fmt: skip
@click.option(
    "--signing-key", type=click.Path(dir_okay=False, path_type=Path), default=None, envvar=f"{VARIABLE}_FILE", show_envvar=True, allow_from_autoenv=False,
    help=f"File of the key that signs releases, of minisign's and for its owner alone (0600); {VARIABLE} can be the key itself.",
)  # fmt: skip
@click.option(
    "--unsigned", is_flag=True, allow_from_autoenv=False, help="Publish without a signature, this once, where releases are signed."
)
@click.option(
    "--now",
    default=None,
    show_envvar=True,
    help="Act as if it were this instant (ISO 8601 with zone), to repeat a run; serve and hooks go by the clock.",
)
@click.version_option(__version__, prog_name="mingbai")
@click.pass_context
def main(
    ctx: click.Context,
    home: Path,
    datasets: Path | None,
    more_sources: Path | None,
    site: str | None,
    hubs: tuple[str, ...],
    allowed: tuple[str, ...],
    signing_key: Path | None,
    unsigned: bool,
    now: str | None,
) -> None:
    """Publish open data on off-campus training from the platform and the bureaus.

    \b
    A first release:    mingbai run --source platform=https://platform.example
    Look at it:         mingbai serve
    Where it is held:   mingbai review, then approve or refuse DIGEST --by NAME --reason TEXT
    Back to a release:  mingbai live RELEASE --by NAME --reason TEXT
    By single steps:    mingbai extract, stage, diff, review, release, downloads, index, go-live

    Exit codes: 0 done or nothing new, 1 a value that cannot be used, 2 wrong declaration, option or home, 3 source out of reach, 4 source broke a promise,
    5 held for review, 6 another run is working, 7 a key is missing or wrong, 130 interrupted.
    """

    def work() -> Work:
        if site is not None and not _is_address(site):
            raise BadDeclaration(f"--site {site!r}: is no address; expected one such as https://mingbai.example")
        known = (site.rstrip("/"), ()) if site is not None else made_for(Home(home))
        is_known = known is not None or Home(home).live() is None  # of the first release its own address is said with it
        address, named = known or (DEFAULT_SITE, ())
        if hubs and address == DEFAULT_SITE != site:
            raise BadDeclaration("--hub: a hub fetches the feeds from the site's own address; say it with --site as well")
        told = tuple(map(spelled, hubs)) or named
        signing = Signing(signing_key, os.environ.get(VARIABLE) or None, unsigned)
        return Work(Home(home), load(datasets, more_sources), instant(now), address, Bar(), told, allowed, signing, is_known)

    ctx.obj = work


def _is_address(given: str) -> bool:
    """Whether feeds can link to it: else the release would stop at its feeds."""
    try:
        parts = urlsplit(given)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def instant(now: str | None) -> datetime:
    """What --now says, else this moment."""
    if now is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(now)
    except ValueError as error:
        raise click.BadParameter(f"{now!r} is no ISO 8601 instant", param_hint="--now") from error
    if found.tzinfo is None:
        raise click.BadParameter(f"{now!r} has no time zone; add Z or +08:00", param_hint="--now")
    return found


MakeWork = Callable[[], Work]
