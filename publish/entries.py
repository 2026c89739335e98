"""What an entry of a feed says: feeds' entries made of rows, the same for the documents that are made ahead and those made on request.

A notice's entry says what the release says today, word for word and with its document. Every other entry says that something happened and
nothing of what was found: what was corrected or withdrawn is not repeated, and what stands in an archive for ever has no subject, no authority
and no words of a notice (rule 6). That an institution left a list reads 不在最新一期名单中 and never more. Texts are Chinese, as the sources' are.

An entry is published with the release that first showed it and updated with the one that changed it last, at midnight in China (the second
release of a day a second later), so that the same releases give the same bytes.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from feeds import Detail, Entry, Link, Tombstone

from .amounts import unit_in
from .catalogue import Catalogue
from .fresh import over
from .home import CHINA, release_order
from .rules import WITHHELD_SERIOUSNESS
from .telling import name_key

Row = Mapping[str, Any]
TAG = "tag:mingbai.example,2026"  # not the address of the site, which may move
UNLINKED = "未能核对主体"
NOT_LISTED = "不在最新一期名单中"
OVER = "名单所示的有效期已过"
FORMER_NAME = "曾用名"
NOT_SAID = "（公告未载明当事人）"
PRINTED = {
    "": "",
    "yuan": "，单位：元",
    "wanyuan": "，单位：万元",
    "unclear": "，单位不明",
    "unread": "，不能换算成金额",
}  # of an amount as its source prints it
LONGEST = 80  # characters of a name in a title: no real one has as many, and what a source writes into the wrong field may have thousands
HAPPENED = {
    "first": "首次公布", "again": "再次公布", "changed": "有变更", "corrected": "已更正", "tombstone": "撤下", "removal": "撤下说明", "correction": "更正说明", "dispute": "异议说明",
    "entered": "列入白名单", "left": NOT_LISTED, "released": "发布",
}  # fmt: skip
COUNTED = {
    "first": "首次公布的公告", "again": "再次公布的公告", "changed": "有变更的公告", "correction": "更正的公告", "removal": "撤下的公告", "dispute": "提出异议或核对完毕的公告",
    "expired": "公示结束的公告", "absent": "来源不再列出的公告", "unpublished": "本站不再公布的公告",
    "entered": "列入白名单的机构", "left": "不在最新一期名单中的机构",
}  # fmt: skip
ENDED = {"expired": "公示结束", "absent": "来源不再列出", "unpublished": "本站不再公布"}  # classes of reason that are no withdrawal
NOT_REPEATED = "原有内容不再重复。"
DISPUTED = {
    "raised": ("异议提出", "于 {day} 提出，开始核对", "recorded_on"),
    "settled": ("异议核对完毕", "已于 {day} 核对完毕", "settled_on"),
}  # its title, what it says, its day
BESIDE = ("correction", "dispute")  # events of which an entry tells that says more where the notice may be shown
SHOWN = ("first", "again", "changed", "corrected")  # events of which the notice's own entry tells, while the release has it
FAMILIES = {
    "notices": ("校外培训机构公告", "新公布的黑名单、行政处罚、典型案例和风险提示。只转载机关已公布的内容，不作评价。"),
    "records": ("校外培训机构公告（全部收录）", "公示期内的全部公告，含首次收录的来源和较早作出的决定，不是新消息。只转载机关已公布的内容，不作评价。"),
    "corrections": ("更正与撤下", "公告的更正、异议和撤下。不重复被更正或撤下的内容。"),
    "listings": ("白名单变动", "机构列入白名单，或不在最新一期名单中。列入名单只说明列入，不是评价；不在名单中不说明原因。"),
    "releases": ("数据版本", "每发布一个版本有一条。"),
}  # fmt: skip
BY = ("region", "violation", "seriousness", "authority")
FACETS: Mapping[str, tuple[str, ...]] = {
    "notices": BY,
    "records": BY,
    "corrections": ("region",),
    "listings": ("region",),
    "releases": (),
}  # what each family can be had by
CODES = {"violation": "violation_types", "seriousness": "seriousness"}  # the code tables of those that have one
NEVER_TOLD = {"seriousness": WITHHELD_SERIOUSNESS}  # codes of which nothing is ever published: a feed of one would be empty for ever


def told_by(facet: str, codes: Iterable[str]) -> list[str]:
    """The codes of a facet that a feed can be had by."""
    return [code for code in codes if code not in NEVER_TOLD.get(facet, ())]


def can_tell(feed: str, is_region: Callable[[str], bool], codes: Callable[[str], Container[str]]) -> bool:
    """Whether a feed can be asked for that has told nothing yet: of all of a family, of a region below the country, or of a code of a table."""
    family, _, rest = feed.partition("/")
    facet, _, code = rest.partition("/")
    if not rest or facet not in FACETS.get(family, ()):
        return feed in FACETS
    return is_region(code) if facet == "region" else facet in CODES and code in codes(CODES[facet]) and bool(told_by(facet, [code]))


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of a release with what belongs to it: `row` has its columns and those of its document as document_title, _url and _as_of."""

    row: Row
    links: Sequence[Row] = ()  # institution_id, name, method, confidence, former: the names that it had before
    statements: Sequence[Row] = ()
    penalties: Sequence[str] = ()
    measures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What the ledger tells: `kind` happened to the notice, the institution's listing or the release of this id with `release`, for `reason`.

    `number` is the ledger's own; `region` that of the white list that was entered or left.
    """

    number: int
    what: str
    id: str
    kind: str
    release: str
    reason: str = ""
    region: str = ""

    @property
    def entry(self) -> str:
        """The id of the entry that tells of it: a notice's own, or that of one beside it, of a listing's coming or going, of a release."""
        if self.what == "notice":
            beside = {"correction": "corrections", "removal": "removals", "dispute": "disputes"}.get(self.kind)
            return tag(f"notices/{self.id}/{beside}/{self.release}") if beside else notice_id(self.id)
        # two lists may be left with one release
        return tag(f"institutions/{self.id}/listings/{self.number}" if self.what == "listing" else f"releases/{self.id}")


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes entries with the labels of a catalogue, for a site at an address without a slash at its end."""

    catalogue: Catalogue
    site: str
    _names: dict[str, str] = field(default_factory=dict, repr=False)  # of regions, asked for once

    def notice(self, notice: Notice, published: str, updated: str, event: str = "") -> Entry:
        """A notice as the release says it; `published` is the release that first showed it, `updated` the one that changed it last."""
        row = notice.row
        kind = self._label("notice_kinds", row["kind"])
        details = self._details(notice, published)
        via = (Link("via", row["document_url"], title=row["document_title"] or ""),) if row["document_url"] else ()
        return Entry(
            id=notice_id(row["id"]), title=self._title(notice, kind, event), url=self._page(row["id"]), summary=_text(details),
            content_html=None, details=details, published=instant(published), updated=instant(updated), authority=row["authority"],
            categories=tuple(filter(None, (kind, self._label("violation_types", row["violation_type"])))), links=via, event=event,
        )  # fmt: skip

    def correction(self, event: Event, acts: Sequence[Row] = (), notice: Notice | None = None) -> Entry:
        """The entry that says that a notice was corrected, and links it: of one that may be shown today, which columns with this event, whatever was
        corrected since. Never whom it is about: the entry has no tombstone that would take it back from readers when the notice is withdrawn."""
        said = [one for _, one in _acted(acts, notice) if one]
        names = dict.fromkeys(name for one in said for name in (one["fields"] or "").split())
        columns = self.catalogue.tables["notices"].columns
        which = "、".join(columns[name].label.zh for name in names if name in columns)
        text = f"公告 {event.id} 已更正{f'（{which}）' if which else ''}，以更正后的内容为准。{NOT_REPEATED}"
        return self._about(event, f"更正：{self._named(event, notice)}", text)

    def dispute(self, event: Event, acts: Sequence[Row] = (), notice: Notice | None = None) -> Entry:
        """The entry that says that a dispute of a notice was raised or was settled, whatever came of it since, and links it."""
        day = release_order(event.release)[0]
        said = [
            f"异议{_rests_on(one)}{DISPUTED[act][1].format(day=one[DISPUTED[act][2]] if one else day)}" for act, one in _acted(acts, notice)
        ]
        title = "、".join(dict.fromkeys(DISPUTED[act["act"]][0] for act in acts)) or "异议"
        how = "；".join(dict.fromkeys(said)) or "异议已提出或已核对完毕"
        return self._about(event, f"{title}：{self._named(event, notice)}", f"公告 {event.id} 的{how}。现状以公告页为准。{NOT_REPEATED}")

    def removal(self, event: Event) -> Entry:
        """The entry that says that a notice is shown no more, and for which class of reason."""
        why = self.reason(event.reason)
        said = f"公告 {event.id} 已不再公布，原因类别：{why}。{NOT_REPEATED}"
        ended = ENDED.get(event.reason)
        title = f"{ended}：公告 {event.id}" if ended else f"撤下：公告 {event.id}（{why}）"
        return self._about(event, title, said, reason=event.reason)

    def tombstone(self, event: Event, when: datetime | None = None, reason: str = "") -> Tombstone:
        """That a notice's own entry is no more: since the event and for its reason, where no others are given."""
        why = reason or event.reason
        return Tombstone(event.entry, when or instant(event.release), self.reason(why), why)

    def listing(self, event: Event, row: Row | None, listings: Sequence[Row], former: Sequence[str], today: str) -> Entry:
        """That an institution entered the white list of a region or left it. `row` is the institution, `listings` are its white ones there and `former` its
        former names, as the release of `today` has them. What the title says of a list was so on the day of the event: a list that was renewed
        since is below, and one whose own term is over is not there.

        One that the release no longer has is called as it was last and has `successors`, who took its place; it has no page of its own any more, and
        its address leads to theirs, so that the entry links what is told of its changes. Whose list was left is not said: a region has those
        of several authorities, and which of them had it is in no row any more.
        """
        name = (row and row["name"]) or f"机构 {event.id}"
        successors = None if row is None else row.get("successors")
        page = self._institution(event.id) if row and successors is None else f"{self.site}/changes?subject={event.id}"
        where, day = self.region(event.region), release_order(event.release)[0]
        there = [one for one in listings if not one["absent_since"]]
        now = [one for one in there if not (one["valid_until"] and over(one["valid_until"], today))]
        details = [Detail("机构", name, page), *([Detail("地区", where)] if where else [])]
        details.append(Detail("变动", f"{HAPPENED[event.kind]}（{day} 的版本）"))
        details += [self._successor(one) for one in successors or ()]
        said, at = HAPPENED[event.kind], instant(event.release)
        if event.kind == "entered":
            since = [] if successors else [Detail("此后", OVER if there else NOT_LISTED)]  # the list may have it under another id
            details += [Detail("名单", self._listed(one), one["document_url"] or "") for one in now] or since
            printed = dict.fromkeys(one["subject_name"] for one in now if name_key(one["subject_name"]) not in (None, name_key(name)))
            details += [Detail("名单所载名称", f"{text}（{FORMER_NAME}）" if _is_among(text, former) else text) for text in printed]
            then = [one for one in now if not one["as_of"] or one["as_of"] <= day[: len(one["as_of"])]]
            said = self._listed(then[0]) + ("等" if len(then) > 1 else "") if then else said
        return Entry(
            id=event.entry, title=f"{_short(name)}：{said}" + (f"（{where}）" if where else ""), url=page, summary=_text(details),
            content_html=None, details=tuple(details), published=at, updated=at, categories=(HAPPENED[event.kind],), event=event.kind,
        )  # fmt: skip

    def release(self, event: Event, counts: Mapping[str, int]) -> Entry:
        """One entry a release, with how many events of each kind it has."""
        details = [Detail(COUNTED[kind], str(counts[kind])) for kind in COUNTED if counts.get(kind)]
        at = instant(event.release)
        return Entry(
            id=event.entry, title=f"数据版本 {event.id}", url=self._release(event.id), summary=_text(details) or "没有需要提示的变动。",
            content_html=None, details=tuple(details), published=at, updated=at, event=event.kind,
        )  # fmt: skip

    def archived(self, event: Event) -> Entry:
        """An event as it stands in an archive for ever: what happened to which number on which day, and nothing of what was found."""
        whose, url = {
            "notice": (f"公告 {event.id}", self._page), "listing": (f"机构 {event.id}", self._institution), "release": (f"数据版本 {event.id}", self._release),
        }[event.what]  # fmt: skip
        happened = ENDED.get(event.reason, HAPPENED[event.kind]) if event.kind == "removal" else HAPPENED[event.kind]
        said, at = f"{whose}：{happened}（{release_order(event.release)[0]}）", instant(event.release)
        return Entry(
            id=event.entry, title=said, url=url(event.id), summary=said, content_html=None, published=at, updated=at, event=event.kind, reason=event.reason if event.kind == "removal" else "",
        )  # fmt: skip

    def reason(self, reason: str) -> str:
        """A class of reason in words."""
        return self._label("tombstone_reasons", reason) or self._label("tombstone_reasons", "unpublished")

    def _about(self, event: Event, title: str, said: str, reason: str = "") -> Entry:
        page, at = self._page(event.id), instant(event.release)
        return Entry(
            id=event.entry, title=title, url=page, summary=said, content_html=None, published=at, updated=at, event=event.kind, reason=reason,
            links=(Link("related", page, "text/html"),), concerns=notice_id(event.id),
        )  # fmt: skip

    def _named(self, event: Event, notice: Notice | None) -> str:
        """A notice by its number, and where it may be shown by its kind and authority."""
        if notice is None:
            return f"公告 {event.id}"
        kind, authority = self._label("notice_kinds", notice.row["kind"]), notice.row["authority"]
        return f"{kind} {event.id}" + (f"（{_short(authority)}）" if authority else "")

    def _title(self, notice: Notice, kind: str, event: str) -> str:
        """What an editor has to know: whether it is disputed, was corrected or is back, its kind, whom, what was ordered, by whom; short enough to be read."""
        row = notice.row
        state = self._state(row) or (HAPPENED[event] if event in ("corrected", "again") else "")
        fine = f" {yuan(row['fine_fen'])} 元" if row["fine_fen"] is not None else ""
        ordered = [self._label("penalty_types", code) + (fine if code == "fine" else "") for code in notice.penalties]
        ordered += [self._label("measures", code) for code in notice.measures]
        said = f"：{'、'.join(ordered)}" if ordered else ""
        whom = _short(row["subject_name"] or NOT_SAID)
        return (f"〔{state}〕" if state else "") + f"{kind}：{whom}{said}" + (f"（{_short(row['authority'])}）" if row["authority"] else "")

    def _state(self, row: Row) -> str:
        """What a reader must not miss of a notice that is shown."""
        return self._label("notice_states", row["state"]) if row["state"] in ("disputed", "corrected") else ""

    def _details(self, notice: Notice, published: str) -> tuple[Detail, ...]:
        row, label = notice.row, self._label
        penalties = "、".join(label("penalty_types", code) for code in notice.penalties)
        measures = "、".join(label("measures", code) for code in notice.measures)
        until = " ".join(filter(None, (row["public_until"], label("public_until_rules", row["public_until_rule"]))))
        document = row["document_title"] or row["document_url"] or ""
        as_of = f"（截至 {row['document_as_of']}）" if document and row["document_as_of"] else ""
        lines = [
            self._line("subject_name", row["subject_name"] or NOT_SAID), *([self._linked(link, row["subject_name"]) for link in notice.links] or [Detail("核对", UNLINKED)]),
            self._line("authority", row["authority"]), Detail("地区", self.region(row["region_code"], row["region_text"])), self._line("state", self._state(row)),
            self._line("violation_type", label("violation_types", row["violation_type"]) or row["violation_text"]), self._line("facts", row["facts"]),
            *(Detail(*_said(one)) for one in notice.statements),
            Detail(self.catalogue.tables["notice_penalties"].label.zh, penalties), Detail(self.catalogue.tables["notice_measures"].label.zh, measures),
            self._line("penalty_text", row["penalty_text"]), self._line("fine_fen", _amount(row, "fine")), self._line("confiscated_fen", _amount(row, "confiscated")),
            self._line("seriousness", label("seriousness", row["seriousness"])), self._line("decided_on", row["decided_on"]), self._line("published_on", row["published_on"]),
            Detail("本站首次收录", release_order(published)[0]), self._line("public_until", until), self._line("absent_since", row["absent_since"]),
            self._line("document_no", row["document_no"]), Detail("文件", f"{document}{as_of}", row["document_url"] or ""), Detail("文件网址", row["document_url"] or "", row["document_url"] or ""),
        ]  # fmt: skip
        return tuple(one for one in lines if one.value)

    def _linked(self, link: Row, subject: str | None) -> Detail:
        sure = f"，可信度 {link['confidence']:.2f}" if link["confidence"] is not None else ""
        renamed = f"；公告所载是它的{FORMER_NAME}" if subject != link["name"] and _is_among(subject, link["former"]) else ""
        said = f"{link['name']}（{self._label('link_methods', link['method'])}{sure}{renamed}）"
        return Detail("核对", said, self._institution(link["institution_id"]))

    def _line(self, column: str, value: str | None) -> Detail:
        return Detail(self.catalogue.tables["notices"].columns[column].label.zh, value or "")

    def region(self, code: str | None, printed: str | None = None) -> str:
        """A region in full, as it is called today, else as its source prints it."""
        regions = self.catalogue.regions
        if code and code not in self._names:
            self._names[code] = regions.name(code) if regions.at(code) else ""
        return (code and self._names[code]) or printed or ""

    def _successor(self, row: Row) -> Detail:
        """Who took the place of an institution that is gone, and how, as far as one step tells it."""
        kind = self._label("lineage_kinds", row["kind"])
        label = self.catalogue.tables["institution_lineage"].columns["successor_id"].label.zh
        return Detail(label, row["name"] + (f"（{kind}）" if kind else ""), self._institution(row["id"]))

    def _listed(self, row: Row) -> str:
        """列入 X 局 Y 批白名单，截至 D (rule 1)."""
        as_of = f"，截至 {row['as_of']}" if row["as_of"] else ""
        return f"列入{_short(row['authority'] or '')}{_short(row['batch_label'] or '')}{self._label('lists', row['list'])}{as_of}"

    def _label(self, table: str, code: str | None) -> str:
        codes = self.catalogue.codes[table]
        return codes.label(code).zh if code in codes and code is not None else ""

    def _page(self, notice: str) -> str:
        return f"{self.site}/notices/{notice}"

    def _institution(self, institution: str) -> str:
        return f"{self.site}/institutions/{institution}"

    def _release(self, release: str) -> str:
        return f"{self.site}/changes?release={release}"


