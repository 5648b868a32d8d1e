"""A process is known by more than its number, so that a lease of a killed one is not waited for."""

import os
import signal
import subprocess
import sys

import pytest

from thresher.compute.process import SEPARATOR, is_gone, this_process

NAMES_ITSELF = (
    "import time; from thresher.compute.process import this_process; print(this_process(), flush=True); time.sleep(60)"
)


def start() -> "tuple[subprocess.Popen[str], str]":
    """A process, and the name it has for itself."""
    child = subprocess.Popen([sys.executable, "-c", NAMES_ITSELF], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    with child.stdout as said:
        return child, said.readline().strip()


def changed(process: str, place: int, to: str) -> str:
    parts = process.split(SEPARATOR)
    parts[place] = to
    return SEPARATOR.join(parts)


def test_a_process_is_there_until_it_is_killed_even_if_nobody_has_heard_of_its_end() -> None:
    child, name = start()
    assert not is_gone(name)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
    if sys.platform == "linux":
        assert is_gone(name)
    child.wait()
    assert is_gone(name)


def test_every_process_has_a_name_of_its_own_and_always_the_same() -> None:
    child, name = start()
    child.kill()
    child.wait()
    assert name != this_process() == this_process()
    assert not is_gone(this_process())


@pytest.mark.skipif(sys.platform != "linux", reason="when a process was started is read from /proc")
def test_a_number_that_was_given_to_a_later_process_is_no_sign_of_life() -> None:
    assert is_gone(changed(this_process(), -1, "1"))


@pytest.mark.parametrize("place", [0, 1, 2], ids=["host", "start of the machine", "space of numbers"])
def test_of_a_process_elsewhere_nothing_is_known(place: int) -> None:
    """Another container may share the host's name, and has a process of every number too."""
    child, name = start()
    child.kill()
    child.wait()
    assert is_gone(name)
    assert not is_gone(changed(name, place, "elsewhere"))


@pytest.mark.parametrize("name", ["", "host:7:0190", "a|b", "|||x|y", "||||||"])
def test_of_a_name_that_no_process_has_nothing_is_known(name: str) -> None:
    assert not is_gone(name)
