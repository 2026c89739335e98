"""Build an index of documents in NDJSON: `building.py DOCUMENTS TARGET WEIGHTS`, by itself so that its memory is the build's alone. $MINGBAI_REPORT gets its seconds of CPU."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from search import Document, build


def documents(path: Path) -> Iterator[Document]:
    with path.open("rb") as lines:
        for line in lines:
            id, kind, title, fields, identifiers, rank, facets = orjson.loads(line)
            yield Document(
                id,
                kind,
                title,
                fields,
                tuple(identifiers),
                rank,
                {name: tuple(value) if isinstance(value, list) else value for name, value in facets.items()},
            )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    began = time.process_time()
    count = sum(1 for _ in documents(source))
    read = time.process_time()
    build(target, documents(source), json.loads(sys.argv[3]))
    Path(os.environ["MINGBAI_REPORT"]).write_text(json.dumps({"documents": count, "seconds": time.process_time() - read - (read - began)}))
