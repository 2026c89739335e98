"""The run, as one sentence: extract, validate and stage, diff, review, release, downloads, index, go live.

Nothing that a reader sees changes before the last step. A run that fails or is held says so in status.json and leaves the live release
as it was; a run without new content makes no release. Stages write what they made into the candidate's folder, so that each can be run by
itself (steps.py) and a held candidate goes on where it stopped (decide.py): the source is not asked again.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from .audit import Entry, approvals, entries
from .bodies import bodies
from .candidate import Candidate
from .carry import carry_out
from .deliver import after_release
from .errors import BadHome, ReviewNeeded
from .home import write_whole
from .index import unsearchable
from .inputs import fetch, inputs_for, nothing_new, released
from .keep import named
from .reviewpage import page
from .snapshot import discard
from .steps import assembled, compare, judge, lay_out, make_downloads, make_index, publish, show
from .work import ANYHOW, Access, Result, Work, framed


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


def waits_to_go_back(work: Work) -> Entry | None:
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
