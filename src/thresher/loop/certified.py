"""The methods with a certificate: learn while it pays, freeze, then ask for the labels that the evidence needs.

`ways.py` lists the differences between the methods, `evidence/` has their procedures and proofs. Here their asks become
tasks, and labels are looked up by rank. Only what was frozen, the labels and the recorded votes (words) are stored; so
after a crash anywhere the audit continues to the same certificate. Nothing is trained after the freeze. Every answer
that an audit depends on is adjudicated: by a lead of three among votes of people who have not seen the image, or by the
owner. Only the method `adjudicated` builds the middle from unadjudicated votes.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from thresher.evidence import Ask, Certified, Refused, Step, Wanted
from thresher.evidence.curve import Curve, points_of
from thresher.evidence.plan import sketch
from thresher.label.adjudicate import LEAD
from thresher.label.asks import unsettled, wish_apart
from thresher.label.gold import gild_audits
from thresher.label.independent import LeftToAsk, shared_devices
from thresher.label.standing import annotators
from thresher.learn.decide import Decided
from thresher.loop.budget import NO_LIMIT, nobody_can_answer, spare
from thresher.loop.checking import begin_check, but_checked, check_asks, record_checked
from thresher.loop.choice import mark_of
from thresher.loop.claimed import freeze_labels, own
from thresher.loop.decision import Decision, claim_of, decision
from thresher.loop.everything import WORDS_OF, instead_of_audits, of_everything, too_small
from thresher.loop.forecast import plan
from thresher.loop.methods import (
    COMING,
    PATIENCE_ROUNDS,
    Wish,
    budget_left,
    first_asks,
    learning_asks,
    level,
    nothing_to_ask,
    spent,
    too_few_people,
    words_of,
)
from thresher.loop.price import answers_each
from thresher.loop.promises import Purse, promise_of
from thresher.loop.purse import purse_of
from thresher.loop.ranking import rank
from thresher.loop.scouting import scouting
from thresher.loop.snapshot import (
    Snapshot,
    freeze,
    in_force,
    record_accepted,
    record_answers,
    record_closed,
    record_words,
)
from thresher.loop.ways import way_of
from thresher.records import DELTA_BELOW, Category, Label, NewAsk, Purpose, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

FORECAST = "forecast of round"
PAYS = "whether learning pays after round"
CLEARLY = 0.98  # of the answers of labelling every image, below which it pays to learn on instead
LEARN_SHARE = 0.4  # of a budget of answers is for learning, the rest for the audits
USEFUL = 0.5  # of a full task: to fewer images than that, the next draws of the audits are added


def certified(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """The next asks of a method with a certificate, or that it has ended."""
    if not category.targets.delta < DELTA_BELOW:  # an earlier version took it
        why = f"a delta of {category.targets.delta:g} cannot be proven; give one below {DELTA_BELOW:g}"
        return Wish("refused", f"{why}. Next: thresher category aim {category.name} --delta 0.05")
    snapshot = in_force(category, len(store.categories.pool(category.name)), store=store)
    if snapshot is not None:
        return _audit(category, snapshot, store=store, settings=settings, now_ms=now_ms)
    if way_of(category.targets.method).given:
        begun = freeze_labels(category, store=store, settings=settings, now_ms=now_ms)
        if isinstance(begun, Wish):
            return begun
        return _audit(category, begun, store=store, settings=settings, now_ms=now_ms)
    left, decided = budget_left(category, store=store), decision(category, store=store)
    if decided.round is None and (done := nothing_to_ask(category, decided, store=store)):
        return Wish("done", done)
    if ended := spent(category, store=store, settings=settings):
        return ended
    to_learn = _to_learn(category, spare(category, store=store, settings=settings))
    if decided.round is None:
        return first_asks(category, max(to_learn, 1), store=store, settings=settings, seed=seed, now_ms=now_ms)
    if first := _before(category, decided, to_learn, store=store, settings=settings, seed=seed, now_ms=now_ms):
        return first
    gild_audits(category, store=store)
    purse = purse_of(category, left, store=store, settings=settings)
    snapshot = freeze(category, decided, purse, store=store, now_ms=now_ms)
    return _audit(category, snapshot, store=store, settings=settings, now_ms=now_ms)


def _before(
    category: Category, decided: Decision, to_learn: int, *, store: Store, settings: Settings, seed: int, now_ms: int
) -> Wish | None:
    """What comes before a freeze for audits: to label all instead, learning, people who have to join, scouts."""
    ahead = forecast(category, decided, store=store) - len(store.labels.held(category.name, category.question.version))
    left = to_learn if not way_of(category.targets.method).budgeted else NO_LIMIT
    over = to_learn <= 0 or way_of(category.targets.method).whole or _learned_enough(category, decided, store=store)
    why = instead_of_audits(category, decided, (ahead, left), store=store, settings=settings)
    if why and (over or not _learning_pays(category, decided, store=store, settings=settings)):
        return _label_all(category, decided, why, store=store, settings=settings, now_ms=now_ms)
    if category.targets.answers is not None and left != NO_LIMIT:
        to_learn = _leaves(category, ahead, left, store=store, settings=settings)
        over = over or to_learn <= 0
        if over and (lacks := too_small(category, decided, (ahead, left), store=store, settings=settings)):
            return Wish("spent", lacks)
    if not over:
        asked = learning_asks(category, decided, to_learn, store=store, settings=settings, seed=seed)
        if asked:
            return Wish("asking", f"asks about {asked:,} images to train on.")
        if len(unsettled(category.name, category.question.version, store=store)):  # else it would be frozen too early
            return Wish("waiting", COMING)
    if lacks := too_few_people(category, store=store, settings=settings):
        return Wish("waiting", f"waits for {lacks}.")
    if category.targets.truth == "owner":
        own(category, store=store)
    if to_learn > 0 and (scouted := scouting(category, decided, store=store, settings=settings)):
        return Wish("asking", f"asks about {scouted:,} images where the plan is least certain.")
    return None


def _learning_pays(category: Category, decided: Decided, *, store: Store, settings: Settings) -> bool:
    """Whether audits are expected to take fewer answers than labelling every image, once all rounds to come are over.

    What they would take now is no measure of it: a classifier of one or two rounds makes every audit long. The answer
    is kept for the round and the targets, as the plan takes seconds and the loop asks in each turn.
    """
    assert decided.round is not None  # noqa: S101 -- asked after a round only
    name = f"{PAYS} {decided.round.number}, targets {mark_of(category.targets)}"
    kept = store.rounds.evidence(category.name, 0, name)
    if kept is None:
        ahead = plan(category, category.targets, store=store, settings=settings)
        kept = b"yes" if ahead.answers.expected < CLEARLY * ahead.everything.expected else b"no"
        store.rounds.keep_evidence(category.name, 0, name, kept)
    return kept == b"yes"


def _leaves(category: Category, images: float, left: int, *, store: Store, settings: Settings) -> int:
    """What audits of so many `images` leave of the answers for learning; a share of the budget in any case."""
    share = round(LEARN_SHARE * (category.targets.answers or 0)) - store.categories.tally(category.name).answered
    audits = round(images * answers_each(category, store=store, settings=settings))
    return min(max(left - audits, share), left)


def _label_all(
    category: Category, decided: Decision, why: str, *, store: Store, settings: Settings, now_ms: int
) -> Wish:
    """Freeze the pool to label every image of it, and ask."""
    whole = of_everything(category)
    if lacks := too_few_people(whole, store=store, settings=settings):
        return Wish("waiting", f"waits for {lacks}.")
    purse = Purse(words_of=max(words_of(settings), WORDS_OF))
    snapshot = freeze(whole, decided, purse, store=store, now_ms=now_ms)
    asked = _audit(category, snapshot, store=store, settings=settings, now_ms=now_ms)
    return replace(asked, says=f"{why} {asked.says}")


def _to_learn(category: Category, left: int) -> int:
    """The answers that may still be spent on learning: all that are left, or learning's share of a divided budget."""
    targets = category.targets
    if not way_of(targets.method).budgeted or targets.answers is None:
        return left
    return left - round((1.0 - LEARN_SHARE) * targets.answers)


