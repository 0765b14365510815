"""The subjects, their probes and the reference values. Streams ``subject/<datasource>/<name>`` and
``reference/<table>``.
"""

from typing import Any

from ledger.events.body import Body


class SubjectRegistered(Body):
    """``instead_of``: the name that it had before, where it was renamed."""

    datasource_id: int
    name: str
    instead_of: str | None = None


class ProbeInserted(Body):
    """``insertion_time`` is naive local time."""

    probe: str
    insertion_time: str


class ProbeRemoved(Body):
    probe: str
    removal_time: str


class ProbeInsertionMended(Body):
    """The insertion that is on record has these times; ``removal_time`` is None where the probe is still in there."""

    probe: str
    insertion_time: str
    removal_time: str | None
    reason: str


class ProbeInsertionTakenBack(Body):
    """The probe was never inserted then: what was on record before it is again. ``earlier`` are the times of the
    insertion before, ``{"insertion_time", "removal_time"}``, or None."""

    probe: str
    insertion_time: str
    removal_time: str | None
    earlier: dict[str, str] | None
    reason: str


class SubjectTakenBack(Body):
    """There is no such subject: nothing stood on it, or went with it."""

    name: str
    reason: str


class SubjectRenamed(Body):
    """The subject is called otherwise from here on; its records follow, each by an event of its own."""

    name: str
    new_name: str
    reason: str


class ReferenceValueAdded(Body):
    table: str
    value: str
    attributes: dict[str, Any] = {}


class ReferenceValueRetired(Body):
    table: str
    value: str


class ReferenceValueTakenBack(Body):
    """It was a mistake; ``replaced_by`` is what those that used it use now."""

    table: str
    value: str
    replaced_by: str | None
    reason: str
