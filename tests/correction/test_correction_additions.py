"""What commands have added to a session, and what of it a corrected file leaves standing."""

from typing import Any

import orjson

from commands.inputfile.canonical import entry_json, session_entry_from_json
from commands.inputfile.entries import SessionEntry
from commands.intake.additions import with_additions
from commands.recordings.roots import Roots

PROBES = ("p1", "p2", "p3")


def entry(**fields: Any) -> SessionEntry:
    plain = {"location": "N:/rec/a", "experimenter": ["user_1"], "tasks": []} | fields
    return session_entry_from_json(orjson.dumps(plain).decode(), 0)


def kept(given: SessionEntry, requested: SessionEntry, completed: SessionEntry) -> dict[str, Any]:
    roots = Roots.of({"N:": ["/mnt/n"]})
    merged, found = with_additions(
        given, entry_json(requested), entry_json(completed), probes=PROBES, roots=roots
    )
    for name in ("room", "notes", "tasks", "clustering", "project", "probe_association"):
        assert getattr(merged, name) == getattr(completed if name in found else given, name), name
    return found


def test_what_was_added_stays_where_the_file_says_what_it_said() -> None:
    added = entry(room="2.345", project=["x"], tasks=[{"task_type": "OpenField"}])
    assert kept(entry(notes="new"), entry(), added) == {
        "room": "2.345", "project": ["x"], "tasks": [{"task_type": "OpenField"}],
    }  # fmt: skip


def test_what_the_file_says_now_counts() -> None:
    assert kept(entry(room="2.346"), entry(), entry(room="2.345")) == {}


def test_what_the_file_says_now_as_it_was_added_is_the_files() -> None:
    assert kept(entry(room="2.345"), entry(), entry(room="2.345")) == {}


def test_what_the_file_takes_back_was_never_added() -> None:
    assert kept(entry(), entry(room="2.345"), entry(room="2.345")) == {}


def test_another_spelling_of_a_location_says_nothing_new() -> None:
    listed = [{"curator": "user_1", "location": "N:/rec/a/ks"}]
    other = [{"curator": "user_1", "location": "N:\\rec\\a\\ks\\"}]
    more = [*listed, {"curator": "user_2", "location": "N:/rec/a/ks2"}]
    assert kept(entry(clustering=other), entry(clustering=listed), entry(clustering=more)) == {
        "clustering": more
    }


def test_a_probe_association_is_kept_probe_by_probe() -> None:
    requested = entry(probe_association={"a": "p1"})
    completed = entry(probe_association={"a": "p1", "b": "p2"})
    given = entry(probe_association={"a": "p3"})
    roots = Roots.of({"N:": ["/mnt/n"]})
    merged, found = with_additions(
        given, entry_json(requested), entry_json(completed), probes=PROBES, roots=roots
    )
    assert merged.probe_association == found["probe_association"] == {"a": "p3", "b": "p2"}


def test_an_association_with_a_probe_of_another_subject_is_not_kept() -> None:
    assert kept(entry(), entry(), entry(probe_association={"a": "other"})) == {}
