"""What a start costs: the feel of the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT

HEAVY = {"sqlalchemy", "alembic", "pydantic", "yaml", "cryptography", "orjson", "psycopg"}
_SCRIPT = """
import sys
from commands.cli.main import cli
try:
    cli.main({arguments!r})
except SystemExit:
    pass
print("\\n#", *sorted({heavy!r} & set(sys.modules)))
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """Which of the heavy packages a run has imported."""
    script = _SCRIPT.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rsplit("#", 1)[1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["upload", "--help"], ["catalogue", "--help"], ["nosuch"]]
)
def test_help_imports_nothing_heavy(folder: Path, arguments: list[str]) -> None:
    assert loaded(folder, *arguments) == set()


def test_validate_without_a_ledger_imports_no_database(folder: Path) -> None:
    (folder / "f.yml").write_text("subject: {name: a}\n")
    assert loaded(folder, "validate", "f.yml").isdisjoint(
        {"sqlalchemy", "alembic", "pydantic", "psycopg", "cryptography"}
    )
