"""From an audit of labels that has ended to its report: the evidence as a release, verified, and the pages."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import numpy as np

from thresher.annotations import Claims
from thresher.errors import StoreFull, StoreUnavailable, ThresherError
from thresher.evidence import Refused
from thresher.evidence.labels import Audited
from thresher.label.gold import drawn
from thresher.loop.audited import Figures, course, figures
from thresher.loop.proof import logged_decision
from thresher.loop.refusal import refusal_files
from thresher.loop.ship import chosen
from thresher.loop.taken import Order, Taken
from thresher.pictures import render
from thresher.release import release
from thresher.release.plan import DONE_FILE, PLAN_FILE, write_whole
from thresher.release.report import Bound, Findings, Others, Wrong, write_report
from thresher.release.report.corrections import write_missed, write_wrong
from thresher.store.contract import Store
from thresher.verify import verify
from thresher.verify.refused import NO_CERTIFICATE

EVIDENCE: Final = "evidence"
VERIFIER_PAGE: Final = "verify.html"
REFUSAL_FILES: Final = frozenset(("certificate.json", "audit-log.jsonl", "pool.parquet", "evidence.parquet"))
PICTURES_MOST: Final = 24
PICTURE_PIXELS: Final = 288


_OF_MORE: Final = (
    "What is proven is proven of more than the labels: {:,} images that do not carry the label were known to be right. "
    "It is not proven of the labels alone; certify them in a directory of their own."
)


def report_on(order: Order, taken: Taken, claims: Claims, to: Path, *, store: Store, now_ms: int) -> Findings:
    """Write the report on one label into a directory, and return what it says. An earlier report there is replaced."""
    decided = logged_decision(order.category, version=None, store=store, now_ms=now_ms)
    found = figures(order.category, store=store, decided=decided)
    category = store.categories.get(order.category)
    targets = category.targets  # what is proven, whatever the command asks for now
    to.mkdir(parents=True, exist_ok=True)
    certificate, broken = _evidence(order.category, to, found, store=store, now_ms=now_ms)
    released = bool(certificate.get("certified"))
    certified = released and (not found.beside or found.holds_of_labels)
    kept = to / EVIDENCE
    made = Findings(
        label=order.label,
        question=category.question.text,
        state="broken" if broken else "certified" if certified else "not certified",
        words=_OF_MORE.format(found.beside) if released and not certified else str(certificate["words"]),
        file=claims.file.name,
        kind=claims.kind,
        source=taken.source,
        claimed=found.claimed,
        images=len(found.decided.rows),
        certified=found.claimed - len(found.wrong),
        audited=found.precision.size if found.precision else 0,
        answers=found.precision.drawn if found.precision else 0,
        delta=targets.delta,
        precision=_bound(targets.precision, found, proven=certified and not broken),
        others=_others(targets.recall, found.recall) if targets.recall else None,
        lacks_recall=not certified and found.is_precise,
        at_ms=now_ms,
        doubtful=found.first,
        truth=targets.truth,
        unit="box" if order.boxes else "image",
        wrong=_wrong(taken, claims, found, store=store),
        path=_path(found, targets.precision, proven=certified and not broken),
        left_out=taken.left_out,
        evidence=EVIDENCE if kept.is_dir() else "",
        wrong_evidence=broken,
        missed=len(found.missed) if targets.recall else 0,
        verifier=VERIFIER_PAGE if (to / VERIFIER_PAGE).is_file() else "",
        log_head=str(certificate.get("log_head", "")),
    )
    places = [place for row in found.wrong for place in taken.claims_of(row)]
    (to / "wrong.csv").unlink(missing_ok=True)
    if places:
        write_wrong(claims, places, to / "wrong.csv", unchanged=claims.digest_now() == taken.source)
    (to / "missed.csv").unlink(missing_ok=True)
    if made.missed:
        write_missed(order.label, _names(found.missed, store=store), to / "missed.csv")
    write_report(made, to)
    return made


def _evidence(name: str, to: Path, found: Figures, *, store: Store, now_ms: int) -> tuple[Mapping[str, Any], str]:
    """Write the certificate and the evidence; returns it with what is wrong with the files, if anything."""
    if _is_evidence(to / EVIDENCE):  # an earlier one, and nothing else
        rmtree(to / EVIDENCE)
    broken = ""
    try:
        contents = chosen(name, store=store, now_ms=now_ms)
        certificate = contents.certificate
        if certificate.get("certified"):
            release(contents, to / EVIDENCE, store=store, now_ms=now_ms, formats=("table",))
            verdict = verify(to / EVIDENCE)
            broken = "" if verdict.holds else verdict.wrong[0]
    except (StoreFull, StoreUnavailable):
        raise  # nothing is wrong with the evidence
    except ThresherError as error:
        certificate, broken = {"certified": False, "words": f"No certificate: {error}"}, str(error)
    told = dict(certificate)
    if not certificate.get("certified") and found.precision is not None:
        low, high = found.interval
        told["precision_interval"] = {"lower": low, "upper": high, "confidence": 1.0 - found.precision.delta}
    if isinstance(found.decided.basis.step, Refused) and not broken:
        broken = _refusal(to / EVIDENCE, found, told, store=store, now_ms=now_ms)
    write_whole(to / "certificate.json", (json.dumps(told, indent=2, sort_keys=True) + "\n").encode())
    return told, broken


def _refusal(to: Path, found: Figures, told: Mapping[str, Any], *, store: Store, now_ms: int) -> str:
    """Write the evidence of an audit that failed; returns what is wrong with the files, if anything."""
    files = refusal_files(found.decided, told, store=store, now_ms=now_ms)
    if not files:
        return ""
    to.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_whole(to / name, data)
    first, *others = verify(to).wrong
    return others[0] if others else "" if first.startswith(NO_CERTIFICATE) else first


def _is_evidence(folder: Path) -> bool:
    """Whether a folder has a release, or the evidence of an audit that failed and nothing else."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return bool(names & {DONE_FILE, PLAN_FILE}) or (bool(names) and names <= REFUSAL_FILES)


