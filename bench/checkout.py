"""Makes scripts/ and tests/ importable, which no install brings: `from checkout import ROOT` stands before them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
