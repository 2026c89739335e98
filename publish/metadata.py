"""metadata.yml: what Datasette shows about the data, made from the declarations. Tracked, so that a change of words is seen in review."""

from typing import Any

import orjson

from . import licence
from .catalogue import Catalogue
from .dataset import Table
from .wording import LANGUAGES

HEAD = "# Made by `mingbai metadata` from datasets/*.yml. Change it there.\n"


def metadata(catalogue: Catalogue) -> dict[str, Any]:
    """Datasette's metadata as plain data: both languages in every description, Chinese first."""
    tables: dict[str, Any] = {}
    for dataset in catalogue.datasets.values():
        for name in dataset.tables:
            table = catalogue.tables[name]
            tables[name] = {
                "title": f"{table.label.zh} {table.label.en}",
                "description": f"{dataset.about.zh} {dataset.about.en}",
                "columns": {c.name: f"{c.label.zh}：{c.about.zh} {c.label.en}: {c.about.en}" for c in table.published},
                **_facets(table),
            }
    return {
        "title": "明白 mingbai",
        "description": "校外培训机构白名单、公告和服务评价的开放数据。 Open data on off-campus training: white lists, notices and service ratings.",
        "license": " ".join(licence.own(lang) for lang in LANGUAGES),
        "license_url": "/data#licence",
        "databases": {"mingbai": {"tables": tables}},
    }


def _facets(table: Table) -> dict[str, Any]:
    size = {"size": 50}
    return {**size, "sort": table.key[0]} if len(table.key) == 1 else size


def metadata_text(catalogue: Catalogue) -> str:
    """The whole of metadata.yml. JSON strings are YAML, so every text is quoted and nothing in it can be read as something else."""
    return HEAD + "\n".join(_lines(metadata(catalogue), 0)) + "\n"


def _lines(value: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for key, below in value.items():
        indent = "  " * depth
        if isinstance(below, dict):
            lines.append(f"{indent}{key}:")
            lines.extend(_lines(below, depth + 1))
        else:
            lines.append(f"{indent}{key}: {orjson.dumps(below).decode()}")
    return lines
