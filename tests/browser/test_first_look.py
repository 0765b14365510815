"""Somebody is invited, joins, signs in, and sees the sessions of the lab."""

from collections.abc import Callable

from playwright.sync_api import expect

from commands.samples.lab import SampleLab
from tests.browser.conftest import PHONE, Visitor, join, sign_in
from tests.cli.conftest import Ended, write_input_file
from tests.serving import Server


def test_who_joins_signs_in_and_sees_the_sessions(
    lab: Callable[..., Ended], sample: SampleLab, server: Server, visiting: Visitor
) -> None:
    write_input_file(sample)
    assert lab("upload", "subject_1.yml").exit == 0
    page = visiting(size=PHONE)

    join(page, server, "user_2")
    sign_in(page, "user_2", at="/sessions?subject=12345")

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    for session in sample.subjects[0].sessions:
        expect(page.get_by_text(str(session.start))).to_be_visible()


def test_without_scripts_it_is_the_same(lab: Callable[..., Ended], server: Server, visiting: Visitor) -> None:
    page = visiting(java_script_enabled=False)

    join(page, server, "user_2")
    sign_in(page, "user_2", at="/sessions")

    expect(page.get_by_text("No session yet")).to_be_visible()
