"""The autopilot rests as long as it looked, and never long."""

import pytest

from thresher.loop.autopilot import LONGEST_REST_SECONDS, REST_SECONDS, rest_seconds


@pytest.mark.parametrize(("looked", "rests"), [(0.01, REST_SECONDS), (2.0, 2.0), (900.0, LONGEST_REST_SECONDS)])
def test_a_loop_rests_as_long_as_it_looked_but_an_hour_of_embedding_is_no_hour_of_rest(
    looked: float, rests: float
) -> None:
    assert rest_seconds(looked) == rests
