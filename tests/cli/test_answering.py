"""The progress of an audit of labels, as the command tells it."""

import pytest
from tests.filled import NAME, add, fill

from thresher.cli import answering
from thresher.loop.taken import Order
from thresher.loop.turn import Turn
from thresher.records import Targets
from thresher.store.contract import Store


def test_progress_is_computed_after_answers_and_once_more_when_they_are_processed_but_not_while_nothing_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(store, 3)
    words = iter(["", "6 answers.", "6 answers.", "7 answers."])
    monkeypatch.setattr(answering, "told", lambda _name, **_: next(words))
    heard = answering._teller([Order("car", NAME, "Is this a car?", Targets(method="labels"))], store)
    for _ in range(5):
        heard(NAME, Turn("asking", ""))
    assert capsys.readouterr().out == "car: 6 answers.\n"
    add(store, [3])  # anything that the counters of the category show
    for _ in range(5):
        heard(NAME, Turn("asking", ""))
    assert capsys.readouterr().out == "car: 7 answers.\n"
    assert not list(words)
