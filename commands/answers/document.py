"""An answer as JSON: whole, or piece by piece where it holds rows that are still being read. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

import orjson

_PIECE = 1 << 16  # bytes that are handed on at once


def json_pieces(answer: Any, envelope: Mapping[str, Any]) -> Iterator[bytes]:
    """One JSON document in UTF-8, with a newline at its end. A face's own fields (``envelope``) come first; where a
    name is in both, the answer's value counts. Lists that are streamed stand one row a line.
    """
    document = {**envelope, **{field.name: getattr(answer, field.name) for field in fields(answer)}}
    if not any(isinstance(value, Iterator) for value in document.values()):
        yield json_text(document) + b"\n"
        return
    piece = bytearray(b"{")
    for number, (name, value) in enumerate(document.items()):
        piece += b'%s\n  "%s": ' % (b"," if number else b"", name.encode())
        if not isinstance(value, Iterator):
            piece += json_text(value, indent=False)
            continue
        piece += b"["
        for row_number, row in enumerate(value):
            piece += b",\n    " if row_number else b"\n    "
            piece += json_text(row, indent=False)
            if len(piece) >= _PIECE:
                yield bytes(piece)
                piece.clear()
        piece += b"\n  ]" if piece[-1:] != b"[" else b"]"
    yield bytes(piece + b"\n}\n")


def json_text(value: Any, *, indent: bool = True) -> bytes:
    """In UTF-8, without a newline at its end."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except TypeError:  # a lone surrogate or an integer of more than 64 bits, which JSON itself can express
        import json

        separators = None if indent else (",", ":")
        return json.dumps(value, indent=2 if indent else None, separators=separators, default=asdict).encode()


def plain(answer: Any) -> dict[str, Any]:
    """The same as plain data, for a face that renders its fields one by one."""
    return asdict(answer)
