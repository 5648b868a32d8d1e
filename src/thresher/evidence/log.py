"""The record of a certificate: every label by rank, with its part of the ranking and its draws."""

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.evidence.draws import Permutation
from thresher.evidence.state import Certified, Code, Frozen, State

NONE = -1


@dataclass(frozen=True, slots=True)
class Row:
    """One rank of the log: its label and people's vote (-1: none), and the numbers of its draws (-1: not drawn)."""

    rank: int
    code: int
    said: int = NONE
    accept_draw: int = NONE
    reject_draw: int = NONE
    stratum: str = ""


def log_of(state: State, certified: Certified) -> list[Row]:
    """Every label that a certificate had, by rank, with its part of the ranking and the numbers of its draws."""
    frozen = state.frozen
    accept = {rank: draw for draw, rank in enumerate(accept_order(frozen, certified, state.said))}
    reject = {rank: draw for draw, rank in enumerate(reject_order(frozen, certified))}
    return [
        Row(
            rank,
            int(state.answers.get(rank, NONE)),
            int(state.said.get(rank, NONE)),
            accept.get(rank, NONE),
            reject.get(rank, NONE),
            "accepted" if rank < certified.accepted else "middle" if rank < certified.rejected else "rejected",
        )
        for rank in sorted({*state.answers, *state.said})
    ]


def accept_order(frozen: Frozen, certified: Certified, said: Mapping[int, int]) -> list[int]:
    """The drawn ranks of the audit of accepted images, in the order of the draws."""
    drawn = int(certified.counts["accept_drawn"])
    if frozen.method == "adjudicated":
        accepted = accepted_set(frozen, certified, said)
        order = Permutation(frozen.seed, f"accept|{int(certified.counts['attempt'])}", 0, len(accepted))
        return [accepted[place] for place in order.upto(drawn).tolist()]
    order = Permutation(frozen.seed, "accept", 0, frozen.ladder[0].rank if frozen.ladder else 0)
    if frozen.method != "precision":
        return list(order.upto(drawn).tolist())
    below: list[int] = []
    upto = drawn
    while len(below) < drawn and upto <= order.size:  # draws beyond the delivered rung were passed over
        below = [rank for rank in order.upto(upto).tolist() if rank < certified.accepted]
        upto += max(drawn - len(below), 1)
    return below[:drawn]


def accepted_set(frozen: Frozen, certified: Certified, said: Mapping[int, int]) -> list[int]:
    """The accepted ranks: those below the rung (by score), and the middle ones with a yes vote."""
    top, cut = frozen.reject_from, certified.rejected
    return [*range(certified.accepted), *sorted(r for r, code in said.items() if code == Code.YES and top <= r < cut)]


def reject_order(frozen: Frozen, certified: Certified) -> list[int]:
    """The drawn ranks of the audit of rejected images, in the order of the draws."""
    first = certified.accepted if frozen.method == "precision" else frozen.reject_from
    order = Permutation(frozen.seed, "reject", first, frozen.ranks - first)
    return list(order.upto(int(certified.counts["reject_drawn"])).tolist())
