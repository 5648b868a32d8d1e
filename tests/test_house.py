"""The rooms are stacked: each looks only at the shelves below it, and rooms on one shelf do not know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "thresher"
FILES = sorted(SOURCE.rglob("*.py"))
SHELVES = (
    {"errors"},
    {"records"},
    {"settings"},
    {"guard", "pictures", "evidence"},
    {"store"},
    {"workforce", "compute"},
    {"harvest", "label", "learn", "release"},
    {"loop"},
    {"server"},
    {"cli", "client"},
)
HEIGHT = {room: height for height, shelf in enumerate(SHELVES) for room in shelf}
LONGEST_FILE_LINES = 400


def room_of(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> Iterator[tuple[str, bool]]:
    """Every thresher room this file imports, and whether it imports it relatively, which hides the room."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield "", True
            elif node.module == "thresher":
                yield from ((alias.name, False) for alias in node.names if alias.name != "__version__")
            elif (node.module or "").startswith("thresher."):
                yield (node.module or "").split(".")[1], False
        elif isinstance(node, ast.Import):
            yield from ((a.name.split(".")[1], False) for a in node.names if a.name.startswith("thresher."))


def modules() -> dict[str, set[str]]:
    """Which module imports which, as dotted names."""
    names = {
        ".".join(("thresher", *f.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): f for f in FILES
    }
    found: dict[str, set[str]] = {}
    for name, file in names.items():
        edges = set()
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                edges |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
            elif isinstance(node, ast.Import):
                edges |= {alias.name for alias in node.names}
        found[name] = {edge for edge in edges if edge in names and edge != name}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_room_looks_only_at_the_shelves_below_its_own(file: Path) -> None:
    room = room_of(file)
    if room in ("__init__", "__main__"):
        return
    assert room in HEIGHT, f"{room} stands on no shelf"
    wrong = {
        other for other, relative in imports_of(file) if relative or (other != room and HEIGHT[other] >= HEIGHT[room])
    }
    assert wrong == set()


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_file_fits_on_a_few_screens(file: Path) -> None:
    lines = len(file.read_text("utf-8").splitlines())
    assert lines <= LONGEST_FILE_LINES


def test_no_module_reaches_itself_through_its_imports() -> None:
    edges = modules()
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " imports ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in sorted(edges):
        visit(name, ())


def test_every_folder_of_the_house_is_a_room() -> None:
    found = {room_of(file) for file in FILES} - {"__init__", "__main__"}
    assert found <= set(HEIGHT)