def _audit(category: Category, snapshot: Snapshot, *, store: Store, settings: Settings, now_ms: int) -> Wish:
    # before the labels and the words: an image that gets votes in between is left to the next turn, not asked again
    votes = store.labels.votes(category.name, snapshot.version)
    if way_of(snapshot.frozen.method).words:
        snapshot = record_words(category, snapshot, store=store, now_ms=now_ms)
    labels = {label.row: label for label in store.labels.held(category.name, snapshot.version)}
    snapshot = record_answers(category.name, snapshot, labels, store=store, now_ms=now_ms)
    snapshot, step = _logged(category.name, snapshot, (votes, labels), store=store, now_ms=now_ms)
    if isinstance(step, Ask) and _ends(category, snapshot, step, votes, store=store, settings=settings):
        snapshot = record_closed(category, snapshot, store=store, now_ms=now_ms)
        snapshot, step = _logged(category.name, snapshot, (votes, labels), store=store, now_ms=now_ms)
    if isinstance(step, Certified):
        return Wish("done", claim_of(decision(category.name, store=store)))
    if isinstance(step, Refused):
        return Wish("spent" if step.spent else "refused", f"not certified: {step.why}. It would take {step.take}.")
    way = way_of(snapshot.frozen.method)
    if not way.whole and not way.given:
        decided = decision(category.name, store=store)
        left = spare(category, store=store, settings=settings)
        if why := instead_of_audits(category, decided, (step.ahead, left), store=store, settings=settings):
            return _label_all(category, decided, why, store=store, settings=settings, now_ms=now_ms)
    # of labels that are given the next draws are needed too, unless these are given up before
    now = replace(step, wanted=step.wanted + step.further) if way.given else step
    asks = but_checked(
        category.name, snapshot, _asks(category.name, snapshot, now, votes, store=store), votes, store=store
    )
    if way.given:
        # whatever task they come to be in: an answer counts only after those to all earlier draws
        asks = [replace(ask, priority=-float(ask.draw)) for ask in asks]
    if way.budgeted:
        asks += _in_advance(category, snapshot, step, (asks, votes), store=store, settings=settings)
        asks = _that_fit(category, asks, store=store, settings=settings)
    new = wish_apart(category.name, snapshot.version, asks, store=store, settings=settings)
    if not new and not len(store.asks.open_rows(category.name, snapshot.version)):
        return Wish("waiting", "answers came in the middle of this turn; the next one settles them.")
    return Wish("asking", _sentence(step))


