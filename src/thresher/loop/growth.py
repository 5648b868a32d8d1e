"""What ends a freeze or holds it back: images that are added, labels that are corrected, another version of thresher.

A freeze speaks of the pool as it was, so new images end it. The labels stay, but no longer as random evidence: the next
run freezes the larger pool, and its audits draw anew.
"""

from thresher.errors import NotReady
from thresher.loop.ways import way_of
from thresher.store.contract import Store


def may_grow(name: str, *, store: Store, confirmed: bool) -> int:
    """How many answers of audits in force stop counting as such if images are added to the pool.

    Raises NotReady if there are any, unless that is confirmed.
    """
    category = store.categories.get(name)
    if not way_of(category.targets.method).proves or not store.rounds.epochs(name):
        return 0
    from thresher.loop.snapshot import audited, in_force  # with mathematics that other methods do without

    snapshot = in_force(category, len(store.categories.pool(name)), store=store)
    spent = audited(name, snapshot, store=store) if snapshot else 0
    if spent and not confirmed:
        raise NotReady(
            f"the audits of the present pool have {spent:,} answers; with new images they end, and the next run freezes"
            " and draws anew (the answers stay as labels; what is certified now can be released before).",
            where=name,
            next="the same with --yes",
        )
    return spent


def outgrown(name: str, *, store: Store) -> str:
    """What images added since the newest freeze have ended, as a sentence; empty if they have ended nothing."""
    category = store.categories.get(name)
    if not way_of(category.targets.method).proves or not store.rounds.epochs(name):
        return ""
    from thresher.loop.snapshot import audited, latest  # as above

    snapshot, images = latest(category, store=store), len(store.categories.pool(name))
    if snapshot is None or snapshot.pool >= images or not (spent := audited(name, snapshot, store=store)):
        return ""
    return (
        f"The audits of {snapshot.pool:,} images ended with {spent:,} answers, because {images - snapshot.pool:,} were"
        " added since. The answers stay as labels; the next run freezes and draws anew."
    )


def held_back(name: str, *, store: Store) -> str:
    """What waits for another freeze, as a sentence; empty if nothing does."""
    category = store.categories.get(name)
    if not way_of(category.targets.method).proves or not store.rounds.epochs(name):
        return ""
    from thresher.loop.anew import corrected_since  # as above
    from thresher.loop.snapshot import in_force, latest, of_another_format

    snapshot = latest(category, store=store)
    if snapshot is None and of_another_format(category, store=store):
        return (
            "Its freeze was made by an earlier version of thresher, and certifies nothing any more. The answers stay as"
            " labels; the next run freezes and draws anew."
        )
    if snapshot is None or in_force(category, len(store.categories.pool(name)), store=store, before=snapshot) is None:
        return ""
    corrected = corrected_since(name, snapshot, store=store)
    if not corrected:
        return ""
    labels = "1 label was" if corrected == 1 else f"{corrected:,} labels were"
    return (
        f"{labels} corrected since the freeze, which may only hurt its certificate. For another freeze they count in"
        f" full: `thresher run {name} --freeze-anew`."
    )
