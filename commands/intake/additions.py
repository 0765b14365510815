"""What commands have added to a session since its input file came, and how much of that a corrected file keeps."""

from collections.abc import Collection
from typing import Any

import orjson

from commands.inputfile.canonical import entry_plain, session_entry_from_json
from commands.inputfile.entries import SessionEntry
from commands.intake.duplicates import placed
from commands.recordings.roots import Roots

_ADDED_WHOLE = ("tasks", "clustering", "room", "project", "notes")


def with_additions(
    given: SessionEntry, requested: str, completed: str, *, probes: Collection[str], roots: Roots
) -> tuple[SessionEntry, dict[str, Any]]:
    """The file's entry together with what was added since and stays, and what that is, by field.

    What was added is what the ``completed`` entry says and the ``requested`` one does not. It stays where the file
    still says of that field what it said before; for a probe association, where the probe is the subject's.
    """
    before, after = (session_entry_from_json(text, given.index) for text in (requested, completed))
    said, was, now = (entry_plain(placed(entry, roots)) for entry in (given, before, after))
    whole = entry_plain(after)
    kept = {
        name: whole[name]
        for name in _ADDED_WHOLE
        if name in whole and _text(said, name) == _text(was, name) != _text(now, name)
    }
    mine, first, last = (plain.get("probe_association") or {} for plain in (said, was, now))
    associated = {
        name: probe
        for name, probe in last.items()
        if mine.get(name) == first.get(name) != probe and probe in probes
    }
    if associated:
        kept["probe_association"] = {**mine, **associated}
    completed_again = orjson.dumps(entry_plain(given) | kept).decode()
    return session_entry_from_json(completed_again, given.index), kept


def _text(plain: dict[str, Any], name: str) -> bytes:
    """Compared as text: True is not 1."""
    return orjson.dumps(plain.get(name, name == "clustering" or None))  # left out, a clustering is inherited
