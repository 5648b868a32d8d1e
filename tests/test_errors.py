"""The tree of errors: each is drawn, says its line, and survives the way between processes."""

import inspect
import pickle
import re

import pytest

from thresher import errors
from thresher.errors import BadLine, Blocked, Missing, NotFetched, ThresherError, TryLater, Undecodable, without_secrets

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


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mongodb://ada:pw@host/cars", "mongodb://host/cars"),
        ("mongodb://ada:p/w@host/cars", "mongodb://host/cars"),
        ("mongodb+srv://ada:p?w@host/cars", "mongodb+srv://host/cars"),
        ("redis://:p#w@host:6379/0", "redis://host:6379/0"),
        ("ray://ada:27/w@host:10001", "ray://host:10001"),
        ("http://ada:pw@a.example/1.jpg", "http://a.example/1.jpg"),
        ("http://ada:p/w@a.example/1.jpg", "http://a.example/1.jpg"),
        ("http://a.example:8080/@ada/1.jpg", "http://a.example:8080/@ada/1.jpg"),
        ("http://a.example/1.jpg?size=3&X-Amz-Signature=abc", "http://a.example/1.jpg?size=3&X-Amz-Signature=..."),
        ("https://a.example/1?sv=2&sig=a%2Fb&se=3", "https://a.example/1?sv=2&sig=...&se=3"),
        ("s3://key:secret@bucket/a.tar", "s3://bucket/a.tar"),
        ("https://a.example/1?Key-Pair-Id=K&Signature=x~y", "https://a.example/1?Key-Pair-Id=K&Signature=..."),
        ("http://[::1]:80/a@b.jpg", "http://[::1]:80/a@b.jpg"),
    ],
)
def test_no_error_shows_a_password_or_a_signature_of_an_address(address: str, shown: str) -> None:
    error = ThresherError(f"{address} broke.", where=address, next=f"try {address}")
    assert str(error) == f"{shown}: {shown} broke. Next: try {shown}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert without_secrets(f"('{address}', 1)") == f"('{shown}', 1)"
