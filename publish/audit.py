"""The log of what people decided: who, why, about what, in the order in which it was decided.

`audit.jsonl` holds one entry a line and is only ever added to. Each entry carries the SHA-256 of the one before it, so that a line that was
changed, taken out or put in between is found by whoever reads the log. Where it ends is written down outside it: in `audit.end` after each
entry, and in the manifest of each release, which has copies everywhere. A log that has more than its end says is one of a run that died
between the two; one that has less was cut off. A log that is not whole answers nothing: what was refused must not look as if nobody had. It
is private: staff sign with their names. A name here is what somebody typed and proves nothing about who sat at the keyboard.

`about`, by act:

- `approve`: `digest`, `content`.
- `refuse`: `digest`, `content`.
- `accept`: `source`, `table`, `region`, `content`.
- `live`: `digest`, `release`, `instead_of`, `content`: what was gone back from.
- `release`: `release`, `digest`, `names` (who approved it), `content`, `losses`: where those who approved it were shown that something is lost,
  as source, table and region (null: the whole of the table). Without `losses` it is all: it goes back, or is of before that was entered. `signed_by`:
  the key that signs it, null where none does.
- `withdraw`: `notice`, `reason` (a class), `document`, `on` (the day in China), `numbered`, `dated` and `codes` (withdrawals.Decision).
- `reply`, `dispute`, `settle`, `correct`: `notice`, `document`, `on`, `subject_kind`; `reply` also `text`, `said_by`, `said_on`, `correct` `given`
  (columns) and `values`; all of it as it is published.
- `key`: `what` (new, rotate, lost, revoke as leaked, revoke as lost), `key`, and the key that it is replaced `by`.

`content` is by source the content_sha256 of its newest snapshot, where that is not what was live before.
"""

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from .errors import BadHome, NotSigned
from .home import Home, as_json, release_order, sync, write_whole
from .samename import person_key

ACTS = ("approve", "refuse", "accept", "live", "release", "withdraw", "reply", "dispute", "settle", "correct", "key")
FIRST = "0" * 64  # what the first entry follows
LONGEST = {"name": 60, "reason": 2000, "note": 2000, "document": 500}
ITSELF = "mingbai"  # signs a release; who approved it stands in `names`


@dataclass(frozen=True)
class Entry:
    """One decision. `sha256` is over everything else in it, `previous` included."""

    number: int
    at: str
    act: str
    by: str
    reason: str
    about: Mapping[str, Any]
    previous: str
    sha256: str


@dataclass(frozen=True)
class End:
    """The newest entry of the log at some time, by its number and hash. It names nobody and may be public."""

    number: int
    sha256: str


def entries(home: Home) -> tuple[Entry, ...]:
    """Every entry, oldest first. Raises BadHome naming the first line that is not what was written, or does not follow the one before, and
    when the log does not have the end that was written down for it."""
    ends = _ends(home)  # before the log: who reads while somebody decides finds more than the end says, never less
    data = home.audit.read_bytes() if home.audit.exists() else b""
    found: list[Entry] = []
    previous = FIRST
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        entry = _read(line)
        if entry is None or (entry.number, entry.previous) != (number, previous):
            confirmed = number <= max((end.number for end in ends.values()), default=0)
            raise BadHome(f"{home.audit}: line {number}: {_fault(line, entry, number, confirmed)}")
        found.append(entry)
        previous = entry.sha256
    for where, end in ends.items():
        if end.number > len(found):
            what = f"ends with entry {len(found)}, and {where} knows entry {end.number} ({end.sha256[:12]}): its end was cut off"
        elif found[end.number - 1].sha256 != end.sha256:
            what = f"has {found[end.number - 1].sha256[:12]} as entry {end.number}, and {where} knows {end.sha256[:12]}: it is another log"
        else:
            continue
        raise BadHome(f"{home.audit}: {what}; restore the file from the newest copy")
    return tuple(found)


def anchored(home: Home) -> End | None:
    """Where the log ends, written down beside it; None where it has no entry. The caller holds the home's lock.

    A run that died may have entered something and not got that far: what is about to count on the log's end asks here.
    """
    found = entries(home)
    if not found:
        return None
    end = End(found[-1].number, found[-1].sha256)
    if not home.audit_end.is_file() or home.audit_end.read_bytes() != as_json(vars(end)):
        write_whole(home.audit_end, as_json(vars(end)), 0o600)
    return end


def append(home: Home, act: str, by: str, reason: str, about: Mapping[str, Any], now: datetime) -> Entry:
    """Enter a decision; it is on the disk when this returns. The caller holds the home's lock.

    Raises NotSigned when name or reason cannot be one, BadHome when the log is not whole: nothing is added to what is in doubt.
    """
    if act not in ACTS:
        raise ValueError(f"{act!r} is no act; expected one of {', '.join(ACTS)}")
    before = entries(home)
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bare = Entry(len(before) + 1, at, act, signed(by, "name"), signed(reason, "reason"), about, before[-1].sha256 if before else FIRST, "")
    entry = Entry(**{**vars(bare), "sha256": _hash(bare)})
    handle = os.open(home.audit, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    size = os.fstat(handle).st_size
    try:
        line = _line(vars(entry))
        if os.write(handle, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(home.audit))
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)  # a full disk leaves no half of a line behind
        raise
    finally:
        os.close(handle)
    sync(home.path)
    anchored(home)
    return entry


