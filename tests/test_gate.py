"""What the gate lets through, what it holds at its last good rows, what it stops, and what people can do about it.

The world is two counties of unequal size, so that the small one can be lost without a loss in total that would stop everything.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from making import NOON, Record, institution, listing, notice, on, one_province, query, rating, snapshot
from publish import audit
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded, SourceBroken
from publish.inputs import inputs_for, nothing_new
from publish.steps import assembled, compare, judge, lay_out, make_downloads, make_index, publish
from publish.work import Work

SMALL, LARGE = "330108", "330106"
FEW, MANY = 9, 191  # 4.5% in the small county: rule 3 lets a source lose a twentieth
World = dict[str, list[Record]]
pytestmark = pytest.mark.usefixtures("no_downloads")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def world() -> World:
    """Two counties; every institution has a listing, a notice and a rating."""
    numbers = range(1, FEW + MANY + 1)
    of = {number: {"areaCode": SMALL if number <= FEW else LARGE} for number in numbers}
    named = {number: {**of[number], "areaName": "滨江区" if number <= FEW else "西湖区"} for number in numbers}
    return {
        "institutions": [institution(n, status="正常", **named[n]) for n in numbers],
        "listings": [listing(n, **of[n]) for n in numbers],
        "notices": [notice(n, **named[n]) for n in numbers],
        "ratings": [rating(n) for n in numbers],
    }


def judged(work: Work, listings: Mapping[str, Any], day: int) -> Candidate | None:
    """What the gate says of a delivery on a day; None where it is nothing new."""
    at = on(work, day)
    name = f"platform-{day:03d}-{len(list(work.home.raw.iterdir()))}"
    inputs = inputs_for(at, {"platform": snapshot(work.home.raw, name, listings, as_of=at.day.isoformat())})
    return None if nothing_new(at, inputs) else judge(at, compare(at, assembled(at, inputs)))


def deliver(work: Work, listings: Mapping[str, Any], day: int = 0) -> str:
    """Take a delivery through the whole run. Returns the outcome. Raises ReviewNeeded when it is a stop."""
    at, candidate = on(work, day), judged(work, listings, day)
    if candidate is None:
        return "nothing new"
    candidate = lay_out(at, candidate)
    make_downloads(at, candidate)
    make_index(at, candidate)
    publish(at, candidate)
    return str(candidate.outcome)


def causes(work: Work, table: str) -> set[str]:
    """The causes of everything that the newest release changed in a table."""
    connection = sqlite3.connect(f"file:{work.home.history}?mode=ro", uri=True)
    try:
        sql = "SELECT DISTINCT cause FROM changes WHERE table_name = ? AND release = (SELECT max(number) FROM releases)"
        return {cause for (cause,) in connection.execute(sql, [table])}
    finally:
        connection.close()


def in_small(work: Work, table: str = "institutions") -> list[tuple[Any, ...]]:
    """How many rows of the small county are public, and how many of them are marked as absent."""
    return query(work, f"SELECT count(*), count(absent_since) FROM {table} WHERE region_code = ?", SMALL)


def without(listings: World, *numbers: int) -> World:
    """The world without these institutions and what is about them."""
    gone = {f"ORG{n:06d}" for n in numbers} | {f"N{n:06d}" for n in numbers}
    return {name: [r for r in rows if r.get("orgId") not in gone and r.get("noticeId") not in gone] for name, rows in listings.items()}


def changed(listings: World, name: str, numbers: range, **values: Any) -> World:
    """The world with other values in these records of a listing; a function is given the record."""
    rows = [
        {**r, **{k: v(r) if callable(v) else v for k, v in values.items()}} if n in numbers else r for n, r in enumerate(listings[name], 1)
    ]
    return {**listings, name: rows}


LOST = tuple(range(1, FEW + 1))
OF_SMALL = range(1, FEW + 1)
EVERY = range(1, FEW + MANY + 1)


def mojibake(field: str) -> Callable[[Record], str]:
    return lambda record: str(record[field]).encode().decode("latin-1")


# -- a county that is cut short --------------------------------------------------------------------------------------


def test_a_lost_county_keeps_its_last_good_rows_with_all_that_belongs_to_them_and_the_rest_goes_out(work: Work) -> None:
    deliver(work, world())
    before = {
        t: query(work, f"SELECT * FROM {t} ORDER BY 1, 2")
        for t in ("permits", "institution_aliases", "notice_penalties", "notice_links", "ratings")
    }
    news = without(changed(world(), "institutions", range(200, 201), address="搬到这里"), *LOST)
    assert deliver(work, news, 1) == "go_held"
    assert [in_small(work, table) for table in ("institutions", "listings", "notices")] == [[(FEW, 0)]] * 3
    assert before == {t: query(work, f"SELECT * FROM {t} ORDER BY 1, 2") for t in before}
    assert query(work, "SELECT count(*) FROM institutions WHERE address = '搬到这里'") == [(1,)]
    assert query(work, "PRAGMA foreign_key_check") == []
    manifest = work.live_manifest()
    held = [
        {"source": "platform", "table": t, "region": SMALL, "since": "2026-11-02", "bound": "partition_lost"}
        for t in ("institutions", "listings", "notices", "ratings")
    ]
    assert manifest["held"] == held
    assert query(work, "SELECT * FROM held_partitions") == [
        tuple(row[k] for k in ("source", "table", "region", "since", "bound")) for row in held
    ]
    for table, fates in manifest["accounting"].items():
        assert fates["records"] == fates["published"] + fates.get("held_back", 0) == MANY, table
        assert query(work, f"SELECT count(*) FROM {table}") == [(fates["published"] + fates.get("kept_absent", 0) + fates["kept_held"],)]


def test_kept_rows_say_the_day_that_they_are_of(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), *LOST), 1)
    as_of = "SELECT DISTINCT i.region_code, d.as_of FROM institutions i JOIN documents d ON d.id = i.document_id ORDER BY 1"
    assert query(work, as_of) == [(LARGE, "2026-11-02"), (SMALL, "2026-11-01")]
    deliver(work, without(changed(world(), "institutions", range(200, 201), address="二"), *LOST), 2)
    assert query(work, as_of) == [(LARGE, "2026-11-03"), (SMALL, "2026-11-01")]
    assert query(
        work,
        "SELECT count(*) FROM documents WHERE id NOT IN (SELECT document_id FROM institutions UNION SELECT document_id FROM listings UNION SELECT document_id FROM notices)",
    ) == [(0,)]


def test_a_county_that_stays_lost_stays_held_since_the_first_day(work: Work) -> None:
    deliver(work, world())
    for day in (1, 2, 3):
        assert deliver(work, without(changed(world(), "institutions", range(200, 201), address=f"{day}号"), *LOST), day) == "go_held"
        assert in_small(work) == [(FEW, 0)]
        assert {row["since"] for row in work.live_manifest()["held"]} == {"2026-11-02"}


def test_a_county_that_comes_back_is_held_no_longer(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), *LOST), 1)
    assert deliver(work, world(), 2) == "go"
    assert (in_small(work), work.live_manifest()["held"]) == ([(FEW, 0)], [])


def test_an_old_delivery_is_not_taken_for_a_new_one(work: Work) -> None:
    deliver(work, world())
    deliver(work, changed(world(), "institutions", range(200, 201), address="二"), 1)
    with pytest.raises(ReviewNeeded, match=r"2026-11-01 \(old_content\)"):
        deliver(work, world(), 2)


def test_what_went_live_with_a_day_to_come_counts_as_of_the_day_it_was_taken_on(work: Work) -> None:
    """As one did before such a day was refused: the true lists after it are not older."""
    wrong, true, old = (
        {"platform": snapshot(work.home.raw, f"platform-{day}", world(), as_of=day)} for day in ("2026-11-20", "2026-11-02", "2026-10-31")
    )
    live = {"platform": (wrong["platform"],)}
    assert inputs_for(on(work, 1), true, live)["platform"][0] == wrong["platform"], "it says the same"
    with pytest.raises(SourceBroken, match="is as of 2026-10-31 and 2026-11-01 is live"):
        inputs_for(on(work, 1), old, live)
    with pytest.raises(SourceBroken, match=r"is as of 2026-11-20, and today is 2026-11-02 in China.*: ask for one with its right day"):
        inputs_for(on(work, 1), wrong, {})


def test_a_county_that_comes_back_with_news_is_held_no_longer(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), *LOST), 1)
    assert deliver(work, changed(world(), "institutions", range(1, 2), address="回来了"), 2) == "go"
    assert (in_small(work), work.live_manifest()["held"]) == ([(FEW, 0)], [])
    assert query(work, "SELECT count(*) FROM institutions WHERE address = '回来了'") == [(1,)]


def test_nobody_is_delisted_by_the_snapshot_that_lost_the_county_and_the_one_after_it(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), *LOST), 1)
    back = without(changed(world(), "institutions", range(9, 10), address="回来了"), 1)
    assert deliver(work, back, 2) == "go"
    assert [in_small(work, table) for table in ("institutions", "listings", "notices")] == [[(FEW, 1)]] * 3
    assert deliver(work, changed(back, "institutions", range(9, 10), address="又一天"), 3) == "go"
    assert [in_small(work, table) for table in ("institutions", "listings", "notices")] == [[(FEW - 1, 0)]] * 3


def test_a_snapshot_that_was_stopped_delists_nobody(work: Work) -> None:
    deliver(work, world())
    with pytest.raises(ReviewNeeded, match="total_lost"):
        deliver(work, without(world(), *range(1, 100)), 1)
    assert deliver(work, without(world(), 150), 2) == "go"
    assert query(work, "SELECT count(*), count(absent_since) FROM institutions") == [(FEW + MANY, 1)]


def test_who_was_absent_before_the_hold_stays_marked_in_it(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), 1), 1)
    assert in_small(work) == [(FEW, 1)]
    deliver(work, without(world(), *LOST), 2)
    assert in_small(work) == [(FEW, 1)]


@pytest.mark.parametrize("state", ["已修复", "已撤销", "看不懂的状态"])
def test_what_was_withdrawn_or_repaired_never_comes_back_with_its_county(work: Work, state: str) -> None:
    deliver(work, world())
    after = changed(without(world(), *LOST[1:]), "notices", range(1, 2), state=state)
    assert deliver(work, after, 1) == "go_held"
    assert in_small(work, "notices") == [(FEW - 1, 0)]


def test_what_ended_never_comes_back_with_its_county(work: Work) -> None:
    first = changed(world(), "notices", range(1, 2), publicUntil="2026-11-01")
    first = changed(first, "listings", range(2, 3), list="黑名单", validTo="2026-11-01")
    deliver(work, first)
    assert (in_small(work, "notices"), in_small(work, "listings")) == ([(FEW, 0)], [(FEW, 0)])
    assert deliver(work, without(first, *LOST), 1) == "go_held"
    assert (in_small(work, "notices"), in_small(work, "listings")) == ([(FEW - 1, 0)], [(FEW - 1, 0)])


@pytest.mark.parametrize(
    ("table", "ended"), [("notices", {"publicUntil": "2026-11-01"}), ("listings", {"list": "黑名单", "validTo": "2026-11-01"})]
)
def test_what_its_source_now_says_has_ended_does_not_come_back_with_its_county(work: Work, table: str, ended: dict[str, str]) -> None:
    """Also where the live release has a later end: the source's newest word counts."""
    first = world()
    if table == "listings":
        first = changed(first, "listings", range(1, 2), list="黑名单", validTo="2027-06-30")
    deliver(work, first)
    after = changed(without(first, *LOST[1:]), table, range(1, 2), **ended)
    assert deliver(work, after, 1) == "go_held"
    assert in_small(work, table) == [(FEW - 1, 0)]


