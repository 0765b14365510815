"""Every type of event has its place wherever a reader branches on the type, or a reason why it has none there.

The recipe "Add an event" in CONTRIBUTING.md names these places. Where a new event needs nothing, a line here says why. That each
has a phrase and a place in the audit is held beside those (tests/cli/test_cli_records.py, tests/audit/test_audit.py).
"""

from collections.abc import Collection
from typing import Any

import orjson
import pytest

from commands.answers.phrases import phrase
from commands.answers.what_if.fitting import _JUDGES
from commands.intake.still_so import _UNSETTLING
from commands.mail.notices import _ASKED
from commands.requests.redactable import _NEVER
from commands.requests.remembering import _keys
from ledger.envelope import StoredEvent, payload_digest
from ledger.events import TYPES
from ledger.hashing import _NOTED_STREAMS, _NOTED_TYPES
from ledger.redaction import _UNIQUE, skeleton, told_by_envelope
from projections.apply import _HANDLERS
from projections.differences import about
from tests.conftest import ROOT

CANARY = "canary"

# one stream of each kind, and the events that stand in it
STREAMS = {
    "ledger": {
        "LedgerCreated", "ApprovalPolicySet", "AuthenticationPolicySet", "SecondFactorPolicySet", "SignInsFailed",
    },
    "upload/7": {
        "InputFileReceived", "InputFileValidated", "InputFileRejected", "InputFileProcessed", "UploadSubjectRenamed",
    },
    "check/7": {"InputFileChecked"},
    "session/7": {
        "SessionInsertRequested", "SessionWaiting", "SessionInserted", "SessionInsertFailed", "ProbesAssociated",
        "TasksAdded", "SessionAnnotated", "SessionWithdrawn", "SessionDeleted", "SessionRestored", "SessionSettled",
        "MoreFound", "SessionSuperseded", "SessionEntryRenewed",
        "SessionAmended", "SessionMoved", "SessionSubjectRenamed",
    },
    "clustering/7": {
        "ClusteringInsertRequested", "ClusteringWaiting", "ClusteringInserted", "ClusteringInsertFailed",
        "ClusteringWithdrawn", "ClusteringDeleted", "ClusteringRestored", "ClusteringCarriedOver",
        "ClusteringSuperseded", "ClusteringEntryRenewed",
        "ClusteringAmended", "ClusteringMoved", "ClusteringSubjectRenamed",
    },
    "look/7": {"DiskLookedAt"},
    "deletion/7": {
        "DeletionRequested", "CorrectionRequested", "RedactionRequested", "DeletionImpactGrown", "DeletionApproved",
        "DeletionRejected", "DeletionCancelled", "DeletionExecuted", "CorrectionExecuted", "DeletionRestored",
        "ChangeRequested",
    },
    "redaction/7": {"PayloadRedacted"},
    "input-file/7": {"InputFileErased"},
    "user/user_1": {
        "RoleGranted", "RoleRevoked", "ActionRefused", "ServiceAccountAdded", "RightGranted", "RightRevoked", "UserDisabled", "UserEnabled",
        "TokenIssued", "TokenRevoked", "WebhookAdded", "WebhookRemoved", "UserInvited", "InvitationRevoked", "UserJoined", "ResetIssued",
        "PasswordChanged", "SecondFactorAdded", "SecondFactorRemoved",
    },
    "subject/0/12345": {
        "SubjectRegistered", "ProbeInserted", "ProbeRemoved", "ProbeInsertionMended", "ProbeInsertionTakenBack",
        "SubjectTakenBack", "SubjectRenamed",
    },
    "reference/reference.Probe": {"ReferenceValueAdded", "ReferenceValueRetired", "ReferenceValueTakenBack"},
}  # fmt: skip
STREAM_OF = {kind: stream for stream, kinds in STREAMS.items() for kind in kinds}

