from collections.abc import Callable, Iterator

import pytest
from tests.site_for_tests import RunningSite, Site

from thresher.harvest import Harvested, Source, harvest
from thresher.records import Category, Question
from thresher.settings import Settings
from thresher.store.contract import Store

Harvest = Callable[..., Harvested]


@pytest.fixture(scope="session")
def running_site() -> Iterator[Site]:
    with RunningSite() as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Site:
    """The running site, with nothing remembered."""
    running_site.asked.clear()
    running_site.lines.clear()
    running_site.most_at_once = 0
    return running_site


@pytest.fixture
def take(store: Store, settings: Settings) -> Harvest:
    """Harvest a source into the category "car", in this process."""
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))

    def harvested(source: Source, *, now_ms: int = 1_000, **settings_given: object) -> Harvested:
        given = settings.given({"processes": 1, **settings_given})
        return harvest("car", source, store=store, settings=given, now_ms=now_ms)

    return harvested
