"""The log of decisions: what is entered stays as it was entered, in its place, and says who decided what."""

import os
import resource
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish import audit
from publish.audit import End, Entry, accepted, anchored, append, approvals, entries, refused, signed
from publish.errors import BadHome, NotSigned
from publish.home import Home, as_json

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
OLD, NEW, NEXT = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def enter(home: Home, act: str, by: str = "张三", **about: Any) -> Entry:
    return append(home, act, by, "与来源核对过", about, NOW)


def three(home: Home) -> list[bytes]:
    """The lines of a log of three entries."""
    for name in ("张三", "李四", "王五"):
        enter(home, "approve", name, digest="d1", content={"platform": NEW})
    return home.audit.read_bytes().splitlines(keepends=True)


def test_an_entry_is_a_line_that_names_the_one_before(home: Home) -> None:
    first, second, third = map(orjson.loads, three(home))
    assert (first["previous"], second["previous"], third["previous"]) == ("0" * 64, first["sha256"], second["sha256"])
    assert (first["number"], first["at"], first["act"], first["by"]) == (1, "2026-11-25T04:00:00Z", "approve", "张三")
    assert [entry.by for entry in entries(home)] == ["张三", "李四", "王五"]


def test_a_home_without_a_log_has_no_entries(home: Home) -> None:
    assert (entries(home), approvals(home, "d1"), refused(home), accepted(home)) == ((), (), {}, set())


def test_the_log_is_for_the_staff_alone(home: Home) -> None:
    three(home)
    assert {path.stat().st_mode & 0o777 for path in (home.audit, home.audit_end)} == {0o600}


def again(line: bytes, **changed: str) -> bytes:
    """A line that says something else, with the hash that is right for it."""
    bare = Entry(**{**orjson.loads(line), **changed, "sha256": ""})
    return orjson.dumps({**vars(bare), "sha256": audit._hash(bare)}, option=orjson.OPT_SORT_KEYS) + b"\n"


