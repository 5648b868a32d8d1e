"""Rounds, evidence and releases as generic lines, for every store."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from thresher.errors import AlreadyThere, Conflict, NotFound, StoreDamaged
from thresher.records import Counts, Release, Round, Thresholds
from thresher.store.contract import Lines, Rounds
from thresher.store.findings import MEND
from thresher.store.kinds import EVIDENCE, RELEASE, ROUND
from thresher.store.seals import must_hold, sealed

FROZEN: Final = "frozen"
"""The piece of evidence that makes an epoch: what is frozen, all but the ranking."""
COPY: Final = "copy of the ranking"
LOG: Final = "log"
"""The beginning of the names of the lines of an audit log: "log 0", "log 1", ..."""


class LinedRounds(Rounds):
    """Rounds of training, the frozen states of certificates, and releases, a line each."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        line = {"number": round.number, "version": round.version, "record": asdict(round), "head": head}
        if not self.lines.add(ROUND, [sealed("round", line)], round.category):
            raise AlreadyThere(f"round {round.number} of {round.category} exists.", next="run it again")

    def head(self, category: str, number: int) -> bytes:
        line = self.lines.get(ROUND, [number], category)
        if line is None:
            raise NotFound(f"{category} has no round {number}.", next=f"thresher run {category}")
        must_hold(ROUND, line, f"round {number} of {category}", MEND)
        return bytes(line["head"])

    def latest(self, category: str, version: int) -> Round | None:
        newest = self.lines.page(ROUND, category, where={"version": version}, descending=True, limit=1)
        return _round(newest[0]["record"]) if newest else None

    def all(self, category: str) -> list[Round]:
        return [_round(line["record"]) for line in self.lines.page(ROUND, category)]

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        line = sealed("evidence", {"epoch": epoch, "name": name, "data": data})
        if not self.lines.add(EVIDENCE, [line], category) and (self.evidence(category, epoch, name) != data):
            raise Conflict(f"{name} of epoch {epoch} is stored already, with other bytes.", where=category)

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        line = self.lines.get(EVIDENCE, [epoch, name], category)
        if line is None:
            return None
        must_hold(EVIDENCE, line, f"the frozen evidence {name!r} of epoch {epoch} of {category}", MEND)
        return bytes(line["data"])

    def epochs(self, category: str) -> list[int]:
        return sorted({line["epoch"] for line in self.lines.page(EVIDENCE, category)} - {0})

    def add_release(self, release: Release) -> None:
        record = asdict(release)
        line = {"id": release.id, "fingerprint": record.pop("fingerprint"), "record": record}
        self.lines.add(RELEASE, [sealed("release", line)], release.category)

    def releases(self, category: str) -> list[Release]:
        lines = self.lines.page(RELEASE, category)
        found = (Release(**line["record"], fingerprint=line["fingerprint"]) for line in lines)
        return sorted(found, key=lambda release: release.at_ms)


def _round(record: Mapping[str, Any]) -> Round:
    try:
        parts = {"thresholds": Thresholds(**record["thresholds"]), "counts": Counts(**record["counts"])}
        return Round(**{**record, **parts, "beside": tuple(record.get("beside", ()))})
    except (KeyError, TypeError) as error:
        raise StoreDamaged("the record of a round cannot be read.", next=MEND) from error
