"""The live release with what people decided of its notices, as a candidate that nothing has to be asked about.

No source is asked and nothing waits: a candidate that waits for a person is made anew by the next run, on the new release.
"""

import shutil
from collections.abc import Collection
from typing import Any

from .audit import entries
from .candidate import Candidate
from .diff import diff
from .restore import without
from .review import Held
from .statements import put_in, statements
from .work import Work


def at_once(work: Work, withdrawn: Collection[str] = ()) -> Candidate:
    """Without the notices that were `withdrawn`, and with every statement that the log has."""
    home, live, manifest = work.home, work.live_database, work.live_manifest()
    assert live is not None
    if home.candidate.is_dir():
        work.progress.say("a candidate was in the making; the next run makes it anew on the new release")
    home.clear_candidate()
    home.candidate.mkdir(mode=0o700, parents=True)
    path = home.candidate / "public.db"
    shutil.copyfile(live, path)
    made = without(path, withdrawn, manifest, work.catalogue, work.day)
    made = put_in(made, statements(entries(home)), work.catalogue, home.base)
    changes = diff(made, live, work.catalogue, home.candidate / "changes.db", withdrawn=withdrawn, progress=work.progress)
    sources: list[dict[str, Any]] = manifest["sources"]
    return Candidate(
        inputs={row["id"]: tuple(snapshot["id"] for snapshot in row["snapshots"]) for row in sources},
        base=work.live,
        recipe=manifest["recipe"],
        contents={row["id"]: row["snapshots"][0]["content_sha256"] for row in sources},
        assembled=made,
        changes=changes,
        guarded=True,
        goes_on=True,
        held=tuple(Held(**row) for row in manifest["held"]),
        unread=manifest["unread"],
        known_issues=manifest.get("known_issues", ()),
    ).save(home)
