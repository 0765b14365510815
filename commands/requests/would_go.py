"""What a redaction would take, for whoever decides on it. Only the shape."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldGo:
    """What a redaction takes: the texts of an event, by their fields (``entry.notes``, ``found[0].serial``); whether
    the stored file goes with them; and ``copies``, other positions that may well say the same and stay."""

    position: int
    type: str
    stream: str
    actor: str
    recorded_at: str
    texts: dict[str, str]
    file_goes: bool
    copies: list[int]
