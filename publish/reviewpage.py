"""The summary of a candidate as one file of HTML that a clerk opens in a browser: both languages, small plots with their numbers beside them.

It loads nothing and runs nothing. Everything in it is escaped where it is put into a tag: there is no other way to make one here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path

from .reviewtext import Labels, finding_line, movement, number, seen
from .summary import Movement, Summary
from .wording import LANGUAGES, say

PAGE = "review.html"
STYLE = Path(__file__).parent / "web" / "static" / "site.css"
ROWS = 30  # of a table of regions: those that moved most
LOCKED = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
OWN_STYLE = """
.verdict { border-left: 6px solid var(--accent); padding: .6rem .9rem; background: var(--sheet); }
.verdict.stop { border-color: var(--warn); background: var(--warn-back); }
.plot { width: 9rem; height: .9rem; vertical-align: middle; }
.plot .was { fill: var(--line); } .plot .is, .plot .came { fill: var(--accent); } .plot .went { fill: var(--warn); } .plot .axis { fill: var(--soft); }
section + section { border-top: 3px double var(--line); margin-top: 4rem; }
td.plots { min-width: 9.5rem; } .names td { min-width: 5rem; } pre { overflow-x: auto; }
"""


class Safe(str):
    """Markup that was made here."""


def tag(name: str, *inside: str, **attributes: str) -> Safe:
    """One element; what is not markup of ours is escaped. `class_` is class."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Safe(f"<{name}{written}>{''.join(part if isinstance(part, Safe) else escape(part) for part in inside)}</{name}>")


def page(summary: Summary) -> str:
    """The whole page, in Chinese and below in English."""
    head = [
        Safe(
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        ),
        Safe(f'<meta http-equiv="Content-Security-Policy" content="{LOCKED}">'),
        tag("title", f"{say('zh', 'review.title')} {summary.candidate.signed_as()}"),
        tag("style", Safe(_style() + OWN_STYLE)),
    ]
    body = tag(
        "main",
        *(tag("section", *_section(Labels(summary, lang)), lang=say(lang, "site.lang"), id=lang) for lang in LANGUAGES),
        class_="middle",
    )
    return f"<!doctype html>\n{tag('html', tag('head', *head), tag('body', body), lang=say('zh', 'site.lang'))}\n"


@cache
def _style() -> str:
    return STYLE.read_text("utf-8").replace("</", "<\\/")


def _section(labels: Labels) -> Iterator[Safe]:
    summary, candidate = labels.summary, labels.summary.candidate
    other = next(lang for lang in LANGUAGES if lang != labels.lang)
    yield tag("p", tag("a", say(labels.lang, f"site.language.{other}"), href=f"#{other}"), class_="quiet")
    yield tag("h1", labels.say("title"))
    against = labels.say("against", release=candidate.base) if candidate.base else labels.say("first")
    yield tag("p", labels.say("of", digest=candidate.signed_as(), day=candidate.assembled.day), " ", against)
    if candidate.restores:
        yield tag("p", labels.say("restores", release=candidate.restores), class_="note")
    yield tag("p", tag("strong", labels.outcome(candidate)), class_=f"verdict {'stop' if candidate.needed else 'go'}")
    yield from _list(labels, "findings", [finding_line(labels, finding) for finding in summary.findings])
    if candidate.needed:
        yield tag("h2", labels.say("do"))
        yield tag("p", labels.say("do.how"))
        yield tag(
            "pre",
            tag(
                "code",
                *(
                    f"mingbai {act} {candidate.signed_as()} --by {labels.say('do.name')} --reason {labels.say('do.reason')}\n"
                    for act in ("approve", "refuse")
                ),
            ),
        )
    yield from _moved(labels, "tables", [(labels.table(name), moved) for name, moved in summary.tables.items() if moved.moved])
    yield from _list(
        labels, "absent", [labels.say("absent.of", table=labels.table(name), n=f"{rows:,}") for name, rows in summary.absent.items()]
    )
    for name, by in summary.regions.items():
        yield from _moved(
            labels, "regions", [(labels.region(region), moved) for region, moved in by.items() if moved.moved], labels.table(name)
        )
    for name, by in summary.lists.items():
        yield from _moved(labels, "lists", [(labels.code(name, code), moved) for code, moved in by.items()], labels.table(name))
    for part, found, total in (
        ("entering", summary.entering, summary.adverse.added),
        ("leaving", summary.leaving, summary.adverse.removed),
    ):
        rows = [[labels.code(o.table, o.code), seen(o.name) or labels.say("nobody"), labels.region(o.region), seen(o.authority), o.day, labels.say(f"cause.{o.cause}") if o.cause else ""] for o in found]  # fmt: skip
        yield from _table(
            labels, f"{labels.say(part)} ({total:,})", ("list", "name", "region", "authority", "day", "cause"), rows, "names", total
        )
    causes = [[labels.table(t), labels.say(f"kind.{kind}"), labels.say(f"cause.{cause}"), f"{n:,}"] for t, kind, cause, n in summary.causes]
    yield from _table(labels, labels.say("causes"), ("what", "kind", "cause", "rows"), causes)
    yield from _fields(labels)
    examples = [[labels.table(e.table), labels.say(f"kind.{e.kind}"), f"{e.key} {seen(e.name)}", "\n".join(f"{labels.field(e.table, f)} {labels.value(e.table, f, before)} → {labels.value(e.table, f, after)}" for f, before, after in e.fields)] for e in summary.examples]  # fmt: skip
    yield from _table(labels, labels.say("examples"), ("what", "kind", "name", "values"), examples, "prose")


