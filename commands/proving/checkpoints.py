"""Sign what the ledger holds now: a few lines of text that, kept elsewhere, betray a rewritten past."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from commands.door.freshness import refuse_unfinished
from commands.door.submit import Daybook
from commands.door.world import Result
from ledger import checkpoint, log, signing_keys
from ledger.checkpoint import Checkpoint
from ledger.database import Database, Transaction
from ledger.errors import Conflict, IntegrityFailure, NextStep, Refusal
from ledger.plurals import plural
from ledger.signing_keys import CheckpointError, KeyKind, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointMade(Result):
    """The text of a checkpoint, and the ``file`` that it was written to, if it was."""

    checkpoint: str
    file: str | None = None


def checkpoint_made(text: str, file: str | None) -> CheckpointMade:
    return CheckpointMade(position=checkpoint.parse(text).checkpoint.size, checkpoint=text, file=file)


def make_checkpoint(daybook: Daybook, key_file: Path) -> str:
    """The signed checkpoint of the ledger as it is now, in the C2SP text format. It is stored in the ledger too.

    The same size gives the same text. Raises Refusal where the key is not this ledger's.
    """
    key = _key(key_file)
    with daybook.database.reading() as transaction:
        head = log.read_head(transaction)
        refuse_unfinished(head)
        if (signed := _signed(transaction, head.size)) is not None:
            return signed
    if key.name != head.origin:
        raise Refusal(
            "foreign-key",
            f"{key_file} is the signing key of {key.name}; this ledger is {head.origin}.",
            "Use the key that init wrote for this ledger.",
        )
    # nobody has to wait meanwhile: what was read holds for good
    text = checkpoint.sign(Checkpoint(head.origin, head.size, head.compact_range.root()), key)
    try:
        with daybook.database.writing() as transaction:
            transaction.run("INSERT INTO checkpoints (size, text) VALUES (?, ?)", (head.size, text))
    except Conflict:
        with daybook.database.reading() as transaction:
            return _signed(transaction, head.size) or text
    return text


def _signed(transaction: Transaction, size: int) -> str | None:
    row = transaction.run("SELECT text FROM checkpoints WHERE size = ?", (size,)).fetchone()
    return None if row is None else str(row[0])


def nothing_signed(key_file: Path | None) -> Refusal:
    """To raise where a checkpoint is needed. ``key_file`` is None where nothing is signed, as through a server."""
    why = (
        "nothing is signed through a server" if key_file is None else f"the signing key is not at {key_file}"
    )
    return Refusal(
        "no-checkpoint",
        f"Nothing was signed yet, and {why}.",
        "Whoever has the key can make one",
        NextStep("make-checkpoint"),
    )


def newest_checkpoint(daybook: Daybook, key_file: Path | None) -> str | None:
    """A new one where the key is there; else the newest stored one, if there is any."""
    if key_file is not None and key_file.exists():
        return make_checkpoint(daybook, key_file)
    with daybook.database.reading() as transaction:
        row = transaction.run("SELECT text FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def ledger_key(transaction: Transaction) -> PublicKey:
    """The key that signs this ledger's checkpoints, as its first event says."""
    row = transaction.run("SELECT payload FROM events WHERE position = 1").fetchone()
    try:
        return signing_keys.parse_public_key(orjson.loads(row[0])["public_key"])
    except (ValueError, KeyError, TypeError) as error:  # CheckpointError and JSONDecodeError are ValueErrors
        raise IntegrityFailure(
            "no-key",
            "Event 1 does not say which key signs the checkpoints.",
            "Verify the ledger",
            NextStep("verify"),
        ) from error


