"""The run and its steps, one command each, in the order of the work, and what they left: `status`."""

from collections.abc import Iterator
from pathlib import Path

import click

from .. import keys as known
from ..audit import approvals, entries
from ..bodies import bodies
from ..candidate import Candidate
from ..catalogue import Catalogue
from ..deliver import after_release
from ..errors import BadDeclaration, BadHome
from ..feedfile import feedfile, moved
from ..fresh import is_stale
from ..inbox import take
from ..index import unsearchable
from ..inputs import fetch, inputs_for
from ..issues import summary
from ..keep import POLICY
from ..run import run
from ..signing import signed_by
from ..snapshot import Snapshot, sealed
from ..snapshot import load as load_snapshot
from ..steps import assembled, compare, lay_out, make_downloads, make_index, publish
from ..validate import validate
from ..withdrawals import withdrawals
from ..work import Access, Work, opened
from .group import MakeWork, main
from .newsroom import standing

sources_option = click.option(
    "--source", "sources", multiple=True, metavar="NAME=ADDRESS", envvar="MINGBAI_SOURCES", show_envvar=True,
    help="A source (datasets/sources/NAME.yml) and where it is now: an address, a folder or file of a delivery, or an archived snapshot. Repeatable.",
)  # fmt: skip
token_option = click.option(
    "--token", default=None, envvar="MINGBAI_TOKEN", show_envvar=True, help="Bearer token for the platform; best given as the variable."
)
rate_option = click.option(
    "--rate", type=float, default=None, envvar="MINGBAI_RATE", show_envvar=True,
    help="Requests a second, 0 for no limit; else as the source's file says.",
)  # fmt: skip


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
@click.pass_obj
def run_command(make: MakeWork, sources: tuple[str, ...], token: str | None, rate: float | None) -> None:
    """Take what clerks put into the inbox, then extract every source and publish what is new: all steps in order."""
    work = make()
    addresses = _addresses(work.catalogue, sources)
    if (taken := take(work)) and taken.release:
        click.echo(accounting(work, taken.release))
    result = run(work, addresses, access=Access(token, rate))
    if result.release is None:
        click.echo("nothing new; the live release stays as it is")
    else:
        click.echo(accounting(work, result.release))


@main.command()
@sources_option
@token_option
@rate_option
@click.pass_obj
def extract(make: MakeWork, sources: tuple[str, ...], token: str | None, rate: float | None) -> None:
    """Fetch every source into a sealed snapshot; print their ids."""
    work = make()
    with opened(work):
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
    with opened(work):
        candidate = assembled(work, inputs_for(work, _newest(work)))
    for table, kinds in candidate.assembled.accounting.items():
        click.echo(f"{table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}")


@main.command()
@click.pass_obj
def diff(make: MakeWork) -> None:
    """Compare the candidate with the live release."""
    work = make()
    with opened(work):
        changes = compare(work, Candidate.load(work.home)).compared()
    click.echo("the first release" if changes.first else "no change" if not changes.counts else "")
    for table, kinds in changes.counts.items():
        click.echo(f"{table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}")


@main.command()
@click.pass_obj
def release(make: MakeWork) -> None:
    """Lay the candidate out as a release folder under a temporary name; print its id."""
    work = make()
    with opened(work):
        click.echo(lay_out(work, Candidate.load(work.home)).release)


@main.command()
@click.pass_obj
def downloads(make: MakeWork) -> None:
    """Write the files of the release in the making that people take away: CSV, XLSX, NDJSON, Parquet, the database packed."""
    work = make()
    with opened(work):
        click.echo(f"{make_downloads(work, Candidate.load(work.home)):,} files")


@main.command()
@click.pass_obj
def index(make: MakeWork) -> None:
    """Build the search index of the release in the making."""
    work = make()
    with opened(work):
        click.echo(f"{make_index(work, Candidate.load(work.home)):,} documents")


@main.command()
@click.pass_obj
def feeds(make: MakeWork) -> None:
    """Make the feeds of the live release again, as for another --site or --hub."""
    work = make()
    with opened(work):
        if work.live is None:
            raise BadHome(f"{work.home.path}: has no release yet; run `mingbai run` first")
        if line := moved(work.home, work.site, work.hubs):
            click.echo(line)
        made = feedfile(work.home, work.catalogue, work.home.releases / work.live, work.live, work.site, work.hubs)
        click.echo(f"{made}")


@main.command("go-live")
@click.pass_obj
def go_live(make: MakeWork) -> None:
    """Seal the release in the making and make it the live one, in one rename."""
    work = make()
    with opened(work):
        click.echo(accounting(work, publish(work, Candidate.load(work.home))))
    after_release(work, bodies)


