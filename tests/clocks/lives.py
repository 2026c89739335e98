"""Invented notices and listings, each with what its source says of it over five years. Each carries a mark that is found in any answer.

A draw of one seed: the special ones first, then what real lists hold, in all kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from making import institution, listing, notice

Record = dict[str, Any]
FIRST_DAY, DAYS = date(2026, 11, 1), 1_827
COUNTIES = ("110101", "110102", "110105", "110106", "110107", "110108", "110109")
CUT = COUNTIES[-1]  # the county that its source cuts short for a while: nothing else happens there then


@dataclass(frozen=True)
class Life:
    """`turns` are days from which the source says something else; None: it has the record no longer."""

    mark: str
    table: str
    turns: tuple[tuple[date, Record | None], ...]

    def at(self, day: date) -> Record | None:
        """What its source says of it on a day."""
        said = None
        for since, record in self.turns:
            if since <= day:
                said = record
        return said

    @property
    def county(self) -> str:
        return str(next(record for _, record in self.turns if record)["areaCode"])


def institutions(number: int) -> list[Record]:
    return [institution(n, areaCode=county_of(n), areaName="") for n in range(1, number + 1)]


def county_of(number: int) -> str:
    return COUNTIES[number % len(COUNTIES)]


def spelt(day: date, draw: Random) -> str:
    """A day as it is, or only its month or year."""
    return draw.choices((day.isoformat(), day.isoformat()[:7], day.isoformat()[:4]), (8, 1, 1))[0]


def some_day(draw: Random, first: date = FIRST_DAY, days: int = DAYS) -> date:
    return first + timedelta(draw.randrange(days))


SPECIAL: Sequence[Record] = (
    {"decidedOn": "2028-02-29", "publishedOn": "2028-02-29"},
    {"decidedOn": "2028-02-29", "publishedOn": "", "seriousness": "严重"},
    {"decidedOn": "2027-05", "publishedOn": ""},
    {"decidedOn": "2027", "publishedOn": "", "seriousness": ""},
    {"publicUntil": "2027-02"},
    {"publicUntil": "2028-02", "seriousness": "严重"},
    {"publicUntil": "2027"},
    {"publicUntil": "2099-12-31"},
    {"publicUntil": "9999-12-31", "decidedOn": "2026-10"},
    {"decidedOn": "", "publishedOn": "2026-09-30"},
    {"publicUntil": "2026-11-01"},
    {"publicUntil": "2026-12-31"},
    {"decidedOn": "", "publishedOn": "", "publicUntil": "2027-06-30"},
    {"seriousness": "轻微"},
    {"seriousness": "某种程度"},
    {"state": "已重新审查"},
    {"publicUntil": "已到期"},
)  # fmt: skip


def notices(number: int, subjects: Sequence[Record], draw: Random) -> list[Life]:
    return [_notice(n, subjects, draw, SPECIAL[n - 1] if n <= len(SPECIAL) else None) for n in range(1, number + 1)]


def _notice(number: int, subjects: Sequence[Record], draw: Random, special: Record | None) -> Life:
    mark = f"mk{number:05d}x"
    decided = some_day(draw, date(2024, 3, 1), 2_800) if number % 3 else some_day(draw, date(2026, 2, 1), 1_900)
    who = draw.choices(("linked", "unlinked", "person", "unknown"), (6, 2, 1, 1))[0]
    subject = draw.choice(
        [one for one in subjects if (one["areaCode"] == CUT) == (number % 8 == 0)]
    )  # more than a fifth is no accident of a county
    record = notice(
        number, title=f"关于处罚的决定{mark}", facts=f"经查明的事实{mark}", docTitle=f"决定书{mark}", docUrl=f"https://example.org/{mark}", docNo=f"教罚〔{mark}〕号",
        areaCode=subject["areaCode"], areaName="", kind=draw.choice(("行政处罚", "黑名单", "典型案例", "风险提示")),
        seriousness=draw.choices(("一般", "严重", "", "轻微"), (5, 3, 2, 1))[0], decidedOn=spelt(decided, draw),
        publishedOn=(decided + timedelta(draw.randrange(20))).isoformat() if draw.random() < 0.7 else "",
        publicUntil=draw.choices(("", "暂无", "无处罚期限", "2099-12-31", spelt(decided + timedelta(draw.randrange(30, 1_200)), draw)), (8, 1, 1, 1, 6))[0],
    )  # fmt: skip
    if record["publishedOn"] and len(record["decidedOn"]) < 10:
        record["publishedOn"] = ""
    record |= {
        "linked": {"subjectName": subject["orgName"]},
        "unlinked": {"subjectName": f"未登记{number}教育咨询有限公司"},
        "person": {"subjectName": "王小明", "subjectType": "自然人", "facts": f"王小明办班的事实{mark}"},
        "unknown": {"subjectName": "启明画室", "subjectType": ""},
    }[who]
    first = max(FIRST_DAY, decided + timedelta(draw.randrange(40)))
    if special:
        record |= {"seriousness": "一般", "publicUntil": "", "decidedOn": "2026-10-20", "publishedOn": "", "subjectName": subject["orgName"], "subjectType": "组织"} | special  # fmt: skip
        first = max(FIRST_DAY, date.fromisoformat(f"{record['decidedOn'] or '2026-10-20'}-01-01"[:10]))
    turns: list[tuple[date, Record | None]] = [(first, record)]
    if not special and subject["areaCode"] != CUT and draw.random() < 0.3:
        when = first + timedelta(draw.randrange(20, 900))
        turn = draw.choice(
            (
                "已撤销",
                "已修复",
                "期满",
                "已重新审查",
                "已更正",
                "有异议",
                "sooner",
                "later",
                "gone",
                "back",
                "minor",
                "unreadable",
                "sooner and gone",
            )
        )
        if turn in ("gone", "back"):
            turns.append((when, None))
        elif turn in ("minor", "unreadable"):
            turns.append((when, record | ({"seriousness": "轻微"} if turn == "minor" else {"publicUntil": "已到期"})))
        elif turn == "sooner and gone":
            turns.append((when, record | {"publicUntil": (when + timedelta(draw.randrange(100, 300))).isoformat()}))
            turns.append((when + timedelta(50), None))
        elif turn == "sooner":
            turns.append((when, record | {"publicUntil": (when + timedelta(draw.randrange(-3, 60))).isoformat()}))
        elif turn == "later":
            turns.append((when, record | {"publicUntil": (when + timedelta(400)).isoformat(), "state": "已更正"}))
        else:
            turns.append((when, record | {"state": turn, "facts": f"{record['facts']}，已重新认定"}))
        if turn == "back":
            turns.append((when + timedelta(draw.randrange(60, 200)), record))
    return Life(mark, "notices", tuple(turns))


LISTINGS: Sequence[Record] = (
    {"list": "黑名单", "listedOn": "2028-02-29", "asOf": ""},
    {"list": "黑名单", "listedOn": "2026-10-10", "validTo": "2099-12-31"},
    {"list": "预警", "validTo": "2027-02"},
    {"list": "灰名单", "validTo": "2028"},
    {"list": "黑名单", "listedOn": "2026-10", "asOf": "2026-10-15"},
    {"list": "黑名单", "listedOn": "2026-10", "asOf": ""},
    {"list": "黑名单", "listedOn": "", "asOf": "2026-09-30", "validTo": ""},
)  # fmt: skip


def listings(number: int, subjects: Sequence[Record], draw: Random) -> list[Life]:
    return [_listing(n, subjects, draw, LISTINGS[n - 1] if n <= len(LISTINGS) else None) for n in range(1, number + 1)]


def _listing(number: int, subjects: Sequence[Record], draw: Random, special: Record | None) -> Life:
    mark = f"ml{number:05d}x"
    subject = draw.choice(subjects)
    since = some_day(draw, date(2025, 12, 1), 2_100)
    record = listing(
        number, listingId=f"B{number:06d}", orgId=subject["orgId"], orgName=f"名单所载{mark}机构", areaCode=subject["areaCode"], list=draw.choice(("黑名单", "灰名单", "预警")),
        batch=f"第{mark}期", docTitle=f"名单公告{mark}", docUrl=f"https://example.org/{mark}", listedOn=since.isoformat(), asOf=since.isoformat(),
        validTo=draw.choices(("", spelt(since + timedelta(draw.randrange(60, 1_500)), draw)), (1, 1))[0],
    )  # fmt: skip
    record |= special or {}
    first = FIRST_DAY if special else max(FIRST_DAY, since)
    return Life(mark, "listings", ((first, record),))
