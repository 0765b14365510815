"""Every action that a face without words of its own can take: its parameters, and what carries it out.

An action has the name that next steps advise it by. A face derives from ``do`` what it takes: a JSON document, a form.
What answers is the result of the command, as on the command line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from commands.accounts.policy import SetAuthenticationPolicy
from commands.accounts.standing import AddServiceAccount, DisableUser, EnableUser
from commands.accounts.tokens import DEFAULT_LENGTH, RevokeToken, Scope, create_token
from commands.answers.asking import Asking
from commands.answers.correction import correct
from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering, add_tasks, annotate, associate
from commands.intake.decisions import settle_session
from commands.intake.uploading import replay
from commands.intake.working import work
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue, load_catalogue
from commands.lab.people import SetPerson, erase_person
from commands.lab.roles import GrantRole, RevokeRole, Role
from commands.lab.subjects import InsertProbe, RegisterSubject, RemoveProbe
from commands.requests.approving import approve
from commands.requests.changes.additions import amend
from commands.requests.changes.insertions import MendInsertion, TakeBackInsertion
from commands.requests.changes.subjects import TakeBackSubject
from commands.requests.changes.values import ProposeValue, RenameValue, TakeBackValue
from commands.requests.closing import CancelRequest, RejectRequest, SetApprovalPolicy
from commands.requests.deletion import RequestDeletion
from commands.requests.redaction import RequestRedaction
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw

Do = Callable[..., Any]
Text = Annotated[str, Field(max_length=10_000)]
SessionId = Annotated[str, Field(pattern="^s[1-9][0-9]{0,17}$")]
UploadId = Annotated[str, Field(pattern="^u[1-9][0-9]{0,17}$")]
RequestId = Annotated[str, Field(pattern="^d[1-9][0-9]{0,17}$")]
Records = Annotated[list[Text], Field(min_length=1, max_length=10_000)]


def _real(text: str) -> str:
    datetime.fromisoformat(text)
    return text


LocalTime = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$"), AfterValidator(_real)
]
Content = Annotated[str, Field(max_length=1 << 20)]
FileName = Annotated[str, Field(min_length=1, max_length=255)]


@dataclass(frozen=True, slots=True)
class Action:
    """``verb`` says in ``commands.answers.receipts`` which types of answers there are. ``do`` takes an ``Asking``, the
    id of the command, and its parameters; with ``secret`` it gives the answer and what is told beside it, this once."""

    name: str
    verb: str
    do: Do
    secret: bool = False


def _number(text: str) -> int:
    return int(text[1:])


# --- who may, and who comes in --------------------------------------------------------------------------------------


def _grant_role(asking: Asking, command_id: str, *, user: Text, role: Role) -> Any:
    """Give a user a role, in place of the one before."""
    return asking.daybook.submit(GrantRole(command_id=command_id, user=user, role=role)).result


def _revoke_role(asking: Asking, command_id: str, *, user: Text, role: Role) -> Any:
    """Take a role from a user, who is left with that of everyone."""
    return asking.daybook.submit(RevokeRole(command_id=command_id, user=user, role=role)).result


def _set_person(
    asking: Asking, command_id: str, *, user: Text, name: Text | None = None, email: Text | None = None
) -> Any:
    """Say who is behind a username; what is not given stays as it is."""
    return asking.daybook.submit(SetPerson(command_id=command_id, user=user, name=name, email=email)).result


def _erase_person(asking: Asking, command_id: str, *, user: Text) -> Any:
    """Erase name and address of a username, for good."""
    return erase_person(asking.daybook, user, command_id=command_id)


def _add_service_account(asking: Asking, command_id: str, *, user: Text, owner: Text | None = None) -> Any:
    """Add a service account; whoever adds it answers for it, unless said."""
    return asking.daybook.submit(AddServiceAccount(command_id=command_id, user=user, owner=owner)).result


def _disable_user(asking: Asking, command_id: str, *, user: Text) -> Any:
    """Disable an account: its tokens end, its records stay."""
    return asking.daybook.submit(DisableUser(command_id=command_id, user=user)).result


def _enable_user(asking: Asking, command_id: str, *, user: Text) -> Any:
    """Enable an account again."""
    return asking.daybook.submit(EnableUser(command_id=command_id, user=user)).result


def _create_token(
    asking: Asking, command_id: str, *, name: Text, user: Text | None = None, scope: Scope = "write",
    length: Text = DEFAULT_LENGTH,
) -> tuple[Any, dict[str, str] | None]:  # fmt: skip
    """Create a token, for oneself or for a service account; it is told this once."""
    result, token = create_token(
        asking.daybook, name, user=user, scope=scope, length=length, command_id=command_id
    )
    return result, None if token is None else {"token": token}


def _revoke_token(asking: Asking, command_id: str, *, id: Text) -> Any:  # noqa: A002 - as it is called
    """End a token at once."""
    return asking.daybook.submit(RevokeToken(command_id=command_id, id=id)).result


def _set_authentication_policy(asking: Asking, command_id: str, *, authenticated_only: bool) -> Any:
    """Take commands only of who is authenticated, or of everybody again."""
    command = SetAuthenticationPolicy(command_id=command_id, authenticated_only=authenticated_only)
    return asking.daybook.submit(command).result


def _set_approval_policy(asking: Asking, command_id: str, *, own_requests: Literal["allow", "refuse"]) -> Any:
    """Say whether admins may approve their own requests."""
    command = SetApprovalPolicy(command_id=command_id, own_requests=own_requests == "allow")
    return asking.daybook.submit(command).result


# --- what the lab has -----------------------------------------------------------------------------------------------


def _add_value(
    asking: Asking, command_id: str, *, table: Text, value: Text, attributes: dict[str, Any] | None = None
) -> Any:
    """Add a reference value."""
    command = AddReferenceValue(command_id=command_id, table=table, value=value, attributes=attributes or {})
    return asking.daybook.submit(command).result


def _retire_value(asking: Asking, command_id: str, *, table: Text, value: Text) -> Any:
    """Retire a reference value: input files can use it no more."""
    return asking.daybook.submit(RetireReferenceValue(command_id=command_id, table=table, value=value)).result


def _load_catalogue(asking: Asking, command_id: str, *, content: Content) -> Any:
    """Load a catalogue file, given as text: what is new in it, all or nothing."""
    return load_catalogue(asking.daybook, content.encode(), limits=asking.limits, command_id=command_id)


def _register_subject(asking: Asking, command_id: str, *, name: Text) -> Any:
    """Register a subject."""
    return asking.daybook.submit(RegisterSubject(command_id=command_id, name=name)).result


def _insert_probe(
    asking: Asking, command_id: str, *, subject: Text, probe: Text, insertion_time: LocalTime
) -> Any:
    """Record that a probe was inserted in a subject. The time is local."""
    command = InsertProbe(command_id=command_id, subject=subject, probe=probe, insertion_time=insertion_time)
    return asking.daybook.submit(command).result


def _remove_probe(
    asking: Asking, command_id: str, *, subject: Text, probe: Text, removal_time: LocalTime
) -> Any:
    """Record that a probe was removed from a subject. The time is local."""
    command = RemoveProbe(command_id=command_id, subject=subject, probe=probe, removal_time=removal_time)
    return asking.daybook.submit(command).result


def _propose_value(
    asking: Asking, command_id: str, *, table: Text, value: Text, attributes: dict[str, Any] | None = None,
    reason: Text | None = None,
) -> Any:  # fmt: skip
    """Propose a value for a reference table, which an admin adds or rejects."""
    given = {} if reason is None else {"reason": reason}
    command = ProposeValue(
        command_id=command_id, table=table, value=value, attributes=attributes or {}, **given
    )
    return asking.daybook.submit(command).result


def _rename_value(
    asking: Asking, command_id: str, *, table: Text, value: Text, new_value: Text, reason: Text
) -> Any:
    """Mend the spelling of a reference value, wherever it stands."""
    command = RenameValue(command_id=command_id, table=table, value=value, new_value=new_value, reason=reason)
    return asking.daybook.submit(command).result


def _take_back_value(asking: Asking, command_id: str, *, table: Text, value: Text, reason: Text) -> Any:
    """Take a reference value back that was added by mistake."""
    command = TakeBackValue(command_id=command_id, table=table, value=value, reason=reason)
    return asking.daybook.submit(command).result


def _take_back_subject(asking: Asking, command_id: str, *, subject: Text, reason: Text) -> Any:
    """Take a subject back that was registered by mistake."""
    return asking.daybook.submit(
        TakeBackSubject(command_id=command_id, subject=subject, reason=reason)
    ).result


def _take_back_insertion(asking: Asking, command_id: str, *, subject: Text, probe: Text, reason: Text) -> Any:
    """Take a probe insertion back that was recorded by mistake."""
    command = TakeBackInsertion(command_id=command_id, subject=subject, probe=probe, reason=reason)
    return asking.daybook.submit(command).result


def _mend_insertion(
    asking: Asking, command_id: str, *, subject: Text, probe: Text, reason: Text,
    insertion_time: LocalTime | None = None, removal_time: LocalTime | None = None, still_in: bool = False,
) -> Any:  # fmt: skip
    """Mend the times of a probe insertion."""
    command = MendInsertion(
        command_id=command_id, subject=subject, probe=probe, insertion_time=insertion_time,
        removal_time=removal_time, still_in=still_in, reason=reason,
    )  # fmt: skip
    return asking.daybook.submit(command).result


# --- records --------------------------------------------------------------------------------------------------------


def _annotate(
    asking: Asking, command_id: str, *, ref: SessionId, room: Text | None = None,
    project: list[Text] | None = None, notes: Text | None = None,
) -> Any:  # fmt: skip
    """Add room, project or notes that a file left out."""
    return annotate(
        asking.daybook, _number(ref), roots=asking.roots, room=room, project=tuple(project or ()), notes=notes,
        command_id=command_id,
    )  # fmt: skip


def _associate(
    asking: Asking, command_id: str, *, ref: SessionId, association: dict[Text, Text],
    despite_serial: bool = False, reason: Text | None = None,
) -> Any:  # fmt: skip
    """Say which probe is which, for a session that waits."""
    return associate(
        asking.daybook, _number(ref), association, roots=asking.roots, despite_serial=despite_serial, reason=reason,
        command_id=command_id,
    )  # fmt: skip


def _settle(
    asking: Asking, command_id: str, *, ref: SessionId, reason: Text, despite_dates: bool = False,
    without: list[Text] | None = None, as_crashed: bool = False, start: LocalTime | None = None,
) -> Any:  # fmt: skip
    """Decide on what the disk contradicts or lacks, for a session that waits."""
    return settle_session(
        asking.daybook, _number(ref), roots=asking.roots, reason=reason, despite_dates=despite_dates,
        without=tuple(without or ()), as_crashed=as_crashed, start=start, command_id=command_id,
    )  # fmt: skip


def _add_tasks(
    asking: Asking, command_id: str, *, ref: SessionId, content: Content, filename: FileName
) -> Any:
    """Add tasks to a session that has none; the file is given as text."""
    return add_tasks(
        asking.daybook, _number(ref), content.encode(), filename=filename, roots=asking.roots, limits=asking.limits,
        command_id=command_id,
    )  # fmt: skip


def _add_clustering(
    asking: Asking, command_id: str, *, ref: SessionId, location: Text, curator: Text,
    curation_time: LocalTime | None = None, notes: Text | None = None,
) -> Any:  # fmt: skip
    """Add a single-session clustering to a session."""
    clustering = ClusteringEntry(
        curator=curator, location=location, curation_time=curation_time or True, notes=notes
    )
    return add_clustering(asking.daybook, _number(ref), clustering, roots=asking.roots, command_id=command_id)


def _amend(
    asking: Asking, command_id: str, *, ref: SessionId, content: Content, filename: FileName,
    reason: Text | None = None, despite_serial: bool = False,
) -> Any:  # fmt: skip
    """Add to an inserted session what its file left out; the file is given as text."""
    return amend(
        asking.daybook, _number(ref), content.encode(), filename=filename, roots=asking.roots, reason=reason,
        despite_serial=despite_serial, limits=asking.limits, command_id=command_id,
    )  # fmt: skip


def _correct(
    asking: Asking, command_id: str, *, content: Content, filename: FileName, reason: Text | None = None
) -> Any:
    """Compare a corrected file, given as text, with what is stored; with a reason, request that it replaces it."""
    return correct(
        asking.daybook, content.encode(), filename=filename, roots=asking.roots, limits=asking.limits, reason=reason,
        command_id=None if reason is None else command_id,
    )  # fmt: skip


def _withdraw(asking: Asking, command_id: str, *, records: Records) -> Any:
    """Take back entries of one's own that were never inserted."""
    return asking.daybook.submit(Withdraw(command_id=command_id, records=records)).result


