"""csvw.json: the same tables in the W3C's CSV on the Web metadata, beside the CSV files that it names.

It names each table as it is without its packing (institutions.csv): that is what is served under that name, what is in the archive of all tables, and
all that the recommendation knows. Titles are by language; the one without a language is what stands in the head of the file, so that a strict reader
finds file and description compatible. A reference that may be empty is none there (a validator that keeps to the letter looks for the row of an empty cell):
those are in datapackage.json alone.
"""

from typing import Any

from . import licence
from .citation import NAME
from .columnkinds import SAID, is_given
from .datapackage import CSV
from .dataset import Column, Table
from .described import Described
from .wording import LANGUAGES, say


def csvw(it: Described) -> dict[str, Any]:
    """A table group of the tables that there is a CSV of."""
    paths = {str(file.table): file.plain[0] for file in it.files if file.form == CSV and file.plain}
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "dc:title": _words({lang: say(lang, "cite.all") for lang in LANGUAGES}),
        "dc:description": _words({lang: say(lang, "package.about") for lang in LANGUAGES}),
        "dc:publisher": NAME,
        "dc:issued": {"@value": it.day, "@type": "xsd:date"},
        "dc:rights": _words({lang: licence.terms(lang) for lang in LANGUAGES}),
        "dc:identifier": it.release,
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "quoteChar": '"', "doubleQuote": True},
        "tables": [_table(it, table, paths) for name, table in it.tables.items() if name in paths],
    }


def _words(words: dict[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": lang} for lang, text in words.items()]


def _table(it: Described, table: Table, paths: dict[str, str]) -> dict[str, Any]:
    references = [
        {"columnReference": column.name, "reference": {"resource": paths[column.ref], "columnReference": it.tables[column.ref].key[0]}}
        for column in table.published
        if column.kind == "ref" and column.ref in paths and is_given(table, column)
    ]
    schema = {
        "columns": [_column(table, column) for column in table.published],
        "primaryKey": list(table.key),
        **({"foreignKeys": references} if references else {}),
    }
    dataset = it.datasets[table.dataset]
    return {
        "url": paths[table.name],
        "dc:title": _words(vars(table.label)),
        "dc:description": _words(vars(dataset.about)),
        **({"schema:version": it.versions[dataset.name]} if dataset.name in it.versions else {}),
        "tableSchema": schema,
    }


def _column(table: Table, column: Column) -> dict[str, Any]:
    said = SAID[column.kind]
    datatype: dict[str, Any] = {"base": said.base}
    if said.base == "boolean":
        datatype["format"] = "1|0"
    elif said.pattern and said.base == "string":
        datatype["format"] = f"^{said.pattern}$"
    datatype |= {
        key: value for key, value in (("minimum", said.least), ("maximum", said.most)) if value is not None and said.base != "boolean"
    }
    return {
        "name": column.name,
        "titles": {"und": column.name, **vars(column.label)},
        "dc:description": _words(vars(column.about)),
        "datatype": datatype if len(datatype) > 1 else said.base,
        "null": "",
        **({"required": True} if is_given(table, column) else {}),
    }
