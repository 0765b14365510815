"""Times and lists in sentences, the same in every face. Pure."""

from collections.abc import Mapping, Sequence


def shown(recorded_at: str | None) -> str:
    """A time of the log, to the second: ``2026-01-31 14:30:00Z``."""
    return "" if not recorded_at else recorded_at[:19].replace("T", " ") + "Z"


def listed(first: str, further: Sequence[str], most: int = 10) -> str:
    """A sentence with lines below it; of many lines the first ones, and how many more there are."""
    more = [f"... and {len(further) - most:,} more"] if len(further) > most else []
    return "\n".join([first, *further[:most], *more])


def authenticated(via: Mapping[str, str | None]) -> str:
    """How an actor was authenticated: ``os``, ``claimed``, ``token ab12cd``; and on whose behalf he or she acted."""
    token, owner = via.get("token"), via.get("on_behalf_of")
    by = f"{via.get('authentication') or 'claimed'}{f' {token}' if token else ''}"
    return f"{by}, for {owner}" if owner else by
