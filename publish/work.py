"""What every step of a run has in its hands, and the frame around what may end in a release: the lock, the repair, the status for readers.

It knows no stage. Nobody but a task that it frames can publish, and however that ends readers and staff are told.
"""

import gc
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .candidate import waiting
from .catalogue import Catalogue
from .errors import BadHome, Mingbai, ReviewNeeded
from .home import Home, as_json, china_day, write_whole
from .keep import keep
from .live import repair
from .minisign import SecretKey
from .progress import Progress, silent
from .signing import BY_NONE, Signing, sign_anew, signer

SELDOM = 100_000  # new objects between two looks for circles: rows and records make none, and Python's 700 cost a tenth of a step
RUNS = 30  # lines in status.json of how runs ended; those in a row that ended alike and made no release are one
DEFAULT_SITE = "http://127.0.0.1:8001"


@dataclass(frozen=True)
class Result:
    """How a run ended: `released` with the id, `nothing_new`, `refused` by a person, or `withdrawn` from releases that are not live."""

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
    hubs: tuple[str, ...] = ()  # WebSub: named in feeds, and told of what changed
    allowed: tuple[str, ...] = ()  # networks that are not public and may be called all the same
    signing: Signing = BY_NONE
    is_site_known: bool = True  # given, or said by the live release's feeds: else nobody said `site`

    @property
    def day(self) -> date:
        """Today in China. While the clock is behind the live release, the day of that one: what has ended does not come back."""
        live = self.live_manifest()
        return max([china_day(self.now), *([date.fromisoformat(live["released_on"])] if live else [])])

    @property
    def live(self) -> str | None:
        return self.home.live()

    @property
    def live_database(self) -> Path | None:
        return self.home.releases / self.live / "mingbai.db" if self.live else None

    def key(self) -> SecretKey | None:
        """What signs a release; None where nothing does. Raises BadKey, as signing.signer does."""
        return signer(self.home, self.signing)

    def live_manifest(self) -> dict[str, Any]:
        return self.home.manifest(self.live) if self.live else {}


@contextmanager
def opened(work: Work) -> Iterator[None]:
    """The home for one run or one step of it: locked, and what a run that died left put right.

    Raises BadHome where there is a release and nobody knows the site's address: its feeds would be made for none of its readers.
    """
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        with work.home.locked():
            if work.live is not None and not work.is_site_known:
                raise BadHome(
                    f"{work.home.feeds / work.live}.db: is lost or cannot be read, and nothing else says for which address feeds are made; give it with --site, and each hub with --hub (at first it was {DEFAULT_SITE})"
                )
            for line in repair(work.home, work.catalogue, work.site, work.hubs):
                work.progress.say(line)
            yield
    finally:
        gc.set_threshold(*before)


def framed(
    work: Work, asked: Sequence[str], first: Callable[[], Sequence[str]], task: Callable[[], Result], check: Callable[[], object]
) -> Result:
    """Do what may end in a release: under the home's lock, after what a run that died left was put right, with its end in status.json.

    What `first` returns could not be done: the task is done all the same, and then it is an error that readers are told of.

    What `check` raises is between us and who typed it, and readers are not told.
    """
    with opened(work):
        for line in keep(work.home):
            work.progress.say(line)
        check()
        began = before = work.live
        try:
            if key := work.key():  # before any source is asked
                for line in sign_anew(work.home, key):
                    work.progress.say(line)
            try:
                trouble = first()
            finally:
                before = work.live
            result = task()
            if result.release is None and result.outcome == "nothing_new" and work.live != began:
                result = Result("released", work.live)
        except BaseException as error:
            if work.live == before:
                _failed(work, error, asked)
                raise
            if not isinstance(error, OSError | sqlite3.Error):
                raise
            work.progress.say(f"release {work.live} is live; what follows could not be done ({error}) and is done by the next run")
            result = Result("released", work.live)
        try:
            work.home.detail.unlink(missing_ok=True)
            write_status(work, result.outcome, f"release {result.release}" if result.release else result.said, asked)
        except OSError as error:
            if result.release is None:
                raise
            work.progress.say(f"{work.home.status}: {error.strerror}; it still says how the run before ended")
        if trouble:
            left = BadHome("; ".join(trouble))
            _failed(work, left, asked)
            raise left
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
    since = {(one["source"], one["table"], one["bound"]): one["since"] for one in status.get("waiting", [])}
    waits = [{**one, "since": since.get((one["source"], one["table"], one["bound"]), at)} for one in waiting(work.home, work.catalogue)]
    ended = {"outcome": outcome, "reason": reason, "release": work.live if outcome == "released" else None}
    runs = _with(status.get("runs", []), {"first": at, "last": at, "times": 1, **ended})
    said = {"live": work.live, "last_run": {"at": at, "outcome": outcome, "reason": reason}, "sources": sources}
    write_whole(work.home.status, as_json({**said, "runs": runs, "waiting": waits}))


def _with(runs: list[dict[str, Any]], run: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs with another one, newest first."""
    newest, *older = runs or [{}]
    if all(newest.get(key) == run[key] for key in ("outcome", "reason", "release")) and run["release"] is None:
        return [{**run, "first": newest["first"], "times": newest["times"] + 1}, *older]
    return [run, *runs][:RUNS]
