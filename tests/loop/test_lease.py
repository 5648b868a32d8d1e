"""The loop of a category belongs to one process; when that one is killed, the next need not wait."""

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.commands import process, thresher
from tests.counting import counted
from tests.server.people import add_category

from thresher.compute.process import this_process
from thresher.errors import Busy
from thresher.loop.jobs import DEAD_AFTER_MS, READ_AGAIN_MS, Runs, alive
from thresher.loop.lease import LEASE_MS, held, runs
from thresher.records import Job, now_ms
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store

HOLDS = """
import sys, time
from pathlib import Path
from thresher.loop.lease import held
from thresher.settings import read_settings
from thresher.store import open_store
store = open_store(sys.argv[1], read_settings(Path(sys.argv[1])))
with held("car", store=store):
    print("held", flush=True)
    time.sleep(60)
"""


def start(workspace: Path) -> "subprocess.Popen[str]":
    """A process that holds the lease of the loop of "car"."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(workspace)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    with holder.stdout as said:
        assert said.readline() == "held\n"
    return holder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "cars"
    assert thresher("init", place).returncode == 0
    with closing(open_store(str(place), read_settings(place))) as store:
        add_category(store)
    return place


def test_the_lease_of_a_killed_process_is_taken_over_at_once(workspace: Path) -> None:
    holder = start(workspace)
    with closing(open_store(str(workspace), read_settings(workspace))) as store:
        assert runs("car", now_ms(), store=store)
        with pytest.raises(Busy), held("car", store=store):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert store.jobs.holder("loop/car", now_ms())  # its lease has not run out
        assert not runs("car", now_ms(), store=store)
        with held("car", store=store):
            assert runs("car", now_ms(), store=store)


def test_run_says_that_another_process_runs_the_loop_only_while_one_does(workspace: Path) -> None:
    holder = start(workspace)
    busy = thresher("run", "car", at=workspace)
    assert (busy.returncode, "another process runs the loop of car" in busy.stderr) == (2, True)
    holder.kill()
    holder.wait()
    begun = time.monotonic()
    run = process("run", "car", at=workspace)  # its pool is empty
    assert "another process" not in run.stderr
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - begun < LEASE_MS / 1000


def test_a_lease_from_another_machine_is_waited_for_until_it_runs_out(store: Store) -> None:
    add_category(store)
    assert store.jobs.lease("loop/car", "elsewhere|boot|space|7|99|id", now_ms(), 60_000)
    assert runs("car", now_ms(), store=store)
    with pytest.raises(Busy), held("car", store=store):
        pass


def test_a_killed_job_is_not_alive_although_its_heart_beat_just_now() -> None:
    ended = subprocess.Popen(
        [sys.executable, "-c", "from thresher.compute.process import this_process as t; print(t())"],
        stdout=subprocess.PIPE,
        text=True,
    )
    name = ended.communicate()[0].strip()
    job = Job("1", "loop", "", {}, "running", "", 0, 100, 100)
    assert alive(job, 101)  # it has been started, and has not begun yet
    assert alive(Job("1", "loop", "", {}, "running", "", 0, 100, 100, process=this_process()), 101)
    assert not alive(Job("1", "loop", "", {}, "running", "", 0, 100, 100, process=name), 101)
    assert not alive(job, 100 + DEAD_AFTER_MS)


def test_whether_a_job_runs_is_told_without_reading_its_record_each_time(store: Store) -> None:
    own, calls = counted(store)
    job = Job("1", "loop", "", {}, "running", "", 0, 100, 100)
    store.jobs.start(job)
    runs_still = Runs(job, own)
    assert runs_still(100)
    store.jobs.began("1", this_process(), 200)
    assert all(runs_still(at_ms) for at_ms in range(300, 400))
    assert calls == {"jobs.get": 2}  # until it has begun, and once more
    assert runs_still(300 + READ_AGAIN_MS)
    assert calls == {"jobs.get": 3}
    assert not runs_still(200 + DEAD_AFTER_MS + READ_AGAIN_MS)  # its process hangs
    store.jobs.finish("1", "done", "", 10**6)
    assert not runs_still(10**6 + READ_AGAIN_MS)


def test_a_job_that_was_killed_is_seen_at_once(store: Store) -> None:
    own, calls = counted(store)
    ended = subprocess.Popen(
        [sys.executable, "-c", "from thresher.compute.process import this_process as t; print(t()); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ended.stdout
    store.jobs.start(Job("1", "loop", "", {}, "running", "", 0, 100, 100, process=ended.stdout.readline().strip()))
    runs_still = Runs(store.jobs.get("1"), own)
    assert runs_still(101)
    calls.clear()
    ended.kill()
    ended.communicate()
    assert not runs_still(102)
    assert not calls
