"""The audit log of a freeze: append-only lines of canonical JSON, each with the SHA-256 of the line before. No I/O.

Line 0 commits to all that is frozen; then come people's votes (words), first labels (answers), the accepted sets whose
audits begin, and that the budget is spent (closed). A log that was ended certifies nothing. What was logged of a rank
never changes. Whoever publishes the SHA-256 of the last line (the head) commits to all lines.
docs/certificate-format.md describes the lines.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

FREEZE: Final = "freeze"
WORDS: Final = "words"
ANSWERS: Final = "answers"
ACCEPTED: Final = "accepted"
ENDED: Final = "ended"
CHECK: Final = "check"
CHECKED: Final = "checked"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Log:
    """What the lines of a log say, the number of them, and the head; `frozen` is the description of line 0.

    `words` and `first` have codes by rank, `accepted` the SHA-256 of the accepted set of each attempt, `checks`
    size and SHA-256 of the set that the owner checked in each attempt, `checked` the owner's codes by place. `closed`
    is the largest budget of answers that was spent, 0 if none was.
    """

    lines: int = 0
    head: str = ""
    frozen: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[int, int] = field(default_factory=dict)
    first: Mapping[int, int] = field(default_factory=dict)
    accepted: Mapping[int, str] = field(default_factory=dict)
    ended: bool = False
    checks: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    checked: Mapping[int, int] = field(default_factory=dict)
    closed: int = 0

    def line(self, kind: str, at_ms: int, **fields: object) -> bytes:
        """The bytes of the next line."""
        return canonical({"previous": self.head, "at_ms": at_ms, "kind": kind, **fields})

    def read(self, lines: Iterable[bytes]) -> "Log":
        """The log with further lines. Raises ValueError for a line that does not follow, or says a thing twice."""
        log = replace(self, words=dict(self.words), first=dict(self.first), accepted=dict(self.accepted))
        log = replace(log, checks=dict(self.checks), checked=dict(self.checked))
        for data in lines:
            log = _with_line(log, data)
        return log


def canonical(value: object) -> bytes:
    """JSON with sorted keys and without spaces: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _with_line(log: Log, data: bytes) -> Log:
    """The log with one more line; its mappings are changed in place."""
    try:
        line = json.loads(data)
        if canonical(line) != data or line["previous"] != log.head or not isinstance(line["at_ms"], int):
            raise ValueError(f"line {log.lines} does not follow the line before")
        if (line["kind"] == FREEZE) != (not log.lines):
            raise ValueError(f"line {log.lines} is of the kind {line['kind']!r}")
        frozen = KINDS[line["kind"]](log, line) or log.frozen
        closed = _closed(log, line) if line["kind"] == CLOSED else log.closed
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"line {log.lines} is no line of an audit log: {error!r}") from error
    head, ended = hashlib.sha256(data).hexdigest(), log.ended or line["kind"] == ENDED
    return replace(log, lines=log.lines + 1, head=head, frozen=frozen, ended=ended, closed=closed)


def _freeze(_log: Log, line: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(line["frozen"])


def _words(log: Log, line: Mapping[str, Any]) -> None:
    if late := {int(rank) for rank in line["codes"]} & log.first.keys():
        raise ValueError(f"line {log.lines} gives rank {min(late)} a word after its label")
    _take(log, log.words, line["codes"])


def _answers(log: Log, line: Mapping[str, Any]) -> None:
    _take(log, log.first, line["codes"])


def _take(log: Log, there: Mapping[int, int], codes: Mapping[str, int]) -> None:
    assert isinstance(there, dict)  # noqa: S101 -- `read` has made it one
    for name, code in codes.items():
        rank = int(name)
        if str(rank) != name or rank in there or code not in (0, 1, 2):
            raise ValueError(f"line {log.lines} gives rank {name} the code {code!r}, once more or no code")
        there[rank] = code


def _accepted(log: Log, line: Mapping[str, Any]) -> None:
    attempt, numbers = line["attempt"], (line["attempt"], line["cut"], line["size"])
    assert isinstance(log.accepted, dict)  # noqa: S101 -- `read` has made it one
    if not all(isinstance(number, int) for number in numbers) or attempt in log.accepted:
        raise ValueError(f"line {log.lines} begins attempt {attempt!r} once more, or names no accepted set")
    log.accepted[attempt] = str(line["sha256"])


def _ended(_log: Log, line: Mapping[str, Any]) -> None:
    str(line["why"])


def _check(log: Log, line: Mapping[str, Any]) -> None:
    assert isinstance(log.checks, dict)  # noqa: S101 -- `read` has made it one
    if line["attempt"] != len(log.checks) or not isinstance(line["size"], int):
        raise ValueError(f"line {log.lines} is not check {len(log.checks)}, or names no set")
    log.checks[len(log.checks)] = (line["size"], str(line["sha256"]))


def _checked(log: Log, line: Mapping[str, Any]) -> None:
    _take(log, log.checked, line["codes"])


def _closed(log: Log, line: Mapping[str, Any]) -> int:
    answers = line["answers"]
    if not isinstance(answers, int) or answers <= log.closed:
        raise ValueError(f"line {log.lines} says that a budget of {answers!r} answers is spent")
    return answers


def _nothing(_log: Log, _line: Mapping[str, Any]) -> None:
    """Take nothing over from a line into the mappings of a log."""


KINDS: Final[Mapping[str, Callable[[Log, Mapping[str, Any]], Mapping[str, Any] | None]]] = {
    FREEZE: _freeze,
    WORDS: _words,
    ANSWERS: _answers,
    ACCEPTED: _accepted,
    ENDED: _ended,
    CHECK: _check,
    CHECKED: _checked,
    CLOSED: _nothing,
}
