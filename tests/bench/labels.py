"""Who answers a query: looked up by plain means in all names, so that every institution that is as right as the one it was made from counts.

Texts are compared as `search.compact` folds them. Lines of one long string are searched instead of an index: slow, and nothing that can be wrong with an
index is wrong here too.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from search import compact

from .corpus import Institution, syllables

LEGAL = ("股份有限公司", "有限责任公司", "有限責任公司", "集团有限公司", "有限公司", "分公司", "公司")

Right = frozenset[int]  # places in the corpus


class Lines:
    """Texts of the corpus, each with the place of its institution; `holders` are those with a text in which a run of characters stands."""

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        self.places: list[int] = []
        self.starts: list[int] = []
        lines: list[str] = []
        at = 0
        for place, text in texts:
            self.places.append(place)
            self.starts.append(at)
            lines.append(text)
            at += len(text) + 1
        self.all = "\n".join(lines)

        self.lines = lines
        self.holders = lru_cache(512)(self._holders)

    def _holders(self, run: str) -> Right:
        if not run:
            return frozenset()
        if len(run) < 3 and self.all.count(run) > len(self.lines) // 8:  # so many that looking at every line is quicker
            return frozenset(place for place, line in zip(self.places, self.lines, strict=True) if run in line)
        return frozenset(self.places[line] for line in self._found(run))

    def _found(self, run: str) -> Iterator[int]:
        at = self.all.find(run)
        while at >= 0:
            line = bisect_right(self.starts, at) - 1
            yield line
            at = self.all.find(run, self.starts[line + 1]) if line + 1 < len(self.starts) else -1


class Labels:
    """The corpus with what is needed to say who is right. What a class of queries does not ask for is not made."""

    def __init__(self, corpus: Sequence[Institution]) -> None:
        self.corpus = corpus
        self.names = Lines((place, compact(name)) for place, one in enumerate(corpus) for name in one.names)
        self.whole = set(self.names.lines)

    @cached_property
    def texts(self) -> list[str]:
        """All that is searched of each institution: names, region, addresses, contents, permit."""
        return [
            "\n".join(map(compact, (*one.names, one.region_text, *one.addresses, *one.content.splitlines(), one.permit)))
            for one in self.corpus
        ]

    @cached_property
    def anywhere(self) -> Lines:
        return Lines((place, line) for place, text in enumerate(self.texts) for line in text.split("\n"))

    @cached_property
    def addresses(self) -> Lines:
        return Lines((place, compact(address)) for place, one in enumerate(self.corpus) for address in one.addresses)

    @cached_property
    def permits(self) -> Lines:
        return Lines((place, f"{compact(one.permit)}号") for place, one in enumerate(self.corpus) if one.permit)

    @cached_property
    def codes(self) -> dict[str, int]:
        return {one.code: place for place, one in enumerate(self.corpus) if one.code}

    @cached_property
    def read(self) -> list[tuple[int, tuple[str, ...]]]:
        return [(place, syllables(one, name)) for place, one in enumerate(self.corpus) for name in one.names]

    @cached_property
    def sounds(self) -> Lines:
        """Readings with a mark before and after each syllable."""
        return Lines((place, _marked(read)) for place, read in self.read)

    @cached_property
    def initials(self) -> Lines:
        return Lines((place, "".join(syllable[0] for syllable in read if syllable).lower()) for place, read in self.read)

    def sounding(self, read: Sequence[str]) -> Right:
        return self.sounds.holders(_marked(read))

    def with_words(self, name: str, *words: str) -> Right:
        """Those with the run `name` in a name and every word anywhere in their texts."""
        runs = [compact(word) for word in words]
        return frozenset(place for place in self.names.holders(compact(name)) if all(run in self.texts[place] for run in runs))

    @cached_property
    def _by_length(self) -> dict[int, tuple[list[str], list[set[int]]]]:
        """What people may have meant to type, by length: names, and names without what is left out; and whose each is."""
        found: dict[str, set[int]] = defaultdict(set)
        for place, one in enumerate(self.corpus):
            for text in {*map(compact, one.names), *map(compact, meant(one))}:
                found[text].add(place)
        sizes: dict[int, tuple[list[str], list[set[int]]]] = defaultdict(lambda: ([], []))
        for text, places in found.items():
            sizes[len(text)][0].append(text)
            sizes[len(text)][1].append(places)
        return dict(sizes)

    def near(self, text: str) -> Right:
        """Those with a name, or a name without its ends, that is one wrong, missing, added or swapped character from `text`."""
        run, close = compact(text), set[int]()
        for size in range(len(run) - 1, len(run) + 2):
            texts, whose = self._by_length.get(size, ([], []))
            if texts:
                distances = process.cdist([run], texts, scorer=OSA.distance, score_cutoff=1)[0]
                close.update(*(whose[spot] for spot in (distances <= 1).nonzero()[0]))
        return frozenset(close)

    def near_code(self, text: str) -> Right:
        return frozenset(place for code, place in self.codes.items() if OSA.distance(text, code, score_cutoff=1) <= 1)


def _marked(read: Sequence[str]) -> str:
    return "'".join(("", *read, "")).lower()


def bare(name: str) -> str:
    """A name without the words for its legal form."""
    return next((name.removesuffix(end) for end in LEGAL if name.endswith(end) and len(name) > len(end) + 2), name)


def meant(one: Institution) -> tuple[str, ...]:
    """What is typed for a whole name: it, without its legal form, and without its trade's."""
    stem = f"{one.place}{one.brand}{one.trade}"
    return tuple(dict.fromkeys((one.name, bare(one.name), stem, f"{one.brand}{one.trade}") if one.brand else (one.name, bare(one.name))))
