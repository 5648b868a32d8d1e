"""The ways to damage a release: each a name, what it does, and for which methods. The manifest is sealed after each."""

import json
import random
import shutil
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.verify.tampering import Release, Row, exchange, sha256, where

Damage = Callable[[Release], Any]
DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {}
EVERY = ("certified", "adjudicated", "precision", "recall", "labels")
CERTIFICATE, LOG, POOL = "certificate.json", "audit-log.jsonl", "pool.parquet"
EVIDENCE, TABLE, CARD, MANIFEST = "evidence.parquet", "images.parquet", "README.md", "release.json"


def damage(name: str, *methods: str) -> Callable[[Damage], Damage]:
    """Note a damage; without `methods` it is done to one of them, in turn."""

    def noted(does: Damage) -> Damage:
        assert name not in DAMAGES
        DAMAGES[name] = (does, methods or (EVERY[len(DAMAGES) % len(EVERY)],))
        return does

    return noted


# pictures


@damage("two pictures exchanged")
def _(one: Release) -> None:
    first, second, *_ = one.pictures()
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


@damage("a picture replaced by another, under its old name")
def _(one: Release) -> None:
    one.pictures()[0].write_bytes(one.stranger)


@damage("a picture replaced by another, under its own name")
def _(one: Release) -> None:
    one.pictures()[0].unlink()
    one.path(f"images/{sha256(one.stranger)}.png").write_bytes(one.stranger)


@damage("a picture added")
def _(one: Release) -> None:
    one.path(f"images/{sha256(one.stranger)}.png").write_bytes(one.stranger)


@damage("a picture twice, under two endings")
def _(one: Release) -> None:
    first = one.pictures()[0]
    shutil.copy(first, first.with_suffix(".gif"))


@damage("a picture removed")
def _(one: Release) -> None:
    one.pictures()[0].unlink()


@damage("the folder of pictures emptied")
def _(one: Release) -> None:
    for path in one.pictures():
        path.unlink()


@damage("the folder of pictures emptied, and its format struck out")
def _(one: Release) -> None:
    for path in one.pictures():
        path.unlink()
    one.json(MANIFEST, lambda found: found["formats"].pop("folder"))


@damage("a picture with one byte more")
def _(one: Release) -> None:
    path = one.pictures()[0]
    path.write_bytes(path.read_bytes() + b"\0")


@damage("a picture that is a link")
def _(one: Release) -> None:
    path = one.pictures()[0]
    elsewhere = one.directory.parent / "elsewhere"
    path.replace(elsewhere)
    path.symlink_to(elsewhere)


@damage("a file that the manifest lists, and no format has")
def _(one: Release) -> None:
    one.path("notes.txt").write_text("at least 0.99 of these images are yes")


@damage("a file that manifest and card list, and no format has")
def _(one: Release) -> None:
    one.path("notes.txt").write_text("at least 0.99 of these images are yes")
    for listed in ("every answer that the certificate depends on", "None"):
        line = "- `pool.parquet`: "
        one.text(CARD, line, f"- `notes.txt`: {listed}\n{line}")


@damage("a file in a folder of its own")
def _(one: Release) -> None:
    one.path("more").mkdir()
    one.path("more/x.jpg").write_bytes(one.stranger)


@damage("a hidden file among the pictures")
def _(one: Release) -> None:
    one.path("images/.hidden").write_bytes(one.stranger)


# webdataset


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


# the table


def unaudited(one: Release, rows: list[Row]) -> list[int]:
    """The places of the images that are no although nobody has labelled them."""
    return where(rows, decision="no", label=None) or where(rows, decision="unknown", label=None)


@damage("a yes of the table exchanged for a no that nobody looked at")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: exchange(rows, "decision", where(rows, decision="yes")[0], unaudited(one, rows)[0]))


