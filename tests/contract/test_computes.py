"""What every compute keeps, one body for all of them."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from thresher.compute import COMPUTES, Compute, cores, open_compute
from thresher.errors import BadLine, BadSetting, JobFailed
from thresher.records import Progress
from thresher.settings import Settings

PLACES = ("local", "inline")
"""What is opened; a further compute is a place more here, and the tests stay as they are."""


@pytest.fixture(params=PLACES)
def compute(request: pytest.FixtureRequest, settings: Settings) -> Compute:
    """A compute that does two items at once, where it does more than one."""
    return open_compute(request.param, settings.but(processes=2))


def double(number: int) -> int:
    return 2 * number


def slow_when_even(number: int) -> int:
    time.sleep(0.02 if number % 2 == 0 else 0)
    return number


def bad_line(number: int) -> int:
    if number == 3:
        raise BadLine("no.", file="a.csv", line=7)
    return number


def fails(number: int) -> int:
    if number == 3:
        raise ZeroDivisionError("by nothing")
    return number


def children() -> int:
    return len(multiprocessing.active_children())


def test_every_compute_there_is_is_held_to_this() -> None:
    assert {COMPUTES[place] for place in PLACES} == set(COMPUTES.values())


def test_results_come_in_the_order_of_the_items(compute: Compute) -> None:
    assert list(compute.spread(slow_when_even, range(40))) == list(range(40))


def test_no_items_are_no_results(compute: Compute) -> None:
    assert list(compute.spread(double, [])) == []


def test_items_are_taken_only_as_places_become_free(compute: Compute) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = compute.spread(double, items())
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert taken <= 5 + 8
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert children() == 0


def test_each_result_is_reported_in_turn(compute: Compute) -> None:
    heard: list[Progress] = []
    assert len(list(compute.spread(double, range(5), report=heard.append))) == 5
    assert heard == [Progress("work", n, 5, "items") for n in range(1, 6)]


def test_after_stop_nothing_is_begun_and_what_was_is_finished(compute: Compute) -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 10

    assert list(compute.spread(double, range(1000), stop=stop)) == list(range(0, 20, 2))
    assert children() == 0


def test_an_error_of_ours_travels_whole(compute: Compute) -> None:
    with pytest.raises(BadLine) as caught:
        list(compute.spread(bad_line, range(10)))
    assert (caught.value.file, caught.value.line) == ("a.csv", 7)
    assert children() == 0


def test_any_other_error_becomes_one_of_ours_and_names_the_job(compute: Compute) -> None:
    with pytest.raises(JobFailed, match="job fails: ZeroDivisionError: by nothing"):
        list(compute.spread(fails, range(10)))


def test_an_error_of_the_items_is_raised_after_what_came_before_it(compute: Compute) -> None:
    def items() -> Iterator[int]:
        yield from range(7)
        raise BadLine("cut off.", file="a.tar", line=8)

    done: list[int] = []
    with pytest.raises(BadLine, match="cut off"):
        done.extend(compute.spread(slow_when_even, items()))
    assert done == list(range(7))


def test_a_job_that_cannot_travel_is_told_before_any_item_is_taken(compute: Compute) -> None:
    def untouched() -> Iterator[int]:
        raise AssertionError("an item was taken")
        yield 1

    with pytest.raises(JobFailed, match="cannot be sent to a process"):
        compute.spread(lambda n: n, untouched())
    with pytest.raises(JobFailed, match="cannot be sent to a process"):
        compute.spread(partial(max, threading.Lock()), untouched())


def test_all_places_together_use_no_more_cores_than_there_are(compute: Compute) -> None:
    assert compute.threads >= 1
    assert compute.places * compute.threads <= max(cores(), compute.places)


def test_few_items_are_worked_on_in_the_calling_process(settings: Settings) -> None:
    for place in PLACES:
        compute = open_compute(place, settings, few=True)
        assert (compute.places, list(compute.spread(double, [1, 2]))) == (1, [2, 4])
        assert list(compute.spread(is_child, [1])) == [False]


def is_child(_: int) -> bool:
    return multiprocessing.parent_process() is not None


@pytest.mark.parametrize("place", ["threads", "ray://head:10001", "local://", "inline://x"])
def test_a_compute_that_there_is_not_is_told_with_those_there_are(place: str, settings: Settings) -> None:
    for few in (False, True):
        with pytest.raises(BadSetting, match=r"unknown compute .*; known are local, inline"):
            open_compute(place, settings, few=few)


def test_one_process_is_the_calling_one(settings: Settings) -> None:
    assert list(open_compute("local", settings.but(processes=1)).spread(is_child, [1])) == [False]
    assert list(open_compute("local", settings.but(processes=2)).spread(is_child, [1])) == [True]
    assert list(open_compute("inline", settings.but(processes=2)).spread(is_child, [1])) == [False]
