"""What a clerk types: look at a candidate, approve or refuse it, go back to an earlier release, read the log. A decision needs a name and a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .. import decide
from ..amend import Request, amend
from ..audit import Entry, cut_off, entries
from ..candidate import Candidate
from ..errors import BadHome, BadValue
from ..nowhere import nowhere
from ..reviewpage import PAGE
from ..reviewtext import lines, seen
from ..steps import judge, show
from ..withdraw import withdraw as decide_withdrawal
from ..withdrawals import REASONS
from ..wording import LANGUAGES
from ..work import opened
from .group import MakeWork, main
from .steps import accounting, held


def signature(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options without which nothing is decided."""
    command = click.option("--reason", required=True, metavar="TEXT", help="Why, in a sentence; kept in the log.")(command)
    return click.option("--by", required=True, metavar="NAME", help="Who decides; kept in the log.")(command)


@main.command()
@click.pass_obj
def review(make: MakeWork) -> None:
    """Hold the candidate against the bounds; show what it would change, in Chinese and English, and write it as a page."""
    work = make()
    if work.live and not work.home.candidate_file.is_file():
        click.echo("nothing waits for a decision; the live release stays as it is")
        for line in held(work):
            click.echo(line)
        return
    with opened(work):
        candidate = Candidate.load(work.home)
        if candidate.approved is None:  # what people have begun to approve stays as they saw it
            candidate = judge(work, candidate)
        found = show(work, candidate)
    for lang in LANGUAGES:
        for line in lines(found, lang):
            click.echo(line)
        click.echo()
    click.echo(work.home.candidate / PAGE)
    click.echo(f"{'held' if candidate.names else 'go'} {candidate.signed_as()}")


@main.command()
@click.argument("digest")
@signature
@click.pass_obj
def approve(make: MakeWork, digest: str, by: str, reason: str) -> None:
    """Approve the held candidate of a digest and publish it; says who is missing where two people have to."""
    work = make()
    result = decide.approve(work, digest, by, reason)
    click.echo(accounting(work, str(result.release)))


@main.command()
@click.argument("digest")
@signature
@click.pass_obj
def refuse(make: MakeWork, digest: str, by: str, reason: str) -> None:
    """Refuse the held candidate of a digest; if the source says the same again, it is held again."""
    decide.refuse(make(), digest, by, reason)
    click.echo(f"refused {digest}; the live release stays as it is")


@main.command()
@click.argument("source")
@click.argument("table")
@click.argument("region")
@signature
@click.pass_obj
def accept(make: MakeWork, source: str, table: str, region: str, by: str, reason: str) -> None:
    """Accept a true mass change of a held region (TABLE such as institutions, or all; REGION as `review` and `status` give it) and publish it."""
    work = make()
    result = decide.accept(work, source, table, region, by, reason)
    click.echo(accounting(work, str(result.release)))


@main.command()
@click.argument("release")
@signature
@click.pass_obj
def live(make: MakeWork, release: str, by: str, reason: str) -> None:
    """Go back to what an earlier release says, as a new release; what has ended or was withdrawn since does not come back."""
    work = make()
    result = decide.back(work, release, by, reason)
    click.echo(accounting(work, str(result.release)))


@main.command()
@click.argument("notice")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="The class of reason; readers are told this and no more.")
@click.option(
    "--document", required=True, metavar="TEXT", help="The authority's document that says so, its number or address; kept in the log."
)
@click.option("--by", required=True, metavar="NAME", help="Who signs; two different people have to.")
@click.option("--note", required=True, metavar="TEXT", help="Why, in a sentence; kept in the log.")
@click.pass_obj
def withdraw(make: MakeWork, notice: str, reason: str, document: str, by: str, note: str) -> None:
    """Take a notice out of the live release, every earlier one, search, feeds and history. Two people sign; the second carries it out."""
    work = make()
    decide_withdrawal(work, notice, reason, document, by, note)
    with opened(work):
        for line in nowhere(work):
            click.echo(line)


