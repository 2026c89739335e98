"""What files say, packed or not, by other readers than the libraries that wrote them: for tests of what must be in no file."""

import gzip
import io
import re
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import duckdb
import zstandard

HASH = re.compile(rb"\b[0-9a-f]{64}\b")


@cache
def parquet() -> duckdb.DuckDBPyConnection:
    """Who reads Parquet: to begin takes it longer than a file of a test."""
    return duckdb.connect(config={"threads": 1})


def said(path: Path) -> bytes:
    """The bytes of a file, and behind them what is packed in it. Of hashes, in which any digits can stand, nothing."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data += gzip.decompress(data)
    elif path.suffix == ".zst":
        data += zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    elif path.suffix in (".zip", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            data += b"\n".join(archive.read(name) for name in archive.namelist())
    elif path.suffix == ".parquet":
        data += repr(parquet().execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()).encode()
    return HASH.sub(b"", data)


def all_said(folders: Iterable[Path]) -> bytes:
    """What every file in the folders says; what releases share is one file under several names, and says it once."""
    files = {path.stat().st_ino: path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}
    return b"\n".join(map(said, files.values()))
