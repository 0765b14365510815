"""Where the page of each record is. Pure."""

from urllib.parse import quote

_BY_LETTER = {"s": "sessions", "c": "clusterings", "u": "uploads", "d": "requests"}
_BY_NAME = {"subject": "subjects", "probe": "probes", "user": "users"}


def record_address(ref: str) -> str:
    """Of ``s12``, ``c34``, ``u56``, ``d78``, ``subject:NAME``, ``probe:NAME``, ``user:NAME``; whatever else somebody
    calls a record is looked up there."""
    kind, colon, name = ref.partition(":")
    if colon and kind in _BY_NAME:
        return f"/{_BY_NAME[kind]}/{quote(name, safe='')}"
    if ref[:1] in _BY_LETTER and ref[1:].isascii() and ref[1:].isdigit():
        return f"/{_BY_LETTER[ref[0]]}/{ref}"
    return f"/records/{quote(ref, safe='')}"


def event_address(position: int) -> str:
    """Of one event in the log."""
    return f"/log/{position}"


def line_address(upload: str, line: int | None) -> str:
    """Of a line in the stored bytes of an upload."""
    return f"/uploads/{upload}/file" + ("" if line is None else f"?line={line}#L{line}")
