"""What an event says, in one line. Pure: a function of its type and body."""

from collections.abc import Callable
from typing import Any

from commands.answers.sentences import shown
from ledger.plurals import plural

Body = dict[str, Any]


def phrase(kind: str, body: Body | None) -> str:
    """The gist of an event's body; empty for a type without one."""
    if body is None:
        return "(redacted)"
    if "redacted" in body:
        return redacted(body["redacted"])
    say = _PHRASES.get(kind)
    return "" if say is None else say(body)


def redacted(why: Body) -> str:
    """``(redacted) by user_2 at 2026-01-31 12:00:00, as user_1 requested: the reason``."""
    return f"(redacted) by {why['by']} at {shown(why['at'])}, as {why['requested_by']} requested: {why['reason']}"


def _counts(entries: list[Body]) -> str:
    outcomes = [entry["outcome"] for entry in entries]
    return ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))


def _validated(body: Body) -> str:
    unchanged = sum(last - first + 1 for first, last in body["unchanged_sessions"])
    known = unchanged + len(body["changed_sessions"])
    groups = body["clusterings"]
    also = f"; {plural(groups, 'multi-session clustering')}" if groups else ""
    return f"{plural(body['sessions'], 'session')}, {known} known already{also}"


def _rejected(body: Body) -> str:
    errors = [finding for finding in body["findings"] if finding["severity"] == "error"]
    first = f": {errors[0]['message']}" if errors else ""
    return f"{plural(len(errors) + body['more'].get('errors', 0), 'error')} at stage {body['stage']}{first}"


def _checked(body: Body) -> str:
    return f"{body['filename']}: " + (
        "valid" if body["ok"] else f"{plural(body['errors'], 'error')} at stage {body['stage']}"
    )


def _failed(body: Body) -> str:
    return f"{body['code']}: {body['message']}"


def _waiting(body: Body) -> str:
    return f"{body['reason']}: {body['message']}"


def _inserted(body: Body) -> str:
    probes = ", ".join(probe["probe"] for probe in body["probes"])
    return f"{body['session_time']}, {body['system']}, {plural(len(body['tasks']), 'task')}, probes {probes or 'none'}"


def _associated(body: Body) -> str:
    said = ", ".join(f"{name}={probe}" for name, probe in body["association"].items())
    return f"{said}, despite the serial: {body['reason']}" if body["despite_serial"] else said


def _settled(body: Body) -> str:
    parts = ["one session despite the dates"] if body["despite_dates"] else []
    parts += [f"without {name}" for name in body["without"]]
    parts += ["as crashed"] if body["as_crashed"] else []
    parts += [f"started {body['start']}"] if body["start"] else []
    return f"{', '.join(parts)}: {body['reason']}"


def _more(body: Body) -> str:
    added = [f"probe {probe['probe']}" for probe in body["probes"]]
    said = [str(remark.get("message")) for remark in body["remarks"]]
    return "; ".join([*added, *said]) or "nothing is open any more"


def _looked(body: Body) -> str:
    return plural(sum(last - first + 1 for first, last in body["sessions"]), "session")


def _clustering_requested(body: Body) -> str:
    if body["session"] is not None:
        return f"of s{body['session']}, {body['location']}"
    sessions = ", ".join(f"s{session}" for session in body["sessions"])
    return f"{body['entry']['group_name']} over {sessions}, {body['location']}"


def _annotated(body: Body) -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in body["fields"].items())


def _records(body: Body) -> str:
    return f"{', '.join(body['records'])}: {body['reason']}"


def _impact(body: Body) -> str:
    impact = body["impact"]
    sessions, clusterings = (
        sum(last - first + 1 for first, last in impact[kind]) for kind in ("sessions", "clusterings")
    )
    return f"would now take {plural(sessions, 'session')} and {plural(clusterings, 'clustering')}"


def _gone(body: Body) -> str:
    return f"{plural(body['sessions'], 'session')} and {plural(body['clusterings'], 'clustering')}"


def _replaced(pairs: list[list[int]], letter: str) -> str:
    return ", ".join(f"{letter}{new} replaces {letter}{old}" for old, new in pairs)


def _corrected(body: Body) -> str:
    parts = _replaced(body["sessions"], "s"), _replaced(body["clusterings"], "c")
    return ", ".join(part for part in parts if part)