@main.command()
@click.pass_obj
def withdrawn(make: MakeWork) -> None:
    """Show what was withdrawn, and prove that nothing of it is left in what readers can reach."""
    work = make()
    work.home.there()
    with opened(work):
        for line in nowhere(work):
            click.echo(line)


def statement(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every statement about a notice needs."""
    for option in (
        click.option("--note", required=True, metavar="TEXT", help="Why, in a sentence; kept in the log."),
        click.option("--by", required=True, metavar="NAME", help="Who enters it; kept in the log."),
        click.option(
            "--document", required=True, metavar="TEXT", help="The document that says so, its number or address; readers see it, screened."
        ),
        click.argument("notice"),
    ):
        command = option(command)
    return command


@main.command()
@statement
@click.option("--text", default=None, metavar="TEXT", help="What is replied; personal data is taken out before it is entered.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The same from a file in UTF-8.")
@click.option("--from", "said_by", required=True, metavar="WHO", help="Who replies; of a person readers see 姓+某.")
@click.option("--on", "said_on", required=True, metavar="DATE", help="The day of the reply.")
@click.pass_obj
def reply(
    make: MakeWork, notice: str, document: str, by: str, note: str, text: str | None, file: Path | None, said_by: str, said_on: str
) -> None:
    """Put the subject's reply beside a notice; it is shown at once."""
    if (text is None) == (file is None):
        raise click.UsageError("give the reply with --text or with --file, one of them")
    try:
        said = text if file is None else file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadValue(f"{file}: is no text in UTF-8") from error
    _amend(make, Request("reply", notice, document, by, note, said or "", said_by, said_on))


@main.command()
@statement
@click.option(
    "--settled",
    is_flag=True,
    help="It was checked: end the dispute. Readers go on seeing the document that it rests on; that of the end is kept in the log.",
)
@click.pass_obj
def dispute(make: MakeWork, notice: str, document: str, by: str, note: str, settled: bool) -> None:
    """Flag a notice as disputed while it is checked, or end that with --settled."""
    _amend(make, Request("settle" if settled else "dispute", notice, document, by, note))


@main.command()
@statement
@click.option(
    "--field", "fields", multiple=True, required=True, metavar="COLUMN=VALUE", help="A column and what it should say; repeatable."
)
@click.pass_obj
def correct(make: MakeWork, notice: str, document: str, by: str, note: str, fields: tuple[str, ...]) -> None:
    """Correct columns of a notice by a document of the authority; they stay so, whatever the source goes on saying."""
    given = dict(pair.partition("=")[::2] for pair in fields)
    if len(given) != len(fields) or not all("=" in pair for pair in fields):
        raise click.BadParameter("expected COLUMN=VALUE, each column once", param_hint="--field")
    _amend(make, Request("correct", notice, document, by, note, fields=given))


def _amend(make: MakeWork, request: Request) -> None:
    work = make()
    result = amend(work, request)
    click.echo(accounting(work, result.release) if result.release else "entered before; the live release says so already")


@main.command()
@click.pass_obj
def audit(make: MakeWork) -> None:
    """Print the log of decisions and check that nothing in it was changed, taken out or cut off."""
    home = make().home
    home.there()
    found = entries(home)
    for entry in found:
        click.echo(_line(entry))
    if missing := cut_off(home, found):
        raise BadHome(
            f"{home.audit}: has no entry of release {', '.join(missing)}: something was cut off its end; restore the file from a copy"
        )
    click.echo(f"{len(found):,} entries, each follows the one before; the last is {found[-1].sha256}" if found else "no entries yet")


def _line(entry: Entry) -> str:
    about = "; ".join(f"{key} {seen(_said(value), 200)}" for key, value in entry.about.items() if value)
    return f"{entry.number} {entry.at} {entry.act} by {seen(entry.by)}: {seen(entry.reason, 200)} ({about})"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {str(one)[:12]}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(
            " ".join("all" if part is None else str(part) for part in one) if isinstance(one, list) else str(one) for one in value
        )
    return str(value)
