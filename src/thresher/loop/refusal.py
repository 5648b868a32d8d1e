"""The evidence of an audit of labels that ended without a certificate: what was asked, the draws, and the answers.

docs/certificate-format.md describes the files; `thresher verify` says of them that they are no certificate, and
recomputes the interval.
"""

import json
from collections.abc import Mapping
from typing import Any

from thresher.evidence import Certified
from thresher.evidence.labels import Audited, audited
from thresher.evidence.state import FORMAT
from thresher.loop.decision import Decision
from thresher.loop.proof import files_of
from thresher.loop.snapshot import Snapshot, record_answers
from thresher.store.contract import Store


def refusal_files(decided: Decision, certificate: Mapping[str, Any], *, store: Store, now_ms: int) -> dict[str, bytes]:
    """The files of the evidence by name, after every label was logged; none before the freeze.

    `certificate` is what certificate.json says without them.
    """
    category = decided.basis.category
    if decided.basis.snapshot is None:
        return {}
    snapshot = record_answers(category.name, decided.basis.snapshot, decided.basis.trusted, store=store, now_ms=now_ms)
    accept, reject = audited(snapshot.state(decided.basis.trusted))
    told = {
        **certificate,
        "format": FORMAT,
        "certified": False,
        "truth": snapshot.truth,
        "category": category.name,
        "question": category.question.text,
        "question_version": snapshot.version,
        "epoch": snapshot.epoch,
        "frozen": json.loads(snapshot.frozen.to_bytes()),
        "refused": _figures("accept", accept) | (_figures("reject", reject) if reject is not None else {}),
        "log_head": snapshot.log.head,
    }
    data = (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()
    return {"certificate.json": data, **files_of(decided, snapshot, _stopped(snapshot, accept, reject), store=store)}


def _figures(urn: str, found: Audited) -> dict[str, int]:
    return {
        f"{urn}_size": found.size,
        f"{urn}_drawn": found.drawn,
        f"{urn}_bad": found.bad,
        f"{urn}_fewest": found.fewest,
        f"{urn}_most": found.most,
    }


def _stopped(snapshot: Snapshot, accept: Audited, reject: Audited | None) -> Certified:
    """Where the audits stopped, in the terms of a certificate: which ranks were drawn; nothing is delivered."""
    promise, claimed = snapshot.frozen.promise, snapshot.frozen.ladder[0].rank
    drawn = {"accept_drawn": accept.drawn, "reject_drawn": reject.drawn if reject is not None else 0}
    return Certified(
        precision=promise.precision,
        recall=promise.recall or None,
        delta=promise.delta,
        accepted=claimed,
        rejected=claimed if promise.recall else snapshot.frozen.ranks,
        delivered=0,
        asked=sum(drawn.values()),
        counts=drawn,
    )
