"""The reference platform: its world is the same everywhere, its server keeps the contract, and each fault breaks one promise of it."""

import gzip
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import requests
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate as validate_contract
from stdnum import luhn
from stdnum.cn import ric, uscc

from publish.errors import Mingbai
from publish.platform import FAULTS, LISTINGS, Fault, World, new_world, running, serve
from publish.platform.counties import regions_from
from publish.platform.identities import key
from publish.platform.numbers import bank_card, identity_number
from publish.platform.ratings import Ratings
from publish.platform.service import Request, new_service

ROOT = Path(__file__).resolve().parent.parent
CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "publish/platform/openapi.yml").read_text(encoding="utf-8"))
REGIONS = ROOT / "datasets/codes/regions.csv"
KEYS = {"institutions": "orgId", "listings": "listingId", "notices": "noticeId"}
SMALL = new_world(institutions=230, months=2, notices=60)
LARGE = new_world(institutions=4000, months=1)


def everything(world: World, listing: str) -> list[dict[str, Any]]:
    return [record for part in world.parts(listing) for record in world.records(listing, part.name, 0, part.places)]


def by_key(world: World, listing: str) -> dict[str, dict[str, Any]]:
    return {record[KEYS[listing]]: record for record in everything(world, listing)}


def pages(url: str, listing: str, limit: int = 50, session: requests.Session | None = None) -> Iterator[requests.Response]:
    """The answers for each page of a listing, the way a reader walks; ends with the first that is no page."""
    with session or requests.Session() as ask:
        query: dict[str, str | int] = {"limit": limit}
        while True:
            answer = ask.get(f"{url}/v1/listings/{listing}", params=query, timeout=10)
            yield answer
            if answer.status_code != 200 or not (following := answer.json()["next"]):
                return
            query = {"limit": limit, "cursor": following, "snapshot": answer.json()["snapshot"]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SMALL) as address:
        yield address


# The world


@pytest.mark.parametrize("day", [0, 1, 29, 30, 61, 260, 900])
@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_has_as_many_records_as_it_says_and_no_key_twice(listing: str, day: int) -> None:
    world = SMALL.on_day(day)
    records = everything(world, listing)
    assert len(records) == world.total(listing)
    keys = [record[KEYS[listing]] if listing in KEYS else (record["month"], record["orgId"], record["dimension"]) for record in records]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_record_is_the_same_alone_and_among_others(listing: str) -> None:
    world = new_world(institutions=230, months=2, notices=60, day=45)  # not SMALL: nothing may have been kept from before
    for part in world.parts(listing):
        alone = [record for place in reversed(range(part.places)) for record in world.records(listing, part.name, place, place + 1)]
        assert alone[::-1] == world.records(listing, part.name, 0, part.places)


def test_the_same_arguments_make_the_same_world_in_any_process() -> None:
    code = (
        "import hashlib, orjson; from publish.platform import new_world, LISTINGS; w = new_world(institutions=150, months=2, seed=7, day=33);"
        "print(w.token, *[hashlib.sha256(orjson.dumps([w.records(l, p.name, 0, p.places) for p in w.parts(l)])).hexdigest() for l in LISTINGS])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}, capture_output=True, check=True
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    }
    assert len(said) == 1
    assert new_world(institutions=150, months=2, seed=8, day=33).token.encode() not in said.pop()


def test_credit_codes_are_as_good_and_as_bad_as_real_ones() -> None:
    codes = [record["creditCode"] for record in everything(LARGE, "institutions")]
    right = {code for code in codes if len(code) == 18 and uscc.calc_check_digit(code[:-1]) == code[-1]}
    assert 0.95 < len(right) / len(codes) < 1
    assert {code[0] for code in right} == {"9", "5", "A", "N", "Y"}
    assert any(len(code) == 18 and code not in right for code in codes)
    assert any(len(code) == 15 for code in codes)
    assert "是" in codes


def test_invented_numbers_have_right_check_digits_and_belong_to_nobody() -> None:
    assert all(luhn.is_valid(bank_card(number)) and bank_card(number).startswith("620000") for number in range(50))
    number = identity_number(date(1905, 3, 9), 77)
    assert ric.calc_check_digit(number) == number[-1]
    assert f"\n{number[:6]}," not in REGIONS.read_text(encoding="utf-8")  # its county never was


