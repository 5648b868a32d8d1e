"""Every error that thresher raises on purpose. Each states what happened, where, and the next command.

ThresherError
├── Refused input
│   ├── BadInput              an invalid value from a user
│   │   ├── BadLine           ... in a line of a file
│   │   └── BadSetting        ... in thresher.toml, the environment or a flag
│   ├── NotFound              an unknown name
│   ├── AlreadyThere          a different thing of that name exists
│   └── Undecodable           bytes that cannot be decoded as an image; has a reason, by which it is counted
├── Access
│   ├── Denied                no token, an invalid one, or one for another purpose
│   ├── Gone                  a lease that has ended, an assignment already sent, a link that was revoked
│   ├── Blocked               a URL that the guard does not allow; has a reason, by which it is counted
│   └── NotFetched            a URL that could not be fetched; has a reason, by which it is counted
├── State
│   ├── Busy                  another process or person holds it (a loop lease, a write lock)
│   ├── NotReady              a stage needs the result of an earlier stage
│   ├── TryLater              a limit of the server is reached, or a site does not answer now; says when to ask again
│   ├── JobFailed             a job raised an error that is not a ThresherError, or its process died
│   └── Conflict              the data sent contradicts the data stored
├── Storage
│   ├── StoreUnavailable      the disk or the database cannot be reached, or is read-only
│   ├── StoreFull             the disk is full; stored data is kept
│   ├── StoreDamaged          rows, shards and columns contradict each other
│   └── WrongSchema           the workspace was made by a newer version
└── Missing                   an extra or a built page is not installed
"""

import re

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^:@]*)(:[0-9]*)?(,.*)?")
_SECRET = re.compile(
    r"([?&;](?:[\w.-]*(?:signature|token|secret|passw|credential|api_?key|accesskey)[\w.-]*|sig|key|auth|pwd)=)[^&;#\s]+",
    re.IGNORECASE,
)
# in the addresses of these there is no other @ than the one before the host, whatever stands unescaped before it
_WITH_PATHS = frozenset({"http", "https", "ftp", "s3", "gs", "gcs", "az", "abfs", "abfss", "file", "memory"})


def without_secrets(text: str) -> str:
    """A text whose addresses contain no user, no password and no signature; for whatever is printed, logged or sent."""
    return (
        _ADDRESS.sub(lambda found: without_user(_SECRET.sub(r"\1...", found.group())), text) if "://" in text else text
    )


def without_user(address: str) -> str:
    """An address without user and password, though they contain characters that should have been escaped."""
    scheme, _, rest = address.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in rest and scheme.lower() not in _WITH_PATHS:
        rest = rest.rpartition("@")[2]
    elif "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    elif "@" in rest and not _AUTHORITY.fullmatch(authority):  # a password with a slash in it
        rest = rest.rpartition("@")[2]
    return f"{scheme}://{rest}"


class ThresherError(Exception):
    """An error that a person can act on: `what` happened, `where`, and what to do `next`."""

    status = 500
    kind = "error"

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:  # noqa: A002 -- `next` is the word users read
        self.what = without_secrets(what)
        self.where = without_secrets(where)
        self.next = without_secrets(next)
        super().__init__(self.what)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields."""
        return (_revive, (type(self), self.what, self.where, self.next))

    def __str__(self) -> str:
        """One line: where, what, and the next command."""
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line} Next: {self.next}" if self.next else line


def _revive(cls: type[ThresherError], what: str, where: str, following: str) -> ThresherError:
    return cls(what, where=where, next=following)


class BadInput(ThresherError):
    """An invalid value from a user."""

    status = 422
    kind = "bad-input"


class BadLine(BadInput):
    """An invalid line of a file; `where` names file and line."""

    kind = "bad-line"

    def __init__(self, what: str, *, file: str, line: int, next: str = "") -> None:  # noqa: A002 -- see ThresherError
        self.file = file
        self.line = line
        super().__init__(what, where=f"{file}, line {line}", next=next)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields; the default would call the constructor with three positional arguments."""
        return (_bad_line, (type(self), self.what, self.file, self.line, self.next))


