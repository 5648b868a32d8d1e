"""A certificate made by the procedures alone, its files written as docs/certificate-format.md says, without a store.

So many cases can be tried that would take a loop, a crowd and a store minutes each: pools, gold, epochs, late labels.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.evidence.pools import Ranked, Truth
from tests.verify.tampering import canonical, sha256

from thresher.evidence import Ask, Certified, Frozen, Refused, State, next_step, released
from thresher.evidence.claim import words_of
from thresher.evidence.corrections import corrections_of, evidence_of
from thresher.evidence.log import log_of
from thresher.records import Grounds, Question
from thresher.release import Chosen
from thresher.release.card import write_card
from thresher.release.manifest import files_of

QUESTION = "Is this a thing?"
SAYS = {0: "no", 1: "yes", 2: "unsure", -1: None}


def name_of(number: int, kind: str = "rank") -> str:
    """The id of a made-up image."""
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def with_digests(frozen: Frozen, pool: Ranked) -> Frozen:
    """A description that commits to made-up images: the ranked ones, and as many known as were known to be yes."""
    ranking = hashlib.sha256(b"".join(bytes.fromhex(name_of(rank)) for rank in range(frozen.ranks))).hexdigest()
    known = "".join(f"{name} yes\n" for name in sorted(name_of(one, "known") for one in range(pool.known_yes)))
    return replace(
        frozen,
        ranking=ranking,
        known=sha256(known.encode()),
        copies=sha256(b""),
        units=frozen.ranks + pool.known_yes,
        at_ms=1_700_000_000_000,
    )


@dataclass
class Played:
    """A freeze that was played: first labels, words and logged sets, the labels of today, and the lines of the log."""

    frozen: Frozen
    known: dict[int, int]
    first: dict[int, int] = field(default_factory=dict)
    said: dict[int, int] = field(default_factory=dict)
    now: dict[int, int] = field(default_factory=dict)
    known_now: dict[int, int] = field(default_factory=dict)
    owners: set[int] = field(default_factory=set)
    accepted: dict[int, str] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def state(self) -> State:
        """What the next step follows from."""
        corrections = corrections_of((self.first, self.now), (self.known, self.known_now))
        evidence = evidence_of(self.first, self.now)
        return State(
            self.frozen, evidence, self.said, self.now, corrections, self.accepted, owners=frozenset(self.owners)
        )

    def answer(self, codes: Mapping[int, int]) -> None:
        """Log labels: the first of a rank counts, and it is the label of today until it is corrected."""
        fresh = {rank: code for rank, code in codes.items() if rank not in self.first}
        self.first |= fresh
        self.now |= fresh
        if fresh:
            self._log("answers", codes={str(rank): code for rank, code in fresh.items()})

    def hear(self, codes: Mapping[int, int]) -> None:
        """Log words, of ranks without an answer."""
        fresh = {rank: code for rank, code in codes.items() if rank not in self.said and rank not in self.first}
        self.said |= fresh
        if fresh:
            self._log("words", codes={str(rank): code for rank, code in fresh.items()})

    def _log(self, kind: str, **fields: object) -> None:
        self.lines.append({"at_ms": 1, "kind": kind, **fields})

    def to_the_end(self, truth: Truth, words: Truth) -> Certified | Refused:
        """Answer all that is asked."""
        while isinstance(step := next_step(self.state()), Ask):
            if step.begins is not None:
                begun = step.begins
                self.accepted[begun.attempt] = begun.sha256
                self._log("accepted", attempt=begun.attempt, cut=begun.cut, size=len(begun.ranks), sha256=begun.sha256)
                continue
            self.hear({rank: int(words[rank]) for part in step.wanted if not part.sure for rank in part.ranks})
            self.answer({rank: int(truth[rank]) for part in step.wanted if part.sure for rank in part.ranks})
        return step


def begin(frozen: Frozen, pool: Ranked) -> Played:
    """A freeze before its first answer."""
    frozen, known = with_digests(frozen, pool), dict.fromkeys(range(pool.known_yes), 1)
    line = {"at_ms": 1, "kind": "freeze", "frozen": json.loads(frozen.to_bytes())}
    asked = {"category": "thing", "question": QUESTION, "question_version": 1}
    return Played(frozen, known, known_now=dict(known), lines=[line | asked])


def write(directory: Path, played: Played, step: Certified) -> None:
    """Write the files of a release without any format."""
    directory.mkdir()
    head, log = "", b""
    for line in played.lines:
        data = canonical(line | {"previous": head})
        head, log = sha256(data), log + data + b"\n"
    known_yes = [one for one, code in played.known_now.items() if code == 1]
    files = len(released(step, played.state())) + len(known_yes)
    words = words_of(played.frozen, step, files=files)
    question = {"category": "thing", "question": QUESTION, "question_version": 1}
    certificate = {
        "format": 2,
        "certified": True,
        "words": words,
        "method": played.frozen.method,
        "truth": played.frozen.truth,
        **question,
        "epoch": played.frozen.epoch + 1,
        "frozen": json.loads(played.frozen.to_bytes()),
        "result": json.loads(json.dumps(asdict(step))),
        "log_head": head,
    }
    (directory / "certificate.json").write_text(json.dumps(certificate))
    (directory / "audit-log.jsonl").write_bytes(log)
    _write_pool(directory, played)
    _write_evidence(directory, played, step)
    _write_rest(directory, certificate, files, played)


def _write_pool(directory: Path, played: Played) -> None:
    ranked, known = [name_of(rank) for rank in range(played.frozen.ranks)], _known(played)
    columns = {
        "id": pa.array([*ranked, *known], pa.string()),
        "rank": pa.array([*range(len(ranked)), *[None] * len(known)], pa.int64()),
        "unit": pa.array([*ranked, *known], pa.string()),
        "known": pa.array([*[None] * len(ranked), *("yes" for _ in known)], pa.string()),
    }
    pq.write_table(pa.table(columns), directory / "pool.parquet")


def _known(played: Played) -> dict[str, int]:
    """The known images by id."""
    return dict(sorted((name_of(one, "known"), one) for one in played.known))


def _write_evidence(directory: Path, played: Played, step: Certified) -> None:
    rows = log_of(played.state(), step)
    known = _known(played)
    none = [None] * len(known)
    now = [SAYS[played.now.get(row.rank, -1)] for row in rows]
    known_now = [SAYS[played.known_now.get(one, -1)] for one in known.values()]
    given = ["owner" if row.rank in played.owners else "adjudicated" for row in rows] + ["owner"] * len(known)
    sources = [source if word else None for source, word in zip(given, [*now, *known_now], strict=True)]
    columns = {
        "id": pa.array([*(name_of(row.rank) for row in rows), *known], pa.string()),
        "rank": pa.array([*(row.rank for row in rows), *none], pa.int64()),
        "stratum": pa.array([*(row.stratum for row in rows), *("known" for _ in known)], pa.string()),
        "first": pa.array([*(SAYS[played.first.get(row.rank, -1)] for row in rows), *("yes" for _ in known)]),
        "now": pa.array([*now, *known_now], pa.string()),
        "source": pa.array(sources, pa.string()),
        "word": pa.array([*(SAYS[played.said.get(row.rank, -1)] for row in rows), *none], pa.string()),
        "accept_draw": pa.array([*(_draw(row.accept_draw) for row in rows), *none], pa.int64()),
        "reject_draw": pa.array([*(_draw(row.reject_draw) for row in rows), *none], pa.int64()),
    }
    pq.write_table(pa.table(columns), directory / "evidence.parquet")


def _draw(number: int) -> int | None:
    return None if number < 0 else number


def _write_rest(directory: Path, certificate: Mapping[str, Any], files: int, played: Played) -> None:
    """The card and the manifest."""
    rows = np.arange(played.frozen.units, dtype=np.int64)
    wordings = (Question(1, QUESTION, "", 1),)
    evidence = dict.fromkeys(("audit-log.jsonl", "evidence.parquet", "pool.parquet"), b"")
    none = np.zeros(len(rows), bool)
    codes = np.array([1] * files + [0] * (len(rows) - files), np.int8)
    chosen = Chosen(
        "thing", 1, QUESTION, 0, rows, codes, np.zeros(len(rows), np.float32), rows, none,
        Grounds(0, 0, files), certificate, evidence, wordings,
    )  # fmt: skip
    write_card(chosen, directory, at_ms=1, formats={})
    manifest = {
        "category": "thing",
        "question": QUESTION,
        "version": 1,
        "wordings": [asdict(one) for one in wordings],
        "round": None,
        "yes_by": asdict(chosen.yes_by),
        "counts": {"yes": files, "no": len(rows) - files, "unknown": 0},
        "pool": len(rows),
        "images": files,
        "formats": {},
        "at_ms": 1,
        "files": files_of(directory, {"README.md", "certificate.json", *evidence}),
    }
    (directory / "release.json").write_text(json.dumps(manifest))
