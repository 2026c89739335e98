"""The run, as one sentence: extract, validate and stage, diff, review, release, index, feeds, go live.

Nothing that a reader sees changes before the last step. A run that fails or is held says so in status.json and leaves the live release
as it was; a run without new content makes no release. Stages write what they made into the candidate's folder, so that each can be run by
itself and a held candidate goes on where it stopped (decide.py): the source is not asked again.
"""

import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from . import audit, history
from .assemble import assemble
from .audit import ITSELF, append, approvals
from .candidate import Candidate
from .catalogue import Catalogue
from .diff import diff
from .errors import BadHome, Mingbai, ReviewNeeded, SourceBroken
from .extract import extract
from .hold import hold
from .home import Home, as_json, china_day, write_whole
from .index import index
from .live import go_live, repair
from .measure import Place, attach, measure, unread
from .plans import source_plan
from .progress import Progress, silent
from .release import release, seal
from .review import ACCEPTABLE, Finding, Held, Verdict, empty, guard, hanging_on, issues, loses_no_more, refused, require, review, unusable
from .reviewpage import PAGE, page
from .snapshot import Snapshot, load
from .stage import recipe, stage
from .summary import Summary, summary
from .syndicate import syndicate

Inputs = Mapping[str, tuple[Snapshot, ...]]
DEFAULT_SITE = "http://127.0.0.1:8001"


@dataclass(frozen=True)
class Result:
    """How a run ended: `released` with the id, `nothing_new`, or `refused` by a person."""

    outcome: str
    release: str | None

    @property
    def said(self) -> str:
        """What readers are told where there is no release."""
        return "a person refused the change" if self.outcome == "refused" else "no new content"


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


def run(work: Work, addresses: Mapping[str, str], *, access: Access = ANYHOW) -> Result:
    """From the sources at `addresses` (by name) to a live release, or to nothing new.

    Raises a Mingbai error when the run failed or is held; status.json then says so and the live release is untouched.
    """
    return at_work(work, tuple(addresses), lambda: _run(work, addresses, access))


def at_work(work: Work, asked: Sequence[str], task: Callable[[], Result], check: Callable[[], object] = lambda: None) -> Result:
    """Do what may end in a release: under the home's lock, after what a run that died left was put right, with its end in status.json.

    What `check` raises is between us and who typed it, and readers are not told.
    """
    with work.home.locked():
        for line in repair(work.home, work.catalogue):
            work.progress.say(line)
        check()
        try:
            result = task()
        except BaseException as error:
            _failed(work, error, asked)
            raise
        work.home.detail.unlink(missing_ok=True)
        write_status(work, result.outcome, f"release {result.release}" if result.release else result.said, asked)
        return result


def _failed(work: Work, error: BaseException, asked: Sequence[str]) -> None:
    """Tell readers that the run failed, and the staff why. The error goes on its way even if that cannot be written."""
    kind = next((known for known in type(error).__mro__ if known.__module__ == Mingbai.__module__), None)
    with suppress(OSError):
        write_status(
            work,
            kind.__name__ if kind else "Interrupted" if isinstance(error, KeyboardInterrupt) else "Failed",
            getattr(error, "public", Mingbai.public),
            asked if isinstance(error, ReviewNeeded) else (),  # what is held was checked
        )
        write_whole(work.home.detail, f"{error if kind else repr(error)}\n".encode("utf-8", "backslashreplace"), 0o600)


def _run(work: Work, addresses: Mapping[str, str], access: Access) -> Result:
    before = released(work)
    fresh = {name: fetch(work, name, address, access, before) for name, address in addresses.items()}
    inputs = inputs_for(work, fresh, before)
    candidate = None if nothing_new(work, inputs) else judge(work, compare(work, assembled(work, inputs)))
    if candidate is None or not (candidate.compared().news or candidate.names):
        _say_unusable(work, candidate)
        work.home.clear_candidate()  # one that was held is overtaken: its sources are what is live again
        for snapshot in fresh.values():  # other bytes that say the same: the archive keeps what releases are made of
            if snapshot.id not in {kept.id for several in before.values() for kept in several}:
                shutil.rmtree(snapshot.folder)
        return Result("nothing_new", None)
    return go_on(work, candidate)


