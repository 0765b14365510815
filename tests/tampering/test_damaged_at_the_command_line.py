"""What the verbs say of a ledger that somebody damaged: exit code 5 and what to do, never a fault, and no half file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.importing import import_ledger
from ledger.errors import Refusal
from ledger.input_files import keep
from tests.cli.conftest import run_cli
from tests.ledger.writing import Register, as_owner

pytestmark = pytest.mark.tampers


@pytest.fixture
def url(ledger_templates: Callable[[str, Path], str], tmp_path: Path) -> str:
    made = ledger_templates("sqlite", tmp_path)
    daybook = Daybook.open(made, Actor("user_1"))
    daybook.submit(Register(name="1", values=3))
    with daybook.database.writing() as transaction:
        keep(transaction, b"sessions: []\n")
    daybook.close()
    return made


def test_export_of_a_damaged_ledger_ends_with_5_and_leaves_no_file(url: str, tmp_path: Path) -> None:
    as_owner(url, "UPDATE events SET actor = 'user_2' WHERE position = 3")
    file = tmp_path / "out.jsonl"

    ended = run_cli("--db", url, "export", str(file))

    assert ended.exit == 5 and "export --damaged" in ended.shown
    assert not file.exists()


def test_what_can_be_read_is_written_with_damaged_and_imported_by_nobody(url: str, tmp_path: Path) -> None:
    as_owner(
        url,
        "UPDATE events SET payload = x'00ff' WHERE position = 3",
        "UPDATE input_files SET content = 7",
        "UPDATE head SET live_slot = 'q'",
    )
    file = tmp_path / "out.jsonl"

    ended = run_cli("--db", url, "--json", "export", "--damaged", str(file))

    answer = json.loads(ended.out)
    assert ended.exit == 0 and answer["events"] == 4 and answer["left_out"] == 2 and answer["damaged"] > 2
    with pytest.raises(Refusal, match="damaged ledger"):
        import_ledger(f"sqlite:///{tmp_path / 'other.db'}", file.read_bytes().splitlines(keepends=True))


@pytest.mark.parametrize("verb", ["sessions", "log", "upload", "checkpoint", "export"])
def test_a_head_row_that_does_not_hold_is_refused_by_every_verb(url: str, tmp_path: Path, verb: str) -> None:
    as_owner(url, "UPDATE head SET live_slot = 'q'")
    (tmp_path / "a.yml").write_text("subject: {name: '1'}\n", encoding="utf-8")
    arguments = {"upload": [str(tmp_path / "a.yml")], "export": [str(tmp_path / "out")]}.get(verb, [])

    ended = run_cli("--db", url, verb, *arguments)

    assert ended.exit == 5 and "daybook rebuild" in ended.shown, ended.shown


def test_verify_names_it_rebuild_mends_it_and_verify_is_content(url: str) -> None:
    as_owner(url, "UPDATE head SET live_slot = CASE live_slot WHEN 'a' THEN 'b' ELSE 'a' END")

    assert run_cli("--db", url, "verify").exit == 5
    rebuilt = run_cli("--db", url, "rebuild")
    assert rebuilt.exit == 0 and "made anew from 5 events" in rebuilt.shown
    assert run_cli("--db", url, "verify").exit == 0


def test_lists_that_were_not_compared_are_not_said_to_hold(url: str) -> None:
    as_owner(
        url,
        "UPDATE subjects_a SET registered_by = 'user_9'",
        "UPDATE subjects_b SET registered_by = 'user_9'",
    )

    quick = run_cli("--db", url, "verify", "--no-lists")
    assert quick.exit == 0 and "The lists were not compared" in quick.shown
    whole = run_cli("--db", url, "verify")
    assert whole.exit == 5 and "In the list of subjects" in whole.shown and "'user_9'" in whole.shown


def test_a_verb_that_stumbles_over_damage_says_so_and_makes_no_incident(url: str, tmp_path: Path) -> None:
    as_owner(url, "UPDATE events SET via = 'zz' WHERE position = 2")

    ended = run_cli("--db", url, "log")

    assert ended.exit == 5 and "not intact" in ended.shown and "daybook verify" in ended.shown
    assert "incident" not in ended.shown


def test_ids_are_matched_whole(url: str) -> None:
    for text in ("u3", "s007", "s" + "0" * 30 + "1", "u"):
        assert run_cli("--db", url, "show", text).exit == 1
