"""Correct in a lab of the tests: compare, request, approve; and what stands afterwards, without ids and times."""

from pathlib import Path
from typing import Any

import orjson

from commands.door.submit import Daybook
from commands.door.world import World
from commands.requests.approving import approve as approve_request
from commands.requests.correction.correct import Corrected, correct
from commands.requests.correction.events import CorrectionDone
from commands.requests.impact import STANDING
from commands.samples.clusterings import kilosort_output
from commands.stored import current_entries
from projections.rebuild import contents, rebuild
from tests.intake.lab import SERIALS, Lab, load_catalogue

ADMIN = "user_3"
OTHER_SUBJECT = "34567"

Plain = dict[str, Any]


def other_subject(lab: Lab) -> None:
    """Let the second subject have a probe of the first serial number."""
    text = f'subjects:\n  - name: "{OTHER_SUBJECT}"\n    probes: [{{probe: npx_2_{SERIALS[0]}, insertion_time: "2023-03-01 00:00:00"}}]'
    load_catalogue(lab.daybook, text)


def compare(lab: Lab, data: bytes, *, user: str = "user_1", filename: str = "12345.yml") -> Corrected:
    daybook = lab.daybook if user == "user_1" else lab.as_user(user)
    return correct(daybook, data, filename=filename, roots=lab.roots)


def request(lab: Lab, data: bytes, *, user: str = "user_1", filename: str = "12345.yml") -> int:
    """The number of the request."""
    daybook = lab.daybook if user == "user_1" else lab.as_user(user)
    found = correct(daybook, data, filename=filename, roots=lab.roots, reason="it was wrong")
    assert found.request is not None, found.plan.findings
    return int(found.request[1:])


def approve(lab: Lab, number: int, *, user: str = ADMIN, accept_impact: bool = False) -> Any:
    return approve_request(lab.as_admin(user), number, accept_impact=accept_impact, roots=lab.roots)


def corrected(lab: Lab, data: bytes, **options: Any) -> Any:
    """Request and approve."""
    return approve(lab, request(lab, data, **options))


def differing(found: Corrected) -> dict[str, list[tuple[Any, Any, Any]]]:
    """Of each record that would be replaced: field, stored, given."""
    changes = [(f"s{c.old.id}", c.differences) for c in found.plan.sessions]
    changes += [(f"c{c.old.id}", c.differences) for c in found.plan.groups]
    return {
        name: [(d["field"], d["stored"], d["given"]) for d in differences] for name, differences in changes
    }


def codes(found: Corrected) -> list[str]:
    return [finding.code for finding in found.plan.findings if finding.severity == "error"]


def status_of(lab: Lab, name: str) -> str:
    with lab.daybook.reading() as world:
        rows: Any = world.state.sessions if name[0] == "s" else world.state.clusterings
        return str(rows[int(name[1:])].status)


def live(daybook: Daybook) -> list[Any]:
    """Everything that stands, told without ids and times of recording."""
    with daybook.reading() as world:
        sessions = [row for row in world.state.sessions.where("id > 0", []) if row.status in STANDING]
        places = {row.id: row.location for row in world.state.sessions.where("id > 0", [])}
        found: list[Any] = []
        for row, entry in zip(sessions, current_entries(world, sessions), strict=True):
            found.append(
                (
                    row.location, row.subject, row.username, row.name, row.status, row.reason, row.session_time,
                    row.system, row.room, row.project, row.experimenter, orjson.loads(entry),
                    [_told(task, "session") for task in world.state.tasks.where("session = ?", [row.id])],
                    [_told(probe, "session") for probe in world.state.probes.where("session = ?", [row.id])],
                )
            )  # fmt: skip
        found.sort(key=str)
        return [*found, *sorted(_live_clusterings(world, places), key=str)]


def _live_clusterings(world: World, places: dict[int, str]) -> list[Any]:
    found = []
    for row in world.state.clusterings.where("id > 0", []):
        if row.status in STANDING:
            links = world.state.clustering_sessions.where("clustering = ?", [row.id])
            on = (
                sorted(places[link.session] for link in links) if row.session is None else places[row.session]
            )
            found.append(
                (
                    row.group_name, row.location, row.subject, row.username, row.curator, row.curation_time, row.notes,
                    row.status, row.reason, on,
                )
            )  # fmt: skip
    return found


def _told(row: Any, *but: str) -> Plain:
    return {
        name: getattr(row, name) for name in row.__dataclass_fields__ if name not in (*but, "TABLE", "KEY")
    }


def assert_numbered_by_position(lab: Lab) -> None:
    for event in lab.events():
        kind, _, number = event.stream.partition("/")
        if event.stream_version == 1 and kind in ("upload", "session", "clustering", "deletion"):
            assert int(number) == event.position, event


def assert_rebuilds_equal(lab: Lab) -> None:
    with lab.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    rebuild(lab.daybook.database)
    with lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before


def new_of(result: CorrectionDone, old: str) -> int:
    return next(int(pair.new[1:]) for pair in result.replaced if pair.old == old)


def links(lab: Lab, clustering: int) -> set[int]:
    with lab.daybook.reading() as world:
        return {
            link.session for link in world.state.clustering_sessions.where("clustering = ?", [clustering])
        }


def clean_upload(lab: Lab, data: bytes, **options: Any) -> None:
    """The corrected file is what is stored: uploaded again, all of it is known and nothing differs."""
    again = lab.upload_bytes(data, **options)
    entries = [*again.sessions, *again.clusterings]
    assert again.ok and {entry.outcome for entry in entries} == {"duplicate"}
    assert [entry.differences for entry in entries] == [[]] * len(entries)
    assert compare(lab, data).plan.replaced == []


def clusterings(lab: Lab, names: list[str]) -> list[Path]:
    return [kilosort_output(lab.share.parent / "joint" / name) for name in names]
