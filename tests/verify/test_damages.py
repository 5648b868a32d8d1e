"""An undamaged release verifies; whatever was done to its files, verify finds it, though the manifest is made anew."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.commands import thresher
from tests.pictures_for_tests import picture
from tests.verify.damages import CAUGHT_BY_THE_HEAD_ALONE, DAMAGES, EVERY, SWAPS, TABLE, flipped, swapped
from tests.verify.releases import STRANGER, release_of
from tests.verify.tampering import Release, Row, sha256

from thresher.errors import ThresherError
from thresher.verify import Verdict, verify

CASES = [(name, method) for name, (_, methods) in DAMAGES.items() for method in methods]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, made_workspace: Path) -> Callable[[str], Path]:
    """The directory of a release of each method."""
    return lambda method: release_of(method, tmp_path_factory, made_workspace)


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


@pytest.mark.parametrize("name", [*sorted(CAUGHT_BY_THE_HEAD_ALONE), "an answer"])
def test_what_was_frozen_or_answered_otherwise_is_found_by_a_head_that_was_published(
    name: str, copy_of: Callable[[str], Release]
) -> None:
    """Whoever writes log and certificate anew from the first line chooses all of it, but not the head that is known."""
    one = copy_of("certified")
    first, last = (sha256(line) for line in (one.lines()[0], one.lines()[-1]))
    assert verify(one.directory, head=first).holds
    assert verify(one.directory, head=last.upper()).holds
    if name == "an answer":
        one.log(flipped)
        one.seal()
        assert "published head" in " ".join(verify(one.directory, head=last).wrong)
        return
    swapped(one, name, SWAPS[name], log=True)
    one.seal()
    assert any("published head" in line for line in verify(one.directory, head=first).wrong)


def test_a_byte_that_changed_in_any_file_is_found_by_the_manifest(copy_of: Callable[[str], Release]) -> None:
    one = copy_of("recall")
    kept = {*one.pictures()[3:]}  # they are many, and alike
    for path in sorted(path for path in one.directory.rglob("*") if path.is_file() and path not in kept):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        verdict = told(one.directory)
        assert isinstance(verdict, ThresherError) or not verdict.holds, path
        path.write_bytes(whole)
    assert verify(one.directory).holds


def test_files_that_would_never_end_are_refused_at_once(copy_of: Callable[[str], Release], tmp_path: Path) -> None:
    one = copy_of("certified")
    for name in ("certificate.json", "release.json", "audit-log.jsonl", "README.md", "evidence.parquet", TABLE):
        whole = one.path(name).read_bytes()
        one.path(name).unlink()
        os.mkfifo(one.path(name))
        verdict = told(one.directory)
        assert isinstance(verdict, ThresherError) or not verdict.holds
        one.path(name).unlink()
        with one.path(name).open("wb") as file:
            file.truncate(2**40)  # a sparse file: it takes no room
        verdict = told(one.directory)
        assert isinstance(verdict, ThresherError) or not verdict.holds
        one.path(name).write_bytes(whole)
    assert verify(one.directory).holds


def test_a_member_of_an_archive_that_says_it_is_endless_is_refused(copy_of: Callable[[str], Release]) -> None:
    one = copy_of("certified")
    info = tarfile.TarInfo("0" * 64 + ".jpg")
    info.size = 2**40
    one.shard().write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    one.seal()
    assert isinstance(told(one.directory), ThresherError)


def repeated(kind: str) -> Callable[[list[Row]], list[Row]]:
    """Log one rank that has an answer once more, in a line of this kind."""

    def change(lines: list[Row]) -> list[Row]:
        rank = next(rank for line in lines if line["kind"] == "answers" for rank in line["codes"])
        return [*lines, {"kind": kind, "at_ms": 1, "codes": {rank: 1}}]

    return change


def unchained(one: Release) -> None:
    lines = one.path("audit-log.jsonl").read_bytes().splitlines(keepends=True)
    one.path("audit-log.jsonl").write_bytes(b"".join(lines[:1] + lines[2:]))


def prior(*parts: list[float]) -> Callable[[Release], None]:
    return lambda one: one.frozen(lambda frozen: frozen.update(accept_prior={"parts": list(parts)}))


FORGED: dict[str, tuple[Callable[[Release], object], str]] = {
    "a prior of more than one": (prior([2.0, 1.0, 9.0]), "the weights of frozen.accept_prior add up to more than 1"),
    "a prior without weight": (prior([0.0, 1.0, 9.0]), "frozen.accept_prior has no part with a weight"),
    "a broken chain": (unchained, "audit-log.jsonl is no audit log: line 2 does not follow line 1"),
    "a line that is no JSON": (
        lambda one: one.path("audit-log.jsonl").write_bytes(b"x\n"),
        "audit-log.jsonl is no audit log: line 1: ",
    ),
    "a late word": (lambda one: one.log(repeated("words")), "after its answer"),
    "an answer given twice": (lambda one: one.log(repeated("answers")), "records rank"),
    "a check that was not frozen": (lambda one: one.log(repeated("checked")), "no delta was kept for it"),
    "an unknown field of what is frozen": (
        lambda one: one.frozen(lambda frozen: frozen.update(bonus=1)),
        "frozen has an unknown field 'bonus'",
    ),
    "a missing field of the certificate": (
        lambda one: one.json("certificate.json", lambda found: found.pop("epoch")),
        "the certificate has no epoch",
    ),
    "NaN": (
        lambda one: one.json("certificate.json", lambda found: found["result"].update(delta=float("nan"))),
        "certificate.json has NaN, which is no number of JSON",
    ),
    "a key twice": (
        lambda one: one.text("certificate.json", '"certified": true', '"certified": true, "certified": true'),
        "certificate.json has a key twice",
    ),
    "a field of the manifest that is unknown": (
        lambda one: one.json("release.json", lambda found: found.update(bonus=1)),
        "release.json is no manifest: the manifest has an unknown field 'bonus'",
    ),
    "other numbers of a format": (
        lambda one: one.json("release.json", lambda found: found["formats"]["table"].update(rows=1)),
        "the manifest gives other numbers of the format table than it has",
    ),
    "a label that is none": (
        lambda one: one.table("evidence.parquet", lambda rows: rows[0].update(now="perhaps")),
        "evidence.parquet has a label that is none of yes, no, unsure",
    ),
    "a source without a label": (
        lambda one: one.table("evidence.parquet", lambda rows: [row.update(now=None) for row in rows[:1]] and rows),
        "the evidence has a source where there is no label of today",
    ),
    "an empty directory": (lambda one: one.path("more").mkdir(), "'more' is neither a file of a release nor a folder"),
}


def test_the_command_answers_no_to_a_forged_release_and_says_what_is_wrong(copy_of: Callable[[str], Release]) -> None:
    whole = copy_of("certified").directory
    for name, (forge, what) in FORGED.items():
        one = Release(shutil.copytree(whole, whole.parent / name), "certified", b"")
        forge(one)
        one.seal()
        done = thresher("verify", one.directory)
        assert (done.returncode, done.stderr) == (1, ""), f"{name}: {done.stderr}"
        assert done.stdout.startswith("no: "), name
        assert what in done.stdout, f"{name}: {done.stdout}"
        shutil.rmtree(one.directory)


def test_the_command_has_an_error_for_what_is_no_release_or_cannot_be_read(copy_of: Callable[[str], Release]) -> None:
    one = copy_of("certified")
    certificate = one.path("certificate.json").read_bytes()
    for data in (b"", b"[]", b"7", b"{}", b"\xff\xfe", b"{", b'{"certified": true, "format": 3}'):
        one.path("certificate.json").write_bytes(data)
        done = thresher("verify", one.directory)
        assert (done.returncode, done.stdout) == (2, ""), data
        assert "certificate.json" in done.stderr
        assert "Next: " in done.stderr
    one.path("certificate.json").write_bytes(certificate)
    one.path("evidence.parquet").write_bytes(b"PAR1PAR1")
    one.seal()
    assert thresher("verify", one.directory).returncode == 2
    one.path("certificate.json").unlink()
    assert thresher("verify", one.directory).returncode == 2


def test_the_command_says_yes_with_the_claim_or_no_with_what_is_wrong(copy_of: Callable[[str], Release]) -> None:
    one = copy_of("certified")
    head = sha256(one.lines()[-1])
    done = thresher("verify", one.directory, "--head", head)
    assert (done.returncode, done.stdout) == (0, f"yes: {one.read('certificate.json')['words']}\n")
    done = thresher("verify", one.directory, "--head", "0" * 64)
    assert (done.returncode, done.stdout) == (1, "no: the audit log has no line with the published head\n")
    done = thresher("verify", one.directory, "--json", "--head", "0" * 64)
    assert json.loads(done.stdout)["wrong"] == ["the audit log has no line with the published head"]
    one.pictures()[0].unlink()
    assert thresher("verify", one.directory).stdout.startswith("no: 'images/")
