"""A withdrawal reaches everything: the live release, every earlier one, search, feeds, history, and what its source says tomorrow (rule 6)."""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import httpx
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from fed import document, everything_said
from making import copied, notice, on, one_province, query, snapshot, world
from publish import carry, forgotten
from publish import reissue as reissuing
from publish.amend import Request, amend
from publish.audit import entries
from publish.catalogue import Catalogue
from publish.cli import main
from publish.decide import back
from publish.diff import SCHEMA
from publish.errors import BadHome, BadValue, Mingbai, NotSigned, ReviewNeeded
from publish.forms.packed import archive, packer
from publish.home import Home
from publish.inputs import inputs_for
from publish.nowhere import CHUNK, _found, nowhere, remains
from publish.release import file_sha256
from publish.rules import CAUSES
from publish.run import run
from publish.steps import assembled, compare, judge, lay_out, make_downloads, make_index, publish
from publish.stones import stones
from publish.texts import FILE
from publish.web.reader import Reader
from publish.web.server import build_app
from publish.withdraw import withdraw
from publish.withdrawals import carried, in_database
from publish.work import Result, Work
from search import open_index, open_texts
from unpacked import all_said

SECRET = "甲乙丙丁的决定已被法院撤销"
WORDS = "撤销判决书"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def notices(**secret: Any) -> list[Any]:
    return [
        notice(1),
        notice(2, **{"title": SECRET, "facts": f"{SECRET}，其事实", "decidedOn": "2026-10-30", "docNo": "西教罚〔2026〕77号", **secret}),
        notice(3),
    ]


def deliver(work: Work, listings: Mapping[str, Any], day: int) -> Result:
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    made = snapshot(folder, f"platform-{day:03d}-{len(list(folder.glob('*')))}", listings, as_of=work.day.isoformat())
    return run(work, {"platform": str(made.folder)})


