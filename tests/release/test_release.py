"""A release: three formats that any tool reads, whole or not there, the same when run again."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME, fill, new_image
from tests.pictures_for_tests import picture

from thresher.errors import AlreadyThere, BadInput, NotReady, StoreDamaged
from thresher.records import Grounds, Label, NewImage, Origin, Progress, Purpose, Says, Source
from thresher.release import Chosen, release
from thresher.store.contract import Store


def chosen(store: Store, codes: list[int], *, number: int = 3) -> Chosen:
    rows = store.categories.pool(NAME)
    return Chosen(
        category=NAME,
        version=1,
        question="Is this a thing?",
        round=number,
        rows=rows,
        codes=np.array(codes, np.int8),
        scores=np.linspace(-1, 1, len(rows), dtype=np.float32),
        similar=rows,
        inherited=np.zeros(len(rows), bool),
        yes_by=Grounds(0, 0, codes.count(1)),
        certificate={"certified": False, "words": "No certificate."},
        evidence={"evidence.txt": b"draws"},
    )


def test_the_folder_holds_the_untouched_bytes_of_the_yes_images(store: Store, tmp_path: Path) -> None:
    rows = fill(store, 4)
    release(chosen(store, [1, 0, 1, -1]), tmp_path / "out", store=store, now_ms=5, formats=["folder"])
    found = sorted(path.read_bytes() for path in (tmp_path / "out" / "images").iterdir())
    assert found == sorted([store.images.read(rows[0]), store.images.read(rows[2])])


@pytest.mark.parametrize("made", ["folder", "webdataset"])
def test_a_picture_that_a_disk_has_changed_is_not_released(made: str, store: Store, tmp_path: Path) -> None:
    fill(store, 4)
    store.close()
    (shard,) = (tmp_path / "workspace" / "images").glob("*.tar")
    whole = bytearray(shard.read_bytes())
    whole[700] ^= 1  # behind the first member's head of 512 bytes
    shard.write_bytes(whole)
    with pytest.raises(StoreDamaged, match="do not match their hash"):
        release(chosen(store, [1, 1, 1, 1]), tmp_path / "out", store=store, now_ms=5, formats=[made])


def test_the_webdataset_pairs_each_picture_with_its_facts(store: Store, tmp_path: Path) -> None:
    rows = fill(store, 3)
    copied = replace(chosen(store, [1, 1, 0]), inherited=np.array([False, True, False]))
    release(copied, tmp_path / "out", store=store, now_ms=5, formats=["webdataset"])
    with tarfile.open(tmp_path / "out" / "webdataset" / f"{NAME}-000000.tar") as tar:
        members = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar}
    images = store.images.many(rows[:2])
    assert sorted(members) == sorted(f"{i.sha256}.{end}" for i in images for end in ("jpg", "json"))
    assert members[f"{images[0].sha256}.jpg"] == store.images.read(rows[0])
    facts = [json.loads(members[f"{image.sha256}.json"]) for image in images]
    assert [(one["answer"], one["inherited"]) for one in facts] == [("yes", False), ("yes", True)]


def in_format(seed: int, name: str) -> NewImage:
    data = picture(seed, format=name)
    return replace(
        new_image(seed), sha256=hashlib.sha256(data).hexdigest(), data=data, bytes=len(data), format=name.lower()
    )


def test_every_image_of_the_webdataset_is_in_one_field_and_its_facts_are_valid_json(
    store: Store, tmp_path: Path
) -> None:
    fill(store, 1)
    rows = store.images.put([in_format(8, "PNG"), in_format(9, "WEBP")])
    store.categories.pool_add(NAME, rows, Origin("test", "", "CC0", 1))
    unscored = replace(chosen(store, [1, 1, 1]), scores=np.array([0.5, np.nan, -np.inf], np.float32))
    release(unscored, tmp_path / "out", store=store, now_ms=5, formats=["webdataset"])
    with tarfile.open(tmp_path / "out" / "webdataset" / f"{NAME}-000000.tar") as tar:
        members = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar}
    assert {name.partition(".")[2] for name in members} == {"jpg", "json"}

    def no_json(word: str) -> float:
        raise AssertionError(word)

    facts = [json.loads(data, parse_constant=no_json) for name, data in members.items() if name.endswith("json")]
    assert [(one["format"], one["score"]) for one in facts] == [("jpeg", 0.5), ("png", None), ("webp", None)]
    assert members[f"{store.images.get(rows[0]).sha256}.jpg"] == store.images.read(rows[0])


def test_the_table_has_a_row_for_every_image_of_the_pool(store: Store, tmp_path: Path) -> None:
    rows = fill(store, 3)
    store.labels.hold(NAME, [Label(rows[0], Says.YES, Source.OWNER, Purpose.MINE_GOLD, 1, 1)])
    release(chosen(store, [1, 0, -1]), tmp_path / "out", store=store, now_ms=5, formats=["table"])
    table = pq.read_table(tmp_path / "out" / "images.parquet").to_pylist()
    assert [(r["alias"], r["decision"], r["label"], r["label_source"], r["votes"], r["round"]) for r in table] == [
        ("0.jpg", "yes", "yes", "owner", 0, 3),
        ("1.jpg", "no", None, None, 0, 3),
        ("2.jpg", "unknown", None, None, 0, 3),
    ]
    assert {(r["width"], r["height"], r["licence"], r["source"]) for r in table} == {(64, 48, "CC0", "test")}


def test_the_card_and_the_certificate_say_what_is_claimed(store: Store, tmp_path: Path) -> None:
    fill(store, 2)
    release(chosen(store, [1, 0]), tmp_path / "out", store=store, now_ms=5)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "1 images decided yes" in card
    assert "No certificate." in card
    assert json.loads((tmp_path / "out" / "certificate.json").read_text())["certified"] is False
    assert (tmp_path / "out" / "evidence.txt").read_bytes() == b"draws"


def test_what_an_owner_typed_is_no_heading_and_no_tag_in_the_card(store: Store, tmp_path: Path) -> None:
    fill(store, 2)
    typed = replace(chosen(store, [1, 0]), question="Is it <script>alert(1)</script>\n# a heading & more?")
    release(typed, tmp_path / "out", store=store, now_ms=5, formats=["table"])
    lines = (tmp_path / "out" / "README.md").read_text().splitlines()
    assert "> Is it &lt;script&gt;alert(1)&lt;/script&gt; # a heading &amp; more?" in lines


def test_an_interrupted_release_goes_on_and_ends_as_if_it_never_was(store: Store, tmp_path: Path) -> None:
    fill(store, 6)
    wanted = chosen(store, [1] * 6)

    def interrupt(progress: Progress) -> None:
        if progress.stage == "release: table":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(wanted, tmp_path / "out", store=store, now_ms=5, report=interrupt)
    assert not (tmp_path / "out" / "release.json").exists()
    spoilt = next((tmp_path / "out" / "images").iterdir())
    spoilt.write_bytes(bytes(spoilt.stat().st_size))  # of its name and its size, and no more its bytes
    release(wanted, tmp_path / "out", store=store, now_ms=6)
    release(wanted, tmp_path / "whole", store=store, now_ms=6)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "release.json"
    }


def test_a_file_of_an_interrupted_release_is_kept_only_if_it_holds_the_image(store: Store, tmp_path: Path) -> None:
    """Its size alone does not tell."""
    rows = fill(store, 3)
    wanted, out = chosen(store, [1, 1, 0]), tmp_path / "out"

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(wanted, out, store=store, now_ms=5, report=interrupt, formats=["folder"])
    (changed,) = (out / "images").glob(f"{store.images.get(rows[0]).sha256}.*")
    changed.write_bytes(bytes(changed.stat().st_size))
    release(wanted, out, store=store, now_ms=5, formats=["folder"])
    assert changed.read_bytes() == store.images.read(rows[0])


def test_the_same_release_again_is_the_same_release(store: Store, tmp_path: Path) -> None:
    fill(store, 2)
    first = release(chosen(store, [1, 1]), tmp_path / "out", store=store, now_ms=5)
    again = release(chosen(store, [1, 1]), tmp_path / "out", store=store, now_ms=9)
    assert (again, store.rounds.releases(NAME)) == (first, [first])


def test_a_directory_that_holds_something_else_is_left_alone(store: Store, tmp_path: Path) -> None:
    fill(store, 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(AlreadyThere, match="not empty"):
        release(chosen(store, [1, 1]), tmp_path / "out", store=store, now_ms=5)
    release(chosen(store, [1, 1]), tmp_path / "other", store=store, now_ms=5)
    with pytest.raises(AlreadyThere, match="contains another release"):
        release(chosen(store, [1, 0], number=4), tmp_path / "other", store=store, now_ms=5)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_release_to_a_file_or_in_an_unknown_format_is_one_clear_error(store: Store, tmp_path: Path) -> None:
    fill(store, 1)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="not a directory"):
        release(chosen(store, [1]), tmp_path / "file", store=store, now_ms=5)
    with pytest.raises(BadInput, match="tfrecord"):
        release(chosen(store, [1]), tmp_path / "out", store=store, now_ms=5, formats=["tfrecord"])


def test_nothing_decided_yes_is_nothing_to_release(store: Store, tmp_path: Path) -> None:
    fill(store, 2)
    with pytest.raises(NotReady, match="no image of thing is decided yes"):
        release(chosen(store, [0, -1]), tmp_path / "out", store=store, now_ms=5)
