"""A release into a directory that holds one already: the same is repaired, anything else is refused and left alone."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.filled import NAME, fill
from tests.release.test_release import chosen

from thresher.errors import AlreadyThere
from thresher.records import Progress
from thresher.release import release
from thresher.store.contract import Store


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_manifest_has_the_size_and_the_hash_of_every_other_file(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    release(chosen(store, [1, 1, 0]), tmp_path / "out", store=store, now_ms=5)
    files = bytes_of(tmp_path / "out")
    manifest = json.loads(files.pop("release.json"))
    assert manifest["files"] == {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    assert {name.partition("/")[0] for name in files} == {
        "README.md", "certificate.json", "evidence.txt", "images", "images.parquet", "webdataset",
    }  # fmt: skip


def lose(path: Path) -> None:
    path.unlink()


def change(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("harm", [lose, change, lengthen])
def test_the_same_release_writes_anew_what_was_lost_or_changed(
    harm: Callable[[Path], None], store: Store, tmp_path: Path
) -> None:
    fill(store, 3)
    out = tmp_path / "out"
    first = release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5)
    before = bytes_of(out)
    for name in before.keys() - {"release.json"}:
        harm(out / name)
        assert release(chosen(store, [1, 1, 0]), out, store=store, now_ms=9_999_999) == first
        assert bytes_of(out) == before, name
    for name in before.keys() - {"release.json"}:
        harm(out / name)
    release(chosen(store, [1, 1, 0]), out, store=store, now_ms=9_999_999)
    assert bytes_of(out) == before
    assert store.rounds.releases(NAME) == [first]


def test_a_manifest_that_says_another_thing_of_the_same_release_is_written_anew(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    out = tmp_path / "out"
    release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5)
    before = (out / "release.json").read_bytes()
    for name, value in (("images", 9), ("question", "Is it another thing?"), ("files", {}), ("files", None)):
        (out / "release.json").write_text(json.dumps(json.loads(before) | {name: value}))
        release(chosen(store, [1, 1, 0]), out, store=store, now_ms=9)
        assert (out / "release.json").read_bytes() == before


def test_a_directory_with_a_file_or_a_link_of_others_is_left_alone(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    out = tmp_path / "out"
    release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5)
    picture = next((out / "images").iterdir())
    kept = picture.read_bytes()
    picture.write_bytes(b"")
    for name in ("notes.txt", "images/notes.txt", "more", f"images/{'0' * 64}.jpg"):
        (out / name).write_bytes(b"years of work")
        with pytest.raises(AlreadyThere, match="not of this release") as told:
            release(chosen(store, [1, 1, 0]), out, store=store, now_ms=9)
        assert "move it away" in told.value.next
        assert (out / name).read_bytes() == b"years of work"
        assert picture.read_bytes() == b""
        (out / name).unlink()
    (tmp_path / "elsewhere").write_bytes(kept)
    picture.unlink()
    picture.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AlreadyThere, match="not of this release"):
        release(chosen(store, [1, 1, 0]), out, store=store, now_ms=9)


def test_another_certificate_another_evidence_and_other_formats_are_another_release(
    store: Store, tmp_path: Path
) -> None:
    fill(store, 3)
    out, made = tmp_path / "out", chosen(store, [1, 1, 0])
    release(made, out, store=store, now_ms=5)
    before = bytes_of(out)
    others = (
        replace(made, certificate={"certified": False, "words": "No certificate yet."}),
        replace(made, evidence={"evidence.txt": b"more draws"}),
        replace(made, question="Is this another thing?"),
    )
    for other in others:
        with pytest.raises(AlreadyThere, match="contains another release"):
            release(other, out, store=store, now_ms=9)
    with pytest.raises(AlreadyThere, match="in other formats"):
        release(made, out, store=store, now_ms=9, formats=["table"])
    assert bytes_of(out) == before


def test_a_shard_of_an_interrupted_release_is_kept_only_if_it_holds_the_images(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    out = tmp_path / "out"

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5, report=interrupt, formats=["webdataset"])
    (shard,) = (out / "webdataset").iterdir()
    whole = shard.read_bytes()
    shard.write_bytes(whole[:700] + bytes([whole[700] ^ 1]) + whole[701:])
    (out / "webdataset" / f".{shard.name}.part").write_bytes(b"half")
    release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5, formats=["webdataset"])
    assert shard.read_bytes() == whole
    assert {path.name for path in out.rglob("*")} == {
        "README.md", "certificate.json", "evidence.txt", "release.json", "webdataset", shard.name,
    }  # fmt: skip


def test_a_release_into_a_directory_that_was_emptied_is_recorded_anew(store: Store, tmp_path: Path) -> None:
    fill(store, 3)
    out = tmp_path / "out"
    first = release(chosen(store, [1, 1, 0]), out, store=store, now_ms=5)
    for path in sorted(out.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    second = release(chosen(store, [1, 0, 0]), out, store=store, now_ms=6)
    assert [(made.id, made.images) for made in store.rounds.releases(NAME)] == [(first.id, 2), (second.id, 1)]
