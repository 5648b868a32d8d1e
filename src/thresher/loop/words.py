"""Words: what the first people say who are asked about an image, none of them by the audits of the freeze.

Only the method `adjudicated` uses them; its proof (evidence/adjudicated.py) needs words that don't depend on the draws.
So no vote that an audit of this freeze asked for is one of a word, and no label is a word. Votes that earlier freezes
asked for, or that were asked for to learn, may be: nothing that this freeze draws had an influence on them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from thresher.evidence import Code
from thresher.label.independent import once_a_device, shared_devices
from thresher.records import Says, Vote
from thresher.store.contract import Store

CODES = {Says.YES: Code.YES, Says.NO: Code.NO, Says.UNSURE: Code.UNANSWERABLE}


@dataclass(frozen=True, slots=True)
class Voting:
    """Which votes make a word: so many (`count`) on an image, none that the audits of the freeze `epoch` asked for.

    The votes of `owners` do not count, and those of people at one device count as one (`shared`, independent.py).
    """

    epoch: int
    count: int
    owners: Collection[str] = ()
    shared: Mapping[str, frozenset[str]] = field(default_factory=dict)


def words_by_row(
    name: str, version: int, *, epoch: int, count: int, labelled: Collection[int], store: Store
) -> dict[int, Code]:
    """The words that there are, by row; an image that has its trusted label already (`labelled`) gets none any more."""
    owners = {worker.id for worker in store.people.all() if worker.owner}
    voting = Voting(epoch, count, owners, shared_devices(store=store))
    return words_from(store.labels.votes(name, version), voting, labelled)


def words_from(votes: Sequence[Vote], voting: Voting, labelled: Collection[int]) -> dict[int, Code]:
    """The words by row, from votes in order of time: the answer that the first votes on an image agree on, else open.

    No model of the crowd is used, because it would have learnt from the audits.
    """
    ours = [
        vote
        for vote in votes
        if vote.epoch != voting.epoch and vote.worker not in voting.owners and vote.row not in labelled
    ]
    cast: dict[int, list[Vote]] = {}
    for vote in once_a_device(ours, voting.shared):
        cast.setdefault(vote.row, []).append(vote)
    return {row: _word(first[: voting.count]) for row, first in cast.items() if len(first) >= voting.count}


def _word(votes: Sequence[Vote]) -> Code:
    said = {vote.says for vote in votes}
    return CODES[said.pop()] if len(said) == 1 else Code.UNANSWERABLE
