"""Write locks/*.txt: every package that is installed here, to the version and the SHA-256 of its files.

A version keeps the hashes of all its files, so that one lock serves every platform and Python from the oldest in
`requires-python` on. Pins that still fit pyproject.toml stay; `--upgrade NAME` raises one, `--upgrade all` each.

    make lock                      # after a change of the dependencies in pyproject.toml
    make lock UPGRADE=numpy        # or: UPGRADE="numpy scipy", UPGRADE=all
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import npm

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "locks"


@dataclass(frozen=True)
class Lock:
    """One file of locks/: who installs it, and where its requirements stand."""

    used_by: str
    asked: tuple[str, ...] = ()
    """Arguments for uv that name requirements in pyproject.toml."""
    line: str = ""
    """A requirement that stands elsewhere."""
    within: str = ""
    """The lock whose versions it keeps, because both are installed into one environment."""


def extra(name: str) -> str:
    """The only requirement of an extra of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (only,) = project["optional-dependencies"][name]
    return str(only)


FILES = {
    "pip": Lock(
        "make setup, before the rest: it installs in two thirds of the time of Python 3.11's own", line="pip>=25.1"
    ),
    "test": Lock("make setup: the dependencies and the group test", ("pyproject.toml", "--group", "test")),
    # alone: the environment has its numpy, and nothing here calls the telemetry that its own tools bring
    "openvino": Lock(
        "make test and make coverage: OpenVINO in a folder of its own, for the tests that run it",
        ("--no-deps", "-"),
        line=extra("openvino"),
        within="test",
    ),
    "bench": Lock("make bench: the group bench", ("--group", "bench"), within="test"),
    "lock": Lock("make lock: the group lock", ("--group", "lock")),
    "node": Lock("scripts/npm.py, where the machine has no Node", line=npm.BORROWED),
}


def oldest_python() -> str:
    """The oldest Python of pyproject.toml: 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = re.fullmatch(r">=(\d+\.\d+)", project["requires-python"])
    if found is None:
        sys.exit(
            f"requires-python is {project['requires-python']!r} in pyproject.toml, not a lower bound like '>=3.11'."
        )
    return found[1]


def write(name: str, upgrade: Sequence[str]) -> None:
    """Resolve one file anew."""
    lock, file = FILES[name], LOCKS / f"{name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--python-version", oldest_python(), "--no-header", "--annotation-style", "line"]
    # the addresses of registries are each machine's own affair
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += ["--upgrade"] if "all" in upgrade else [f"--upgrade-package={package}" for package in upgrade]
    command += ["--constraint", str(LOCKS / f"{lock.within}.txt")] if lock.within else []
    command += ["--output-file", str(file), *(lock.asked or ("-",))]
    done = subprocess.run(command, cwd=ROOT, input=lock.line, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"locks/{name}.txt cannot be resolved:\n{done.stderr.strip()}")
    pins = file.read_text("utf-8")
    file.write_text(f"# {lock.used_by}. Made by: make lock\n{pins}", "utf-8")
    print(f"locks/{name}.txt: {len(re.findall('^[a-z].*==', pins, re.MULTILINE))} packages")


def main() -> None:
    """Write the files in an order in which each finds the versions that it keeps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--upgrade", nargs="*", default=[], metavar="NAME", help="packages to raise, or: all")
    given = options.parse_args()
    LOCKS.mkdir(exist_ok=True)
    for name in FILES:
        write(name, given.upgrade)


if __name__ == "__main__":
    main()
