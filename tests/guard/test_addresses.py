import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site
from yarl import URL

from thresher.guard import GuardedFetcher
from thresher.guard.addresses import address, redirected
from thresher.settings import Settings, read_settings

SIGNED = [
    "/signed/3/foo%27bar.jpg?sig=ab%2Fcd%3D",
    "/signed/3/http%3A%2F%2Fcdn.example%2Fy.jpg",
    "/signed/3/k%2Cv.jpg?type=image%2Fjpeg",
    "/signed/3/plus%2Bsign.jpg?s=a%2Bb%3D&t=a+b",
    "/signed/3/at%40home.jpg",
    "/signed/3/lower%2fcase%c3%a4.jpg",
    "/signed/3/per%25cent%20.jpg?q=%25",
    "/signed/3/100%.jpg",
    "/signed/3//double//..//a.jpg",
    "/signed/3/@v1,(2)!$&'*;=[x]:~.jpg?a[]=1&b=@:/?",
]
"""Each is asked for in exactly these characters: a signature may be over them."""


@pytest.fixture
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(tmp_path, {}).but(fetch_seconds=20.0, fetch_private=True)


def fetch(url: str, settings: Settings) -> bytes:
    async def once() -> bytes:
        async with GuardedFetcher(settings) as fetcher:
            return await fetcher.fetch(url)

    return asyncio.run(once())


def test_an_address_is_asked_for_as_it_is_written(site: Site, settings: Settings) -> None:
    assert [fetch(site.url(path), settings) for path in SIGNED] == [picture(3)] * len(SIGNED)
    assert site.lines == SIGNED


def test_so_is_the_address_of_a_redirect_absolute_or_not(site: Site, settings: Settings) -> None:
    for path in SIGNED:
        for location in (path, site.url(path), f"//127.0.0.1:{site.port}{path}"):
            site.lines.clear()
            assert fetch(site.url(f"/redirect-to?to={quote(location, safe='')}"), settings) == picture(3)
            assert site.lines[1:] == [path]


def test_characters_that_no_request_may_contain_are_encoded_as_browsers_do(site: Site, settings: Settings) -> None:
    fetch(site.url('/signed/3/caf\u00e9 "1" <2>.jpg?q=\u00fc "x"#part'), settings)
    assert site.lines == ["/signed/3/caf%C3%A9%20%221%22%20%3C2%3E.jpg?q=%C3%BC%20%22x%22"]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("http://A.Example", "http://a.example/"),
        ("http://a.example?x=%3D", "http://a.example/?x=%3D"),
        ("http://a.example:80/%41", "http://a.example/%41"),
        ("https://a.example:8443/%41#%42?c", "https://a.example:8443/%41"),
        ("http://m\u00fcnchen.example/%2F", "http://xn--mnchen-3ya.example/%2F"),
        ("http://[::1]:8080/%5B", "http://[::1]:8080/%5B"),
    ],
)
def test_the_site_alone_is_brought_into_the_form_of_networks(written: str, asked: str) -> None:
    assert str(address(written)) == asked


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("b%2F.jpg", "http://a.example/x%2Fy/b%2F.jpg"),
        ("../b%40.jpg?s=%3D", "http://a.example/b%40.jpg?s=%3D"),
        ("?page=%2F", "http://a.example/x%2Fy/z?page=%2F"),
        ("/b%2F/../c", "http://a.example/b%2F/../c"),
        ("//b.example/%2F", "http://b.example/%2F"),
        ("https://b.example/%2F?u=http://c/", "https://b.example/%2F?u=http://c/"),
        ("/go?u=http://c/%2F", "http://a.example/go?u=http://c/%2F"),
    ],
)
def test_a_redirect_names_an_address_and_rewrites_none(location: str, named: str) -> None:
    here = URL("http://a.example/x%2Fy/z?q=%3D", encoded=True)
    assert redirected(here, location) == named