def found(database: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def the_secret(work: Work) -> str:
    ((identifier,),) = found(work.live_database, "SELECT id FROM notices WHERE title = ?", SECRET)
    return str(identifier)


@pytest.fixture(scope="module")
def made(begun: Callable[[], Work]) -> Work:
    """Three releases, of which the second and third show a notice that is new on the second day, and so is in the feeds."""
    work = begun()
    deliver(work, {**world(3), "notices": [notice(1), notice(3)]}, 0)
    deliver(work, {**world(3), "notices": notices()}, 1)
    deliver(work, {**world(4), "notices": notices()}, 2)
    assert work.home.release_ids() == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert SECRET in document(work.home, form="atom").decode()
    return work


@pytest.fixture
def published(made: Work, work: Work) -> tuple[Work, str]:
    return copied(made, work), the_secret(made)


def signed(work: Work, identifier: str, names: tuple[str, ...] = ("张三", "李四"), day: int = 3, reason: str = "revoked") -> Result | None:
    result = None
    for number, name in enumerate(names, 1):
        try:
            result = withdraw(on(work, day), identifier, reason, WORDS, name, "法院撤销了这一决定")
        except ReviewNeeded:
            assert number < len(names)
    return result


@pytest.fixture(scope="module")
def made_withdrawn(made: Work, begun: Callable[[], Work]) -> Work:
    work = copied(made, begun())
    assert signed(work, the_secret(made)) == Result("released", "2026-11-04")
    return work


@pytest.fixture
def withdrawn(made_withdrawn: Work, made: Work, work: Work) -> tuple[Work, str]:
    """What was published, after two people have withdrawn it."""
    return copied(made_withdrawn, work), the_secret(made)


def everything(home: Home) -> bytes:
    """All that readers can reach."""
    return everything_said(home) + all_said([home.releases, home.past])


def test_one_person_withdraws_nothing(published: tuple[Work, str]) -> None:
    work, identifier = published
    before = everything(work.home)
    for name in ("张三", " 张 三"):
        with pytest.raises(ReviewNeeded, match=r"1 more must|another one has to"):
            withdraw(on(work, 3), identifier, "revoked", WORDS, name, "法院撤销了这一决定")
    assert everything(work.home) == before
    assert carried(entries(work.home)) == {}
    assert list(nowhere(on(work, 3))) == [f"{identifier}: revoked, signed by 张三; 1 more must sign"]


def test_two_people_who_give_different_reasons_have_not_agreed(published: tuple[Work, str]) -> None:
    work, identifier = published
    for name, reason in (("张三", "revoked"), ("李四", "personal_data")):
        with pytest.raises(ReviewNeeded):
            withdraw(on(work, 3), identifier, reason, WORDS, name, "不同的理由")
    assert work.live == "2026-11-03"


def test_a_withdrawn_notice_is_nowhere(published: tuple[Work, str]) -> None:
    work, identifier = published
    others = {
        name: found(work.home.releases / name / "mingbai.db", "SELECT id FROM notices WHERE id <> ?", identifier)
        for name in work.home.release_ids()
    }
    assert signed(work, identifier) == Result("released", "2026-11-04")
    public = everything(work.home)
    assert SECRET.encode() not in public
    assert "西教罚〔2026〕77号".encode() not in public
    for name in work.home.release_ids():
        folder = work.home.releases / name
        assert in_database(folder / "mingbai.db", [identifier]) == []
        assert found(folder / "mingbai.db", "SELECT count(*) FROM notice_penalties WHERE notice_id = ?", identifier) == [(0,)]
        with open_index(folder / "search" / "index.db") as index:
            assert index.search("甲乙丙丁").total == 0
        with open_texts(folder / FILE) as notices:
            assert notices.search("甲乙丙丁 OR 〔2026〕77").total == 0
            assert identifier not in notices.search("", limit=1_000).ids
        if name in others:
            assert found(folder / "mingbai.db", "SELECT id FROM notices") == others[name], "and nothing else is gone"
    assert SECRET.encode() not in work.home.history.read_bytes()
    assert list(remains(work.home, forgotten.gone(work.home.history))) == []
    assert list(nowhere(on(work, 3))) == [
        f"{identifier}: revoked, withdrawn 2026-11-04 by 张三, 李四; its id and 3 texts are in none of 4 releases"
    ]


def test_what_is_left_is_a_tombstone(withdrawn: tuple[Work, str]) -> None:
    work, identifier = withdrawn
    for name in ("2026-11-02", "2026-11-03", "2026-11-04"):
        assert json.loads((work.home.releases / name / "tombstones.json").read_bytes())[identifier] == {
            "on": "2026-11-04",
            "class": "revoked",
        }
    assert json.loads((work.home.releases / "2026-11-01" / "tombstones.json").read_bytes()) == {}
    history = sqlite3.connect(work.home.history)
    assert history.execute("SELECT kind, before, after, cause FROM changes WHERE key = ? ORDER BY release", [identifier]).fetchall() == [
        ("add", None, None, "source"),
        ("remove", None, None, "withdrawal"),
    ]
    assert history.execute("SELECT * FROM withdrawn").fetchall() == [(identifier, "revoked", "2026-11-04", identifier)]
    history.close()


def test_an_earlier_release_says_that_it_was_issued_anew(published: tuple[Work, str]) -> None:
    work, identifier = published
    old, database = (file_sha256(work.home.releases / "2026-11-02" / name) for name in ("manifest.json", "mingbai.db"))
    first = (work.home.releases / "2026-11-01" / "manifest.json").read_bytes()
    signed(work, identifier)
    manifest = work.home.manifest("2026-11-02")
    assert manifest["reissues"] == [{"on": "2026-11-04", "withdrawn": {"revoked": 1}, "supersedes": old, "database": database}]
    assert manifest["id"] == "2026-11-02"
    assert manifest["tables"]["notices"] == 2
    assert manifest["accounting"]["notices"] | {"over_since": 1} == manifest["accounting"]["notices"]
    for name in work.home.release_ids():
        folder = work.home.releases / name
        sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines() if line[0] != "#")
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"SHA256SUMS"}
        assert files == set(sums)
        assert all(file_sha256(folder / file) == sha256 for file, sha256 in sums.items())
    assert (work.home.releases / "2026-11-01" / "manifest.json").read_bytes() == first, "one that never had it stays to the byte"
    rows = json.loads((work.home.path / "releases.json").read_bytes())["releases"]
    assert [row.get("reissued_on") for row in rows] == [None, "2026-11-04", "2026-11-04", None]


def test_a_source_that_still_says_it_brings_nothing_back(withdrawn: tuple[Work, str]) -> None:
    work, identifier = withdrawn
    assert deliver(work, {**world(5), "notices": notices()}, 4) == Result("released", "2026-11-05")
    assert in_database(work.live_database, [identifier]) == []
    assert SECRET.encode() not in everything(work.home)
    assert work.live_manifest()["accounting"]["notices"]["withheld_withdrawn"] == 1
    assert json.loads((work.home.releases / "2026-11-05" / "tombstones.json").read_bytes())[identifier]["class"] == "revoked"


def test_the_same_decision_under_another_number_of_its_source_stays_withdrawn(withdrawn: tuple[Work, str]) -> None:
    work, _ = withdrawn
    deliver(work, {**world(5), "notices": notices(noticeId="N009999")}, 4)
    assert found(work.live_database, "SELECT count(*) FROM notices WHERE title = ?", SECRET) == [(0,)]


