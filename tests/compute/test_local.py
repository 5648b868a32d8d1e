import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from thresher.compute.local import Local
from thresher.errors import JobFailed

ROOT = Path(__file__).parents[2]
TWO = Local(2)


def grow(size: int) -> bytes:
    return b"x" * size


def weigh(data: bytes) -> int:
    return len(data)


def who(_: int) -> int:
    return os.getpid()


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


def test_the_work_is_done_by_other_processes_as_many_as_wanted() -> None:
    found = set(TWO.spread(who, range(60)))
    assert os.getpid() not in found
    assert len(found) == 2


def test_one_item_starts_one_process() -> None:
    assert len(list(Local(8).spread(who, [1]))) == 1
    assert children() == 0


def test_large_items_and_large_results_pass_both_ways_at_once() -> None:
    size = 3_000_000
    assert [len(data) for data in TWO.spread(grow, [size] * 12)] == [size] * 12
    assert list(TWO.spread(weigh, (b"x" * size for _ in range(12)))) == [size] * 12


def test_items_and_results_that_cannot_travel_are_the_jobs_failure() -> None:
    with pytest.raises(JobFailed, match="cannot pickle"):
        list(TWO.spread(type, [1, threading.Lock()]))
    with pytest.raises(JobFailed, match="cannot pickle"):
        list(TWO.spread(unpicklable, range(10)))
    assert children() == 0


def test_a_process_killed_under_its_work_is_told_with_the_signal() -> None:
    with pytest.raises(JobFailed, match="job dies_at_three: its process ended with signal SIGKILL"):
        list(TWO.spread(dies_at_three, range(10)))
    assert children() == 0


def test_who_asks_may_answer_for_an_item_that_kills_its_process() -> None:
    found = list(TWO.spread(dies_at_three, range(40), died=lambda number: -number))
    assert found == [-n if n == 3 else n for n in range(40)]
    assert children() == 0


def test_a_process_that_cannot_start_is_no_death_of_an_item(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(JobFailed, match="could not be started"):
        list(TWO.spread(Unopenable(), range(4), died=lambda number: number))
    assert "no number" in capfd.readouterr().err


def test_an_abandoned_spread_leaves_no_process() -> None:
    results = TWO.spread(time.sleep, [0.0, 60.0, 60.0])
    next(results)
    began = time.monotonic()
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert time.monotonic() - began < 20  # the job would take 60 seconds
    assert children() == 0


def test_it_works_from_a_thread_while_others_run() -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(TWO.spread(len, ["a"] * 5))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 10


SCRIPT = """
import sys, time
sys.path[:0] = [{root!r}]
from tests.compute.test_local import announce
from thresher.compute.local import Local
if __name__ == "__main__":
    try:
        for _ in Local(2).spread(announce, [{marks!r}] * 8):
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
