"""Gold: labels that are certain enough to check annotators by. How answers become gold, and when gold is retired.

The first gold comes from the owner, from a file (imports.py) or a first task (mining.py); each later answer of the
owner adds to it. Images that annotators disagreed about before the owner decided are not used as gold, because honest
annotators would miss them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from thresher.label.remembered import Memory
from thresher.records import (
    TRUSTED,
    Ask,
    Assignment,
    Category,
    Given,
    Gold,
    Label,
    Purpose,
    Review,
    Says,
    Source,
    Stage,
    Vote,
)
from thresher.settings import Settings
from thresher.store.contract import Store, as_category

MISSED_LEAST = 3  # misses by good workers before gold is doubted
MISSED_SHARE = 0.4  # of their answers on it
WHY_MISSED = "good workers missed it in {0} of {1} answers"
WHY_CONTESTED = "workers disagreed about it: {0} of {1} said otherwise before the owner decided"

# a drawn image is no gold while its audit runs: gold is shown again and again, which could influence the audit
AUDITS = frozenset({Purpose.AUDIT_PRECISION, Purpose.AUDIT_RECALL})


@dataclass(frozen=True, slots=True)
class GoldStanding:
    """The gold in use that the owner confirmed, by class, and how much of each the gate needs. `on`: gold is shown."""

    yes: int
    no: int
    least: int
    on: bool = True

    @property
    def missing(self) -> dict[Says, int]:
        """How many more images of each class are needed; classes with enough are left out."""
        short = {Says.YES: self.least - self.yes, Says.NO: self.least - self.no}
        return {says: count for says, count in short.items() if count > 0}

    @property
    def provisional(self) -> bool:
        """Whether the gate cannot reject anybody by one of the classes, or by neither."""
        return bool(self.missing) or not self.on

    @property
    def says(self) -> str:
        """What is missing and what follows from it, as sentences for the owner; empty if nothing is missing."""
        if not self.on:
            return "The gate is off (setting gold_images is 0): nothing checks the answers, or pays them automatically."
        if not self.missing:
            return ""
        needs = " and ".join(f"{count:,} more {says}" for says, count in self.missing.items())
        judges = [says.value for says in (Says.YES, Says.NO) if says not in self.missing]
        by = f"answers are judged only where gold says {judges[0]}" if judges else "nobody is rejected"
        return (
            f"The gate is provisional: it needs {needs} gold ({self.yes:,} yes and {self.no:,} no are confirmed by the"
            f" owner; {self.least} of each are needed). Until then {by}, work that one class alone can judge counts"
            " a quarter, and none is paid automatically; it is judged again when the gold suffices."
        )


def gold_standing(gold: Iterable[Gold], settings: Settings) -> GoldStanding:
    """How much confirmed gold is in use, and what is missing."""
    says = [piece.says for piece in gold if piece.confirmed and not piece.retired]
    return GoldStanding(says.count(Says.YES), says.count(Says.NO), settings.gold_least, settings.gold_images > 0)


def gates_say(*, store: Store, settings: Settings) -> dict[str, str]:
    """What the gate of each category says that cannot judge, by its name."""
    said = {
        category.name: gold_standing(store.labels.gold(category.name, category.question.version), settings).says
        for category in store.categories.all()
    }
    return {name: says for name, says in said.items() if says}


def enough(gold: Iterable[Gold], settings: Settings) -> bool:
    """Whether there is gold enough of both answers, confirmed by the owner, for the gate to reject anyone by each."""
    return not gold_standing(gold, settings).missing


def take_owners_answers(
    assignment: Assignment, *, store: Store, now_ms: int, among: Collection[int] | None = None
) -> list[Label]:
    """Make labels and gold from an assignment that the owner sent; repeating it changes nothing.

    An adjudication keeps the purpose, epoch and draw for which the image was first asked about. Where rows are handed
    in, answers about other images are left out. Answers to a check make neither: they would change what is checked.
    """
    category, version = assignment.category, assignment.version
    asks = {ask.id: ask for ask in store.asks.of_task(assignment.task)}
    answered = [(asks[ask], given) for ask, given in _asked(assignment) if asks[ask].purpose is not Purpose.CHECK]
    if among is not None:
        answered = [(ask, given) for ask, given in answered if ask.row in among]
    rows = [ask.row for ask, _ in answered]
    votes: dict[int, list[Vote]] = {row: [] for row in rows}
    for vote in store.labels.votes(category, version, rows):
        if vote.worker != assignment.worker and vote.purpose is not Purpose.CHECK:
            votes[vote.row].append(vote)
    labels = [_label_of(ask, given, votes[ask.row], version, now_ms) for ask, given in answered]
    store.labels.hold(category, labels)
    known = {piece.row: piece for piece in store.labels.gold(category, version, retired=True)}
    gold = [gold_of(label, votes[label.row], known.get(label.row)) for label in labels]
    store.labels.gild(category, [piece for piece in gold if piece is not None])
    return labels


def take_lost_labels(known: Collection[int], of_the_owner: Sequence[Vote], *, store: Store, now_ms: int) -> list[Label]:
    """Make labels anew of images that the owner answered and that are not among the rows `known` to have one of people.

    Returns the new ones. A catalog loses labels where a repair drops those that do not match their checksums.
    """
    asked = (vote for vote in of_the_owner if vote.purpose is not Purpose.CHECK)
    newest = {vote.row: vote.assignment for vote in asked if vote.row not in known}
    lost: dict[str, set[int]] = defaultdict(set)
    for row, assignment in newest.items():
        lost[assignment].add(row)
    made = []
    for assignment, rows in sorted(lost.items()):
        made += take_owners_answers(store.work.get(assignment), store=store, now_ms=now_ms, among=rows)
    return made


def _asked(assignment: Assignment) -> list[tuple[int, Given]]:
    places = [(assignment.dealt[given.position].ask, given) for given in assignment.answers]
    return [(ask, given) for ask, given in places if ask is not None]


def _label_of(ask: Ask, given: Given, votes: Sequence[Vote], version: int, now_ms: int) -> Label:
    """The label of an owner's answer, whatever it was asked for; the owner's answers do not slip (noise.py)."""
    adjudicated = ask.purpose is Purpose.ADJUDICATE
    first_asked_for = [vote.purpose for vote in votes if (vote.epoch, vote.draw) == (ask.epoch, ask.draw)]
    return Label(
        row=ask.row,
        says=given.says,
        source=Source.OWNER,
        purpose=first_asked_for[-1] if adjudicated and first_asked_for else ask.purpose,
        version=version,
        at_ms=now_ms,
        votes=len(votes),
        epoch=ask.epoch,
        draw=ask.draw,
    )


def gold_of(label: Label, votes: Sequence[Vote], known: Gold | None) -> Gold | None:
    """The gold that an owner's answer makes, or None; existing gold with the same answer stays, confirmed by now."""
    if label.says is Says.UNSURE or (known is None and drawn(label)):
        return None
    if known and known.says is label.says:
        return None if known.confirmed else replace(known, source=Source.OWNER)
    missed = sum(vote.says is not label.says for vote in votes)
    # gold that the owner contradicts is replaced even if an audit drew it: it must not mark people wrong any longer
    retired = WHY_CONTESTED.format(missed, len(votes)) if missed or drawn(label) else ""
    return Gold(label.row, label.says, label.version, Source.OWNER, len(votes), missed, retired)


