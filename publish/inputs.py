"""What the next release is made of: of each source its snapshots, newest first.

It asks a source, keeps what the live release is made of as far as the source's rule still needs it, and knows whether all that is new. An old
delivery that is handed in as new, or one of a day to come, is refused here. What is in a snapshot it does not know: contents are compared by their hashes.
"""

import sqlite3
from collections.abc import Mapping

from .audit import accepted
from .errors import SourceBroken
from .extract import extract
from .home import to_read
from .plans import source_plan
from .snapshot import Snapshot, load
from .stage import recipe
from .work import ANYHOW, Access, Work

Inputs = Mapping[str, tuple[Snapshot, ...]]


def fetch(work: Work, name: str, address: str, access: Access = ANYHOW, before: Inputs | None = None) -> Snapshot:
    """Extract one source. What it did not change since its last released snapshot is not fetched again."""
    last = (released(work) if before is None else before).get(name, (None,))[0]
    plan = source_plan(work.catalogue.source(name), address, access.token, access.rate)
    snapshot = extract(plan, work.home.path, work.now, last, work.progress)
    _of_its_time(work, snapshot, last)
    return snapshot


def _of_its_time(work: Work, snapshot: Snapshot, last: Snapshot | None) -> None:
    """Raises SourceBroken for what says it is of a day to come, and for a full list of an earlier day than the live one. An increment may be handed in late."""
    today = work.day.isoformat()
    for page in snapshot.pages:
        if page.as_of and page.as_of > today:
            raise SourceBroken(
                f"{snapshot.source}: {page.listing}, {page.file.rpartition('/')[2]}: is as of {page.as_of}, and today is {today} in China; a day up to today was expected, "
                "since a list of a day to come would refuse all true ones before it: ask for one with its right day (截至, or the date in the file's name), or look at this machine's clock"
            )
    for listing in work.catalogue.source(snapshot.source).listings.values():
        was, now = last.as_of(listing.name) if last else None, snapshot.as_of(listing.name)
        if was and last:
            was = min(was, last.taken_on.isoformat())  # no list is of a later day than it was taken on, whatever it says
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

    Raises SourceBroken for an old delivery and for one of a day to come, which stays under raw/ for whoever looks into it when it was refused.
    """
    inputs = dict(released(work) if before is None else before)
    for name, snapshot in fresh.items():
        known = inputs.get(name, ())
        _of_its_time(work, snapshot, known[0] if known else None)
        full = all(listing.batch == "full_snapshot" for listing in work.catalogue.source(name).listings.values())
        if not known or known[0].content_sha256 != snapshot.content_sha256:
            inputs[name] = (snapshot, *(known[:1] if full else known))
        elif full and len(known) > 1 and _asked_later(work, known[0]) and name in _sources_with_absent(work):
            inputs[name] = known[:1]
    return dict(sorted(inputs.items()))


def _asked_later(work: Work, known: Snapshot) -> bool:
    return all(page.form == "platform" for page in known.pages) and work.day > known.taken_on


def _sources_with_absent(work: Work) -> set[str]:
    """The sources of which the live release shows records that their newest snapshot does not have."""
    live = work.live_database
    assert live is not None
    connection = sqlite3.connect(to_read(live, for_good=True), uri=True)
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
    if held and held & accepted(work.home):
        return False  # a person has accepted what was held: that is news without new content
    if manifest["next_expiry"] is not None and manifest["next_expiry"] < work.day.isoformat():
        return False
    before = {row["id"]: [snapshot["content_sha256"] for snapshot in row["snapshots"]] for row in manifest["sources"]}
    return before == {name: [snapshot.content_sha256 for snapshot in snapshots] for name, snapshots in inputs.items()}
