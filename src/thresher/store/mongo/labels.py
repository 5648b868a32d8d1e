"""Labels with source and purpose, gold, and the votes and gold answers that reviews let count."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from thresher.records import Gold, Label, Purpose, Says, Source, Vote
from thresher.store.contract import Labels, Rows
from thresher.store.mongo.categories import must_know
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.images import here_rows
from thresher.store.mongo.link import Document, Link, Session, batches, key, span
from thresher.store.mongo.numbers import count_on
from thresher.store.rules import SOURCES, TRUST, one_of, plain

CHUNK: Final = 500


@plain_failures
class MongoLabels(Labels):
    """What is held true: labels, gold, and the votes they come from."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def hold(self, category: str, labels: Sequence[Label]) -> None:
        must_know(self.link, category)
        here_rows(self.link, [int(label.row) for label in labels])
        for version in sorted({label.version for label in labels}):
            of_version = [label for label in labels if label.version == version]
            for some in batches(of_version, CHUNK):
                writes = [
                    ReplaceOne({"_id": _label_key(category, label)}, _label_document(category, label), upsert=True)
                    for label in some
                ]
                self._change(category, version, sorted({int(label.row) for label in some}), writes)

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> None:
        must_know(self.link, category)
        trust = TRUST[one_of(Source, source)]
        for some in batches(plain(rows), CHUNK):
            writes = [DeleteOne({"_id": key(category=category, version=version, row=row, trust=trust)}) for row in some]
            self._change(category, version, some, writes)

    def _change(
        self, category: str, version: int, rows: list[int], writes: list[ReplaceOne[Document]] | list[DeleteOne]
    ) -> None:
        """Write labels of some rows, and update the counters accordingly."""

        def change(session: Session) -> None:
            before = self._held_counts(category, version, rows, session)
            self.link.table("labels").bulk_write(list(writes), session=session)
            after = self._held_counts(category, version, rows, session)
            moved = {(f"labels:{version}", says): after[says] - before[says] for says in before | after}
            count_on(self.link, category, moved, session)

        self.link.transact(change)

    def _held_counts(self, category: str, version: int, rows: list[int], session: Session) -> Counter[str]:
        held: dict[int, tuple[int, str]] = {}
        keys = {"_id": {"$in": _keys(category, version, rows)}}
        for one in self.link.table("labels").find(keys, {"says": 1}, session=session):
            place = (one["_id"]["trust"], one["says"])
            held[one["_id"]["row"]] = min(place, held.get(one["_id"]["row"], place))
        return Counter(says for _, says in held.values())

    def held(self, category: str, version: int) -> list[Label]:
        held: list[Label] = []
        for label in self.all_of(category, version):  # by row and then by trust, so the first of a row is it
            if not held or held[-1].row != label.row:
                held.append(label)
        return held

    def all_of(self, category: str, version: int) -> list[Label]:
        must_know(self.link, category)
        return [
            _label(one)
            for one in self.link.table("labels").find(span(category=category, version=version)).sort("_id", 1)
        ]

    def of(self, category: str, version: int, rows: Sequence[int] | Rows) -> dict[int, Label]:
        must_know(self.link, category)
        held: dict[int, Label] = {}
        for some in batches(plain(rows), CHUNK):
            for one in self.link.table("labels").find({"_id": {"$in": _keys(category, version, some)}}):
                label = _label(one)
                held[label.row] = min(label, held.get(label.row, label), key=lambda one: TRUST[one.source])
        return held

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        must_know(self.link, category)
        here_rows(self.link, [int(one.row) for one in gold])
        for some in batches(gold, CHUNK):
            writes = [
                ReplaceOne(
                    {"_id": _gold_key(category, one.version, one.row)}, _gold_document(category, one), upsert=True
                )
                for one in some
            ]
            self.link.table("gold").bulk_write(writes)

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        must_know(self.link, category)
        found = self.link.table("gold").find(span(category=category, version=version)).sort("_id", 1)
        return [_gold(one) for one in found if retired or not one["retired"]]

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        must_know(self.link, category)
        scored = [(row, 0) for row in plain(right)] + [(row, 1) for row in plain(wrong)]
        writes = [
            UpdateOne({"_id": _gold_key(category, version, row)}, {"$inc": {"shown": 1, "missed": missed}})
            for row, missed in scored
        ]
        if writes:  # all or none, so that a call may be made again
            self.link.transact(lambda session: self.link.table("gold").bulk_write(writes, session=session))

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        must_know(self.link, category)
        self.link.table("gold").update_one({"_id": _gold_key(category, version, row)}, {"$set": {"retired": why}})

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        must_know(self.link, category)
        table = self.link.table("votes")
        if rows is None:
            return [_vote(one) for one in table.find(span(category=category, version=version)).sort("_id", 1)]
        wanted: list[Document] = []
        for some in batches(sorted(set(plain(rows))), 10 * CHUNK):
            wanted += table.find({"_id.category": category, "_id.version": version, "_id.row": {"$in": some}})
        return [_vote(one) for one in sorted(wanted, key=lambda one: tuple(one["_id"].values()))]

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        must_know(self.link, category)
        wanted = {"worker": worker, "category": category, "version": version, "review": {"$exists": True}}
        yes_right = yes_shown = no_right = no_shown = 0
        for one in self.link.table("assignments").find(wanted, {"review": 1}):
            review = one["review"]
            yes_right, yes_shown = yes_right + review["yes_right"], yes_shown + review["yes_shown"]
            no_right, no_shown = no_right + review["no_right"], no_shown + review["no_shown"]
        return yes_right, yes_shown, no_right, no_shown

    def gold_answers(self, category: str, version: int) -> list[tuple[int, str, str]]:
        must_know(self.link, category)
        found = self.link.table("gold_answers").find(span(category=category, version=version)).sort("_id", 1)
        return [(one["_id"]["row"], one["_id"]["worker"], one["says"]) for one in found]