def test_notices_whose_state_nobody_can_read_cannot_be_held_and_stop(work: Work) -> None:
    deliver(work, world())
    candidate = judged(work, changed(world(), "notices", OF_SMALL, state="看不懂的状态"), 1)
    assert candidate is not None
    assert (candidate.outcome, candidate.held) == ("stop", ())


def spoilt(few: int, state: str) -> World:
    """The small county with the facts of its notices swapped with their titles, and some of them in another state."""
    listings = world()
    for number, row in enumerate(listings["notices"][:FEW]):
        row |= {"facts": row["title"], "title": row["facts"], **({"state": state} if number < few else {})}
    return listings


def test_a_dispute_in_a_held_county_is_shown_at_once_on_what_was_said(work: Work) -> None:
    deliver(work, world())
    deliver(work, spoilt(2, "异议"), 1)
    assert [(h["table"], h["region"]) for h in work.live_manifest()["held"]] == [("notices", SMALL)]
    assert query(work, f"SELECT count(*), count(DISTINCT facts) FROM notices WHERE region_code = '{SMALL}'") == [(FEW, 1)]
    assert query(work, "SELECT count(*) FROM notices WHERE state = 'disputed' AND facts = '未经批准增加教学点。'") == [(2,)]
    assert causes(work, "notices") == {"dispute"}


