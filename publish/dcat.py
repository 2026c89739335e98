"""A release as a DCAT-AP 3 catalogue: a dataset for all of it and one for each of ours, with a distribution for each file.

Everything is relative to the release's folder, whose site is not known here; the site puts it under its address and makes the catalogue of all releases of
the same nodes (publish/web). Classes are said of everything that is named, as the profile's shapes ask, since no vocabulary is fetched to know it. The
profile's own vocabularies are those of the EU's publications office (languages, themes, file types).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from . import licence
from .citation import NAME
from .dataset import Dataset
from .described import Described, File
from .forms import FORMS, PACKINGS
from .linked import Node, placed, reached, texts
from .wording import LANGUAGES, say

PUBLISHER = "../../#publisher"  # one for all releases of a site: two folders up is its root
ALL = "./#all"  # the dataset that is the whole release
RIGHTS = "./#rights"  # what the sources ask for
SHA256 = "spdx:checksumAlgorithm_sha256"
EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"
LANGUAGE_IDS = {"zh": f"{EU}language/ZHO", "en": f"{EU}language/ENG"}
THEMES = (f"{EU}data-theme/EDUC", f"{EU}data-theme/JUST")
THEME_SCHEME = f"{EU}data-theme"
CHINA, PUBLIC = f"{EU}country/CHN", f"{EU}access-right/PUBLIC"
IRREGULAR = f"{EU}frequency/IRREG"  # of the series: there is a release when a source has something new. One release is never updated, but issued anew
FILE_TYPES = {  # the publications office's word for a form; it has none for SQLite and NDJSON
    "csv": "CSV", "spreadsheet": "CSV", "parquet": "PARQUET", "xlsx": "XLSX", "zip": "ZIP",
}  # fmt: skip
SQLITE, ZIP = "application/vnd.sqlite3", "application/zip"
KEYWORDS = {
    "zh": ("校外培训", "白名单", "行政处罚", "预收费监管"),
    "en": ("off-campus training", "white list", "penalties", "prepaid fees"),
}


def release_nodes(it: Described) -> list[Node]:
    """The nodes of a release: its catalogue, its datasets, their distributions, and all that is named."""
    datasets = [ALL, *(f"./#{name}" for name in it.datasets)]
    catalogue = {
        "@id": "./",
        "@type": "dcat:Catalog",
        "dcterms:title": texts({lang: say(lang, "catalogue.release", release=it.release) for lang in LANGUAGES}),
        "dcterms:description": texts({lang: say(lang, "package.about") for lang in LANGUAGES}),
        "dcterms:issued": _date(it.day),
        **common(),
        "dcat:themeTaxonomy": {"@id": THEME_SCHEME},
        "dcat:dataset": [{"@id": id} for id in datasets],
    }
    asked = {lang: " ".join(say(lang, "catalogue.rights", source=row[f"label_{lang}"] or row["label_zh"], terms=row["licence"] or say(lang, "unknown")) for row in it.sources) for lang in LANGUAGES}  # fmt: skip
    return [catalogue, *_datasets(it), *named(it.files), {"@id": RIGHTS, "@type": "dcterms:RightsStatement", "rdfs:label": texts(asked)}]


def site_nodes(root: str, releases: Sequence[tuple[str, str, Sequence[Node]]]) -> list[Node]:
    """The catalogue of a site, whose address is `root`: each release that is kept (id, day, its own nodes, or none), oldest first.

    Of the newest its datasets are there one by one, of each release the whole with the files that it is in. They are versions of one thing, a series.
    """
    series, found = f"{root}/catalog#releases", dict[str, Node]()
    title = {lang: say(lang, "cite.all") for lang in LANGUAGES}
    about = {lang: say(lang, "package.about") for lang in LANGUAGES}
    datasets: list[str] = []
    for place, (id, day, nodes) in enumerate(releases):
        base, is_last = f"{root}/data/{id}/", place == len(releases) - 1
        made: dict[str, Any] = {**next((node for node in nodes if node["@id"] == ALL), _bare(id, day))}
        if not is_last:
            made.pop("dcterms:hasPart", None)
        page = f"{root}/data?as_of={id}"
        made |= {"dcat:inSeries": {"@id": series}, "dcat:landingPage": {"@id": page}}
        if place:
            made["dcat:prev"] = {"@id": f"{root}/data/{releases[place - 1][0]}/#all"}
        # what an earlier release leads to is a handful of hundreds of nodes: only that is put under its address
        own = placed(reached([made, *(node for node in nodes if node["@id"] != ALL), *named(())], ALL), base)
        for node in own:
            found.setdefault(node["@id"], node)
        found.setdefault(page, {"@id": page, "@type": "foaf:Document"})
        datasets += [
            f"{base}#all",
            *([f"{base}{one['@id'].removeprefix('./')}" for one in made.get("dcterms:hasPart", [])] if is_last else []),
        ]
    days = [day for _, day, _ in releases]
    said = {
        "dcterms:title": texts(title),
        "dcterms:description": texts(about),
        "dcterms:issued": _date(days[0]),
    }
    ends = {"dcat:first": {"@id": datasets[0]}, "dcat:last": {"@id": f"{root}/data/{releases[-1][0]}/#all"}}
    of_site = placed(common(), f"{root}/x/x/")
    service = {
        "@id": f"{root}/openapi.json#service",
        "@type": "dcat:DataService",
        "dcterms:title": texts({lang: say(lang, "api.about") for lang in LANGUAGES}),
        "dcat:endpointURL": {"@id": f"{root}/"},
        "dcat:endpointDescription": {"@id": f"{root}/openapi.json"},
        "dcterms:license": of_site["dcterms:license"],
    }
    catalogue = {"@id": f"{root}/catalog", "@type": "dcat:Catalog", **said, **of_site, "dcat:themeTaxonomy": {"@id": THEME_SCHEME}, "dcat:dataset": [{"@id": id} for id in (series, *datasets)], "dcat:service": {"@id": service["@id"]}, "foaf:homepage": {"@id": f"{root}/"}}  # fmt: skip
    taxonomy = [node for node in named(()) if node["@id"] == THEME_SCHEME]
    return [
        catalogue,
        {
            "@id": series,
            "@type": ["dcat:DatasetSeries", "dcat:Dataset"],
            **said,
            **of_site,
            "dcterms:accrualPeriodicity": {"@id": IRREGULAR},
            **ends,
        },
        {"@id": IRREGULAR, "@type": "dcterms:Frequency"},
        service,
        {"@id": f"{root}/", "@type": "foaf:Document"},
        *taxonomy,
        *found.values(),
    ]


def _bare(release: str, day: str) -> Node:
    """A release from before there was anything that describes it."""
    return {
        "@id": ALL,
        "@type": "dcat:Dataset",
        "dcterms:title": texts({lang: say(lang, "catalogue.release", release=release) for lang in LANGUAGES}),
        "dcterms:description": texts({lang: say(lang, "package.about") for lang in LANGUAGES}),
        "dcterms:identifier": f"mingbai:{release}",
        "dcat:version": release,
        "dcterms:issued": _date(day),
        **common(),
    }


def common() -> dict[str, Any]:
    """What holds for every catalogue and dataset: publisher, languages, licence, place."""
    return {
        "dcterms:publisher": {"@id": PUBLISHER},
        "dcterms:language": [{"@id": LANGUAGE_IDS[lang]} for lang in LANGUAGES],
        "dcterms:license": {"@id": licence.PAGE},
        "dcterms:spatial": {"@id": CHINA},
    }


def _date(day: str) -> Node:
    return {"@value": day, "@type": "xsd:date"}


def _datasets(it: Described) -> Iterator[Node]:
    whole = {lang: say(lang, "cite.all") for lang in LANGUAGES}
    about = {lang: say(lang, "package.about") for lang in LANGUAGES}
    tables = {file.dataset for file in it.files if file.dataset}
    yield from _dataset(it, ALL, whole, about, it.release, [file for file in it.files if file.dataset not in tables])
    for name, dataset in it.datasets.items():
        files = [file for file in it.files if file.dataset == name]
        yield from _dataset(it, f"./#{name}", vars(dataset.label), vars(dataset.about), it.versions.get(name, it.release), files, dataset)


def _dataset(
    it: Described, id: str, title: dict[str, str], about: dict[str, str], version: str, files: Sequence[File], part: Dataset | None = None
) -> Iterator[Node]:
    sources = [{lang: say(lang, "catalogue.source", source=row[f"label_{lang}"] or row["label_zh"], as_of=row["as_of"] or say(lang, "unknown")) for lang in LANGUAGES} for row in it.sources]  # fmt: skip
    made: dict[str, Any] = {
        "@id": id,
        "@type": "dcat:Dataset",
        "dcterms:title": texts(title),
        "dcterms:description": texts(about),
        "dcterms:identifier": f"mingbai:{it.release}{':' + part.name if part else ''}",
        "dcat:version": version,
        "dcterms:issued": _date(it.day),
        **common(),
        "dcterms:accessRights": {"@id": PUBLIC},
        "dcat:theme": [{"@id": theme} for theme in THEMES],
        "dcat:keyword": [{"@value": word, "@language": lang} for lang in LANGUAGES for word in KEYWORDS[lang]],
        "foaf:page": [{"@id": f"dictionary.{lang}.md"} for lang in LANGUAGES],
        "dcat:distribution": [{"@id": _distribution_id(file)} for file in files],
        "dcterms:provenance": [{"@type": "dcterms:ProvenanceStatement", "rdfs:label": texts(words)} for words in sources],
    }
    if part is None:
        made["dcterms:hasPart"] = [{"@id": f"./#{name}"} for name in it.datasets]
    yield {key: value for key, value in made.items() if value != []}
    for file in files:
        yield _distribution(it, file)


def _distribution_id(file: File) -> str:
    return f"./#file-{file.name}"


def _kind(file: File) -> tuple[str | None, str | None, str | None]:
    """Media type of what is in a file, that of its packing, and the publications office's type; None where the register has none."""
    form = FORMS.get(file.form)
    packing = next(
        (one.media_type for one in PACKINGS.values() if file.name.endswith(one.suffix)), ZIP if file.name.endswith(".zip") else None
    )
    media = form.media_type if form else SQLITE if file.form == "sqlite" else file.type
    return None if file.form == "ndjson" else media.partition(";")[0], packing, FILE_TYPES.get("zip" if packing == ZIP else file.form)


