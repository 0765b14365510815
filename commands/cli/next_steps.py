"""Word next steps as commands of a shell. The only module that knows which command does what an answer advises."""

from collections.abc import Callable, Mapping, Sequence
from shlex import quote

from ledger.errors import NextStep, joint

_Words = Callable[[NextStep], list[str]]


def argv(step: NextStep) -> list[str]:
    """The command's words; what a person has to fill in stands there in capitals."""
    words = _WORDS[step.action](step)
    return words if step.action in _OF_THE_SYSTEM else ["daybook", *words]


def worded(step: NextStep) -> str:
    """The command as it can be pasted into a shell."""
    return " ".join(map(quote, argv(step)))


def sentence(hint: str, steps: Sequence[NextStep]) -> str:
    """A hint with the commands that do it: ``Remove it first: daybook probe remove 12345 npx_1 --at TIME``.

    Where the hint says "or", they are ways to choose from. A step of a stored finding may be redacted, or of another
    version: what has no command here is left out.
    """
    commands = [worded(step) for step in steps if step.action in _WORDS]
    return f"{hint or 'See'}: {f', {joint(hint)}: '.join(commands)}" if commands else hint


def _on(*words: str) -> _Words:
    """A command on a record: ``show s12``. Every argument is an option."""
    return lambda step: [*words, step.ref or "REF", *_options(step.arguments)]


def _plain(*words: str) -> _Words:
    """A command without a record."""
    return lambda step: [*words, *_options(step.arguments)]


def _taking(*words: str, places: Sequence[str]) -> _Words:
    """A command whose arguments at these ``places`` go by their order; the others are options."""

    def word(step: NextStep) -> list[str]:
        rest = {name: value for name, value in step.arguments.items() if name not in places}
        given = [_value(name, step.arguments[name]) for name in places if name in step.arguments]
        return [*words, *given, *_options(rest)]

    return word


def _options(arguments: Mapping[str, str | None]) -> list[str]:
    words = []
    for name, value in arguments.items():
        words.append(f"--{name.replace('_', '-')}")
        if value != "yes":  # a flag
            words.append(_value(name, value))
    return words


_BLANKS = {
    "new_value": "NEW",
    "reason": "TEXT", "at": "TIME", "start": "TIME", "location": "DIR", "curator": "USER", "records": "REF",
    "checkpoint": "FILE", "db": "ADDRESS",
}  # fmt: skip


def _value(name: str, value: str | None) -> str:
    return value if value is not None else _BLANKS.get(name, name.upper())


def _association(step: NextStep) -> list[str]:
    options = {name: value for name, value in step.arguments.items() if name in ("despite_serial", "reason")}
    pairs = [f"{name}={probe or '...'}" for name, probe in step.arguments.items() if name not in options]
    return ["associate", step.ref or "REF", *pairs, *_options(options)]


_WORDS: dict[str, _Words] = {
    "add-clustering": _on("add-clustering"),
    "add-service-account": lambda step: ["user", "add", _value("user", step.arguments.get("user")), "--service"],
    "amend": lambda step: [
        "amend", step.ref or "REF",
        *([_value("file", step.arguments["file"])] if "file" in step.arguments else []),
        *_options({name: value for name, value in step.arguments.items() if name != "file"}),
    ],
    "approve-request": _on("request", "approve"),
    "associate": _association,
    "cancel-request": _on("request", "cancel"),
    "create-archive": lambda step: ["archive", "create", step.arguments.get("directory") or "DIR"],
    "create-token": _taking("token", "create", places=("name",)),
    "diff": _taking("diff", places=("start", "end")),
    "enable-user": _taking("user", "enable", places=("user",)),
    "erase-person": _taking("person", "erase", places=("user",)),
    "grant-right": _taking("user", "allow", places=("user", "right", "of")),
    "grant-role": _taking("role", "grant", places=("user", "role")),
    "export-damaged": lambda step: ["export", "--damaged", _value("file", step.arguments["file"])],
    "history": _on("history"),
    "init": _plain("init"),
    "insert-probe": _taking("probe", "insert", places=("subject", "probe")),
    "load-catalogue": lambda step: ["catalogue", "load", _value("file", step.arguments.get("file"))],
    "invite-user": _taking("user", "invite", places=("user",)),
    "list-clusterings": _plain("clusterings"),
    "list-invitations": _plain("user", "invitations"),
    "list-requests": _plain("request", "list"),
    "list-roles": _plain("role", "list"),
    "list-sessions": _plain("sessions"),
    "list-subjects": _plain("subject", "list"),
    "list-tokens": _plain("token", "list"),
    "list-uploads": _plain("uploads"),
    "list-users": _plain("user", "list"),
    "list-values": _taking("catalogue", "list", places=("table",)),
    "log": _plain("log"),
    "make-checkpoint": _plain("checkpoint"),
    "make-witness-key": lambda _: ["checkpoint", "--new-witness-key", "FILE", "NAME"],
    "protect-file": lambda step: ["chmod", str(step.arguments["mode"]), str(step.arguments["file"])],
    "mend-insertion": _taking("probe", "mend", places=("subject", "probe")),
    "propose-value": _taking("catalogue", "propose", places=("reference", "value")),
    "prove-since": lambda _: ["prove", "--since", "CHECKPOINT", "-o", "FILE"],
    "rebuild": _plain("rebuild"),
    "register-subject": _taking("subject", "add", places=("subject",)),
    "reject-request": _on("request", "reject"),
    "remove-probe": _taking("probe", "remove", places=("subject", "probe")),
    "request-correction": lambda step: [
        "correct", _value("file", step.arguments.get("file")), "--apply", "--reason",
        _value("reason", step.arguments.get("reason")),
    ],
    "request-role": _taking("role", "request", places=("role",)),
    "request-deletion": lambda step: [
        "delete", "request", step.ref or "REF", "--reason", _value("reason", step.arguments["reason"])
    ],
    "reset-password": _taking("user", "reset-password", places=("user",)),
    "reset-second-factor": _taking("user", "reset-second-factor", places=("user",)),
    "restore": _on("restore"),
    "rename-subject": _taking("subject", "rename", places=("subject", "new_name")),
    "rename-value": _taking("catalogue", "rename", places=("table", "value", "new_value")),
    "restore-value": _taking("catalogue", "propose", places=("reference", "value")),
    "set-approval-policy": _taking("policy", "own-requests", places=("own_requests",)),
    "settle": _on("settle"),
    "show": _on("show"),
    "sign-in": _plain("auth", "login"),
    "show-request": _on("request", "show"),
    "take-back-insertion": _taking("probe", "take-back", places=("subject", "probe")),
    "upload": _taking("upload", places=("file",)),
    "verify": _plain("verify"),
    "why": _on("why"),
    "withdraw": _on("withdraw"),
    "work": lambda step: ["work", *([step.ref] if step.ref else []), *_options(step.arguments)],
}  # fmt: skip
_OF_THE_SYSTEM = ("protect-file",)
