"""What every test starts from: no settings of the machine, and a fresh workspace where it asks for one."""

import os
import shutil
import signal
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


# The files that take longest begin first: where one of them begins last, a core waits for the other.
LONGEST = (
    "loop/test_promises.py",
    "evidence/test_certify.py",
    "chaos/test_kill.py",
    "test_bench.py",
    "store/mongo/test_elections.py",
    "verify/test_damages.py",
    "verify/test_certificates.py",
    "loop/test_malformed.py",
    "evidence/test_adjudicated.py",
    "evidence/test_theorem.py",
    "cli/test_states.py",
    "cli/test_commands.py",
    "cli/test_certify.py",
    "web/test_console.py",
    "web/test_worker_page.py",
    "web/test_verifier_page.py",
    "web/test_worker_page_interrupted.py",
    "evidence/test_precision.py",
    "test_style.py",
    "loop/test_proofs.py",
    "harvest/test_harvest.py",
    "web/test_sources.py",
    "examples/test_food.py",
    "cli/test_store_commands.py",
    "loop/test_truth.py",
    "loop/test_certified.py",
    "loop/test_scouting.py",
    "evidence/test_recall.py",
    "store/test_copy.py",
    "compute/test_local.py",
    "cli/test_simulate.py",
    "web/test_worker_page_devices.py",
    "web/test_people_pages.py",
    "contract/test_settling.py",
    "store/test_schemas.py",
    "store/test_migrations.py",
    "loop/test_rest.py",
    "loop/test_watch.py",
    "learn/test_runtimes.py",
    "workforce/test_simulated.py",
    "evidence/test_corrections.py",
    "loop/test_checking.py",
    "store/mongo/test_arriving.py",
    "store/mongo/test_failures.py",
    "test_wheel.py",
)


def pytest_configure(config: pytest.Config) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # 150 processes of the suite would compile thresher again and again
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script: tests of Ctrl-C would hang
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.option.loadscopereorder = False  # pytest-xdist's own order: it begins with the files of many tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    rank = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


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


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace just made; a copy of it costs a tenth of making another."""
    place = tmp_path_factory.mktemp("made") / "workspace"
    open_store(place, read_settings(place.parent, {}), create=True).close()
    return place


@pytest.fixture
def store(tmp_path: Path, settings: Settings, made_workspace: Path) -> Iterator[Store]:
    """A fresh workspace in a directory."""
    opened = open_store(shutil.copytree(made_workspace, tmp_path / "workspace"), settings)
    yield opened
    opened.close()
