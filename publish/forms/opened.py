"""What is inside a file of one of our forms, for whoever looks for words in it."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from .form import PACKINGS
from .packed import unpacked

_PACKING = {packing.suffix: packing.name for packing in PACKINGS.values()}


def insides(path: Path) -> Iterator[Any]:
    """Files for reading: what is packed in this one, its entries, or the texts of its columns; nothing of a file that is none of these."""
    if path.suffix in _PACKING:
        with open(path, "rb") as file:
            yield unpacked(_PACKING[path.suffix], file)
    elif path.suffix in (".zip", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    yield file
    elif path.suffix == ".parquet":
        with parquet.ParquetFile(path) as found:
            for batch in found.iter_batches(1 << 14):
                yield BytesIO(b"".join(_texts(values) for values in batch.columns))


def _texts(values: pa.Array) -> bytes:
    return "\n".join(filter(None, values.to_pylist())).encode() if pa.types.is_string(values.type) else b""