def _acted(acts: Sequence[Row], notice: Notice | None) -> list[tuple[str, Row | None]]:
    """What happened with an event, each with the statement that it was: None where the notice may not be shown, or its source alone says so."""
    statements = {one["number"]: one for one in notice.statements} if notice else {}
    return [(one["act"], statements.get(one["statement"])) for one in acts]


def _rests_on(one: Row | None) -> str:
    """The document that a statement rests on, behind what it says."""
    return f"（{one['document']}）" if one and one["document"] else ""


def _said(one: Row) -> tuple[str, str]:
    """What was said of a notice, as a line of its entry."""
    rests_on = _rests_on(one)
    if one["kind"] == "reply":
        return "申辩", f"{one['said_by']}，{one['said_on']}：{one['text']}{rests_on}"
    if one["kind"] == "dispute":
        return "异议", (f"已于 {one['settled_on']} 核对完毕" if one["settled_on"] else f"{one['recorded_on']} 起正在核对") + rests_on
    return "更正", f"{one['recorded_on']} 依机关文件更正{rests_on}"


def _amount(row: Row, name: str) -> str:
    """An amount of money with its original text beside it; the text alone where its unit is unclear (rule 12)."""
    fen, text = row[f"{name}_fen"], row[f"{name}_text"]
    printed = f"原文：{text}{PRINTED[unit_in(fen, text)]}" if text else ""
    if fen is None:
        return printed
    return f"{yuan(fen)} 元" + (f"（{printed}）" if printed else "")


