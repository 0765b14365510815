"""Broken surroundings: every one of them ends in one line and an exit code, never in a traceback."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from commands.cli.failures import interrupted
from tests.cli.conftest import ROOT, Ended, Run, run_cli, run_process
from tests.patience import PATIENCE_S

Prepare = Callable[[Path], object]


def nothing(folder: Path) -> None:
    pass


def ledger(folder: Path) -> None:
    assert run_cli("init").exit == 0


def of_newer_schema(folder: Path) -> None:
    ledger(folder)
    connection = sqlite3.connect(folder / "daybook.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def text(folder: Path) -> None:
    (folder / "daybook.db").write_text("no database at all, " * 100)


def other_database(folder: Path) -> None:
    connection = sqlite3.connect(folder / "daybook.db")
    connection.execute("CREATE TABLE mine (a INTEGER)")
    connection.commit()
    connection.close()


def without_head(folder: Path) -> None:
    ledger(folder)
    connection = sqlite3.connect(folder / "daybook.db")
    connection.execute("DELETE FROM head")
    connection.commit()
    connection.close()


def damaged_head(folder: Path) -> None:
    ledger(folder)
    connection = sqlite3.connect(folder / "daybook.db")
    connection.execute("PRAGMA ignore_check_constraints = ON")  # else the database refuses it
    connection.execute("UPDATE head SET compact_range = zeroblob(1)")
    connection.commit()
    connection.close()


def cut_short(folder: Path) -> None:
    ledger(folder)
    content = (folder / "daybook.db").read_bytes()
    (folder / "daybook.db").write_bytes(content[: len(content) // 2])
    for ending in ("-wal", "-shm"):
        (folder / f"daybook.db{ending}").unlink(missing_ok=True)


SURROUNDINGS: list[tuple[str, Prepare, list[str], int, str]] = [
    ("no ledger", nothing, ["sessions"], 1, "Create one: daybook init"),
    ("no ledger to verify", nothing, ["verify"], 1, "Create one: daybook init"),
    ("no ledger to rebuild", nothing, ["rebuild"], 1, "Create one: daybook init"),
    ("no folder for the ledger", nothing, ["init", "--db", "sqlite:///no/x.db"], 1, "There is no folder"),
    ("folder of the ledger gone", nothing, ["log", "--db", "sqlite:///nowhere/x.db"], 1,
     "there is no folder"),
    ("folder as database", lambda f: (f / "daybook.db").mkdir(), ["sessions"], 1, "is a folder"),
    ("folder as database, init", lambda f: (f / "daybook.db").mkdir(), ["init"], 1, "is a folder"),
    ("text as database", text, ["sessions"], 1, "not an intact"),
    ("text as database, init", text, ["init"], 1, "not an intact"),
    ("text as database, verify", text, ["verify"], 1, "not an intact"),
    ("empty file as database", lambda f: (f / "daybook.db").touch(), ["sessions"], 1, "holds no ledger"),
    ("somebody else's database", other_database, ["sessions"], 1, "holds no ledger"),
    ("somebody else's database, verify", other_database, ["verify"], 1, "holds no ledger"),
    ("newer schema", of_newer_schema, ["sessions"], 1, "Install a newer Daybook"),
    ("newer schema, init", of_newer_schema, ["init"], 1, "Install a newer Daybook"),
    ("head row gone", without_head, ["verify"], 5, "head row"),
    ("head row damaged", damaged_head, ["sessions"], 5, "The head row of the ledger is damaged"),
    ("head row damaged, init", damaged_head, ["init"], 5, "daybook verify, then: daybook rebuild"),
    ("head row damaged, verify", damaged_head, ["verify"], 5, "The head row is damaged"),
    ("database cut short", cut_short, ["sessions"], 1, "not an intact"),
    ("file without a scheme", nothing, ["sessions", "--db", "foo"], 1, "Create one: daybook init --db foo"),
    ("address of nothing", nothing, ["sessions", "--db", ""], 1, "Expected a FILE"),
    ("address in memory", nothing, ["init", "--db", "sqlite:///:memory:"], 1, "Expected a FILE"),
    ("address of another engine", nothing, ["sessions", "--db", "mysql://u:secret@h/d"], 1, 'begins with "mysql"'),
    ("address with a wrong port", nothing, ["sessions", "--db", "postgresql://u:secret@h:x/d"], 1, "not the address"),
    ("file is not there", ledger, ["upload", "none.yml"], 2, "There is no file none.yml"),
    ("file is a folder", lambda f: (f / "d").mkdir(), ["upload", "d"], 2, "is a folder"),
    ("file without a name", ledger, ["upload", ""], 2, '"" is not the name of a file'),
    ("file name with a NUL", ledger, ["upload", "a\0b"], 2, "is not the name of a file"),
    ("empty file", ledger, ["upload", os.devnull], 1, "The file is empty"),
    ("endless file", ledger, ["validate", "/dev/zero"], 1, "more than 10,485,760 bytes"),
    ("endless catalogue", ledger, ["catalogue", "load", "/dev/zero"], 1, "at most 10,485,760 are read"),
    ("reference that is no text", ledger, ["show", "\udcff"], 2, "is not text in UTF-8"),
    ("filter that is no text", ledger, ["log", "--actor", "\udcff"], 2, "is not text in UTF-8"),
    ("settings that are a folder", lambda f: (f / "daybook.toml").mkdir(), ["sessions"], 1, "daybook init"),
    ("directory to keep is not empty", ledger, ["demo", "--keep", "."], 2, "is not empty"),
    ("directory to keep is a file", ledger, ["demo", "--keep", "daybook.db"], 2, "cannot be made"),
    ("draft into a missing folder", nothing, ["compose", ".", "-o", "nowhere/x.yml"], 1, "no recording"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("prepare", "arguments", "exit_code", "said"),
    [pytest.param(*case[1:], id=case[0]) for case in SURROUNDINGS],
)
def test_broken_surroundings_end_in_a_line_that_says_what_to_do(
    folder: Path, prepare: Prepare, arguments: list[str], exit_code: int, said: str
) -> None:
    prepare(folder)
    ended = run_cli(*arguments)
    assert said in ended.err + ended.out
    assert ended.exit == exit_code
    assert ended.err.count("\n") <= 1
    assert "incident" not in ended.err
    document = run_cli(*arguments, "--json")
    assert document.exit == exit_code
    assert document.json["ok"] is False


def test_server_that_is_not_there_is_named_without_its_password(silent_port: int) -> None:
    address = f"postgresql://user_1:secret@127.0.0.1:{silent_port}/lab"
    for verb in (["sessions"], ["init"], ["verify"], ["validate", "-"]):
        ended = run_cli("--db", address, *verb, stdin="")
        assert ended.exit == 1
        assert "No server listens at postgresql://127.0.0.1:" in ended.err
        assert "secret" not in ended.err


def test_database_that_the_server_does_not_have(postgresql_server: str) -> None:
    address = make_url(postgresql_server).set(database="nosuch").render_as_string(hide_password=False)
    ended = run_cli("--db", address, "sessions")
    assert ended.exit == 1
    assert "nosuch" in ended.err


def test_database_without_a_ledger_on_a_server(postgresql_server: str) -> None:
    ended = run_cli("--db", postgresql_server, "sessions")
    assert ended.exit == 1
    assert "Create one: daybook init --db ADDRESS" in ended.err


def as_nobody(*arguments: str) -> Ended:
    """The command line as a user who owns nothing. What it imports was imported before, a refusal's needs included."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    run_cli("--db", "sqlite:////nowhere/daybook.db", "init")
    os.setegid(65534)
    os.seteuid(65534)
    try:
        return run_cli(*arguments)
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_to_others(folder: Path) -> Path:
    """A folder that others may look into, below one that they may."""
    for parent in (folder, *folder.parents[:3]):
        if parent.stat().st_uid == os.geteuid() and parent != Path(tempfile.gettempdir()):
            parent.chmod(0o755)
    return folder


