"""Play what people type, find what they are advised, and do it as it is advised."""

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands.cli.next_steps import argv
from ledger.errors import NextStep
from ledger.signing_keys import public_key_text, read_key
from tests.cli.conftest import Ended, run_cli

FILLED = {
    "reason": "because", "at": "2023-03-01 00:00:00", "start": "2023-05-01 10:00:00", "curator": "user_1",
    "file": "subject_1.yml", "probe": "npx_9", "value": "x", "new_value": "150_squares", "user": "user_9",
    "table": "reference.Probe", "subject": "12399", "role": "admin", "reference": "reference.Probe", "name": "x",
    "db": "other.db",
}  # fmt: skip
"""What a person writes where a command has a word in capitals."""

LOOKS = frozenset({
    "diff", "history", "list-clusterings", "list-invitations", "list-requests", "list-roles", "list-sessions",
    "list-subjects", "list-tokens", "list-uploads", "list-users", "list-values", "log", "show", "show-request", "verify",
    "why",
})  # fmt: skip
"""Actions that show something: they are no answer by themselves, and what they were advised for stays."""


@dataclass(frozen=True)
class Situation:
    """``before`` are commands, each by the user whose name it begins with; ``asks`` is the last of them, and is told
    ``advises``. ``by``: who does a step that is said to be somebody else's. ``fills`` is what a person puts where a
    step leaves something open. ``mended``: what is done before a step, because the sentence in front of it says so.
    ``stays`` are steps that are advised again afterwards, and why that is right; ``exits`` how a step ends that does
    not end well, because it tells of what is wrong."""

    asks: str
    advises: frozenset[str]
    place: str = "a_lab"
    before: tuple[str, ...] = ()
    by: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    mended: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stays: Mapping[str, str] = field(default_factory=dict)
    exits: Mapping[str, int] = field(default_factory=dict)

    @property
    def user(self) -> str:
        return self.asks.partition(":")[0]


def situation(asks: str, *advises: str, **options: Any) -> Situation:
    return Situation(asks, frozenset(advises), **options)


# --- what is typed --------------------------------------------------------------------------------------------------


def _ids(verb: str, name: str, *options: str) -> list[str]:
    """Oldest first."""
    found = [str(row[name]) for row in run_cli(verb, *options, "--json").json[verb]]
    return sorted(found, key=lambda ref: int(ref[1:]))


_REFS = {
    "first": lambda: _ids("sessions", "session")[0],
    "last": lambda: _ids("sessions", "session")[-1],
    "open": lambda: _ids("sessions", "session", "--status", "waiting")[0],
    "request": lambda: str(run_cli("request", "list", "--all", "--json").json["requests"][0]["request"]),
    "waiting": lambda: _ids("clusterings", "clustering", "--status", "waiting")[0],
    "clustering": lambda: _ids("clusterings", "clustering")[0],
    "upload": lambda: _ids("uploads", "upload")[-1],
    "position of the upload": lambda: _ids("uploads", "upload")[-1][1:],
    "the public key": lambda: public_key_text(read_key(Path("daybook.key"))),
}


_ON_DISK = {
    "hide": lambda path: path.rename(f"{path}.away"),
    "bring": lambda path: Path(f"{path}.away").rename(path),
    "open": lambda path: path.chmod(0o644),
}


def play(line: str, *options: str) -> Ended:
    """``user_3: upload subject_1.yml``; ``edit: FILE: OLD -> NEW``, ``hide: FILE`` and the like change the disk instead;
    before the user ``rejected`` or ``accepted`` says how an upload ends that does not end well."""
    user, _, words = line.partition(": ")
    if user == "edit":
        name, _, change = words.partition(": ")
        before, after = change.split(" -> ")
        [path] = Path().glob(name)
        text = path.read_text(encoding="utf-8")
        assert before in text, line
        path.write_text(text.replace(before, after), encoding="utf-8")
        return Ended(0, "", "")
    if user in _ON_DISK:
        _ON_DISK[user](Path(words))
        return Ended(0, "", "")
    if user in ("rejected", "accepted"):
        ended = play(words)
        assert ended.exit == {"rejected": 1, "accepted": 3}[user], ended.shown
        return Ended(0, "", "")
    return run_cli(*shlex.split(put_in(words)), *options, user=user)


def put_in(words: str) -> str:
    """With the ids that ``{first}`` and the like stand for by now."""
    return words.format(**{name: find() for name, find in _REFS.items() if f"{{{name}}}" in words})


def steps_in(document: Any) -> list[NextStep]:
    """Each once, in the order in which they are told."""
    found = list(_steps(document))
    return [step for at, step in enumerate(found) if step not in found[:at]]


def _steps(document: Any) -> Iterator[NextStep]:
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "next_steps":
                yield from (NextStep(**step) for step in value)
            else:
                yield from _steps(value)
    elif isinstance(document, list):
        for each in document:
            yield from _steps(each)


# --- what is done ---------------------------------------------------------------------------------------------------


def done(here: Situation, step: NextStep) -> Ended:
    """The step as a person does it: by whom it is for, with what is open filled in."""
    for line in here.mended.get(step.action, ()):
        assert play(line).exit == 0, line
    given = {
        name: {**FILLED, **here.fills}.get(name, "x") if value is None else value
        for name, value in step.arguments.items()
    }
    program, *words = argv(NextStep(step.action, step.ref or None, given))
    words = [here.fills.get(word, word) if word.isupper() else word for word in words]
    if program != "daybook":
        ran = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        return Ended(ran.returncode, ran.stdout, ran.stderr, ran.stdout + ran.stderr)
    ended = run_cli(*words, "--json", user=here.by.get(step.action, here.user))
    return Ended(ended.exit, ended.out, ended.err, f"{shlex.join(words)}\n{ended.shown}")
