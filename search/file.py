"""One file of named arrays, written whole or not at all and read where it lies (memory-mapped).

Magic, the length and the CRC of a header in JSON, the header, then the arrays, each at a multiple of 8 bytes, whose own CRCs the header has: a bit
that fell over on a disk makes a name vanish, and a search would say that nobody has it. All are checked on opening, which takes 14 ms of CPU for
30 MiB. The bytes are a function of what is handed over. Not SQLite with blobs: arrays that are mapped need no copy, no connection and no lock between threads.
"""

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "mingbai search 6"
MAGIC = b"\x93mingbai search\n"
ALIGNED = 8
Array = NDArray[Any]


def smallest(numbers: Array) -> Array:
    """Numbers from 0 on in as few bytes as the greatest takes."""
    most = int(numbers.max(initial=0))
    return numbers.astype(np.uint8 if most < 1 << 8 else np.uint16 if most < 1 << 16 else np.uint32)


def write_file(path: Path, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write the file. One that is there stays as it was until the new one is complete and on the disk."""
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = [at, array.dtype.str, len(array), zlib.crc32(_padded(array))]
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    header = json.dumps({"format": FORMAT, "about": about, "arrays": places, "size": at}, ensure_ascii=True).encode()
    header += b" " * (-(len(MAGIC) + 16 + len(header)) % ALIGNED)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(MAGIC + len(header).to_bytes(8, "little") + zlib.crc32(header).to_bytes(8, "little") + header)
            for array in arrays.values():
                file.write(_padded(array))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, Array], mmap.mmap]:
    """What the header says, the arrays, and the memory that they lie in. Raises ValueError for anything that `write_file` did not write whole."""
    try:
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a search index ({error}); build it again") from error
    try:
        start = len(MAGIC) + 16
        size = int.from_bytes(memory[len(MAGIC) : len(MAGIC) + 8], "little")
        header = memory[start : start + size]
        if (
            memory[: len(MAGIC)] != MAGIC
            or len(header) != size
            or zlib.crc32(header).to_bytes(8, "little") != memory[len(MAGIC) + 8 : start]
        ):
            raise ValueError("something else, or an older format")
        said = json.loads(header)
        if said["format"] != FORMAT:
            raise ValueError(f"format {said['format']!r}, not {FORMAT!r}")
        if len(memory) != start + size + said["size"]:
            raise ValueError(f"{len(memory)} bytes of {start + size + said['size']}")
        if damaged := _damaged(memory, start + size, said["arrays"]):
            raise ValueError(f"damaged: {', '.join(damaged)}")
        view = memoryview(memory)
        arrays = {
            name: np.frombuffer(view, np.dtype(kind), count, start + size + at) if count else np.empty(0, kind)
            for name, (at, kind, count, _) in said["arrays"].items()
        }
    except ValueError as error:
        memory.close()
        raise ValueError(f"{path}: not a search index ({error}); build it again") from error
    return said["about"], arrays, memory


def _padded(array: Array) -> bytes:
    """The bytes of an array as the file has them."""
    return array.tobytes() + b"\0" * (-array.nbytes % ALIGNED)


def _damaged(memory: mmap.mmap, start: int, places: Mapping[str, tuple[int, str, int, int]]) -> list[str]:
    """The arrays whose bytes are not those that were written."""
    with memoryview(memory) as view:
        ends = [*(start + at for at, *_ in places.values()), len(memory)][1:]
        return [
            name for (name, (at, _, _, crc)), end in zip(places.items(), ends, strict=True) if zlib.crc32(view[start + at : end]) != crc
        ]