def test_names_occur_in_several_counties() -> None:
    counties: dict[str, set[str]] = {}
    for record in everything(LARGE, "institutions"):
        counties.setdefault(record["orgName"], set()).add(record["areaCode"])
    assert sum(len(found) > 1 for found in counties.values()) >= 5


def test_notices_mostly_have_no_identifier_and_some_hold_personal_data() -> None:
    notices = everything(LARGE, "notices")
    names = {record["orgName"] for record in everything(LARGE, "institutions")}
    assert 0.3 < sum(bool(notice["creditCode"]) for notice in notices) / len(notices) < 0.5
    assert 0.05 < sum(bool(notice["permitNo"] and not notice["creditCode"]) for notice in notices) / len(notices) < 0.25
    assert 0.2 < sum(notice["subjectName"] not in names for notice in notices) / len(notices) < 0.6
    text = "".join(notice["facts"] for notice in notices)
    assert all(word in text for word in ("校长", "负责人", "身份证号110199", "法定代表人", "154", "620000"))
    assert {notice["publicUntil"] for notice in notices} >= {"1900-1-1", "暂无", "无处罚期限", ""}
    assert {notice["subjectType"] for notice in notices} == {"组织", "个人", ""}


def test_many_ratings_are_too_few_to_show_and_all_declare_their_scale() -> None:
    ratings = everything(LARGE, "ratings")
    assert len(ratings) == 4000
    assert 0.2 < sum(sum(rating["histogram"]) < 5 for rating in ratings) / len(ratings) < 0.6
    assert all(len(rating["histogram"]) == rating["scaleMax"] for rating in ratings)


def test_from_one_day_to_the_next_a_two_hundredth_changes() -> None:
    before, after = (by_key(LARGE.on_day(day), "institutions") for day in (0, 1))
    assert sum(before[key] != after[key] for key in before) == 20
    assert after.keys() - before.keys()
    assert not before.keys() - after.keys()


def happenings(world: World, days: int) -> set[str]:
    """What happens from one day to the next in so many days."""
    found: set[str] = set()
    fields = {"institutions": "status", "listings": "list", "notices": "state"}
    before = {listing: by_key(world, listing) for listing in fields}
    for day in range(1, days + 1):
        after = {listing: by_key(world.on_day(day), listing) for listing in fields}
        for listing, field in fields.items():
            old, new = before[listing], after[listing]
            found |= {
                f"{listing}: {what}" for what, keys in (("added", new.keys() - old.keys()), ("gone", old.keys() - new.keys())) if keys
            }
            changed = [key for key in old.keys() & new.keys() if old[key] != new[key]]
            found |= {f"{listing}: {name}" for key in changed for name in old[key] if old[key][name] != new[key][name]}
            found |= {f"{listing}: {new[key][field]}" for key in changed if old[key][field] != new[key][field]}
            renamed = [key for key in changed if listing == "institutions" and old[key]["orgName"] != new[key]["orgName"]]
            assert all({"name": old[key]["orgName"], "kind": "former"} in new[key]["aliases"] for key in renamed)
        before = after
    return found


def test_everything_that_can_happen_happens_in_a_week() -> None:
    assert happenings(new_world(institutions=1400, months=0), days=7) >= {
        "institutions: added", "institutions: gone", "institutions: address", "institutions: phone", "institutions: orgName", "institutions: 停业", "institutions: 注销",
        "listings: added", "listings: gone", "listings: 已注销", "listings: orgName",
        "notices: added", "notices: gone", "notices: 已更正", "notices: 已修复", "notices: 已撤销", "notices: fineWan",
    }  # fmt: skip


