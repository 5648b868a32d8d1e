"""What an audit rests on: a sequential vote to a clear lead, or the owner's word. Cheap consensus will not do there.

An audit's answers stand for the whole pool, so each counts for many and must be right. People are asked one after the
other until one answer leads by three (Wald's sequential test for two coins of known strength stops at such a lead); an
image on which eleven people find no lead goes to the owner.
"""

from collections.abc import Sequence

from thresher.records import NewAsk, Purpose, Says, Vote

LEAD = 3
MOST_VOTES = 11


def of_audit(votes: Sequence[Vote]) -> list[Vote]:
    """The votes of one image that a certificate's epoch asked for; fresh ones, whatever was said of it before."""
    return [vote for vote in votes if vote.epoch > 0]


def leader(votes: Sequence[Vote]) -> Says | None:
    """The answer that leads by enough, or None. "Unsure" speaks for neither."""
    lead = sum((vote.says is Says.YES) - (vote.says is Says.NO) for vote in votes)
    if abs(lead) < LEAD:
        return None
    return Says.YES if lead > 0 else Says.NO


def leads(said: Sequence[Says]) -> Says | None:
    """The answer that is the first to lead by enough when people are asked one after the other; or None."""
    lead = 0
    for says in said[:MOST_VOTES]:
        lead += (says is Says.YES) - (says is Says.NO)
        if abs(lead) >= LEAD:
            return Says.YES if lead > 0 else Says.NO
    return None


def ask_on(row: int, votes: Sequence[Vote], people: int) -> NewAsk:
    """What to ask next of an image without a leader: as many people as a lead would take, or the owner."""
    newest = votes[-1]
    voters = len({vote.worker for vote in votes})
    lead = abs(sum((vote.says is Says.YES) - (vote.says is Says.NO) for vote in votes))
    if len(votes) >= MOST_VOTES or people - voters < LEAD - lead:  # so few can't come to a lead
        return NewAsk(row, Purpose.ADJUDICATE, 1, priority=10.0, epoch=newest.epoch, draw=newest.draw)
    wanted = max(1, min(LEAD - lead, MOST_VOTES - len(votes)))
    return NewAsk(row, newest.purpose, wanted, priority=10.0, epoch=newest.epoch, draw=newest.draw)
