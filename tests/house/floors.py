"""On which floor each room stands, told from the imports: one above the highest room that it imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

# a verb or a script that starts another face stands on no floor of it
STARTED = {("commands.cli", "commands.web"), ("daybook", "commands.cli")}
PACKAGES = ("ledger", "projections", "migrations", "commands", "daybook")


def room_of(module: str) -> str:
    """A package is one room; in ``commands`` each package, or file, in it."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "commands" and len(parts) > 1 else parts[0]


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported_by(source: str) -> Iterator[str]:
    """Wherever the import stands, in a function too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def rooms() -> dict[str, set[str]]:
    """Each room with the rooms that it imports."""
    files = dict(modules())
    found: dict[str, set[str]] = {room_of(module): set() for module in files if module != "commands"}
    for module, path in files.items():
        for name in imported_by(path.read_text(encoding="utf-8")):
            if name.split(".")[0] in PACKAGES:
                found[room_of(module)].add(room_of(name))
    return {
        room: {other for other in others if other != room and (room, other) not in STARTED}
        for room, others in found.items()
    }


def floors(imports: dict[str, set[str]]) -> dict[str, int]:
    """Counted from 1. Raises ValueError where rooms stand in a circle."""
    found: dict[str, int] = {}
    while len(found) < len(imports):
        ready = [room for room, others in imports.items() if room not in found and others <= found.keys()]
        if not ready:
            raise ValueError(f"a circle: {sorted(imports.keys() - found.keys())}")
        for room in ready:
            found[room] = 1 + max((found[other] for other in imports[room]), default=0)
    return found
