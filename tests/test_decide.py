"""What people decide: who has to, what is remembered, and that going back brings back nothing that has ended."""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from making import approved, copied, institution, listing, notice, on, one_province, query, rating, snapshot, world
from publish.audit import append, approvals, cut_off, entries, refused
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.cli import main
from publish.decide import accept, approve, back, refuse
from publish.errors import BadHome, NotSigned, ReviewNeeded
from publish.reviewpage import PAGE, page
from publish.reviewtext import lines
from publish.run import run
from publish.snapshot import load as load_snapshot
from publish.steps import assembled, compare, judge, lay_out, publish, show
from publish.wording import LANGUAGES
from publish.work import Result, Work
from unpacked import all_said

WHY = "与来源核对过"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def deliver(work: Work, listings: Mapping[str, Sequence[Any]], day: int = 0) -> Result:
    """A delivery of a day goes through the run."""
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    made = snapshot(folder, f"platform-{day:03d}-{len(list(folder.glob('*')))}", listings, as_of=work.day.isoformat())
    return run(work, {"platform": str(made.folder)})


def held(work: Work, listings: Mapping[str, Sequence[Any]], day: int = 1) -> Candidate:
    """A delivery that the gate holds; the candidate."""
    with pytest.raises(ReviewNeeded):
        deliver(work, listings, day)
    return Candidate.load(work.home)


