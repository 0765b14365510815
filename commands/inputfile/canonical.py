"""The stored form of an entry: compact JSON that is the same text whenever two entries say the same.

Fields that have their default are left out, so an entry that comes to state a default is still the same entry. The
place of the entry in its file is not part of it.
"""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import orjson

from commands.inputfile.entries import (
    ArenaObject,
    ClusteringEntry,
    CueCard,
    Curtain,
    GroupClusteringEntry,
    SessionEntry,
    TaskEntry,
)

Entry = SessionEntry | GroupClusteringEntry | TaskEntry
_NOT_STORED = "index"
_INHERITED = "clustering"
_NOT_COMPARED = "name"  # lives in the file only: it names the session for that file's clusterings


def entry_json(entry: Entry) -> str:
    """The canonical text of an entry."""
    return orjson.dumps(entry_plain(entry)).decode()


def entry_plain(entry: Entry) -> dict[str, Any]:
    """The same as plain data: dictionaries, lists, text, numbers, booleans."""
    return _plain_record(entry)


def clustering_plain(entry: ClusteringEntry) -> dict[str, Any]:
    """A clustering of one session, as plain data."""
    return _plain_record(entry)


def _plain_record(record: Any) -> dict[str, Any]:
    plain = {}
    for name, default in _FIELDS[type(record)]:
        value = getattr(record, name)
        if value is default or (value == default and value.__class__ is default.__class__):
            continue
        if value.__class__ is tuple:
            value = [item if item.__class__ is str else _plain_record(item) for item in value]
        plain[name] = value
    return plain


_FIELDS: dict[type, tuple[tuple[str, Any], ...]] = {
    kind: tuple((field.name, field.default) for field in fields(kind) if field.name != _NOT_STORED)
    for kind in (
        SessionEntry,
        TaskEntry,
        ArenaObject,
        CueCard,
        Curtain,
        ClusteringEntry,
        GroupClusteringEntry,
    )
}


def session_entry_from_json(text: str, index: int) -> SessionEntry:
    plain = orjson.loads(text)
    clustering = plain.get("clustering")
    if isinstance(clustering, list):
        clustering = tuple(ClusteringEntry(**item) for item in clustering)
    return SessionEntry(
        **{
            **plain,
            "index": index,
            "experimenter": tuple(plain["experimenter"]),
            "tasks": tuple(task_entry(task) for task in plain["tasks"]),
            "clustering": clustering,
            "project": tuple(plain.get("project", ())),
        }
    )


def task_entry(plain: dict[str, Any]) -> TaskEntry:
    return TaskEntry(
        **{
            **plain,
            "objects": tuple(ArenaObject(**item) for item in plain.get("objects", ())),
            "cue_cards": tuple(CueCard(**item) for item in plain.get("cue_cards", ())),
            "curtains": tuple(Curtain(**item) for item in plain.get("curtains", ())),
        }
    )


def group_clustering_from_json(text: str, index: int) -> GroupClusteringEntry:
    plain = orjson.loads(text)
    return GroupClusteringEntry(**{**plain, "index": index, "sessions": tuple(plain["sessions"])})


def differences(stored: str, entry: Entry) -> list[dict[str, Any]]:
    """Field by field how an entry differs from the stored text: ``{"field", "stored", "given"}``.

    A field is a path such as ``tasks[0].notes``; what one side does not have is its default, or None.
    """
    before, now = orjson.loads(stored), entry_plain(entry)
    found: list[tuple[str, Any, Any]] = []
    for name, default in _FIELDS[type(entry)]:
        if name != _NOT_COMPARED:
            absent = None if default is MISSING else list(default) if isinstance(default, tuple) else default
            if name == _INHERITED:
                absent = True  # left out, it is inherited
            found += _differing(name, before.get(name, absent), now.get(name, absent))
    return [{"field": path, "stored": left, "given": right} for path, left, right in found]


def _differing(path: str, left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys((*left, *right)):
            yield from _differing(f"{path}.{name}", left.get(name), right.get(name))
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            pair = [side[index] if index < len(side) else None for side in (left, right)]
            yield from _differing(f"{path}[{index}]", *pair)
    elif left != right or (left is True) != (right is True):
        yield path, left, right