def test_unreadable_file_is_said_to_be_unreadable(open_to_others: Path) -> None:
    (open_to_others / "mine.yml").write_text("subject: {}")
    run_cli("validate", "mine.yml")
    (open_to_others / "mine.yml").chmod(0o600)
    ended = as_nobody("validate", "mine.yml")
    assert ended.exit == 2
    assert "mine.yml cannot be read: you may not read it" in ended.err


def test_read_only_ledger_can_be_read_and_not_written(open_to_others: Path) -> None:
    ledger(open_to_others)
    assert run_cli("catalogue", "add", "acquisition.Project", "first").exit == 0
    for path in open_to_others.glob("daybook.db*"):
        path.chmod(0o644)
    ended = as_nobody("catalogue", "add", "acquisition.Project", "x")
    assert ended.exit == 1
    assert "error:" in ended.err and ended.err.count("\n") == 1
    assert "incident" not in ended.err


def test_folder_that_may_not_be_written_is_no_place_for_a_ledger(
    open_to_others: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_cli("init", "--db", f"sqlite:///{tmp_path_factory.mktemp('other')}/x.db")
    ended = as_nobody("init")
    assert ended.exit == 1
    assert "incident" not in ended.err
    assert ended.err.count("\n") == 1


def test_file_name_that_is_no_utf_8_is_stored_spelled_out(run_here: Run, folder: Path) -> None:
    name = os.fsdecode(b"bad\xff.yml")
    (folder / name).write_text("subject: {name: nobody}\n")
    ended = run_here("upload", name)
    assert ended.exit == 1
    assert ended.out.startswith("bad\\xff.yml:1:")
    assert run_here("uploads", "--json").json["uploads"][0]["filename"] == "bad\\xff.yml"
    assert "bad\\xff.yml" in run_here("uploads").out


def test_file_name_cannot_steer_the_terminal(run_here: Run, folder: Path) -> None:
    (folder / "a\x1b[31m.yml").write_text("subject: {name: nobody}\n")
    assert "\x1b[31m." not in run_here("upload", "a\x1b[31m.yml").out
    assert "\x1b" not in run_here("uploads").out


def test_working_directory_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    ended = run_cli("sessions")
    monkeypatch.chdir(folder)
    assert ended.exit == 2
    assert "working directory is gone" in ended.err


def shell(command: str) -> Ended:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DAYBOOK": f"{sys.executable} -m commands.cli"}
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def test_closed_pipe_is_silent() -> None:
    ended = shell("set -o pipefail; $DAYBOOK template --example | true; $DAYBOOK schema --json | head -c 1")
    assert ended.err == ""


def test_a_reader_of_a_list_may_go_away(folder: Path) -> None:
    ledger(folder)
    for number in range(30):
        assert run_cli("subject", "add", f"subject_{number}").exit == 0

    for verb in ("log --json", "log", "history subject/0/subject_1", "export -", "subject list --json"):
        said = shell(f"$DAYBOOK {verb} | head -c 1").err
        # all of so short an export may be in the pipe before its reader leaves it
        assert said == "" or (verb == "export -" and said.startswith("Exported 31 events, ")), verb


def test_closed_standard_streams_are_no_fault() -> None:
    assert shell("$DAYBOOK template >&-").exit == 0
    assert shell("$DAYBOOK sessions 2>&-").exit == 1
    assert shell("$DAYBOOK validate - <&-").err.startswith("error: Standard input is closed")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk_below_standard_output_is_one_line() -> None:
    ended = shell("$DAYBOOK template > /dev/full")
    assert ended.exit == 1
    assert (
        ended.err
        == "error: Standard output cannot be written to: No space left on device. Free some space. [disk-full]\n"
    )


def test_terminal_that_cannot_show_a_letter_gets_its_escape() -> None:
    ledger(Path())
    run_cli("catalogue", "add", "reference.Experimenter", "Łukasz")
    ended = shell("PYTHONIOENCODING=latin-1 $DAYBOOK catalogue list")
    assert ended.exit == 0
    assert "\\u0141ukasz" in ended.out


def test_ctrl_c_is_how_watching_ends(folder: Path) -> None:
    ledger(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "commands.cli", "work", "--watch"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a suite that runs in the background ignores Ctrl-C, and so would all that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    assert "Ctrl-C ends it" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, "", "Stopped.\n")


def test_ctrl_c_in_the_middle_of_an_import_is_ctrl_c() -> None:
    class Interrupting:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:
        type("Imported", (), {"field": Interrupting()})

    assert interrupted(caught.value) and not interrupted(RuntimeError("of another cause"))


def test_module_can_be_run_from_any_folder(folder: Path) -> None:
    assert run_process("--version").out.startswith("daybook ")
