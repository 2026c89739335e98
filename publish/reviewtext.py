"""The summary of a candidate in words, as a terminal shows it: one language at a time, the same parts in the same order as the page.

What a source wrote is shown with every character that cannot be seen replaced: it could move a terminal's cursor or turn a line's direction.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from shlex import quote
from typing import Any

from .bounds import WINDOWS
from .candidate import Candidate
from .declarations import Words
from .home import release_order
from .review import Finding, Held, causes_first
from .summary import Movement, Named, Summary
from .wording import say

LINES = 8  # of each part on a terminal; the page has the rest
LONGEST = 60
# findings that give rows, or regions; the others give shares
COUNTED = ("lost", "week", "month", "added", "adverse_added", "adverse_removed", "held", "set_aside")
ISSUES = ("unmapped_field", "missing_field", "bad_value", "duplicate_key", "duplicate_part", "set_aside")  # kinds that have words


def seen(value: object, longest: int = LONGEST) -> str:
    """A value as one line of characters that can be seen."""
    text = "".join(character if character.isprintable() else "·" for character in str(value))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class Labels:
    """What things are called in one language."""

    def __init__(self, summary: Summary, lang: str) -> None:
        self.summary, self.lang, self.catalogue = summary, lang, summary.catalogue

    def say(self, key: str, **values: object) -> str:
        return say(self.lang, f"review.{key}", **values)

    def words(self, words: Words) -> str:
        return words.zh if self.lang == "zh" else words.en

    def table(self, name: str) -> str:
        return self.words(self.catalogue.tables[name].label) if name in self.catalogue.tables else name

    def field(self, table: str, column: str) -> str:
        found = self.catalogue.tables.get(table)
        return self.words(found.columns[column].label) if found and column in found.columns else column

    def region(self, value: str) -> str:
        """A region by its code, or as the source prints it; '' is none."""
        if not value:
            return self.say("nowhere")
        try:
            return self.catalogue.regions.name(value)
        except KeyError:
            return seen(value)

    def code(self, table: str, value: str) -> str:
        column = self.catalogue.tables[table].columns["list" if table == "listings" else "kind"]
        codes = self.catalogue.codes[str(column.codes)]
        return self.words(codes.label(value)) if value in codes else seen(value or self.say("nothing"))

    def value(self, table: str, column: str, value: Any) -> str:
        """A value of a column; of a code what it means."""
        found = self.catalogue.tables[table].columns.get(column)
        if value is None:
            return self.say("nothing")
        if found and found.codes and value in self.catalogue.codes[found.codes]:
            return self.words(self.catalogue.codes[found.codes].label(value))
        return self.region(str(value)) if found and found.kind == "region" else seen(value)

    def source(self, name: str) -> str:
        return self.words(self.catalogue.sources[name].label) if name in self.catalogue.sources else self.say("all")

    def bound(self, name: str) -> str:
        return self.words(self.catalogue.codes["bounds"].label(name))

    def where(self, finding: Finding) -> str:
        """What a finding is about, from the source down."""
        parts = [self.region(finding.region)] if finding.region is not None else []
        if finding.table:
            parts.append(self.table(self._table_of(finding.source, finding.table)))
        if len(self.summary.candidate.inputs) > 1 or finding.source not in self.catalogue.sources:
            parts.append(self.source(finding.source))
        if finding.subject:
            parts.append(self._about(finding))
        return " · ".join(parts)

    def _about(self, finding: Finding) -> str:
        if finding.bound == "issues":
            return self.issue(finding.subject)
        if finding.bound.partition("_")[2] in WINDOWS:
            release = finding.subject.removeprefix("since ")
            then, now = map(date.fromisoformat, (release_order(release)[0], self.summary.candidate.assembled.day))
            return self.say("since", release=release, n=(now - then).days)
        return seen(self.field(finding.table, finding.subject), 200)

    def names(self, needed: int) -> str:
        return self.say("names.one") if needed == 1 else self.say("names", n=needed)

    def _table_of(self, source: str, name: str) -> str:
        """The table that a listing of a source fills; a table is its own."""
        declared = self.catalogue.sources.get(source)
        return declared.listings[name].table if declared and name in declared.listings else name

    def issue(self, subject: str) -> str:
        """What could not be read: the kind of issue and the field."""
        kind, _, field = subject.partition(" ")
        return f"{self.say(f'issue.{kind}') if kind in ISSUES else kind} {seen(field)}".strip()

    def effect(self, finding: Finding) -> str:
        """What follows of a bound that was passed."""
        return self.names(finding.names) if finding.effect == "stop" else self.say("effect.hold")

    def outcome(self, candidate: Candidate) -> str:
        """What is going to happen with the candidate, in one sentence."""
        if candidate.names:
            missing = candidate.names - len(self.summary.names)
            names = self.say("signed", names="、".join(self.summary.names), n=missing) if self.summary.names else ""
            return self.say("outcome.stop") + self.names(candidate.names) + names
        return self.say("outcome.go_held", n=len(candidate.held)) if candidate.held else self.say("outcome.go")


def percent(share: float) -> str:
    """A share of a whole."""
    return f"{100 * share:.3g}%"


def movement(labels: Labels, moved: Movement) -> str:
    """`240 → 220：新增 3，移除 23，改动 5`, and where a list misses some for the first time, how many."""
    parts = [
        labels.say(f"moved.{part}", n=f"{getattr(moved, part):,}")
        for part in ("added", "removed", "changed", "missed")
        if part != "missed" or moved.missed
    ]
    return labels.say("movement", before=f"{moved.before:,}", now=f"{moved.now:,}", moved=labels.say("comma").join(parts))


def held(labels: Labels, one: Held) -> str:
    """One partition that stays at its last good rows."""
    where = f"{labels.region(one.region)} · {labels.table(one.table)} · {labels.source(one.source)}"
    return labels.say("held.one", where=where, since=one.since, bound=labels.bound(one.bound))


def new_columns(labels: Labels) -> list[str]:
    """Which columns readers would see for the first time, or no longer."""
    said = {1: "columns.new", 0: "columns.gone"}
    return [
        labels.say(said[there], what=f"{labels.table(name)} · {labels.field(name, column)}")
        for name, column, there in labels.summary.columns
    ]


def steps(labels: Labels) -> tuple[str, ...]:
    """The commands by which a person decides about the candidate."""
    return tuple(f"mingbai {act} {labels.summary.candidate.signed_as()} {_signature(labels)}" for act in ("approve", "refuse"))


def accept_steps(labels: Labels) -> list[str]:
    """The commands by which a person accepts the change of what is held, one for each region of a source."""
    tables: dict[tuple[str, str], list[str]] = {}
    for one in labels.summary.candidate.held:
        tables.setdefault((one.source, one.region), []).append(one.table)
    return [
        " ".join(("mingbai accept", source, found[0] if len(found) == 1 else "all", quote(region), _signature(labels)))
        for (source, region), found in tables.items()  # a region can be the source's own words
    ]


def _signature(labels: Labels) -> str:
    return f"--by {labels.say('do.name')} --reason {labels.say('do.reason')}"


def lines(summary: Summary, lang: str) -> Iterator[str]:
    """The summary in one language, a line at a time."""
    labels, candidate = Labels(summary, lang), summary.candidate
    yield labels.say("of", digest=candidate.signed_as(), day=candidate.assembled.day)
    yield labels.say("against", release=candidate.base) if candidate.base else labels.say("first")
    if candidate.restores:
        yield labels.say("restores", release=candidate.restores)
    yield labels.outcome(candidate)
    parts = (
        ("findings", [finding_line(labels, finding) for finding in findings(summary)]),
        ("held", [held(labels, one) for one in candidate.held]),
        ("held.how", accept_steps(labels)),
        ("columns", new_columns(labels)),
        ("entering", [named(labels, one) for one in summary.entering]),
        ("leaving", [named(labels, one) for one in summary.leaving]),
        ("tables", [f"{labels.table(name)} {movement(labels, moved)}" for name, moved in summary.tables.items() if moved.moved]),
        ("regions", list(_regions(labels, summary.regions))),
        ("lists", [f"{labels.code(name, code)} {movement(labels, moved)}" for name, by in summary.lists.items() for code, moved in by.items()]),
        ("causes", [f"{labels.table(t)} {labels.say(f'kind.{kind}')} {labels.say(f'cause.{cause}')} {n:,}" for t, kind, cause, n in summary.causes]),
        ("fields", [f"{labels.table(name)} {labels.field(name, field)} {n:,}" for name, field, n in summary.fields]),
        ("examples", list(_examples(labels))),
    )  # fmt: skip
    whole = {"entering": summary.adverse.added, "leaving": summary.adverse.removed}
    for part, found in parts:
        if found:
            total = whole.get(part, len(found))
            yield ""
            yield f"{labels.say(part)} ({total:,})"
            yield from (f"  {line}" for line in found[:LINES])
            if total > LINES:
                yield f"  {labels.say('more', n=f'{total - LINES:,}')}"
    if candidate.names:
        yield from ("", labels.say("do"), labels.say("do.how"), *(f"  {step}" for step in steps(labels)))


def findings(summary: Summary) -> list[Finding]:
    """What was found, in the order in which people read it."""
    return causes_first(summary.candidate.findings)


def figures(finding: Finding) -> tuple[str, str, str]:
    """Before, now and allowed; nothing where a finding is not about numbers, as what was refused before is not."""
    if not (finding.before or finding.now or finding.allowed):
        return "", "", ""
    if finding.bound.removeprefix("total_").removeprefix("partition_") in COUNTED:
        return f"{finding.before:,.6g}", f"{finding.now:,.6g}", percent(finding.allowed)
    return percent(finding.before), percent(finding.now), percent(finding.allowed)


def finding_line(labels: Labels, finding: Finding) -> str:
    """One bound that was passed, as a sentence."""
    said = labels.say("finding", bound=labels.bound(finding.bound), effect=labels.effect(finding))
    before, now, allowed = figures(finding)
    return f"{labels.where(finding)}{said}{labels.say('figures', before=before, now=now, allowed=allowed) if before else ''}"


def named(labels: Labels, one: Named) -> str:
    """Who comes or goes: list, name, region, authority, day, cause."""
    parts = [
        labels.code(one.table, one.code),
        seen(one.name) or labels.say("nobody"),
        labels.region(one.region),
        seen(one.authority),
        one.day,
    ]
    if one.cause:
        parts.append(labels.say(f"cause.{one.cause}"))
    return " · ".join(part for part in parts if part)


def _regions(labels: Labels, regions: Mapping[str, Mapping[str, Movement]]) -> Iterator[str]:
    for name, by in regions.items():
        yield from (
            f"{labels.table(name)} {labels.region(region)} {movement(labels, moved)}" for region, moved in by.items() if moved.moved
        )


def _examples(labels: Labels) -> Iterator[str]:
    for one in labels.summary.examples:
        fields = "; ".join(f"{labels.field(one.table, field)} {labels.value(one.table, field, before)} → {labels.value(one.table, field, after)}" for field, before, after in one.fields)  # fmt: skip
        yield f"{labels.table(one.table)} {labels.say(f'kind.{one.kind}')} {one.key} {seen(one.name)}{f' ({fields})' if fields else ''}"
