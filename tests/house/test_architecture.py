"""``docs/architecture.md`` and CONTRIBUTING.md speak of files, functions and floors that are there."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.floors import PACKAGES, floors, rooms

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST_FLOORS = 9
_PLACE = re.compile(r"`([\w./]+\.py)(?::([\w.]+))?`")


def places(page: str) -> list[tuple[str, str]]:
    """(path, name or nothing) of each ``path.py`` and ``path.py:name`` that a page names."""
    return [(path, name) for path, name in _PLACE.findall(page) if path.split("/")[0] in (*PACKAGES, "tests")]


def names_in(path: Path) -> set[str]:
    """What a module defines: functions, classes, and methods as ``Class.method``."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


def drawn() -> dict[str, int]:
    drawing = PAGE.partition("## The floors")[2].partition("```\n")[2].partition("```")[0]
    lines = [line.split() for line in drawing.splitlines()]
    return {
        room.removesuffix(".py").replace("/", "."): int(number) for number, *of_it in lines for room in of_it
    }


def test_no_rooms_stand_in_a_circle_and_no_house_is_higher_than_it_may_be() -> None:
    assert max(floors(rooms()).values()) <= MOST_FLOORS


def test_every_room_stands_on_the_floor_that_is_drawn() -> None:
    assert drawn() == floors(rooms())


def test_circle_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"a circle: \['a', 'b'\]"):
        floors({"a": {"b"}, "b": {"a", "c"}, "c": set()})


def test_page_about_the_architecture_names_what_is_there() -> None:
    found = places(PAGE)

    assert len(found) > 20
    assert [(path, name) for path, name in found if not name] == []
    assert [(path, name) for path, name in found if name not in names_in(ROOT / path)] == []


def test_page_fits_on_one_page() -> None:
    assert len(PAGE.splitlines()) <= 80


def test_recipes_name_files_that_are_there() -> None:
    found = {path for path, _ in places(CONTRIBUTING)}

    assert len(found) > 20
    assert {path for path in found if not (ROOT / path).exists()} == set()


def test_every_room_is_in_the_list_of_where_things_are() -> None:
    listed = CONTRIBUTING.partition("## Where things are")[2].partition("\n## ")[0]

    for room in rooms():
        name = room.rpartition(".")[2]
        assert re.search(rf"^ *{name}(/|\.py) ", listed, re.MULTILINE), name
