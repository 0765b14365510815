"""An event as an answer shows it."""

from commands.answers.rows import EventLine
from ledger.bodies import body_of
from ledger.envelope import StoredEvent, via_of
from projections.lines import subject_name


def event_line(event: StoredEvent) -> EventLine:
    """The whole envelope and the body."""
    return EventLine(
        event.position,
        event.stream,
        event.stream_version,
        event.type,
        event.schema,
        event.command_id,
        event.correlation,
        event.causation,
        event.actor,
        via_of(event),
        event.recorded_at,
        subject_name(event.subject),
        event.username,
        None if event.payload is None else body_of(event),
    )
