"""People who do all there is to do, straight at the store: for tests of what the loop makes of their answers."""

from collections.abc import Callable

from tests.filled import NAME

from thresher.label.deal import deal
from thresher.label.gate import review_all
from thresher.records import OWNER, Given, Says, Worker
from thresher.settings import Settings
from thresher.store.contract import Store


def everybody_answers(
    store: Store,
    settings: Settings,
    says: Callable[[int], Says],
    now_ms: int,
    names: tuple[str, ...] = ("ann", "bob", OWNER),
) -> int:
    """Each of the people does every task there is for them; how many answers they sent."""
    sent = 0
    for name in names:
        worker = Worker(name, name, name == OWNER, "", 1)
        store.people.add(worker)
        while work := deal(NAME, worker, store=store, settings=settings, now_ms=now_ms, seed=1):
            given = [Given(at, says(dealt.row), 1.0, 1.0) for at, dealt in enumerate(work.dealt)]
            store.work.send(work.id, given, now_ms)
            review_all(NAME, store=store, settings=settings, now_ms=now_ms)
            sent += len(given)
    return sent
