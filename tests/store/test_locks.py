"""Locks of files: the kernel releases them when their process is killed; without them a store says so."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from thresher.store.locks import lock_if_free, unlock

SOURCE = Path(__file__).parents[2] / "src" / "thresher"
HOLDS = """
import os, sys
from thresher.store.locks import lock
lock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
print("held", flush=True)
sys.stdin.read()
"""
# with libraries loaded before, which would look for files of that system
ON_WINDOWS = """
import sys, sysconfig
sysconfig.get_config_vars()
import numpy, rich.console, thresher.cli.main
sys.platform = "win32"
for module in [name for name in sys.modules if name.startswith("thresher.store")]:
    del sys.modules[module]
from thresher.__main__ import main
main()
"""


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        descriptor = os.open(file, os.O_RDWR)
        assert not lock_if_free(descriptor)
        holder.kill()
        holder.wait()
        assert lock_if_free(descriptor)
        other = os.open(file, os.O_RDWR)
        assert not lock_if_free(other), "an opening of its own waits, in one process too"
        unlock(descriptor)
        assert lock_if_free(other)
        os.close(descriptor)
        os.close(other)


def test_one_file_alone_knows_how_files_are_locked() -> None:
    def imported(file: Path) -> set[str]:
        found = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Import)]
        return {alias.name for node in found for alias in node.names}

    assert [file.name for file in SOURCE.rglob("*.py") if "fcntl" in imported(file)] == ["locks.py"]


@pytest.mark.parametrize("command", [("status",), ("init", "cars")])
def test_on_windows_a_store_is_one_line_that_names_wsl2(tmp_path: Path, command: tuple[str, ...]) -> None:
    run = on_windows(*command, at=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert "WSL2" in line
    assert "wsl --install" in line


def test_a_release_is_verified_without_any_store(tmp_path: Path) -> None:
    run = on_windows("verify", str(tmp_path), at=tmp_path)
    assert "certificate.json: cannot be read" in run.stderr


def on_windows(*arguments: str, at: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", ON_WINDOWS, *arguments]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=60)
