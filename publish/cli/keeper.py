"""What somebody types who keeps a copy of the data: no home and no declarations are needed."""

from contextlib import closing
from pathlib import Path

import click

from ..apply import apply as apply_deltas
from ..errors import BadKey, NotVerified
from ..minisign import PublicKey
from ..places import place
from ..verified import verify
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


@main.command("verify-release")
@click.argument("where", metavar="DIR|URL")
@click.option("--key", metavar="KEY", help="The publisher's public key, or its file: one that you have from elsewhere. Best given.")
def verify_release(where: str, key: str | None) -> None:
    """Verify a release, in a folder or at its address: signature, manifest, every file, and the chain to earlier ones that are there.

    One line for each fault, and exit code 1; 2 where there is no release, 3 out of reach, 7 where no key can be trusted.
    """
    pin = None if key is None else _public(key)
    with closing(place(where)) as there:
        found = verify(there, pin)
    for line in found.notes:
        click.echo(f"note: {line}")
    for line in found.faults:
        click.echo(line)
    if found.faults:
        number = len(found.faults)
        raise NotVerified(
            f"{where}: is not what was signed: {number} {'fault' if number == 1 else 'faults'}; do not use it, and tell the publisher"
        )
    back = f", and the chain of {len(found.chain)} earlier releases back to {found.chain[-1]}" if found.chain else ""
    click.echo(f"release {found.release}: signed by key {found.key}; {found.files} files are what was signed{back}")


def _public(given: str) -> PublicKey:
    """A public key, of its line or its file."""
    try:
        text = Path(given).read_text("ascii") if Path(given).is_file() else given
        (line,) = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("untrusted comment:")]
        return PublicKey.parse(line)
    except (ValueError, OSError) as error:
        raise BadKey(f"--key {given[:80]!r}: is no public key of minisign's (RW… and 54 characters more), nor the file of one") from error
