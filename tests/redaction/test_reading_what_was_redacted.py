"""Whatever was redacted: every verb that reads works, says that it was, and shows nothing of it."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from commands.door.actor import Actor
from commands.door.freshness import bring_up_to_date
from commands.door.permission import NotPermitted
from commands.door.submit import Daybook
from commands.intake.completion import add_tasks, annotate, associate
from commands.intake.validation import validate
from commands.intake.working import work
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.lab.subjects import InsertProbe, RegisterSubject, RemoveProbe
from commands.requests import redaction
from commands.requests.changes.insertions import MendInsertion
from commands.requests.changes.renaming import RenameSubject
from commands.requests.changes.subjects import TakeBackSubject
from commands.requests.changes.values import RenameValue, TakeBackValue
from commands.requests.correction.correct import correct
from commands.samples.clusterings import kilosort_output
from ledger import log
from ledger.database import Database
from ledger.errors import Refusal
from ledger.events import TYPES
from ledger.redaction import skeleton, told_by_envelope
from ledger.verify import verify
from projections.apply import apply
from projections.rows import State
from projections.versions import versions
from tests.cli.conftest import run_cli
from tests.deletion.desk import Desk
from tests.intake.lab import CATALOGUE, PROBES, SERIALS, Lab, document, group, load_catalogue, session
from tests.projections.test_rebuild_equals_incremental import write_history
from tests.redaction.conftest import REASON, Office, tables_that_hold

CANARY = "canary"
ASSOCIATION = dict(zip(("probe_1", "probe_2"), PROBES, strict=True))
# what only a correction that was carried out, a ledger's first moment or a removal itself writes, or what has no text
NOT_HERE = {
    "LedgerCreated", "SubjectRegistered", "SessionWithdrawn", "SessionDeleted", "SessionRestored", "ClusteringWithdrawn",
    "ClusteringDeleted", "ClusteringRestored", "ClusteringCarriedOver", "DeletionApproved", "DeletionCancelled",
    "DeletionExecuted", "CorrectionExecuted", "DeletionRestored", "DeletionImpactGrown", "RedactionRequested",
    "PayloadRedacted", "InputFileErased", "RoleGranted", "RoleRevoked", "ApprovalPolicySet",
    "DiskLookedAt", "SessionSuperseded", "ClusteringSuperseded", "MoreFound", "SessionSettled",
    "ServiceAccountAdded", "RightGranted", "RightRevoked", "UserDisabled", "UserEnabled", "TokenIssued", "TokenRevoked", "WebhookAdded", "WebhookRemoved", "AuthenticationPolicySet",
    "UserInvited", "InvitationRevoked", "UserJoined", "ResetIssued", "PasswordChanged", "SecondFactorAdded",
    "SecondFactorRemoved", "SecondFactorPolicySet", "SignInsFailed",
    "ClusteringAmended", "SessionSubjectRenamed", "ClusteringSubjectRenamed", "UploadSubjectRenamed",
}  # fmt: skip


def everything(office: Office) -> None:
    """A bit of everything, the canary in each text that is anybody's to choose."""
    lab, daybook, roots = office.lab, office.lab.daybook, office.lab.roots
    desk = Desk(lab)
    folder = lab.record("date_1")
    for probe in ("probe_1", "probe_2"):
        kilosort_output(folder / probe)
    lab.record("date_2", day=1, serials=("1", "2"))
    lab.record("date_3", day=2)
    lab.record("date_4", day=2)
    for folder in (CANARY, "lost"):
        kilosort_output(lab.share.parent / "joint" / folder)
    validate(daybook, document(session("nowhere")), filename=f"{CANARY}.yml", roots=roots)
    lab.upload_bytes(document(session("date_1", room=CANARY)), filename=f"{CANARY}.yml")
    entries = [
        session(name, name=name, notes=CANARY, clustering=True) for name in ("date_1", "date_2", "date_3")
    ]
    groups = [
        group(CANARY, ["date_1", "date_2"], notes=CANARY),
        group("lost", ["date_1", "date_4"], notes=CANARY),
    ]
    data = document(*entries, session("date_4", name="date_4", notes=CANARY), clustering=groups)
    lab.upload_bytes(data, filename=f"{CANARY}.yml")
    associated = int(office.last("SessionWaiting").stream.partition("/")[2])
    again = [entry | {"notes": f"{CANARY} renewed"} for entry in entries]
    joint = groups[0] | {"notes": f"{CANARY} renewed"}
    lab.upload_bytes(document(*again, clustering=[joint]), filename=f"{CANARY}.yml")
    associate(daybook, associated, {"probe_1": PROBES[0], "probe_2": PROBES[1]}, roots=roots)
    number = int(office.first("SessionInserted").stream.partition("/")[2])
    tasks = f"- {{task_type: SleepTask, task_start: 0, task_stop: 1, notes: {CANARY}}}".encode()
    add_tasks(daybook, number, tasks, filename="tasks.yml", roots=roots)
    annotate(daybook, number, roots=roots, room="2.345")
    lab.upload_bytes(document(session("date_1", notes=f"{CANARY} other")), filename=f"{CANARY}.yml")
    daybook.submit(RetireReferenceValue(table="reference.Experimenter", value="user_3"))
    daybook.submit(RemoveProbe(subject="23456", probe="tetrode_drive", removal_time="2024-01-01 00:00:00"))
    lab_was_wrong(desk)
    was_moved(lab)
    desk.reject(desk.request(f"s{number}", reason=CANARY), reason=CANARY)
    with pytest.raises(NotPermitted):
        lab.as_user("user_3").submit(redaction.RequestRedaction(position=2, reason=CANARY))
    corrected = document(session("date_1", notes=f"{CANARY} corrected"))
    correct(daybook, corrected, filename=f"{CANARY}.yml", roots=roots, reason=CANARY)
    desk.reject(int(office.last("CorrectionRequested").stream.partition("/")[2]), reason=CANARY)
    # what waits is needed to go on with, and cannot be redacted before somebody takes it back
    with daybook.reading() as world:
        waiting = [f"c{row.id}" for row in world.state.clusterings.where("status = 'waiting'", [])]
    desk.withdraw(*waiting)


