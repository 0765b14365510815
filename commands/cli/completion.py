"""What a shell offers at TAB: files, ids, subjects, users, tables and values. Imports neither click nor SQLAlchemy.

Names of verbs and of options are left to click, which knows them. A SQLite ledger is asked directly; what a server
says is kept for a minute. Where anything goes wrong, it offers nothing and says nothing.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

MOST = 60
FILE, DIRECTORY, CLICK, TEXT = "file", "dir", "(by click)", "(text)"

VERBS: dict[str, tuple[str, ...]] = {
    "amend": ("session", FILE), "catalogue propose": ("table", TEXT), "catalogue rename": ("table", "value", TEXT),
    "catalogue take-back": ("table", "value"), "probe mend": ("subject", "probe"),
    "archive check": (DIRECTORY,), "archive create": (DIRECTORY,),
    "probe take-back": ("subject", "probe"), "subject take-back": ("subject",), "subject rename": ("subject", TEXT),
    "auth accept": (TEXT,), "backup check": (DIRECTORY,), "backup create": (DIRECTORY,), "backup list": (DIRECTORY,),
    "backup restore": (DIRECTORY,), "add-clustering": ("session",),
    "add-tasks": ("session", FILE), "annotate": ("session",),
    "associate": ("session", TEXT), "blame": ("record",),
    "bundle": (FILE, "record"), "cat": ("upload",), "catalogue add": ("table", TEXT),
    "catalogue list": ("table",), "catalogue load": (FILE,), "catalogue retire": ("table", "value"),
    "compose": (DIRECTORY,), "config init": (FILE,), "correct": (FILE,), "delete request": ("record",),
    "diff": (TEXT, TEXT), "export": (FILE,), "help": (CLICK,), "history": ("record",), "import": (FILE,),
    "incident show": (TEXT,),
    "person erase": ("user",), "person set": ("user",), "policy authenticated-only": ("on-off",),
    "policy second-factor": ("role", "on-off"),
    "policy own-requests": ("allow-refuse",), "probe insert": ("subject", "probe"),
    "probe remove": ("subject", "probe"), "prove": ("record",), "query": (TEXT,), "redact": (TEXT,),
    "replay": ("upload",),
    "request approve": ("open-request",), "request cancel": ("open-request",), "request reject": ("open-request",),
    "request show": ("request",), "restore": ("request",), "role grant": ("user", "role"),
    "role request": ("role",), "role revoke": ("user", "role"),
    "settle": ("open-record",), "show": ("record",), "subject add": (TEXT,),
    "token create": (TEXT,), "token revoke": (TEXT,), "trace": ("record",), "upload": (FILE,), "user add": ("user",),
    "user allow": ("user", "right", "user"), "user forbid": ("user", "right", "user"),
    "user disable": ("user",), "user enable": ("user",), "user invite": ("user",),
    "user revoke-invitation": ("user",),
    "user reset-password": ("user",), "user reset-second-factor": ("user",), "validate": (FILE,), "watch": (DIRECTORY,),
    "webhook add": (TEXT,), "webhook remove": (TEXT,), "webhook retry": (TEXT,), "webhook show": (TEXT,),
    "why": ("open-record",), "withdraw": ("open-record",), "work": ("open-record",),
}  # fmt: skip
"""What the arguments of a verb are; the last of them may be repeated. A verb that is missing has none."""

GROUPS = (
    "archive", "auth", "backup", "catalogue", "config", "delete", "incident", "person", "policy", "probe", "request",
    "role", "subject", "token", "user", "webhook",
)  # fmt: skip

OPTIONS: dict[str, str] = {
    "--actor": "user", "--after": TEXT, "--archive": DIRECTORY, "--as": "user", "--as-of": TEXT, "--at": TEXT,
    "--attribute": TEXT,
    "--before": TEXT, "--behind-proxy": TEXT, "--bundle": FILE, "--by": CLICK, "--checkpoint": FILE, "--code": TEXT,
    "--authentication": CLICK, "--command-id": TEXT, "--concurrency": TEXT, "--config": FILE, "--cosign": FILE,
    "--curation-time": TEXT,
    "--curator": "value:reference.Experimenter", "--cursor": FILE,
    "--db": FILE, "--email": TEXT, "--events": TEXT, "--expires": TEXT, "--folder": DIRECTORY, "--folders": DIRECTORY,
    "--for": "user", "--give-up": TEXT,
    "--format": CLICK, "--from": TEXT, "--host": TEXT, "--inserted": TEXT, "--removed": TEXT,
    "--interval": TEXT, "--keep": DIRECTORY, "--key": FILE, "--lab": DIRECTORY, "--lease": TEXT,
    "--limit": TEXT, "--location": DIRECTORY, "--log-key": FILE, "--log-level": CLICK, "--missing": CLICK,
    "--name": TEXT, "--new-witness-key": FILE, "--notes": TEXT, "-o": FILE,
    "--on-behalf-of": "user", "--output": FILE, "--own-requests": CLICK,
    "--owner": "user", "--port": TEXT, "--probe": "probe", "--project": "value:acquisition.Project", "--proof": FILE,
    "--reason": TEXT, "--receipt": FILE, "--role": CLICK, "--room": "value:reference.ExperimentRoom", "--scope": CLICK,
    "--server": TEXT,
    "--since": TEXT, "--start": TEXT, "--status": CLICK, "--subject": "subject", "--task": "value:behavior.TaskType",
    "--text": TEXT, "--tls-cert": FILE, "--tls-key": FILE, "--trust": FILE, "--type": "type",
    "--unchanged": TEXT, "--until": TEXT,
    "--user": "user", "--without": "record",
}  # fmt: skip
"""What stands behind an option that takes a value."""

_WORDS = {
    "right": ("on-behalf-of", "work"),
    "role": ("admin", "auditor", "researcher"),
    "on-off": ("off", "on"),
    "allow-refuse": ("allow", "refuse"),
}

Ask = Callable[[str, Sequence[object]], list[tuple[object, ...]]]


def complete() -> bool:
    """Answer the shell; False where click has to."""
    shell, _, what = os.environ.get("_DAYBOOK_COMPLETE", "").partition("_")
    if what != "complete" or shell not in ("bash", "zsh", "fish"):
        return False
    try:
        words, begun = _typed(shell)
        kind = kind_of(words, begun)
        if kind == CLICK:
            return False
        offered = list(_offered(kind, words, begun))
    except Exception:  # noqa: BLE001 - a shell in the middle of a line is no place for an error
        return True
    sys.stdout.write("".join(_line(shell, type_, value) for type_, value in offered))
    return True


def _typed(shell: str) -> tuple[list[str], str]:
    """The whole words after the command, and the one that is being typed."""
    import shlex

    lexer = shlex.shlex(os.environ["COMP_WORDS"], posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # a quotation that is still open
        words.append(lexer.token)
    if shell == "fish":
        begun, words = os.environ["COMP_CWORD"], words[1:]
        return (words[:-1] if begun and words and words[-1] == begun else words), begun
    at = int(os.environ["COMP_CWORD"])
    return words[1:at], words[at] if at < len(words) else ""


def kind_of(words: Sequence[str], begun: str) -> str:
    """What is being typed after these words."""
    if begun.startswith("-"):
        return CLICK
    if words and words[-1] in OPTIONS:
        return OPTIONS[words[-1]]
    plain = list(_plain(words))
    verb = " ".join(plain[:2]) if plain and plain[0] in GROUPS else " ".join(plain[:1])
    length = 2 if plain and plain[0] in GROUPS else 1
    if len(plain) < length:
        return CLICK
    arguments = VERBS.get(verb, ())
    return arguments[min(len(plain) - length, len(arguments) - 1)] if arguments else CLICK


def _plain(words: Sequence[str]) -> Iterator[str]:
    """The words that are neither options nor their values."""
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-") and word != "-":
            is_value = word in OPTIONS
        else:
            yield word


def _option(words: Sequence[str], name: str) -> str | None:
    found = None
    for word, value in pairwise(words):
        if word == name:
            found = value
    return found


def _line(shell: str, type_: str, value: str) -> str:
    if shell == "zsh":
        return f"{type_}\n{value}\n_\n"
    return f"{type_},{value}\n"


def _offered(kind: str, words: Sequence[str], begun: str) -> Iterator[tuple[str, str]]:
    if kind in (FILE, DIRECTORY):
        yield kind, begun
        return
    if kind == TEXT:
        return
    if kind in _WORDS:
        found = list(_WORDS[kind])
    elif kind == "table":
        from commands.cli.completion_values import TABLES

        found = list(TABLES)
    else:
        from commands.cli.completion_values import values_of

        plain = list(_plain(words))
        table = kind.partition(":")[2] or (plain[2] if kind == "value" and len(plain) > 2 else "")
        found = values_of(
            kind.partition(":")[0],
            begun,
            table,
            _option(words, "--db"),
            _option(words, "--server"),
            _option(words, "--config"),
        )
    offered = 0
    for value in found:
        if value.startswith(begun) and value.isprintable() and offered < MOST:
            offered += 1
            yield "plain", value
