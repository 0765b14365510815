"""Questions about records: lists of them, one of them, and what would become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import (
        Form,
        JobStatus,
        Limit,
        LimitBeside,
        Missing,
        MissingOfClustering,
        Number,
        Records,
        Ref,
        RequestStatus,
        Status,
        Text,
        Time,
        UploadStatus,
        Word,
    )
    from projections.queries import Kind


PAGE = 100


def _page(asking: Asking, kind: Kind, **asked: Any) -> Any:
    from commands.answers.lists import ANSWERS
    from projections.queries import Query

    return ANSWERS[kind](asking.world("lists"), Query(**asked))


def sessions(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[Missing] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Sessions, newest first."""
    return _page(
        asking, "sessions", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def clusterings(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[MissingOfClustering] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Clusterings, newest first; by what one of the sessions that they stand on is, or lacks."""
    return _page(
        asking, "clusterings", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def uploads(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: UploadStatus | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[Missing] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Uploads, newest first; by what one of the sessions that they brought is, or lacks."""
    return _page(
        asking, "uploads", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def requests(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None,
    status: RequestStatus | None = None, decided: bool = False, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Requests that are open; with ``decided`` the others, too. Newest first."""
    wanted = status if status is not None or decided else "requested"
    return _page(
        asking, "requests", subject=subject, user=user, status=wanted, text=text, since=since, until=until,
        after=after, before=before, limit=limit,
    )  # fmt: skip


def record(asking: Asking, ref: Ref) -> Any:
    """One upload, session, clustering or request, whole; or a subject, a probe, a user."""
    if is_named(ref):
        from commands.answers.named import named

        return named(asking.world(), ref)
    world, found = asking.found(ref)
    if found.kind == "deletion":
        from commands.answers.request import request

        return request(world, found.id)
    from commands.answers.record import record

    return record(world, found)


def why(asking: Asking, ref: Ref) -> Any:
    """What a record waits for, or why it failed, and what would resolve it."""
    from commands.answers.why import why

    return why(*asking.found(ref, of_lab=True))


def history(asking: Asking, ref: Ref) -> Any:
    """The events of one record, oldest first; or of a stream by its name in the log, of a subject, a probe, a user."""
    from commands.answers.history import history, named_history, stream_history

    if is_named(ref):
        found = named_history(asking.world(), ref)
        if found is not None:
            return found
    if "/" in ref:
        stream = stream_history(asking.world("nothing"), ref)
        if stream is not None:
            return stream
    return history(*asking.found(ref))


def trace(asking: Asking, ref: Ref, *, limit: LimitBeside = PAGE) -> Any:
    """From a record back to its file, and forward to what stands on it; or from a subject, a probe, a user."""
    from commands.answers.trace import named_trace, trace

    if is_named(ref):
        return named_trace(asking.world(), ref, limit=limit)
    return trace(*asking.found(ref, bound_up=True), limit=limit)


def blame(asking: Asking, ref: Ref) -> Any:
    """For each thing that a record says: which event said so, and on which line of which upload it stands."""
    from commands.answers.blame import blame

    world, found = asking.found(ref)
    if found.kind == "deletion":
        raise Refusal(
            "no-blame", f"{found} is a request: it says only what its own events say.", "See its history",
            NextStep("history", str(found)),
        )  # fmt: skip
    return blame(world, found)


def stored_file(asking: Asking, ref: Ref) -> Any:
    """An uploaded file, byte for byte as it came."""
    from commands.answers.stored_file import stored_file

    return stored_file(*asking.found(ref))


def request(asking: Asking, request_id: Ref) -> Any:
    """A request, its history, and what it takes with it."""
    from commands.answers.request import request
    from projections.references import by_id

    named = by_id(request_id)
    if named is None or named.kind != "deletion":
        raise Refusal("not-found", f'"{request_id}" is not the id of a request.', "Give one such as d70.")
    world, found = asking.found(request_id)
    return request(world, found.id)


def draft(asking: Asking, *, directory: Text, subject: Word | None = None, form: Form = "yaml") -> Any:
    """An input file drafted from session directories: one of a session, or that of a subject."""
    from commands.answers.drafting import drafted, valid_values
    from commands.recordings.search import resolve

    world = asking.world()
    return drafted(
        resolve(directory, asking.roots), subject=subject, form=form, roots=asking.roots,
        values=valid_values(world, subject), position=world.head.size,
    )  # fmt: skip


def would_delete(asking: Asking, *, records: Records) -> Any:
    """What a request for the deletion of these records would take. Nothing is asked for."""
    from commands.answers.request import would_delete

    return would_delete(asking.world(), records)


def jobs(
    asking: Asking, *, status: JobStatus | None = None, folder: Word | None = None, host: Word | None = None,
    after: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """What is pending or waits, oldest first: each look, the next one, and who works now."""
    from commands.answers.jobs import jobs

    if asking.as_of is not None:
        raise Refusal("not-of-the-past", "Who looks at what is known of now alone.", "Leave out the moment.")
    place = None if folder is None else (asking.location(folder) or folder).rstrip("/")
    return jobs(asking.world(), status=status, folder=place, host=host, after=after or 0, limit=limit)


def is_named(ref: str) -> bool:
    """Whether a subject, a probe or a user is meant, by the whole name."""
    return ref.startswith(("subject:", "probe:", "user:"))
