"""Rounds, evidence and releases as generic lines, for every store."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from thresher.errors import AlreadyThere, Conflict, NotFound
from thresher.records import Counts, Release, Round, Thresholds
from thresher.store.contract import Lines, Rounds
from thresher.store.kinds import EVIDENCE, RELEASE, ROUND


class LinedRounds(Rounds):
    """Rounds of training, the frozen states of certificates, and releases, a line each."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        line = {"number": round.number, "version": round.version, "record": asdict(round), "head": head}
        if not self.lines.add(ROUND, [line], round.category):
            raise AlreadyThere(f"round {round.number} of {round.category} exists.", next="run it again")

    def head(self, category: str, number: int) -> bytes:
        line = self.lines.get(ROUND, [number], category)
        if line is None:
            raise NotFound(f"{category} has no round {number}.", next=f"thresher run {category}")
        return bytes(line["head"])

    def latest(self, category: str, version: int) -> Round | None:
        newest = self.lines.page(ROUND, category, where={"version": version}, descending=True, limit=1)
        return _round(newest[0]["record"]) if newest else None

    def all(self, category: str) -> list[Round]:
        return [_round(line["record"]) for line in self.lines.page(ROUND, category)]

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        if not self.lines.add(EVIDENCE, [{"epoch": epoch, "name": name, "data": data}], category) and (
            self.evidence(category, epoch, name) != data
        ):
            raise Conflict(f"{name} of epoch {epoch} is stored already, with other bytes.", where=category)

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        line = self.lines.get(EVIDENCE, [epoch, name], category)
        return bytes(line["data"]) if line else None

    def epochs(self, category: str) -> list[int]:
        return sorted({line["epoch"] for line in self.lines.page(EVIDENCE, category)})

    def add_release(self, release: Release) -> None:
        record = asdict(release)
        line = {"id": release.id, "fingerprint": record.pop("fingerprint"), "record": record}
        self.lines.add(RELEASE, [line], release.category)

    def releases(self, category: str) -> list[Release]:
        lines = self.lines.page(RELEASE, category)
        found = (Release(**line["record"], fingerprint=line["fingerprint"]) for line in lines)
        return sorted(found, key=lambda release: release.at_ms)


def _round(record: Mapping[str, Any]) -> Round:
    return Round(**{**record, "thresholds": Thresholds(**record["thresholds"]), "counts": Counts(**record["counts"])})
