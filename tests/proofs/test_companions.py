"""The script and the readme of a bundle are checked too, by the version that wrote them; and what it prints is harmless."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from commands.proving import bundle
from commands.proving.bundle_verifier import README, SCRIPT
from ledger import __version__
from tests.cli.conftest import Run, folder, run, run_cli, run_here, sample, stocked
from tests.proofs.test_bundle import stranger, unpacked

__all__ = ["folder", "run", "run_here", "sample", "stocked"]
NEWER, OLDER = "99.0.0", "0.0.9"


@pytest.fixture
def inside(run_here: Run) -> Path:
    """An unpacked bundle of a small ledger."""
    assert run_here("subject", "add", "12345").exit == 0
    assert run_here("bundle", "all.zip").exit == 0
    return unpacked("all.zip")


def checked() -> dict[str, object]:
    return run_cli("verify", "--bundle", "unpacked", "--json").json


def codes() -> list[str]:
    return [problem["code"] for problem in checked()["problems"]]  # type: ignore[attr-defined]


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    file.write_bytes(change(file.read_bytes().decode()).encode())


def test_companions_are_checked_and_the_version_is_named(inside: Path) -> None:
    found = checked()

    assert found["ok"] and f"are those that Daybook {__version__} writes" in str(found["checked"])
    assert inside.joinpath(README).read_text().endswith(f"Written by Daybook {__version__}.\n")


@pytest.mark.parametrize("name", [SCRIPT, README])
def test_changed_companion_is_found(inside: Path, name: str) -> None:
    content = (inside / name).read_bytes()
    for changed in (b"x" + content, content[:-1], content.replace(b"e", b"E", 1), b""):
        (inside / name).write_bytes(changed)
        assert codes() and set(codes()) <= {"companion-changed"}, changed[:20]
    (inside / name).unlink()
    assert codes() == ["companion-missing"]


def test_bundle_of_a_newer_version_is_not_said_to_hold_and_its_script_is_not_vouched_for(
    inside: Path,
) -> None:
    """Else who changes the script says that a newer version wrote it."""
    rewrite(inside / README, lambda text: text.replace(f"Daybook {__version__}.", f"Daybook {NEWER}."))
    rewrite(inside / SCRIPT, lambda text: text + "# of a newer version\n")

    found, shown = checked(), run_cli("verify", "--bundle", "unpacked")

    assert not found["ok"] and found["problems"] == []
    assert shown.exit == 5 and shown.out.endswith("that it is intact was not shown.\n")
    assert f"Daybook {NEWER} wrote them" in str(found["unchecked"]) and "Do not run" in str(
        found["unchecked"]
    )


def test_bundle_of_an_older_version_is_held_against_what_that_one_wrote(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = "The readme of long ago, of {origin}.\nWritten by Daybook {version}.\n"
    script = b"print('as it was')\n"
    monkeypatch.setitem(bundle._WRITERS, OLDER, (sha256(script).hexdigest(), older))
    origin = (inside / "checkpoint.txt").read_text().splitlines()[0]
    (inside / SCRIPT).write_bytes(script)
    (inside / README).write_text(older.format(origin=origin, version=OLDER))

    assert checked()["ok"] and f"Daybook {OLDER} writes" in str(checked()["checked"])

    (inside / SCRIPT).write_bytes(script + b"import os\n")
    assert codes() == ["companion-changed"]


def test_script_prints_no_control_characters_of_the_bundle(inside: Path) -> None:
    """Who made the bundle chose its texts; a terminal would obey them."""
    evil = "\x1b[31m\x07\x9b2J\u202e"
    for name, change in (
        ("checkpoint.txt", lambda text: text.replace("daybook/", f"daybook/{evil}")),
        ("public_key.txt", lambda text: text.replace("daybook/", f"daybook/{evil}")),
        ("events.jsonl", lambda text: text.replace("LedgerCreated", f"LedgerCreated{evil}")),
    ):
        before = (inside / name).read_bytes()
        rewrite(inside / name, change)
        for shown in (stranger(inside), run_cli("verify", "--bundle", "unpacked")):
            said = shown.stdout + shown.stderr if hasattr(shown, "stdout") else shown.out + shown.err
            assert said and all(c.isprintable() or c == "\n" for c in said), (name, said)
        (inside / name).write_bytes(before)
    (inside / "files").mkdir(exist_ok=True)
    (inside / "files" / f"a{evil}").write_bytes(b"x")
    said = stranger(inside)
    assert all(c.isprintable() or c == "\n" for c in said.stdout + said.stderr)
