"""The run, as one sentence: extract, validate and stage, diff, review, release, index, feeds, go live.

Nothing that a reader sees changes before the last step. A run that fails or is held says so in status.json and leaves the live release
as it was; a run without new content makes no release. Stages write what they made into the candidate's folder, so that each can be run by
itself and a held candidate goes on where it stopped: the source is not asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from . import history
from .assemble import assemble
from .candidate import Candidate
from .catalogue import Catalogue
from .diff import diff
from .errors import BadHome, Mingbai
from .extract import extract
from .home import Home, as_json, china_day, write_whole
from .index import index
from .live import go_live, repair
from .plans import source_plan
from .progress import Progress, silent
from .release import release, seal
from .review import Verdict, require, review
from .snapshot import Snapshot, load
from .stage import recipe, stage
from .syndicate import syndicate

DEFAULT_SITE = "http://127.0.0.1:8001"


@dataclass(frozen=True)
class Result:
    """How a run ended: `released` with the id, or `nothing_new`."""

    outcome: str
    release: str | None


@dataclass(frozen=True)
class Access:
    """How to ask the sources this time: a bearer token, and requests a second where not as their files say (0: no limit)."""

    token: str | None = field(default=None, repr=False)
    rate: float | None = None


ANYHOW = Access()


@dataclass(frozen=True)
class Work:
    """What every step of a run needs: where, from what, when, and whom to tell."""

    home: Home
    catalogue: Catalogue
    now: datetime
    site: str = DEFAULT_SITE
    progress: Progress = silent

    @property
    def day(self) -> date:
        return china_day(self.now)

    @property
    def live(self) -> str | None:
        return self.home.live()

    @property
    def live_database(self) -> Path | None:
        return self.home.releases / self.live / "mingbai.db" if self.live else None

    def live_manifest(self) -> dict[str, Any]:
        return self.home.manifest(self.live) if self.live else {}


def run(work: Work, addresses: Mapping[str, str], *, approval: str | None = None, access: Access = ANYHOW) -> Result:
    """From the sources at `addresses` (by name) to a live release, or to nothing new. Holds the home's lock throughout.

    Raises a Mingbai error when the run failed or is held; status.json then says so and the live release is untouched.
    """
    with work.home.locked():
        for line in repair(work.home, work.catalogue):
            work.progress.say(line)
        try:
            result = _run(work, addresses, approval, access)
        except Mingbai as error:
            write_status(work, type(error).__name__, str(error), ())
            raise
        write_status(work, result.outcome, f"release {result.release}" if result.release else "no new content", tuple(addresses))
        return result


def _run(work: Work, addresses: Mapping[str, str], approval: str | None, access: Access) -> Result:
    if approval is None:
        fresh = {name: fetch(work, name, address, access) for name, address in addresses.items()}
        inputs = inputs_for(work, fresh)
        if nothing_new(work, inputs):
            return Result("nothing_new", None)
        candidate = judge(work, compare(work, assembled(work, inputs)))
        if not candidate.compared().news:
            work.home.clear_candidate()
            return Result("nothing_new", None)
    else:
        candidate = Candidate.load(work.home)
    candidate = lay_out(work, candidate, approval)
    make_index(work, candidate)
    make_feeds(work, candidate)
    return Result("released", publish(work, candidate))


def fetch(work: Work, name: str, address: str, access: Access = ANYHOW) -> Snapshot:
    """Extract one source. What it did not change since its last released snapshot is not fetched again."""
    declared = work.catalogue.source(name)
    return extract(
        source_plan(declared, address, access.token, access.rate),
        work.home.path,
        work.now,
        released(work).get(name, (None,))[0],
        work.progress,
    )


def released(work: Work) -> dict[str, tuple[Snapshot, ...]]:
    """The snapshots that the live release is made of, by source, newest first."""
    rows = work.live_manifest().get("sources", [])
    return {row["id"]: tuple(load(work.home.raw / snapshot["id"]) for snapshot in row["snapshots"]) for row in rows}


def inputs_for(work: Work, fresh: Mapping[str, Snapshot]) -> dict[str, tuple[Snapshot, ...]]:
    """What the next release is made of: the fresh snapshots, behind them the released ones that the source's rule still needs."""
    inputs = released(work)
    # records that the last snapshot missed wait for a second one without them, which may say nothing else that is new
    missed = any(kinds.get("kept_absent") for kinds in work.live_manifest().get("accounting", {}).values())
    for name, snapshot in fresh.items():
        before = inputs.get(name, ())
        keep_all = any(listing.batch != "full_snapshot" for listing in work.catalogue.source(name).listings.values())
        if before and before[0].content_sha256 == snapshot.content_sha256 and not missed:
            continue
        inputs[name] = (snapshot, *(before if keep_all else before[:1]))
    return dict(sorted(inputs.items()))


