"""Labels that somebody else made, under audit (evidence/labels.py): their freeze, and how they stand.

They are the ranking, so nothing is embedded, trained or learnt: an audit begins as soon as images and labels are there.
"""

from dataclasses import dataclass, replace

import numpy as np

from thresher.evidence.labels import Audited, audited
from thresher.label.adjudicate import LEAD
from thresher.label.standing import annotators
from thresher.loop.decision import decision
from thresher.loop.methods import Wish, spent, words_of
from thresher.loop.promises import Purse
from thresher.loop.snapshot import Snapshot, freeze, in_force
from thresher.records import TRUSTED, Category, Says, Source
from thresher.settings import Settings
from thresher.store.claims import claim_of
from thresher.store.contract import Rows, Store


@dataclass(frozen=True)
class Standing:
    """What the audits of a category's labels have found so far.

    `claimed` counts the images of the pool that the labels call yes. `precision` and `recall` are the audits of those
    and of the others, None before the freeze, and where recall is no target. `wrong` are the rows of the claimed that
    are not yes by the trusted labels of today, and `missed` those of the others that are.
    """

    claimed: int
    precision: Audited | None
    recall: Audited | None
    wrong: Rows
    missed: Rows


def freeze_labels(category: Category, *, store: Store, settings: Settings, now_ms: int) -> Snapshot | Wish:
    """Freeze the pool with its labels as the ranking; or what there is to tell where there is nothing to audit."""
    name = category.name
    claim = claim_of(name, store=store)
    if claim is None or not len(claim.claimed):
        what = "no labels are there to audit" if claim is None else "the labels call no image of the pool a yes"
        return Wish("refused", f"not certified: {what}.")
    if ended := spent(category, store=store, settings=settings):
        return ended
    if category.targets.truth == "owner":
        own(category, store=store)
    elif (people := len(annotators(store=store))) < LEAD:  # else the owner would be asked instead of them
        lacks = f"annotators to join: {LEAD} have to answer each image that is drawn, and {people} have joined"
        return Wish("waiting", f"waits for {lacks}; `thresher invite --category {name}` makes a link.")
    purse = Purse(words_of=words_of(settings))
    return freeze(category, decision(name, store=store), purse, store=store, now_ms=now_ms, claim=claim)


def standing_of(category: Category, *, store: Store) -> Standing | None:
    """How the labels of a category stand; None if it has none."""
    claim = claim_of(category.name, store=store)
    if claim is None:
        return None
    trusted = TRUSTED[category.targets.truth]
    held = store.labels.held(category.name, category.question.version)
    labels = {label.row: label for label in held if label.source in trusted}
    says = {row: label.says for row, label in labels.items()}
    called = set(claim.claimed.tolist())
    wrong = [row for row, said in says.items() if row in called and said is not Says.YES]
    missed = [row for row, said in says.items() if row not in called and said is Says.YES]
    snapshot = in_force(category, len(store.categories.pool(category.name)), store=store)
    precision, recall = (None, None) if snapshot is None else audited(snapshot.state(labels))
    return Standing(
        len(called), precision, recall, np.array(sorted(wrong), np.int64), np.array(sorted(missed), np.int64)
    )


def own(category: Category, *, store: Store) -> None:
    """Turn what the owner adjudicated into the owner's own labels, so that the owner is not asked about them again."""
    name, version = category.name, category.question.version
    owners = {worker.id for worker in store.people.all() if worker.owner}
    said = {vote.row: vote.says for vote in store.labels.votes(name, version) if vote.worker in owners}
    adjudicated = [label for label in store.labels.held(name, version) if label.source is Source.ADJUDICATED]
    own = [replace(label, source=Source.OWNER) for label in adjudicated if said.get(label.row) is label.says]
    if own:
        store.labels.hold(name, own)