def _bad_line(cls: type[BadLine], what: str, file: str, line: int, following: str) -> BadLine:
    return cls(what, file=file, line=line, next=following)


class BadSetting(BadInput):
    """An invalid value of a setting; `where` is the place where it was set."""

    kind = "bad-setting"


class NotFound(ThresherError):
    """An unknown name."""

    status = 404
    kind = "not-found"


class AlreadyThere(ThresherError):
    """A different thing of that name exists."""

    status = 409
    kind = "already-there"


class Undecodable(ThresherError):
    """Bytes that cannot be decoded as an image; refusals are counted by `reason`."""

    status = 422
    kind = "undecodable"

    def __init__(self, reason: str, what: str, *, where: str = "") -> None:
        self.reason = reason
        super().__init__(what, where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields."""
        return (_undecodable, (self.reason, self.what, self.where))


def _undecodable(reason: str, what: str, where: str) -> Undecodable:
    return Undecodable(reason, what, where=where)


class Denied(ThresherError):
    """No token, an invalid one, or one for another purpose."""

    status = 401
    kind = "denied"


class Gone(ThresherError):
    """Something that has ended: a lease, a link, an assignment already sent."""

    status = 410
    kind = "gone"


class Blocked(ThresherError):
    """A URL that the guard does not allow; refusals are counted by `reason`."""

    status = 403
    kind = "blocked"

    def __init__(self, what: str, *, reason: str = "blocked-address", where: str = "", next: str = "") -> None:  # noqa: A002 -- see ThresherError
        self.reason = reason
        super().__init__(what, where=where, next=next)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields."""
        return (_blocked, (self.what, self.reason, self.where, self.next))


def _blocked(what: str, reason: str, where: str, following: str) -> Blocked:
    return Blocked(what, reason=reason, where=where, next=following)


class NotFetched(ThresherError):
    """A URL that could not be fetched; refusals are counted by `reason`.

    `after_seconds` is how long the site asked to wait before the next request.
    """

    status = 502
    kind = "not-fetched"

    def __init__(self, what: str, *, reason: str, where: str = "", after_seconds: float = 0.0) -> None:
        self.reason = reason
        self.after_seconds = after_seconds
        super().__init__(what, where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields."""
        return (_not_fetched, (self.what, self.reason, self.where, self.after_seconds))


def _not_fetched(what: str, reason: str, where: str, after_seconds: float) -> NotFetched:
    return NotFetched(what, reason=reason, where=where, after_seconds=after_seconds)


class Busy(ThresherError):
    """Another process or person holds it."""

    status = 409
    kind = "busy"


class NotReady(ThresherError):
    """A stage needs the result of an earlier stage."""

    status = 409
    kind = "not-ready"


class TryLater(ThresherError):
    """A limit of the server is reached, or a site it needs does not answer; `after_seconds` says when to ask again."""

    status = 503
    kind = "try-later"

    def __init__(self, what: str, *, after_seconds: float, where: str = "", next: str = "") -> None:  # noqa: A002 -- see ThresherError
        self.after_seconds = after_seconds
        super().__init__(what, where=where, next=next)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all fields."""
        return (_try_later, (self.what, self.after_seconds, self.where, self.next))


def _try_later(what: str, after_seconds: float, where: str, following: str) -> TryLater:
    return TryLater(what, after_seconds=after_seconds, where=where, next=following)


class JobFailed(ThresherError):
    """A job raised an error that is not a ThresherError, or its process died."""

    kind = "job-failed"


class Conflict(ThresherError):
    """The data sent contradicts the data stored."""

    status = 409
    kind = "conflict"


class StoreUnavailable(ThresherError):
    """The disk or the database cannot be reached, or is read-only."""

    status = 503
    kind = "store-unavailable"


class StoreFull(ThresherError):
    """The disk is full; stored data is kept."""

    status = 507
    kind = "store-full"


class StoreDamaged(ThresherError):
    """Rows, shards and columns contradict each other."""

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
        """Pickle all fields."""
        return (_missing, (self.what.removesuffix(" is not installed."), self.install))


def _missing(what: str, install: str) -> Missing:
    return Missing(what, install)
