"""Words: what the first people say who are asked about an image, none of them by the audits of the freeze.

Only the method `adjudicated` uses them; its proof (evidence/adjudicated.py) needs words that don't depend on the draws.
So no vote that an audit of this freeze asked for is one of a word, and no label is a word. Votes that earlier freezes
asked for, or that were asked for to learn, may be: nothing that this freeze draws had an influence on them.
"""

from collections.abc import Collection, Sequence

from thresher.evidence import Code
from thresher.label.independent import votes_of_people
from thresher.records import Says, Vote
from thresher.store.contract import Store

CODES = {Says.YES: Code.YES, Says.NO: Code.NO, Says.UNSURE: Code.UNANSWERABLE}


def words_by_row(
    name: str, version: int, *, epoch: int, votes: int, labelled: Collection[int], store: Store
) -> dict[int, Code]:
    """The words that there are, by row: the answer that the first so many `votes` on an image agree on, else open.

    The votes of two people at one device count as one, and the owner's not at all. An image that has its trusted label
    already (`labelled`) gets no word any more. No model of the crowd is used: it would have learnt from the audits.
    """
    owners = {worker.id for worker in store.people.all() if worker.owner}
    cast: dict[int, list[Vote]] = {}
    for vote in votes_of_people(name, version, store=store, but_epoch=epoch):
        if vote.worker not in owners and vote.row not in labelled:
            cast.setdefault(vote.row, []).append(vote)
    return {row: word_of(first[:votes]) for row, first in cast.items() if len(first) >= votes}


def word_of(votes: Sequence[Vote]) -> Code:
    """The answer on which all these votes agree; UNANSWERABLE (an open word) if they do not."""
    said = {vote.says for vote in votes}
    return CODES[said.pop()] if len(said) == 1 else Code.UNANSWERABLE
