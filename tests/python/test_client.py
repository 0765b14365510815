"""``daybook.connect``: the same answers beside the ledger and through a server, typed; and typed refusals."""

import inspect
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import daybook
from commands.answers.actions import ACTIONS
from commands.answers.questions import QUESTIONS
from commands.answers.record import SessionRecord
from commands.door.actor import account
from daybook.client import Client
from daybook.derived import named
from ledger.events import ActionRefused
from projections.lines import ListedSession
from tests.python.conftest import Connect

pytestmark = pytest.mark.both_ways


@pytest.fixture
def lab(connect: Connect) -> Client:
    """Of user_1, who has uploaded a file."""
    client = connect()
    assert client.upload("12345.yml").ok
    return client


def test_sessions_are_typed_rows(lab: Client) -> None:
    rows = list(lab.sessions(subject="12345"))

    assert len(rows) == 3 and all(type(row) is ListedSession for row in rows)
    assert isinstance(lab.show(rows[0].session), SessionRecord)


def test_lists_go_through_all_pages_of_one_moment(lab: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybook.client._PAGE", 1)
    seen = []

    for number, session in enumerate(lab.sessions()):
        seen.append(session.session)
        if number == 0:  # what comes in between is not of that moment
            assert lab.upload("12346.yml").ok

    assert len(seen) == len(set(seen)) == 3
    assert len(list(lab.sessions())) == 6 and len(list(lab.sessions(limit=4))) == 4


def test_log_goes_through_all_pages(lab: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybook.client._EVENTS", 7)

    positions = [event.position for event in lab.log()]

    assert positions == list(range(1, lab.status().position + 1))
    assert {event.type for event in lab.log(type="InputFileReceived")} == {"InputFileReceived"}
    assert next(iter(lab.log(after=positions[-3]))).position == positions[-2]


def test_log_finds_a_text_in_all_its_pages(lab: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybook.client._EVENTS", 2)
    monkeypatch.setattr("commands.answers.log.STEP", 5)

    found = [event.position for event in lab.log(text="12345")]

    in_bodies = {event.position for event in lab.log() if "12345" in str(event.body)}
    assert found == sorted(set(found)) and len(in_bodies) > 4 and in_bodies <= set(found)


def test_reads_take_an_earlier_moment(lab: Client) -> None:
    upload = lab.uploads().first()
    assert upload is not None
    position = int(upload.upload[1:])
    later = datetime.now(UTC)

    assert list(lab.sessions(as_of=position)) == []
    assert lab.history(upload.upload, as_of=position).position == position
    assert len(list(lab.sessions(as_of=later))) == 3
    assert lab.show(upload.upload, as_of=upload.received_at).position >= position


def test_a_file_with_mistakes_is_told_and_not_raised(lab: Client) -> None:
    report = lab.upload("wrong.yml", content="subject: {name: '12345'}\nsesions: []\n")

    assert not report.ok and [finding.code for finding in report.findings] == ["unknown-key"]
    assert lab.validate("12346.yml").ok and len(list(lab.sessions())) == 3


@pytest.mark.parametrize("method", ["upload", "validate"])
def test_a_file_beyond_the_limit_is_told(connect: Connect, stocked_lab: Path, method: str) -> None:
    with (stocked_lab / "daybook.toml").open("a") as settings:
        settings.write("[limits]\ninput_file_bytes = 100\n")

    report = getattr(connect(), method)("12345.yml")

    assert not report.ok and [finding.code for finding in report.findings] == ["file-too-large"]


def test_upload_under_the_same_id_is_taken_once(connect: Connect) -> None:
    client = connect()

    first = client.upload("12345.yml", command_id="a-notebook-cell-12345")
    again = client.upload("12345.yml", command_id="a-notebook-cell-12345")

    assert first.upload == again.upload and len(list(client.uploads())) == 1


def test_stored_file_comes_back(lab: Client, stocked_lab: Path) -> None:
    upload = lab.uploads().first()

    assert upload is not None and lab.cat(upload.upload) == (stocked_lab / "12345.yml").read_bytes()


def test_actions_answer_with_their_receipts(lab: Client) -> None:
    added = lab.add_value(table="reference.Experimenter", value="user_9")

    assert (added.ok, added.added, added.position) == (True, 1, lab.status().position)


def test_what_is_told_once_stands_beside_the_receipt(connect: Connect) -> None:
    client = connect(account(), proven=True)

    made = client.create_token(name="a notebook", scope="read")

    assert made.secret["token"] and made.secret["token"] not in repr(made.answer)


def test_files_among_the_parameters_are_text_or_bytes(lab: Client) -> None:
    catalogue = "reference.Experimenter: [user_8]\n"

    assert lab.load_catalogue(content=catalogue).added == 1
    assert lab.load_catalogue(content=catalogue.encode()).added == 0


def test_what_is_refused_is_typed(lab: Client, connect: Connect) -> None:
    session = next(iter(lab.sessions())).session
    stranger = connect("user_2")

    with pytest.raises(daybook.NotPermitted) as refusal:
        stranger.annotate(session, room="2.345")

    assert refusal.value.code == "not-permitted" and "user_1" in str(refusal.value)
    assert refusal.value.__cause__ is None and refusal.value.__suppress_context__
    assert [event.type for event in lab.log(type=ActionRefused.__name__)] == ["ActionRefused"]


def test_next_steps_are_worded_as_calls(lab: Client) -> None:
    with pytest.raises(daybook.Refusal) as refusal:
        lab.show("s999999")

    assert refusal.value.hint.endswith("a group name: .sessions().")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"missing": ["x"]}, "missing="), ({"since": "no time"}, "since="), ({"status": "lost"}, "status="),
        ({"limit": -1}, "limit="), ({"as_of": "no time"}, "'no time' is no moment"), ({"subject": ""}, "subject="),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused_before_anything_is_asked(
    connect: Connect, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(daybook.WrongArgument, match=said):
        connect().sessions(**given)


def test_an_argument_that_there_is_not_is_a_type_error(connect: Connect) -> None:
    with pytest.raises(TypeError, match=r"add_value\(\*, table: str, value: str"):
        connect().add_value(tabel="reference.Experimenter")


def test_a_method_that_there_is_not_names_the_nearest(connect: Connect) -> None:
    with pytest.raises(AttributeError, match='Did you mean "withdraw"'):
        connect().withdarw  # noqa: B018


def test_a_fault_of_daybook_is_an_incident(lab: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("commands.answers.why.why", broken)

    with pytest.raises(daybook.Fault, match="fault of") as fault:
        lab.why(next(iter(lab.sessions())).session)

    assert fault.value.incident and "canary" not in str(fault.value)


def test_threads_may_share_a_client(lab: Client) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(list(lab.sessions())))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [3, 3, 3, 3]


def test_who_asks_is_said(connect: Connect) -> None:
    assert connect("user_3").user == "user_3"


def test_every_question_and_action_is_a_documented_method(connect: Connect) -> None:
    client = connect()
    names = [one.name for one in (*QUESTIONS, *ACTIONS) if getattr(one, "ask", True) is not None]

    assert len(names) > 60 and len(named()) == len(names)
    for name in names:
        method = name.replace("-", "_")
        assert method in dir(client) and inspect.getdoc(getattr(client, method)), name


@pytest.mark.beside_the_ledger
def test_own_account_unless_said(ledger_url: str) -> None:
    with daybook.connect(ledger_url) as client:
        assert client.user == account()
        assert client.add_value  # an attribute, no call
