"""What ``import daybook`` gives."""

import ast
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import daybook
from ledger.errors import LedgerUnavailable
from tests.cli.test_cli_start_up import HEAVY
from tests.conftest import ROOT

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_public_names_are_those_that_are_there() -> None:
    assert set(daybook.__all__) <= set(dir(daybook))
    assert all(getattr(daybook, name) is not None for name in daybook.__all__)
    assert daybook.__version__ == version("daybook-ledger")


def test_what_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        daybook.nosuch  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    script = "import sys, daybook; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()).isdisjoint({*HEAVY, "ssl", "http.client", "click"})


@pytest.mark.parametrize("name", PACKAGES["packages"])
def test_every_package_carries_its_types(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()


def test_user_is_that_of_the_operating_system_unless_said(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.door.actor.account", lambda: "user_7")

    with daybook.connect(ledger_url) as client:
        asked = client.request_role(role="admin", reason="a test")
        event = next(iter(client.log(after=asked.position - 1)))

    assert event.actor == "user_7"
    assert (event.via["interface"], event.via["authentication"]) == ("python", "os")


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


@pytest.mark.parametrize("module", ["errors", "moments", "merkle", "checkpoint", "signing_keys", "envelope"])
def test_public_module_lists_every_name_that_others_take_from_it(module: str) -> None:
    used = imported()[f"ledger.{module}"]

    assert used and used <= set(import_module(f"ledger.{module}").__all__)