DAMAGE: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a changed name": (lambda lines: [lines[0], lines[1].replace("李四".encode(), "赵六".encode()), lines[2]], "line 2: is not what was written"),
    "a changed reason": (lambda lines: [lines[0].replace("核对".encode(), "没核对".encode()), *lines[1:]], "line 1: is not what was written"),
    "a line taken out": (lambda lines: [lines[0], lines[2]], "line 2: is entry 3 after"),
    "the first line taken out": (lambda lines: lines[1:], "line 1: is entry 2 after"),
    "two lines the other way about": (lambda lines: [lines[1], lines[0], lines[2]], "line 1: is entry 2 after"),
    "a line twice": (lambda lines: [*lines, lines[2]], "line 4: is entry 3 after"),
    "an empty line": (lambda lines: [lines[0], b"\n", *lines[1:]], "line 2: is not what was written"),
    "a space": (lambda lines: [lines[0].replace(b":", b": ", 1), *lines[1:]], "line 1: is not what was written"),
    "one more key": (lambda lines: [lines[0].replace(b"{", b'{"a":1,', 1), *lines[1:]], "line 1: is not what was written"),
    "no object": (lambda lines: [b"[]\n", *lines[1:]], "line 1: is not what was written"),
    "a torn last line": (lambda lines: [*lines[:2], lines[2][:-20]], "line 3: is torn, and was whole once"),
    "a last line without its end": (lambda lines: [*lines[:2], lines[2][:-1]], "line 3: is torn, and was whole once"),
    "the last line taken out": (lambda lines: lines[:2], "ends with entry 2, and audit.end knows entry 3 .* restore the file"),
    "every line taken out": (lambda lines: [], "ends with entry 0, and audit.end knows entry 3"),
    "another last line": (lambda lines: [*lines[:2], again(lines[2], by="赵六")], "as entry 3, and audit.end knows .* it is another log"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_log_that_is_not_whole_answers_nothing_and_takes_nothing(damage: str, home: Home) -> None:
    change, said = DAMAGE[damage]
    home.audit.write_bytes(b"".join(change(three(home))))
    before = home.audit.read_bytes()
    for ask in (entries, refused, accepted, lambda home: approvals(home, "d1"), lambda home: enter(home, "refuse")):
        with pytest.raises(BadHome, match=said):
            ask(home)
    assert home.audit.read_bytes() == before


def test_a_line_made_anew_with_its_own_hash_breaks_the_chain_after_it(home: Home) -> None:
    lines = three(home)
    home.audit.write_bytes(lines[0] + again(lines[1], by="赵六") + lines[2])
    with pytest.raises(BadHome, match="line 3: is entry 3 after"):
        entries(home)


def test_a_log_that_is_gone_is_not_a_home_without_one(home: Home) -> None:
    three(home)
    home.audit.unlink()
    with pytest.raises(BadHome, match="ends with entry 0"):
        refused(home)


def test_what_a_run_entered_before_it_died_is_no_fault_and_is_anchored_by_the_next(home: Home) -> None:
    lines, end = three(home), home.audit_end.read_bytes()
    fourth = enter(home, "approve", "赵六", digest="d1", content={})
    home.audit_end.write_bytes(end)
    assert entries(home)[-1] == fourth
    assert anchored(home) == End(4, fourth.sha256)
    home.audit.write_bytes(b"".join(lines))
    with pytest.raises(BadHome, match=r"ends with entry 3, and audit.end knows entry 4"):
        entries(home)


def test_a_line_that_was_torn_before_it_was_confirmed_can_be_taken_out(home: Home) -> None:
    lines, end = three(home), home.audit_end.read_bytes()
    enter(home, "approve", "赵六", digest="d1", content={})
    home.audit_end.write_bytes(end)
    home.audit.write_bytes(home.audit.read_bytes()[:-9])
    with pytest.raises(BadHome, match=r"line 4: is torn, so what it says was never confirmed .* take this line out"):
        entries(home)
    home.audit.write_bytes(b"".join(lines))
    assert enter(home, "approve", "赵六", digest="d1", content={}).number == 4


def test_a_home_of_before_the_end_was_written_down_goes_on(home: Home) -> None:
    three(home)
    home.audit_end.unlink()
    assert len(entries(home)) == 3
    assert enter(home, "refuse", digest="d1", content={}).number == 4
    assert orjson.loads(home.audit_end.read_bytes())["number"] == 4


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"number": 3}', b'{"number":"3","sha256":"a"}', b'{"number":0,"sha256":"a"}'])
def test_an_end_that_cannot_be_read_answers_nothing(said: bytes, home: Home) -> None:
    three(home)
    home.audit_end.write_bytes(said)
    with pytest.raises(BadHome, match=r"audit\.end: cannot be read"):
        entries(home)


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_release_knows_where_the_log_ended_also_where_the_file_beside_it_was_made_anew(cut: int, home: Home) -> None:
    lines = three(home)
    went_live(home, End(3, entries(home)[-1].sha256))
    home.audit.write_bytes(b"".join(lines[:cut]))
    home.audit_end.write_bytes(as_json({name: orjson.loads(lines[cut - 1])[name] for name in ("number", "sha256")}))
    with pytest.raises(BadHome, match=r"and (the manifest of release 2026-11-25|audit.end) knows entry 3"):
        entries(home)


def test_the_end_beside_the_log_cannot_be_missing_where_a_release_has_one(home: Home) -> None:
    three(home)
    end = entries(home)[-1]
    went_live(home, End(3, end.sha256))
    home.audit_end.unlink()
    with pytest.raises(BadHome, match=r"audit\.end: is missing, and release 2026-11-25 .* as JSON"):
        entries(home)
    home.audit_end.write_text(f'{{"number": 3, "sha256": "{end.sha256}"}}')
    assert len(entries(home)) == 3


def went_live(home: Home, end: End) -> None:
    """A release whose manifest says where the log ended."""
    folder = home.releases / "2026-11-25"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(as_json({"id": folder.name, "audit": vars(end)}))
    home.current.symlink_to(Path("releases") / folder.name)


