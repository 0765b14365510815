"""What a corrected file would change, as plain data: what every face shows."""

from typing import Any

from commands.intake.insertion import waits_for
from commands.requests.correction.correct import Corrected
from commands.requests.correction.plan import GroupChange, Plan, SessionChange
from ledger.events import SessionInserted
from projections.listings import subject_name

Plain = dict[str, Any]


def correction_report(corrected: Corrected) -> Plain:
    """``sessions`` and ``clusterings`` are what would be deleted and inserted again, ``outcome`` what stage 3 would
    make of each (None where it was not reached). ``dependents`` are all clusterings that are touched."""
    plan = corrected.plan
    return {
        "request": corrected.request,
        "upload": corrected.upload,
        "subject": subject_name(plan.subject),
        "sessions": [_session(change) for change in plan.sessions],
        "clusterings": [_group(change, plan) for change in plan.groups],
        "dependents": [
            {
                "clustering": f"c{dependent.row.id}",
                "username": dependent.row.username,
                "group_name": dependent.row.group_name,
                "location": dependent.row.location,
                "stands_on": [f"s{number}" for number in dependent.stands_on],
                "becomes": dependent.becomes,
                "reason": dependent.reason,
            }
            for dependent in plan.dependents
        ],
        "new": {"sessions": _new_sessions(plan), "clusterings": _new_groups(plan)},
        "unchanged": {"sessions": len(plan.unchanged_sessions), "clusterings": len(plan.unchanged_groups)},
        "absent": [
            {"session": f"s{row.id}", "subject": subject_name(row.subject), "location": row.location}
            for row in plan.absent
        ],
    }


def _session(change: SessionChange) -> Plain:
    event = None if change.outcome is None else change.outcome.event
    return {
        "index": change.given.index,
        "session": f"s{change.old.id}",
        "location": change.old.location,
        "username": change.old.username,
        "matched_by": change.matched_by,
        "differences": change.differences,
        "kept": sorted(change.kept),
        "session_time": change.old.session_time,
        "outcome": _outcome(event),
        "new_session_time": event.session_time if isinstance(event, SessionInserted) else None,
        "reason": getattr(event, "message", None),
    }


def _group(change: GroupChange, plan: Plan) -> Plain:
    event = waits_for(change.sessions) if change.outcome is None and plan.ok else change.outcome
    return {
        "index": change.given.index,
        "clustering": f"c{change.old.id}",
        "group_name": change.old.group_name,
        "username": change.old.username,
        "matched_by": change.matched_by,
        "differences": change.differences,
        "outcome": _outcome(event),
        "reason": getattr(event, "message", None),
    }


def _outcome(event: object) -> str | None:
    outcomes = {"Inserted": "inserted", "Waiting": "waiting", "InsertFailed": "error"}
    kind = type(event).__name__.removeprefix("Session").removeprefix("Clustering")
    return outcomes.get(kind)


def _new_sessions(plan: Plan) -> list[Plain]:
    entries = plan.validation.input_file.sessions if plan.validation.input_file is not None else ()
    new = set(plan.new_sessions)
    return [{"index": e.index, "location": e.location} for e in entries if e.index in new]


def _new_groups(plan: Plan) -> list[Plain]:
    entries = plan.validation.input_file.clustering if plan.validation.input_file is not None else ()
    new = set(plan.new_groups)
    return [{"index": e.index, "group_name": e.group_name} for e in entries if e.index in new]
