"""Deltas as they may be given out today: of the live release while nothing in them has ended, of an earlier one while all of it is still public (rules 5, 6).

A delta is one file with one hash, of which nothing can be left out. So whether it goes out is asked of what stands beside it: index.json says when the
first of it ends, and holds.json what may hurt somebody, which the live release must still say (holding.py). A release with a text that is hidden today gives none.
What cannot be read goes nowhere.
"""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..home import DELTA_HOLDS, DELTA_INDEX, DELTAS
from ..wording import LANGUAGES, say
from .answer import TEXT, Answer, as_json, file_answer
from .archive import identity_of
from .holding import RETRY_SECONDS, UNREADABLE, sealed, still
from .past import hidden_since, past_file
from .reader import Reader
from .terms import over

WINDOWS = ("day", "week", "month")
ADDRESS = r"/deltas/(?P<which>day|week|month|\d{4}-\d{2}-\d{2}(\.[1-9]\d*)?)\.(?P<form>ndjson|csv)"
log = logging.getLogger(__name__)


def _in_words(status: int, what: str, *headers: tuple[str, str]) -> Answer:
    text = "\n".join(say(lang, what) for lang in LANGUAGES)
    return Answer(status, text.encode(), TEXT, (("cache-control", "no-store"), *headers))


def _ended() -> Answer:
    return _in_words(503, "delta.ended", ("retry-after", str(RETRY_SECONDS)))


def _index(folder: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads((folder / DELTAS / DELTA_INDEX).read_bytes())
    return found


def delta(live: Reader, which: str, form: str, today: str, releases: Path) -> Answer | None:
    """The answer for a window of the live release, or for the delta that leads to a release; None where there is none."""
    own = which in WINDOWS or which == live.id
    folder = live.folder if own else releases / which
    try:
        made = _index(folder)
        base = made["windows"][which if which in WINDOWS else "previous"]["from"]
        entry = made["deltas"].get(base)
        if entry is None:
            return _in_words(404, "delta.none")
        path = folder / DELTAS / str(entry[form]["file"])
        if not _may(live, folder, base, entry, today):
            return _ended() if own else _in_words(410, "delta.gone")
        answer = file_answer(path, f'"{entry[form]["sha256"][:32]}"')
        if answer is not None and not own and hashlib.sha256(answer.body).hexdigest() != entry[form]["sha256"]:
            return _ended()  # of another issue than what it was judged by
        return answer
    except FileNotFoundError:
        return None
    except UNREADABLE:
        log.exception("a delta cannot be judged")  # then nobody knows what may be shown
        return _ended()


def _may(live: Reader, folder: Path, base: str, entry: Mapping[str, Any], today: str) -> bool:
    """Whether a delta in a release's folder, from `base`, may be given out. Raises what is in UNREADABLE where nobody can say."""
    if folder == live.folder:
        return entry["first_end"] is None or not over(entry["first_end"], today)
    return not hidden_since(live, folder) and still(live, today, sealed(folder, f"{DELTAS}/{DELTA_HOLDS}")[base])


def _given(live: Reader, folder: Path, window: str, today: str) -> bool:
    """The same of the delta in a release's folder for a window; False where it cannot be said."""
    try:
        made = _index(folder)
        base = made["windows"][window]["from"]
        return _may(live, folder, base, made["deltas"][base], today)
    except UNREADABLE:
        return False


def index(live: Reader, home: Path, today: str) -> Answer:
    """Which deltas there are: the windows of the live release, and the chain of those of the releases that are kept. `is_given` says of each
    whether it may be given out today: a chain is whole only as far back as all are."""
    try:
        made = _index(live.folder)
        windows = {
            window: _entry(
                said, made["deltas"], f"/deltas/{live.id if window == 'previous' else window}", _given(live, live.folder, window, today)
            )
            for window, said in made["windows"].items()
        }
    except FileNotFoundError:
        windows = {}
    path = home / "releases.json"
    rows = orjson.loads(path.read_bytes())["releases"] if path.is_file() else []
    with_delta = [row for row in rows if row.get("delta")]
    by = identity_of(past_file(live))  # it is made again when other code hides
    given = live.once(
        today,
        f"deltas given {by}",
        lambda: {row["id"] for row in with_delta if _given(live, home / "releases" / row["id"], "previous", today)},
    )
    chain = [
        {
            "id": row["id"],
            "released_on": row["released_on"],
            "delta": _addressed(row["delta"], f"/deltas/{row['id']}", row["id"] in given) if row.get("delta") else None,
        }
        for row in rows
    ]
    sha256 = live.manifest.get("files", {}).get("mingbai.db", {}).get("sha256")
    return as_json({"release": live.id, "sha256": sha256, "windows": windows, "releases": chain})


def _entry(said: Mapping[str, Any], deltas: Mapping[str, Any], address: str, is_given: bool) -> Mapping[str, Any]:
    found = deltas.get(said["from"])
    return said if found is None else _addressed(found, address, is_given)


def _addressed(found: Mapping[str, Any], address: str, is_given: bool) -> dict[str, Any]:
    """An entry with the addresses of its files in place of their names."""
    forms = {form: {**found[form], "address": f"{address}.{form}"} for form in ("ndjson", "csv")}
    for one in forms.values():
        del one["file"]
    return {**found, "is_given": is_given, **forms}