def lost(size: int = 40) -> dict[str, list[Any]]:
    """Half of what there was."""
    return {**world(size), "institutions": [institution(n) for n in range(1, size // 2)]}


@pytest.fixture(scope="module")
def made_halved(begun: Callable[[], Work]) -> Work:
    work = begun()
    deliver(work, world(40))
    held(work, lost())
    return work


@pytest.fixture
def candidate(made_halved: Work, work: Work) -> Candidate:
    """In the home of `work` a release is live, and one with half of its institutions is held."""
    return Candidate.load(copied(made_halved, work).home)


def acts(work: Work) -> list[tuple[str, str]]:
    return [(entry.act, entry.by) for entry in entries(work.home)]


def test_a_release_that_needs_nobody_is_in_the_log_too(work: Work) -> None:
    deliver(work, world(3))
    assert acts(work) == [("release", "mingbai")]
    assert entries(work.home)[0].about["release"] == "2026-11-01"


def test_an_approval_is_entered_with_its_reason_and_then_the_release(candidate: Candidate, work: Work) -> None:
    assert approve(on(work, 1), candidate.judged(), "张三", f"  {WHY} ") == Result("released", "2026-11-02")
    assert acts(work)[1:] == [("approve", "张三"), ("release", "mingbai")]
    _, approval, release = entries(work.home)
    assert (approval.reason, approval.about["digest"], release.about["names"]) == (WHY, candidate.digest, ["张三"])


@pytest.mark.parametrize("decide", [approve, refuse])
@pytest.mark.parametrize(("by", "reason"), [("", WHY), ("张三", ""), (" ", " "), ("张三\x1b[2J", WHY)])
def test_nothing_is_decided_without_a_name_and_a_reason(decide: Any, by: str, reason: str, candidate: Candidate, work: Work) -> None:
    with pytest.raises(NotSigned):
        decide(on(work, 1), candidate.judged(), by, reason)
    assert (acts(work), work.live) == ([("release", "mingbai")], "2026-11-01")
    assert Candidate.load(work.home).digest == candidate.digest


@pytest.fixture(scope="module")
def made_blackened(begun: Callable[[], Work]) -> Work:
    work = begun()
    deliver(work, world(40))
    assert held(work, {**world(40), "listings": [listing(n, list="黑名单") for n in range(1, 41)]}).names == 2
    return work


@pytest.fixture
def blackened(made_blackened: Work, work: Work) -> Candidate:
    """What is held puts everybody on the black list, and needs two people."""
    return Candidate.load(copied(made_blackened, work).home)


def test_to_look_again_takes_no_name_away(work: Work) -> None:
    deliver(work, {**world(40), "listings": [*world(40)["listings"][1:], listing(1, list="黑名单")]})
    deliver(work, world(40), 1)
    today = on(work, 2)
    with pytest.raises(ReviewNeeded, match="1 more must"):
        back(today, "2026-11-01", "张三", WHY)
    digest = judge(today, Candidate.load(work.home)).judged()
    with pytest.raises(ReviewNeeded):
        approve(today, digest, "张三", WHY)
    assert work.live == "2026-11-02"


def test_what_was_approved_once_is_not_approved_on_another_release(candidate: Candidate, work: Work) -> None:
    approve(on(work, 1), candidate.judged(), "张三", WHY)
    with suppress(ReviewNeeded):
        back(on(work, 1), "2026-11-01", "李四", WHY)
    if work.live == "2026-11-02":
        approve(on(work, 1), Candidate.load(work.home).judged(), "王五", WHY)
    assert work.live == "2026-11-02.2"
    again = run_of(on(work, 1), candidate)
    assert again.judged() != candidate.digest
    with pytest.raises(ReviewNeeded, match="somebody must approve"):
        lay_out(on(work, 1), again)


def test_a_source_that_says_the_same_again_takes_no_approval_away(blackened: Candidate, work: Work) -> None:
    digest = blackened.judged()
    with suppress(ReviewNeeded):
        approve(on(work, 1), digest, "张三", WHY)
    again = held(work, {**world(40), "listings": [listing(n, list="黑名单") for n in range(1, 41)]})
    assert again.judged() == digest
    assert approve(on(work, 1), digest, "李四", WHY) == Result("released", "2026-11-02")


def run_of(work: Work, candidate: Candidate) -> Candidate:
    """The candidate of the same snapshots, made again on what is live now."""
    inputs = {name: tuple(load_snapshot(work.home.raw / identifier) for identifier in names) for name, names in candidate.inputs.items()}
    return judge(work, compare(work, assembled(work, inputs)))


def test_who_takes_anothers_place_on_the_black_list_is_put_there_by_two(work: Work) -> None:
    black = [listing(n, list="黑名单") for n in range(1, 31)]
    rest = [listing(n) for n in range(31, 101)]
    deliver(work, {**world(100), "listings": [*black, *rest]})
    others = [
        {**one, "orgId": f"ORG{n + 60:06d}", "orgName": f"杭州市西湖区启明{n + 60}艺术培训中心有限公司"} for n, one in enumerate(black, 1)
    ]
    candidate = held(work, {**world(100), "listings": [*others, *rest]})
    assert candidate.names == 2
    assert show(on(work, 1), candidate).adverse.added == 30


def test_where_nobody_was_on_a_black_list_two_people_put_them_there(work: Work) -> None:
    deliver(work, {**world(40), "notices": []})
    assert held(work, {**world(40), "notices": [notice(n) for n in range(1, 41)]}).names == 2


def test_a_candidate_of_yesterday_does_not_go_out_by_single_steps(candidate: Candidate, work: Work) -> None:
    with suppress(ReviewNeeded):
        lay_out(on(work, 1), candidate)
    with pytest.raises(BadHome, match="is of 2026-11-02 and today is 2026-11-04"):
        lay_out(on(work, 3), candidate)
    with pytest.raises(BadHome, match="today is 2026-11-04"):
        publish(on(work, 3), replace(candidate, release="2026-11-04"))


def test_where_two_have_to_approve_one_person_is_not_enough_however_often(blackened: Candidate, work: Work) -> None:
    digest, today = blackened.judged(), on(work, 1)
    with pytest.raises(ReviewNeeded, match=f"张三 approved it and 1 more must.*mingbai approve {digest}"):
        approve(today, digest, "张三", WHY)
    for name in ("张三", "张 三　", "張三"):
        with pytest.raises(ReviewNeeded, match=r"has approved .* already"):
            approve(today, digest, name, WHY)
    assert work.live == "2026-11-01"
    assert "张三" in (work.home.candidate / PAGE).read_text("utf-8"), "the page says who has approved it"
    assert approve(today, digest, "李四", WHY) == Result("released", "2026-11-02")
    assert acts(work)[1:] == [("approve", "张三"), ("approve", "李四"), ("release", "mingbai")]


def test_the_single_steps_need_the_same_names(blackened: Candidate, work: Work) -> None:
    digest, today = blackened.judged(), on(work, 1)
    with pytest.raises(ReviewNeeded, match="2 must approve it"):
        lay_out(today, Candidate.load(work.home))
    with pytest.raises(ReviewNeeded, match="1 more must"):
        approve(today, digest, "张三", WHY)
    with pytest.raises(ReviewNeeded, match="张三 approved it and 1 more must"):
        lay_out(today, Candidate.load(work.home))


def test_the_second_of_two_can_approve_on_the_next_day(blackened: Candidate, work: Work) -> None:
    digest = blackened.judged()
    with pytest.raises(ReviewNeeded, match="1 more must"):
        approve(on(work, 1), digest, "张三", WHY)
    assert approve(on(work, 2), digest, "李四", WHY) == Result("released", "2026-11-03")
    assert entries(work.home)[-1].about["names"] == ["张三", "李四"]


def test_a_refusal_takes_back_the_approvals_before_it(blackened: Candidate, work: Work) -> None:
    candidate = blackened
    with pytest.raises(ReviewNeeded, match="1 more must"):
        approve(on(work, 1), candidate.judged(), "张三", WHY)
    refuse(on(work, 1), candidate.judged(), "王五", "与公告不符")
    assert approvals(work.home, candidate.judged()) == ()
    assert work.live == "2026-11-01"


def test_what_ends_between_looking_and_approving_is_looked_at_again(work: Work) -> None:
    first = {**world(40), "notices": [notice(n, publicUntil="2026-11-02" if n < 9 else "2027-06-30") for n in range(1, 41)]}
    deliver(work, first)
    digest = held(work, {**first, "institutions": lost()["institutions"]}).judged()
    with pytest.raises(ReviewNeeded, match="is not what it would be today"):
        approve(on(work, 2), digest, "张三", WHY)
    again = Candidate.load(work.home).judged()
    assert again in (work.home.candidate / PAGE).read_text("utf-8")
    assert approve(on(work, 2), again, "张三", WHY) == Result("released", "2026-11-03")


def test_what_was_approved_yesterday_goes_out_today_where_it_is_the_same(candidate: Candidate, work: Work) -> None:
    digest = candidate.judged()
    assert approve(on(work, 2), digest, "张三", WHY) == Result("released", "2026-11-03")
    assert entries(work.home)[-1].about["digest"] == digest


def test_an_approval_of_another_digest_is_not_entered(candidate: Candidate, work: Work) -> None:
    for decide in (approve, refuse):
        with pytest.raises(ReviewNeeded, match=f"0123456789abcdef is not its digest.*{candidate.digest}"):
            decide(on(work, 1), "0123456789abcdef", "张三", WHY)
    assert acts(work) == [("release", "mingbai")]


def test_a_slip_of_the_clerk_is_nothing_that_readers_are_told(work: Work) -> None:
    deliver(work, world(40))
    said = work.home.status.read_bytes()
    with pytest.raises(BadHome, match="no release is in the making"):
        approve(on(work, 1), "0123456789abcdef", "张三", WHY)
    with pytest.raises(BadHome, match="is not here"):
        back(on(work, 1), "2026-10-01", "张三", WHY)
    assert work.home.status.read_bytes() == said


def test_an_approval_whose_release_died_is_carried_out_without_a_second_one(candidate: Candidate, work: Work) -> None:
    append(work.home, "approve", "张三", WHY, {"digest": candidate.digest, "content": {}}, work.now)
    assert approve(on(work, 1), candidate.judged(), "张三", WHY) == Result("released", "2026-11-02")
    assert acts(work)[1:] == [("approve", "张三"), ("release", "mingbai")]


def test_what_is_refused_is_cleared_and_remembered(candidate: Candidate, work: Work) -> None:
    assert refuse(on(work, 1), candidate.judged(), "李四", "来源少了一半") == Result("refused", None)
    assert not work.home.candidate.exists()
    content = orjson.loads((work.home.raw / candidate.inputs["platform"][0] / "seal.json").read_bytes())["content_sha256"]
    assert [(sha, entry.by, entry.reason) for sha, entry in refused(work.home).items()] == [(content, "李四", "来源少了一半")]
    assert work.home.read_status()["last_run"]["reason"] == "a person refused the change"
    assert work.live == "2026-11-01"
    assert b"\xe6\x9d\x8e" not in work.home.status.read_bytes(), "readers are not told who"


def test_what_was_refused_is_held_again_and_says_by_whom(candidate: Candidate, work: Work) -> None:
    refuse(on(work, 1), candidate.judged(), "李四", "来源少了一半")
    assert (
        deliver(work, {**world(40), "institutions": [*world(39)["institutions"], institution(40, address="新址")]}, 2).release
        == "2026-11-03"
    )
    with pytest.raises(ReviewNeeded, match=r"李四.*来源少了一半"):
        deliver(work, lost(), 3)
    told = [*lines(show(on(work, 3), Candidate.load(work.home)), "zh")]
    assert "  李四, 2026-11-02: 来源少了一半，内容曾被退回；需要有人批准" in told
    assert approved(on(work, 3)) == Result("released", "2026-11-04"), "people can change their minds"
    assert refused(work.home) == {}


# A region that is held

BEYOND = [institution(n, areaCode="330108", areaName="滨江区") for n in range(21, 421)]


def two_counties(**county: Any) -> dict[str, list[Any]]:
    """A county of 20 institutions and one of 400, each with a white listing; `county` changes the records of the small one."""
    there = [institution(n) for n in range(1, 21)]
    lists = [listing(n, **({"areaCode": "330108"} if n > 20 else {})) for n in range(1, 421)]
    return {**world(1), "institutions": [*there, *BEYOND], "listings": lists} | county


@pytest.fixture(scope="module")
def once_cut_short(begun: Callable[[], Work]) -> Work:
    """A live release in which a county is held."""
    work = begun()
    deliver(work, two_counties())
    assert deliver(work, two_counties(institutions=BEYOND, listings=two_counties()["listings"][20:]), 1) == Result("released", "2026-11-02")
    assert [(held["table"], held["region"]) for held in work.live_manifest()["held"]] == [
        ("institutions", "330106"),
        ("listings", "330106"),
    ]
    return work


@pytest.fixture
def cut_short(once_cut_short: Work, work: Work) -> Work:
    return copied(once_cut_short, work)


def test_a_true_change_of_a_held_region_is_accepted_and_published_at_once(cut_short: Work) -> None:
    absent = "SELECT count(*), count(absent_since) FROM institutions WHERE region_code = '330106'"
    assert query(cut_short, absent) == [(20, 0)]
    assert accept(on(cut_short, 1), "platform", "institutions", "330106", "张三", WHY) == Result("released", "2026-11-02.2")
    assert query(cut_short, absent) == [(20, 20)], "rule 2: what is missing for the first time stays once more, marked"
    assert [held["table"] for held in cut_short.live_manifest()["held"]] == ["listings"]
    assert acts(cut_short)[-2:] == [("accept", "张三"), ("release", "mingbai")]


def test_all_that_is_held_of_a_region_is_accepted_at_once(cut_short: Work) -> None:
    assert accept(on(cut_short, 1), "platform", "all", "330106", "张三", WHY) == Result("released", "2026-11-02.2")
    assert query(cut_short, "SELECT count(*), count(absent_since) FROM institutions WHERE region_code = '330106'") == [(20, 20)]
    assert cut_short.live_manifest()["held"] == []
    assert acts(cut_short)[-3:] == [("accept", "张三"), ("accept", "张三"), ("release", "mingbai")]
    with pytest.raises(BadHome, match="platform all 330106 is not held; held are: none"):
        accept(on(cut_short, 1), "platform", "all", "330106", "张三", WHY)


def test_a_share_is_told_in_percent_and_a_cause_before_its_regions(work: Work) -> None:
    deliver(work, two_counties())
    mojibake = [{**row, "orgName": "锘挎暀鑲插眬"} for row in two_counties()["institutions"]]
    candidate = held(work, {**two_counties(), "institutions": mojibake})
    told = [line for line in lines(show(on(work, 1), candidate), "zh") if "界限" in line and "（原来" in line]
    assert any("（原来 0%，现在 100%，界限 5%）" in line for line in told), told
    regions = [line.startswith("  浙江省") for line in told]
    assert regions == sorted(regions), "whole sources first"


def test_what_is_not_held_cannot_be_accepted(cut_short: Work) -> None:
    before = acts(cut_short)
    with pytest.raises(
        BadHome, match="platform notices 330106 is not held; held are: platform institutions 330106; platform listings 330106"
    ):
        accept(on(cut_short, 1), "platform", "notices", "330106", "张三", WHY)
    assert acts(cut_short) == before


def test_one_person_cannot_put_a_county_on_the_black_list_by_accepting_it(work: Work) -> None:
    deliver(work, two_counties())
    black = [listing(n, list="黑名单") for n in range(1, 21)]
    deliver(work, two_counties(listings=[*black, *two_counties()["listings"][20:]]), 1)
    (one,) = work.live_manifest()["held"]
    assert query(work, "SELECT count(*) FROM listings WHERE list = 'black'") == [(0,)]
    with pytest.raises(ReviewNeeded, match="2 must approve it"):
        accept(on(work, 1), "platform", one["table"], one["region"], "张三", WHY)
    assert query(work, "SELECT count(*) FROM listings WHERE list = 'black'") == [(0,)]
    assert approved(on(work, 1)) == Result("released", "2026-11-02.2")
    assert query(work, "SELECT count(*) FROM listings WHERE list = 'black'") == [(20,)]


def test_what_nobody_maps_is_told_in_words(work: Work) -> None:
    deliver(work, world(40))
    candidate = held(work, {**world(40), "institutions": [institution(n, chainStore="是") for n in range(1, 41)]})
    told = [[*lines(show(on(work, 1), candidate), lang)] for lang in LANGUAGES]
    assert any(line.startswith("  机构 · 没有对应的字段 chainStore，无法读取的字段或内容；需要有人批准") for line in told[0])
    assert any(line.startswith("  Institutions · field that nothing maps chainStore, ") for line in told[1])


def test_what_is_held_is_on_the_page_with_the_way_to_accept_it(cut_short: Work) -> None:
    held(cut_short, two_counties(institutions=BEYOND[:100], listings=two_counties()["listings"][20:]), 2)
    text = (cut_short.home.candidate / PAGE).read_text("utf-8")
    assert text.count("mingbai accept platform listings 330106 --by") == len(LANGUAGES)
    assert "浙江省杭州市西湖区 · 列入记录" in text


def test_a_region_of_which_several_tables_are_held_is_accepted_with_one_command(cut_short: Work) -> None:
    candidate = held(cut_short, two_counties(institutions=BEYOND[:100], listings=two_counties()["listings"][20:]), 2)
    (one,) = candidate.held
    both = replace(candidate, held=(one, replace(one, table="institutions"), replace(one, region="330108")))
    told = [line.strip() for line in lines(show(on(cut_short, 2), both), "en")]
    assert [line[: line.index(" --by")] for line in told if line.startswith("mingbai accept")] == [
        "mingbai accept platform all 330106",
        "mingbai accept platform listings 330108",
    ]


def test_a_log_that_was_tampered_with_stops_the_next_release(work: Work) -> None:
    deliver(work, world(40))
    data = work.home.audit.read_bytes()
    work.home.audit.write_bytes(data.replace(b'"release":"2026-11-01"', b'"release":"2026-11-02"'))
    with pytest.raises(BadHome, match="line 1: is not what was written"):
        deliver(work, world(41), 1)
    assert work.live == "2026-11-01"


def cut_to(work: Work, number: int) -> None:
    """Of the log only so many lines are left."""
    work.home.audit.write_bytes(b"".join(work.home.audit.read_bytes().splitlines(keepends=True)[:number]))


def test_a_refusal_that_was_cut_off_lets_nothing_out(candidate: Candidate, work: Work) -> None:
    refuse(on(work, 1), candidate.judged(), "李四", "来源少了一半")
    cut_to(work, 1)
    with pytest.raises(BadHome, match=r"ends with entry 1, and audit.end knows entry 2"):
        deliver(work, world(41), 2)
    with pytest.raises(BadHome, match="its end was cut off; restore the file from the newest copy"):
        deliver(work, lost(), 2)
    assert (work.live, work.home.read_status()["last_run"]["outcome"]) == ("2026-11-01", "BadHome")


def test_a_release_says_where_the_log_ended_and_names_nobody(candidate: Candidate, work: Work) -> None:
    approve(on(work, 1), candidate.judged(), "张三", WHY)
    assert work.live_manifest()["audit"] == {"number": 3, "sha256": entries(work.home)[-1].sha256}
    assert "张三" not in (work.home.current / "manifest.json").read_text("utf-8")


def test_a_log_that_was_cut_off_before_its_end_was_written_down_is_found_by_the_releases(work: Work) -> None:
    for day in range(3):
        deliver(work, world(40 + day), day)
    assert cut_off(work.home, entries(work.home)) == []
    for path in work.home.releases.glob("*/manifest.json"):
        path.write_bytes(orjson.dumps({name: value for name, value in orjson.loads(path.read_bytes()).items() if name != "audit"}))
    work.home.audit_end.unlink()
    cut_to(work, 1)
    assert cut_off(work.home, entries(work.home)) == ["2026-11-02", "2026-11-03"]
    deliver(work, world(44), 4)
    assert cut_off(work.home, entries(work.home)) == ["2026-11-02", "2026-11-03"]
    assert work.live_manifest()["audit"]["number"] == 2


# Going back


NOTICES = [notice(n, publicUntil="2027-06-30") for n in range(1, 41)]
NOTICES[3] = notice(4, publicUntil="2026-11-04")  # ends while a later release is live
SECRET = "撤销的决定不再公布"
LATER = [
    *({**NOTICES[n], **change} for n, change in enumerate(({"state": "已撤销"}, {"state": "已修复"}, {"state": "已更正", "facts": "更正后的事实。"}))),
    *NOTICES[3:],
]  # fmt: skip


@pytest.fixture(scope="module")
def once_later(begun: Callable[[], Work]) -> Work:
    """Two releases: of the second, every name is wrong, and since the first some notices were withdrawn, repaired and corrected."""
    work = begun()
    first = {**world(40), "notices": [{**NOTICES[0], "title": SECRET, "docTitle": SECRET}, *NOTICES[1:]]}
    deliver(work, first)
    wrong = [institution(n, orgName=f"杭州市错名{n}培训中心有限公司") for n in range(1, 41)]
    try:
        deliver(work, {**first, "institutions": wrong, "notices": LATER}, 1)
    except ReviewNeeded:
        approved(on(work, 1))
    assert query(work, "SELECT count(*) FROM institutions WHERE name LIKE '%错名%'") == [(40,)]
    return work


@pytest.fixture
def later(once_later: Work, work: Work) -> Work:
    return copied(once_later, work)


def gone_back(work: Work, release: str = "2026-11-01", day: int = 4) -> Result:
    try:
        return back(on(work, day), release, "张三", "名称全错了")
    except ReviewNeeded:
        return approved(on(work, day))


def test_going_back_is_a_new_release_with_the_old_data(later: Work) -> None:
    before = {path: path.read_bytes() for path in (later.home.releases / "2026-11-01").rglob("*") if path.is_file()}
    assert gone_back(later) == Result("released", "2026-11-05")
    manifest, old = later.live_manifest(), later.home.manifest("2026-11-01")
    assert (manifest["restores"], manifest["previous"], old["restores"]) == ("2026-11-01", "2026-11-02", None)
    assert [source["snapshots"] for source in manifest["sources"]] == [source["snapshots"] for source in old["sources"]]
    assert query(later, "SELECT count(*) FROM institutions WHERE name LIKE '%启明%'") == [(40,)]
    assert before == {path: path.read_bytes() for path in before}, "the old release is not touched"
    assert {"mingbai.db", "search/index.db"} <= manifest["files"].keys()
    history = sqlite3.connect(later.home.history)
    assert history.execute("SELECT id FROM releases ORDER BY number").fetchall() == [("2026-11-01",), ("2026-11-02",), ("2026-11-05",)]
    names = "SELECT DISTINCT name LIKE '%启明%', release_from, release_to FROM institutions ORDER BY 2"
    assert history.execute(names).fetchall() == [(1, 1, 2), (0, 2, 3), (1, 3, None)]
    history.close()


def test_what_ended_or_was_withdrawn_repaired_or_corrected_since_does_not_come_back(later: Work) -> None:
    gone_back(later)
    numbers = {number for (number,) in query(later, "SELECT document_no FROM notices")}
    assert {f"西教罚〔2026〕{n}号" for n in range(1, 41)} - numbers == {f"西教罚〔2026〕{n}号" for n in (1, 2, 4)}
    assert query(later, "SELECT state, facts FROM notices WHERE document_no = '西教罚〔2026〕3号'") == [("corrected", "更正后的事实。")]
    for table in ("notice_links", "notice_penalties", "notice_measures"):
        assert query(later, f"SELECT count(*) FROM {table} WHERE notice_id NOT IN (SELECT id FROM notices)") == [(0,)]
    assert query(later, "PRAGMA foreign_key_check") == []
    assert SECRET.encode() not in all_said([later.home.releases / "2026-11-05"])
    accounting = later.live_manifest()["accounting"]["notices"]
    assert (accounting["published"], accounting["over_since"]) == (37, 3)
    assert accounting["records"] == sum(number for fate, number in accounting.items() if fate not in ("records", "kept_absent"))


def test_going_back_after_our_own_doing_changed_makes_the_data_anew_under_todays_rules(later: Work) -> None:
    of_another_recipe(later, "2026-11-01")
    gone_back(later)
    there = query(later, "SELECT count(*) FROM institutions WHERE name LIKE '%启明%'")
    assert there == [(40,)]
    assert query(later, "SELECT count(*) FROM notices") == [(37,)]
    assert later.live_manifest()["recipe"] == later.home.manifest("2026-11-02")["recipe"]


def of_another_recipe(work: Work, release: str) -> None:
    """As if our own doing had been another one when a release was made."""
    path = work.home.releases / release / "manifest.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "recipe": "0" * 64}))


def test_what_was_withdrawn_before_somebody_went_back_does_not_come_with_that_release_made_anew(later: Work) -> None:
    gone_back(later)
    for day, notices in ((5, LATER), (6, LATER[2:]), (7, LATER[2:])):  # the source forgets what it has withdrawn
        try:
            deliver(later, {**world(36 + day), "notices": notices}, day)
        except ReviewNeeded:
            approved(on(later, day))
    of_another_recipe(later, "2026-11-05")
    gone_back(later, "2026-11-05", 8)
    numbers = {number for (number,) in query(later, "SELECT document_no FROM notices")}
    assert {f"西教罚〔2026〕{n}号" for n in range(1, 41)} - numbers == {f"西教罚〔2026〕{n}号" for n in (1, 2, 4)}
    assert query(later, "SELECT state, facts FROM notices WHERE document_no = '西教罚〔2026〕3号'") == [("corrected", "更正后的事实。")]


SPOILT: dict[str, dict[str, list[Any]]] = {
    "cut short": {"institutions": BEYOND, "listings": two_counties()["listings"][20:]},
    "unreadable": {"institutions": [*(institution(n, orgName="?????") for n in range(1, 21)), *BEYOND]},
}


@pytest.fixture(scope="module", params=SPOILT)
def made_held_once(request: pytest.FixtureRequest, begun: Callable[[], Work]) -> Work:
    """Three releases, of which the second holds a county in which two notices were withdrawn and one ended since. It was made by another recipe."""
    work, names = begun(), [notice(n, publicUntil="2026-11-04" if n == 3 else "2027-06-30") for n in range(1, 21)]
    beyond = [notice(n, areaCode="330108", publicUntil="2027-06-30") for n in range(21, 421)]
    spoilt = {"notices": [{**names[0], "state": "已撤销"}, *beyond], **SPOILT[request.param]}  # and says itself of one that it is withdrawn
    withdrawn = [{**one, "state": "已撤销"} for one in names[:2]]
    deliver(work, two_counties(notices=[*names, *beyond]))
    assert deliver(work, two_counties(**spoilt), 1) == Result("released", "2026-11-02")
    try:
        deliver(work, two_counties(notices=[*withdrawn, *names[2:], *beyond]), 2)
    except ReviewNeeded:
        approved(on(work, 2))
    assert work.live_manifest()["held"] == []
    of_another_recipe(work, "2026-11-02")
    return work


@pytest.fixture
def held_once(made_held_once: Work, work: Work) -> Work:
    return copied(made_held_once, work)


def test_what_a_release_held_comes_back_as_it_was_held_also_where_it_is_made_anew(held_once: Work) -> None:
    held, good = held_once.home.manifest("2026-11-02")["held"], "WHERE region_code = '330106' AND absent_since IS NULL"
    assert {row["table"] for row in held} >= {"institutions", "notices"}
    assert gone_back(held_once, "2026-11-02", 4) == Result("released", "2026-11-05")
    assert held_once.live_manifest()["held"] == held
    assert query(held_once, f"SELECT count(*) FROM institutions {good} AND name LIKE '%启明%'") == [(20,)]
    assert query(held_once, f"SELECT count(*) FROM listings {good}") == [(20,)]
    assert query(held_once, f"SELECT count(*) FROM notices {good}") == [(17,)], "two were withdrawn and one has ended"
    assert query(held_once, "SELECT count(*) FROM held_partitions") == [(len(held),)]
    assert query(held_once, "PRAGMA foreign_key_check") == []
    for table in ("institutions", "listings", "notices"):
        fates = held_once.live_manifest()["accounting"][table]
        rows = query(held_once, f"SELECT count(*) FROM {table}")[0][0]
        assert fates["published"] + fates.get("kept_absent", 0) + fates.get("kept_held", 0) == rows, (table, fates)
    assert not list(held_once.home.path.rglob("good*")), "nothing of it is left"


def test_what_a_release_held_is_read_as_todays_rules_read_it(held_once: Work) -> None:
    with sqlite3.connect(held_once.home.releases / "2026-11-02" / "mingbai.db") as old:  # another recipe let it through
        old.execute("UPDATE institutions SET address = '电话13800000000' WHERE region_code = '330106'")
    old.close()
    gone_back(held_once, "2026-11-02", 4)
    assert query(held_once, "SELECT count(*) FROM institutions WHERE address LIKE '%13800000000%'") == [(0,)]
    assert query(held_once, "SELECT count(*) FROM institutions WHERE region_code = '330106'") == [(20,)]


def test_what_was_no_longer_shown_in_a_held_county_does_not_come_back_with_it(held_once: Work) -> None:
    with sqlite3.connect(held_once.home.releases / "2026-11-02" / "mingbai.db") as old:  # withdrawn while it was held
        old.execute("DELETE FROM notices WHERE document_no = '西教罚〔2026〕9号'")
    old.close()
    gone_back(held_once, "2026-11-02", 4)
    assert query(held_once, "SELECT count(*) FROM notices WHERE document_no = '西教罚〔2026〕9号'") == [(0,)]
    assert query(held_once, "SELECT count(*) FROM notices WHERE region_code = '330106'") == [(16,)]


@pytest.mark.parametrize("gone", [True, False])
def test_one_cannot_go_back_to_what_was_held_where_its_last_good_rows_cannot_be_made_anew(gone: bool, held_once: Work) -> None:
    first = held_once.home.releases / "2026-11-01"
    if gone:
        first.rename(held_once.home.path / "elsewhere")
    else:
        about = orjson.loads((first / "manifest.json").read_bytes())
        (first / "manifest.json").write_bytes(orjson.dumps({**about, "restores": "2026-10-01"}))
    before = acts(held_once)
    with pytest.raises(BadHome, match=r"release 2026-11-02 holds platform \w+ 330106 .* release 2026-11-01, which .*; go back to another"):
        back(on(held_once, 4), "2026-11-02", "张三", WHY)
    assert (held_once.live, acts(held_once)) == ("2026-11-03", before)


def test_two_people_go_back_to_a_release_that_puts_somebody_on_a_black_list_again(work: Work) -> None:
    black = [*world(40)["listings"][1:], listing(1, list="黑名单")]
    deliver(work, {**world(40), "listings": black})
    deliver(work, world(40), 1)
    with pytest.raises(ReviewNeeded, match="张三 approved it and 1 more must"):
        back(on(work, 2), "2026-11-01", "张三", WHY)
    assert work.live == "2026-11-02"
    candidate = Candidate.load(work.home)
    text = (work.home.candidate / PAGE).read_text("utf-8")
    assert "数据回到版本 2026-11-01" in text
    assert "黑名单" in text
    with pytest.raises(ReviewNeeded, match=r"has approved .* already"):
        approve(on(work, 3), candidate.judged(), "张三", WHY)
    assert approve(on(work, 3), candidate.judged(), "李四", WHY) == Result("released", "2026-11-04")
    assert work.live_manifest()["restores"] == "2026-11-01"
    assert acts(work)[2:] == [("live", "张三"), ("approve", "李四"), ("release", "mingbai")]
    assert set(refused(work.home)) == {work.home.manifest("2026-11-02")["sources"][0]["snapshots"][0]["content_sha256"]}


def test_a_release_with_many_names_has_its_entry(blackened: Candidate, work: Work) -> None:
    digest = blackened.judged()
    for name in ("甲" * 60, "乙" * 60):
        with suppress(ReviewNeeded):
            approve(on(work, 1), digest, name, WHY)
    assert entries(work.home)[-1].about["names"] == ["甲" * 60, "乙" * 60]


def test_not_to_go_back_says_nothing_of_what_the_source_said_then(work: Work) -> None:
    deliver(work, {**world(40), "listings": [*world(40)["listings"][1:], listing(1, list="黑名单")]})
    deliver(work, world(40), 1)
    with pytest.raises(ReviewNeeded):
        back(on(work, 2), "2026-11-01", "张三", WHY)
    refuse(on(work, 2), Candidate.load(work.home).judged(), "李四", "不必回退")
    assert (refused(work.home), work.live) == ({}, "2026-11-02")


def test_a_release_with_a_held_region_can_be_gone_back_to(work: Work) -> None:
    small = [notice(n, publicUntil="2026-11-04" if n < 4 else "2027-06-30") for n in range(1, 21)]
    others = [notice(n, areaCode="330108", publicUntil="2027-06-30") for n in range(21, 421)]
    deliver(work, {**world(1), "notices": [*small, *others]})
    assert deliver(work, {**world(1), "notices": others}, 1) == Result("released", "2026-11-02")
    assert deliver(work, {**world(1), "notices": [*small[3:], *others, notice(421, publicUntil="2027-06-30")]}, 2) == Result(
        "released", "2026-11-03"
    )
    assert (len(work.home.manifest("2026-11-02")["held"]), work.live_manifest()["held"]) == (1, [])
    assert gone_back(work, "2026-11-02", 4) == Result("released", "2026-11-05")
    manifest = work.live_manifest()
    assert manifest["held"] == work.home.manifest("2026-11-02")["held"]
    assert query(work, "SELECT count(*) FROM notices WHERE region_code = '330106'") == [(17,)], "three have ended since"
    fates = manifest["accounting"]["notices"]
    assert fates["published"] + fates.get("kept_absent", 0) + fates.get("kept_held", 0) == 417
    assert manifest["sources"][0]["content_since"] == "2026-11-02"


def test_what_was_gone_back_from_is_refused(later: Work) -> None:
    gone_from = later.live_manifest()["sources"][0]["snapshots"][0]["content_sha256"]
    gone_back(later)
    assert [(sha, entry.by) for sha, entry in refused(later.home).items()] == [(gone_from, "张三")]
    assert [act for act, _ in acts(later)][-2:] in (["live", "release"], ["approve", "release"])


def test_a_run_after_going_back_goes_on_from_there(later: Work) -> None:
    gone_back(later)
    candidate = held(later, {**world(41), "notices": LATER}, 5)
    assert [finding.bound for finding in candidate.findings] == ["restored"], "what was wrong may come again in other words"
    assert approve(on(later, 5), candidate.judged(), "张三", WHY) == Result("released", "2026-11-06")
    assert query(later, "SELECT count(*) FROM institutions") == [(41,)]
    assert deliver(later, {**world(42), "notices": LATER}, 6) == Result("released", "2026-11-07")


@pytest.mark.parametrize("anew", [False, True])
def test_what_the_source_forgets_after_going_back_does_not_come_back_as_missing_for_the_first_time(anew: bool, later: Work) -> None:
    """Not what was withdrawn, nor what was corrected as it was before: the snapshot that was gone back to still has both."""
    if anew:
        of_another_recipe(later, "2026-11-01")
    gone_back(later)
    candidate = held(later, {**world(39), "notices": NOTICES[4:]}, 5)
    approve(on(later, 5), candidate.judged(), "张三", WHY)
    assert query(later, "SELECT count(*) FROM notices WHERE document_no IN ('西教罚〔2026〕1号', '西教罚〔2026〕2号')") == [(0,)]
    assert query(later, "SELECT facts FROM notices WHERE document_no = '西教罚〔2026〕3号' AND state <> 'corrected'") == []
    assert query(later, "SELECT count(*), count(absent_since) FROM institutions") == [(40, 1)], "rule 2: what was live stays once more"
    fates = later.live_manifest()["accounting"]["notices"]
    assert [(fates["published"] + fates.get("kept_absent", 0),)] == query(later, "SELECT count(*) FROM notices")


def test_what_was_gone_back_from_does_not_come_again_by_itself(later: Work) -> None:
    gone_back(later)
    wrong = [institution(n, orgName=f"杭州市错名{n}培训中心有限公司") for n in range(1, 41)]
    with pytest.raises(ReviewNeeded, match=r"张三.*名称全错了"):
        deliver(later, {**world(40), "institutions": wrong, "notices": LATER}, 5)
    assert later.live == "2026-11-05"


@pytest.mark.parametrize(
    ("release", "said"), [("2026-11-02", "is live already"), ("2026-10-01", "is not here"), ("../x", "is no release id")]
)
def test_one_cannot_go_back_to_what_is_live_or_not_here(release: str, said: str, later: Work) -> None:
    before = acts(later)
    with pytest.raises(BadHome, match=said):
        back(on(later, 4), release, "张三", WHY)
    assert (later.live, acts(later)) == ("2026-11-02", before)


def test_going_back_without_the_history_is_refused(later: Work) -> None:
    with sqlite3.connect(later.home.history) as history:
        history.execute("DELETE FROM releases WHERE id = '2026-11-01'")
    history.close()
    with pytest.raises(BadHome, match="does not know release 2026-11-01"):
        back(on(later, 4), "2026-11-01", "张三", WHY)
    assert later.live == "2026-11-02"


# The summary


class Markup(HTMLParser):
    """Tags, addresses and the text of a page; every element has to be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


ODD = "<script>alert(1)</script>\x1b[2J\u202e某培训部"


@pytest.fixture(scope="module")
def once_seen(begun: Callable[[], Work]) -> Work:
    """A candidate in which much moves, with names that would like to be markup and a person among them."""
    work, first = begun(), world(40)
    deliver(work, first)
    second = {
        "institutions": [institution(n, address="新地址1号") for n in range(1, 15)],
        "listings": [*first["listings"][:30], listing(50, orgId="ORG000001", list="黑名单", orgName=ODD), listing(31, list="黑名单")],
        "notices": [*first["notices"][5:], notice(90, subjectName="欧阳小明", subjectType="个人", title="关于欧阳小明的处罚决定"), notice(91, subjectName=ODD)],
        "ratings": first["ratings"],
    }  # fmt: skip
    held(work, second)
    return work


@pytest.fixture
def seen(once_seen: Work, work: Work) -> str:
    """The page of that candidate."""
    return (copied(once_seen, work).home.candidate / PAGE).read_text("utf-8")


def test_the_page_is_whole_loads_nothing_and_runs_nothing(seen: str) -> None:
    markup = Markup(seen)
    assert markup.open == []
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(markup.tags)
    assert {name for name, _ in markup.attributes} <= {"charset", "name", "content", "http-equiv", "lang", "id", "class", "href", "scope", "tabindex", "role", "aria-label", "viewbox", "preserveaspectratio", "x", "y", "width", "height"}  # fmt: skip
    assert {value for name, value in markup.attributes if name == "href"} == {"#zh", "#en"}
    assert "url(" not in seen
    assert "svg" in markup.tags
    assert all(character.isprintable() or character == "\n" for character in markup.text)


def test_the_page_says_in_both_languages_what_comes_and_goes_and_why_it_is_held(seen: str) -> None:
    text = Markup(seen).text
    for said in (
        "已拦下，没有发布任何内容",
        "浙江省杭州市西湖区",
        "黑名单",
        "新进入黑、灰、预警名单",
        "首次缺失",
        "Stopped, and nothing was published",
        "Black list",
        "办学地址",
        "Teaching address",
        "mingbai approve ",
    ):
        assert said in text, said
    assert "<script>alert(1)</script>··[2J" not in seen
    assert "alert(1)" in text, "who looks sees what the source wrote"


def test_a_natural_person_is_masked_for_the_clerk_as_for_everybody(seen: str, work: Work, catalogue: Catalogue) -> None:
    assert "小明" not in seen
    assert "欧阳某" in seen
    told = "\n".join(line for lang in LANGUAGES for line in lines(show(on(work, 1), Candidate.load(work.home)), lang))
    assert "小明" not in told
    assert "欧阳某" in told
    assert all(character.isprintable() or character == "\n" for character in told), "nothing moves the cursor"
    assert "13800000000" not in seen + told


def test_the_page_is_for_the_staff_alone_and_the_same_for_the_same_candidate(seen: str, work: Work) -> None:
    path = work.home.candidate / PAGE
    assert path.stat().st_mode & 0o777 == 0o600
    assert page(show(on(work, 3), Candidate.load(work.home))) == seen


def test_the_numbers_of_the_summary_are_those_of_the_data(seen: str, work: Work) -> None:
    found = show(on(work, 1), Candidate.load(work.home))
    connection = sqlite3.connect(work.home.candidate / "public.db")
    connection.execute("ATTACH ? AS old", [str(work.live_database)])
    for table, moved in found.tables.items():
        before, now = (connection.execute(f"SELECT count(*) FROM {side}.{table}").fetchone()[0] for side in ("old", "main"))
        assert (moved.before, moved.now, moved.now - moved.before) == (before, now, moved.added - moved.removed), table
    for table, by in found.regions.items():
        for name in ("before", "now", "added", "removed", "changed", "missed"):
            assert sum(getattr(moved, name) for moved in by.values()) == getattr(found.tables[table], name), (table, name)
    connection.close()
    assert found.adverse.added == len(found.entering) == 4, "a new black listing, one that turned black, and two notices"
    assert {one.name for one in found.entering if one.table == "listings"} > {"杭州市西湖区启明31艺术培训中心有限公司"}
    assert sum(moved.before for moved in found.lists["listings"].values()) == found.tables["listings"].before


def test_a_column_that_would_be_public_for_the_first_time_is_told(work: Work, catalogue: Catalogue) -> None:
    first = catalogue.tables["institutions"]
    old = replace(first, columns={**first.columns, "address": replace(first.columns["address"], privacy="private", search=0)})
    deliver(replace(work, catalogue=replace(catalogue, tables={**catalogue.tables, "institutions": old}, recipe="another")), world(40))
    candidate = held(work, lost())
    assert "机构 · 办学地址：新公开" in (work.home.candidate / PAGE).read_text("utf-8")
    assert "  Institutions · Teaching address: published for the first time" in [*lines(show(on(work, 1), candidate), "en")]


def test_a_first_release_that_is_held_can_be_looked_at(work: Work) -> None:
    held(work, {"institutions": [], "listings": [], "notices": [], "ratings": []}, 0)
    assert "这是第一个版本" in (work.home.candidate / PAGE).read_text("utf-8")


def test_nobody_but_the_owner_can_write_to_the_log(work: Work) -> None:
    deliver(work, world(3))
    assert os.stat(work.home.audit).st_mode & 0o077 == 0


def test_no_run_overtakes_a_going_back_that_waits_for_the_second_person(work: Work) -> None:
    deliver(work, world(40))
    deliver(work, {**world(41), "notices": world(39)["notices"]}, 1)
    deliver(work, {**world(42), "notices": world(39)["notices"]}, 2)
    with pytest.raises(ReviewNeeded, match="张三 approved it and 1 more must"):
        back(on(work, 3), "2026-11-01", "张三", "名称列错位")
    digest = Candidate.load(work.home).signed_as()
    for delivery in ({**world(42), "notices": world(39)["notices"]}, world(43)):
        with pytest.raises(ReviewNeeded, match="张三 wants to go back to release 2026-11-01"):
            deliver(work, delivery, 3)
    assert approve(on(work, 3), digest, "李四", "同意回退") == Result("released", "2026-11-04")


def test_ratings_that_are_held_themselves_are_not_accepted_with_their_institutions(work: Work) -> None:
    rated = {**two_counties(), "ratings": [rating(n) for n in range(1, 421)]}
    deliver(work, rated)
    deliver(work, {**rated, "institutions": BEYOND, "listings": rated["listings"][20:], "ratings": rated["ratings"][20:]}, 1)
    of_county = "SELECT count(*) FROM ratings JOIN institutions ON id = institution_id WHERE region_code = '330106'"
    assert "ratings" in {held["table"] for held in work.live_manifest()["held"]}
    assert query(work, of_county) == [(20,)]
    accept(on(work, 1), "platform", "institutions", "330106", "张三", WHY)
    assert query(work, of_county) == [(20,)], "as long as the institutions are shown"
    accept(on(work, 1), "platform", "ratings", "330106", "张三", WHY)
    assert query(work, of_county) == [(0,)]


def test_what_is_held_can_be_looked_at_after_its_release(cut_short: Work) -> None:
    said = CliRunner().invoke(main, ["--home", str(cut_short.home.path), "review"])
    assert (said.exit_code, said.stdout.splitlines()[0]) == (0, "nothing waits for a decision; the live release stays as it is")
    assert "held: platform institutions 330106 浙江省杭州市西湖区 since 2026-11-02" in said.stdout
    assert f"what would change there: {cut_short.home.held_page}" in said.stdout
    assert "浙江省杭州市西湖区" in cut_short.home.held_page.read_text("utf-8")
    assert cut_short.home.held_page.stat().st_mode & 0o777 == 0o600


def test_who_waits_to_go_back_is_not_overtaken_by_accepting_nor_by_what_clears_the_candidate(cut_short: Work) -> None:
    deliver(cut_short, {**two_counties(), "notices": [notice(n) for n in range(1, 9)]}, 2)
    deliver(cut_short, {**two_counties(), "notices": [notice(n) for n in range(1, 8)]}, 3)
    deliver(cut_short, {**two_counties(), "notices": [notice(n) for n in range(1, 7)]}, 4)
    with pytest.raises(ReviewNeeded, match="1 more must"):
        back(on(cut_short, 5), "2026-11-03", "张三", "名称列错位")
    with pytest.raises(ReviewNeeded, match="wants to go back"):
        accept(on(cut_short, 5), "platform", "all", "330106", "张三", WHY)
    digest = Candidate.load(cut_short.home).signed_as()
    cut_short.home.clear_candidate()
    with pytest.raises(ReviewNeeded, match="wants to go back"):
        deliver(cut_short, two_counties(), 6)
    assert refuse(on(cut_short, 6), digest, "李四", "不回退") == Result("refused", None)
    assert deliver(cut_short, {**two_counties(), "notices": [notice(n) for n in range(1, 7)]}, 7).outcome == "released"
