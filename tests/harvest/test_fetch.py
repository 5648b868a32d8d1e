import time
from collections.abc import Iterator

import pytest
from tests.pictures_for_tests import picture
from tests.site_for_tests import Site

from thresher.errors import BadInput
from thresher.guard import PER_HOST
from thresher.harvest.candidates import Candidate
from thresher.harvest.fetch import fetched
from thresher.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.but(fetch_private=True, fetch_seconds=20.0, fetch_bytes=200_000)


def wanted(site: Site, *paths: str) -> Iterator[Candidate]:
    return iter([Candidate(site.url(path), kind="url") for path in paths])


def all_of(candidates: Iterator[Candidate], settings: Settings) -> dict[str, Candidate]:
    found = [one for some in fetched(candidates, settings=settings, backoff_seconds=0.01) for one in some]
    assert len({one.name for one in found}) == len(found)
    return {one.name.partition("://")[2].partition("/")[2]: one for one in found}


def test_many_are_fetched_at_once_each_with_its_bytes(site: Site, settings: Settings) -> None:
    found = all_of(wanted(site, *(f"/picture/{seed}.jpg" for seed in range(150))), settings)
    assert {path: one.data for path, one in found.items()} == {f"picture/{n}.jpg": picture(n) for n in range(150)}


def test_one_host_is_asked_for_a_few_at_once_only(site: Site, settings: Settings) -> None:
    all_of(wanted(site, *(f"/a-moment/{seed}.jpg" for seed in range(40))), settings)
    assert 2 <= site.most_at_once <= PER_HOST


def test_a_slow_site_does_not_hold_up_the_others(site: Site, settings: Settings) -> None:
    slow = [Candidate(site.url(f"/slow?{n}", host="localhost"), kind="url") for n in range(20)]
    quick = list(wanted(site, *(f"/picture/{seed}.jpg" for seed in range(30))))
    began = time.monotonic()
    arriving = fetched(iter(slow + quick), settings=settings)
    names: set[str] = set()
    while len(names) < 30:
        names |= {one.name for one in next(arriving)}
    arriving.close()  # type: ignore[attr-defined]  # it is a generator
    assert names == {one.name for one in quick}
    assert time.monotonic() - began < 15  # a slow page takes 20 seconds


def test_what_may_pass_by_itself_is_tried_once_more(site: Site, settings: Settings) -> None:
    found = all_of(wanted(site, "/flaky/a", "/status/500", "/status/404", "/cut-short"), settings)
    assert found["flaky/a"].data == picture(77)
    assert (site.asked["/flaky/a"], site.asked["/status/500"], site.asked["/status/404"]) == (2, 2, 1)
    assert site.asked["/cut-short"] == 2
    assert found["status/500"].problem == ("fetch-status-500", "the site answered 500, twice.")
    assert found["status/404"].problem == ("fetch-status-404", "the site answered 404.")


def test_every_failure_is_a_problem_with_its_reason(site: Site, settings: Settings) -> None:
    paths = {
        "/too-large": "too-large",
        "/endless": "too-large",
        "/redirect-to-metadata": "blocked-address",
        "/redirect-to-file": "blocked-url",
        "/redirect/9": "fetch-redirects",
        "/compressed": "fetch-encoding",
        "/cut-short": "fetch-failed",
    }
    endless = {"/slow": "fetch-timeout", "/trickle": "fetch-timeout"}
    found = all_of(wanted(site, *paths), settings) | all_of(wanted(site, *endless), settings.but(fetch_seconds=0.5))
    assert {f"/{path}": (one.problem or ("",))[0] for path, one in found.items()} == paths | endless
    assert all(one.data is None for one in found.values())


def test_private_addresses_are_not_fetched_unless_the_setting_says_so(site: Site, settings: Settings) -> None:
    strict = settings.but(fetch_private=False)
    here = Candidate("http://127.0.0.1/picture/1.jpg", kind="url")
    name = Candidate("http://localhost/picture/1.jpg", kind="url")
    port = Candidate(site.url("/picture/1.jpg"), kind="url")
    found = [one for some in fetched(iter([here, name, port]), settings=strict) for one in some]
    problems = {one.name: (one.problem or ("",))[0] for one in found}
    assert problems == {here.name: "blocked-address", name.name: "blocked-address", port.name: "blocked-url"}
    assert site.asked.total() == 0


def test_a_candidate_that_is_refused_already_passes_through(settings: Settings) -> None:
    bad = Candidate("list.txt, line 3", problem=("bad-line", "'x' is not a URL."))
    assert [one for some in fetched(iter([bad]), settings=settings) for one in some] == [bad]


def test_an_error_of_the_list_comes_after_what_stood_before_it(site: Site, settings: Settings) -> None:
    def listed() -> Iterator[Candidate]:
        yield from wanted(site, "/picture/1.jpg", "/picture/2.jpg")
        raise BadInput("not a Parquet table.", where="list.parquet")

    found: list[Candidate] = []
    with pytest.raises(BadInput, match="not a Parquet table"):
        found.extend(one for some in fetched(listed(), settings=settings) for one in some)
    assert len(found) == 2


def test_a_stop_ends_it_at_once_with_connections_closed(site: Site, settings: Settings) -> None:
    began = time.monotonic()
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    found = list(fetched(wanted(site, *["/slow"] * 3), settings=settings, stop=stop))
    assert found == []
    assert time.monotonic() - began < 15


def test_bytes_that_wait_hold_back_further_fetches(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thresher.harvest.fetch.HELD_BYTES", 3000)
    one_at_a_time = settings.but(fetch_at_once=1)
    arriving = fetched(wanted(site, *(f"/picture/{seed}.jpg" for seed in range(60))), settings=one_at_a_time)
    count = len(next(arriving))
    time.sleep(0.5)
    assert sum(site.asked.values()) <= count + 8
    assert count + sum(len(some) for some in arriving) == 60
