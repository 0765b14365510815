"""What a verb that changes something prints with ``--json`` is its typed answer, and nothing else."""

from dataclasses import is_dataclass
from functools import reduce
from itertools import count
from operator import or_
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
from pydantic import TypeAdapter

from commands.answers.receipts import VERBS, result_types
from commands.cli.main import cli
from commands.cli.verbs import WritingVerb
from commands.door.actor import Actor, account
from commands.door.result import Result
from commands.door.submit import Daybook
from commands.intake.uploading import upload
from commands.recordings.roots import Roots
from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, write_input_file

NOT_REPEATABLE = {
    "archive check", "archive create", "backup check", "backup create", "backup list", "backup restore", "checkpoint", "export", "import", "init", "mail",
    "rebuild", "webhook list", "webhook retry", "webhook send", "webhook show",
}  # fmt: skip


def writing_verbs(group: click.Group, path: str = "") -> set[str]:
    context, found = click.Context(group), set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and command.hidden:  # an older spelling
            continue
        if isinstance(command, WritingVerb):
            found.add(f"{path}{name}")
        elif isinstance(command, click.Group):
            found |= writing_verbs(command, f"{path}{name} ")
    return found


def test_every_verb_that_writes_names_its_answer() -> None:
    assert writing_verbs(cli) == set(VERBS) - NOT_REPEATABLE


@pytest.mark.parametrize("verb", VERBS)
def test_the_answers_are_results_that_have_a_schema(verb: str) -> None:
    for kind in result_types(verb):
        assert is_dataclass(kind) and issubclass(kind, Result)
        schema = TypeAdapter(kind).json_schema()
        assert {"ok", "position"} <= schema["properties"].keys()


def without_secret(text: str) -> str:
    document = orjson.loads(text)
    document.pop("secret", None)
    return orjson.dumps(document).decode()


def typed(verb: str, text: str) -> Any:
    """The answer, read as its type; every field is there, and no other."""
    adapter: TypeAdapter[Any] = TypeAdapter(reduce(or_, result_types(verb)))
    answer = adapter.validate_json(text)
    assert orjson.loads(orjson.dumps(answer)) == orjson.loads(text)
    return answer


def test_verbs_answer_with_their_types_and_repeat_them(stocked: Run, sample: SampleLab, folder: Path) -> None:
    write_input_file(sample)
    said: dict[str, Any] = {}
    numbers = count()

    def play(verb: str, *arguments: str, exit_code: int = 0, user: str = "user_1") -> Any:
        words = [*verb.split(), *arguments, "--json", "--as", user]
        once = [] if verb in NOT_REPEATABLE else ["--command-id", f"id-{next(numbers)}"]
        ended = stocked(*words, *once)
        assert ended.exit == exit_code, (verb, ended.out, ended.err)
        said[verb] = typed(verb, without_secret(ended.out))
        if once and said[verb].ok:
            repeated = stocked(*words, *once).out
            assert "secret" not in orjson.loads(repeated)  # it is told once
            again = typed(verb, repeated)
            # what appends nothing has no receipt, and says that it is so already
            assert again == said[verb] or verb in {"person erase", "person set"}, verb
        return said[verb]

    play("catalogue load", "catalogue.yml")
    play("catalogue add", "reference.ExperimentRoom", "9.999")
    play("catalogue retire", "reference.ExperimentRoom", "9.999")
    play("role grant", "user_2", "admin")
    play("role grant", "user_3", "auditor")
    play("role revoke", "user_3", "auditor")
    play("person set", "user_1", "--name", "A Name")
    play("person erase", "user_1")
    play("subject add", "777")
    play("catalogue add", "reference.Probe", "npx_777")
    play("probe insert", "777", "npx_777", "--at", "2023-03-01 00:00:00")
    play("probe remove", "777", "npx_777", "--at", "2023-04-01 00:00:00")
    play("probe mend", "777", "npx_777", "--still-in", "--reason", "it was not removed")
    play("probe take-back", "777", "npx_777", "--reason", "wrong animal")
    play("subject rename", "777", "778", "--reason", "mistyped")
    play("subject take-back", "778", "--reason", "no such animal")
    play("catalogue propose", "reference.ExperimentRoom", "9.998")
    play("catalogue rename", "reference.ExperimentRoom", "9.998", "9.997", "--reason", "mistyped")
    play("catalogue take-back", "reference.ExperimentRoom", "9.997", "--reason", "no such room")
    play("validate", "subject_1.yml")
    upload = play("upload", "subject_1.yml")
    one, two = (entry.session for entry in upload.sessions[:2])
    play("replay", upload.upload)
    play("annotate", one, "--notes", "a note")
    text = (folder / "subject_1.yml").read_text()
    (folder / "more.yml").write_text(text.replace("[user_1, user_2]", "[user_1, user_2, user_3]"))
    play("amend", two, "more.yml")
    play("work")
    play("correct", "subject_1.yml")
    request = play("delete request", one, "--reason", "wrong").request
    play("request approve", request, user="user_2")
    play("restore", request)
    play("request cancel", play("delete request", two, "--reason", "wrong").request)
    request = play("delete request", two, "--reason", "wrong").request
    play("request reject", request, "--reason", "right", user="user_2")
    play("role request", "auditor", "--reason", "annual report", user="user_9")
    play("policy own-requests", "allow")
    play("policy second-factor", "auditor")
    play("user add", "rig_1", "--service")
    play("token revoke", play("token create", "laptop", user=account()).id, user=account())
    play("user allow", "rig_1", "work")
    play("user forbid", "rig_1", "work")
    play("user disable", "rig_1")
    play("user enable", "rig_1")
    play("user invite", "user_7", "--role", "researcher")
    play("user revoke-invitation", "user_7")
    play("redact", upload.upload[1:], "--reason", "asked for")
    play("checkpoint")
    play("rebuild")
    play("export", str(folder / "out.jsonl"))
    play("init")
    assert set(VERBS) - set(said) == {
        "add-clustering", "add-tasks", "associate", "import", "policy authenticated-only", "settle",
        "withdraw", "user reset-password", "user reset-second-factor",  # of somebody with a password: tests/accounts
        "archive check", "archive create",  # tests/analysis
        "backup check", "backup create", "backup list", "backup restore", "mail", "webhook add", "webhook list",
        "webhook remove", "webhook retry", "webhook send", "webhook show",  # tests/backup, tests/mail, tests/following
    }  # fmt: skip


def test_python_and_the_command_line_give_the_same_answer(
    stocked: Run, sample: SampleLab, ledger_url: str
) -> None:
    data = write_input_file(sample).read_bytes()
    ended = stocked("upload", "subject_1.yml", "--json", "--command-id", "once")

    daybook = Daybook.open(ledger_url, Actor("user_1"))
    try:
        again = upload(daybook, data, filename="subject_1.yml", roots=Roots.of({}), command_id="once")
    finally:
        daybook.close()

    assert again == typed("upload", ended.out)
