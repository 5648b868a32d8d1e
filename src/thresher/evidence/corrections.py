"""Corrections after a freeze: what became worse counts at once, what became better waits for the next freeze.

Let v be the labels as they were logged first, and, where nobody gave one, the label that would be given; x are the
labels of today. The theorems of the methods speak of v, which is fixed, whatever is drawn. What is released, and what
is claimed of it, follows x. The evidence e is v, but UNANSWERABLE where x is another label or none: bad in every urn,
for every cut. Of the known, L were yes and are not today, and O became unanswerable; of the corrected ranks c were yes
at first, and d are not no today. Procedures take Y - L - c for the known yes Y and u + O + d for the unanswerable u.

What is accepted with e is accepted with v. A corrected draw that was bad in v is bad in e too, for as many cuts or
more; one that was good has become bad. By fact 3 of martingale.py a bound that is accepted with more bad draws is
accepted with fewer, and with a larger bound. So no correction lets anything be accepted that would not be accepted
without it: whoever turns bad draws into good ones, having seen them, gains nothing.

What is accepted holds of x. Without corrections base = Y + h + (yes of the middle) = T + E; now base - L - c is taken.

    Precision. Of the ranks below h, E are no in v, and E <= (1-p)(base - L - c). If k of those with a label were no at
    first, at most E - k of the released are no today, and at most k + c ranks are left out: base - L - c - k or more
    are released, and (1-p)(base - L - c) - k <= (1-p)(base - L - c - k).
    Recall. So at least base - L - c - E >= p (base - L - c) yes of today are released. Missed are at most the F(l) of v
    and the corrected ranks that are not no today: F(l) + d, which (R) bounds together with u + O.

The cuts and rungs that are false first (l1 in certify.py and adjudicated.py, h* in precision.py) follow from v, x and
the known labels. In labels.py h is fixed and base alone moves; which of its two kinds a truth is of follows from base,
so someone who takes yes away as the draws suggest has both audits to cross, and delta twice at most. Where corrections
take yes away without a look at the draws, they are as if made before the freeze, and each theorem holds as it stands;
known images, of which most corrections are, are never drawn. Someone who takes yes away as the draws suggest makes each
bound stricter and the released set smaller; an urn's evidence holds for all bounds at once, so the precision at a rung
is as safe as before, and F(l1) can be one of about (1-r)(L + c) + O + d + 1 whole numbers. Such a person can hurt their
own certificate, and no other.

Where the owner checks what is released (check.py), the check draws from what is known only the images that were yes at
the freeze. Of the others that are yes today only the owner's own answers are released, which are yes by the owner. The
rest are held back, and count as unanswerable: missed, whatever the cut.

An accepted set that a correction changes uses its attempt up (adjudicated.py). What became yes among the known is
released if it is not held back, and raises no bound. For the next freeze the labels of today are the known ones.
"""

from collections.abc import Mapping

from thresher.evidence.state import Code, Corrections


def evidence_of(first: Mapping[int, int], now: Mapping[int, int]) -> dict[int, int]:
    """The evidence by rank: the first label, UNANSWERABLE where the label of today is another one or gone."""
    return {rank: code if now.get(rank) == code else int(Code.UNANSWERABLE) for rank, code in first.items()}


def corrections_of(
    ranked: tuple[Mapping[int, int], Mapping[int, int]], known: tuple[Mapping[int, int], Mapping[int, int]]
) -> Corrections:
    """The corrections since the freeze, from labels then and today: of the ranks by rank, of known images by row."""
    first, now = ranked
    changed = {rank: (code, now.get(rank)) for rank, code in first.items() if now.get(rank) != code}
    before, today = known
    was_yes = {row for row, code in before.items() if code == Code.YES}
    is_yes = {row for row in before if today.get(row) == Code.YES}
    opened = (row for row, code in before.items() if today.get(row, Code.UNANSWERABLE) == Code.UNANSWERABLE != code)
    answered = (row for row, code in before.items() if code == Code.UNANSWERABLE != today.get(row, code))
    return Corrections(
        known_lost=len(was_yes - is_yes),
        known_found=len(is_yes - was_yes),
        known_open=sum(1 for _ in opened),
        yes_lost=sum(code == Code.YES for code, _ in changed.values()),
        open=sum(code != Code.NO for _, code in changed.values()),
        known_answered=sum(1 for _ in answered),
    )
