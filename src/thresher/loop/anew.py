"""The freeze in force as its owner sees it: the head of its log, and another freeze instead of it.

Corrections that were not allowed to help this freeze, and all that was learnt since, count for the next one.
"""

from dataclasses import dataclass

from thresher.errors import BadInput, NotReady
from thresher.evidence import spend
from thresher.evidence.audit_log import ENDED, Log
from thresher.loop.audit_log import append, lines_of
from thresher.loop.snapshot import Snapshot, audited, begin_log, holds, in_force
from thresher.loop.ways import way_of
from thresher.store.contract import Store


def freeze_anew(name: str, *, store: Store, now_ms: int, confirmed: bool = False) -> None:
    """End the freeze in force, so that the next run freezes anew; its log says so, and it certifies nothing any more.

    Raises BadInput if none is in force, and NotReady with what it costs unless it is confirmed: the answers stay as
    labels, but are no random evidence any more, and each further freeze may use only a part of delta.
    """
    snapshot = _in_force(name, store=store)
    if not confirmed:
        spent, delta = audited(name, snapshot, store=store), snapshot.frozen.promise.delta
        now, then = spend(delta, snapshot.frozen.epoch), spend(delta, snapshot.frozen.epoch + 1)
        raise NotReady(
            f"its audits have {spent:,} answers; the next freeze keeps them as labels, draws anew, and may use "
            f"{then:.4g} of delta, where this one has {now:.4g}: the less there is, the more has to be drawn.",
            where=name,
            next="the same with --yes",
        )
    snapshot = begin_log(name, snapshot, store=store)

    def said(log: Log) -> dict[str, object]:
        return {} if log.ended else {"why": "the owner wants another freeze"}

    append(name, snapshot.epoch, snapshot.log, ENDED, said, store=store, at_ms=now_ms)


def corrected_since(name: str, snapshot: Snapshot, *, store: Store) -> int:
    """How many labels say another thing today than at the freeze, or than when they were logged."""
    labels = {label.row: label for label in store.labels.held(name, snapshot.version)}
    state = snapshot.state(labels)
    ranked = sum(state.today.get(rank) != code for rank, code in snapshot.log.first.items())
    now = {row: label.says for row, label in labels.items() if holds(label, snapshot.truth)}
    return ranked + sum(now.get(row) is not says for row, says in snapshot.known_says.items())


@dataclass(frozen=True, slots=True)
class LogSaid:
    """The lines of a log, and what is told of them."""

    lines: list[bytes]
    facts: dict[str, object]


def said_of_log(name: str, *, store: Store) -> LogSaid:
    """The log of the freeze in force, with its head. Raises BadInput if none is in force."""
    snapshot = _in_force(name, store=store)
    lines = list(lines_of(name, snapshot.epoch, store=store))
    log = Log().read(lines)
    facts = {
        "freeze": snapshot.epoch,
        "lines": log.lines,
        "head of the freeze": Log().read(lines[:1]).head,
        "head": log.head,
        "first answers": len(log.first),
        "words": len(log.words),
        "corrected since": corrected_since(name, snapshot, store=store),
    }
    return LogSaid(lines, facts)


def _in_force(name: str, *, store: Store) -> Snapshot:
    category = store.categories.get(name)
    snapshot = None
    if way_of(category.targets.method).proves and store.rounds.epochs(name):
        snapshot = in_force(category, len(store.categories.pool(name)), store=store)
    if snapshot is None:
        raise BadInput(f"no freeze of {name} is in force.", next=f"thresher run {name}")
    return snapshot
