"""Institutions as the platform's register holds them, and how they change from day to day.

What an institution is (names, codes, county) is drawn from its number alone and never changes; what happens to it is a calendar. The
calendar shuffles all institutions once and walks through them in 200 days: 0.5% a day, the same share on every day, so that even a
small world has something new tomorrow. Numbers from `size` on are additions, so many a day, and stand at the end of the register.
"""

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from .counties import Counties
from .draws import Draws, Shuffle, pick, within
from .identities import Identities, Identity, brand_from, key, number_of, person
from .numbers import bank_card, mobile
from .words import BANKS, BUILDINGS, CLASS_NAMES, CLASSES, DEPARTMENTS, FUND_MODES, NATURES, ROADS, SIGN_ENDS, STATUSES

DAY_ZERO = date(2026, 11, 1)  # the day that day 0 is
ROUND = 200  # days in which each institution changes once: 0.5% a day
ADDED = 0.0002  # of the register a day; a real one grows by 0.3-0.7% a month
MISTAKEN_STAYS = 3  # days until an entry made by mistake is taken out again
FORMER = (
    "重新编号",
    "合并",
    "分立",
)  # what became of such entries, in turn: the day before they go, what was entered in their place says so
# What happens to twenty institutions that follow each other in the calendar.
CHANGES = (
    "address", "phone", "permit", "renamed", "closed", "address", "phone", "suspended", "fund", "address",
    "permit", "phone", "address", "fund", "renamed", "address", "permit", "head", "phone", "address",
)  # fmt: skip
CLOSED = CHANGES.index("closed")


