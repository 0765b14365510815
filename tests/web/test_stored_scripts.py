"""A script that somebody stored, in each text that is anybody's to choose, is shown on pages and never part of them."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.bodies import body_of
from ledger.events import TYPES
from tests.redaction import test_reading_what_was_redacted as stocked
from tests.redaction.conftest import Office, lab, office
from tests.serving import Server
from tests.web.conftest import Browser, joined

__all__ = ["lab", "office"]
SCRIPT = "canary<img src=x onerror=ran()>"
NAMES_OF_THE_LAB = {
    "ActionRefused",
    "ProbeInserted",
    "ProbeRemoved",
    "ReferenceValueAdded",
    "ReferenceValueRetired",
}
"""They say names that were there before anybody chose a text."""
PROGRAMS_WORDS = {
    "ClusteringInsertFailed", "ClusteringWaiting", "InputFileProcessed", "SessionInserted", "SessionInsertFailed",
    "SessionWaiting",
}  # fmt: skip
"""What the program found on the disk, in its own words."""
_LETTERS = {
    "session": "sessions/s",
    "clustering": "clusterings/c",
    "upload": "uploads/u",
    "deletion": "requests/d",
}


@pytest.fixture
def server_of_office(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(stocked, "CANARY", SCRIPT)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stocked.everything(office)
    made = Server(office.lab.url, tmp_path, work=False)
    yield made
    made.close()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def pages_of(office: Office) -> list[str]:
    """Of every record and every event, and what lists or searches them."""
    events = office.lab.events()
    found = dict.fromkeys(f"/log/{event.position}" for event in events)
    for event in events:
        kind, _, name = event.stream.partition("/")
        if kind in _LETTERS:
            found[f"/{_LETTERS[kind]}{name}"] = None
            if kind == "upload":
                found[f"/uploads/u{name}/file"] = None
        elif kind == "subject":
            found[f"/subjects/{name.removeprefix('0/')}"] = None
    columns = "&".join(
        f"column={each}"
        for each in ("name", "room", "project", "notes", "group_name", "filename", "location")
    )
    lists = [f"/{each}?{columns}" for each in ("sessions", "clusterings", "uploads")]
    searched = [
        f"/{each}?text={SCRIPT}&subject={SCRIPT}" for each in ("sessions", "clusterings", "uploads", "log")
    ]
    return [
        *found,
        *lists,
        *searched,
        "/subjects",
        f"/subjects?text={SCRIPT}",
        "/audit",
        f"/records/{SCRIPT}",
    ]


def test_a_stored_script_is_shown_and_is_no_part_of_any_page(
    office: Office, server_of_office: Server
) -> None:
    holding = {
        event.type
        for event in office.lab.events()
        if event.payload is not None and any(SCRIPT in text for text in _texts(body_of(event)))
    }
    browser: Browser = joined(server_of_office, "user_2")

    shown: set[str] = set()
    for path in pages_of(office):
        page = browser.get(path)
        assert page.status_code < 500, (path, page.text)
        assert "<img src=x" not in page.text, path
        if html.escape(SCRIPT, quote=False) in page.text or "&lt;img src=x onerror=ran()&gt;" in page.text:
            shown.add(path.partition("?")[0])

    assert TYPES.keys() - stocked.NOT_HERE - NAMES_OF_THE_LAB - PROGRAMS_WORDS <= holding
    for event in office.lab.events():
        if event.type in holding and any(SCRIPT in text for text in _texts(body_of(event))):
            assert f"/log/{event.position}" in shown, event
    assert {"/sessions", "/uploads", "/log", "/subjects"} <= shown