def _replay(asking: Asking, command_id: str, *, ref: UploadId) -> Any:
    """Take the stored bytes of an earlier upload again."""
    return replay(
        asking.daybook, _number(ref), roots=asking.roots, limits=asking.limits, command_id=command_id
    )


def _work(asking: Asking, command_id: str) -> Any:
    """Process what is pending, look again at what waits."""
    return work(asking.daybook, asking.roots, command_id=command_id)


# --- requests -------------------------------------------------------------------------------------------------------


def _request_deletion(asking: Asking, command_id: str, *, records: Records, reason: Text) -> Any:
    """Ask that records are deleted; an admin decides."""
    return asking.daybook.submit(
        RequestDeletion(command_id=command_id, records=records, reason=reason)
    ).result


def _request_redaction(
    asking: Asking, command_id: str, *, position: Annotated[int, Field(ge=1, lt=2**63)], reason: Text
) -> Any:
    """Request that one payload is removed for legal reasons."""
    return asking.daybook.submit(
        RequestRedaction(command_id=command_id, position=position, reason=reason)
    ).result


def _approve_request(asking: Asking, command_id: str, *, ref: RequestId, accept_impact: bool = False) -> Any:
    """Approve a request, which carries it out at once."""
    return approve(
        asking.daybook, _number(ref), accept_impact=accept_impact, roots=asking.roots, command_id=command_id
    )


