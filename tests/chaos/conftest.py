"""`--rounds N` makes the chaos longer; the suite runs its short form."""

import pytest


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--rounds"))