_FAILED_FOR = {
    "account": "for",
    "name": "for a name that nobody has",
    "address": "from one address",
}


def _to_be(role: str) -> str:
    return f", as {role}" if role else ""


def _refused(body: Body) -> str:
    record = f": {body['record']}" if body["record"] else ""
    return f"may not {body['action']}{record}"


_BEFORE = {
    "inserted": "it had been inserted",
    "pending": "it had not been looked at yet",
    "waiting": "it had been waiting",
    "error": "it had failed",
    "withdrawn": "it had been withdrawn",
}
_AGAIN = {
    "inserted": "it is inserted again",
    "pending": "it is tried again",
    "waiting": "it waits again",
}


def _deleted(body: Body, letter: str) -> str:
    before = _BEFORE.get(body["was"], f"it had the status {body['was']}")
    return (
        before if body["replaced_by"] is None else f"{before}, and {letter}{body['replaced_by']} replaces it"
    )


def _restored(body: Body) -> str:
    return _AGAIN.get(body["status"], f"it has the status {body['status']} again")


def _amended(body: Body) -> str:
    said = [f"{name}: {_short(value)}" for name, value in body["fields"].items()]
    if body["session_time"] is not None:
        said.append(f"began at {body['session_time']}")
    if body["sessions_txt"] is not None:
        said.append("times of tasks, from the disk")
    return ", ".join(said) or f"{plural(len(body['tasks'] or ()), 'task')}"


def _moved(body: Body) -> str:
    return f"from {body['instead_of']} to {body['location']}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        if all(isinstance(each, str) for each in value):
            return ", ".join(value)
        return f"{len(value)}"
    if isinstance(value, dict):
        return ", ".join(f"{key}={_short(each)}" for key, each in value.items())
    return str(value)


def _mended(body: Body) -> str:
    removed = "still in there" if body["removal_time"] is None else f"removed {body['removal_time']}"
    return f"{body['probe']}: inserted {body['insertion_time']}, {removed}: {body['reason']}"


def _renamed(body: Body) -> str:
    return f"subject {body['subject']}, which was {body['instead_of']}"


def _taken_back(body: Body) -> str:
    instead = f", {body['replaced_by']} instead" if body["replaced_by"] is not None else ""
    return f"{body['table']}: {body['value']}{instead}: {body['reason']}"