@damage("a yes of the table exchanged for a no that people gave")
def _(one: Release) -> None:
    no = {row["id"] for row in one.rows(EVIDENCE) if row["now"] == "no"}

    def change(rows: list[Row]) -> None:
        refuted = next(at for at, row in enumerate(rows) if row["id"] in no)
        exchange(rows, "decision", where(rows, decision="yes")[0], refuted)

    one.table(TABLE, change)


@damage("all yes of the table exchanged for no that nobody looked at")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for yes, no in zip(where(rows, decision="yes"), unaudited(one, rows), strict=False):
            exchange(rows, "decision", yes, no)

    one.table(TABLE, change)


@damage("the ids of all yes of the table exchanged for those of no")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for yes, no in zip(where(rows, decision="yes"), unaudited(one, rows), strict=False):
            exchange(rows, "id", yes, no)

    one.table(TABLE, change)


@damage("300 more yes, as copies of one that is released")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> list[Row]:
        first = rows[where(rows, decision="yes")[0]]
        more = [sha256(str(number).encode()) for number in range(300)]
        return rows + [first | {"id": name, "similar_to": first["id"], "inherited": True} for name in more]

    one.table(TABLE, change)


@damage("a no of the pool made a copy of one that is released")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        first = rows[where(rows, decision="yes")[0]]["id"]
        rows[unaudited(one, rows)[0]] |= {"decision": "yes", "similar_to": first, "inherited": True}

    one.table(TABLE, change)


@damage("the ids of the table made up")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for at in where(rows, decision="yes"):
            rows[at]["id"] = sha256(str(at).encode())

    one.table(TABLE, change)


@damage("an id of the table in capitals")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = where(rows, decision="yes")[0]
        rows[at]["id"] = rows[at]["id"].upper()

    one.table(TABLE, change)


@damage("a yes left out of the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [row for at, row in enumerate(rows) if at != where(rows, decision="yes")[0]])


@damage("a no left out of the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [row for at, row in enumerate(rows) if at != unaudited(one, rows)[0]])


@damage("a row of the table twice")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [*rows, rows[-1]])


@damage("a yes of the table made unknown")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[where(rows, decision="yes")[0]].update(decision="unknown"))


@damage("a decision that is none")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[unaudited(one, rows)[0]].update(decision="YES"))


@damage("a label of the table flipped")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        audited = next(at for at, row in enumerate(rows) if row["label_source"] in ("adjudicated", "owner"))
        rows[audited]["label"] = "no" if rows[audited]["label"] == "yes" else "yes"

    one.table(TABLE, change)


@damage("a released image told to be a copy of another")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        first, second, *_ = where(rows, decision="yes")
        rows[first]["similar_to"] = rows[second]["id"]

    one.table(TABLE, change)


@damage("the table removed")
def _(one: Release) -> None:
    one.path(TABLE).unlink()


@damage("the table left, and its format struck out")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found["formats"].pop("table"))


@damage("a column of the table of another type")
def _(one: Release) -> None:
    table = pq.read_table(one.path(TABLE))
    column = table.column_names.index("decision")
    pq.write_table(table.set_column(column, "decision", pa.array([1] * table.num_rows)), one.path(TABLE))


@damage("a table that says it has more rows than its bytes can hold")
def _(one: Release) -> None:
    table = pq.read_table(one.path(EVIDENCE)).slice(0, 1)
    pq.write_table(table.take(pa.array([0] * 2_000_000)), one.path(EVIDENCE), compression="zstd")


# the card and the sentences


def stronger(one: Release) -> tuple[str, str]:
    """A part of the sentence, and what it would be if more were promised."""
    promised = one.read(CERTIFICATE)["frozen"]["promise"]["recall" if one.method == "recall" else "precision"]
    return f"at least {promised:g}", "at least 0.99"


@damage("the card written anew")
def _(one: Release) -> None:
    one.path(CARD).write_text("# Cars\n\nAll of these images are cars.\n")


