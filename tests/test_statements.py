"""A reply, a dispute and a correction stand beside the notice at once, wherever it is shown, and whatever its source says tomorrow (rule 11)."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner

from fed import items
from making import copied, credit_code, institution, listing, notice, on, query, snapshot, world
from publish import carry
from publish.amend import Request, amend
from publish.audit import entries
from publish.cli import main
from publish.decide import back
from publish.errors import BadHome, BadValue, NotSigned, ReviewNeeded
from publish.nowhere import nowhere
from publish.run import run
from publish.statements import lacks, statements
from publish.web import facts
from publish.web.reader import Reader
from publish.withdraw import withdraw
from publish.work import Result, Work
from unpacked import all_said

SUBJECT = "杭州市西湖区启明2艺术培训中心有限公司"
TITLE = "关于启明2的处罚决定"
REPLY = "我们已退费，联系电话13800001234，校长王小明。"
BESIDE = "SELECT number, kind, said_by, said_on, text, document, fields, recorded_on, settled_on FROM notice_statements ORDER BY notice_id, number"


def notices(*more: Any, **changed: Any) -> list[Any]:
    """The second is new on the second day, and so in the feeds."""
    return [notice(1), notice(2, **{"decidedOn": "2026-10-30", **changed}), notice(3), *more]


def deliver(work: Work, listings: Mapping[str, Any], day: int) -> Result:
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    made = snapshot(folder, f"platform-{day:03d}-{len(list(folder.glob('*')))}", listings, as_of=work.day.isoformat())
    return run(work, {"platform": str(made.folder)})


def known(work: Work, title: str = TITLE) -> str:
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE title = ?", title)
    return str(identifier)


@pytest.fixture(scope="module")
def made(begun: Callable[[], Work]) -> Work:
    work = begun()
    deliver(work, {**world(3), "notices": [notice(1), notice(3)]}, 0)
    deliver(work, {**world(3), "notices": notices()}, 1)
    return work


@pytest.fixture
def published(made: Work, work: Work) -> tuple[Work, str]:
    return copied(made, work), known(made)


def say(work: Work, act: str, identifier: str, day: int = 2, **more: Any) -> Result:
    given = {"document": "西湖区教育局复议受理通知书〔2026〕3号", "by": "张三", "note": "当事人来函", **more}
    return amend(on(work, day), Request(act, identifier, **given))


def reply(work: Work, identifier: str, day: int = 2, **more: Any) -> Result:
    return say(work, "reply", identifier, day, **{"text": REPLY, "said_by": SUBJECT, "said_on": "2026-11-01", **more})


def state(work: Work, identifier: str) -> str:
    ((found,),) = query(work, "SELECT state FROM notices WHERE id = ?", identifier)
    return str(found)


def causes(work: Work, release: int) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(work.home.history)) as connection:
        sql = "SELECT table_name, kind, field, before, after, cause FROM changes WHERE release = ? AND table_name NOT IN ('sources', 'documents') ORDER BY table_name, field"
        return connection.execute(sql, [release]).fetchall()


def feed(work: Work) -> dict[str, Any]:
    (entry,) = [item for item in items(work.home) if "/disputes/" not in item["id"]]
    return entry


def test_a_reply_stands_beside_its_notice_at_once_and_is_screened(published: tuple[Work, str]) -> None:
    work, identifier = published
    assert reply(work, identifier) == Result("released", "2026-11-03")
    ((number, kind, said_by, said_on, text, document, fields, recorded_on, settled_on),) = query(work, BESIDE)
    assert (number, kind, said_by, said_on) == (1, "reply", SUBJECT, "2026-11-01")
    assert text == "我们已退费，联系电话【已隐去电话】，校长王某。"
    assert (document, fields, recorded_on, settled_on) == ("西湖区教育局复议受理通知书〔2026〕3号", None, "2026-11-03", None)
    assert state(work, identifier) == "active", "a reply alone disputes nothing"
    assert "13800001234" not in work.home.audit.read_text("utf-8"), "nor is it written down anywhere else"
    assert causes(work, 3) == [("notice_statements", "add", None, None, None, "dispute")]


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("西湖区启明培训学校", "西湖区启明培训学校"),
        ("王小明", "王某"),
        ("欧阳小明", "欧阳某"),
        ("启明教育集团（法定代表人王小明）", "启明教育集团（法定代表人王某）"),
    ],
)
def test_whom_a_reply_is_from_is_masked_unless_it_is_an_organisation(published: tuple[Work, str], who: str, shown: str) -> None:
    work, identifier = published
    reply(work, identifier, said_by=who, text=f"{who}不服这一决定。")
    ((_, _, said_by, _, text, *_),) = query(work, BESIDE)
    assert said_by == shown
    assert "小明" not in text


def test_a_notice_about_a_person_takes_a_reply_by_the_name_that_is_to_be_hidden(work: Work) -> None:
    deliver(work, {**world(3), "notices": notices(notice(4, title="关于无证办学", subjectName="王小明", subjectType="自然人"))}, 0)
    identifier = known(work, "关于无证办学")
    with pytest.raises(BadValue, match="expected their name as the notice has it"):
        reply(work, identifier, 1, said_by="某某律师事务所", text="王小明不服。")
    reply(work, identifier, 1, said_by="王小明", text="我是王小明，我不服。", document="王小明的来函")
    ((_, _, said_by, _, text, document, *_),) = query(work, BESIDE)
    assert (said_by, text, document) == ("王某", "我是王某，我不服。", "王某的来函")
    say(work, "dispute", identifier, 1, document="王小明复议申请书")
    assert query(work, BESIDE)[1][5] is None, "nobody told us the name to hide in it"
    assert "王小明" not in query(work, "SELECT group_concat(coalesce(text, '') || coalesce(document, '')) FROM notice_statements")[0][0]


def test_a_dispute_is_flagged_until_it_is_settled(published: tuple[Work, str]) -> None:
    work, identifier = published
    say(work, "dispute", identifier)
    assert state(work, identifier) == "disputed"
    assert causes(work, 3) == [
        ("notice_statements", "add", None, None, None, "dispute"),
        ("notices", "change", "state", "active", "disputed", "dispute"),
    ]
    with pytest.raises(BadHome, match="is disputed already"):
        say(work, "dispute", identifier, document="另一份文件")
    say(work, "settle", identifier, 4, document="行政复议决定书维持原决定")
    assert state(work, identifier) == "active"
    assert [(row[1], row[-1]) for row in query(work, BESIDE)] == [("dispute", "2026-11-05")]
    assert {row[-1] for row in causes(work, 4)} == {"dispute"}
    with pytest.raises(BadHome, match="no dispute of ours"):
        say(work, "settle", identifier, 4, document="又一份")
    say(work, "dispute", identifier, 5)
    assert state(work, identifier) == "disputed"


def test_settling_ours_does_not_end_what_the_source_says_is_disputed(work: Work) -> None:
    deliver(work, {**world(3), "notices": notices(state="复议中")}, 0)
    identifier = known(work)
    say(work, "dispute", identifier, 1)
    say(work, "settle", identifier, 1)
    assert state(work, identifier) == "disputed"


def test_a_correction_shows_the_right_value_and_says_which_columns(published: tuple[Work, str]) -> None:
    work, identifier = published
    say(
        work,
        "correct",
        identifier,
        fields={"fine_fen": "2000元", "fine_text": "2000元", "facts": "经查，联系电话13800001234，未增加教学点。"},
    )
    assert query(work, "SELECT fine_fen, fine_text, facts, state FROM notices WHERE id = ?", identifier) == [
        (200_000, "2000元", "经查，联系电话【已隐去电话】，未增加教学点。", "corrected")
    ]
    assert [(row[1], row[6]) for row in query(work, BESIDE)] == [("correction", "facts fine_fen fine_text")]
    assert {row[-1] for row in causes(work, 3)} == {"correction"}
    say(work, "correct", identifier, 3, fields={"fine_fen": "3000元"})
    assert query(work, "SELECT fine_fen, fine_text FROM notices WHERE id = ?", identifier) == [(300_000, "2000元")]
    assert {row[-1] for row in causes(work, 4)} == {"correction"}, "also where its state was corrected before"


def test_a_correction_names_the_texts_that_go_on_saying_what_it_replaced(work: Work) -> None:
    penalty = "2026年10月30日决定，罚款人民币1.85万元。"
    deliver(work, {**world(3), "notices": notices(fineWan="1.85", penaltyContent=penalty, facts="收费18,500元，不是118500元。")}, 0)
    identifier = known(work)

    def warned(day: int, *fields: str) -> list[str]:
        typed = ["--home", str(work.home.path), "--now", on(work, day).now.isoformat(), "correct", identifier]
        typed += [
            "--document",
            "更正通知",
            "--by",
            "张三",
            "--note",
            "来源多写了一位",
            *(part for one in fields for part in ("--field", one)),
        ]
        done = CliRunner().invoke(main, typed)
        assert done.exit_code == 0, done.output
        return [line.partition(f"{identifier}: ")[2] for line in done.output.splitlines() if "goes on saying" in line]

    after = "said before; correct it too where it means the same"
    assert warned(1, "fine_fen=15000元", "decided_on=2026-10-29") == [
        f"facts goes on saying what fine_fen {after}",
        f"penalty_text goes on saying what fine_fen, decided_on {after}",
        printed := f"fine_text goes on saying what fine_fen {after}",
    ]
    assert warned(2, "fine_fen=11850元", "fine_text=1.5万元", "facts=收费118500元", "penalty_text=罚款1.5万元") == []
    assert warned(3, "fine_fen=15000元") == [], "what is printed beside it is right"
    assert warned(4, "fine_fen=16000元") == [f"penalty_text goes on saying what fine_fen {after}", printed]


def test_a_correction_of_the_decision_names_the_penalties_and_measures_that_stand_beside_it(
    published: tuple[Work, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the source's own columns, of which no text says anything, and are not corrected with it."""
    work, identifier = published
    said: list[str] = []
    monkeypatch.setattr(type(work.progress), "say", lambda _, line: said.append(line))
    named = {
        name: [code for (code,) in query(work, f"SELECT {name}_code FROM notice_{part} WHERE notice_id = ? ORDER BY 1", identifier)]
        for name, part in (("penalty", "penalties"), ("measure", "measures"))
    }
    assert named == {"penalty": ["fine"], "measure": ["order_to_correct"]}
    say(work, "correct", identifier, fields={"fine_fen": "2000元"})
    assert not [line for line in said if "as the source gives them" in line]
    say(work, "correct", identifier, fields={"penalty_text": "不予处罚"})
    lines = [line.partition(";")[0] for line in said if "as the source gives them" in line]
    assert lines == [
        f"{identifier}: {part} go on as the source gives them, beside the new penalty_text: {code} ({label})"
        for part, code, label in (("penalties", "fine", "罚款"), ("measures", "order_to_correct", "责令改正"))
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"source_key": "N1"}, "is no column that can be corrected"),
        ({"public_until": "2030-01-01"}, "is no column that can be corrected"),
        ({"state": "有效"}, "mingbai dispute, or mingbai withdraw decides that"),
        ({"nothing": "x"}, "is no column that can be corrected"),
        ({"fine_fen": "2000"}, "whose unit is clear"),
        ({"decided_on": "2026-13-40"}, "a day that exists"),
        ({"violation_type": "没有这种"}, "a spelling of violation_types.csv"),
        ({"region_code": "999999"}, "region_code"),
        ({"kind": ""}, "a notice has a kind"),
        ({"seriousness": "轻微"}, "would no longer be public"),
        ({"decided_on": "2020-01-01"}, "would no longer be public"),
        ({"decided_on": "2026-12-01"}, "would no longer be public"),
        ({"subject_name": "王小明"}, "would be about a person"),
        ({}, "none is given"),
    ],
)
def test_what_no_source_could_say_is_no_correction(published: tuple[Work, str], fields: Mapping[str, str], fault: str) -> None:
    work, identifier = published
    with pytest.raises(BadValue, match=fault):
        say(work, "correct", identifier, fields=fields)
    assert not statements(entries(work.home))
    assert work.live == "2026-11-02"


