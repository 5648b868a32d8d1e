"""Damages of the audit log."""

import json

from tests.verify.damages.part import CERTIFICATE, EVERY, LOG, Part
from tests.verify.tampering import Release, Row, sha256

damage = Part(first="recall")


@damage("a line of the log left out, without a new chain")
def _(one: Release) -> None:
    lines = one.path(LOG).read_bytes().splitlines(keepends=True)
    one.path(LOG).write_bytes(b"".join(lines[:1] + lines[2:]))


@damage("the last line of the log left out")
def _(one: Release) -> None:
    one.log(lambda lines: lines[:-1])


@damage("a line of the log left out")
def _(one: Release) -> None:
    one.log(lambda lines: [line for line in lines if line is not next(o for o in lines if o["kind"] == "answers")])


@damage("a line of the log twice")
def _(one: Release) -> None:
    one.log(lambda lines: [*lines, next(line for line in lines if line["kind"] == "answers")])


@damage("another head of the log named")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(log_head="0" * 64))


@damage("a log without an end")
def _(one: Release) -> None:
    one.path(LOG).write_bytes(one.path(LOG).read_bytes()[:-1])


@damage("a line of an unknown kind in the log")
def _(one: Release) -> None:
    one.log(lambda lines: [*lines, {"kind": "bonus", "at_ms": 1}])


def flipped(lines: list[Row]) -> None:
    """Turn one first answer."""
    line = next(line for line in lines if line["kind"] == "answers")
    rank = next(iter(line["codes"]))
    line["codes"][rank] = 1 - line["codes"][rank] if line["codes"][rank] < 2 else 1


@damage("an answer of the log flipped", *EVERY)
def _(one: Release) -> None:
    one.log(flipped)


@damage("a word of the log flipped", "adjudicated")
def _(one: Release) -> None:
    def change(lines: list[Row]) -> None:
        line = next(line for line in lines if line["kind"] == "words")
        rank = next(iter(line["codes"]))
        line["codes"][rank] = 1 if line["codes"][rank] == 0 else 0

    one.log(change)


@damage("the words logged after the answers", "adjudicated")
def _(one: Release) -> None:
    one.log(
        lambda lines: sorted(lines, key=lambda line: ["freeze", "answers", "accepted", "words"].index(line["kind"]))
    )


@damage("another accepted set in the log", "adjudicated")
def _(one: Release) -> None:
    one.log(lambda lines: [line.update(sha256="0" * 64) for line in lines if line["kind"] == "accepted"] and lines)


@damage("no accepted set in the log", "adjudicated")
def _(one: Release) -> None:
    one.log(lambda lines: [line for line in lines if line["kind"] != "accepted"])


@damage("lines of the log without their time")
def _(one: Release) -> None:
    one.log(lambda lines: [line.pop("at_ms") for line in lines] and lines)


@damage("a field of the log whose meaning nobody knows")
def _(one: Release) -> None:
    one.log(lambda lines: lines[1].update(without={"0": 1}))


@damage("the log in another JSON, chained anew")
def _(one: Release) -> None:
    head, out = "", b""
    for line in one.lines():
        data = json.dumps(json.loads(line) | {"previous": head}).encode()
        head, out = sha256(data), out + data + b"\n"
    one.path(LOG).write_bytes(out)
    one.json(CERTIFICATE, lambda found: found.update(log_head=head))