def _keys(category: str, version: int, rows: Sequence[int]) -> list[Document]:
    """What labels of rows may be called, whatever their source."""
    trusts = range(len(SOURCES))
    return [key(category=category, version=version, row=row, trust=trust) for row in rows for trust in trusts]


def _label_key(category: str, label: Label) -> Document:
    return key(category=category, version=label.version, row=int(label.row), trust=TRUST[label.source])


def _label_document(category: str, label: Label) -> Document:
    return {
        "_id": _label_key(category, label),
        "says": label.says.value,
        "purpose": label.purpose.value,
        "at_ms": label.at_ms,
        "posterior": float(label.posterior),
        "votes": label.votes,
        "epoch": label.epoch,
        "draw": label.draw,
    }


def _label(one: Document) -> Label:
    of = one["_id"]
    return Label(
        of["row"], Says(one["says"]), SOURCES[of["trust"]], Purpose(one["purpose"]), of["version"], one["at_ms"],
        one["posterior"], one["votes"], one["epoch"], one["draw"],
    )  # fmt: skip


def _gold_key(category: str, version: int, row: int) -> Document:
    return key(category=category, version=version, row=int(row))


def _gold_document(category: str, gold: Gold) -> Document:
    return {
        "_id": _gold_key(category, gold.version, gold.row),
        "says": gold.says.value,
        "source": gold.source.value,
        "shown": gold.shown,
        "missed": gold.missed,
        "retired": gold.retired,
    }


def _gold(one: Document) -> Gold:
    of = one["_id"]
    return Gold(
        of["row"], Says(one["says"]), of["version"], Source(one["source"]), one["shown"], one["missed"], one["retired"]
    )


def _vote(one: Document) -> Vote:
    of = one["_id"]
    return Vote(
        of["row"], one["worker"], Says(one["says"]), Purpose(one["purpose"]), of["assignment"], one["weight"],
        of["at_ms"], one["epoch"], one["draw"],
    )  # fmt: skip
