"""Reads the source as data: files, functions, and which module imports which, without importing any of it.

`tests/test_house.py` compares it with the rules, `bench/house.py` prints the figures, and `scripts/architecture.py`
writes the page of the rooms.

An import counts wherever it stands: at the top, inside a function, under `if TYPE_CHECKING`, or as a constant given to
`import_module`. It is an edge to the module that it names. Python also runs the `__init__` of every folder on the way:
that is an edge too, except to a folder that the importing module lies in itself. The `__init__` of its own folder is
running already when a module is imported, so `from thresher.records.words import Says` in `thresher.records.images`
needs `words` alone, although `thresher/records/__init__.py` lists `images`; without this exception each folder whose
`__init__` lists its files would be one circle. Asking the own `__init__` by its name (`from thresher.records import
Says` in `thresher.records.images`) stays an edge to it, and so a circle.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "thresher"

SHELVES = (
    ("errors",),
    ("records",),
    ("settings",),
    ("guard", "pictures", "tables", "evidence", "verify"),
    ("store", "annotations"),
    ("workforce", "compute"),
    ("harvest", "label", "learn", "release"),
    ("loop",),
    ("server",),
    ("cli", "client"),
)
"""The rooms from the bottom up. A room imports only from shelves below its own."""

Edges = Mapping[str, frozenset[str]]
"""Which modules a module imports, by dotted names."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: its length with its decorators' lines left out, and its parameters without `self`."""

    file: Path
    name: str
    line: int
    lines: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the package, parsed."""

    name: str
    file: Path
    lines: int
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__` of a folder."""
        return self.file.name == "__init__.py"

    @property
    def says(self) -> str:
        """The first sentence of its docstring."""
        paragraph = (ast.get_docstring(self.tree) or "").partition("\n\n")[0]
        return re.split(r"(?<=\.) (?=[A-Z`])", " ".join(paragraph.split()), maxsplit=1)[0]


def read(folder: Path) -> dict[str, Module]:
    """Every module of the package that lies in `folder`, by its dotted name."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text("utf-8")
        parts = file.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, file, len(text.splitlines()), ast.parse(text))
    return found


def functions(module: Module) -> Iterator[Function]:
    """Every function of a module, nested ones and methods too."""
    for parent in ast.walk(module.tree):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                count = _parameters(node, bound=isinstance(parent, ast.ClassDef))
                yield Function(module.file, node.name, node.lineno, lines, count)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> int:
    given = node.args
    count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
    count += (given.vararg is not None) + (given.kwarg is not None)
    static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in node.decorator_list)
    return count - 1 if bound and not static else count


def imports(modules: Mapping[str, Module]) -> dict[str, frozenset[str]]:
    """What each module imports of the others, by the rule told at the top."""
    return {
        name: frozenset(reached for target in _named(module, modules) for reached in _reached(name, target, modules))
        for name, module in modules.items()
    }


def _named(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    """The modules that a module's imports name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in modules else base
        elif isinstance(node, ast.Call) and _is_import_module(node.func) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The module after `from`, dots counted."""
    if not node.level:
        return node.module or ""
    folder = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    folder = folder[: len(folder) - node.level + 1]
    return ".".join((*folder, node.module) if node.module else folder)


def _is_import_module(called: ast.expr) -> bool:
    return (isinstance(called, ast.Name) and called.id == "import_module") or (
        isinstance(called, ast.Attribute) and called.attr == "import_module"
    )


def _reached(importer: str, target: str, modules: Mapping[str, Module]) -> Iterator[str]:
    """The module itself, and the `__init__` of each folder on the way that the importer does not lie in."""
    if target in modules:
        yield target
    parts = target.split(".")
    for depth in range(1, len(parts)):
        folder = ".".join(parts[:depth])
        if folder in modules and not f"{importer}.".startswith(f"{folder}."):
            yield folder


def circles(edges: Edges) -> list[tuple[str, ...]]:
    """Every group of modules that reach each other, as one shortest way around it that starts and ends alike."""
    reach = {name: _reach(name, edges) for name in edges}
    done: set[str] = set()
    found = []
    for name in sorted(edges):
        if name in reach[name] and name not in done:
            done |= {other for other in reach[name] if name in reach.get(other, set())}
            found.append(_way_around(name, edges))
    return found


def _reach(start: str, edges: Edges) -> set[str]:
    """All modules that imports lead to from here."""
    found: set[str] = set()
    open_ = [start]
    while open_:
        new = edges.get(open_.pop(), frozenset()) - found
        found |= new
        open_ += new
    return found


def _way_around(start: str, edges: Edges) -> tuple[str, ...]:
    """A shortest way from a module back to itself."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for other in sorted(edges.get(way[-1], frozenset())):
            if other == start:
                return (*way, start)
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()


def room(name: str) -> str:
    """The room a module lies in: `label` for thresher.label.gate; empty for the package's own `__init__`."""
    return (*name.split("."), "")[1]
