"""Every command, every role, one's own and somebody else's record: allowed or refused, and nothing between."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.fernet import Fernet

import commands
from commands.accounts.ending import EndSignIns
from commands.accounts.invitations import (
    AcceptInvitation,
    InviteUser,
    RevokeInvitation,
    invite,
    password_id,
    password_of,
)
from commands.accounts.own import ChangePassword
from commands.accounts.policy import SetAuthenticationPolicy, SetSecondFactorPolicy
from commands.accounts.preferences import SetPreferences
from commands.accounts.random_text import new
from commands.accounts.resets import KINDS, IssueReset, ResetPassword, ResetSecondFactor, What
from commands.accounts.rights import GrantRight, RevokeRight
from commands.accounts.second_factor import AddSecondFactor, RemoveSecondFactor
from commands.accounts.server_key import ServerKey
from commands.accounts.standing import AddServiceAccount, DisableUser, EnableUser
from commands.accounts.times import now
from commands.accounts.tokens import IssueToken, RevokeToken
from commands.accounts.webhooks import AddWebhook, RemoveWebhook, host_of
from commands.door.command import Command
from commands.door.freshness import bring_up_to_date
from commands.door.permission import NotPermitted
from commands.door.submit import Daybook
from commands.inputfile.catalogue import Catalogue, CatalogueValue
from commands.inputfile.kept_findings import NO_MORE
from commands.intake.accepting import AcceptInputFile, RejectInputFile, look_at_duplicates
from commands.intake.completing import CompleteSession
from commands.intake.looking_again import AddFound, LookedAgain
from commands.intake.settled import SettledSession
from commands.intake.settling import FinishUpload, SettleClustering, SettleSessions
from commands.intake.validation import RecordCheck
from commands.lab.catalogue import AddReferenceValue, LoadCatalogue, RetireReferenceValue
from commands.lab.people import ErasePerson, SetPerson
from commands.lab.roles import GrantRole, RevokeRole
from commands.lab.subjects import InsertProbe, RegisterSubject, RemoveProbe
from commands.moving.setup import CreateLedger
from commands.requests.changes.additions import AmendSession
from commands.requests.changes.approval import ApproveChange
from commands.requests.changes.insertions import MendInsertion, TakeBackInsertion
from commands.requests.changes.renaming import RenameSubject
from commands.requests.changes.roles import RequestRole
from commands.requests.changes.subjects import TakeBackSubject
from commands.requests.changes.values import ProposeValue, RenameValue, TakeBackValue
from commands.requests.closing import CancelRequest, RejectRequest, SetApprovalPolicy
from commands.requests.correction.correct import ApproveCorrection, RequestCorrection
from commands.requests.correction.plan import Plan
from commands.requests.deletion import ApproveDeletion, RequestDeletion
from commands.requests.impact import Impact
from commands.requests.redaction import ApproveRedaction, RequestRedaction
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw
from ledger import secrets
from ledger.envelope import NewEvent
from ledger.events import (
    ClusteringInsertFailed,
    MoreFound,
    ProbeInserted,
    ReferenceValueAdded,
    SecondFactorAdded,
    SessionAnnotated,
    SessionInsertFailed,
)
from tests.ledger.writing import append
from tests.permission.stage import STRANGER, SUBJECT_KEY, USERS, Stage, staged

# yes: it is carried out. no: refused, and the refusal is recorded. -: the record is nobody's.
# "own" is what the user uploaded, requested, or is; "other" is somebody else's.
TABLE = """
                             admin        researcher   auditor      no role
                             own   other  own   other  own   other  own   other
AcceptInputFile              -     yes    -     yes    -     no     -     no
AcceptInputFile, replaying   yes   yes    yes   no     no    no     no    no
RejectInputFile              -     yes    -     yes    -     no     -     no
RejectInputFile, replaying   yes   yes    yes   no     no    no     no    no
RecordCheck                  -     yes    -     yes    -     no     -     no
SettleSessions               yes   yes    yes   no     no    no     no    no
SettleClustering             yes   yes    yes   no     no    no     no    no
AddFound                     yes   yes    yes   no     no    no     no    no
FinishUpload                 yes   yes    yes   no     no    no     no    no
CompleteSession              yes   yes    yes   no     no    no     no    no

