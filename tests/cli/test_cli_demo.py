"""The demo plays to its end, for anybody, anywhere, and touches nothing else."""

import tempfile
from contextlib import chdir
from pathlib import Path

import pytest

from tests.cli.conftest import run_cli


def test_demo_tells_the_whole_story(folder: Path) -> None:
    ended = run_cli("demo")
    assert ended.exit == 0
    for verb in (
        "init",
        "catalogue load",
        "compose",
        "validate",
        "upload",
        "why",
        "work",
        "sessions",
        "history",
        "verify",
    ):
        assert f"$ daybook {verb}" in ended.out
    assert 'Did you mean "user_2"?' in ended.out
    assert "2 duplicates, 1 waiting" in ended.out
    assert "Intact: " in ended.out
    assert list(folder.iterdir()) == []


def test_demo_with_json_is_one_document_of_steps() -> None:
    document = run_cli("demo", "--json").json
    assert set(document) == {"ok", "directory", "steps"}
    assert [step["exit"] for step in document["steps"]].count(1) == 1
    assert all(set(step) == {"command", "exit", "output"} for step in document["steps"])
    assert document["steps"][-1]["output"].startswith("Intact: ")


def test_demo_keeps_its_directory_when_told_to(folder: Path) -> None:
    ended = run_cli("demo", "--keep", "lab")
    assert f"cd {folder}/lab" in ended.out
    assert (
        run_cli("--config", "lab/daybook.toml", "sessions", "--json").json["sessions"][0]["status"]
        == "inserted"
    )
    assert run_cli("demo", "--keep", "lab").exit == 2


def test_demo_writes_a_lab_to_begin_in(folder: Path) -> None:
    document = run_cli("demo", "--lab", "lab", "--json").json
    assert document["subjects"] == ["12345", "12346", "12347"]
    assert not (folder / "lab" / "daybook.db").exists()
    assert run_cli("demo", "--lab", "lab").exit == run_cli("demo", "--lab", "a", "--keep", "b").exit == 2

    with chdir("lab"):
        assert run_cli("init").exit == run_cli("catalogue", "load", "catalogue.yml").exit == 0
        for subject in document["subjects"]:
            uploaded = run_cli("upload", f"{subject}.yml")
            assert (uploaded.exit, "3 inserted" in uploaded.out) == (0, True)


def test_demo_leaves_the_own_ledger_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cli("init")
    before = run_cli("verify", "--json").json
    monkeypatch.setenv("DAYBOOK_DB", f"sqlite:///{folder}/daybook.db")
    assert run_cli("demo").exit == 0
    assert run_cli("verify", "--json").json == before


def test_demo_works_beside_broken_settings(folder: Path) -> None:
    (folder / "daybook.toml").write_text("db = ")
    assert run_cli("demo").exit == 0


def test_demo_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))  # others have demos in the usual one

    made: list[str] = []
    make = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *given: (made.append(make(*given)), made[-1])[1])

    run_cli("demo")

    assert made and list((folder / "temporary").iterdir()) == []