def was_moved(lab: Lab) -> None:
    """Together with its clustering, which is named by where it lies."""
    folder = lab.record("date_5", day=5, serials=SERIALS[:1])
    kilosort_output(folder / CANARY)
    for place in ("date_5", f"{CANARY}/date_5"):
        listed = [{"curator": "user_1", "location": f"N:/rec/{place}/{CANARY}"}]
        (lab.share / CANARY).mkdir(exist_ok=True)
        if place != "date_5":
            folder.rename(lab.share / place)
        lab.upload_bytes(document(session(place, notes=CANARY, clustering=listed)), filename=f"{CANARY}.yml")


def lab_was_wrong(desk: Desk) -> None:
    daybook = desk.lab.daybook
    daybook.submit(RegisterSubject(name="99999"))
    daybook.submit(InsertProbe(subject="99999", probe="npx_3", insertion_time="2023-01-01 00:00:00"))
    daybook.submit(
        MendInsertion(subject="99999", probe="npx_3", removal_time="2023-02-01 00:00:00", reason=CANARY)
    )
    daybook.submit(RenameSubject(subject="99999", new_name="99998", reason=CANARY))
    daybook.submit(TakeBackSubject(subject="99998", reason=CANARY))
    daybook.submit(TakeBackValue(table="reference.CueCard", value="card_1", reason=CANARY))
    made = daybook.submit(
        RenameValue(table="reference.ExperimentRoom", value="2.345", new_value=CANARY, reason=CANARY)
    ).result
    desk.approve(int(str(made.request)[1:]))


