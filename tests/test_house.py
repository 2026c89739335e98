"""The house keeps its own rules: who may import whom, one home for each library, what lies at the top, what a file may not say.

The tables below are the map of the house: a new module or library is one line here, and the line is the decision. Each rule is a
function from a text to its faults, so that each is also shown a text that breaks it.
"""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import search
from publish.stage import row_makers

PACKAGES = ("publish", "search", "feeds")
TOP = {"publish", "datasets", "search", "feeds", "metadata.yml", "tests", "pyproject.toml", "README.md", "LICENSE", "Makefile"}

# From the ground up. A room imports its own floor and those below; `web` and `platform` stand beside the stages and see less.
FLOORS = (
    {"errors", "progress"},
    {"amounts", "cleaning", "dates", "fresh", "namewords", "samename", "persons", "masked", "values", "declarations"},
    {"minisign", "bounds", "codes", "rules", "named", "screen", "regions", "identity", "home", "wording", "same", "cells", "telling"},
    {"dataset"},
    {"sourcefile", "hotlines"},
    {
        "questions",
        "catalogue",
        "metadata",
        "versions",
        "meant",
        "answering",
        "coverage",
        "families",
        "happened",
        "called",
        "notice_entry",
        "entries",
        "channel",
        "extracts",
        "forms",
        "hidden",
    }
    | {
        "described",
        "licence",
        "citation",
        "dictionary",
        "columnkinds",
        "datapackage",
        "csvw",
        "linked",
        "dcat",
        "schemaorg",
        "descriptions",
    },
    {"snapshot", "sources", "plans", "tables", "audit", "given"},
    {
        "extract",
        "mapping",
        "columns",
        "judged",
        "protect",
        "documented",
        "batch",
        "rows",
        "parts",
        "records",
        "validate",
        "workers",
        "issues",
        "known_issues",
        "unchanged",
        "stage",
        "assembled",
        "winners",
        "assemble",
        "link",
        "about",
        "causes",
        "undone",
        "diff",
    }
    | {"partitions", "measure", "guards", "review", "hold", "summary", "reviewtext", "reviewpage", "restore"}
    | {
        "candidate",
        "release",
        "canonical",
        "historyfile",
        "history",
        "forgotten",
        "events",
        "ledger",
        "feedtables",
        "feedfile",
        "documents",
        "past",
        "index",
        "texts",
        "live",
        "keep",
        "work",
        "drift",
        "guarded",
        "withdrawals",
        "carry",
        "stones",
        "rebuild",
        "reissue",
        "nowhere",
        "statements",
        "at_once",
        "lineage",
        "net",
        "deltas",
        "apply",
        "untouched",
        "downloads",
        "filed",
        "keys",
        "signing",
        "verified",
        "chain",
        "manifests",
        "vouching",
        "witness",
        "places",
        "remembered",
        "served",
        "workbooks",
    }
    | {"addresses", "callers", "outbox", "websub", "hooks", "deliver", "bodies"},
    {"inputs"},
    {"steps"},
    {"run", "anew"},
    {"decide", "withdraw", "amend", "inbox"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
APART = {"web": set().union(*FLOORS[:6]), "platform": set().union(*FLOORS[:6])}
DOORS = ("demo", "cli")  # they start servers
LIBRARIES = {
    "search": ("publish/index.py", "publish/meant.py", "publish/nowhere.py", "publish/samename.py", "publish/texts.py", "publish/web/"),
    "feeds": (
        "publish/bodies.py",
        "publish/called.py",
        "publish/channel.py",
        "publish/documents.py",
        "publish/entries.py",
        "publish/notice_entry.py",
        "publish/web/",
    ),
}

# One third-party library, one home.
HOMES = {
    "adbc_driver_sqlite": ("publish/forms/arrow.py",),
    "apsw": ("publish/canonical.py", "publish/tables.py"),
    "brotli": ("publish/documents.py",),
    "click": ("publish/cli/",),
    "cryptography": ("publish/minisign.py",),
    "datasette": ("publish/web/",),
    "feedgen": ("feeds/",),
    "isal": ("publish/forms/packed.py",),
    "jinja2": ("publish/web/",),
    "markupsafe": ("publish/web/",),
    "numpy": ("search/",),
    "opencc": ("search/fold.py",),
    "orjson": ("publish/",),
    "pyarrow": ("publish/forms/",),
    "pypinyin": ("search/readings.py",),
    "rapidfuzz": ("search/",),
    "requests": ("publish/sources/",),
    "segno": ("publish/web/qr.py",),
    "selectolax": ("publish/sources/",),
    "sqlite_utils": ("publish/tables.py",),
    "stdnum": ("publish/values.py",),
    "urllib3": ("publish/sources/",),
    "uvicorn": ("publish/web/",),
    "xlrd": ("publish/sources/",),
    "xlsxwriter": ("publish/forms/workbook.py",),
    "yaml": ("publish/declarations.py",),
}
ONE_MODULE = ("adbc_driver_sqlite", "isal", "selectolax", "xlrd", "xlsxwriter")  # formats: one module each

# Written so that this file does not name what it looks for.
MACHINE = re.compile(r"(?<![\w.:/-])/(?:[w]ork|[f]arm|[r]oot|[o]pt/pypi|[U]sers|[h]ome/\w+|[t]mp/\w+)/")
REGISTRY = re.compile(
    r"[p]ypi\.org|[p]ythonhosted\.|registry\.[n]pmjs|deb\.[d]ebian\.org|proxy\.[g]olang|--[i]ndex-url|--[e]xtra-index|--[f]ind-links"
)


def git_files(root: Path) -> list[str]:
    """Paths that are, or would be, committed. Where git has nothing to say (an unpacked archive), every file outside dot-folders."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        return sorted(path for path in listed.stdout.split("\0") if path and (root / path).is_file())
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in found if not path.startswith((".", "var/", "dist/")))


def modules(root: Path) -> dict[str, str]:
    """The text of each module of ours by its path."""
    return {path: (root / path).read_text("utf-8") for path in git_files(root) if path.endswith(".py") and path.split("/")[0] in PACKAGES}


def imports(path: str, text: str) -> Iterator[tuple[int, str, bool]]:
    """(line, dotted absolute name, whether written relative) of every import in a module, lazy ones and those for types included."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (
                [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
                if node.level
                else (node.module or "").split(".")
            )
            yield from ((node.lineno, ".".join(filter(None, [*base, alias.name])), node.level > 0) for alias in node.names)


def room(path: str) -> str:
    """The part of publish that a module belongs to: its own name, or its folder's. The package's own __init__ is ''."""
    inner = path.removesuffix(".py").split("/")[1:]
    return "" if inner == ["__init__"] else inner[0]


def import_faults(path: str, text: str) -> Iterator[str]:
    """What a module imports against the rules."""
    mine = path.split("/")[0]
    for line, name, relative in imports(path, text):
        top, _, rest = name.partition(".")
        where = f"{path}:{line}: {name}"
        if top in sys.stdlib_module_names:
            continue
        if top not in PACKAGES:
            homes = HOMES.get(top)
            if homes is None:
                yield f"{where} has no home: give it one in HOMES"
            elif not any(path == home or (home.endswith("/") and path.startswith(home)) for home in homes):
                yield f"{where} lives in {' or '.join(homes)}"
        elif (top == mine) != relative:
            yield f"{where}: relative inside a package, absolute between"
        elif mine != "publish" and top != mine:
            yield f"{where}: {mine} knows nothing of {top}"
        elif top != mine:
            if not any(path == home or (home.endswith("/") and path.startswith(home)) for home in LIBRARIES[top]):
                yield f"{where}: {top} is used by {' and '.join(LIBRARIES[top])}"
        elif mine == "publish":
            yield from (f"{where}: {fault}" for fault in floor_faults(room(path), rest.partition(".")[0]))


def floor_faults(mine: str, other: str) -> Iterator[str]:
    """Why one room of publish may not import another."""
    if mine == other or other in ("", "__version__"):
        return
    for each in (mine, other):
        if each and each not in FLOOR and each not in APART:
            yield f"{each} stands on no floor: give it one in FLOORS"
            return
    if mine in APART:
        if other not in APART[mine]:
            yield f"{mine} does not see {other}"
    elif other in APART:
        if mine not in DOORS:
            yield f"only {' and '.join(DOORS)} see {other}"
    elif not mine or FLOOR[other] > FLOOR[mine]:
        yield f"{other} stands above {mine or 'the package'}"


def circle(texts: dict[str, str]) -> list[str]:
    """Modules that import each other in a circle when they are loaded, or nothing."""
    names = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in texts}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        needed = graph.setdefault(name, set())
        for _, target, _ in imports(path, texts[path]):
            known = target if target in names else target.rpartition(".")[0]
            if known in names and known != name:
                needed.add(known)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def silent(path: str, text: str) -> Iterator[str]:
    """A module without a docstring, and a public function or class at its top without one. A hook is described by who calls it."""
    tree = ast.parse(text, path)
    if tree.body and not ast.get_docstring(tree):
        yield f"{path}: the module says nothing"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        hook = any("hookimpl" in ast.unparse(decorator) for decorator in node.decorator_list)
        if not hook and not ast.get_docstring(node):
            yield f"{path}:{node.lineno}: {node.name} says nothing"


def pins(lock: str) -> dict[str, list[str]]:
    """The hashes of each pin of a lock. Raises ValueError at a line that is neither pin, hash nor comment."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if pin := re.fullmatch(r"([a-z0-9-]+==[\w.+!-]+)(?: ; [^\\]+)? \\", line):
            name = pin[1]
            found[name] = []
        elif digest := re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?", line):
            found[name].append(digest[1])
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ValueError(f"a lock holds pins and hashes only, not {line!r}")
    return found


def betrayals(path: str, text: str) -> Iterator[str]:
    """Lines that name a place on one machine, or where packages are fetched from."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE.search(line) or REGISTRY.search(line):
            yield f"{path}:{number}: {found[0]}"


def canonical(requirement: str) -> str:
    """The name of what a requirement asks for, as locks spell it."""
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


installed = cache(packages_distributions)


def carriers(library: str) -> set[str]:
    """The distributions that bring an importable name; itself where none is installed."""
    return {canonical(name) for name in installed().get(library, [library])}


def project(root: Path) -> dict[str, Any]:
    """What pyproject.toml says of the project."""
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def nothing(faults: Iterable[str]) -> None:
    """Fail with the faults, one a line."""
    found = "\n".join(faults)
    assert not found, found


def test_the_top_level_is_what_the_card_says(root):
    top = {path.split("/")[0] for path in git_files(root)}
    assert {name for name in top if not name.startswith(".")} == TOP


def test_imports_run_one_way_and_a_library_has_one_home(root):
    texts = modules(root)
    assert texts
    nothing(fault for path, text in texts.items() for fault in import_faults(path, text))


@pytest.mark.parametrize("library", ONE_MODULE)
def test_a_format_is_read_by_one_module(root, library):
    users = [path for path, text in modules(root).items() if any(name.split(".")[0] == library for _, name, _ in imports(path, text))]
    assert len(users) <= 1, users


def test_no_modules_import_each_other(root):
    assert circle(modules(root)) == []


def test_what_makes_rows_counts_in_the_recipe_of_a_release(root):
    makers = {path.relative_to(root).as_posix() for path in row_makers()}
    used = {name for path in makers for _, name, _ in imports(path, (root / path).read_text("utf-8")) if name.split(".")[0] in PACKAGES[1:]}
    assert used == {"search.simple"}, "which is in fold.py"
    assert makers >= {"publish/samename.py", "publish/masked.py", "publish/persons.py", "publish/sources/platform.py", "search/fold.py"}


def test_every_floor_and_home_is_lived_in(root):
    texts = modules(root)
    used = {name.split(".")[0] for path, text in texts.items() for _, name, _ in imports(path, text)}
    rooms = {room(path) for path in texts if path.startswith("publish/")}
    assert (set(HOMES) - used, {*FLOOR, *APART} - rooms) == (set(), set())


def test_what_is_imported_is_declared_and_nothing_else(root):
    used = {name.split(".")[0] for path, text in modules(root).items() for _, name, _ in imports(path, text)}
    assert set(chain(*(carriers(library) for library in used & set(HOMES)))) == {canonical(text) for text in project(root)["dependencies"]}


def test_what_the_tests_import_is_declared(root):
    texts = {path: (root / path).read_text("utf-8") for path in git_files(root) if path.startswith("tests/") and path.endswith(".py")}
    ours = {*PACKAGES, "tests", *(part.removesuffix(".py") for path in texts for part in path.split("/"))}
    used = {name.split(".")[0] for path, text in texts.items() for _, name, relative in imports(path, text) if not relative}
    needed = set(chain(*(carriers(library) for library in used - ours - sys.stdlib_module_names)))
    said = project(root)
    assert needed <= {canonical(text) for text in [*said["dependencies"], *said["optional-dependencies"]["test"]]}


def test_what_is_public_says_what_it_gives(root):
    nothing(fault for path, text in modules(root).items() for fault in silent(path, text))


@pytest.mark.parametrize("name", ["run", "dev", "build"])
def test_a_lock_holds_pins_with_hashes_and_no_address(root, name):
    found = pins((root / ".requirements" / f"{name}.txt").read_text("utf-8"))
    assert found
    assert [pin for pin, hashes in found.items() if not hashes] == []


def test_the_locks_agree_and_hold_what_the_project_declares(root):
    run, dev, build = (set(pins((root / ".requirements" / f"{name}.txt").read_text("utf-8"))) for name in ("run", "dev", "build"))
    names = [pin.split("==")[0] for pin in run | dev | build]
    assert run <= dev
    assert len(names) == len(set(names))
    wanted = [*project(root)["dependencies"], *chain(*project(root)["optional-dependencies"].values())]
    assert {canonical(text) for text in wanted} <= {pin.split("==")[0] for pin in dev}


def test_no_file_names_a_machine_or_a_registry(root):
    faults = []
    for path in git_files(root):
        try:
            faults += betrayals(path, (root / path).read_text("utf-8"))
        except UnicodeDecodeError:
            continue  # a picture, or a fixture in an old encoding
    nothing(faults)


def test_a_wheel_carries_the_declarations_and_nothing_else_at_its_top(root, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=root, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [path for path in git_files(root) if path.split("/")[0] in {*PACKAGES, "datasets"} and not path.endswith("README.md")]
    assert carried == {f"publish/_{path}" if path.startswith("datasets/") else path for path in files}


@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.bind"])
@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80), ("0.0.0.0", 80), ("2001:db8::1", 80, 0, 0)])
def test_a_test_cannot_leave_this_machine(event, address):
    with pytest.raises(BaseException, match="loopback only"):
        sys.audit(event, None, address)


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0), ("localhost", 80), "a-unix-socket"])
def test_a_test_can_talk_to_itself(address):
    sys.audit("socket.connect", None, address)


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("publish/catalogue.py", "import requests", "requests lives in publish/sources/"),
        ("publish/sources/csv.py", "import pandas", "pandas has no home"),
        (
            "publish/diff.py",
            "def late():\n    import sqlite_utils",
            "diff.py:2: sqlite_utils lives in publish/tables.py",
        ),
        ("publish/values.py", "from .catalogue import Catalogue", "catalogue stands above values"),
        ("publish/catalogue.py", "from . import run", "run stands above catalogue"),
        ("publish/stage.py", "from .cli import main", "cli stands above stage"),
        ("publish/web/pages.py", "from ..diff import diff", "web does not see diff"),
        ("publish/release.py", "from .web import app", "only demo and cli see web"),
        ("publish/run.py", "from .platform.server import serve", "only demo and cli see platform"),
        ("publish/platform/server.py", "from ..stage import stage", "platform does not see stage"),
        ("publish/gadgets.py", "from .errors import Mingbai", "gadgets stands on no floor"),
        ("publish/run.py", "from publish.errors import Mingbai", "relative inside a package"),
        ("publish/index.py", "from ..search import index", "relative inside a package"),
        (
            "publish/stage.py",
            "import search",
            "search is used by publish/index.py and publish/meant.py and publish/nowhere.py and publish/samename.py and publish/texts.py and publish/web/",
        ),
        ("search/fold.py", "from publish.values import day", "search knows nothing of publish"),
        ("feeds/write.py", "from search import fold", "feeds knows nothing of search"),
    ],
)
def test_a_wrong_import_is_found(path, text, fault):
    assert any(fault in found for found in import_faults(path, text))


