"""Next steps are data below the faces; pages word each as a link, or as a button that does it at once."""

from urllib.parse import parse_qs, urlsplit

import pytest

from commands.answers.actions import ACTIONS
from commands.answers.parameters import parameters
from commands.cli.next_steps import _WORDS as COMMANDS
from commands.web.pages.next_steps import _WORDS, ON_MACHINE, way, ways
from ledger.errors import NextStep
from tests.cli.test_next_steps import advised
from tests.serving import Server
from tests.web.conftest import joined

PAIRS = ("association.", "as_of")


def filled(action: str) -> list[NextStep]:
    """Each set of arguments that the code advises the action with."""
    known = advised().get(action, {frozenset()})
    return [NextStep(action, "d1", dict.fromkeys(names, "x")) for names in known]


def test_every_action_that_a_shell_has_words_for_has_them_on_a_page_or_is_done_at_the_machine() -> None:
    assert _WORDS.keys() | ON_MACHINE == COMMANDS.keys()
    assert _WORDS.keys() & ON_MACHINE == set()


@pytest.mark.parametrize("action", sorted(_WORDS))
def test_every_form_that_a_step_leads_to_is_one_of_an_action_and_has_its_fields(action: str) -> None:
    taken = {one.name: {each.name for each in parameters(one.do)} for one in ACTIONS}
    for step in filled(action):
        found = way(step)
        assert found is not None and found.label
        address = urlsplit(found.address)
        if not address.path.startswith("/do/"):
            continue
        name = address.path.removeprefix("/do/")
        given = {*parse_qs(address.query), *(key for key, _ in found.fields)}
        assert name in taken
        assert {each for each in given if not each.startswith(PAIRS)} <= taken[name] | {"ref"}, given


def test_what_is_known_is_filled_in_and_what_is_not_is_left_to_the_form() -> None:
    found = way(NextStep("associate", "s12", {"probeA": "npx_1", "probeB": None}))

    assert found is not None
    assert (found.label, found.address) == (
        "Associate…",
        "/do/associate?ref=s12&association.probeA=npx_1",
    )


def test_a_look_is_a_button_that_needs_no_question() -> None:
    found = way(NextStep("work", "s12"))

    assert found is not None and found.sends and found.fields == (("records", "s12"),)


def test_what_no_page_does_is_left_out() -> None:
    steps = [NextStep("init"), NextStep("press-a-button"), NextStep("show", "s1")]

    assert [found.label for found in ways(steps)] == ["See s1"]


def test_every_step_leads_to_a_page_that_is_there(server: Server) -> None:
    """Signed in or not: what is asked for is known, by its method."""
    browser = joined(server, "user_1")

    lost = []
    for action in sorted(_WORDS):
        found = way(NextStep(action, "d1" if action.endswith("request") or action == "restore" else "s1"))
        assert found is not None
        if not found.sends:
            answer = browser.get(found.address)
            if "no-such-address" in answer.text or answer.status_code not in (200, 404, 422):
                lost.append((action, found.address, answer.status_code))
    assert lost == []