@pytest.mark.parametrize(
    ("names", "different"),
    [
        (["张三", "李四"], 2),
        (["张三", "张三　"], 1),
        (["张三", "张 三"], 1),
        (["張偉", "张伟"], 1),
        (["Li Lei", "LI LEI"], 1),
        (["Ｌｉ　Ｌｅｉ", "li lei"], 1),
        (["阿依·古丽", "阿依古丽"], 1),
        (["张三", "张三\u2800", "张\ufffc三", "张三。"], 1),
        (["张瑤", "张瑶"], 1),
        (["张三", "张三丰"], 2),
    ],
)
def test_a_person_counts_once_however_the_name_is_typed(names: list[str], different: int, home: Home) -> None:
    for name in names:
        enter(home, "approve", name, digest="d1", content={})
    assert len(approvals(home, "d1")) == different


def test_an_approval_is_of_one_digest_and_is_over_when_it_was_refused(home: Home) -> None:
    enter(home, "approve", digest="d1", content={})
    assert (approvals(home, "d1"), approvals(home, "d2")) == (("张三",), ())
    enter(home, "refuse", "李四", digest="d1", content={})
    assert approvals(home, "d1") == ()
    enter(home, "live", "王五", digest="d1", release="2026-11-01", instead_of="2026-11-02", content={})
    assert approvals(home, "d1") == ("王五",), "who goes back to a release approves it"


def test_what_was_refused_stays_refused_until_it_is_released(home: Home) -> None:
    entry = enter(home, "refuse", digest="d1", content={"platform": NEW})
    assert refused(home) == {NEW: entry}
    enter(home, "approve", digest="d2", content={"platform": NEW})
    assert refused(home) == {NEW: entry}, "one of two names is not yet a decision"
    enter(home, "release", digest="d2", release="2026-11-25", names=["张三"], content={"platform": NEW})
    assert refused(home) == {}


def test_what_was_gone_back_from_is_refused_once_it_is_carried_out(home: Home) -> None:
    back = enter(home, "live", digest="d3", release="2026-11-01", instead_of="2026-11-02", content={"platform": NEW})
    assert refused(home) == {}
    enter(home, "release", digest="d3", release="2026-11-25", names=["张三"], content={"platform": OLD})
    assert refused(home) == {NEW: back}
    enter(home, "release", digest="d4", release="2026-11-26", names=[], content={"platform": NEXT})
    assert refused(home) == {NEW: back}


def test_a_change_of_a_partition_is_accepted_for_what_the_source_said_then(home: Home) -> None:
    enter(home, "accept", source="platform", table="institutions", region="330106", content={"platform": NEW})
    assert accepted(home) == {("platform", "institutions", "330106", NEW)}


@pytest.mark.parametrize(
    "text",
    ["", " ", "　\t", "张", "张\u200b", "张\u2800", "张\ufffc\ufffc", "张。。", "——", "张★", "张三\u202e", "a" * 61, "·····", "张三\x00"],
)
def test_what_is_no_name_is_not_entered(text: str, home: Home) -> None:
    with pytest.raises(NotSigned, match="--by"):
        enter(home, "approve", text, digest="d1")
    assert not home.audit.exists()


def test_a_reason_has_to_be_given(home: Home) -> None:
    with pytest.raises(NotSigned, match="--reason"):
        append(home, "approve", "张三", " ", {}, NOW)


@given(text=st.text(max_size=100))
def test_a_signature_is_one_line_or_refused(text: str) -> None:
    with suppress(NotSigned):
        line = signed(text, "name")
        assert line.isprintable()
        assert signed(line, "name") == line


@given(reason=st.text(max_size=50), name=st.text(max_size=30))
def test_what_was_entered_is_read_back(reason: str, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    with suppress(NotSigned):
        entry = append(home, "refuse", name, reason, {"digest": "d1", "content": {}}, NOW)
        assert entries(home) == (entry,)


def test_a_full_disk_leaves_the_log_as_it_was(home: Home) -> None:
    three(home)
    before = home.audit.read_bytes()
    child = os.fork()
    if child == 0:  # the limit is for this process and cannot be taken back
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, len(before) + 10))
        try:
            enter(home, "approve", "赵六", digest="d1", content={})
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert home.audit.read_bytes() == before
