"""Break each import rule in a copy of the source, and fail unless lint-imports notices.

A contract whose modules were renamed still passes; this shows that every rule can fail.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLANTED = (
    ("ledger <- projections <- migrations <- commands", "ledger/log.py", "import projections.records"),
    ("ledger <- projections <- migrations <- commands", "projections/apply.py", "import commands.door"),
    (
        "the input format, the readers and the samples are pure",
        "commands/inputfile/entries.py",
        "import click",
    ),
    (
        "the input format, the readers and the samples are pure",
        "commands/recordings/session.py",
        "import sqlite3",
    ),
    (
        "the input format, the readers and the samples are pure",
        "commands/samples/__init__.py",
        "import commands.door",
    ),
    ("the tree, the checkpoints and the envelope know no database", "ledger/merkle.py", "import ledger.log"),
    ("click is for the command line alone", "commands/door.py", "import click"),
    ("nothing imports the command line", "commands/setup.py", "import commands.cli.main"),
)


def lint_imports(directory: Path) -> str:
    program = Path(sys.executable).parent / "lint-imports"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [program, "--no-cache"], cwd=directory, env=environment, capture_output=True, text=True, check=False
    ).stdout


def main() -> int:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    untried = {contract["name"] for contract in settings["contracts"]} - {name for name, _, _ in PLANTED}
    if untried:
        print(f"check_contracts: nothing here breaks {sorted(untried)}; add an import that does.")
        return 1
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="daybook-contracts-") as temporary:
        copy = Path(temporary)
        shutil.copy(ROOT / "pyproject.toml", copy)
        for package in settings["root_packages"]:
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name, file, line in PLANTED:
            source = copy / file
            original = source.read_text(encoding="utf-8")
            source.write_text(f"{original}\n{line}\n", encoding="utf-8")
            if f"{name} BROKEN" not in lint_imports(copy):
                print(f'check_contracts: "{line}" in {file} does not break "{name}".')
                unnoticed += 1
            source.write_text(original, encoding="utf-8")
    if not unnoticed:
        print(f"check_contracts: lint-imports noticed all {len(PLANTED)} planted imports.")
    return min(unnoticed, 1)


if __name__ == "__main__":
    sys.exit(main())
