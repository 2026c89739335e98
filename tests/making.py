"""Invented records in the platform's spelling, and snapshots of them: the material of most tests. No person or institution here exists."""

import hashlib
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from publish.audit import append
from publish.candidate import Candidate
from publish.catalogue import Catalogue, load
from publish.decide import approve
from publish.errors import ReviewNeeded
from publish.regions import Regions
from publish.run import run
from publish.snapshot import Page, Snapshot, seal
from publish.work import Result, Work

Record = dict[str, Any]
NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)  # of the first day of most tests
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def one_province() -> Catalogue:
    """The real declarations with the regions of Zhejiang alone: a third of what a first small release costs goes into those of the whole country."""
    real = load()
    return replace(real, regions=Regions([row for row in real.regions.rows() if row.code[:2] in ("00", "33")]))


def credit_code(number: int) -> str:
    """A made-up credit code with the right check character (GB 32100-2015)."""
    body = f"91330106MA{number:07d}"
    return body + ALPHABET[(31 - sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31) % 31]


def institution(number: int = 1, **changed: Any) -> Record:
    record: Record = {
        "orgId": f"ORG{number:06d}", "orgName": f"杭州市西湖区启明{number}艺术培训中心有限公司", "creditCode": "", "areaCode": "330106", "areaName": "西湖区",
        "regAddress": "浙江省杭州市西湖区文三路1号", "address": f"文三路{number}号2楼", "organiser": "启明教育集团有限公司", "organiserNature": "", "department": "西湖区教育局",
        "registrar": "西湖区市场监督管理局", "status": "", "openedOn": "2020-05-01", "phone": "13800000000", "legalRep": "王小明",
        "aliases": [{"name": f"启明{number}", "kind": ""}], "sites": [{"address": f"文三路{number}号", "areaCode": "330106", "floorArea": 120.5}],
        "permits": [{"permitNo": f"教民1330106700{number:04d}1", "issuer": "西湖区教育局", "validFrom": "2025-01-01", "validTo": "2027-12-31"}],
        "classes": [{"code": "艺术", "content": "美术、书法"}], "fund": {"mode": "银行托管", "bank": "某银行西湖支行", "account": "6222020000000000000", "since": "2025-01-01"},
        "updatedOn": "2026-10-01",
    }  # fmt: skip
    return record | changed


def listing(number: int = 1, **changed: Any) -> Record:
    record: Record = {
        "listingId": f"L{number:06d}", "orgId": f"ORG{number:06d}", "orgName": f"杭州市西湖区启明{number}艺术培训中心有限公司", "list": "白名单", "authority": "西湖区教育局",
        "areaCode": "330106", "batch": "第三期", "asOf": "2026-10-01", "listedOn": "2026-09-15", "validTo": "", "docTitle": "西湖区白名单（第三期）",
        "docUrl": "https://example.org/white/3",
    }  # fmt: skip
    return record | changed


def notice(number: int = 1, **changed: Any) -> Record:
    record: Record = {
        "noticeId": f"N{number:06d}", "kind": "行政处罚", "title": f"关于启明{number}的处罚决定", "subjectName": f"杭州市西湖区启明{number}艺术培训中心有限公司", "subjectType": "组织",
        "creditCode": "", "permitNo": "", "areaCode": "330106", "areaName": "西湖区", "authority": "西湖区教育局", "authorityCode": "11330106000000000X",
        "docNo": f"西教罚〔2026〕{number}号", "violationType": "", "facts": "未经批准增加教学点。", "legalBasis": "校外培训行政处罚暂行办法", "penaltyTypes": ["罚款"],
        "measures": ["责令改正"], "penaltyContent": "罚款", "fineWan": "1.5", "confiscatedWan": "", "decidedOn": "2026-10-20", "publishedOn": "2026-10-25",
        "publicUntil": "", "seriousness": "一般", "state": "", "docTitle": f"西教罚〔2026〕{number}号", "docUrl": f"https://example.org/notice/{number}",
    }  # fmt: skip
    return record | changed


