"""The command `mingbai`: what staff type. One command a stage, and `run` for all of them in order.

Options can be given as MINGBAI_* variables; there is no other configuration. Exit codes: 0 done (also: nothing new), 1 a value or record
cannot be used, 2 a wrong declaration, option or home, 3 the source is out of reach for now, 4 the source broke a promise, 5 held for review,
6 another run is working here, 130 interrupted. The home of click.
"""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from . import __version__
from .candidate import Candidate
from .catalogue import Catalogue, load
from .demo import demo as run_demo
from .errors import BadDeclaration, BadHome, Mingbai
from .home import Home
from .issues import summary
from .keep import POLICY
from .metadata import metadata_text
from .platform import FAULTS, serve_forever
from .run import (
    DEFAULT_SITE,
    Access,
    Work,
    assembled,
    at_work,
    compare,
    fetch,
    inputs_for,
    judge,
    lay_out,
    make_feeds,
    make_index,
    publish,
    run,
)
from .snapshot import Snapshot, sealed
from .snapshot import load as load_snapshot
from .validate import validate

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("full", "I/O", "unable to open", "readonly", "malformed")  # the last of a file without a journal, after a write that failed
NO_RIGHT = (errno.EROFS, errno.EACCES, errno.EPERM)


class Bar:
    """Progress as a bar on a terminal, as plain lines elsewhere; both on standard error."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.label, self.done = "", 0
        self.total: int | None = None
        self.terminal = sys.stderr.isatty()

    def start(self, label: str, total: int | None) -> None:
        self.label, self.done, self.total = label, 0, total
        if self.terminal and total:
            self.bar = click.progressbar(length=total, label=label.ljust(24), file=sys.stderr)
            self.bar.__enter__()
        else:
            click.echo(f"{label} …" if total is None else f"{label} … ({total:,})", err=True)

    def advance(self, amount: int = 1) -> None:
        self.done += amount
        if self.bar is not None:
            self.bar.update(amount)

    def finish(self) -> None:
        if self.bar is not None:
            self.bar.__exit__(None, None, None)
            self.bar = None
        elif self.total is None:
            click.echo(f"{self.label}: {self.done:,}", err=True)

    def say(self, text: str) -> None:
        click.echo(text, err=True)


class Commands(click.Group):
    """Lists commands in the order of the work and turns every error that is ours into one line and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Mingbai as error:
            click.echo(f"mingbai: {' '.join(str(error).split())}", err=True)
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
    "--site", default=DEFAULT_SITE, show_default=True, show_envvar=True, help="Public address of the site, for links and ids in feeds."
)
@click.option("--now", default=None, show_envvar=True, help="Act as if it were this instant (ISO 8601 with zone), to repeat a run.")
@click.version_option(__version__, prog_name="mingbai")
@click.pass_context
def main(ctx: click.Context, home: Path, datasets: Path | None, more_sources: Path | None, site: str, now: str | None) -> None:
    """Publish open data on off-campus training from the platform and the bureaus.

    \b
    A first release:    mingbai run --source platform=https://platform.example
    Look at it:         mingbai serve
    By single steps:    mingbai extract, stage, diff, review, release, index, feeds, go-live

    Exit codes: 0 done or nothing new, 2 wrong declaration, option or home, 3 source out of reach, 4 source broke a promise,
    5 held for review, 6 another run is working, 130 interrupted.
    """

    def work() -> Work:
        return Work(Home(home), load(datasets, more_sources), _instant(now), site.rstrip("/"), Bar())

    ctx.obj = work


