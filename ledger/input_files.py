"""The bytes of uploaded input files, by their sha256. The only module that writes the table ``input_files``."""

from hashlib import sha256

from ledger.database import Transaction
from ledger.errors import IntegrityFailure, NextStep, Refusal


def keep(transaction: Transaction, content: bytes) -> str:
    """Store the bytes if they are not there yet, and return their sha256 as 64 hexadecimal digits."""
    digest = sha256(content).hexdigest()
    transaction.run(
        "INSERT INTO input_files (sha256, content) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
        (digest, content),
    )
    return digest


def fetch(transaction: Transaction, digest: str) -> bytes:
    """The bytes exactly as they came. Raises Refusal where they were erased, IntegrityFailure where they are missing
    or no longer match.
    """
    row = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()
    if row is None:
        erased = transaction.run(
            "SELECT recorded_at FROM events WHERE stream = ? ORDER BY stream_version DESC LIMIT 1",
            (f"input-file/{digest}",),
        ).fetchone()
        if erased is not None:
            raise Refusal(
                "bytes-erased",
                f"The bytes of input file {digest} were removed with a redaction at {erased[0]}.",
                "What was ingested from it stays",
                NextStep("log", arguments={"type": "InputFileErased"}),
            )
        raise IntegrityFailure(
            "bytes-missing",
            f"The bytes of input file {digest} are missing.",
            "Verify the ledger",
            NextStep("verify"),
        )
    content = bytes(row[0])
    if sha256(content).hexdigest() != digest:
        raise IntegrityFailure(
            "bytes-changed",
            f"The bytes of input file {digest} were changed.",
            "Verify the ledger",
            NextStep("verify"),
        )
    return content


def erase(transaction: Transaction, digest: str) -> None:
    """Remove the bytes, after the InputFileErased event that names them: the database refuses it otherwise."""
    transaction.run("DELETE FROM input_files WHERE sha256 = ?", (digest,))


def erased(transaction: Transaction, digest: str) -> bool:
    """Whether a redaction erased the bytes of this input file. A file that is missing otherwise fails when it is
    fetched.
    """
    row = transaction.run(
        "SELECT (SELECT count(*) FROM input_files WHERE sha256 = ?), "
        "(SELECT count(*) FROM events WHERE stream = ? AND type = 'InputFileErased')",
        (digest, f"input-file/{digest}"),
    ).fetchone()
    return bool(not row[0] and row[1])
