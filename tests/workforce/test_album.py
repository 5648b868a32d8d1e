import numpy as np
import pytest
from tests.pictures_for_tests import picture

from thresher import pictures
from thresher.errors import NotFound
from thresher.records import Progress
from thresher.workforce.album import REPORT_EVERY, Album

LONG_SIDE = 64


@pytest.fixture(scope="module")
def originals() -> dict[str, bytes]:
    """Twenty pictures, and a twin of one that differs in a few pixels only."""
    found = {f"{seed}.jpg": picture(seed) for seed in range(20)}
    found["turned.jpg"] = picture(3, orientation=6)
    found["again.webp"] = pictures.render(found["5.jpg"], long_side=LONG_SIDE)
    return found


def served(data: bytes) -> bytes:
    return pictures.render(data, long_side=LONG_SIDE)


def test_every_picture_is_recognised_as_it_is_served(originals: dict[str, bytes]) -> None:
    album = Album(list(originals), originals.__getitem__, long_side=LONG_SIDE)
    names = list(originals)
    assert album.names_of([served(originals[name]) for name in names]) == names
    assert album.names_of([served(originals["7.jpg"])]) == ["7.jpg"]


def test_a_server_that_encodes_otherwise_is_understood(originals: dict[str, bytes]) -> None:
    names = [f"{seed}.jpg" for seed in range(20)]
    album = Album(names, originals.__getitem__, long_side=LONG_SIDE)
    assert (
        album.names_of([pictures.render(originals[n], long_side=48, format="jpeg", quality=60) for n in names]) == names
    )


def test_a_stranger_is_an_error_not_a_guess(originals: dict[str, bytes]) -> None:
    album = Album(["1.jpg"], originals.__getitem__, long_side=LONG_SIDE)
    with pytest.raises(NotFound, match="not in the truth file"):
        album.names_of([served(originals["2.jpg"])])
    with pytest.raises(NotFound):
        Album([], originals.__getitem__, long_side=LONG_SIDE).names_of([served(originals["2.jpg"])])


def test_getting_to_know_many_pictures_is_reported(originals: dict[str, bytes]) -> None:
    heard: list[Progress] = []
    names = [str(number) for number in range(REPORT_EVERY)]
    Album(names, lambda _: originals["1.jpg"], long_side=LONG_SIDE, report=heard.append)
    assert [(one.done, one.total) for one in heard] == [(REPORT_EVERY, REPORT_EVERY)]


def test_the_test_pictures_differ(originals: dict[str, bytes]) -> None:
    small = [pictures.model_pixels(data, side=8).astype(float) for data in list(originals.values())[:20]]
    apart = [np.abs(one - other).mean() for one in small for other in small if one is not other]
    assert min(apart) > 1
