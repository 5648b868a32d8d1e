"""What is installed is locked by hash: locks/ fits pyproject.toml, names every file's hash, and names no address."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
NODE = re.findall(r'^BORROWED = "(.*)"', (ROOT / "scripts/npm.py").read_text("utf-8"), re.MULTILINE)
ASKED = {
    "test": PROJECT["project"]["dependencies"] + GROUPS["test"] + PROJECT["build-system"]["requires"],
    "openvino": PROJECT["project"]["optional-dependencies"]["openvino"],
    "bench": GROUPS["bench"],
    "lock": GROUPS["lock"],
    "node": NODE,
    "pip": ["pip"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("linux", "darwin", "win32")


def pins(name: str) -> list[tuple[Requirement, list[str]]]:
    """Every pin of a lock with its hashes."""
    text = (ROOT / "locks" / f"{name}.txt").read_text("utf-8")
    joined = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    return [
        (Requirement(line.partition(" --hash")[0]), re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line))
        for line in joined.splitlines()
    ]


def applies(marker: Marker | None, python: str, platform: str) -> bool:
    there = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": platform}
    there |= {"os_name": "nt" if platform == "win32" else "posix"}
    return marker is None or marker.evaluate({**there, "platform_python_implementation": "CPython"})


def test_each_lock_has_an_owner() -> None:
    assert {path.stem for path in LOCKS} == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_every_pin_is_one_version_with_hashes(name: str) -> None:
    found = pins(name)
    assert found
    loose = [str(pin) for pin, _ in found if [given.operator for given in pin.specifier] != ["=="]]
    assert loose == []
    assert [str(pin) for pin, hashes in found if not hashes] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_address(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"\w+://\S+|--(?:extra-)?index-url.*|--find-links.*| @ .*|/\S+/\S+/", text) == []


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_asked_for_is_locked_once_for_each_python_and_platform(name: str, python: str, platform: str) -> None:
    locked: dict[str, list[str]] = {}
    for pin, _ in pins(name):
        if applies(pin.marker, python, platform):
            locked.setdefault(canonicalize_name(pin.name), []).extend(given.version for given in pin.specifier)
    assert {package: versions for package, versions in locked.items() if len(versions) > 1} == {}
    unfit = [
        f"{wanted}: {locked.get(canonicalize_name(wanted.name))}. Next: make lock"
        for wanted in map(Requirement, ASKED[name])
        if not any(wanted.specifier.contains(version) for version in locked.get(canonicalize_name(wanted.name), []))
    ]
    assert unfit == []


def test_the_benchmarks_are_installed_beside_the_suite_without_changing_a_version() -> None:
    suite = {pin.name: pin.specifier for pin, _ in pins("test")}
    changed = [str(pin) for pin, _ in pins("bench") if suite.get(pin.name, pin.specifier) != pin.specifier]
    assert changed == []


def test_nothing_is_installed_past_the_locks() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = [line for line in makefile.splitlines() if "pip install" in line]
    assert len(installs) == 2
    hashed, own = installs
    assert hashed.startswith("INSTALL := ")
    assert "--require-hashes" in hashed
    assert "--only-binary :all:" in hashed
    for flag in ("--no-deps", "--no-index", "--no-build-isolation"):
        assert flag in own
    assert '"--require-hashes", "--requirement", str(LOCK)' in (ROOT / "scripts/npm.py").read_text("utf-8")


def test_the_pages_lock_has_a_hash_for_every_package_and_names_no_address() -> None:
    packages = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