def test_a_corrected_date_can_end_a_notice_sooner_and_never_later(published: tuple[Work, str]) -> None:
    work, identifier = published
    until = "SELECT public_until FROM notices WHERE id = ?"
    say(work, "correct", identifier, fields={"decided_on": "2025-12-01"})
    assert query(work, until, identifier) == [("2026-12-01",)]
    say(work, "correct", identifier, 3, fields={"decided_on": "2026-11-01"})
    assert query(work, until, identifier) == [("2026-12-01",)]
    deliver(work, {**world(4), "notices": notices()}, 40)
    assert query(work, until, identifier) == [], "and the source, which still has the old date, does not bring it back"
    assert query(work, BESIDE) == []
    fates = work.live_manifest()["accounting"]["notices"]
    assert (fates["published"], fates["over_since"]) == (2, 1)


def test_the_name_of_a_person_stays_hidden_in_what_is_corrected(work: Work) -> None:
    deliver(work, {**world(3), "notices": notices(notice(4, title="关于无证办学", subjectName="王小明", subjectType="自然人"))}, 0)
    identifier = known(work, "关于无证办学")
    with pytest.raises(BadValue, match="give subject_name too"):
        say(work, "correct", identifier, 1, fields={"facts": "王小明在家中授课。"})
    say(
        work,
        "correct",
        identifier,
        1,
        fields={"facts": "王小明在家中授课。", "subject_name": "王小明", "subject_credit_code": credit_code(9)},
    )
    assert query(work, "SELECT subject_name, facts, subject_credit_code, subject_kind FROM notices WHERE id = ?", identifier) == [
        ("王某", "王某在家中授课。", None, "person")
    ]
    assert "王小明" not in work.home.audit.read_text("utf-8")


