"""What ``import daybook`` gives."""

import ast
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import daybook
from commands.lab.catalogue import AddReferenceValue
from ledger.errors import LedgerUnavailable
from tests.conftest import ROOT

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_public_names_are_those_that_are_there() -> None:
    assert daybook.__all__ == ["__version__", "connect"]
    assert daybook.__version__ == version("daybook-ledger")


@pytest.mark.parametrize("name", PACKAGES["packages"])
def test_every_package_carries_its_types(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()


def test_connected_ledger_takes_commands_and_answers(ledger_url: str) -> None:
    ledger = daybook.connect(ledger_url, "user_1")
    try:
        receipt = ledger.submit(AddReferenceValue(table="reference.Experimenter", value="user_9"))

        with ledger.reading() as world:
            assert world.head.size == receipt.last > 1 and world.actor == "user_1"
    finally:
        ledger.close()


def test_user_is_that_of_the_operating_system_unless_said(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.door.actor.account", lambda: "user_7")

    ledger = daybook.connect(ledger_url)
    ledger.close()

    assert (ledger.actor.user, ledger.actor.interface) == ("user_7", "python")


def test_no_ledger_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable):
        daybook.connect(f"sqlite:///{tmp_path / 'none.db'}")


@cache
def imported() -> dict[str, set[str]]:
    """Module -> the names that any file of ours imports from it."""
    found: dict[str, set[str]] = {}
    for name in PACKAGES["packages"]:
        for file in (ROOT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    found.setdefault(node.module, set()).update(alias.name for alias in node.names)
    return found


@pytest.mark.parametrize("module", ["errors", "moments", "merkle", "checkpoint", "envelope"])
def test_public_module_lists_every_name_that_others_take_from_it(module: str) -> None:
    used = imported()[f"ledger.{module}"]

    assert used and used <= set(import_module(f"ledger.{module}").__all__)
