"""Every verb of the command line, for an auditor: what writes ends with exit code 4, what reads works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from commands.cli.main import cli
from commands.samples.lab import SampleLab
from ledger.verify import verify
from tests.cli.conftest import Run, run_cli, write_input_file
from tests.conftest import ROOT
from tests.patience import PATIENCE_S

AUDITOR = "user_3"

# {u} an upload, {s} a session of it that is inserted, {d} a request, {executed} a deletion, all of them user_1's.
# Who may not is told so before a file is found wrong or a record missing.
WRITING = """
catalogue add reference.Probe npx_9
catalogue retire reference.Probe npx_9
catalogue propose reference.Probe npx_9
catalogue rename reference.Probe npx_9 npx_8 --reason x
catalogue take-back reference.Probe npx_9 --reason x
catalogue load catalogue.yml
catalogue load broken.yml
subject add 99999
probe insert 12345 npx_9 --at 2023-03-01
probe remove 12345 npx_9 --at 2023-03-01
probe mend 12345 npx_9 --still-in --reason x
probe take-back 12345 npx_9 --reason x
subject rename 12345 12354 --reason x
subject take-back 12345 --reason x
upload subject_1.yml
upload broken.yml
work
associate {s} imec0=npx_9
settle {s} --as-crashed --reason x
add-tasks {s} tasks.yml
add-tasks {s} broken.yml
add-clustering {s} --location N:/x --curator user_1
annotate {s} --notes x
amend {s} subject_1.yml
withdraw {s}
withdraw s999
delete request {s} --reason x
delete request {u} --reason x
request approve {d}
request approve d999
request reject {d} --reason x
request cancel {d}
policy own-requests allow
policy authenticated-only
user add rig_9 --service
user invite user_9
user revoke-invitation user_2
user reset-password user_2
user reset-second-factor user_2
policy second-factor admin
user allow rig_9 work
user forbid rig_9 work
user disable user_2
user enable user_2
token create x --for rig_9
token revoke k7m2q9x4wd
restore {executed}
restore d999
correct subject_1.yml --apply --reason x
replay {u}
replay u999
redact 2 --reason x
role grant user_3 admin
role revoke user_1 admin
person set user_2 --name x
person erase user_2
"""

# Nobody is refused these, as nothing comes of them before an admin says so.
FOR_EVERYBODY = """
person set user_3 --name x
role request researcher --reason x
"""

READING = """
catalogue list
subject list
validate first.yml
sessions
clusterings
uploads
show {u}
show {s}
why {s}
jobs
status
cat {u}
request list
request show {d}
policy list
user list
user invitations
token list
correct subject_1.yml
diff 1 20
what-if --without {u}
trace {s}
history {s}
blame {s}
log
tail --once
audit
verify
prove {s}
bundle bundle.json
export log.jsonl
role list
person list
"""

# They are about no record: a lab of its own, files and nothing else, the tables behind the lists, whoever has the key, a server, who one is there.
APART = """
doctor
watch inbox
incident list
incident show 3f2a
demo
help upload
config show
config init other.toml
init
template
schema
compose .
rebuild
checkpoint
serve
auth accept CODE
auth login
auth logout
auth status
import log.jsonl
archive create archive
archive check archive
query SELECT
backup create backups
backup list backups
backup check backup
backup restore backup
webhook add https://example.org
webhook list
webhook show k7m2q9x4wd
webhook remove k7m2q9x4wd
webhook retry k7m2q9x4wd
webhook send
mail
"""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


# what reads and yet needs more than the lists and the log
NOT_LIGHT = {
    "validate first.yml": "it reads an input file, and records that it was checked",
    "correct subject_1.yml": "it reads an input file, and plans the events of a correction",
    "what-if --without {u}": "it makes events that never were, and reads stored files anew",
    "blame {s}": "it shows the lines of the stored file that a record's values stand on",
    "trace {s}": "it shows the lines of the stored file that a record came from",
    "verify": "it holds every event against its model",
    "prove {s}": "it signs",
    "bundle bundle.json": "it signs",
    "export log.jsonl": "it verifies what it writes",
}
_HEAVY = (
    "pydantic",
    "yaml",
    "alembic",
    "cryptography",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
)
_LOADED_BY_THEM = """
import json, sys
from commands.cli.main import cli
heavy, database, *lines = json.loads(sys.argv[1])
known = set()
for line in lines:
    try:
        cli.main(["--db", database, *line.split()])
    except SystemExit as ended:
        loaded = [name for name in heavy if name in sys.modules and name not in known]
        print("#", ended.code, line, *loaded, sep="\t", flush=True)
        known.update(loaded)
