"""The steps of a run, each by itself: from what a release is made of to the candidate, its verdict and its folder, and to what is live.

Each writes what it made into the candidate's folder or the release's, and the next one goes on from there, in this process or a later one. Before
a folder is laid out, and once more before it goes live, it is of today and lacks nothing that people decided since. Which step follows which says
run.py.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

from . import forgotten, texts
from .assemble import assemble
from .audit import ITSELF, anchored, append, approvals, entries
from .candidate import Candidate
from .deltas import deltas
from .diff import diff
from .downloads import Issue, downloads
from .drift import losses
from .errors import BadHome
from .feedfile import moved
from .guarded import guarded
from .home import DOWNLOAD_INDEX, DOWNLOADS, as_json, write_whole
from .index import FILE as INDEX
from .index import index
from .inputs import Inputs
from .keep import keep
from .lineage import lineage
from .live import go_live
from .release import release, seal
from .review import Verdict, require, review
from .reviewpage import PAGE, page
from .snapshot import load
from .stage import stage
from .statements import corrected, lacks, put_in, statements
from .stones import TOMBSTONES, stones
from .summary import Summary, summary
from .untouched import untouched
from .versions import released as versions
from .withdrawals import carried, in_database, there, withhold
from .witness import witness
from .work import Work


def assembled(work: Work, inputs: Inputs, after: Path | None = None) -> Candidate:
    """Validate and stage `inputs`, and assemble from them what readers would get: after the live release, or the one whose database is `after`."""
    if not inputs:
        raise BadHome(f"{work.home.path}: holds no snapshot; run `mingbai extract` first")
    folder = work.home.candidate
    work.home.clear_candidate()  # its files are about to be others: what was looked at before can no longer be approved
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = stage(inputs, work.catalogue, folder / "private.db", work.home.base, work.progress)
    log = entries(work.home)
    withhold(staged.path, carried(log), forgotten.gone(work.home.history), corrected(statements(log)))
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
        work.home.history, candidate.compared().path, candidate.assembled.path, candidate.assembled.day, forgotten.gone(work.home.history)
    )
    write_whole(part / TOMBSTONES, as_json(gone))
    deltas(work.home, work.catalogue, part, identifier, candidate.compared().path)
    return candidate.save(work.home, release=identifier)


def _says_what_people_decided(work: Work, database: Path) -> None:
    """Raises BadHome where a notice was withdrawn, or something was entered of one, since the database was made."""
    log = entries(work.home)
    if still := sorted({*there(database, carried(log)), *in_database(database, forgotten.gone(work.home.history))}):
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
    gone = forgotten.gone(work.home.history)
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
