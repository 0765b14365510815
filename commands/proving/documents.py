"""Check proofs and receipts, by themselves and against the ledger.

Both are a JSON document, ``daybook/proof/1``, which has one spelling; ``proofs`` makes them. A receipt that was made
without the ledger's key has no checkpoint and no proofs. Reads the ledger, appends nothing.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from commands.proving.bundle_verifier import Malformed, Report, check_event, from_base64, line_of, read_event
from commands.proving.checkpoints import ledger_key, own_checkpoint
from ledger import checkpoint, log, signing_keys
from ledger.checkpoint import Checkpoint
from ledger.database import Transaction
from ledger.envelope import leaf_data, payload_digest
from ledger.errors import IntegrityFailure, Refusal
from ledger.merkle import ProofError, leaf_hash, verify_consistency, verify_inclusion
from ledger.plurals import plural
from ledger.proofs import StoredTree, require_root
from ledger.signing_keys import CheckpointError, KeyKind, PublicKey, public_key_text

PROOF_FORMAT = "daybook/proof/1"
_MEMBERS = ("format", "public_key", "checkpoint", "since", "events")

Plain = dict[str, Any]


def document_text(
    *, public_key: PublicKey, checkpoint: str | None, since: Plain | None = None, events: Sequence[Plain] = ()
) -> str:
    """A proof or receipt, as it is written."""
    values = (PROOF_FORMAT, public_key_text(public_key), checkpoint, since, list(events))
    return _spelled(dict(zip(_MEMBERS, values, strict=True)))


def _spelled(document: Plain) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _read(text: str) -> Plain:
    try:
        document = json.loads(text)
        if (
            not isinstance(document, dict)
            or tuple(document) != _MEMBERS
            or document["format"] != PROOF_FORMAT
        ):
            raise Malformed(f"this is no {PROOF_FORMAT}, which has the members {', '.join(_MEMBERS)}")
        if _spelled(document) != text:
            raise Malformed("the file is not spelled as it was written")
        if not isinstance(document["events"], list):
            raise Malformed("events is not a list")
        for event in document["events"]:
            read_event(line_of(event).encode())
            if (document["checkpoint"] is None) is ("proof" in event):
                raise Malformed(f"event {event['position']}: a proof needs a checkpoint, a checkpoint proofs")
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is not JSON: {error}") from None
    return document


# --- by itself ------------------------------------------------------------------------------------------------------


def verify_document(text: str, *, trust: Sequence[PublicKey] = (), checkpoints: Sequence[str] = ()) -> Report:
    """Check a proof or receipt without the ledger; the witnesses of ``trust`` must have signed its checkpoint.

    ``checkpoints`` were kept elsewhere: each must be the one in the document, or the older one that it continues.
    Raises Malformed for what is no proof, Refusal for another ledger's checkpoint.
    """
    document, report = _read(text), Report()
    try:
        key = signing_keys.parse_public_key(document["public_key"])
        new = _parsed(document["checkpoint"])
        old = _parsed(document["since"] and document["since"]["checkpoint"])
    except (CheckpointError, TypeError, KeyError, AttributeError) as error:
        raise Malformed(str(error).rstrip(".")) from None
    report.origin, report.public_key = key.name, public_key_text(key)
    report.fingerprint = sha256(key.key).hexdigest()
    if report.public_key != document["public_key"] or (old and not new):
        raise Malformed("the file is not spelled as it was written")
    roots: dict[int, bytes] = {}
    if new is not None:
        report.size, report.root, roots[new.size] = new.size, new.root.hex(), new.root
        _check_signed(document["checkpoint"], key, trust, "the checkpoint", report)
    _check_events(document["events"], new, report)
    if old is not None and new is not None:
        _check_signed(document["since"]["checkpoint"], key, (), "the older checkpoint", report)
        if _check_since(old, new, document["since"].get("proof"), report):
            roots[old.size] = old.root
    for each in checkpoints:
        _compare(each, key, roots, report)
    return report


def _parsed(text: str | None) -> Checkpoint | None:
    return None if text is None else checkpoint.parse(text).checkpoint


def _check_signed(
    text: str, key: PublicKey, witnesses: Sequence[PublicKey], what: str, report: Report
) -> None:
    for signer in (key, *witnesses):
        who = (
            f"the {'ledger' if signer.kind is KeyKind.LOG else 'witness'} {signer.name}+{signer.key_id.hex()}"
        )
        try:
            checkpoint.verify(text, [signer], origin=key.name)
        except CheckpointError as error:
            report.add("signature-wrong", f"{who} did not sign {what}: {str(error).rstrip('.')}.")
        else:
            report.checked.append(f"the signature of {who} under {what}")


def _check_events(events: Sequence[Plain], signed: Checkpoint | None, report: Report) -> None:
    for event in events:
        leaf, position = check_event(event, report), event["position"]
        if signed is None:
            continue
        proof = [from_base64(one) for one in event["proof"]]
        try:
            verify_inclusion(leaf=leaf, index=position - 1, size=signed.size, proof=proof, root=signed.root)
        except ProofError as error:
            report.add(
                "not-included", f"Event {position} is not among those that were signed: {error}.", position
            )
    if events:
        report.checked.append("the hash of every payload, the leaf of every event")
        if signed is not None:
            report.checked.append("an inclusion proof for every event")
    if signed is None:
        report.unchecked.append("whether the events are in the ledger: there is no proof of it here")


def _check_since(old: Checkpoint, new: Checkpoint, proof: Any, report: Report) -> bool:
    if not isinstance(proof, list) or any(type(one) is not str for one in proof):
        raise Malformed("since has the members checkpoint and proof, a list of hashes")
    try:
        verify_consistency(
            old_size=old.size,
            old_root=old.root,
            new_size=new.size,
            new_root=new.root,
            proof=[from_base64(one) for one in proof],
        )
    except ProofError:
        text = f"The {new.size:,} do not continue the {plural(old.size, 'event')} before: the past was rewritten."
        report.add("not-consistent", text)
        return False
    report.checked.append(
        f"that the {new.size:,} continue the {plural(old.size, 'event')} of the older checkpoint"
    )
    return True


def _compare(text: str, key: PublicKey, roots: dict[int, bytes], report: Report) -> None:
    """``roots``: what the document proves."""
    kept = checkpoint.parse(text).checkpoint
    what = f"the given checkpoint of {plural(kept.size, 'event')}"
    if kept.origin != key.name:
        raise Refusal(
            "foreign-checkpoint",
            f'This is a checkpoint of the ledger "{kept.origin}"; the file is of "{key.name}".',
            "Give one of that ledger.",
        )
    _check_signed(text, key, (), what, report)
    if kept.size not in roots:
        hint = "Compare it where the ledger is, or have a proof made there that the ledger continues it."
        report.add("not-comparable", f"By itself this file cannot be compared with {what}. {hint}")
    elif roots[kept.size] != kept.root:
        report.add("checkpoint-mismatch", f"It does not agree with {what}: the past was rewritten.")
    else:
        report.checked.append(f"that it agrees with {what}")


# --- against the ledger ---------------------------------------------------------------------------------------------


def check(
    transaction: Transaction, text: str, *, checkpoints: Sequence[str], trust: Sequence[PublicKey]
) -> Report:
    """A proof or receipt by itself, and against the ledger: are its events there, unchanged, and does the ledger still
    continue its checkpoint and the others? Raises Malformed for what is none, Refusal for another ledger's.

    The witnesses of ``trust`` must have signed the receipt's own checkpoint; who signed the others is for the caller.
    """
    key = ledger_key(transaction)
    report = verify_document(text, trust=trust)
    if report.origin != key.name:
        raise Refusal(
            "foreign-receipt",
            f'This is of the ledger "{report.origin}"; this one is "{key.name}".',
            "Choose its ledger.",
        )
    if report.public_key != public_key_text(key):
        report.add("other-key", "It came with another key than the ledger's.")
    document = _read(text)
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
        said = f"that this ledger continues the checkpoint of {plural(signed.size, 'event')}{apart}"
        if said not in report.checked:  # the same checkpoint may come with other signatures
            report.checked.append(said)
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
