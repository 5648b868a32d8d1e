"""What every test of the loop starts from: audits that draw alike each time."""

import itertools
import secrets

import pytest


@pytest.fixture(autouse=True)
def _audits_draw_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is false with probability delta, so with a seed of chance a test of its truth fails now and then."""
    drawn = itertools.count(1)
    monkeypatch.setattr(secrets, "token_hex", lambda size: f"{next(drawn):0{2 * size}x}")
