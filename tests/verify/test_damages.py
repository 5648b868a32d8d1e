"""An undamaged release verifies; whatever was done to its files, verify finds it, though the manifest is made anew."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pictures_for_tests import picture
from tests.verify.damages import DAMAGES, EVERY
from tests.verify.releases import STRANGER, made
from tests.verify.tampering import Release

from thresher.errors import ThresherError
from thresher.verify import Verdict, verify

CASES = [(name, method) for name, (_, methods) in DAMAGES.items() for method in methods]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, made_workspace: Path) -> Callable[[str], Path]:
    """The directory of a release of each method."""
    there: dict[str, Path] = {}

    def release(method: str) -> Path:
        if method not in there:
            folder = tmp_path_factory.mktemp("releases") / method
            made(method, folder, made_workspace).close()
            there[method] = folder / "out"
        return there[method]

    return release


@pytest.fixture
def copy_of(releases: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Release]:
    """A copy of the release of a method."""

    def copied(method: str) -> Release:
        return Release(shutil.copytree(releases(method), tmp_path / "out"), method, picture(STRANGER))

    return copied


@pytest.mark.parametrize("method", EVERY)
def test_a_release_that_nobody_touched_holds_and_says_what_it_proves(
    method: str, copy_of: Callable[[str], Release]
) -> None:
    one = copy_of(method)
    verdict = verify(one.directory)
    assert verdict.holds, verdict.wrong
    assert verdict.wrong == ()
    certificate = one.read("certificate.json")
    assert verdict.claim == certificate["words"]
    assert verify(one.directory, head=certificate["log_head"]).holds
    one.seal()
    assert verify(one.directory).holds


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_damaged_release_does_not_hold(name: str, method: str, copy_of: Callable[[str], Release]) -> None:
    one = copy_of(method)
    DAMAGES[name][0](one)
    one.seal()
    verdict = told(one.directory)
    if isinstance(verdict, ThresherError):
        assert verdict.where.startswith(str(one.directory))
        assert verdict.next
        assert "\n" not in str(verdict)
        return
    assert not verdict.holds
    assert verdict.wrong
    assert verdict.claim == ""
    assert not any("\n" in line for line in verdict.wrong)


def told(directory: Path) -> Verdict | ThresherError:
    try:
        return verify(directory)
    except ThresherError as error:
        return error
