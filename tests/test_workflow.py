"""The workflow runs on the Pythons that are supported, with actions that nobody can change under it and no rights."""

import re
import tomllib
from pathlib import Path

from tests.test_locks import PYTHONS

ROOT = Path(__file__).parents[1]
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")


def test_it_runs_the_suite_on_every_python_that_the_locks_serve() -> None:
    (listed,) = re.findall(r"^ +python: \[(.*)\]$", WORKFLOW, re.MULTILINE)
    assert re.findall(r'"([\d.]+)"', listed) == list(PYTHONS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == f">={PYTHONS[0]}"
    assert re.findall(r"run: (.*)", WORKFLOW) == ["bash .ci/run"]


def test_its_actions_are_named_by_commit() -> None:
    used = re.findall(r"uses: (.*)", WORKFLOW)
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_it_may_read_and_nothing_else_and_knows_no_secret() -> None:
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", WORKFLOW, re.MULTILINE) == ["  contents: read\n"]
    assert WORKFLOW.count("permissions:") == 1
    assert "secrets." not in WORKFLOW
    assert "persist-credentials: false" in WORKFLOW
