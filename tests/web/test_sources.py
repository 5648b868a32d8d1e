"""The pages' own checks: their unit tests, their style and types, and that their wire is the server's."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.web.conftest import ROOT

from thresher.server.app import openapi_text

WEB = ROOT / "web"


def npm(*arguments: str) -> str:
    """Run an npm script of the pages; what it says when it fails is the failure."""
    command = [sys.executable, "scripts/npm.py", "--prefix", "web", "run", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"npm run {' '.join(arguments)}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def test_the_pages_logic_holds() -> None:
    assert "passed" in npm("test")


def test_the_pages_sources_are_clean_and_typed() -> None:
    npm("check")


def test_a_circle_of_imports_is_refused_even_of_types_and_of_what_is_loaded_later(tmp_path: Path) -> None:
    shutil.copy(WEB / "biome.jsonc", tmp_path)
    (tmp_path / "a.ts").write_text("import type { B } from './b';\nexport type A = { b: B };\n", "utf-8")
    (tmp_path / "b.ts").write_text("export type B = 'b';\nexport const later = () => import('./a');\n", "utf-8")
    biome = [sys.executable, str(ROOT / "scripts/npm.py"), "--prefix", str(WEB), "exec", "--", "biome", "lint", "."]
    done = subprocess.run(biome, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("This import is part of a cycle") == 2


def test_the_api_page_in_the_pages_folder_is_the_server_s() -> None:
    assert json.loads((WEB / "openapi.json").read_text("utf-8")) == json.loads(openapi_text())


def test_the_wire_types_are_generated_from_the_api_page() -> None:
    generated = WEB / "wire/generated.ts"
    before = generated.read_bytes()
    npm("wire")
    after = generated.read_bytes()
    generated.write_bytes(before)  # a check changes nothing
    assert after == before, "Next: python scripts/npm.py --prefix web run wire"