Withdraw                     yes   yes    yes   no     no    no     no    no
RequestDeletion              yes   yes    yes   no     no    no     no    no
RequestDeletion, of upload   yes   yes    yes   no     no    no     no    no
ApproveDeletion              no    yes    no    no     no    no     no    no
RejectRequest                no    yes    no    no     no    no     no    no
CancelRequest                yes   no     yes   no     no    no     no    no
RestoreDeletion              yes   yes    no    no     no    no     no    no
RequestCorrection            yes   yes    yes   no     no    no     no    no
ApproveCorrection            no    yes    no    no     no    no     no    no
RequestRedaction             -     yes    -     no     -     no     -     no
ApproveRedaction             no    yes    no    no     no    no     no    no
RejectRequest, redaction     no    yes    no    no     no    no     no    no
CancelRequest, redaction     yes   no     yes   no     no    no     no    no

AddReferenceValue            -     yes    -     no     -     no     -     no
RetireReferenceValue         -     yes    -     no     -     no     -     no
LoadCatalogue                -     yes    -     no     -     no     -     no
RegisterSubject              -     yes    -     yes    -     no     -     no
InsertProbe                  -     yes    -     yes    -     no     -     no
RemoveProbe                  -     yes    -     yes    -     no     -     no
AmendSession                 yes   yes    yes   no     no    no     no    no
MendInsertion                -     yes    -     yes    -     no     -     no
TakeBackInsertion            -     yes    -     yes    -     no     -     no
TakeBackSubject              -     yes    -     yes    -     no     -     no
RenameSubject                -     yes    -     yes    -     no     -     no
TakeBackValue                -     yes    -     yes    -     no     -     no
RenameValue                  -     yes    -     yes    -     no     -     no
ProposeValue                 -     yes    -     yes    -     no     -     no
ApproveChange                no    yes    no    no     no    no     no    no

GrantRole                    -     yes    -     no     -     no     -     no
RevokeRole                   -     yes    -     no     -     no     -     no
RequestRole                  -     -      -     yes    -     yes   -     yes
SetApprovalPolicy            -     yes    -     no     -     no     -     no
SetAuthenticationPolicy      -     yes    -     no     -     no     -     no
AddServiceAccount            -     yes    -     no     -     no     -     no
InviteUser                   -     yes    -     no     -     no     -     no
RevokeInvitation             -     yes    -     no     -     no     -     no
AcceptInvitation             yes   no     yes   no     yes   no     yes   no
IssueReset                   no    yes    no    no     no    no     no    no
ChangePassword               yes   no     yes   no     yes   no     yes   no
ResetPassword                yes   no     yes   no     yes   no     yes   no
ResetSecondFactor            yes   no     yes   no     yes   no     yes   no
AddSecondFactor              yes   no     yes   no     yes   no     yes   no
RemoveSecondFactor           yes   no     yes   no     yes   no     yes   no
SetSecondFactorPolicy        -     yes    -     no     -     no     -     no
GrantRight                   -     yes    -     no     -     no     -     no
RevokeRight                  -     yes    -     no     -     no     -     no
DisableUser                  -     yes    -     no     -     no     -     no
EnableUser                   -     yes    -     no     -     no     -     no
IssueToken                   yes   yes    yes   no     yes   no     yes   no
RevokeToken                  yes   yes    yes   no     yes   no     yes   no
AddWebhook                   -     yes    -     no     -     no     -     no
RemoveWebhook                -     yes    -     no     -     no     -     no
SetPerson                    yes   yes    yes   no     yes   no     yes   no
ErasePerson                  yes   yes    yes   no     yes   no     yes   no
EndSignIns                   -     yes    -     no     -     no     -     no
SetPreferences               yes   no     yes   no     yes   no     yes   no
CreateLedger                 -     yes    -     yes    -     yes    -     yes
"""

ROLES = ("admin", "researcher", "auditor", "none")
PRIVATE = {"_TakesInputFile", "_AboutPerson", "_AboutRight", "_Reset"}  # what two commands have in common
OF_THE_PROGRAM = {
    "RecordRefusal",  # of the door: who is refused adds just that
    "RecordSeries", "InviteFirst",  # of the server
}  # fmt: skip
Make = Callable[[Stage, Daybook, str], Command]
"""A command about what ``owner`` owns, to be submitted by this daybook's user."""


def _accept(stage: Stage, daybook: Daybook, owner: str, replays: int | None = None) -> Command:
    data, validation = stage.checked(daybook, owner=owner if replays is not None else None)
    standing = look_at_duplicates(daybook, validation, stage.roots)
    return AcceptInputFile(
        content=data, filename="12345.yml", looked_at=validation.known_at, replays=replays, validation=validation,
        standing=standing,
    )  # fmt: skip