def nothing_new(work: Work, inputs: Mapping[str, Sequence[Snapshot]]) -> bool:
    """Whether a release of `inputs` today would say what the live one says, without making it."""
    manifest = work.live_manifest()
    if not manifest or manifest["recipe"] != recipe(work.catalogue):
        return False
    if manifest["next_expiry"] is not None and manifest["next_expiry"] < work.day.isoformat():
        return False
    before = {row["id"]: [snapshot["content_sha256"] for snapshot in row["snapshots"]] for row in manifest["sources"]}
    return before == {name: [snapshot.content_sha256 for snapshot in snapshots] for name, snapshots in inputs.items()}


def assembled(work: Work, inputs: Mapping[str, tuple[Snapshot, ...]]) -> Candidate:
    """Validate and stage `inputs`, and assemble from them what readers would get."""
    if not inputs:
        raise BadHome(f"{work.home.path}: holds no snapshot; run `mingbai extract` first")
    folder = work.home.candidate
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = stage(inputs, work.catalogue, folder / "private.db", work.home.base, work.progress)
    made = assemble(staged, work.catalogue, work.day, folder / "public.db", work.progress)
    names = {name: tuple(snapshot.id for snapshot in snapshots) for name, snapshots in inputs.items()}
    return Candidate(names, work.live, staged.recipe, made).save(work.home)


def compare(work: Work, candidate: Candidate) -> Candidate:
    """Find what the candidate would change."""
    ours = work.live is not None and work.live_manifest()["recipe"] != candidate.recipe
    folder = work.home.candidate
    changes = diff(
        candidate.assembled,
        work.live_database,
        work.catalogue,
        folder / "changes.db",
        ours=ours,
        private=folder / "private.db",
        progress=work.progress,
    )
    return candidate.save(work.home, changes=changes)


def judge(work: Work, candidate: Candidate) -> Candidate:
    """Hold the candidate against the bounds; its digest and what tripped are written down."""
    verdict = review(candidate.assembled, candidate.compared(), work.live_database, work.catalogue, candidate.recipe, candidate.inputs)
    return candidate.save(work.home, digest=verdict.digest, findings=tuple(str(finding) for finding in verdict.findings))


def lay_out(work: Work, candidate: Candidate, approval: str | None = None) -> Candidate:
    """The release's folder under its temporary name. Raises ReviewNeeded when a bound was passed and `approval` is not the digest."""
    if candidate.digest is None:
        raise BadHome("the candidate has not been reviewed yet; run `mingbai review` first")
    require(Verdict(candidate.digest, candidate.findings), approval)
    identifier = work.home.next_release(work.day)
    release(candidate.assembled, work.home, identifier)
    return candidate.save(work.home, release=identifier)


def part_of(work: Work, candidate: Candidate) -> Path:
    """The release's folder under its temporary name."""
    return work.home.releases / f"{candidate.laid_out()}.part"


def make_index(work: Work, candidate: Candidate) -> int:
    """Write the release's search index. Returns how many documents it holds."""
    part = part_of(work, candidate)
    return index(part / "mingbai.db", work.catalogue, part / "search" / "index.db")


def make_feeds(work: Work, candidate: Candidate) -> int:
    """Write the release's feeds. Returns how many entries they hold."""
    seen, firsts = history.seen(work.home.history, "notices"), history.first_of_source(work.home.history)
    changed = history.changed(candidate.compared().path, "notices")
    return syndicate(part_of(work, candidate), candidate.laid_out(), seen, changed, firsts, work.catalogue, work.site)


def publish(work: Work, candidate: Candidate) -> str:
    """Seal the release and make it the live one. Returns its id."""
    part = part_of(work, candidate)
    sources = {name: tuple(load(work.home.raw / identifier) for identifier in names) for name, names in candidate.inputs.items()}
    seal(part, candidate.laid_out(), candidate, sources, work.live)
    return go_live(work.home, part, work.catalogue, candidate.compared(), candidate.assembled.day)


def write_status(work: Work, outcome: str, reason: str, checked: Sequence[str]) -> None:
    """Say how the run ended, and for each source that answered when it was last checked. Public; nothing private is in a reason."""
    status = work.home.read_status()
    at = work.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sources = status.get("sources", {})
    for name in checked:
        sources[name] = {"last_checked": at}
    write_whole(
        work.home.status,
        as_json({"live": work.live, "last_run": {"at": at, "outcome": outcome, "reason": reason.splitlines()[0]}, "sources": sources}),
    )
