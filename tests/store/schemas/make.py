"""Writes the fixtures of the newest schema: a small workspace as SQL, and as the documents of a MongoDB database.

Run it once for each released schema, never again; it starts a mongod of its own.

python tests/store/schemas/make.py
"""

import re
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bson import Binary, json_util
from pymongo import MongoClient

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

NO_SECRET = bytes(32)  # the key of every link is of no use to a test, and looks like one that was leaked
DATABASE = "made"


def main() -> None:
    from tests import mongod

    from thresher.settings import read_settings
    from thresher.store import open_store
    from thresher.store.kinds import KINDS
    from thresher.store.shapes import schema_of

    number = schema_of(KINDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = read_settings(folder, {"THRESHER_CACHE": str(folder / "cache")})
        with open_store(folder / "workspace", settings, create=True) as store:  # type: ignore[attr-defined]  # each closes itself
            fill(store)
        (HERE / f"{number}.sql").write_text(as_sql(folder / "workspace" / "catalog.sqlite"), "utf-8")
        address, servers = mongod.start_set(folder, 1)
        try:
            with open_store(address.replace("/?", f"/{DATABASE}?"), settings, create=True) as store:  # type: ignore[attr-defined]  # each closes itself
                fill(store)
            (HERE / f"{number}.mongo.jsonl").write_text(as_documents(address), "utf-8")
        finally:
            mongod.stop(servers)


def fill(store: Any) -> None:
    """A little of everything that has been released."""
    from tests.contract.things import HOUR_MS, answers, category, deal, finish, publish

    from thresher.records import (
        Counts,
        Gold,
        Invite,
        Job,
        Label,
        Purpose,
        Release,
        Round,
        Says,
        Source,
        Stage,
        Targets,
        Thresholds,
        Worker,
    )
    from thresher.store.claims import ClaimedLabels, keep_words, store_claim

    category(store, 6)
    store.categories.aim("car", Targets(0.9, 0.8, 0.1, method="certified", chosen="the cheapest"))
    store.people.add(Worker("w1", "Ada", False, "i1", 1))
    store.people.invite(Invite("i1", "car", "", 1))
    store.labels.hold("car", [Label(5, Says.NO, Source.OWNER, Purpose.IMPORT, 1, 2)])
    store.labels.gild("car", [Gold(5, Says.NO, 1, Source.OWNER)])
    publish(store, [0, 1], places=3)
    finish(store, "w1", gold=[5], no_right=1, no_shown=1, verdict=Stage.WEIGHTED, weight=0.5)
    held = deal(store, "w3", gold=[5])
    store.work.draft(held.id, answers(held)[:2], sequence=3, now_ms=300, lease_ms=HOUR_MS)
    store.work.give_back(deal(store, "w4").id, 400)
    publish(store, [2], purpose=Purpose.MINE_GOLD)
    made = Round(
        1, "car", 1, "x", "scores/car/1", Thresholds(-1.5, 2.5), Counts(1, 2, 3), 4, 5, {"a": 0.5}, "h", 9, 0.5,
        beside=("theirs aa",),
    )  # fmt: skip
    store.rounds.add(made, b"\0head")
    store.rounds.keep_evidence("car", 1, "ranking", b"\1\2\3")
    store.rounds.add_release(Release("r1", "car", 1, 1, "out", 3, {"precision": 0.9}, 99))
    store_claim(
        "car", ClaimedLabels("labels", np.array([0, 2]), np.array([True, False]), None, "aa", "csv", 9), store=store
    )
    keep_words("car", "a red car", store=store, now_ms=9)
    store.jobs.start(Job("j1", "harvest", "car", {"a.b": [1, None], "$c": 2}, "done", "h", 1, 5, 6, 7, 8, True, "x"))
    store.jobs.lease("loop/car", "me", 5, 10)


def as_sql(catalog: Path) -> str:
    sql = sqlite3.connect(catalog)
    lines = [re.sub(r"('secret',X')[0-9A-F]{64}", rf"\g<1>{NO_SECRET.hex()}", line) for line in sql.iterdump()]
    sql.close()
    return "\n".join(lines) + "\n"


def as_documents(address: str) -> str:
    """Each collection with its indexes, and behind it each of its documents, a line of extended JSON each."""
    lines: list[dict[str, Any]] = []
    with MongoClient[dict[str, Any]](address) as client:
        database = client[DATABASE]
        for name in sorted(database.list_collection_names()):
            indexes = [one for one in database[name].list_indexes() if one["name"] != "_id_"]
            lines.append({"collection": name, "indexes": [dict(one) for one in indexes]})
            for one in database[name].find().sort("_id", 1):
                kept = {**one, "secret": Binary(NO_SECRET)} if "secret" in one else one
                lines.append({"collection": name, "document": kept})
    return "".join(json_util.dumps(line, json_options=json_util.CANONICAL_JSON_OPTIONS) + "\n" for line in lines)


if __name__ == "__main__":
    main()