def go_on(work: Work, candidate: Candidate) -> Result:
    """From a judged candidate to the live release. Raises ReviewNeeded while people have to look at it, with a page of what it would change."""
    if candidate.names > len(approvals(work.home, candidate.signed_as())):
        show(work, candidate)
    candidate = lay_out(work, candidate)
    make_index(work, candidate)
    make_feeds(work, candidate)
    return Result("released", publish(work, candidate))


def _say_unusable(work: Work, candidate: Candidate | None) -> None:
    for name, (records, aside) in candidate.assembled.unusable.items() if candidate else ():
        if aside:
            work.progress.say(f"{name}: {aside:,} of {records:,} records are set aside; `mingbai validate` shows them")


def fetch(work: Work, name: str, address: str, access: Access = ANYHOW, before: Inputs | None = None) -> Snapshot:
    """Extract one source. What it did not change since its last released snapshot is not fetched again."""
    last = (released(work) if before is None else before).get(name, (None,))[0]
    plan = source_plan(work.catalogue.source(name), address, access.token, access.rate)
    snapshot = extract(plan, work.home.path, work.now, last, work.progress)
    for listing in work.catalogue.source(
        name
    ).listings.values():  # an increment may be handed in late; a full list of yesterday is not today's
        was, now = last.as_of(listing.name) if last else None, snapshot.as_of(listing.name)
        if was and now and now < was and listing.batch == "full_snapshot":
            raise SourceBroken(
                f"{name}: {listing.name}: is as of {now} and {was} is live; an old delivery was handed in as new: ask for the newest one"
            )
    return snapshot


def released(work: Work) -> dict[str, tuple[Snapshot, ...]]:
    """The snapshots that the live release is made of, by source, newest first. A source that is no longer declared is left out."""
    found = {}
    for row in work.live_manifest().get("sources", []):
        if row["id"] in work.catalogue.sources:
            found[row["id"]] = tuple(load(work.home.raw / snapshot["id"]) for snapshot in row["snapshots"])
        else:
            work.progress.say(f"source {row['id']} is no longer declared; the next release is made without it")
    return found


def inputs_for(work: Work, fresh: Mapping[str, Snapshot], before: Inputs | None = None) -> dict[str, tuple[Snapshot, ...]]:
    """What the next release is made of: the fresh snapshots, behind them the released ones that the source's rule still needs.

    A snapshot that says what the last one said is not entered again. It can confirm, though, that records are gone (rule 2): where the
    platform was asked on a later day. A bureau's file that is read twice is one delivery.
    """
    inputs = dict(released(work) if before is None else before)
    for name, snapshot in fresh.items():
        known = inputs.get(name, ())
        full = all(listing.batch == "full_snapshot" for listing in work.catalogue.source(name).listings.values())
        if not known or known[0].content_sha256 != snapshot.content_sha256:
            inputs[name] = (snapshot, *(known[:1] if full else known))
        elif full and len(known) > 1 and _asked_later(work, known[0]) and name in _sources_with_absent(work):
            inputs[name] = known[:1]
    return dict(sorted(inputs.items()))


def _asked_later(work: Work, known: Snapshot) -> bool:
    return all(page.form == "platform" for page in known.pages) and work.day > china_day(datetime.fromisoformat(known.taken_at))


def _sources_with_absent(work: Work) -> set[str]:
    """The sources of which the live release shows records that their newest snapshot does not have."""
    connection = sqlite3.connect(f"file:{work.live_database}?mode=ro&immutable=1", uri=True)
    tables = [table for table in work.catalogue.tables.values() if "absent_since" in table.columns]
    try:
        return {
            name
            for table in tables
            for (name,) in connection.execute(f'SELECT DISTINCT source_id FROM "{table.name}" WHERE absent_since IS NOT NULL')
        }
    finally:
        connection.close()