def _names(rows: Sequence[int], *, store: Store) -> list[tuple[str, str]]:
    """The SHA-256 and a name of each of these rows."""
    some = np.array(rows, np.int64)
    aliases = store.images.aliases(some)
    hashes = {image.row: image.sha256 for image in store.images.many(some)}
    return [(hashes[row], aliases[row][0].value if aliases.get(row) else "") for row in rows]


def _bound(target: float, found: Figures, *, proven: bool) -> Bound:
    """The interval of the precision; what is proven is at least the target."""
    low, high = found.interval
    return Bound(target, max(low, target) if proven else low, high)


def _others(target: float, found: Audited | None) -> Others:
    """What the audit of the images without the label has found. Its shares are of these images: they are no recall."""
    if found is None:
        return Others(target)
    size = max(found.size, 1)
    low, high, most = found.fewest / size, found.most / size, max(found.bound, 0.0) / size
    return Others(target, found.size, found.drawn, low, high, most)


def _path(found: Figures, target: float, *, proven: bool) -> list[tuple[int, float, float]]:
    """The course of the bounds; what is proven at its end is the target, where errors that were found are left out."""
    path = list(course(found, accepts=proven))
    if path and proven:
        answers, lowest, highest = path[-1]
        path[-1] = (answers, max(lowest, target), highest)
    return path


def _wrong(taken: Taken, claims: Claims, found: Figures, *, store: Store) -> list[Wrong]:
    made: list[Wrong] = []
    for row, label in found.wrong.items():
        claim = claims.claims[taken.claims_of(row)[0]]
        picture = b""
        if len(made) < PICTURES_MOST:
            picture = render(store.images.read(row), long_side=PICTURE_PIXELS)
        made.append(Wrong(claim.image, claims.place(claim.line), claim.score, drawn=drawn(label), picture=picture))
    return made
