"""What a person decides about a candidate or a release: approve, refuse, go back. Each decision is entered in the log before it has an effect.

A decision names a digest: it is about what was looked at and about nothing that came after. It says who and why; who that is, the machine's
own accounts have to see to.
"""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .anew import anew
from .audit import append, approvals, entries, signed
from .candidate import Candidate
from .diff import diff
from .errors import BadHome, ReviewNeeded
from .forgotten import gone
from .home import release_order
from .inputs import Inputs, released
from .known_issues import known_issues
from .lineage import lineage
from .measure import attached, measure, unread
from .partitions import Place
from .restore import restore
from .review import Finding, Held, guard
from .run import at_work, go_on, waits_to_go_back
from .samename import person_key
from .snapshot import load
from .stage import recipe
from .statements import put_in, statements
from .steps import assembled, compare, fresh_content, judge, show
from .summary import summary
from .work import Result, Work


def approve(work: Work, digest: str, by: str, reason: str) -> Result:
    """Approve the held candidate of this digest and publish it; no source is asked.

    Raises ReviewNeeded where it is another one, while more people have to approve it, or when it would not be today what was looked at.
    """

    _signed(by, reason)

    def task() -> Result:
        held = _held(work, digest)
        names = approvals(work.home, digest)
        if person_key(by) not in map(person_key, names):
            append(work.home, "approve", by, reason, {"digest": digest, "content": fresh_content(work, held)}, work.now)
        elif len(names) < held.names:
            raise ReviewNeeded(f"{by} has approved {digest} already; {held.names} different people must, so another one has to look at it")
        if len(approvals(work.home, digest)) < held.names:
            return go_on(work, held)  # which says who is missing
        return go_on(work, _as_today(work, held))

    return at_work(work, (), task, lambda: _held(work, digest))


def refuse(work: Work, digest: str, by: str, reason: str) -> Result:
    """Refuse the held candidate of this digest: it is cleared, and what the source said is remembered, so that it is held again if it comes again."""
    _signed(by, reason)

    def task() -> Result:
        if _is_a_bare_wish(work, digest):
            append(work.home, "refuse", by, reason, {"digest": digest, "content": {}}, work.now)
            return Result("refused", None)
        held = _held(work, digest)
        content = {} if held.restores else fresh_content(work, held)  # not to go back says nothing of what the source said then
        append(work.home, "refuse", by, reason, {"digest": digest, "content": content}, work.now)
        work.home.clear_candidate()
        return Result("refused", None)

    return at_work(work, (), task, lambda: _is_a_bare_wish(work, digest) or _held(work, digest))


def accept(work: Work, source: str, table: str, region: str, by: str, reason: str) -> Result:
    """Accept what the source says of a held partition, of every one of the region where `table` is "all", and publish it at once.

    No source is asked. Another bound that it passes still stops it. What is accepted is what the source said then: where it says something
    else by the next run, that is judged by itself.
    """
    _signed(by, reason)

    def task() -> Result:
        inputs, content, places = _with_held(work, source, table, region)
        for _, name, _ in places:
            about = {"source": source, "table": name, "region": region, "content": {source: content}}
            append(work.home, "accept", by, reason, about, work.now)
        return go_on(work, _judged_anew(work, inputs))

    return at_work(work, (), task, lambda: _with_held(work, source, table, region))


def back(work: Work, release: str, by: str, reason: str) -> Result:
    """Go back to what `release` says, as a new release, without what has ended, was withdrawn, repaired or corrected since.

    Raises ReviewNeeded, with a digest, where another person has to approve it too.
    """
    _signed(by, reason)

    def task() -> Result:
        live = _goes_back_to(work, release)
        candidate = _restored(work, release)
        gone = {row["id"]: row["snapshots"][0]["content_sha256"] for row in work.live_manifest()["sources"]}
        for row in work.home.manifest(release)["sources"]:
            if gone.get(row["id"]) == row["snapshots"][0]["content_sha256"]:
                del gone[row["id"]]
        about = {"digest": candidate.judged(), "release": release, "instead_of": live, "content": gone}
        append(work.home, "live", by, reason, about, work.now)
        return go_on(work, candidate)

    return at_work(work, (), task, lambda: _goes_back_to(work, release))


def _with_held(work: Work, source: str, table: str, region: str) -> tuple[Inputs, str, list[Place]]:
    """The inputs of what is held in the candidate, or else in the live release, what its source said, and which partitions are meant.

    Raises BadHome where none of them is held.
    """
    wanted = (source, "" if table == "all" else table, region)

    def meant(places: Iterable[Place]) -> list[Place]:
        return [place for place in places if (place[0], place[1] if wanted[1] else "", place[2]) == wanted]

    candidate = _in_the_making(work)
    if wish := waits_to_go_back(work):
        raise ReviewNeeded(f"{wish.by} wants to go back to release {wish.about['release']}; approve or refuse {wish.about['digest']} first")
    if candidate is not None and (places := meant((held.source, held.table, held.region) for held in candidate.held)):
        return _inputs(work, candidate), candidate.contents[source], places
    if candidate is not None and candidate.digest is not None and candidate.names:
        raise ReviewNeeded(f"{candidate.digest} waits for a decision and would be lost: approve or refuse it first; see `mingbai review`")
    manifest = work.live_manifest()
    known = [(held["source"], held["table"], held["region"]) for held in manifest.get("held", [])]
    if places := meant(known):
        return released(work), next(row["snapshots"][0]["content_sha256"] for row in manifest["sources"] if row["id"] == source), places
    known += [(held.source, held.table, held.region) for held in (candidate.held if candidate else ())]
    raise BadHome(f"{work.home.path}: {source} {table} {region} is not held; held are: {'; '.join(map(' '.join, known)) or 'none'}")


