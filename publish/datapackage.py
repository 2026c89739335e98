"""datapackage.json: a release's tables for whoever reads them with Frictionless (Data Package 2.0, of which readers of 1.0 understand all they need).

Each table is a resource of its CSV with the schema: types, keys, references, codes. The other forms say the same and are in index.json and in the catalogue
(dcat.py): here they would be read as tables once more, or as nothing. Titles are Chinese; the English stands beside them as `title_en` and `description_en`, which the
specification has no place for.

Two things it cannot say: that an empty cell without quotation marks is unknown and `""` an empty text (both are missing values to its readers), and
that a code is one of the table `codes`, whose key has two parts: the codes stand in `enum`.
"""

from collections.abc import Iterator
from typing import Any

from . import licence
from .citation import NAME
from .columnkinds import SAID, is_given
from .dataset import Column, Table
from .described import Described, File
from .wording import say

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
CSV = "csv"  # the form that tables are described in
VERSION = "version"


def datapackage(it: Described, plain: bool = False) -> dict[str, Any]:
    """The descriptor of the files as they lie in the release, or (`plain`) of the unpacked tables beside it, as in the archive of all of them."""
    package: dict[str, Any] = {
        "$schema": PROFILE,
        "name": "mingbai",
        "id": f"mingbai:{it.release}",
        "title": NAME,
        "description": say("zh", "package.about"),
        "description_en": say("en", "package.about"),
        "version": it.release,
        "created": f"{it.day}T00:00:00Z",
        "keywords": ["校外培训", "白名单", "行政处罚", "off-campus training"],
        "licenses": [
            {"name": "other-at", "title": licence.own("zh"), "title_en": licence.own("en")}
        ],  # "other (attribution)" of the Open Definition
        "licence_terms": licence.terms("zh"),
        "licence_terms_en": licence.terms("en"),
        "contributors": [{"title": NAME, "role": "publisher", "roles": ["publisher"]}],
        "sources": [_source(row) for row in it.sources],
        "resources": list(_resources(it, plain)),
    }
    return {key: value for key, value in package.items() if value != []}


def _source(row: Any) -> dict[str, Any]:
    said = {
        "title": row["label_zh"], "title_en": row["label_en"], "path": row["url"], "version": row["as_of"], "publisher": row["publisher_zh"],
        "publisher_en": row["publisher_en"], "licence": row["licence"], "as_of": row["as_of"],
    }  # fmt: skip
    return {key: value for key, value in said.items() if value is not None}


def _resources(it: Described, plain: bool) -> Iterator[dict[str, Any]]:
    tables = {file.table: file for file in it.files if file.form == CSV and file.table in it.tables and file.plain}
    for name, file in sorted(tables.items(), key=lambda one: list(it.tables).index(str(one[0]))):
        yield _table(it, it.tables[str(name)], file, plain)


def _sum(size: int, sha256: str) -> dict[str, Any]:
    return {"bytes": size, "hash": f"sha256:{sha256}"}


def _table(it: Described, table: Table, file: File, plain: bool) -> dict[str, Any]:
    dataset, (inside, size, sha256) = it.datasets[table.dataset], file.plain or ("", 0, "")
    of = {"path": inside, **_sum(size, sha256)} if plain else {"path": file.name, "compression": "gz", **_sum(file.bytes, file.sha256)}
    return {
        "name": table.name,
        "type": "table",
        "profile": "tabular-data-resource",  # what readers of 1.0 ask for
        **of,
        "title": table.label.zh,
        "title_en": table.label.en,
        "description": dataset.about.zh,
        "description_en": dataset.about.en,
        "dataset": dataset.name,
        **({VERSION: it.versions[dataset.name]} if dataset.name in it.versions else {}),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "header": True},
        **({"rows": file.rows} if file.rows is not None else {}),
        "schema": schema(it, table),
    }


def schema(it: Described, table: Table) -> dict[str, Any]:
    """The Table Schema of a table's CSV."""
    references = [
        {"fields": [column.name], "reference": {"resource": column.ref, "fields": [it.tables[str(column.ref)].key[0]]}}
        for column in table.published
        if column.kind == "ref" and column.ref in it.tables
    ]
    found: dict[str, Any] = {
        "fields": [_field(it, table, column) for column in table.published],
        "primaryKey": list(table.key),
        "missingValues": [""],
        "fieldsMatch": "exact",
    }
    return {**found, "foreignKeys": references} if references else found


def _field(it: Described, table: Table, column: Column) -> dict[str, Any]:
    said, codes = SAID[column.kind], it.codes_of(column)
    limits = {
        "required": is_given(table, column) or None,
        "unique": True if (column.name,) == table.key else None,
        "pattern": f"^{said.pattern}$" if said.pattern and said.type == "string" else None,
        "minimum": said.least if said.type != "boolean" else None,
        "maximum": said.most if said.type != "boolean" else None,
        "enum": [row["code"] for row in codes] or None,
    }
    constraints = {key: value for key, value in limits.items() if value is not None}
    return {
        "name": column.name,
        "type": said.type,
        **(said.more or {}),
        "title": column.label.zh,
        "title_en": column.label.en,
        "description": column.about.zh,
        "description_en": column.about.en,
        "kind": column.kind,
        **({"unit": column.unit} if column.unit else {}),
        **({"codes": column.codes} if column.codes else {}),
        **({"constraints": constraints} if constraints else {}),
        **(
            {"categories": [{"value": row["code"], "label": row["label_zh"], "label_en": row["label_en"]} for row in codes]}
            if codes
            else {}
        ),
    }
