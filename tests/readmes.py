"""The READMEs, for tests that hold them against what they tell of: a block that a reader can copy is run, whichever of them it stands in."""

import re
from pathlib import Path

FRONT = "README.md"  # what a new reader sees first; it leads to the others, each in the folder of its subject
FILES = (
    FRONT, "datasets/README.md", "datasets/codes/README.md", "datasets/sources/README.md", "feeds/README.md", "publish/README.md", "publish/web/README.md",
    "search/README.md", "tests/README.md",
)  # fmt: skip


def readmes(root: Path) -> dict[str, str]:
    """The text of each by its path."""
    return {path: (root / path).read_text("utf-8") for path in FILES}


def told(root: Path) -> str:
    """All of them."""
    return "\n".join(readmes(root).values())


def blocks(root: Path, language: str) -> list[str]:
    """The blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", told(root), re.M | re.S)


def block(root: Path, language: str, having: str) -> str:
    """The one block that has these words."""
    (found,) = [text for text in blocks(root, language) if having in text]
    return found


def addresses(root: Path) -> list[str]:
    """Addresses of the site as the READMEs write them, an address of several endings (`/a.json|.csv`) once for each."""
    found = set()
    for text in re.findall(r"`(?:https://mingbai\.example)?(/[^`\n]*)`", told(root)):
        first, *others = text.replace("\\|", "|").split("|")
        found |= {
            first,
            *(first.rpartition("." if one.startswith(".") else "/")[0] + "/" * (not one.startswith(".")) + one for one in others),
        }
    return sorted(found)
