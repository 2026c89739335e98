"""One door to all forms: which reader a body needs, and its records, fresh or archived alike."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, delimited, jsons, unheard
from .text import opened

Reader = Callable[[Path, str, ListingPlan, Hear], Iterator[Record]]

SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".et": "xls",
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".html": "html", ".htm": "html", ".shtml": "html", ".gz": "",
}  # fmt: skip
NOT_TABLES = {
    b"%PDF": "a PDF",
    b"\xff\xd8\xff": "a picture",
    b"\x89PNG": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLi": "a database",
}


def records(path: Path, form: str, listing: ListingPlan, hear: Hear = unheard) -> Iterator[Record]:
    """The records of one body, lazily, as the source wrote them; what was stepped over goes to `hear` before the record that follows it.

    A cell that is empty is None. Numbers of a workbook are int or float, its dates ISO text of the precision that it shows, long digits text.
    Raises SourceBroken naming file and row when the file is cut, damaged, a bomb, wrongly encoded or without a declared column.
    """
    where = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise SourceBroken(f"{where}: is not there; restore it or extract again")
    try:
        yield from _reader(form)(path, where, listing, hear)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceBroken(f"{where}: is cut short or damaged ({error}); ask for it again") from error


def form_of(path: Path, declared: str | None = None) -> str:
    """The form of a body: what it was declared as; else what its first bytes say, since an .xls is often an HTML table; else what its name says.

    Raises SourceBroken when it is no table of a kind that is read here.
    """
    where = f"{path.parent.name}/{path.name}"
    if declared is not None:
        if declared not in FORMS:
            raise SourceBroken(f"{where}: form {declared!r} is none of {', '.join(FORMS)}; correct the declaration")
        return declared
    try:
        with opened(path) as file:
            start = file.read(4096)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceBroken(f"{where}: is cut short or damaged ({error}); ask for it again") from error
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    named = SUFFIXES.get(suffixes[-1]) if suffixes else None
    if start.startswith(b"PK"):
        form = "xlsx"
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        form = "xls"
    elif what := next((what for magic, what in NOT_TABLES.items() if start.startswith(magic)), None):
        raise SourceBroken(f"{where}: is {what}; a table (CSV, XLSX, XLS, NDJSON, JSON, HTML) was expected: ask the source for one")
    elif named in ("xlsx", "xls", None):
        text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
        if text.startswith(b"<?xml") and b"urn:schemas-microsoft-com:office:spreadsheet" in text:
            raise SourceBroken(f"{where}: is a workbook of Excel 2003 in XML; save it as .xlsx and try again")
        if not text:
            raise SourceBroken(f"{where}: is empty; ask for it again")
        form = "html" if text[:1] == b"<" else _json_form(text) if text[:1] in (b"{", b"[") else "csv"
        if named is not None and form == "csv" and b"\0" in start:
            raise SourceBroken(f"{where}: is called a workbook and is none; cut short or damaged: ask for it again")
    else:
        form = named
    if path.name.endswith(".gz") and form in ("xlsx", "xls"):
        raise SourceBroken(f"{where}: is a workbook inside gzip; unpack it and try again")
    return form


def _json_form(text: bytes) -> str:
    """NDJSON when the first line is whole by itself and others follow."""
    first, end, rest = text.partition(b"\n")
    if text[:1] == b"[" or not end or not rest.strip():
        return "json"
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return "json"
    return "ndjson"


FORMS = ("platform", "csv", "xlsx", "xls", "ndjson", "json", "html")


def _reader(form: str) -> Reader:
    """The reader of one of FORMS. Those that need a library bring it when they are asked for: every worker of a run imports this."""
    match form:
        case "xlsx":
            from . import spreadsheet

            return spreadsheet.records
        case "xls":
            from . import legacy

            return legacy.records
        case "html":
            from . import html

            return html.records
    return {"platform": jsons.page, "csv": delimited.records, "ndjson": jsons.ndjson, "json": jsons.json}[form]
