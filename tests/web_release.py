"""Releases for tests of the site: invented rows in the real tables, the real index, a manifest and feeds beside it, put in place as a run does it.

Every text of a release carries its mark, so that a test can see which release an answer is of.
"""

import gzip
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from publish import documents, feedtables, history
from publish.assembled import Assembled
from publish.catalogue import Catalogue
from publish.diff import diff
from publish.home import Home
from publish.index import index
from publish.past import past
from publish.tables import create_indexes, create_published
from publish.texts import FILE, texts

Rows = dict[str, list[dict[str, Any]]]

SWEET, TONG, CLOSED, SHADY = "i-aaaaaaaaaaa2", "i-bbbbbbbbbbb2", "i-ccccccccccc2", "i-ddddddddddd2"
ACTIVE, SERIOUS, PERSON, UNLINKED, ENDS_TODAY, REPAIRED, NAMESAKE = (f"n-{letter * 11}2" for letter in "abcdefg")
ITS_DOCUMENT = "d-eeeeeeeeeee2"  # of ENDS_TODAY alone
TODAY = "2026-11-23"
HOSTILE = "\u202e<script>alert(1)</script>'\"&"


def _notice(id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id, "kind": "penalty", "title": "行政处罚决定", "subject_kind": "organisation", "region_code": "350102", "region_text": "福建省福州市鼓楼区",
        "authority": "福州市鼓楼区教育局", "decided_on": "2026-10-15", "published_on": "2026-10-20", "public_until": "2027-10-15",
        "public_until_rule": "source", "seriousness": "general", "state": "active", "source_id": "platform", "document_id": "d-ccccccccccc2", **more,
    }  # fmt: skip


