"""Docs that lag fail here: the reference is current, and every command the docs show exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image, ImageSequence
from sklearn.datasets import load_digits
from tests.evidence.pools import draws

from thresher.cli.demo import LOOPS, planted_labels
from thresher.cli.main import app
from thresher.evidence import Pool, Promise, freeze
from thresher.evidence.labels import audits_of

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8").partition("## What is promised")[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("script", ["reference", "architecture"])
def test_a_page_that_a_script_writes_is_that_of_today(script: str) -> None:
    done = subprocess.run(
        [sys.executable, f"scripts/{script}.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_the_docs_show_is_there(page: Path) -> None:
    known = commands(typer.main.get_command(app), "thresher")
    shown = {
        " ".join(match.split())
        for block in re.findall(r"^```.*?^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for match in re.findall(r"^\s*(?:\$ )?(thresher(?: [a-z]+)+)", block, re.MULTILINE)
    }
    unknown = {line for line in shown if not any(line == k or line.startswith(f"{k} ") for k in known)}
    assert unknown == set()


def commands(command: object, path: str) -> set[str]:
    children: dict[str, object] = getattr(command, "commands", {})
    if not children:
        return {path}
    return {line for name, child in children.items() for line in commands(child, f"{path} {name}")}


def test_every_command_of_the_readme_has_the_options_that_it_is_shown_with() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    shown = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if "thresher " in line]
    lines = [words[words.index("thresher") + 1 :] for words in shown if "thresher" in words]
    assert len(lines) > 10
    assert [(line, option) for line in lines for option in unknown_options(line)] == []


def unknown_options(line: list[str]) -> list[str]:
    """The options of a command line that its command does not take."""
    command: Any = typer.main.get_command(app)
    for word in line:
        command = getattr(command, "commands", {}).get(word, command)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in line if word.startswith("--") and word not in known]


def test_the_answers_that_the_readme_says_the_demo_takes_are_those_of_its_audit() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    row = re.findall(r"people, (\d+) labels of digits, (\d+) wrong \| (\d+) or (\d+) prove 95 %", readme)
    note = re.findall(r"(\d+) if none of the (\d+) .* (\d+) of 10 runs; (\d+) if one is, (\d+) if two are", readme)
    truth = {f"{at}": "yes" if digit in LOOPS else "no" for at, digit in enumerate(load_digits().target)}
    claimed, wrong = planted_labels(truth)
    size = len(claimed)
    clean, one, two = (draws_with(bad, size, len(truth)) for bad in range(3))
    unseen = np.prod([(size - clean - at) / (size - at) for at in range(wrong)])  # the chance that none is drawn
    assert [tuple(map(int, found)) for found in row] == [(size, wrong, clean, one)]
    assert [tuple(map(int, found)) for found in note] == [(clean, wrong, round(10 * unseen), one, two)]


def draws_with(bad: int, claimed: int, ranks: int) -> int:
    """The draws after which the audit of so many labels holds, if so many of the images drawn are wrong."""
    pool = Pool(np.where(np.arange(ranks) < claimed, 0.97, 0.03), known_yes=0, claimed=claimed)
    audit, _ = audits_of(freeze("labels", Promise(0.95, 0.0, 0.05), pool, draws(1)))
    audit.urn.take(bad, np.arange(bad))
    while not audit.holds:
        audit.urn.take(1, np.array([], np.int64))
    return audit.urn.drawn


def test_the_moving_picture_of_the_readme_is_small_and_moves() -> None:
    (shown,) = re.findall(r"^!\[[^]]*\]\(([^)]*)\)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert (ROOT / shown).stat().st_size < 700_000
    with Image.open(ROOT / shown) as picture:
        assert sum(1 for _ in ImageSequence.Iterator(picture)) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_file_the_docs_link_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_promise_of_the_security_page_names_a_test_that_is_there() -> None:
    rows = re.findall(r"^\| (?!promise)(.*?) \| (.*) \|$", SECURITY, re.MULTILINE)
    promises = {promise: re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", named) for promise, named in rows}
    assert len(promises) > 20
    assert [promise for promise, named in promises.items() if not named] == []
    named = {one for found in promises.values() for one in found}
    assert {
        f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")
    } == set()


KEPT = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_the_changelog_keeps_its_headings() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert versions[0].startswith("[Unreleased]\n")
    assert [one for one in versions[1:] if not re.match(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d\n", one)] == []
    for version in versions:
        headings = re.findall(r"^### (.*)", version, re.MULTILINE)
        assert headings == [known for known in KEPT if known in headings]


def test_every_finding_is_listed_and_installs_exact_versions() -> None:
    scripts = {path.name: path.read_text("utf-8") for path in (ROOT / "findings").glob("*.sh")}
    listed = re.findall(r"^\| `([\w-]+\.sh)` \|", (ROOT / "findings/README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(scripts)
    for name, text in scripts.items():
        (installed,) = re.findall(r"pip\" install --quiet --disable-pip-version-check (.*)", text)
        assert [one for one in installed.split() if "==" not in one] == [], name
