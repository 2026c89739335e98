"""Documents of feeds/ID.db, made ahead: the feed of notices alone, for the time being."""

import gzip
import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from feeds import Entry, Feed, atom, json_feed, rss

from .catalogue import Catalogue
from .home import CHINA, release_order
from .ledger import OWN
from .tables import Working

TAG = "tag:mingbai.example,2026"  # not the address of the site, which may move
UNLINKED = "未能核对主体"
SCHEMA = """CREATE TABLE documents (
  feed TEXT NOT NULL, form TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, size INTEGER NOT NULL, gzip BLOB NOT NULL, brotli BLOB, PRIMARY KEY (feed, form)
) STRICT, WITHOUT ROWID"""


def write_documents(made: Working, live: sqlite3.Connection, catalogue: Catalogue, site: str, hub: str | None, before: Path | None) -> int:
    """Write the documents of the feeds in `made`. Returns how many there are."""
    live.row_factory = sqlite3.Row
    rows = {
        row["id"]: row
        for row in live.execute(
            """SELECT n.*, l.method, l.confidence, l.institution_id, i.name AS institution, d.title AS document, d.url AS document_url
            FROM notices n LEFT JOIN notice_links l ON l.notice_id = n.id LEFT JOIN institutions i ON i.id = l.institution_id
            LEFT JOIN documents d ON d.id = n.document_id ORDER BY n.id"""
        )
    }
    said: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for one in live.execute("SELECT * FROM notice_statements ORDER BY notice_id, number") if _has_statements(live) else ():
        said[one["notice_id"]].append(one)
    told = made.all(
        f"""SELECT e.id, min(r.id), max(r.id) FROM feeds f JOIN feed_items i ON i.feed = f.feed AND i.seq >= f.first JOIN feed_events l ON l.number = i.event
        JOIN feed_events e ON e.what = 'notice' AND e.id = l.id AND e.kind NOT IN {OWN} JOIN releases r ON r.number = e.release
        WHERE f.feed = 'notices' AND l.kind NOT IN {OWN} GROUP BY e.id ORDER BY max(i.seq) DESC"""
    )
    entries = tuple(_entry(rows[id], said[id], first, last, catalogue, site) for id, first, last in told if id in rows)
    (day,) = made.all("SELECT max(substr(id, 1, 10)) FROM releases")[0]
    made.execute(SCHEMA)
    for name, form in (("rss", rss), ("atom", atom), ("json", json_feed)):
        body = form(_feed(entries, day, site, f"{site}/feeds/notices.{name}"))
        etag = hashlib.sha256(body).hexdigest()[:32]
        made.execute(
            "INSERT INTO documents VALUES ('notices', ?, ?, ?, ?, ?, NULL)", (name, etag, day, len(body), gzip.compress(body, mtime=0))
        )
    return 3


def _instant(release: str) -> datetime:
    return datetime.combine(date.fromisoformat(release_order(release)[0]), time(0), CHINA)


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
