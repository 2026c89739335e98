"""The changelog of the datasets as data: which release made which version of a dataset, from which, and why.

One entry for each release and dataset in which something is another, newest first, of the releases that are kept. What was removed
from a release by its re-issue makes no entry, but an entry of such a release says since when it is another.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

Entry = dict[str, Any]
ENTRY = ("release", "day", "dataset", "from", "to", "bump", "pipeline", "reissued_on")
REASON = ("table", "kind", "column", "rows", "codes", "before", "after")


def entries(releases: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """The entries of releases as releases.json has them, oldest first. One from before there were versions has none."""
    found = [
        {
            "release": release["id"], "day": release["released_on"], "dataset": dataset, "from": one["from"], "to": one["version"],
            "bump": one["bump"], "pipeline": release.get("pipeline"), "reissued_on": release.get("reissued_on"), "because": one["because"],
        }
        for release in releases
        for dataset, one in sorted(release.get("versions", {}).items(), reverse=True)
    ]  # fmt: skip
    return found[::-1]


def as_csv(found: Sequence[Entry]) -> bytes:
    """A line for each reason of each entry, in UTF-8: nothing for what is unknown or does not apply, 1 or 0, codes with a space between them."""
    text = StringIO()
    lines = csv.writer(text)
    lines.writerow((*ENTRY, *REASON))
    for entry in found:
        of_entry = [int(value) if isinstance(value, bool) else value for value in map(entry.get, ENTRY)]
        lines.writerows([*of_entry, *(_cell(reason.get(name)) for name in REASON)] for reason in entry["because"])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    return " ".join(value) if isinstance(value, list) else value
