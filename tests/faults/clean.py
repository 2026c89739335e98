"""Clean deliveries of a platform, day after day, with chance where the reference platform has a calendar.

The records are the reference platform's. What happens to them is drawn: how many a day, and to whom, in the bursts that real lists move in:
a county enters several institutions at once, an authority publishes several decisions at once, a county renews its whole white list.
Half a percent of the institutions a day: 0.4% changed, 0.05% new, 0.05% gone. That is more than a real register moves in a month (0.9%
changed, 0.3-0.7% new, 0.3-0.5% gone).
"""

from collections.abc import Sequence
from datetime import timedelta
from math import exp
from random import Random

import orjson

from making import Record
from publish.platform import new_world
from publish.platform.counties import FEW
from publish.platform.institutions import DAY_ZERO

Records = dict[str, list[Record]]
LISTINGS = ("institutions", "listings", "notices", "ratings")

# A day's expected number of each, as a share of the institutions, or of the notices.
CHANGED, ADDED, REMOVED = 0.004, 0.0005, 0.0005
PUBLISHED, REPAIRED, CORRECTED, WITHDRAWN, VANISHED = 0.002, 0.0008, 0.0004, 0.0002, 0.0002  # a real list of findings grows by 2% a month
ADVERSE, CLEARED = 0.0002, 0.0001  # of the institutions: put on a warning, grey or black list, and taken off
RENEWED = 1 / 180  # of the counties: the white list comes out anew twice a year, with another batch, day and document
BURST = 3  # on average: new institutions, removals and notices come several at once from one county
WHAT = ("address", "phone", "permit", "renamed", "address", "phone", "status", "fund", "permit", "head", "phone", "address")


def copied(records: Records) -> Records:
    """A copy that can be damaged."""
    found: Records = orjson.loads(orjson.dumps(records))
    return found


