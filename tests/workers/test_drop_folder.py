"""A folder that input files are put into: each is uploaded once, however often whoever watches it is killed."""

import errno
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from commands.accounts.standing import AddServiceAccount
from commands.accounts.tokens import create_token
from commands.lab.roles import GrantRole
from commands.workers import dropping
from ledger.errors import LedgerUnavailable
from tests.intake.lab import Lab, document, session
from tests.patience import PATIENCE_S, until
from tests.server.test_serve import serving
from tests.workers.child import CRASHED, processes, watch_and_die
from tests.workers.conftest import Process, begun, each_once, kill

Watch = Callable[..., Process]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(lab: Lab, inbox: Path, tmp_path: Path) -> Iterator[Watch]:
    """``daybook watch`` of the inbox. ``by_hand``: with an interpreter of its own."""
    started: list[Process] = []

    def begin(
        *arguments: str, ledger: tuple[str, ...] = (), by_hand: bool = False, **environment: str
    ) -> Process:
        where = (*(ledger or ("--db", lab.url, "--as", "user_1")), "--config", str(tmp_path / "daybook.toml"))
        started.append(
            begun(
                (*where, "watch", str(inbox), "--unchanged", "0.2", *arguments), environment, tmp_path,
                by_hand=by_hand,
            )
        )  # fmt: skip
        return started[-1]

    yield begin
    for process in started:
        kill(process)


def dropped(inbox: Path) -> list[str]:
    return sorted(
        str(each.relative_to(inbox)) for each in inbox.rglob("*") if each.is_file() and each.name != "lock"
    )


def test_a_file_is_uploaded_and_put_aside_with_its_findings(lab: Lab, inbox: Path, watch: Watch) -> None:
    lab.record_quickly(2)
    (inbox / "12345.yml").write_bytes(document(session("quick_0"), session("quick_1")))
    watcher = watch(by_hand=True)

    until(lambda: (inbox / "done/12345.yml").exists())

    assert dropped(inbox) == ["done/12345.yml", "done/12345.yml.findings.txt"]
    said = (inbox / "done/12345.yml.findings.txt").read_text()
    assert said.splitlines()[-1].endswith(": 2 sessions, no findings") and said.count(": inserted\n") == 2
    each_once(lab, 2)
    watcher.send_signal(signal.SIGTERM)
    out, err = watcher.communicate(timeout=PATIENCE_S)
    assert (watcher.returncode, out) == (0, "done/12345.yml\n"), err


def test_a_file_that_is_rejected_is_put_aside_and_can_come_again(lab: Lab, inbox: Path, watch: Watch) -> None:
    lab.record_quickly(1)
    data = document(session("quick_0", experimenter="user_9"))
    watch()
    for name in ("rejected/12345.yml", "rejected/12345.*.yml"):
        (inbox / "12345.yml").write_bytes(data)
        until(lambda name=name: list(inbox.glob(name)) != [])
        until(lambda: not (inbox / "12345.yml").exists())

    assert lab.types().count("InputFileRejected") == 2
    assert "user_9" in (inbox / "rejected/12345.yml.findings.txt").read_text()
    until(lambda: len(dropped(inbox)) == 4)


def test_what_is_renamed_into_place_need_not_rest(lab: Lab, inbox: Path) -> None:
    taken: list[str] = []

    def take(file: Path, _command_id: str) -> dropping.Outcome:
        taken.append(file.name)
        return dropping.Outcome("done", "")

    with dropping.Dropped(inbox, take, lambda told: None, unchanged_s=1e6) as folder:
        (inbox / "12345.yml.part").write_bytes(b"x")
        (inbox / "23456.yml").write_bytes(b"x")
        folder.look()
        (inbox / "12345.yml.part").rename(inbox / "12345.yml")
        folder.look()

    assert taken == ["12345.yml"]
    assert (inbox / "23456.yml").exists()


def test_while_the_ledger_is_away_a_file_stays_and_then_goes_in(lab: Lab, inbox: Path) -> None:
    (inbox / "12345.yml").write_bytes(b"x")
    tried: list[str] = []
    told: list[dropping.Told] = []

    def take(_file: Path, command_id: str) -> dropping.Outcome:
        tried.append(command_id)
        if len(tried) < 3:
            raise LedgerUnavailable("unreachable", "No answer came.", "")
        return dropping.Outcome("done", "fine")

    with dropping.Dropped(inbox, take, told.append, unchanged_s=0) as folder:
        folder.watch(lambda _seconds: len(told) == 3)

    assert [one.what for one in told] == ["lost", "moved", "found"]
    assert len(tried) == 3 and len(set(tried)) == 1
    assert dropped(inbox) == ["done/12345.yml", "done/12345.yml.findings.txt"]


def test_a_fault_of_ours_at_one_file_holds_up_no_other(inbox: Path) -> None:
    for name in ("1.yml", "2.yml", "3.yml"):
        (inbox / name).write_text(name)

    def take(file: Path, _command_id: str) -> dropping.Outcome:
        if faulty and file.name == "2.yml":
            raise RuntimeError("a fault")
        return dropping.Outcome("done", "")

    faulty = True
    with dropping.Dropped(inbox, take, lambda told: None, unchanged_s=0) as folder:
        folder.look()
        said = (inbox / "rejected" / "2.yml.findings.txt").read_text()
        assert sorted(path.name for path in (inbox / "done").glob("*.yml")) == ["1.yml", "3.yml"]
        assert "2.yml: error: This is a fault of daybook itself" in said and "[incident]" in said
        faulty = False
        (inbox / "rejected" / "2.yml").rename(inbox / "2.yml")
        folder.look()

    assert (inbox / "done" / "2.yml").exists()


