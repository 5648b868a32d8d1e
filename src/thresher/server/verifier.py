"""The verifier page: one file that recomputes a release in a browser, without a network."""

from pathlib import Path

from thresher.errors import Missing
from thresher.server.built import STATIC, install_command


def verifier_page(static: Path = STATIC) -> bytes:
    """The page as it was built, in the folder of the built pages. Raises Missing where it was not."""
    try:
        return (static / "verifier" / "index.html").read_bytes()
    except FileNotFoundError:
        raise Missing("the verifier page", install_command()) from None
