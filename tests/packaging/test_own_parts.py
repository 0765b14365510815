"""``import daybook`` and the command, in a folder that has packages of the same names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

import daybook
from daybook import parts
from tests.conftest import ROOT

COMMAND = "import sys; sys.argv = ['/bin/daybook', '--version']; from daybook.command import main; main()"
SHOW = "import commands; print(commands.__file__)"


@pytest.fixture(params=["checkout", "installed"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where Daybook's packages lie: in the checkout, or copied as an installer lays them out."""
    if request.param == "checkout":
        return ROOT
    site = tmp_path / "site-packages"
    for name in (*parts.PARTS, "daybook"):
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    return site


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    folder = tmp_path / "notebook"
    folder.mkdir()
    return folder


def python(notebook: Path, own: Path, script: str) -> subprocess.CompletedProcess[str]:
    """As a notebook runs it: its own folder comes first, then what is installed."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=notebook,
        env={**os.environ, "PYTHONPATH": str(own)},
        capture_output=True,
        text=True,
        check=False,
    )


def plant(notebook: Path, name: str, kind: str) -> Path:
    if kind == "module":
        (notebook / f"{name}.py").touch()
        return notebook / f"{name}.py"
    (notebook / name).mkdir()
    (notebook / name / "__init__.py").touch()
    return notebook / name


@pytest.mark.parametrize("name", parts.PARTS)
@pytest.mark.parametrize("kind", ["package", "module"])
def test_import_names_what_is_in_the_way(notebook: Path, own: Path, name: str, kind: str) -> None:
    planted = plant(notebook, name, kind)

    done = python(notebook, own, "import daybook")

    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and last.startswith("ImportError: ")
    assert f'"{name}" is {planted} here' in last and str(own / name) in last


@pytest.mark.parametrize("name", ["commands", "migrations"])
def test_command_names_what_is_in_the_way_without_a_traceback(notebook: Path, own: Path, name: str) -> None:
    planted = plant(notebook, name, "package")

    done = python(notebook, own, COMMAND)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("daybook: ") and done.stderr.count("\n") == 1
    assert str(planted) in done.stderr


def test_what_was_imported_before_is_in_the_way_too(notebook: Path, own: Path) -> None:
    planted = plant(notebook, "commands", "package")

    done = python(notebook, own, "import commands, sys; sys.path.pop(0); import daybook")

    assert f'"commands" is {planted} here' in done.stderr


def test_another_package_that_comes_later_is_not_taken(notebook: Path, own: Path) -> None:
    plant(notebook, "commands", "package")

    done = python(
        notebook, own, f"import sys; here = sys.path.pop(0); import daybook; sys.path.insert(0, here); {SHOW}"
    )

    assert done.stdout.strip() == str(own / "commands" / "__init__.py"), done.stderr


def test_folder_without_code_is_not_in_the_way(notebook: Path, own: Path) -> None:
    (notebook / "commands").mkdir()

    assert python(notebook, own, COMMAND).stdout == f"daybook {daybook.__version__}\n"


def test_installed_command_is_not_led_into_the_folder_it_is_called_in(notebook: Path) -> None:
    plant(notebook, "commands", "package")
    script = Path(sys.executable).parent / "daybook"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    done = subprocess.run(
        [script, "--version"], cwd=notebook, env=environment, capture_output=True, text=True
    )

    assert done.stdout == f"daybook {daybook.__version__}\n", done.stderr


def test_part_that_is_missing_is_named(notebook: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "daybook", tmp_path / "site" / "daybook")
    script = f"import sys; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]; import daybook"

    done = python(notebook, tmp_path / "site", script)

    assert 'misses its own package "ledger"' in done.stderr


def test_making_sure_costs_next_to_nothing_once_the_parts_are_there() -> None:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        parts.make_sure()
    finally:
        sys.setprofile(None)

    assert calls < 2_000  # it looks where each part comes from, and reads nothing
