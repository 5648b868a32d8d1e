"""`--runs N` makes the tests near the boundary longer; the suite runs their short form."""

import pytest


@pytest.fixture
def runs(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--runs"))