class Days:
    """The content of a platform of about `size` institutions, which `step` moves on at `pace` (1: half a percent a day)."""

    def __init__(self, size: int = 360, seed: int = 1, months: int = 0, counties: int = 10, pace: float = 1.0) -> None:
        self.size, self.pace, self.today, self.chance = size, pace, DAY_ZERO, Random(seed)
        self.world = new_world(2 * size, seed=seed, months=months, notices=4 * size, regions=FEW[-counties:])
        register, about = self.world.register, self.world.notices
        self.institutions = {record["orgId"]: record for record in (register.record(number, 0) for number in range(size))}
        self.coming = [register.record(number, 0) for number in range(size, 2 * size)][::-1]
        known = [number for number in range(4 * size) if about.institution_of(number) < size]
        notices = [record for number in known if (record := about.record(number, 0))]
        first = size * 3 // 4
        self.notices = {record["noticeId"]: record for record in notices[:first]}
        self.decisions = notices[first:][::-1]
        listed = [self.world.listed.first(number, 0) for number in range(size)]
        second = [self.world.listed.second(number, 0) for number in range(self.world.listed.second_size())]
        self.listings = {record["listingId"]: record for record in (*listed, *second) if record and record["orgId"] in self.institutions}
        self.batch = 6
        self.ratings: Records = {}
        self._rate()

    def records(self) -> Records:
        """A delivery of today."""
        ratings = [record for month in self.ratings.values() for record in month if record["orgId"] in self.institutions]
        several = (self.institutions.values(), self.listings.values(), self.notices.values(), ratings)
        return copied(dict(zip(LISTINGS, map(list, several), strict=True)))

    def step(self, days: int = 1) -> "Days":
        """Let so many days pass."""
        self.today += timedelta(days=days)
        happening = days * self.pace
        institutions, notices = happening * len(self.institutions), happening * len(self.notices)
        for _ in range(self._number(institutions * CHANGED)):
            self._change(self.chance.choice(list(self.institutions.values())))
        for _ in range(self._number(institutions * ADDED / BURST)):
            self._enter()
        for _ in range(self._number(institutions * REMOVED / BURST)):
            for gone in self._burst(list(self.institutions.values())):
                del self.institutions[gone["orgId"]]
                self.listings = {key: record for key, record in self.listings.items() if record["orgId"] != gone["orgId"]}
        for _ in range(self._number(notices * PUBLISHED / BURST)):
            self._decide()
        for share, state in ((REPAIRED, "已修复"), (CORRECTED, "已更正"), (WITHDRAWN, "已撤销"), (VANISHED, "")):
            for _ in range(self._number(notices * share)):
                notice = self.chance.choice(list(self.notices.values()))
                if state:
                    notice["state"] = state
                else:
                    del self.notices[notice["noticeId"]]
        for _ in range(self._number(institutions * ADVERSE)):
            self.chance.choice(list(self.listings.values()))["list"] = self.chance.choice(("预警", "预警", "灰名单", "黑名单"))
        for _ in range(self._number(institutions * CLEARED)):
            if adverse := [record for record in self.listings.values() if record["list"] in ("预警", "灰名单", "黑名单")]:
                self.chance.choice(adverse)["list"] = "白名单"
        for _ in range(self._number(happening * len(self._counties()) * RENEWED)):
            self._renew(self.chance.choice(self._counties()))
        self._rate()
        return self

    def _number(self, expected: float) -> int:
        """How many happen, where so many are expected and none knows of the others (Poisson)."""
        number, left, product = 0, expected, 1.0
        while True:
            step = min(left, 500.0)
            left -= step
            limit = exp(-step)
            product = 1.0
            while (product := product * self.chance.random()) > limit:
                number += 1
            if left <= 0:
                return number

    def _counties(self) -> list[str]:
        return sorted({record["areaCode"] for record in self.institutions.values()})

    def _burst(self, pool: Sequence[Record]) -> list[Record]:
        """A few records of one county."""
        first = self.chance.choice(pool)
        near = [record for record in pool if record["areaCode"] == first["areaCode"]]
        return self.chance.sample(near, min(len(near), 1 + self._number(BURST - 1)))

    def _change(self, record: Record) -> None:
        what, other = self.chance.choice(WHAT), self.chance.choice(self.coming)
        record["updatedOn"] = self.today.isoformat()
        if what == "address":
            record["address"] = record["areaName"] + other["address"].removeprefix(other["areaName"])
            record["sites"] = [{**record["sites"][0], "address": record["address"]}, *record["sites"][1:]]
        elif what == "phone":
            record["phone"] = other["phone"]
        elif what == "head":
            record["legalRep"] = other["legalRep"]
        elif what == "fund":
            record["fund"] = other["fund"]
        elif what == "status":
            record["status"] = self.chance.choice(("停业", "正常", "注销"))
        elif what == "permit":
            until = (self.today + timedelta(days=3 * 365)).isoformat()
            record["permits"] = [{**permit, "validFrom": self.today.isoformat(), "validTo": until} for permit in record["permits"]]
        else:
            record["aliases"] = [{"name": record["orgName"], "kind": "former"}, *record["aliases"]]
            record["orgName"] = record["orgName"].replace("培训", f"{self.chance.choice('启明博睿慧文思学优卓晨星')}培训", 1)
            for listing in self.listings.values():
                if listing["orgId"] == record["orgId"]:
                    listing["orgName"] = record["orgName"]

    def _enter(self) -> None:
        """New institutions of one county, each on the white list."""
        for record in self._burst(self.coming):
            self.coming.remove(record)
            self.institutions[record["orgId"]] = record | {"updatedOn": self.today.isoformat(), "openedOn": self.today.isoformat()}
            county, day = record["areaName"], self.today.isoformat()
            entered = f"L9{record['orgId']}"
            self.listings[entered] = {
                "listingId": entered, "orgId": record["orgId"], "orgName": record["orgName"], "list": "白名单", "authority": f"{county}教育局",
                "areaCode": record["areaCode"], "batch": "增补", "asOf": day, "listedOn": day, "validTo": (self.today + timedelta(days=1095)).isoformat(),
                "docTitle": f"{county}教育局关于增补校外培训机构白名单的公告", "docUrl": f"https://platform.example/documents/more/{record['areaCode']}/{day}",
            }  # fmt: skip

    def _decide(self) -> None:
        """New decisions of one authority."""
        for record in self._burst(self.decisions) if self.decisions else ():
            self.decisions.remove(record)
            decided = self.today - timedelta(days=self.chance.randrange(1, 40))
            until = (decided + timedelta(days=365)).isoformat() if record["publicUntil"][:2] == "20" else record["publicUntil"]
            dates = {"decidedOn": decided.isoformat(), "publishedOn": self.today.isoformat(), "publicUntil": until}
            self.notices[record["noticeId"]] = record | dates

    def _renew(self, county: str) -> None:
        """The white list of a county as its office publishes it anew."""
        self.batch += 1
        day, until = self.today.isoformat(), (self.today + timedelta(days=1095)).isoformat()
        for record in self.listings.values():
            if record["areaCode"] == county and record["list"] == "白名单":
                title = f"{record['authority']}关于公布校外培训机构名单（白名单，第{self.batch}期）的公告"
                url = f"https://platform.example/documents/lists/{county}/white/{self.batch}"
                record |= {"batch": f"第{self.batch}期", "asOf": day, "listedOn": day, "validTo": until, "docTitle": title, "docUrl": url}

    def _rate(self) -> None:
        for month in self.world.ratings.closed_months((self.today - DAY_ZERO).days):
            if month not in self.ratings:
                self.ratings[month] = [
                    record for record in self.world.ratings.records(month, 0, 2 * self.size) if record["orgId"] in self.institutions
                ]
