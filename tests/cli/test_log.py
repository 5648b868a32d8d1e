"""A log that no error can fill a disk with, and that shows no secret."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thresher.cli.log import FORMAT, Folded, Plain
from thresher.loop.jobs import LOG_BYTES, put_aside

DAY_SECONDS = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def logging_to(stream: io.TextIOBase, clock: Clock, **more: int) -> Iterator[logging.Logger]:
    logger = logging.getLogger("of a test")
    handler = Folded(stream, clock=clock, **more)  # type: ignore[arg-type]  # a text stream is a TextIO in all but name
    handler.setFormatter(Plain(FORMAT))
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


def fail(logger: logging.Logger, number: int, depth: int = 20) -> None:
    """Log an error whose text differs each time, with a long traceback."""

    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)
        raise RuntimeError(f"the {number}th")

    try:
        deeper(depth)
    except RuntimeError:
        logger.exception("unexpected error %s", number)


def test_one_error_again_and_again_for_a_day_stays_small_and_is_counted() -> None:
    out, clock = io.StringIO(), Clock()
    with logging_to(out, clock) as logger:
        for number in range(200_000):
            clock.now += DAY_SECONDS / 200_000
            fail(logger, number) if number < 50 or number % 100 == 0 else logger.info("not written")
        for number in range(5000):
            fail(logger, number)
    said = out.getvalue()
    assert len(said) < 2_000_000
    assert "unexpected error 0" in said
    assert "Traceback" in said
    assert "more like it are left out here" in said


def test_what_is_rare_is_written_whole_each_time() -> None:
    out, clock = io.StringIO(), Clock()
    with logging_to(out, clock) as logger:
        for number in range(100):
            clock.now += 600
            fail(logger, number)
    assert out.getvalue().count("Traceback") == 100
    assert "left out" not in out.getvalue()


def test_one_place_that_repeats_hides_no_other() -> None:
    out, clock = io.StringIO(), Clock()
    with logging_to(out, clock) as logger:
        for number in range(1000):
            fail(logger, number)
        logger.warning("something else")
        clock.now += 60
        fail(logger, 7)
    said = out.getvalue()
    assert "something else" in said
    assert "unexpected error 7 (980 more like it are left out here)" in said


def test_a_password_is_in_no_line_and_no_traceback() -> None:
    out, clock = io.StringIO(), Clock()
    address = "mongodb://ada:open/sesame@host/cars"
    with logging_to(out, clock) as logger:
        try:
            raise OSError(address)
        except OSError:
            logger.exception("cannot reach %s", address)
    assert out.getvalue().count("mongodb://host/cars") >= 2
    assert "sesame" not in out.getvalue()


def test_a_file_of_ours_is_begun_anew_when_it_is_too_large(tmp_path: Path) -> None:
    path, clock = tmp_path / "loop.log", Clock()
    with path.open("a") as stream, logging_to(stream, clock, file_bytes=5000) as logger:
        for number in range(2000):
            clock.now += 60
            logger.warning("a library says %s: %s", number, "x" * 100)
        stream.flush()
        assert path.stat().st_size < 6000
        assert "was begun anew" in path.read_text()
        assert "a library says 1999" in path.read_text()


def test_a_long_log_of_earlier_jobs_is_put_aside_and_a_short_one_goes_on(tmp_path: Path) -> None:
    log, aside = tmp_path / "loop.log", tmp_path / "loop.log.1"
    put_aside(log)
    for text in ("first", "second"):
        log.write_text(text * LOG_BYTES)
        put_aside(log)
        assert not log.exists()
        assert aside.read_text().startswith(text)
    log.write_text("third")
    put_aside(log)
    assert log.read_text() == "third"
