"""The owner's check in the loop (evidence/check.py): whether there is one, what it asks, and its lines in the log.

The owner's answers are votes of the owner, asked for with the purpose `check`. They are no labels while the freeze is
in force, so that they change nothing but the check; once it has ended they become labels, and gold like any other image
that was drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thresher.evidence import Ask, spend
from thresher.evidence.audit_log import CHECK, CHECKED, Log
from thresher.evidence.check import answers_if_clean
from thresher.evidence.methods import CHECK_SHARE
from thresher.label.remembered import Memory
from thresher.loop.audit_log import append
from thresher.loop.promises import promise_of
from thresher.loop.snapshot import Snapshot, with_log
from thresher.loop.ways import way_of
from thresher.loop.words import CODES
from thresher.records import Category, Label, NewAsk, Purpose, Source, Targets, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

PAID = "pay_hour_cents"
TAKES = 1.25  # times the answers of a check without a no, which the runs of bench/trust.py took
LARGE = 10_000


def is_checked(category: Category, *, store: Store, settings: Settings) -> bool:
    """Whether the owner checks what is released.

    As the targets say; else if annotators are strangers who are paid: they came by an invite for many, and the pay is
    set. Some of those hand in what a model says, and err together. Never where the owner's answers are the truth, or
    every image is labelled, as no audits prove a set that could be checked; nor of labels that were made elsewhere.
    """
    targets = category.targets
    way = way_of(targets.method)
    if targets.truth == "owner" or way.whole or way.given:
        return False
    if targets.check is not None:
        return targets.check
    strangers = settings.invite_people > 1 and any(worker.invite for worker in store.people.all() if not worker.owner)
    return strangers and settings.origins.get(PAID, "default") != "default"


def kept_for_check(targets: Targets) -> int:
    """The answers of a budget that are kept for the owner's check; their number hardly depends on the set's size."""
    if not way_of(targets.method).precision:
        return 0
    promise = promise_of(targets)
    return round(TAKES * answers_if_clean(promise, LARGE, CHECK_SHARE * spend(promise.delta, 0)))


def begin_check(name: str, snapshot: Snapshot, named: tuple[int, str], *, store: Store, now_ms: int) -> Snapshot:
    """Log the set that the owner is to check, before its first draw, unless it is the one that is checked now."""

    def said(log: Log) -> Mapping[str, object]:
        size, digest = named
        last = log.checks.get(len(log.checks) - 1)
        return {} if last == named else {"attempt": len(log.checks), "size": size, "sha256": digest}

    append(name, snapshot.epoch, snapshot.log, CHECK, said, store=store, at_ms=now_ms)
    return with_log(name, snapshot, store)


def record_checked(
    name: str, snapshot: Snapshot, votes: Sequence[Vote], labels: Mapping[int, Label], *, store: Store, now_ms: int
) -> Snapshot:
    """Log the owner's answers that are not logged yet, by place, once the check has begun; the first of each counts.

    What the owner answered before, or brought in a file, counts too: the owner is not asked about an image twice.
    """
    if not snapshot.log.checks:
        return snapshot
    owners = {worker.id for worker in store.people.all() if worker.owner}
    first = {row: int(CODES[label.says]) for row, label in labels.items() if label.source is Source.OWNER}
    for vote in votes:
        if vote.worker in owners:
            first.setdefault(vote.row, int(CODES[vote.says]))
    places = snapshot.places_of(first)

    def said(log: Log) -> Mapping[str, object]:
        codes = {str(place): first[row] for row, place in places.items() if place not in log.checked}
        return {"codes": codes} if codes else {}

    append(name, snapshot.epoch, snapshot.log, CHECKED, said, store=store, at_ms=now_ms)
    return with_log(name, snapshot, store)


def check_asks(snapshot: Snapshot, step: Ask) -> list[NewAsk]:
    """What the owner is asked for the check."""
    return [
        NewAsk(row, Purpose.CHECK, 1, 1.0 - number / len(part.ranks), snapshot.epoch, draw)
        for part in step.wanted
        if part.purpose is Purpose.CHECK
        for number, (row, draw) in enumerate(zip(snapshot.rows_of(part.ranks), part.draws, strict=True))
    ]


def but_checked(
    name: str, snapshot: Snapshot, asks: Sequence[NewAsk], votes: Sequence[Vote], *, store: Store
) -> list[NewAsk]:
    """The asks without those for the owner on images that the owner's check has had: that answer becomes the label.

    After a correction an audit may draw an image that the owner has checked, and nobody is asked about one twice.
    """
    checked = {vote.row: vote for vote in votes if vote.purpose is Purpose.CHECK}
    own = [ask for ask in asks if ask.purpose is Purpose.ADJUDICATE and ask.row in checked]
    if own:
        made = [replace(_label(checked[ask.row], snapshot.version), epoch=ask.epoch, draw=ask.draw) for ask in own]
        store.labels.hold(name, made)
    return [ask for ask in asks if ask not in own]


def keep_checked(
    category: Category,
    *,
    store: Store,
    memory: Memory | None = None,
) -> int:
    """Make the owner's labels of the answers to checks of freezes that have ended; returns how many are new."""
    name, version = category.name, category.question.version
    if not store.rounds.epochs(name):
        return 0
    if memory is None:
        own = {label.row for label in store.labels.held(name, version) if label.source is Source.OWNER}
        votes = store.labels.votes(name, version)
    else:
        with memory.trusted():
            memory.refresh(name, version, store=store)
        own = {label.row for label in memory.held.records(memory.held.of(Source.OWNER))}
        votes = memory.ballots.asked_for(Purpose.CHECK)
    answers = {vote.row: vote for vote in votes if vote.purpose is Purpose.CHECK}
    made = [_label(vote, version) for row, vote in answers.items() if row not in own]
    if made:
        store.labels.hold(name, made)
    return len(made)


def _label(vote: Vote, version: int) -> Label:
    return Label(
        row=vote.row,
        says=vote.says,
        source=Source.OWNER,
        purpose=Purpose.CHECK,
        version=version,
        at_ms=vote.at_ms,
        votes=1,
        epoch=vote.epoch,
        draw=vote.draw,
    )
