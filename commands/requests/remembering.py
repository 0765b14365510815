"""The marks that a redaction leaves: by what it will be known when it comes again. Reads the ledger; appends nothing.

Marked are the keys that no two records have, and words that somebody wrote, unless they stand elsewhere and stay: then
they are not gone, and whoever writes them again means those.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from commands.door.memory import ABOVE, COMMENT, FILENAME, GROUP, LOCATION, TEXT, TIME, VALUE, marked
from commands.door.world import World
from commands.inputfile.blanking import Source
from commands.inputfile.input_file import same_location
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from commands.recordings.locations import above
from ledger import input_files, marks
from ledger.envelope import StoredEvent
from ledger.errors import Refusal
from projections.portions import marks as marks_for
from projections.renamed import every_name

WORDS = frozenset({"notes", "note"})
"""The fields that hold what somebody wrote freely."""
_NAMES = frozenset({"filename"})
_OTHER_FILES = 20  # of the subject, the newest, whose comments stay
Said = tuple[str, str]
"""A kind of what is remembered, and a text of it."""


def marks_of(
    world: World, event: StoredEvent, body: dict[str, Any], erased: str | None
) -> tuple[str, dict[str, list[str]]]:
    """The id of the key, and the marks by their kind; without any, nothing and nothing. ``erased`` is the sha256 of a
    stored file that goes as well."""
    said = {*_keys(event, body), *_words(world, event, body)}
    if erased is not None:
        said |= set(_comments(world, event, erased))
    if not said:
        return "", {}
    key = marks.newest_key(world.transaction)
    found: dict[str, set[str]] = {}
    for kind, text in said:
        found.setdefault(kind, set()).add(marked(key, kind, *_belongs_to(kind, event), text))
    return key.id, {kind: sorted(found[kind]) for kind in sorted(found)}


def _belongs_to(kind: str, event: StoredEvent) -> tuple[str, ...]:
    if kind == VALUE:
        return (event.stream.partition("/")[2],)
    return (event.subject,) if kind in (TIME, TEXT, FILENAME, COMMENT) else ()


def _keys(event: StoredEvent, body: dict[str, Any]) -> Iterator[Said]:
    if event.type == "SessionInsertRequested":
        places = [body["location"], body["leads_to"]]
        yield from ((LOCATION, place) for place in places if place is not None)
        yield from ((ABOVE, name) for place in places if place is not None for name in above(place))
        yield LOCATION, same_location(body["entry"]["location"])
    elif event.type == "SessionMoved":
        places = [
            place for place in (body["location"], body["leads_to"], body["instead_of"]) if place is not None
        ]
        yield from ((LOCATION, place) for place in places)
        yield from ((ABOVE, name) for place in places for name in above(place))
        yield LOCATION, same_location(body["completed"]["location"])
    elif event.type == "ClusteringInsertRequested" and body["session"] is None:
        yield GROUP, body["entry"]["group_name"]
    elif event.type in ("SessionInserted", "SessionAmended") and body["session_time"] is not None:
        yield TIME, body["session_time"]
    elif event.type == "ReferenceValueAdded":
        yield VALUE, body["value"]


# --- words ------------------------------------------------------------------------------------------------------------


def _words(world: World, event: StoredEvent, body: dict[str, Any]) -> Iterator[Said]:
    written = {text for text in _texts(body, WORDS) if text.strip()}
    subjects = {name.partition("/")[2] for name in every_name(world.transaction, event.subject)}
    names = {name for name in _texts(body, _NAMES) if name.rpartition(".")[0] not in subjects}
    staying = _elsewhere(world, event, written | names)
    yield from ((TEXT, text) for text in written - staying)
    yield from ((FILENAME, text) for text in names - staying)


def _texts(value: Any, fields: frozenset[str]) -> Iterator[str]:
    """The texts of these fields, however deep; of differences what was and what is given."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, fields)
    elif isinstance(value, dict):
        differs = str(value.get("field", "")).rpartition(".")[2] in fields
        for name, item in value.items():
            if isinstance(item, str):
                if name in fields or (differs and name in ("stored", "given")):
                    yield item
            else:
                yield from _texts(item, fields)


def _elsewhere(world: World, event: StoredEvent, texts: Iterable[str]) -> set[str]:
    """Those that another event of the subject says as well."""
    wanted = {text: orjson.dumps(text).decode() for text in texts}
    found: set[str] = set()
    if wanted:
        subjects = every_name(world.transaction, event.subject)
        sql = (
            f"SELECT payload FROM events WHERE subject IN ({marks_for(subjects)}) AND position <> ? "
            "AND payload IS NOT NULL"
        )
        for (payload,) in world.transaction.run(sql, (*subjects, event.position)):
            found |= {text for text, quoted in wanted.items() if text not in found and quoted in payload}
    return found


def _comments(world: World, event: StoredEvent, erased: str) -> set[Said]:
    """Comments are in no event: they go with the file, and come with the next one."""
    found = _comments_in(input_files.fetch(world.transaction, erased))
    subjects = every_name(world.transaction, event.subject)
    uploads = world.state.uploads.where(
        f"subject IN ({marks_for(subjects)}) AND sha256 <> ?", [*subjects, erased]
    )
    for digest in list(dict.fromkeys(row.sha256 for row in reversed(uploads)))[:_OTHER_FILES]:
        if found:
            try:
                found -= _comments_in(input_files.fetch(world.transaction, digest))
            except Refusal:  # erased before
                continue
    return {(COMMENT, text) for text in found}


def _comments_in(content: bytes) -> set[str]:
    read = read_input_file(content, limits=Limits(input_file_bytes=max(1, len(content))))
    if read.document is None:
        return set()
    source = Source.of(read.document)
    return {source.comment(start, end) for start, end in source.comments()} - {""}
