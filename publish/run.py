"""The run, as one sentence: extract, validate and stage, diff, review, release, downloads, index, go live.

Nothing that a reader sees changes before the last step. A run that fails or is held says so in status.json and leaves the live release
as it was; a run without new content makes no release. Stages write what they made into the candidate's folder, so that each can be run by
itself and a held candidate goes on where it stopped (decide.py): the source is not asked again.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from . import audit, history, texts
from .assemble import assemble
from .audit import ITSELF, anchored, append, approvals, entries
from .bodies import bodies
from .candidate import Candidate
from .carry import carry_out
from .deliver import after_release
from .deltas import deltas
from .diff import diff
from .downloads import Issue, downloads
from .drift import losses
from .errors import BadHome, ReviewNeeded, SourceBroken
from .extract import extract
from .feedfile import moved
from .guarded import guarded
from .home import DOWNLOAD_INDEX, DOWNLOADS, as_json, china_day, write_whole
from .index import FILE as INDEX
from .index import index, unsearchable
from .keep import keep, named
from .lineage import lineage
from .live import go_live
from .plans import source_plan
from .release import release, seal
from .review import Verdict, require, review
from .reviewpage import PAGE, page
from .snapshot import Snapshot, discard, load
from .stage import recipe, stage
from .statements import corrected, lacks, put_in, statements
from .stones import TOMBSTONES, stones
from .summary import Summary, summary
from .untouched import untouched
from .versions import released as versions
from .withdrawals import carried, in_database, there, withhold
from .witness import witness
from .work import ANYHOW, Access, Result, Work, framed

Inputs = Mapping[str, tuple[Snapshot, ...]]


def run(work: Work, addresses: Mapping[str, str], *, access: Access = ANYHOW) -> Result:
    """From the sources at `addresses` (by name) to a live release, or to nothing new.

    Raises a Mingbai error when the run failed or is held; status.json then says so and the live release is untouched.
    """
    return at_work(work, tuple(addresses), lambda: _run(work, addresses, access))


def at_work(work: Work, asked: Sequence[str], task: Callable[[], Result], check: Callable[[], object] = lambda: None) -> Result:
    """Do a task that may end in a release (work.framed), after what people signed and entered is carried out; then tell who is to be told."""
    try:
        result = framed(work, asked, lambda: carry_out(work, lambda candidate: go_on(work, judge(work, candidate))), task, check)
    except Exception:
        if work.live is not None:  # what people signed may be live all the same, and what failed before is tried again
            after_release(work, bodies)
        raise
    if result.release is not None or asked:
        after_release(work, bodies)
    return result


def _run(work: Work, addresses: Mapping[str, str], access: Access) -> Result:
    _none_waits_to_go_back(work)
    before = released(work)
    fresh = {name: fetch(work, name, address, access, before) for name, address in addresses.items()}
    inputs = inputs_for(work, fresh, before)
    why = unsearchable(work.home.releases / work.live) if work.live else None
    if why:
        work.progress.say(f"release {work.live} cannot be searched ({why}); one that can is made, also where nothing else is new")
    candidate = None if not why and nothing_new(work, inputs) else judge(work, compare(work, assembled(work, inputs)))
    if candidate is None or not (candidate.compared().news or candidate.names or why):
        _say_unusable(work, candidate)
        work.home.clear_candidate()  # one that was held is overtaken: its sources are what is live again
        with suppress(BadHome):  # a release that cannot be read may be made of it
            needed = named(work.home, work.home.release_ids())
            for snapshot in fresh.values():  # other bytes that say the same: the archive keeps what releases are made of
                if snapshot.id not in needed:
                    discard(snapshot.folder)
        return Result("nothing_new", None)
    return go_on(work, candidate)


def waits_to_go_back(work: Work) -> audit.Entry | None:
    """The last wish to go back, where it is neither carried out nor refused: what is live is in doubt."""
    log = entries(work.home)
    last = next((entry for entry in reversed(log) if entry.act == "live"), None)
    ended = {entry.about["digest"] for entry in log if entry.act in ("release", "refuse")}
    return None if last is None or last.about["digest"] in ended else last


def _none_waits_to_go_back(work: Work) -> None:
    """Raises ReviewNeeded while somebody waits to go back: no run overtakes them."""
    if wish := waits_to_go_back(work):
        digest, release = wish.about["digest"], wish.about["release"]
        raise ReviewNeeded(
            f"{wish.by} wants to go back to release {release} ({wish.reason}), and nothing is published before that is decided: mingbai approve {digest}, mingbai live {release} where no candidate is there any more, or mingbai refuse {digest}"
        )


def go_on(work: Work, candidate: Candidate) -> Result:
    """From a judged candidate to the live release. Raises ReviewNeeded while people have to look at it, with a page of what it would change."""
    if candidate.names > len(approvals(work.home, candidate.signed_as())):
        show(work, candidate)
    elif candidate.held:  # nobody is asked, and whoever is to accept it needs to see what
        write_whole(work.home.held_page, page(show(work, candidate)).encode(), 0o600)
    candidate = lay_out(work, candidate)
    make_downloads(work, candidate)
    make_index(work, candidate)
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
    _no_older(work, snapshot, last)
    return snapshot


def _no_older(work: Work, snapshot: Snapshot, last: Snapshot | None) -> None:
    """Raises SourceBroken for a full list of an earlier day than the live one. An increment may be handed in late."""
    for listing in work.catalogue.source(snapshot.source).listings.values():
        was, now = last.as_of(listing.name) if last else None, snapshot.as_of(listing.name)
        if was and now and now < was and listing.batch == "full_snapshot":
            raise SourceBroken(
                f"{snapshot.source}: {listing.name}: is as of {now} and {was} is live; an old delivery was handed in as new: ask for the newest one"
            )


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

    Raises SourceBroken for an old delivery, which stays under raw/ for whoever looks into it when it was refused.
    """
    inputs = dict(released(work) if before is None else before)
    for name, snapshot in fresh.items():
        known = inputs.get(name, ())
        _no_older(work, snapshot, known[0] if known else None)
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