def test_a_correction_in_a_held_county_takes_the_wrong_text_away_and_shows_no_spoilt_one(work: Work) -> None:
    deliver(work, world())
    deliver(work, spoilt(2, "更正"), 1)
    assert query(work, f"SELECT count(*), count(DISTINCT facts) FROM notices WHERE region_code = '{SMALL}'") == [(FEW - 2, 1)]
    assert causes(work, "notices") == {"correction"}


def test_a_second_correction_in_a_held_county_takes_the_wrong_text_away(work: Work) -> None:
    first = changed(world(), "notices", range(1, 3), state="更正")
    deliver(work, first)
    after = changed(without(first, *LOST[2:]), "notices", range(1, 2), facts="又更正：未增加教学点。")
    assert deliver(work, after, 1) == "go_held"
    assert query(work, "SELECT count(*), sum(state = 'corrected') FROM notices WHERE region_code = ?", SMALL) == [(FEW - 1, 1)]
    assert causes(work, "notices") == {"correction"}


@pytest.mark.parametrize("state", ["异议", "更正"])
def test_a_county_whose_states_turned_is_not_believed(work: Work, state: str) -> None:
    deliver(work, world())
    deliver(work, spoilt(FEW, state), 1)
    assert query(work, f"SELECT count(*) FROM notices WHERE region_code = '{SMALL}' AND state = 'active'") == [(FEW,)]