def nothing_new(work: Work, inputs: Inputs) -> bool:
    """Whether a release of `inputs` today would say what the live one says, without making it."""
    manifest = work.live_manifest()
    if not manifest or manifest["recipe"] != recipe(work.catalogue):
        return False
    newest = {row["id"]: row["snapshots"][0]["content_sha256"] for row in manifest["sources"]}
    held = {(row["source"], row["table"], row["region"], newest.get(row["source"])) for row in manifest.get("held", [])}
    if held and held & audit.accepted(work.home):
        return False  # a person has accepted what was held: that is news without new content
    if manifest["next_expiry"] is not None and manifest["next_expiry"] < work.day.isoformat():
        return False
    before = {row["id"]: [snapshot["content_sha256"] for snapshot in row["snapshots"]] for row in manifest["sources"]}
    return before == {name: [snapshot.content_sha256 for snapshot in snapshots] for name, snapshots in inputs.items()}


def assembled(work: Work, inputs: Inputs) -> Candidate:
    """Validate and stage `inputs`, and assemble from them what readers would get."""
    if not inputs:
        raise BadHome(f"{work.home.path}: holds no snapshot; run `mingbai extract` first")
    folder = work.home.candidate
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = stage(inputs, work.catalogue, folder / "private.db", work.home.base, work.progress)
    made = assemble(staged, work.catalogue, work.day, folder / "public.db", work.progress)
    names = {name: tuple(snapshot.id for snapshot in snapshots) for name, snapshots in inputs.items()}
    contents = {name: snapshots[0].content_sha256 for name, snapshots in inputs.items()}
    return Candidate(names, work.live, staged.recipe, contents, made).save(work.home)


def compare(work: Work, candidate: Candidate) -> Candidate:
    """Put what is held at its last good rows, then find what the candidate would change."""
    if not candidate.guarded:
        candidate = guarded(work, candidate)
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


def guarded(work: Work, candidate: Candidate) -> Candidate:
    """Hold the candidate against the bounds, and in it what is held; what tripped is written down."""
    made, private = candidate.assembled, work.home.candidate / "private.db"
    now = unread(private)
    found: list[Finding] = [*unusable(made, work.catalogue)]
    held: tuple[Held, ...] = ()
    if work.live_database is None:
        found += empty(made)
    else:
        manifest, contents = work.live_manifest(), candidate.contents
        if "unread" in manifest:
            found += issues(manifest["unread"], now, {name: records for name, (records, _) in made.unusable.items()}, work.catalogue)
        found += refused(contents, audit.refused(work.home), _older_contents(work))
        before = {(row["source"], row["table"], row["region"]): row["since"] for row in manifest.get("held", [])}
        connection = attach(made.path, work.live_database, private)
        try:
            if connection.execute("SELECT count(*) FROM held_partitions").fetchone()[0]:
                raise BadHome(f"{work.home.candidate}: a run died while it put held regions into it; run `mingbai run` again")
            accepted = _accepted(work, candidate, connection)
            guards = guard(measure(connection, work.catalogue, made.day), work.catalogue, accepted, before)
            found += guards.findings
            held = tuple(Held(*place, since=before.get(place, made.day), bound=bound) for place, bound in sorted(guards.holds.items()))
            made = hold(connection, made, work.catalogue, held, before)
        finally:
            connection.close()
    return candidate.save(work.home, assembled=made, guarded=True, findings=tuple(found), held=held, unread=now)


def _accepted(work: Work, candidate: Candidate, connection: sqlite3.Connection) -> dict[Place, tuple[str, ...]]:
    """The partitions whose change somebody has accepted: what the newest snapshot says of them, or, of what they lost, what the one before
    said, where the newest has lost no more. A daily source says something new before a clerk's acceptance is carried out.
    """
    before = {row["id"]: row["snapshots"][0]["content_sha256"] for row in work.live_manifest()["sources"]}
    found: dict[Place, tuple[str, ...]] = {}
    for source, table, region, content in sorted(audit.accepted(work.home)):
        if candidate.contents.get(source) == content:
            found[source, table, region] = ACCEPTABLE
        elif before.get(source) == content and loses_no_more(connection, work.catalogue, (source, table, region)):
            found.setdefault((source, table, region), ("lost",))
    for source, table, region in list(found):
        for other in hanging_on(table, work.catalogue):  # ratings go with their institutions
            found.setdefault((source, other, region), ("lost",))
    return found


