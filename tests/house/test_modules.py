"""A module has one idea, which fits on a few pages, and says at its top what it does."""

import ast
from pathlib import Path

from tests.conftest import ROOT
from tests.house.floors import modules

MOST_LINES = 400
# A longer one, and why it is not taken apart.
LONGER = {
    "commands/proving/bundle_verifier.py": "goes into bundles as one script, which imports nothing of ours",
}


def lines_of() -> dict[str, int]:
    return {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for _, path in modules()
    }


def says_what_it_does(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return not text.strip() or bool(ast.get_docstring(ast.parse(text)))


def test_no_module_is_longer_than_it_may_be() -> None:
    found = lines_of()

    assert len(found) > 300
    assert {file: lines for file, lines in found.items() if lines > MOST_LINES and file not in LONGER} == {}


def test_every_exception_is_still_one() -> None:
    found = lines_of()

    assert {file: found.get(file, 0) for file in LONGER if found.get(file, 0) <= MOST_LINES} == {}


def test_every_module_says_what_it_does() -> None:
    assert [str(path.relative_to(ROOT)) for _, path in modules() if not says_what_it_does(path)] == []


def test_module_without_a_docstring_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import os\n")

    assert not says_what_it_does(file)
