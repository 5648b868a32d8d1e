import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site

from thresher import guard
from thresher.errors import Blocked, NotFetched, without_secrets
from thresher.guard import GuardedFetcher, Rules
from thresher.settings import Settings, read_settings


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(tmp_path, {}).but(fetch_seconds=20.0, fetch_bytes=200_000)


def only_one(address: str) -> str:
    """127.0.0.1 stands for the public site; all other addresses are judged as ever."""
    return "" if address == "127.0.0.1" else guard.why_not(address)


LIKE_OUTSIDE = Rules(ports=None, why_not=only_one)


class Names(AbstractResolver):
    """A name server of our own: what an attacker's would answer."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self.table = table
        self.asked = 0

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 -- aiohttp's interface
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self.table[host]
        ]

    async def close(self) -> None:
        return


def fetch(
    url: str, settings: Settings, rules: Rules | None = LIKE_OUTSIDE, names: AbstractResolver | None = None
) -> bytes:
    async def once() -> bytes:
        async with GuardedFetcher(settings, rules=rules, names=names) as fetcher:
            return await fetcher.fetch(url)

    return asyncio.run(once())


def refused(url: str, settings: Settings, rules: Rules | None = LIKE_OUTSIDE, names: Names | None = None) -> str:
    error: Blocked | NotFetched | None = None
    try:
        fetch(url, settings, rules, names)
    except (Blocked, NotFetched) as caught:
        error = caught
    assert error is not None
    assert error.where == without_secrets(url)
    assert "\n" not in str(error)
    assert error.reason in guard.REASONS or error.reason.startswith("fetch-status-")
    return error.reason


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
        *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1"),
        *("239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::a00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
        *("2001::1", "2001:0:4136:e378::", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
        *("fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1", "", "localhost", "not an address"),
    ],
)
def test_no_address_of_ours_is_public(address: str) -> None:
    assert guard.why_not(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1"),
        *("192.167.1.1", "223.255.255.255", "2606:4700::6810:84e5", "2a00:1450:4001:800::200e", "::ffff:8.8.8.8"),
    ],
)
def test_public_addresses_are_public(address: str) -> None:
    assert guard.why_not(address) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd12::1", "::ffff:127.0.0.1"])
def test_the_setting_opens_private_networks(address: str) -> None:
    assert guard.why_not(address, private=True) == ""


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "168.63.129.16"])
def test_the_setting_opens_neither_metadata_services_nor_multicast(address: str) -> None:
    assert guard.why_not(address, private=True)


# --- URLs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "blocked-url"),
        ("ftp://example.org/a.jpg", "blocked-url"),
        ("gopher://example.org/", "blocked-url"),
        ("data:image/png;base64,AAAA", "blocked-url"),
        ("javascript:alert(1)", "blocked-url"),
        ("http://", "blocked-url"),
        ("a.jpg", "blocked-url"),
        ("", "blocked-url"),
        ("http://example.org:22/", "blocked-url"),
        ("http://example.org:6379/", "blocked-url"),
        ("https://example.org:8443/", "blocked-url"),
        ("http://user:secret@example.org/", "blocked-url"),
        ("http://[::1", "blocked-url"),
        ("http://example.org:99999/", "blocked-url"),
        ("http://127.0.0.1/", "blocked-address"),
        ("http://[::1]/", "blocked-address"),
        ("http://[::ffff:169.254.169.254]/", "blocked-address"),
        ("http://169.254.169.254/latest/meta-data/", "blocked-address"),
        ("http://localhost/", "blocked-address"),
        ("http://0.0.0.0/", "blocked-address"),
    ],
)
def test_only_web_sites_of_others_are_asked(url: str, reason: str, settings: Settings) -> None:
    assert refused(url, settings, rules=None) == reason


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "017700000001"])
def test_an_address_in_disguise_is_blocked(host: str, site: Site, settings: Settings) -> None:
    assert refused(f"http://{host}:{site.port}/picture/1.jpg", settings, Rules(ports=None)).startswith("blocked")


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_that_leads_inside_is_blocked(site: Site, settings: Settings) -> None:
    names = Names({"inside.example": ["10.0.0.7"]})
    assert refused("http://inside.example/", settings, Rules(), names) == "blocked-address"


def test_of_several_addresses_only_the_public_one_is_used(site: Site, settings: Settings) -> None:
    names = Names({"both.example": ["127.0.0.2", "127.0.0.1", "::1"]})
    assert fetch(site.url("/picture/3.jpg", "both.example"), settings, names=names) == picture(3)


def test_a_connection_is_pinned_to_the_address_that_was_judged(site: Site, settings: Settings) -> None:
    """A name server that answers differently the second time is never asked a second time."""

    class Rebinding(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            answer = await super().resolve(host, port, family)
            self.table = {host: ["127.0.0.2"]}
            return answer

    names = Rebinding({"turncoat.example": ["127.0.0.1"]})
    assert fetch(site.url("/picture/3.jpg", "turncoat.example"), settings, names=names) == picture(3)
    assert names.asked == 1


def test_a_name_nobody_has_is_told_apart(settings: Settings) -> None:
    assert refused("http://no-such-site.invalid/", settings) == "fetch-name"
    assert refused(f"http://{'a' * 70}.example/", settings) in {"fetch-name", "blocked-url"}


# --- the real site ----------------------------------------------------------------------------------------------------


def test_the_bytes_come_untouched(site: Site, settings: Settings) -> None:
    assert fetch(site.url("/redirect/2"), settings) == picture(5)


def test_who_asks_is_said_honestly_and_nothing_else(site: Site, settings: Settings) -> None:
    fetch(site.url("/picture/9.jpg#fragment"), settings)
    headers = site.headers["/picture/9.jpg"]
    assert headers["User-Agent"].startswith("thresher/")
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Referer", "Authorization"} & set(headers)


def test_proxies_of_the_environment_are_ignored(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert fetch(site.url("/picture/1.jpg"), settings) == picture(1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/redirect-to-private", "blocked-address"),
        ("/redirect-to-metadata", "blocked-address"),
        ("/redirect-to-file", "blocked-url"),
        ("/redirect-nowhere", "fetch-redirects"),
        ("/redirect/6", "fetch-redirects"),
        ("/status/404", "fetch-status-404"),
        ("/status/503", "fetch-status-503"),
        ("/status/204", "fetch-status-204"),
        ("/too-large", "too-large"),
        ("/endless", "too-large"),
        ("/cut-short", "fetch-failed"),
        ("/compressed", "fetch-encoding"),
    ],
)
def test_each_failure_has_its_reason(path: str, reason: str, site: Site, settings: Settings) -> None:
    assert refused(site.url(path), settings) == reason


def test_five_redirects_are_followed(site: Site, settings: Settings) -> None:
    assert fetch(site.url("/redirect/5"), settings) == picture(5)


def test_a_private_address_is_not_even_knocked_at(site: Site, settings: Settings) -> None:
    before = site.asked["/picture/1.jpg"]
    assert refused(site.url("/redirect-to-private"), settings) == "blocked-address"
    assert site.asked["/picture/1.jpg"] == before


def test_the_socket_itself_refuses_what_slipped_past_the_url(settings: Settings) -> None:
    fetcher = GuardedFetcher(settings)
    with pytest.raises(Blocked, match=r"10\.0\.0\.1 is private"):
        fetcher._judged_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 80)))


@pytest.mark.parametrize("path", ["/slow", "/trickle"])
def test_one_deadline_covers_everything(path: str, site: Site, settings: Settings) -> None:
    assert refused(site.url(path), settings.but(fetch_seconds=0.3)) == "fetch-timeout"


def test_a_closed_port_is_a_failure_not_a_crash(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert refused(url, settings) == "fetch-failed"


def test_a_site_that_is_not_tls_has_no_certificate(site: Site, settings: Settings) -> None:
    assert refused(f"https://127.0.0.1:{site.port}/", settings) == "fetch-tls"


def test_the_setting_lets_a_test_site_be_reached(site: Site, settings: Settings) -> None:
    url = site.url("/picture/4.jpg")
    assert refused(url, settings, rules=None) == "blocked-url"
    assert fetch(url, settings.but(fetch_private=True), rules=None) == picture(4)
    assert refused(site.url("/redirect-to-metadata"), settings.but(fetch_private=True), rules=None) == "blocked-address"