class Institutions:
    """The register of a world: any of its records, on any day."""

    def __init__(self, size: int, seed: int, counties: Counties) -> None:
        self.size = size
        self.added_a_day = max(1, round(size * ADDED))
        self._what, self._then = Draws("what", seed), Draws("then", seed)
        self._order = Shuffle(size, seed)
        self.identity = Identities(counties, seed).of
        self.total = lru_cache(256)(self._total)

    def end(self, day: int) -> int:
        """The number after the last one that was ever entered by this day."""
        return self.size + day * self.added_a_day

    def is_there(self, number: int, day: int) -> bool:
        """Whether the register has it on this day: entered, and not taken out as a mistake."""
        entered = self.entered(number)
        return entered <= day and not (self._mistaken(number, entered) and day >= entered + MISTAKEN_STAYS)

    def entered(self, number: int) -> int:
        """The day number on which it was entered."""
        return 0 if number < self.size else (number - self.size) // self.added_a_day + 1

    def _total(self, day: int) -> int:
        return self.size + sum(self.is_there(number, day) for number in range(self.size, self.end(day)))

    def closed_on(self, number: int, day: int) -> int | None:
        """The day on which it closed for good, if that has come."""
        if number >= self.size:
            return None
        return next((when for when, what, _ in self._history(number, day) if what == "closed"), None)

    def closed(self, day: int, every: int = 1) -> int:
        """How many of the first `size` have closed by this day; of every `every`-th round of the calendar only."""
        count, cycle, stride = 0, 0, len(CHANGES) * every
        while day - cycle * ROUND >= 1:
            # Those with order < reached have had this cycle's change.
            reached = min(self.size, -(-(day - cycle * ROUND) * self.size // ROUND))
            rest = (CLOSED - 7 * cycle) % len(CHANGES)
            count += len(range(rest, reached, stride)) if cycle < len(CHANGES) else 0
            cycle += 1
        return count

    def order(self, number: int) -> int:
        """Its place in the calendar of changes."""
        return self._order(number)

    def listed_name(self, number: int, day: int) -> str:
        """The name that it has on this day."""
        return self._names(number, self._history(number, day))[-1]

    def area_of(self, key: str) -> str:
        """The county code of the institution with this orgId."""
        return self.identity(number_of(key)).county.code

    def record(self, number: int, day: int) -> dict[str, Any]:
        """The institution in the platform's spelling."""
        who, draw = self.identity(number), self._what(number)
        county, office = who.county, who.county.office
        history = self._history(number, day)
        drawn = {what: self._then(number * 64 + turn) for _, what, turn in history}  # the latest of each kind
        place = drawn.get("address", draw)
        address = f"{county.full}{_street(place[0], place[1])}"
        began = date(2001, 1, 1) + timedelta(days=within(draw[2], 0, 9000))
        permitted = date(2023, 3, 1) + timedelta(days=within(draw[3], 0, 1200))
        if "permit" in drawn:
            permitted = DAY_ZERO + timedelta(days=max(when for when, what, _ in history if what == "permit"))
        updated = DAY_ZERO + timedelta(days=history[-1][0] if history else -within(draw[4], 1, 300))
        names = self._names(number, history)
        head = drawn.get("head", draw)
        issuer = f"{office}{DEPARTMENTS[who.kind]}"
        return {
            "orgId": who.key,
            "orgName": names[-1],
            "creditCode": who.code,
            "areaCode": county.code,
            "areaName": county.full,
            "regAddress": address if draw[5] < 45_000 else f"{county.full}{_street(draw[6], draw[7])}",
            "address": address,
            "organiser": person(draw[8], draw[9]) if draw[10] < 22_000 else f"{county.short}{who.brand}教育科技有限公司",
            "organiserNature": NATURES[0 if who.is_company else 1],
            "department": issuer,
            "registrar": f"{office}{'市场监督管理局' if who.is_company else '民政局'}",
            "status": STATUSES["closed" if "closed" in drawn else "suspended" if "suspended" in drawn or draw[11] < 900 else "open"],
            "openedOn": _imprecise(began, draw[12]),
            "phone": mobile(number * 101 + drawn["phone"][0] if "phone" in drawn else number * 101),
            "legalRep": person(head[13], head[14]),
            "aliases": self._aliases(who, draw, names),
            "sites": self._sites(who, draw, address),
            "permits": self._permits(who, draw, issuer, permitted),
            "classes": self._classes(who, draw),
            "fund": self._fund(who, number, drawn.get("fund", draw), began),
            "updatedOn": updated.isoformat(),
            **self._former(number),
        }

    def _former(self, number: int) -> dict[str, list[dict[str, str]]]:
        """The entry whose place it took, where it did: one alone, or of a split two."""
        if number < self.size:
            return {}
        entered, place = self.entered(number), (number - self.size) % self.added_a_day
        mistaken = entered - MISTAKEN_STAYS + 1
        kind = FORMER[mistaken // 3 % len(FORMER)]
        old = self.size + (mistaken - 1) * self.added_a_day
        if mistaken < 1 or place > (kind == "分立") or not self._mistaken(old, mistaken):
            return {}
        return {"formerOrgs": [{"orgId": key(old), "kind": kind}]}

    def _mistaken(self, number: int, entered: int) -> bool:
        # Taken out within its month: it never comes to have ratings. Early in the month, for February's sake.
        return entered % 3 == 2 and (number - self.size) % self.added_a_day == 0 and (DAY_ZERO + timedelta(days=entered)).day <= 20

    def changes(self, number: int, day: int, kinds: Collection[str] = CHANGES) -> int:
        """How many changes of these kinds it has had by this day, which says what it is now; -1 where the register does not have it."""
        return sum(what in kinds for _, what, _ in self._history(number, day)) if self.is_there(number, day) else -1

    def _history(self, number: int, day: int) -> list[tuple[int, str, int]]:
        """What has happened to it by this day: (day, what, turn), in order, and nothing after it closed."""
        happened: list[tuple[int, str, int]] = []
        if number >= self.size:
            return happened
        order = self._order(number)
        when = 1 + order * ROUND // self.size
        turn = 0
        while when <= day:
            what = CHANGES[(order + 7 * turn) % len(CHANGES)]
            happened.append((when, what, turn))
            if what == "closed":
                break
            when, turn = when + ROUND, turn + 1
        return happened

    def _names(self, number: int, history: list[tuple[int, str, int]]) -> list[str]:
        """All its legal names by now, the present one last."""
        who = self.identity(number)
        names = [who.name]
        for _, what, turn in history:
            if what == "renamed":
                brand, _ = brand_from(self._then(number * 64 + turn), 2)
                names.append(who.name.replace(who.brand, brand))
        return names

    def _aliases(self, who: Identity, draw: tuple[int, ...], names: list[str]) -> list[dict[str, str]]:
        found = [{"name": name, "kind": "former"} for name in dict.fromkeys(names[:-1]) if name != names[-1]]
        if draw[15] < 30_000:
            found.append({"name": who.brand, "kind": "brand"})
        if draw[16] < 16_000:
            found.append({"name": f"{who.brand}{who.trade[0]}{pick(SIGN_ENDS, draw[17])}", "kind": "sign"})
        if draw[18] < 3_000:
            brand, _ = brand_from(draw, 19)
            found.append({"name": f"{who.county.short}{brand}{who.trade[0]}培训中心", "kind": "former"})
        if draw[20] < 5_000:
            found.append({"name": who.latin, "kind": "latin"})
        return list({alias["name"]: alias for alias in found}.values())

    def _sites(self, who: Identity, draw: tuple[int, ...], address: str) -> list[dict[str, Any]]:
        sites = [{"address": address, "areaCode": who.county.code, "floorArea": within(draw[21], 60, 900)}]
        if draw[22] < 8_000:
            sites.append(
                {
                    "address": f"{who.county.full}{_street(draw[23], draw[24])}",
                    "areaCode": who.county.code,
                    "floorArea": within(draw[25], 120, 1800) / 2,
                }
            )
        return sites

    def _permits(self, who: Identity, draw: tuple[int, ...], issuer: str, since: date) -> list[dict[str, str]]:
        permit = who.permit
        if not permit:
            return []
        until = "" if draw[26] < 1_500 else (since + timedelta(days=3 * 365)).isoformat()
        return [{"permitNo": permit, "issuer": issuer, "validFrom": since.isoformat(), "validTo": until}]

    def _classes(self, who: Identity, draw: tuple[int, ...]) -> list[dict[str, str]]:
        classes = [{"code": who.kind, "content": who.trade[2]}]
        other = pick(CLASS_NAMES[1:], draw[27])
        if draw[28] < 7_000 and other != who.kind:
            classes.append({"code": other, "content": pick(CLASSES[other], draw[29])[2]})
        return classes

    def _fund(self, who: Identity, number: int, draw: tuple[int, ...], began: date) -> dict[str, str] | None:
        if draw[30] > 46_000:
            return None
        since = max(began, date(2021, 10, 1) + timedelta(days=draw[31] % 1500))
        bank = f"{pick(BANKS, draw[31])}{who.county.name}支行"
        return {
            "mode": FUND_MODES[draw[30] % 5 == 0],
            "bank": bank,
            "account": bank_card(number * 7 + draw[31] % 7),
            "since": since.isoformat(),
        }


def _street(first: int, second: int) -> str:
    building = (
        "",
        f"{second % 6 + 1}楼",
        f"{second % 9 + 1}幢{second % 4 + 1}0{second % 8 + 1}室",
        f"{pick(BUILDINGS, second)}{second % 5 + 1}层",
    )[second % 4]
    return f"{pick(ROADS, first)}{first % 997 + 1}号{building}"


def _imprecise(day: date, number: int) -> str:
    """Mostly a day; as registers are, sometimes a month, a year or a date in words."""
    if number < 1_300:
        return f"{day:%Y-%m}"
    if number < 1_800:
        return f"{day.year}"
    if number < 2_600:
        return f"{day.year}年{day.month}月{day.day}日"
    return day.isoformat()
