"""Rounds, the evidence of certificates, and releases."""

from typing import Protocol

from thresher.records import Release, Round


class Rounds(Protocol):
    """Rounds of training, the frozen states of certificates, and releases."""

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        """Record a finished round and its head. Raises AlreadyThere for a number that exists."""

    def head(self, category: str, number: int) -> bytes:
        """The trained head (classifier) of a round."""

    def latest(self, category: str, version: int) -> Round | None:
        """The newest round of a question's version."""

    def all(self, category: str) -> list[Round]:
        """Every round of a category, oldest first."""

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        """Store a piece of a certificate's frozen state, once; the same piece with other bytes raises Conflict."""

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        """A stored piece, or None."""

    def epochs(self, category: str) -> list[int]:
        """The numbers of the freezes (epochs) that have stored evidence, ascending; epoch 0 is of none of them."""

    def add_release(self, release: Release) -> None:
        """Record a release."""

    def releases(self, category: str) -> list[Release]:
        """Every release of a category, oldest first."""
