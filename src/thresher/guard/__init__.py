"""Fetching foreign URLs safely: no private addresses, limits on time and size.

A URL list is foreign input, and this machine can reach addresses that the list's author cannot: the router, the
database, the cloud's metadata service. So every address is checked after its name was resolved, the connection goes to
exactly the address that was checked, and each redirect is a new URL that is checked again.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from thresher import __version__
from thresher.errors import Blocked, NotFetched
from thresher.guard.addresses import address, redirected, site_of
from thresher.guard.robots import ROBOT, directives_of, forbidding
from thresher.settings import Settings

USER_AGENT = f"{ROBOT}/{__version__}"
REDIRECTS_MOST = 5
PER_HOST = 4
"""Connections to one host at once: polite, and enough to hide its distance."""

SCHEMES = ("http", "https")
PORTS = frozenset({80, 443})
REDIRECTING = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 64 * 1024
LONGEST_WAIT_SECONDS = 10.0
"""The longest `Retry-After` that is waited for within a run."""

REASONS = {
    "blocked-address": "the address is private, reserved or a cloud's own",
    "blocked-url": "the URL is not plain http or https on its usual port",
    "fetch-timeout": "it took longer than allowed",
    "fetch-redirects": f"it redirected more than {REDIRECTS_MOST} times, or nowhere",
    "fetch-name": "the name of the site does not resolve",
    "fetch-tls": "the site has no valid certificate",
    "fetch-encoding": "the answer is compressed although we asked it not to be",
    "fetch-failed": "the connection failed",
    "robots-tag": "the site wants it left out of indexes or training data (the header X-Robots-Tag)",
    "too-large": "more bytes than allowed",
}
"""Every reason a fetch is refused for, and what it means; besides them `fetch-status-` and the status."""

# (network, what it is, whether `fetch_private` opens it): IANA's special-purpose registries (RFC 6890 and its
# successors), and two networks of the clouds. IPv6 outside 2000::/3 is not listed one by one: it is no global unicast.
NETWORKS: tuple[tuple[str, str, bool], ...] = (
    ("0.0.0.0/8", "this network", False),
    ("10.0.0.0/8", "private", True),
    ("100.64.0.0/10", "shared by a carrier", True),
    ("127.0.0.0/8", "loopback", True),
    ("168.63.129.16/32", "a cloud's own", False),
    ("169.254.0.0/16", "link-local", False),
    ("172.16.0.0/12", "private", True),
    ("192.0.0.0/24", "reserved for protocols", False),
    ("192.0.2.0/24", "for documentation", False),
    ("192.88.99.0/24", "a 6to4 relay", False),
    ("192.168.0.0/16", "private", True),
    ("198.18.0.0/15", "for benchmarks", False),
    ("198.51.100.0/24", "for documentation", False),
    ("203.0.113.0/24", "for documentation", False),
    ("224.0.0.0/4", "multicast", False),
    ("240.0.0.0/4", "reserved", False),
    ("::1/128", "loopback", True),
    ("64:ff9b::/96", "NAT64", False),
    ("64:ff9b:1::/48", "NAT64", False),
    ("fc00::/7", "private", True),
    ("fe80::/10", "link-local", False),
    ("ff00::/8", "multicast", False),
    ("2001::/23", "reserved for protocols, Teredo among them", False),
    ("2001:db8::/32", "for documentation", False),
    ("2002::/16", "6to4", False),
    ("3fff::/20", "for documentation", False),
)
_NETWORKS = tuple((ipaddress.ip_network(network), what, private) for network, what, private in NETWORKS)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def why_not(address: str, *, private: bool = False) -> str:
    """Why an IP address must not be connected to, in a few words; "" for a public one.

    `private` allows private and loopback networks, but never link-local ones, where clouds serve their credentials.
    """
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return "no IP address"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    for network, what, opened in _NETWORKS:
        if ip.version == network.version and ip in network:
            return "" if private and opened else what
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return "not global"
    return "" if ip.is_global else "reserved"


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be reached: these ports (None for any), and every address that `why_not` does not object to."""

    ports: frozenset[int] | None = PORTS
    why_not: Callable[[str], str] = why_not

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules from the settings: public addresses only, unless `fetch_private` is set."""
        return cls(None, partial(why_not, private=True)) if settings.fetch_private else cls()


class GuardedFetcher:
    """Fetches foreign URLs within the rules, inside `async with GuardedFetcher(settings) as fetcher`.

    Proxies of the environment are ignored, because they would connect instead of us; no cookies are stored or sent.
    """

    def __init__(
        self, settings: Settings, *, rules: Rules | None = None, names: AbstractResolver | None = None
    ) -> None:
        self._settings = settings
        self._rules = rules or Rules.of(settings)
        self._names = names
        self._robots_tags = directives_of(settings.robots_tags)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._settings.fetch_at_once,
            limit_per_host=PER_HOST,
            ttl_dns_cache=300,
            resolver=_JudgingResolver(self._names or aiohttp.ThreadedResolver(), self._rules),
            socket_factory=self._judged_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),  # one deadline over redirects and retries of connections: ours
            headers={"User-Agent": USER_AGENT, "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str) -> bytes:
        """The bytes behind a URL, at most `fetch_bytes` of them within `fetch_seconds`, redirects included.

        Raises Blocked if the rules forbid it and NotFetched for any other failure, each with a reason of REASONS.
        """
        data = bytearray()
        await self.fetch_into(url, data.extend)
        return bytes(data)

    async def fetch_into(self, url: str, take: Callable[[bytes], object]) -> None:
        """As `fetch`, but each piece is handed to `take` as it arrives, for files that are too large for the memory.

        An error of the writing system (OSError) in `take` is raised as it is.
        """
        if self._session is None:
            raise RuntimeError("enter the fetcher first: async with GuardedFetcher(...)")
        seconds = self._settings.fetch_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._follow(url, self._session, partial(_hand, take))
        except Blocked as error:
            raise Blocked(error.what, reason=error.reason, where=url) from error
        except TimeoutError as error:
            raise NotFetched(f"it took longer than {seconds:g} s.", reason="fetch-timeout", where=url) from error
        except aiohttp.InvalidURL as error:
            raise Blocked("the URL is not valid.", reason="blocked-url", where=url) from error
        except NotFetched:
            raise
        except _NotTaken as error:
            raise error.cause from error
        except Exception as error:  # a hostile site may drive the network library into anything
            raise _not_fetched(error, url) from error

    async def _follow(self, url: str, session: aiohttp.ClientSession, take: Callable[[bytes], object]) -> None:
        here = check_url(url, self._rules)
        for _ in range(REDIRECTS_MOST + 1):
            async with session.get(here, allow_redirects=False) as answer:
                if answer.status not in REDIRECTING:
                    await self._body(answer, url, take)
                    return
                here = check_url(_next(here, answer.headers.get("Location", ""), url), self._rules)
        raise NotFetched(f"more than {REDIRECTS_MOST} redirects.", reason="fetch-redirects", where=url)

    async def _body(self, answer: aiohttp.ClientResponse, url: str, take: Callable[[bytes], object]) -> None:
        most = self._settings.fetch_bytes
        if answer.status != 200:
            wait = _retry_after(answer.headers.get("Retry-After", ""))
            what, reason = f"the site answered {answer.status}.", f"fetch-status-{answer.status}"
            raise NotFetched(what, reason=reason, where=url, after_seconds=wait)
        if found := forbidding(answer.headers.getall("X-Robots-Tag", ()), self._robots_tags):
            what = f"the site asks to leave it out (X-Robots-Tag: {found}; the setting robots_tags)."
            raise NotFetched(what, reason="robots-tag", where=url)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NotFetched(
                "the site sent a compressed answer without being asked.", reason="fetch-encoding", where=url
            )
        too_large = NotFetched(f"more than {most:,} bytes.", reason="too-large", where=url)
        if (answer.content_length or 0) > most:
            raise too_large
        taken = 0
        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
            taken += len(chunk)
            if taken > most:
                raise too_large
            take(chunk)

    def _judged_socket(self, place: tuple[Any, ...]) -> socket.socket:
        """The last check, when the socket is opened: an IP address written in the URL is never resolved."""
        family, kind, protocol, _, (address, *_) = place
        if what := self._rules.why_not(address):
            raise Blocked(f"{address} is {what}.")
        return socket.socket(family, kind, protocol)


class _NotTaken(Exception):
    """What came could not be written: no fault of the site, though the network library's errors are OSErrors too."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _hand(take: Callable[[bytes], object], piece: bytes) -> None:
    try:
        take(piece)
    except OSError as error:
        raise _NotTaken(error) from error