def _instant(now: str | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(now)
    except ValueError as error:
        raise click.BadParameter(f"{now!r} is no ISO 8601 instant", param_hint="--now") from error
    if instant.tzinfo is None:
        raise click.BadParameter(f"{now!r} has no time zone; add Z or +08:00", param_hint="--now")
    return instant


MakeWork = Callable[[], Work]
sources_option = click.option(
    "--source", "sources", multiple=True, metavar="NAME=ADDRESS", envvar="MINGBAI_SOURCES", show_envvar=True,
    help="A source (datasets/sources/NAME.yml) and where it is now: an address, a folder or file of a delivery, or an archived snapshot. Repeatable.",
)  # fmt: skip
token_option = click.option(
    "--token", default=None, envvar="MINGBAI_TOKEN", show_envvar=True, help="Bearer token for the platform; best given as the variable."
)

rate_option = click.option(
    "--rate",
    type=float,
    default=None,
    envvar="MINGBAI_RATE",
    show_envvar=True,
    help="Requests a second, 0 for no limit; else as the source's file says.",
)


def _addresses(catalogue: Catalogue, given: tuple[str, ...]) -> dict[str, str]:
    """Name to address, from NAME=ADDRESS; without any, the sources whose file gives an address."""
    addresses = {}
    for pair in given:
        name, separator, address = pair.partition("=")
        if not separator or not address:
            raise BadDeclaration(f"--source {pair!r}: expected NAME=ADDRESS, such as platform=https://platform.example")
        catalogue.source(name)
        addresses[name] = address
    if not given:
        addresses = {source.name: source.address for source in catalogue.sources.values() if source.address}
    if not addresses:
        raise BadDeclaration(f"no source is given; add --source NAME=ADDRESS with one of {', '.join(catalogue.sources)}")
    return addresses


@main.command("run")
@sources_option
@token_option
@rate_option
@click.option("--approve", metavar="DIGEST", default=None, help="Publish the held candidate with this digest; no source is asked.")
@click.pass_obj
def run_command(make: MakeWork, sources: tuple[str, ...], token: str | None, rate: float | None, approve: str | None) -> None:
    """Extract every source and publish what is new: all steps in order."""
    work = make()
    addresses = {} if approve else _addresses(work.catalogue, sources)
    result = run(work, addresses, approval=approve, access=Access(token, rate))
    if result.release is None:
        click.echo("nothing new; the live release stays as it is")
    else:
        click.echo(_accounting(work, result.release))


@main.command()
@sources_option
@token_option
@rate_option
@click.pass_obj
def extract(make: MakeWork, sources: tuple[str, ...], token: str | None, rate: float | None) -> None:
    """Fetch every source into a sealed snapshot; print their ids."""
    work = make()
    with at_work(work):
        for name, address in _addresses(work.catalogue, sources).items():
            click.echo(fetch(work, name, address, Access(token, rate)).id)


def _newest(work: Work) -> dict[str, Snapshot]:
    """The newest sealed snapshot of each source."""
    found: dict[str, Snapshot] = {}
    for folder in sealed(work.home.raw):
        snapshot = load_snapshot(folder)
        if snapshot.source in work.catalogue.sources and (
            snapshot.source not in found or found[snapshot.source].taken_at <= snapshot.taken_at
        ):
            found[snapshot.source] = snapshot
    if not found:
        raise BadHome(f"{work.home.raw}: holds no snapshot; run `mingbai extract` first")
    return found


@main.command("validate")
@click.argument("snapshot", required=False)
@click.option("--examples", default=3, show_default=True, help="Examples to show of each kind of issue.")
@click.pass_obj
def validate_command(make: MakeWork, snapshot: str | None, examples: int) -> None:
    """Read a snapshot (the newest of each source unless its id is given) and report every issue; nothing is written."""
    work = make()
    if snapshot and not (work.home.raw / Path(snapshot).name / "seal.json").is_file():
        raise BadHome(
            f"{work.home.raw}: has no snapshot {snapshot!r}; there are {', '.join(folder.name for folder in sealed(work.home.raw)) or 'none'}"
        )
    for one in [load_snapshot(work.home.raw / Path(snapshot).name)] if snapshot else _newest(work).values():
        click.echo(f"{one.id}")
        for line in summary((batch for _, batch in validate(one, work.catalogue)), examples):
            click.echo(f"  {line}")


@main.command()
@click.pass_obj
def stage(make: MakeWork) -> None:
    """Validate the newest snapshots and make the private and the public tables of a candidate."""
    work = make()
    with at_work(work):
        candidate = assembled(work, inputs_for(work, _newest(work)))
    for table, kinds in candidate.assembled.accounting.items():
        click.echo(f"{table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}")


@main.command()
@click.pass_obj
def diff(make: MakeWork) -> None:
    """Compare the candidate with the live release."""
    work = make()
    with at_work(work):
        changes = compare(work, Candidate.load(work.home)).compared()
    click.echo("the first release" if changes.first else "no change" if not changes.counts else "")
    for table, kinds in changes.counts.items():
        click.echo(f"{table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}")


@main.command()
@click.pass_obj
def review(make: MakeWork) -> None:
    """Hold the candidate against the bounds; print its digest and what tripped."""
    work = make()
    with at_work(work):
        candidate = judge(work, Candidate.load(work.home))
    for finding in candidate.findings:
        click.echo(finding)
    click.echo(f"{'held' if candidate.findings else 'go'} {candidate.digest}")


@main.command()
@click.option("--approve", metavar="DIGEST", default=None, help="The digest that review printed, where it held the candidate.")
@click.pass_obj
def release(make: MakeWork, approve: str | None) -> None:
    """Lay the candidate out as a release folder under a temporary name; print its id."""
    work = make()
    with at_work(work):
        click.echo(lay_out(work, Candidate.load(work.home), approve).release)


@main.command()
@click.pass_obj
def index(make: MakeWork) -> None:
    """Build the search index of the release in the making."""
    work = make()
    with at_work(work):
        click.echo(f"{make_index(work, Candidate.load(work.home)):,} documents")


@main.command()
@click.pass_obj
def feeds(make: MakeWork) -> None:
    """Write the feeds of the release in the making."""
    work = make()
    with at_work(work):
        click.echo(f"{make_feeds(work, Candidate.load(work.home)):,} entries")


@main.command("go-live")
@click.pass_obj
def go_live(make: MakeWork) -> None:
    """Seal the release in the making and make it the live one, in one rename."""
    work = make()
    with at_work(work):
        click.echo(_accounting(work, publish(work, Candidate.load(work.home))))


def _accounting(work: Work, identifier: str) -> str:
    manifest = work.home.manifest(identifier)
    lines = [f"release {identifier} is live"]
    lines += [
        f"  {table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}" for table, kinds in manifest["accounting"].items()
    ]
    if manifest["issues"]:
        lines.append(f"  issues: {', '.join(f'{kind} {number:,}' for kind, number in manifest['issues'].items())}")
    return "\n".join(lines)


@main.command()
@click.pass_obj
def status(make: MakeWork) -> None:
    """Say which release is live, how the last run ended, and what is held."""
    work = make()
    found = work.home.read_status()
    click.echo(f"live: {work.home.live() or 'no release yet'}")
    click.echo(f"kept: {len(work.home.release_ids())} releases; {POLICY}")
    last = found.get("last_run")
    click.echo(f"last run: {last['at']} {last['outcome']}: {last['reason']}" if last else "last run: none")
    if work.home.detail.is_file():
        click.echo(f"  {work.home.detail.read_text(encoding='utf-8').strip()}")
    for name, source in found.get("sources", {}).items():
        click.echo(f"source {name}: last checked {source['last_checked']}")
    if (work.home.candidate / "candidate.json").is_file():
        try:
            candidate = Candidate.load(work.home)
        except BadHome as error:
            click.echo(f"in the making: {error}")
            return
        click.echo(f"in the making: {candidate.digest or 'not reviewed yet'}")
        for finding in candidate.findings:
            click.echo(f"  {finding}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, envvar="MINGBAI_PORT", show_envvar=True)
@click.pass_obj
def serve(make: MakeWork, host: str, port: int) -> None:
    """Serve the live release, and each that follows it without a restart."""
    from .web.server import serve as serve_site  # Datasette takes a second to import, which no other command should wait for

    work = make()
    serve_site(
        work.home.path,
        host,
        port,
        base_url=work.site if work.site != DEFAULT_SITE else None,
        on_ready=lambda url: click.echo(f"mingbai answers at {url}"),
    )


@main.command()
@click.option("--institutions", default=3000, show_default=True, help="How many there are on day 0.")
@click.option("--notices", default=None, type=int, help="How many notices on day 0.  [default: a tenth of the institutions]")
@click.option("--seed", default=1, show_default=True, help="Another seed is another world.")
@click.option("--day", default=0, show_default=True, help="Days since day 0: additions, changes, delistings, corrections, repairs.")
@click.option("--months", default=6, show_default=True, help="Closed months of ratings.")
@click.option("--dimensions", default=1, show_default=True, help="Rated aspects.")
@click.option(
    "--fault", "faults", multiple=True, metavar="KIND[:LISTING[:PAGE]]", help=f"Go wrong on purpose. KIND is one of {', '.join(FAULTS)}."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8002, show_default=True)
def platform(
    institutions: int, notices: int | None, seed: int, day: int, months: int, dimensions: int, faults: tuple[str, ...], host: str, port: int
) -> None:
    """Run the reference platform: an invented one, for development, demos and tests."""
    serve_forever(
        institutions=institutions, seed=seed, day=day, months=months, dimensions=dimensions, notices=notices, host=host, port=port,
        faults=list(faults), token=os.environ.get("MINGBAI_TOKEN"), on_ready=lambda url: click.echo(url),
    )  # fmt: skip


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, envvar="MINGBAI_PORT", show_envvar=True)
@click.option("--institutions", default=3000, show_default=True)
@click.pass_obj
def demo(make: MakeWork, port: int, institutions: int) -> None:
    """Start the reference platform, publish two of its days, and serve them until interrupted."""
    run_demo(make(), port, institutions, click.echo)


@main.command("metadata")
@click.option("--write", type=click.Path(path_type=Path), default=None, help="Write to this file instead of standard output.")
@click.pass_obj
def metadata_command(make: MakeWork, write: Path | None) -> None:
    """Make metadata.yml from the declarations."""
    text = metadata_text(make().catalogue)
    if write:
        write.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


@main.command()
@click.pass_obj
def check(make: MakeWork) -> None:
    """Check every declaration; nothing is fetched."""
    catalogue = make().catalogue
    click.echo(
        f"{len(catalogue.datasets)} datasets, {len(catalogue.tables)} tables, {len(catalogue.sources)} sources, {len(catalogue.codes)} code tables: all well"
    )
