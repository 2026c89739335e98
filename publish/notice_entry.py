"""What a notice's own entry says: what the release says of it today, word for word and with its document, its statements beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from feeds import Detail, Entry, Link

from .amounts import unit_in
from .called import FORMER_NAME, Called, in_lines, is_among, short
from .happened import HAPPENED, instant, notice_id
from .home import release_order

Row = Mapping[str, Any]
UNLINKED = "未能核对主体"
NOT_SAID = "（公告未载明当事人）"
PRINTED = {
    "": "",
    "yuan": "，单位：元",
    "wanyuan": "，单位：万元",
    "unclear": "，单位不明",
    "unread": "，不能换算成金额",
}  # of an amount as its source prints it


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of a release with what belongs to it: `row` has its columns and those of its document as document_title, _url and _as_of."""

    row: Row
    links: Sequence[Row] = ()  # institution_id, name, method, confidence, former: the names that it had before
    statements: Sequence[Row] = ()
    penalties: Sequence[str] = ()
    measures: Sequence[str] = ()


def notice_entry(called: Called, notice: Notice, published: str, updated: str, event: str = "") -> Entry:
    """A notice as the release says it; `published` is the release that first showed it, `updated` the one that changed it last."""
    row = notice.row
    kind = called.label("notice_kinds", row["kind"])
    details = _details(called, notice, published)
    via = (Link("via", row["document_url"], title=row["document_title"] or ""),) if row["document_url"] else ()
    return Entry(
        id=notice_id(row["id"]), title=_title(called, notice, kind, event), url=called.notice_page(row["id"]), summary=in_lines(details),
        content_html=None, details=details, published=instant(published), updated=instant(updated), authority=row["authority"],
        categories=tuple(filter(None, (kind, called.label("violation_types", row["violation_type"])))), links=via, event=event,
    )  # fmt: skip


def _title(called: Called, notice: Notice, kind: str, event: str) -> str:
    """What an editor has to know: whether it is disputed, was corrected or is back, its kind, whom, what was ordered, by whom; short enough to be read."""
    row = notice.row
    state = _state(called, row) or (HAPPENED[event] if event in ("corrected", "again") else "")
    fine = f" {yuan(row['fine_fen'])} 元" if row["fine_fen"] is not None else ""
    ordered = [called.label("penalty_types", code) + (fine if code == "fine" else "") for code in notice.penalties]
    ordered += [called.label("measures", code) for code in notice.measures]
    said = f"：{'、'.join(ordered)}" if ordered else ""
    whom = short(row["subject_name"] or NOT_SAID)
    return (f"〔{state}〕" if state else "") + f"{kind}：{whom}{said}" + (f"（{short(row['authority'])}）" if row["authority"] else "")


def _state(called: Called, row: Row) -> str:
    """What a reader must not miss of a notice that is shown."""
    return called.label("notice_states", row["state"]) if row["state"] in ("disputed", "corrected") else ""


def _details(called: Called, notice: Notice, published: str) -> tuple[Detail, ...]:
    row, label = notice.row, called.label
    penalties = "、".join(label("penalty_types", code) for code in notice.penalties)
    measures = "、".join(label("measures", code) for code in notice.measures)
    until = " ".join(filter(None, (row["public_until"], label("public_until_rules", row["public_until_rule"]))))
    document = row["document_title"] or row["document_url"] or ""
    as_of = f"（截至 {row['document_as_of']}）" if document and row["document_as_of"] else ""
    lines = [
        _line(called, "subject_name", row["subject_name"] or NOT_SAID), *([_linked(called, link, row["subject_name"]) for link in notice.links] or [Detail("核对", UNLINKED)]),
        _line(called, "authority", row["authority"]), Detail("地区", called.region(row["region_code"], row["region_text"])), _line(called, "state", _state(called, row)),
        _line(called, "violation_type", label("violation_types", row["violation_type"]) or row["violation_text"]), _line(called, "facts", row["facts"]),
        *(Detail(*_said(one)) for one in notice.statements),
        Detail(called.catalogue.tables["notice_penalties"].label.zh, penalties), Detail(called.catalogue.tables["notice_measures"].label.zh, measures),
        _line(called, "penalty_text", row["penalty_text"]), _line(called, "fine_fen", _amount(row, "fine")), _line(called, "confiscated_fen", _amount(row, "confiscated")),
        _line(called, "seriousness", label("seriousness", row["seriousness"])), _line(called, "decided_on", row["decided_on"]), _line(called, "published_on", row["published_on"]),
        Detail("本站首次收录", release_order(published)[0]), _line(called, "public_until", until), _line(called, "absent_since", row["absent_since"]),
        _line(called, "document_no", row["document_no"]), Detail("文件", f"{document}{as_of}", row["document_url"] or ""), Detail("文件网址", row["document_url"] or "", row["document_url"] or ""),
    ]  # fmt: skip
    return tuple(one for one in lines if one.value)


def _linked(called: Called, link: Row, subject: str | None) -> Detail:
    sure = f"，可信度 {link['confidence']:.2f}" if link["confidence"] is not None else ""
    renamed = f"；公告所载是它的{FORMER_NAME}" if subject != link["name"] and is_among(subject, link["former"]) else ""
    said = f"{link['name']}（{called.label('link_methods', link['method'])}{sure}{renamed}）"
    return Detail("核对", said, called.institution_page(link["institution_id"]))


def _line(called: Called, column: str, value: str | None) -> Detail:
    return Detail(called.column("notices", column), value or "")


def rests_on(one: Row | None) -> str:
    """The document that a statement rests on, behind what it says."""
    return f"（{one['document']}）" if one and one["document"] else ""


def _said(one: Row) -> tuple[str, str]:
    """What was said of a notice, as a line of its entry."""
    document = rests_on(one)
    if one["kind"] == "reply":
        return "申辩", f"{one['said_by']}，{one['said_on']}：{one['text']}{document}"
    if one["kind"] == "dispute":
        return "异议", (f"已于 {one['settled_on']} 核对完毕" if one["settled_on"] else f"{one['recorded_on']} 起正在核对") + document
    return "更正", f"{one['recorded_on']} 依机关文件更正{document}"


def _amount(row: Row, name: str) -> str:
    """An amount of money with its original text beside it; the text alone where its unit is unclear (rule 12)."""
    fen, text = row[f"{name}_fen"], row[f"{name}_text"]
    printed = f"原文：{text}{PRINTED[unit_in(fen, text)]}" if text else ""
    if fen is None:
        return printed
    return f"{yuan(fen)} 元" + (f"（{printed}）" if printed else "")


def yuan(fen: int) -> str:
    """An amount in fen as yuan, with its fen where it has any: 1234567 is 12,345.67 and 1500000 is 15,000."""
    return f"{Decimal(fen) / 100:,.2f}".removesuffix(".00")
