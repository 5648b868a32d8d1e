"""The card (README) says exactly what was recomputed: docs/certificate-format.md, "The card"."""

from pathlib import Path

from thresher.verify.checks import Checks
from thresher.verify.reading import bad, read_bytes, said

NAME = "README.md"


def check_card(directory: Path, words: str, checks: Checks) -> None:
    """Compare the card's section on the certificate with the sentences. Raises BadInput for a card that is no text."""
    path = directory / NAME
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error
    section = f"\n## Certificate\n\n{words}\n\n## Files\n"
    right = text.count("## Certificate") == 1 and section in text
    checks.that(right, f"{NAME} does not say what is proven")
