"""Make proofs and receipts: events with what is needed to show, without the ledger, that they are in it.

Their format, and how they are checked, is in ``commands.proving.documents``. Reads the ledger, appends nothing.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

from commands.door.submit import Daybook
from commands.proving.checkpoints import ledger_key, newest_checkpoint, nothing_signed, own_checkpoint
from commands.proving.documents import Plain, document_text
from ledger import log
from ledger.checkpoint import Checkpoint
from ledger.database import Transaction
from ledger.envelope import StoredEvent, leaf_data, payload_digest
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.merkle import leaf_hash
from ledger.plurals import plural
from ledger.proofs import StoredTree, prove_consistency, prove_inclusion


def prove(
    daybook: Daybook, stream_or_position: str | int, *, checkpoint: str | None, key_file: Path | None
) -> str:
    """A proof that the events of a stream, or the one at a position, are in the ledger.

    Against ``checkpoint``, or else the newest there is. Where a stream went on after the checkpoint, it proves the
    events that the checkpoint covers. Raises Refusal where no checkpoint covers any.
    """
    text = checkpoint if checkpoint is not None else newest_checkpoint(daybook, key_file)
    if text is None:
        raise nothing_signed(key_file)
    with daybook.database.reading() as transaction:
        signed = own_checkpoint(transaction, text)
        events = _events(transaction, stream_or_position)
        covered = [event for event in events if event.position <= signed.size]
        if not covered:
            raise Refusal(
                "not-covered",
                f"Event {events[0].position} came after the checkpoint, which covers {plural(signed.size, 'event')}.",
                "Give a later checkpoint; whoever has the key can make one",
                NextStep("make-checkpoint"),
            )
        fields = list(proven(transaction, covered, signed))
        return document_text(public_key=ledger_key(transaction), checkpoint=text, events=fields)


def receipt(daybook: Daybook, stream: str, *, key_file: Path | None) -> str:
    """What was recorded, for the user who caused it: a proof where the key is there, else the events alone."""
    if key_file is not None and key_file.exists():
        return prove(daybook, stream, checkpoint=None, key_file=key_file)
    with daybook.database.reading() as transaction:
        tree = StoredTree(transaction)
        fields = []
        for event in _events(transaction, stream):
            leaf = leaf_hash(leaf_data(event[:14]))
            if tree(0, event.position - 1) != leaf:
                raise _changed(event)
            fields.append(event_fields(event, leaf))
        return document_text(public_key=ledger_key(transaction), checkpoint=None, events=fields)


def prove_since(daybook: Daybook, old: str, *, key_file: Path | None) -> str:
    """A proof that the ledger only grew since the checkpoint ``old``, up to the newest checkpoint."""
    new = newest_checkpoint(daybook, key_file) or old
    with daybook.database.reading() as transaction:
        before, after = own_checkpoint(transaction, old), own_checkpoint(transaction, new)
        if before.size > after.size:
            raise Refusal(
                "not-covered",
                f"The ledger's newest checkpoint has {plural(after.size, 'event')}, the one given {before.size:,}.",
                "Whoever has the key can make a newer one",
                NextStep("make-checkpoint"),
            )
        proof = prove_consistency(
            StoredTree(transaction),
            old_size=before.size,
            old_root=before.root,
            new_size=after.size,
            new_root=after.root,
        )
        since = {"checkpoint": old, "proof": base64_hashes(proof)}
        return document_text(public_key=ledger_key(transaction), checkpoint=new, since=since)


def proven(transaction: Transaction, events: Iterable[StoredEvent], signed: Checkpoint) -> Iterator[Plain]:
    """The events as they stand in files, each with its inclusion proof."""
    tree = StoredTree(transaction)
    for event in events:
        leaf = leaf_hash(leaf_data(event[:14]))
        proof = prove_inclusion(tree, position=event.position, leaf=leaf, size=signed.size, root=signed.root)
        yield event_fields(event, leaf) | {"proof": base64_hashes(proof)}


def event_fields(event: StoredEvent, leaf: bytes) -> Plain:
    """An event as it stands in proofs and bundles. Raises IntegrityFailure where its payload was changed."""
    if event.payload is not None and payload_digest(event.payload) != event.payload_sha256:
        raise _changed(event)
    return event._asdict() | {
        "payload_sha256": event.payload_sha256.hex(), "payload": event.payload, "leaf_sha256": leaf.hex(),
    }  # fmt: skip


def base64_hashes(proof: Iterable[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in proof]


def _changed(event: StoredEvent) -> IntegrityFailure:
    return IntegrityFailure(
        "event-changed",
        f"Event {event.position} is not the one that was written.",
        "Verify the ledger",
        NextStep("verify"),
    )


def _events(transaction: Transaction, stream_or_position: str | int) -> list[StoredEvent]:
    if isinstance(stream_or_position, str):
        found = log.stored_stream(transaction, stream_or_position)
    else:
        position = stream_or_position
        found = [event for page in log.stored_pages(transaction, position - 1, position) for event in page]
    if not found:
        size = log.read_head(transaction).size
        raise Refusal("not-found", f"There is no event {stream_or_position}.", f"The last event is {size:,}.")
    return found
