"""Check the certificate of a release from its files alone: every draw and every bound is recomputed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.errors import BadInput
from thresher.evidence.claim import words_of
from thresher.evidence.log import NONE, Row, read_certificate
from thresher.evidence.state import Certified, Code, Frozen
from thresher.evidence.verify import verify as verify_proof
from thresher.records import TRUSTED

SAYS = {"yes": int(Code.YES), "no": int(Code.NO), "unsure": int(Code.UNANSWERABLE), None: NONE}
NEXT = "give the directory of a release"
EVIDENCE = {
    "id": "string",
    "rank": "int64",
    "stratum": "string",
    "accept_draw": "int64",
    "reject_draw": "int64",
    "says": "string",
    "source": "string",
    "people_said": "string",
}
RELEASED = {"id": "string", "decision": "string", "similar_to": "string"}
"""The columns that are read, and their types."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the certificate holds, the claim, and the checks that failed."""

    holds: bool
    claim: str
    wrong: tuple[str, ...]


def verify(directory: Path) -> Verdict:
    """Recompute the draws and bounds of a certified release; needs neither a workspace nor the planner.

    The seed and the frozen description determine which images had to be drawn; the evidence holds their labels. A
    release without a certificate never holds. Raises BadInput for files that cannot be read.
    """
    where = directory / "certificate.json"
    claimed = _json(where)
    words = str(claimed.get("words", ""))
    if not claimed.get("certified"):
        return Verdict(False, words, ("the release has no certificate",))
    pieces = _table(directory / "evidence.parquet", EVIDENCE)
    try:
        rows = [_row(piece) for piece in pieces if piece["rank"] >= 0]
    except (KeyError, TypeError) as error:
        raise BadInput(
            f"is not the evidence file of a release: {error}.", where=str(directory / "evidence.parquet"), next=NEXT
        ) from error
    wrong = []
    if len({piece["id"] for piece in pieces}) != len(pieces):
        wrong.append("check failed: each image is in the evidence once")
    sources = {piece["source"] for piece in pieces if piece["says"] is not None}
    if not sources <= set(TRUSTED["people"]):
        wrong.append("check failed: each label of the evidence is adjudicated or the owner's")
    elif claimed.get("truth") == "owner" and not sources <= set(TRUSTED["owner"]):
        wrong.append("check failed: each label of the evidence is the owner's")
    try:
        frozen, step = read_certificate(claimed)
        proof = verify_proof(claimed, rows)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        said = str(error) or type(error).__name__
        raise BadInput(f"is not a certificate: {said}.", where=str(where), next=NEXT) from error
    wrong += [f"check failed: {line.removeprefix('NO').strip()}" for line in proof.checks if line.startswith("NO")]
    if sum(piece["rank"] < 0 and piece["says"] == "yes" for piece in pieces) < frozen.known_yes:
        wrong.append(f"check failed: the {frozen.known_yes} images known to be yes at the freeze are in the evidence")
    lines = _table(directory / "images.parquet", RELEASED)
    wrong += _compare(claimed, frozen, step, sum(line["decision"] == "yes" for line in lines))
    wrong += _delivered(directory / "images.parquet", step, claimed, pieces)
    return Verdict(not wrong, words, tuple(wrong))


def _row(piece: dict[str, Any]) -> Row:
    code, said = SAYS[piece["says"]], SAYS[piece["people_said"]]
    return Row(piece["rank"], code, said, piece["accept_draw"], piece["reject_draw"], piece["stratum"])


def _compare(claimed: dict[str, Any], frozen: Frozen, step: Certified, files: int) -> list[str]:
    """The differences between the certificate's fields and its proof."""
    given = {
        "method": frozen.method,
        "words": words_of(frozen, step, files=files),
        "truth": frozen.truth,
        "epoch": frozen.epoch + 1,
    }
    return [
        f"{name}: the certificate says {claimed.get(name)!r}, its proof says {value!r}"
        for name, value in given.items()
        if claimed.get(name) != value
    ]


def _delivered(table: Path, step: Certified, claimed: dict[str, Any], pieces: list[dict[str, Any]]) -> list[str]:
    """Check that as many images are released, one per similar group, as were certified. The table may be absent."""
    if not table.exists():
        return []
    lines = _table(table, RELEASED)
    yes = {line["id"] for line in lines if line["decision"] == "yes" and line["similar_to"] is None}
    wrong = []
    if len(yes) != step.delivered:
        claimed_too = f"(the certificate claims {claimed.get('delivered')})"
        wrong.append(f"{len(yes)} images are released, but {step.delivered} are certified {claimed_too}")
    if refuted := yes & {p["id"] for p in pieces if p["rank"] >= 0 and p["says"] in ("no", "unsure")}:
        wrong.append(f"{len(refuted)} released images are labelled no or unsure")
    return wrong


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"cannot be read: {_said(error)}.", where=str(path), next=NEXT) from error
    if not isinstance(found, dict):
        raise BadInput("is not a certificate.", where=str(path), next=NEXT)
    return found


def _table(path: Path, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of a Parquet table. Raises BadInput if it cannot be read, or has not these columns of these types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_table(path, columns=list(columns), partitioning=None)
        if missing := [name for name in columns if name not in found.column_names]:
            raise BadInput(f"has no column {missing[0]}.", where=str(path), next=NEXT)
        cast = found.cast(pa.schema([(name, columns[name]) for name in found.column_names]))
        rows: list[dict[str, Any]] = cast.to_pylist()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadInput(f"cannot be read: {_said(error)}.", where=str(path), next=NEXT) from error
    return rows


def _said(error: Exception) -> str:
    """The first line of what a library says, without its last full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
