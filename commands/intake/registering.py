"""Put the lab itself on record: subjects, probe insertions, reference values. The checks, and the events."""

from typing import Any

import orjson

from commands.door.world import World
from commands.intake.insertion import is_local_time
from commands.intake.known import LONGEST_NAME
from commands.intake.spellings import spelled, spelled_beside
from commands.recordings.disk import shown
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent, StoredEvent
from ledger.errors import NextStep, Refusal
from ledger.events import Body, ProbeInserted, ReferenceValueAdded, SubjectRegistered
from ledger.moments import shown as at
from projections.asked_for import open_request
from projections.records import ProbeInsertion, compact_json
from projections.renamed import called_now, renamed

THE_SUBJECTS = "the subjects"
A_NAME = f"A name is one line of text, of {LONGEST_NAME} characters at most."


def is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_NAME


# --- subjects and their probes ---------------------------------------------------------------------------------------


def registered_subject(world: World, name: str) -> str:
    """The subject's key, ``datasource_id/name``. Raises Refusal where it is not registered."""
    key = name if name.startswith("0/") else f"0/{name}"
    if world.state.subjects.get(key) is None:
        if (event := renamed(world.transaction, key)) is not None:
            now = called_now(world.transaction, key).partition("/")[2]
            raise Refusal("renamed-subject", renamed_since(event, now), "Use that name.")
        raise Refusal(
            "unknown-subject",
            f"Subject {name} is not registered.",
            "Register it",
            NextStep("register-subject", arguments={"subject": name}),
        )
    return key


def renamed_since(event: StoredEvent, now: str) -> str:
    """A sentence; ``event`` is the SubjectRenamed of the name, ``now`` what the subject is called."""
    body = body_of(event)
    by = f"renamed by {event.actor} at {at(event.recorded_at)}: {body['reason'].rstrip('.')}"
    return f'Subject "{body["name"]}" is called "{now}" now ({by}).'


def register(world: World, datasource_id: int, name: str, *, another: bool = False) -> list[NewEvent]:
    """``another``: the name was another animal's, which is called otherwise since."""
    _refuse_what_is_no_name(str(datasource_id), name)
    if world.state.subjects.get(f"{datasource_id}/{name}") is not None:
        return []
    name = new_subject_name(world, str(datasource_id), name, another=another)
    key = f"{datasource_id}/{name}"
    if world.state.subjects.get(key) is not None:
        return []
    return [subject_event(key, SubjectRegistered(datasource_id=datasource_id, name=name))]


def _refuse_what_is_no_name(datasource: str, name: str) -> None:
    if not is_name(name) or "/" in name or datasource != "0":
        raise Refusal(
            "subject-name",
            f'"{shown(name[:60])}" of datasource {datasource} cannot be registered.',
            f"{A_NAME} It has no slash, and 0 is the only datasource.",
        )


def new_subject_name(
    world: World, datasource: str, name: str, *, besides: str = "", another: bool = False
) -> str:
    """The name as it is spelled, which may be that of a subject. Raises Refusal where it can be none, looks like
    another one (but that of ``besides``, which gives its own up), or leads to a subject that is called otherwise now
    (unless that is ``besides``)."""
    _refuse_what_is_no_name(datasource, name)
    if besides:
        others = (each for each in _subject_names(world) if each != besides)
        name = spelled_beside(THE_SUBJECTS, name, others)
    else:
        name = spelled(world, THE_SUBJECTS, name, lambda: _subject_names(world))
    key = f"{datasource}/{name}"
    if another or world.state.subjects.get(key) is not None:
        return name
    event = renamed(world.transaction, key)
    if event is None:
        return name
    now = called_now(world.transaction, key).partition("/")[2]
    if now != besides:
        raise Refusal(
            "renamed-subject",
            renamed_since(event, now),
            "Is it another animal, which has this name by right? Then say so",
            NextStep("rename-subject", arguments={
                "subject": besides, "new_name": name, "another": "yes", "reason": None,
            })
            if besides
            else NextStep("register-subject", arguments={"subject": name, "another": "yes"}),
        )  # fmt: skip
    return name


