"""The tree of errors: each is drawn, says its line, and survives the way between processes."""

import inspect
import pickle
import re

import pytest

from thresher import errors
from thresher.errors import BadLine, Blocked, Missing, NotFetched, ThresherError, TryLater, Undecodable

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, ThresherError)]
SAMPLES: list[ThresherError] = [
    ThresherError("it broke.", where="here", next="mend it"),
    BadLine("'x' is not yes or no.", file="gold.csv", line=3, next="write yes or no"),
    Undecodable("truncated", "the file ends too early.", where="a.jpg"),
    Blocked("10.0.0.1 is private.", reason="blocked-address", where="http://a.example/"),
    NotFetched("the site answered 429.", reason="fetch-status-429", where="http://a.example/", after_seconds=3.0),
    TryLater("the site did not answer.", after_seconds=20.0, where="a.example", next="reload the page"),
    Missing("pymongo", 'pip install "thresher[mongo]"'),
]


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = set(re.findall(r"── ([A-Z]\w+) ", errors.__doc__ or ""))
    assert {c.__name__ for c in CLASSES} - {"ThresherError"} <= drawn


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_survives_the_way_between_processes(error: ThresherError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_an_error_is_one_line_with_place_and_next_step() -> None:
    assert str(SAMPLES[0]) == "here: it broke. Next: mend it"
    assert str(SAMPLES[1]) == "gold.csv, line 3: 'x' is not yes or no. Next: write yes or no"


def test_every_error_has_a_status_and_a_kind_for_the_api() -> None:
    assert all(400 <= c.status < 600 and re.fullmatch(r"[a-z-]+", c.kind) for c in CLASSES)
