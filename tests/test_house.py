"""The rooms are stacked: each looks only at the shelves below it, rooms on one shelf do not know each other, and no
module reaches itself. What counts as an import stands at the top of scripts/house.py.
"""

import ast
from pathlib import Path

import pytest
from scripts import house

SOURCE = Path(__file__).parents[1] / "src" / "thresher"
MODULES = house.read(SOURCE)
IMPORTS = house.imports(MODULES)
HEIGHT = {room: height for height, shelf in enumerate(house.SHELVES) for room in shelf}
LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 60
MOST_PARAMETERS = 7  # what belongs together comes in a record
# the package itself and `python -m thresher` belong to no room
NO_ROOM = {"", "__main__"}


@pytest.mark.parametrize("name", MODULES)
def test_a_room_looks_only_at_the_shelves_below_its_own(name: str) -> None:
    room = house.room(name)
    if room in NO_ROOM:
        return
    assert room in HEIGHT, f"{room} stands on no shelf"
    others = {house.room(other) for other in IMPORTS[name]} - {"", room}
    assert {other for other in others if HEIGHT[other] >= HEIGHT[room]} == set()


@pytest.mark.parametrize("name", MODULES)
def test_an_import_names_its_room(name: str) -> None:
    relative = [
        node.lineno for node in ast.walk(MODULES[name].tree) if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


@pytest.mark.parametrize("name", MODULES)
def test_a_file_fits_on_a_few_screens(name: str) -> None:
    assert MODULES[name].lines <= LONGEST_FILE_LINES


@pytest.mark.parametrize("name", MODULES)
def test_a_function_fits_on_a_screen_and_is_handed_few_things(name: str) -> None:
    wrong = [
        f"{one.name}, line {one.line}: {one.lines} lines, {one.parameters} parameters"
        for one in house.functions(MODULES[name])
        if one.lines > LONGEST_FUNCTION_LINES or one.parameters > MOST_PARAMETERS
    ]
    assert wrong == []


def test_no_module_reaches_itself_through_its_imports() -> None:
    found = [" imports ".join(circle) for circle in house.circles(IMPORTS)]
    assert not found, "\n".join(found)


def test_every_folder_of_the_house_is_a_room() -> None:
    assert {house.room(name) for name in MODULES} - NO_ROOM <= set(HEIGHT)


def test_what_is_decided_has_one_home() -> None:
    """Two readers of scores and labels once told different numbers: now `loop/decision.py` alone reads them."""
    readers = {
        name
        for name, module in MODULES.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "thresher.learn.decide"
        if {alias.name for alias in node.names} & {"decide", "codes_of"}
    }
    assert {name for name in readers if house.room(name) != "learn"} == {"thresher.loop.decision"}


# --- the reader of imports, on small trees that it must see through -------------------------------------------------


def circles_of(folder: Path, files: dict[str, str]) -> list[tuple[str, ...]]:
    """The circles of a package made of these files."""
    return house.circles(house.imports(tree_of(folder, files)))


def tree_of(folder: Path, files: dict[str, str]) -> dict[str, house.Module]:
    package = folder / house.PACKAGE
    for name, text in {"__init__.py": "", **files}.items():
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        for between in file.relative_to(package).parents:
            (package / between / "__init__.py").touch()
        file.write_text(text, "utf-8")
    return house.read(package)


IN_A_FUNCTION = "def late():\n    from thresher.a import thing\n    return thing\n"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from thresher.a import thing\n"
BY_NAME = "from importlib import import_module\ndef late():\n    return import_module('thresher.a')\n"


@pytest.mark.parametrize(
    "back",
    ["import thresher.a\n", "from thresher import a\n", "from . import a\n", IN_A_FUNCTION, FOR_TYPES, BY_NAME],
    ids=["import", "from the package", "relative", "in a function", "for types", "by name"],
)
def test_two_files_that_import_each_other_are_a_circle_wherever_the_imports_stand(tmp_path: Path, back: str) -> None:
    found = circles_of(tmp_path, {"a.py": "from thresher.b import thing\n", "b.py": back})
    assert found == [("thresher.a", "thresher.b", "thresher.a")]


def test_a_circle_is_told_once_by_a_shortest_way_around(tmp_path: Path) -> None:
    files = {
        "a.py": "import thresher.b\n",
        "b.py": "import thresher.c\nimport thresher.e\n",
        "c.py": "import thresher.d\n",
        "d.py": "import thresher.a\n",
        "e.py": "import thresher.a\n",
        "apart.py": "import thresher.a\n",
    }
    assert circles_of(tmp_path, files) == [("thresher.a", "thresher.b", "thresher.e", "thresher.a")]


def test_two_circles_are_two(tmp_path: Path) -> None:
    files = {name: f"import thresher.{other}\n" for name, other in zip("abcd", "badc", strict=True)}
    files = {f"{name}.py": text for name, text in files.items()}
    assert [circle[0] for circle in circles_of(tmp_path, files)] == ["thresher.a", "thresher.c"]


LISTED = {"records/__init__.py": "from thresher.records.images import Image\n"}


def test_asking_the_own_folder_for_its_list_is_a_circle(tmp_path: Path) -> None:
    files = LISTED | {"records/images.py": "from thresher.records import Says\n"}
    assert circles_of(tmp_path, files) == [("thresher.records", "thresher.records.images", "thresher.records")]


def test_asking_a_file_of_the_own_folder_is_none(tmp_path: Path) -> None:
    files = LISTED | {"records/images.py": "from thresher.records.words import Says\n", "records/words.py": ""}
    assert circles_of(tmp_path, files) == []


def test_asking_a_file_of_another_folder_runs_the_list_of_that_folder(tmp_path: Path) -> None:
    files = {
        "graph.py": "from thresher.heads.fit import fit\n",
        "heads/__init__.py": "from thresher.heads.propagation import spread\n",
        "heads/fit.py": "",
        "heads/propagation.py": "from thresher.graph import neighbours\n",
    }
    found = circles_of(tmp_path, files)
    assert found == [("thresher.graph", "thresher.heads", "thresher.heads.propagation", "thresher.graph")]


def test_names_that_only_begin_alike_are_different_folders(tmp_path: Path) -> None:
    files = {
        "store/__init__.py": "import thresher.store_notes\n",
        "store/common.py": "",
        "store_notes.py": "from thresher.store.common import note\n",
    }
    assert circles_of(tmp_path, files) == [("thresher.store", "thresher.store_notes", "thresher.store")]


def test_a_function_is_counted_with_its_parameters_and_without_self(tmp_path: Path) -> None:
    text = """
class Deck:
    def deal(self, a, /, b, *c, d=1, **e):
        def inner():
            pass
        return inner

    @staticmethod
    def cut(a, b):
        pass


async def shuffle(a):
    pass
"""
    module = tree_of(tmp_path, {"deck.py": text})["thresher.deck"]
    assert {(one.name, one.parameters, one.lines) for one in house.functions(module)} == {
        ("deal", 5, 4),
        ("inner", 0, 2),
        ("cut", 2, 2),
        ("shuffle", 1, 2),
    }
