"""Word next steps for pages. The only module that knows which page or form does what an answer advises.

A step becomes a link to the page that shows it, or to the form that does it, filled in as far as the answer knows. What
can be done without a question asked becomes a button that does it at once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from commands.web.pages.addresses import record_address
from ledger.errors import NextStep

ON_MACHINE = frozenset(
    {
        "create-archive", "export-damaged", "init", "make-checkpoint", "make-witness-key", "protect-file",
        "prove-since", "rebuild",
    }
)  # fmt: skip
"""What only whoever runs the ledger does, at its machine: no page can."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a page leads on. With ``sends`` it is a button: a form of ``fields`` that is sent to ``address``; else a
    link. ``dangerous``: it leads to something that takes records away, or cannot be undone."""

    label: str
    address: str
    fields: tuple[tuple[str, str], ...] = ()
    sends: bool = False
    dangerous: bool = False


def action_address(name: str, ref: str | None = None, /, **given: Any) -> str:
    """The form of an action, filled in with what is ``given``."""
    pairs = {"ref": ref, **given}
    asked = {key: value for key, value in pairs.items() if value not in (None, "", [])}
    return f"/do/{name}{_query(asked)}"


def way(step: NextStep) -> Way | None:
    """None where no page does it: at the machine of the ledger, or in another version of it."""
    words = _WORDS.get(step.action)
    return None if words is None else words(step)


def ways(steps: Iterable[NextStep]) -> list[Way]:
    return [found for step in steps if (found := way(step)) is not None]


# --- how steps become ways ------------------------------------------------------------------------------------------

_Words = Callable[[NextStep], Way]


class _Known(dict[str, str]):
    """What a label names; what the step leaves to the form is not named."""

    def __missing__(self, key: str) -> str:
        return {"user": "somebody", "role": "that is needed"}.get(key, "")


def _query(pairs: Mapping[str, Any]) -> str:
    return f"?{urlencode(pairs, doseq=True)}" if pairs else ""


def _given(step: NextStep, called: Mapping[str, str]) -> dict[str, str]:
    """Its arguments that are known, by the names that the form has for them."""
    return {called.get(name, name): value for name, value in step.arguments.items() if value is not None}


def _page(label: str, address: str, **called: str) -> _Words:
    """A page that shows something; arguments become its query."""

    def word(step: NextStep) -> Way:
        return Way(label, address + _query(_given(step, called)))

    return word


def _record(label: str) -> _Words:
    """The page of the record that the step is about."""

    def word(step: NextStep) -> Way:
        return Way(label.format(ref=step.ref or "it"), record_address(step.ref or ""))

    return word


def _form(label: str, action: str | None = None, *, dangerous: bool = False, **called: str) -> _Words:
    """The form of an action. An ellipsis says that it asks before anything is done."""

    def word(step: NextStep) -> Way:
        given = _given(step, called)
        said = label.format_map(_Known({"ref": step.ref or "it", **given}))
        return Way(said, action_address(action or step.action, step.ref, **given), dangerous=dangerous)

    return word


def _association(step: NextStep) -> Way:
    """Each probe on disk is a field of the form."""
    options = {
        name: value
        for name, value in step.arguments.items()
        if name in ("despite_serial", "reason") and value
    }
    pairs = {
        f"association.{name}": probe
        for name, probe in step.arguments.items()
        if name not in ("despite_serial", "reason") and probe
    }
    label = "Associate despite the serial numbers…" if options else "Associate…"
    return Way(label, action_address("associate", step.ref, **pairs, **options))


def _settle(step: NextStep) -> Way:
    given = _given(step, {})
    label = "Settle…"
    if "without" in given:
        label = f"Insert without {given['without']}…"
    elif "despite_dates" in given:
        label = "Insert as one session…"
    elif "as_crashed" in given:
        label = "The acquisition crashed: insert…"
    elif "start" in step.arguments:
        label = "Say when it started…"
    return Way(label, action_address("settle", step.ref, **given))


def _approve(step: NextStep) -> Way:
    label = "See the impact…" if step.arguments.get("accept_impact") else "Decide…"
    return Way(label, f"/requests/{step.ref}#decide")


def _delete(step: NextStep) -> Way:
    records = step.ref or step.arguments.get("records")
    label = f"Request that {step.ref} is deleted…" if step.ref else "Request a deletion…"
    return Way(label, f"/wrong-data/delete{_query({'records': records} if records else {})}", dangerous=True)


def _work(step: NextStep) -> Way:
    """Done at once: it only looks again."""
    records = (("records", step.ref),) if step.ref else ()
    return Way("Look again now", "/do/work", records, sends=True)


def _audit(step: NextStep) -> Way:
    return Way("Search the log", f"/log{_query(_given(step, {}))}")


def _requests(step: NextStep) -> Way:
    every = "all" in step.arguments
    return Way("All requests" if every else "Open requests", f"/requests{'?decided=yes' if every else ''}")


_WORDS: dict[str, _Words] = {
    "add-clustering": _form("Add a clustering to {ref}…"),
    "add-service-account": _form("Add a service account…"),
    "amend": _form("Add what the file left out…", file="filename"),
    "approve-request": _approve,
    "associate": _association,
    "cancel-request": lambda step: Way("Take it back…", f"/requests/{step.ref}#decide"),
    "create-token": lambda step: Way(
        "Create a token…", action_address("create-token", None, **_given(step, {"for": "user"}))
    ),
    "diff": _page("What changed", "/diff"),
    "enable-user": _form("Enable the account of {user}…"),
    "erase-person": _form("Erase name and address…", dangerous=True),
    "grant-right": _form("Give the right…"),
    "grant-role": _form("Grant a role…"),
    "history": _record("History of {ref}"),
    "insert-probe": _form("Record where a probe was inserted…", at="insertion_time"),
    "invite-user": _form("Invite {user}…"),
    "list-clusterings": _page("All clusterings", "/clusterings"),
    "list-invitations": _page("Invitations", "/people"),
    "list-requests": _requests,
    "list-roles": _page("Who has which role", "/people"),
    "list-sessions": _page("All sessions", "/sessions"),
    "list-subjects": _page("All subjects", "/subjects"),
    "list-tokens": _page("Tokens", "/people"),
    "list-uploads": _page("All uploads", "/uploads"),
    "list-users": _page("Who has an account", "/people"),
    "list-values": _page("All values", "/values"),
    "load-catalogue": lambda _: Way("Load a catalogue file…", action_address("load-catalogue")),
    "log": _audit,
    "mend-insertion": _form("Mend the times of the insertion…", inserted="insertion_time"),
    "propose-value": _form("Propose a new value…", reference="table"),
    "register-subject": _form("Register the subject…", subject="name"),
    "reject-request": lambda step: Way("Reject…", f"/requests/{step.ref}#decide"),
    "remove-probe": _form("Record that the probe was removed…", at="removal_time"),
    "rename-subject": _form("Rename the subject…"),
    "rename-value": _form("Mend the spelling…"),
    "request-correction": lambda step: Way("Correct…", f"/correct{_query(_given(step, {'file': 'name'}))}"),
    "request-deletion": _delete,
    "request-role": _form("Ask for the role {role}…"),
    "reset-password": _form("Reset the password of {user}…"),
    "reset-second-factor": _form("Reset the second factor of {user}…"),
    "restore": lambda step: Way("Restore…", f"/requests/{step.ref}/restore"),
    "restore-value": _form("Propose that it can be used again…", "propose-value", reference="table"),
    "set-approval-policy": _form("Change who may approve own requests…"),
    "settle": _settle,
    "show": _record("See {ref}"),
    "show-request": _record("See request {ref}"),
    "sign-in": _page("Sign in", "/sign-in"),
    "take-back-insertion": _form("Take the insertion back…", dangerous=True),
    "upload": _page("Upload the file again…", "/ingest", file="name"),
    "verify": _page("Check the integrity", "/integrity"),
    "why": _record("Why {ref} stands so"),
    "withdraw": _form("Withdraw {ref}…", dangerous=True),
    "work": _work,
}
