"""Sign what the ledger holds now: a few lines of text that, kept elsewhere, betray a rewritten past."""

from pathlib import Path

from commands.door import Daybook
from ledger import checkpoint, log
from ledger.errors import Refusal


def make_checkpoint(daybook: Daybook, key_file: Path) -> str:
    """The signed checkpoint of the ledger as it is now, in the C2SP text format. It is stored in the ledger too.

    Asked for twice at the same size it is the same text. Raises Refusal where the key is not this ledger's.
    """
    key = _key(key_file)
    with daybook.database.writing() as transaction:
        head = log.lock_head(transaction)
        row = transaction.run("SELECT text FROM checkpoints WHERE size = ?", (head.size,)).fetchone()
        if row is not None:
            return str(row[0])
        if key.name != head.origin:
            raise Refusal(
                "foreign-key",
                f"{key_file} is the signing key of {key.name}; this ledger is {head.origin}.",
                "Use the key that init wrote for this ledger.",
            )
        text = checkpoint.sign(checkpoint.Checkpoint(head.origin, head.size, head.compact_range.root()), key)
        transaction.run("INSERT INTO checkpoints (size, text) VALUES (?, ?)", (head.size, text))
    return text


def _key(key_file: Path) -> checkpoint.SigningKey:
    try:
        return checkpoint.read_key(key_file)
    except (checkpoint.CheckpointError, OSError) as error:
        raise Refusal(
            "no-key",
            f"The signing key cannot be read: {str(error).rstrip('.')}.",
            f"It was written by init, to {key_file}; whoever ran init has it.",
        ) from error
