"""The methods without a certificate: what to ask next; and functions that all methods share."""

from dataclasses import dataclass

import numpy as np

from thresher.label.adjudicate import LEAD
from thresher.label.asks import askable, unsettled, wish, wish_first
from thresher.label.cap import answers_left
from thresher.label.deal import out_of_answers
from thresher.label.standing import annotators
from thresher.learn.decide import UNKNOWN, Decided, alike
from thresher.learn.sample import SHARES, Scored, choose, middle
from thresher.loop.budget import NO_LIMIT, images_for, spare
from thresher.loop.decision import Decision, decision
from thresher.loop.ways import way_of
from thresher.records import Category, Purpose, Round, Stage
from thresher.settings import Settings
from thresher.store.contract import Rows, Store

LEVEL_ROUNDS = 2  # rounds without a better head after which asking to learn gives way to asking about the unknown
LEVEL_GAIN = 0.01  # of average precision
PATIENCE_ROUNDS = 2  # learning for a proof ends after so many rounds in which the planner's total has not fallen
COMING = "waits for answers that are asked for already."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a method asks for next, with a sentence for the user.

    `state`: "asking" (asks are stored), "waiting" (for the next turn, which settles new answers), "done", "spent" or
    "refused".
    """

    state: str
    says: str


def cascade(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """LSUN's method (Yu et al. 2015, section 3): thresholds on held-out labels; people label the unknown images.

    It proves nothing; the methods in certified.py do.
    """
    name, left = category.name, spare(category, store=store, settings=settings)
    decided = decision(category, store=store)
    if done := why_done(category, decided, store=store, settings=settings):
        return Wish("done", done)
    if ended := spent(category, store=store, settings=settings):
        return ended
    if decided.round is None:
        return first_asks(category, left, store=store, settings=settings, seed=seed, now_ms=now_ms)
    if decided.counts.unknown > _size(left, settings) and not level(category, store=store):
        asked = learning_asks(category, decided, left, store=store, settings=settings, seed=seed)
        if asked:  # images without a score are none to train on, and unknown all the same
            return Wish("asking", f"asks about {asked:,} images to train on.")
    size = _size(left, settings)
    pending = set(store.asks.open_rows(name, category.question.version).tolist())
    ranked = [(row, priority) for row, priority in middle(decided, size + len(pending)) if row not in pending]
    asked = wish(category, ranked[:size], Purpose.MIDDLE, store=store, settings=settings)
    return Wish("asking", f"asks about {asked:,} unknown images.")


def uncertainty(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """Uncertainty sampling alone (Lewis and Gale 1994): always ask about the images the head is least sure of.

    It ends when the head stops improving, and proves nothing.
    """
    left = spare(category, store=store, settings=settings)
    decided = decision(category, store=store)
    if done := why_done(category, decided, store=store, settings=settings):
        return Wish("done", done)
    if ended := spent(category, store=store, settings=settings):
        return ended
    if decided.round is None:
        return first_asks(category, left, store=store, settings=settings, seed=seed, now_ms=now_ms)
    asked = learning_asks(category, decided, left, store=store, settings=settings, seed=seed, shares=(0.0, 1.0))
    if not asked and still_coming(category, store=store):
        return Wish("waiting", COMING)
    return Wish("asking" if asked else "done", f"asks about {asked:,} images that the classifier is least sure of.")


def why_done(category: Category, decided: Decision, *, store: Store, settings: Settings) -> str:
    """Why a method without a certificate has ended, as a sentence; empty while it continues."""
    last_round = len(rounds_of(category, store=store)) >= settings.rounds_most
    unknown = decided.counts.unknown
    if way_of(category.targets.method).asks == "uncertainty" and decided.round is not None:
        if last_round or level(category, store=store):
            return "the classifier has stopped improving; its decisions are not proven."
    elif last_round and unknown:
        return f"{settings.rounds_most} rounds are done; {unknown:,} images stay unknown."
    return nothing_to_ask(category, decided, store=store)


def nothing_to_ask(category: Category, decided: Decision, *, store: Store) -> str:
    """Why there is nothing left to ask about, as a sentence; empty if there is, or if answers are still to come.

    Before the first round that needs no classifier: what people decided is decided, if they say yes to every image too.
    """
    unknown = decided.counts.unknown
    by_doubt = way_of(category.targets.method).asks == "uncertainty" and decided.round is not None
    if not unknown and not by_doubt:
        return "no image is unknown any more."
    rows = _unlabelled(category, decided, store=store) if by_doubt else decided.rows[decided.codes == UNKNOWN]
    if still_coming(category, store=store) or askable(category, rows, store=store):
        return ""
    stay = f"; {unknown:,} images stay unknown" if unknown else ""
    return f"nothing is left to ask about{stay}."


def _unlabelled(category: Category, decided: Decision, *, store: Store) -> Rows:
    """The rows in no group with a label, only those with a score if any has one (as `choose` in learn/sample.py)."""
    labelled = store.labels.held(category.name, category.question.version).rows
    free = ~alike(decided.rows, decided.similar, labelled)
    scored = np.isfinite(decided.scores)
    return decided.rows[free & scored if scored.any() else free]


def first_asks(category: Category, left: int, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """Before the first round: random images, because a head needs a few labels of each answer."""
    size = images_for(left, settings.first_images, settings)
    asked = wish_first(category, store=store, settings=settings, seed=seed, now_ms=now_ms, size=size)
    if not asked and still_coming(category, store=store):
        return Wish("waiting", COMING)
    return Wish("asking" if asked else "done", f"asks about {asked:,} random images first.")


def still_coming(category: Category, *, store: Store) -> bool:
    """Whether images have open asks, or votes that are not settled yet: a method that asks nothing has not ended."""
    name, version = category.name, category.question.version
    return len(store.asks.open_rows(name, version)) > 0 or len(unsettled(name, version, store=store)) > 0


def learning_asks(
    category: Category,
    decided: Decided,
    left: int,
    *,
    store: Store,
    settings: Settings,
    seed: int,
    shares: tuple[float, float] = SHARES,
) -> int:
    """Ask about the images that improve the head most: the top, the boundary, and some at random; how many are new."""
    name, version = category.name, category.question.version
    known = np.concatenate([store.asks.open_rows(name, version), store.labels.held(name, version).rows])
    thresholds = decided.round.thresholds if decided.round else None
    pool = Scored(decided.rows, decided.scores, decided.similar, thresholds)
    rows = choose(pool, known, size=_size(left, settings), seed=seed, shares=shares)
    return wish(category, rows, Purpose.LEARN, store=store, settings=settings)


def _size(left: int, settings: Settings) -> int:
    return images_for(left, settings.round_images, settings)


def words_of(settings: Settings) -> int:
    """How many people's votes decide an image of the middle."""
    return min(settings.votes, LEAD)


