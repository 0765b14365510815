"""Break each import rule in a copy of the source, and fail unless lint-imports notices.

A contract whose modules were renamed still passes; this shows that every rule can fail. What the command lint-imports
calls is called here, in one process and for the contract concerned: starting it anew takes longer than what it finds.
"""

import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import importlinter.api  # noqa: F401 # makes the next one work
from importlinter.application import use_cases
from importlinter.application.user_options import UserOptions

ROOT = Path(__file__).resolve().parent.parent
LAYERS = "ledger <- projections <- migrations <- commands <- daybook"
FACES = "faces know nothing of each other"
ROOMS = "the rooms of commands stand one above the other"
SERVER = "what a server needs is for the server alone"
PURE = "the input format, the readers and the samples are pure"
PLANTED = (
    (LAYERS, "ledger/log.py", "import projections.records"),
    (LAYERS, "projections/apply.py", "import commands.door.world"),
    (LAYERS, "commands/cli/main.py", "import daybook"),
    (FACES, "daybook/__init__.py", "import commands.cli.output"),
    (ROOMS, "commands/answers/why.py", "import commands.cli.main"),
    (ROOMS, "commands/requests/naming.py", "import commands.answers.why"),
    (ROOMS, "commands/requests/rules.py", "import commands.lab.roles"),
    (ROOMS, "commands/lab/roles.py", "import commands.requests.rules"),
    (ROOMS, "commands/intake/settling.py", "import commands.requests.impact"),
    (ROOMS, "commands/moving/exporting.py", "import commands.proving.bundle"),
    (ROOMS, "commands/proving/proofs.py", "import commands.intake.known"),
    (ROOMS, "commands/stored.py", "import commands.intake.known"),
    (ROOMS, "commands/door/world.py", "import commands.stored"),
    (ROOMS, "commands/recordings/session.py", "import commands.inputfile.limits"),
    (ROOMS, "commands/accounts/tokens.py", "import commands.lab.roles"),
    (ROOMS, "commands/cli/lists.py", "import commands.web.app"),
    (ROOMS, "commands/web/app.py", "import commands.cli.main"),
    (ROOMS, "commands/workers/planning.py", "import commands.web.app"),
    (ROOMS, "commands/cli/lists.py", "import commands.workers.running"),
    (ROOMS, "commands/intake/settling.py", "import commands.workers.planning"),
    (SERVER, "commands/answers/why.py", "import fastapi"),
    (
        "what queues work is for one module of the workers alone",
        "commands/workers/running.py",
        "import procrastinate",
    ),
    ("DuckDB is for one module alone", "commands/analysis/ranges.py", "import duckdb"),
    (ROOMS, "commands/analysis/creating.py", "import commands.answers.why"),
    ("what speaks to a provider is for one module alone", "commands/web/app.py", "import authlib"),
    (ROOMS, "commands/mail/outbox.py", "import commands.web.app"),
    (ROOMS, "commands/answers/why.py", "import commands.mail.outbox"),
    ("what checks passwords is for one module alone", "commands/accounts/tokens.py", "import argon2"),
    (ROOMS, "commands/answers/why.py", "import commands.remote.ledger"),
    (ROOMS, "commands/remote/ledger.py", "import commands.cli.output"),
    ("who asks at a distance opens no ledger", "commands/remote/ledger.py", "import commands.door.submit"),
    (
        "the two ends of the wire know only the same answers",
        "commands/web/app.py",
        "import commands.remote.ledger",
    ),
    (PURE, "commands/inputfile/entries.py", "import click"),
    (PURE, "commands/recordings/session.py", "import sqlite3"),
    (PURE, "commands/samples/__init__.py", "import ledger.log"),
    ("the tree, the checkpoints and the envelope know no database", "ledger/merkle.py", "import ledger.log"),
    ("click is for the command line alone", "commands/door/submit.py", "import click"),
    ("only the moving of ledgers runs migrations", "commands/door/freshness.py", "import migrations"),
)


def broken(options: UserOptions, names: set[str]) -> set[str]:
    """Which of the contracts of these names are broken in the packages that come first on the path."""
    asked = [contract for contract in options.contracts_options if contract["name"] in names]
    with redirect_stdout(StringIO()):  # it shows that it is at work
        report = use_cases.create_report(UserOptions(options.session_options, asked), cache_dir=None)
    if report.could_not_run:
        raise next(iter(report.invalid_contract_options.values()))
    return {contract.name for contract, check in report.get_contracts_and_checks() if not check.kept}


def main() -> int:
    options = use_cases.read_user_options(str(ROOT / "pyproject.toml"))
    names = {contract["name"] for contract in options.contracts_options}
    untried = names - {name for name, _, _ in PLANTED}
    if untried:
        print(f"check_contracts: nothing here breaks {sorted(untried)}; add an import that does.")
        return 1
    use_cases._register_built_in_contract_types()
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="daybook-contracts-") as temporary:
        copy = Path(temporary)
        sys.path.insert(0, temporary)
        for package in options.session_options["root_packages"]:
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        if already := broken(options, names):
            print(f"check_contracts: broken before anything is planted: {sorted(already)}")
            return 1
        for name, file, line in PLANTED:
            source = copy / file
            original = source.read_text(encoding="utf-8")
            source.write_text(f"{original}\n{line}\n", encoding="utf-8")
            if not broken(options, {name}):
                print(f'check_contracts: "{line}" in {file} does not break "{name}".')
                unnoticed += 1
            source.write_text(original, encoding="utf-8")
    if not unnoticed:
        print(f"check_contracts: lint-imports noticed all {len(PLANTED)} planted imports.")
    return min(unnoticed, 1)


if __name__ == "__main__":
    sys.exit(main())
