"""Regions by their names in Pinyin, as the table of regions has them: "Gulou, Fuzhou", "Fujian Fuzhou Gulou", "gulou qu". In either order, each within the next.

Names that several regions have (Fuzhou is 福州 and 抚州) mean all of them, until what they lie in decides; nothing is guessed. Names begin and end
where words do: "fuzhougulou" is none. What a source writes is never read so, only what somebody asks.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from ..regions import COUNTRY, Region, Regions

MOST_WORDS, MOST_NAMES = 16, 4
# what stands behind a name, and how that which it calls so ends
KINDS = {
    "province": "省", "sheng": "省", "city": "市", "municipality": "市", "shi": "市", "district": "区", "qu": "区", "region": "区", "county": "县", "xian": "县", "banner": "旗", "qi": "旗",
    "prefecture": "州区盟", "zhou": "州", "league": "盟", "meng": "盟",
}  # fmt: skip
NOT_SAID = ("autonomous", "of", "the")
COUNTRIES = ("china", "prc", "zhongguo")


class Romanised:
    """What Latin spellings mean in a table of regions on a day."""

    def __init__(self, regions: Regions, day: str) -> None:
        self._regions, self._day = regions, day
        self._named: dict[str, list[Region]] = {}
        for row in regions.rows():
            for key in {_key(row.name_en), _key(row.name_en.replace("ü", "v"))} - {""}:
                self._named.setdefault(key, []).append(row)

    def meanings(self, text: str) -> tuple[Region, ...]:
        """The regions of the day that a spelling may mean, the widest alone where it holds all the others, as for names in Chinese."""
        words = [key for word in re.split(r"[\s,，、;/|()\-]+", text) if (key := _key(word)) and key not in NOT_SAID]
        if not words or len(words) > MOST_WORDS or not all(word.isascii() and word.isalpha() for word in words):
            return ()
        if len(words) > 1:
            words = [word for word in words if word not in COUNTRIES] or words[:1]
        found = {self._regions.resolve(row.code, self._day) for row in self._read(words)}
        wide = [row for row in found if all(self._regions.is_within(other.code, row.code) for other in found)]
        return tuple(wide if len(wide) == 1 else sorted(found, key=lambda row: row.code))

    def code(self, text: str) -> str | None:
        """The code of the one region that a spelling means."""
        found = self.meanings(text)
        return found[0].code if len(found) == 1 else None

    def _read(self, words: Sequence[str]) -> list[Region]:
        """The last region of each way to read the words as names of which each lies in another; those of the day, where there are any."""
        found = {names[0] for order in (1, -1) for names in self._chains(words, (), order)}
        return [row for row in found if row.is_valid(self._day)] or list(found)

    def _chains(self, words: Sequence[str], names: tuple[Region, ...], order: int) -> Iterator[tuple[Region, ...]]:
        """Narrowest first, whichever way they are written: `order` is -1 where the widest is written last."""
        if not words:
            yield names
            return
        if len(names) == MOST_NAMES:
            return
        for end in range(1, len(words) + 1):
            for row, rest in self._one("".join(words[:end]), words[end:]):
                if not names:
                    yield from self._chains(rest, (row,), order)
                elif order == 1 and self._is_in(row, names[0]):
                    yield from self._chains(rest, (row, *names), order)
                elif order == -1 and self._is_in(names[-1], row):
                    yield from self._chains(rest, (*names, row), order)

    def _one(self, name: str, rest: Sequence[str]) -> Iterator[tuple[Region, Sequence[str]]]:
        """The regions of a name, written with or without what it is called behind it."""
        for row in self._named.get(name, ()):
            yield row, rest
            if rest and row.name_zh.endswith(tuple(KINDS.get(rest[0], ()))):
                yield row, rest[1:]
        for kind, ends in KINDS.items():
            if name.endswith(kind):
                yield from ((row, rest) for row in self._named.get(name.removesuffix(kind), ()) if row.name_zh.endswith(tuple(ends)))

    def _is_in(self, row: Region, above: Region) -> bool:
        return row.code != above.code and above.code != COUNTRY and self._regions.is_within(row.code, above.code)


def _key(word: str) -> str:
    """A word as it is compared: small letters without marks and apostrophes."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter) and letter not in "'’‘`´ ")