def _reject_request(asking: Asking, command_id: str, *, ref: RequestId, reason: Text) -> Any:
    """Turn a request down."""
    return asking.daybook.submit(
        RejectRequest(command_id=command_id, request=_number(ref), reason=reason)
    ).result


def _cancel_request(asking: Asking, command_id: str, *, ref: RequestId) -> Any:
    """Take back a request of one's own."""
    return asking.daybook.submit(CancelRequest(command_id=command_id, request=_number(ref))).result


def _restore(asking: Asking, command_id: str, *, ref: RequestId) -> Any:
    """Undo an executed deletion, whole."""
    return asking.daybook.submit(RestoreDeletion(command_id=command_id, request=_number(ref))).result


ACTIONS = (
    Action("add-service-account", "user add", _add_service_account),
    Action("add-clustering", "add-clustering", _add_clustering),
    Action("add-tasks", "add-tasks", _add_tasks),
    Action("add-value", "catalogue add", _add_value),
    Action("amend", "amend", _amend),
    Action("annotate", "annotate", _annotate),
    Action("approve-request", "request approve", _approve_request),
    Action("associate", "associate", _associate),
    Action("cancel-request", "request cancel", _cancel_request),
    Action("correct", "correct", _correct),
    Action("create-token", "token create", _create_token, secret=True),
    Action("disable-user", "user disable", _disable_user),
    Action("enable-user", "user enable", _enable_user),
    Action("erase-person", "person erase", _erase_person),
    Action("grant-role", "role grant", _grant_role),
    Action("insert-probe", "probe insert", _insert_probe),
    Action("load-catalogue", "catalogue load", _load_catalogue),
    Action("mend-insertion", "probe mend", _mend_insertion),
    Action("propose-value", "catalogue propose", _propose_value),
    Action("register-subject", "subject add", _register_subject),
    Action("reject-request", "request reject", _reject_request),
    Action("remove-probe", "probe remove", _remove_probe),
    Action("rename-value", "catalogue rename", _rename_value),
    Action("replay", "replay", _replay),
    Action("request-deletion", "delete request", _request_deletion),
    Action("request-redaction", "redact", _request_redaction),
    Action("restore", "restore", _restore),
    Action("retire-value", "catalogue retire", _retire_value),
    Action("revoke-role", "role revoke", _revoke_role),
    Action("revoke-token", "token revoke", _revoke_token),
    Action("set-approval-policy", "policy own-requests", _set_approval_policy),
    Action("set-authentication-policy", "policy authenticated-only", _set_authentication_policy),
    Action("set-person", "person set", _set_person),
    Action("take-back-insertion", "probe take-back", _take_back_insertion),
    Action("take-back-subject", "subject take-back", _take_back_subject),
    Action("take-back-value", "catalogue take-back", _take_back_value),
    Action("settle", "settle", _settle),
    Action("withdraw", "withdraw", _withdraw),
    Action("work", "work", _work),
)
