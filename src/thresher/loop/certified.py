"""The certified ways: learn while it pays, freeze, then ask what the evidence asks for until it holds.

`ways.py` has what tells the promises apart, `evidence/` their procedures and proofs. Here their asks become tasks and
labels come back by rank. Nothing of a procedure is stored beyond what was frozen, the labels and the words, so a crash
anywhere resumes to the same certificate; and nothing is trained after the freeze. Every answer an audit rests on is
adjudicated: by a lead of three among fresh votes, or by the owner. Only where the truth is what adjudication says
("adjudicated") do cheap votes build the middle.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from thresher.evidence import Ask, Certified, Gold, Refused, Wanted
from thresher.evidence.curve import Curve, points_of
from thresher.evidence.plan import sketch
from thresher.label.adjudicate import LEAD, leads
from thresher.label.gold import gild_audits
from thresher.learn.decide import Decided
from thresher.loop.decision import decision
from thresher.loop.methods import Wish, budget_left, first_asks, learning_asks, level
from thresher.loop.price import answers_each
from thresher.loop.promises import Purse, promise_of
from thresher.loop.scouting import scouting
from thresher.loop.snapshot import Snapshot, freeze, in_force, rank, record_words
from thresher.loop.ways import way_of
from thresher.records import TRUSTED, Category, NewAsk, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store

PATIENCE_ROUNDS = 2  # rounds in which the planner's total has not fallen, after which learning no longer pays
FORECAST = "forecast of round"
LEARN_SHARE = 0.4  # of a budget of answers goes into learning, where the audits have the rest
WORDS_TAKE = LEAD + 1  # people: one of them may have answered before, and a lead of fresh votes is wanted
GOLD_ENOUGH = 150  # of each answer; less gold bounds the slips of adjudication too loosely to be worth its delta


def certified(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """A promise that is proven: what to ask next, or that it is done."""
    snapshot = in_force(category, len(store.categories.pool(category.name)), store=store)
    if snapshot is not None:
        return _audit(category, snapshot, store=store)
    left = budget_left(category, store=store)
    if left <= 0:
        return Wish("spent", f"the budget of {category.targets.answers:,} answers is spent.")
    to_learn = _to_learn(category, left)
    decided = decision(category.name, store=store)
    if decided.round is None:
        return first_asks(category, max(to_learn, 1), store=store, settings=settings, seed=seed, now_ms=now_ms)
    if to_learn > 0 and not _learned_enough(category, decided, store=store):
        asked = learning_asks(category, decided, to_learn, store=store, settings=settings, seed=seed)
        if asked:
            return Wish("asking", f"asks about {asked:,} pictures to learn.")
    people = sum(not worker.owner for worker in store.people.all())
    way = way_of(category.targets.method)
    if way.words and people < WORDS_TAKE:
        # with fewer the owner is asked about what an audit drew and nobody was asked about, and that is no word
        says = f"{way.name} takes {WORDS_TAKE} people at least, and {people} have come: invite more, or take certified."
        return Wish("waiting", says)
    if category.targets.truth == "owner":
        _own(category, store=store)
    if to_learn > 0 and (scouted := scouting(category, decided, store=store, settings=settings)):
        return Wish("asking", f"asks about {scouted:,} pictures where the plan is least sure.")
    gild_audits(category.name, store=store)
    purse = purse_of(category, left, store=store, settings=settings)
    return _audit(category, freeze(category, decided, purse, store=store), store=store)


def _own(category: Category, *, store: Store) -> None:
    """What the owner adjudicated among people is the owner's word, and they are not asked again."""
    name, version = category.name, category.question.version
    owners = {worker.id for worker in store.people.all() if worker.owner}
    said = {vote.row: vote.says for vote in store.labels.votes(name, version) if vote.worker in owners}
    adjudicated = [label for label in store.labels.held(name, version) if label.source is Source.ADJUDICATED]
    own = [replace(label, source=Source.OWNER) for label in adjudicated if said.get(label.row) is label.says]
    if own:
        store.labels.hold(name, own)


def purse_of(category: Category, left: int, *, store: Store, settings: Settings) -> Purse:
    """What the audits of a promise may use, with `left` answers to go.

    They are as many as `left` buys (price.py), where answers are capped.
    """
    capped = category.targets.answers is not None
    each = answers_each(category, store=store, settings=settings) if capped else 1.0
    pictures = int(left / each) if capped else settings.audit_images
    words_of = min(settings.votes, LEAD)
    # the owner's word is not doubted: what people do on gold has no part in it
    doubted = None if category.targets.truth == "owner" else gold_of(category, store=store)
    return Purse(max(pictures, 1), words_of, doubted)


