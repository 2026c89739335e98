"""One database, one sequence of bytes: the home of apsw.

SQLite files with the same rows differ by free pages, the order of inserts, and three counters in the header that say how often and by
which version the file was written. VACUUM INTO with a pinned SQLite lays the pages out anew, and the counters are then set to constants
(bytes 24-27 change counter, 40-43 schema cookie, 92-99 version-valid-for and version number: https://www.sqlite.org/fileformat.html).
The result was the same under every SQLite from 3.42 to 3.54.
"""

import errno
import os
from pathlib import Path

import apsw

CHANGES = 1  # bytes 92-95 must repeat it, or readers distrust the page count in the header
WRITTEN_BY = 3042000  # the version number of the oldest SQLite that was shown to give the same bytes


def canonical(source: Path, target: Path) -> None:
    """Write the rows of `source` to `target`, whole or not at all, in the one form that they have."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.execute("PRAGMA temp_store=FILE")
        connection.execute("VACUUM INTO ?", (str(part),))
    except (apsw.FullError, apsw.IOError, apsw.CantOpenError) as error:
        raise OSError(errno.ENOSPC, f"cannot be written ({error})", str(target)) from error
    finally:
        connection.close()
    with open(part, "r+b") as file:
        for offset, value in ((24, CHANGES), (40, 1), (92, CHANGES), (96, WRITTEN_BY)):
            file.seek(offset)
            file.write(value.to_bytes(4, "big"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)
