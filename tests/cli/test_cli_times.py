"""Times in words: what stands for a date or a time wherever one is asked for."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from commands.cli.invocation import Invocation
from commands.cli.times import moment, utc_time
from commands.cli.verbs import Verb
from tests.cli.conftest import Run, run_cli

COMMAND = click.Command("sessions")
PARAMETER = click.Option(["--since"])


def read(text: str) -> datetime:
    value = utc_time(click.Context(COMMAND), PARAMETER, text)
    assert value is not None and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value)
    return datetime.fromisoformat(value)


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", timedelta()),
        ("a minute ago", timedelta(minutes=1)),
        ("2 hours ago", timedelta(hours=2)),
        (" 2  Hours  ago ", timedelta(hours=2)),
        ("1 day ago", timedelta(days=1)),
        ("3 weeks ago", timedelta(weeks=3)),
    ],
)
def test_so_much_ago_is_counted_from_now(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC) - ago

    assert before <= read(text) <= datetime.now(UTC) - ago


def test_today_and_yesterday_are_their_beginnings() -> None:
    today = midnight()

    found = (read("today"), read("Yesterday"))

    assert found in {(day, day - timedelta(days=1)) for day in (today, midnight())}


@pytest.mark.parametrize(
    "name", ["monday", "Tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
)
def test_a_day_by_its_name_is_the_last_one_that_began(name: str) -> None:
    found = read(name)

    assert found.strftime("%A") == name.capitalize()
    assert midnight() - timedelta(days=7) < found <= midnight()


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2 hours", "ago", "1.5 days ago", "-1 days ago", "999999999 days ago", "next monday", ""],
)
def test_other_words_are_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time"):
        read(text)


def test_a_moment_may_be_in_words_too() -> None:
    assert moment(click.Context(COMMAND), PARAMETER, "now") is None
    assert str(moment(click.Context(COMMAND), PARAMETER, "yesterday")).endswith("T00:00:00.000000Z")


def test_a_list_takes_words(folder: Path) -> None:
    assert run_cli("init").exit == 0

    assert run_cli("log", "--since", "yesterday", "--json").json["events"] != []
    assert run_cli("log", "--until", "2 days ago", "--json").json["events"] == []


# --- zones ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def oslo(folder: Path) -> str:
    (folder / "daybook.toml").write_text('timezone = "Europe/Oslo"\n')
    return "daybook.toml"


def test_times_are_shown_in_the_zone_of_the_settings_or_in_utc(run_here: Run, oslo: str) -> None:
    event = run_here("log", "--json").json["events"][0]
    then = datetime.fromisoformat(event["recorded_at"])
    there = then.astimezone(ZoneInfo("Europe/Oslo")).isoformat(sep=" ", timespec="seconds")

    log, utc = run_here("log").out, run_here("log", "--utc").out

    assert there in log and "(UTC)" not in log
    assert f"{then:%Y-%m-%d %H:%M:%S}Z" in utc and "recorded (UTC)" in utc
    assert run_here("log", "--json").json["events"][0]["recorded_at"].endswith("Z")


def test_times_are_read_in_the_zone_of_the_settings_or_in_utc(oslo: str) -> None:
    def read_with(*options: str) -> str | None:
        found: list[str | None] = []

        @click.command(cls=Verb)
        @click.option("--since", callback=utc_time)
        def verb(since: str | None) -> None:
            found.append(since)

        verb.main([*options, "--since", "2026-07-01 12:00"], obj=Invocation(), standalone_mode=False)
        return found[0]

    assert read_with() == "2026-07-01T10:00:00.000000Z"
    assert read_with("--utc") == "2026-07-01T12:00:00.000000Z"


def test_a_settings_file_named_behind_a_time_counts_for_it(run_here: Run, folder: Path) -> None:
    (folder / "other.toml").write_text('timezone = "Pacific/Kiritimati"\n')
    events = run_here("log", "--json").json["events"]
    at = datetime.fromisoformat(events[0]["recorded_at"]).astimezone(ZoneInfo("Pacific/Kiritimati"))
    until = (at + timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S")

    ended = run_here("log", "--json", "--until", until, "--config", "other.toml")

    assert len(ended.json["events"]) == 1


def test_days_that_are_counted_are_those_of_utc(run_here: Run, oslo: str) -> None:
    assert "days are counted whole" not in run_here("audit", "--since", "2026-01-01").err
