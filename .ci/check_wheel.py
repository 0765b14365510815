"""Build the wheel, install it in an environment of its own far from the checkout, run it, and leave it in dist/.

Shows what the checkout hides: a file that is not packaged, a dependency that is not declared, a package of ours that
another one of the same name hides.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("commands", "daybook", "ledger", "migrations", "projections")
NEEDS_SERVER = (
    "commands.web.", "commands.accounts.ending", "commands.accounts.own", "commands.accounts.passwords",
    "commands.accounts.sign_ins", "commands.accounts.two_steps",
    "commands.workers.queue", "commands.workers.following", "commands.workers.handing_out",
)  # fmt: skip
IMPORT_ALL = """
import importlib, pkgutil
for name in {packages}:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if module.name in ("migrations.env", "commands.cli.__main__"):  # these run at once
            continue
        if module.name.startswith({needs_server}) and not {server}:
            continue
        importlib.import_module(module.name)
"""


class Failed(Exception):
    """One step of the check did not go as it should."""


def run(what: str, *command: str | Path, cwd: Path) -> str:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DAYBOOK"))
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{what} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    print(f"check_wheel: {what}: fine.")
    return done.stdout


def check_contents(wheel: Path) -> None:
    """Every file that git knows in the packages is in the wheel, and no other."""
    listed = run("git ls-files", "git", "ls-files", "--cached", *PACKAGES, cwd=ROOT).splitlines()
    documents = run("git ls-files docs", "git", "ls-files", "--cached", "docs", cwd=ROOT).splitlines()
    expected = {name for name in listed if (ROOT / name).exists()}
    expected |= {f"commands/web/{name}" for name in documents if (ROOT / name).exists()}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
        if not any(name.endswith(".dist-info/licenses/LICENSE") for name in archive.namelist()):
            raise Failed("the wheel holds no LICENSE")
    if expected - packed:
        raise Failed(f"not in the wheel: {', '.join(sorted(expected - packed))}")
    if packed - expected:
        raise Failed(f"in the wheel, but not in the repository: {', '.join(sorted(packed - expected))}")


def check_own_parts(python: Path, daybook: Path, away: Path) -> None:
    """In a folder with a ``commands/`` of its own, the import names that; the command is not led there unless told."""
    notebook = away / "notebook"
    (notebook / "commands").mkdir(parents=True)
    (notebook / "commands/__init__.py").touch()
    run("the command beside another commands/", daybook, "--version", cwd=notebook)
    led_there = {**os.environ, "PYTHONPATH": str(notebook)}
    for command in ((python, "-c", "import daybook"), (daybook, "--version")):
        done = subprocess.run(
            command, cwd=notebook, env=led_there, capture_output=True, text=True, check=False
        )
        if done.returncode == 0 or str(notebook / "commands") not in done.stderr:
            raise Failed(
                f"{command[-1]} does not say that {notebook / 'commands'} is in the way: {done.stderr}"
            )


def check_query(daybook: Path, away: Path, install: tuple[str | Path, ...]) -> None:
    """Without its extra a query says what to install; with it, and nothing else, it answers."""
    asked = (daybook, "query", "SELECT count(*) AS n, max(requested_at) AS at FROM sessions")
    done = subprocess.run(asked, cwd=away, capture_output=True, text=True, check=False)
    if done.returncode != 1 or "daybook-ledger[query]" not in done.stderr:
        raise Failed(f"a query without DuckDB does not say what to install: {done.stderr}")
    run("install[query]", *install, cwd=away)
    run("daybook query", *asked, cwd=away)
    run("daybook archive create", daybook, "archive", "create", "archive", cwd=away)


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="daybook-wheel-") as temporary:
            away = Path(temporary)
            build = (sys.executable, "-m", "build", "--wheel", "--outdir", away)
            run("build", *build, ROOT, cwd=away)
            [wheel] = away.glob("daybook_ledger-*.whl")
            check_contents(wheel)
            run("environment", sys.executable, "-m", "venv", "--without-pip", away / "venv", cwd=away)
            python, daybook = away / "venv/bin/python", away / "venv/bin/daybook"
            # by the pip of here, and without compiling what nobody imports: half of the time
            install = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
            for extra, server in (("", False), ("[server,workers]", True)):
                run(f"install{extra}", *install, f"{wheel}{extra}", cwd=away)
                every = IMPORT_ALL.format(packages=PACKAGES, server=server, needs_server=NEEDS_SERVER)
                run(f"every module{extra}", python, "-c", every, cwd=away)
            version = run("daybook --version", daybook, "--version", cwd=away)
            if wheel.name.split("-")[1] not in version:
                raise Failed(f'{wheel.name} says that it is "{version.strip()}"')
            check_own_parts(python, daybook, away)
            run("daybook init", daybook, "init", cwd=away)
            run("daybook verify", daybook, "verify", cwd=away)
            run("daybook demo", daybook, "demo", cwd=away)
            check_query(daybook, away, (*install, f"{wheel}[query]"))
            (ROOT / "dist").mkdir(exist_ok=True)
            shutil.copy(wheel, ROOT / "dist")
            print(f"check_wheel: dist/{wheel.name}")
    except Failed as failure:
        print(f"check_wheel: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
