"""Write docs/architecture.md from the source: rooms, their files, and what they import; `--check` compares.

make architecture              # after a file came, went or changed its first sentence
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import house

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"

HEAD = """\
# Architecture

Written by `make architecture` from the imports and the first sentence of each file; a test keeps it current.

A package (a room) is a folder or a file of `src/thresher`. Packages are layered: a package imports only from the layers
(shelves) below its own, and packages in one layer do not import each other. No module reaches itself through its
imports, where imports inside functions and for types count (`tests/test_house.py`). [web/README.md](../web/README.md)
describes the source of the pages. Decisions and their reasons are in [decisions/](decisions).

## Layers

An arrow is an import. Arrows that others imply are left out: `server` imports `store` too, as the table says.
"""

Rooms = Mapping[str, frozenset[str]]
"""Which rooms a room imports."""


def written(source: Path) -> str:
    """The whole page."""
    modules = house.read(source)
    rooms = rooms_of(house.imports(modules))
    lines = [
        HEAD,
        *drawing(rooms),
        "",
        "## Which package imports which",
        "",
        "| package | imports |",
        "|---|---|",
        *(
            f"| [`{room}`](#{room}) | {', '.join(f'`{one}`' for one in _from_top(rooms[room])) or '-'} |"
            for room in _top_down()
        ),
    ]
    for room in _top_down():
        lines += ["", *described(room, modules, source)]
    return "\n".join(lines) + "\n"


def rooms_of(imports: house.Edges) -> dict[str, frozenset[str]]:
    """The imports of a room's files, by room."""
    found: dict[str, set[str]] = {room: set() for shelf in house.SHELVES for room in shelf}
    for name, others in imports.items():
        if (room := house.room(name)) in found:
            found[room] |= {house.room(other) for other in others} & found.keys() - {room}
    return {room: frozenset(others) for room, others in found.items()}


def drawing(rooms: Rooms) -> Iterator[str]:
    """The layers as a Mermaid flowchart, without the arrows that a longer way replaces."""
    yield "```mermaid"
    yield "flowchart TB"
    for height, shelf in reversed(list(enumerate(house.SHELVES))):
        yield f"  subgraph shelf{height}[ ]"
        yield f"    {' ~~~ '.join(shelf)}"
        yield "  end"
    for room in _top_down():
        beyond = {far for near in rooms[room] for far in _reached(near, rooms)}
        yield from (f"  {room} --> {other}" for other in _from_top(rooms[room] - beyond))
    yield "```"


def _reached(room: str, rooms: Rooms) -> set[str]:
    """Every room that imports lead to from here, itself left out."""
    return set(rooms[room]).union(*(_reached(other, rooms) for other in rooms[room]))


def described(room: str, modules: Mapping[str, house.Module], source: Path) -> Iterator[str]:
    """A room: what it is, and each of its files."""
    own = modules[f"{house.PACKAGE}.{room}"]
    yield f"## {room}"
    yield ""
    yield own.says
    files = [module for name, module in modules.items() if house.room(name) == room and module is not own]
    if files:
        yield ""
        yield "| file | |"
        yield "|---|---|"
    for module in sorted(files, key=lambda module: module.file.relative_to(source).parts):
        inside = module.file.relative_to(source / room).as_posix()
        yield f"| `{inside}` | {module.says.replace('|', chr(92) + '|')} |"


def _top_down() -> list[str]:
    return [room for shelf in reversed(house.SHELVES) for room in shelf]


def _from_top(rooms: frozenset[str]) -> list[str]:
    return [room for room in _top_down() if room in rooms]


def main() -> None:
    """Write the page, or compare."""
    page = written(ROOT / "src" / house.PACKAGE)
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text("utf-8") == page else "docs/architecture.md is old. Next: make architecture")
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
