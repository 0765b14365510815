"""Where one stands: ``status``, ``cat`` and ``config``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.answers.status import status
from commands.cli import configuring
from commands.cli.standing import age
from commands.door import reading_settings
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, run_cli, write_input_file

pytestmark = pytest.mark.both_ways

# --- status ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_things(stocked: Run, sample: SampleLab) -> Run:
    """A session that waits, one that failed, and a request of user_2's that user_1 may decide on."""
    first, second = (session.directory for session in sample.subjects[0].sessions[:2])
    (first / "sessions.txt").unlink()
    text = (second / "sessions.txt").read_text()
    (second / "sessions.txt").write_text(text.splitlines()[0])
    write_input_file(sample)
    uploaded = stocked("upload", "subject_1.yml", "--json").json
    assert [entry["outcome"] for entry in uploaded["sessions"]] == ["waiting", "error", "inserted"]
    assert stocked("role", "grant", "user_2", "admin").exit == 0
    inserted = uploaded["sessions"][2]["session"]
    assert stocked("delete", "request", inserted, "--reason", "x", user="user_2").exit == 0
    return stocked


def test_status_says_who_and_where_one_is_and_what_is_open(open_things: Run) -> None:
    found = open_things("status", "--json").json

    assert (found["user"], found["role"], found["of"]) == ("user_1", "admin", None)
    assert [one["status"] for one in found["waiting"]] == ["waiting"]
    assert [one["status"] for one in found["failed"]] == ["error"]
    assert (found["waiting_count"], found["failed_count"], found["decisions_count"]) == (1, 1, 1)
    assert found["decisions"][0]["requested_by"] == "user_2"
    assert found["checkpoint"] is None

    said = open_things("status").out
    assert "You       user_1, role admin" in said
    assert f"daybook why {found['waiting'][0]['ref']}" in said
    assert "no checkpoint yet: daybook checkpoint -o FILE" in said
    assert "Open for your decision: 1" in said


def test_a_failure_whose_entry_succeeded_since_is_none(open_things: Run, sample: SampleLab) -> None:
    second = sample.subjects[0].sessions[1].directory
    whole = sample.subjects[0].sessions[2].directory / "sessions.txt"
    (second / "sessions.txt").write_bytes(whole.read_bytes())

    assert open_things("upload", "subject_1.yml").exit == 0

    assert open_things("status", "--json").json["failed"] == []


def test_status_of_a_user_tells_of_his_records_alone(open_things: Run) -> None:
    found = open_things("status", "--user", "user_2", "--json").json

    assert (found["of"], found["waiting"], found["failed"]) == ("user_2", [], [])
    assert "Nothing of user_2 waits." in open_things("status", "--user", "user_2").out


def test_nobody_is_asked_to_decide_what_he_may_not(open_things: Run) -> None:
    assert open_things("status", "--json", user="user_3").json["decisions"] == []
    assert open_things("status", "--json", user="user_2").json["decisions"] == []


def test_what_one_has_asked_for_is_told_until_it_is_decided(open_things: Run) -> None:
    asked = open_things(
        "catalogue", "propose", "reference.ArenaObject", "object_9", "--json", user="user_3"
    ).json

    found = open_things("status", "--json", user="user_3").json
    assert [one["request"] for one in found["asked"]] == [asked["request"]] and found["asked_count"] == 1
    assert "Asked for by you, and not decided yet: 1" in open_things("status", user="user_3").out
    assert open_things("request", "approve", asked["request"]).exit == 0
    assert open_things("status", "--json", user="user_3").json["asked_count"] == 0


def test_what_waits_for_more_than_a_week_is_counted_and_stands_first(
    open_things: Run, ledger_url: str
) -> None:
    later = datetime.now(UTC) + timedelta(days=8)
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    with daybook.reading() as world:
        now, then = (status(world, now=at) for at in (datetime.now(UTC), later))
    daybook.close()

    assert (now.waiting_long, then.waiting_long) == (0, 1)
    assert [one.long for one in then.waiting] == [True]


def test_status_takes_a_handful_of_queries(open_things: Run, ledger_url: str) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    asked = []
    with daybook.reading() as world:
        run = world.transaction.run
        world.transaction.run = lambda sql, values=(): (asked.append(sql), run(sql, values))[1]  # type: ignore[method-assign]
        status(world, now=datetime.now(UTC))
    daybook.close()

    assert len(asked) <= 12


@pytest.mark.beside_the_ledger
def test_status_names_the_last_checkpoint_and_its_age(stocked: Run) -> None:
    assert stocked("checkpoint", "-o", "now.checkpoint").exit == 0
    assert stocked("subject", "add", "99999").exit == 0

    assert stocked("status", "--json").json["checkpoint"]["since"] == 1
    assert "1 event since" in stocked("status").out