@damage("more promised in the card", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))


@damage("more promised in the words", *EVERY)
def _(one: Release) -> None:
    one.text(CERTIFICATE, *stronger(one))


@damage("more promised in the words and in the card", *EVERY)
def _(one: Release) -> None:
    one.text(CERTIFICATE, *stronger(one))
    one.text(CARD, *stronger(one))


def raised(one: Release) -> Callable[[Row], None]:
    name = "recall" if one.method == "recall" else "precision"
    return lambda frozen: frozen["promise"].update({name: 0.99})


@damage("more promised in words, card and proof", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))
    one.text(CERTIFICATE, *stronger(one))
    one.json(CERTIFICATE, lambda found: raised(one)(found["frozen"]))


@damage("more promised in words, card, proof and log", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))
    one.text(CERTIFICATE, *stronger(one))
    one.frozen(raised(one))
    one.json(CERTIFICATE, lambda found: raised(one)({"promise": found["result"]}))


@damage("a stronger claim after the sentences of the card")
def _(one: Release) -> None:
    one.text(CARD, "## Files", "In fact, at least 0.99 of them are yes.\n\n## Files")


@damage("a second section on the certificate in the card")
def _(one: Release) -> None:
    with one.path(CARD).open("a") as card:
        card.write("\n## Certificate\n\nAt least 0.99 of the images are yes.\n")


@damage("a stronger claim above the card's certificate")
def _(one: Release) -> None:
    one.text(CARD, "## Certificate", "Proven: at least 0.99 of these images are yes.\n\n## Certificate")


@damage("a card that is no text")
def _(one: Release) -> None:
    one.path(CARD).write_bytes(b"\xff\xfe" + one.path(CARD).read_bytes())


@damage("a smaller delta claimed")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["promise"].update(delta=0.001))
    one.json(CERTIFICATE, lambda found: found["result"].update(delta=0.001))


@damage("more delivered than is released")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(delivered=found["result"]["delivered"] + 1))


@damage("counts of the result edited", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(accept_bad=0, reject_bad=7))


@damage("a bound of the result edited", "certified", "adjudicated", "recall", "labels")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(reject_bound=0.5))


@damage("the reported figure edited", "precision", "recall")
def _(one: Release) -> None:
    name = "recall_at_least" if one.method == "precision" else "precision_at_least"
    before = one.read(CERTIFICATE)["result"]["counts"][name]
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update({name: 0.9999}))
    one.text(CERTIFICATE, f"at least {before:.10g} ", "at least 0.9999 ")
    one.text(CARD, f"at least {before:.10g} ", "at least 0.9999 ")


@damage("a count more than the method has")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(true_yes=1))


@damage("fewer draws than were made", *EVERY)
def _(one: Release) -> None:
    counts = one.read(CERTIFICATE)["result"]["counts"]
    name = "accept_drawn" if counts["accept_drawn"] else "reject_drawn"
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update({name: counts[name] - 1}))


@damage("more draws than were made", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(reject_drawn=10**9))


@damage("a larger accepted part", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(accepted=found["result"]["accepted"] + 1))


@damage("another cut", "certified", "adjudicated", "recall", "labels")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(rejected=found["result"]["rejected"] + 1))


@damage("one image fewer claimed by labels", "labels")
def _(one: Release) -> None:
    def fewer(frozen: Row) -> None:
        frozen["ladder"][0]["rank"] -= 1
        frozen["reject_from"] -= 1

    one.frozen(fewer)
    result = one.read(CERTIFICATE)["result"]
    one.json(CERTIFICATE, lambda found: found["result"].update(accepted=result["accepted"] - 1))
    one.json(CERTIFICATE, lambda found: found["result"].update(rejected=result["rejected"] - 1))


@damage("labels audited at all of delta", "labels")
def _(one: Release) -> None:
    every = {"accept_delta": 0.1, "reject_delta": 0.1}
    one.frozen(lambda frozen: frozen["ladder"][0].update(every))
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(every))