def _older_contents(work: Work) -> dict[str, str]:
    """What earlier releases were made of: content_sha256 to release. Not what the live one is made of, nor, where something of a source
    is held, what it said before that: a county that comes back can be to the letter what it was."""
    full = {source.name for source in work.catalogue.sources.values() if any(x.batch == "full_snapshot" for x in source.listings.values())}
    older = {
        row["snapshots"][0]["content_sha256"]: name
        for name in work.home.release_ids()
        if name != work.live
        for row in work.home.manifest(name)["sources"]
        if row["id"] in full  # an increment may come again
    }
    manifest = work.live_manifest()
    held = {row["source"] for row in manifest.get("held", [])}
    for row in manifest["sources"]:
        for snapshot in row["snapshots"][: None if row["id"] in held else 1]:
            older.pop(snapshot["content_sha256"], None)
    return older


def judge(work: Work, candidate: Candidate) -> Candidate:
    """The verdict on what the guards found; its digest is written down."""
    candidate.compared()
    verdict = review(candidate.findings, candidate.held, candidate.assembled.day, candidate.recipe, candidate.inputs, candidate.restores)
    return candidate.save(work.home, digest=verdict.digest, outcome=verdict.outcome, names=verdict.names, approved=None)


def show(work: Work, candidate: Candidate) -> Summary:
    """What the candidate would change, as a person needs it; written beside the candidate as a page."""
    found = summary(candidate, work.live_database, work.catalogue, approvals(work.home, candidate.signed_as()))
    write_whole(work.home.candidate / PAGE, page(found).encode(), 0o600)
    return found


def lay_out(work: Work, candidate: Candidate) -> Candidate:
    """The release's folder under its temporary name. Raises ReviewNeeded while fewer people than it needs have approved it."""
    digest = candidate.signed_as()
    require(Verdict(digest, candidate.findings, str(candidate.outcome), candidate.names), approvals(work.home, digest))
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
    changed = history.changed(candidate.compared().path, "notices")
    return syndicate(part_of(work, candidate), candidate.laid_out(), history.past(work.home.history), changed, work.catalogue, work.site)


def publish(work: Work, candidate: Candidate) -> str:
    """Seal the release and make it the live one. Returns its id."""
    part = part_of(work, candidate)
    for file, step in (
        ("mingbai.db", "release"),
        ("search/index.db", "index"),
        *((f"feeds/notices.{form}", "feeds") for form in ("rss", "atom", "json")),
    ):
        if not (part / file).is_file():
            raise BadHome(f"{part}: has no {file}; run `mingbai {step}` first")
    sources = {name: tuple(load(work.home.raw / identifier) for identifier in names) for name, names in candidate.inputs.items()}
    before = work.home.manifest(candidate.restores) if candidate.restores else None
    seal(part, candidate.laid_out(), candidate, sources, work.live_manifest(), work.catalogue, before)
    _enter(work, candidate)
    return go_live(work.home, part, work.catalogue, candidate.compared(), candidate.assembled.day)


def _enter(work: Work, candidate: Candidate) -> None:
    """The release's entry in the log of decisions, just before it goes live: there is no release that nobody can account for."""
    digest = candidate.signed_as()
    names = approvals(work.home, digest)
    about = {"release": candidate.laid_out(), "digest": digest, "names": names, "content": fresh_content(work, candidate)}
    append(work.home, "release", ITSELF, "approved by people" if names else "within its bounds", about, work.now)


def fresh_content(work: Work, candidate: Candidate) -> dict[str, str]:
    """By source the content_sha256 of the candidate's newest snapshot, where that is not what is live."""
    live = {row["id"]: row["snapshots"][0]["content_sha256"] for row in work.live_manifest().get("sources", [])}
    return {name: content for name, content in candidate.contents.items() if content != live.get(name)}


def write_status(work: Work, outcome: str, reason: str, checked: Sequence[str]) -> None:
    """Say how the run ended, and for each source that answered when it was last checked. Public: an error says
    what kind it is and no more, because its message can repeat what the source wrote."""
    status = work.home.read_status()
    at = work.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sources = status.get("sources", {})
    for row in work.live_manifest().get("sources", []):
        sources.setdefault(row["id"], {})["content_since"] = row.get("content_since")
    for name in checked:
        sources.setdefault(name, {})["last_checked"] = at
    write_whole(
        work.home.status,
        as_json({"live": work.live, "last_run": {"at": at, "outcome": outcome, "reason": reason}, "sources": sources}),
    )