def insert_probe(world: World, subject: str, probe: str, insertion_time: str) -> list[NewEvent]:
    checked_time(insertion_time)
    known = world.state.insertions.get((subject, probe))
    if known is not None and _was_inserted_at(world, known, insertion_time):
        return []  # a removed probe comes back only with a new insertion time
    if known is not None and known.removal_time is None:
        raise _in_already(world, known, insertion_time)
    refuse_elsewhere(world, subject, probe)
    return [subject_event(subject, ProbeInserted(probe=probe, insertion_time=insertion_time))]


def _in_already(world: World, known: ProbeInsertion, insertion_time: str) -> Refusal:
    """To take it out is one thing, to mend a mistyped time another: nothing is recorded that was not so."""
    name, probe = known.subject.partition("/")[2], known.probe
    message = f'Probe "{probe}" has been in subject {name} since {known.insertion_time}.'
    asked = open_request(world.state, "mending", f"probe:{probe}", f"subject:{name}")
    if asked is not None:
        look = NextStep("show-request", f"d{asked.id}")
        return Refusal("already-inserted", message, "Another time for it is asked for", look)
    time: dict[str, str | None] = {
        "subject": name,
        "probe": probe,
        "inserted": insertion_time,
        "reason": None,
    }
    return Refusal(
        "already-inserted",
        message,
        "If it was taken out meanwhile, record that first; or mend the time, if it is wrong",
        NextStep("remove-probe", arguments={"subject": name, "probe": probe, "at": None}),
        NextStep("mend-insertion", arguments=time),
    )


def _was_inserted_at(world: World, known: ProbeInsertion, insertion_time: str) -> bool:
    """Now or earlier: a catalogue goes on naming an insertion after others have followed it."""
    if known.insertion_time == insertion_time:
        return True
    bodies = [
        body_of(event)
        for event in log.read_stream(world.transaction, f"subject/{known.subject}")
        if event.type == ProbeInserted.__name__
    ]
    return any((b["probe"], b["insertion_time"]) == (known.probe, insertion_time) for b in bodies)


def refuse_elsewhere(world: World, subject: str, probe: str) -> None:
    """A probe is in one subject at a time; recovered from there, it may be used again."""
    elsewhere = world.state.insertions.where(
        "probe = ? AND subject <> ? AND removal_time IS NULL", [probe, subject]
    )
    for known in elsewhere:
        name = known.subject.partition("/")[2]
        raise Refusal(
            "inserted-elsewhere",
            f'Probe "{probe}" has been in subject {name} since {known.insertion_time}.',
            "If it was recovered from there",
            NextStep("remove-probe", arguments={"subject": name, "probe": probe, "at": None}),
        )


def checked_time(text: str) -> str:
    if not is_local_time(text):
        raise Refusal(
            "date-time", f'"{shown(text)}" is not a local time.', "Write it as in 2023-03-01 00:00:00."
        )
    return text


def subject_event(subject: str, body: Body, causation: int = 0) -> NewEvent:
    return NewEvent(f"subject/{subject}", body, expected_version=None, subject=subject, causation=causation)


# --- reference values ------------------------------------------------------------------------------------------------


def add_value(
    world: World, table: str, value: str, attributes: dict[str, Any], *, besides: str = ""
) -> list[NewEvent]:
    """Naming a known value without its attributes takes none of them away. It may look like ``besides``, which gives
    its name up."""
    if not is_name(value):
        raise Refusal("no-value", f'"{shown(value[:60])}" is not a value for {table}.', A_NAME)
    known = world.state.reference.get((table, value))
    if known is None:
        if besides:
            value = spelled_beside(table, value, (one for one in _values(world, table) if one != besides))
        else:
            value = spelled(world, table, value, lambda: _values(world, table))
        known = world.state.reference.get((table, value))
    if known is not None and not attributes:
        attributes = orjson.loads(known.attributes)
    if known is not None and not known.retired and known.attributes == compact_json(attributes):
        return []
    return [reference_event(table, ReferenceValueAdded(table=table, value=value, attributes=attributes))]


def _values(world: World, table: str) -> list[str]:
    return [row.value for row in world.state.reference.where("reference = ?", [table])]


def _subject_names(world: World) -> list[str]:
    return [row.subject.partition("/")[2] for row in world.state.subjects.where("subject >= ?", [""])]


def reference_event(table: str, body: Body, causation: int = 0) -> NewEvent:
    return NewEvent(f"reference/{table}", body, expected_version=None, causation=causation)
