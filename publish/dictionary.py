"""The data dictionary for people: as rows for a sheet of a workbook, and as a text in each language (Markdown).

It is made of the declarations, as the page /data is, and of the codes of the release that it is of.
"""

import re
from collections.abc import Iterator

from .dataset import Column, Table
from .described import Described
from .licence import URL, name, terms
from .wording import LANGUAGES, say

FIELDS = ("table", "column", "label", "about", "kind", "unit", "codes", "refers", "key")


def dictionary_rows(it: Described) -> Iterator[list[str]]:
    """The rows of a workbook's dictionary sheet, its heading first: one for each column of each table, then one for each code. All are texts.

    Each row has both languages: a workbook is handed on to whoever reads either.
    """
    yield (
        [_both(f"dictionary.{field}") for field in ("table", "column")]
        + [say(lang, f"dictionary.{field}") for field in ("label", "about") for lang in LANGUAGES]
        + [_both(f"dictionary.{field}") for field in FIELDS[4:]]
    )
    for table in it.tables.values():
        for column in table.published:
            yield [
                table.name, column.name, column.label.zh, column.label.en, column.about.zh, column.about.en, column.kind, column.unit or "", column.codes or "", column.ref or "",
                str(table.key.index(column.name) + 1) if column.name in table.key else "",
            ]  # fmt: skip
    for codes, rows in it.codes.items():
        for row in rows:
            yield [codes, row["code"], row["label_zh"], row["label_en"], *[""] * 7]


def source_rows(it: Described) -> Iterator[list[str]]:
    """The rows of a workbook's sheet of sources, its heading first. All are texts."""
    columns = it.tables["sources"].published if "sources" in it.tables else ()
    yield [f"{column.label.zh} {column.label.en}" for column in columns]
    for row in it.sources:
        yield ["" if row[column.name] is None else str(row[column.name]) for column in columns]


def _both(key: str) -> str:
    return " ".join(say(lang, key) for lang in LANGUAGES)


def markdown(it: Described, lang: str) -> str:
    """The dictionary as a text: what each column of each table means, which codes there are, where the data is from and on which terms."""
    return "\n".join(_lines(it, lang)) + "\n"


def _lines(it: Described, lang: str) -> Iterator[str]:
    def t(key: str, **values: object) -> str:
        return say(lang, f"dictionary.{key}", **values)

    yield f"# {t('title')}"
    yield f"\n{t('of', release=it.release)}"
    for dataset in it.datasets.values():
        version = f" · {say(lang, 'version.is', version=it.versions[dataset.name])}" if dataset.name in it.versions else ""
        yield f"\n## {_text(getattr(dataset.label, lang))}{version}\n"
        yield _text(getattr(dataset.about, lang))
        for table in it.of(dataset):
            yield from _table(table, lang)
    yield f"\n## {t('kinds')}\n"
    yield f"| {t('kind')} | {t('about')} |\n|---|---|"
    for kind in dict.fromkeys(column.kind for table in it.tables.values() for column in table.published):
        yield f"| `{kind}` | {_text(t(f'kind.{kind}'))} |"
    yield f"\n## {t('code_tables')}"
    for codes, rows in it.codes.items():
        yield f"\n### `{codes}`\n\n| {t('code')} | {t('label')} |\n|---|---|"
        yield from (f"| `{row['code']}` | {_text(row[f'label_{lang}'])} |" for row in rows)
    yield f"\n## {t('sources')}\n"
    yield f"| {t('source')} | {t('publisher')} | {t('as_of')} | {t('terms')} |\n|---|---|---|---|"
    for row in it.sources:
        said = (row[f"label_{lang}"] or row["label_zh"], row[f"publisher_{lang}"] or row["publisher_zh"], row["as_of"], row["licence"])
        yield f"| {' | '.join(_text(text) for text in said)} |"
    yield f"\n## {t('licence')}\n\n[{_text(name(lang))}]({URL})\n\n{terms(lang)}"


def _table(table: Table, lang: str) -> Iterator[str]:
    words = [say(lang, f"dictionary.{field}") for field in ("column", "label", "about", "kind")]
    yield f"\n### {_text(getattr(table.label, lang))} `{table.name}`\n"
    key = say(lang, "list.and").join(f"`{column}`" for column in table.key)
    yield f"{say(lang, 'dictionary.key')}{say(lang, 'colon')}{key}\n"
    yield f"| {' | '.join(words)} |\n|---|---|---|---|"
    for column in table.published:
        yield f"| `{column.name}` | {_text(getattr(column.label, lang))} | {_text(getattr(column.about, lang))} | {_kind(column)} |"


def _kind(column: Column) -> str:
    """The kind of a column with its unit, or the table that its values are from."""
    return " ".join(f"`{part}`" for part in (column.kind, column.unit, column.codes, column.ref) if part)


def _text(value: object) -> str:
    """A value as a text in Markdown, in a cell of a table too: what a source wrote makes no mark-up."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~$&])", r"\\\1", " ".join(str("" if value is None else value).split()))
