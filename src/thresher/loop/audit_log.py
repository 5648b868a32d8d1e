"""The audit log of a freeze in the store: each line a piece of evidence, which no process can write twice.

Two processes may append at once: the one that comes second finds its line taken, reads on, and appends what is still
to say. A kill between two lines loses nothing, as the next turn finds what is not logged yet.
"""

from collections.abc import Callable, Iterator, Mapping

from thresher.errors import Conflict, StoreDamaged
from thresher.evidence.audit_log import Log
from thresher.store.contract import Store
from thresher.store.findings import MEND
from thresher.store.rounds import LOG

Fields = Mapping[str, object]


def lines_of(name: str, epoch: int, *, store: Store, first: int = 0) -> Iterator[bytes]:
    """The lines of a log, from the line with the number `first` on."""
    while (line := store.rounds.evidence(name, epoch, f"{LOG} {first}")) is not None:
        yield line
        first += 1


def read_on(name: str, epoch: int, log: Log, *, store: Store) -> Log:
    """The log with the lines that were appended since; the same object if there are none. Raises StoreDamaged."""
    new = list(lines_of(name, epoch, store=store, first=log.lines))
    if not new:
        return log
    try:
        return log.read(new)
    except ValueError as error:
        what = f"the audit log of epoch {epoch} has changed: {error}."
        raise StoreDamaged(what, where=name, next=MEND) from error


def append(
    name: str, epoch: int, log: Log, kind: str, said: Callable[[Log], Fields], *, store: Store, at_ms: int
) -> Log:
    """Append a line with what is `said` that the log does not have yet; nothing if `said` is empty of the newest log.

    Returns the log with this line and those that others have appended.
    """
    while True:
        log = read_on(name, epoch, log, store=store)
        if not (fields := said(log)):
            return log
        line = log.line(kind, at_ms, **fields)
        try:
            store.rounds.keep_evidence(name, epoch, f"{LOG} {log.lines}", line)
        except Conflict:
            continue  # another process was faster
