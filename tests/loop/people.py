"""A pool that people can tell apart, and people who do all there is to do, straight at the store."""

from collections.abc import Callable
from pathlib import Path

from tests.filled import NAME, add, fill, tiny_backbone

from thresher.label.deal import deal
from thresher.label.gate import review_all
from thresher.loop.turn import Turn, turn
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


def small(settings: Settings, folder: Path) -> Settings:
    """A loop whose rounds are small, over features that tell yes from no."""
    return settings.but(
        backbone=tiny_backbone(folder / "tiny.onnx"),
        processes=1,
        first_images=30,
        round_images=20,
        sure=0.75,
        gold_images=0,
        patience_seconds=0.0,
        label_all=False,
        seed=3,
    )


def pool(store: Store, yes_from: int, count: int) -> list[int]:
    """The rows of a pool of `count` pictures; from row `yes_from` on they look different."""
    fill(store, yes_from)
    return [int(row) for row in store.categories.pool(NAME)] + add(
        store, range(900, 900 + count - yes_from), size=(160, 40)
    )


def one_turn(store: Store, settings: Settings, number: int) -> Turn:
    """A turn of the loop at its own second of a clock."""
    return turn(NAME, store=store, settings=settings, now_ms=1_000 * number + 1_000, seed=number)


def to_the_end(
    store: Store,
    settings: Settings,
    says: Callable[[int], Says],
    people: tuple[str, ...],
    take: Callable[[int], Turn] | None = None,
) -> Turn:
    """Turns and answers until the loop asks no more; `take` takes the turn of a number where it is given."""
    came_to = Turn("asking", "")
    for number in range(80):
        came_to = take(number) if take else one_turn(store, settings, number)
        if came_to.state in ("done", "spent", "refused"):
            break
        everybody_answers(store, settings, says, 1_000 * number + 1_500, people)
    return came_to
