"""What a refusal and a `why` advise is done as it is advised: it is accepted, or leads on. Nothing is advised that is refused
for what it was advised for, that nobody may do who reads it, or that no shell takes.
"""

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands.cli.next_steps import argv
from commands.samples.lab import SampleLab
from ledger.errors import NextStep
from tests.cli.conftest import Ended, Run, run_cli, write_input_file

FILLED = {
    "reason": "because", "at": "2023-03-01 00:00:00", "start": "2023-05-01 10:00:00", "curator": "user_1",
    "file": "subject_1.yml", "location": "N:/12345/2023-05-01_10-00-00", "probe": "npx_9", "value": "x",
    "new_value": "150_squares", "user": "user_9", "table": "reference.Probe", "subject": "12399", "role": "admin",
    "reference": "reference.Probe", "name": "x", "db": "daybook.db",
}  # fmt: skip
_BY_ANOTHER = {"approve-request": "user_2", "reject-request": "user_2", "restore": "user_2"}
"""What somebody else has to do; all the rest is done by who is advised."""


@dataclass(frozen=True)
class Situation:
    """``before`` are commands, each as user_3 unless it begins with another name; ``asks`` is the last of them."""

    asks: str
    before: tuple[str, ...] = ()
    advises: frozenset[str] = field(default_factory=frozenset)


def situation(asks: str, *advises: str, before: tuple[str, ...] = ()) -> Any:
    return pytest.param(Situation(asks, before, frozenset(advises)), id=asks)


UP = "user_3: upload subject_1.yml"
ASKED = (UP, "user_3: delete request {first} --reason x")
CHANGED = 'edit: "2.345" -> "2.999"'
SITUATIONS = [
    situation("user_3: why s999", "list-sessions"),
    situation("user_3: request show d999", "list-requests"),
    situation("user_3: why c999", "list-clusterings"),
    situation("user_3: cat u999", "list-uploads"),
    situation("user_3: replay u999", "list-uploads"),
    situation("user_1: redact 999 --reason x", "log"),
    situation("user_3: what-if --without s999", "log"),
    situation("user_3: withdraw {first}", "request-deletion", before=(UP,)),
    situation("user_3: settle {first} --despite-dates --reason x", "why", before=(UP,)),
    situation("user_3: associate {first} probe_1=npx", "amend", before=(UP,)),
    situation("user_3: add-tasks {first} subject_1.yml", "amend", before=(UP,)),
    situation("user_3: annotate {first} --room 2.345", "amend", "request-correction", before=(UP,)),
    situation("user_3: amend {first} --from-disk", "show", before=(UP,)),
    situation("user_3: amend {first} subject_1.yml", "show", before=(UP,)),
    situation("user_4: amend {first} --from-disk", "request-role", before=(UP,)),
    situation("user_4: delete request {first} --reason x", "request-role", before=(UP,)),
    situation("user_3: delete request {first} --reason x", "show-request", before=ASKED),
    situation("user_3: request approve {request}", "request-role", before=ASKED),
    situation("user_1: restore {request}", "show-request", before=ASKED),
    situation(
        "user_3: why {request}", "show-request", "approve-request", "reject-request", "cancel-request", before=ASKED
    ),
    situation(
        "user_3: why {first}", "show-request", "restore", before=(*ASKED, "user_2: request approve {request}")
    ),
    situation("user_4: why {first}", "why", "work", before=("user_4: upload subject_1.yml",)),
    situation(
        "user_4: why {waiting}", "add-clustering", "propose-value", "work", before=("user_4: upload subject_1.yml",)
    ),
    situation("user_3: catalogue load catalogue.yml", "request-role"),
    situation("user_3: role request admin --reason x", "show-request", before=("user_3: role request admin --reason x",)),
    situation("user_1: catalogue retire reference.Probe npx_99", "list-values"),
    situation(
        "user_1: catalogue take-back reference.Probe npx_1_18408400000 --reason x",
        "rename-value", "take-back-insertion", before=(UP,),
    ),
    situation("user_3: validate subject_1.yml", "propose-value", before=("edit: 150_square -> 200_circle",)),
    situation(
        "user_3: validate subject_1.yml  ", "restore-value",
        before=("user_1: catalogue retire reference.ExperimentRoom 2.345",),
    ),
    situation('user_3: validate subject_1.yml ', "register-subject", before=('edit: "12345" -> "12399"',)),
    situation("user_3: probe insert 12399 npx_9 --at 2023-01-01", "register-subject"),
    situation("user_3: probe insert 12345 npx_99 --at 2023-01-01", "propose-value"),
    situation("user_3: probe remove 12345 npx_99 --at 2023-01-01", "list-subjects"),
    situation("user_1: user enable user_99", "list-users"),
    situation("user_1: token create x --for user_99", "add-service-account"),
    situation("user_3: amend {first} subject_1.yml ", "request-correction", before=(UP, CHANGED)),
]  # fmt: skip
_LEADS_ON = {"nothing-to-add", "unknown-value"}
"""What a command that is advised with FILE may say where the file was not mended first: it names the way itself."""