@pytest.mark.parametrize("step", ["claimed", "moved on"])
def test_a_file_that_cannot_be_moved_is_told_of_once_and_holds_up_no_other(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    told: list[dropping.Told] = []
    rename = dropping.rename

    def stubborn(source: Path, target: Path) -> None:
        if Path(target).name == "1.yml" and (Path(target).parent.name == "done") is (step == "moved on"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(dropping, "rename", stubborn)
    for name in ("1.yml", "2.yml"):
        (inbox / name).write_text(name)
    with dropping.Dropped(
        inbox, lambda *_: dropping.Outcome("done", ""), told.append, unchanged_s=0
    ) as folder:
        folder.look()
        folder.look()
        assert [(each.what, each.message) for each in told if each.what == "stays"] == [
            ("stays", "Permission denied")
        ]
        assert (inbox / "done" / "2.yml").exists()
        monkeypatch.undo()
        folder.look()

    assert (inbox / "done" / "1.yml").exists()


def test_a_full_disk_is_a_ledger_that_is_away(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dropping.Told] = []

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dropping, "rename", full)
    (inbox / "1.yml").write_text("1")
    with dropping.Dropped(
        inbox, lambda *_: dropping.Outcome("done", ""), told.append, unchanged_s=0
    ) as folder:
        folder.watch(lambda _seconds: told != [] and (monkeypatch.undo() or len(told) == 3))

    assert [each.what for each in told] == ["lost", "moved", "found"]
    assert (inbox / "done" / "1.yml").exists()


def test_what_is_still_being_written_is_left_alone(lab: Lab, inbox: Path) -> None:
    taken: list[bytes] = []

    def take(file: Path, _command_id: str) -> dropping.Outcome:
        taken.append(file.read_bytes())
        return dropping.Outcome("done", "")

    with dropping.Dropped(inbox, take, lambda told: None, unchanged_s=0) as folder:
        with (inbox / "12345.yml").open("wb", buffering=0) as writer:
            writer.write(b"one")
            name = folder._claimed("12345.yml")
            assert name is not None
            writer.write(b", two")
        folder._go_on(name)
        assert taken == [] and (inbox / "12345.yml").read_bytes() == b"one, two"
        folder.look()

    assert taken == [b"one, two"]


def test_another_that_watches_the_folder_is_refused(lab: Lab, inbox: Path, watch: Watch) -> None:
    with dropping.Dropped(inbox, lambda *_: dropping.Outcome("done", ""), lambda told: None):
        second = watch()
        _, err = second.communicate(timeout=PATIENCE_S)

    assert second.returncode == 1 and "[watched-already]" in err


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_killed_beside_any_step_a_file_goes_in_once(
    lab: Lab, inbox: Path, tmp_path: Path, number: int, after: bool
) -> None:
    """A rename to take it up, three appends (accepted, settled, finished), two renames to put it aside."""
    lab.record_quickly(2)
    (inbox / "12345.yml").write_bytes(document(session("quick_0"), session("quick_1")))
    values = (lab.url, str(inbox), str(tmp_path / "daybook.toml"))

    codes = []
    for at in (number, 0):
        process = processes.Process(target=watch_and_die, args=(*values, at, after))
        process.start()
        process.join(PATIENCE_S)
        codes.append(process.exitcode)

    assert codes == [CRASHED, 0]
    assert dropped(inbox) == ["done/12345.yml", "done/12345.yml.findings.txt"]
    each_once(lab, 2)
    assert [lab.types().count(one) for one in ("InputFileReceived", "InputFileProcessed")] == [1, 1]


def token_of(lab: Lab) -> str:
    lab.daybook.submit(AddServiceAccount(user="rig_1"))
    lab.daybook.submit(GrantRole(user="rig_1", role="researcher"))
    _, token = create_token(lab.daybook, "inbox", user="rig_1")
    assert token is not None
    return token


def test_the_service_account_of_the_token_is_who_uploads(lab: Lab, inbox: Path, watch: Watch) -> None:
    lab.record_quickly(1)
    (inbox / "12345.yml").write_bytes(document(session("quick_0")))
    watch(DAYBOOK_TOKEN=token_of(lab))

    until(lambda: (inbox / "done/12345.yml").exists())

    [event] = [event for event in lab.events() if event.type == "InputFileReceived"]
    via = orjson.loads(event.via)
    assert (event.actor, via["authentication"], via["interface"]) == ("rig_1", "token", "watch")


def test_through_a_server_it_is_the_same(lab: Lab, inbox: Path, watch: Watch, tmp_path: Path) -> None:
    lab.record_quickly(2)
    token = token_of(lab)
    settings = str(tmp_path / "daybook.toml")
    with serving("--db", lab.url, "--config", settings) as (address, _):
        watcher = watch(ledger=("--server", address), DAYBOOK_TOKEN=token)
        (inbox / "12345.yml").write_bytes(document(session("quick_0"), session("quick_1")))
        until(lambda: (inbox / "done/12345.yml").exists())
        kill(watcher)

    assert dropped(inbox) == ["done/12345.yml", "done/12345.yml.findings.txt"]
    each_once(lab, 2)
    assert {event.actor for event in lab.events() if event.type == "SessionInserted"} == {"rig_1"}
