"""The whole way of one input file: check it, accept or reject it, process what is new, and say what the ledger holds.

Reading, checking and the disk come first and outside of any lock.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from commands.door.command import checked_command_id
from commands.door.permission import require_owner, require_writer
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import World
from commands.inputfile.kept_findings import plain_more
from commands.inputfile.read import Limits
from commands.intake.accepting import AcceptInputFile, RejectInputFile, Taken, in_runs, look_at_duplicates
from commands.intake.at_fault import AtFault
from commands.intake.checking import too_large
from commands.intake.kept_file import Kept, carried_out_at, kept_of
from commands.intake.looking_again import look_again, open_among
from commands.intake.nested import Finder
from commands.intake.settling import settle
from commands.intake.upload_report import UploadReport, report_at
from commands.intake.validation import Validation, check_file
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from commands.stored import stored_bytes
from ledger import log
from ledger.errors import Conflict, NextStep, Refusal
from projections.records import Upload

_ATTEMPTS = 10
Progress = Callable[[int, int], None]


def upload(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress = lambda done, total: None,
    replayed: Upload | None = None,
    command_id: str | None = None,
) -> UploadReport:
    """Validate, accept or reject, and process: the whole way of one input file.

    Killed anywhere, the same call again finishes the job: an entry that was accepted and not processed is a
    duplicate that is still pending, and is processed now. With the same command id it is the same upload, and the
    answer is the first one. ``replayed`` is the upload that the bytes are from.
    """
    taken, steps, is_new = _taken_in(
        daybook, data, filename=filename, roots=roots, limits=limits, replayed=replayed, command_id=command_id
    )
    if taken.accepted and (is_new or not _is_processed(daybook, taken)):
        _go_on(daybook, taken, steps, roots, progress)
    return report_at(daybook, taken, steps)


def take_in(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    command_id: str | None = None,
) -> UploadReport:
    """Validate, and accept or reject: what is new waits for ``go_on``, whoever calls it."""
    taken, steps, _ = _taken_in(
        daybook, data, filename=filename, roots=roots, limits=limits, replayed=None, command_id=command_id
    )
    return report_at(daybook, taken, steps)


def go_on(
    daybook: Daybook, number: int, *, roots: Roots, progress: Progress = lambda done, total: None
) -> UploadReport:
    """Process what is open of an upload, under the id of the command that took it in. Raises Refusal where no upload of
    that number came in by itself."""
    taken, steps = _taken_before(daybook, number)
    if taken.accepted and not _is_processed(daybook, taken):
        _go_on(daybook, taken, steps, roots, progress)
    return report_at(daybook, taken, steps)


def report_of(daybook: Daybook, number: int) -> UploadReport:
    """What the ledger holds of an upload by now. Raises as ``go_on``."""
    return report_at(daybook, *_taken_before(daybook, number))


def _taken_before(daybook: Daybook, number: int) -> tuple[Taken, Steps]:
    with daybook.reading() as world:
        events = log.read_stream(world.transaction, f"upload/{number}")
        found = log.read_receipt(world.transaction, events[0].command_id) if events else None
    if not events:
        raise Refusal("not-found", f"There is no upload u{number}.", "", NextStep("list-uploads"))
    try:
        taken = TypeAdapter(Taken).validate_json("" if found is None else found[3])
    except ValidationError:
        raise Refusal(
            "not-by-itself",
            f"u{number} came in with a correction.",
            "See what it did",
            NextStep("show", f"u{number}"),
        ) from None
    return taken, Steps(daybook, events[0].command_id, repeatable=True)


def _go_on(daybook: Daybook, taken: Taken, steps: Steps, roots: Roots, progress: Progress) -> None:
    sessions, clusterings = _open(daybook, taken)
    # with nothing open too: an upload that was killed before its last step is finished here
    settle(daybook, roots, steps, sessions=sessions, clusterings=clusterings, progress=progress)
    look_again(daybook, roots, steps, _looked_for(daybook, taken))


def _taken_in(
    daybook: Daybook, data: bytes, *, filename: str, roots: Roots, limits: Limits, replayed: Upload | None,
    command_id: str | None,
) -> tuple[Taken, Steps, bool]:  # fmt: skip
    """Which records the entries stand for, and whether this call took the file in, not one before it."""
    steps = Steps(daybook, checked_command_id(command_id), repeatable=command_id is not None)
    daybook.require(lambda world: require_writer(world, "upload input files"))
    file = _File(daybook, data, shown(filename), roots, limits)
    command: dict[str, Any] = {"command_id": steps.command_id}
    command["replays"] = None if replayed is None else replayed.id
    if steps.repeatable and (before := carried_out_at(daybook, steps.command_id)) is not None:
        kept = file.kept(before=before)
        earlier = daybook.earlier(AcceptInputFile.model_construct(**command, **_of(kept)))
        if earlier is not None:
            return earlier.result, steps, False
    owner = replayed.username if replayed else daybook.actor.owner
    return _take(daybook, command, file, owner), steps, True


@dataclass(frozen=True, slots=True)
class _File:
    """An input file as it came."""

    daybook: Daybook
    data: bytes
    filename: str
    roots: Roots
    limits: Limits

    def kept(self, *, finder: Finder | None = None, before: int | None = None) -> Kept:
        return kept_of(
            self.daybook, self.data, filename=self.filename, roots=self.roots, limits=self.limits, finder=finder,
            before=before,
        )  # fmt: skip


def _of(kept: Kept) -> dict[str, Any]:
    """What the commands say of it."""
    return {
        "content": kept.data,
        "filename": kept.filename,
        "looked_at": kept.at,
        "blanked": [each.plain() for each in kept.blanked],
    }


def upload_too_large(size_bytes: int, limits: Limits, *, filename: str) -> UploadReport | None:
    """What an upload answers for a file beyond the limit, which is neither read to its end nor kept."""
    found = too_large(size_bytes, limits)
    return (
        None
        if found is None
        else UploadReport(ok=False, upload=None, filename=shown(filename), findings=[found])
    )


def _take(daybook: Daybook, command: dict[str, Any], file: _File, owner: str) -> Taken:
    at_fault = AtFault(daybook)
    for attempt in range(1, _ATTEMPTS + 1):
        finder = Finder(file.roots)
        kept = file.kept(finder=finder)
        whole = command | _of(kept)
        validation, standing = check_file(
            daybook, kept.read, file.roots, owner, newest=command["replays"] is None, finder=finder,
            notices=kept.notices, at_fault=at_fault,
            then=lambda found: look_at_duplicates(daybook, found, file.roots) if found.ok else None,
        )  # fmt: skip
        try:
            if not validation.ok:
                return daybook.submit(_rejection(validation, whole)).result
            return daybook.submit(AcceptInputFile(**whole, validation=validation, standing=standing)).result
        except Conflict as conflict:
            if conflict.code != "ledger-moved" or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _rejection(validation: Validation, command: dict[str, Any]) -> RejectInputFile:
    return RejectInputFile(
        **command,
        subject=validation.subject,
        stage=validation.stage,
        findings=[asdict(finding) for finding in validation.findings],
        more=plain_more(validation.more),
    )


def _open(daybook: Daybook, taken: Taken) -> tuple[list[int], list[int]]:
    """The sessions and clusterings of the file that are not settled."""
    with daybook.reading() as world:
        state = world.state
        pairs = ((state.sessions, taken.sessions), (state.clusterings, taken.clusterings))
        found: list[list[int]] = []
        for rows, its_runs in pairs:
            numbers = [number for _, number in in_runs(its_runs)]
            rows.prefetch(numbers)
            found.append([number for number in numbers if rows[number].status in ("pending", "waiting")])
    return found[0], found[1]


def _looked_for(daybook: Daybook, taken: Taken) -> list[int]:
    """The sessions of the file that were inserted before, and of which something is looked for."""
    with daybook.reading() as world:
        numbers = [number for _, number in in_runs(taken.sessions)]
        return open_among(
            world, numbers, before=taken.upload, owner=world.state.uploads[taken.upload].username
        )


def _is_processed(daybook: Daybook, taken: Taken) -> bool:
    with daybook.reading() as world:
        return world.state.uploads[taken.upload].status == "processed"


def replay(
    daybook: Daybook,
    number: int,
    *,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress = lambda done, total: None,
    command_id: str | None = None,
) -> UploadReport:
    """Take the stored bytes of an earlier upload again, against the ledger and the disk as they are now.

    A new upload, of the same owner whoever asks. Raises Refusal where there is no such upload, or its bytes were
    erased.
    """

    def owned(world: World) -> None:
        row = world.state.uploads.get(number)
        require_owner(world, "replay an upload", [] if row is None else [row])

    daybook.require(owned)
    with daybook.reading() as world:
        earlier = world.state.uploads.get(number)
        if earlier is None:
            raise Refusal("not-found", f"There is no upload u{number}.", "", NextStep("list-uploads"))
        first = earlier if earlier.replays is None else world.state.uploads[earlier.replays]
        data = stored_bytes(world, earlier)
    return upload(
        daybook, data, filename=first.filename, roots=roots, limits=limits, progress=progress, replayed=first,
        command_id=command_id,
    )  # fmt: skip