def gold_of(category: Category, *, store: Store) -> Gold | None:
    """How adjudication would have done on gold: votes on each piece up to a clear lead, beside the known answer.

    That is the owner's, or what an audit of an ended epoch adjudicated from other votes. Pieces that were retired count
    too, as those are the ones that people miss. None while there is too little.
    """
    name, version = category.name, category.question.version
    pieces = {p.row: p.says for p in store.labels.gold(name, version, retired=True) if p.source in TRUSTED["people"]}
    votes: dict[int, dict[str, Says]] = {}
    for row, worker, says in store.labels.gold_answers(name, version):
        if row in pieces:
            votes.setdefault(row, {}).setdefault(worker, Says(says))
    shown: Counter[Says] = Counter()
    missed: Counter[Says] = Counter()
    for row, cast in votes.items():
        if (found := leads(list(cast.values()))) is not None:
            shown[pieces[row]] += 1
            missed[pieces[row]] += found is not pieces[row]
    if min(shown[Says.YES], shown[Says.NO]) < GOLD_ENOUGH:
        return None
    return Gold(shown[Says.YES], missed[Says.YES], shown[Says.NO], missed[Says.NO])


def _to_learn(category: Category, left: int) -> int:
    """The answers that may still go into learning: all that are left, or the learning's share of a promise's budget."""
    targets = category.targets
    if not way_of(targets.method).budgeted or targets.answers is None:
        return left
    return left - round((1.0 - LEARN_SHARE) * targets.answers)


def _audit(category: Category, snapshot: Snapshot, *, store: Store) -> Wish:
    if way_of(snapshot.frozen.method).words:
        snapshot = record_words(category, snapshot, store=store)
    step = snapshot.step({label.row: label for label in store.labels.held(category.name, snapshot.version)})
    if isinstance(step, Certified):
        return Wish("done", step.claim)
    if isinstance(step, Refused):
        return Wish("refused", f"not certified: {step.why}. It would take {step.take}.")
    left = budget_left(category, store=store)
    if step.images > left and not way_of(snapshot.frozen.method).budgeted:  # their budget was divided at the freeze
        wants = f"the audit asks about {step.images:,} more pictures"
        return Wish("spent", f"{wants} and {max(left, 0):,} answers are left.")
    asks = _asks(category, snapshot, step, store=store)
    store.asks.wish(category.name, snapshot.version, asks)
    if not asks and not len(store.asks.open_rows(category.name, snapshot.version)):
        return Wish("waiting", "answers came in the middle of this turn; the next one settles them.")
    return Wish("asking", _sentence(step))


def _asks(category: Category, snapshot: Snapshot, step: Ask, *, store: Store) -> list[NewAsk]:
    """An ask for each image wanted, once, though two audits may have drawn it; of people who have not seen it yet."""
    asks: dict[int, NewAsk] = {}
    for part in sorted(step.wanted, key=lambda one: not one.sure):  # where both are wanted, the sure one serves both
        for row, ask in _of_part(part, snapshot):
            asks.setdefault(row, _of_the_owner(ask) if part.sure and snapshot.truth == "owner" else ask)
    seen: dict[int, set[str]] = {}
    for vote in store.labels.votes(category.name, snapshot.version, list(asks)):
        seen.setdefault(vote.row, set()).add(vote.worker)
        # votes that came since the last settling: whether more are wanted is for the next to say
        if vote.epoch and snapshot.truth != "owner":
            asks.pop(vote.row, None)
    people = {worker.id for worker in store.people.all() if not worker.owner}
    pending = set(store.asks.open_rows(category.name, snapshot.version).tolist())
    return [_of_people(ask, len(people - seen.get(row, set()))) for row, ask in asks.items() if row not in pending]


def _of_the_owner(ask: NewAsk) -> NewAsk:
    return replace(ask, purpose=Purpose.ADJUDICATE, votes_wanted=1)


def _of_part(part: Wanted, snapshot: Snapshot) -> list[tuple[int, NewAsk]]:
    """A cheap word belongs to no epoch: what belongs to one is adjudicated."""
    rows = snapshot.ranking[np.array(part.ranks, np.int64)].tolist()
    votes, epoch = (LEAD, snapshot.epoch) if part.sure else (snapshot.words_of, 0)
    return [
        # in the order of the draws, as the evidence takes them so
        (row, NewAsk(row, part.purpose, votes, 1.0 - place / len(rows), epoch, draw))
        for place, (row, draw) in enumerate(zip(rows, part.draws, strict=True))
    ]


def _of_people(ask: NewAsk, left: int) -> NewAsk:
    """Ask as many as are wanted, if so many were not asked before: fewer can't come to a lead. Else ask the owner."""
    return ask if left >= ask.votes_wanted or ask.purpose is Purpose.ADJUDICATE else _of_the_owner(ask)


def _sentence(step: Ask) -> str:
    parts = ", ".join(f"{len(part.ranks):,} {part.purpose.value}" for part in step.wanted)
    return f"audits: asks about {parts}; about {step.ahead:,} pictures to go."


def _learned_enough(category: Category, decided: Decided, *, store: Store) -> bool:
    """Whether the planner's total, labels so far and answers ahead, has stopped falling; or the head getting better."""
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
    """Pictures that people will have answered when it is certified, were learning to stop now."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    _, probability = rank(decided, labels, {})
    if not len(probability):
        return float(len(labels))
    targets = category.targets
    plan = sketch(Curve(points_of(np.asarray(probability))), 0, promise_of(targets), delta=targets.delta)
    return len(labels) + plan.ahead
