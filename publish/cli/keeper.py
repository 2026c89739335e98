"""What somebody types who keeps a copy of the data: no home and no declarations are needed."""

from pathlib import Path

import click

from ..apply import apply as apply_deltas
from .group import main


@main.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("deltas", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the result goes; may be BASE. Over anything but a database nothing is written.",
)
@click.option("--sha256", "expected", default=None, metavar="HASH", help="What SHA256SUMS of the last release says of mingbai.db.")
def apply(base: Path, deltas: tuple[Path, ...], target: Path, expected: str | None) -> None:
    """Bring a copy of a release (BASE: its mingbai.db or folder) forward by deltas (NDJSON), in order, to the published bytes of a later one.

    A delta that is lost, repeated, out of order or altered is refused, and what was there stays.
    """
    click.echo(f"{apply_deltas(base, deltas, target, expected)}  {target}")
