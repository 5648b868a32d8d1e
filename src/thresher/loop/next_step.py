"""The next step of a category, computed from what is decided (decision.py): the same in every part of thresher."""

from collections import Counter

from thresher.errors import NotReady
from thresher.label.asks import unsettled
from thresher.label.deal import out_of_answers
from thresher.label.out_of_people import out_of_people
from thresher.label.waits import NextStep, Standing, waits_for
from thresher.learn.known import can_learn
from thresher.loop.decision import Decision, decision
from thresher.loop.lease import runs
from thresher.loop.methods import nothing_to_ask, too_few_people, why_done
from thresher.loop.ways import way_of
from thresher.records import Category, now_ms
from thresher.release.plan import fingerprint
from thresher.settings import Settings
from thresher.store.contract import Store, Tally


def next_step(decided: Decision, *, store: Store, settings: Settings, running: bool) -> NextStep:
    """What has to happen next; `running` says whether the category's loop is running."""
    category, step = decided.basis.category, decided.basis.step
    name, version = category.name, category.question.version
    done, refused = _is_done(decided, store, settings), ""
    if step is not None:
        from thresher.evidence import Refused  # loaded with the step

        refused = f"{step.why}; it would take {step.take}" if isinstance(step, Refused) and not step.spent else ""
    spent = out_of_answers(category, store=store, settings=settings)
    short = _is_short(decided, store)
    tally = store.categories.tally(name)
    ended = done or bool(refused or spent or short)
    standing = Standing(
        tally=tally,
        gold=Counter(gold.says for gold in store.labels.gold(name, version) if gold.confirmed),
        gold_least=settings.gold_least,
        unpublished=_unpublished(category, tally, store),
        minable=sum(tally.labels.values()) < tally.images,
        unsettled=ended and len(unsettled(name, version, store=store)) > 0,
        done=done,
        refused=refused,
        spent=spent,
        short=short,
        lacks_people=""
        if decided.round is None or decided.basis.snapshot
        else too_few_people(category, store=store, settings=settings),
        out_of_people=sum(len(task.rows) for task in out_of_people(category, store=store)),
        running=running,
        releasable=can_be_released(decided),
        released=_released(decided, store) if ended else "",
    )
    return waits_for(name, standing)


def next_step_of(decided: Decision, *, store: Store, settings: Settings) -> NextStep:
    """The next step as a process sees it that does not run the loop itself."""
    running = runs(decided.basis.category.name, now_ms(), store=store)
    return next_step(decided, store=store, settings=settings, running=running)


def can_be_released(decided: Decision) -> bool:
    """Whether a release would say something: an image is decided yes, or every one is decided."""
    return bool(decided.counts.yes or (len(decided.rows) and not decided.counts.unknown))


def must_be_decided(name: str, *, store: Store, settings: Settings, version: int | None = None) -> None:
    """Raise NotReady, with the next step of the category, unless it can be released; NotFound for no such version."""
    decided = decision(name, store=store, version=version)
    if version not in (None, store.categories.get(name).question.version) and not can_be_released(decided):
        what = f"no image of {name} is decided yes by version {version} of its question, and not every one is decided."
        raise NotReady(what, next=f"thresher category reword {name} --version {version}, which asks it again")
    if not can_be_released(decided):
        step = next_step_of(decided, store=store, settings=settings)
        raise NotReady(
            f"no image of {name} is decided yes, and not every one is decided; it waits for {step.waits_for}.",
            next=step.command,
        )


def _is_done(decided: Decision, store: Store, settings: Settings) -> bool:
    """Whether nothing more has to be decided. Where no classifier can be trained, the answers alone may decide."""
    category = decided.basis.category
    if not len(decided.rows):
        return False
    if not way_of(category.targets.method).proves:
        return bool(why_done(category, decided, store=store, settings=settings))
    if decided.basis.step is not None or decided.round is not None:
        return decided.basis.certified is not None
    learns = can_learn(category, decided.basis.held, store=store)
    return not learns and bool(nothing_to_ask(category, decided, store=store))


def _unpublished(category: Category, tally: Tally, store: Store) -> tuple[int, int]:
    """How many asks wait for a task, those for annotators and those for the owner alone."""
    name, version, asks = category.name, category.question.version, sum(tally.asks_open.values())
    if not asks:
        return 0, 0
    people = len(store.asks.waiting(name, version, asks))
    return people, len(store.asks.waiting(name, version, asks, owner_only=True))


def _released(decided: Decision, store: Store) -> str:
    """Where exactly this decision was released to; empty if it was not."""
    category = decided.basis.category
    releases = store.rounds.releases(category.name)
    if not releases:
        return ""
    number = decided.round.number if decided.round else 0
    own = fingerprint(category.name, category.question.version, number, decided.rows, decided.codes)
    proven = decided.basis.certified is not None
    same = (one for one in reversed(releases) if one.fingerprint == own and one.certificate.get("certified") is proven)
    return next((one.path for one in same), "")


def _is_short(decided: Decision, store: Store) -> str:
    """That the budget of answers is too small for the audit's next step, as a phrase; empty if it is not."""
    basis, most = decided.basis, decided.basis.category.targets.answers
    if basis.step is None or most is None:
        return ""
    from thresher.evidence import Ask, Refused  # loaded with the step

    if isinstance(basis.step, Refused):
        return basis.step.why if basis.step.spent else ""
    # what is reserved is for images of this step
    left = most - store.categories.tally(basis.category.name).answered
    divided = way_of(basis.category.targets.method).budgeted  # an audit that has begun uses the first answers that come
    if divided or not isinstance(basis.step, Ask) or basis.step.images <= left:
        return ""
    return f"the audit asks about {basis.step.images:,} more images, and the budget has {max(left, 0):,} answers left"
