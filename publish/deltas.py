"""Write a release's deltas: what makes the bytes of an earlier release's mingbai.db those of this one's (apply.py), and the same for people.

A delta is NDJSON: a line that says from which bytes to which, a line for each row that differs, by table and key, and a line with the SHA-256 of all
before it. It is the net difference of two files; history only says where to look. What a row said before is in none of them, and of what is taken out
no more than it takes to find it: a correction must not print once more what it corrects. So rows that belong to another row (links, measures,
addresses) are never named to be taken out: all that are left of their parent are put in anew (`parts`). Removals may be of rows that are not there:
whoever has a release from before it was issued anew gets rid of what was withdrawn; the hash at the end decides.

A delta of a release is made from the release before it, and from the last ones that are 1, 7 and 31 days older. `index.json` beside them says which is
which. A delta holds what is public on the day of its release: index.json says when the first of that ends, and holds.json, which is not served, what may
hurt somebody, so that the server can tell later whether all of it is still public.
"""

import csv
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from .catalogue import Catalogue
from .cells import cell
from .errors import BadHome
from .historyfile import number_of
from .home import DELTA_HOLDS, DELTA_INDEX, DELTAS, Home, as_json, release_order, to_read, write_whole
from .net import lines, public, touched
from .release import file_sha256
from .tables import working

FORM = 1  # of the lines; another number is another form, which no client of this one applies
WINDOWS = {"day": 1, "week": 7, "month": 31}
FIELDS = ("release_from", "release_to", "table", "op", "key", "field", "after", "cause")
NOT_YET, UNLIKE, DAMAGED = (
    f"{why}: take the whole release"
    for why in ("no release from before is kept", "the columns changed", "the earlier release is not what its manifest says")
)


def deltas(home: Home, catalogue: Catalogue, part: Path, identifier: str, changes: Path) -> None:
    """Write the deltas of a release in the making, whose folder is `part`; `changes` is what it changes in the live one (diff)."""
    live, day = home.live(), date.fromisoformat(release_order(identifier)[0])
    older = [name for name in home.release_ids() if live and release_order(name) <= release_order(live)]
    bases: dict[str, str | None] = {"previous": live}
    for window, days in WINDOWS.items():
        since = (day - timedelta(days=days)).isoformat()
        bases[window] = next((name for name in reversed(older) if release_order(name)[0] <= since), None)
    _write(home, catalogue, part, identifier, bases, changes)


def anew(home: Home, catalogue: Catalogue, part: Path, identifier: str, previous: str | None) -> None:
    """Write the delta of a release that is issued anew, from the release before it as that is now. Windows are of the newest release only."""
    kept = previous if previous in home.release_ids() else None
    _write(home, catalogue, part, identifier, {"previous": kept}, None)


def hashes(manifest: Mapping[str, Any]) -> list[str]:
    """The SHA-256 of a release's mingbai.db, then those that it had before it was issued anew."""
    before = [note["database"] for note in reversed(manifest.get("reissues", [])) if "database" in note]
    return list(dict.fromkeys((manifest["files"]["mingbai.db"]["sha256"], *before)))


def outdated(home: Home, identifier: str) -> bool:
    """Whether the delta of a release begins with the release before it as that was before it was issued anew."""
    made = read(home.releases / identifier)
    base = made.get("windows", {}).get("previous", {}).get("from")
    if base not in made.get("deltas", {}) or base not in home.release_ids():
        return False
    return bool(made["deltas"][base]["from_sha256"] != hashes(home.manifest(base)))