SAYS_NOTHING = {
    "who, when and which record say it all": {
        "SessionWithdrawn", "ClusteringWithdrawn", "DeletionApproved", "DeletionCancelled",
    },
}  # fmt: skip
CHANGES_NO_LIST = {
    "the log, history and audit show it": {"InputFileChecked", "ActionRefused"},
    "the log is asked itself": {
        "ApprovalPolicySet",
        "InputFileErased",
        "TokenIssued",
        "TokenRevoked",
        "WebhookAdded",
        "WebhookRemoved",
        "ResetIssued",
        "PasswordChanged",
        "SignInsFailed",
    },
}
ALWAYS_FITS = {
    "the first event cannot be left out": {"LedgerCreated"},
    "it is judged with the entries of its file": {"InputFileValidated"},
    "a file that was rejected has no records; what it would have been now is told apart": {"InputFileRejected"},
    "nothing stands on it": {"InputFileChecked", "ActionRefused", "DeletionImpactGrown", "DiskLookedAt"},
    "it is left out with the approval that led to it": {
        "DeletionExecuted", "CorrectionExecuted", "PayloadRedacted", "InputFileErased",
    },
    "it rests on the event that gave its record its status, and is left out with it": {
        "SessionWithdrawn", "ClusteringWithdrawn",
    },
    "a redaction can be requested of any event": {"RedactionRequested"},
    "what it rests on is asked when it is approved": {"ChangeRequested"},
    "what people may do is not judged": {
        "RoleGranted", "RoleRevoked", "ApprovalPolicySet", "ServiceAccountAdded", "RightGranted", "RightRevoked", "UserDisabled", "UserEnabled",
        "TokenIssued", "TokenRevoked", "WebhookAdded", "WebhookRemoved", "AuthenticationPolicySet", "UserInvited", "InvitationRevoked", "UserJoined",
        "ResetIssued", "PasswordChanged", "SecondFactorAdded", "SecondFactorRemoved", "SecondFactorPolicySet",
        "SignInsFailed",
    },
    "it is left out with the renaming that led to it, or with its record": {
        "SessionSubjectRenamed", "ClusteringSubjectRenamed", "UploadSubjectRenamed",
    },
    "it can always be added": {"SubjectRegistered", "ReferenceValueAdded"},
}  # fmt: skip
LEAVES_CHECKED_FILES_RIGHT = {
    "it takes a key, which is looked up": {
        "SessionInsertRequested", "ClusteringInsertRequested", "SessionRestored", "ClusteringRestored",
        "ClusteringCarriedOver", "SessionSettled", "SessionMoved",
    },
    "a location that it frees is found free by the next upload": {"SessionWaiting"},
    "it gives up no key and takes no value away": {
        "LedgerCreated", "InputFileReceived", "InputFileValidated", "InputFileRejected", "InputFileProcessed",
        "InputFileChecked", "SessionInserted", "ProbesAssociated", "TasksAdded", "SessionAnnotated",
        "ClusteringWaiting", "ClusteringInserted", "SubjectRegistered", "ProbeInserted", "ActionRefused",
        "MoreFound", "DiskLookedAt", "SessionSuperseded", "ClusteringSuperseded",
        "SessionAmended", "ClusteringAmended", "ClusteringMoved",
        "SessionEntryRenewed", "ClusteringEntryRenewed",
    },
    "SubjectRenamed unsettles, which led to it": {
        "SessionSubjectRenamed", "ClusteringSubjectRenamed", "UploadSubjectRenamed",
    },
    "what it leads to is an event of its own": {
        "ChangeRequested",
        "DeletionRequested", "CorrectionRequested", "RedactionRequested", "DeletionImpactGrown", "DeletionApproved",
        "DeletionRejected", "DeletionCancelled", "DeletionExecuted", "CorrectionExecuted", "DeletionRestored",
    },
    "whether something was redacted meanwhile is asked by itself": {"PayloadRedacted", "InputFileErased"},
    "who may upload is asked again under the lock": {
        "RoleGranted", "RoleRevoked", "ApprovalPolicySet", "ServiceAccountAdded", "RightGranted", "RightRevoked", "UserDisabled", "UserEnabled",
        "TokenIssued", "TokenRevoked", "WebhookAdded", "WebhookRemoved", "AuthenticationPolicySet", "UserInvited", "InvitationRevoked", "UserJoined",
        "ResetIssued", "PasswordChanged", "SecondFactorAdded", "SecondFactorRemoved", "SecondFactorPolicySet",
        "SignInsFailed",
    },
}  # fmt: skip
IS_OF_NO_RECORD = {
    "it is about a file that was never taken in": {"InputFileChecked"},
    "when the disk was looked at changes no record": {"DiskLookedAt"},
    "it is shown with what it redacted": {"PayloadRedacted", "InputFileErased"},
    "it changes no record": {
        "ActionRefused", "ApprovalPolicySet", "TokenIssued", "TokenRevoked", "WebhookAdded", "WebhookRemoved", "ResetIssued", "PasswordChanged",
        "SignInsFailed",
    },
}  # fmt: skip
COMES_IN_NO_FILE = {
    "it lies below its session, and is found there": {"ClusteringInserted", "ClusteringEntryRenewed", "ClusteringMoved"},
    "one of several sessions has its group name, which is known again; one of a session none": {
        "ClusteringInsertRequested",
    },
    "whoever records it of a probe knows it": {
        "ProbeInserted", "ProbeRemoved", "ProbeInsertionMended", "ProbeInsertionTakenBack",
    },
    "what ends a value adds none": {"ReferenceValueRetired", "ReferenceValueTakenBack"},
    "no file makes a subject, or gives it another name": {
        "SubjectRegistered", "UploadSubjectRenamed", "SessionSubjectRenamed", "ClusteringSubjectRenamed",
    },
}  # fmt: skip
MAY_GO = {"InputFileErased": "it holds a hash alone"}


