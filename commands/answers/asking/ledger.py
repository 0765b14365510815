"""Questions about the whole ledger: its log, how it stands, what changed, and whether it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.answers.asking.records import PAGE
from commands.answers.times import moment_of
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import (
        Authentication,
        By,
        Checkpoint,
        Content,
        Day,
        Encoding,
        LimitOfLog,
        MomentText,
        Number,
        Position,
        Ref,
        Text,
        Time,
        Word,
    )


def log(
    asking: Asking, *, actor: Word | None = None, type: Word | None = None, subject: Word | None = None,  # noqa: A002
    since: Time | None = None, until: Time | None = None, text: Word | None = None, after: Number | None = None,
    before: Number | None = None, authentication: Authentication | None = None,
    within: Position | None = None, limit: LimitOfLog = PAGE,
) -> Any:  # fmt: skip
    """The newest events of the whole ledger, the oldest of them first; with ``after`` alone the oldest behind it.
    With ``within`` it looks through so many positions at most, and says where to look on."""
    from commands.answers.log import Matching, log

    matching = Matching(
        actor=actor,
        type=type,
        subject=subject,
        since=since,
        until=until,
        text=text,
        authentication=authentication,
    )
    return log(asking.world("nothing"), matching, after=after, before=before, limit=limit, within=within)


def status(asking: Asking, *, of: Word | None = None, kept: bool = True) -> Any:
    """How things stand: what waits, what failed, what is open for one's decision. ``of`` is whose records are meant;
    ``kept``: look for the checkpoints that are kept by themselves, too."""
    from commands.answers.status import status

    checkpoints = asking.checkpoints if kept else None
    return status(asking.world(), of=of, now=datetime.now(UTC), checkpoints=checkpoints)


def audit(asking: Asking, *, by: By | None = None, since: Day | None = None, until: Day | None = None) -> Any:
    """Uploads, inserts, deletions and refusals, counted by days (UTC)."""
    from commands.answers.audit import audit

    first, last = (day.isoformat() if day is not None else "" for day in (since, until))
    return audit(asking.world("counts"), by, since=first, until=last)


def diff(
    asking: Asking, *, start: MomentText, end: MomentText | None = None, subject: Word | None = None,
    user: Word | None = None,
) -> Any:  # fmt: skip
    """What changed between two moments, and by whom: positions of the log, or times."""
    from commands.answers.diff import diff

    moments = (None if text is None else moment_of(text) for text in (start, end))
    return diff(asking.world(), *moments, subject=subject, user=user)


def what_if(asking: Asking, *, without: Ref) -> Any:
    """How the ledger would stand had something never happened."""
    from commands.answers.what_if import what_if

    return what_if(asking.world(), without, roots=asking.roots, limits=asking.limits)


def verified(
    asking: Asking, *, checkpoints: list[Checkpoint] | None = None, names: list[Text] | None = None,
    trust: list[Text] | None = None, lists: bool | None = None,
) -> Any:  # fmt: skip
    """Recompute the whole ledger, and say what does not hold: also against ``checkpoints`` that were kept elsewhere,
    each called by one of ``names`` where there are any; ``trust`` are keys of witnesses that have to have signed them.
    Without ``lists`` these are compared with the events unless there are very many."""
    from commands.answers.verified import kept_under, public_keys, verified

    return verified(asking.url, kept=kept_under(checkpoints, names), trust=public_keys(trust), lists=lists)


def verified_proof(
    asking: Asking, *, content: Content, encoding: Encoding = "utf-8", checkpoints: list[Checkpoint] | None = None,
    names: list[Text] | None = None, trust: list[Text] | None = None,
) -> Any:  # fmt: skip
    """Whether a receipt or a proof holds, by itself and against the ledger; else as of the whole ledger."""
    from commands.answers.doing.common import bytes_of
    from commands.answers.verified import kept_under, public_keys, verified_proof
    from commands.proving.bundle_verifier import Malformed

    text = bytes_of(content, encoding).decode("utf-8", "replace")
    kept = kept_under(checkpoints, names)
    try:
        return verified_proof(asking.url, text, kept=kept, trust=public_keys(trust))
    except Malformed as error:
        raise Refusal("malformed", f"{error}.", "Get it again from where it was kept.") from None


def proof(asking: Asking, ref: Ref, *, checkpoint: Checkpoint | None = None, or_events: bool = False) -> Any:
    """That the events of a record, a stream or a position are in the ledger: a file that can be verified. Under the
    newest ``checkpoint``, unless one is given. With ``or_events`` the events alone where the signing key is not."""
    from commands.answers.proof import proof_of, receipt_of
    from commands.answers.verified import require_checkpoint

    require_checkpoint(checkpoint)
    if or_events:
        return receipt_of(asking.daybook, asking.stream(ref), key_file=asking.key_file)
    what = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 19 else asking.stream(ref)
    return proof_of(asking.daybook, what, key_file=asking.key_file, checkpoint=checkpoint)


def proof_since(asking: Asking, *, checkpoint: Checkpoint) -> Any:
    """That nothing before this checkpoint was rewritten: a file that can be verified."""
    from commands.answers.proof import proof_since
    from commands.answers.verified import require_checkpoint

    require_checkpoint(checkpoint)
    return proof_since(asking.daybook, checkpoint, key_file=asking.key_file)


def checkpoint(asking: Asking) -> Any:
    """The newest checkpoint, and how many events came since."""
    from commands.answers.checkpoint import checkpoint_state

    return checkpoint_state(asking.world("nothing"), asking.checkpoints)
