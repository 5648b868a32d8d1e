"""Makes scripts/ and tests/ importable, which no install brings (`from checkout import ROOT` stands before them), and
lays out the source of another commit.
"""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def source_of(commit: str, folder: Path) -> Path:
    """The package as it was at a commit, below `folder`; exits with a sentence where git does not have it."""
    done = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True)
    if done.returncode:
        sys.exit(f"git has no commit {commit} here: give a checkout of it with --before.")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as source:
        source.extractall(folder, filter="data")
    return folder