def first_session() -> str:
    rows = run_cli("sessions", "--json").json["sessions"]
    return str(min(rows, key=lambda row: int(row["session"][1:]))["session"])


def open_request() -> str:
    [row] = run_cli("request", "list", "--json").json["requests"]
    return str(row["request"])


def waiting_clustering() -> str:
    rows = run_cli("clusterings", "--status", "waiting", "--json").json["clusterings"]
    return str(rows[0]["clustering"])


_REFS = {"first": first_session, "request": open_request, "waiting": waiting_clustering}


def play(line: str, *options: str) -> Ended:
    user, _, words = line.partition(": ")
    if user == "edit":
        path, (before, after) = Path("subject_1.yml"), words.split(" -> ")
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))
        return Ended(0, "", "")
    refs = {name: find() for name, find in _REFS.items() if f"{{{name}}}" in words}
    return run_cli(*shlex.split(words.format(**refs)), *options, user=user)


def steps_in(document: Any) -> Iterator[NextStep]:
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "next_steps":
                yield from (NextStep(**step) for step in value)
            else:
                yield from steps_in(value)
    elif isinstance(document, list):
        for each in document:
            yield from steps_in(each)


def filled(step: NextStep) -> NextStep:
    given = {
        name: FILLED.get(name, "x") if value is None else value for name, value in step.arguments.items()
    }
    return NextStep(step.action, step.ref or None, given)


@pytest.fixture
def told(run_here: Run, sample: SampleLab) -> None:
    """A ledger that knows the lab; user_1 and user_2 are admins, user_3 uploads, user_4 is new."""
    for words in (("catalogue", "load", "catalogue.yml"), ("role", "grant", "user_2", "admin")):
        assert run_here(*words).exit == 0
    write_input_file(sample, sessions=2)


@pytest.mark.parametrize("here", SITUATIONS)
def test_what_is_advised_is_accepted_or_leads_on(
    here: Situation, told: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in here.before:
        assert play(line).exit == 0, line
    asked = play(here.asks, "--json").json
    steps = list(dict.fromkeys(map(repr, steps_in(asked)))), {repr(step): step for step in steps_in(asked)}
    assert {step.action for step in steps[1].values()} == here.advises

    for at, text in enumerate(steps[0]):
        step = filled(steps[1][text])
        copy = folder.parent / f"{folder.name}_{at}"
        shutil.copytree(folder, copy)  # each is tried where it was advised
        monkeypatch.chdir(copy)
        program, *words = argv(step)
        ended = run_cli(*words, "--json", user=_BY_ANOTHER.get(step.action, here.asks.partition(":")[0]))
        monkeypatch.chdir(folder)

        assert program == "daybook"
        said = ended.json
        codes = {(said.get("error") or {}).get("code"), *(f.get("code") for f in said.get("findings", ()))}
        assert ended.exit == 0 or codes & _LEADS_ON, (words, ended.shown)
        assert ended.exit == 0 or codes.isdisjoint({(asked.get("error") or {}).get("code", "-")}), words
