"""Evidence without a certificate: an audit of labels that ended with a no. Its interval is recomputed all the same."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from thresher.verify.checks import Checks
from thresher.verify.draws import shuffled
from thresher.verify.frozen import FORMAT, Frozen, frozen_of
from thresher.verify.labels import NO, YES, Labels, must_be_trusted, read_labels
from thresher.verify.log import canonical, read_log
from thresher.verify.pool import read_pool
from thresher.verify.statistics import most
from thresher.verify.values import Fields

NO_CERTIFICATE = "the release has no certificate"
REFUSED = "refused"
JEFFREYS = ((1.0, 0.5, 0.5),)


def said_of_refused(directory: Path, given: Fields, *, head: str = "") -> tuple[str, ...]:
    """That there is no certificate, with what the draws say, recomputed; then what is wrong with the files.

    Raises as `verify`.
    """
    if REFUSED not in given.names() or given.get("format") != FORMAT:
        return (NO_CERTIFICATE,)
    checks, frozen, log = Checks(), frozen_of(given.get("frozen")), read_log(directory)
    same_frozen = canonical(log.frozen) == canonical(given.get("frozen"))
    checks.that(same_frozen, "what is frozen in the file is not the first line of the audit log")
    checks.that(given.get("log_head") == log.head, "the file names another head of the audit log")
    checks.that(not head or head.lower() in log.heads, "the audit log has no line with the published head")
    checks.that(frozen.method == "labels", f"the method {frozen.method} records no audit that failed")
    pool = read_pool(directory, frozen, checks)
    labels = read_labels(directory, frozen, log, pool, checks)
    must_be_trusted(directory, frozen.truth, checks)
    urns = [] if checks.wrong else list(_urns(frozen))
    for urn in urns:
        checks.that(urn.delta > 0.0, f"the {urn.name} urn has a delta of 0, by which no interval is proven")
    if checks.wrong:  # the calculation takes what was compared for granted
        return (NO_CERTIFICATE, *checks.all())
    told = [_said(urn, labels, Fields(given.get(REFUSED), REFUSED), checks) for urn in urns]
    return (f"{NO_CERTIFICATE}: {'; '.join(told)} (recomputed from the draws)", *checks.all())


@dataclass(frozen=True, slots=True)
class _Urn:
    """An urn of the audit: its ranks in the order of the draws, the good label, and the words for its sentence."""

    name: str
    size: int
    order: Iterator[int]
    good: int
    delta: float
    images: str
    wrong: str
    share: str


def _urns(frozen: Frozen) -> Iterator[_Urn]:
    rung = frozen.ladder[0]
    claimed, others = rung.rank, frozen.ranks - rung.rank
    order = shuffled(frozen.seed, "accept", claimed)
    yield _Urn(
        "accept", claimed, order, YES, rung.accept_delta, "images that the labels call yes", "not yes", "are yes"
    )
    if frozen.recall:
        order = (claimed + item for item in shuffled(frozen.seed, "reject", others))
        yield _Urn("reject", others, order, NO, rung.reject_delta, "other images", "not no", "are no")


def _said(urn: _Urn, labels: Labels, given: Fields, checks: Checks) -> str:
    """The sentence on an urn: its draws, repeated from the seed, and the interval that follows from them."""
    ranks = list(islice(urn.order, given.whole(f"{urn.name}_drawn", 0, len(labels.evidence))))
    numbers = {rank: number for number, rank in enumerate(ranks)}
    lack = labels.lack(ranks)
    checks.that(not lack, f"{lack} draws of the {urn.name} urn, repeated from the seed, have no label")
    right = numbers == labels.draws[urn.name]
    checks.that(right, f"the evidence gives the draws of the {urn.name} urn other numbers")
    bad = sum(labels.evidence.get(rank) != urn.good for rank in ranks)
    fewest = urn.size - most((urn.size, len(ranks), len(ranks) - bad), JEFFREYS, urn.delta)
    largest = most((urn.size, len(ranks), bad), JEFFREYS, urn.delta)
    for name, found in (("size", urn.size), ("bad", bad), ("fewest", fewest), ("most", largest)):
        says = given.whole(f"{urn.name}_{name}")
        checks.that(says == found, f"{urn.name}_{name}: the file says {says}, not {found}")
    size = max(urn.size, 1)
    low, high = math.floor(1000 * (size - largest) / size) / 10, math.ceil(1000 * (size - fewest) / size) / 10
    return (
        f"of {len(ranks):,} drawn of the {urn.size:,} {urn.images}, {bad:,} are {urn.wrong}, so with "
        f"{1.0 - urn.delta:.2%} confidence {low:g}% to {high:g}% {urn.share}"
    )
