"""What every command answers. Imports nothing: its types are described without a ledger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command answers; each has a dataclass of its own. Receipts keep it for good, beside the log, where no
    redaction reaches it: it holds ids, numbers, names and our own words, and nothing that somebody wrote.

    ``position`` is how many events the ledger had when the command was carried out, its own among them; the door
    fills it in.
    """

    ok: bool = True
    position: int = 0