def test_who_is_new_in_a_held_county_waits_with_all_that_refers_to_it(work: Work) -> None:
    deliver(work, world())
    new = 500
    after = without(world(), *LOST)
    for name, make in (("institutions", institution), ("listings", listing)):
        after[name].append(make(new, areaCode=SMALL))
    after["listings"][-1]["areaCode"] = LARGE
    after["ratings"].append(rating(new))
    assert deliver(work, after, 1) == "go_held"
    assert query(work, "SELECT count(*) FROM institutions") == [(FEW + MANY,)]
    assert query(work, "PRAGMA foreign_key_check") == []


def test_a_column_that_was_declared_since_is_empty_in_a_kept_row(work: Work, catalogue: Catalogue) -> None:
    now = catalogue.tables["institutions"]
    then = replace(now, columns={**now.columns, "address": replace(now.columns["address"], privacy="private", search=0)})
    deliver(replace(work, catalogue=replace(catalogue, tables={**catalogue.tables, "institutions": then}, recipe="another")), world())
    assert deliver(work, without(world(), *LOST), 1) == "go_held"
    assert query(work, "SELECT region_code, count(*), count(address) FROM institutions GROUP BY 1") == [
        (LARGE, MANY, MANY),
        (SMALL, FEW, 0),
    ]


def test_a_few_of_a_small_county_and_a_fifth_of_a_large_one_may_go(work: Work) -> None:
    deliver(work, world())
    assert deliver(work, without(world(), 1, 2, 3), 1) == "go"
    assert in_small(work) == [(FEW, 3)]


# -- content of a county, and of a source ---------------------------------------------------------------------------

FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "blanked": ("institutions", {"address": ""}),
    "blanked in a notice": ("notices", {"facts": ""}),
    "flipped": ("institutions", {"status": "已注销"}),
    "mojibake": ("institutions", {"orgName": mojibake("orgName")}),
    "mojibake in a notice": ("notices", {"facts": mojibake("facts")}),
    "names replaced": ("institutions", {"orgName": lambda record: f"某某{record['orgId']}有限公司"}),
    "swapped": ("institutions", {"address": lambda record: record["orgName"], "orgName": lambda record: record["address"]}),
    "another year": ("institutions", {"openedOn": "2062-05-01"}),
    "ten thousand times": ("notices", {"fineWan": "15000"}),
    "a child table": ("institutions", {"permits": lambda record: [{**record["permits"][0], "validTo": ""}]}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_spoils_a_county_holds_it_and_what_spoils_a_source_stops_it(work: Work, fault: str) -> None:
    deliver(work, world())
    name, values = FAULTS[fault]
    good = query(work, "SELECT * FROM institutions ORDER BY id") + query(work, "SELECT * FROM notices ORDER BY id")
    candidate = judged(work, changed(world(), name, EVERY, **values), 1)
    assert candidate is not None
    assert (candidate.outcome, candidate.held) == ("stop", ())
    assert deliver(work, changed(world(), name, OF_SMALL, **values), 1) == "go_held"
    assert {(row["table"], row["region"]) for row in work.live_manifest()["held"]} == {(name, SMALL)}

    def same(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for value in row if not str(value).startswith("d-"))

    now = query(work, "SELECT * FROM institutions ORDER BY id") + query(work, "SELECT * FROM notices ORDER BY id")
    assert [same(row) for row in now] == [same(row) for row in good]


def test_credit_codes_that_turn_invalid_stop(work: Work) -> None:
    from making import credit_code

    good = changed(world(), "institutions", EVERY, creditCode=lambda record: credit_code(int(record["orgId"][3:])))
    deliver(work, good)
    spoilt = changed(good, "institutions", EVERY, creditCode=lambda record: record["creditCode"][:-1] + "?")
    candidate = judged(work, spoilt, 1)
    assert candidate is not None
    assert candidate.outcome == "stop"
    assert "total_invalid" in {finding.bound for finding in candidate.findings}


def test_ratings_that_turn_round_stop(work: Work) -> None:
    deliver(work, world())
    candidate = judged(work, changed(world(), "ratings", EVERY, histogram=[4, 3, 2, 1, 0]), 1)
    assert candidate is not None
    assert {finding.bound for finding in candidate.findings if finding.subject.startswith("mean_rating=")} >= {"total_codes"}


def test_notices_that_lose_their_institutions_stop(work: Work) -> None:
    deliver(work, world())
    candidate = judged(work, changed(world(), "notices", EVERY, subjectName="另一家培训中心有限公司"), 1)
    assert candidate is not None
    assert "total_unlinked" in {finding.bound for finding in candidate.findings}


@pytest.mark.parametrize(
    ("name", "values", "subject"),
    [
        ("institutions", {"newField": "1"}, "unmapped_field newField"),
        ("institutions", {"organiserNature": "没有人知道"}, "bad_value organiserNature"),
    ],
)
def test_a_field_or_a_value_that_nobody_maps_is_no_log_line(work: Work, name: str, values: dict[str, Any], subject: str) -> None:
    deliver(work, world())
    candidate = judged(work, changed(world(), name, EVERY, **values), 1)
    assert candidate is not None
    assert ("issues", subject) in {(finding.bound, finding.subject) for finding in candidate.findings}
    assert candidate.outcome == "stop"
    assert deliver(work, changed(world(), name, range(1, 4), **values, address="x"), 1) == "go", "three records are a log line"


def test_records_given_twice_are_a_budget_too(work: Work) -> None:
    deliver(work, world())
    twice = {**world(), "institutions": world()["institutions"] + world()["institutions"][:20]}
    candidate = judged(work, twice, 1)
    assert candidate is not None
    assert ("issues", "duplicate_key") in {(finding.bound, finding.subject) for finding in candidate.findings}


# -- the black list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "bound"),
    [
        ("listings", {"list": "黑名单"}, "total_adverse_added"),
        ("notices", {"state": "已撤销"}, "total_adverse_removed"),
        ("notices", {"state": "已修复"}, "total_adverse_removed"),
    ],
)
def test_a_mass_of_black_listings_or_withdrawals_needs_two_people(work: Work, name: str, values: dict[str, Any], bound: str) -> None:
    deliver(work, world())
    candidate = judged(work, changed(world(), name, range(100, 160), **values), 1)
    assert candidate is not None
    assert (candidate.outcome, candidate.names) == ("stop", 2)
    assert bound in {finding.bound for finding in candidate.findings}


def test_new_notices_beyond_the_bound_need_two_people_and_few_need_nobody(work: Work) -> None:
    deliver(work, world())
    more = [notice(n, areaCode=LARGE) for n in range(1000, 1200)]
    candidate = judged(work, {**world(), "notices": world()["notices"] + more}, 1)
    assert candidate is not None
    assert (candidate.outcome, candidate.names) == ("stop", 2)
    assert deliver(work, {**world(), "notices": world()["notices"] + more[:8]}, 1) == "go"


# -- what people decided ---------------------------------------------------------------------------------------------


def accept(work: Work, table: str, content: str, region: str = SMALL) -> None:
    about = {"source": "platform", "table": table, "region": region, "content": {"platform": content}}
    audit.append(work.home, "accept", "张三", "该县已并入邻县", about, NOON)


def test_a_change_that_somebody_accepts_goes_out_without_new_content(work: Work) -> None:
    deliver(work, world())
    lost = without(world(), *LOST)
    deliver(work, lost, 1)
    content = work.live_manifest()["sources"][0]["snapshots"][0]["content_sha256"]
    assert deliver(work, lost, 2) == "nothing new"
    for table in ("institutions", "listings", "notices", "ratings"):
        accept(work, table, content)
    assert deliver(work, lost, 2) == "go"
    assert (in_small(work), work.live_manifest()["held"]) == ([(FEW, FEW)], []), "who leaves is marked first"
    assert deliver(work, lost, 3) == "go"
    assert in_small(work) == [(0, 0)]


