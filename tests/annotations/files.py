"""Any file of labels, written for a test, and the labels that were read from it."""

import json
from pathlib import Path

from thresher.annotations import Claims
from thresher.records import Box


def written(folder: Path, name: str, content: object) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


def said(claims: Claims) -> list[tuple[str, str, float | None, Box | None]]:
    return [(claim.image, claim.label, claim.score, claim.box) for claim in claims.claims]