def rows(mark: str) -> Rows:
    """What a release holds. Nothing of it is real: the credit codes are those of nobody."""
    listed = {
        "region_code": "350102",
        "region_text": "福建省福州市鼓楼区",
        "source_id": "platform",
        "document_id": "d-bbbbbbbbbbb2",
        "as_of": "2026-11-20",
    }
    return {
        "sources": [
            {
                "id": "platform", "label_zh": f"全国平台（{mark}）", "label_en": f"National platform ({mark})", "publisher_zh": "教育部", "publisher_en": "Ministry of Education",
                "region_code": "000000", "url": "https://platform.example/", "licence": "公开信息", "batch_kind": "full_snapshot", "interval_days": 1, "as_of": "2026-11-22",
            },
            {"id": "slow", "label_zh": "某县教育局", "label_en": "A county", "publisher_zh": "某县教育局", "interval_days": 30, "as_of": "2026-01-31", "url": "javascript:alert(1)"},
        ],
        "documents": [
            {"id": "d-aaaaaaaaaaa2", "source_id": "platform", "kind": "register", "title": "平台机构登记册", "as_of": "2026-11-22"},
            {"id": "d-bbbbbbbbbbb2", "source_id": "platform", "kind": "batch", "title": "白名单第三期", "url": "https://platform.example/b3", "as_of": "2026-11-20", "batch_label": "第三期"},
            {"id": "d-ccccccccccc2", "source_id": "platform", "kind": "decision", "title": "行政处罚决定书", "url": "https://platform.example/d1", "as_of": "2026-10-15"},
            {"id": ITS_DOCUMENT, "source_id": "platform", "kind": "decision", "title": "今天到期的决定书", "url": "https://platform.example/d2", "as_of": "2025-11-23"},
        ],
        "institutions": [
            {
                "id": SWEET, "name": f"福州市鼓楼区甜果培训中心有限公司（{mark}）", "credit_code": "91350100M000100Y43", "region_code": "350102", "region_text": "福建省福州市鼓楼区",
                "address": "东街街道东大路 1 号 2 层", "registered_address": "东街街道东大路 1 号", "organiser": "福州甜果文化有限公司", "organiser_nature": "for_profit",
                "competent_authority": "福州市鼓楼区教育局", "registrar": "福州市鼓楼区市场监督管理局", "opened_on": "2019-05", "updated_on": "2026-11-01", "source_id": "platform", "document_id": "d-aaaaaaaaaaa2",
            },
            {"id": TONG, "name": f"厦门同学堂艺术培训中心（{mark}）", "credit_code_text": "是", "region_code": "350203", "region_text": "福建省厦门市思明区", "address": "中山路 8 号", "source_id": "platform", "document_id": "d-aaaaaaaaaaa2"},
            {"id": CLOSED, "name": f"福州旧时光体育培训有限公司（{mark}）", "region_code": "350102", "region_text": "福建省福州市鼓楼区", "absent_since": "2026-11-01", "source_id": "platform", "document_id": "d-aaaaaaaaaaa2"},
            {"id": SHADY, "name": f"恶意{HOSTILE}培训（{mark}）", "region_text": "javascript:alert(1)", "address": "长" * 5_000, "source_id": "slow"},
        ],
        "institution_aliases": [{"institution_id": SWEET, "name": "甜果英语", "kind": "brand"}],
        "institution_sites": [{"institution_id": SWEET, "address": "东街街道东大路 1 号 2 层", "region_code": "350102", "floor_area_m2": 320.0}],
        "permits": [
            {"institution_id": SWEET, "permit_no": "教民135010270000018", "issuer": "福州市鼓楼区教育局", "valid_from": "2024-01-01", "valid_until": "2027-12-31"},
            {"institution_id": SWEET, "permit_no": "教民135010270000010", "issuer": "福州市鼓楼区教育局", "valid_from": "2019-01-01", "valid_until": "2023-12"},
            {"institution_id": TONG, "permit_no": "教民135020370000021", "issuer": "厦门市思明区教育局", "valid_from": None, "valid_until": None},
        ],
        "institution_classes": [{"institution_id": SWEET, "class_code": "subject", "content": "初中英语"}, {"institution_id": TONG, "class_code": "arts", "content": "舞蹈"}],
        "fund_supervision": [{"institution_id": SWEET, "mode": "escrow", "bank": "某某银行鼓楼支行", "since": "2024-02-01"}],
        "listings": [
            {"id": "l-aaaaaaaaaaa2", "institution_id": SWEET, "list": "white", "subject_name": "福州市鼓楼区甜果培训中心", "authority": f"福州市教育局（{mark}）", "batch_label": "第三期", "listed_on": "2026-11-18", **listed},
            {"id": "l-ddddddddddd2", "institution_id": TONG, "list": "normal", "authority": "厦门市教育局", "valid_until": "2026-10", **listed},
            {"id": "l-eeeeeeeeeee2", "institution_id": TONG, "list": "warning", "subject_name": "厦门同学堂（旧名）", "authority": "厦门市教育局", "valid_until": "2026-11", **listed},
            {"id": "l-ccccccccccc2", "institution_id": CLOSED, "list": "cancelled", "authority": "福州市教育局", "absent_since": "2026-11-01", **listed},
        ],
        "notices": [
            _notice(
                ACTIVE, title=f"关于超期收费的处罚（{mark}）", subject_name="福州市鼓楼区甜果培训中心有限公司", subject_credit_code="91350100M000100Y43", violation_type=None, violation_text="一次性收取超过三个月费用",
                facts="当事人一次性收取 12 个月培训费。", legal_basis="《校外培训行政处罚暂行办法》第二十二条", penalty_text="责令改正，罚款 1.2 万元", fine_fen=1_200_000, fine_text="1.2 万元", document_no="榕鼓教罚〔2026〕7 号",
            ),
            _notice(SERIOUS, kind="blacklist", title="列入黑名单的公告", subject_name="福州旧时光体育培训有限公司", seriousness="serious", public_until="2029-03", published_on="2026-03-02"),
            _notice(PERSON, title="关于张某无证办学的处罚", subject_name="张某", subject_kind="person", fine_text="2", confiscated_fen=1_450_000, confiscated_text="1.45", document_id=None),
            _notice(UNLINKED, kind="warning", title="风险提示：某托管班", subject_name="思明区某托管班", region_code="350203", region_text="福建省厦门市思明区", state="disputed"),
            _notice(ENDS_TODAY, title="今天到期的公告", subject_name="某培训部", public_until=TODAY, published_on="2025-11-23", document_id=ITS_DOCUMENT),
            _notice(REPAIRED, title="已修复的公告", subject_name="某培训部", state="repaired"),
            _notice(NAMESAKE, kind="warning", title="同名的公告", subject_name=f"厦门同学堂艺术培训中心（{mark}）", region_code="350203", published_on="2025-10-20"),
        ],
        "notice_penalties": [{"notice_id": id, "penalty_code": "fine"} for id in (ACTIVE, ENDS_TODAY)],
        "notice_measures": [{"notice_id": id, "measure_code": "order_to_correct"} for id in (ACTIVE, ENDS_TODAY)],
        "notice_statements": [
            _statement(ACTIVE, 1, kind="reply", said_by="福州市鼓楼区甜果培训中心有限公司", said_on="2026-11-01", text=f"费用已全部退还。\n{HOSTILE}"),
            _statement(ACTIVE, 2, kind="dispute", settled_on="2026-11-20"),
            _statement(ACTIVE, 3, kind="correction", fields="fine_fen fine_text"),
            _statement(UNLINKED, 1, kind="dispute", document=None),
            _statement(ENDS_TODAY, 1, kind="reply", said_by="某培训部", said_on="2026-11-01", text="今天到期的公告所述不实。"),
        ],
        "notice_links": [
            {"notice_id": ACTIVE, "institution_id": SWEET, "method": "credit_code", "confidence": 1.0},
            {"notice_id": SERIOUS, "institution_id": CLOSED, "method": "exact_name_in_county", "confidence": 0.9},
            {"notice_id": ENDS_TODAY, "institution_id": SWEET, "method": "exact_name_in_county", "confidence": 0.9},
            {"notice_id": REPAIRED, "institution_id": SWEET, "method": "credit_code", "confidence": 1.0},
        ],
        "ratings": [
            _rating(SWEET, "2026-08", [1, 0, 2, 7, 20]), _rating(SWEET, "2026-09", [0, 1, 3, 9, 17]), _rating(SWEET, "2026-10", None), _rating(TONG, "2026-10", None),
        ],
    }  # fmt: skip