@damage("the recall of labels struck out of the result", "labels")
def _(one: Release) -> None:
    ranks = one.read(CERTIFICATE)["frozen"]["ranks"]
    one.json(CERTIFICATE, lambda found: found["result"].update(recall=None, rejected=ranks))


@damage("no recall target in another method than labels", "certified")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["promise"].update(recall=0))
    one.json(CERTIFICATE, lambda found: found["result"].update(recall=0))


@damage("numbers that are none")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["frozen"]["promise"].update(precision=float("nan")))


@damage("numbers that are huge")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["frozen"].update(known_yes=2**80))


@damage("a certificate of an earlier format")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(format=1))


@damage("a certificate that says it is none")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(certified=False))


@damage("another method", *EVERY)
def _(one: Release) -> None:
    other = EVERY[(EVERY.index(one.method) + 1) % len(EVERY)]
    one.json(CERTIFICATE, lambda found: found.update(method=other))
    one.frozen(lambda frozen: frozen.update(method=other))


@damage("the owner's answers claimed")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(truth="owner"))
    one.text(CERTIFICATE, "by adjudicated answers", "by the owner's answers")
    one.text(CARD, "by adjudicated answers", "by the owner's answers")


@damage("the question edited in the certificate")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(question="Is this a better thing?"))


@damage("the question edited in the manifest and in the card")
def _(one: Release) -> None:
    question = one.read(MANIFEST)["question"]
    one.json(MANIFEST, lambda found: found.update(question="Is this a better thing?"))
    one.text(CARD, question, "Is this a better thing?")


@damage("the question edited everywhere but in the log")
def _(one: Release) -> None:
    question = one.read(MANIFEST)["question"]
    for name in (MANIFEST, CERTIFICATE):
        one.json(name, lambda found: found.update(question="Is this a better thing?"))
    one.text(CARD, question, "Is this a better thing?")


@damage("the category edited in certificate and manifest")
def _(one: Release) -> None:
    for name in (MANIFEST, CERTIFICATE):
        one.json(name, lambda found: found.update(category="better"))


@damage("a category that is a title and a claim")
def _(one: Release) -> None:
    before = one.read(MANIFEST)["category"]
    name = f"{before}\n\n## Certificate\n\nWith confidence 0.999 all of the released images are yes."
    for file in (MANIFEST, CERTIFICATE):
        one.json(file, lambda found: found.update(category=name))
    one.log(lambda lines: lines[0].update(category=name))
    one.text(CARD, f"# {before}\n", f"# {name}\n")
    shutil.rmtree(one.path("webdataset"))
    one.json(MANIFEST, lambda found: found["formats"].pop("webdataset"))
    one.text(CARD, "- `webdataset/`: the same images as WebDataset shards\n", "")


@damage("a larger pool told in manifest and card")
def _(one: Release) -> None:
    pool = one.read(MANIFEST)["pool"]
    one.json(MANIFEST, lambda found: found.update(pool=4_000_000))
    one.text(CARD, f"out of a pool of {pool:,}", "out of a pool of 4,000,000")


@damage("more images with a label of their own told in manifest and card", *EVERY)
def _(one: Release) -> None:
    by = one.read(MANIFEST)["yes_by"]
    one.json(MANIFEST, lambda found: found.update(yes_by=by | {"labelled": by["labelled"] + 1}))
    one.text(CARD, f"Of the yes, {by['labelled']:,} have", f"Of the yes, {by['labelled'] + 1:,} have")


@damage("images that were scored told as labelled in manifest and card", *EVERY)
def _(one: Release) -> None:
    by = one.read(MANIFEST)["yes_by"]
    labelled = by["labelled"] + by["scored"]
    one.json(MANIFEST, lambda found: found["yes_by"].update(labelled=labelled, scored=0))
    one.text(CARD, f"Of the yes, {by['labelled']:,} have", f"Of the yes, {labelled:,} have")
    one.text(CARD, f"and {by['scored']:,} were", "and 0 were")