def too_few_people(category: Category, *, store: Store, settings: Settings) -> str:
    """What a method that builds on people's votes lacks before it may freeze, as a phrase; empty if nothing.

    With fewer people the owner would be asked about drawn images: their label takes a lead among people who have not
    voted on them before.
    """
    way, people = way_of(category.targets.method), len(annotators(store=store))
    take = words_of(settings) + LEAD
    if not way.words or people >= take:
        return ""
    return (
        f"annotators to join: the method {way.name} needs at least {take} people ({take - LEAD} to vote on an image "
        f"and {LEAD} others to adjudicate it), and {people} have joined; `thresher invite --category {category.name}` "
        "makes a link for more, or choose --method certified"
    )


def rounds_of(category: Category, *, store: Store) -> list[Round]:
    """The rounds of the question's current version."""
    return [done for done in store.rounds.all(category.name) if done.version == category.question.version]


def budget_left(category: Category, *, store: Store) -> int:
    """The number of answers that may still be asked for: neither sent nor reserved by open assignments.

    Every human answer counts, also gold, the owner's, and those of people whose work was rejected. Open asks that are
    in no assignment yet are not subtracted: a method that asks while some are open leaves room for them.
    """
    left = answers_left(category, store=store)
    return NO_LIMIT if left is None else left


def spent(category: Category, *, store: Store, settings: Settings) -> Wish | None:
    """That the budget of answers is spent; None while an assignment fits into what is left of it.

    While people hold assignments, or what they sent is not checked yet, it waits for these answers; and for those that
    are asked for already, where they take all that is left.
    """
    says = out_of_answers(category, store=store, settings=settings)
    if not says:
        full = spare(category, store=store, settings=settings) <= 0
        return Wish("waiting", "waits for the last answers that the budget pays for.") if full else None
    return Wish("waiting" if on_their_way(category, store=store) else "spent", f"{says}.")


def on_their_way(category: Category, *, store: Store) -> bool:
    """Whether answers are still to come that nothing more is asked for: of open assignments, or not checked yet."""
    tally = store.categories.tally(category.name)
    return bool(tally.reserved or tally.assignments.get(Stage.SENT.value))


def level(category: Category, *, store: Store) -> bool:
    """Whether the head has stopped improving."""
    reached = [done.measures.get("average_precision", 0.0) for done in rounds_of(category, store=store)]
    return len(reached) > LEVEL_ROUNDS and max(reached[-LEVEL_ROUNDS:]) < max(reached[:-LEVEL_ROUNDS]) + LEVEL_GAIN