def test_an_entry_that_is_taken_out_is_named_by_what_took_its_place() -> None:
    day, register = 13, new_world(institutions=8000).register
    added = range(register.size, register.end(day))
    kinds: dict[str, list[str]] = {}
    for number in added:
        if register.is_there(number, day):
            for former in register.record(number, day).get("formerOrgs", ()):
                kinds.setdefault(former["orgId"], []).append(former["kind"])
    gone = {key(number) for number in added if not register.is_there(number, day)}
    (going,) = kinds.keys() - gone  # until tomorrow
    assert gone < kinds.keys()
    assert sorted(map(kinds.__getitem__, gone)) == [["分立", "分立"], ["合并"], ["重新编号"]]
    assert kinds[going] == ["重新编号"]
    assert not any("formerOrgs" in register.record(number, day) for number in range(0, register.size, 400))


def test_ratings_grow_only_when_a_month_closes() -> None:
    first, last_of_month, next_month = (everything(SMALL.on_day(day), "ratings") for day in (0, 29, 30))
    assert first == last_of_month
    assert next_month[: len(first)] == first
    assert {record["month"] for record in next_month[len(first) :]} == {"2026-11"}
    assert (SMALL.as_of("ratings"), SMALL.on_day(30).as_of("ratings")) == ("2026-10-31", "2026-11-30")


def test_every_rating_and_listing_is_of_an_institution_of_the_register() -> None:
    for day in (0, 10, 31, 95):
        known = by_key(SMALL.on_day(day), "institutions").keys()
        assert {record["orgId"] for listing in ("listings", "ratings") for record in everything(SMALL.on_day(day), listing)} <= known


def test_a_document_of_a_list_has_one_title_and_one_date() -> None:
    facts: dict[str, set[tuple[str, ...]]] = {}
    for record in everything(LARGE.on_day(20), "listings"):
        facts.setdefault(record["docUrl"], set()).add((record["docTitle"], record["asOf"], record["batch"], record["authority"]))
    assert max(map(len, facts.values())) == 1


def test_counties_come_from_the_table_of_regions_of_that_day() -> None:
    regions = regions_from(REGIONS, date(2026, 11, 1))
    world = new_world(institutions=4000, months=0, regions=regions)
    named = {code: name for code, name, _, _ in regions}
    records = everything(world, "institutions")
    assert 80 <= len({record["areaCode"] for record in records}) <= 100
    assert all(record["areaName"].endswith(named[record["areaCode"]]) for record in records)


@pytest.mark.parametrize("size", [{"institutions": 0}, {"months": -1}, {"notices": -1}, {"day": -1}, {"dimensions": 0}, {"dimensions": 9}])
def test_a_size_that_cannot_be_is_refused(size: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"world|dimensions"):
        new_world(**size)


@pytest.mark.parametrize("size", [{"institutions": 1}, {"notices": 0}, {"months": 0}, {"dimensions": 3}])
def test_the_smallest_sizes_work(size: dict[str, Any]) -> None:
    world = new_world(**{"institutions": 12, "months": 2, **size}).on_day(40)
    assert all(len(everything(world, listing)) == world.total(listing) for listing in LISTINGS)


# The server


def test_the_contract_is_valid() -> None:
    validate_contract(CONTRACT)


def check(path: str, answer: requests.Response, method: str = "get") -> None:
    """The answer is one of those that the contract has for the path: status, headers, type and body."""
    operation = CONTRACT["paths"][path][method]
    response = operation["responses"][str(answer.status_code)]
    if "$ref" in response:
        response = CONTRACT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for name, header in response.get("headers", {}).items():
        assert name in answer.headers or not header.get("required")
        if header["schema"].get("type") == "integer":
            validator({"type": "integer", **header["schema"]}).validate(int(answer.headers[name]))
        else:
            validator(header["schema"]).validate(answer.headers[name])
    kind = answer.headers.get("Content-Type")
    assert {kind} == set(response.get("content", {None: None}))
    if kind and "json" in kind:
        validator(response["content"][kind]["schema"]).validate(answer.json())


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": CONTRACT["components"]}, format_checker=FormatChecker())


@pytest.mark.parametrize("listing", LISTINGS)
def test_pages_keep_the_contract_and_hold_every_record_once(url: str, listing: str) -> None:
    found: list[dict[str, Any]] = []
    for answer in pages(url, listing):
        check("/v1/listings/{name}", answer)
        assert answer.json()["count"] == len(answer.json()["records"]) <= 50
        found += answer.json()["records"]
    assert found == everything(SMALL, listing)
    assert answer.json()["total"] == int(answer.headers["Listing-Total"]) == len(found)