_PHRASES: dict[str, Callable[[Body], str]] = {
    "LedgerCreated": lambda body: body["origin"],
    "InputFileReceived": lambda body: (
        f"{body['filename']}, {body['size_bytes']:,} bytes, sha256 {body['sha256'][:12]}"
    ),
    "InputFileValidated": _validated,
    "InputFileRejected": _rejected,
    "InputFileProcessed": lambda body: _counts(body["sessions"] + body["clusterings"]) or "nothing new",
    "InputFileChecked": _checked,
    "SessionInsertRequested": lambda body: body["location"],
    "SessionWaiting": _waiting,
    "SessionInserted": _inserted,
    "SessionInsertFailed": _failed,
    "ProbesAssociated": _associated,
    "SessionSettled": _settled,
    "MoreFound": _more,
    "DiskLookedAt": _looked,
    "SessionEntryRenewed": lambda body: "it had not been inserted, and takes what a newer file says",
    "ClusteringEntryRenewed": lambda body: "it had not been inserted, and takes what a newer file says",
    "SessionSuperseded": lambda body: f"by s{body['by']}",
    "ClusteringSuperseded": lambda body: f"by c{body['by']}",
    "TasksAdded": lambda body: plural(len(body["completed"].get("tasks", [])), "task"),
    "SessionAnnotated": _annotated,
    "ClusteringInsertRequested": _clustering_requested,
    "ClusteringWaiting": _waiting,
    "ClusteringInserted": lambda body: f"{body['curator']}, {body['curation_time']}, {body['location']}",
    "ClusteringInsertFailed": _failed,
    "SessionWithdrawn": lambda body: "",
    "SessionDeleted": lambda body: _deleted(body, "s"),
    "SessionRestored": _restored,
    "ClusteringWithdrawn": lambda body: "",
    "ClusteringDeleted": lambda body: _deleted(body, "c"),
    "ClusteringRestored": _restored,
    "ClusteringCarriedOver": lambda body: "stands on " + _replaced(body["sessions"], "s"),
    "DeletionRequested": _records,
    "CorrectionRequested": lambda body: f"by the file of u{body['upload']}: {body['reason']}",
    "RedactionRequested": lambda body: f"position {body['position']}: {body['reason']}",
    "DeletionImpactGrown": _impact,
    "DeletionApproved": lambda body: "",
    "DeletionRejected": lambda body: body["reason"],
    "DeletionCancelled": lambda body: "",
    "DeletionExecuted": _gone,
    "CorrectionExecuted": _corrected,
    "DeletionRestored": _gone,
    "PayloadRedacted": lambda body: f"{body['type']} at position {body['position']}: {body['reason']}",
    "InputFileErased": lambda body: f"sha256 {body['sha256'][:12]}",
    "RoleGranted": lambda body: f"{body['role']} to {body['user']}",
    "RoleRevoked": lambda body: f"{body['role']} from {body['user']}",
    "ServiceAccountAdded": lambda body: f"{body['user']}, for whom {body['owner']} answers",
    "RightGranted": lambda body: f"{body['right']} {body['of']}".rstrip() + f" to {body['user']}",
    "RightRevoked": lambda body: f"{body['right']} {body['of']}".rstrip() + f" from {body['user']}",
    "UserDisabled": lambda body: body["user"],
    "UserEnabled": lambda body: body["user"],
    "UserInvited": lambda body: f"{body['user']}, until {body['until']}" + _to_be(body["role"]),
    "InvitationRevoked": lambda body: f"of {body['user']}",
    "UserJoined": lambda body: f"{body['user']}, invited by {body['invited_by']}" + _to_be(body["role"]),
    "ResetIssued": lambda body: f"of the {body['what']} of {body['user']}, until {body['until']}",
    "PasswordChanged": lambda body: f"of {body['user']}" + (", by a reset" if body["by_reset"] else ""),
    "SecondFactorAdded": lambda body: f"of {body['user']}",
    "SecondFactorRemoved": lambda body: f"of {body['user']}" + (", by a reset" if body["by_reset"] else ""),
    "SecondFactorPolicySet": lambda body: (
        f"whoever has the role {body['role']} {'needs one' if body['required'] else 'needs none'}"
    ),
    "SignInsFailed": lambda body: (
        f"{body['failures']} within an hour, {_FAILED_FOR.get(body['of'], '')} {body['user']}".rstrip()
    ),
    "TokenIssued": lambda body: f"{body['token']} ({body['name']}) of {body['user']}, to {body['scope']}",
    "WebhookAdded": lambda body: f"{body['webhook']}: what comes behind {body['since']}, to {body['host']}",
    "WebhookRemoved": lambda body: body["webhook"],
    "TokenRevoked": lambda body: f"{body['token']} of {body['user']}",
    "AuthenticationPolicySet": lambda body: (
        "only who is authenticated may change anything" if body["required"] else "a claim is enough again"
    ),
    "ActionRefused": _refused,
    "ApprovalPolicySet": lambda body: (
        f"admins {'may' if body['own_requests'] else 'may not'} approve their own requests"
    ),
    "SubjectRegistered": lambda body: (
        body["name"] + (f", which was {body['instead_of']}" if body["instead_of"] is not None else "")
    ),
    "SubjectRenamed": lambda body: f"{body['name']} is {body['new_name']}: {body['reason']}",
    "SessionSubjectRenamed": _renamed,
    "ClusteringSubjectRenamed": _renamed,
    "UploadSubjectRenamed": _renamed,
    "ProbeInserted": lambda body: f"{body['probe']} at {body['insertion_time']}",
    "ProbeRemoved": lambda body: f"{body['probe']} at {body['removal_time']}",
    "ReferenceValueAdded": lambda body: f"{body['table']}: {body['value']}",
    "ReferenceValueRetired": lambda body: f"{body['table']}: {body['value']}",
    "SessionAmended": _amended,
    "SessionMoved": _moved,
    "ClusteringMoved": _moved,
    "ClusteringAmended": lambda body: f"curator: {body['curator']}",
    "ChangeRequested": lambda body: f"{body['kind']} of {_records(body)}",
    "ProbeInsertionMended": _mended,
    "ProbeInsertionTakenBack": lambda body: f"{body['probe']} at {body['insertion_time']}: {body['reason']}",
    "SubjectTakenBack": lambda body: f"{body['name']}: {body['reason']}",
    "ReferenceValueTakenBack": _taken_back,
}