def signed(text: str, what: str) -> str:
    """A `name`, a `reason`, a `note` or a `document` as it is entered, one line. Raises NotSigned when it says nothing, is too long or holds what cannot be seen."""
    text = " ".join(text.split())
    if len(person_key(text)) < 2 or len(text) > LONGEST[what] or not text.isprintable():
        raise NotSigned(
            f"--{'by' if what == 'name' else what} {text[:80]!r}: expected a {what} of 2 to {LONGEST[what]} characters that can be seen"
        )
    return text


def approvals(home: Home, digest: str) -> tuple[str, ...]:
    """The different people who approved the candidate of this digest since it was last refused, first come first."""
    names: dict[str, str] = {}
    for entry in entries(home):
        if entry.about.get("digest") == digest:
            if entry.act == "refuse":
                names.clear()
            elif entry.act in ("approve", "live"):
                names.setdefault(person_key(entry.by), entry.by)
    return tuple(names.values())


def refused(home: Home) -> Mapping[str, Entry]:
    """By content_sha256 of a snapshot: who refused it, or went back from it. What was released since, by people's leave, is not in it."""
    found: dict[str, Entry] = {}
    back: dict[str, Entry] = {}
    for entry in entries(home):
        if entry.act == "refuse":
            found |= dict.fromkeys(entry.about["content"].values(), entry)
        elif entry.act == "live":
            back[entry.about["digest"]] = entry  # one that was never carried out left what is live in its place
        elif entry.act == "release":
            for content in entry.about["content"].values():
                found.pop(content, None)
            if gone := back.get(entry.about["digest"]):
                found |= dict.fromkeys(gone.about["content"].values(), gone)
    return found


def accepted(home: Home) -> set[tuple[str, str, str, str]]:
    """(source, table, region, content_sha256) of each change of a partition that somebody has accepted."""
    return {
        (entry.about["source"], entry.about["table"], entry.about["region"], content)
        for entry in entries(home)
        if entry.act == "accept"
        for content in entry.about["content"].values()
    }


def cut_off(home: Home, found: Sequence[Entry]) -> list[str]:
    """Releases that went live after the first that is in the log and are not in it: where manifests do not say yet
    where the log ended, this alone shows that its end is missing."""
    known = [str(entry.about["release"]) for entry in found if entry.act == "release"]
    first = min(map(release_order, known), default=None)
    return [name for name in home.release_ids() if name not in known and first is not None and release_order(name) > first]


def _ends(home: Home) -> dict[str, End]:
    """Where the log has to go on at least to, by who says so. A home of before this was written down has neither.

    Raises BadHome where only the one beside the log is missing: without it the decisions since the last release could be cut off.
    """
    ends: dict[str, End] = {}
    live = home.live()
    if live and (released := home.manifest(live).get("audit")):
        ends[f"the manifest of release {live}"] = End(**released)
    if home.audit_end.is_file():
        ends[home.audit_end.name] = _end(home.audit_end)
    if ends and home.audit_end.name not in ends:
        raise BadHome(
            f"{home.audit_end}: is missing, and release {live} was made after it; restore it, or write number and sha256 of the log's last entry into it, as JSON, where you know that nothing is missing there"
        )
    return ends


def _end(path: Path) -> End:
    try:
        end = End(**orjson.loads(path.read_bytes()))
        if isinstance(end.number, int) and end.number > 0:
            return end
        raise TypeError(f"number {end.number!r}")
    except (orjson.JSONDecodeError, TypeError) as error:
        raise BadHome(f"{path}: cannot be read ({error}), expected number and sha256 of an entry; restore it from a copy") from error


def _line(values: Mapping[str, Any]) -> bytes:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _hash(entry: Entry) -> str:
    return hashlib.sha256(_line({name: value for name, value in vars(entry).items() if name != "sha256"})).hexdigest()


def _read(line: bytes) -> Entry | None:
    """The entry that a line is, None where it is not to the byte what was written."""
    try:
        entry = Entry(**orjson.loads(line))
        return entry if _line(vars(entry)) == line and _hash(entry) == entry.sha256 else None
    except (orjson.JSONDecodeError, TypeError):
        return None


def _fault(line: bytes, entry: Entry | None, number: int, confirmed: bool) -> str:
    if not line.endswith(b"\n") and confirmed:
        return "is torn, and was whole once; restore the file from the newest copy"
    if not line.endswith(b"\n"):
        return "is torn, so what it says was never confirmed to anybody; keep a copy of the file, take this line out and decide again"
    if entry is None:
        return "is not what was written; restore the file from a copy that `mingbai audit` finds whole"
    return (
        f"is entry {entry.number} after {entry.previous[:12]}, expected entry {number} after the line above; restore the file from a copy"
    )