@pytest.mark.parametrize(
    ("method", "path", "at", "status"),
    [
        ("get", "/v1/listings", "/v1/listings", 200),
        ("get", "/healthz", "/healthz", 200),
        ("get", "/openapi.yml", "/openapi.yml", 200),
        ("get", "/v1/listings/{name}", "/v1/listings/pupils", 404),
        ("get", "/v1/listings/{name}", "/v1/listings/notices?cursor=nowhere.3", 400),
        ("get", "/v1/listings/{name}", "/v1/listings/notices?cursor=all.60", 400),
        ("get", "/v1/listings/{name}", "/v1/listings/notices?limit=0", 400),
        ("get", "/v1/listings/{name}", "/v1/listings/notices?limit=1e3", 400),
        ("get", "/v1/listings/{name}", "/v1/listings/notices?snapshot=s19990101-0", 410),
        ("post", "/v1/_day", "/v1/_day?day=0", 200),
        ("post", "/v1/_day", "/v1/_day?day=-1", 400),
        ("post", "/v1/_day", "/v1/_day", 400),
    ],
)
def test_each_answer_is_in_the_contract(url: str, method: str, path: str, at: str, status: int) -> None:
    answer = requests.request(method, url + at, timeout=10)
    assert answer.status_code == status
    check(path, answer, method)


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/v1/listings"), ("delete", "/v1/listings/{name}"), ("put", "/healthz"), ("get", "/v1/_day")]
)
def test_another_method_is_refused_and_the_right_one_named(url: str, method: str, path: str) -> None:
    answer = requests.request(method, url + path.format(name="notices"), data=b"x" * 100, timeout=10)
    assert answer.status_code == 405
    check(path, answer, "post" if "_day" in path else "get")
    assert requests.get(f"{url}/healthz", timeout=10).ok