def test_what_a_notice_is_linked_to_follows_its_correction(published: tuple[Work, str]) -> None:
    work, identifier = published
    linked = "SELECT i.name FROM notice_links k JOIN institutions i ON i.id = k.institution_id WHERE k.notice_id = ?"
    assert query(work, linked, identifier) == [(SUBJECT,)]
    say(work, "correct", identifier, fields={"subject_name": SUBJECT.replace("2", "3")})
    assert query(work, linked, identifier) == [(SUBJECT.replace("2", "3"),)]
    assert {row[-1] for row in causes(work, 3)} == {"correction"}


def everything(work: Work, identifier: str) -> None:
    reply(work, identifier)
    say(work, "correct", identifier, fields={"fine_fen": "2000元", "facts": "未增加教学点。"})
    say(work, "dispute", identifier)


def test_a_source_that_still_has_the_old_row_changes_nothing(published: tuple[Work, str]) -> None:
    work, identifier = published
    everything(work, identifier)
    row = "SELECT * FROM notices WHERE id = ?"
    before, beside = query(work, row, identifier), query(work, BESIDE)
    assert [one[1] for one in beside] == ["reply", "correction", "dispute"]
    assert deliver(work, {**world(4), "notices": notices()}, 4) == Result("released", "2026-11-05")
    assert (query(work, row, identifier), query(work, BESIDE)) == (before, beside)
    assert not [one for one in causes(work, 6) if one[0] in ("notices", "notice_statements")]
    assert deliver(work, {**world(4), "notices": notices()}, 5) == Result("nothing_new", None)