def _reject(replays: int | None = None) -> Command:
    return RejectInputFile(
        content=b"{",
        filename="12345.yml",
        looked_at=2**40,
        subject="",
        stage=0,
        findings=[],
        more=asdict(NO_MORE),
        replays=replays,
    )


def _record_check(_stage: Stage, _daybook: Daybook, _owner: str) -> Command:
    return RecordCheck(
        filename="a.yml", sha256="0" * 64, size_bytes=1, ok=True, stage=2, errors=0, warnings=0, subject=""
    )


def _settle(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    event = SessionInsertFailed(code="no-recordings", message="Nothing there.")
    return SettleSessions(sessions=[SettledSession(session=stage.pending(owner), version=1, event=event)])


def _settle_clustering(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    event = ClusteringInsertFailed(code="no-output", message="Nothing there.")
    return SettleClustering(clustering=stage.clustering(owner), version=1, event=event)


def _complete(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    event = SessionAnnotated(fields={"room": "2.345"}, completed={"room": "2.345"})
    return CompleteSession(session=stage.waiting(owner), version=2, event=event)


def _request_correction(stage: Stage, daybook: Daybook, owner: str) -> Command:
    number = stage.inserted(owner)
    data, validation = stage.checked(daybook)
    with daybook.reading() as world:
        change: Any = SimpleNamespace(
            old=world.state.sessions[number],
            given=SimpleNamespace(index=0),
            matched_by="location",
            differences=[],
            inserted=None,
        )
        plan = Plan(validation, (), SUBJECT_KEY, world.head.size, sessions=[change])
    plan.impact = Impact((number,), (), 0, 0, {owner: 1})
    return RequestCorrection(
        content=data, filename="12345.yml", looked_at=plan.at, reason="wrong probe", plan=plan
    )


def _approve_correction(stage: Stage, daybook: Daybook, owner: str) -> Command:
    request = stage.correction(owner)
    _, validation = stage.checked(daybook)
    plan = Plan(validation, (), SUBJECT_KEY, stage.size(), impact=Impact((), (), 0, 0, {}))
    return ApproveCorrection(request=request, looked_at=plan.at, plan=plan)


def webhook_command(url: str) -> Command:
    command = AddWebhook(host=host_of(url))
    command._encrypted = ServerKey([Fernet.generate_key()]).encrypted(url)
    return command


def _new_probe(stage: Stage, *, inserted: bool) -> dict[str, str]:
    """A subject that was never used, and a probe; in it, or in none."""
    number = stage.new()
    stage.admin.submit(RegisterSubject(name=f"9{number}"))
    subject, probe = f"0/9{number}", f"npx_9{number}"
    events = [
        NewEvent("reference/reference.Probe", ReferenceValueAdded(table="reference.Probe", value=probe), None)
    ]
    if inserted:
        body = ProbeInserted(probe=probe, insertion_time="2023-03-01 00:00:00")
        events.append(NewEvent(f"subject/{subject}", body, None, subject))
    append(stage.admin.database, events)
    return {"subject": f"9{number}", "probe": probe}


def _retire(stage: Stage, _daybook: Daybook, _owner: str) -> Command:
    value = f"room_{stage.new()}"
    stage.admin.submit(AddReferenceValue(table="reference.ExperimentRoom", value=value))
    return RetireReferenceValue(table="reference.ExperimentRoom", value=value)


def _revoke(stage: Stage, _daybook: Daybook, _owner: str) -> Command:
    user = f"once_{stage.new()}"
    stage.admin.submit(GrantRole(user=user, role="researcher"))
    return RevokeRole(user=user, role="researcher")


def _load(stage: Stage, _daybook: Daybook, _owner: str) -> Command:
    value = CatalogueValue("reference.ExperimentRoom", f"room_{stage.new()}")
    return LoadCatalogue(catalogue=Catalogue(values=(value,)))


def _erase(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    stage.admin.submit(SetPerson(user=owner, name="X Y"))
    return ErasePerson(user=owner)


def _service(stage: Stage, owner: str) -> str:
    return stage.admin.submit(AddServiceAccount(user=f"rig_{stage.new()}", owner=owner)).result.user


def _revoke_token(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    issued = stage.admin.submit(IssueToken(user=_service(stage, owner), name="rig"))
    return RevokeToken(id=issued.result.id)


def _invited(stage: Stage, user: str) -> tuple[str, str]:
    """Once more, if there was one before."""
    with stage.admin.database.writing() as transaction:
        transaction.run("DELETE FROM secrets WHERE id = ?", (password_id(user),))
    result, code = invite(stage.admin, user)
    assert code is not None
    return result.user, code


def _accept_invitation(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    user, code = _invited(stage, owner)
    command = AcceptInvitation(user=user, invitation=code.split("_")[1])
    command._code, command._password = code, "x"
    return command


def _with_password(stage: Stage, user: str) -> str:
    with stage.admin.database.writing() as transaction:
        secrets.write(transaction, password_of(user, "x"))
    return user


def _with_second_factor(stage: Stage, user: str) -> str:
    kept = secrets.Secret(
        f"second-factor/{user}", secrets.SECOND_FACTOR, user, "x", {"last_step": 0}, now(), None
    )
    with stage.admin.database.writing() as transaction:
        secrets.write(transaction, kept)
    append(stage.admin.database, [NewEvent(f"user/{user}", SecondFactorAdded(user=user), None, "", user)])
    return user


def _add_second_factor(_stage: Stage, _daybook: Daybook, owner: str) -> Command:
    command = AddSecondFactor(user=owner)
    command._proven = secrets.Secret("new", secrets.NEW_FACTOR, owner, "x", {}, now(), None), 1
    return command


def _code(stage: Stage, user: str, what: What) -> str:
    """By an admin, who is not the user."""
    _with_second_factor(stage, _with_password(stage, user))
    command = IssueReset(user=user, what=what)
    command._by_owner, given = True, new(KINDS[what])
    command._given = given
    stage.admin.submit(command)
    return given.text


def _reset_password(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    command = ResetPassword(user=owner)
    command._code, command._password = _code(stage, owner, "password"), "x"
    return command


def _reset_second_factor(stage: Stage, _daybook: Daybook, owner: str) -> Command:
    command = ResetSecondFactor(user=owner)
    command._code = _code(stage, owner, "second-factor")
    return command


MAKE: dict[str, Make] = {
    "AcceptInputFile": _accept,
    "AcceptInputFile, replaying": lambda s, d, owner: _accept(s, d, owner, s.processed(owner)),
    "RejectInputFile": lambda _s, _d, _owner: _reject(),
    "RejectInputFile, replaying": lambda s, _d, owner: _reject(s.processed(owner)),
    "RecordCheck": _record_check,
    "SettleSessions": _settle,
    "SettleClustering": _settle_clustering,
    "AddFound": lambda s, _d, owner: AddFound(
        sessions=[
            LookedAgain(
                session=s.inserted(owner),
                version=2,
                more=MoreFound(recordings=[], probes=[], remarks=[], open=[]),
            )
        ]
    ),
    "FinishUpload": lambda s, _d, owner: FinishUpload(upload=s.upload(owner)),
    "CompleteSession": _complete,
    "Withdraw": lambda s, _d, owner: Withdraw(records=[f"s{s.waiting(owner)}"]),
    "RequestDeletion": lambda s, _d, owner: RequestDeletion(records=[f"s{s.inserted(owner)}"], reason="no"),
    "RequestDeletion, of upload": lambda s, _d, owner: RequestDeletion(
        records=[f"u{s.inserted(owner) - 2}"], reason="no"
    ),
    "ApproveDeletion": lambda s, _d, owner: ApproveDeletion(request=s.deletion(owner)),
    "RejectRequest": lambda s, _d, owner: RejectRequest(request=s.deletion(owner), reason="no"),
    "CancelRequest": lambda s, _d, owner: CancelRequest(request=s.deletion(owner)),
    "RestoreDeletion": lambda s, _d, owner: RestoreDeletion(request=s.executed(owner)),
    "RequestCorrection": _request_correction,
    "ApproveCorrection": _approve_correction,
    "RequestRedaction": lambda s, _d, _owner: RequestRedaction(position=s.inserted(STRANGER), reason="no"),
    "ApproveRedaction": lambda s, _d, owner: ApproveRedaction(request=s.redaction(owner)),
    "RejectRequest, redaction": lambda s, _d, owner: RejectRequest(request=s.redaction(owner), reason="no"),
    "CancelRequest, redaction": lambda s, _d, owner: CancelRequest(request=s.redaction(owner)),
    "AddReferenceValue": lambda s, _d, _owner: AddReferenceValue(
        table="reference.ExperimentRoom", value=f"room_{s.new()}"
    ),
    "RetireReferenceValue": _retire,
    "LoadCatalogue": _load,
    "RegisterSubject": lambda s, _d, _owner: RegisterSubject(name=f"9{s.new()}"),
    "InsertProbe": lambda s, _d, _owner: InsertProbe(
        **_new_probe(s, inserted=False), insertion_time="2023-03-01 00:00:00"
    ),
    "RemoveProbe": lambda s, _d, _owner: RemoveProbe(
        **_new_probe(s, inserted=True), removal_time="2023-04-01 00:00:00"
    ),
    "AmendSession": lambda s, _d, owner: AmendSession(
        session=s.inserted(owner),
        version=2,
        fields={"room": "2.345"},
        completed={"room": "2.345", "experimenter": ["user_1"]},
    ),
    "MendInsertion": lambda s, _d, _owner: MendInsertion(
        **_new_probe(s, inserted=True), removal_time="2023-04-01 00:00:00", reason="mistyped"
    ),
    "TakeBackInsertion": lambda s, _d, _owner: TakeBackInsertion(
        **_new_probe(s, inserted=True), reason="wrong animal"
    ),
    "TakeBackSubject": lambda s, _d, _owner: TakeBackSubject(
        subject=_new_probe(s, inserted=False)["subject"], reason="no such animal"
    ),
    "RenameSubject": lambda s, _d, _owner: RenameSubject(
        subject=_new_probe(s, inserted=False)["subject"], new_name=f"renamed_{s.new()}", reason="mistyped"
    ),
    "TakeBackValue": lambda s, _d, _owner: TakeBackValue(
        table="reference.Probe", value=_new_probe(s, inserted=False)["probe"], reason="mistyped"
    ),
    "RenameValue": lambda s, _d, _owner: RenameValue(
        table="reference.Probe",
        value=_new_probe(s, inserted=False)["probe"],
        new_value=f"npx_{s.new()}",
        reason="x",
    ),
    "ProposeValue": lambda s, _d, _owner: ProposeValue(
        table="reference.ExperimentRoom", value=f"room_{s.new()}"
    ),
    "ApproveChange": lambda s, _d, owner: ApproveChange(request=s.proposal(owner)),
    "GrantRole": lambda s, _d, _owner: GrantRole(user=f"once_{s.new()}", role="auditor"),
    "RevokeRole": _revoke,
    "RequestRole": lambda _s, _d, _owner: RequestRole(role="admin", reason="x"),
    "SetApprovalPolicy": lambda _s, _d, _owner: SetApprovalPolicy(own_requests=False),
    "SetAuthenticationPolicy": lambda _s, _d, _owner: SetAuthenticationPolicy(authenticated_only=False),
    "AddServiceAccount": lambda s, _d, owner: AddServiceAccount(user=f"rig_{s.new()}", owner=owner),
    "InviteUser": lambda s, _d, _owner: InviteUser(user=f"new_{s.new()}"),
    "RevokeInvitation": lambda s, _d, _owner: RevokeInvitation(user=_invited(s, f"new_{s.new()}")[0]),
    "AcceptInvitation": _accept_invitation,
    "IssueReset": lambda s, _d, owner: IssueReset(user=_with_password(s, owner), what="password"),
    "ChangePassword": lambda _s, _d, owner: ChangePassword(user=owner),
    "ResetPassword": _reset_password,
    "ResetSecondFactor": _reset_second_factor,
    "AddSecondFactor": _add_second_factor,
    "RemoveSecondFactor": lambda s, _d, owner: RemoveSecondFactor(user=_with_second_factor(s, owner)),
    "SetSecondFactorPolicy": lambda s, _d, _owner: SetSecondFactorPolicy(
        role="auditor", required=s.new() % 2 == 0
    ),
    "GrantRight": lambda s, _d, owner: GrantRight(user=_service(s, owner), right="work"),
    "RevokeRight": lambda s, _d, owner: RevokeRight(user=_service(s, owner), right="work"),
    "DisableUser": lambda s, _d, owner: DisableUser(user=_service(s, owner)),
    "EnableUser": lambda s, _d, owner: EnableUser(user=_service(s, owner)),
    "IssueToken": lambda s, _d, owner: IssueToken(user=_service(s, owner), name="rig"),
    "RevokeToken": _revoke_token,
    "AddWebhook": lambda _s, _d, _owner: webhook_command("https://example.org/x"),
    "RemoveWebhook": lambda s, _d, _owner: RemoveWebhook(
        id=s.admin.submit(webhook_command("https://example.org/x")).result.id
    ),
    "SetPerson": lambda s, _d, owner: SetPerson(user=owner, name=f"X Y {s.new()}"),
    "ErasePerson": _erase,
    "EndSignIns": lambda s, _d, _owner: EndSignIns(user=STRANGER),
    "SetPreferences": lambda s, _d, owner: SetPreferences(user=owner, zone="Europe/Oslo"),
    "CreateLedger": lambda _s, _d, _owner: CreateLedger(origin="daybook/x", public_key="x"),
}


def all_commands(command: type[Command] = Command) -> Iterator[type[Command]]:
    """Of the program; tests have their own. ``Command[Result]`` is a class too, and no command."""
    for kind in command.__subclasses__():
        if kind.__module__.startswith("commands.") and "[" not in kind.__name__:
            yield kind
        yield from all_commands(kind)


def rows() -> dict[str, list[str]]:
    """The eight cells of each row of the table."""
    lines = [line for line in TABLE.splitlines()[3:] if line]
    return {line[:29].strip(): line[29:].split() for line in lines}


def test_no_command_is_missing_from_the_table() -> None:
    for module in pkgutil.walk_packages(commands.__path__, "commands."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    found = {kind.__name__ for kind in all_commands()}

    assert found == {row.partition(",")[0] for row in rows()} | PRIVATE | OF_THE_PROGRAM
    assert set(MAKE) == set(rows())


def test_every_command_says_who_may_carry_it_out() -> None:
    for kind in all_commands():
        assert kind.authorise is not Command.authorise, kind
        assert kind.__name__ in PRIVATE or kind.decide is not Command.decide, kind


def test_every_command_is_allowed_or_refused_as_the_table_says(
    daybook: Daybook, ledger_url: str, tmp_path: Path
) -> None:
    found: dict[str, list[str]] = {}

    with staged(daybook, ledger_url, tmp_path) as stage:
        for name, expected in rows().items():
            found[name] = [
                "-" if cell == "-" else _tried(stage, name, role, owner)
                for cell, (role, owner) in zip(expected, _columns(), strict=True)
            ]

    assert found == rows()


def _columns() -> list[tuple[str, str]]:
    return [(role, owner) for role in ROLES for owner in (USERS[role], STRANGER)]


def _tried(stage: Stage, name: str, role: str, owner: str) -> str:
    """yes or no; anything between fails here. What is refused leaves one event, and what is allowed none that says so."""
    daybook = stage.daybooks[role]
    command = MAKE[name](stage, daybook, owner)
    before = stage.size()
    try:
        daybook.submit(command)
    except NotPermitted as refusal:
        (event,) = stage.events(before)
        assert (event.type, event.actor, event.stream) == (
            "ActionRefused", USERS[role], f"user/{USERS[role]}"
        )  # fmt: skip
        _assert_tells_all(refusal, USERS[role])
        return "no"
    assert "ActionRefused" not in [event.type for event in stage.events(before)]
    if name == "ApproveRedaction":
        bring_up_to_date(stage.admin.database)
    return "yes"


def _assert_tells_all(refusal: NotPermitted, user: str) -> None:
    """The action, the record where there is one, what is needed, and who can grant it."""
    assert user in refusal.message and refusal.action in refusal.message and refusal.record in refusal.message
    assert "This needs" in refusal.message
    asked = "user_1"
    if user == "user_1" and "another admin" in refusal.needed:
        asked = "no other admin yet"
    if "himself or herself" in refusal.needed:
        asked = STRANGER
    assert asked in refusal.hint


def test_every_command_under_one_id_is_carried_out_once_and_answers_the_same(
    daybook: Daybook, ledger_url: str, tmp_path: Path
) -> None:
    with staged(daybook, ledger_url, tmp_path) as stage:
        for name, cells in rows().items():
            allowed = [one for cell, one in zip(cells, _columns(), strict=True) if cell == "yes"]
            role, owner = allowed[0]
            command = MAKE[name](stage, stage.daybooks[role], owner)
            before = stage.size()
            first = stage.daybooks[role].submit(command)
            if name == "ApproveRedaction":
                bring_up_to_date(stage.admin.database)
            size = stage.size()

            again = stage.daybooks[role].submit(command)

            assert stage.size() == size, name
            if size > before:  # what appends nothing, such as a person's name, has no receipt
                assert again.result == first.result, name
