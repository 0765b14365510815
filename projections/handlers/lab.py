"""Subjects with their probes, and reference values."""

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload
from projections.records import ProbeInsertion, ReferenceValue, Subject, compact_json
from projections.rows import State


def subject_registered(state: State, event: StoredEvent, _body: Payload) -> None:
    state.subjects.add(Subject(event.subject, event.recorded_at, event.actor))


def probe_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    key = (event.subject, body["probe"])
    if state.insertions.get(key) is None:
        state.insertions.add(ProbeInsertion(*key, body["insertion_time"], None))
    else:
        insertion = state.insertions.change(key)
        insertion.insertion_time, insertion.removal_time = body["insertion_time"], None


def probe_removed(state: State, event: StoredEvent, body: Payload) -> None:
    key = (event.subject, body["probe"])
    if state.insertions.get(key) is not None:  # else a redaction has blanked its insertion
        state.insertions.change(key).removal_time = body["removal_time"]


def insertion_mended(state: State, event: StoredEvent, body: Payload) -> None:
    key = (event.subject, body["probe"])
    if state.insertions.get(key) is not None:  # as above
        insertion = state.insertions.change(key)
        insertion.insertion_time, insertion.removal_time = body["insertion_time"], body["removal_time"]


def insertion_taken_back(state: State, event: StoredEvent, body: Payload) -> None:
    key, earlier = (event.subject, body["probe"]), body["earlier"]
    if state.insertions.get(key) is None:  # as above
        return
    if earlier is None:
        state.insertions.remove(key)
    else:
        insertion = state.insertions.change(key)
        insertion.insertion_time, insertion.removal_time = earlier["insertion_time"], earlier["removal_time"]


def subject_taken_back(state: State, event: StoredEvent, _body: Payload) -> None:
    state.subjects.remove(event.subject)


def subject_renamed(state: State, event: StoredEvent, _body: Payload) -> None:
    """Its new name is registered by an event of its own."""
    state.subjects.remove(event.subject)


def reference_added(state: State, _event: StoredEvent, body: Payload) -> None:
    key = (body["table"], body["value"])
    attributes = compact_json(body["attributes"])
    if state.reference.get(key) is None:
        state.reference.add(ReferenceValue(*key, attributes, 0))
    else:
        value = state.reference.change(key)
        value.attributes, value.retired = attributes, 0


def reference_retired(state: State, _event: StoredEvent, body: Payload) -> None:
    key = (body["table"], body["value"])
    if state.reference.get(key) is not None:  # else a redaction has blanked the event that added it
        state.reference.change(key).retired = 1


def reference_taken_back(state: State, _event: StoredEvent, body: Payload) -> None:
    key = (body["table"], body["value"])
    if state.reference.get(key) is not None:  # as above
        state.reference.remove(key)