@damage("a further claim in the certificate")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(guarantee="at least 0.99 of the released images are yes"))


@damage("a further claim in the result")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(true_precision=0.99))


@damage("a further claim in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found.update(guarantee="at least 0.99 of the released images are yes"))


@damage("a further claim in the facts of a picture")
def _(one: Release) -> None:
    def change(found: list[tuple[str, bytes]]) -> None:
        at = next(at for at, (name, _) in enumerate(found) if name.endswith(".json"))
        found[at] = (found[at][0], json.dumps(json.loads(found[at][1]) | {"checked_by": "the owner"}).encode())

    one.members(change)


@damage("a copy told to have a label of its own, in the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[where(rows, decision="yes")[0]].update(inherited=True))


# what was frozen


def swapped(one: Release, name: str, value: object, *, log: bool) -> None:
    if log:
        one.frozen(lambda frozen: frozen.update({name: value}))
    else:
        one.json(CERTIFICATE, lambda found: found["frozen"].update({name: value}))


@damage("a field of a rung whose meaning nobody knows")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["ladder"][0].update(unless=0.5))


@damage("a field of a prior whose meaning nobody knows")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["accept_prior"].update(after=100))


FLAT = {"parts": [[1.0, 1.0, 1e6]]}
SWAPS: dict[str, Any] = {
    "ranking": "0" * 64,
    "known": "0" * 64,
    "copies": "0" * 64,
    "seed": "ab" * 32,
    "accept_prior": FLAT,
    "reject_prior": FLAT,
    "known_yes": 80,
    "known_unanswerable": 7,
    "epoch": 3,
    "looks": 1,
    "units": 10,
    "at_ms": 1_000_000_000_000,
    "adjudicated": 10**6,
    "ranks": 100,
    "ladder": [{"rank": 30, "accept_delta": 0.2, "reject_delta": 0.2}],
    "gold": {"yes_shown": 10, "yes_missed": 0, "no_shown": 10, "no_missed": 0, "audited": 0},
    "truth": "owner",
}
for _name, _value in SWAPS.items():
    damage(f"{_name} swapped in the certificate")(
        lambda one, name=_name, value=_value: swapped(one, name, value, log=False)  # type: ignore[misc]  # a default binds the value of this turn
    )
CAUGHT_BY_THE_HEAD_ALONE = {"accept_prior", "reject_prior", "at_ms", "adjudicated", "truth", "gold", "looks", "epoch"}
"""Whoever writes the log anew chooses these as if they froze; only its head, published before, tells."""
for _name, _value in SWAPS.items():
    if _name not in CAUGHT_BY_THE_HEAD_ALONE:
        damage(f"{_name} swapped in certificate and log")(
            lambda one, name=_name, value=_value: swapped(one, name, value, log=True)  # type: ignore[misc]  # a default binds the value of this turn
        )


@damage("the deltas of the ladder raised in certificate and log", *EVERY)
def _(one: Release) -> None:
    def change(frozen: Row) -> None:
        for rung in frozen["ladder"]:
            rung |= {"accept_delta": 2 * rung["accept_delta"], "reject_delta": 2 * rung["reject_delta"]}

    one.frozen(change)


@damage("a prior that is no distribution, in certificate and log")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen.update(accept_prior={"parts": [[1e9, 1.0, 1e6]]}))


@damage("a field that no freeze has, in certificate and log")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen.update(bonus=1))


# the log


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


# the evidence


@damage("a first label of the evidence flipped", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = next(at for at, row in enumerate(rows) if row["first"] == "no" and row["rank"] is not None)
        rows[at] |= {"first": "yes", "now": "yes"}

    one.table(EVIDENCE, change)


@damage("a label of today flipped", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="no")[0]].update(now="yes"))


