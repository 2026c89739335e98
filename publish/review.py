"""Judge a candidate before anybody sees it: go, go with a region held at its last good rows, or wait for people.

Everything is judged against the live release, for each source in total and for each of its regions, because a county that is lost moves
the total by less than one percent (35 of 50 real accidents did). A region beyond a bound of its own is held; a source beyond one of its
own stops the release, and so do too many regions at once: then it is no accident of a region. A first release has nothing to be compared
with and stops only when it is empty or too many records were unreadable. Whoever approves repeats the digest: it names exactly what was
looked at.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .assembled import Assembled
from .audit import Entry
from .bounds import WINDOWS
from .catalogue import Catalogue
from .errors import ReviewNeeded
from .guards import FEW, GUARDS, beyond, judged
from .measure import Counts, total
from .partitions import Place, owner_of

TWO_PEOPLE = ("adverse_added", "adverse_removed")
COUNTED_ANYHOW = ("lost",)  # rule 3: what a region lost counts in the total also where it is held, on the day that it is
LOSSES = (*COUNTED_ANYHOW, *WINDOWS)  # who accepts what a region lost has accepted it since whenever
ALL_OTHERS = tuple(name for name in GUARDS if name not in (*LOSSES, *TWO_PEOPLE))
ACCEPTABLE = (*LOSSES, *ALL_OTHERS)  # nobody is put on a black list, or taken from it, by one person
NOTHING_ACCEPTED: Mapping[Place, Collection[str]] = {}
FEW_HELD = 3


@dataclass(frozen=True)
class Finding:
    """One bound that was passed, in what (a region, or None for the whole source), about what, and what follows: `hold` or `stop`."""

    bound: str
    source: str
    table: str
    region: str | None
    subject: str
    before: float
    now: float
    allowed: float
    effect: str
    names: int = 1

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.source, self.table, self.region, self.subject)))
        if not (self.before or self.now or self.allowed):
            return f"{where} ({self.bound})"
        return f"{where}: {_number(self.before)} before, {_number(self.now)} now ({self.bound}, allowed {self.allowed:g})"


@dataclass(frozen=True)
class Held:
    """A partition that stays at its last good rows since a day, and the bound that it passed first."""

    source: str
    table: str
    region: str
    since: str
    bound: str


@dataclass(frozen=True)
class Verdict:
    """What was found and what follows. `digest` names the candidate: approve that and no other. `names`: how many people must."""

    digest: str
    findings: tuple[Finding, ...]
    outcome: str
    names: int


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


@dataclass(frozen=True)
class Guarded:
    """What the guards say of the measures: what was found, and by place the bound for which a partition is held."""

    findings: tuple[Finding, ...]
    holds: Mapping[Place, str]


def guard(
    partitions: Mapping[Place, Counts],
    catalogue: Catalogue,
    accepted: Mapping[Place, Collection[str]] = NOTHING_ACCEPTED,
    already: Collection[Place] = (),
) -> Guarded:
    """Judge every partition and every source. `accepted` says of partitions which guards' findings somebody has accepted, of ACCEPTABLE;
    `already` are those that are held.
    """
    findings: list[Finding] = []
    holds: dict[Place, str] = {}
    gone_for_good: set[Place] = set()
    for place in sorted(partitions, key=lambda place: (place[1] == "notices", place)):  # their links hang on the institutions
        source, table, region = place
        owner = _owner(place, catalogue)
        counts = _linked_again(place, partitions[place], holds)
        for name, off in judged(counts, catalogue.bounds(source, table), "partition"):
            if name in accepted.get(owner, ()):
                continue
            effect = "stop" if name in TWO_PEOPLE else "hold"
            findings.append(Finding(f"partition_{name}", source, table, region, **vars(off), effect=effect, names=_names(name)))
            if effect == "hold":
                holds.setdefault(owner, f"partition_{name}")
            if name in LOSSES and counts.get(("unreadable", ""), 0) > off.allowed * off.before:
                gone_for_good.add(owner)  # what may have been withdrawn does not come back
    holds |= dict.fromkeys(_cut_with(partitions, holds, accepted, catalogue), "partition_lost")
    holds, findings = _not_held(gone_for_good, holds, findings, catalogue)
    for source, table in sorted({place[:2] for place in holds}):
        if found := _too_many_held(partitions, holds, source, table, catalogue):
            holds, findings = _not_held({p for p in holds if p[:2] == (source, table)}, holds, findings, catalogue)
            findings.append(found)
    own: dict[tuple[str, str], dict[Place, Counts]] = {}
    for place, counts in partitions.items():
        own.setdefault(place[:2], {})[place] = counts
    for (source, table), its in sorted(own.items()):
        moving = {place: _linked_again(place, c, holds) for place, c in its.items() if _owner(place, catalogue) not in holds}
        looked_at = {place: c for place, c in moving.items() if accepted.get(_owner(place, catalogue)) != ACCEPTABLE}
        rule3 = {place: c for place, c in its.items() if _owner(place, catalogue) not in {*accepted, *already}}
        open_losses = {place: c for place, c in moving.items() if _owner(place, catalogue) not in accepted}
        for counted, names in ((rule3, COUNTED_ANYHOW), (moving, TWO_PEOPLE), (looked_at, ALL_OTHERS), (open_losses, tuple(WINDOWS))):
            for name, off in judged(total(counted, source, table), catalogue.bounds(source, table), "total"):
                if name in names:
                    findings.append(Finding(f"total_{name}", source, table, None, **vars(off), effect="stop", names=_names(name)))
    return Guarded(tuple(_said_once(_without_adverse_of(findings, holds, catalogue))), holds)


def hanging_on(table: str, catalogue: Catalogue) -> list[str]:
    """The tables that are held by themselves and whose rows are where those of `table` are."""
    others = (t for t in catalogue.tables.values() if t.bounds and not t.parent and t.name != table)
    return [other.name for other in others if owner_of(other, catalogue).name == table]


def loses_no_more(counts: Counts, place: Place, catalogue: Catalogue) -> bool:
    """Whether a partition has, within its bound, all that it had: `counts` is what measure.since_the_last gives, nothing where it cannot tell."""
    return bool(counts) and "lost" not in dict(judged(counts, catalogue.bounds(*place[:2]), "partition"))


def _cut_with(
    partitions: Mapping[Place, Counts], holds: Mapping[Place, str], accepted: Mapping[Place, Collection[str]], catalogue: Catalogue
) -> list[Place]:
    """What else a region lost whose institutions were cut short, however few rows: its two notices are below every bound and went with them."""
    cut = {
        (source, region)
        for (source, table, region), bound in holds.items()
        if table == "institutions" and bound.partition("_")[2] in LOSSES
    }
    return [
        (source, table, region)
        for (source, table, region), c in partitions.items()
        if (source, region) in cut
        and _owner((source, table, region), catalogue) == (source, table, region)
        and (source, table, region) not in {*holds, *accepted}
        and c.get(("rows", "before"), 0) - c.get(("kept", ""), 0) - c.get(("explained", ""), 0) > 0
    ]


def _not_held(
    places: Collection[Place], holds: Mapping[Place, str], findings: Sequence[Finding], catalogue: Catalogue
) -> tuple[dict[Place, str], list[Finding]]:
    """Holds without these places, and what was found in them as what stops."""
    stopping = [replace(f, effect="stop") if _owner((f.source, f.table, f.region or ""), catalogue) in places else f for f in findings]
    return {place: bound for place, bound in holds.items() if place not in places}, stopping


def _linked_again(place: Place, counts: Counts, holds: Mapping[Place, str]) -> Counts:
    """Notices lost their links only because institutions of their region are spoilt; where those are held, the links are made again."""
    if place[1] != "notices" or not any(table == "institutions" and region == place[2] for _, table, region in holds):
        return counts
    return {key: number for key, number in counts.items() if key[0] not in ("linked_before", "linked_now")}


def _without_adverse_of(findings: Sequence[Finding], holds: Mapping[Place, str], catalogue: Catalogue) -> Iterator[Finding]:
    """What a held region would have added to or taken from the black list does not happen."""
    for finding in findings:
        if not (finding.region is not None and finding.names > 1 and (finding.source, finding.table, finding.region) in holds):
            yield finding


def _said_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What was lost since yesterday was lost since a week ago as well: each loss as the shortest time in which it is too much."""
    said = set()
    for finding in findings:
        loss = finding.bound.partition("_")[2] in LOSSES
        what = (finding.source, finding.table, finding.region)
        if loss and what in said:
            continue
        if loss:
            said.add(what)
        yield finding