def test_a_page_that_the_reader_has_is_not_sent_again(url: str) -> None:
    first = requests.get(f"{url}/v1/listings/notices", timeout=10)
    again = requests.get(f"{url}/v1/listings/notices", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'}, timeout=10)
    check("/v1/listings/{name}", again)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.get(f"{url}/v1/listings/notices", headers={"If-None-Match": '"other"'}, timeout=10).status_code == 200


def test_bodies_are_packed_only_for_readers_that_unpack_and_say_the_same(url: str) -> None:
    packed, plain = (
        requests.get(f"{url}/v1/listings/notices", headers={"Accept-Encoding": kind}, timeout=10) for kind in ("gzip", "identity")
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert packed.content == plain.content
    assert packed.headers["ETag"] == plain.headers["ETag"]


def test_head_has_the_headers_of_get_and_the_connection_stays_open(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    lengths = []
    for method in ("HEAD", "GET", "HEAD"):
        connection.request(method, "/v1/listings/notices?limit=5")
        port = connection.sock.getsockname()
        answer = connection.getresponse()
        lengths.append((answer.getheader("Content-Length"), len(answer.read()), port))
    connection.close()
    assert len({length for length, _, _ in lengths}) == len({port for *_, port in lengths}) == 1
    assert lengths[1][0] == str(lengths[1][1])


def test_pages_keep_their_boundaries_and_most_their_etag_on_another_day() -> None:
    with serve(new_world(institutions=400, months=3, notices=40)) as server:
        tags = []
        for day in (0, 5, 30):
            server.move(day)
            tags.append({listing: [answer.headers["ETag"] for answer in pages(server.url, listing, 20)] for listing in LISTINGS})
        assert (
            tags[0]["ratings"] == tags[1]["ratings"] == [*tags[2]["ratings"][:59], tags[0]["ratings"][59]]
        )  # the last was last, and is no more
        assert len(tags[2]["ratings"]) == 3 * 20 + 22
        same = sum(old == new for old, new in zip(tags[0]["institutions"], tags[1]["institutions"], strict=False))
        assert 0 < 20 - same <= 11  # ten changed in five days; and the last page is not the last any more


def test_a_reader_that_keeps_pages_by_their_etag_misses_none_on_another_day() -> None:
    with serve(new_world(institutions=400, months=3, notices=40)) as server, requests.Session() as session:
        kept: dict[str, tuple[str, dict[str, Any]]] = {}
        spared = 0
        for day in (0, 1, 2, 30):  # a part is full on day 0, and longer on day 1
            server.move(day)
            for listing in LISTINGS:
                found: list[dict[str, Any]] = []
                query: str | None = ""
                while query is not None:
                    address = f"{server.url}/v1/listings/{listing}?limit=20{query}"
                    answer = session.get(address, headers={"If-None-Match": kept[address][0]} if address in kept else {}, timeout=10)
                    if answer.status_code == 200:
                        kept[address] = answer.headers["ETag"], answer.json()
                    else:
                        spared += 1
                    page = kept[address][1]
                    found += page["records"]
                    query = f"&cursor={page['next']}" if page["next"] else None
                assert found == everything(server.service.world, listing)
        assert spared > 200


def test_a_reader_with_a_snapshot_finishes_it_while_the_platform_moves_on() -> None:
    with serve(SMALL) as server:
        walk = pages(server.url, "institutions", 30)
        found = next(walk).json()["records"]
        assert requests.post(f"{server.url}/v1/_day?day=9", timeout=10).json()["today"] == "2026-11-10"
        server.move(10)
        for answer in walk:
            found += answer.json()["records"]
        assert found == everything(SMALL, "institutions")
        server.move(11)
        assert next(iter(pages(server.url, "notices"))).json()["as_of"] == "2026-11-12"
        stale = requests.get(f"{server.url}/v1/listings/notices?snapshot={SMALL.token}", timeout=10)
        assert stale.status_code == 410
        check("/v1/listings/{name}", stale)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("listing", LISTINGS)
def test_a_page_that_was_made_ahead_is_the_page(listing: str, packed: bool) -> None:
    """Also on another day, and for a reader of the day before."""
    service, fresh = new_service(SMALL), new_service(SMALL)
    target = f"/v1/listings/{listing}?limit=50"
    for day in (0, 1):
        service.move(day)
        fresh.move(day)
        snapshot, cursor = SMALL.on_day(0).token, ""
        while cursor is not None:
            asked = Request(
                "GET",
                f"{target}&snapshot={snapshot}{f'&cursor={cursor}' if cursor else ''}",
                {"accept-encoding": "gzip"} if packed else {},
            )
            answer = service.answer(asked)
            assert answer == fresh.answer(asked)
            service.prepare(asked)
            cursor = orjson.loads(gzip.decompress(answer.body) if packed else answer.body)["next"]


class Unasked(Ratings):
    """Ratings that nobody makes."""

    def body(self, month: str, start: int, stop: int) -> tuple[bytes, int]:
        raise AssertionError(f"{month} was made")


def test_a_closed_month_is_not_made_to_say_that_it_is_as_it_was() -> None:
    """A platform that was started on the next day says so at once, and makes nothing ahead of the next question."""
    asked = Request("GET", "/v1/listings/ratings?limit=50", {})
    tag = dict(new_service(SMALL).answer(asked).headers)["ETag"]
    tomorrow = replace(SMALL.on_day(1), ratings=Unasked(SMALL.register, 2, 1, 1))
    again = replace(asked, headers={"if-none-match": tag})
    service = new_service(tomorrow)
    assert service.answer(again).status == 304
    service.prepare(again)
    with pytest.raises(AssertionError, match="was made"):
        service.answer(asked)


def test_a_slow_page_keeps_its_etag() -> None:
    asked = Request("GET", "/v1/listings/ratings?limit=50", {})
    faults: list[list[Fault | str]] = [[], [Fault("slow", "ratings", seconds=0)], ["page_repeated:ratings:1"]]
    tags = [dict(new_service(SMALL, one).answer(asked).headers)["ETag"] for one in faults]
    assert tags[0] == tags[1] != tags[2]


def test_ratings_are_written_as_any_json_is() -> None:
    body, count = new_world(institutions=230, months=2, dimensions=3, day=45).body("ratings", "2026-11", 20, 700)
    assert body == orjson.dumps(orjson.loads(body))
    assert count == len(orjson.loads(body)) > 600


def test_a_token_is_asked_for_where_one_is_set() -> None:
    with running(SMALL, token="secret-1") as url:
        for headers in ({}, {"Authorization": "Bearer other"}):
            answer = requests.get(f"{url}/v1/listings", headers=headers, timeout=10)
            assert answer.status_code == 401
            check("/v1/listings", answer)
        assert requests.get(f"{url}/healthz", timeout=10).ok
        assert requests.get(f"{url}/v1/listings", headers={"Authorization": "Bearer secret-1"}, timeout=10).ok


def test_a_stopped_server_hangs_up_on_open_connections() -> None:
    with requests.Session() as session:
        with running(SMALL) as url:
            assert session.get(f"{url}/healthz", timeout=10).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/healthz", timeout=10)


def test_a_port_that_is_taken_is_one_line_of_words() -> None:
    with serve(SMALL) as server, pytest.raises(Mingbai, match="choose another port"):
        serve(SMALL, port=server.server_address[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_for_ever_ends_cleanly_when_told_to(number: signal.Signals) -> None:
    code = "from publish.platform import serve_forever; serve_forever(institutions=50, port=0, on_ready=lambda url: print(url, flush=True)); print('done')"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with requests.Session() as session:  # an open connection must not hold it
            assert session.get(f"{url}/v1/listings", timeout=10).json()["listings"][0]["total"] == 50
            process.send_signal(number)
            assert process.communicate(timeout=10) == ("done\n", "")
        assert process.returncode == 0
    finally:
        process.kill()


# Faults


@pytest.mark.parametrize("text", ["fire", "", "slow:pupils", "slow:ratings:0", "slow:ratings:x", "slow:ratings:1:0", "slow:ratings:1:1:1"])
def test_a_fault_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(Mingbai, match="fault"):
        Fault.of(text)


def test_a_fault_reads_from_text() -> None:
    assert Fault.of("page_missing:ratings:3") == Fault("page_missing", "ratings", 3)
    assert Fault.of("slow") == Fault.of("slow:*") == Fault("slow")
    assert Fault.of("server_error::2:5") == Fault("server_error", None, 2, 5)


def statuses(url: str, listing: str = "institutions") -> list[int]:
    return [answer.status_code for answer in pages(url, listing)]


@pytest.mark.parametrize(("kind", "status"), [("rate_limited", 429), ("server_error", 500)])
def test_a_passing_fault_passes(kind: str, status: int) -> None:
    with running(SMALL, [f"{kind}:institutions:2"]) as url:
        assert [statuses(url) for _ in range(3)] == [[200, status], [200, status], [200] * 5]
        assert statuses(url, "notices") == [200] * 2
    with running(SMALL, [Fault(kind, "index", times=1, seconds=0)]) as url:
        answer = requests.get(f"{url}/v1/listings", timeout=10)
        check("/v1/listings", answer)
        assert answer.status_code == status
        assert answer.headers.get("Retry-After") == ("0" if status == 429 else None)
        assert requests.get(f"{url}/v1/listings", timeout=10).ok


def test_a_slow_page_is_slow() -> None:
    with running(SMALL, [Fault("slow", seconds=0.3)]) as url, pytest.raises(requests.Timeout):
        requests.get(f"{url}/v1/listings/notices", timeout=0.1)


@pytest.mark.parametrize("kind", ["cut_off_body", "page_missing", "error_page_200", "truncated_json"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_broken_page_breaks_the_second_page_and_no_other(kind: str, packed: bool) -> None:
    headers = {"Accept-Encoding": "gzip" if packed else "identity"}
    with running(SMALL, [kind]) as url:
        first = requests.get(f"{url}/v1/listings/institutions?limit=50", headers=headers, timeout=10)
        assert first.ok
        asked = f"{url}/v1/listings/institutions?limit=50&cursor="
        assert requests.get(f"{asked}all.100", headers=headers, timeout=10).json()["count"] == 50
        if kind == "cut_off_body":
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                requests.get(f"{asked}{first.json()['next']}", headers=headers, timeout=10)
            return
        second = requests.get(f"{asked}{first.json()['next']}", headers=headers, timeout=10)
        assert second.status_code == (404 if kind == "page_missing" else 200)
        if kind == "page_missing":
            check("/v1/listings/{name}", second)
            return
        with pytest.raises(requests.JSONDecodeError):
            second.json()
        assert second.headers["Content-Type"] == ("text/html; charset=utf-8" if kind == "error_page_200" else "application/json")


@pytest.mark.parametrize(("page", "same"), [(2, 0), (4, 2), (1, 1)])
def test_a_repeated_page_is_another_page(page: int, same: int) -> None:
    with running(SMALL, [f"page_repeated:institutions:{page}"]) as url:
        found = [answer.json()["records"] for answer in pages(url, "institutions")]
    assert len(found) == 5
    assert found[page - 1] == found[same] if page > 1 else found[0] == found[1]
    assert sum(len(records) for records in found) == SMALL.total("institutions")


def test_a_total_that_is_not_met_says_more_than_comes() -> None:
    with running(SMALL, ["total_not_met:notices"]) as url:
        assert {answer.json()["total"] for answer in pages(url, "notices")} == {67}
        totals = {listing["name"]: listing["total"] for listing in requests.get(f"{url}/v1/listings", timeout=10).json()["listings"]}
    assert totals == {listing: SMALL.total(listing) + 7 * (listing == "notices") for listing in LISTINGS}


def test_an_empty_listing_keeps_the_contract() -> None:
    with running(SMALL, ["empty_listing:notices"]) as url:
        (answer,) = pages(url, "notices")
        check("/v1/listings/{name}", answer)
        assert (answer.json()["total"], answer.json()["records"]) == (0, [])
        assert len(list(pages(url, "ratings"))) == 10


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_changed_schema_renames_one_field(listing: str) -> None:
    with running(SMALL, ["changed_schema"]) as url:
        record = next(pages(url, listing)).json()["records"][0]
    usual = everything(SMALL, listing)[0]
    assert list(record.values()) == list(usual.values())
    assert len(record.keys() - usual.keys()) == len(usual.keys() - record.keys()) == 1


def test_a_lost_county_is_lost_everywhere_and_the_totals_fit() -> None:
    lost = SMALL.county_of(everything(SMALL, "institutions")[0])
    with running(SMALL, ["county_lost"]) as url:
        for listing in LISTINGS:
            answers = list(pages(url, listing))
            found = [record for answer in answers for record in answer.json()["records"]]
            assert found == [record for record in everything(SMALL, listing) if SMALL.county_of(record) != lost]
            assert answers[0].json()["total"] == len(found)
            assert len(found) < SMALL.total(listing) or listing == "notices"


def test_a_reader_that_knows_a_page_still_meets_its_fault() -> None:
    with serve(SMALL) as server:
        tag = requests.get(f"{server.url}/v1/listings/institutions", timeout=10).headers["ETag"]
    with running(SMALL, ["changed_schema"]) as url:
        assert requests.get(f"{url}/v1/listings/institutions", headers={"If-None-Match": tag}, timeout=10).status_code == 200


def test_every_fault_is_described_and_has_a_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for kind, words in FAULTS.items():
        assert words
        assert f'"{kind}' in text


@pytest.mark.parametrize("listing", LISTINGS)
def test_an_etag_is_another_one_exactly_where_the_records_or_the_next_cursor_are(listing: str) -> None:
    """For it is over what they are made of: a change that it does not know of would never be fetched."""
    said: dict[str, bytes] = {}
    for day in (0, 1, 2, 4, 6, 29, 30, 31, 200, 401, 1100):
        service, cursor = new_service(SMALL.on_day(day)), ""
        while cursor is not None:
            answer = service.answer(Request("GET", f"/v1/listings/{listing}?limit=7{f'&cursor={cursor}' if cursor else ''}", {}))
            page = orjson.loads(answer.body)
            cursor = page["next"]
            content = orjson.dumps([page["records"], cursor] if page["records"] else [dict(answer.headers)["ETag"]])
            assert said.setdefault(dict(answer.headers)["ETag"], content) == content
    assert len(set(said.values())) == len(said)
