"""The figures of a certificate that depend on more labels than its procedure asked for, each at this one place.

A label that came late, was asked for to learn, or was corrected since can change how many images are released, and how
many yes were found beyond the accepted ones. docs/certificate-format.md defines each figure, for any verifier.
"""

from thresher.evidence.martingale import cut_down, most
from thresher.evidence.state import Certified, Code, State


def figures_of(certified: Certified, state: State, delivered: int) -> dict[str, float]:
    """The counts of a certificate with what is reported beside its promise, where `delivered` images are released."""
    counts = dict(certified.counts)
    if state.frozen.method == "precision":
        counts["recall_at_least"] = _recall(certified, state, delivered)
    if state.frozen.method == "recall":
        counts["precision_at_least"] = cut_down(min(max(counts["sure_yes"], 0.0) / max(delivered, 1), 1.0))
    if state.frozen.method == "everything":
        counts["unanswerable"] = _unanswerable(state)
    return counts


def _unanswerable(state: State) -> int:
    """How many images nobody has answered by the labels of today; the method refused by no smaller number."""
    clear = {rank for rank, code in state.said.items() if code in (Code.NO, Code.YES)}
    open_ = sum(
        state.today.get(rank, Code.UNANSWERABLE) == Code.UNANSWERABLE
        for rank in range(state.frozen.ranks)
        if rank not in clear
    )
    turned = sum(state.today.get(rank) == Code.UNANSWERABLE for rank in clear)
    known = state.frozen.known_unanswerable - state.corrections.known_answered + state.corrections.known_open
    return known + open_ + turned


def _recall(certified: Certified, state: State, delivered: int) -> float:
    """A lower bound of the recall, if the precision is as promised: the yes found beyond the rung are not missed.

    What was found is counted by the evidence. A rank there that was corrected to yes was a no when it was drawn, so the
    bound on what was missed does not have it.
    """
    frozen, counts, first = state.corrected, certified.counts, certified.accepted
    drawn, bad = int(counts["reject_drawn"]), int(counts["reject_bad"])
    there = most(frozen.ranks - first, drawn, bad, frozen.reject_prior, counts["reject_delta"])
    # if adjudication errs, a single yes proves nothing: then those found beyond stay outside
    found = 0 if frozen.gold else sum(code == Code.YES and rank >= first for rank, code in state.answers.items())
    right = frozen.promise.precision * delivered
    return cut_down(right / max(right + max(there - found, 0) + frozen.known_unanswerable, 1.0))
