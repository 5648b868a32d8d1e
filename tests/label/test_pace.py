import pytest

from thresher.label.pace import pace
from thresher.records import Given, Says


def given(*seconds: float, says: Says | None = None) -> list[Given]:
    both = (Says.YES, Says.NO)
    return [Given(place, says or both[place % 2], 0.1, spent) for place, spent in enumerate(seconds)]


def test_a_careful_pace_is_told_and_not_remarked_on() -> None:
    found = pace(given(0.8, 1.0, 0.9, 1.2, 30.0))
    assert found.seconds == 1.0
    assert found.flags == ()


def test_a_median_below_looking_is_remarked_on() -> None:
    assert "less than 0.4 seconds" in " ".join(pace(given(0.3, 0.35, 0.39, 5.0)).flags)


def test_many_answers_in_a_blink_are_remarked_on_once() -> None:
    assert len(pace(given(0.1, 0.1, 1.0, 1.0, 1.0)).flags) == 1
    assert len(pace(given(0.1, 0.1, 0.1)).flags) == 1


def test_one_answer_throughout_is_remarked_on() -> None:
    assert pace(given(*[1.0] * 20, says=Says.NO)).flags == ("Every answer was the same.",)
    assert pace(given(*[1.0] * 19, says=Says.NO)).flags == ()


def test_no_answers_have_no_pace() -> None:
    assert pace([]).seconds is None


@pytest.mark.parametrize("seconds", [0.05, 0.39, 0.41, 2.0])
def test_flags_are_whole_sentences(seconds: float) -> None:
    assert all(flag[0].isupper() and flag.endswith(".") for flag in pace(given(*[seconds] * 30, says=Says.YES)).flags)