"""


def verbs(command: click.Command, name: str = "") -> Iterator[str]:
    """What is hidden is an older spelling of another one."""
    if command.hidden:
        return
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for verb in command.list_commands(context):
        found = command.get_command(context, verb)
        assert found is not None
        yield from verbs(found, f"{name} {verb}".strip())


def test_every_verb_is_known_to_write_or_to_read() -> None:
    said = lines(WRITING + FOR_EVERYBODY + READING + APART)

    unsaid = [verb for verb in verbs(cli) if not any(f"{line} ".startswith(f"{verb} ") for line in said)]

    assert unsaid == []


def test_the_page_about_roles_names_every_verb_that_writes() -> None:
    page = (ROOT / "docs" / "roles.md").read_text()
    names = {
        verb
        for verb in verbs(cli)
        if any(f"{line} ".startswith(f"{verb} ") for line in lines(WRITING + FOR_EVERYBODY))
    }

    assert [name for name in names if f"`{name}" not in page] == []


@pytest.fixture
def ids(stocked: Run, sample: SampleLab) -> dict[str, str]:
    """What WRITING and READING name, on a ledger with an auditor."""
    write_input_file(sample, sessions=1).rename(sample.directory / "first.yml")
    write_input_file(sample)
    for name, text in (("broken.yml", "subject: ["), ("tasks.yml", "- {task_type: OpenField}")):
        (sample.directory / name).write_text(text)
    uploaded = stocked("upload", "subject_1.yml", "--json").json
    sessions = [entry["session"] for entry in uploaded["sessions"]]
    assert stocked("policy", "own-requests", "allow").exit == 0
    executed = stocked("delete", "request", sessions[0], "--reason", "x", "--json").json["request"]
    assert stocked("request", "approve", executed).exit == 0
    request = stocked("delete", "request", sessions[1], "--reason", "x", "--json").json["request"]
    assert stocked("policy", "own-requests", "refuse").exit == 0
    assert stocked("role", "grant", AUDITOR, "auditor").exit == 0
    return {"u": uploaded["upload"], "s": sessions[2], "d": request, "executed": executed}


def size(run: Run) -> int:
    return len(run("log", "--limit", "0", "--json").json["events"])


def test_an_auditor_is_refused_by_whatever_writes_and_by_nothing_that_reads(
    stocked: Run, ids: dict[str, str], ledger_url: str
) -> None:
    before = size(stocked)

    ends = {line: stocked(*line.format(**ids).split(), user=AUDITOR) for line in lines(WRITING)}

    assert {line: ended.exit for line, ended in ends.items()} == dict.fromkeys(ends, 4)
    assert all(ended.out == "" and ended.err.count("\n") == 1 for ended in ends.values())
    assert all(f"{AUDITOR} may not " in ended.err for ended in ends.values())
    events = stocked("log", "--limit", "0", "--json").json["events"][before:]
    assert [event["type"] for event in events] == ["ActionRefused"] * len(ends)

    before = size(stocked)

    ends = {line: stocked(*line.format(**ids).split(), user=AUDITOR) for line in lines(READING)}

    assert {line: ended.exit for line, ended in ends.items()} == dict.fromkeys(ends, 0)
    assert size(stocked) == before
    assert verify(ledger_url).problems == []


def test_what_an_auditor_is_refused_is_one_json_document_too(stocked: Run) -> None:
    assert stocked("role", "grant", AUDITOR, "auditor").exit == 0

    ended = stocked("catalogue", "add", "reference.Probe", "npx_9", "--json", user=AUDITOR)

    assert ended.exit == 4
    assert ended.json["error"]["code"] == "not-permitted"
    assert "user_1 can grant it" in ended.json["error"]["hint"]


def test_verbs_of_the_table_have_a_help(folder: object) -> None:
    assert all(run_cli(*verb.split(), "--help").exit == 0 for verb in verbs(cli))


def test_no_verb_that_only_reads_loads_what_only_writers_need(
    stocked: Run, ids: dict[str, str], ledger_url: str
) -> None:
    assert set(NOT_LIGHT) <= set(lines(READING))
    light = [line.format(**ids) for line in lines(READING) if line not in NOT_LIGHT]
    heavy = [*_HEAVY, *(["sqlalchemy"] if ledger_url.startswith("sqlite") else [])]

    done = subprocess.run(
        [sys.executable, "-c", _LOADED_BY_THEM, json.dumps([heavy, ledger_url, *light])],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip

    loaded = [line.split("\t")[1:] for line in done.stdout.splitlines() if line.startswith("#\t")]
    assert loaded == [["0", line] for line in light]
