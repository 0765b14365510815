"""The input file as a JSON Schema, so that editors complete and check while a user types.

Draft-07, which the YAML language server and every JSON editor understand. The schema takes the shapes that
stage 1 takes; what needs the ledger or the disk is left to validation.
"""

from typing import Any

from commands.inputfile.field_notes import FIELD_NOTES, REQUIRED, FieldNote

SCHEMA_FILE_NAME = "daybook-input-file.schema.json"
YAML_LANGUAGE_SERVER = f"# yaml-language-server: $schema={SCHEMA_FILE_NAME}"
"""The first line of a YAML file that tells an editor to use the schema beside it."""


def schema() -> dict[str, Any]:
    """A new JSON Schema (draft-07) of the input file, as plain JSON values."""
    kinds = {kind: _mapping(kind) for kind in FIELD_NOTES}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Daybook input file",
        **kinds.pop("input file"),
        "definitions": kinds,
    }


def _mapping(kind: str) -> dict[str, Any]:
    notes = FIELD_NOTES[kind]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, note in notes.items() if note.default is REQUIRED],
        "properties": {name: _field(note) for name, note in notes.items()},
    }


def _field(note: FieldNote) -> dict[str, Any]:
    described: dict[str, Any] = {"description": described_field(note)}
    if note.default is not REQUIRED and note.default is not None:
        described["default"] = note.default
    if not note.entries:
        return {**described, **_copied(note.type)}
    entry: dict[str, Any] = {"$ref": f"#/definitions/{note.entries}"}
    if note.entries == "subject":
        return described | {"allOf": [entry]}  # beside a bare $ref, draft-07 ignores the description
    entries = {"type": "array", "items": entry}
    if note.type is None:
        return described | entries
    return described | {"anyOf": [entries, *_copied(note.type)["anyOf"]]}


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return {key: _copied(item) for key, item in value.items()} if hasattr(value, "items") else value


def described_field(note: FieldNote) -> str:
    """One line: is it required, what it is, what it must match."""
    if note.default is REQUIRED:
        start = "Required"
    elif note.required:
        start = f"Required {note.required}"
    elif note.default is None:
        start = "Optional"
    else:
        shown = {True: "true"}.get(note.default, note.default) if note.default != [] else "[]"
        start = f"Optional, default {shown}"
    table = f"; must match {note.table}" if note.table else ""
    what = f": {note.what}" if note.what else ""
    return f"{start}{what}{table}."