@damage("a label of today left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="yes")[0]].update(now=None))


@damage("a known image flipped")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, rank=None, now="yes")[0]].update(first="no"))


@damage("the numbers of two draws exchanged", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        name = "reject_draw" if len([row for row in rows if row["reject_draw"] is not None]) > 1 else "accept_draw"
        first, second, *_ = [at for at, row in enumerate(rows) if row[name] is not None]
        exchange(rows, name, first, second)

    one.table(EVIDENCE, change)


@damage("a row of the evidence left out", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[1:])


@damage("a known row of the evidence left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[:-1])


@damage("a row of the evidence twice")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: [rows[0], *rows])


@damage("a consensus among the evidence", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="yes")[0]].update(source="consensus"))


@damage("the ids of the no shuffled over their ranks", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        no = [at for at, row in enumerate(rows) if row["first"] == "no" and row["rank"] is not None]
        ids = [rows[at]["id"] for at in no]
        for at, name in zip(no, ids[1:] + ids[:1], strict=True):
            rows[at]["id"] = name

    one.table(EVIDENCE, change)


@damage("the ids of all ranks shuffled in evidence and pool")
def _(one: Release) -> None:
    ranking = [row["id"] for row in one.rows(POOL) if row["rank"] is not None]
    random.Random(1).shuffle(ranking)

    def change(rows: list[Row]) -> None:
        for row in rows:
            if row["rank"] is not None:
                row["id"] = ranking[row["rank"]]
                row["unit"] = row["id"] if "unit" in row else None

    one.table(POOL, change)
    one.table(
        EVIDENCE, lambda rows: [row.update(id=ranking[row["rank"]]) for row in rows if row["rank"] is not None] and rows
    )


@damage("a stratum of the evidence changed")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[0].update(stratum="middle" if rows[0]["stratum"] != "middle" else "rejected"))


@damage("evidence for a rank that nobody was asked about")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> list[Row]:
        there = {row["rank"] for row in rows}
        free = next(row for row in one.rows(POOL) if row["rank"] is not None and row["rank"] not in there)
        more = rows[0] | {"id": free["id"], "rank": free["rank"], "first": "yes", "now": "yes"}
        return sorted([*rows, more], key=lambda row: (row["rank"] is None, row["rank"] or 0))

    one.table(EVIDENCE, change)


# the pool


@damage("an image of the pool left out")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: rows[:-1])


@damage("an image added to the pool")
def _(one: Release) -> None:
    name = sha256(one.stranger)
    one.table(POOL, lambda rows: [*rows, {"id": name, "rank": None, "unit": rows[0]["id"], "known": None}])


@damage("two ranks of the pool exchanged")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: [rows[1] | {"rank": 0}, rows[0] | {"rank": 1}, *rows[2:]])


@damage("a known label of the pool changed")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: rows[where(rows, known="no")[0]].update(known="yes"))


@damage("an image of the pool made a copy")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = where(rows, known="no")[0]
        rows[at] |= {"unit": rows[0]["id"], "known": None}

    one.table(POOL, change)


@damage("the rank of a table as a float")
def _(one: Release) -> None:
    table = pq.read_table(one.path(POOL))
    column = table.column_names.index("rank")
    pq.write_table(table.set_column(column, "rank", table.column("rank").cast(pa.float64())), one.path(POOL))


@damage("the pool cut off")
def _(one: Release) -> None:
    data = one.path(POOL).read_bytes()
    one.path(POOL).write_bytes(data[: len(data) // 2])


# the manifest


@damage("more images counted in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found.update(images=found["images"] + 1))


@damage("an unknown format in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found["formats"].update(parquet={}))


@damage("a manifest that is a list")
def _(one: Release) -> None:
    one.path(MANIFEST).write_text("[]")


@damage("an id of the evidence left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[-1].update(id=None))
