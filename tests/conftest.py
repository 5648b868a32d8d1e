"""What every test starts from: no settings of the machine, and a fresh workspace where it asks for one."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

# how long an example takes says how busy the machine is, and nothing of the code
hypothesis.settings.register_profile("thresher", deadline=None)
hypothesis.settings.load_profile("thresher")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=2, help="how often the chaos tests kill")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("THRESHER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Every setting at its default."""
    return read_settings(tmp_path, {})


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Iterator[Store]:
    """A fresh workspace in a directory."""
    opened = open_store(tmp_path / "workspace", settings, create=True)
    yield opened
    opened.close()
