"""Actions about what the lab has: reference values, subjects, probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.answers.doing.common import bytes_of, submitted

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import Content, Encoding, LocalTime, Text


def add_value(
    asking: Asking,
    command_id: str | None,
    *,
    table: Text,
    value: Text,
    attributes: dict[str, Any] | None = None,
) -> Any:
    """Add a reference value."""
    from commands.lab.catalogue import AddReferenceValue

    return submitted(
        asking, AddReferenceValue, command_id, table=table, value=value, attributes=attributes or {}
    )


def retire_value(asking: Asking, command_id: str | None, *, table: Text, value: Text) -> Any:
    """Retire a reference value: input files can use it no more."""
    from commands.lab.catalogue import RetireReferenceValue

    return submitted(asking, RetireReferenceValue, command_id, table=table, value=value)


def load_catalogue(
    asking: Asking, command_id: str | None, *, content: Content, encoding: Encoding = "utf-8"
) -> Any:
    """Load a catalogue file, given as text: what is new in it, all or nothing."""
    from commands.lab.catalogue import load_catalogue

    return load_catalogue(
        asking.daybook, bytes_of(content, encoding), limits=asking.limits, command_id=command_id
    )


def register_subject(asking: Asking, command_id: str | None, *, name: Text, another: bool = False) -> Any:
    """Register a subject. Another: the name was another animal's, which is called otherwise since."""
    from commands.lab.subjects import RegisterSubject

    return submitted(asking, RegisterSubject, command_id, name=name, another=another)


def rename_subject(
    asking: Asking,
    command_id: str | None,
    *,
    subject: Text,
    new_name: Text,
    reason: Text,
    another: bool = False,
) -> Any:
    """Give a subject its right name; its records follow it. Another: the new name was another animal's, which is called
    otherwise since."""
    from commands.requests.changes.renaming import RenameSubject

    return submitted(
        asking, RenameSubject, command_id, subject=subject, new_name=new_name, reason=reason, another=another
    )


def insert_probe(
    asking: Asking, command_id: str | None, *, subject: Text, probe: Text, insertion_time: LocalTime
) -> Any:
    """Record that a probe was inserted in a subject. The time is local."""
    from commands.lab.subjects import InsertProbe

    return submitted(
        asking, InsertProbe, command_id, subject=subject, probe=probe, insertion_time=insertion_time
    )


def remove_probe(
    asking: Asking, command_id: str | None, *, subject: Text, probe: Text, removal_time: LocalTime
) -> Any:
    """Record that a probe was removed from a subject. The time is local."""
    from commands.lab.subjects import RemoveProbe

    return submitted(asking, RemoveProbe, command_id, subject=subject, probe=probe, removal_time=removal_time)


def propose_value(
    asking: Asking, command_id: str | None, *, table: Text, value: Text, attributes: dict[str, Any] | None = None,
    reason: Text | None = None,
) -> Any:  # fmt: skip
    """Propose a value for a reference table, which an admin adds or rejects."""
    from commands.requests.changes.values import ProposeValue

    given = {} if reason is None else {"reason": reason}
    return submitted(
        asking, ProposeValue, command_id, table=table, value=value, attributes=attributes or {}, **given
    )


def rename_value(
    asking: Asking, command_id: str | None, *, table: Text, value: Text, new_value: Text, reason: Text
) -> Any:
    """Mend the spelling of a reference value, wherever it stands."""
    from commands.requests.changes.values import RenameValue

    return submitted(
        asking, RenameValue, command_id, table=table, value=value, new_value=new_value, reason=reason
    )


def take_back_value(asking: Asking, command_id: str | None, *, table: Text, value: Text, reason: Text) -> Any:
    """Take a reference value back that was added by mistake."""
    from commands.requests.changes.values import TakeBackValue

    return submitted(asking, TakeBackValue, command_id, table=table, value=value, reason=reason)


def take_back_subject(asking: Asking, command_id: str | None, *, subject: Text, reason: Text) -> Any:
    """Take a subject back that was registered by mistake."""
    from commands.requests.changes.subjects import TakeBackSubject

    return submitted(asking, TakeBackSubject, command_id, subject=subject, reason=reason)


def take_back_insertion(
    asking: Asking, command_id: str | None, *, subject: Text, probe: Text, reason: Text
) -> Any:
    """Take a probe insertion back that was recorded by mistake."""
    from commands.requests.changes.insertions import TakeBackInsertion

    return submitted(asking, TakeBackInsertion, command_id, subject=subject, probe=probe, reason=reason)


def mend_insertion(
    asking: Asking, command_id: str | None, *, subject: Text, probe: Text, reason: Text,
    insertion_time: LocalTime | None = None, removal_time: LocalTime | None = None, still_in: bool = False,
) -> Any:  # fmt: skip
    """Mend the times of a probe insertion."""
    from commands.requests.changes.insertions import MendInsertion

    return submitted(asking, MendInsertion, command_id, subject=subject, probe=probe, insertion_time=insertion_time,
        removal_time=removal_time, still_in=still_in, reason=reason,
    )  # fmt: skip
