"""Checkpoints that are made by themselves: when, where, and what is said where that cannot be done."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from commands.answers.checkpoint import checkpoint_state
from commands.door.reading_settings import load
from commands.door.settings import Checkpoints, SettingsError
from commands.door.submit import Daybook
from commands.proving.keeping import keep_checkpoint, newest_kept
from ledger.checkpoint import parse
from ledger.errors import IntegrityFailure, Refusal
from tests.cli.conftest import Run, folder, run, run_here
from tests.ledger.writing import Register, as_owner

__all__ = ["folder", "run", "run_here"]


def keeping(place: Path, every: int | None = 5, *, commits: bool = False) -> Checkpoints:
    return Checkpoints(place / "kept", commits, None, every)


def grow(daybook: Daybook, events: int) -> None:
    daybook.submit(Register(name=f"s{daybook.reached}_{events}", values=events - 1))


def test_one_is_kept_when_the_bound_is_crossed_and_not_before(daybook: Daybook, tmp_path: Path) -> None:
    settings, key = keeping(tmp_path), tmp_path / "daybook.key"

    grow(daybook, 3)
    assert keep_checkpoint(daybook, settings, key) is None
    grow(daybook, 2)
    kept = keep_checkpoint(daybook, settings, key)
    assert kept is not None and kept.size == 6
    assert keep_checkpoint(daybook, settings, key) is None

    with daybook.reading() as world:
        signed = parse(kept.text()).checkpoint
        assert (signed.origin, signed.root) == (world.head.origin, world.head.compact_range.root())
        assert newest_kept(settings, world.head.origin) == kept
        assert newest_kept(settings, "daybook/other") is None


def test_on_work_one_is_kept_for_whatever_is_new(daybook: Daybook, tmp_path: Path) -> None:
    settings, key = keeping(tmp_path, None), tmp_path / "daybook.key"

    assert keep_checkpoint(daybook, settings, key) is None
    assert keep_checkpoint(daybook, settings, key, at_work=True) is not None
    assert keep_checkpoint(daybook, settings, key, at_work=True) is None


def test_without_the_key_none_is_kept_and_its_age_is_told(daybook: Daybook, tmp_path: Path) -> None:
    settings, key = keeping(tmp_path), tmp_path / "daybook.key"
    grow(daybook, 5)
    kept = keep_checkpoint(daybook, settings, key)
    grow(daybook, 7)

    assert keep_checkpoint(daybook, settings, tmp_path / "none.key") is None

    with daybook.reading() as world:
        state = checkpoint_state(world, settings)
        until = world.transaction.run("SELECT recorded_at FROM events WHERE position = 6").fetchone()[0]
    assert state.kept is not None and kept is not None
    assert (state.kept.file, state.kept.size, state.kept.since) == (str(kept.file), 6, 7)
    assert state.kept.signed_until == state.signed_until == until
    assert state.due


@pytest.mark.tampers
def test_rewritten_past_is_said_and_not_signed_over(
    daybook: Daybook, ledger_url: str, tmp_path: Path
) -> None:
    settings, key = keeping(tmp_path), tmp_path / "daybook.key"
    grow(daybook, 5)
    keep_checkpoint(daybook, settings, key)
    with daybook.reading() as world:
        other = bytes(32)
        assert world.head.size == 6
    as_owner(ledger_url, ("UPDATE events SET leaf_sha256 = ? WHERE position = 3", (other,)))
    grow(daybook, 9)

    with pytest.raises(IntegrityFailure) as caught:
        keep_checkpoint(daybook, settings, key)

    assert caught.value.code == "past-rewritten" and len(list((tmp_path / "kept").iterdir())) == 1


def test_checkpoint_is_never_written_over_another(daybook: Daybook, tmp_path: Path) -> None:
    settings, key = keeping(tmp_path), tmp_path / "daybook.key"
    grow(daybook, 5)
    kept = keep_checkpoint(daybook, settings, key)
    assert kept is not None
    text = kept.text()
    kept.file.rename(kept.file.with_name("elsewhere"))
    assert keep_checkpoint(daybook, settings, key) == kept and kept.text() == text  # the same again

    from commands.proving import keeping as module

    with pytest.raises(IntegrityFailure, match="another checkpoint"):
        module._write(kept.file, text.replace("6\n", "7\n"))
    assert kept.text() == text and {each.name for each in kept.file.parent.iterdir()} == {
        "elsewhere",
        kept.file.name,
    }


def test_place_that_cannot_be_written_is_said(daybook: Daybook, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file, not a folder")
    grow(daybook, 5)

    with pytest.raises(Refusal) as caught:
        keep_checkpoint(daybook, keeping(tmp_path), tmp_path / "daybook.key")
    assert str(tmp_path / "kept") in caught.value.message and caught.value.hint


def test_repository_gets_a_commit_and_the_next_takes_what_could_not_be_committed(
    daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, key = tmp_path / "kept", tmp_path / "daybook.key"
    git("init", "--quiet", str(repository))
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "user_1")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "user_1@example.org")
    settings = keeping(tmp_path, commits=True)
    (repository / "mine.txt").write_text("not yours")
    grow(daybook, 5)
    with monkeypatch.context() as without:
        without.setenv("PATH", "/nowhere")
        with pytest.raises(Refusal, match="not committed") as caught:
            keep_checkpoint(daybook, settings, key)
        assert caught.value.code == "checkpoint-not-committed"

    grow(daybook, 5)
    keep_checkpoint(daybook, settings, key)

    assert git("-C", str(repository), "log", "--format=%s") == "checkpoint of 11 events\n"
    files = git("-C", str(repository), "ls-files").split()
    assert [int(name[-16:-4]) for name in files] == [6, 11]


def git(*arguments: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("LOUD: git is absent, so this test does not run")
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


# --- at the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def configured(run: Run, folder: Path) -> Run:
    (folder / "daybook.toml").write_text('[checkpoints]\ndirectory = "kept"\nevery = 2\n')
    return run


def test_verb_that_crosses_the_bound_keeps_one_and_verify_compares_with_it(
    configured: Run, folder: Path
) -> None:
    assert configured("subject", "add", "12345").exit == 0
    [file] = (folder / "kept").iterdir()

    verified = configured("verify")

    assert verified.exit == 0 and file.name in verified.err
    assert file.name in configured("checkpoint", "--newest").err


@pytest.mark.tampers
@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_events_that_vanished_with_the_write_ahead_log_are_named(
    configured: Run, folder: Path, ledger_url: str
) -> None:
    """As if the newest part of the database had never been: what is left agrees with itself."""
    file = Path(str(make_url(ledger_url).database))
    shutil.copy(file, folder / "earlier.db")
    for name in ("12345", "12346", "12347"):
        assert configured("subject", "add", name).exit == 0
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    shutil.copy(folder / "earlier.db", file)

    found = configured("verify")
    later = configured("subject", "add", "12348")

    assert found.exit == 5 and "The events 2 to 4 are gone" in found.out
    assert later.exit == 0 and "The events 3 to 4 are gone" in later.err


def test_failure_to_keep_one_fails_no_verb_and_is_said(configured: Run, folder: Path) -> None:
    (folder / "kept").write_text("no folder")

    ended = configured("subject", "add", "12345", "--json")

    assert ended.exit == 0 and ended.json["ok"] and str(folder / "kept") in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("every = 5", "either"),
        ('directory = "a"\nrepository = "b"', "either"),
        ('directory = "a"\nevery = 0', "every"),
        ('directory = "a"\nevery = "often"', "every"),
        ('directory = "a"\nevery = true', "every"),
        ('directory = ""', "no place"),
        ("directory = 3", "text"),
        ('folder = "a"', "no setting"),
    ],
)
def test_settings_that_say_nothing_are_refused(folder: Path, text: str, said: str) -> None:
    (folder / "daybook.toml").write_text(f"[checkpoints]\n{text}\n")
    with pytest.raises(SettingsError, match=said):
        load()


def test_places_belong_to_the_folder_of_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "daybook.toml").write_text('[checkpoints]\nrepository = "a"\nkey = "k"\nevery = "work"\n')
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")

    assert load().checkpoints == Checkpoints(folder / "a", True, folder / "k", None)
