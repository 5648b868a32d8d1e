"""Lines that do not match their seals (seals.py): the state of certificates, rounds, releases, labels, gold, reviews.

What follows from other lines is made anew by the next turn of the loop; what does not is kept, and named.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from thresher.errors import StoreDamaged
from thresher.store.contract import Labels, Lines, Rounds, Transfer
from thresher.store.findings import MEND, Findings, Repair, named
from thresher.store.kinds import CLAIM, EVIDENCE, GOLD, LABEL, RELEASE, REVIEW, ROUND
from thresher.store.rounds import COPY, FROZEN, LOG
from thresher.store.rules import SOURCES
from thresher.store.seals import SEAL, holds, sealed
from thresher.store.shapes import Kind

GIVEN_UP: Final = "given up: "
DAMAGED: Final = "its checksum does not match"
There = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """A thing that does not match its checksum, and the repair; a `drastic` one gives something up for good."""

    what: str
    repair: Repair | None = None
    drastic: bool = False


def lines_of(transfer: Transfer, kind: Kind, category: str) -> Iterator[There]:
    """Every line of a kind, by field."""
    after = None
    while page := transfer.lines(kind, category, after, kind.at_once):
        yield from map(kind.named, page)
        after = kind.key(page[-1])


def tell(changed: Changed, findings: Findings) -> None:
    """Note it; what a drastic repair gives up, only `force` may."""
    if changed.drastic and not findings.force:
        what = f"{changed.what}; restore a backup, or {MEND} --force takes it as it is, or gives it up"
        findings.wrong(what)
    else:
        findings.wrong(changed.what, changed.repair)


def changed_evidence(lines: Lines, rounds: Rounds, category: str, audited: Collection[int] = ()) -> Iterator[Changed]:
    """Frozen evidence that has changed, or is missing although other pieces of its epoch or its labels are there.

    `audited` has the epochs that labels were asked for.
    """
    then = "its labels stay, and the next run freezes the pool anew"
    epochs: dict[int, set[str]] = {}
    logs: dict[int, dict[str, bytes]] = {}
    for line in lines.page(EVIDENCE, category):
        epoch, name = line["epoch"], line["name"]
        epochs.setdefault(epoch, set()).add(name)
        try:
            data = rounds.evidence(category, epoch, name)
            if data is not None and name.startswith(LOG):
                logs.setdefault(epoch, {})[name] = data
        except StoreDamaged:
            what = f"evidence of {category}: {name!r} of epoch {epoch} does not match its checksum"
            yield Changed(f"{what}; --mend gives it up: {then}", partial(give_up, lines, category, epoch, name))
    for epoch in audited:
        epochs.setdefault(epoch, {COPY})
    for epoch, names in sorted(epochs.items()):
        gone = not names & {FROZEN, GIVEN_UP + FROZEN}
        if gone and any(name == COPY or name.startswith(LOG) for name in names):
            what = f"evidence of {category}: the frozen state of epoch {epoch} is missing; --mend gives the epoch up"
            yield Changed(f"{what}: {then}", partial(give_up, lines, category, epoch, FROZEN))
        given_up = any(name.startswith(GIVEN_UP + LOG) for name in names)
        if FROZEN in names and (given_up or not _is_chain(logs.get(epoch, {}))):
            what = f"evidence of {category}: the audit log of epoch {epoch} is not whole; --mend gives the epoch up"
            yield Changed(f"{what}: {then}", partial(give_up, lines, category, epoch, FROZEN))


def _is_chain(log: Mapping[str, bytes]) -> bool:
    """Whether the lines of an audit log are all there and each has the digest of the line before."""
    previous = ""
    for number in range(len(log)):
        line = log.get(f"{LOG} {number}", b"")
        try:
            if json.loads(line)["previous"] != previous:
                return False
        except (ValueError, KeyError, TypeError):
            return False
        previous = sha256(line).hexdigest()
    return True


def give_up(lines: Lines, category: str, epoch: int, name: str) -> None:
    """Drop a piece of evidence; a mark stays, so that the number of its epoch is never used again."""
    mark = {"epoch": epoch, "name": GIVEN_UP + name, "data": b""}
    lines.add(EVIDENCE, [sealed("evidence", mark)], category)
    lines.drop(EVIDENCE, [epoch, name], category)


def changed_rounds(lines: Lines, category: str) -> Iterator[Changed]:
    """Rounds that have changed, and records of releases."""
    for line in lines.page(ROUND, category):
        number = line["number"]
        try:
            whole = lines.get(ROUND, [number], category)
            sound = whole is not None and holds("round", whole)
        except (StoreDamaged, ValueError):  # or its record is no JSON any more
            sound = False
        if not sound:
            what = f"round {number} of {category}: it does not match its checksum; the next turn trains again"
            yield Changed(what, partial(lines.drop, ROUND, [number], category))
    for line in lines.page(RELEASE, category):
        if not holds("release", line):
            what = f"release {line['id']} of {category}: its record does not match its checksum"
            place = line["record"].get("path", "DIR") if isinstance(line["record"], dict) else "DIR"
            yield Changed(
                f"{what}; its own files tell whether it holds: thresher verify {place}",
                partial(_reseal_release, lines, category, line),
                drastic=True,
            )


def changed_claims(lines: Lines, category: str) -> Iterator[Changed]:
    """Labels made elsewhere that have changed: dropped, as their file can be imported again."""
    for line in lines.page(CLAIM, category):
        key = [line["name"], line["number"]]
        try:
            whole = lines.get(CLAIM, key, category)
            sound = whole is not None and holds("claim", whole)
        except StoreDamaged:
            sound = False
        if not sound:
            what = f"labels {line['name']!r} of {category}: they do not match their checksum; --mend drops them"
            yield Changed(f"{what}: import them again", partial(lines.drop, CLAIM, key, category))


def _reseal_release(lines: Lines, category: str, line: There) -> None:
    lines.change(RELEASE, [line["id"]], {SEAL: sealed("release", line)[SEAL]}, category)


def changed_labels(
    labels: Labels, transfer: Transfer, category: str, audited: set[int] | None = None
) -> Iterator[Changed]:
    """Labels and gold that have changed, and reviews; the epochs of sound labels are added to `audited`."""
    bad = []
    for line in lines_of(transfer, LABEL, category):
        if not holds("label", line):
            bad.append(line)
        elif line["epoch"] and audited is not None:
            audited.add(line["epoch"])
    if bad:
        rows = sorted({line["row"] for line in bad})
        sources = ", ".join(sorted({SOURCES[line["trust"]].value for line in bad}))
        what = f"labels of {category}: {len(bad)} ({sources}; {named(rows)}) do not match their checksums"
        what = f"{what}; --mend drops them; the next turn makes anew those that follow from answers"
        yield Changed(what, partial(_drop, labels, category, bad))
    gold = [line for line in lines_of(transfer, GOLD, category) if not holds("gold", line)]
    if gold:
        what = f"gold of {category}: {len(gold)} ({named(sorted(line['row'] for line in gold))})"
        what = f"{what} do not match their checksums; --mend takes them out of use"
        yield Changed(what, partial(_retire, transfer, category, [line for line in gold if line["retired"] != DAMAGED]))
    for line in lines_of(transfer, REVIEW, category):
        if not holds("review", line):
            what = f"review {line['number']} of assignment {line['assignment']}: it does not match its checksum"
            key = [line["assignment"], line["number"]]
            yield Changed(what, partial(reseal, transfer, REVIEW, category, key, line), drastic=True)


def _drop(labels: Labels, category: str, bad: Sequence[There]) -> None:
    for line in bad:
        labels.drop(category, line["version"], SOURCES[line["trust"]].value, [line["row"]])


def _retire(transfer: Transfer, category: str, gold: Sequence[There]) -> None:
    for line in gold:
        # as it is now, so that it is found once
        changes = {"retired": DAMAGED, SEAL: sealed("gold", line)[SEAL]}
        transfer.amend(GOLD, category, [line[name] for name in GOLD.key_names], changes)


def reseal(transfer: Transfer, kind: Kind, category: str, key: Sequence[Any], line: Mapping[str, Any]) -> None:
    """Take a line as it is now."""
    transfer.amend(kind, category, key, {SEAL: sealed(kind.name, line)[SEAL]})