def test_it_does_not_count_as_a_change_by_the_source(work: Work) -> None:
    """A gate that saw it would hold the county: of four notices all are corrected and disputed."""
    deliver(work, {**world(4)}, 0)
    for number in range(1, 5):
        identifier = known(work, f"关于启明{number}的处罚决定")
        say(work, "correct", identifier, 1, fields={"facts": "未增加教学点。", "authority": "西湖区教育局（更正）"})
        say(work, "dispute", identifier, 1)
    assert deliver(work, {**world(5), "notices": world(4)["notices"]}, 2).outcome == "released"
    assert work.live_manifest()["held"] == []
    assert query(work, "SELECT DISTINCT facts, state FROM notices") == [("未增加教学点。", "disputed")]


def test_a_held_region_keeps_what_was_said(work: Work) -> None:
    region = {"areaCode": "330105", "areaName": "拱墅区"}
    size = 40
    whole = {
        "institutions": [institution(n, **(region if n <= 6 else {})) for n in range(1, size + 1)],
        "listings": [listing(n, **(region if n <= 6 else {})) for n in range(1, size + 1)],
        "notices": [notice(n, **(region if n <= 6 else {})) for n in range(1, 201)],
        "ratings": [],
    }
    deliver(work, whole, 0)
    identifier = known(work)
    everything(work, identifier)
    lost = {**whole, "notices": [whole["notices"][0], *whole["notices"][6:]]}
    deliver(work, lost, 3)
    assert [row["region"] for row in work.live_manifest()["held"]] == ["330105"]
    assert [one[1] for one in query(work, BESIDE)] == ["reply", "correction", "dispute"]
    assert query(work, "SELECT fine_fen, state FROM notices WHERE id = ?", identifier) == [(200_000, "disputed")]


