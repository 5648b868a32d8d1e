"""Adjudication of an audit's images: people vote until one answer has a clear lead, or the owner decides.

An audit's answers stand for the whole pool, so each counts for many images and must be right; consensus of a few votes
is not enough. People are asked one after the other until one answer leads by three votes (Wald's sequential test for
two coins of known strength stops at such a lead); an image on which eleven people reach no lead goes to the owner.
"""

from collections.abc import Sequence

from thresher.records import NewAsk, Purpose, Says, Vote

LEAD = 3
MOST_VOTES = 11


def of_audit(votes: Sequence[Vote]) -> list[Vote]:
    """The votes of one image that an audit asked for; earlier votes on it are not used."""
    return [vote for vote in votes if vote.epoch > 0]


def leader(votes: Sequence[Vote]) -> Says | None:
    """The answer that leads by enough votes, or None. "Unsure" counts for neither answer."""
    lead = sum((vote.says is Says.YES) - (vote.says is Says.NO) for vote in votes)
    if abs(lead) < LEAD:
        return None
    return Says.YES if lead > 0 else Says.NO


def leads(said: Sequence[Says]) -> Says | None:
    """The answer that is the first to lead by enough, in the order in which people were asked; or None."""
    lead = 0
    for says in said[:MOST_VOTES]:
        lead += (says is Says.YES) - (says is Says.NO)
        if abs(lead) >= LEAD:
            return Says.YES if lead > 0 else Says.NO
    return None


def ask_on(row: int, votes: Sequence[Vote], people: int) -> NewAsk:
    """The next ask for an image without a leader: as many people as a lead would take, or the owner."""
    newest = votes[-1]
    voters = len({vote.worker for vote in votes})
    lead = abs(sum((vote.says is Says.YES) - (vote.says is Says.NO) for vote in votes))
    if len(votes) >= MOST_VOTES or people - voters < LEAD - lead:  # so few can't come to a lead
        return NewAsk(row, Purpose.ADJUDICATE, 1, priority=10.0, epoch=newest.epoch, draw=newest.draw)
    wanted = max(1, min(LEAD - lead, MOST_VOTES - len(votes)))
    return NewAsk(row, newest.purpose, wanted, priority=10.0, epoch=newest.epoch, draw=newest.draw)
