"""What is checked offline and is given as another kind of file is named, with the option that takes it; a folder of backups is
none itself.
"""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, run_cli

KINDS = {"--checkpoint": "c.txt", "--receipt": "r.proof", "--bundle": "b.zip"}


@pytest.fixture
def kept(run_here: Run) -> None:
    for words in ("checkpoint -o c.txt", "prove 1 -o r.proof", "bundle b.zip", "backup create backups"):
        assert run_here(*words.split()).exit == 0, words


@pytest.mark.parametrize("given", ["--receipt", "--bundle"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_option_that_takes_it_is_named_and_does(kept: None, given: str, kind: str) -> None:
    refused = run_cli("verify", given, KINDS[kind])

    if given == kind:
        assert refused.exit == 0
        return
    assert refused.exit == 1 and f"daybook verify {kind} {KINDS[kind]}" in refused.err
    assert run_cli("verify", kind, KINDS[kind]).exit == 0


def test_what_is_damaged_is_not_taken_for_another_kind(kept: None) -> None:
    Path("cut.zip").write_bytes(Path("b.zip").read_bytes()[:900])

    assert "Get it again from where it was kept" in run_cli("verify", "--bundle", "cut.zip").err


def test_a_folder_of_backups_names_one_of_them(kept: None) -> None:
    refused = run_cli("backup", "check", "backups")

    [inside] = [path for path in Path("backups").iterdir() if path.is_dir()]
    assert refused.exit == 1 and str(inside) in refused.err
    assert run_cli("backup", "check", str(inside)).exit == 0