def test_right_imports_are_let_through():
    text = "import sqlite3\nimport orjson\nfrom search.query import find\nfrom .pages import home\nfrom ..catalogue import Catalogue"
    assert list(import_faults("publish/web/app.py", text)) == []


def test_a_circle_is_found():
    assert circle({"search/a.py": "from .b import x", "search/b.py": "from . import a", "search/__init__.py": ""})
    assert circle({"search/a.py": "from .b import x", "search/b.py": "import json", "search/__init__.py": "from .a import y"}) == []


def test_a_worker_imports_no_more_than_reading_needs(root):
    heavy = {"click", "lxml", "numpy", "pypinyin", "rapidfuzz", "requests", "selectolax", "sqlite_utils", "whoosh", "xlrd"}
    code = f"import sys, publish.__main__, publish.workers; print(*sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []  # each run starts one of these on every core


def test_a_command_waits_for_no_library_that_another_one_needs(root):
    heavy = {"cryptography", "datasette", "numpy", "openpyxl", "pyarrow", "pypinyin", "requests", "sqlite_utils", "whoosh", "xlsxwriter"}
    code = f"import sys, publish.cli; print(*sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []  # numpy alone is a tenth of a second of each step


def test_what_search_imports_late_is_there():
    assert [name for name in search.__all__ if not hasattr(search, name)] == []


