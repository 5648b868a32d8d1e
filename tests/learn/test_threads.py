"""The matrix libraries keep to one thread where more only cost, and have theirs back afterwards."""

import numpy as np
from threadpoolctl import threadpool_info

from thresher.learn.threads import MANY, one_thread, one_thread_for_few


def threads() -> list[int]:
    """Threads of each matrix library that is loaded."""
    assert np.linalg.eigvalsh(np.eye(3)).sum() == 3  # so that there is one
    return [library["num_threads"] for library in threadpool_info()]


def test_products_keep_to_one_thread_and_no_longer_than_told() -> None:
    before = threads()
    with one_thread():
        assert set(threads()) == {1}
        with one_thread():
            pass
        assert set(threads()) == {1}
    assert threads() == before


def test_a_library_that_is_loaded_later_is_found_too() -> None:
    with one_thread():
        pass
    import sklearn.linear_model  # noqa: F401 -- brings a matrix library of its own

    with one_thread():
        assert set(threads()) == {1}


def test_many_vectors_have_every_thread() -> None:
    before = threads()
    with one_thread_for_few(MANY):
        assert threads() == before
    with one_thread_for_few(MANY - 1):
        assert set(threads()) == {1}
