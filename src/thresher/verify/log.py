"""The audit log: a chain of lines, each with the digest of the one before it. docs/certificate-format.md."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thresher.verify.reading import parsed, read_bytes, said, wrong
from thresher.verify.values import Fields

NAME = "audit-log.jsonl"
CODES = (0, 1, 2)
EACH = ("previous", "at_ms", "kind")
FIELDS = {
    "freeze": ("frozen", "category", "question", "question_version"),
    "words": ("codes",),
    "answers": ("codes",),
    "accepted": ("attempt", "cut", "size", "sha256"),
    "closed": ("answers",),
    "ended": ("why",),
    "check": ("attempt", "size", "sha256"),
    "checked": ("codes",),
}


@dataclass(frozen=True, slots=True)
class AcceptedSet:
    """What the log says of an accepted set whose audit began (method adjudicated)."""

    cut: int
    size: int
    sha256: str


@dataclass(slots=True)
class Log:
    """What was frozen of which question, words and first answers by rank, sets by attempt, the digest of each line.

    `checks` are size and digest of each set that the owner checked, `checked` the owner's answers by place.
    """

    frozen: Any = None
    category: str = ""
    question: str = ""
    version: int = 0
    words: dict[int, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    accepted: dict[int, AcceptedSet] = field(default_factory=dict)
    checks: list[tuple[int, str]] = field(default_factory=list)
    checked: dict[int, int] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    ended: bool = False

    @property
    def head(self) -> str:
        """The digest of the last line."""
        return self.heads[-1]


def read_log(directory: Path) -> Log:
    """The audit log. Raises BadInput if it cannot be read, Wrong for a broken chain or a line of no known kind."""
    path = directory / NAME
    log, data = Log(), read_bytes(path)
    try:
        for number, line in enumerate(_lines(data)):
            given = _object(line, number)
            if canonical(given).encode() != line:
                raise ValueError(f"line {number + 1} is no canonical JSON")
            _take(log, given, number)
            log.heads.append(hashlib.sha256(line).hexdigest())
        if log.frozen is None:
            raise ValueError("has no line")
    except ValueError as error:
        raise wrong(f"is no audit log: {said(error)}", path) from error
    return log


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        return parsed(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number + 1}: {said(error)}") from error


def _lines(data: bytes) -> Iterator[bytes]:
    if not data.endswith(b"\n"):
        raise ValueError("its last line has no end")
    yield from data[:-1].split(b"\n")


def _take(log: Log, line: dict[str, Any], number: int) -> None:
    given = Fields(line, f"line {number + 1}")
    if given.text("previous") != (log.heads[-1] if log.heads else ""):
        raise ValueError(f"line {number + 1} does not follow line {number}")
    kind = given.text("kind")
    given.whole("at_ms")
    if kind not in FIELDS:
        raise ValueError(f"line {number + 1} is of an unknown kind {kind[:40]!r}")
    given.only((*EACH, *FIELDS[kind]))
    if (kind == "freeze") != (number == 0):
        raise ValueError(f"line {number + 1} is of kind {kind!r}")
    if kind == "freeze":
        log.frozen, log.category = given.get("frozen"), given.text("category")
        log.question, log.version = given.text("question"), given.whole("question_version")
    elif kind == "words":
        _take_codes(log.words, given, before=log.answers)
    elif kind == "answers":
        _take_codes(log.answers, given)
    elif kind == "accepted":
        attempt = given.whole("attempt", 0, 100)
        if attempt in log.accepted:
            raise ValueError(f"line {number + 1} begins attempt {attempt} again")
        log.accepted[attempt] = AcceptedSet(given.whole("cut"), given.whole("size"), given.digest("sha256"))
    elif kind in ("ended", "closed"):  # that the budget is spent (closed) changes nothing of what is proven
        log.ended = log.ended or kind == "ended"
    elif kind == "checked":
        _take_codes(log.checked, given)
    else:
        if given.whole("attempt") != len(log.checks):
            raise ValueError(f"line {number + 1} is not check {len(log.checks)}")
        log.checks.append((given.whole("size"), given.digest("sha256")))


def _take_codes(into: dict[int, int], line: Fields, before: Mapping[int, int] | None = None) -> None:
    """Take codes by rank, each once; a word comes `before` the answer of its rank."""
    for name, code in Fields(line.get("codes"), f"{line.where}.codes").items():
        if not (name.isascii() and name.isdecimal() and len(name) <= 15 and str(int(name)) == name):
            raise ValueError(f"{line.where} has the rank {name[:40]!r}")
        if not isinstance(code, int) or isinstance(code, bool) or code not in CODES:
            raise ValueError(f"{line.where} has a code that is none of 0, 1, 2")
        if int(name) in into:
            raise ValueError(f"{line.where} records rank {name} again")
        if before and int(name) in before:
            raise ValueError(f"{line.where} has the word of rank {name} after its answer")
        into[int(name)] = code


def canonical(value: object) -> str:
    """Canonical JSON: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
