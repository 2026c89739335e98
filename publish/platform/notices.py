"""Notices of authorities: black-list entries, penalties, typical cases, warnings; most of them without an identifier, as real ones.

Some name persons and carry telephone, identity and card numbers in their text. All of it is invented and none of it can be reached (see
numbers.py); it is here so that what must never be published has something to hold back.

What becomes of a notice is a calendar like that of institutions: so many a day are corrected, repaired, withdrawn or vanish, in turn,
at least four a day, each notice once.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from .draws import Draws, Shuffle, chance, pick, within
from .identities import Identity, person
from .institutions import DAY_ZERO, Institutions
from .numbers import bank_card, credit_code, identity_number, mobile, with_check
from .words import (
    BRAND,
    BRAND_END,
    CLASSES,
    LAWS,
    MEASURES,
    NO_END,
    NOTICE_KINDS,
    PENALTIES,
    SERIOUSNESS,
    STATES,
    VIOLATION_NAMES,
    VIOLATIONS,
)

ADDED = 0.001  # new notices a day, as a share of those of day 0
CHANGED = 0.0016  # notices a day that something happens to
STANDS = 5  # days until something happens to one that was added
FATES = ("corrected", "repaired", "withdrawn", "gone", "corrected", "repaired", "corrected", "repaired")
KIND_WHEEL = (0,) * 2 + (1,) * 13 + (2,) * 3 + (3,) * 2
SERIOUS_WHEEL = (0,) * 3 + (1,) * 9 + (2,) * 3 + (3,) * 5
OFFICES = ("教育局", "教育局", "教育局", "市场监督管理局", "文化和旅游局", "体育局", "综合行政执法局")
ADDRESS = "https://platform.example/documents"


class Notices:
    """The notices of a world."""

    def __init__(self, institutions: Institutions, size: int, seed: int) -> None:
        self.institutions, self.size = institutions, size
        self.added_a_day = max(1, round(size * ADDED)) if size else 0
        self.changed_a_day = max(4, round(size * CHANGED))
        self._draw, self._text = Draws("notice", seed), Draws("facts", seed)
        self._order = Shuffle(max(size, 1), seed + 1)
        self._vanish = FATES.index("gone")
        self._unchanged = lru_cache(2048)(self._first_form)

    def end(self, day: int) -> int:
        """The number after the last notice that was ever published by this day."""
        return self.size + day * self.added_a_day

    def total(self, day: int) -> int:
        gone = len(range(self._vanish, min(day * self.changed_a_day, self.size), len(FATES)))
        return self.end(day) - gone - len(range(self._vanish, max(0, day - STANDS) * self.added_a_day, len(FATES)))

    def institution_of(self, number: int) -> int:
        """The number of the institution that a notice is about, whether or not the notice says so recognisably."""
        draw = self._draw(number)
        return (draw[0] << 16 | draw[1]) % self.institutions.size

    def record(self, number: int, day: int) -> dict[str, Any] | None:
        """The notice in the platform's spelling, or None where it was taken down without a word."""
        fate = self.fate(number, day)
        if fate == "gone":
            return None
        record = self._unchanged(number)
        if fate is None:
            return record
        record = {**record, "state": STATES[fate]}
        if fate == "corrected":
            record["facts"] += "（更正：原文有误，以本件为准。）"
            if record["fineWan"]:
                record["fineWan"] = record["fineWan"] + "5" if "." in record["fineWan"] else record["fineWan"] + ".5"
        return record

    def _fate_day(self, number: int) -> int:
        return 1 + self._order(number) // self.changed_a_day

    def fate(self, number: int, day: int) -> str | None:
        """What has become of it by this day; None where nothing has."""
        if number < self.size:
            if self._fate_day(number) <= day:
                return FATES[self._order(number) % len(FATES)]
            draw = self._draw(number)[31]
            return "repaired" if draw < 2_600 else "withdrawn" if draw < 3_000 else None
        later = number - self.size
        return FATES[later % len(FATES)] if later < (day - STANDS) * self.added_a_day else None

    def _published(self, number: int, draw: tuple[int, ...]) -> date:
        if number < self.size:
            return DAY_ZERO - timedelta(days=within(draw[2], 1, 540))
        return DAY_ZERO + timedelta(days=(number - self.size) // self.added_a_day + 1)

    def _first_form(self, number: int) -> dict[str, Any]:
        """The notice as it was first published."""
        draw = self._draw(number)
        who = self.institutions.identity(self.institution_of(number))
        county, kind = who.county, KIND_WHEEL[draw[3] % len(KIND_WHEEL)]
        office = OFFICES[draw[4] % len(OFFICES)] if kind == 1 else "教育局"
        authority = f"{county.office}{office}"
        published = self._published(number, draw)
        decided = published - timedelta(days=within(draw[5], 40, 90) if draw[6] < 6_500 else within(draw[5], 0, 14))
        violation = pick(VIOLATION_NAMES, draw[7])
        subject, subject_type, code, permit = self._subject(number, who, draw)
        fine = _wan(draw[8]) if kind == 1 and draw[9] < 40_000 else ""
        taken = _wan(draw[10]) if fine and draw[11] < 20_000 else ""
        penalties = self._penalties(kind, fine, taken, draw)
        measures = ["列入黑名单"] if kind == 0 else list(dict.fromkeys(pick(MEASURES[:3], draw[at]) for at in (12, 13) if draw[at] % 3))
        serious = SERIOUSNESS[SERIOUS_WHEEL[draw[14] % len(SERIOUS_WHEEL)]] if kind < 2 else ""
        title = {
            "黑名单": f"关于将{subject}列入校外培训机构黑名单的公告",
            "行政处罚": f"{authority}对{subject}{violation}的行政处罚决定",
            "典型案例": f"校外培训典型案例：{subject}{violation}案",
            "风险提示": f"关于谨慎选择{subject}的风险提示",
        }[NOTICE_KINDS[kind]]
        return {
            "noticeId": f"N{number + 1:09d}",
            "kind": NOTICE_KINDS[kind],
            "title": title,
            "subjectName": subject,
            "subjectType": subject_type,
            "creditCode": code,
            "permitNo": permit,
            "areaCode": county.code,
            "areaName": county.full,
            "authority": authority,
            "authorityCode": _authority_code(county.code, office),
            "docNo": f"{county.short}教罚〔{decided.year}〕{number % 9973 + 1}号" if kind == 1 and draw[15] < 58_000 else "",
            "violationType": violation,
            "facts": self._facts(number, subject, who, violation, decided),
            "legalBasis": pick(LAWS, draw[16]),
            "penaltyTypes": penalties,
            "measures": measures,
            "penaltyContent": _content(penalties, measures, fine, taken),
            "fineWan": fine,
            "confiscatedWan": taken,
            "decidedOn": _written(decided, draw[17]),
            "publishedOn": published.isoformat(),
            "publicUntil": self._until(decided, serious, draw[18]),
            "seriousness": serious,
            "state": STATES["active"],
            "docTitle": title,
            "docUrl": f"{ADDRESS}/notices/{number + 1}",
        }

    def _subject(self, number: int, who: Identity, draw: tuple[int, ...]) -> tuple[str, str, str, str]:
        """Name, type, credit code and permit number of the subject, as far as the notice gives them."""
        if draw[20] < 5_200:  # 8%: a natural person
            return person(draw[21], draw[22]), "个人", "", ""
        if draw[20] < 11_000:  # 9%: nobody that is on the register
            brand = pick(BRAND, draw[22])[0] + pick(BRAND, draw[21])[0] + pick(BRAND_END, draw[23])[0]
            return f"{brand}{pick(CLASSES[who.kind], draw[24])[0]}工作室", "组织" if draw[24] % 2 else "", "", ""
        kind = "" if draw[24] < 6_500 else "组织"
        if draw[25] < 31_500:  # with those above not counted: 40% of all
            return who.name, kind, who.code if len(who.code) > 1 else "", who.permit if draw[26] % 4 == 0 else ""
        if draw[25] < 41_000:
            return _varied(who, draw[26]), kind, "", who.permit
        return _varied(who, draw[26] * 2) if draw[26] < 32_000 else who.name, kind, "", ""

    def _facts(self, number: int, subject: str, who: Identity, violation: str, decided: date) -> str:
        text = self._text(number)
        day = decided - timedelta(days=within(text[0], 5, 90))
        told = pick(VIOLATIONS[violation], text[1]).format(
            place=f"{who.county.name}{pick(('某小区', '临街商铺', '写字楼'), text[2])}",
            sum=within(text[3], 12, 900) * 100,
            few=within(text[4], 2, 26),
        )
        facts = f"经查，{subject}于{day.year}年{day.month}月{day.day}日{told}"
        head, phone = person(text[5], text[6]), mobile(number * 37 + 5)
        if chance(text[7], 0.12):
            facts += pick(
                (
                    f"校长{head}，联系电话{phone}。",
                    f"负责人：{head}（身份证号{identity_number(date(1901 + text[8] % 9, text[9] % 12 + 1, text[10] % 28 + 1), text[11])}）对上述事实无异议。",
                    f"法定代表人{head}到场接受询问。",
                    f"学费转入教师{head}个人账户{bank_card(number)}。",
                    f"家长可拨打{phone[:3]} {phone[3:7]} {phone[7:]}咨询退费。",
                ),
                text[12],
            )
        return facts

    def _penalties(self, kind: int, fine: str, taken: str, draw: tuple[int, ...]) -> list[str]:
        if kind != 1:
            return []
        found = (["罚款"] if fine else []) + (["没收违法所得"] if taken else [])
        if not found or draw[27] < 16_000:
            found.append(pick(tuple(name for name in PENALTIES if name not in ("罚款", "没收违法所得")), draw[28]))
        return found

    def _until(self, decided: date, serious: str, number: int) -> str:
        if number < 33_000:
            return (decided + timedelta(days=365 * (3 if serious == "严重" else 1))).isoformat()
        return pick(NO_END, (number - 33_000) * 2)


def _wan(number: int) -> str:
    """An amount in units of ten thousand yuan, as text, without nought at the end."""
    amount = (number % 40 + 1) * 500 if number < 52_000 else within(number, 20_000, 500_000)
    return f"{amount // 10_000}.{amount % 10_000:04d}".rstrip("0").rstrip(".")


def _content(penalties: list[str], measures: list[str], fine: str, taken: str) -> str:
    amounts = {"罚款": f"罚款人民币{fine}万元", "没收违法所得": f"没收违法所得{taken}万元"}
    return "；".join([amounts.get(name, name) for name in penalties] + measures)


def _written(day: date, number: int) -> str:
    """Mostly ISO; sometimes in words, without a day, without a year, or not at all."""
    if number > 4_000:
        return day.isoformat()
    if number > 2_000:
        return f"{day.year}年{day.month}月{day.day}日"
    if number > 1_300:
        return f"{day.month}月{day.day}日"
    return f"{day:%Y-%m}" if number > 600 else ""


def _varied(who: Identity, number: int) -> str:
    """The name of an institution as somebody writes it who does not copy it."""
    name, county = who.name, who.county
    ways = (
        name.replace("有限责任公司", "").replace("有限公司", ""),
        name.removeprefix(county.city).removeprefix(county.name),
        name.replace("（", "(").replace("）", ")") if "（" in name else name.replace("培训", " 培训"),
        f"{who.brand}{who.trade[0]}",
        f"{county.name}{who.brand}{who.trade[0]}培训机构",
        name.replace("中心", "中心 ").strip() if "中心有" in name else name.replace("学校", "学堂"),
    )
    return pick(ways, number) or name


@lru_cache(4096)
def _authority_code(region: str, office: str) -> str:
    return credit_code("11", region, with_check(f"0000{OFFICES.index(office):02d}{int(region) % 100:02d}"))