def _names(guard: str) -> int:
    return 2 if guard in TWO_PEOPLE else 1


def _owner(place: Place, catalogue: Catalogue) -> Place:
    """The partition that is held for a finding in `place`: a permit is held with its institution."""
    source, table, region = place
    declared = catalogue.tables[table]
    return (source, owner_of(declared, catalogue).name if declared.parent else table, region)


def _too_many_held(
    partitions: Mapping[Place, Counts], holds: Mapping[Place, str], source: str, table: str, catalogue: Catalogue
) -> Finding | None:
    """Beyond this share of regions or rows it is no accident of a region: nothing is held, and people decide on the whole."""
    allowed = catalogue.bounds(source, table).allowed.get("held", 0.0)
    there = {place: c[("rows", "before")] for place, c in partitions.items() if place[:2] == (source, table) and c.get(("rows", "before"))}
    held = [place for place in there if place in holds]
    rows, all_rows = sum(there[place] for place in held), sum(there.values())
    if rows > allowed * all_rows or len(held) > max(FEW_HELD, allowed * len(there)):
        return Finding("held", source, table, None, "", len(there), len(there) - len(held), allowed, "stop")
    return None


def unusable(candidate: Assembled, catalogue: Catalogue) -> Iterator[Finding]:
    """Listings of which too many records could not be used at all."""
    for name, (records, aside) in candidate.unusable.items():
        source, _, listing = name.partition("/")
        declared = catalogue.sources[source].listings[listing].table
        allowed = catalogue.bounds(source, declared).allowed.get("set_aside", 0.0)
        if records and aside / records > allowed:
            yield Finding("set_aside", source, listing, None, "", records, records - aside, allowed, "stop")


