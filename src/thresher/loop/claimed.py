"""Labels that somebody else made, under audit (evidence/labels.py): their freeze. `audited.py` says how they stand.

They are the ranking, so nothing is embedded, trained or learnt: an audit begins as soon as images and labels are there.
"""

from dataclasses import replace

from thresher.label.adjudicate import LEAD
from thresher.label.standing import annotators
from thresher.loop.decision import decision
from thresher.loop.methods import Wish, spent, words_of
from thresher.loop.promises import Purse
from thresher.loop.snapshot import Snapshot, freeze
from thresher.records import Category, Source
from thresher.settings import Settings
from thresher.store.claims import claim_of
from thresher.store.contract import Store


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


def own(category: Category, *, store: Store) -> None:
    """Turn what the owner adjudicated into the owner's own labels, so that the owner is not asked about them again."""
    name, version = category.name, category.question.version
    owners = {worker.id for worker in store.people.all() if worker.owner}
    said = {vote.row: vote.says for vote in store.labels.votes(name, version) if vote.worker in owners}
    adjudicated = [label for label in store.labels.held(name, version) if label.source is Source.ADJUDICATED]
    own = [replace(label, source=Source.OWNER) for label in adjudicated if said.get(label.row) is label.says]
    if own:
        store.labels.hold(name, own)