def _logged(
    name: str, snapshot: Snapshot, known: tuple[Sequence[Vote], Mapping[int, Label]], *, store: Store, now_ms: int
) -> tuple[Snapshot, Step]:
    """The next step, with the sets logged whose audit or check begins with it, and the owner's answers to the check."""
    votes, labels = known
    snapshot = record_checked(name, snapshot, votes, labels, store=store, now_ms=now_ms)
    step = snapshot.step(labels)
    while isinstance(step, Ask) and (step.begins is not None or step.checks is not None):
        if step.begins is not None:
            snapshot = record_accepted(name, snapshot, step.begins, store=store, now_ms=now_ms)
        if step.checks is not None:
            snapshot = begin_check(name, snapshot, step.checks, store=store, now_ms=now_ms)
            snapshot = record_checked(name, snapshot, votes, labels, store=store, now_ms=now_ms)
        step = snapshot.step(labels)
    return snapshot, step


def _ends(
    category: Category, snapshot: Snapshot, step: Ask, votes: Sequence[Vote], *, store: Store, settings: Settings
) -> bool:
    """Whether the budget cannot pay what the audits ask for next: nobody could answer it, or not all of it.

    A method whose budget was divided at the freeze uses the labels of the first draws, so it asks for those that fit.
    """
    if category.targets.answers is None:
        return False
    left = category.targets.answers - store.categories.tally(category.name).answered
    if check_asks(snapshot, step):  # the owner's answers, one each
        return left < 1
    rows = snapshot.ranking[sorted({rank for part in step.wanted for rank in part.ranks})]
    if nobody_can_answer(category, rows.tolist(), store=store, settings=settings):
        return True
    if way_of(snapshot.frozen.method).budgeted:
        return False
    people = LEAD if snapshot.truth == "people" and len(annotators(store=store)) >= LEAD else 1
    heard = {vote.row for vote in votes}
    sure = {int(snapshot.ranking[rank]) for part in step.wanted if part.sure for rank in part.ranks}
    least = sum(people if row in sure and row not in heard else 1 for row in rows.tolist())
    return least > left


def _in_advance(
    category: Category,
    snapshot: Snapshot,
    step: Ask,
    now: tuple[Sequence[NewAsk], Sequence[Vote]],
    *,
    store: Store,
    settings: Settings,
) -> list[NewAsk]:
    """Asks about the next draws, where what is asked `now` would make a small task, for the gold that goes with it.

    Only where a budget is spent on draws in any case: elsewhere it costs a tenth more answers, as many are not needed.
    """
    asks, votes = now
    name, version = category.name, snapshot.version
    asked = set(store.asks.open_rows(name, version).tolist())
    there = len(store.asks.waiting(name, version, settings.task_images))
    there += sum(ask.row not in asked and ask.purpose is not Purpose.ADJUDICATE for ask in asks)
    short = math.ceil(USEFUL * settings.task_images) - there if there else 0
    kept = []
    for part in step.further:
        kept.append(replace(part, ranks=part.ranks[: max(short, 0)], draws=part.draws[: max(short, 0)]))
        short -= len(kept[-1].ranks)
    return _asks(name, snapshot, replace(step, wanted=tuple(part for part in kept if part.ranks)), votes, store=store)


