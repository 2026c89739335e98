"""Enter what is said of a notice, and show it at once: a reply, a dispute and its end, a correction (rule 11). One name is enough.

What a clerk types is free text like any source's: it is screened before it is written down anywhere. Whom a reply is from is masked unless it
says plainly that it is an organisation. A notice about somebody who could be a person takes words from them alone, by the name that is to be
hidden in them, because that name is known nowhere here.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from . import cleaning, dates, historyfile, rules
from .audit import Entry, append, entries, signed
from .catalogue import Catalogue
from .dataset import Column
from .errors import BadHome, BadValue
from .home import to_read
from .masked import hide_person, masked_person
from .namewords import looks_like_organisation
from .persons import looks_like_person
from .rules import ORGANISATION, Row
from .run import at_work
from .same import CODES
from .screen import SCREENED, screen
from .statements import ACTS, is_open, statements
from .values import parser
from .withdrawals import KNOWN_BY, carried, same
from .work import Result, Work, opened

LONGEST = 5_000  # characters of a reply: a page of it stands beside a notice of a few lines
OF_COMMANDS = {"state": "mingbai dispute, or mingbai withdraw"}  # columns that are given and that another command decides
NAMELESS = (*rules.TEXTS, "document_no")  # what can hold the name of a person whom a notice is about
SPELT = {
    "fen": re.compile(r"[0-9][0-9,.]*(?:万元|万|元|圆)"),
    "date": re.compile(r"[0-9]{4}[-./年][0-9]{1,2}[-./月][0-9]{1,2}日?"),
}  # in a text
About = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What a clerk asks for. `act` is one of statements.ACTS; `fields` are columns and what they should say, as text."""

    act: str
    notice: str
    document: str
    by: str
    note: str
    text: str = ""
    said_by: str = ""
    said_on: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def amend(work: Work, request: Request) -> Result:
    """Enter it in the log and publish the live release with it.

    Raises BadHome for a notice that readers do not see, BadValue for what its column does not take, NotSigned without a name or a note.
    """
    with opened(work):
        enter(work, request)
    return shown(work)


def shown(work: Work) -> Result:
    """Publish what was entered and is not live yet, as at_work does before any task: there is none beside it."""
    before = work.live
    return at_work(work, (), lambda: Result("nothing_new", None) if work.live == before else Result("released", work.live))


def enter(work: Work, request: Request) -> None:
    """Enter it in the log, and say what was masked. What was entered to the word is not entered twice. The caller holds the lock."""
    if request.act not in ACTS:
        raise ValueError(f"{request.act!r} is no act; expected one of {', '.join(ACTS)}")
    signed(request.by, "name")
    signed(request.note, "note")
    log = entries(work.home)
    row = _shown(work, log, request.notice)
    masked: Counter[str] = Counter()
    about = _MAKE[request.act](work, request, row, masked)
    if _said_last(log, request) != about:
        if request.act in ("dispute", "settle"):
            _changes_something(log, request)
        append(work.home, request.act, request.by, request.note, {**about, "on": work.day.isoformat()}, work.now)
    if request.act == "correct":
        for line in (*_left(work.catalogue, row, about), *_ordered(work, row, about)):
            work.progress.say(line)
    if masked:
        work.progress.say(
            f"{request.notice}: masked before it was entered: {', '.join(f'{n} {kind}' for kind, n in sorted(masked.items()))}"
        )


def _shown(work: Work, log: tuple[Entry, ...], notice: str) -> Row:
    """The notice as readers see it now."""
    if notice in carried(log):
        raise BadHome(f"{work.home.audit}: {notice} was withdrawn; nothing is said of it any more")
    if not historyfile.knows(work.home.history, notice):
        raise BadHome(f"{work.home.history}: no release has shown a notice {notice}; its id is the last part of its address, n-…")
    live = work.live_database
    assert live is not None
    connection = sqlite3.connect(to_read(live, for_good=True), uri=True)
    try:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM notices WHERE id = ? AND public_until >= ?", [notice, work.day.isoformat()]).fetchone()
    finally:
        connection.close()
    if found is None:
        raise BadHome(f"{live}: readers no longer see {notice}; what is not shown has nothing beside it")
    return dict(found)


def _said_last(log: tuple[Entry, ...], request: Request) -> About:
    """What was entered last of this kind about the notice, without its day. A dispute and its end are of one kind."""
    kind = ("dispute", "settle") if request.act in ("dispute", "settle") else (request.act,)
    last = next((entry for entry in reversed(log) if entry.act in kind and entry.about["notice"] == request.notice), None)
    if last is None or last.act != request.act:
        return {}
    return {name: value for name, value in last.about.items() if name != "on"}


