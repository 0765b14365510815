"""Proofs and receipts: events with what is needed to show, without the ledger, that they are in it.

Both are one JSON document, ``daybook/proof/1``, which ``commands.bundle_verifier`` defines, reads and checks; a receipt
that was made without the ledger's key has no checkpoint and no proofs. Reads the ledger, appends nothing.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from commands.bundle_verifier import PROOF_FORMAT, Elsewhere, Report, document_text, verify_document
from commands.checkpoints import ledger_key, newest_checkpoint, own_checkpoint
from commands.door import Daybook
from ledger import log
from ledger.checkpoint import Checkpoint, public_key_text
from ledger.database import Transaction
from ledger.envelope import StoredEvent, leaf_data, payload_digest
from ledger.errors import IntegrityFailure, Refusal
from ledger.merkle import leaf_hash
from ledger.proofs import StoredTree, prove_consistency, prove_inclusion, require_root

Plain = dict[str, Any]


def prove(daybook: Daybook, stream_or_position: str | int, *, checkpoint: str | None, key_file: Path) -> str:
    """A proof that the events of a stream, or the one at a position, are in the ledger.

    Against ``checkpoint``, or else the newest there is. Of a stream that went on after the checkpoint, the events that
    it covers. Raises Refusal where there is no checkpoint that covers any.
    """
    text = checkpoint if checkpoint is not None else newest_checkpoint(daybook, key_file)
    if text is None:
        raise Refusal(
            "no-checkpoint",
            f"Nothing was signed yet, and the signing key is not at {key_file}.",
            "Ask whoever has the key to run: daybook checkpoint",
        )
    with daybook.database.reading() as transaction:
        signed = own_checkpoint(transaction, text)
        events = _events(transaction, stream_or_position)
        covered = [event for event in events if event.position <= signed.size]
        if not covered:
            raise Refusal(
                "not-covered",
                f"Event {events[0].position} came after the checkpoint, which covers {signed.size} events.",
                "Give a later checkpoint; whoever has the key can make one: daybook checkpoint",
            )
        fields = list(proven(transaction, covered, signed))
        return _document(transaction, text, events=fields)


def receipt(daybook: Daybook, stream: str, *, key_file: Path) -> str:
    """What was recorded, for whoever caused it to be: a proof where the key is there, else the events alone."""
    if key_file.exists():
        return prove(daybook, stream, checkpoint=None, key_file=key_file)
    with daybook.database.reading() as transaction:
        tree = StoredTree(transaction)
        fields = []
        for event in _events(transaction, stream):
            leaf = leaf_hash(leaf_data(event[:14]))
            if tree(0, event.position - 1) != leaf:
                raise _changed(event)
            fields.append(event_fields(event, leaf))
        return _document(transaction, None, events=fields)


def prove_since(daybook: Daybook, old: str, *, key_file: Path) -> str:
    """A proof that the ledger only grew since the checkpoint ``old``, up to the newest checkpoint."""
    new = newest_checkpoint(daybook, key_file) or old
    with daybook.database.reading() as transaction:
        before, after = own_checkpoint(transaction, old), own_checkpoint(transaction, new)
        if before.size > after.size:
            raise Refusal(
                "not-covered",
                f"The newest checkpoint in the ledger has {after.size} events, the one given {before.size}.",
                "Whoever has the key can make a newer one: daybook checkpoint",
            )
        proof = prove_consistency(
            StoredTree(transaction),
            old_size=before.size,
            old_root=before.root,
            new_size=after.size,
            new_root=after.root,
        )
        return _document(transaction, new, since={"checkpoint": old, "proof": base64_hashes(proof)})


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
        "event-changed", f"Event {event.position} is not the one that was written.", "Run: daybook verify"
    )


def _events(transaction: Transaction, stream_or_position: str | int) -> list[StoredEvent]:
    if isinstance(stream_or_position, str):
        found = log.stored_stream(transaction, stream_or_position)
    else:
        position = stream_or_position
        found = [event for page in log.stored_pages(transaction, position - 1, position) for event in page]
    if not found:
        size = log.read_head(transaction).size
        raise Refusal(
            "not-found", f"There is no event {stream_or_position}.", f"The ledger has the events 1 to {size}."
        )
    return found


def _document(
    transaction: Transaction,
    text: str | None,
    *,
    events: list[Plain] | None = None,
    since: Plain | None = None,
) -> str:
    return document_text(
        {
            "format": PROOF_FORMAT,
            "public_key": public_key_text(ledger_key(transaction)),
            "checkpoint": text,
            "since": since,
            "events": events or [],
        }
    )


# --- checking one against the ledger --------------------------------------------------------------------------------


def check(transaction: Transaction, text: str, *, checkpoints: Sequence[str], trust: Sequence[str]) -> Report:
    """A proof or receipt by itself, and against the ledger: are its events there, unchanged, and does the ledger still
    continue its checkpoint and the others? Raises Malformed for what is none, Refusal for another ledger's.

    The witnesses of ``trust`` must have signed the receipt's own checkpoint; who signed the others is for the caller.
    """
    key = ledger_key(transaction)
    report = verify_document(text, Elsewhere(trust=trust))
    if report.origin != key.name:
        raise Refusal(
            "foreign-receipt",
            f'This is of the ledger "{report.origin}"; this one is "{key.name}".',
            "Give its ledger with --db.",
        )
    if report.public_key != public_key_text(key):
        report.add("other-key", "It came with another key than the ledger's.")
    document = orjson.loads(text)
    positions = [event["position"] for event in document["events"]]
    intact = [_in_ledger(transaction, event, report) for event in document["events"]]
    if intact and all(intact):
        report.checked.append("that the events are in this ledger, unchanged")
    if not document["checkpoint"]:
        report.unchecked.clear()
    since = document["since"]
    own = [each for each in (document["checkpoint"], since and since["checkpoint"]) if each]
    tree = StoredTree(transaction)
    for one in dict.fromkeys((*own, *checkpoints)):
        try:
            signed = own_checkpoint(transaction, one)
            require_root(tree, size=signed.size, root=signed.root)
        except IntegrityFailure as failure:
            report.add("checkpoint-mismatch", failure.message)
            continue
        late = [position for position in positions if position > signed.size]
        apart = f", which does not cover event {late[0]}" if late else ""
        report.checked.append(f"that this ledger continues the checkpoint of {signed.size} events{apart}")
    return report


def _in_ledger(transaction: Transaction, event: Plain, report: Report) -> bool:
    position = event["position"]
    row = transaction.run("SELECT leaf_sha256 FROM events WHERE position = ?", (position,)).fetchone()
    found = next((e for page in log.stored_pages(transaction, position - 1, position) for e in page), None)
    if row is None or found is None:
        report.add("position-missing", f"The ledger has no event {position}.", position)
        return False
    leaves = {bytes(row[0]).hex(), leaf_hash(leaf_data(found[:14])).hex(), event["leaf_sha256"]}
    intact = found.payload is None or payload_digest(found.payload) == found.payload_sha256
    if len(leaves) > 1 or not intact:
        report.add(
            "event-changed", f"Event {position} of the ledger is not the one of the receipt.", position
        )
    return len(leaves) == 1 and intact