def instant(release: str) -> datetime:
    """When a release was, as feeds say it. Raises BadHome for what is no release id."""
    day, number = release_order(release)
    return datetime.combine(date.fromisoformat(day), time(0), CHINA) + timedelta(seconds=number - 1)


def tag(what: str) -> str:
    """A tag: URI (RFC 4151) of our own naming: for ever, wherever the site is served from."""
    return f"{TAG}:{what}"


def notice_id(notice: str) -> str:
    """The id of a notice's own entry."""
    return tag(f"notices/{notice}")


def authority_key(name: str | None) -> str | None:
    """What stands for an authority in the address of its feed: for its name as it is printed, since few have a code of their own."""
    return None if name is None else sha256(name.encode()).hexdigest()[:12]


def _is_among(name: str | None, names: Iterable[str]) -> bool:
    """Whether a name is one of several, to the letter."""
    return name is not None and name_key(name) in map(name_key, names)


def _short(name: str) -> str:
    """A name as a title can have it; whole it is in the content."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}…"


def _text(details: Iterable[Detail]) -> str:
    return "\n".join(f"{one.label}：{one.value}" for one in details)


def yuan(fen: int) -> str:
    """An amount in fen as yuan, with its fen where it has any: 1234567 is 12,345.67 and 1500000 is 15,000."""
    return f"{Decimal(fen) / 100:,.2f}".removesuffix(".00")
