import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site

from thresher.errors import NotFetched
from thresher.guard import GuardedFetcher
from thresher.guard.robots import directives_of, forbidding
from thresher.settings import Settings, read_settings


@pytest.fixture
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(tmp_path, {}).but(fetch_seconds=20.0, fetch_private=True)


DEFAULT = directives_of(Settings().robots_tags)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ((), ""),
        (("",), ""),
        (("noai",), "noai"),
        (("NoImageAI",), "noimageai"),
        (("noindex, noimageindex",), "noindex"),
        (("max-snippet: 20, noai",), "noai"),
        (("unavailable_after: 25 Jun 2030 15:00:00 PST", "none"), "none"),
        (("unavailable_after: Wednesday, 25 Jun 2030 15:00:00 PST, noml",), "noml"),
        (("all, nofollow, nosnippet, noarchive",), ""),
        (("noaid", "no ai", "x-noai"), ""),
        (("googlebot: noindex",), ""),
        (("googlebot: nofollow, noindex",), ""),
        (("googlebot: noindex, thresher: noai",), "noai"),
        (("thresher: nofollow, noai, otherbot: noindex",), "noai"),
        (("Thresher : NOINDEX",), "noindex"),
        (("*: noai",), "noai"),
        (("otherbot: noindex", "noimageai"), "noimageai"),
        (("threshers: noai", "my-thresher: noai"), ""),
    ],
)
def test_directives_count_that_are_for_all_robots_or_for_us(headers: tuple[str, ...], found: str) -> None:
    assert forbidding(headers, DEFAULT) == found


def fetch(url: str, settings: Settings) -> bytes:
    async def once() -> bytes:
        async with GuardedFetcher(settings) as fetcher:
            return await fetcher.fetch(url)

    return asyncio.run(once())


def tagged(site: Site, *tags: str) -> str:
    return site.url(f"/tagged/3?{urlencode([('tag', tag) for tag in tags])}")


def test_what_a_site_wants_left_out_is_refused_with_the_directive_and_the_setting(
    site: Site, settings: Settings
) -> None:
    assert fetch(tagged(site, "googlebot: noindex", "nofollow"), settings) == picture(3)
    for tags in (("noai",), ("nofollow", "thresher: noimageai")):
        with pytest.raises(NotFetched, match=rf"{tags[-1].split()[-1]}; the setting robots_tags") as told:
            fetch(tagged(site, *tags), settings)
        assert told.value.reason == "robots-tag"


def test_the_setting_says_which_directives_count(site: Site, settings: Settings) -> None:
    assert fetch(tagged(site, "noai, noindex"), settings.but(robots_tags="")) == picture(3)
    assert fetch(tagged(site, "noindex"), settings.but(robots_tags="noai, noimageai")) == picture(3)
    with pytest.raises(NotFetched, match="X-Robots-Tag: noai;"):
        fetch(tagged(site, "noindex, noai"), settings.but(robots_tags="NoAI"))
