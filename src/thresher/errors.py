"""Every error that thresher raises on purpose. Each says what, where, and the next command.

ThresherError
├── Refused input
│   ├── BadInput              a value that a person gave cannot be used
│   │   ├── BadLine           ... in a line of a file, which is named
│   │   └── BadSetting        ... in thresher.toml, the environment or a flag
│   ├── NotFound              a thing was asked for by a name nobody has
│   ├── AlreadyThere          a thing of that name exists and is different
│   └── Undecodable           bytes that are no picture we can show; carries the reason that is counted
├── Access
│   ├── Denied                no token, a wrong one, or one for something else
│   ├── Gone                  a lease that ended, an assignment already sent, a link that was revoked
│   ├── Blocked               a foreign URL that the guard does not let through; carries the reason that is counted
│   └── NotFetched            a foreign URL that gave nothing in time; carries the reason that is counted
├── State
│   ├── Busy                  somebody else holds it (a loop lease, a write lock)
│   ├── NotReady              a stage needs what an earlier stage makes
│   ├── JobFailed             a unit of work ended in an error that is not ours, or its process died
│   └── Conflict              what was sent contradicts what is stored
├── Storage
│   ├── StoreUnavailable      the disk or the database cannot be reached, or is read-only
│   ├── StoreFull             the disk is full; what was stored stays
│   ├── StoreDamaged          rows, shards and columns disagree
│   └── WrongSchema           the workspace was made by a newer version
└── Missing                   an extra or a built page is not installed
"""


class ThresherError(Exception):
    """Something a person can act on: `what` happened, `where`, and what to do `next`."""

    status = 500
    kind = "error"

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:  # noqa: A002 -- `next` is the word users read
        self.what = what
        self.where = where
        self.next = next
        super().__init__(what)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole."""
        return (_revive, (type(self), self.what, self.where, self.next))

    def __str__(self) -> str:
        """One line: where, what, and the next command."""
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line} Next: {self.next}" if self.next else line


def _revive(cls: type[ThresherError], what: str, where: str, following: str) -> ThresherError:
    return cls(what, where=where, next=following)


class BadInput(ThresherError):
    """A value that a person gave cannot be used."""

    status = 422
    kind = "bad-input"


class BadLine(BadInput):
    """A line of a file cannot be used; `where` names file and line."""

    kind = "bad-line"

    def __init__(self, what: str, *, file: str, line: int, next: str = "") -> None:  # noqa: A002 -- see ThresherError
        self.file = file
        self.line = line
        super().__init__(what, where=f"{file}, line {line}", next=next)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole; the default would call the constructor with three positions."""
        return (_bad_line, (type(self), self.what, self.file, self.line, self.next))


def _bad_line(cls: type[BadLine], what: str, file: str, line: int, following: str) -> BadLine:
    return cls(what, file=file, line=line, next=following)


class BadSetting(BadInput):
    """A setting has a value it cannot have; `where` names its place."""

    kind = "bad-setting"


class NotFound(ThresherError):
    """Nobody has that name."""

    status = 404
    kind = "not-found"


class AlreadyThere(ThresherError):
    """A thing of that name exists and is different."""

    status = 409
    kind = "already-there"


class Undecodable(ThresherError):
    """Bytes that are no picture we can show; `reason` is the word that is counted."""

    status = 422
    kind = "undecodable"

    def __init__(self, reason: str, what: str, *, where: str = "") -> None:
        self.reason = reason
        super().__init__(what, where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole."""
        return (_undecodable, (self.reason, self.what, self.where))


def _undecodable(reason: str, what: str, where: str) -> Undecodable:
    return Undecodable(reason, what, where=where)


class Denied(ThresherError):
    """No token, a wrong one, or one for something else."""

    status = 401
    kind = "denied"


class Gone(ThresherError):
    """It was there and has ended: a lease, a link, an assignment already sent."""

    status = 410
    kind = "gone"


class Blocked(ThresherError):
    """A foreign URL that the guard does not let through; `reason` is the word that is counted."""

    status = 403
    kind = "blocked"

    def __init__(self, what: str, *, reason: str = "blocked-address", where: str = "", next: str = "") -> None:  # noqa: A002 -- see ThresherError
        self.reason = reason
        super().__init__(what, where=where, next=next)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole."""
        return (_blocked, (self.what, self.reason, self.where, self.next))


def _blocked(what: str, reason: str, where: str, following: str) -> Blocked:
    return Blocked(what, reason=reason, where=where, next=following)


class NotFetched(ThresherError):
    """A foreign URL that gave nothing in time; `reason` is the word that is counted.

    `after_seconds` is how long the site asked to be left alone.
    """

    status = 502
    kind = "not-fetched"

    def __init__(self, what: str, *, reason: str, where: str = "", after_seconds: float = 0.0) -> None:
        self.reason = reason
        self.after_seconds = after_seconds
        super().__init__(what, where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole."""
        return (_not_fetched, (self.what, self.reason, self.where, self.after_seconds))


def _not_fetched(what: str, reason: str, where: str, after_seconds: float) -> NotFetched:
    return NotFetched(what, reason=reason, where=where, after_seconds=after_seconds)


class Busy(ThresherError):
    """Somebody else holds it."""

    status = 409
    kind = "busy"


class NotReady(ThresherError):
    """A stage needs what an earlier stage makes."""

    status = 409
    kind = "not-ready"


class JobFailed(ThresherError):
    """A unit of work ended in an error that is not ours, or its process died."""

    kind = "job-failed"


class Conflict(ThresherError):
    """What was sent contradicts what is stored."""

    status = 409
    kind = "conflict"


class StoreUnavailable(ThresherError):
    """The disk or the database cannot be reached, or is read-only."""

    status = 503
    kind = "store-unavailable"


class StoreFull(ThresherError):
    """The disk is full; what was stored stays."""

    status = 507
    kind = "store-full"


class StoreDamaged(ThresherError):
    """Rows, shards and columns disagree."""

    kind = "store-damaged"


class WrongSchema(ThresherError):
    """The workspace was made by a newer version."""

    kind = "wrong-schema"


class Missing(ThresherError):
    """An extra or a built page is not installed; `next` is the command that installs it."""

    status = 503
    kind = "missing"

    def __init__(self, what: str, install: str) -> None:
        self.install = install
        super().__init__(f"{what} is not installed.", next=install)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole."""
        return (_missing, (self.what.removesuffix(" is not installed."), self.install))


def _missing(what: str, install: str) -> Missing:
    return Missing(what, install)