def own_checkpoint(transaction: Transaction, text: str) -> Checkpoint:
    """A checkpoint from elsewhere, if this ledger's key signed it and the ledger has reached its size.

    Raises Refusal where it is another ledger's, or signed by somebody else, and IntegrityFailure where events of it
    are gone. Its root is not compared.
    """
    key = ledger_key(transaction)
    found = checkpoint.parse(text).checkpoint
    if found.origin != key.name:
        raise _foreign(found.origin, key.name)
    try:
        checkpoint.verify(text, [key])
    except CheckpointError as error:
        raise Refusal(
            "checkpoint-unsound",
            f"The checkpoint is not this ledger's: {str(error).rstrip('.')}.",
            "Get it again from where it was kept.",
        ) from error
    (size,) = transaction.run("SELECT max(position) FROM events").fetchone()
    if found.size > size:
        raise IntegrityFailure(
            "events-missing",
            f"A checkpoint of {plural(found.size, 'event')} was signed, but the ledger has {size:,}.",
            "Compare the ledger with a checkpoint that was kept",
            NextStep("verify", arguments={"checkpoint": None}),
        )
    return found


def signers(
    url: str, kept: Mapping[str, str], trust: Sequence[PublicKey]
) -> tuple[PublicKey | None, list[dict[str, Any]]]:
    """The ledger's key, and who signed the checkpoints in ``kept`` (by name), as far as the keys are known: the
    ledger's, and those in ``trust``. Raises Refusal for a checkpoint of another ledger, or one that a trusted witness
    has not signed.
    """
    key, origins = _who_signs(url)
    found: list[dict[str, Any]] = []
    for name, text in kept.items():
        signed = checkpoint.parse(text)
        if origins and signed.checkpoint.origin not in origins:
            raise _foreign(signed.checkpoint.origin, origins[0])
        require_cosigned(name, text, trust)
        known = {(each.name, each.key_id): each for each in (*([key] if key else []), *trust)}
        for signature in signed.signatures:
            by = known.get((signature.name, signature.key_id))
            at = int.from_bytes(signature.payload[:8], "big") if by and by.kind is KeyKind.WITNESS else None
            found.append(
                {
                    "checkpoint": name,
                    "size": signed.checkpoint.size,
                    "name": signature.name,
                    "key_id": signature.key_id.hex(),
                    "by": "unknown" if by is None else "ledger" if by == key else "witness",
                    "cosigned_at": None if at is None else datetime.fromtimestamp(at, UTC).isoformat(),
                }
            )
    return key, found


def origins(url: str) -> list[str]:
    """What the head row and the first event call the ledger: one name, unless one of them was changed."""
    return list(dict.fromkeys(_who_signs(url)[1]))


def _who_signs(url: str) -> tuple[PublicKey | None, list[str]]:
    """The ledger's key, and what its head and its first event call it; as far as they are intact: verify says more."""
    key, origins = None, []
    database = Database(url)
    try:
        with database.reading() as transaction:
            row = transaction.run("SELECT origin FROM head").fetchone()
            origins = [] if row is None else [str(row[0])]
            key = ledger_key(transaction)
            origins.append(key.name)
    except IntegrityFailure:
        pass
    finally:
        database.close()
    return key, origins


def require_cosigned(name: str, text: str, witnesses: Iterable[PublicKey]) -> None:
    """Raises Refusal unless each of the witnesses signed the checkpoint called ``name``."""
    for witness in witnesses:
        try:
            checkpoint.verify(text, [witness])
        except CheckpointError as error:
            raise Refusal(
                "not-cosigned",
                f"{name} is not signed by the witness {witness.name}: {str(error).rstrip('.')}.",
                "Give the copy that the witness returned.",
            ) from error


def _foreign(found: str, origin: str) -> Refusal:
    return Refusal(
        "foreign-checkpoint",
        f'This is a checkpoint of the ledger "{found}"; this one is "{origin}".',
        "Give a checkpoint of this ledger, or choose its ledger.",
    )


def _key(key_file: Path) -> signing_keys.SigningKey:
    try:
        return signing_keys.read_key(key_file)
    except (CheckpointError, OSError) as error:
        raise Refusal(
            "no-key",
            f"The signing key cannot be read: {str(error).rstrip('.')}.",
            f"It was written by init, to {key_file}; whoever ran init has it.",
        ) from error
