"""Several addresses that answer with the same bytes: often a placeholder of the site."""

import hashlib
from pathlib import Path

import pytest
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture
from tests.site_for_tests import Site

from thresher.cli.crowd import album_of
from thresher.cli.harvested import besides, same_answers
from thresher.errors import BadLine
from thresher.harvest import Harvested, harvest
from thresher.harvest import same_answer as module
from thresher.harvest.sources.urls import from_urls
from thresher.label.imports import import_gold, import_labels
from thresher.records import Category, Question
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.truth import read_truth

PLACEHOLDER = hashlib.sha256(picture(404)).hexdigest()


def listing(path: Path, *urls: str) -> Path:
    path.write_text("\n".join(urls), "utf-8")
    return path


def test_a_placeholder_is_told_counted_and_listed(
    take: Harvest, store: Store, settings: Settings, site: Site, tmp_path: Path
) -> None:
    gone = [site.url(f"/gone/{place}.jpg") for place in range(5)]
    good = [site.url(f"/picture/{seed}.jpg") for seed in range(3)]
    path = listing(tmp_path / "list.txt", *good, *gone[:3], site.url("/redirect/1"))
    found = take(from_urls(path), fetch_private=True)
    assert found == Harvested(5, 2, 0, 7, same_answers=1)
    assert "1 image is the answer of several addresses" in "".join(besides(found))
    assert same_answers("car", 9, store=store) == [(3, PLACEHOLDER, gone[0])]
    # a further run asks for new addresses only, and counts on
    assert take(from_urls(listing(path, *good, *gone)), fetch_private=True) == Harvested(0, 8, 0, 8, same_answers=1)
    assert [(count, sha256) for count, sha256, _ in same_answers("car", 9, store=store)] == [(5, PLACEHOLDER)]
    # another category lists what is in its own pool
    store.categories.create(Category("dog", Question(1, "Is this a dog?", at_ms=1), created_ms=1))
    assert same_answers("dog", 9, store=store) == []
    near = settings.but(fetch_private=True)
    assert harvest("dog", from_urls(path), store=store, settings=near, now_ms=2) == Harvested(4, 4, 0, 8)
    assert len(same_answers("dog", 9, store=store)) == 1


def test_of_very_many_addresses_only_the_further_ones_are_added(
    take: Harvest, store: Store, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COUNTED_MOST", 2)
    gone = [site.url(f"/gone/{place}.jpg") for place in range(6)]
    for some in (gone[:3], gone[3:5], gone):
        take(from_urls(listing(tmp_path / "list.txt", *some)), fetch_private=True)
    assert same_answers("car", 9, store=store)[0][0] == 6


def test_one_address_in_a_list_twice_is_one(take: Harvest, store: Store, site: Site, tmp_path: Path) -> None:
    url = site.url("/picture/1.jpg")
    path = listing(tmp_path / "list.txt", url, url)
    assert take(from_urls(path), fetch_private=True) == Harvested(1, 1, 0, 2)
    assert same_answers("car", 9, store=store) == []


def test_a_label_by_such_an_address_is_refused_with_line_and_way_out(
    take: Harvest, store: Store, site: Site, settings: Settings, tmp_path: Path
) -> None:
    gone, good = [site.url(f"/gone/{place}.jpg") for place in range(2)], site.url("/picture/1.jpg")
    take(from_urls(listing(tmp_path / "list.txt", good, *gone)), fetch_private=True)
    table = listing(tmp_path / "labels.csv", "url,answer", f"{good},yes", f"{gone[1]},no")
    told = f"line 3.*2 addresses gave the same image as .*gone/1.jpg.*Next:.*{PLACEHOLDER}.*or remove the line"
    for labelled in (import_gold, import_labels):
        with pytest.raises(BadLine, match=told):
            labelled("car", table, store=store, now_ms=1)
    with pytest.raises(BadLine, match=told):
        album_of(read_truth(table, "yes"), "car", store, settings, lambda _: None)
    listing(table, "image,answer", f"{good},yes", f"{PLACEHOLDER},no")
    assert import_gold("car", table, store=store, now_ms=1) == 2