def twice(path: str, text: str) -> Iterator[str]:
    """Names that a module gives a value at its top more than once: the first one says what nobody reads."""
    names = [
        target.id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    yield from (f"{path}: {name} has two values" for name in sorted(set(names)) if names.count(name) > 1)


def test_a_name_at_the_top_of_a_module_has_one_value(root):
    nothing(fault for path, text in modules(root).items() for fault in twice(path, text))
    assert list(twice("a.py", "A = 1\nB = 2\nA = 3")) == ["a.py: A has two values"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1", "the module says nothing"),
        ('"""Says."""\ndef open_(): ...', "open_ says nothing"),
        ('"""Says."""\nclass Thing: ...', "Thing says nothing"),
    ],
)
def test_silence_is_found(text, fault):
    assert any(fault in found for found in silent("search/a.py", text))
    assert list(silent("search/a.py", '"""Says."""\ndef _inner(): ...\n@hookimpl\ndef startup(): ...')) == []


@pytest.mark.parametrize("line", ["--" + "index-url x", "click>=8", "click @ file:click.whl", "click==8.5.1"])
def test_a_lock_with_anything_but_pins_is_refused(line):
    with pytest.raises(ValueError, match="pins and hashes only"):
        pins(line)


@pytest.mark.parametrize(
    "line", ['open("/' + 'work/x")', "see /" + "home/somebody/x", "https://pypi" + ".org/simple", "--" + "extra-index-url x"]
)
def test_a_place_on_a_machine_is_found(line):
    assert list(betrayals("a.txt", line))
    assert list(betrayals("a.txt", "https://example.org/work/1 and ./var/tmp/x")) == []