def assembled(work: Work, inputs: Inputs, after: Path | None = None) -> Candidate:
    """Validate and stage `inputs`, and assemble from them what readers would get: after the live release, or the one whose database is `after`."""
    if not inputs:
        raise BadHome(f"{work.home.path}: holds no snapshot; run `mingbai extract` first")
    folder = work.home.candidate
    work.home.clear_candidate()  # its files are about to be others: what was looked at before can no longer be approved
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = stage(inputs, work.catalogue, folder / "private.db", work.home.base, work.progress)
    log = entries(work.home)
    withhold(staged.path, carried(log), history.gone(work.home.history), corrected(statements(log)))
    same = untouched(work.home, work.live, staged, work.catalogue) if work.live and after is None else ()
    made = assemble(staged, work.catalogue, work.day, folder / "public.db", after or work.live_database, work.progress, same)
    made = put_in(made, statements(log), work.catalogue)
    names = {name: tuple(snapshot.id for snapshot in snapshots) for name, snapshots in inputs.items()}
    contents = {name: snapshots[0].content_sha256 for name, snapshots in inputs.items()}
    return Candidate(names, work.live, staged.recipe, contents, made).save(work.home)


def compare(work: Work, candidate: Candidate) -> Candidate:
    """Put what is held at its last good rows, then find what the candidate would change."""
    if not candidate.guarded:
        candidate = guarded(work, candidate)
    made = put_in(candidate.assembled, statements(entries(work.home)), work.catalogue)  # what is held is as it was live
    made = lineage(made, work.live_database, work.home.history, work.catalogue)
    ours = work.live is not None and work.live_manifest()["recipe"] != candidate.recipe
    folder = work.home.candidate
    changes = diff(
        made,
        work.live_database,
        work.catalogue,
        folder / "changes.db",
        ours=ours,
        private=folder / "private.db",
        before=_before_going_back(work),
        progress=work.progress,
    )
    return candidate.save(work.home, assembled=made, changes=changes)


def _before_going_back(work: Work) -> Path | None:
    """The database of the release that was live before somebody went back to what is live; None where nobody did."""
    manifest = work.live_manifest()
    before = work.home.releases / str(manifest.get("previous")) / "mingbai.db"
    return before if manifest.get("restores") and before.is_file() else None


def judge(work: Work, candidate: Candidate) -> Candidate:
    """The verdict on what the guards found; its digest is written down."""
    candidate.compared()
    made = candidate.assembled
    # the newest snapshot by what it says: a source that is asked again and says the same takes nobody's approval away
    inputs = {name: (candidate.contents.get(name, newest), *older) for name, (newest, *older) in candidate.inputs.items()}
    verdict = review(candidate.findings, candidate.held, made.day, candidate.recipe, inputs, candidate.restores, candidate.base)
    return candidate.save(work.home, digest=verdict.digest, outcome=verdict.outcome, names=verdict.names, approved=None)


def show(work: Work, candidate: Candidate) -> Summary:
    """What the candidate would change, as a person needs it; written beside the candidate as a page."""
    found = summary(candidate, work.live_database, work.catalogue, approvals(work.home, candidate.signed_as()))
    write_whole(work.home.candidate / PAGE, page(found).encode(), 0o600)
    return found


def lay_out(work: Work, candidate: Candidate) -> Candidate:
    """The release's folder under its temporary name, with what leads to it from earlier releases. Raises ReviewNeeded while fewer people than it needs have approved it."""
    _of_today(work, candidate)
    digest = candidate.signed_as()
    require(Verdict(digest, candidate.findings, str(candidate.outcome), candidate.names), approvals(work.home, digest))
    _says_what_people_decided(work, candidate.assembled.path)
    identifier = work.home.next_release(work.day)
    part = release(candidate.assembled, work.home, identifier)
    gone = stones(
        work.home.history, candidate.compared().path, candidate.assembled.path, candidate.assembled.day, history.gone(work.home.history)
    )
    write_whole(part / TOMBSTONES, as_json(gone))
    deltas(work.home, work.catalogue, part, identifier, candidate.compared().path)
    return candidate.save(work.home, release=identifier)


