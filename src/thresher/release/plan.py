"""The contents of a release, fixed before the first file is written, so that an interrupted one can be continued."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import AlreadyThere, BadInput, StoreUnavailable
from thresher.records import Decision, Grounds, Label, Question

PLAN_FILE = ".release-in-progress.json"
DONE_FILE = "release.json"
CODES = {1: Decision.YES, 0: Decision.NO, -1: Decision.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The decided pool that is released.

    `round` is 0 if no classifier was trained.
    `rows` int64 [n] ascending, `codes` int8 [n] (1 yes, 0 no, -1 unknown), `scores` float32 [n], NaN where unscored.
    `similar` int64 [n] is the row of which each one is a copy, its own if it counts for its group; `inherited` bool [n]
    tells where the code is that of a copy, and `yes_by` how many of the yes were decided by what.
    `certificate` is the content of `certificate.json`; `evidence` holds further files of the certificate by name.
    `wordings` are those under which the version was asked, oldest first; `held` the labels by which is decided, those
    of the store for None: a label that comes while the files are written is in none of them.
    """

    category: str
    version: int
    question: str
    round: int
    rows: NDArray[np.int64]
    codes: NDArray[np.int8]
    scores: NDArray[np.float32]
    similar: NDArray[np.int64]
    inherited: NDArray[np.bool_]
    yes_by: Grounds
    certificate: Mapping[str, Any]
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    wordings: Sequence[Question] = ()
    held: Sequence[Label] | None = None

    @property
    def yes(self) -> NDArray[np.int64]:
        """The rows that are released."""
        yes: NDArray[np.int64] = self.rows[self.codes == 1]
        return yes

    def fingerprint(self) -> str:
        """A hash of everything that determines the contents of the release."""
        return fingerprint(self.category, self.version, self.round, self.rows, self.codes)


def fingerprint(category: str, version: int, number: int, rows: NDArray[np.int64], codes: NDArray[np.int8]) -> str:
    """A hash of a decision: the codes [n] of rows [n] after round `number` (0: none) of a question's version."""
    digest = hashlib.sha256(json.dumps([category, version, number]).encode())
    for array in (rows, codes):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def claim(directory: Path, chosen: Chosen, contents: str) -> dict[str, Any] | None:
    """Reserve `directory` for this release, whose certificate and formats have the hash `contents`.

    Returns the manifest if the directory contains this release, finished. Raises AlreadyThere for another one.
    """
    plan = {
        "category": chosen.category,
        "round": chosen.round or None,
        "fingerprint": chosen.fingerprint(),
        "contents": contents,
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        entries = [entry.name for entry in directory.iterdir()]
    except (FileExistsError, NotADirectoryError) as error:
        raise BadInput("is not a directory.", where=str(directory), next="give another --to") from error
    except PermissionError as error:
        raise StoreUnavailable("cannot be written.", where=str(directory), next="give another --to") from error
    for name in (DONE_FILE, PLAN_FILE):
        if name in entries:
            found = _read(directory / name)
            if {key: found.get(key) for key in plan} == plan:
                return found if name == DONE_FILE else None
            raise AlreadyThere(
                f"contains another release ({_about(found, plan)}).",
                where=str(directory),
                next="give an empty directory to --to",
            )
    if entries:
        raise AlreadyThere("is not empty.", where=str(directory), next="give an empty directory to --to")
    (directory / PLAN_FILE).write_text(json.dumps(plan), "utf-8")
    return None


def _about(found: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """How the release in a directory differs: another category or round, other decisions, or another certificate."""
    if (found.get("category"), found.get("round")) != (plan["category"], plan["round"]):
        return f"of {str(found.get('category'))[:80]!r}, round {str(found.get('round'))[:80]}"
    same = found.get("fingerprint") == plan["fingerprint"]
    return "with another certificate, or in other formats" if same else "of other decisions"


def finish(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Mark the release complete: write the manifest in one step, then delete the plan."""
    write_whole(directory / DONE_FILE, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    (directory / PLAN_FILE).unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one step, so that it is either complete or absent."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