def named(reasons: dict[str, set[str]]) -> set[str]:
    kinds = [kind for some in reasons.values() for kind in some]
    assert len(kinds) == len(set(kinds)), "a type of event is named twice"
    return set(kinds)


def assert_each_has_one(
    place: set[str], exempt: dict[str, set[str]], where: str, *, of: Collection[str] = TYPES
) -> None:
    forgotten, twice = set(of) - place - named(exempt), place & named(exempt)
    assert not forgotten, f"{sorted(forgotten)}: add it to {where}, or here, with the reason why not"
    assert not twice, f"{sorted(twice)}: it is in {where}, and a reason why not is given here"
    assert named(exempt) <= set(of), (
        f"{sorted(named(exempt) - set(of))}: there is no such type, or it needs no reason"
    )


def example(annotation: Any, name: str) -> Any:
    """A value of a field, with the canary in each text."""
    text = str(annotation)
    if name == "impact":
        return {"sessions": [[1, 2]], "clusterings": [], "tasks": 1, "probes": 0, "users": {CANARY: 2}}
    if name in ("entry", "completed", "fields", "sessions_txt"):
        return {
            "location": CANARY,
            "group_name": CANARY,
            "tasks": [],
            "notes": CANARY,
            CANARY: {CANARY: [CANARY]},
        }
    if text.startswith("list[tuple"):
        return [[1, 2]]
    if text.startswith("list[dict"):
        return [{"outcome": CANARY, "severity": CANARY, "message": CANARY, "probe": CANARY}]
    if text.startswith("list[int"):
        return [7]
    if text.startswith("list"):
        return [CANARY]
    if text.startswith("dict"):
        return {CANARY: [CANARY] if "list" in text else CANARY}
    return {int: 7, bool: True, int | None: 7}.get(annotation, CANARY)


def body(kind: str) -> dict[str, Any]:
    fields = TYPES[kind].model_fields
    found = {name: example(field.annotation, name) for name, field in fields.items()}
    return orjson.loads(orjson.dumps(TYPES[kind].model_validate(found).model_dump()))


def stored(kind: str) -> StoredEvent:
    payload = orjson.dumps(body(kind)).decode()
    return StoredEvent(
        position=7, stream=STREAM_OF[kind], stream_version=1, type=kind, schema=TYPES[kind].SCHEMA, command_id="a",
        correlation="u7", causation=0, actor="user_1", via="{}", recorded_at="2026-01-01T00:00:00.000000Z",
        subject="0/12345", username="user_1", payload=payload, payload_sha256=payload_digest(payload),
    )  # fmt: skip


