"""Labels with source and purpose, gold, and the votes and gold answers that count after review."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pymongo import DeleteOne, ReplaceOne, UpdateOne
from pymongo.results import BulkWriteResult

from thresher.records import Gold, Label, Source, Vote
from thresher.store.contract import Held, Labels, Rows
from thresher.store.contract.labels import LABELS_AT_ONCE
from thresher.store.conversions import gold_line, gold_of, label_line, label_of, vote_of
from thresher.store.held import KnownLabels
from thresher.store.kinds import GOLD, LABEL, VOTE
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.images import here_rows
from thresher.store.mongo.lines import replacing, row_document, rows_of
from thresher.store.mongo.link import Document, Link, Part, Session, batches, key, span
from thresher.store.mongo.numbers import count_on, move, read_marks
from thresher.store.rules import SOURCES, TRUST, by_version, most_trusted, one_of, plain


@plain_failures
class MongoLabels(Part, Labels):
    """Labels, gold, and the votes they come from."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._known = KnownLabels()

    def hold(self, category: str, labels: Sequence[Label]) -> int:
        here_rows(self.link, [int(label.row) for label in labels])
        moves = 0
        for version, of_version in by_version(labels).items():
            for some in batches(of_version, LABELS_AT_ONCE):
                writes = replacing(row_document(LABEL, category, label_line(label)) for label in some)
                moves += self._change(category, version, sorted({int(label.row) for label in some}), writes)
        return moves

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> int:
        trust, moves = TRUST[one_of(Source, source)], 0
        for some in batches(plain(rows), LABELS_AT_ONCE):
            writes = [DeleteOne({"_id": key(category=category, version=version, row=row, trust=trust)}) for row in some]
            moves += self._change(category, version, some, writes)
        return moves

    def _change(
        self, category: str, version: int, rows: list[int], writes: list[ReplaceOne[Document]] | list[DeleteOne]
    ) -> bool:
        """Write labels of some rows, and update the counters accordingly; returns whether the mark moved."""

        def change(session: Session) -> bool:
            before = self._held_counts(category, version, rows, session)
            changed = _changes(self.link.table("labels").bulk_write(list(writes), session=session))
            after = self._held_counts(category, version, rows, session)
            moved = {(f"labels:{version}", says): after[says] - before[says] for says in before | after}
            count_on(self.link, category, moved, session, moves=["labels"] if changed else ())
            return changed

        return self.link.transact(change)

    def _held_counts(self, category: str, version: int, rows: list[int], session: Session) -> Counter[str]:
        held: dict[int, tuple[int, str]] = {}
        keys = {"_id": {"$in": _keys(category, version, rows)}}
        for one in self.link.table("labels").find(keys, {"says": 1}, session=session):
            place = (one["_id"]["trust"], one["says"])
            held[one["_id"]["row"]] = min(place, held.get(one["_id"]["row"], place))
        return Counter(says for _, says in held.values())

    def held(self, category: str, version: int) -> Held:
        known = self._known.held(category, version, read_marks(self.link, [category])[category]["labels"])
        return Held(most_trusted(self.all_of(category, version))) if known is None else known

    def all_of(self, category: str, version: int) -> list[Label]:
        mark = read_marks(self.link, [category])[category]["labels"]
        known = self._known.all_of(category, version, mark)
        if known is None:
            found = self.link.table("labels").find(span(category=category, version=version)).sort("_id", 1)
            known = [label_of(line) for line in rows_of(LABEL, found)]
            self._known.keep(category, version, mark, known)
        return known

    def of(self, category: str, version: int, rows: Sequence[int] | Rows) -> dict[int, Label]:
        held: dict[int, Label] = {}
        for some in batches(plain(rows), LABELS_AT_ONCE):
            found = self.link.table("labels").find({"_id": {"$in": _keys(category, version, some)}})
            for label in map(label_of, rows_of(LABEL, found)):
                held[label.row] = min(label, held.get(label.row, label), key=lambda one: TRUST[one.source])
        return held

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        here_rows(self.link, [int(one.row) for one in gold])
        for some in batches(gold, LABELS_AT_ONCE):
            self._change_gold(category, replacing(row_document(GOLD, category, gold_line(one)) for one in some))

    def _change_gold(self, category: str, writes: Sequence[ReplaceOne[Document] | UpdateOne]) -> None:
        """Write gold, all or none, so that a call may be made again, and move the change mark if that changes any."""

        def change(session: Session) -> None:
            if _changes(self.link.table("gold").bulk_write(list(writes), session=session)):
                move(self.link, category, ["gold"], session)

        if writes:
            self.link.transact(change)

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        found = self.link.table("gold").find(span(category=category, version=version)).sort("_id", 1)
        gold = (gold_of(line) for line in rows_of(GOLD, found))
        return [one for one in gold if retired or not one.retired]

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        scored = [(row, 0) for row in plain(right)] + [(row, 1) for row in plain(wrong)]
        writes = [
            UpdateOne({"_id": _gold_key(category, version, row)}, {"$inc": {"shown": 1, "missed": missed}})
            for row, missed in scored
        ]
        self._change_gold(category, writes)

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        self._change_gold(category, [UpdateOne({"_id": _gold_key(category, version, row)}, {"$set": {"retired": why}})])

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        table = self.link.table("votes")
        if rows is None:
            found = table.find(span(category=category, version=version)).sort("_id", 1)
            return [vote_of(line) for line in rows_of(VOTE, found)]
        wanted: list[Document] = []
        for some in batches(sorted(set(plain(rows))), 10 * LABELS_AT_ONCE):
            wanted += table.find({"_id.category": category, "_id.version": version, "_id.row": {"$in": some}})
        return [vote_of(line) for line in sorted(rows_of(VOTE, wanted))]

    def voted(self, category: str, version: int) -> Rows:
        found = self.link.table("votes").find(span(category=category, version=version), {"_id": 1})
        return np.unique(np.fromiter((one["_id"]["row"] for one in found), dtype=np.int64))

    def voters(self, category: str, version: int) -> frozenset[str]:
        return frozenset(self.link.table("votes").distinct("worker", span(category=category, version=version)))

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        wanted = {"worker": worker, "category": category, "version": version, "review": {"$exists": True}}
        record = Counter[str]()
        for one in self.link.table("assignments").find(wanted, {"review": 1}):
            record.update({name: one["review"][name] for name in ("yes_right", "yes_shown", "no_right", "no_shown")})
        return record["yes_right"], record["yes_shown"], record["no_right"], record["no_shown"]

    def gold_answers(
        self, category: str, version: int, rows: Sequence[int] | None = None
    ) -> list[tuple[int, str, str]]:
        wanted = span(category=category, version=version)
        if rows is not None:
            wanted = {"$or": [span(category=category, version=version, row=row) for row in plain(rows)]}
            if not wanted["$or"]:
                return []
        found = self.link.table("gold_answers").find(wanted).sort("_id", 1)
        return [(one["_id"]["row"], one["_id"]["worker"], one["says"]) for one in found]


def _changes(done: BulkWriteResult) -> bool:
    """Whether writes changed any document."""
    return bool(done.inserted_count or done.upserted_count or done.modified_count or done.deleted_count)


def _keys(category: str, version: int, rows: Sequence[int]) -> list[Document]:
    """The possible keys of labels of rows, for every source."""
    trusts = range(len(SOURCES))
    return [key(category=category, version=version, row=row, trust=trust) for row in rows for trust in trusts]


def _gold_key(category: str, version: int, row: int) -> Document:
    return key(category=category, version=version, row=int(row))
