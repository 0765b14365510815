"""The README's table "Who can trust what", row by row: what is refused, what is found, and what is left.

A name of a test here begins with the row that it shows: ``user``, ``account``, ``worker``, ``application``,
``owner`` or ``kept_elsewhere``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.answers.verified import verified_proof
from commands.door.actor import Actor
from commands.door.permission import require_settler
from commands.door.submit import Daybook
from commands.proving.checking import check_ledger
from commands.proving.checkpoints import make_checkpoint
from commands.workers.reading import Who
from ledger import log
from ledger.database import Database, Transaction
from ledger.envelope import NewEvent
from ledger.errors import IntegrityFailure, Refusal
from ledger.events import (
    DeletionApproved,
    InputFileErased,
    PayloadRedacted,
    RedactionRequested,
    RoleGranted,
    UserInvited,
    UserJoined,
)
from ledger.input_files import keep
from ledger.verify import verify
from projections.rebuild import rebuild
from tests.conftest import ROOT
from tests.ledger.writing import Register, added, append, append_plainly, as_owner, is_sqlite
from tests.patience import PATIENCE_S
from tests.serving import Server
from tests.tampering.forgery import rewrite

pytestmark = pytest.mark.tampers
FILE = b"sessions: []\n"
ROWS = (
    "a user of Daybook",
    "somebody with an account",
    "somebody who has the application's database password",
    "a worker's host",
    "the owner of the database",
    "the owner, where",
)
_SHOWN = {"user", "account", "worker", "application", "owner", "kept_elsewhere"}


def table_rows() -> list[str]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| against |")[2].partition("\n\n")[0]
    return [row.strip("| ") for row in table.splitlines()[2:]]


def test_every_row_of_the_table_is_shown_here() -> None:
    rows = table_rows()

    assert len(rows) == len(ROWS)
    for row, begins in zip(rows, ROWS, strict=True):
        assert row.startswith(begins), row
    shown = set(
        re.findall(
            r"def test_(user|account|worker|application|owner|kept_elsewhere)_", Path(__file__).read_text()
        )
    )
    assert shown == _SHOWN


@pytest.fixture
def application(ledger_url: str) -> Iterator[Database]:
    """A connection under the application's role (on SQLite: as the program opens the file), five events, one file."""
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    daybook.submit(Register(name="1", values=3))
    with daybook.database.writing() as transaction:
        keep(transaction, FILE)
    daybook.close()
    database = Database(ledger_url)
    yield database
    database.close()


def refusal(database: Database, *statements: str | tuple[str, tuple[Any, ...]]) -> str:
    """What the database answers, at the latest at the commit."""
    with pytest.raises(Exception) as caught, database.writing() as transaction:
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            transaction.run(sql, values)
    return str(caught.value)


def written(database: Database, *statements: str | tuple[str, tuple[Any, ...]]) -> None:
    with database.writing() as transaction:
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            transaction.run(sql, values)


def live_slot(database: Database) -> str:
    with database.reading() as transaction:
        return log.read_head(transaction).live_slot


def codes(url: str) -> set[str]:
    return {problem.code for problem in check_ledger(url).report.problems}


# --- a user of Daybook ------------------------------------------------------------------------------------------------


def test_user_cannot_change_or_remove_what_was_recorded(application: Database) -> None:
    for sql in (
        "DELETE FROM events", "DELETE FROM receipts", "DELETE FROM input_files", "UPDATE events SET actor = 'user_2'",
        "UPDATE receipts SET result = '{}'", "UPDATE input_files SET content = content",
    ):  # fmt: skip
        answer = refusal(application, sql)
        assert "refused" in answer or "permission denied" in answer, (sql, answer)


# --- the application's role -------------------------------------------------------------------------------------------

NO_HEADS = {
    "a statement as slot": "live_slot = 'a CROSS JOIN LATERAL (SELECT set_config(''role'', ''none'', false)) i'",
    "a slot that is none": "live_slot = 'q'",
    "a version that never was": "projections = 'x'",
    "a size below nothing": "size = -1",
    "a hash that is none": "sha256 = compact_range",
    "a second row": "id = 2",
}