def accounting(work: Work, identifier: str) -> str:
    """What a release holds, in lines."""
    manifest = work.home.manifest(identifier)
    lines = [f"release {identifier} is live"]
    lines += [
        f"  {table}: {', '.join(f'{kind} {number:,}' for kind, number in kinds.items())}" for table, kinds in manifest["accounting"].items()
    ]
    lines += [
        f"  held since {held['since']}: {held['source']} {held['table']} {held['region']} ({held['bound']})" for held in manifest["held"]
    ]
    if manifest["issues"]:
        lines.append(f"  issues: {', '.join(f'{kind} {number:,}' for kind, number in manifest['issues'].items())}")
    return "\n".join(lines)


def _region(work: Work, code: str) -> str:
    try:
        return work.catalogue.regions.name(code)
    except KeyError:
        return ""


def held(work: Work) -> Iterator[str]:
    """What of the live release is not updated, in lines, and where to see what would change there."""
    rows = work.live_manifest().get("held", [])
    for row in rows:
        place = f"{row['source']} {row['table']} {row['region']}"
        yield (
            f"held: {place} {_region(work, row['region'])} since {row['since']} ({work.catalogue.codes['bounds'].label(row['bound']).zh} {row['bound']}); "
            f"where the change is true: mingbai accept {place} --by NAME --reason TEXT"
        )
    if rows and work.home.held_page.is_file():
        yield f"  what would change there: {work.home.held_page}"


@main.command()
@click.pass_obj
def status(make: MakeWork) -> None:
    """Say which release is live, how the last run ended, and what is held."""
    work = make()
    work.home.there()
    found = work.home.read_status()
    click.echo(f"live: {work.home.live() or 'no release yet'}")
    if work.live and (why := unsearchable(work.home.releases / work.live)):
        click.echo(
            f"  it cannot be searched: {why}; `mingbai run` makes one that can, as do the steps from `mingbai stage` on, which ask no source"
        )
    click.echo(f"kept: {len(work.home.release_ids())} releases; {POLICY}")
    if (keys := known.read(work.home)) and work.live:
        by = signed_by(work.home)
        click.echo(
            f"signed: by key {by}; key {keys.current.public.id} signs"
            if by
            else f"signed: release {work.live} is not; the next run with key {keys.current.public.id} signs it"
        )
    if versions := work.live_manifest().get("versions"):
        click.echo("versions: " + ", ".join(f"{dataset} {one['version']}" for dataset, one in versions.items()))
    last = found.get("last_run")
    click.echo(f"last run: {last['at']} {last['outcome']}: {last['reason']}" if last else "last run: none")
    if work.home.detail.is_file():
        click.echo(f"  {work.home.detail.read_text(encoding='utf-8').strip()}")
    for line in held(work):
        click.echo(line)
    try:
        signed = withdrawals(entries(work.home))
    except BadHome as error:
        click.echo(f"log of decisions: {error}; nothing is published before it is whole")
        return
    for one in signed.values():
        if one.on is None:
            click.echo(f"withdrawal of {one.notice} ({one.reason}): signed by {', '.join(one.names)}; another person has to sign")
    checked = {name: source.get("last_checked") for name, source in found.get("sources", {}).items()}
    for row in work.live_manifest().get("sources", []):
        as_of = max(filter(None, row["as_of"].values()), default=None)
        declared = work.catalogue.sources.get(row["id"])
        stale = is_stale(row["content_since"], as_of, declared.interval_days if declared else None, work.day.isoformat())
        click.echo(
            f"source {row['id']}: as of {as_of or 'unknown'}, says the same since {row['content_since']}, last checked {checked.pop(row['id'], None) or 'never'}"
            f"{'; stale: ask it for newer content' if stale else ''}"
        )
    for name, at in checked.items():
        click.echo(f"source {name}: not in the live release, last checked {at or 'never'}")
    for line in standing(work.home):
        click.echo(line)
    if work.home.candidate_file.is_file():
        try:
            candidate = Candidate.load(work.home)
        except BadHome as error:
            click.echo(f"in the making: {error}")
            return
        click.echo(f"in the making: {candidate.signed_as() if candidate.digest else 'not reviewed yet'}")
        if candidate.names:
            names = approvals(work.home, candidate.signed_as())
            click.echo(
                f"  {candidate.names} must approve it; {', '.join(names) or 'nobody'} has; `mingbai review` shows what it would change"
            )
        for finding in candidate.findings:
            click.echo(f"  {finding}")