@pytest.fixture
def without_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are made anew once, at the end."""

    def later(database: Database) -> bool:
        with database.writing() as transaction:
            head = log.lock_head(transaction)
            head.projections = ""
            log.make_live(transaction, head, head.live_slot, versions())
        return True

    monkeypatch.setattr(redaction, "bring_up_to_date", later)


def redact_all(office: Office) -> set[str]:
    """Everything that may be, what is refused for what rests on it again afterwards. Returns the types."""
    done: set[str] = set()
    for _ in range(2):
        for event in office.lab.events():
            try:
                office.redact(event.position)
            except Refusal as refusal:
                assert refusal.code in (
                    "not-redactable", "nothing-to-redact", "ends-something", "already-redacted", "unsettled",
                ), (event, refusal)  # fmt: skip
            else:
                done.add(event.type)
        database = office.lab.daybook.database
        with database.writing() as transaction:
            log.redact(transaction, log.lock_head(transaction), [])  # the lists are made anew, once for all
        bring_up_to_date(database)
    return done


def run(office: Office, *arguments: str, exits: tuple[int, ...] = (0,)) -> str:
    """What the verb prints; nothing of what was removed is in it."""
    ended = run_cli("--db", office.lab.url, *arguments, user="user_1")
    said = ended.out + ended.err
    assert ended.exit in exits, (arguments, said)
    assert CANARY not in said, (arguments, said)
    return said


def test_every_verb_reads_a_ledger_in_which_all_that_can_be_is_redacted(
    office: Office, without_rebuild: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    everything(office)
    with office.lab.daybook.reading() as world:
        tables = {"s": world.state.sessions, "c": world.state.clusterings, "u": world.state.uploads}
        refs = [f"{kind}{row.id}" for kind, rows in tables.items() for row in rows.where("id > 0", [])]
        requests = [f"d{row.id}" for row in world.state.deletions.where("id > 0", [])]

    assert redact_all(office) == TYPES.keys() - NOT_HERE
    assert tables_that_hold(office.lab.url, CANARY) == []
    for ref in (*refs, *requests):
        for verb in ("show", "history"):
            assert "(redacted)" in run(office, verb, ref), (verb, ref)
        run(office, "why", ref)
    for ref in requests:
        run(office, "request", "show", ref)
        run(office, "trace", ref)
    for ref in refs:
        for form in ("text", "json", "dot", "mermaid", "prov"):
            run(office, "trace", ref, "--format", form)
    size = office.lab.size()
    for arguments in (
        *(("what-if", "--without", ref) for ref in (*refs, "30", str(size))),
        ("diff", "1", "40"), ("diff", "30", str(size)), ("export", "log.jsonl"), ("bundle", "bundle.zip"),
        ("prove", refs[0], "-o", "proof"), *((name, "--as-of", "50") for name in ("sessions", "clusterings", "uploads")),
        ("show", refs[0], "--as-of", "50"), ("history", refs[0], "--as-of", "50"), ("log", "--as-of", "50"),
    ):  # fmt: skip
        run(office, *arguments)
    assert CANARY not in Path("log.jsonl").read_text(encoding="utf-8")
    run_cli("--db", "sqlite:///again.db", "import", "log.jsonl")
    assert verify("sqlite:///again.db").root == verify(office.lab.url).root
    for ref in (ref for ref in refs if ref[0] == "u"):
        assert "bytes-erased" in run(office, "replay", ref, exits=(1,))
    for arguments in LISTS:
        run(office, *arguments)
        run(office, *arguments, "--json")
    for name in ("uploads", "sessions", "clusterings"):
        assert "by user_2 at 20" in run(office, name) and REASON in run(office, name)


LISTS = (
    ("sessions",), ("clusterings",), ("uploads",), ("log", "--limit", "0"), ("catalogue", "list"), ("subject", "list"),
    ("request", "list", "--all"), ("role", "list"), ("audit",), ("verify",), ("history", "reference/reference.Experimenter"),
    ("history", "subject/0/23456"), ("history", "redaction/33"),
)  # fmt: skip


def test_handlers_go_on_whichever_event_is_redacted(
    ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    """Each event of a random history in turn, on rows in memory: no handler misses what was blanked."""
    daybook = Daybook.open(ledger_templates("sqlite", tmp_path), Actor("user_1"))
    write_history(daybook.database, 5, steps=150)
    with daybook.reading() as world:
        events = log.read_all(world.transaction)
    kinds = set()
    for number, event in enumerate(events):
        if event.type in ("LedgerCreated", "PayloadRedacted", "RedactionRequested"):
            continue
        body = orjson.loads(event.payload or "{}")
        kept = skeleton(
            body, unique=f"(redacted) {event.position}", known=told_by_envelope(event.stream, event.subject)
        )
        state = State("a", complete=True)
        apply(
            state,
            [*events[:number], event._replace(payload=orjson.dumps(kept).decode()), *events[number + 1 :]],
        )
        kinds.add(event.type)
    daybook.close()
    assert len(kinds) > 30


BROUGHT_BACK = [
    ("reference.Experimenter", "user_1"),
    *(("reference.Probe", probe) for probe in PROBES),
]


def test_upload_and_work_go_on_behind_redactions(office: Office, without_rebuild: None) -> None:
    everything(office)
    redact_all(office)
    lab = office.lab
    lab.record("date_9", day=9)
    load_catalogue(lab.daybook, CATALOGUE)  # what was redacted of it stays out
    for table, value in BROUGHT_BACK:
        lab.daybook.submit(AddReferenceValue(table=table, value=value))
    known = document(session("date_1", notes="again"), session("date_9", notes="new"))

    report = lab.upload_bytes(known)
    work(lab.daybook, lab.roots)

    assert [entry.outcome for entry in report.sessions] == ["duplicate", "inserted"]
    assert "redacted-entry" in {finding.code for finding in report.findings}
    again = lab.upload_bytes(known)
    assert [entry.outcome for entry in again.sessions] == ["duplicate", "duplicate"]
