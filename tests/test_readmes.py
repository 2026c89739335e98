"""What the READMEs say is so: links lead somewhere, commands and options exist, and each setting, exit code and rule is told. Their blocks are run where their subject is tested."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from publish import errors
from publish.catalogue import load
from publish.cli import main
from publish.inbox import request
from publish.signing import VARIABLE
from readmes import FILES, FRONT, block, blocks, readmes, told
from test_house import PACKAGES, git_files

HEADING = re.compile(r"^#{1,6} (.+)$", re.M)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FRONT_BYTES = 15_000  # what somebody reads to the end
EVERYWHERE = {"--help", "-h"}


def prose(text: str) -> str:
    """A README without its blocks, in which a # begins a comment and brackets are code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(text: str) -> list[str]:
    """What GitHub calls the headings of a page."""
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose(text))]


def broken(root: Path, path: str, text: str) -> Iterator[str]:
    """Links of a README that lead nowhere."""
    for link in LINK.findall(re.sub(r"`[^`\n]+`", "", prose(text))):
        if link.startswith("https://"):
            continue
        to, _, anchor = link.partition("#")
        target = (root / path).parent / to if to else root / path
        if not target.exists():
            yield f"{path}: {link}"
        elif anchor and anchor not in anchors(target.read_text("utf-8")):
            yield f"{path}: {link}: no such heading"


def typed(root: Path) -> list[str]:
    """Every command of ours that the READMEs have, in a block or in a line."""
    lines = [line for text in blocks(root, "sh") for line in text.splitlines()]
    return [text for text in [*lines, *re.findall(r"`([^`\n]+)`", prose(told(root)))] if re.match(r"mingbai( |$)", text)]


def misspelt(line: str) -> Iterator[str]:
    """Words of a command that no command of ours takes; which are names and which values is not looked at."""
    command: click.Command = main
    words = shlex.split(line, comments=True)
    for before, word in pairwise(words):
        if word.startswith("--"):
            options = {option for one in command.params for option in one.opts} | EVERYWHERE
            if word.partition("=")[0] not in options:
                yield f"{line}: {command.name} has no {word}"
        elif isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
        elif isinstance(command, click.Group) and not before.startswith("--"):
            yield f"{line}: there is no command {word}"


def test_every_readme_is_one_that_is_held_here(root):
    assert [path for path in git_files(root) if path.endswith("README.md")] == sorted(FILES)


def test_every_link_and_anchor_of_the_readmes_is_there(root):
    assert [fault for path, text in readmes(root).items() for fault in broken(root, path, text)] == []
    assert list(broken(root, FRONT, "[a](#nothing) [b](nowhere/README.md) ![c](.readme/no.png) [d](https://example.org/) `[e](f)`")) == [
        "README.md: #nothing: no such heading",
        "README.md: nowhere/README.md",
        "README.md: .readme/no.png",
    ]


@pytest.mark.parametrize("path", FILES)
def test_a_heading_has_a_name_of_its_own(root, path):
    found = anchors(readmes(root)[path])
    assert len(found) == len(set(found)), "a link to the second would lead to the first"


@pytest.mark.parametrize("path", [path for path in FILES if "codes" not in path])
def test_every_section_is_in_the_contents_of_its_readme(root, path):
    text = readmes(root)[path]
    links = set(LINK.findall(text))
    headings = re.findall(r"^##+ .+$", prose(text), re.M)
    assert len(headings) > 2
    assert [heading for heading in headings if f"#{anchors(heading)[0]}" not in links and not heading.endswith("Contents")] == []


def test_the_front_page_is_short_and_leads_to_every_other(root):
    text = readmes(root)[FRONT]
    assert len(text.encode()) <= FRONT_BYTES
    assert {path for path in FILES if path != FRONT} <= set(LINK.findall(text))


def test_a_command_in_a_readme_exists_with_its_options(root):
    lines = typed(root)
    assert len(lines) > 50
    assert [fault for line in lines for fault in misspelt(line)] == []
    assert list(misspelt("mingbai runn")) == ["mingbai runn: there is no command runn"]
    assert list(misspelt("mingbai --home x keys new --sourse y")) == ["mingbai --home x keys new --sourse y: new has no --sourse"]


def test_every_command_is_in_the_table_of_commands(root):
    table = readmes(root)["publish/README.md"].partition("### 全部命令")[2].partition("###")[0]
    assert [name for name in main.commands if not re.search(rf"`(mingbai )?{name}`", table)] == []


def test_every_target_of_make_is_in_a_readme(root):
    targets = set(re.findall(r"^([a-z]+):.*## ", (root / "Makefile").read_text("utf-8"), re.M)) - {"help"}
    said = set(re.findall(r"\bmake ([a-z]+)", " ".join([*blocks(root, "sh"), *re.findall(r"`([^`\n]+)`", prose(told(root)))])))
    assert targets <= said <= targets | {"help"}


def test_every_setting_is_told_and_no_other(root):
    named = {one.envvar for command in (main, *main.commands.values()) for one in command.params if isinstance(one.envvar, str)}
    by_prefix = {one.name for one in main.params if isinstance(one, click.Option) and one.envvar is None and one.allow_from_autoenv} - {
        "version"
    }
    taken = {VARIABLE, *named, *(f"MINGBAI_{name}".upper() for name in by_prefix)}
    table = readmes(root)["publish/README.md"].partition("### 全部设置")[2].partition("###")[0]
    assert set(re.findall(r"MINGBAI_[A-Z_]+", table)) == taken
    assert set(re.findall(r"MINGBAI_[A-Z_]+", told(root))) - taken == {"MINGBAI_REAL_DATA"}  # of the tests


def test_every_exit_code_is_told(root):
    codes = {one.exit_code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.Mingbai)} | {0, 130}
    table = readmes(root)["publish/README.md"].partition("### 退出码")[2].partition("###")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == codes


def test_a_rule_that_the_code_names_is_told_under_its_number(root):
    rules = set(re.findall(r"^(\d+)\. ", readmes(root)["datasets/README.md"].partition("## 公布的规则")[2], re.M))
    texts = [(root / path).read_text("utf-8") for path in git_files(root) if path.split("/")[0] in PACKAGES and path.endswith(".py")]
    named = {number for text in texts for number in re.findall(r"\brule (\d+)\b", text)}
    assert len(named) > 8
    assert named <= rules


def test_the_entry_of_an_inbox_that_a_readme_shows_is_read(root, tmp_path):
    (tmp_path / "entry.yml").write_text(block(root, "yaml", "act: correct"), "utf-8")
    asked = request(tmp_path / "entry.yml")
    assert (asked.act, asked.notice, asked.fields["fine_fen"]) == ("correct", "n-1a2b3c", "2000元")


def test_the_source_that_a_readme_shows_is_a_right_one(root, tmp_path):
    (tmp_path / "xihu.yml").write_text(block(root, "yaml", "source: xihu"), "utf-8")
    assert "xihu" in load(more_sources=tmp_path).sources