def issues(before: Mapping[str, float], now: Mapping[str, float], records: Mapping[str, int], catalogue: Catalogue) -> Iterator[Finding]:
    """Fields that nothing maps, values that cannot be read, keys given twice: a source has its usual share of each, and no sudden one."""
    for name, share in sorted(now.items()):
        source, _, rest = name.partition("/")
        listing, _, subject = rest.partition(" ")
        number = records.get(f"{source}/{listing}", 0)
        bounds = catalogue.bounds(source, catalogue.sources[source].listings[listing].table).allowed
        allowed = bounds.get("issues", 0.0)
        if number and beyond(min(share - before.get(name, 0.0), 1.0), allowed, number, FEW["small_rows"]):
            yield Finding("issues", source, listing, None, subject.strip(), before.get(name, 0.0), share, allowed, "stop")


def refused(contents: Mapping[str, str], by: Mapping[str, Entry], older: Mapping[str, str]) -> Iterator[Finding]:
    """Content that somebody has refused or gone back from, with who and why, and content that an earlier release had: an old delivery."""
    for source, content in sorted(contents.items()):
        if content in by:
            entry = by[content]
            bound = "went_back" if entry.act == "live" else "refused"
            yield Finding(bound, source, "", None, f"{entry.by}, {entry.at[:10]}: {entry.reason}", 0, 0, 0, "stop")
        elif content in older:
            yield Finding("old_content", source, "", None, older[content], 0, 0, 0, "stop")


def empty(candidate: Assembled) -> Iterator[Finding]:
    """A first release without an institution and without a notice."""
    if candidate.tables["institutions"] + candidate.tables["notices"] == 0:
        yield Finding("empty", "all", "institutions", None, "", 0, 0, 0, "stop")


def review(
    findings: Sequence[Finding],
    held: Sequence[Held],
    day: str,
    recipe: str,
    inputs: Mapping[str, tuple[str, ...]],
    restores: str | None = None,
    base: str | None = None,
) -> Verdict:
    """The verdict on a candidate made of `inputs` (content of the newest and ids of older snapshots, by source) with `recipe`, of which `held` is held, or that `restores` a release.

    `base` is the release that it would follow: what was approved once is approved on that one and never again on another.
    """
    whole = [f"after {base}", day, recipe, *(f"{name} {' '.join(snapshots)}" for name, snapshots in sorted(inputs.items()))]
    whole += [f"held {h.source} {h.table} {h.region}" for h in held]
    whole += [f"restores {restores}"] if restores else []
    whole += [str(finding) for finding in findings]
    digest = hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]
    names = max((finding.names for finding in findings if finding.effect == "stop"), default=0)
    return Verdict(digest, tuple(findings), "stop" if names else "go_held" if held else "go", names)


def causes_first(findings: Sequence[Finding]) -> list[Finding]:
    """Findings as people read them: what needs most people, then what stops the release; whole sources before their regions, causes before effects."""
    return sorted(findings, key=lambda f: (-f.names, f.effect == "hold", f.region is not None, f.bound == "held"))


def require(verdict: Verdict, names: Sequence[str]) -> None:
    """Raises ReviewNeeded, with the digest to approve, while fewer different people (`names`) have approved it than must."""
    if len(names) >= verdict.names:
        return
    stops = [finding for finding in causes_first(verdict.findings) if finding.effect == "stop"]
    first = "; ".join(str(finding) for finding in stops[:3])
    more = f" and {len(stops) - 3} more" if len(stops) > 3 else ""
    missing = f"{verdict.names} must approve it" if verdict.names > 1 else "somebody must approve it"
    if names:
        missing = f"{', '.join(names)} approved it and {verdict.names - len(names)} more must"
    raise ReviewNeeded(
        f"held for review: {first}{more}{'. ' if first else ''}Nothing was published; {missing}. Look with `mingbai review`; with a name and a reason: mingbai approve {verdict.digest}"
    )
