"""The verifier page: one file that recomputes a release in a browser, without a network."""

from pathlib import Path

from thresher.errors import Missing

STATIC = Path(__file__).parent / "static"


def verifier_page() -> bytes:
    """The page as it was built. Raises Missing where it was not."""
    try:
        return (STATIC / "verifier" / "index.html").read_bytes()
    except FileNotFoundError:
        raise Missing("the verifier page", "make setup, or: pip install --force-reinstall thresher") from None
