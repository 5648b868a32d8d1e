"""The open connections of a server: bounded in number, and closed when they keep the server waiting.

uvicorn alone waits for ever for the first byte of a request, for the rest of its headers, and for a client to read an
answer. So a few hundred connections that do nothing would hold every file descriptor of the process.
"""

import asyncio
import ipaddress
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from uvicorn.protocols.http.h11_impl import H11Protocol

from thresher.server.joining import HOME_BITS, Network, networks
from thresher.settings import Settings

HEAD_SECONDS = 10.0
"""From an accepted connection, or the last answer, to the end of the next request's headers."""

STUCK_SECONDS = 30.0
"""How long a client may read nothing of an answer that is being sent."""

ACCEPTED_AT_ONCE = 32
"""asyncio accepts so many in a step, and some steps later we see them, and another has made room."""

SPARE_FILES = 4 * ACCEPTED_AT_ONCE + 128  # the latter for the store, its shards, logs and far sites
LEAST = 16
RETRY_SECONDS = 2


class Connections:
    """All connections of one server. When there are too many, one that waits for its client makes room.

    At most `each` may come from one address (of IPv6: from one household). Loopback and the setting `proxies` are
    excepted: a reverse proxy stands for everybody.
    """

    def __init__(self, most: int, each: int, *, free: Callable[[str], bool] | None = None) -> None:
        self.most = most
        self.each = each
        self._free = free or is_loopback
        self._open: dict[LimitedProtocol, None] = {}
        self._by_address: Counter[str] = Counter()

    @classmethod
    def of(cls, settings: Settings) -> "Connections":
        """The limits of the settings, as far as this process may have that many files open."""
        most = min(settings.connections, max(LEAST, _files() - SPARE_FILES))
        proxies = networks(settings.proxies)
        return cls(most, settings.connections_each, free=lambda address: is_loopback(address) or _in(address, proxies))

    @property
    def open_now(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def has_limit(self, address: str) -> bool:
        """Whether the connections of an address are counted."""
        return not self._free(address)

    def admit(self, connection: "LimitedProtocol") -> bool:
        """Take a new connection in; False if there is no room for it, and none can be made."""
        room = self._room(connection.address)
        if room:
            self._open[connection] = None
            self._by_address[connection.address] += 1
        return room

    def left(self, connection: "LimitedProtocol") -> None:
        """Forget a connection that has ended."""
        if connection in self._open:
            del self._open[connection]
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]

    def sweep(self) -> None:
        """Close every connection whose client has kept the server waiting for too long."""
        now = time.monotonic()
        for connection in [one for one in self._open if one.overdue(now)]:
            connection.cut()

    def end(self) -> None:
        """Close every connection that is still open."""
        for connection in list(self._open):
            connection.cut()

    def _room(self, address: str) -> bool:
        if self.has_limit(address) and self._by_address[address] >= self.each:
            return self._cut_one([one for one in self._open if one.address == address])
        return len(self._open) < self.most or self._cut_one(list(self._open))

    def _cut_one(self, among: "list[LimitedProtocol]") -> bool:
        """Close the connection that has waited longest for its client: first those between two requests."""
        waiting = [one for one in among if one.waits_for_client]
        if not waiting:
            return False
        min(waiting, key=lambda one: (one.busy, one.since)).cut()
        return True


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with the limits of `Connections`."""

    all: Connections  # of the server; `protocol_for` sets it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # -- as uvicorn declares it
        """Take the connection in, or say at once that there is no room."""
        super().connection_made(transport)
        self.address = home_of(self.client[0] if self.client else "")
        self.since = time.monotonic()
        self._unsent, self._unsent_since = 0, self.since
        if not self.all.admit(self):
            transport.write(_FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another one."""
        self.all.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes after the connection was refused or closed is dropped."""
        if not self.transport.is_closing():
            super().data_received(data)

    def on_response_complete(self) -> None:
        """The time for the next request begins."""
        self.since = time.monotonic()
        super().on_response_complete()

    @property
    def busy(self) -> bool:
        """Whether a request is being answered, or its body read."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: no request is complete."""
        return not self.busy or self.cycle.more_body

    def overdue(self, now: float) -> bool:
        """Whether the client has kept us waiting for too long, for its headers or in reading an answer."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        if unsent and now - self._unsent_since > STUCK_SECONDS:
            return True
        return not self.busy and now - self.since > HEAD_SECONDS

    def cut(self) -> None:
        """Close at once; what was not sent is dropped."""
        self.all.left(self)
        self.transport.abort()


def protocol_for(connections: Connections) -> type[LimitedProtocol]:
    """The protocol class for the connections of one server, as uvicorn wants it."""
    return type("LimitedProtocol", (LimitedProtocol,), {"all": connections})


def _refusal() -> bytes:
    told = {
        "type": "urn:thresher:try-later",
        "title": "Try later",
        "status": 503,
        "detail": "The server has as many connections as it accepts.",
        "where": "",
        "next": "try again later, or raise the settings connections and connections_each",
    }
    body = json.dumps(told).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"Retry-After: {RETRY_SECONDS}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body


_FULL = _refusal()


def is_loopback(address: str) -> bool:
    """Whether a client is on this machine: the owner, or a reverse proxy."""
    try:
        return ipaddress.ip_network(address).is_loopback
    except ValueError:  # a Unix socket: whoever connects is on this machine
        return True


def _in(address: str, proxies: Sequence[Network]) -> bool:
    ip = ipaddress.ip_network(address).network_address
    return any(ip in network for network in proxies)


def home_of(address: str) -> str:
    """An address to count by: of IPv6 the network of a household, where one client has as many as it likes."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip if ip.is_loopback else ipaddress.ip_network((ip, HOME_BITS), strict=False))


def _files() -> int:
    """How many files this process may have open, after its soft limit was raised as far as it goes."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 1_000_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return wanted if soft == resource.RLIM_INFINITY else soft
