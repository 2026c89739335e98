"""An archived snapshot as a source: tests, incidents and reprocessing run the code that production runs.

The bodies are taken as they are, under the same id and with the same seal, so that everything made from them has the same bytes again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import SourceBroken
from ..progress import Progress
from ..snapshot import Page, Snapshot, load
from . import SourcePlan
from .attempt import Attempt


@dataclass(frozen=True)
class ArchiveSource:
    """Adapter of a folder that has a seal."""

    plan: SourcePlan
    folder: Path

    def opened(self) -> Snapshot:
        """The archived snapshot, verified, and of this source. Raises SourceBroken."""
        archived = load(self.folder)
        if archived.source != self.plan.name:
            raise SourceBroken(
                f"{self.folder.name}: is a snapshot of {archived.source!r}, one of {self.plan.name!r} was expected; name another folder"
            )
        names = {page.listing for page in archived.pages}
        for listing in self.plan.listings:
            if listing.name not in names and not listing.may_be_empty:
                raise SourceBroken(
                    f"{self.folder.name}: has no listing {listing.name!r}, only {', '.join(sorted(names))}; name another folder"
                )
        return archived

    def pages(self, attempt: Attempt, previous: Snapshot | None, progress: Progress) -> Iterator[Page]:
        """Every page as it is in the archive; see `Source`."""
        archived = self.opened()
        progress.start(archived.id, len(archived.pages))
        for page in archived.pages:
            attempt.link(page.listing, page.file.removeprefix(f"{page.listing}/"), archived.folder / page.file)
            yield attempt.note(page)
            progress.advance()
        progress.finish()
