"""Modules that are wrong in one place: what a table of cases has to notice, or it proves nothing.

In Python a comparison or a `not` is turned round, a condition of several is left out, a statement is left out, a word of a list is left out. In
SQL, which is a text to Python, the same is done to each text of a module: f-strings are taken as one text with a mark for each value.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import publish

HERE = Path(publish.__file__).parent
ROUND: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
# What stands in a text of SQL, and what it becomes; the first that fits counts.
WORDS = [(re.compile(pattern), to) for pattern, to in (
    (r"\bIS NOT NULL\b", "IS NULL"), (r"\bIS NULL\b", "IS NOT NULL"), (r"\bIS NOT\b", "IS"), (r"\bIS\b", "IS NOT"),
    (r"\bNOT EXISTS\b", "EXISTS"), (r"(?<!IF )(?<!IF NOT )\bEXISTS\b", "NOT EXISTS"), (r"\bNOT IN\b", "IN"), (r"\bIN (?=\()", "NOT IN "),
    (r"(?<![<>=!\w?])=(?![=\w])", "<>"), (r"<>", "="), (r">=", "<"), (r"<=", ">"), (r"(?<![<>])<(?![<>=])", ">="), (r"(?<![<>])>(?![<>=])", "<="),
    (r"\bNOT (?=coalesce|\()", ""), (r"\bLEFT JOIN\b", "JOIN"), (r"\bOR IGNORE\b ", ""), (r"\bDISTINCT\b ", ""), (r"\bUNION ALL\b", "UNION"), (r"\bmin\(", "max("),
)]  # fmt: skip
BEFORE = re.compile(r"\b(?:WHERE|ON|AND|OR|HAVING|WHEN)\b(?! IGNORE| REPLACE)")  # a condition follows
AFTER = re.compile(r"\b(?:AND|OR|ORDER BY|GROUP BY|HAVING|UNION|LIMIT|THEN|ELSE|END|(?:LEFT |CROSS )?JOIN|WHERE)\b")  # and ends
LONGEST = 60


@dataclass(frozen=True)
class Mutant:
    """Where and what (a name that stays when lines move), and the code of the wrong module."""

    what: str
    code: CodeType

    def module(self) -> ModuleType:
        """The module, known to nobody else."""
        module = ModuleType("publish.mutant")
        module.__package__ = "publish"
        sys.modules[module.__name__] = module  # dataclasses look their module up
        try:
            exec(self.code, module.__dict__)
        finally:
            del sys.modules[module.__name__]
        return module


def over(file: str, part: str, mutant: Mutant) -> ModuleType:
    """The module `file`, right in itself, over a `part` that is the mutant."""
    name = f"publish.{part.removesuffix('.py')}"
    right, sys.modules[name] = sys.modules[name], mutant.module()
    try:
        return Mutant(file, compile((HERE / file).read_text("utf-8"), "mutant", "exec")).module()
    finally:
        sys.modules[name] = right


def judging(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions of a module that judge; how a finding reads is not judging."""
    yield from (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name != "_number")


def turned_round(file: str) -> Iterator[Mutant]:
    """Each module that `file` becomes when one comparison is turned round, or one function that yields is emptied."""
    text = (HERE / file).read_text("utf-8")
    spots = [(f.name, place) for f in judging(ast.parse(text)) for place, node in enumerate(ast.walk(f)) if isinstance(node, ast.Compare)]
    for name, place in spots:
        tree = ast.parse(text)
        function = next(f for f in judging(tree) if f.name == name)
        node = list(ast.walk(function))[place]
        assert isinstance(node, ast.Compare)
        node.ops[0] = ROUND[type(node.ops[0])]()
        yield Mutant(f"{file}: {name}, line {node.lineno}: {ast.unparse(node)}", compile(ast.fix_missing_locations(tree), "mutant", "exec"))
    for name in dict.fromkeys(
        f.name for f in judging(ast.parse(text)) if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(f))
    ):
        tree = ast.parse(text)
        function = next(f for f in judging(tree) if f.name == name)
        function.body = ast.parse("yield from ()").body
        yield Mutant(f"{file}: {name}, emptied", compile(ast.fix_missing_locations(tree), "mutant", "exec"))


def everywhere(file: str) -> Iterator[Mutant]:
    """Each module that `file` becomes when one thing in it is wrong, in SQL or in Python."""
    tree, seen = ast.parse((HERE / file).read_text("utf-8")), Counter[str]()
    for parent, node, where in list(_nodes(tree, "module")):
        for what, change in _changes(node, parent):
            _put(parent, node, ast.fix_missing_locations(ast.copy_location(change, node)))
            code = compile(tree, "mutant", "exec")
            _put(parent, change, node)
            name = f"{where}: {what}"
            seen[name] += 1
            yield Mutant(name if seen[name] == 1 else f"{name} ({seen[name]})", code)


