"""What /verify says by HTTP of names that nobody has, and of names that somebody has: `listed` or `other_list` of the first is a false match.

Asked by POST, as lists are. Names with a slip in them are such names too: what is meant may be shown, but never said to be listed.
"""

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .labels import Labels
from .queries import neighbours, queries

VERIFY = "/verify.json"
AT_ONCE = 500
SLIPS = ("homophone", "wrong", "missing", "added", "swapped")


def answers(url: str, asked: Sequence[dict[str, str]]) -> list[str]:
    """The status of each answer. Raises HTTPError where the site has no such page."""
    found: list[str] = []
    for start in range(0, len(asked), AT_ONCE):
        body = json.dumps({"queries": asked[start : start + AT_ONCE]}).encode()
        with urlopen(Request(url + VERIFY, body, {"Content-Type": "application/json"}), timeout=600) as answer:
            found += [one["status"] for one in json.load(answer)["answers"]]
    return found


def measure(url: str, home: Path, labels: Labels, count: int = 500) -> None:
    """Print how often a name is said to be listed: those that must not be, and those that are. The last group says whether the others mean something."""
    with closing(sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM institutions UNION SELECT name FROM institution_aliases")}
        rows = connection.execute(
            """SELECT i.name, i.region_code, l.list = 'white' FROM institutions i JOIN listings l ON l.institution_id = i.id
            WHERE i.region_code IS NOT NULL GROUP BY i.id HAVING count(*) = 1 ORDER BY i.id"""
        ).fetchall()
    times = Counter(name for name, _, _ in rows)
    rows = [row for row in rows if times[row[0]] == 1]
    codes = sorted({code for _, code, _ in rows})
    drawn = random.Random(count)
    near = [one for one in neighbours(labels, count * 3) if one.text not in there]
    groups: dict[str, Iterable[dict[str, str]]] = {
        f"another {kind}": [{"name": one.text} for one in near if one.kind == kind] for kind in dict.fromkeys(one.kind for one in near)
    }
    groups["a slip"] = [{"name": one.text} for one in queries(labels, count * 4, kinds=SLIPS) if one.text not in there]
    groups["its name, elsewhere"] = [
        {"name": name, "region": drawn.choice([code for code in codes if code[:2] != region[:2]] or [region])}
        for name, region, _ in drawn.sample(rows, min(count, len(rows)))
    ]
    mine = drawn.sample([row for row in rows if row[2]], min(count, sum(bool(row[2]) for row in rows)))
    groups["its name and region, on a white list"] = [{"name": name, "region": region} for name, region, _ in mine]
    for label, asked in groups.items():
        asked = list(asked)
        try:
            said = Counter(answers(url, asked))
        except HTTPError as error:
            print(f"  {VERIFY}: not served ({error.code})")
            return
        print(
            f"  {VERIFY} of {label}: {len(asked):,}, on a list {(said['listed'] + said['other_list']) / max(len(asked), 1):.3f} {dict(said)}",
            flush=True,
        )
