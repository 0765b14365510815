"""Every action that a face can take: its parameters, and what carries it out.

An action has the name that next steps advise it by. A face derives from ``do`` what it takes: options, a JSON document,
a form. What answers is the result of the command.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commands.answers.doing import lab, people, records, requests

Do = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Action:
    """``verb`` says in ``commands.answers.receipts`` which types of answers there are. ``do`` takes an ``Asking``, the
    id of the command, and its parameters; with ``secret`` it gives the answer and what is told beside it, this once."""

    name: str
    verb: str
    do: Do
    secret: bool = False


ACTIONS = (
    Action("add-service-account", "user add", people.add_service_account),
    Action("add-clustering", "add-clustering", records.add_clustering),
    Action("add-tasks", "add-tasks", records.add_tasks),
    Action("add-value", "catalogue add", lab.add_value),
    Action("amend", "amend", records.amend),
    Action("annotate", "annotate", records.annotate),
    Action("approve-request", "request approve", requests.approve_request),
    Action("associate", "associate", records.associate),
    Action("cancel-request", "request cancel", requests.cancel_request),
    Action("correct", "correct", records.correct),
    Action("create-token", "token create", people.create_token, secret=True),
    Action("disable-user", "user disable", people.disable_user),
    Action("enable-user", "user enable", people.enable_user),
    Action("erase-person", "person erase", people.erase_person),
    Action("grant-right", "user allow", people.grant_right),
    Action("grant-role", "role grant", people.grant_role),
    Action("insert-probe", "probe insert", lab.insert_probe),
    Action("invite-user", "user invite", people.invite_user, secret=True),
    Action("load-catalogue", "catalogue load", lab.load_catalogue),
    Action("mend-insertion", "probe mend", lab.mend_insertion),
    Action("propose-value", "catalogue propose", lab.propose_value),
    Action("register-subject", "subject add", lab.register_subject),
    Action("reject-request", "request reject", requests.reject_request),
    Action("remove-probe", "probe remove", lab.remove_probe),
    Action("rename-subject", "subject rename", lab.rename_subject),
    Action("rename-value", "catalogue rename", lab.rename_value),
    Action("replay", "replay", records.replay),
    Action("request-deletion", "delete request", requests.request_deletion),
    Action("request-redaction", "redact", requests.request_redaction),
    Action("request-role", "role request", people.request_role),
    Action("reset-password", "user reset-password", people.reset_password, secret=True),
    Action("reset-second-factor", "user reset-second-factor", people.reset_second_factor, secret=True),
    Action("restore", "restore", requests.restore),
    Action("retire-value", "catalogue retire", lab.retire_value),
    Action("revoke-invitation", "user revoke-invitation", people.revoke_invitation),
    Action("revoke-right", "user forbid", people.revoke_right),
    Action("revoke-role", "role revoke", people.revoke_role),
    Action("revoke-token", "token revoke", people.revoke_token),
    Action("set-approval-policy", "policy own-requests", people.set_approval_policy),
    Action("set-authentication-policy", "policy authenticated-only", people.set_authentication_policy),
    Action("set-second-factor-policy", "policy second-factor", people.set_second_factor_policy),
    Action("set-person", "person set", people.set_person),
    Action("take-back-insertion", "probe take-back", lab.take_back_insertion),
    Action("take-back-subject", "subject take-back", lab.take_back_subject),
    Action("take-back-value", "catalogue take-back", lab.take_back_value),
    Action("settle", "settle", records.settle),
    Action("withdraw", "withdraw", records.withdraw),
    Action("work", "work", records.work_off),
)
_BY_NAME = {action.name: action for action in ACTIONS}


def action(name: str) -> Action:
    return _BY_NAME[name]
