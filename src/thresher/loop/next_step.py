"""The next step of a category, computed from what is decided (decision.py)."""

from collections import Counter

from thresher.label.waits import Standing, waits_for
from thresher.loop.decision import Decision
from thresher.loop.methods import budget_left, why_done
from thresher.loop.ways import way_of
from thresher.settings import Settings
from thresher.store.contract import Store


def next_step(decided: Decision, *, store: Store, settings: Settings, running: bool) -> str:
    """What a category is waiting for, as a phrase for its owner; `running` says whether its loop is running."""
    category, step = decided.basis.category, decided.basis.step
    done, refused = False, ""
    if not way_of(category.targets.method).proves:
        done = decided.round is not None and bool(why_done(category, decided, store=store, settings=settings))
    elif step is not None:
        from thresher.evidence import Refused  # loaded with the step

        done = decided.basis.certified is not None
        refused = f"{step.why}; it would take {step.take}" if isinstance(step, Refused) else ""
    standing = Standing(
        tally=store.categories.tally(category.name),
        gold=Counter(gold.says for gold in store.labels.gold(category.name, category.question.version)),
        gold_least=settings.gold_least,
        learned=decided.round is not None,
        done=done,
        refused=refused,
        spent=category.targets.answers if _is_spent(decided, store) else None,
        running=running,
    )
    return waits_for(category.name, standing)


def _is_spent(decided: Decision, store: Store) -> bool:
    """Whether the budget of answers is used up, or too small for the audit's next step."""
    basis = decided.basis
    left = budget_left(basis.category, store=store)
    if basis.snapshot is None or basis.step is None:
        return left <= 0
    if way_of(basis.category.targets.method).budgeted:
        return False  # an audit that has begun ends what its budget was divided for
    from thresher.evidence import Ask  # loaded with the step

    return isinstance(basis.step, Ask) and basis.step.images > left