@pytest.mark.parametrize(
    ("ago", "said"),
    [(timedelta(seconds=5), "a moment"), (timedelta(minutes=1), "1 minute"), (timedelta(hours=30), "1 day"),
     (timedelta(days=12), "12 days"), (timedelta(hours=-3), "a moment")],
)  # fmt: skip
def test_an_age_has_one_unit(ago: timedelta, said: str) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    assert age((now - ago).isoformat(), now) == said


# --- cat ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"subject: {name: nobody}\r\n# \xc3\xa9\n", b"\xff\xfe\0no text", b""])
def test_a_file_comes_back_byte_for_byte(run: Run, folder: Path, data: bytes) -> None:
    (folder / "f.yml").write_bytes(data)
    upload = run("upload", "f.yml", "--json").json["upload"]

    assert run("cat", upload, "-o", "back.yml").exit == 0
    assert (folder / "back.yml").read_bytes() == data
    document = run("cat", upload, "--json").json
    assert document["size_bytes"] == len(data)
    assert (document["encoding"] == "utf-8") is (b"\xff" not in data)
    assert run("cat", upload, "-o", "back.yml").exit == 2


def test_a_file_is_printed_as_it_is_and_on_a_terminal_without_what_steers_it(
    run_here: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "f.yml").write_bytes(b"a: \x1b[31m\tb\n")
    upload = run_here("upload", "f.yml", "--json").json["upload"]

    assert run_here("cat", upload).out == "a: \x1b[31m\tb\n"
    monkeypatch.setattr("commands.cli.output.is_terminal", lambda: True)
    assert run_here("cat", upload).out == "a: \\x1b[31m\tb\n"


def test_only_an_upload_has_a_file(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, sessions=1)
    session = stocked("upload", "subject_1.yml", "--json").json["sessions"][0]["session"]

    ended = stocked("cat", session)

    assert ended.exit == 1
    assert (
        f"{session} is a session, not an upload. See which upload it came with: daybook show {session}"
        in ended.err
    )


def test_bytes_that_a_redaction_removed_are_said_to_be_gone(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, sessions=1)
    upload = stocked("upload", "subject_1.yml", "--json").json["upload"]
    assert stocked("role", "grant", "user_2", "admin").exit == 0
    request = stocked("redact", upload[1:], "--reason", "a name", "--json").json["request"]
    assert stocked("request", "approve", request, user="user_2").exit == 0

    ended = stocked("cat", upload)

    assert ended.exit == 1
    assert "removed with a redaction" in ended.err


# --- config ---------------------------------------------------------------------------------------------------------


def rows(*arguments: str) -> dict[str, tuple[object, str]]:
    return {row["setting"]: (row["value"], row["source"]) for row in run_cli(*arguments).json["settings"]}


def test_config_says_of_each_setting_where_it_came_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "daybook.toml"
    file.write_text('contact = "lab@example.org"\nlist_limit = 7\n[roots]\n"N:" = ["/mnt/N"]\n')
    monkeypatch.setenv("DAYBOOK_DB", "postgresql://user_1:secret@host/lab")

    found = rows("--log-level", "info", "config", "--json")

    assert found["contact"] == ("lab@example.org", str(file))
    assert found["list_limit"] == (7, str(file))
    assert found["roots.N:"] == (["/mnt/N"], str(file))
    assert found["db"] == ("postgresql://host/lab", "DAYBOOK_DB")
    assert found["log_level"] == ("info", "--log-level")
    assert found["timezone"] == (None, "default")
    assert found["user"] == ("user_1", "--as")
    assert found["limits.depth"] == (32, "default")
    assert rows("--db", "x.db", "config", "show", "--json")["db"] == ("sqlite:///x.db", "--db")
    assert "secret" not in run_cli("config").shown


def test_the_file_that_config_init_writes_names_every_setting_and_changes_none(folder: Path) -> None:
    before = rows("config", "--json")

    assert run_cli("config", "init").exit == 0

    assert {name: value for name, (value, _) in rows("config", "--json").items()} == {
        name: value for name, (value, _) in before.items()
    }
    text = (folder / "daybook.toml").read_text()
    for name in reading_settings._KNOWN:  # what is not named here is a setting that nobody is told of
        assert f"# {name} = " in text or f"# [{name}]" in text, name
    assert run_cli("config", "init").exit == 2


def test_what_config_init_comments_out_is_good_as_it_stands(folder: Path) -> None:
    lines = [line[2:] if line.startswith("# ") and ("=" in line or "[" in line) else line
             for line in configuring._FILE.splitlines()]  # fmt: skip
    good = [line for line in lines if not line.startswith("#") and (" = " in line or line.startswith("["))]
    (folder / "daybook.toml").write_text("\n".join(good))
    assert 'daybook.toml: "db" and "server" name two ledgers' in run_cli("config").err
    here = [line for line in good if not line.startswith("server")]
    (folder / "daybook.toml").write_text("\n".join(here))

    found = rows("config", "--json")
    by_default = {name for name, (_, source) in found.items() if source == "default"} - {"server"}
    assert by_default == {"limits.findings", "limits.placed_findings", "limits.repairs"}
