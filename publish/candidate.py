"""A release in the making, kept on disk between the steps, so that each step can be a command and a held one can go on where it stopped.

`staging/candidate/` holds private.db (staged rows), public.db (what readers would get), changes.db (against the live release) and
candidate.json, which is this. A step adds what it found; asking for what no step has made yet names the step that makes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from .assembled import Assembled
from .catalogue import Catalogue
from .diff import Changes
from .errors import BadHome
from .home import Home, as_json, sync, write_whole
from .review import Finding, Held


@dataclass(frozen=True)
class Candidate:
    """`inputs`: the ids of the snapshots of each source, newest first. `base`: the release that was live when it was begun."""

    inputs: Mapping[str, tuple[str, ...]]
    base: str | None
    recipe: str
    contents: Mapping[str, str]  # by source, what its newest snapshot says (content_sha256)
    assembled: Assembled
    changes: Changes | None = None
    guarded: bool = False  # the guards have looked, and what is held is in public.db: they must not look twice
    findings: tuple[Finding, ...] = ()
    held: tuple[Held, ...] = ()
    unread: Mapping[str, float] = field(default_factory=dict)  # measure.unread
    known_issues: Sequence[Mapping[str, Any]] = ()  # known_issues.py; what readers are told
    digest: str | None = None
    outcome: str | None = None  # go, go_held or stop
    names: int = 0  # different people who must approve; 0: it goes by itself
    release: str | None = None
    approved: str | None = None  # the digest that people approved, where the candidate was made anew on a later day
    restores: str | None = None  # the release whose data it has
    goes_on: bool = False  # it is the live release with what people decided of its notices: what that one says of its sources holds

    def judged(self) -> str:
        """The digest. Raises BadHome when `review` has not run."""
        if self.digest is None:
            raise BadHome("the candidate has not been reviewed yet; run `mingbai review` first")
        return self.digest

    def signed_as(self) -> str:
        """The digest under which people approve it."""
        return self.approved or self.judged()

    def compared(self) -> Changes:
        """Raises BadHome when `diff` has not run."""
        if self.changes is None:
            raise BadHome("the candidate is not compared with the live release yet; run `mingbai diff` first")
        return self.changes

    def laid_out(self) -> str:
        """The id of the release. Raises BadHome when `release` has not run."""
        if self.release is None:
            raise BadHome("the candidate is not laid out as a release yet; run `mingbai release` first")
        return self.release

    def save(self, home: Home, **found: Any) -> Self:
        """The candidate with what a step found, written down after the files that it speaks of: after a power cut it is whole or it is not there."""
        whole = replace(self, **found)
        value = {
            **vars(whole),
            "assembled": _without_path(whole.assembled),
            "changes": _without_path(whole.changes) if whole.changes else None,
            "findings": [vars(finding) for finding in whole.findings],
            "held": [vars(held) for held in whole.held],
        }
        for path in sorted(home.candidate.glob("*.db")):
            sync(path)
        sync(home.candidate)
        write_whole(home.candidate_file, as_json(value), 0o600)
        return whole

    @classmethod
    def load(cls, home: Home) -> Self:
        """Raises BadHome when there is no candidate, or when the live release is no longer the one that it was compared with."""
        try:
            value = orjson.loads(home.candidate_file.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError) as error:
            raise BadHome(f"{home.path}: no release is in the making; run `mingbai stage` or `mingbai run` first") from error
        if value["base"] != home.live():
            raise BadHome(
                f"{home.path}: the candidate was begun on release {value['base']} and {home.live()} is live now; run `mingbai run` again"
            )
        try:
            return cls._made(value, home)
        except (KeyError, TypeError) as error:
            raise BadHome(f"{home.path}: the candidate was made by another version ({error}); run `mingbai run` again") from error

    @classmethod
    def _made(cls, value: dict[str, Any], home: Home) -> Self:
        value["inputs"] = {name: tuple(snapshots) for name, snapshots in value["inputs"].items()}
        value["findings"] = tuple(Finding(**finding) for finding in value["findings"])
        value["held"] = tuple(Held(**held) for held in value["held"])
        value["assembled"]["unusable"] = {name: tuple(counts) for name, counts in value["assembled"]["unusable"].items()}
        value["assembled"] = Assembled(path=home.candidate / "public.db", **value["assembled"])
        if value["changes"] is not None:
            value["changes"] = Changes(path=home.candidate / "changes.db", **value["changes"])
        return cls(**value)


def waiting(home: Home, catalogue: Catalogue) -> list[dict[str, str | None]]:
    """What keeps the candidate from readers until people have looked, for everybody: each `source` (None: of all), `table` (None: of no single one) and `bound`
    once, and neither rows nor where nor how many. Nothing where no candidate waits."""
    try:
        value = orjson.loads(home.candidate_file.read_bytes())
        if value["outcome"] != "stop" or value["base"] != home.live():
            return []
        findings = [Finding(**finding) for finding in value["findings"] if finding["effect"] == "stop"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):  # none, or of another version: the next run makes it anew
        return []
    found = []
    for it in findings:
        source = catalogue.sources.get(it.source)
        listing = source.listings.get(it.table) if source else None  # some bounds are of a listing
        table = listing.table if listing else it.table if it.table in catalogue.tables else None
        found.append({"source": source.name if source else None, "table": table, "bound": it.bound})
    return [one for place, one in enumerate(found) if one not in found[:place]]


def _without_path(made: Assembled | Changes) -> dict[str, Any]:
    return {name: value for name, value in vars(made).items() if name != "path"}