def drawn(label: Label) -> bool:
    """Whether an audit drew the image, even if only the owner was asked."""
    return label.purpose in AUDITS or (label.epoch > 0 and label.draw >= 0)


def gild_audits(
    category: Category | str,
    *,
    store: Store,
    memory: Memory | None = None,
) -> int:
    """Make gold from images that finished audits adjudicated, which resemble audited images most; returns how many.

    Where people adjudicated, such gold lets answers count less and rejects nobody, even if the owner had to decide.
    Call it while no freeze is in force, because a drawn image must not be used otherwise before its audit has ended. An
    image that many people missed becomes retired gold at once.
    """
    kept = as_category(category, store=store)
    category, version = kept.name, kept.question.version
    held = _of_audits(category, version, store=store, memory=memory)
    known = {piece.row for piece in store.labels.gold(category, version, retired=True)} if held else set()
    audited = [
        label
        for label in held
        if drawn(label) and label.row not in known and label.says is not Says.UNSURE
        if label.source in TRUSTED[kept.targets.truth]
    ]
    votes: dict[int, list[Vote]] = {label.row: [] for label in audited}
    for vote in store.labels.votes(category, version, list(votes)) if audited else []:
        votes[vote.row].append(vote)
    gold = []
    for label in audited:
        shown = len(votes[label.row])
        missed = sum(vote.says is not label.says for vote in votes[label.row])
        retired = WHY_CONTESTED.format(missed, shown) if _doubtful(missed, shown) else ""
        source = Source.OWNER if kept.targets.truth == "owner" else Source.ADJUDICATED
        gold.append(Gold(label.row, label.says, version, source, shown, missed, retired))
    if gold:
        store.labels.gild(category, gold)
    return len(gold)


def _of_audits(category: str, version: int, *, store: Store, memory: Memory | None) -> list[Label]:
    """The labels of images that an audit asked about, the most trusted of each."""
    if memory is None:
        return [label for label in store.labels.held(category, version) if label.epoch > 0]
    with memory.trusted():
        memory.refresh(category, version, store=store)
    held = memory.held.most_trusted()
    return memory.held.records(held[held["epoch"] > 0])


def retire_missed(assignment: Assignment, review: Review, gold: Sequence[Gold], *, store: Store) -> list[int]:
    """Count a good worker's answers on gold, and retire gold that good workers often miss; returns the retired rows."""
    if review.verdict is not Stage.ACCEPTED:
        return []
    known = {piece.row: piece for piece in gold}
    places = [(assignment.dealt[given.position], given.says) for given in assignment.answers]
    shown = [(known[place.row], says) for place, says in places if place.ask is None and place.row in known]
    right = [piece.row for piece, says in shown if says is piece.says]
    wrong = [piece for piece, says in shown if says is not piece.says]
    store.labels.score_gold(assignment.category, assignment.version, right, [piece.row for piece in wrong])
    doubted = [piece for piece in wrong if _doubtful(piece.missed + 1, piece.shown + 1)]
    for piece in doubted:
        why = WHY_MISSED.format(piece.missed + 1, piece.shown + 1)
        store.labels.retire_gold(assignment.category, assignment.version, piece.row, why)
    return [piece.row for piece in doubted]


def _doubtful(missed: int, shown: int) -> bool:
    return missed >= MISSED_LEAST and missed >= MISSED_SHARE * shown
