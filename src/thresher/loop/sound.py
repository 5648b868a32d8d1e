"""Whether what a certificate depends on still matches its checksums: before a loop begins, and before a release."""

from thresher.errors import StoreDamaged
from thresher.loop.decision import Decision
from thresher.store.contract import Store
from thresher.store.findings import MEND


def must_be_sound(name: str, *, store: Store) -> None:
    """Raise StoreDamaged if answers, labels, rounds or frozen evidence of a category do not match their checksums.

    A loop would take a vote that was turned or lost for one that was never given, and ask people again.
    """
    if changed := store.changed(name):
        more = f" (and {len(changed) - 1:,} more)" if len(changed) > 1 else ""
        raise StoreDamaged(f"{changed[0]}{more}.", where=name, next=MEND)


def scores_must_be_sound(decided: Decision, *, store: Store) -> None:
    """Raise StoreDamaged if scores by which is decided do not match their checksums."""
    if decided.round is None:
        return
    damaged = store.columns.damaged(decided.round.column, decided.rows)
    if len(damaged):
        what = f"the scores of {len(damaged):,} images do not match their checksums."
        raise StoreDamaged(what, where=decided.round.column, next=MEND)
