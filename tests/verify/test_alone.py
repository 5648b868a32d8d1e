"""The verifier knows nothing of the prover, so a fault of the one cannot hide in the other."""

from pathlib import Path

from scripts import house

SOURCE = Path(__file__).parents[2] / "src" / "thresher"
IMPORTS = house.imports(house.read(SOURCE))


def test_the_verifier_imports_nothing_of_thresher_but_its_errors() -> None:
    mine = {name: others for name, others in IMPORTS.items() if house.room(name) == "verify"}
    assert len(mine) > 10
    assert {house.room(other) for others in mine.values() for other in others} - {"", "verify"} == {"errors"}
