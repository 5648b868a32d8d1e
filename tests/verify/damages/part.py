"""The damages of one part of a release, and the names of its files."""

from collections.abc import Callable
from typing import Any

from tests.verify.tampering import Release

Damage = Callable[[Release], Any]
EVERY = ("certified", "adjudicated", "precision", "recall", "labels")
CERTIFICATE, LOG, POOL = "certificate.json", "audit-log.jsonl", "pool.parquet"
EVIDENCE, TABLE, CARD, MANIFEST = "evidence.parquet", "images.parquet", "README.md", "release.json"


class Part:
    """Decorates the damages of a part: each has a name, what it does, and the methods whose releases it is done to.

    One without methods is done to one of them, in turn, beginning with `first`: parts of few damages begin with
    different ones.
    """

    def __init__(self, first: str) -> None:
        self.first = EVERY.index(first)
        self.damages: dict[str, tuple[Damage, tuple[str, ...]]] = {}

    def __call__(self, name: str, *methods: str) -> Callable[[Damage], Damage]:
        def noted(does: Damage) -> Damage:
            assert name not in self.damages
            turn = EVERY[(self.first + len(self.damages)) % len(EVERY)]
            self.damages[name] = (does, methods or (turn,))
            return does

        return noted