def _statement(notice: str, number: int, **more: Any) -> dict[str, Any]:
    return {"notice_id": notice, "number": number, "document": "来函〔2026〕3 号", "recorded_on": "2026-11-02", **more}


def _rating(institution: str, month: str, histogram: list[int] | None) -> dict[str, Any]:
    count = sum(histogram) if histogram else None
    mean = sum(i * n for i, n in enumerate(histogram, 1)) / count if histogram and count else None
    return {
        "institution_id": institution, "month": month, "dimension": "overall", "scale_max": 5, "rating_count": count, "histogram": json.dumps(histogram) if histogram else None,
        "mean_rating": mean, "is_suppressed": int(histogram is None), "source_id": "platform",
    }  # fmt: skip


def _declared(catalogue: Catalogue) -> Rows:
    """The tables that a release has from the declarations: real regions and real codes."""
    return {
        "regions": [vars(region) for region in catalogue.regions.rows()],
        "codes": [
            {"table_name": name, "code": row.code, "label_zh": row.label_zh, "label_en": row.label_en}
            for name, table in catalogue.codes.items()
            for row in table.rows
        ],
    }


def write_database(path: Path, catalogue: Catalogue, tables: Rows) -> None:
    connection = sqlite3.connect(path)
    create_published(connection, catalogue)
    for table, its_rows in tables.items():
        for row in its_rows:
            columns = ", ".join(f'"{column}"' for column in row)
            connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(row))})', tuple(row.values()))
    create_indexes(connection, catalogue)
    connection.commit()
    connection.close()


