"""The base of what every command answers. Imports nothing, so that its types can be described without a ledger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command answers; each command has a dataclass of its own. Receipts keep it for good, beside the log,
    out of the reach of any redaction: it holds ids, numbers, names and the program's own words, never a text that
    somebody wrote.

    ``position`` is how many events the ledger had when the command was carried out, its own among them; the door
    fills it in.
    """

    ok: bool = True
    position: int = 0
