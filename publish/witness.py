"""What each manifest says of the other releases and of the keys, so that an older copy of them is convicted by any release that came later.

`issued`: of every release that is kept, and of what is left of others, the hash of its manifest as it is by now. Without it a withdrawn notice is served
for ever by whoever keeps the old folder: that was signed too, and nothing but its new issue says that there is one. `superseded`: those of them
that are issued anew as soon as this release is live, for a withdrawal that it carries out. `keys`: the ids in keys.json, oldest first, with what was revoked.

What is withdrawn from earlier releases alone makes no release: then nothing says so before the next one is signed.

All of it stands in each manifest, and not the root of a tree: 400 releases are 34 kB, `grep` reads it, and no proof has to be fetched from anybody.
A log that everybody sees (transparency) needs to take in the newest manifest's hash alone: it stands for every issue and every key that counts then.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from . import historyfile
from . import keys as known
from .home import LINKS, Home
from .release import file_sha256


def witness(home: Home, due: Collection[str] = ()) -> dict[str, Any]:
    """What a release that is about to be sealed says of all that are there. Those that are `due` are about to be issued anew."""
    keys, made = known.read(home), historyfile.hashes(home.history)
    return {
        # as it was made, where that is known: what lies there may be damaged, and its copies are not
        "issued": {folder.name: made.get(folder.name, (None, None))[1] or file_sha256(folder / LINKS[0]) for folder in links(home)},
        "superseded": sorted(due),
        "keys": [{"id": key.public.id, "revoked": key.revoked["reason"] if key.revoked else None} for key in keys.keys] if keys else [],
    }


def links(home: Home) -> Iterator[Path]:
    """The folders of the releases that are kept, and of what is left of others."""
    kept = home.release_ids()
    yield from (home.releases / name for name in kept)
    found = home.chain.iterdir() if home.chain.is_dir() else ()
    yield from sorted(path for path in found if path.name not in kept and (path / LINKS[0]).is_file())
