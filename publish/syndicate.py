"""Write a release's feeds of notices. An old record is never pushed as new (rule 7).

An entry is published with the release that first showed the notice and updated with the one that last changed it, both at midnight in
China, so that the same releases give the same bytes. The first import of a source and decisions more than 30 days old when we first saw
them are in the data and not in the feed: an old decision pushed as news has cost a data service a lawsuit.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from feeds import Entry, Feed, atom, json_feed, rss

from .catalogue import Catalogue
from .home import CHINA, as_json, release_order, write_whole
from .seen import Seen

ENTRIES = 100  # newest first; a reader that polls daily would have to miss a hundred notices a day
OLD_DAYS = 30
TAG = "tag:mingbai.example,2026"  # not the address of the site, which may move
UNLINKED = "未能核对主体"


def syndicate(
    part: Path,
    identifier: str,
    past: Seen,
    changed: set[str],
    catalogue: Catalogue,
    site: str,
) -> int:
    """Write feeds/notices.{rss,atom,json} into the release folder. Returns how many entries they hold.

    `past` is what history knows up to the release before; `changed` are the notices that this release changes; `site` is the public address,
    without a slash at its end. `ends.json` beside the feeds says when the first of their entries ends: after that day they are stale.
    """
    connection = sqlite3.connect(f"file:{part / 'mingbai.db'}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    rows = connection.execute(
        """SELECT n.*, l.method, l.confidence, l.institution_id, i.name AS institution, d.title AS document, d.url AS document_url
        FROM notices n LEFT JOIN notice_links l ON l.notice_id = n.id LEFT JOIN institutions i ON i.id = l.institution_id
        LEFT JOIN documents d ON d.id = n.document_id ORDER BY n.id"""
    )
    said: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for one in connection.execute("SELECT * FROM notice_statements ORDER BY notice_id, number") if _has_statements(connection) else ():
        said[one["notice_id"]].append(one)
    dated = []
    for row in rows:
        first, last = past.seen.get(row["id"], (identifier, identifier))
        last = identifier if row["id"] in changed else last
        decision = past.decisions.get((row["document_no"], row["authority"]))  # the same decision under a new id is not new
        if (
            first == past.first_of_source.get(row["source_id"], identifier)
            or _is_old(row, first)
            or (decision and release_order(decision) < release_order(first))
        ):
            continue
        dated.append(
            (
                release_order(first),
                row["decided_on"],
                row["id"],
                row["public_until"],
                _entry(row, said[row["id"]], first, last, catalogue, site),
            )
        )
    connection.close()
    dated.sort(key=lambda item: item[:3], reverse=True)
    entries = tuple(entry for *_, entry in dated[:ENTRIES])
    folder = part / "feeds"
    folder.mkdir(exist_ok=True)
    write_whole(folder / "ends.json", as_json({"first_end": min((end for *_, end, _ in dated[:ENTRIES]), default=None)}))
    for name, form in (("rss", rss), ("atom", atom), ("json", json_feed)):
        write_whole(folder / f"notices.{name}", form(_feed(entries, identifier, site, f"{site}/feeds/notices.{name}")))
    return len(entries)


def _instant(release: str) -> datetime:
    return datetime.combine(date.fromisoformat(release_order(release)[0]), time(0), CHINA)


def _is_old(row: sqlite3.Row, first: str) -> bool:
    decided = row["decided_on"]  # when it was published does not make it new
    if decided is None or len(decided) < 10:
        return True  # a decision without a day could be of any age: not pushed as new
    return (_instant(first).date() - date.fromisoformat(decided)).days > OLD_DAYS


def tag(what: str) -> str:
    """A tag: URI (RFC 4151) of our own naming: for ever, wherever the site is served from."""
    return f"{TAG}:{what}"


def _feed(entries: tuple[Entry, ...], identifier: str, site: str, url: str) -> Feed:
    updated = max((entry.updated for entry in entries), default=_instant(identifier))
    return Feed(
        id=tag("feeds/notices"), title="明白 · 校外培训机构公告", subtitle="新公布的黑名单、行政处罚、典型案例和风险提示。只转载机关已公布的内容，不作评价。",
        url_self=url, url_html=f"{site}/", language="zh-CN", updated=updated, entries=entries,
    )  # fmt: skip


def _has_statements(connection: sqlite3.Connection) -> bool:
    """Not in a release from before they were declared, which is issued anew without what was withdrawn."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notice_statements'").fetchone()[0])


def _state(row: sqlite3.Row, catalogue: Catalogue) -> str | None:
    return catalogue.codes["notice_states"].label(row["state"]).zh if row["state"] in ("disputed", "corrected") else None


def _line(one: sqlite3.Row) -> tuple[str, str]:
    """What was said of a notice, as a line of its entry."""
    rests_on = f"（{one['document']}）" if one["document"] else ""
    if one["kind"] == "reply":
        return "申辩", f"{one['said_by']}，{one['said_on']}：{one['text']}{rests_on}"
    if one["kind"] == "dispute":
        return "异议", (f"已于 {one['settled_on']} 核对完毕" if one["settled_on"] else f"{one['recorded_on']} 起正在核对") + rests_on
    return "更正", f"{one['recorded_on']} 依机关文件更正{rests_on}"


def _entry(row: sqlite3.Row, said: Sequence[sqlite3.Row], first: str, last: str, catalogue: Catalogue, site: str) -> Entry:
    codes = catalogue.codes
    kind = codes["notice_kinds"].label(row["kind"]).zh
    subject = row["subject_name"] or "（公告未载明当事人）"
    linked = (
        f"{row['institution']}（{codes['link_methods'].label(row['method']).zh}，可信度 {row['confidence']:.2f}）"
        if row["method"]
        else UNLINKED
    )
    lines = [
        ("当事人", subject), ("核对", linked), ("作出机关", row["authority"]), ("状态", _state(row, catalogue)), ("违法事实", row["facts"]), *(_line(one) for one in said), ("处理", row["penalty_text"]),
        ("决定日期", row["decided_on"]), ("公布日期", row["published_on"]), ("本站首次收录", release_order(first)[0]), ("公示截止", row["public_until"]),
        ("文号", row["document_no"]), ("文件", row["document"]), ("文件网址", row["document_url"]),
    ]  # fmt: skip
    summary = "\n".join(f"{label}：{value}" for label, value in lines if value)
    return Entry(
        id=tag(f"notices/{row['id']}"), title=f"{kind}：{subject}" + (f"（{row['authority']}）" if row["authority"] else ""), url=f"{site}/notices/{row['id']}",
        summary=summary, content_html=None, published=_instant(first), updated=_instant(last), authority=row["authority"], categories=(kind,),
    )  # fmt: skip