def make_release(home: Path, identifier: str, catalogue: Catalogue, *, mark: str | None = None, tables: Rows | None = None) -> Path:
    """A whole release folder under home/releases, not yet current."""
    part, folder = home / "releases" / f"{identifier}.part", home / "releases" / identifier
    (part / "search").mkdir(parents=True)
    tables = {**_declared(catalogue), **(tables or rows(mark or identifier))}
    write_database(part / "mingbai.db", catalogue, tables)
    index(part / "mingbai.db", catalogue, part / "search" / "index.db")
    texts(part / "mingbai.db", catalogue, part / FILE)
    manifest = {
        "id": identifier, "title": "test", "released_on": identifier[:10], "sources": [], "tables": {name: len(its_rows) for name, its_rows in tables.items()},
        "files": {path.relative_to(part).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size} for path in _files(part)},
    }  # fmt: skip
    (part / "manifest.json").write_text(json.dumps(manifest))
    part.rename(folder)
    write_feeds(home, identifier, mark or identifier)
    return folder


def write_feeds(home: Path, identifier: str, mark: str) -> Path:
    """feeds/ID.db with a feed of notices that has nothing but the mark."""
    path = home / "feeds" / f"{identifier}.db"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{feedtables.SCHEMA};{documents.SCHEMA}")
        connection.execute("INSERT INTO releases VALUES (1, ?, ?, '')", [identifier, identifier[:10]])
        connection.execute("INSERT INTO made VALUES ('', '[]', '', ?)", [f"{identifier[:10]}T00:00:00Z"])
        connection.execute("INSERT INTO feeds VALUES ('notices', 'notices', NULL, NULL, NULL, NULL, 1, 0, NULL, NULL)")
        for name in ("rss", "atom", "json"):
            body = (json.dumps({"mark": mark}) if name == "json" else f"<feed>{mark}</feed>").encode()
            tag = hashlib.sha256(body).hexdigest()
            connection.execute(
                "INSERT INTO documents VALUES ('notices', ?, ?, ?, ?, ?, '')",
                [name, tag, len(body), gzip.compress(body, mtime=0), b""],
            )
        connection.commit()
    return path


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def go_live(home: Path, identifier: str) -> None:
    """Point `current` at a release in one rename, as the pipeline does."""
    link = home / ".current.part"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / identifier)
    os.replace(link, home / "current")


def write_past(home: Path, catalogue: Catalogue, *ids: str, ours: Iterable[str] = ()) -> None:
    """History of these releases as the pipeline enters it, and what may be told of it with the last one; `ours` were made by another recipe."""
    before = None
    for id in ids:
        database, day = home / "releases" / id / "mingbai.db", id[:10]
        with closing(sqlite3.connect(database)) as connection:
            counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in catalogue.tables}
        live = home / "releases" / before / "mingbai.db" if before else None
        made = diff(Assembled(database, day, {}, {}, counts, {}, None), live, catalogue, home / "changes.db", ours=id in ours)
        history.record(home / "history.db", catalogue, id, day, database, made, before)
        before = id
    stones = home / "releases" / ids[-1] / "tombstones.json"
    if not stones.is_file():
        stones.write_text("{}")
    past(Home(home), catalogue, home / "releases" / ids[-1], ids[-1])
    (home / "changes.db").unlink()


def write_index(home: Path, *ids: str) -> None:
    """releases.json, in which the site looks for earlier releases."""
    part = home / "releases.json.part"
    part.write_text(json.dumps({"live": ids[-1], "releases": [{"id": id, "released_on": id[:10]} for id in ids]}))
    part.replace(home / "releases.json")