def rating(number: int = 1, month: str = "2026-10", histogram: Sequence[int] = (0, 1, 2, 3, 4), **changed: Any) -> Record:
    return {
        "orgId": f"ORG{number:06d}",
        "month": month,
        "dimension": "overall",
        "scaleMax": len(histogram),
        "histogram": list(histogram),
    } | changed


CLERKS = ("张三", "李四")


def sign(work: Work, candidate: Candidate) -> None:
    """Two people approve a candidate; nothing is published by that alone."""
    for name in CLERKS:
        append(work.home, "approve", name, "与来源核对过", {"digest": candidate.signed_as(), "content": {}}, work.now)


def approved(work: Work) -> Result:
    """What is held goes live, approved by as many people as it takes."""
    candidate = Candidate.load(work.home)
    for name in CLERKS[: candidate.names - 1]:
        with suppress(ReviewNeeded):
            approve(work, candidate.signed_as(), name, "与来源核对过")
    return approve(work, candidate.signed_as(), CLERKS[candidate.names - 1], "与来源核对过")


def deliver(work: Work, listings: Mapping[str, Any], day: int) -> Result:
    """What a delivery so many days after the first makes; what is held of it is approved."""
    work = on(work, day)
    made = snapshot(work.home.path.parent / "handed-in", f"platform-{day:03d}", listings, as_of=work.day.isoformat())
    try:
        return run(work, {"platform": str(made.folder)})
    except ReviewNeeded:
        return approved(work)


def on(work: Work, day: int) -> Work:
    """The same work so many days after the first."""
    return replace(work, now=NOON + timedelta(days=day))


def copied(made: Work, work: Work) -> Work:
    """The work of a home in which nothing was done yet, with all that was made and handed in elsewhere: a release takes half a second, a copy a hundredth."""
    copy(made.home.path.parent, work.home.path.parent)
    return work


def copy(folder: Path, to: Path) -> None:
    """Put all that is in a folder into another one, as it is: what is one file under two names stays one."""
    subprocess.run(["cp", "-a", f"{folder}/.", to], check=True)


def query(work: Work, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What the live release answers."""
    with closing(sqlite3.connect(f"file:{work.live_database}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(sql, parameters).fetchall()


def world(size: int = 3) -> dict[str, list[Record]]:
    """A clean delivery: `size` institutions, each with a listing, a notice and a rating."""
    numbers = range(1, size + 1)
    return {
        "institutions": [institution(n) for n in numbers], "listings": [listing(n) for n in numbers],
        "notices": [notice(n) for n in numbers], "ratings": [rating(n) for n in numbers],
    }  # fmt: skip


def snapshot(
    raw: Path,
    name: str,
    listings: Mapping[str, Sequence[Any]],
    *,
    as_of: str = "2026-11-01",
    page_size: int = 1000,
    source: str = "platform",
    taken_at: str = "2026-11-01T00:00:00Z",
) -> Snapshot:
    """A sealed snapshot of the records, as if the platform had sent them in pages of `page_size`."""
    part = raw / f"{name}.part"
    part.mkdir(parents=True)
    pages = []
    for listing_name, records in listings.items():
        (part / listing_name).mkdir()
        for number, start in enumerate(range(0, max(len(records), 1), page_size)):
            chunk = list(records[start : start + page_size])
            body = orjson.dumps(
                {
                    "listing": listing_name,
                    "as_of": as_of,
                    "snapshot": "s",
                    "total": len(records),
                    "count": len(chunk),
                    "records": chunk,
                    "next": None,
                }
            )
            file = f"{listing_name}/{number:06d}.json"
            (part / file).write_bytes(body)
            content = hashlib.sha256(orjson.dumps(chunk)).hexdigest()
            pages.append(
                Page(
                    listing_name,
                    file,
                    "platform",
                    hashlib.sha256(body).hexdigest(),
                    content,
                    len(body),
                    len(chunk),
                    "http://127.0.0.1/",
                    None,
                    taken_at,
                    as_of,
                )
            )
    return seal(part, source=source, address="http://127.0.0.1/", taken_at=taken_at, pages=pages)
