"""What a subject was called before and is called now, as its events say. Reads the log alone.

A renamed subject has two streams: the old name's ends with SubjectRenamed, and the new name's begins, or goes on, with
a SubjectRegistered that says ``instead_of``. A name can be taken again, by the same subject or by another animal.
"""

from collections.abc import Collection, Iterable

from ledger import log
from ledger.bodies import body_of
from ledger.database import Transaction
from ledger.envelope import StoredEvent

_ENDS = ("SubjectRenamed", "SubjectTakenBack")


def renamed(transaction: Transaction, subject: str) -> StoredEvent | None:
    """The SubjectRenamed by which nobody is called so any more; None where somebody is, or where the name never was one
    or was taken back."""
    last = None
    for event in _stream(transaction, subject):
        if event.type in (*_ENDS, "SubjectRegistered"):
            last = event
    return last if last is not None and last.type == "SubjectRenamed" else None


def called_now(transaction: Transaction, subject: str) -> str:
    """The key of what the subject is called by now; its own where it was not renamed."""
    while (event := renamed(transaction, subject)) is not None:
        subject = _key(subject, body_of(event)["new_name"])
    return subject


def former_names(transaction: Transaction, subject: str) -> list[str]:
    """The keys that the subject had before this one, the newest first. Of another animal that had the name before it,
    nothing."""
    found: list[str] = []
    before: int | None = None
    while True:
        registered = [
            event
            for event in _stream(transaction, subject)
            if event.type == "SubjectRegistered" and (before is None or event.position < before)
        ]
        instead_of = body_of(registered[-1])["instead_of"] if registered else None
        if instead_of is None:
            return found
        before, subject = registered[-1].position, _key(subject, instead_of)
        if subject not in found:
            found.append(subject)


def every_name(transaction: Transaction, subject: str) -> list[str]:
    """The key, what that is called now, and all that it was called before."""
    now = called_now(transaction, subject)
    return list(dict.fromkeys((subject, now, *former_names(transaction, now))))


def linked(transaction: Transaction, subjects: Iterable[str]) -> set[str]:
    """These subjects and whatever one of them, or one that had its name, was called at any time."""
    return _reached(transaction, subjects, {"SubjectRenamed": "new_name", "SubjectRegistered": "instead_of"})


def names_of_today(transaction: Transaction, subject: str) -> set[str] | None:
    """The key, and what records that had it once may be of by now; None where nothing was ever renamed to or from it.
    When a name was given does not matter: the records follow it in events of their own, and at a moment between
    these some still have the old one."""
    names = _reached(transaction, [subject], {"SubjectRenamed": "new_name"})
    taken = _reached(transaction, [subject], {"SubjectRegistered": "instead_of"})
    return names if names | taken != {subject} else None


def all_renamed(transaction: Transaction) -> list[set[str]]:
    """Those subjects that are one by their names, each with all of them. Reads the whole log."""
    rows = transaction.run("SELECT DISTINCT subject FROM events WHERE type = 'SubjectRenamed'").fetchall()
    found: list[set[str]] = []
    for (subject,) in rows:
        if not any(subject in names for names in found):
            found.append(linked(transaction, [subject]))
    return found


def _reached(transaction: Transaction, subjects: Iterable[str], fields: dict[str, str]) -> set[str]:
    found: set[str] = set()
    new = {subject for subject in subjects if subject}
    while new:
        found |= new
        new = {
            _key(subject, name)
            for subject in new
            for event in _stream(transaction, subject)
            if event.type in fields and (name := body_of(event)[fields[event.type]]) is not None
        } - found
    return found


def _stream(transaction: Transaction, subject: str) -> Collection[StoredEvent]:
    return log.read_stream(transaction, f"subject/{subject}")


def _key(subject: str, name: str) -> str:
    return f"{subject.partition('/')[0]}/{name}"
