"""The verbs that change something, and the type of each one's answer. Imports the types only when asked."""

from importlib import import_module
from typing import Any

_RESULTS: dict[str, tuple[str, ...]] = {
    "add-clustering": ("commands.intake.completing:ClusteringAdded",),
    "add-tasks": ("commands.intake.completing:CompletedSession",),
    "amend": ("commands.requests.changes.asking:ChangeMade",),
    "annotate": ("commands.intake.completing:CompletedSession",),
    "associate": ("commands.intake.completing:CompletedSession",),
    "archive check": ("commands.analysis.checking:ArchiveChecked",),
    "archive create": ("commands.analysis.creating:ArchiveMade",),
    "backup check": ("commands.moving.backups:BackupChecked",),
    "backup create": ("commands.moving.backups:BackupMade",),
    "backup list": ("commands.moving.backups:Backups",),
    "backup restore": ("commands.moving.backups:BackupRestored",),
    "catalogue add": ("commands.lab.subjects:Added",),
    "catalogue load": ("commands.lab.catalogue:CatalogueReport",),
    "catalogue propose": ("commands.requests.changes.asking:ChangeMade",),
    "catalogue rename": ("commands.requests.changes.asking:ChangeMade",),
    "catalogue retire": ("commands.lab.catalogue:Retired",),
    "catalogue take-back": ("commands.requests.changes.asking:ChangeMade",),
    "checkpoint": (
        "commands.proving.checkpoints:CheckpointMade",
        "commands.proving.witness:CheckpointCosigned",
        "commands.proving.witness:WitnessKey",
    ),
    "correct": ("commands.answers.correction:CorrectionReport",),
    "delete request": ("commands.requests.deletion:DeletionAsked",),
    "export": ("commands.moving.importing:Moved", "commands.moving.importing:MovedDamaged"),
    "import": ("commands.moving.importing:Imported",),
    "init": ("commands.moving.setup:Initialised",),
    "person erase": ("commands.lab.people:PersonErased",),
    "person set": ("commands.lab.people:PersonSet",),
    "policy authenticated-only": ("commands.accounts.policy:AuthenticationPolicy",),
    "policy second-factor": ("commands.accounts.policy:SecondFactorPolicy",),
    "policy own-requests": ("commands.requests.policy:ApprovalPolicy",),
    "mail": ("commands.answers.accounts:MailSent",),
    "probe insert": ("commands.lab.subjects:Added",),
    "probe mend": ("commands.requests.changes.asking:ChangeMade",),
    "probe remove": ("commands.lab.subjects:Removed",),
    "probe take-back": ("commands.requests.changes.asking:ChangeMade",),
    "rebuild": ("commands.moving.setup:Rebuilt",),
    "redact": ("commands.requests.redaction:RedactionAsked",),
    "replay": ("commands.intake.upload_report:UploadReport",),
    "request approve": (
        "commands.requests.deletion:DeletionDone",
        "commands.requests.correction.events:CorrectionDone",
        "commands.requests.redaction:RedactionDone",
        "commands.requests.changes.approval:ChangeDone",
    ),
    "request cancel": ("commands.requests.closing:Closed",),
    "request reject": ("commands.requests.closing:Closed",),
    "restore": ("commands.requests.restoration:Restored",),
    "role grant": ("commands.lab.roles:RoleGrant",),
    "role request": ("commands.requests.changes.asking:ChangeMade",),
    "role revoke": ("commands.lab.roles:RoleRevocation",),
    "settle": ("commands.intake.completing:CompletedSession",),
    "subject add": ("commands.lab.subjects:SubjectAdded",),
    "subject rename": ("commands.requests.changes.asking:ChangeMade",),
    "subject take-back": ("commands.requests.changes.asking:ChangeMade",),
    "token create": ("commands.accounts.tokens:TokenCreated",),
    "token revoke": ("commands.accounts.tokens:TokenEnded",),
    "upload": ("commands.intake.upload_report:UploadReport", "commands.answers.many_files:UploadedFiles"),
    "user allow": ("commands.accounts.rights:RightChanged",),
    "user forbid": ("commands.accounts.rights:RightChanged",),
    "user add": ("commands.accounts.standing:ServiceAccount",),
    "user invite": ("commands.accounts.invitations:Invited",),
    "user reset-password": ("commands.accounts.resets:ResetMade",),
    "user reset-second-factor": ("commands.accounts.resets:ResetMade",),
    "user revoke-invitation": ("commands.accounts.invitations:InvitationEnded",),
    "user disable": ("commands.accounts.standing:AccountStanding",),
    "user enable": ("commands.accounts.standing:AccountStanding",),
    "validate": ("commands.intake.checking:CheckedFile", "commands.answers.many_files:ValidatedFiles"),
    "webhook add": ("commands.accounts.webhooks:WebhookMade",),
    "webhook list": ("commands.accounts.webhooks:Webhooks",),
    "webhook remove": ("commands.accounts.webhooks:WebhookEnded",),
    "webhook retry": ("commands.accounts.webhooks:WebhookRetried",),
    "webhook send": ("commands.answers.webhook_sending:WebhooksSent",),
    "webhook show": ("commands.accounts.webhooks:Webhooks",),
    "withdraw": ("commands.requests.withdrawal:Withdrawn",),
    "work": ("commands.intake.working:Worked",),
}
VERBS = tuple(_RESULTS)


def result_types(verb: str) -> tuple[type[Any], ...]:
    """The dataclass that a verb answers with; several where the answer depends on what was asked."""
    found = []
    for place in _RESULTS[verb]:
        module, _, name = place.partition(":")
        found.append(getattr(import_module(module), name))
    return tuple(found)
