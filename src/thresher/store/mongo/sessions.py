"""Records the sessions in which a process has transactions, for the process that follows it if it is killed.

MongoDB keeps the transaction of a vanished client for more than a minute, with locks on everything it touched: the
same command, run again, would wait. So each process keeps a file with its sessions, locked as long as it lives, and the
next process that opens the workspace on this machine ends the sessions of dead ones.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bson import Binary
from pymongo import MongoClient

from thresher.records import new_id
from thresher.store.locks import lock, lock_if_free

ID_BYTES: Final = 16
UUID_SUBTYPE: Final = 4


class SessionNotes:
    """The file of one process. If it cannot be written, later commands wait instead; no error is raised."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pid = -1
        self._descriptor = -1
        self._path = directory
        self._noted: set[bytes] = set()

    def note(self, session: bytes) -> None:
        """Record a session before its first transaction, once."""
        if self._pid == os.getpid() and session in self._noted:
            return
        with suppress(OSError):
            if self._pid != os.getpid():
                self._open()  # a fork has sessions of its own
            os.write(self._descriptor, session)
            self._noted.add(session)

    def _open(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._path = self.directory / new_id()
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        lock(self._descriptor)
        self._pid, self._noted = os.getpid(), set()

    def end_abandoned(self, client: MongoClient[dict[str, Any]]) -> None:
        """End the sessions of dead processes in MongoDB."""
        with suppress(OSError):
            for path in list(self.directory.iterdir()):
                with suppress(OSError), path.open("rb") as file:
                    if not lock_if_free(file.fileno()):  # its process lives
                        continue
                    found = file.read()
                    ids = [found[at : at + ID_BYTES] for at in range(0, len(found), ID_BYTES)]
                    if ids:
                        client.admin.command("killSessions", [{"id": Binary(one, UUID_SUBTYPE)} for one in ids])
                    path.unlink()

    def close(self) -> None:
        """Delete the record: no session is open any more."""
        if self._pid == os.getpid():
            with suppress(OSError):
                self._path.unlink()
                os.close(self._descriptor)
            self._pid = -1