class _JudgingResolver(AbstractResolver):
    """Resolves a name and returns only the addresses that may be reached; the connection then uses one of these."""

    def __init__(self, names: AbstractResolver, rules: Rules) -> None:
        self._names = names
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        judged = [(place, self._rules.why_not(place["host"])) for place in found]
        reachable = [place for place, what in judged if not what]
        if judged and not reachable:
            place, what = judged[0]
            raise Blocked(f"{host} resolves to {place['host']}, which is {what}.")
        return reachable

    async def close(self) -> None:
        await self._names.close()


def check_url(url: str, rules: Rules) -> URL:
    """The address of a URL, if its scheme, port and (where given) IP address are allowed. Raises Blocked."""
    try:
        site = site_of(url)
        host, port = site.host, site.port
        if site.scheme not in SCHEMES or not host:
            raise Blocked("only http and https are fetched.", reason="blocked-url", where=url)
        here = address(url)
    except (ValueError, TypeError) as error:
        raise Blocked("it is not a URL.", reason="blocked-url", where=url) from error
    if site.user is not None or site.password is not None:
        raise Blocked("the URL contains a user name or password.", reason="blocked-url", where=url)
    if rules.ports is not None and port not in rules.ports:
        raise Blocked(f"port {port} is not allowed.", reason="blocked-url", where=url)
    if _is_address(host) and (what := rules.why_not(host)):
        raise Blocked(f"{host} is {what}.", where=url)
    return here


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True


def _next(here: URL, location: str, url: str) -> str:
    if not location:
        raise NotFetched("the site sent a redirect without an address.", reason="fetch-redirects", where=url)
    try:
        return redirected(here, location)
    except ValueError as error:
        raise Blocked("the site redirects to an invalid URL.", reason="blocked-url", where=url) from error


def _retry_after(header: str) -> float:
    return min(float(header), LONGEST_WAIT_SECONDS) if header.isascii() and header.isdigit() else 0.0


def _not_fetched(error: Exception, url: str) -> NotFetched:
    """The error and reason for what the network library raised."""
    reasons: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (aiohttp.ClientConnectorDNSError, "fetch-name"),
        (UnicodeError, "fetch-name"),  # a label that no name can have
        ((aiohttp.ClientSSLError, ssl.SSLError), "fetch-tls"),
        (Exception, "fetch-failed"),
    )
    reason = next(reason for kinds, reason in reasons if isinstance(error, kinds))
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return NotFetched(f"{REASONS[reason]} ({said}).", reason=reason, where=url)
