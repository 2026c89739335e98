"""What a release is verified by, as it lies: manifest, sums, signature, and the keys. They say hashes and counts, and nothing of anybody, so that
they are given out of every release that was live, of one that is no longer kept too.
"""

from collections.abc import Collection
from pathlib import Path

from .answer import JSON, OPEN, TEXT, Answer

ADDRESS = r"/data/(?:keys\.json|(?P<release>\d{4}-\d{2}-\d{2}(?:\.[1-9]\d*)?)/(?P<file>manifest\.json|manifest\.json\.minisig|SHA256SUMS))"


def sealed(home: Path, known: Collection[str], release: str = "", file: str = "keys.json") -> Answer | None:
    """A file of a release that is `known`, or of what is left of one, or the keys of all; None where there is none."""
    kept = home / "releases" / release if release in known else home / "chain" / release
    try:
        body = (kept / file if release else home / file).read_bytes()
    except OSError:
        return None
    return Answer(200, body, JSON if file.endswith(".json") else TEXT, OPEN)
