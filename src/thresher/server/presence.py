"""Where the servers of a workspace are: each keeps a record of its true address, and every printed link uses it.

Only light imports: commands that print a link read this, and start no server.
"""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from thresher.errors import NotReady, ThresherError
from thresher.records import RunningServer, new_id, now_ms
from thresher.settings import Settings
from thresher.store.contract import Store

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- compared with, never listened on
STALE_MS = 45_000  # a server says every ten seconds that it runs
FORGOTTEN_MS = 86_400_000


class Presence:
    """The record of a running server in its workspace."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._public_url = settings.public_url
        self._record: RunningServer | None = None

    @property
    def url(self) -> str:
        """Where people reach the server; empty before it listens."""
        return self._record.url if self._record else ""

    def begin(self, url: str) -> None:
        """Record that the server listens at `url`, and forget killed ones; a store that fails is tried again later."""
        now = now_ms()
        self._record = RunningServer(
            new_id(), (self._public_url or url).rstrip("/"), this_host(), os.getpid(), started_ms=now, heartbeat_ms=now
        )
        with suppress(ThresherError):
            for other in self._store.servers.all():
                if _dead(other) or now - other.heartbeat_ms > FORGOTTEN_MS:
                    self._store.servers.drop(other.id)
            self._store.servers.keep(self._record)

    def beat(self) -> None:
        """Record that the server still runs; a store that cannot be written to now is tried again later."""
        record = self._record
        if record is not None:
            fresh = RunningServer(
                record.id, record.url, record.host, record.pid, record.started_ms, heartbeat_ms=now_ms()
            )
            with suppress(ThresherError):
                self._store.servers.keep(fresh)

    def end(self) -> None:
        """Forget the server."""
        if self._record is not None:
            with suppress(ThresherError):
                self._store.servers.drop(self._record.id)


def running(store: Store, at_ms: int) -> list[RunningServer]:
    """The servers that run now: of this machine, then those that it reaches, then others; of each the newest first."""
    found = [one for one in store.servers.all() if at_ms - one.heartbeat_ms <= STALE_MS and not _dead(one)]
    return sorted(found, key=lambda one: (one.host != this_host(), not _is_reached(one)))


def reached(store: Store, at_ms: int) -> list[RunningServer]:
    """The servers that run now and whose address leads to them from this machine, in the same order."""
    return [one for one in running(store, at_ms) if _is_reached(one)]


def _is_reached(server: RunningServer) -> bool:
    return server.host == this_host() or not is_loopback(server.url)


def is_loopback(url: str) -> bool:
    """Whether an address leads to the machine itself, on whichever it is opened."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def for_people(store: Store, settings: Settings) -> tuple[str, bool]:
    """The address of the workspace's server for links, and whether it runs.

    Without a running server, the address at which `thresher serve` would listen. Raises NotReady if that has a port
    which is chosen only then.
    """
    found = running(store, now_ms())
    if settings.public_url:
        return settings.public_url.rstrip("/"), bool(found)
    if found:
        return found[0].url, True
    if not settings.port:
        raise NotReady(
            "no server of this workspace runs, and the next one takes any free port, so links have no address yet.",
            next="thresher serve, and then this command again",
        )
    return address_of(settings.host, settings.port), False


def next_for_people(store: Store, settings: Settings) -> str:
    """What comes next where people are to answer: start a server, or open the one that runs."""
    found = running(store, now_ms())
    return (
        f"open the console of the running server, {settings.public_url or found[0].url}" if found else "thresher serve"
    )


def address_of(host: str, port: int) -> str:
    """The address of a server that listens on `host`; for all addresses of the machine, the one it is reached at."""
    if host in EVERYWHERE:
        host = _own_address(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def this_host() -> str:
    """A name for this machine, or this container: process ids mean something only within it."""
    space = ""
    if sys.platform == "linux":
        with suppress(OSError):
            space = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()} {space}".strip()


def _dead(server: RunningServer) -> bool:
    """Whether the process of a server has ended; of other machines nobody knows."""
    if server.host != this_host():
        return False
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _own_address(host: str) -> str:
    """The address from which this machine reaches others; loopback where it reaches none."""
    family, far, near = (
        (socket.AF_INET6, "2001:db8::1", "::1") if ":" in host else (socket.AF_INET, "192.0.2.1", "127.0.0.1")
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((far, 9))  # of a datagram socket: nothing is sent
            return str(asked.getsockname()[0])
    except OSError:
        return near