def test_accepting_one_content_accepts_no_other(work: Work) -> None:
    deliver(work, world())
    deliver(work, without(world(), *LOST[:4]), 1)
    content = work.live_manifest()["sources"][0]["snapshots"][0]["content_sha256"]
    for table in ("institutions", "listings", "notices", "ratings"):
        accept(work, table, content)
    assert deliver(work, without(world(), *LOST), 2) == "go_held"
    assert in_small(work) == [(FEW, 0)]


def test_a_loss_that_somebody_accepts_goes_out_with_the_next_content_too(work: Work) -> None:
    deliver(work, world())
    lost = without(world(), *LOST)
    deliver(work, lost, 1)
    content = work.live_manifest()["sources"][0]["snapshots"][0]["content_sha256"]
    for table in ("institutions", "listings", "notices", "ratings"):
        accept(work, table, content)
    assert deliver(work, changed(lost, "institutions", range(100, 101), address="二"), 2) == "go"
    assert [in_small(work, table) for table in ("institutions", "listings", "notices")] == [[(FEW, FEW)]] * 3
    assert query(work, "SELECT count(*) FROM ratings") == [(FEW + MANY,)], "ratings have no day of absence and go with their institution"
    assert deliver(work, changed(lost, "institutions", range(100, 101), address="三"), 3) == "go"
    assert [in_small(work, table) for table in ("institutions", "listings", "notices")] == [[(0, 0)]] * 3
    assert query(work, "SELECT count(*) FROM ratings") == [(MANY,)]


def test_content_that_was_refused_does_not_come_in_again_and_says_who_refused_it(work: Work) -> None:
    deliver(work, world())
    after = changed(world(), "institutions", range(200, 201), address="二")
    candidate = judged(work, after, 1)
    assert candidate is not None
    about = {"digest": candidate.digest, "content": dict(candidate.contents)}
    audit.append(work.home, "refuse", "李四", "县局说名单有误", about, NOON)
    with pytest.raises(ReviewNeeded, match="李四, 2026-11-01: 县局说名单有误"):
        deliver(work, after, 2)


def test_too_many_counties_at_once_are_no_accident_of_a_county(work: Work) -> None:
    counties = [f"3301{number:02d}" for number in (2, 5, 6, 8, 9, 10, 11, 12, 13, 14)]
    many = {
        "institutions": [institution(n, areaCode=counties[n % 10], areaName="") for n in range(400)],
        "listings": [],
        "notices": [],
        "ratings": [],
    }
    deliver(work, many)
    spoilt = {**many, "institutions": [{**r, "address": ""} if r["areaCode"] in counties[:3] else r for r in many["institutions"]]}
    candidate = judged(work, spoilt, 1)
    assert candidate is not None
    assert (candidate.outcome, candidate.held) == ("stop", ())
    assert "held" in {finding.bound for finding in candidate.findings}


def test_what_is_held_is_part_of_the_digest(work: Work) -> None:
    deliver(work, world())
    candidate = judged(work, without(world(), *LOST), 1)
    assert candidate is not None
    from publish.review import review

    other = review(candidate.findings, (), candidate.assembled.day, candidate.recipe, candidate.inputs)
    assert other.digest != candidate.digest


def test_a_candidate_is_held_once_also_when_a_step_is_repeated(work: Work) -> None:
    deliver(work, world())
    judged(work, without(world(), *LOST), 1)
    at = on(work, 1)
    first = Candidate.load(work.home)
    again = judge(at, compare(at, first))
    assert (again.held, again.findings, again.digest) == (first.held, first.findings, first.digest)


# -- freshness -------------------------------------------------------------------------------------------------------


def test_the_manifest_and_the_status_say_since_when_a_source_says_the_same(work: Work) -> None:
    first = changed(world(), "notices", range(1, 2), publicUntil="2026-11-05")
    deliver(work, first)
    deliver(work, first, 5)
    source = work.live_manifest()["sources"][0]
    assert (work.live, source["content_since"], source["stale"]) == ("2026-11-06", "2026-11-01", True), "an end is no new content"
    deliver(work, changed(first, "institutions", range(1, 2), address="二"), 6)
    source = work.live_manifest()["sources"][0]
    assert (source["content_since"], source["stale"]) == ("2026-11-07", False)
