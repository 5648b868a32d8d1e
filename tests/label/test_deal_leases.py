from tests.label.scene import NAME, scene

from thresher.label.asks import fill_tasks, wish
from thresher.label.deal import expire
from thresher.records import Given, Purpose, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store


def test_an_ended_lease_erases_its_drafts_and_leaves_their_number(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=20)
    wish(NAME, [(row, 0.0) for row in range(20)], Purpose.LEARN, store=store, settings=settings)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    held = here.must_deal("a")
    drafts = [Given(place, Says.YES, 1.0, 1.0) for place in range(7)]
    store.work.draft(held.id, drafts, sequence=1, now_ms=here.now_ms, lease_ms=60_000)
    assert expire(store, here.now_ms) == 0
    assert expire(store, here.now_ms + round(settings.lease_minutes * 60_000)) == 1
    ended = store.work.get(held.id)
    assert (ended.stage, ended.drafts_erased) == (Stage.EXPIRED, 7)
    assert store.work.drafts(held.id)[1] == []
    assert expire(store, here.now_ms + 10**9) == 0
