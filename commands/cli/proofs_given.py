"""Checkpoints, keys and proofs that come as files, for the verbs that check or continue them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli.output import file_name, printable
from commands.cli.sources import read_source

if TYPE_CHECKING:
    from ledger.signing_keys import PublicKey


_LARGEST_PROOF = 1 << 26


def read_checkpoint(file: str) -> str:
    from ledger.checkpoint import MAX_TEXT_BYTES, parse
    from ledger.signing_keys import CheckpointError

    data = read_source(file, MAX_TEXT_BYTES).data
    try:
        parse(data)
    except CheckpointError as error:
        raise click.UsageError(f"{printable(file)} is no checkpoint: {error}") from None
    return data.decode()


def public_key_given(text: str) -> "PublicKey":
    from ledger.signing_keys import CheckpointError, parse_public_key

    try:
        return parse_public_key(text)
    except CheckpointError as error:
        raise click.UsageError(f"This is no public key: {str(error).rstrip('.')}.") from None


def witness_key_given(text: str) -> "PublicKey":
    from ledger.signing_keys import KeyKind

    key = public_key_given(text)
    if key.kind is not KeyKind.WITNESS:
        raise click.UsageError(f"{printable(key.name)} is the key of a ledger; --trust takes a witness's.")
    return key


def proof_in(file: str) -> bytes:
    data = read_source(file, _LARGEST_PROOF).data
    if len(data) > _LARGEST_PROOF:
        raise click.UsageError(
            f"{file_name(file)} is no receipt or proof: it is larger than {_LARGEST_PROOF:,} bytes."
        )
    return data


def read_proof(file: str) -> Any:
    import orjson

    try:
        return orjson.loads(proof_in(file))
    except orjson.JSONDecodeError:
        raise click.UsageError(f"{printable(file)} is no proof: it is not JSON.") from None


def kind_of(file: str) -> tuple[str, str] | None:
    """What a file of another kind than it was given as is, and the option of ``verify`` that takes it; None where
    that is not plain to see."""
    try:
        with Path(file).open("rb") as stream:
            head = stream.read(2_000)
    except OSError:
        return None
    if b"\n\n\xe2\x80\x94 " in head and head.count(b"\n", 0, head.index(b"\n\n")) >= 2:
        return "a checkpoint", "--checkpoint"
    if head.startswith(b"PK") and b"checkpoint.txt" in head[:100]:
        return "a bundle", "--bundle"
    return ("a receipt or proof", "--receipt") if b'"format": "daybook/proof/' in head else None
