import hashlib
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from tests.pictures_for_tests import picture

from thresher.compute.local import Local
from thresher.harvest.admit import Verdict, admit, one_by_one
from thresher.harvest.candidates import Candidate, batches, printable
from thresher.records import Alias, NewImage, Refusal


def judged(candidate: Candidate, bytes_most: int = 10**6, pixels: int = 10**7) -> Verdict:
    (verdict,) = admit([candidate], bytes_most=bytes_most, pixels=pixels, at_ms=5)
    return verdict


def on_disk(path: Path, data: bytes, size_bytes: int | None = None, offset: int = 0) -> Candidate:
    path.write_bytes(data)
    return Candidate("a.jpg", size_bytes=len(data) if size_bytes is None else size_bytes, path=str(path), offset=offset)


def test_what_is_admitted_keeps_its_bytes_and_tells_all_about_them(tmp_path: Path) -> None:
    data = picture(1, (80, 40), orientation=6)
    found = judged(on_disk(tmp_path / "x", data))
    assert isinstance(found, NewImage)
    assert found.data == data
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert (found.width, found.height, found.format, found.orientation) == (40, 80, "jpeg", 6)
    assert (found.bytes, found.aliases) == (len(data), (Alias("file", "a.jpg"),))
    assert len(found.fingerprint) == 64


def test_a_picture_in_the_midst_of_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    data = picture(2)
    found = judged(on_disk(tmp_path / "x", b"before" + data + b"after", len(data), offset=6))
    assert isinstance(found, NewImage)
    assert found.data == data


@pytest.mark.parametrize(
    ("data", "size_bytes", "most", "reason"),
    [
        (b"text", None, 10**6, "not-a-picture"),
        (b"", None, 10**6, "empty"),
        (picture(1), None, 100, "too-large"),
        (picture(1), 10_000, 10**6, "truncated"),
        (picture(1)[:600], None, 10**6, "truncated"),
        (picture(1, (4, 4)), None, 10**6, "too-small"),
    ],
)
def test_what_is_not_admitted_says_why(
    data: bytes, size_bytes: int | None, most: int, reason: str, tmp_path: Path
) -> None:
    found = judged(on_disk(tmp_path / "x", data, size_bytes), bytes_most=most)
    assert isinstance(found, Refusal)
    assert (found.name, found.reason, found.at_ms) == ("a.jpg", reason, 5)
    assert found.detail.endswith(".")


def test_a_file_that_went_away_or_became_a_link_is_unreadable(tmp_path: Path) -> None:
    gone = Candidate("gone.jpg", size_bytes=5, path=str(tmp_path / "gone.jpg"))
    link = tmp_path / "link.jpg"
    link.symlink_to(on_disk(tmp_path / "x", picture(1)).path)
    for candidate in (gone, Candidate("link.jpg", size_bytes=5, path=str(link))):
        found = judged(candidate)
        assert isinstance(found, Refusal)
        assert found.reason == "unreadable"


def test_more_pixels_than_allowed_are_not_decoded(tmp_path: Path) -> None:
    found = judged(on_disk(tmp_path / "x", picture(1, (200, 100))), pixels=10_000)
    assert isinstance(found, Refusal)
    assert found.reason == "too-many-pixels"


def dies_on_the_bad_one(candidates: list[Candidate]) -> list[Verdict]:
    """Stands for a decoder that crashes on one picture."""
    if any(candidate.name == "bad" for candidate in candidates):
        os.kill(os.getpid(), signal.SIGSEGV)
    return admit(candidates, bytes_most=10**6, pixels=10**7, at_ms=5)


def test_a_picture_that_crashes_the_decoder_is_refused_and_costs_no_other() -> None:
    chunks = [
        [Candidate(name, data=picture(n)) for n, name in enumerate(names)] for names in ("abc", ["d", "bad", "e"])
    ]
    compute = Local(2)
    died = partial(one_by_one, job=dies_on_the_bad_one, at_ms=5, compute=compute)
    found = [verdict for some in compute.spread(dies_on_the_bad_one, chunks, died=died) for verdict in some]
    assert [verdict.reason if isinstance(verdict, Refusal) else verdict.aliases[0].value for verdict in found] == [
        *("a", "b", "c", "d", "damaged", "e")
    ]


def test_batches_end_at_their_count_or_their_weight() -> None:
    assert list(batches(range(5), count=2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([1, 5, 1, 1, 9], count=10, weigh=int, weight=5)) == [[1, 5], [1, 1, 9]]
    assert list(batches([], count=2)) == []


def test_names_are_text_that_every_database_takes() -> None:
    assert printable("grün.jpg") == "grün.jpg"
    assert printable("caf\udce9\0.jpg") == "caf\\xe9\\x00.jpg"
    assert printable("\x1b[31mred\n\x9b.jpg") == "\\x1b[31mred\\x0a\\x9b.jpg"