def _changes_something(log: tuple[Entry, ...], request: Request) -> None:
    disputed = any(is_open(one) and one.notice_id == request.notice for one in statements(log))
    if disputed and request.act == "dispute":
        raise BadHome(f"{request.notice} is disputed already; end that with --settled first")
    if not disputed and request.act == "settle":
        raise BadHome(f"{request.notice} has no dispute of ours that could be settled")


def _reply(work: Work, request: Request, row: Row, masked: Counter[str]) -> About:
    who, said = cleaning.name(request.said_by), cleaning.prose(request.text)
    if said is None or len(said) > LONGEST:
        raise BadValue(f"--text: found {len(said or '')} characters; expected 1 to {LONGEST:,}")
    on = dates.day(request.said_on)
    if on is None or on > work.day.isoformat():
        raise BadValue(f"--on: found {request.said_on!r}; expected a day that is not after {work.day}")
    name = row["subject_name"]
    if row["subject_kind"] != ORGANISATION and name is not None and masked_person(who) != name:
        raise BadValue(
            f"--from: found a name that reads {masked_person(who)} and the notice is about {name}, who could be a person; expected their name as the notice has it, so that it can be hidden"
        )
    is_organisation = looks_like_organisation(who) and not looks_like_person(who)
    hide: Callable[[str], str]
    if row["subject_kind"] == ORGANISATION and (is_organisation or who == name):
        shown, hide = _screened(who, masked), _as_it_is
    else:
        shown, hide = masked_person(who), _hider(who, masked)
        masked["name"] += 1
    return _about(request, row, hide, masked) | {"text": _screened(hide(said), masked), "said_by": shown, "said_on": on}


def _as_it_is(said: str) -> str:
    return said


def _hider(who: str, masked: Counter[str]) -> Callable[[str], str]:
    def hide(said: str) -> str:
        hidden = hide_person(said, who)
        masked["name"] += hidden != said
        return hidden

    return hide


def _dispute(work: Work, request: Request, row: Row, masked: Counter[str]) -> About:
    return _about(request, row, _as_it_is, masked)


def _correct(work: Work, request: Request, row: Row, masked: Counter[str]) -> About:
    if not request.fields:
        raise BadValue("--field: none is given; expected COLUMN=VALUE")
    corrected = dict(row)
    for name, written in request.fields.items():
        corrected[name] = _read(work.catalogue, name, written, work.day.isoformat())
    if "kind" in request.fields and corrected["kind"] is None:
        raise BadValue("kind: found nothing; a notice has a kind")
    private = row["subject_kind"] != ORGANISATION
    if private and set(request.fields) & set(NAMELESS) and "subject_name" not in request.fields:
        raise BadValue(
            "--field: the notice is about who could be a person, and their name is known nowhere here; give subject_name too, so that it can be hidden"
        )
    if private and (spelled := request.fields.get("subject_name")):
        corrected["document_no"] = hide_person(str(corrected["document_no"]), spelled) if corrected["document_no"] else None
    _judge(corrected, row, request, work.day.isoformat())
    for name in request.fields:
        if isinstance(corrected[name], str) and work.catalogue.tables["notices"].columns[name].kind in SCREENED:
            corrected[name] = _screened(str(corrected[name]), masked)
    known_by = (request.notice, *(corrected[name] for name in KNOWN_BY))
    if twin := next(same([known_by], carried(entries(work.home))), None):
        raise BadValue(f"{request.notice}: would be the decision that was withdrawn with {twin[1].notice}; mingbai withdraw takes it out")
    given = [column.name for column in work.catalogue.tables["notices"].published if column.name in request.fields]
    pinned = {*given, *(("subject_kind",) if "subject_name" in given else ())}
    said = {name: corrected[name] for name in row if name in pinned or corrected[name] != row[name]}
    return _about(request, row, _as_it_is, masked) | {"given": given, "values": said}


def _left(catalogue: Catalogue, row: Row, about: About) -> Iterator[str]:
    """A line for each public text of the notice that goes on saying what was corrected elsewhere in it."""
    columns, said = catalogue.tables["notices"].columns, {**row, **about["values"]}
    texts = [c.name for c in columns.values() if c.published and c.rule == "given" and c.kind in SCREENED and c.name not in about["given"]]
    for text in texts:
        found = [name for name in about["given"] if row[name] != said[name] and _goes_on(text, name, columns[name].kind, row, said)]
        if found:
            yield f"{about['notice']}: {text} goes on saying what {', '.join(found)} said before; correct it too where it means the same"


