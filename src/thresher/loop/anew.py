"""Another freeze where one is in force: what was corrected or learnt since counts for it, and its audits begin anew."""

from thresher.errors import BadInput, NotReady
from thresher.evidence import spend
from thresher.evidence.audit_log import ENDED, Log
from thresher.loop.audit_log import append
from thresher.loop.snapshot import audited, begin_log, in_force
from thresher.loop.ways import way_of
from thresher.store.contract import Store


def freeze_anew(name: str, *, store: Store, now_ms: int, confirmed: bool = False) -> None:
    """End the freeze in force, so that the next run freezes anew; its log says so, and it certifies nothing any more.

    Raises BadInput if none is in force, and NotReady with what it costs unless it is confirmed: the answers stay as
    labels, but are no random evidence any more, and each further freeze may use only a part of delta.
    """
    category = store.categories.get(name)
    snapshot = None
    if way_of(category.targets.method).proves and store.rounds.epochs(name):
        snapshot = in_force(category, len(store.categories.pool(name)), store=store)
    if snapshot is None:
        raise BadInput(f"no freeze of {name} is in force.", next=f"thresher run {name}")
    if not confirmed:
        spent, delta = audited(name, snapshot, store=store), category.targets.delta
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
