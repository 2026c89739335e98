"""What somebody types who keeps a copy of the data: no home and no declarations are needed."""

import re
from contextlib import closing
from pathlib import Path

import click

from ..apply import apply as apply_deltas
from ..errors import BadKey, NotRead, NotVerified
from ..home import RELEASE_ID, china_day
from ..manifests import read
from ..minisign import PublicKey
from ..places import Folder, Unreadable
from ..remembered import Remembered, age, days, to_come
from ..served import LATEST, place
from ..verified import verify
from .group import instant, main


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
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--key", metavar="KEY", help="The publisher's public key, or its file: one that you have from elsewhere. Best given.")
@click.option(
    "--after",
    metavar="RELEASE:SHA256|FILE",
    help="What you verified last, as it was printed, or its manifest.json: the release has to be it, a later issue of that very one, or go on from it.",
)
@click.option(
    "--not-older-than", "most", type=click.IntRange(0), metavar="DAYS", help="How old the release may be, by this machine's clock."
)
@click.pass_context
def verify_release(ctx: click.Context, where: str, files: tuple[Path, ...], key: str | None, after: str | None, most: int | None) -> None:
    """Verify a release, in a folder or at its address: signature, manifest, every file, and the chain to earlier ones that are there. At an address every
    file is one for readers: deltas, search indexes and tombstones.json are in a copy alone, and feeds, status.json and what pages say are never signed.

    With FILEs, which you have from that release under whatever name, these and not its own: a file counts by what is in it, packed or not.

    Signatures do not show that an old release is served as the newest, nor that others are shown another chain: --not-older-than and --after do, as far as
    it goes. Within those days an old one passes, and where nothing changed no release is made, so that an older one may be the newest.

    One line for each fault, and exit code 1; 2 where there is no release, 3 where it, or a file of it, could not be read, or its age not be judged, 4 where an
    address leads elsewhere or its certificate is not accepted, 7 where no key can be trusted.
    """
    pin = None if key is None else _public(key)
    today = china_day(instant(ctx.find_root().params["now"]))
    known, of = (None, None) if after is None else _manifest(after)
    by = Remembered(today, known, of, most)
    with closing(place(where)) as there:
        is_latest = there.is_site and there.name == LATEST
        found = verify(there, pin, files, by)
    for line in found.notes:
        click.echo(f"note: {line}")
    if is_latest and (old := age(found.release, today)) is not None and not found.unjudged:
        is_old = f"the newest release here is {found.release}, {days(old)} old: whether there is a newer one no signature shows"
        click.echo(f"note: {is_old if old >= 0 else to_come(found.release, today)}")
    for line in (*found.known, *found.unread, *found.unjudged, *found.faults):
        click.echo(line)
    if found.faults:
        number = f"{len(found.faults)} {'fault' if len(found.faults) == 1 else 'faults'}"
        what = "not all is of it and as it was signed" if files else "is not what was signed"
        asked = "" if after is None and most is None else ", or not what is asked of it"
        raise NotVerified(f"{where}: {what}{asked}: {number}; do not use it, and tell the publisher")
    if found.unread:
        raise NotRead(
            f"{where}: {len(found.unread)} of {len(found.unread) + found.files} files could not be read and are not verified; what was read is of release {found.release}, signed by key {found.key}"
        )
    if found.unjudged:
        raise NotRead(
            f"{where}: not all that is asked could be judged; what was read is of release {found.release}, signed by key {found.key}"
        )
    back = f", and the chain of {len(found.chain)} earlier releases back to {found.chain[-1]}" if found.chain else ""
    click.echo(
        f"release {found.release}: signed by key {found.key}; {found.files} files are {'of it' if files else 'what was signed'}{back}"
    )
    click.echo(f"next time: --after {found.release}:{found.manifest}")


def _manifest(given: str) -> tuple[str, str | None]:
    """The hash of a manifest that was verified before, and of which release it is, where that is given."""
    of, colon, sha256 = given.rpartition(":")
    if re.fullmatch(r"[0-9A-Fa-f]{64}", sha256) and (RELEASE_ID.fullmatch(of) or not colon):
        return sha256.lower(), of or None
    wrong: list[str] = []
    path = Path(given)
    try:
        data = Folder(path.parent).small(path.name)
    except Unreadable as error:
        raise click.BadParameter(f"{given}: {error}", param_hint="--after") from error
    found = read(data or b"", given, wrong)
    if data is None or wrong:
        raise click.BadParameter(f"{given!r}: is neither RELEASE:SHA256 nor a manifest.json", param_hint="--after")
    return found.sha256, found.id


def _public(given: str) -> PublicKey:
    """A public key, of its line or its file."""
    try:
        text = Path(given).read_text("ascii") if Path(given).is_file() else given
        (line,) = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("untrusted comment:")]
        return PublicKey.parse(line)
    except (ValueError, OSError) as error:
        raise BadKey(f"--key {given[:80]!r}: is no public key of minisign's (RW… and 54 characters more), nor the file of one") from error
