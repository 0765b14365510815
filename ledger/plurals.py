"""Numbers with their nouns, for sentences. Pure."""


def plural(number: int, noun: str) -> str:
    """``1 session``, ``2 sessions``, ``1,000 entries``."""
    ending = "" if number == 1 else "s"
    if number != 1 and noun.endswith("y") and not noun.endswith(("ay", "ey", "oy")):
        noun, ending = noun[:-1], "ies"
    return f"{number:,} {noun}{ending}"
