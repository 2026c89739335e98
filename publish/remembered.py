"""What whoever verifies a release remembers, and no signature shows: that a chain goes on from what they verified before, and that it goes on at all.

A publisher who restored an older copy and went on from there, and one who shows others another chain, sign both with the right key: only who has a manifest
of the other one can tell. And an old release that is served as the newest, with the keys of then, is as it was signed: its age alone says so, by the clock of whoever
asks. TUF has a timestamp role for that, which signs every few hours that nothing is newer, and expires. Here nothing is signed where nothing changed, so
an old release may be the newest one, and within the days that are allowed nothing is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .home import RELEASE_ID, release_order
from .manifests import Found, Link, line, printable

DAY = 10  # characters of a release's id
ASK = "ask the publisher, and compare with another reader"


@dataclass(frozen=True)
class Remembered:
    """`after`: the SHA-256 of a manifest that was verified before, and `of` its release where that is known; `today` in China; `most` days that a release may be old."""

    today: date
    after: str | None = None
    of: str | None = None
    most: int | None = None

    def judge(self, first: Link, earlier: Sequence[Link], out: Found) -> None:
        """A fault for each thing that a release is not which it should be by this; `earlier` are those before it, as far as they were followed. A clock
        that is behind is no fault of a release, and then its age is not judged."""
        if not RELEASE_ID.fullmatch(first.id):
            return
        if self.after is not None:
            self._follow(self.after, (first, *earlier), out)
        if self.most is not None:
            old, found = age(first.id, self.today), f"is of {first.id[:DAY]}"
            if old is None:
                out.faults.append(line("manifest.json", found, "a day of the calendar"))
            elif old < 0:
                out.unjudged.append(to_come(first.id, self.today))
            elif old > self.most:
                out.faults.append(line("manifest.json", f"{found}, {days(old)} ago", f"at most {days(self.most)}: {ASK}"))

    def _follow(self, after: str, chain: Sequence[Link], out: Found) -> None:
        """Whether what was verified is in the chain or right before it. Who signs a fork can write that it supersedes whatever they like: only a later
        issue of that very release may, so of a hash whose release is not known none is looked for."""
        last = chain[-1]
        if any(one.sha256 == after and self.of in (None, one.id) for one in chain):
            return
        if last.previous_manifest == after and self.of in (None, last.previous):
            return
        if any(after in one.supersedes and one.id == self.of for one in chain):
            out.notes.append(
                printable(f"release {self.of} was issued anew since you verified it: delete your copy of it, and keep both manifests")
            )
        else:
            out.faults.append(self._left(chain[0], last))

    def _left(self, first: Link, last: Link) -> str:
        if self.of is not None and release_order(self.of) > release_order(first.id):
            found = f"is of release {first.id}, and {self.of} was verified before"
            return line("manifest.json", found, f"that or a later one: verify /data/latest/; where that is {first.id}, {ASK}")
        which = f"release {self.of} as it was verified before" if self.of else "what was verified before"
        is_cut = last.previous is not None and (self.of is None or release_order(last.id) > release_order(self.of))
        found = f"is not known to go on from {which}: its chain is here back to {last.id}" if is_cut else f"does not go on from {which}"
        what = "verify at the publisher's address, where all of it is; else" if is_cut else "keep both manifests,"
        issue = "or a later issue of it" if self.of else "(of a hash alone no later issue of it is known: give RELEASE:SHA256)"
        return line("manifest.json", found, f"manifest sha256 {self.after}, {issue}, in the chain: {what} {ASK}")


def age(release: str, today: date) -> int | None:
    """How many days ago a release was made by its id, which is signed; None where that is no day."""
    try:
        return (today - date.fromisoformat(release[:DAY])).days
    except ValueError:
        return None


def to_come(release: str, today: date) -> str:
    """What is said of a release that is younger than the day."""
    return f"release {release} is of a day to come by this machine's clock, by which today is {today}: set the clock, and where it is right, ask the publisher; how old it is could not be judged"


def days(number: int) -> str:
    """So many days."""
    return "1 day" if number == 1 else f"{number} days"