def _list(labels: Labels, part: str, found: Sequence[str]) -> Iterator[Safe]:
    if found:
        yield tag("h2", f"{labels.say(part)} ({len(found):,})")
        yield tag("ul", *(tag("li", line) for line in found))


def _table(
    labels: Labels, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "", total: int = 0
) -> Iterator[Safe]:
    if not rows:
        return
    yield tag("h2", title)
    head = tag("thead", tag("tr", *(tag("th", labels.say(f"col.{column}"), scope="col") for column in columns)))
    body = tag("tbody", *(tag("tr", *(tag("td", cell, class_="prose" if "\n" in cell else "") for cell in row)) for row in rows))
    yield tag("div", tag("table", head, body, class_=kind), class_="scroll", tabindex="0", role="group", aria_label=title)
    if total > len(rows):
        yield tag("p", labels.say("more", n=f"{total - len(rows):,}"), class_="quiet")


def _moved(labels: Labels, part: str, rows: Sequence[tuple[str, Movement]], of: str = "") -> Iterator[Safe]:
    """A table of movements with two plots a row: how many there were and are, and how many came and went."""
    if not rows:
        return
    shown = rows[:ROWS]
    most = max(max(moved.before, moved.now) for _, moved in shown) or 1
    widest = max(max(moved.added, moved.removed) for _, moved in shown) or 1
    title = f"{labels.say(part)}{labels.say('part', of=of) if of else ''} ({len(rows):,})"
    yield tag("h2", title)
    columns = ("what", "before", "now", "plot.level", "added", "removed", "changed", "plot.change")
    head = tag(
        "thead",
        tag("tr", *(tag("th", labels.say(f"col.{column}"), scope="col", class_="n" if column in NUMBERS else "") for column in columns)),
    )
    body = [
        tag(
            "tr", tag("th", name, scope="row"), _n(moved.before), _n(moved.now), tag("td", _level(labels, moved, most), class_="plots"), _n(moved.added),
            _n(moved.removed), _n(moved.changed), tag("td", _change(labels, moved, widest), class_="plots"),
        )
        for name, moved in shown
    ]  # fmt: skip
    yield tag("div", tag("table", head, tag("tbody", *body)), class_="scroll", tabindex="0", role="group", aria_label=title)
    if len(rows) > ROWS:
        yield tag("p", labels.say("more", n=f"{len(rows) - ROWS:,}"), class_="quiet")


NUMBERS = ("before", "now", "added", "removed", "changed", "rows")


def _n(value: int) -> Safe:
    return tag("td", f"{value:,}", class_="n")


def _svg(label: str, parts: Iterable[Safe]) -> Safe:
    return tag("svg", *parts, class_="plot", viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label=label)


def _bar(x: float, y: float, width: float, height: float, kind: str) -> Safe:
    return tag("rect", x=f"{x:.2f}", y=f"{y:g}", width=f"{width:.2f}", height=f"{height:g}", class_=kind)


def _level(labels: Labels, moved: Movement, most: int) -> Safe:
    bars = [_bar(0, 0, 100 * moved.before / most, 4.5, "was"), _bar(0, 5.5, 100 * moved.now / most, 4.5, "is")]
    return _svg(movement(labels, moved), bars)


def _change(labels: Labels, moved: Movement, widest: int) -> Safe:
    went, came = (49.5 * value / widest for value in (moved.removed, moved.added))
    return _svg(
        movement(labels, moved), [_bar(49.5 - went, 2, went, 6, "went"), _bar(49.5, 0, 1, 10, "axis"), _bar(50.5, 2, came, 6, "came")]
    )


def _fields(labels: Labels) -> Iterator[Safe]:
    """Which fields changed, as a share of the rows of their table."""
    found = labels.summary.fields
    if not found:
        return
    yield tag("h2", labels.say("fields"))
    head = tag("thead", tag("tr", *(tag("th", labels.say(f"col.{column}"), scope="col", class_="n" if column in NUMBERS else "") for column in ("field", "rows", "share", "plot.share"))))  # fmt: skip
    body = []
    for name, field, rows in found:
        share = rows / max(labels.summary.tables[name].now, 1)
        said = number(min(share, 1.0)) if share < 1 else "100%"
        body.append(
            tag(
                "tr", tag("th", f"{labels.table(name)} · {labels.field(name, field)}", scope="row"), _n(rows), tag("td", said, class_="n"),
                tag("td", _svg(said, [_bar(0, 2, 100, 6, "was"), _bar(0, 2, 100 * min(share, 1), 6, "is")]), class_="plots"),
            )
        )  # fmt: skip
    yield tag("div", tag("table", head, tag("tbody", *body)), class_="scroll", tabindex="0", role="group", aria_label=labels.say("fields"))
