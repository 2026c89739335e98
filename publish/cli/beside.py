"""What stands beside the run: servers, the demo, what the declarations give by themselves, and a release that is made again."""

import os
from pathlib import Path

import click

from ..demo import demo as run_demo
from ..errors import BadHome
from ..metadata import metadata_text
from ..platform import FAULTS, serve_forever
from ..rebuild import rebuild as rebuild_release
from ..rebuild import rebuild_downloads
from ..work import DEFAULT_SITE, opened
from .group import MakeWork, main


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, envvar="MINGBAI_PORT", show_envvar=True)
@click.option(
    "--contact", default=None, metavar="ADDRESS", envvar="MINGBAI_CONTACT", show_envvar=True,
    help="Where readers report errors: an e-mail address, or the web address of a form. Without it the pages say that there is none.",
)  # fmt: skip
@click.pass_obj
def serve(make: MakeWork, host: str, port: int, contact: str | None) -> None:
    """Serve the live release, and each that follows it without a restart. What has ended is told by the clock, whatever --now says."""
    from ..web.contact import contact as read_contact  # Datasette takes a second to import, which no other command should wait for
    from ..web.server import serve as serve_site

    try:
        told = read_contact(contact) if contact else None
    except ValueError as error:
        raise BadHome(f"--contact (MINGBAI_CONTACT): {error}") from error
    work = make()
    serve_site(
        work.home.path,
        host,
        port,
        base_url=work.site if work.site != DEFAULT_SITE else None,
        hubs=work.hubs,
        contact=told,
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


@main.command()
@click.argument("release")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A new file outside the home; its owner alone can read it.",
)
@click.option(
    "--downloads", is_flag=True, help="Make its downloads again too, beside the file, and say which are other bytes than were published."
)
@click.pass_obj
def rebuild(make: MakeWork, release: str, target: Path, downloads: bool) -> None:
    """Make the mingbai.db of any release again of history alone, kept or not, and hold it against its hash. For the operator, not for readers."""
    work = make()
    with opened(work):
        found = rebuild_release(work.home, release, target)
        others = rebuild_downloads(work.home, work.catalogue, release, target) if downloads else None
    by = "its manifest" if found.kept else "history, for its files are no longer kept or are damaged"
    click.echo(f"{target}: release {release} to the byte, sha256 {found.sha256} as in {by}")
    click.echo(
        "  what has ended since is in it: only the owner of the file can read it (0600), and it is not to be published 含已过公示期的内容，不得公开"
    )
    if others:
        raise BadHome(
            f"{target.parent / 'downloads'}: other bytes than were published, by other declarations or libraries: {', '.join(others)}"
        )
    if others is not None:
        click.echo(f"{target.parent / 'downloads'}: every file to the byte")
