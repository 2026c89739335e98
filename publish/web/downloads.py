"""A release's files to take away, as they may be given out today, and what there is of them.

A file is one with its hash, so nothing can be left out of it: of the live release it goes out while nothing in it has ended, of an earlier one while all that
may hurt somebody in it is still public (holding.py). Names are taken from the release's own index and from nowhere else. Plain CSV and NDJSON are
kept as their gzip, and sent as that or unpacked (pieces.py). All of it is done beside the loop, since it reads files and may judge thousands of notices.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ..forms import FORMS
from ..home import DOWNLOAD_INDEX, DOWNLOADS, LINKS, SIGNATURE
from .answer import OPEN, READ_IN_PARTS, Answer, as_json, beside
from .api import samples
from .archive import identity_of
from .frame import Dictionary
from .holding import RETRY_SECONDS, UNREADABLE
from .near import Place, near, near_releases
from .offered import Offered, offered, opened, unjudged
from .pieces import Stored
from .reader import Reader, Row
from .shelf import Shelf
from .visit import Visit, address

RELEASE = r"(?P<release>latest|\d{4}-\d{2}-\d{2}(?:\.[1-9]\d*)?)"
LIST = rf"/data/{RELEASE}(?P<index>/index\.json)?"
FILE = rf"/data/{RELEASE}/(?P<inner>downloads/)?(?P<file>[A-Za-z0-9_-][A-Za-z0-9_.-]{{0,99}})"  # `inner`: as the manifest names it
LATEST = "latest"
TRIES = 3  # a release that is issued anew meanwhile is looked at again
log = logging.getLogger(__name__)
Label = Mapping[str, str]
Said = Mapping[str, str | list[str]]
Group = tuple[str, Label, list[Row], list[tuple[str, Label, list[Row]]]]


class Downloads:
    """`render` and `problem` are those of Pages."""

    def __init__(self, shelf: Shelf, render: Callable[..., Answer], problem: Callable[..., Answer], dictionary: Dictionary) -> None:
        self._shelf, self._render, self._problem = shelf, render, problem
        self._datasets = dictionary
        self._labels = {name: table["label"]["zh"] for dataset in dictionary.values() for name, table in dataset["tables"].items()}
        self._books = {name: dataset["label"]["zh"] for name, dataset in dictionary.items()}

    def index(self, visit: Visit, reader: Reader) -> Answer:
        """Which files a release has, as a page and JSON."""
        return self._beside(visit, reader, self._index)

    def file(self, visit: Visit, reader: Reader) -> Answer:
        """A file of a release."""
        return self._beside(visit, reader, self._file)

    def nothing(self, visit: Visit, reader: Reader, name: str) -> Answer:
        """What is said of a name below /data that names nothing: what is near to it, and where all of it is."""
        places = {table: f"/data/about/{dataset}" for dataset, it in self._datasets.items() for table in (dataset, *it["tables"])}
        try:
            made = offered(reader.folder, reader, visit.today)[1]
        except UNREADABLE:
            log.exception("downloads cannot be judged")
            made = unjudged(reader.folder, visit.today)
        places |= {file: f"/data/{reader.id}/{file}" for file in made.files}
        kind, said = self._said(name, made)
        if kind != "no_file":  # what is asked for is no file of a release, and there are tables
            said = {"name": name, "tables": list(self._labels), "forms": [form.suffix[1:] for form in FORMS.values()]}
        return self._missing(visit, "no_file", said, near(name, places), ("datasets", "/data"), ("files", "/data/latest"))

    def has(self, reader: Reader, name: str, today: str) -> bool:
        """Whether the live release has a file of that name."""
        return name in offered(reader.folder, reader, today)[1].files

    def given(self, reader: Reader, today: str) -> Mapping[str, list[Row]]:
        """The files of the live release by the dataset or table that they are of; {} where there are none."""
        found: dict[str, list[Row]] = {}
        try:
            files = offered(reader.folder, reader, today)[1].files.values()
        except UNREADABLE:
            log.exception("downloads cannot be judged")
            return found
        for one in files:
            found.setdefault(one.public["of"] or "", []).append(one.public)
        return found

    def _beside(self, visit: Visit, reader: Reader, make: Callable[[Visit, Reader, Path], Answer]) -> Answer:
        asked = visit.parts["release"]
        if asked in (LATEST, reader.id):
            folder = reader.folder
        elif asked in (known := [id for id, _ in self._shelf.archive.known(reader)]):
            folder = self._shelf.home / "releases" / asked
        else:
            others = [(one, f"/data/{one}") for one in near_releases(asked, known)]
            ends = {"first": known[0], "last": known[-1]}
            return self._missing(visit, "as_of_unknown", ends, others, ("newest_files", "/data/latest"), ("releases", "/history/releases"))
        return beside(partial(make, visit, reader, folder), partial(self._problem, visit, 500, "bug"))

    def _index(self, visit: Visit, reader: Reader, folder: Path) -> Answer:
        if visit.parts["release"] == LATEST:
            return to(visit, f"/data/{reader.id}{visit.parts.get('index', '')}")
        try:
            made = offered(folder, reader, visit.today)[1]
        except UNREADABLE:
            if identity_of(folder / "manifest.json") is None:
                return self._busy(visit)
            log.exception("downloads cannot be judged")
            made = unjudged(folder, visit.today)
        files = [one.public for one in made.files.values()]
        if "index" in visit.parts:
            return as_json({"release": folder.name, "newest_release": reader.id, "files": files})
        whole, described, groups = self._grouped(files)
        is_newest = folder.name == reader.id
        example = f"/data/institutions.spreadsheet.csv?region={samples(reader, visit.today)['$province']}"
        sums = [name for name in LINKS if (folder / name).is_file()]
        return self._render(
            "downloads.html", release=folder.name, is_newest=is_newest, sums=sums, is_signed=SIGNATURE in sums,
            whole=whole, described=described, groups=groups, example=example,
        )  # fmt: skip

    def _file(self, visit: Visit, reader: Reader, folder: Path) -> Answer:
        manifest = folder / "manifest.json"
        for _ in range(TRIES):
            if (before := identity_of(manifest)) is None:
                break
            try:
                seen, made = offered(folder, reader, visit.today)
                answer, stored = self._opened(visit, reader, folder, visit.parts["file"], made)
            except UNREADABLE:
                if identity_of(manifest) == before:
                    log.exception("downloads cannot be judged")  # then nobody knows what may be shown
                    return self._ended(visit, is_own=folder == reader.folder)
                continue
            if identity_of(manifest) == seen:
                return answer
            if stored is not None:
                stored.close()
        return self._busy(visit)

    def _opened(self, visit: Visit, reader: Reader, folder: Path, name: str, made: Offered) -> tuple[Answer, Stored | None]:
        is_latest, is_index = visit.parts["release"] == LATEST, "inner" in visit.parts and name == DOWNLOAD_INDEX
        found = made.files.get(name)
        if found is None and not is_index and not (is_latest and name in LINKS):
            places = {file: f"/data/{folder.name}/{file}" for file in made.files}
            whole = "release_files", f"/data/{folder.name}"
            return self._missing(visit, *self._said(name, made), near(name, places), whole, ("releases", "/history/releases")), None
        if is_latest:
            return to(visit, f"/data/{reader.id}/{visit.parts.get('inner', '')}{name}"), None
        if is_index:
            return Answer(200, (folder / DOWNLOADS / name).read_bytes(), "application/json", OPEN), None
        assert found is not None
        if not found.public["is_given"]:
            return self._ended(visit, is_own=folder == reader.folder), None
        headers = (
            *READ_IN_PARTS,
            ("etag", f'"{found.public["sha256"][:32]}"'),
            ("last-modified", made.changed),
            ("content-disposition", attachment(f"{folder.name}-{name}", f"{folder.name}-{self._chinese(name, reader)}")),
        )
        stored = opened(folder, found)
        return Answer(200, b"", found.public["media_type"], headers, stored=stored), stored

    def _said(self, name: str, made: Offered) -> tuple[str, Said]:
        """Why a release has no file of a name, with the tables and forms that it has, packed ones too."""
        parts = {file: one.public for file, one in made.files.items() if one.public["of"] is not None}
        tables = {one["of"] for one in parts.values() if one["form"] != "xlsx"}
        if not parts:
            return "no_files", {"name": name}
        ordered = [*(one for one in self._labels if one in tables), *sorted(tables - set(self._labels))]
        return "no_file", {"name": name, "tables": ordered, "forms": list(dict.fromkeys(file.partition(".")[2] for file in parts))}

    def _missing(self, visit: Visit, kind: str, said: Said, others: list[Place], *instead: Place) -> Answer:
        """404, with links to go on by."""
        places = [(name, address(where, visit.lang)) for name, where in others]
        near = {"near_addresses": [where for _, where in places]} if visit.wants_json else {}
        onward = [(key, address(where, visit.lang)) for key, where in instead]
        return self._problem(visit, 404, kind, {**said, **near}, near=places, instead=onward)

    def _busy(self, visit: Visit) -> Answer:
        """A release that is issued anew is nowhere for a moment."""
        return _not_kept(self._problem(visit, 503, "as_of_busy"), ("retry-after", "5"))

    def _ended(self, visit: Visit, *, is_own: bool) -> Answer:
        if is_own:
            return _not_kept(self._problem(visit, 503, "download_ended"), ("retry-after", str(RETRY_SECONDS)))
        return _not_kept(self._problem(visit, 410, "download_gone"))

    def _chinese(self, name: str, reader: Reader) -> str:
        """A file's name with the Chinese one of its table, or of its dataset and region."""
        stem, dot, rest = name.partition(".")
        if rest == "xlsx":
            dataset, _, region = stem.partition("-")
            place = reader.region_name(region, "zh") if region else ""
            return f"{self._books.get(dataset, dataset)}{place and '-'}{place}{dot}{rest}"
        return f"{self._labels.get(stem, stem)}{dot}{rest}"

    def _grouped(self, files: list[Row]) -> tuple[list[Row], list[Row], list[Group]]:
        """The files of the whole, those that describe it, and of each dataset its workbooks and the files of each table."""
        whole = [one for one in files if one["of"] is None]
        groups = []
        for name, it in self._datasets.items():
            tables = [
                (table, said["label"], [one for one in files if one["of"] == table and one["form"] != "xlsx"])
                for table, said in it["tables"].items()
            ]
            books = [one for one in files if one["of"] == name and one["form"] == "xlsx"]
            if books or any(found for _, _, found in tables):
                groups.append((name, it["label"], books, [group for group in tables if group[2]]))
        described = [one for one in whole if one["form"] == "description"]
        return [one for one in whole if one not in described], described, groups


def to(visit: Visit, path: str) -> Answer:
    """To the newest release's: another one tomorrow."""
    return Answer(
        302, b"", headers=(("location", address(path, visit.lang)), ("cache-control", "no-store"), ("access-control-allow-origin", "*"))
    )


def _not_kept(said: Answer, *headers: tuple[str, str]) -> Answer:
    return Answer(said.status, said.body, said.type, (("cache-control", "no-store"), *headers))


def attachment(ascii: str, chinese: str) -> str:
    """A Content-Disposition with a name for everybody and one for who reads Chinese (RFC 6266)."""
    return f"attachment; filename=\"mingbai-{ascii}\"; filename*=UTF-8''{quote(f'明白-{chinese}')}"
