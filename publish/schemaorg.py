"""A release in schema.org's words (Dataset, DataCatalog, DataDownload), which search engines for data read.

Relative to the release's folder, as dcat.py's; the site puts it under its address and into the page /data. Descriptions hold both languages: a dataset has
one description there, and one of less than 50 characters is not taken.
"""

from collections.abc import Sequence
from typing import Any

from . import licence
from .citation import NAME, sentence
from .described import Described, File
from .wording import LANGUAGES, say

CONTEXT = "https://schema.org/"


def data_catalog(it: Described) -> dict[str, Any]:
    """The release as a DataCatalog with its datasets."""
    both = {key: " ".join(say(lang, key) for lang in LANGUAGES) for key in ("cite.all", "package.about")}
    whole = [file for file in it.files if file.dataset is None]
    datasets = [_dataset(it, "./#all", both["cite.all"], both["package.about"], it.release, whole)]
    for name, one in it.datasets.items():
        files = [file for file in it.files if file.dataset == name]
        made = _dataset(it, f"./#{name}", f"{one.label.zh} {one.label.en}", f"{one.about.zh} {one.about.en} {both['package.about']}", it.versions.get(name, it.release), files)  # fmt: skip
        columns = [column for table in it.of(one)[:1] for column in table.published]
        made["variableMeasured"] = [
            {"@type": "PropertyValue", "name": column.name, "description": f"{column.label.zh} {column.label.en}"} for column in columns
        ]
        made["isPartOf"] = {"@id": "./#all"}
        datasets.append(made)
    return {
        "@context": CONTEXT,
        "@type": "DataCatalog",
        "@id": "./",
        "name": NAME,
        "description": both["package.about"],
        "license": _terms(),
        "inLanguage": ["zh", "en"],
        "dataset": datasets,
    }


def _dataset(it: Described, id: str, title: str, about: str, version: str, files: Sequence[File]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": "Dataset",
        "@id": id,
        "name": title,
        "description": about,
        "version": version,
        "datePublished": it.day,
        "license": _terms(),
        "isAccessibleForFree": True,
        "inLanguage": ["zh", "en"],
        "creator": {"@type": "Organization", "name": NAME},
        "spatialCoverage": {"@type": "Country", "name": "China"},
        "citation": sentence(it.release, it.day, "en"),
        "includedInDataCatalog": {"@id": "./"},
        "isBasedOn": [{"@type": "CreativeWork", "name": row["label_zh"], **({"url": row["url"]} if row["url"] else {})} for row in it.sources],
        "distribution": [
            {"@type": "DataDownload", "name": file.name, "contentUrl": file.name, "encodingFormat": file.type, "contentSize": str(file.bytes), "sha256": file.sha256}
            for file in files
        ],
    }  # fmt: skip
    return made


def _terms() -> dict[str, Any]:
    both = (" ".join(said(lang) for lang in LANGUAGES) for said in (licence.own, licence.terms))
    return {"@type": "CreativeWork", "@id": licence.PAGE, **dict(zip(("name", "text"), both, strict=True))}