def _that_fit(category: Category, asks: Sequence[NewAsk], *, store: Store, settings: Settings) -> list[NewAsk]:
    """The first asks, in the order of the draws, that the budget is likely to pay; at least one, where none is open."""
    left = spare(category, store=store, settings=settings)
    asked = set(store.asks.open_rows(category.name, category.question.version).tolist())
    fresh = [ask for ask in asks if ask.row not in asked]
    each = answers_each(category, store=store, settings=settings)
    return fresh[: max(int(left / each), 0 if asked else 1)]


def _asks(category: str, snapshot: Snapshot, step: Ask, votes: Sequence[Vote], *, store: Store) -> list[NewAsk]:
    """One ask for each image needed, even if two audits drew it; for people who have not seen it yet."""
    asks: dict[int, NewAsk] = {}
    heard = Counter(vote.row for vote in votes if vote.epoch != snapshot.epoch)
    if check := check_asks(snapshot, step):  # people have proven the set: nothing else is asked
        return check
    for part in sorted(step.wanted, key=lambda one: not one.sure):  # where both are wanted, the sure one serves both
        for row, ask in _of_part(part, snapshot, heard):
            asks.setdefault(row, _of_the_owner(ask) if part.sure and snapshot.truth == "owner" else ask)
    seen: dict[int, list[str]] = {}
    for vote in votes:
        seen.setdefault(vote.row, []).append(vote.worker)
        # votes that came since labels were last computed: the next turn decides whether more are needed
        if vote.epoch and vote.purpose is not Purpose.CHECK and snapshot.truth != "owner":
            asks.pop(vote.row, None)
    may = LeftToAsk(category, annotators(store=store), shared_devices(store=store), store)
    left = {row: may.count(row, set(seen.get(row, ()))) for row in asks}
    return [replace(_of_people(ask, left[row]), votes_seen=len(seen.get(row, ()))) for row, ask in asks.items()]


def _of_the_owner(ask: NewAsk) -> NewAsk:
    return replace(ask, purpose=Purpose.ADJUDICATE, votes_wanted=1)


def _of_part(part: Wanted, snapshot: Snapshot, heard: Mapping[int, int]) -> list[tuple[int, NewAsk]]:
    """Asks for one part. Only adjudicated asks carry the epoch; cheap votes belong to none, and `heard` are there."""
    rows = snapshot.ranking[np.array(part.ranks, np.int64)].tolist()
    epoch = snapshot.epoch if part.sure else 0
    wanted = [LEAD if part.sure else max(snapshot.words_of - heard.get(row, 0), 1) for row in rows]
    return [
        # in the order of the draws, as the evidence takes them so
        (row, NewAsk(row, part.purpose, votes, 1.0 - place / len(rows), epoch, draw))
        for place, (row, votes, draw) in enumerate(zip(rows, wanted, part.draws, strict=True))
    ]


def _of_people(ask: NewAsk, left: int) -> NewAsk:
    """Ask as many people as are wanted, if enough are left, as fewer can't reach a lead; else ask the owner."""
    return ask if left >= ask.votes_wanted or ask.purpose is Purpose.ADJUDICATE else _of_the_owner(ask)


def _sentence(step: Ask) -> str:
    parts = ", ".join(f"{len(part.ranks):,} {part.purpose.value}" for part in step.wanted)
    return f"audits: asks about {parts}; about {step.ahead:,} images to go."


def _learned_enough(category: Category, decided: Decided, *, store: Store) -> bool:
    """Whether the planner's total (labels so far plus answers ahead) no longer falls, or the head is not improving."""
    rounds = [r for r in store.rounds.all(category.name) if r.version == category.question.version]
    if way_of(category.targets.method).budgeted:  # their total is given: only the head can get better
        return level(category, store=store)
    assert decided.round is not None  # noqa: S101 -- asked after a round only
    name = f"{FORECAST} {decided.round.number}"
    if store.rounds.evidence(category.name, 0, name) is None:
        store.rounds.keep_evidence(category.name, 0, name, str(forecast(category, decided, store=store)).encode())
    kept = [store.rounds.evidence(category.name, 0, f"{FORECAST} {r.number}") for r in rounds]
    totals = [float(total) for total in kept if total is not None]
    fallen = len(totals) <= PATIENCE_ROUNDS or min(totals[-PATIENCE_ROUNDS:]) < min(totals[:-PATIENCE_ROUNDS])
    return not fallen or level(category, store=store)


def forecast(category: Category, decided: Decided, *, store: Store) -> float:
    """The number of images that people will have answered when it is certified, if learning stopped now."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    _, probability = rank(decided, labels, {})
    if not len(probability):
        return float(len(labels))
    targets = category.targets
    made = sketch(Curve(points_of(np.asarray(probability))), 0, promise_of(targets), delta=targets.delta)
    return len(labels) + made.ahead