@pytest.mark.parametrize("died", ["before the live release", "between", "between two renames"])
def test_a_withdrawal_that_died_is_carried_out_by_the_next_run(
    published: tuple[Work, str], died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, identifier = published

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> Any:
        raise Killed

    module, name = {
        "before the live release": (carry, "at_once"),
        "between": (reissuing, "close"),
        "between two renames": (reissuing, "sync"),
    }[died]
    if died == "between two renames":
        rename: Callable[..., None] = reissuing.os.rename

        def once(source: Any, target: Any) -> None:
            if str(source).endswith(reissuing.NEW):
                raise Killed
            rename(source, target)

        monkeypatch.setattr(reissuing.os, "rename", once)
    else:
        monkeypatch.setattr(module, name, kill)
    with pytest.raises(Killed):
        signed(work, identifier)
    monkeypatch.undo()
    with pytest.raises(BadHome, match="has"):
        list(nowhere(on(work, 3)))
    deliver(work, {**world(4), "notices": notices()}, 4)  # the same again: nothing new but the withdrawal
    assert SECRET.encode() not in everything(work.home)
    assert "are in none of" in next(nowhere(on(work, 4)))
    assert not list(work.home.releases.glob("*.part"))


def test_what_waits_for_a_person_does_not_delay_it(published: tuple[Work, str]) -> None:
    work, identifier = published
    with pytest.raises(ReviewNeeded):
        deliver(work, {**world(4), "institutions": world(1)["institutions"], "notices": notices()}, 3)
    assert signed(work, identifier) == Result("released", "2026-11-04")
    assert found(work.live_database, "SELECT count(*) FROM institutions") == [(4,)]


@pytest.mark.parametrize("left", ["the id", "a text", "a text as it is indexed", "a compressed text", "a text in brotli", "free pages"])
def test_what_is_left_anywhere_is_found(withdrawn: tuple[Work, str], left: str) -> None:
    work, identifier = withdrawn
    folder = work.home.releases / "2026-11-02"
    match left:
        case "the id":
            (folder / "more.txt").write_text(f"... {identifier} ...")
        case "a text":
            (folder / "downloads.csv").write_text(f"{'x' * (CHUNK - 10)}{SECRET}，其事实")  # across two reads
        case "a text as it is indexed":
            (folder / "search" / "words").write_text(f"{SECRET}其事实")
        case "a compressed text":
            (folder / "downloads.csv.gz").write_bytes(gzip.compress(f"{SECRET}，其事实".encode()))
        case "a text in brotli":
            (folder / "downloads.csv.br").write_bytes(brotli.compress(f"{SECRET}，其事实".encode()))
        case "free pages":
            connection = sqlite3.connect(folder / "mingbai.db")
            connection.execute("DELETE FROM regions")
            connection.commit()
            connection.close()
    with pytest.raises(BadHome, match=r"2026-11-02/.* has"):
        list(nowhere(on(work, 3)))


@pytest.mark.parametrize("coding", ["gzip", "brotli"])
def test_what_is_left_in_a_packed_document_of_a_feed_is_found(withdrawn: tuple[Work, str], coding: str) -> None:
    work, _ = withdrawn
    said = {"gzip": gzip.compress, "brotli": brotli.compress}[coding](f"{SECRET}，其事实".encode())
    damaged = {"gzip": bytes([*said[:14], said[14] ^ 0xFF, *said[15:]]), "brotli": said[:-1]}[coding]  # Brotli has no sum of what it holds
    for packed, found in ((said, r"feeds/2026-11-04.db: has words"), (b"x", "cannot be unpacked"), (damaged, "cannot be unpacked")):
        with closing(sqlite3.connect(work.home.feeds / "2026-11-04.db")) as connection:
            connection.execute(f"UPDATE documents SET {coding} = ? WHERE feed = 'records' AND form = 'json'", [packed])
            connection.commit()
        with pytest.raises(BadHome, match=found):
            list(nowhere(on(work, 3)))


@pytest.mark.parametrize("name", ["notices.csv.gz", "notices.csv.zst", "mingbai.csv.zip", "notices.parquet", "statements.xlsx"])
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        if path.suffix in (".zip", ".xlsx"):
            with archive(file) as made:
                made.writestr("a", bytes(range(256)) * 9)
        elif path.suffix == ".parquet":
            parquet.write_table(pa.table({"a": ["甲" * 99, "乙"]}), file)
        else:
            with closing(packer("gzip" if path.suffix == ".gz" else "zstd", file)) as packed:
                packed.write(bytes(range(256)) * 9)
    whole = path.read_bytes()
    assert _found(path, [b"nobody"]) == set()
    said = []
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(bytes([*whole[:at], whole[at] ^ 0xFF, *whole[at + 1 :]]))
        try:
            _found(path, [b"nobody"])
        except BadHome as error:
            said.append(str(error))
    assert said
    assert all(line.startswith(f"{path}: cannot be unpacked") for line in said)


def test_nobody_withdraws_what_was_never_shown(published: tuple[Work, str]) -> None:
    work, _ = published
    with pytest.raises(BadHome, match="no release has shown a notice n-doesnotexist"):
        withdraw(on(work, 3), "n-doesnotexist", "revoked", WORDS, "张三", "写错了编号")
    with pytest.raises(NotSigned, match="--by"):
        withdraw(on(work, 3), "n-doesnotexist", "revoked", WORDS, "", "写错了编号")
    with pytest.raises(NotSigned, match="--note"):
        withdraw(on(work, 3), "n-doesnotexist", "revoked", WORDS, "张三", " ")
    assert not any(entry.act == "withdraw" for entry in entries(work.home))


def test_what_is_no_longer_live_can_be_withdrawn_from_earlier_releases(published: tuple[Work, str]) -> None:
    work, identifier = published
    for day in (3, 4):
        deliver(work, {**world(4 + day), "notices": [notice(1), notice(3)]}, day)
    assert in_database(work.live_database, [identifier]) == []
    assert json.loads((work.home.releases / "2026-11-05" / "tombstones.json").read_bytes())[identifier]["class"] == "absent"
    assert signed(work, identifier, day=5) == Result("released", "2026-11-06"), "its tombstone names another reason from now on"
    assert json.loads((work.home.releases / "2026-11-06" / "tombstones.json").read_bytes())[identifier]["class"] == "revoked"
    assert SECRET.encode() not in everything(work.home)


def test_a_clerk_withdraws_with_the_command_and_reads_what_was_withdrawn(published: tuple[Work, str]) -> None:
    work, identifier = published
    given = ["--reason", "personal_data", "--document", WORDS, "--note", "公告里有个人信息"]

    def typed(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--home", str(work.home.path), "--now", on(work, 3).now.isoformat(), *words])
        return done.exit_code, done.output

    code, said = typed("withdraw", identifier, *given, "--by", "张三")
    assert (code, f"{identifier}: 张三 signed its withdrawal (personal_data) and 1 more must" in said) == (5, True), said
    code, said = typed("withdraw", identifier, *given, "--by", "李四")
    assert (code, "its id and 3 texts are in none of 4 releases" in said) == (0, True), said
    assert (
        typed("withdrawn")[1].splitlines()[-1]
        == f"{identifier}: personal_data, withdrawn 2026-11-04 by 张三, 李四; its id and 3 texts are in none of 4 releases"
    )
    code, said = typed("withdraw", identifier, *given, "--by", "王五")
    assert code == 0, "whoever asks again finds it done"
    assert SECRET not in typed("audit")[1], "the log says which, not what"


def test_whoever_follows_an_old_address_is_told_that_it_is_gone_and_no_more(published: tuple[Work, str]) -> None:
    work, identifier = published
    signed(work, identifier, reason="refuted")
    reader = Reader(work.home.releases / "2026-11-04")
    try:
        assert reader.stones == {identifier: {"on": "2026-11-04", "class": "refuted"}}
        assert reader.label("tombstone_reasons", "refuted", "zh") == "异议成立"
    finally:
        reader.close()


@pytest.mark.parametrize("died", [False, True])
async def test_an_earlier_release_answers_with_the_tombstone_of_the_live_one(
    published: tuple[Work, str], died: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, identifier = published
    app = build_app(work.home.path, now=lambda: on(work, 3).now)
    path = f"/notices/{identifier}.json?as_of=2026-11-02"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        assert (await client.get(path)).json()["title"] == SECRET
        if died:  # before the earlier releases are issued anew
            monkeypatch.setattr(reissuing, "close", lambda *_: 1 / 0)
        with suppress(ZeroDivisionError):
            signed(work, identifier)
        assert (in_database(work.home.releases / "2026-11-02" / "mingbai.db", [identifier]) != []) == died
        await app.shelf.refresh()
        answers = [await client.get(path), await client.get(f"/notices/{identifier}?as_of=2026-11-01")]
        found = await client.get("/search.json?q=甲乙丙丁&as_of=2026-11-02")
    app.shelf.close()
    assert answers[0].json()["tombstone"] == {"id": identifier, "on": "2026-11-04", "class": "revoked"}
    assert [answer.status_code for answer in answers] == [410, 410]
    assert SECRET not in answers[0].text + answers[1].text + found.text
    assert (found.json()["release"], found.json()["notices"]) == ("2026-11-02", [])


# One decision, however its source numbers or spells it


TWIN = {"noticeId": "N000099"}


def twins(work: Work) -> list[str]:
    return [identifier for (identifier,) in found(work.live_database, "SELECT id FROM notices WHERE title = ? ORDER BY id", SECRET)]


def test_a_decision_that_is_there_twice_is_gone_twice(work: Work) -> None:
    deliver(work, {**world(3), "notices": [notice(1), notice(3)]}, 0)
    deliver(work, {**world(3), "notices": [*notices(), *notices(**TWIN)[1:2]]}, 1)
    one, other = twins(work)
    signed(work, one, day=2)
    assert SECRET.encode() not in everything(work.home)
    stones = json.loads((work.home.releases / "2026-11-03" / "tombstones.json").read_bytes())
    assert stones[one] == stones[other] == {"on": "2026-11-03", "class": "revoked"}
    assert SECRET.encode() not in work.home.history.read_bytes()
    lines = list(nowhere(on(work, 2)))
    assert (
        f"{other}: revoked, withdrawn 2026-11-03 by 张三, 李四 with {one}, the same decision; its id and 3 texts are in none of 3 releases"
        in lines
    )


def test_a_decision_is_gone_under_the_id_that_its_source_gave_it_before(work: Work) -> None:
    deliver(work, {**world(3), "notices": notices()}, 0)
    (before,) = twins(work)
    deliver(work, {**world(3), "notices": notices(**TWIN)}, 1)
    after = next(one for one in twins(work) if one != before)
    signed(work, after, day=2)
    assert set(forgotten.gone(work.home.history)) == {before, after}
    assert SECRET.encode() not in everything(work.home)
    deliver(work, {**world(4), "notices": notices()}, 3)
    assert SECRET.encode() not in everything(work.home)


@pytest.mark.parametrize(
    "spelt",
    [
        {"docNo": "西教罚[2026]77号"},
        {"docNo": "西教罚 〔２０２６〕 77 号"},
        {"docNo": "西教罚〔2026〕077号"},
        {"docNo": "西教罚字〔2026〕第77号"},
        {"docNo": "2026年西教罚77号"},
        {"docNo": "西教罚〔二〇二六〕第77号"},
        {"docNo": "西教罚〔2026年〕77号"},
        {"docNo": "西教 罚〔2026〕77号"},
        {"docNo": ""},
        {"authority": "杭州市西湖区教育局"},
        {"subjectName": "杭州市西湖区启明2艺术培训中心"},
        {"facts": "换了说法的事实，仍是同一决定"},
    ],
    ids=str,
)
def test_a_decision_is_known_again_however_it_is_spelt(withdrawn: tuple[Work, str], spelt: dict[str, str]) -> None:
    work, _ = withdrawn
    deliver(work, {**world(5), "notices": notices(**TWIN, **spelt)}, 4)
    assert twins(work) == []


@pytest.mark.parametrize("other", [{"docNo": "西教罚〔2026〕78号"}, {"subjectName": "杭州市西湖区启明3艺术培训中心有限公司"}], ids=str)
def test_another_decision_stays(withdrawn: tuple[Work, str], other: dict[str, str]) -> None:
    work, _ = withdrawn
    deliver(work, {**world(5), "notices": notices(**TWIN, **other)}, 4)
    assert len(twins(work)) == 1


def test_a_decision_that_was_in_an_earlier_release_under_another_id_does_not_come_back_with_it(published: tuple[Work, str]) -> None:
    work, identifier = published
    deliver(work, {**world(5), "notices": notices(**TWIN)}, 3)
    signed(work, identifier, day=4)
    for name in ("张三", "李四"):
        with suppress(ReviewNeeded):
            back(on(work, 5), "2026-11-04", name, "回到前一版")
    assert work.live_manifest()["restores"] == "2026-11-04"
    assert SECRET.encode() not in everything(work.home)


# It comes before everything else


def die_when_signed(work: Work, identifier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have signed, and the run died before it did anything about it."""

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(carry, "at_once", kill)
        with pytest.raises(Killed):
            signed(work, identifier)
    assert in_database(work.live_database, [identifier]) == [identifier]


def test_a_source_that_is_out_of_reach_delays_no_withdrawal(published: tuple[Work, str], monkeypatch: pytest.MonkeyPatch) -> None:
    work, identifier = published
    die_when_signed(work, identifier, monkeypatch)
    with pytest.raises(Mingbai):
        run(on(work, 4), {"platform": str(work.home.path / "nowhere")})
    assert SECRET.encode() not in everything(work.home)


def test_a_delivery_that_is_held_delays_no_withdrawal(published: tuple[Work, str], monkeypatch: pytest.MonkeyPatch) -> None:
    work, identifier = published
    die_when_signed(work, identifier, monkeypatch)
    with pytest.raises(ReviewNeeded):
        deliver(work, {**world(4), "institutions": world(1)["institutions"], "notices": notices()}, 4)
    assert SECRET.encode() not in everything(work.home)
    assert work.home.read_status()["last_run"]["outcome"] == "ReviewNeeded"


def test_what_is_held_brings_no_withdrawn_notice_back(work: Work) -> None:
    small = {"areaCode": "330108", "areaName": "滨江区"}
    large = [notice(n) for n in range(101, 300)]
    county = [notice(1, **small), *(notice(n, **small) for n in range(3, 11)), {**notices()[1], **small}]
    deliver(work, {**world(3), "notices": [*large, *county]}, 0)
    (identifier,) = twins(work)
    deliver(work, {**world(3), "notices": large}, 1)
    assert [row["region"] for row in work.live_manifest()["held"]] == ["330108"]
    assert twins(work) == [identifier]
    signed(work, identifier, day=2)
    deliver(work, {**world(4), "notices": large}, 3)
    assert [row["region"] for row in work.live_manifest()["held"]] == ["330108"]
    assert SECRET.encode() not in everything(work.home)


def test_a_candidate_that_was_laid_out_before_is_not_taken_live_after(published: tuple[Work, str]) -> None:
    work, identifier = published
    for day in (3, 4):
        deliver(work, {**world(4 + day), "notices": [notice(1), notice(3)]}, day)
    at = on(work, 5)
    made = snapshot(at.home.raw, "platform-again", {**world(9), "notices": notices()}, as_of=at.day.isoformat())
    candidate = lay_out(at, judge(at, compare(at, assembled(at, inputs_for(at, {"platform": made})))))
    make_downloads(at, candidate)
    make_index(at, candidate)
    assert signed(work, identifier, day=5) == Result("released", "2026-11-06")
    with pytest.raises(BadHome):
        publish(at, candidate)
    assert SECRET.encode() not in all_said(work.home.releases / name for name in work.home.release_ids())


# Whatever a release is made of


def test_an_old_release_without_a_column_is_issued_anew_and_keeps_no_other_one_waiting(published: tuple[Work, str]) -> None:
    work, identifier = published
    folder = work.home.releases / "2026-11-02"
    connection = sqlite3.connect(folder / "mingbai.db")
    connection.executescript(
        "DROP INDEX idx_notices_violation_type; ALTER TABLE notices DROP COLUMN violation_type; DROP TABLE permits; VACUUM"
    )
    connection.close()
    signed(work, identifier)
    assert SECRET.encode() not in everything(work.home)
    columns = {row[1] for row in found(folder / "mingbai.db", "PRAGMA table_info(notices)")}
    assert "title" in columns
    assert "violation_type" not in columns


def test_a_live_release_without_a_table_loses_the_notice_all_the_same(published: tuple[Work, str]) -> None:
    work, identifier = published
    connection = sqlite3.connect(work.live_database)
    connection.executescript("DROP TABLE permits; VACUUM")
    connection.close()
    assert signed(work, identifier) == Result("released", "2026-11-04")
    assert SECRET.encode() not in everything(work.home)


def test_a_release_that_cannot_be_read_is_an_error_after_all_others_are_issued_anew(published: tuple[Work, str]) -> None:
    work, identifier = published
    (work.home.releases / "2026-11-01" / "mingbai.db").unlink()
    with pytest.raises(BadHome, match=r"release 2026-11-01 cannot be read .* restore it from a copy, or remove it"):
        signed(work, identifier)
    assert SECRET.encode() not in everything(work.home)
    assert work.home.read_status()["last_run"]["outcome"] == "BadHome"


@pytest.mark.parametrize(("lost", "following"), [("2026-11-01", "2026-11-02"), ("2026-11-02", "2026-11-03")])
def test_a_release_that_was_put_back_and_is_damaged_keeps_no_other_one_waiting(
    published: tuple[Work, str], tmp_path: Path, lost: str, following: str
) -> None:
    """It is a copy from before it was issued anew, with which the delta of the one after it began."""
    work, _ = published
    ((identifier,),) = found(work.live_database, "SELECT id FROM notices WHERE document_no = '西教罚〔2026〕1号'")
    folder = work.home.releases / lost
    shutil.copytree(folder, tmp_path / "copy")
    signed(work, identifier)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    for spoil in (lambda path: path.write_bytes(b"torn" * 1000), Path.unlink):
        spoil(folder / "mingbai.db")
        lines = reissuing.reissue_all(work.home, work.catalogue, forgotten.gone(work.home.history))
        assert f"release {lost} cannot be read" in lines[0]
        assert [f"the delta of release {following} begins with" in line for line in lines[1:]] == [True]
    with pytest.raises(BadHome, match=rf"release {lost} cannot be read"):
        signed(work, query(work, "SELECT min(id) FROM notices")[0][0], day=4)
    assert work.live == "2026-11-05"
    assert not list(work.home.releases.glob("*.part"))


def test_a_source_that_is_no_longer_declared_and_a_snapshot_that_is_gone_stop_nothing(published: tuple[Work, str]) -> None:
    work, identifier = published
    shutil.rmtree(work.home.raw)
    work.home.prepare()
    bare = replace(work, catalogue=replace(work.catalogue, sources={}))
    assert signed(bare, identifier) == Result("released", "2026-11-04")
    assert [row["id"] for row in work.live_manifest()["sources"]] == ["platform"]
    assert SECRET.encode() not in everything(work.home)


def test_what_somebody_went_back_from_is_looked_at_after_a_withdrawal_too(published: tuple[Work, str]) -> None:
    work, identifier = published
    with suppress(ReviewNeeded):
        back(on(work, 3), "2026-11-02", "张三", "回到前一版")
    if work.live_manifest()["restores"] is None:
        back(on(work, 3), "2026-11-02", "李四", "回到前一版")
    signed(work, identifier, day=3)
    assert work.live_manifest()["restores"] == "2026-11-02"
    with pytest.raises(ReviewNeeded, match="restored"):
        deliver(work, {**world(5), "notices": notices()}, 4)


# The log


@pytest.mark.parametrize("document", ["", " ", "撤销\x1b[2J"])
def test_nothing_is_signed_without_a_document_that_can_be_read(published: tuple[Work, str], document: str) -> None:
    work, identifier = published
    with pytest.raises(NotSigned, match="document"):
        withdraw(on(work, 3), identifier, "revoked", document, "张三", "法院撤销了这一决定")


def test_the_log_says_nothing_that_the_notice_said(withdrawn: tuple[Work, str]) -> None:
    work, identifier = withdrawn
    log = work.home.audit.read_text("utf-8")
    assert identifier in log
    for said in (SECRET, "西教罚", "启明2"):
        assert said not in log


def test_a_log_that_lost_a_withdrawal_that_was_carried_out_answers_nothing(published: tuple[Work, str]) -> None:
    work, identifier = published
    forgotten.enter_gone(work.home.history, {identifier: ("revoked", "2026-11-04", identifier)})
    with pytest.raises(BadHome, match=f"does not have the withdrawal of {identifier}"):
        deliver(work, {**world(9), "notices": notices()}, 6)


def test_what_its_source_no_longer_says_is_looked_for_all_the_same(withdrawn: tuple[Work, str]) -> None:
    work, _ = withdrawn
    for day in (4, 5):
        deliver(work, {**world(day), "notices": [notice(1), notice(3)]}, day)
    (work.home.releases / "2026-11-02" / "downloads.csv").write_text(f"{SECRET}，其事实")
    with pytest.raises(BadHome, match=r"downloads.csv: has words"):
        list(nowhere(on(work, 5)))


def test_each_cause_has_its_class(tmp_path: Path) -> None:
    changes, database = tmp_path / "changes.db", tmp_path / "made.db"
    for path, sql in ((database, "CREATE TABLE notices (id); INSERT INTO notices VALUES ('there')"), (changes, SCHEMA)):
        connection = sqlite3.connect(path)
        connection.executescript(sql)
        if path is changes:
            rows = [("notices", cause, "remove", cause) for cause in (*CAUSES, "there")]
            connection.executemany("INSERT INTO changes (table_name, key, kind, cause) VALUES (?,?,?,?)", rows)
        connection.commit()
        connection.close()
    made = stones(tmp_path / "history.db", changes, database, "2026-11-04", {})
    assert {cause: one["class"] for cause, one in made.items()} == {
        "source": "absent", "dispute": "absent", "correction": "corrected", "expiry": "expired", "repair": "repaired", "withdrawal": "revoked",
        "pipeline": "unpublished",
    }  # fmt: skip


# Nobody else's decision goes with it


WANG = {"subjectType": "自然人", "creditCode": ""}


@pytest.mark.parametrize(
    "other",
    [
        {"subjectName": "王大力", **WANG, "facts": "王大力在商铺无证办班"},
        {"subjectName": "王大力", **WANG, "facts": "王大力在商铺无证办班", "docNo": ""},
    ],
    ids=["in one document", "on one day without a number"],
)
def test_somebody_else_whose_name_reads_the_same_stays(work: Work, other: dict[str, str]) -> None:
    one = {"subjectName": "王小明", **WANG, "facts": "王小明在家中无证办班", "docNo": other.get("docNo", "西教罚〔2026〕77号")}
    deliver(
        work,
        {**world(3), "notices": [notice(1), *notices(**one)[1:2], *notices(**TWIN, **{"docNo": "西教罚〔2026〕77号", **other})[1:2]]},
        0,
    )
    first, second = (
        found(work.live_database, "SELECT id FROM notices WHERE facts LIKE ?", f"%{where}%")[0][0] for where in ("家中", "商铺")
    )
    signed(work, first, day=1)
    assert set(forgotten.gone(work.home.history)) == {first}
    assert in_database(work.live_database, [second]) == [second]


@pytest.mark.parametrize("number", ["", "西教罚〔2026〕78号"])
def test_two_decisions_of_one_day_about_one_institution_are_two(work: Work, number: str) -> None:
    more = notices(**TWIN, docNo=number, facts="另一个决定的事实")[1]
    deliver(work, {**world(3), "notices": [*notices(docNo=""), more]}, 0)
    first, second = (
        found(work.live_database, "SELECT id FROM notices WHERE facts LIKE ?", f"%{facts}%")[0][0] for facts in ("其事实", "另一个")
    )
    signed(work, first, day=1)
    assert set(forgotten.gone(work.home.history)) == {first}
    assert in_database(work.live_database, [second]) == [second]


def test_what_its_source_misnumbered_once_takes_nobody_elses_decision(published: tuple[Work, str]) -> None:
    work, identifier = published
    deliver(work, {**world(5), "notices": [*notices(), notice(4, docNo="西教罚〔2026〕77号", subjectName=notice(2)["subjectName"])]}, 3)
    deliver(work, {**world(6), "notices": [*notices(), notice(4, docNo="西教罚〔2026〕79号", subjectName=notice(2)["subjectName"])]}, 4)
    ((other,),) = found(work.live_database, "SELECT id FROM notices WHERE document_no LIKE '%79%'")
    signed(work, other, day=5)
    assert set(forgotten.gone(work.home.history)) == {other}
    deliver(work, {**world(7), "notices": notices()}, 6)
    assert in_database(work.live_database, [identifier, other]) == [identifier]


def test_a_correction_that_would_be_a_withdrawn_decision_is_refused(published: tuple[Work, str]) -> None:
    work, identifier = published
    deliver(work, {**world(5), "notices": [*notices(), notice(4, subjectName=notice(2)["subjectName"])]}, 3)
    ((other,),) = found(work.live_database, "SELECT id FROM notices WHERE document_no LIKE '%〕4号'")
    signed(work, identifier)
    request = Request("correct", other, "更正通知", "张三", "改文号", fields={"document_no": "西教罚〔2026〕77号"})
    with pytest.raises(BadValue, match=f"would be the decision that was withdrawn with {identifier}"):
        amend(on(work, 4), request)
    deliver(work, {**world(6), "notices": [*notices(), notice(4, subjectName=notice(2)["subjectName"])]}, 5)


def test_who_else_goes_is_said_before_the_second_signature(work: Work) -> None:
    deliver(work, {**world(3), "notices": [*notices(), *notices(**TWIN)[1:2]]}, 1)
    one, other = twins(work)
    said: list[str] = []

    class Heard:
        def start(self, label: str, total: int | None) -> None: ...
        def advance(self, amount: int = 1) -> None: ...
        def finish(self) -> None: ...
        def say(self, text: str) -> None:
            said.append(text)

    with pytest.raises(ReviewNeeded):
        withdraw(replace(on(work, 2), progress=Heard()), one, "revoked", WORDS, "张三", "法院撤销了这一决定")
    assert f"{one}: the same decision, and goes with it: {other}" in said


def test_what_is_done_first_is_no_nothing_new(published: tuple[Work, str], monkeypatch: pytest.MonkeyPatch) -> None:
    work, identifier = published
    die_when_signed(work, identifier, monkeypatch)
    assert deliver(work, {**world(4), "notices": notices()}, 2) == Result("released", "2026-11-03.2")
    assert work.home.read_status()["last_run"]["outcome"] == "released"


def test_a_log_that_was_put_back_lets_no_single_step_publish_it(published: tuple[Work, str]) -> None:
    work, identifier = published
    kept = {path: path.read_bytes() for path in work.home.path.glob("audit*")}
    signed(work, identifier)
    for path in work.home.path.glob("audit*"):
        path.write_bytes(kept[path])
    at = on(work, 5)
    made = snapshot(at.home.raw, "platform-again", {**world(9), "notices": notices()}, as_of=at.day.isoformat())
    with pytest.raises(BadHome):
        lay_out(at, judge(at, compare(at, assembled(at, inputs_for(at, {"platform": made})))))


def test_the_proof_does_not_look_for_a_title_that_a_document_of_others_has(published: tuple[Work, str]) -> None:
    work, identifier = published
    batch = notice(4, docTitle=SECRET, docUrl="https://example.org/batch", decidedOn="2026-10-30")
    deliver(work, {**world(4), "notices": [*notices(), batch]}, 3)
    signed(work, identifier, day=4)
    (line,) = nowhere(on(work, 5))
    assert line.startswith(f"{identifier}: revoked, withdrawn 2026-11-05")
    assert found(work.live_database, "SELECT count(*) FROM documents WHERE title = ?", SECRET) == [(1,)]
