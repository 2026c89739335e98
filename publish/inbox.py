"""Statements that clerks put into a watched folder: `inbox/*.yml` with the fields of the commands, taken by `mingbai run` at its start.

A file that was entered goes to inbox/done/, one that cannot be goes to inbox/refused/ with the reason beside it, both under the time at which
they were taken. Both folders are private: the file is as it was written, with what the log has not. A run that dies on the way takes a file
again, and what was entered to the word is not entered twice.
"""

import os
from pathlib import Path

from .amend import Request, enter, shown
from .audit import entries
from .declarations import read
from .errors import Mingbai
from .home import sync, write_whole
from .statements import ACTS
from .work import Result, Work, opened

ALWAYS = ("act", "notice", "document", "by", "note")
BESIDES = {"reply": ("text", "said_by", "said_on"), "correct": ("fields",)}  # as the table calls them: `on` alone is a yes in YAML


def take(work: Work) -> Result | None:
    """Enter every file of the inbox and publish what was entered; None where there was none."""
    files = sorted(path for path in work.home.inbox.glob("*.yml") if path.is_file() and not path.name.startswith("."))
    if not files:
        return None
    with opened(work):
        entries(work.home)  # a log that is not whole is no file's fault
        for path in files:
            try:
                enter(work, request(path))
            except Mingbai as error:
                work.progress.say(f"inbox/{path.name}: refused: {error}")
                moved = _move(work, path, "refused")
                write_whole(moved.with_suffix(".txt"), f"{error}\n".encode("utf-8", "backslashreplace"), 0o600)
            else:
                work.progress.say(f"inbox/{path.name}: entered")
                _move(work, path, "done")
    return shown(work)


def request(path: Path) -> Request:
    """What a file asks for. Raises BadDeclaration naming the key that is wrong."""
    node = read(path)
    act = node.choice("act", ACTS)
    node.only(*ALWAYS, *BESIDES.get(act, ()))
    notice, document, by, note = (node.text(key) for key in ALWAYS[1:])
    text, said_by, said_on = (node.text(key) for key in BESIDES["reply"]) if act == "reply" else ("", "", "")
    fields = node.node("fields") if act == "correct" else None
    given = {name: fields.text(name) for name in fields.data} if fields else {}
    return Request(act, notice, document, by, note, text, said_by, said_on, given)


def _move(work: Work, path: Path, name: str) -> Path:
    folder = work.home.inbox / name
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{work.now:%Y%m%dT%H%M%S}-{path.name}"
    os.replace(path, target)
    os.chmod(target, 0o600)
    sync(folder)
    return target