def test_every_type_stands_in_a_stream() -> None:
    assert named(STREAMS) == set(TYPES), "add it to STREAMS here, at the stream that it stands in"


@pytest.mark.parametrize("kind", TYPES)
def test_phrase_says_something_or_a_reason_why_not(kind: str) -> None:
    assert bool(phrase(kind, body(kind))) is (kind not in named(SAYS_NOTHING)), (
        f"{kind}: _PHRASES of commands/answers/phrases.py, or SAYS_NOTHING here"
    )


def test_every_type_changes_rows_or_has_a_reason_why_not() -> None:
    assert_each_has_one(set(_HANDLERS), CHANGES_NO_LIST, "_HANDLERS of projections/apply.py")


def test_every_type_is_judged_by_what_if_or_has_a_reason_why_not() -> None:
    assert_each_has_one(set(_JUDGES), ALWAYS_FITS, "_JUDGES of commands/answers/what_if/fitting.py")


def test_every_type_unsettles_a_checked_file_or_has_a_reason_why_not() -> None:
    assert_each_has_one(
        set(_UNSETTLING), LEAVES_CHECKED_FILES_RIGHT, "_UNSETTLING of commands/intake/still_so.py"
    )


def test_every_type_is_of_a_record_that_diff_shows_or_has_a_reason_why_not() -> None:
    told = {kind for kind in TYPES if about(stored(kind))}
    assert_each_has_one(told, IS_OF_NO_RECORD, "about of projections/differences.py")


def test_every_request_is_told_by_mail_to_those_who_decide() -> None:
    asked = {kind for kind in STREAMS["deletion/7"] if kind.endswith("Requested")}

    assert asked == set(_ASKED), "_ASKED of commands/mail/notices.py"


def test_every_key_that_was_redacted_is_known_when_it_comes_again_or_has_a_reason_why_not() -> None:
    """Keys are those fields of a body of which there can be one alone (``_UNIQUE``)."""
    with_keys = {kind for kind in TYPES if _UNIQUE.intersection(body(kind)) and kind not in _NEVER}
    marked = {kind for kind in with_keys if list(_keys(stored(kind), body(kind)))}

    assert_each_has_one(marked, COMES_IN_NO_FILE, "_keys of commands/requests/remembering.py", of=with_keys)


@pytest.mark.parametrize("kind", TYPES)
def test_redaction_blanks_all_that_somebody_wrote_and_leaves_a_body(kind: str) -> None:
    whole = body(kind)

    kept = skeleton(whole, unique="(redacted) 7", known=told_by_envelope(STREAM_OF[kind], "0/12345"))

    assert CANARY not in orjson.dumps(kept).decode()
    assert TYPES[kind].model_validate(kept).model_dump().keys() == whole.keys()


def test_what_removals_rest_on_is_never_redacted_or_has_a_reason() -> None:
    """An event by which ``verify`` accounts for a gap; approvals hold no text."""
    noted = {kind for kind in TYPES if kind in _NOTED_TYPES or STREAM_OF[kind].startswith(_NOTED_STREAMS)}

    assert noted >= _NOTED_TYPES
    assert {kind for kind in _NOTED_TYPES if body(kind)} <= set(_NEVER) | set(MAY_GO)


def test_the_recipe_names_every_place() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = contributing.partition("## Add an event")[2].partition("\n## ")[0]

    for place in (
        "SCHEMAS", "UPCASTS", "_HANDLERS", "VERSIONS", "_PHRASES", "NOT_COUNTED", "_JUDGES", "_UNSETTLING", "NESTED",
        "VOCABULARY", "_UNIQUE", "_NEVER", "_NOTED_TYPES", "about", "STREAMS", "NOT_HERE", "WholeHistory",
    ):  # fmt: skip
        assert f"`{place}`" in recipe, place
