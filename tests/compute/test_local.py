import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from thresher.compute import spread
from thresher.errors import BadLine, JobFailed
from thresher.records import Progress

ROOT = Path(__file__).parents[2]
HOWEVER = pytest.mark.parametrize("processes", [1, 2])


def double(number: int) -> int:
    return 2 * number


def slow_when_even(number: int) -> int:
    time.sleep(0.02 if number % 2 == 0 else 0)
    return number


def grow(size: int) -> bytes:
    return b"x" * size


def weigh(data: bytes) -> int:
    return len(data)


def who(_: int) -> int:
    return os.getpid()


def bad_line(number: int) -> int:
    if number == 3:
        raise BadLine("no.", file="a.csv", line=7)
    return number


def fails(number: int) -> int:
    if number == 3:
        raise ZeroDivisionError("by nothing")
    return number


def dies_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def unpicklable(number: int) -> object:
    return threading.Lock() if number == 3 else number


class Unopenable:
    """Pickles, and cannot be unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("no number",))

    def __call__(self, number: int) -> int:
        return number


def children() -> int:
    return len(multiprocessing.active_children())


@HOWEVER
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(spread(slow_when_even, range(40), processes=processes)) == list(range(40))


@HOWEVER
def test_no_items_are_no_results(processes: int) -> None:
    assert list(spread(double, [], processes=processes)) == []


def test_the_work_is_done_by_other_processes_as_many_as_wanted() -> None:
    found = set(spread(who, range(60), processes=2))
    assert os.getpid() not in found
    assert len(found) == 2
    assert set(spread(who, range(3), processes=1)) == {os.getpid()}


def test_one_item_starts_one_process() -> None:
    assert len(list(spread(who, [1], processes=8))) == 1
    assert children() == 0


def test_large_items_and_large_results_pass_both_ways_at_once() -> None:
    size = 3_000_000
    assert [len(data) for data in spread(grow, [size] * 12, processes=2)] == [size] * 12
    assert list(spread(weigh, (b"x" * size for _ in range(12)), processes=2)) == [size] * 12


@HOWEVER
def test_items_are_taken_only_as_places_become_free(processes: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = spread(double, items(), processes=processes)
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert taken <= 5 + 8
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert children() == 0


@HOWEVER
def test_each_result_is_reported_in_turn(processes: int) -> None:
    heard: list[Progress] = []
    assert len(list(spread(double, range(5), processes=processes, report=heard.append))) == 5
    assert heard == [Progress("work", n, 5, "items") for n in range(1, 6)]


@HOWEVER
def test_after_stop_nothing_is_begun_and_what_was_is_finished(processes: int) -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 10

    assert list(spread(double, range(1000), processes=processes, stop=stop)) == list(range(0, 20, 2))
    assert children() == 0


@HOWEVER
def test_an_error_of_ours_travels_whole(processes: int) -> None:
    with pytest.raises(BadLine) as caught:
        list(spread(bad_line, range(10), processes=processes))
    assert (caught.value.file, caught.value.line) == ("a.csv", 7)
    assert children() == 0


@HOWEVER
def test_any_other_error_becomes_one_of_ours_and_names_the_job(processes: int) -> None:
    with pytest.raises(JobFailed, match="job fails: ZeroDivisionError: by nothing"):
        list(spread(fails, range(10), processes=processes))


@HOWEVER
def test_an_error_of_the_items_is_raised_after_what_came_before_it(processes: int) -> None:
    def items() -> Iterator[int]:
        yield from range(7)
        raise BadLine("cut off.", file="a.tar", line=8)

    done: list[int] = []
    with pytest.raises(BadLine, match="cut off"):
        done.extend(spread(slow_when_even, items(), processes=processes))
    assert done == list(range(7))


@HOWEVER
def test_a_job_that_cannot_travel_is_told_before_any_item_is_taken(processes: int) -> None:
    def untouched() -> Iterator[int]:
        raise AssertionError("an item was taken")
        yield 1

    with pytest.raises(JobFailed, match="cannot be sent to a process"):
        spread(lambda n: n, untouched(), processes=processes)
    with pytest.raises(JobFailed, match="cannot be sent to a process"):
        spread(partial(max, threading.Lock()), untouched(), processes=processes)


def test_items_and_results_that_cannot_travel_are_the_jobs_failure() -> None:
    with pytest.raises(JobFailed, match="cannot pickle"):
        list(spread(type, [1, threading.Lock()], processes=2))
    with pytest.raises(JobFailed, match="cannot pickle"):
        list(spread(unpicklable, range(10), processes=2))
    assert children() == 0


def test_a_process_killed_under_its_work_is_told_with_the_signal() -> None:
    with pytest.raises(JobFailed, match="job dies_at_three: its process ended with signal SIGKILL"):
        list(spread(dies_at_three, range(10), processes=2))
    assert children() == 0


def test_who_asks_may_answer_for_an_item_that_kills_its_process() -> None:
    found = list(spread(dies_at_three, range(40), processes=2, died=lambda number: -number))
    assert found == [-n if n == 3 else n for n in range(40)]
    assert children() == 0


def test_a_process_that_cannot_start_is_no_death_of_an_item(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(JobFailed, match="could not be started"):
        list(spread(Unopenable(), range(4), processes=2, died=lambda number: number))
    assert "no number" in capfd.readouterr().err


def test_an_abandoned_spread_leaves_no_process() -> None:
    results = spread(time.sleep, [0.0, 60.0, 60.0], processes=2)
    next(results)
    began = time.monotonic()
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert time.monotonic() - began < 20  # the job would take 60 seconds
    assert children() == 0


def test_it_works_from_a_thread_while_others_run() -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(spread(double, range(5), processes=2))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([0, 2, 4, 6, 8] * 2)


SCRIPT = """
import sys, time
sys.path[:0] = [{root!r}]
from tests.compute.test_local import announce
from thresher.compute import spread
if __name__ == "__main__":
    try:
        for _ in spread(announce, [{marks!r}] * 8, processes=2):
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


def announce(marks: str) -> None:
    """Leave a file named after this process, then be busy for long."""
    (Path(marks) / str(os.getpid())).touch()
    time.sleep(60)


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_however_the_parent_ends_its_processes_end_too(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    marks = tmp_path / "marks"
    marks.mkdir()
    script.write_text(SCRIPT.format(root=str(ROOT), marks=str(marks)), "utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(list(marks.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    pids = [int(mark.name) for mark in marks.iterdir()]
    assert len(pids) == 2
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # Ctrl-C goes to everybody in the terminal
    else:
        parent.send_signal(how)
    out, err = parent.communicate(timeout=60)
    assert eventually_gone(pids)
    if how == signal.SIGINT:
        assert (out, parent.returncode) == ("interrupted\n", 130)
        assert "Traceback" not in err  # one that is hit while it still imports may leave its name, never a trace