def _nodes(parent: ast.AST, where: str) -> Iterator[tuple[ast.AST, ast.AST, str]]:
    """Every node below one, with its parent and the function that it is in. Docstrings are none, and an f-string is one."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(parent, ast.Expr | ast.JoinedStr) and isinstance(node, ast.Constant):
            continue
        yield parent, node, where
        yield from _nodes(node, node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else where)


def _changes(node: ast.AST, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node can become, each with a name."""
    if isinstance(node, ast.Compare):
        yield f"{ast.unparse(node)}, turned round", ast.Compare(node.left, [ROUND[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{ast.unparse(node)}, without not", node.operand
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            rest = [other for other in node.values if other is not value]
            yield (
                f"{_short(ast.unparse(node))}, without {_short(ast.unparse(value))}",
                rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest),
            )
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"{_short(ast.unparse(node))}, left out", ast.Pass()
    elif (
        isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and isinstance(parent, ast.Compare | ast.Assign | ast.Dict)
    ):  # a list of words that something is in
        for word in node.elts:
            yield f"{ast.unparse(node)}, without {ast.unparse(word)}", ast.Tuple([e for e in node.elts if e is not word], ast.Load())
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        text, values = _as_text(node)
        for what, changed in sql_changes(text):
            yield _spelled(what, values), _from_text(changed, values)


def sql_changes(text: str) -> Iterator[tuple[str, str]]:
    """What a text of SQL can become, each with a name that shows where."""
    taken: set[int] = set()
    for pattern, to in WORDS:
        for match in pattern.finditer(text):
            if taken.isdisjoint(range(*match.span())):
                taken |= set(range(*match.span()))
                near = text[max(0, match.start() - 30) : match.end() + 30]
                yield f"{_short(near)}: {match[0].strip()} -> {to.strip() or 'nothing'}", text[: match.start()] + to + text[match.end() :]
    if re.search(r"\b(?:WHERE|ON|AND|OR|WHEN)\b", text):
        conditions = {(match.end(), match[0]) for match in BEFORE.finditer(text)}
        for start, word in sorted(conditions):
            end = _end(text, start)
            if text[start:end].strip() and (word != "ON" or text[start:end].strip() != "1"):
                yield f"{_short(text[start - len(word) : end])}, left out", f"{text[:start]} {'0' if word == 'OR' else '1'} {text[end:]}"
        for match in re.finditer(r"\bAND\b", text):  # the first of several, where no word stands before it
            start = _start(text, match.start())
            if not BEFORE.search(text[max(0, start - 7) : start + 1].strip()[-6:] + " ") and text[start : match.start()].strip():
                yield f"{_short(text[start : match.end()])}, left out", f"{text[:start]} 1 {text[match.start() :]}"


def _end(text: str, start: int) -> int:
    """Where the condition that begins at `start` ends."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "(":
            depth += 1
        elif text[place] == ")":
            depth -= 1
        if depth < 0 or (depth == 0 and (text[place] in ",;" or AFTER.match(text, place)) and place > start):
            return place
    return len(text)


def _start(text: str, end: int) -> int:
    """Where the condition that ends at `end` begins."""
    depth = 0
    for place in range(end - 1, -1, -1):
        if text[place] == ")":
            depth += 1
        elif text[place] == "(":
            depth -= 1
        if depth < 0 or (depth == 0 and text[place] == ","):
            return place + 1
        if depth == 0 and (found := re.compile(r"\b(?:WHERE|ON|AND|OR|HAVING|WHEN|SELECT)\b").match(text, place)):
            return found.end()
    return 0


def _as_text(node: ast.AST) -> tuple[str, list[ast.expr]]:
    """A text with a private character for each value in it, and the values."""
    if isinstance(node, ast.Constant):
        return str(node.value), []
    assert isinstance(node, ast.JoinedStr)
    values = [part for part in node.values if isinstance(part, ast.FormattedValue)]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else chr(0xE000 + values.index(part)) for part in node.values), list(
        values
    )


def _from_text(text: str, values: list[ast.expr]) -> ast.AST:
    if not values:
        return ast.Constant(text)
    parts = [part for part in re.split("([\ue000-\uf8ff])", text) if part]
    return ast.JoinedStr([values[ord(part) - 0xE000] if "\ue000" <= part <= "\uf8ff" else ast.Constant(part) for part in parts])


def _spelled(what: str, values: list[ast.expr]) -> str:
    return re.sub("[\ue000-\uf8ff]", lambda mark: ast.unparse(ast.JoinedStr([values[ord(mark[0]) - 0xE000]]))[2:-1], what)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _put(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put one node in another's place."""
    for name, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, name, new)
        elif isinstance(value, list):
            setattr(parent, name, [new if each is old else each for each in value])
