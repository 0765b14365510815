"""Actions about records: what completes them, corrects them, goes on with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.answers.doing.common import bytes_of, number_of, session_of, submitted
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import (
        Content,
        Encoding,
        FileName,
        LocalTime,
        Records,
        SessionRef,
        Text,
        UploadId,
    )


def annotate(
    asking: Asking, command_id: str | None, *, ref: SessionRef, room: Text | None = None,
    project: list[Text] | None = None, notes: Text | None = None,
) -> Any:  # fmt: skip
    """Add room, project or notes that a file left out."""
    from commands.intake.completion import annotate

    return annotate(
        asking.daybook, session_of(asking, ref), roots=asking.roots, room=room, project=tuple(project or ()),
        notes=notes, command_id=command_id,
    )  # fmt: skip


def associate(
    asking: Asking, command_id: str | None, *, ref: SessionRef, association: dict[Text, Text],
    despite_serial: bool = False, reason: Text | None = None,
) -> Any:  # fmt: skip
    """Say which probe is which, for a session that waits."""
    from commands.intake.completion import associate

    return associate(
        asking.daybook, session_of(asking, ref), association, roots=asking.roots,
        despite_serial=despite_serial, reason=reason, command_id=command_id,
    )  # fmt: skip


def settle(
    asking: Asking, command_id: str | None, *, ref: SessionRef, reason: Text, despite_dates: bool = False,
    without: list[Text] | None = None, as_crashed: bool = False, start: LocalTime | None = None,
) -> Any:  # fmt: skip
    """Decide on what the disk contradicts or lacks, for a session that waits."""
    from commands.intake.decisions import settle_session

    return settle_session(
        asking.daybook, session_of(asking, ref), roots=asking.roots, reason=reason, despite_dates=despite_dates,
        without=tuple(without or ()), as_crashed=as_crashed, start=start, command_id=command_id,
    )  # fmt: skip


def add_tasks(
    asking: Asking,
    command_id: str | None,
    *,
    ref: SessionRef,
    content: Content,
    filename: FileName,
    encoding: Encoding = "utf-8",
) -> Any:
    """Add tasks to a session that has none; the file is given as text."""
    from commands.intake.completion import add_tasks

    return add_tasks(
        asking.daybook, session_of(asking, ref), bytes_of(content, encoding), filename=filename,
        roots=asking.roots, limits=asking.limits, command_id=command_id,
    )  # fmt: skip


def add_clustering(
    asking: Asking, command_id: str | None, *, ref: SessionRef, location: Text, curator: Text,
    curation_time: LocalTime | None = None, notes: Text | None = None,
) -> Any:  # fmt: skip
    """Add a single-session clustering to a session."""
    from commands.inputfile.entries import ClusteringEntry
    from commands.intake.completion import add_clustering

    clustering = ClusteringEntry(
        curator=curator, location=location, curation_time=curation_time or True, notes=notes
    )
    return add_clustering(
        asking.daybook, session_of(asking, ref), clustering, roots=asking.roots, command_id=command_id
    )


def amend(
    asking: Asking, command_id: str | None, *, ref: SessionRef, content: Content | None = None,
    filename: FileName | None = None, encoding: Encoding = "utf-8", reason: Text | None = None,
    despite_serial: bool = False, from_disk: bool = False, start: LocalTime | None = None,
) -> Any:  # fmt: skip
    """Add to an inserted session what its file left out, given as text; or what the disk says by now, or the start that
    it should say."""
    from commands.requests.changes.additions import amend
    from commands.requests.changes.from_disk import amend_from_disk

    if from_disk or start is not None:
        if content:
            raise Refusal("both-given", "A file was given, and the disk is to be asked.", "Give one of them.")
        return amend_from_disk(
            asking.daybook, session_of(asking, ref), roots=asking.roots, start=start, reason=reason,
            command_id=command_id,
        )  # fmt: skip
    return amend(
        asking.daybook, session_of(asking, ref), bytes_of(content or "", encoding), filename=filename or "upload.yml",
        roots=asking.roots, reason=reason, despite_serial=despite_serial, limits=asking.limits, command_id=command_id,
    )  # fmt: skip


def correct(
    asking: Asking,
    command_id: str | None,
    *,
    content: Content,
    filename: FileName,
    encoding: Encoding = "utf-8",
    reason: Text | None = None,
) -> Any:
    """Compare a corrected file, given as text, with what is stored; with a reason, request that it replaces it."""
    from commands.answers.correction import correct

    return correct(
        asking.daybook, bytes_of(content, encoding), filename=filename, roots=asking.roots, limits=asking.limits,
        reason=reason, command_id=None if reason is None else command_id,
    )  # fmt: skip


def withdraw(asking: Asking, command_id: str | None, *, records: Records) -> Any:
    """Take back entries of one's own that were never inserted."""
    from commands.requests.withdrawal import Withdraw

    return submitted(asking, Withdraw, command_id, records=records)


def replay(asking: Asking, command_id: str | None, *, ref: UploadId) -> Any:
    """Take the stored bytes of an earlier upload again."""
    from commands.intake.uploading import replay

    return replay(
        asking.daybook,
        number_of(ref),
        roots=asking.roots,
        limits=asking.limits,
        progress=asking.progress,
        command_id=command_id,
    )


def work_off(asking: Asking, command_id: str | None, *, records: Records | None = None) -> Any:
    """Process what is pending, look again at what waits; of these records alone where some are named."""
    from commands.intake.working import work

    return work(
        asking.daybook,
        asking.roots,
        named=tuple(records or ()),
        progress=asking.progress,
        command_id=command_id,
    )
