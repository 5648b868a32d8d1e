"""What to ask next: one function a method, in a table. The certificate's own methods stand in certified.py."""

from collections.abc import Callable
from dataclasses import dataclass

from thresher.label.asks import wish, wish_first
from thresher.learn.decide import decide
from thresher.learn.sample import choose, middle
from thresher.records import Category, Purpose
from thresher.settings import Settings
from thresher.store.contract import Store

LEVEL_ROUNDS = 2  # rounds without a better head after which asking to learn gives way to asking about the unknown
LEVEL_GAIN = 0.01  # of average precision


@dataclass(frozen=True, slots=True)
class Wish:
    """What a method came to: "asking" with asks stored, "done", "spent"; and the sentence for a person."""

    state: str
    says: str


def cascade(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """LSUN's way (Yu et al. 2015, section 3): thresholds on held-out labels, the unknown back to people.

    It proves nothing; `method = "certified"` does.
    """
    left = budget_left(category, store=store)
    if left <= 0:
        return Wish("spent", f"the budget of {category.targets.answers:,} answers is spent.")
    name, version = category.name, category.question.version
    decided = decide(name, store=store)
    size = min(settings.round_images, max(1, left // settings.votes))
    if decided.round is None:
        wanted = min(settings.first_images, size)
        asked = wish_first(name, store=store, settings=settings, seed=seed, now_ms=now_ms, size=wanted)
        return Wish("asking" if asked else "done", f"asks about {asked:,} random pictures first.")
    unknown = decided.codes == -1
    if not unknown.any():
        return Wish("done", "nothing is unknown any more.")
    if len(store.rounds.all(name)) >= settings.rounds_most:
        return Wish("done", f"{settings.rounds_most} rounds are done; {int(unknown.sum()):,} pictures stay unknown.")
    pending = set(store.asks.open_rows(name, version).tolist())
    if int(unknown.sum()) <= size or _level(category, store=store):
        ranked = middle(decided, size + len(pending))
        rows, purpose = [(row, priority) for row, priority in ranked if row not in pending][:size], Purpose.MIDDLE
    else:
        known = pending | {label.row for label in store.labels.held(name, version)}
        thresholds = decided.round.thresholds
        rows = choose(
            decided.rows,
            decided.scores,
            known,
            size=size,
            seed=seed,
            lower=thresholds.lower,
            upper=thresholds.upper,
            similar=decided.similar,
        )
        purpose = Purpose.LEARN
    asked = wish(name, rows, purpose, store=store, settings=settings)
    return Wish("asking", f"asks about {asked:,} pictures ({purpose.value}).")


def budget_left(category: Category, *, store: Store) -> int:
    """Answers that may still be asked for; every human answer counts, gold and the owner's included."""
    if category.targets.answers is None:
        return 2**31
    tally = store.categories.tally(category.name)
    return category.targets.answers - tally.answers - tally.gold_answers - tally.owner_answers


def _level(category: Category, *, store: Store) -> bool:
    """Whether the head has stopped getting better."""
    reached = [r.measures.get("average_precision", 0.0) for r in store.rounds.all(category.name)]
    return len(reached) > LEVEL_ROUNDS and max(reached[-LEVEL_ROUNDS:]) < max(reached[:-LEVEL_ROUNDS]) + LEVEL_GAIN


Method = Callable[..., Wish]
METHODS: dict[str, Method] = {"cascade": cascade}
