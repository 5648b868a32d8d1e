"""The record of a certificate: the claim with all that was frozen, and a log of every label with its draws."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from thresher.evidence.draws import Permutation
from thresher.evidence.state import FORMAT, Certified, Code, Frozen, State
from thresher.evidence.typed import must_fit

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


def certificate_of(frozen: Frozen, certified: Certified) -> dict[str, Any]:
    """The certificate as JSON: what was frozen, and the result."""
    return {
        "format": FORMAT,
        "frozen": json.loads(frozen.to_bytes()),
        "result": asdict(certified),
    }


def read_certificate(certificate: Mapping[str, Any]) -> tuple[Frozen, Certified]:
    """The frozen description and the result, read back from JSON. Raises ValueError for anything else."""
    try:
        if certificate["format"] != FORMAT:
            raise ValueError(f"certificate format {certificate['format']} is not supported, only {FORMAT}")
        frozen = Frozen.from_bytes(json.dumps(certificate["frozen"]).encode())
        certified = Certified(**certificate["result"])
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a certificate: {error!r}") from error
    must_fit(frozen, Frozen, "frozen")
    must_fit(certified, Certified, "result")
    _must_count(frozen, certified)
    return frozen, certified


def _must_count(frozen: Frozen, certified: Certified) -> None:
    """Raise ValueError for numbers that no procedure can have frozen or found."""
    counts = {"accepted": certified.accepted, "rejected": certified.rejected, "reject_from": frozen.reject_from}
    counts |= {f"ladder[{place}].rank": rung.rank for place, rung in enumerate(frozen.ladder)}
    counts |= {name: int(value) for name, value in certified.counts.items() if name.endswith("_drawn")}
    counts["looks"] = frozen.looks
    for name, count in counts.items():
        if not 0 <= count <= frozen.ranks:
            raise ValueError(f"{name} is {count}, of {frozen.ranks} ranks")
    for name in ("epoch", "known_yes", "known_unanswerable", "adjudicated"):
        if getattr(frozen, name) < 0:
            raise ValueError(f"{name} is {getattr(frozen, name)}")
    promise = frozen.promise
    for name, share in (("precision", promise.precision), ("recall", promise.recall), ("delta", promise.delta)):
        if not 0 < share <= 1:
            raise ValueError(f"the target {name} is {share}")
    for prior in (frozen.accept_prior, frozen.reject_prior):
        if not all(weight >= 0 and a > 0 and b > 0 for weight, a, b in prior.parts) or not prior.parts:
            raise ValueError("a prior is no mixture of beta distributions")


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
