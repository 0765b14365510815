"""The lines of an exported log: CloudEvents 1.0 in JSON, one object a line. Pure: no database, no files.

https://github.com/cloudevents/spec (spec.md and formats/json-format.md). A line is an event of the log, or what
belongs to it: the head and the end of the export, an input file's bytes, a command's receipt, a checkpoint. Every
field of an event's envelope is an attribute; those that are empty are left out, as CloudEvents wants it. ``data`` is
the payload where writing it again as compact JSON gives the very text that was hashed, else the text is in
``data_base64``; a redacted event has neither.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

import orjson

from ledger.envelope import StoredEvent, leaf_data, payload_digest
from ledger.merkle import leaf_hash

HEAD, FILE, RECEIPT, CHECKPOINT, END = (
    f"daybook.{kind}.v1" for kind in ("export", "file", "receipt", "checkpoint", "end")
)
ENDS = "ends"  # in the head of an export whose last line is an END; older versions wrote none
DAMAGED = "damaged"  # in the head of an export that is for people to read: how many problems verify found
_KINDS = (HEAD, FILE, RECEIPT, CHECKPOINT, END)
_JSON, _BYTES = "application/json", "application/octet-stream"
# attribute of CloudEvents -> field of the envelope
_TEXTS = {
    "stream": "stream", "commandid": "command_id", "correlation": "correlation", "actor": "actor", "via": "via",
    "username": "username", "subject": "subject", "time": "recorded_at",
}  # fmt: skip
_MAY_BE_EMPTY = ("correlation", "subject", "username", "actor", "via")
_ATTRIBUTES = {
    "specversion", "id", "source", "type", "datacontenttype", "streamversion", "causation", "payloadsha256",
    "leafsha256", "data", "data_base64", *_TEXTS,
}  # fmt: skip

_WHOLE = re.compile(r"[1-9][0-9]{0,17}")
_LARGEST = 2**31 - 1  # of an Integer in CloudEvents

Plain = dict[str, Any]


class BadLine(ValueError):
    """A line that belongs to no export, or contradicts itself. The message is for people."""


@dataclass(frozen=True, slots=True)
class Line:
    """``event`` with its ``leaf`` hash, or the ``data`` of a line of another ``kind`` (bytes, for a file)."""

    origin: str
    kind: str
    name: str
    event: StoredEvent | None = None
    leaf: bytes = b""
    data: Any = None


def event_line(origin: str, event: StoredEvent) -> bytes:
    line: Plain = {
        "specversion": "1.0",
        "id": f"{origin}-{event.position}",
        "source": origin,
        "type": f"daybook.{event.type}.v{event.schema}",
    }
    line |= {name: text for name, field in _TEXTS.items() if (text := getattr(event, field))}
    line["streamversion"] = event.stream_version
    if event.causation:
        line["causation"] = event.causation
    line["payloadsha256"] = event.payload_sha256.hex()
    line["leafsha256"] = leaf_hash(leaf_data(event[:14])).hex()
    if event.payload is not None:
        line["datacontenttype"] = _JSON
        if _survives(event.payload):
            line["data"] = orjson.Fragment(event.payload)
        else:
            line["data_base64"] = b64encode(event.payload.encode()).decode()
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def other_line(origin: str, kind: str, name: str, data: Plain | bytes) -> bytes:
    """``name`` tells the lines of a kind apart."""
    line: Plain = {
        "specversion": "1.0",
        "id": f"{origin}-{kind.split('.')[1]}-{name}",
        "source": origin,
        "type": kind,
    }
    if isinstance(data, bytes):
        line |= {"datacontenttype": _BYTES, "data_base64": b64encode(data).decode()}
    else:
        line |= {"datacontenttype": _JSON, "data": data}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _survives(payload: str) -> bool:
    """Numbers that no JSON library keeps as they are, or a key that stands twice, would make it another text."""
    try:
        return orjson.dumps(orjson.loads(payload)) == payload.encode()
    except ValueError:
        return False


def read_line(text: bytes) -> Line:
    """Raises BadLine. The payload and the leaf of an event are compared with their hashes."""
    try:
        line = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"this is not JSON ({error})") from None
    if not isinstance(line, dict) or line.get("specversion") != "1.0":
        raise BadLine('this is not a CloudEvent; expected an object with "specversion": "1.0"')
    origin, kind, name = (_text(line, attribute) for attribute in ("source", "type", "id"))
    if not name.startswith(f"{origin}-"):
        raise BadLine(f'the id is "{name}"; expected it to begin with the source, "{origin}-"')
    name = name[len(origin) + 1 :]
    if kind in _KINDS:
        prefix = kind.split(".")[1] + "-"
        if not name.startswith(prefix):
            raise BadLine(f'the id of a {kind} ends in "{name}"; expected {prefix}...')
        data = _bytes(line) if "data_base64" in line else line.get("data")
        if isinstance(data, bytes) is not (kind == FILE) or not isinstance(data, bytes | dict):
            raise BadLine(f"a {kind} has {'data_base64' if kind == FILE else 'an object as data'}")
        return Line(origin, kind, name.removeprefix(prefix), data=data)
    return _event(line, origin, kind, name)


def _event(line: Plain, origin: str, kind: str, name: str) -> Line:
    if unknown := sorted(line.keys() - _ATTRIBUTES):
        raise BadLine(f'an event has no attribute "{unknown[0]}"')
    prefix, _, rest = kind.partition(".")
    event_type, _, schema = rest.rpartition(".v")
    if prefix != "daybook" or not event_type or not _WHOLE.fullmatch(schema) or not _WHOLE.fullmatch(name):
        raise BadLine(f'type "{kind}" and id "{name}" are not those of an event; expected daybook.TYPE.vN')
    if ("data" in line or "data_base64" in line) is not (line.get("datacontenttype") == _JSON):
        raise BadLine(f"the datacontenttype of data is {_JSON}")
    payload = _payload(line)
    digest, leaf = (_digest(line, attribute) for attribute in ("payloadsha256", "leafsha256"))
    if payload is not None and payload_digest(payload) != digest:
        raise BadLine(
            f"the payload of event {name} is not the one that was hashed: it, or its hash, was changed"
        )
    texts = {
        field: _text(line, attribute, empty=attribute in _MAY_BE_EMPTY) for attribute, field in _TEXTS.items()
    }
    event = StoredEvent(
        position=int(name),
        stream_version=_number(line, "streamversion"),
        type=event_type,
        schema=int(schema),
        causation=_number(line, "causation", 0),
        payload_sha256=digest,
        payload=payload,
        **texts,
    )
    if leaf_hash(leaf_data(event[:14])) != leaf:
        raise BadLine(f"event {name} is not the one that its leaf hash was made of: its envelope was changed")
    return Line(origin, kind, name, event, leaf)


def _payload(line: Plain) -> str | None:
    if "data_base64" in line:
        try:
            return _bytes(line).decode()
        except UnicodeDecodeError:
            raise BadLine("the payload in data_base64 is not UTF-8") from None
    return orjson.dumps(line["data"]).decode() if "data" in line else None


def _bytes(line: Plain) -> bytes:
    try:
        return b64decode(_text(line, "data_base64", empty=True), validate=True)
    except ValueError:
        raise BadLine("data_base64 is not base64") from None


def _text(line: Plain, name: str, *, empty: bool = False) -> str:
    text = line.get(name, "" if empty else None)
    if not isinstance(text, str) or not (text or empty):
        raise BadLine(f'the attribute "{name}" is missing, or is not text')
    return text


def _number(line: Plain, name: str, default: int | None = None) -> int:
    number = line.get(name, default)
    if type(number) is not int or not 0 <= number <= _LARGEST:
        raise BadLine(f'the attribute "{name}" is missing, or is not a whole number')
    return number


def _digest(line: Plain, name: str) -> bytes:
    try:
        digest = bytes.fromhex(_text(line, name))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise BadLine(f'the attribute "{name}" is not a sha256 of 64 digits 0-9 a-f')
    return digest
