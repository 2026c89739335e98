"""What a form is, and which there are. It loads no library."""

from dataclasses import dataclass
from typing import Any, Protocol


class Target(Protocol):
    """What is written to: a file, or what passes for one."""

    def write(self, data: Any, /) -> Any:
        """Take all of it."""


@dataclass(frozen=True)
class Form:
    """One form of a table. `packed` names the packings in which a release stores it; without any it is stored as it is."""

    name: str
    suffix: str
    media_type: str
    packed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packing:
    """How a file is made smaller; `encoding` is the name that HTTP has for it (Content-Encoding)."""

    name: str
    suffix: str
    media_type: str
    encoding: str


SHEET_ROWS = 1_048_575  # of a sheet, below its header


@dataclass(frozen=True)
class Page:
    """A sheet of words beside those of rows: its title, header, rows of texts (None: an empty cell) and the widths of its columns."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    widths: tuple[int, ...] = ()


FORMS = {
    form.name: form
    for form in (
        Form("csv", ".csv", "text/csv; charset=utf-8; header=present", ("gzip", "zstd")),
        Form("spreadsheet", ".spreadsheet.csv", "text/csv; charset=utf-8; header=present", ("gzip",)),
        Form("ndjson", ".ndjson", "application/x-ndjson", ("gzip", "zstd")),
        Form("parquet", ".parquet", "application/vnd.apache.parquet"),
        Form("xlsx", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )
}
PACKINGS = {
    packing.name: packing
    for packing in (
        Packing("gzip", ".gz", "application/gzip", "gzip"),
        Packing("zstd", ".zst", "application/zstd", "zstd"),
    )
}
