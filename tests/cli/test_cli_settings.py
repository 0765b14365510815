"""daybook.toml: where it is found, what it may hold, what is said when it is wrong."""

from pathlib import Path

import pytest

from commands.door.address import DEFAULT_DB
from commands.door.reading_settings import load
from commands.door.settings import SettingsError
from commands.inputfile.limits import Limits
from tests.cli.conftest import run_cli


def test_without_any_settings_the_ledger_is_in_the_working_directory() -> None:
    assert load().db == DEFAULT_DB


def test_settings_are_found_upwards_and_relative_paths_belong_to_their_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "daybook.toml").write_text('db = "sqlite:///lab/daybook.db"\n[roots]\n"N:" = ["/mnt/N"]\n')
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    settings = load()
    assert settings.db == f"sqlite:///{folder}/lab/daybook.db"
    assert settings.roots.directories == {"N:": ("/mnt/N",)}


@pytest.mark.parametrize("db", ["sqlite:////abs/x.db", "postgresql://user_1@host/lab"])
def test_absolute_addresses_stay_as_they_are(folder: Path, db: str) -> None:
    (folder / "daybook.toml").write_text(f'db = "{db}"\n')
    assert load().db == db


def test_command_line_goes_before_environment_before_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "daybook.toml").write_text('db = "sqlite:////file.db"\n')
    assert (load().db, load().source) == ("sqlite:////file.db", str(folder / "daybook.toml"))
    monkeypatch.setenv("DAYBOOK_DB", "sqlite:////environment.db")
    assert (load().db, load().source) == ("sqlite:////environment.db", "DAYBOOK_DB")
    assert load(db="sqlite:////option.db").db == "sqlite:////option.db"


def test_config_names_another_file(folder: Path) -> None:
    (folder / "daybook.toml").write_text('db = "sqlite:////wrong.db"\n')
    (folder / "other.toml").write_text('db = "sqlite:////right.db"\n')
    assert load(config="other.toml").db == "sqlite:////right.db"


def test_limits_are_read(folder: Path) -> None:
    (folder / "daybook.toml").write_text("[limits]\ninput_file_bytes = 100\n")
    assert load().limits == Limits(input_file_bytes=100)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("db = ", "not TOML"),
        ('dbb = "x"', 'Did you mean "db"?'),
        ("db = 3", '"db" is a whole number; expected text'),
        ('db = ""', '"db" is empty'),
        ("roots = 3", '"roots" is a whole number; expected a table'),
        ('[roots]\n"N:" = 3', '"roots.N:" is a whole number; expected a directory'),
        ('[roots]\n"N:" = [3]', '"roots.N:" is a list; expected a directory'),
        ('[roots]\n"N:" = []', "has no directory"),
        ('[roots]\n"N:" = ["here"]', "not an absolute path"),
        ('[sorted]\n"N:" = 3', '"sorted.N:" is a whole number; expected a place'),
        ('[roots]\n"N:" = "/mnt/N"\n[sorted]\n"N:" = "Q:/sorted"', 'sorted: "Q:/sorted" cannot be used'),
        ("[limits]\ninput_file_byte = 3", 'Did you mean "limits.input_file_bytes"?'),
        ('[limits]\ninput_file_bytes = "3"', '"limits.input_file_bytes" is text; expected a whole number'),
        ("[limits]\ninput_file_bytes = true", "is true or false; expected a whole number"),
        ("[limits]\ninput_file_bytes = 0", "expected 1 or more"),
        ("list_limit = -1", '"list_limit" is -1; expected 0 to 1000000'),
        ("width = 10", '"width" is 10; expected 40'),
        ('timezone = "Mars/Olympus"', '"timezone" is "Mars/Olympus", which this machine does not know'),
        ('timezone = "../etc/passwd"', "which this machine does not know"),
        ('contact = " "', '"contact" is empty'),
        ('contact = "a\\nb"', '"contact" is no line'),
    ],
)
def test_what_is_wrong_in_a_settings_file_is_one_line_with_its_name(
    folder: Path, text: str, said: str
) -> None:
    (folder / "daybook.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"daybook\.toml: "):
        load()
    ended = run_cli("sessions")
    assert ended.exit == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_settings_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "daybook.toml").write_bytes(b'db = "\xff"')
    assert "not UTF-8: byte 6 is 0xff" in run_cli("sessions").err


def test_verbs_that_need_no_settings_work_beside_a_broken_file(folder: Path) -> None:
    (folder / "daybook.toml").write_text("db = ")
    assert run_cli("template").exit == 0
    assert run_cli("schema").exit == 0
    assert run_cli("--help").exit == 0


@pytest.mark.parametrize("config", ["none.toml", "."])
def test_config_that_is_no_file_is_wrong_usage(config: str) -> None:
    ended = run_cli("--config", config, "sessions")
    assert ended.exit == 2
    assert f'no settings file "{config}"' in ended.err


def test_a_ledger_may_be_named_as_a_file(folder: Path) -> None:
    (folder / "daybook.toml").write_text('db = "lab/my ledger.db"\n')
    assert load().db == f"sqlite:///{folder}/lab/my ledger.db"
    assert load(db="/data/daybook.db").db == "sqlite:////data/daybook.db"


def test_the_schema_of_a_server_is_a_setting_that_its_address_overrides(folder: Path) -> None:
    (folder / "daybook.toml").write_text('schema = "my lab"\n')
    assert load(db="postgresql://h/d").db == "postgresql://h/d?schema=my%20lab"
    assert load(db="postgresql://h/d?sslmode=require").db.endswith("?sslmode=require&schema=my%20lab")
    assert load(db="postgresql://h/d?schema=other").db == "postgresql://h/d?schema=other"
    assert load().db == DEFAULT_DB