def _is_a_bare_wish(work: Work, digest: str) -> bool:
    """Whether somebody waits to go back by this digest and what they saw is no longer here."""
    wish = waits_to_go_back(work)
    return wish is not None and wish.about["digest"] == digest and _in_the_making(work) is None


def _in_the_making(work: Work) -> Candidate | None:
    try:
        return Candidate.load(work.home)
    except BadHome:
        return None


def _signed(by: str, reason: str) -> None:
    """Raises NotSigned before anything is done where this is no name or no reason."""
    signed(by, "name")
    signed(reason, "reason")


def _held(work: Work, digest: str) -> Candidate:
    held = Candidate.load(work.home)
    if digest != held.signed_as():
        raise ReviewNeeded(f"{digest} is not its digest; look at `mingbai review` again and decide about {held.signed_as()}")
    return held


def _as_today(work: Work, held: Candidate) -> Candidate:
    """The candidate as it is today: what has ended since is left out. Raises ReviewNeeded when it would change something else than what was looked at."""
    if held.recipe == recipe(work.catalogue) and held.assembled.day == work.day.isoformat():
        return held
    again = _restored(work, held.restores) if held.restores else _judged_anew(work, _inputs(work, held))
    if _looked_at(again) != _looked_at(held):
        show(work, again)
        raise ReviewNeeded(f"what was approved is not what it would be today; look with `mingbai review`: mingbai approve {again.judged()}")
    return again.save(work.home, approved=held.signed_as())


def _judged_anew(work: Work, inputs: Inputs) -> Candidate:
    return judge(work, compare(work, assembled(work, inputs)))


def _looked_at(candidate: Candidate) -> tuple[object, ...]:
    """What a person has seen of a candidate, as far as another day can change it."""
    return candidate.recipe, candidate.findings, candidate.held, candidate.names, candidate.compared().counts


def _inputs(work: Work, candidate: Candidate) -> Inputs:
    return {name: tuple(load(work.home.raw / identifier) for identifier in names) for name, names in candidate.inputs.items()}


def _goes_back_to(work: Work, release: str) -> str:
    """The live release's id. Raises BadHome where `release` is none that one can go back to."""
    release_order(release)
    live = work.live
    known = work.home.release_ids()
    if live is None or release == live or release not in known:
        others = ", ".join(name for name in known if name != live) or "none"
        what = "is live already" if release == live else "is not here"
        raise BadHome(f"{work.home.releases}: release {release} {what}; releases to go back to: {others}")
    return live


def _restored(work: Work, release: str) -> Candidate:
    """The candidate with the data of `release`, compared with the live one. It is copied; where our own doing changed since, it is made anew of its snapshots."""
    manifest = work.home.manifest(release)
    inputs = {row["id"]: tuple(snapshot["id"] for snapshot in row["snapshots"]) for row in manifest["sources"]}
    home, made, since = work.home, recipe(work.catalogue), release
    home.clear_candidate()
    home.candidate.mkdir(mode=0o700, parents=True)
    path, live = home.candidate / "public.db", work.live_database
    assert live is not None
    if manifest["recipe"] == made:
        shutil.copyfile(home.releases / release / "mingbai.db", path)
        held, misread = tuple(Held(**row) for row in manifest["held"]), manifest["unread"]
        known = manifest.get("known_issues", ())
    else:
        remade, held = anew(work, release)
        private = home.candidate / "private.db"
        manifest, misread, known = {**manifest, **vars(remade)}, unread(private), known_issues(private, work.catalogue)
        while earlier := home.manifest(since).get("restores"):  # what it did not show of its snapshots is told by what came after them
            since = earlier
    data = restore(path, since, live, home.history, home.base, manifest, work.catalogue, work.day)
    data = put_in(data, statements(entries(home)), work.catalogue)
    data = lineage(data, live, home.history, work.catalogue, goes_back=True)
    changes = diff(data, live, work.catalogue, home.candidate / "changes.db", ours=True, progress=work.progress)
    contents = {row["id"]: row["snapshots"][0]["content_sha256"] for row in manifest["sources"]}
    candidate = Candidate(
        inputs,
        work.live,
        made,
        contents,
        data,
        changes,
        guarded=True,
        findings=_adverse(work, path, live),
        held=held,
        unread=misread,
        known_issues=known,
        restores=release,
    )
    # whoever would be put on a black list once more, or again shown with a notice, is looked at by a second person; and where nothing says
    # what was withdrawn since, all of it
    again = bool(summary(candidate, live, work.catalogue).adverse.added) or not home.base.is_file()
    goes_back = Finding("restores", "all", "", None, release, 0, 0, 0, "stop", 2 if again else 1)
    return judge(work, replace(candidate, findings=(*candidate.findings, goes_back)).save(home))


def _adverse(work: Work, path: Path, live: Path) -> tuple[Finding, ...]:
    """What going back would add to the black list or take from it beyond the bounds. No other bound holds a person back who goes back."""
    with attached(path, live, work.home.base, work.day.isoformat(), gone(work.home.history)) as connection:
        found = guard(measure(connection, work.catalogue, work.day.isoformat()), work.catalogue).findings
    return tuple(finding for finding in found if finding.names > 1)