def _distribution(it: Described, file: File) -> Node:
    media, packing, format = _kind(file)
    package = {"dcat:packageFormat": {"@id": f"{IANA}{packing}"}} if packing == ZIP else {"dcat:compressFormat": {"@id": f"{IANA}{packing}"}} if packing else {}  # fmt: skip
    return {
        "@id": _distribution_id(file),
        "@type": "dcat:Distribution",
        "dcterms:title": file.name,
        "dcat:accessURL": {"@id": file.name},
        "dcat:downloadURL": {"@id": file.name},
        **({"dcat:mediaType": {"@id": f"{IANA}{media}"}} if media else {}),
        **({"dcterms:format": {"@id": f"{EU}file-type/{format}"}} if format else {}),
        **package,
        "dcat:byteSize": {"@value": str(file.bytes), "@type": "xsd:nonNegativeInteger"},
        "dcterms:issued": _date(it.day),
        "dcterms:license": {"@id": licence.PAGE},
        "dcterms:rights": {"@id": RIGHTS},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": SHA256},
            "spdx:checksumValue": {"@value": file.sha256, "@type": "xsd:hexBinary"},
        },
    }


def named(files: Sequence[File]) -> list[Node]:
    """What the nodes point to, with its class and what it is called."""
    media = sorted({kind for file in files for kind in _kind(file)[:2] if kind})
    formats = sorted({kind for file in files if (kind := _kind(file)[2])})
    return [
        {"@id": PUBLISHER, "@type": "foaf:Agent", "foaf:name": NAME},
        {
            "@id": licence.PAGE,
            "@type": "dcterms:LicenseDocument",
            "dcterms:title": texts({lang: licence.own(lang) for lang in LANGUAGES}),
            "dcterms:description": texts({lang: licence.terms(lang) for lang in LANGUAGES}),
            "rdfs:seeAlso": {"@id": licence.URL},
        },
        *([{"@id": SHA256, "@type": "spdx:ChecksumAlgorithm"}] if files else []),
        *({"@id": id, "@type": "dcterms:LinguisticSystem"} for id in LANGUAGE_IDS.values()),
        {"@id": THEME_SCHEME, "@type": "skos:ConceptScheme", "dcterms:title": texts({"en": "Data theme"})},
        *({"@id": id, "@type": "skos:Concept", "skos:prefLabel": texts({"en": label})} for id, label in zip(THEMES, ("Education, culture and sport", "Justice, legal system and public safety"), strict=True)),
        {"@id": CHINA, "@type": "dcterms:Location"},
        {"@id": PUBLIC, "@type": "dcterms:RightsStatement"},
        *({"@id": f"dictionary.{lang}.md", "@type": "foaf:Document"} for lang in LANGUAGES if files),
        *({"@id": f"{IANA}{kind}", "@type": "dcterms:MediaType"} for kind in media),
        *({"@id": f"{EU}file-type/{format}", "@type": "dcterms:MediaTypeOrExtent"} for format in formats),
    ]  # fmt: skip
