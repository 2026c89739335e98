"""Faults of whole lists: records lost, doubled, mixed, old, of another place, or turned into what they are not."""

from typing import Any

from making import Record

from .clean import Records
from .fault import ALL, COUNTY, FEW, TENTH, Delivery, Strength, fault

BOTH = ("platform", "register")
ADVERSE = ("黑名单", "灰名单", "预警")


def _some(label: str, accident: bool, value: Any) -> Strength:
    return Strength(label, accident, value)


def _pages(records: list[Record], size: int) -> list[list[Record]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def _county_less(delivery: Delivery, share: float, *listings: str, county: str | None = None) -> Records:
    county = county or delivery.county()
    return delivery.without(lambda name, record: delivery.county_of(name, record) == county and delivery.chance.random() < share, *listings)


@fault(_some("a tenth of it", False, 0.1), _some("half of it", True, 0.5), _some("all of it", True, 1.0), sources=BOTH)
def county_lost(delivery: Delivery, strength: Strength) -> Records:
    """records of one county are missing from every listing, and the total fits"""
    return _county_less(delivery, strength.value)


@fault(_some("half of it", True, 0.5), _some("all of it", True, 1.0), sources=BOTH)
def smallest_county_lost(delivery: Delivery, strength: Strength) -> Records:
    """records of the smallest county are missing: it hardly moves the total"""
    listing = delivery.spelling.place("institutions.name")[0]
    sizes = {
        county: sum(delivery.county_of(listing, record) == county for record in delivery.records[listing]) for county in delivery.counties()
    }
    return _county_less(delivery, strength.value, county=next(county for county in reversed(delivery.counties()) if sizes[county] > 6))


@fault(_some("3 counties", True, 3), _some("half of them", True, 0.5), sources=BOTH)
def several_counties_cut(delivery: Delivery, strength: Strength) -> Records:
    """four fifths of several counties are missing"""
    counties = delivery.counties()
    number = strength.value if isinstance(strength.value, int) else round(strength.value * len(counties))
    struck = set(delivery.chance.sample(counties, number))
    return delivery.without(lambda name, record: delivery.county_of(name, record) in struck and delivery.chance.random() < 0.8)


@fault(
    _some("institutions", True, "institutions"),
    _some("listings", True, "listings"),
    _some("notices", True, "notices"),
    _some("ratings", True, "ratings"),
)
def county_lost_in_one_listing(delivery: Delivery, strength: Strength) -> Records:
    """one county is missing from one listing and is there in the others"""
    return _county_less(delivery, 1.0, strength.value)


@fault(_some("the last 1%", False, 0.99), _some("the last tenth", True, 0.9), _some("the last half", True, 0.5), sources=BOTH)
def paging_cut(delivery: Delivery, strength: Strength) -> Records:
    """the last part of every listing is missing"""
    return {name: records[: round(strength.value * len(records))] for name, records in delivery.records.items()}


@fault(_some("1 in 200", False, 0.005), _some("1 in 12", True, 1 / 12), _some("1 in 4", True, 0.25), sources=BOTH)
def records_lost_at_random(delivery: Delivery, strength: Strength) -> Records:
    """records are missing everywhere"""
    return delivery.without(lambda name, record: delivery.chance.random() < strength.value)


@fault(_some("one page", True, 1), _some("half of them", True, 0.5), sources=BOTH)
def page_in_place_of_the_next(delivery: Delivery, strength: Strength) -> Records:
    """a page holds the records of the page before it"""
    found: Records = {}
    for name, records in delivery.records.items():
        pages = _pages(records, delivery.page)
        whole = range(1, max(2, len(pages) - 1))
        number = strength.value if isinstance(strength.value, int) else round(strength.value * len(pages))
        for at in delivery.chance.sample(whole, min(number, len(whole))):
            if at < len(pages):
                pages[at] = pages[at - 1]
        found[name] = [record for page in pages for record in page]
    return found


@fault(_some("3 records", False, 3), _some("one page", True, 100), _some("all", True, 10**6), sources=BOTH)
def records_sent_twice(delivery: Delivery, strength: Strength) -> Records:
    """records come twice, unchanged: nothing is lost, and it is reported"""
    return {name: [*records, *records[: strength.value]] for name, records in delivery.records.items()}


@fault(
    _some("institutions", True, "institutions"),
    _some("listings", True, "listings"),
    _some("notices", True, "notices"),
    _some("ratings", True, "ratings"),
)
def listing_empty(delivery: Delivery, strength: Strength) -> Records:
    """a listing has no record at all"""
    return {**delivery.records, strength.value: []}


@fault(_some("3 days old", False, 3), _some("32 days old", True, 32), _some("62 days old", True, 62), sources=BOTH)
def old_delivery_with_todays_date(delivery: Delivery, strength: Strength) -> Records:
    """an old delivery is handed in as new, and its cover says today"""
    return delivery.past[strength.value]


@fault(_some("32 days old", True, 32), _some("62 days old", True, 62), sources=BOTH)
def two_deliveries_interleaved(delivery: Delivery, strength: Strength) -> Records:
    """every second page is of an old delivery"""
    found: Records = {}
    for name, records in delivery.records.items():
        now, then = (_pages(several, delivery.page // 4) for several in (records, delivery.past[strength.value][name]))
        turns = ((then if at % 2 else now)[at : at + 1] for at in range(max(len(now), len(then))))
        found[name] = [record for turn in turns for page in turn for record in page]
    return found


@fault(_some("one county", True, "county"), _some("half", True, 0.5))
def overwritten_the_same_day(delivery: Delivery, strength: Strength) -> Records:
    """a second delivery of the day holds a part only: what somebody was working on"""
    kept = {name: {id(record) for record in delivery.chosen(name, strength.value)} for name in delivery.records}
    return {name: [record for record in records if id(record) in kept[name]] for name, records in delivery.records.items()}


@fault(_some("3 records", False, 3), COUNTY, ALL)
def permits_lost(delivery: Delivery, strength: Strength) -> Records:
    """the list of permits is empty"""
    return _emptied(delivery, strength, "permits", [])


@fault(_some("3 records", False, 3), COUNTY, ALL)
def fund_supervision_lost(delivery: Delivery, strength: Strength) -> Records:
    """what is known of the supervision of prepaid fees is gone"""
    return _emptied(delivery, strength, "fund", None)


@fault(_some("3 records", False, 3), COUNTY, ALL)
def classes_lost(delivery: Delivery, strength: Strength) -> Records:
    """the list of classes is empty"""
    return _emptied(delivery, strength, "classes", [])


def _emptied(delivery: Delivery, strength: Strength, field: str, nothing: Any) -> Records:
    for record in delivery.chosen("institutions", strength.value):
        record[field] = nothing
    return delivery.records


def _every(delivery: Delivery, listing: str, strength: Strength, **values: Any) -> Records:
    for record in delivery.chosen(listing, strength.value):
        record |= values
    return delivery.records


@fault(FEW, COUNTY, ALL)
def status_flipped_to_closed(delivery: Delivery, strength: Strength) -> Records:
    """every institution is closed for good"""
    return _every(delivery, "institutions", strength, status="注销")


@fault(FEW, COUNTY, ALL)
def status_flipped_to_revoked(delivery: Delivery, strength: Strength) -> Records:
    """every institution has lost its permit"""
    return _every(delivery, "institutions", strength, status="吊销")


@fault(_some("1 record", False, 1), COUNTY, TENTH, ALL)
def mass_black_listing(delivery: Delivery, strength: Strength) -> Records:
    """listings are on the black list"""
    return _every(delivery, "listings", strength, list="黑名单")


@fault(COUNTY, ALL)
def mass_warning(delivery: Delivery, strength: Strength) -> Records:
    """listings are on the warning list"""
    return _every(delivery, "listings", strength, list="预警")


@fault(_some("all", True, 1.0))
def black_list_turned_white(delivery: Delivery, strength: Strength) -> Records:
    """every black, grey and warning listing is white"""
    for record in delivery.records["listings"]:
        record["list"] = "白名单" if record["list"] in ADVERSE else record["list"]
    return delivery.records


@fault(_some("all", True, 1.0))
def black_list_lost(delivery: Delivery, strength: Strength) -> Records:
    """every black, grey and warning listing is missing"""
    return delivery.without(lambda name, record: record["list"] in ADVERSE, "listings")


@fault(_some("all", True, 1.0))
def black_and_white_exchanged(delivery: Delivery, strength: Strength) -> Records:
    """the two lists were handed in under each other's name"""
    for record in delivery.records["listings"]:
        record["list"] = {"白名单": "黑名单", "黑名单": "白名单"}.get(record["list"], record["list"])
    return delivery.records


@fault(_some("all", True, 1.0))
def adverse_listings_ended(delivery: Delivery, strength: Strength) -> Records:
    """every black, grey and warning listing ends yesterday by its own date"""
    for record in delivery.records["listings"]:
        if record["list"] in ADVERSE:
            record["validTo"] = "2026-12-01"
    return delivery.records


@fault(_some("1 record", False, 1), _some("a third", True, 0.3), ALL)
def mass_withdrawal(delivery: Delivery, strength: Strength) -> Records:
    """notices are withdrawn"""
    return _every(delivery, "notices", strength, state="已撤销")


@fault(_some("1 record", False, 1), _some("a third", True, 0.3), ALL)
def mass_repair(delivery: Delivery, strength: Strength) -> Records:
    """notices are repaired"""
    return _every(delivery, "notices", strength, state="已修复")


@fault(_some("all", True, 1.0))
def notices_ended(delivery: Delivery, strength: Strength) -> Records:
    """every notice ends yesterday by its own date"""
    return _every(delivery, "notices", strength, publicUntil="2026-12-01")


@fault(_some("a third", True, 0.3), ALL)
def notices_made_minor(delivery: Delivery, strength: Strength) -> Records:
    """every decision is a minor one, which is not published"""
    return _every(delivery, "notices", strength, seriousness="轻微")


@fault(_some("all", True, 1.0))
def notices_made_serious(delivery: Delivery, strength: Strength) -> Records:
    """every decision is serious, which keeps it public for three years"""
    return _every(delivery, "notices", strength, seriousness="严重", publicUntil="")


@fault(_some("all", True, 1.0))
def subjects_made_persons(delivery: Delivery, strength: Strength) -> Records:
    """every subject is a natural person: names are masked and links are lost"""
    return _every(delivery, "notices", strength, subjectType="个人")


@fault(_some("all", True, 1.0))
def links_lost(delivery: Delivery, strength: Strength) -> Records:
    """notices have lost codes and numbers and name their subjects by brand"""
    for record in delivery.records["notices"]:
        record |= {"creditCode": "", "permitNo": "", "subjectName": f"{record['subjectName'][-9:]}（本部）"}
    return delivery.records


@fault(_some("a tenth more", True, 0.1), _some("as many again", True, 1.0))
def notices_entered_again(delivery: Delivery, strength: Strength) -> Records:
    """old notices come a second time under new identifiers"""
    again = [record | {"noticeId": f"Z{record['noticeId']}"} for record in delivery.chosen("notices", strength.value)]
    return {**delivery.records, "notices": [*delivery.records["notices"], *again]}


@fault(_some("one county", True, "county"), _some("all", True, 1.0))
def institutions_entered_again(delivery: Delivery, strength: Strength) -> Records:
    """institutions come a second time under new identifiers"""
    again = [record | {"orgId": f"Z{record['orgId']}"} for record in delivery.chosen("institutions", strength.value)]
    return {**delivery.records, "institutions": [*delivery.records["institutions"], *again]}


@fault(_some("3 records", False, 3), _some("30 records", True, 30), _some("300 records", True, 300))
def test_records(delivery: Delivery, strength: Strength) -> Records:
    """somebody's test records, in one county"""
    model = delivery.chosen("institutions", "county")[0]
    made = [
        model | {"orgId": f"T{number:06d}", "orgName": f"测试机构{number}", "creditCode": "", "permits": []}
        for number in range(strength.value)
    ]
    return {**delivery.records, "institutions": [*delivery.records["institutions"], *made]}


@fault(_some("40 notices", True, 40), _some("400 notices", True, 400))
def flood_of_notices(delivery: Delivery, strength: Strength) -> Records:
    """one county publishes more decisions in a day than all others in a year"""
    county = delivery.county()
    model = next(record for record in delivery.records["notices"] if record["areaCode"] == county)
    state = {"state": "公示中", "seriousness": "一般", "publicUntil": "2027-10-01", "decidedOn": "2026-12-10", "publishedOn": "2026-12-20"}
    made = [
        model | state | {"noticeId": f"F{number:06d}", "docNo": f"F{number}", "docUrl": f"https://platform.example/f/{number}"}
        for number in range(strength.value)
    ]
    return {**delivery.records, "notices": [*delivery.records["notices"], *made]}


@fault(_some("100 institutions", True, 100))
def another_province(delivery: Delivery, strength: Strength) -> Records:
    """institutions of a county that has never delivered"""
    models = delivery.chosen("institutions", strength.value)
    made = [record | {"orgId": f"P{record['orgId']}", "areaCode": "460105", "areaName": "海南省海口市秀英区"} for record in models]
    return {**delivery.records, "institutions": [*delivery.records["institutions"], *made]}


@fault(_some("one county", True, "county"))
def moved_to_the_next_county(delivery: Delivery, strength: Strength) -> Records:
    """a county's institutions have the code of another one"""
    other = delivery.counties()[0]
    for record in delivery.chosen("institutions", strength.value):
        record["areaCode"] = other
    return delivery.records


@fault(COUNTY, ALL)
def name_and_address_swapped(delivery: Delivery, strength: Strength) -> Records:
    """two columns stand in each other's place"""
    return _swapped(delivery, strength, "institutions", "orgName", "address")


@fault(FEW, COUNTY, ALL)
def authority_and_registrar_swapped(delivery: Delivery, strength: Strength) -> Records:
    """two columns stand in each other's place"""
    return _swapped(delivery, strength, "institutions", "department", "registrar")


@fault(COUNTY, ALL)
def facts_and_penalty_swapped(delivery: Delivery, strength: Strength) -> Records:
    """two columns of a notice stand in each other's place"""
    return _swapped(delivery, strength, "notices", "facts", "penaltyContent")


@fault(COUNTY, ALL)
def subject_and_authority_swapped(delivery: Delivery, strength: Strength) -> Records:
    """the authority is punished by the institution"""
    return _swapped(delivery, strength, "notices", "subjectName", "authority")


def _swapped(delivery: Delivery, strength: Strength, listing: str, one: str, other: str) -> Records:
    for record in delivery.chosen(listing, strength.value):
        record[one], record[other] = record[other], record[one]
    return delivery.records


@fault(
    _some("institutions, one county", True, ("institutions", "county")),
    _some("institutions", True, ("institutions", 1.0)),
    _some("notices", True, ("notices", 1.0)),
)
def columns_shifted(delivery: Delivery, strength: Strength) -> Records:
    """every text stands in the column after its own"""
    listing, how = strength.value
    for record in delivery.chosen(listing, how):
        fields = [field for field, value in record.items() if isinstance(value, str) and field not in ("orgId", "noticeId")]
        values = [record[field] for field in fields]
        record |= dict(zip(fields, ["", *values[:-1]], strict=True))
    return delivery.records


@fault(_some("3 records", False, 3), _some("all", True, 1.0))
def new_field(delivery: Delivery, strength: Strength) -> Records:
    """the source has a field that nobody mapped: it may hold what must not be published, or what now is missing elsewhere"""
    return _every(delivery, "institutions", strength, remark="新增")


@fault(_some("a third", True, 0.3))
def field_renamed_in_some(delivery: Delivery, strength: Strength) -> Records:
    """some records write the address under another name"""
    for record in delivery.chosen("institutions", strength.value):
        record["addr"] = record.pop("address")
    return delivery.records


@fault(_some("all", True, 1.0))
def dates_of_listings_rolled_back(delivery: Delivery, strength: Strength) -> Records:
    """white listings have ended a year ago"""
    for record in delivery.records["listings"]:
        record |= {"asOf": "2024-03-15", "listedOn": "2024-03-20", "validTo": "2025-03-15"}
    return delivery.records


@fault(_some("one county", True, "county"), _some("all", True, 1.0))
def ratings_lost(delivery: Delivery, strength: Strength) -> Records:
    """ratings are missing"""
    gone = {id(record) for record in delivery.chosen("ratings", strength.value)}
    return delivery.without(lambda name, record: id(record) in gone, "ratings") if strength.value == "county" else _month_less(delivery)


def _month_less(delivery: Delivery) -> Records:
    last = max(record["month"] for record in delivery.records["ratings"])
    return delivery.without(lambda name, record: record["month"] == last, "ratings")


@fault(COUNTY, ALL)
def ratings_upside_down(delivery: Delivery, strength: Strength) -> Records:
    """the best points stand first: the mean of everybody turns round"""
    for record in delivery.chosen("ratings", strength.value):
        record["histogram"] = record["histogram"][::-1]
    return delivery.records


@fault(COUNTY, ALL)
def ratings_all_full(delivery: Delivery, strength: Strength) -> Records:
    """everybody has the highest points"""
    for record in delivery.chosen("ratings", strength.value):
        record["histogram"] = [*[0] * (len(record["histogram"]) - 1), sum(record["histogram"])]
    return delivery.records


@fault(COUNTY, ALL)
def ratings_nought(delivery: Delivery, strength: Strength) -> Records:
    """nobody has been rated"""
    for record in delivery.chosen("ratings", strength.value):
        record["histogram"] = [0] * len(record["histogram"])
    return delivery.records


@fault(COUNTY, ALL)
def ratings_hundredfold(delivery: Delivery, strength: Strength) -> Records:
    """each rating is counted a hundred times"""
    for record in delivery.chosen("ratings", strength.value):
        record["histogram"] = [100 * number for number in record["histogram"]]
    return delivery.records


@fault(_some("all", True, 1.0))
def ratings_on_another_scale(delivery: Delivery, strength: Strength) -> Records:
    """ten points are told in five"""
    for record in delivery.records["ratings"]:
        pairs = record["histogram"]
        record |= {"histogram": [sum(pairs[at : at + 2]) for at in range(0, len(pairs), 2)], "scaleMax": len(pairs) // 2}
    return delivery.records
