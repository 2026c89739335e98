"""The summary of a candidate as one file of HTML that a clerk opens in a browser: both languages, small plots with their numbers beside them.

It loads nothing and runs nothing. Everything in it is escaped where it is put into a tag: there is no other way to make one here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path

from .reviewtext import Labels, accept_steps, figures, findings, held, movement, new_columns, percent, seen, steps
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
.plot .was { fill: var(--line); } .plot .is, .plot .came { fill: var(--accent); } .plot .went { fill: var(--warn); } .plot .missed { fill: var(--warn); opacity: .55; } .plot .axis { fill: var(--soft); }
section + section { border-top: 3px double var(--line); margin-top: 4rem; }
td.plots { min-width: 9.5rem; } tbody th { min-width: 8.5rem; } td.prose { min-width: 7rem; } .zero { color: var(--soft); opacity: .6; } .names td { min-width: 5rem; } pre { white-space: pre-wrap; }
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
    yield tag("p", labels.say("of", digest=candidate.signed_as(), day=candidate.assembled.day), say(labels.lang, "gap"), against)
    if candidate.restores:
        yield tag("p", labels.say("restores", release=candidate.restores), class_="note")
    yield tag("p", tag("strong", labels.outcome(candidate)), class_=f"verdict {'stop' if candidate.names else 'go'}")
    passed = [[labels.where(f), labels.effect(f), labels.bound(f.bound), *figures(f)] for f in findings(summary)]
    yield from _table(labels, labels.say("findings"), ("where", "effect", "bound", "before", "now", "allowed"), passed)
    if candidate.names:
        yield tag("h2", labels.say("do"))
        yield tag("p", labels.say("do.how"))
        yield tag("pre", tag("code", "\n".join(steps(labels))))
    if candidate.held:
        yield tag("h2", f"{labels.say('held')} ({len(candidate.held):,})")
        yield tag("ul", *(tag("li", held(labels, one)) for one in candidate.held))
        yield tag("p", labels.say("held.how"))
        yield tag("pre", tag("code", "\n".join(accept_steps(labels))))
    if lines := new_columns(labels):
        yield tag("h2", labels.say("columns"))
        yield tag("ul", *(tag("li", line) for line in lines))
    for part, found, total in (
        ("entering", summary.entering, summary.adverse.added),
        ("leaving", summary.leaving, summary.adverse.removed),
    ):
        rows = [[labels.code(o.table, o.code), seen(o.name) or labels.say("nobody"), labels.region(o.region), seen(o.authority), o.day, labels.say(f"cause.{o.cause}") if o.cause else ""] for o in found]  # fmt: skip
        yield from _table(
            labels, f"{labels.say(part)} ({total:,})", ("list", "name", "region", "authority", "day", "cause"), rows, "names", total
        )
    yield from _moved(labels, "tables", [(labels.table(name), moved) for name, moved in summary.tables.items() if moved.moved])
    if any(moved.missed for moved in summary.tables.values()):
        yield tag("p", labels.say("missed"), class_="quiet")
    for name, by in summary.regions.items():
        yield from _moved(
            labels, "regions", [(labels.region(region), moved) for region, moved in by.items() if moved.moved], labels.table(name)
        )
    for name, by in summary.lists.items():
        yield from _moved(labels, "lists", [(labels.code(name, code), moved) for code, moved in by.items()], labels.table(name))
    causes = [[labels.table(t), labels.say(f"kind.{kind}"), labels.say(f"cause.{cause}"), f"{n:,}"] for t, kind, cause, n in summary.causes]
    yield from _table(labels, labels.say("causes"), ("what", "kind", "cause", "rows"), causes)
    yield from _fields(labels)
    examples = [[labels.table(e.table), labels.say(f"kind.{e.kind}"), f"{e.key} {seen(e.name)}", "\n".join(f"{labels.field(e.table, f)} {labels.value(e.table, f, before)} → {labels.value(e.table, f, after)}" for f, before, after in e.fields)] for e in summary.examples]  # fmt: skip
    yield from _table(labels, labels.say("examples"), ("what", "kind", "name", "values"), examples, "prose")


def _table(
    labels: Labels, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "", total: int = 0
) -> Iterator[Safe]:
    if not rows:
        return
    yield tag("h2", title)
    head = _head(labels, columns)
    kinds = ["n" if column in NUMBERS else "day" if column == "day" else "prose" for column in columns]
    body = tag("tbody", *(tag("tr", *(tag("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True))) for row in rows))
    yield tag("div", tag("table", head, body, class_=kind), class_="scroll", tabindex="0", role="group", aria_label=title)
    if total > len(rows):
        yield tag("p", labels.say("more", n=f"{total - len(rows):,}"), class_="quiet")


def _moved(labels: Labels, part: str, rows: Sequence[tuple[str, Movement]], of: str = "") -> Iterator[Safe]:
    """A table of movements with two plots a row: how many there were and are, and how many came and went."""
    if not rows:
        return
    shown = rows[:ROWS]
    most = max(max(moved.before, moved.now) for _, moved in shown) or 1
    widest = max(max(moved.added, moved.removed + moved.missed) for _, moved in shown) or 1
    title = f"{labels.say(part)}{labels.say('part', of=of) if of else ''} ({len(rows):,})"
    yield tag("h2", title)
    columns = ("what", "plot.change", "added", "removed", "missed", "changed", "before", "now", "plot.level")
    head = _head(labels, columns)
    body = [
        tag(
            "tr", tag("th", name, scope="row"), tag("td", _change(labels, moved, widest), class_="plots"), *map(_n, (moved.added, moved.removed, moved.missed)),
            *map(_n, (moved.changed, moved.before, moved.now)), tag("td", _level(labels, moved, most), class_="plots"),
        )
        for name, moved in shown
    ]  # fmt: skip
    yield tag("div", tag("table", head, tag("tbody", *body)), class_="scroll", tabindex="0", role="group", aria_label=title)
    if len(rows) > ROWS:
        yield tag("p", labels.say("more", n=f"{len(rows) - ROWS:,}"), class_="quiet")


NUMBERS = ("before", "now", "allowed", "added", "removed", "missed", "changed", "rows", "share")


def _head(labels: Labels, columns: Sequence[str]) -> Safe:
    cells = (tag("th", labels.say(f"col.{column}"), scope="col", class_="n" if column in NUMBERS else "") for column in columns)
    return tag("thead", tag("tr", *cells))


def _n(value: int) -> Safe:
    return tag("td", f"{value:,}", class_="n" if value else "n zero")


def _svg(label: str, parts: Iterable[Safe]) -> Safe:
    return tag("svg", *parts, class_="plot", viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label=label)


def _bar(x: float, y: float, width: float, height: float, kind: str) -> Safe:
    return tag("rect", x=f"{x:.2f}", y=f"{y:g}", width=f"{width:.2f}", height=f"{height:g}", class_=kind)


def _level(labels: Labels, moved: Movement, most: int) -> Safe:
    bars = [_bar(0, 0, 100 * moved.before / most, 4.5, "was"), _bar(0, 5.5, 100 * moved.now / most, 4.5, "is")]
    return _svg(movement(labels, moved), bars)


def _change(labels: Labels, moved: Movement, widest: int) -> Safe:
    went, missed, came = (49.5 * value / widest for value in (moved.removed, moved.missed, moved.added))
    gone = [_bar(49.5 - went, 2, went, 6, "went"), _bar(49.5 - went - missed, 2, missed, 6, "missed")]
    return _svg(movement(labels, moved), [*gone, _bar(49.5, 0, 1, 10, "axis"), _bar(50.5, 2, came, 6, "came")])


def _fields(labels: Labels) -> Iterator[Safe]:
    """Which fields changed, as a share of the rows of their table."""
    found = labels.summary.fields
    if not found:
        return
    yield tag("h2", labels.say("fields"))
    head = _head(labels, ("field", "rows", "share", "plot.share"))
    body = []
    for name, field, rows in found:
        share = min(rows / max(labels.summary.tables[name].now, 1), 1.0)
        said = percent(share)
        body.append(
            tag(
                "tr", tag("th", f"{labels.table(name)} · {labels.field(name, field)}", scope="row"), _n(rows), tag("td", said, class_="n"),
                tag("td", _svg(said, [_bar(0, 2, 100, 6, "was"), _bar(0, 2, 100 * share, 6, "is")]), class_="plots"),
            )
        )  # fmt: skip
    yield tag("div", tag("table", head, tag("tbody", *body)), class_="scroll", tabindex="0", role="group", aria_label=labels.say("fields"))
