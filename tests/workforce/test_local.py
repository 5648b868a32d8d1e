import pytest

from thresher.errors import Denied
from thresher.records import Assignment, Given, Says, Stage
from thresher.workforce.contract import Claim, Done, Workforce
from thresher.workforce.links import Links
from thresher.workforce.local import Local

LINKS = Links(b"k" * 32)


def test_a_personal_link_says_who_comes() -> None:
    local: Workforce = Local(LINKS)
    assert local.entry({"t": LINKS.worker("w1")}) == Claim(worker="w1")
    assert local.entry({"invite": LINKS.invite("i1")}) == Claim(invite="i1")


def test_a_forged_or_a_missing_link_is_refused() -> None:
    local = Local(LINKS)
    for parameters in ({}, {"t": "w1"}, {"t": LINKS.invite("i1")}, {"workerId": "w1"}):
        with pytest.raises(Denied):
            local.entry(parameters)


def test_a_finished_assignment_ends_with_its_receipt() -> None:
    sent = Assignment("a", 1, "car", 1, "w", Stage.SENT, (), 0, 0, 5, (Given(0, Says.YES, 1.0, 1.0),))
    handed = Local(LINKS).finish(sent)
    assert isinstance(handed, Done)
    assert LINKS.proves(handed.receipt, sent)
