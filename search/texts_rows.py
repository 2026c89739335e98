"""Which documents a tree (texts_tree.py) finds, as far as one search may see them.

What may not be seen is left out before anything is counted: `hidden` documents, and of some documents the fields that are `unsaid`. Of these a query is asked
again without those fields, so that neither words nor their absence tell of them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from .facets import most_frequent_first
from .texts_file import File
from .texts_near import likeliest, slips
from .texts_tree import Between, Deny, Either, Every, Is, Node, Words

PIECE = 8  # tokens in a row that FTS5 is asked for; each walks its own list, and 900 times 培 took 3.1 s
ALIKE = 200  # documents that are looked at for what was meant
NOWHERE = '"\ue000"'  # private use: no text has it


class View:
    """The documents as one search may see them."""

    def __init__(self, file: File, hidden: Collection[str], unsaid: Mapping[str, Collection[str]]) -> None:
        self._of = file
        self._hidden = frozenset(hidden)
        self._groups: dict[frozenset[str], set[int]] = {}
        for id, names in unsaid.items():
            if id in file.places and names:
                self._groups.setdefault(frozenset(names), set()).add(file.places[id])
        self._found: dict[str, set[int]] = {}
        self.bound: set[int] = set().union(*self._groups.values())  # documents that do not say everything

    def rows(self, tree: Node | None) -> set[int]:
        """What of it a query finds."""
        found = self._rows(tree, frozenset()) - self.bound
        for names, those in self._groups.items():
            found |= self._rows(tree, names) & those
        return self.shown(found)

    def shown(self, found: set[int]) -> set[int]:
        """What of it is not hidden. Asked of what is found, which is little: those that are hidden are a thousand."""
        return {place for place in found if self._of.ids[place] not in self._hidden}

    def ask(self, expression: str) -> set[int]:
        """What FTS5 finds; it is asked once."""
        if expression not in self._found:
            found = self._of.connection.execute("SELECT rowid FROM texts WHERE texts MATCH ?", [expression])
            self._found[expression] = {place for (place,) in found}
        return self._found[expression]

    def having(self, name: str, values: Collection[str]) -> set[int]:
        """The documents with one of these values in a field."""
        wanted = set(values)
        return self._valued(name, [code for code, made in enumerate(self._of.values[name]) if wanted.intersection(made)])

    def between(self, name: str, since: str | int | None, until: str | int | None) -> set[int]:
        """The documents with a value from `since` to `until`, both included. Of days each is compared in the precision that both have."""
        return self._valued(name, self._codes(Between(name, since, until)))

    def _codes(self, node: Is | Between) -> set[int]:
        """The codes of a field that are what a part of a query says."""
        if isinstance(node, Between):
            known = self._of.compared[node.field]
            return {code for code, made in enumerate(known) if any(_within(value, node.since, node.until) for value in made)}
        wanted, run = f" {' '.join(node.tokens)} ", self._of.words[node.field]
        return {code for code, made in enumerate(self._of.values[node.field]) if any(wanted in run[value] for value in made)}

    def _valued(self, name: str, codes: Collection[int]) -> set[int]:
        having = self._of.having[name]
        return set().union(*(having[code] for code in codes)) - self.without(name)

    def counted(self, name: str, rows: set[int]) -> dict[str, int]:
        """How many of these documents have each value of a field, the most frequent first."""
        known, codes = self._of.values[name], self._of.codes[name]
        counts: Counter[str] = Counter()
        for code, n in Counter(map(codes.__getitem__, rows - self.without(name))).items():
            for value in known[code]:
                counts[value] += n
        return most_frequent_first(counts)

    def expression(self, node: Node, unsaid: frozenset[str] = frozenset(), pieces: bool = False) -> str | None:
        """What a tree is to FTS5; None where something in it is not of words alone, only denies, or is a long run and may not be in `pieces`."""
        if isinstance(node, Words):
            names = self._of.columns
            columns = [column for name, column in names.items() if name not in unsaid and node.field in (None, name)]
            if len(node.tokens) > PIECE and not pieces:
                return None
            run = " AND ".join(dict.fromkeys(f'"{" ".join(piece)}"' for piece in _pieces(node.tokens)))
            run += " *" if node.begins else ""
            return NOWHERE if not columns else f"({run})" if len(columns) == len(names) else f"({{{' '.join(columns)}}} : ({run}))"
        if not isinstance(node, Every | Either):
            return None
        denied = [below.of for below in node.of if isinstance(below, Deny)] if isinstance(node, Every) else []
        if denied and len(denied) < len(node.of):
            told = self.expression(Every(tuple(below for below in node.of if not isinstance(below, Deny))), unsaid, pieces)
            not_this = self.expression(Either(tuple(denied)), unsaid, pieces)
            return None if told is None or not_this is None else f"({told} NOT {not_this})"
        parts = [self.expression(below, unsaid, pieces) for below in node.of]
        return None if None in parts else f"({(' AND ' if isinstance(node, Every) else ' OR ').join(map(str, parts))})"

    def _rows(self, node: Node | None, unsaid: frozenset[str]) -> set[int]:
        listed = self._of.listed
        if node is None:
            return listed
        if (whole := self.expression(node, unsaid)) is not None:
            return self.ask(whole)
        match node:
            case Words():
                return self._long(node, unsaid)
            case Deny(of):
                return listed - self._rows(of, unsaid)
            case Is() | Between():
                return set() if node.field in unsaid else self._valued(node.field, self._codes(node))
            case Every(parts) | Either(parts):
                return self._together(type(node), parts, unsaid)
        raise AssertionError(node)

    def _together(self, how: type[Every] | type[Either], parts: Sequence[Node], unsaid: frozenset[str]) -> set[int]:
        """All or any of some parts; those of words are asked for in one question, and so are those that are denied."""
        words = tuple(part for part in parts if self.expression(part, unsaid) is not None)
        denied = tuple(part.of for part in parts if isinstance(part, Deny))
        found = [self._rows(how(words), unsaid)] if words else []
        valued = [part for part in parts if isinstance(part, Is | Between)] if how is Either else []
        for name in {part.field for part in valued} - unsaid:
            found.append(self._valued(name, set().union(*(self._codes(part) for part in valued if part.field == name))))
        found += [self._rows(part, unsaid) for part in parts if part not in words and part not in valued and not isinstance(part, Deny)]
        if denied:
            other: type[Every] | type[Either] = Either if how is Every else Every
            those = self._rows(other(denied) if len(denied) > 1 else denied[0], unsaid)
            if how is Every and found:
                return set.intersection(*found) - those
            found.append(self._of.listed - those)
        return set.intersection(*found) if how is Every else set().union(*found)

    def _long(self, word: Words, unsaid: frozenset[str]) -> set[int]:
        """Where a run stands whole that is too long for FTS5: where its pieces stand is looked at."""
        expression = self.expression(word, unsaid, pieces=True)
        columns = [column for name, column in self._of.columns.items() if name not in unsaid and word.field in (None, name)]
        where = " OR ".join(f"instr(' ' || {column} || ' ', ?2)" for column in columns)
        run = f" {' '.join(word.tokens)}{'' if word.begins else ' '}"
        sql = f"SELECT rowid FROM texts WHERE texts MATCH ?1 AND ({where or '0'})"  # noqa: S608
        return {place for (place,) in self._of.connection.execute(sql, [expression, run])}

    def without(self, name: str) -> set[int]:
        """The documents that do not say a field."""
        return set().union(*(those for names, those in self._groups.items() if name in names))

    def meant(self, query: str, words: Sequence[Words]) -> str | None:
        """The query with its first word that is nowhere as it stands in documents that say everything."""
        for word in words:
            if not slips(word) or self.shown(self._rows(word, frozenset()) - self.bound):
                continue
            tries = [
                f'NEAR("{" ".join(before)}" "{" ".join(after)}", {int(between)})' if before and after else f'"{" ".join(before or after)}"'
                for ways in slips(word)
                for before, between, after in ways
            ]
            alike = sorted(self.shown(self.ask(" OR ".join(tries)) - self.bound))[:ALIKE]
            sql = f"SELECT {', '.join(self._of.columns.values())} FROM texts WHERE rowid = ?"  # noqa: S608
            texts = [text for place in alike for text in self._of.connection.execute(sql, [place]).fetchone() if text]
            if (better := likeliest(word, texts)) is not None:
                return _replaced(query, word.tokens, better)
        return None


def _pieces(run: Sequence[str]) -> Iterator[Sequence[str]]:
    """A run in pieces, each of which begins with the last token of the one before."""
    yield from (run[start : start + PIECE] for start in range(0, max(len(run) - 1, 1), PIECE - 1))


def _within(value: str | int, since: str | int | None, until: str | int | None) -> bool:
    if isinstance(value, int):
        return (since is None or value >= int(since)) and (until is None or value <= int(until))
    return (not since or value >= str(since)[: len(value)]) and (not until or value[: len(str(until))] <= str(until))


def _replaced(query: str, given: Sequence[str], better: Sequence[str]) -> str | None:
    """A query with one run of tokens in place of another, where it has that as people see it."""
    before, after = ("".join(run) for run in (given, better))
    return query.replace(before, after, 1) if before in query else None