def test_going_back_keeps_what_was_said_since(published: tuple[Work, str]) -> None:
    work, identifier = published
    deliver(work, {**world(4), "notices": notices()}, 2)
    everything(work, identifier)
    back(on(work, 4), "2026-11-02", "张三", "名称列错位")
    assert work.live_manifest()["restores"] == "2026-11-02"
    assert [one[1] for one in query(work, BESIDE)] == ["reply", "correction", "dispute"]
    assert query(work, "SELECT fine_fen, state FROM notices WHERE id = ?", identifier) == [(200_000, "disputed")]


def test_a_source_that_now_says_it_is_a_person_ends_what_was_not_masked_for_that(published: tuple[Work, str]) -> None:
    work, identifier = published
    everything(work, identifier)
    deliver(work, {**world(4), "notices": notices(subjectName="王小明", subjectType="自然人")}, 4)
    rows = query(work, BESIDE)
    assert [(row[1], row[5]) for row in rows] == [("dispute", None)]
    assert SUBJECT not in str(query(work, "SELECT * FROM notices WHERE id = ?", identifier))


def test_what_was_entered_and_not_carried_out_is_carried_out_by_the_next_run(
    published: tuple[Work, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, identifier = published

    class Killed(BaseException):
        pass

    def kill(*_: Any) -> Any:
        raise Killed

    monkeypatch.setattr(carry, "at_once", kill)
    with pytest.raises(Killed):
        say(work, "dispute", identifier)
    monkeypatch.undo()
    assert work.live_database is not None
    assert lacks(work.live_database, statements(entries(work.home)), work.catalogue)
    assert deliver(work, {**world(3), "notices": notices()}, 2) == Result("released", "2026-11-03")
    assert state(work, identifier) == "disputed"
    assert {row[-1] for row in causes(work, 3)} == {"dispute"}


def test_the_same_words_are_entered_once(published: tuple[Work, str]) -> None:
    work, identifier = published
    reply(work, identifier)
    assert reply(work, identifier, 3) == Result("nothing_new", None)
    assert len(query(work, BESIDE)) == 1


def test_a_feed_entry_has_it_and_was_updated_by_it(published: tuple[Work, str]) -> None:
    work, identifier = published
    before = feed(work)
    reply(work, identifier)
    say(work, "dispute", identifier, 3)
    after = feed(work)
    assert (after["id"], after["date_published"]) == (before["id"], before["date_published"])
    assert after["date_modified"] == "2026-11-03T16:00:00Z"
    assert f"申辩：{SUBJECT}，2026-11-01：我们已退费，联系电话【已隐去电话】，校长王某。" in after["content_text"]
    assert "异议：2026-11-04 起正在核对" in after["content_text"]
    assert "状态：有异议" in after["content_text"]
    reply(work, identifier, 4, text="再次说明。")
    deliver(work, {**world(4), "notices": notices()}, 6)
    assert feed(work)["date_modified"] == "2026-11-04T16:00:00Z", "the last that was said stays its last change"


def test_nothing_is_said_of_what_readers_do_not_see(published: tuple[Work, str]) -> None:
    work, identifier = published
    with pytest.raises(BadHome, match="no release has shown a notice n-nobody"):
        reply(work, "n-nobody")
    with pytest.raises(NotSigned, match="--by"):
        reply(work, identifier, by="")
    with pytest.raises(NotSigned, match="--note"):
        reply(work, identifier, note=" ")
    for wrong in ({"text": " "}, {"text": "长" * 6_000}, {"said_on": ""}, {"said_on": "2026-11-20"}, {"said_by": "无"}, {"document": "无"}):
        with pytest.raises(BadValue):
            reply(work, identifier, **wrong)
    with pytest.raises(BadHome, match="no longer see"):
        reply(work, identifier, 800)
    reply(work, identifier)
    for name in ("张三", "李四"):
        try:
            withdraw(on(work, 3), identifier, "revoked", "撤销决定书", name, "法院撤销")
        except ReviewNeeded:
            assert name == "张三"
    with pytest.raises(BadHome, match="was withdrawn"):
        reply(work, identifier, 4)
    assert "我们已退费".encode() not in all_said([work.home.releases])
    assert "我们已退费".encode() not in work.home.history.read_bytes()
    assert list(nowhere(on(work, 4)))
    (work.home.releases / "2026-11-03" / "left.txt").write_text(
        REPLY.replace("13800001234", "【已隐去电话】").replace("王小明", "王某"), "utf-8"
    )
    with pytest.raises(BadHome, match="has words of"):
        list(nowhere(on(work, 4)))


def test_a_live_release_from_before_takes_it_too(published: tuple[Work, str]) -> None:
    work, identifier = published
    for file in (work.live_database, work.home.history):
        with closing(sqlite3.connect(str(file))) as connection:
            connection.execute("DROP TABLE notice_statements")
            connection.commit()
    reader = Reader(work.home.releases / str(work.live))
    try:
        shown = facts.notice(reader, identifier)
        assert shown is not None
        assert shown["statements"] == []
        assert [one["replies"] for one in facts.notices(reader, [identifier], "2026-11-03")] == [0]
    finally:
        reader.close()
    reply(work, identifier)
    assert [row[1] for row in query(work, BESIDE)] == ["reply"]


def test_a_clerk_types_it(published: tuple[Work, str], tmp_path: Any) -> None:
    work, identifier = published
    signed = ["--document", "来函〔2026〕3号", "--by", "张三", "--note", "当事人来函"]

    def typed(*words: str, day: int = 2) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--home", str(work.home.path), "--now", on(work, day).now.isoformat(), *words])
        return done.exit_code, done.output

    (tmp_path / "reply.txt").write_text(REPLY, "utf-8")
    code, said = typed("reply", identifier, "--file", str(tmp_path / "reply.txt"), "--from", SUBJECT, "--on", "2026-11-01", *signed)
    assert code == 0, said
    assert f"{identifier}: masked before it was entered: 1 name, 1 phone" in said
    code, said = typed("reply", identifier, "--from", SUBJECT, "--on", "2026-11-01", *signed)
    assert (code, "give the reply with --text or with --file" in said) == (2, True)
    code, said = typed("dispute", identifier, *signed, day=3)
    assert (code, state(work, identifier)) == (0, "disputed"), said
    code, said = typed("dispute", identifier, "--settled", *signed, day=3)
    assert (code, state(work, identifier)) == (0, "active"), said
    code, said = typed("correct", identifier, "--field", "fine_fen=2000元", "--field", "fine_text=2000元", *signed, day=4)
    assert (code, state(work, identifier)) == (0, "corrected"), said
    code, said = typed("correct", identifier, "--field", "fine_fen", *signed, day=4)
    assert (code, "expected COLUMN=VALUE" in said) == (2, True)
    code, said = typed("correct", identifier, "--field", "legal_rep=王小明", *signed, day=4)
    assert (code, "is no column that can be corrected" in said) == (1, True)
    code, said = typed("audit", day=4)
    assert code == 0
    assert "13800001234" not in said


def test_a_run_takes_what_is_in_the_inbox(published: tuple[Work, str]) -> None:
    work, identifier = published
    signed = f"notice: {identifier}\ndocument: 来函〔2026〕3号\nby: 张三\nnote: 当事人来函\n"
    files = {
        "1-reply.yml": f"act: reply\n{signed}text: {REPLY}\nsaid_by: {SUBJECT}\nsaid_on: 2026-11-01\n",
        "2-correct.yml": f"act: correct\n{signed}fields: {{fine_fen: 2000元, fine_text: 2000元}}\n",
        "3-dispute.yml": f"act: dispute\n{signed}",
        "4-unknown.yml": f"act: shout\n{signed}",
        "5-not-theirs.yml": f"act: dispute\n{signed}text: 多余\n",
        "6-nobody.yml": f"act: dispute\n{signed}".replace(identifier, "n-nobody"),
        ".half.yml": "act: rep",
    }
    inbox = work.home.path / "inbox"
    inbox.mkdir()
    for name, text in files.items():
        (inbox / name).write_text(text, "utf-8")
    made = snapshot(work.home.path.parent / "handed-in", "same-again", {**world(3), "notices": notices()}, as_of="2026-11-02")
    typed = ["--home", str(work.home.path), "--now", on(work, 2).now.isoformat(), "run", "--source", f"platform={made.folder}"]
    done = CliRunner().invoke(main, typed)
    assert done.exit_code == 0, done.output
    assert work.live == "2026-11-03", "one release for all of them"
    assert [row[1] for row in query(work, BESIDE)] == ["reply", "correction", "dispute"]
    left = sorted(path.relative_to(inbox).as_posix().replace("20261103T040000-", "") for path in inbox.rglob("*") if path.is_file())
    refused = ["4-unknown", "5-not-theirs", "6-nobody"]
    assert left == [
        ".half.yml", "done/1-reply.yml", "done/2-correct.yml", "done/3-dispute.yml", *(f"refused/{name}.{end}" for name in refused for end in ("txt", "yml"))
    ]  # fmt: skip
    said = [path.read_text("utf-8") for path in sorted((inbox / "refused").glob("*.txt"))]
    for reason, text in zip(
        ("'shout' is none of reply, dispute, settle, correct", "is not a key here", "no release has shown"), said, strict=True
    ):
        assert reason in text
    assert {path.stat().st_mode & 0o777 for path in (inbox / "refused", inbox / "done")} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in inbox.glob("*/*")} == {0o600}
    assert CliRunner().invoke(main, typed).exit_code == 0
    assert len(query(work, BESIDE)) == 3
