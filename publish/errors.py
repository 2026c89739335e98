"""Everything that can go wrong on purpose, one class for each thing that a caller does differently.

A message names the file or record, what was found, what was expected and the next step. The command line prints it as one line and
exits with `exit_code`; an exception of any other class is a bug and keeps its traceback.
"""


class Mingbai(Exception):
    """Base of every error that a user can act on. `public` is what readers are told: never the message, which can repeat a source's words."""

    exit_code = 1
    public = "the last run failed; the live release is as it was"


class BadValue(Mingbai):
    """One value of one record cannot be read as its kind; the run goes on and reports an issue."""


class BadDelta(Mingbai):
    """A delta is damaged, or is not for the file that it was applied to; the target is as it was."""


class BadDeclaration(Mingbai):
    """A file under datasets/ is wrong; nothing was fetched."""

    exit_code = 2
    public = "a declaration is wrong and nothing was fetched; the live release is as it was"


class BadHome(Mingbai):
    """The home directory, or a file in it, is not in the state that this step needs."""

    exit_code = 2


class NotSigned(Mingbai):
    """A decision came without a name or a reason that can be one; it was not entered."""

    exit_code = 2


class SourceUnavailable(Mingbai):
    """The source could not be reached or refused us for now; the run may be repeated and resumes."""

    exit_code = 3
    public = "a source could not be reached; the live release is as it was"


class SourceBroken(Mingbai):
    """The source answered and broke a promise (a page missing, its own total not met, an error page with status 200): nothing is published."""

    exit_code = 4
    public = "a source broke a promise and nothing of it was published; the live release is as it was"


class ReviewNeeded(Mingbai):
    """The change is outside its bounds; it is held until a person approves its digest."""

    exit_code = 5
    public = "a change is held until a person has looked at it; the live release is as it was"


class BadKey(Mingbai):
    """A key that signs or verifies is missing, wrong, revoked or cannot be read: nothing was published, and nothing is trusted."""

    exit_code = 7
    public = "the release could not be signed; the live release is as it was"


class NotVerified(Mingbai):
    """A release is not what was signed."""


class NotRead(Mingbai):
    """Something of a release was not given out, so that nobody can say whether it is what was signed."""

    exit_code = 3


class Busy(Mingbai):
    """Another run holds the lock of this home."""

    exit_code = 6
