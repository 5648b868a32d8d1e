"""Check a release's certificate from its own files alone: recompute every draw and every bound."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.errors import BadInput
from thresher.evidence import Ask, Certified, Code, Frozen, State, next_step

SAYS = {"yes": int(Code.YES), "no": int(Code.NO), "unsure": int(Code.UNANSWERABLE)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the certificate holds, the claim, and what was found wrong."""

    holds: bool
    claim: str
    wrong: tuple[str, ...]


def verify(directory: Path) -> Verdict:
    """Recompute the permutations and bounds of a certified release; no workspace is needed.

    The seed and the frozen description say what had to be drawn; the evidence holds what was answered. A release
    without a certificate never holds. Raises BadInput for files that cannot be read.
    """
    claimed = _json(directory / "certificate.json")
    if not claimed.get("certified"):
        return Verdict(False, str(claimed.get("words", "")), ("the release carries no certificate",))
    frozen = _frozen(directory / "frozen.json")
    pieces = _pieces(directory / "evidence.parquet")
    ranked = [piece for piece in pieces if piece["rank"] >= 0]
    answers = {int(piece["rank"]): SAYS[piece["says"]] for piece in ranked}
    wrong = []
    if len(answers) != len(ranked) or len({piece["id"] for piece in pieces}) != len(pieces):
        wrong.append("an image or a rank is in the evidence twice")
    if any(piece["source"] not in ("owner", "adjudicated") for piece in pieces):
        wrong.append("a label of the evidence is not adjudicated")
    step = next_step(State(frozen, answers))
    if isinstance(step, Certified):
        wrong += _compare(claimed, frozen, step)
        wrong += _delivered(directory / "images.parquet", step, claimed)
    elif isinstance(step, Ask):
        missing = sum(len(part.ranks) for part in step.wanted)
        wrong.append(f"the evidence lacks the answers to {missing} draws that its seed calls for")
    else:
        wrong.append(f"the evidence does not certify: {step.why}")
    return Verdict(not wrong, str(claimed.get("words", "")), tuple(wrong))


def _compare(claimed: dict[str, Any], frozen: Frozen, step: Certified) -> list[str]:
    """What the certificate claims beside what its evidence gives."""
    given = {
        "words": step.claim,
        "precision": step.precision,
        "recall": step.recall,
        "delta": frozen.promise.delta,
        "accepted_ranks": step.accepted,
        "rejected_from_rank": step.rejected,
        "delivered": step.delivered,
        "seed": frozen.seed,
        "ranking_sha256": frozen.ranking,
        "ranks": frozen.ranks,
        "known_yes": frozen.known_yes,
    }
    return [
        f"{name}: the certificate says {claimed.get(name)!r}, its evidence gives {value!r}"
        for name, value in given.items()
        if claimed.get(name) != value
    ]


def _delivered(table: Path, step: Certified, claimed: dict[str, Any]) -> list[str]:
    """The released images, one a similar group, are as many as were certified. A release may leave the table out."""
    if not table.exists():
        return []
    import pyarrow.parquet as pq

    columns = pq.read_table(table, columns=["decision", "similar_to"]).to_pydict()
    released = sum(
        decision == "yes" and similar is None
        for decision, similar in zip(columns["decision"], columns["similar_to"], strict=True)
    )
    if released == step.delivered:
        return []
    return [f"{released} images are released, {step.delivered} are certified ({claimed.get('delivered')} claimed)"]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read: {error}.", where=str(path), next="give the directory of a release") from error
    if not isinstance(found, dict):
        raise BadInput("is not a certificate.", where=str(path), next="give the directory of a release")
    return found


def _frozen(path: Path) -> Frozen:
    try:
        return Frozen.from_bytes(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"cannot be read: {error}.", where=str(path), next="give the directory of a release") from error


def _pieces(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"cannot be read: {error}.", where=str(path), next="give the directory of a release") from error
    return found
