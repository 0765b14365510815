"""What a redaction keeps of an event's body: its shape, and nothing that anybody wrote. Pure.

The rule, for every field, also for one that is added later:

- None, booleans and numbers stay, and so does the length of every list.
- A text becomes ``(redacted)``. Where projections need a key that is taken once, it becomes ``(redacted) 57``, with the
  position; a name in a list becomes ``(redacted) 1``, with its place.
- Four kinds of text stay, because they are the program's and never a person's: a word of a closed vocabulary
  (``VOCABULARY``), an id of a record (s12), a sha256 of a whole file, and at the top of the body what the event's
  stream or subject says as well, or a stream of the subject's other name, which no redaction can remove.
- The names of fields stay (``NESTED`` and those of the events). Any other key of a dict was written by somebody, such
  as a probe's name on disk, and becomes ``(redacted) 1``. Of ``attributes``, which a lab makes up, only booleans stay.
"""

import re
from typing import Any

from ledger.events import TYPES

BLANK = "(redacted)"
_STATUSES = frozenset({"pending", "waiting", "inserted", "error", "withdrawn", "deleted", "duplicate"})
VOCABULARY: dict[str, frozenset[str]] = {
    "status": _STATUSES,
    "was": _STATUSES,
    "outcome": _STATUSES,
    "severity": frozenset({"error", "warning", "notice"}),
    "role": frozenset({"researcher", "admin", "auditor"}),
    "right": frozenset({"work", "on-behalf-of"}),
    "matched_by": frozenset({"given", "serial", "only-one", "location", "group_name", "name", "place"}),
    "kind": frozenset({"proposal", "addition", "mending", "taking-back", "role"}),
    "of": frozenset({"account", "name", "address"}),
    "reason": frozenset(
        {
            "probe-association", "probe-of-another-subject", "serial-contradicts", "data-missing", "starts-apart",
            "no-start", "sessions-txt", "acquiring", "clustering-sessions", "no-clustering", "clustering-missing",
            "two-clusterings", "clustering-probe-unknown", "curator", "root-not-mounted", "location-unreachable",
            "session-changing",
        }
    ),
}  # fmt: skip
NESTED = frozenset(
    {
        # an entry of an input file
        "location", "experimenter", "tasks", "clustering", "probe_association", "room", "project", "notes", "name",
        "task_type", "arena_apparatus", "task_start", "task_stop", "light_level", "objects", "cue_cards", "curtains",
        "object_name", "card_name", "coord_x", "coord_y", "note", "start_point", "direction", "coverage",
        "curator", "curation_time", "group_name", "sessions",
        # a finding, a difference, what became of an entry
        "stage", "severity", "code", "path", "line", "column", "message", "hint",
        "next_steps", "action", "ref", "arguments", "placed", "errors", "warnings", "notices",
        "index", "session", "differences", "renewed", "moved",
        "new_name", "field", "stored", "given", "outcome", "reason", "matched_by",
        # recordings, probes, inherited tasks, outputs of a clustering
        "system", "file", "serial", "part_number", "shanks", "start", "duration_s", "file_bytes", "acquiring",
        "derived", "start_inferred", "probe", "stop_inferred", "sha256", "rows", "number", "start_s", "end_s",
        "start_source", "zone", "new_session_time", "stream", "files", "subject",
        "valid_times", "flags", "method", "probe_name", "units", "modified", "modified_file",
        # the impact of a deletion; the one attribute of a reference value that means something here
        "clusterings", "probes", "users", "arena_required",
        # what a request for a change carries out, and what was before
        "table", "value", "attributes", "new_value", "insertion_time", "removal_time", "version",
        "fields", "completed",
        # lines of a file that were not kept
        "lines",
    }
)  # fmt: skip
_NAMES_OF_SUBJECTS = {
    "SubjectRenamed": ("new_name",), "SubjectRegistered": ("instead_of",), "SessionSubjectRenamed": ("instead_of",),
    "ClusteringSubjectRenamed": ("instead_of",), "UploadSubjectRenamed": ("instead_of",),
}  # fmt: skip
_FIELDS = NESTED.union(*(model.model_fields for model in TYPES.values()))
_UNIQUE = frozenset({"location", "leads_to", "instead_of", "session_time", "group_name", "value", "probe"})
_RECORDS = frozenset({"session", "clustering", "upload", "record", "records"})
_ID = re.compile(r"[sucd][0-9]{1,18}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def skeleton(body: dict[str, Any], *, unique: str, known: frozenset[str] = frozenset()) -> dict[str, Any]:
    """``unique`` replaces a key that projections need to be unique; ``known`` are the texts that the envelope says
    too.
    """
    kept: dict[str, Any] = {}
    for name, value in body.items():
        stays = isinstance(value, str) and (value in known or (name == "sha256" and _SHA256.fullmatch(value)))
        kept[name] = value if stays else _blanked(name, value, unique, 0)
    return kept


def told_by_envelope(stream: str, subject: str) -> frozenset[str]:
    """The texts that stay readable whatever is redacted: the parts of the stream's name and of the subject's."""
    return frozenset({*_parts(stream), *_parts(subject)} - {""})


def told_by_streams(kind: str, body: dict[str, Any]) -> frozenset[str]:
    """The other names of a subject in such a body, which the names of its streams say for good."""
    return frozenset(body[field] for field in _NAMES_OF_SUBJECTS.get(kind, ()) if body.get(field) is not None)


def _parts(name: str) -> list[str]:
    """``subject/0/12345`` -> all of what follows each slash, and each part."""
    parts = name.split("/")
    return [*parts, *("/".join(parts[start:]) for start in range(len(parts)))]


def _blanked(name: str, value: Any, unique: str, place: int) -> Any:
    """``name`` is the field that the value stands in, ``place`` counts from 1 within a list and is 0 elsewhere."""
    if isinstance(value, str):
        return _text(name, value, unique, place)
    if isinstance(value, list):
        return [_blanked(name, item, unique, number) for number, item in enumerate(value, start=1)]
    if isinstance(value, dict):
        if name == "attributes":
            value = {key: item for key, item in value.items() if isinstance(item, bool)}
        return {
            key if key in _FIELDS else f"{BLANK} {number}": _blanked(key, item, unique, place)
            for number, (key, item) in enumerate(value.items(), start=1)
        }
    return value


def _text(name: str, value: str, unique: str, place: int) -> str:
    if value in VOCABULARY.get(name, ()) or (name in _RECORDS and _ID.fullmatch(value)):
        return value
    if name in _UNIQUE:
        return unique
    return f"{BLANK} {place}" if name == "name" and place else BLANK