def read(folder: Path) -> dict[str, Any]:
    """What deltas a release has; {} where it is older than they are, or nobody can say."""
    try:
        found: dict[str, Any] = orjson.loads((folder / DELTAS / DELTA_INDEX).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found


def leads_to(folder: Path) -> dict[str, Any]:
    """What the list of releases says of a release's delta: from which release and bytes to which, and its files."""
    made = read(folder)
    base = made.get("windows", {}).get("previous", {}).get("from")
    if base not in made.get("deltas", {}):
        return {}
    return {"delta": {"to_sha256": made["sha256"], **{name: value for name, value in made["deltas"][base].items() if name != "first_end"}}}


def _write(home: Home, catalogue: Catalogue, part: Path, identifier: str, bases: Mapping[str, str | None], changes: Path | None) -> None:
    folder, to = part / DELTAS, {"release": identifier, "sha256": file_sha256(part / "mingbai.db")}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made: dict[str, Any] = {}
    for base in dict.fromkeys(filter(None, bases.values())):
        made[base] = _delta(home, catalogue, part / "mingbai.db", folder, to, base, changes)
    held = {base: one.pop("holds") for base, one in made.items() if isinstance(one, dict)}
    windows = {
        window: {"from": base} if base and isinstance(made[base], dict) else {"from": base, "none": made[base] if base else NOT_YET}
        for window, base in bases.items()
    }
    index = {**to, "windows": windows, "deltas": {base: one for base, one in made.items() if isinstance(one, dict)}}
    write_whole(folder / DELTA_HOLDS, as_json(held))
    write_whole(folder / DELTA_INDEX, as_json(index))


def _delta(
    home: Home, catalogue: Catalogue, database: Path, folder: Path, to: Mapping[str, str], base: str, changes: Path | None
) -> dict[str, Any] | str:
    """Write one delta in both forms. Returns its entry in the index, or why there is none."""
    old = home.releases / base / "mingbai.db"
    try:
        manifest = home.manifest(base)
        accepted, number = hashes(manifest), number_of(home.history, base)
    except (BadHome, KeyError):  # a release that is damaged or unknown stops no run
        return DAMAGED
    if not old.is_file() or file_sha256(old) != accepted[0]:
        return DAMAGED
    with working(Path(":memory:")) as connection:
        for name, path in {"old": old, "new": database, "history": home.history, "diff": changes}.items():
            if path:
                connection.execute(f"ATTACH ? AS {name}", [to_read(path, for_good=name in ("old", "new"))])
        schemas = [
            connection.all(f"SELECT type, name, sql FROM {side}.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
            for side in ("old", "new")
        ]
        if schemas[0] != schemas[1]:
            return UNLIKE
        there = {name for kind, name, _ in schemas[1] if kind == "table"}
        touched(
            connection,
            number,
            None if changes else number_of(home.history, to["release"]),
            bool(manifest.get("reissues")),
        )
        tables = [catalogue.tables[name] for name in sorted(there & set(catalogue.tables))]
        entry = _files(
            folder / f"from-{base}",
            {"release": base, "sha256": accepted},
            to,
            (line for table in tables for line in lines(connection, table)),
        )
        return {"from": base, "from_sha256": accepted, **entry, **public(connection)}


def _files(path: Path, origin: Mapping[str, Any], to: Mapping[str, str], lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Write both forms. Returns what the index says of them."""
    ndjson, table = (path.with_name(f"{path.name}.{form}") for form in ("ndjson", "csv"))
    number, digest = 0, hashlib.sha256()
    with open(ndjson, "wb") as file, open(table, "w", encoding="utf-8", newline="") as people:
        rows = csv.writer(people)
        rows.writerow(FIELDS)

        def put(line: Mapping[str, Any]) -> None:
            data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
            digest.update(data)
            file.write(data)

        put({"mingbai_delta": FORM, "from": origin, "to": to})
        for line in lines:
            put(line)
            rows.writerows((origin["release"], to["release"], *cells) for cells in _cells(line))
            number += 1
        file.write(orjson.dumps({"lines": number, "sha256": digest.hexdigest()}, option=orjson.OPT_APPEND_NEWLINE))
    forms = {
        form: {"file": name.name, "sha256": file_sha256(name), "size": name.stat().st_size}
        for form, name in (("ndjson", ndjson), ("csv", table))
    }
    return {"lines": number, **forms}


def _cells(line: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """A line as rows of the CSV: one for each field, and one for what says nothing but its key."""
    begin = line["table"], line["op"], " ".join(map(str, line["key"]))
    fields = [(name, value) for row in (line.get("row", line.get("set")), *line.get("rows", ())) if row for name, value in row.items()]
    yield from (tuple(map(cell, (*begin, name, value, line["cause"]))) for name, value in fields or [(None, None)])