def _says_what_people_decided(work: Work, database: Path) -> None:
    """Raises BadHome where a notice was withdrawn, or something was entered of one, since the database was made."""
    log = entries(work.home)
    if still := sorted({*there(database, carried(log)), *in_database(database, history.gone(work.home.history))}):
        raise BadHome(f"{database}: has {', '.join(still)}, which was withdrawn since; run `mingbai run` again")
    if lacks(database, statements(log), work.catalogue):
        raise BadHome(f"{database}: lacks what was entered since of its notices; run `mingbai run` again")


def _of_today(work: Work, candidate: Candidate) -> None:
    """Raises BadHome for a candidate of another day: it may show what has ended since."""
    if candidate.assembled.day != work.day.isoformat():
        raise BadHome(
            f"the candidate is of {candidate.assembled.day} and today is {work.day}; run `mingbai run` again, or `mingbai approve`"
        )


def part_of(work: Work, candidate: Candidate) -> Path:
    """The release's folder under its temporary name."""
    return work.home.releases / f"{candidate.laid_out()}.part"


def make_downloads(work: Work, candidate: Candidate) -> int:
    """Write the release's files to take away; those of tables in which nothing changed are those of the live release. Returns how many there are."""
    changes = candidate.compared()
    live = work.home.releases / str(candidate.base) if candidate.base else None
    same = set() if changes.first else set(work.catalogue.tables) - set(changes.counts)
    part, before = part_of(work, candidate), work.live_database
    found = versions(part / "mingbai.db", before, changes.path, changes.counts, work.live_manifest(), work.catalogue, candidate.goes_on)[
        "versions"
    ]
    of = Issue(candidate.laid_out(), candidate.assembled.day, {dataset: one["version"] for dataset, one in found.items()})
    return len(downloads(part, work.catalogue, of, live, same, work.progress)["files"])


def make_index(work: Work, candidate: Candidate) -> int:
    """Write the release's search indexes. Returns how many documents they hold."""
    part = part_of(work, candidate)
    notices = texts.texts(part / "mingbai.db", work.catalogue, part / texts.FILE)
    return notices + index(part / "mingbai.db", work.catalogue, part / INDEX)


def publish(work: Work, candidate: Candidate) -> str:
    """Seal the release and make it the live one. Returns its id."""
    _of_today(work, candidate)
    key = work.key()  # before anything is entered
    part = part_of(work, candidate)
    for file, step in (
        ("mingbai.db", "release"),
        (f"{DOWNLOADS}/{DOWNLOAD_INDEX}", "downloads"),
        (INDEX, "index"),
        (texts.FILE, "index"),
    ):
        if not (part / file).is_file():
            raise BadHome(f"{part}: has no {file}; run `mingbai {step}` first")
    _says_what_people_decided(work, part / "mingbai.db")
    names = {} if candidate.goes_on else candidate.inputs
    sources = {name: tuple(load(work.home.raw / identifier, bodies=False) for identifier in ids) for name, ids in names.items()}
    before = work.home.manifest(candidate.restores) if candidate.restores else None
    _enter(work, candidate, key.public.id if key else None)
    word = witness(work.home, _due(work))
    seal(part, candidate.laid_out(), candidate, sources, work.live_manifest(), work.catalogue, before, anchored(work.home), key, word)
    if line := moved(work.home, work.site, work.hubs):
        work.progress.say(line)
    identifier = go_live(work.home, part, work.catalogue, candidate.compared(), candidate.assembled.day, work.site, work.hubs)
    for line in keep(work.home):
        work.progress.say(line)
    return identifier


def _due(work: Work) -> list[str]:
    """The releases that are issued anew once this one is live, as it says already: nobody knows when another follows."""
    gone = history.gone(work.home.history)
    due = []
    for name in work.home.release_ids() if gone else ():
        with suppress(sqlite3.Error):  # whoever issues it anew says that it cannot be read
            if in_database(work.home.releases / name / "mingbai.db", gone):
                due.append(name)
    return due


def _enter(work: Work, candidate: Candidate, signed_by: str | None) -> None:
    """The release's entry in the log of decisions, before it is sealed and goes live: there is no release that nobody can account for."""
    digest = candidate.signed_as()
    names = approvals(work.home, digest)
    about: dict[str, object] = {
        "release": candidate.laid_out(),
        "digest": digest,
        "names": list(names),
        "content": fresh_content(work, candidate),
        "signed_by": signed_by,
    }
    about |= {} if candidate.restores else {"losses": losses(candidate)}  # what goes back was looked at as a whole
    if any((entry.act, entry.about) == ("release", about) for entry in entries(work.home)):
        return  # by a run that died before it was live
    append(work.home, "release", ITSELF, "approved by people" if names else "within its bounds", about, work.now)


def fresh_content(work: Work, candidate: Candidate) -> dict[str, str]:
    """By source the content_sha256 of the candidate's newest snapshot, where that is not what is live."""
    live = {row["id"]: row["snapshots"][0]["content_sha256"] for row in work.live_manifest().get("sources", [])}
    return {name: content for name, content in candidate.contents.items() if content != live.get(name)}
