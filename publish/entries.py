"""What an entry of a feed says: feeds' entries made of rows, the same for the documents that are made ahead and those made on request.

A notice's own entry says what the release says today (notice_entry.py). Every other entry says that something happened and nothing of what was
found: what was corrected or withdrawn is not repeated, and what stands in an archive for ever has no subject, no authority and no words of a
notice (rule 6). That an institution left a list reads 不在最新一期名单中 and never more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds import Detail, Entry, Link, Tombstone

from .called import FORMER_NAME, Called, in_lines, is_among, short
from .fresh import over
from .happened import ENDED, HAPPENED, NOT_LISTED, Event, instant, notice_id
from .home import release_order
from .notice_entry import Notice, Row, rests_on
from .telling import name_key

OVER = "名单所示的有效期已过"
COUNTED = {
    "first": "首次公布的公告", "again": "再次公布的公告", "changed": "有变更的公告", "correction": "更正的公告", "removal": "撤下的公告", "dispute": "提出异议或核对完毕的公告",
    "expired": "公示结束的公告", "absent": "来源不再列出的公告", "unpublished": "本站不再公布的公告",
    "entered": "列入白名单的机构", "left": "不在最新一期名单中的机构",
}  # fmt: skip
NOT_REPEATED = "原有内容不再重复。"
DISPUTED = {
    "raised": ("异议提出", "于 {day} 提出，开始核对", "recorded_on"),
    "settled": ("异议核对完毕", "已于 {day} 核对完毕", "settled_on"),
}  # its title, what it says, its day


@dataclass(frozen=True, slots=True)
class Teller(Called):
    """Makes entries in the words of a catalogue, for a site at an address without a slash at its end."""

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
            f"异议{rests_on(one)}{DISPUTED[act][1].format(day=one[DISPUTED[act][2]] if one else day)}" for act, one in _acted(acts, notice)
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
        page = self.institution_page(event.id) if row and successors is None else f"{self.site}/changes?subject={event.id}"
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
            details += [Detail("名单所载名称", f"{text}（{FORMER_NAME}）" if is_among(text, former) else text) for text in printed]
            then = [one for one in now if not one["as_of"] or one["as_of"] <= day[: len(one["as_of"])]]
            said = self._listed(then[0]) + ("等" if len(then) > 1 else "") if then else said
        return Entry(
            id=event.entry, title=f"{short(name)}：{said}" + (f"（{where}）" if where else ""), url=page, summary=in_lines(details),
            content_html=None, details=tuple(details), published=at, updated=at, categories=(HAPPENED[event.kind],), event=event.kind,
        )  # fmt: skip

    def release(self, event: Event, counts: Mapping[str, int]) -> Entry:
        """One entry a release, with how many events of each kind it has."""
        details = [Detail(COUNTED[kind], str(counts[kind])) for kind in COUNTED if counts.get(kind)]
        at = instant(event.release)
        return Entry(
            id=event.entry, title=f"数据版本 {event.id}", url=self.release_page(event.id), summary=in_lines(details) or "没有需要提示的变动。",
            content_html=None, details=tuple(details), published=at, updated=at, event=event.kind,
        )  # fmt: skip

    def archived(self, event: Event) -> Entry:
        """An event as it stands in an archive for ever: what happened to which number on which day, and nothing of what was found."""
        whose, url = {
            "notice": (f"公告 {event.id}", self.notice_page), "listing": (f"机构 {event.id}", self.institution_page), "release": (f"数据版本 {event.id}", self.release_page),
        }[event.what]  # fmt: skip
        happened = ENDED.get(event.reason, HAPPENED[event.kind]) if event.kind == "removal" else HAPPENED[event.kind]
        said, at = f"{whose}：{happened}（{release_order(event.release)[0]}）", instant(event.release)
        return Entry(
            id=event.entry, title=said, url=url(event.id), summary=said, content_html=None, published=at, updated=at, event=event.kind, reason=event.reason if event.kind == "removal" else "",
        )  # fmt: skip

    def reason(self, reason: str) -> str:
        """A class of reason in words."""
        return self.label("tombstone_reasons", reason) or self.label("tombstone_reasons", "unpublished")

    def _about(self, event: Event, title: str, said: str, reason: str = "") -> Entry:
        page, at = self.notice_page(event.id), instant(event.release)
        return Entry(
            id=event.entry, title=title, url=page, summary=said, content_html=None, published=at, updated=at, event=event.kind, reason=reason,
            links=(Link("related", page, "text/html"),), concerns=notice_id(event.id),
        )  # fmt: skip

    def _named(self, event: Event, notice: Notice | None) -> str:
        """A notice by its number, and where it may be shown by its kind and authority."""
        if notice is None:
            return f"公告 {event.id}"
        kind, authority = self.label("notice_kinds", notice.row["kind"]), notice.row["authority"]
        return f"{kind} {event.id}" + (f"（{short(authority)}）" if authority else "")

    def _successor(self, row: Row) -> Detail:
        """Who took the place of an institution that is gone, and how, as far as one step tells it."""
        kind = self.label("lineage_kinds", row["kind"])
        label = self.column("institution_lineage", "successor_id")
        return Detail(label, row["name"] + (f"（{kind}）" if kind else ""), self.institution_page(row["id"]))

    def _listed(self, row: Row) -> str:
        """列入 X 局 Y 批白名单，截至 D (rule 1)."""
        as_of = f"，截至 {row['as_of']}" if row["as_of"] else ""
        return f"列入{short(row['authority'] or '')}{short(row['batch_label'] or '')}{self.label('lists', row['list'])}{as_of}"


def _acted(acts: Sequence[Row], notice: Notice | None) -> list[tuple[str, Row | None]]:
    """What happened with an event, each with the statement that it was: None where the notice may not be shown, or its source alone says so."""
    statements = {one["number"]: one for one in notice.statements} if notice else {}
    return [(one["act"], statements.get(one["statement"])) for one in acts]
