"""Build the pages when a wheel, an sdist or an editable install is made, and only if their sources changed.

`python hatch_build.py` does the same by hand. Node is borrowed from PyPI for the build where the machine has none.
"""

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand before anything is installed, as `make setup` does
    BuildHookInterface = object

STATIC = Path("src/thresher/server/static")
PAGES = ("worker", "console", "verifier")
# what no build reads: a change there is no reason for a new one
NO_SOURCE = {"node_modules", "README.md", "openapi.json", "biome.jsonc", "vitest.config.ts", "for-tests.ts"}


class PagesBuilder(BuildHookInterface):  # type: ignore[type-arg, misc] -- hatchling leaves its configuration untyped
    """The hook that hatchling calls."""

    def dependencies(self) -> list[str]:
        """What the build environment needs: Node, where the pages are stale and the machine has none."""
        root = Path(self.root)
        if is_fresh(root):
            return []
        npm = npm_of(root)
        return [] if npm.on_path() else [npm.BORROWED]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's own names
        """Called before every target."""
        build(Path(self.root))


def build(root: Path, *, borrow: bool = False) -> None:
    """Build the pages if their sources changed. Ends with one sentence where that is impossible."""
    if is_fresh(root):
        return
    web = root / "web"
    script = npm_of(root)
    try:
        npm = script.find(borrow=borrow)
    except script.NoNpm as missing:
        sys.exit(f"The pages cannot be built: {missing}")
    if script.install(npm, web):
        sys.exit("The pages cannot be built: npm could not install web/package-lock.json; it says why above.")
    if npm.run(["run", "build", "--silent"], web):
        sys.exit("The pages cannot be built: vite stopped; it says why above.")
    stamp = root / STATIC / ".built-from"
    stamp.write_text(digest(root), "utf-8")


def is_fresh(root: Path) -> bool:
    """Whether the built pages are those of the sources."""
    stamp = root / STATIC / ".built-from"
    pages = (root / STATIC / page / "index.html" for page in PAGES)
    return stamp.is_file() and all(page.is_file() for page in pages) and stamp.read_text("utf-8") == digest(root)


def digest(root: Path) -> str:
    """SHA-256 of the pages' sources, names included."""
    found = hashlib.sha256()
    for folder, folders, files in os.walk(root / "web"):
        folders[:] = sorted(set(folders) - NO_SOURCE)
        for name in sorted(set(files) - NO_SOURCE):
            if not name.endswith(".test.ts"):
                file = Path(folder, name)
                found.update(file.relative_to(root).as_posix().encode() + b"\0")
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def npm_of(root: Path) -> ModuleType:
    """scripts/npm.py, which is no package: build backends do not put the root on the path."""
    spec = importlib.util.spec_from_file_location("npm", root / "scripts" / "npm.py")
    if spec is None or spec.loader is None:
        sys.exit("The pages cannot be built: scripts/npm.py is missing from this source tree.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["npm"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    build(here, borrow=True)
    # make compares times: a stamp that still holds is as good as a new one
    (here / STATIC / ".built-from").touch()
