"""Which list an institution stands on: dated batches of one authority each, as a county's education office announces them.

Two parts. The first has one place for each institution, white for nine of ten; the second has those that a notice has put on a warning,
grey or black list besides. An institution that closes leaves the first part, or stays in it as cancelled: half do this, half that.
"""

from datetime import date, timedelta
from typing import Any

from .draws import Draws, pick
from .institutions import CHANGES, DAY_ZERO, Institutions
from .notices import Notices
from .words import LISTS

WHEEL = ("white",) * 88 + ("normal",) * 5 + ("grey",) * 2 + ("warning",) * 2 + ("black",) * 1 + ("cancelled",) * 2
SECOND_WHEEL = ("warning",) * 5 + ("grey",) * 3 + ("black",) * 2
SECOND = 33  # one in so many institutions stands on a second list
BATCHES = tuple(date(year, month, 15) for year in (2024, 2025, 2026) for month in (3, 9))  # 第一期 to 第六期
ADDRESS = "https://platform.example/documents"
SHOWN = {"first": ("renamed", "closed"), "second": ("renamed",)}  # changes of an institution that its listing in a part shows
ORDINALS = "零一二三四五六七八九十"


class Listed:
    """The listings of a world."""

    def __init__(self, institutions: Institutions, notices: Notices, seed: int) -> None:
        self.institutions, self.notices = institutions, notices
        self._draw, self._more = Draws("listed", seed), Draws("listed twice", seed)

    def second_size(self) -> int:
        return min(self.institutions.size // SECOND, self.notices.size)

    def total(self, day: int) -> int:
        return self.institutions.total(day) - self.institutions.closed(day, every=2) + self.second_size()

    def first(self, number: int, day: int) -> dict[str, Any] | None:
        """The listing of an institution, or None where it has left the list."""
        if not self.institutions.is_there(number, day):
            return None
        closed = self.institutions.closed_on(number, day)
        if closed is not None:
            if self.institutions.order(number) // len(CHANGES) % 2 == 0:
                return None
            return self._record("1", number, number, day, "cancelled", *_daily(closed))
        draw = self._draw(number)
        if number >= self.institutions.size:
            entered = self.institutions.entered(number)
            return self._record("1", number, number, day, "white", *_daily(entered))
        batch = draw[1] % len(BATCHES)
        return self._record("1", number, number, day, pick(WHEEL, draw[0]), batch, BATCHES[batch])

    def changes(self, part: str, number: int, day: int) -> int:
        """How many changes the listing at this place has had by this day."""
        return self.institutions.changes(number if part == "first" else self.notices.institution_of(number), day, SHOWN[part])

    def second(self, number: int, day: int) -> dict[str, Any]:
        """The second listing with this number."""
        draw = self._more(number)
        batch = 3 + draw[1] % 3
        return self._record("2", number, self.notices.institution_of(number), day, pick(SECOND_WHEEL, draw[0]), batch, BATCHES[batch])

    def _record(self, part: str, number: int, institution: int, day: int, which: str, batch: int, as_of: date) -> dict[str, Any]:
        who = self.institutions.identity(institution)
        county, label = who.county, f"第{_ordinal(batch + 1)}期"
        authority = f"{county.office}教育局"
        return {
            "listingId": f"L{part}{number:08d}",
            "orgId": who.key,
            "orgName": self.institutions.listed_name(institution, day),
            "list": LISTS[which],
            "authority": authority,
            "areaCode": county.code,
            "batch": label,
            "asOf": as_of.isoformat(),
            "listedOn": (as_of + timedelta(days=5)).isoformat() if batch < len(BATCHES) else as_of.isoformat(),
            "validTo": (as_of + timedelta(days=3 * 365)).isoformat() if which == "white" else "",
            "docTitle": f"{authority}关于公布校外培训机构名单（{LISTS[which]}，{label}）的公告",
            "docUrl": f"{ADDRESS}/lists/{county.code}/{which}/{batch + 1}",
        }


def _daily(day: int) -> tuple[int, date]:
    """Number and as-of date of the batch of a day after day 0: one a day."""
    return len(BATCHES) + day - 1, DAY_ZERO + timedelta(days=day)


def _ordinal(number: int) -> str:
    if number <= 10:
        return ORDINALS[number]
    tens, ones = divmod(number, 10)
    if tens > 9:
        return str(number)
    return f"{ORDINALS[tens] if tens > 1 else ''}十{ORDINALS[ones] if ones else ''}"
