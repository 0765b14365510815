"""What a record says, for people: each fact with its title, its value in lines, and where it came from. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commands.answers.blame import Blame, BlamedField
from commands.answers.sentences import said
from commands.web.pages.addresses import event_address, line_address, record_address
from ledger.plurals import plural

TITLES = {
    "session_time": "Session time", "username": "Owner", "system": "System", "sessions_txt": "sessions.txt",
    "group_name": "Group", "curation_time": "Curated", "sha256": "SHA-256", "size_bytes": "Bytes",
    "processed_at": "Processed", "received_at": "Received", "sessions": "Sessions", "replays": "Replays",
    "errors": "Failed", "duplicates": "Known already",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """``link`` leads to the record that is named; ``note`` is said more quietly."""

    text: str
    note: str = ""
    link: str | None = None
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """``differs``: it is not so now; then ``now`` is what is. ``was``: what the record that it replaces said."""

    field: str
    title: str
    lines: list[Line]
    source: str
    source_link: str
    event: Any
    differs: bool = False
    now: str = ""
    was: str = ""


def facts_of(blame: Blame, later: Blame) -> list[Fact]:
    """``later`` is the same record as it is now."""
    now = {each.field: each.value for each in later.fields}
    return [_fact(each, now) for each in blame.fields if each.value != 0 or each.field == "sessions"]


def _fact(each: BlamedField, now: dict[str, Any]) -> Fact:
    source, link = _source(each)
    differs = now.get(each.field) != each.value
    return Fact(
        field=each.field,
        title=TITLES.get(each.field) or each.field.replace("_", " ").capitalize(),
        lines=lines_of(each.field, each.value),
        source=source,
        source_link=link,
        event=each.event,
        differs=differs,
        now=(plain_value(now.get(each.field)) or "nothing") if differs else "",
        was=plain_value(each.was),
    )


def _source(each: BlamedField) -> tuple[str, str]:
    if each.upload is not None:
        if each.line is None:
            return each.upload, record_address(each.upload)
        return f"{each.upload}, line {each.line:,}", line_address(each.upload, each.line)
    if each.recorded_in is not None:
        return f"read at event {each.event.position:,}", event_address(each.event.position)
    return f"event {each.event.position:,}", event_address(each.event.position)


def plain_value(value: Any) -> str:
    return said(value)


def lines_of(field: str, value: Any) -> list[Line]:
    """A value, a line for each of its parts."""
    makers: dict[str, Callable[[Any], Line]] = {
        "probes": _probe, "tasks": _task, "recordings": _recording, "clusterings": _clustering, "outputs": _output,
        "sessions": _session, "remarks": lambda each: Line(each.message),
    }  # fmt: skip
    if isinstance(value, list) and field in makers and value and not isinstance(value[0], str):
        return [makers[field](each) for each in value]
    if field == "sessions_txt":
        return [Line(plural(len(value.rows), "row"), f"SHA-256 {(value.sha256 or '')[:12]}")]
    if field == "subject":
        return [Line(str(value), link=record_address(f"subject:{value}"))]
    if field == "username":
        return [Line(str(value), link=record_address(f"user:{value}"))]
    if field.endswith("_at"):
        return [Line(str(value))]  # worded in the zone of who reads
    if isinstance(value, int) and not isinstance(value, bool):
        return [Line(f"{value:,}")]
    return [Line(said(value), is_path=field in ("location", "filename", "sha256"))]


def _probe(each: Any) -> Line:
    matched = {"given": "as somebody said", "serial": "by its serial", "only-one": "the only one"}
    serial = f", serial {each.serial}" if each.serial else ""
    link = record_address(f"probe:{each.probe}")
    return Line(
        f"{each.name} → {each.probe}", f"{matched.get(each.matched_by, each.matched_by)}{serial}", link
    )


def _task(each: Any) -> Line:
    begins = "" if each.task_start is None else f"{each.task_start:,.0f} to "
    ends = "its end" if each.task_stop is None else f"{each.task_stop:,.0f} s"
    arena = f", {each.arena_apparatus}" if each.arena_apparatus else ""
    notes = [note for note in ("stop inferred" if each.stop_inferred else "", each.notes or "") if note]
    return Line(f"{each.number} {each.task_type}{arena}, {begins}{ends}", "; ".join(notes))


def _recording(each: Any) -> Line:
    parts = [each.system, f"{each.duration_s:,.0f} s" if each.duration_s else "", each.start or ""]
    return Line(each.file, ", ".join(part for part in parts if part), is_path=True)


def _clustering(each: Any) -> Line:
    note = ", ".join(filter(None, [each.status, each.curator, each.curation_time]))
    return Line(each.clustering, note, record_address(each.clustering))


def _session(each: Any) -> Line:
    return Line(each.session_time or each.session, each.session, record_address(each.session))


def _output(each: Any) -> Line:
    units = ", ".join(f"{count} {group}" for group, count in (each.units or {}).items())
    return Line(each.location, ", ".join(filter(None, [each.method, units])), is_path=True)
