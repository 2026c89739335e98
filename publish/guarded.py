"""The gate's part of a run: measure the candidate against the live release, and for what is lost against older ones (drift.py), and
hold in it what is held, before anything is compared.

What people decided before counts here: a partition whose change somebody has accepted, and content that was refused or gone back from.
"""

from collections.abc import Collection, Mapping

from . import audit
from .candidate import Candidate
from .drift import drift
from .errors import BadHome
from .forgotten import gone
from .hold import hold
from .known_issues import known_issues
from .measure import attached, measure, since_the_last, unread
from .partitions import Place
from .review import ACCEPTABLE, LOSSES, Finding, Held, empty, guard, hanging_on, issues, loses_no_more, refused, unusable
from .tables import Working
from .work import Work


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
        if manifest.get("restores"):  # what somebody went back from may come again in other words: the next release is looked at
            found.append(Finding("restored", "all", "", None, str(manifest["restores"]), 0, 0, 0, "stop"))
        before = {(row["source"], row["table"], row["region"]): row for row in manifest.get("held", [])}
        with attached(made.path, work.live_database, private, made.day, gone(work.home.history)) as connection:
            if connection.one("SELECT count(*) FROM held_partitions"):
                raise BadHome(f"{work.home.candidate}: a run died while it put held regions into it; run `mingbai run` again")
            accepted = _accepted(work, candidate, connection, before)
            counts = measure(connection, work.catalogue, made.day)
            for place, since in drift(connection, work, candidate).items():
                counts.setdefault(place, {}).update(since)
            guards = guard(counts, work.catalogue, accepted, before)
            found += guards.findings
            held = tuple(_held(place, bound, made.day, before.get(place, {})) for place, bound in sorted(guards.holds.items()))
            made = hold(connection, made, work.catalogue, held, before)
    known = known_issues(private, work.catalogue)
    return candidate.save(work.home, assembled=made, guarded=True, findings=tuple(found), held=held, unread=now, known_issues=known)


def _held(place: Place, bound: str, day: str, before: Mapping[str, str]) -> Held:
    """A partition that is held, or held still: since when and for what it was at first."""
    return Held(*place, since=before.get("since", day), bound=before.get("bound", bound))


def _accepted(work: Work, candidate: Candidate, connection: Working, already: Collection[Place]) -> dict[Place, tuple[str, ...]]:
    """The partitions whose change somebody has accepted: what the newest snapshot says of them, or, of what they lost, what the one before
    said, where the newest has lost no more. A daily source says something new before a clerk's acceptance is carried out.
    """
    before = {row["id"]: row["snapshots"][0]["content_sha256"] for row in work.live_manifest()["sources"]}
    found: dict[Place, tuple[str, ...]] = {}
    asked = set()
    for source, table, region, content in sorted(audit.accepted(work.home)):
        if content in (candidate.contents.get(source), before.get(source)):
            asked.add((source, table, region))
        place = (source, table, region)
        if candidate.contents.get(source) == content:
            found[place] = ACCEPTABLE
        elif before.get(source) == content and loses_no_more(since_the_last(connection, work.catalogue, place), place, work.catalogue):
            found.setdefault(place, LOSSES)
    for source, table, region in list(found):
        for other in hanging_on(table, work.catalogue):  # ratings go with their institutions; where they are held, with leave of their own
            if (source, other, region) not in already or (source, other, region) in asked:
                found.setdefault((source, other, region), LOSSES)
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
