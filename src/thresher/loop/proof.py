"""The files that prove a certificate: `certificate.json`, the audit log, the pool as frozen, and the evidence.

docs/certificate-format.md describes them; `verify/` checks a release from them alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from thresher.errors import NotReady
from thresher.evidence import Certified, Refused
from thresher.evidence.log import NONE, log_of
from thresher.evidence.state import FORMAT
from thresher.learn.decide import YES
from thresher.loop.audit_log import lines_of
from thresher.loop.decision import Decision, claim_of, decision, stands_for
from thresher.loop.snapshot import Snapshot, record_answers
from thresher.loop.words import CODES
from thresher.records import Label
from thresher.release.evidence import Piece, evidence_table, pool_table
from thresher.store.contract import Store

SAYS = {int(code): says for says, code in CODES.items()}


def logged_decision(name: str, *, version: int | None, store: Store, now_ms: int) -> Decision:
    """What is decided now, after every label that it depends on was logged: a verifier knows only those of the log."""
    while True:
        decided = decision(name, store=store, version=version)
        snapshot = decided.basis.snapshot
        ended = decided.basis.certified is not None or isinstance(decided.basis.step, Refused)
        if snapshot is None or not ended:
            return decided
        if record_answers(name, snapshot, decided.basis.trusted, store=store, now_ms=now_ms) is snapshot:
            return decided


def must_be_counted(decided: Decision, step: Certified) -> None:
    """Recount what is about to be released. Raises NotReady if it is not as many units as were certified."""
    own = stands_for(decided) == decided.rows
    found = int((own & (decided.codes == YES)).sum())
    if found != step.delivered:
        name = decided.basis.category.name
        what = f"{found:,} images are yes by the labels of today, and {step.delivered:,} are certified."
        raise NotReady(what, where=name, next=f"thresher check; then thresher run {name} --freeze-anew")


def certificate_of(decided: Decision, snapshot: Snapshot, step: Certified) -> dict[str, Any]:
    """The content of `certificate.json`: the claim in words and numbers, with what was frozen."""
    category = decided.basis.category
    return {
        "format": FORMAT,
        "certified": True,
        "words": claim_of(decided),
        "method": snapshot.frozen.method,
        "truth": snapshot.truth,
        "category": category.name,
        "question": category.question.text,
        "question_version": snapshot.version,
        "epoch": snapshot.epoch,
        "round": snapshot.round or None,
        "frozen": json.loads(snapshot.frozen.to_bytes()),
        "result": asdict(step),
        "log_head": snapshot.log.head,
    }


def files_of(decided: Decision, snapshot: Snapshot, step: Certified, *, store: Store) -> dict[str, bytes]:
    """The other files of the proof, by name."""
    name, labels = decided.basis.category.name, decided.basis.trusted
    lines = [
        line for _, line in zip(range(snapshot.log.lines), lines_of(name, snapshot.epoch, store=store), strict=False)
    ]
    return {
        "audit-log.jsonl": b"".join(line + b"\n" for line in lines),
        "pool.parquet": pool_table(
            decided.rows, ranking=snapshot.ranking, copies=snapshot.copies, known=snapshot.known_says, store=store
        ),
        "evidence.parquet": evidence_table(pieces(snapshot, step, labels), store=store),
    }


def pieces(snapshot: Snapshot, step: Certified, labels: Mapping[int, Label]) -> list[Piece]:
    """Every label and vote that the certificate depends on: of the ranks, of what was known, and of copies."""
    first, known = snapshot.log.first, snapshot.known_says
    ranked = [
        Piece(
            row=int(snapshot.ranking[one.rank]),
            stratum=one.stratum,
            rank=one.rank,
            first=SAYS.get(first.get(one.rank, NONE)),
            now=labels.get(int(snapshot.ranking[one.rank])),
            word=SAYS.get(one.said),
            accept_draw=_drawn(one.accept_draw),
            reject_draw=_drawn(one.reject_draw),
        )
        for one in log_of(snapshot.state(labels), step)
    ]
    copies = snapshot.copies[np.isin(snapshot.copies[:, 0], np.fromiter(labels, np.int64)), 0].tolist()
    others = sorted({*known, *copies})
    return ranked + [Piece(row=row, stratum="known", first=known.get(row), now=labels.get(row)) for row in others]


def _drawn(draw: int) -> int | None:
    return None if draw == NONE else draw