@pytest.fixture
def server(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(ledger_url, tmp_path)
    yield made
    made.close()


def test_account_acts_under_its_own_name_and_events_say_by_what_it_came_in(server: Server) -> None:
    token = server.token("user_2")
    client = server.client(Authorization=f"Bearer {token}", **{"X-Forwarded-User": "user_1"})
    ended = client.post("/api/v1/actions/register-subject", json={"name": "777"})
    refused = client.post(
        "/api/v1/actions/register-subject",
        json={"name": "778"},
        headers={"Daybook-On-Behalf-Of": "user_1"},
    )

    assert (ended.status_code, refused.status_code) == (200, 403)
    events = client.get("/api/v1/log?limit=2").json()["events"]
    assert [(event["type"], event["actor"]) for event in events] == [
        ("SubjectRegistered", "user_2"), ("ActionRefused", "user_2"),
    ]  # fmt: skip
    assert events[0]["via"]["authentication"] == "token" and events[0]["via"]["token"] in token


def test_account_that_is_disabled_or_reads_only_does_nothing_more(server: Server) -> None:
    reads, writes = server.as_("user_2", scope="read"), server.as_("user_2")
    assert reads.post("/api/v1/actions/register-subject", json={"name": "777"}).status_code == 403

    admin = server.as_("user_1")
    granted = admin.post("/api/v1/actions/grant-role", json={"user": "user_2", "role": "researcher"})
    assert granted.status_code == 200
    assert admin.post("/api/v1/actions/disable-user", json={"user": "user_2"}).status_code == 200

    assert {each.get("/api/v1/sessions").status_code for each in (reads, writes)} == {401}


def test_account_is_that_of_whoever_has_its_token(server: Server) -> None:
    token = server.token("user_2")

    with httpx.Client(base_url=server.address, trust_env=False, timeout=PATIENCE_S) as thief:
        done = thief.post(
            "/api/v1/actions/register-subject",
            json={"name": "777"},
            headers={"Authorization": f"Bearer {token}"},
        )

    assert done.status_code == 200
    with Daybook(server.ledger, Actor("user_1")).reading() as world:
        [event] = log.select_events(world.transaction, type="SubjectRegistered")
    assert event.actor == "user_2"


def test_account_stands_in_a_receipt_with_how_it_was_authenticated(server: Server, tmp_path: Path) -> None:
    token = server.token("user_2")
    client = server.client(Authorization=f"Bearer {token}")
    assert client.post("/api/v1/actions/register-subject", json={"name": "777"}).status_code == 200
    receipt = client.get("/api/v1/proofs/subject%2F0%2F777?or_events=true").json()
    with Daybook(server.ledger, Actor("user_1")).reading() as world:
        [event] = log.select_events(world.transaction, type="SubjectRegistered")

    found = verified_proof(server.url, receipt["text"], kept={})

    assert found.ok and [(each.user, each.authenticated, each.events) for each in found.actors] == [
        ("user_2", f"token {json.loads(event.via)['token']}", 1)
    ]
    forged = verified_proof(server.url, receipt["text"].replace("user_2", "user_1"), kept={})
    assert not forged.ok and forged.actors == []


def test_worker_is_whom_its_token_names_until_that_is_revoked(server: Server) -> None:
    admin = server.as_("user_1")
    for action, body in (
        ("add-service-account", {"user": "rig_1"}), ("grant-right", {"user": "rig_1", "right": "work"}),
    ):  # fmt: skip
        assert admin.post(f"/api/v1/actions/{action}", json=body).status_code == 200
    token = server.token("rig_1")
    who = Who(Actor("user_1"), token)

    acting = who.at(server.ledger)
    Daybook(server.ledger, acting).require(lambda world: require_settler(world, "process entries"))

    assert (acting.user, acting.authentication) == ("rig_1", "token")
    assert acting.token is not None
    assert admin.post("/api/v1/actions/revoke-token", json={"id": acting.token}).status_code == 200
    with pytest.raises(Refusal, match="lets nobody in"):
        who.at(server.ledger)


@pytest.mark.parametrize("what", NO_HEADS)
def test_application_cannot_write_a_head_row_that_is_none(application: Database, what: str) -> None:
    assert "ck_head" in refusal(application, f"UPDATE head SET {NO_HEADS[what]}")


def event_at(position: str) -> str:
    columns = ", ".join(log.STORED_COLUMNS)
    values = (
        columns.replace("position", position, 1)
        .replace("stream,", "'x/1',", 1)
        .replace("stream_version", "1", 1)
    )
    return f"INSERT INTO events ({columns}) SELECT {values} FROM events WHERE position = 2"


def test_application_cannot_leave_an_event_beyond_the_head(application: Database) -> None:
    assert "INSERT is refused" in refusal(application, event_at("(SELECT size + 1 FROM head)"))
    assert "INSERT is refused" in refusal(application, event_at("1000"))


def test_application_cannot_move_the_head_without_its_events(application: Database, ledger_url: str) -> None:
    if is_sqlite(ledger_url):
        written(application, "UPDATE head SET size = 6")
        assert "head-changed" in codes(ledger_url)
        return
    assert "UPDATE is refused" in refusal(application, "UPDATE head SET size = 6")  # of as many subtrees


def test_application_takes_no_row_from_a_list_but_by_an_event(application: Database, ledger_url: str) -> None:
    live = live_slot(application)
    for table in ("subjects", "users", "activity", "session_locations", "session_times", "clustering_groups"):
        if not is_sqlite(ledger_url):
            assert "DELETE is refused" in refusal(application, f"DELETE FROM {table}_{live}"), table
    if is_sqlite(ledger_url):
        written(application, f"DELETE FROM subjects_{live}")
    else:
        written(application, f"UPDATE subjects_{live} SET registered_by = 'x'")

    assert codes(ledger_url) == {"list-wrong"}
    rebuild(application)
    assert codes(ledger_url) == set()


def redaction(position: int, number: int) -> list[NewEvent]:
    from hashlib import sha256

    digest = sha256(FILE).hexdigest()
    redacted = PayloadRedacted(
        position=position, stream="x", type="ReferenceValueAdded", reason="x", requested_by="user_8", deletion=number,
        kept={"sha256": digest},
    )  # fmt: skip
    correlation = {"correlation": f"d{number}"}
    return [
        NewEvent(
            f"deletion/{number}", RedactionRequested(position=position, reason="x"), None, **correlation
        ),
        NewEvent(f"deletion/{number}", DeletionApproved(), None, **correlation),
        NewEvent(f"redaction/{position}", redacted, None, **correlation),
        NewEvent(
            f"input-file/{digest}", InputFileErased(sha256=digest, deletion=number), None, **correlation
        ),
    ]


def forge(transaction: Transaction, events: list[NewEvent], actor: str, then: str = "") -> None:
    head = log.lock_head(transaction)
    command = f"{actor} {head.size}"
    stored = log.append(transaction, head, events, log.Cause(command, actor, "{}"))
    if then:
        transaction.run(then)
    log.write_receipt(transaction, command, b"", stored[0].position, head.size, "{}")


def test_application_cannot_remove_a_file_without_a_request_that_another_approved(
    application: Database,
) -> None:
    request, *rest = redaction(3, 77)
    erased = rest[-1]

    for events in ([erased], rest, [rest[0], erased], [rest[1], erased]):
        with pytest.raises(Exception, match="refused"), application.writing() as transaction:
            forge(transaction, events, "user_9", "DELETE FROM input_files")
    with application.writing() as transaction:
        forge(transaction, [request], "user_9")
    with pytest.raises(Exception, match="refused"), application.writing() as transaction:
        forge(transaction, rest, "user_9", "DELETE FROM input_files")  # who requested it


def test_application_can_append_under_any_name_and_a_removal_by_no_admins_is_found(
    application: Database, ledger_url: str
) -> None:
    """The server cannot know who is an admin; ``verify`` does."""
    request, *rest = redaction(3, 77)
    with application.writing() as transaction:
        forge(transaction, [request], "user_8")
    with application.writing() as transaction:
        forge(transaction, rest, "user_9", "UPDATE events SET payload = NULL WHERE position = 3")

    assert {"redaction-unfounded", "payload-missing"} <= {
        problem.code for problem in verify(ledger_url).problems
    }


def test_application_can_grant_itself_a_role_and_verify_finds_it(
    application: Database, ledger_url: str
) -> None:
    append(
        application, [NewEvent("user/user_9", RoleGranted(user="user_9", role="admin"), None)], actor="user_9"
    )

    assert [(problem.code, problem.position) for problem in verify(ledger_url).problems] == [
        ("role-unfounded", 6)
    ]


def test_application_can_invite_itself_to_a_role_and_verify_finds_it(
    application: Database, ledger_url: str
) -> None:
    invited = UserInvited(user="user_9", role="admin", until="2030-01-01T00:00:00.000000Z")
    joined = UserJoined(user="user_9", role="admin", invited_by="user_9")
    append(application, [NewEvent("user/user_9", each, None) for each in (invited, joined)], actor="user_9")

    assert [(problem.code, problem.position) for problem in verify(ledger_url).problems] == [
        ("role-unfounded", 7)
    ]


def test_an_admin_by_invitation_is_one(application: Database, ledger_url: str) -> None:
    invited = UserInvited(user="user_2", role="admin", until="2030-01-01T00:00:00.000000Z")
    joined = UserJoined(user="user_2", role="admin", invited_by="user_1")
    granted = RoleGranted(user="user_3", role="admin")
    for event, actor in ((invited, "user_1"), (joined, "user_2"), (granted, "user_2")):
        append(application, [NewEvent(f"user/{event.user}", event, None)], actor=actor)

    assert not verify(ledger_url).problems


def test_application_can_append_what_does_not_fold_and_verify_and_rebuild_name_it(
    application: Database, ledger_url: str
) -> None:
    append_plainly(application, [NewEvent("deletion/99", DeletionApproved(), None)])

    [problem] = check_ledger(ledger_url).report.problems
    assert (problem.code, problem.position) == ("event-does-not-fold", 6)
    with pytest.raises(IntegrityFailure, match="position 6"):
        rebuild(application)


def test_application_can_append_an_event_of_the_year_9999_and_verify_names_the_first(
    application: Database, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.log._refuse_clock_ahead", lambda *_: None)  # by another program
    monkeypatch.setattr(log, "now", lambda: "9999-01-01T00:00:00.000000Z")
    append(application, [added("x")])
    monkeypatch.undo()
    append(application, [added("y")])

    assert [(problem.code, problem.position) for problem in verify(ledger_url).problems] == [
        ("time-ahead", 6)
    ]


# --- the owner --------------------------------------------------------------------------------------------------------


def test_owner_who_is_careless_is_found(application: Database, ledger_url: str) -> None:
    as_owner(ledger_url, "UPDATE receipts SET result = '[]'")
    assert codes(ledger_url) == {"receipt-wrong"}

    as_owner(ledger_url, "UPDATE events SET actor = 'user_2' WHERE position = 3")
    assert "event-changed" in codes(ledger_url)


def test_owner_who_computes_everything_anew_is_not_found(application: Database, ledger_url: str) -> None:
    rewrite(
        ledger_url,
        lambda events: [event | {"actor": "user_2"} if event["position"] == 3 else event for event in events],
    )

    assert codes(ledger_url) == set()


def test_kept_elsewhere_a_checkpoint_shows_it(application: Database, ledger_url: str, tmp_path: Path) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    kept = make_checkpoint(daybook, tmp_path / "daybook.key")
    append(daybook.database, [added("later")])
    daybook.close()

    rewrite(
        ledger_url,
        lambda events: [event | {"actor": "user_2"} if event["position"] == 6 else event for event in events],
    )
    assert verify(ledger_url, kept=[kept]).problems == []  # behind the checkpoint nothing is shown
    rewrite(
        ledger_url,
        lambda events: [event | {"actor": "user_2"} if event["position"] == 3 else event for event in events],
    )
    assert [problem.code for problem in verify(ledger_url, kept=[kept]).problems] == ["checkpoint-mismatch"]
