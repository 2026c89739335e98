"""The bytes of a text file: unpacked, bounded, and decoded strictly.

UTF-8 is recognised by being valid; anything else is GB18030, which accepts nearly every sequence of bytes. So a file that is not UTF-8 is looked at line by line before it is believed
to be GB18030: a line that is good UTF-8 Chinese beside one that is not means that two encodings were pasted together, and half of the text would be wrong without an error.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import BadDeclaration, SourceBroken

LINE_LIMIT = 16 << 20
TOTAL_LIMIT = 2 << 30
WHOLE_LIMIT = 256 << 20
PAGE_LIMIT = 128 << 20  # of one packed body, unpacked
CHUNK = 1 << 20


def opened(path: Path) -> BinaryIO:
    """The file, unpacked when its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def encoding_of(path: Path, where: str, declared: str | None) -> str:
    """The codec in which the whole file can be read; the declared one is held to its word.

    Raises SourceBroken naming line and byte where it cannot, where two encodings are mixed, where a NUL is, or when the file is over 2 GiB unpacked.
    """
    with opened(path) as file:
        start = file.read(4)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _proved(path, where, "utf-16")
    if declared is not None:
        try:
            name = codecs.lookup(declared).name
        except LookupError:
            raise BadDeclaration(f"{where}: encoding {declared!r} is not known; utf-8 or gb18030 are usual") from None
        return _proved(path, where, "utf-8-sig" if name == "utf-8" else "gb18030" if name in ("gb2312", "gbk") else name)
    try:
        return _proved(path, where, "utf-8-sig")
    except _NotThis as wrong:
        if start.startswith(codecs.BOM_UTF8):
            raise
        _one_encoding(path, where, wrong)
    return "gb18030"


def lines(path: Path, where: str, encoding: str) -> Iterator[str]:
    """The lines as they are, with their ends. Raises SourceBroken at one over 16 Mi characters, so that a file without line ends cannot fill the memory."""
    with opened(path) as file, io.TextIOWrapper(cast(io.BufferedReader, file), encoding, newline="") as text:
        number = 0
        while line := text.readline(LINE_LIMIT):
            number += 1
            if len(line) >= LINE_LIMIT:
                raise SourceBroken(f"{where}: line {number} is over {LINE_LIMIT >> 20} Mi characters; is it text? ask the source")
            yield line


def whole(path: Path, where: str, declared: str | None) -> str:
    """All of the text, for forms that cannot be read in pieces; at most 256 MiB."""
    encoding = encoding_of(path, where, declared)
    with opened(path) as file:
        content = file.read(WHOLE_LIMIT + 1)
    if len(content) > WHOLE_LIMIT:
        raise SourceBroken(f"{where}: is over {WHOLE_LIMIT >> 20} MiB; ask for NDJSON or CSV, which are read in pieces")
    return content.decode(encoding)


def gunzip(body: bytes, what: str) -> bytes:
    """The text of a gzip body, at most PAGE_LIMIT of it. Raises SourceBroken when it is cut, damaged or a bomb."""
    try:
        unpack = zlib.decompressobj(31)
        text = unpack.decompress(body, PAGE_LIMIT)
    except zlib.error as error:
        raise SourceBroken(f"{what}: says gzip and is not ({error}); run again, then tell the source") from error
    if unpack.unconsumed_tail:
        raise SourceBroken(f"{what}: {len(body)} bytes unpack to over {PAGE_LIMIT >> 20} MiB; refused: tell the source")
    if not unpack.eof:
        raise SourceBroken(f"{what}: the body ends early after {len(body)} bytes; run again, then tell the source")
    return text


class _NotThis(SourceBroken):
    """The file is not in the encoding tried; `place` is where that shows."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


def _proved(path: Path, where: str, encoding: str) -> str:
    """The encoding, after the whole file was decoded in it."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    size = line = 0
    with opened(path) as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                rest, at = error.object, error.start  # what the decoder kept of the last chunk, then this one without a BOM
                place = f"line {line + rest.count(10, 0, at) + 1}, byte {size + len(chunk) - len(rest) + at} ({rest[at : at + 4].hex(' ')})"
                raise _NotThis(
                    f"{where}: {place} is not {encoding.removesuffix('-sig')}; cut short, damaged or in another encoding: ask for it again",
                    place,
                ) from error
            except UnicodeError as error:
                raise _NotThis(f"{where}: is not {encoding} ({error}); ask for it again") from error
            if "\0" in text:
                raise SourceBroken(
                    f"{where}: line {line + text[: text.index(chr(0))].count(chr(10)) + 1} has a NUL character; this is no text file, or it was damaged: ask for it again"
                )
            size += len(chunk)
            line += text.count("\n")
            if size > TOTAL_LIMIT:
                raise SourceBroken(f"{where}: is over {TOTAL_LIMIT >> 30} GiB unpacked; refused: ask for it in parts")
            if not chunk:
                return encoding


def _one_encoding(path: Path, where: str, wrong: _NotThis) -> None:
    """Raises SourceBroken unless every line is GB18030 and none reads as UTF-8 Chinese."""
    as_utf8 = as_gb = 0
    with opened(path) as file:
        number = offset = 0
        while line := file.readline(LINE_LIMIT):
            number += 1
            if not line.isascii():
                if _is_utf8_chinese(line):
                    as_utf8 = as_utf8 or number
                else:
                    try:
                        line.decode("gb18030")
                        as_gb = as_gb or number
                    except UnicodeDecodeError as error:
                        hint = "it looks like UTF-8 otherwise" if as_utf8 else "declare its encoding if it is another"
                        raise SourceBroken(
                            f"{where}: line {number}, byte {offset + error.start} ({line[error.start : error.start + 4].hex(' ')}) is neither UTF-8 nor GB18030; {hint}, or ask for it again"
                        ) from wrong
            if as_utf8 and as_gb:
                raise SourceBroken(
                    f"{where}: line {as_utf8} is UTF-8 and line {as_gb} is not, see {wrong.place}; cut short, damaged, or GB18030 pasted in: ask for it again"
                ) from wrong
            offset += len(line)


def _is_utf8_chinese(line: bytes) -> bool:
    """Whether a line that is not ASCII reads as UTF-8 and as Chinese. GB18030 of two characters passes as UTF-8 by accident (联通), but as Latin letters, never as Chinese."""
    try:
        letters = [letter for letter in line.decode() if letter > "\x7f"]
    except UnicodeDecodeError:
        return False
    return all(letter >= "\u2000" for letter in letters)
