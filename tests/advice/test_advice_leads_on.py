"""What is advised is done as it is advised, by whom it is for: it is accepted, and what it was advised for is gone, or
has changed. Every action that the source advises is met in one situation at least.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from commands.answers.help_topics import HelpTopic, topics
from commands.cli.main import cli
from commands.cli.next_steps import argv
from tests.accounts.conftest import quick_passwords
from tests.advice import places
from tests.advice.enumerated import advised
from tests.advice.playing import LOOKS, Situation, done, play, put_in, steps_in
from tests.advice.situations import DONE_ELSEWHERE, SITUATIONS
from tests.cli.conftest import folder
from tests.conftest import ROOT

__all__ = ["folder", "quick_passwords"]
_RECORDINGS = ("recordings", "rec")
_NOT_COPIED = shutil.ignore_patterns(*_RECORDINGS)  # what is tried reads them where they lie


@pytest.mark.tampers
@pytest.mark.parametrize("here", SITUATIONS, ids=lambda here: f"{here.place}-{here.asks}")
def test_what_is_advised_is_accepted_and_leads_on(
    here: Situation,
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = here.place.removeprefix("case:")
    if case == here.place:
        getattr(places, here.place)(folder, ledger_templates)
    else:
        places.of_case(case)(folder, ledger_templates, request.getfixturevalue("shared"))
    for line in here.before:
        assert play(line).exit == 0, line
    asks = put_in(here.asks)
    asked = play(asks, "--json")
    steps = steps_in(asked.json)
    assert {step.action for step in steps} == here.advises

    for at, step in enumerate(steps):
        copy = folder.parent / f"{folder.name}_{at}"
        shutil.copytree(folder, copy, symlinks=True, ignore=_NOT_COPIED)  # each is tried where it was advised
        for name in _RECORDINGS:
            if (folder / name).exists():
                (copy / name).symlink_to(folder / name)
        monkeypatch.chdir(copy)
        did = done(here, step)
        again = play(asks, "--json")
        monkeypatch.chdir(folder)

        assert did.exit == here.exits.get(step.action, 0), did.shown
        assert step.action not in LOOKS or did.out.strip(), "it shows nothing"
        stays = step.action in LOOKS or step.action in here.stays
        if not stays:
            left = steps_in(again.json) if again.out.startswith("{") else []
            assert step not in left, f"{step.action} was done, and is advised again: {again.shown}"


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.id)
def test_what_help_advises_is_a_whole_command(topic: HelpTopic) -> None:
    for step in topic.next_steps:
        command: click.Command = cli
        _, *words = argv(step)
        context = click.Context(cli)
        while isinstance(command, click.Group):
            found = command.get_command(context, words[0])
            assert found is not None, words
            command, words = found, words[1:]
        needed = [each for each in command.params if isinstance(each, click.Argument) and each.required]
        options = [at for at, word in enumerate(words) if word.startswith("--")]
        assert (options[0] if options else len(words)) >= len(needed), argv(step)


def test_every_action_that_is_advised_is_done_somewhere() -> None:
    met = {action for here in SITUATIONS for action in here.advises}

    assert {
        action: where for action, where in advised().items() if action not in met | DONE_ELSEWHERE.keys()
    } == {}
    assert met <= advised().keys()
    for where in DONE_ELSEWHERE.values():
        file, _, name = where.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), where