def _ordered(work: Work, row: Row, about: About) -> Iterator[str]:
    """A line for what a source's own columns go on saying that was ordered, where the text of the decision is corrected: they are no text and no column of
    the notice, so that neither a correction nor a look into texts reaches them."""
    said = about["values"]
    if said.get("penalty_text", row["penalty_text"]) == row["penalty_text"] or (live := work.live_database) is None:
        return
    with closing(sqlite3.connect(to_read(live, for_good=True), uri=True)) as connection:
        for name, (table, column) in CODES.items():
            codes = work.catalogue.codes[str(work.catalogue.tables[table].columns[column].codes)]
            found = connection.execute(f'SELECT "{column}" FROM "{table}" WHERE notice_id = ? ORDER BY 1', [row["id"]]).fetchall()  # noqa: S608
            if found:
                named = ", ".join(f"{code} ({codes.label(code).zh})" for (code,) in found)
                yield f"{row['id']}: {name} go on as the source gives them, beside the new penalty_text: {named}; no correction changes them: where one is wrong, have the source change it, or mingbai dispute"


def _goes_on(text: str, name: str, kind: str, row: Row, said: Row) -> bool:
    """Whether a text says what a column said before. An amount as its source prints it does so without its unit too, and stands beside the right one."""
    if name.endswith("_fen") and text == f"{name.removesuffix('_fen')}_text":
        return said[text] is not None and not _says(said[text], kind, said[name])
    return _says(said[text], kind, row[name])


def _says(text: object, kind: str, value: object) -> bool:
    """Whether a text has a value, an amount or a day in whatever spelling."""
    if text is None or value is None:
        return False
    if kind in SPELT:
        read = parser(kind, unit=None, document_day=None)
        return any(_is_read(read, one.group(), value) for one in SPELT[kind].finditer(str(text)))
    return kind not in ("code", "region") and len(str(value)) > 1 and str(value) in str(text)


def _is_read(read: Callable[[object], object], written: str, value: object) -> bool:
    try:
        return read(written) == value
    except BadValue:
        return False


def _judge(corrected: Row, row: Row, request: Request, day: str) -> None:
    """What follows from the correction: who is masked, and until when it is public. Raises BadValue where it would be public no longer."""
    dated = set(request.fields) & {"decided_on", "published_on", "found_on", "seriousness"}
    until, rule = row["public_until"], row["public_until_rule"]
    corrected["public_until"] = until if rule == "source" else None
    withheld = rules.notice(corrected, ())
    if not dated:
        corrected["public_until"], corrected["public_until_rule"] = until, rule
    early = any(str(corrected[name] or "") > day for name in ("decided_on", "published_on"))
    if withheld or early or str(corrected["public_until"]) < day:
        raise BadValue(
            f"{request.notice}: would no longer be public so ({withheld or 'by its dates'}); mingbai withdraw --reason corrected takes it out"
        )
    if row["subject_kind"] == ORGANISATION != corrected["subject_kind"]:
        raise BadValue(
            f"{request.notice}: would be about a person, whose name stands in earlier releases; mingbai withdraw --reason personal_data takes it out"
        )
    corrected["public_until"] = min(str(until), str(corrected["public_until"]))


def _read(catalogue: Catalogue, name: str, written: str, day: str) -> object:
    """The value of a column of notices as a source's would be read. Raises BadValue for a column that nobody corrects, too."""
    column = catalogue.tables["notices"].columns.get(name)
    if column is None or not column.published or column.rule != "given" or name in OF_COMMANDS:
        known = [c.name for c in catalogue.tables["notices"].published if c.rule == "given" and c.name not in OF_COMMANDS]
        instead = f"; {OF_COMMANDS[name]} decides that" if name in OF_COMMANDS else ""
        raise BadValue(f"--field {name}: is no column that can be corrected{instead}; expected one of {', '.join(known)}")
    try:
        return _parser(catalogue, column, day)(written) if written else None
    except BadValue as error:
        raise BadValue(f"--field {name}: {error}") from error


def _parser(catalogue: Catalogue, column: Column, day: str) -> Callable[[object], object]:
    if column.kind == "code":
        return catalogue.codes[str(column.codes)].code
    if column.kind == "region":
        return lambda raw: catalogue.regions.resolve(raw, day).code
    return parser(column.kind, unit=None, document_day=None)  # money without a unit is refused


def _about(request: Request, row: Row, hide: Callable[[str], str], masked: Counter[str]) -> About:
    document = cleaning.text(request.document)
    if document is None:
        raise BadValue(f"--document: found {request.document!r}; expected the number, title or address of the document that says so")
    return {"notice": request.notice, "document": _screened(hide(document), masked), "subject_kind": row["subject_kind"]}


def _screened(text: str, masked: Counter[str]) -> str:
    found = screen(text)
    masked.update({finding.kind: finding.count for finding in found.findings})
    return found.text


_MAKE: Mapping[str, Callable[[Work, Request, Row, Counter[str]], About]] = {
    "reply": _reply, "dispute": _dispute, "settle": _dispute, "correct": _correct,
}  # fmt: skip
