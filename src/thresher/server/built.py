"""Where the built pages lie, and the command that installs them where they are missing. It imports nothing heavy."""

from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
_ROOT: Final = Path(__file__).parents[3]


def is_checkout(root: Path = _ROOT) -> bool:
    """Whether this is a source checkout rather than an installed package."""
    return (root / "web" / "package.json").is_file()


def install_command(root: Path = _ROOT) -> str:
    """The command that installs the pages."""
    return "make setup" if is_checkout(root) else "pip install --force-reinstall thresher"
