"""Damages of the WebDataset."""

import json
import shutil

from tests.verify.damages.part import Part
from tests.verify.tampering import Release, sha256

damage = Part(first="labels")


@damage("the WebDataset cut in half")
def _(one: Release) -> None:
    data = one.shard().read_bytes()
    one.shard().write_bytes(data[: len(data) // 2])


@damage("the WebDataset cut before its end")
def _(one: Release) -> None:
    data = one.shard().read_bytes()
    one.shard().write_bytes(data.rstrip(b"\0"))


@damage("the last sample of the WebDataset cut off")
def _(one: Release) -> None:
    one.members(lambda members: members[:-2])


@damage("the facts of a sample cut off")
def _(one: Release) -> None:
    one.members(lambda members: members[:-1])


@damage("a member of the WebDataset renamed")
def _(one: Release) -> None:
    one.members(lambda members: [("0" * 64 + ".jpg", members[0][1]), *members[1:]])


@damage("the pictures of two samples exchanged")
def _(one: Release) -> None:
    def change(found: list[tuple[str, bytes]]) -> None:
        found[0], found[2] = (found[0][0], found[2][1]), (found[2][0], found[0][1])

    one.members(change)


@damage("a sample replaced by another")
def _(one: Release) -> None:
    name = sha256(one.stranger)
    one.members(lambda found: [(f"{name}.jpg", one.stranger), (f"{name}.json", found[1][1]), *found[2:]])


@damage("a sample added")
def _(one: Release) -> None:
    name = sha256(one.stranger)
    facts = json.dumps({"id": name, "answer": "yes", "format": "PNG"}).encode()
    one.members(lambda found: [*found, (f"{name}.jpg", one.stranger), (f"{name}.json", facts)])


@damage("a sample twice")
def _(one: Release) -> None:
    one.members(lambda found: [*found, *found[:2]])


@damage("the facts of a sample changed")
def _(one: Release) -> None:
    def change(found: list[tuple[str, bytes]]) -> None:
        found[1] = (found[1][0], json.dumps(json.loads(found[1][1]) | {"width": 7}).encode())

    one.members(change)


@damage("the score of a sample changed")
def _(one: Release) -> None:
    def change(found: list[tuple[str, bytes]]) -> None:
        found[1] = (found[1][0], json.dumps(json.loads(found[1][1]) | {"score": 0.1234}).encode())

    one.members(change)


@damage("a member of the WebDataset of another kind")
def _(one: Release) -> None:
    one.members(lambda found: [*found, ("notes.txt", b"at least 0.99")])


@damage("bytes after the end of the WebDataset")
def _(one: Release) -> None:
    one.shard().write_bytes(one.shard().read_bytes() + b"more")


@damage("the WebDataset removed")
def _(one: Release) -> None:
    one.shard().unlink()


@damage("the WebDataset under another name")
def _(one: Release) -> None:
    one.shard().rename(one.shard().with_name("other-000000.tar"))


@damage("the WebDataset twice")
def _(one: Release) -> None:
    shutil.copy(one.shard(), one.shard().with_name(one.shard().name.replace("000000", "000001")))
