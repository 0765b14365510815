"""Many at once: each entry is inserted once, and everybody gets a sensible answer."""

from collections import Counter

from commands.samples.clusterings import kilosort_output
from tests.intake.child import upload_at_once
from tests.intake.lab import Lab, document, group, session


def test_sixteen_uploads_of_one_file_at_once_insert_each_entry_once(lab: Lab) -> None:
    names = lab.record_quickly(12)
    kilosort_output(lab.share.parent / "joint" / "g")
    data = document(*(session(name, name=name) for name in names), clustering=[group("g", names[:2])])

    answers = upload_at_once(lab.url, str(lab.share.parent), [("user_1", data)] * 16)

    assert [answer.get("ok") for answer in answers] == [True] * 16, answers
    for answer in answers:
        outcomes = Counter(entry["outcome"] for entry in (*answer["sessions"], *answer["clusterings"]))
        assert set(outcomes) <= {"inserted", "duplicate"}, answer
        assert sum(outcomes.values()) == 13
        assert all(entry["differences"] == [] for entry in answer["sessions"])
    assert len({answer["upload"] for answer in answers}) == 16
    with lab.daybook.reading() as world:
        owners = {f"s{row.id}": f"u{row.upload}" for row in world.state.sessions.where("id > 0", [])}
        owners |= {f"c{row.id}": f"u{row.upload}" for row in world.state.clusterings.where("id > 0", [])}
    inserted = [
        (entry.get("session") or entry["clustering"], answer["upload"])
        for answer in answers
        for entry in (*answer["sessions"], *answer["clusterings"])
        if entry["outcome"] == "inserted"
    ]
    assert dict(inserted) == owners and len(inserted) == 13
    counts = Counter(lab.types())
    assert counts["SessionInsertRequested"] == counts["SessionInserted"] == 12
    assert counts["ClusteringInsertRequested"] == counts["ClusteringInserted"] == 1
    assert counts["InputFileReceived"] == counts["InputFileProcessed"] == 16


def test_users_who_race_with_one_file_insert_each_entry_once_and_answer_what_the_ledger_holds(
    lab: Lab,
) -> None:
    names = lab.record_quickly(4)
    data = document(*map(session, names))
    users = ["user_1", "user_2", "user_3"]

    answers = upload_at_once(lab.url, str(lab.share.parent), [(user, data) for user in users])

    assert [answer.get("ok") for answer in answers] == [True] * 3, answers
    with lab.daybook.reading() as world:
        rows = {f"s{row.id}": row for row in world.state.sessions.where("id > 0", [])}
    assert len(rows) == 4 and {row.status for row in rows.values()} == {"inserted"}
    for user, answer in zip(users, answers, strict=True):
        for entry in answer["sessions"]:
            row = rows[entry["session"]]
            assert entry["username"] == row.username
            assert (entry["outcome"] == "inserted") == (row.username == user), answer
    assert Counter(lab.types())["SessionInserted"] == 4


def test_uploads_of_overlapping_files_insert_the_union(lab: Lab) -> None:
    names = lab.record_quickly(10)
    files = [document(*map(session, names[start : start + 4])) for start in range(7)]
    answers = upload_at_once(lab.url, str(lab.share.parent), [("user_1", data) for data in files])
    assert [answer.get("ok") for answer in answers] == [True] * 7, answers
    assert list(lab.statuses().values()) == ["inserted"] * 10
    assert Counter(lab.types())["SessionInserted"] == 10


def test_copies_of_one_recording_that_race_are_inserted_once(lab: Lab) -> None:
    for n in range(6):
        lab.record(f"copy_{n}")
    files = [document(session(f"copy_{n}")) for n in range(6)]
    answers = upload_at_once(lab.url, str(lab.share.parent), [("user_1", data) for data in files])
    outcomes = Counter(answer["sessions"][0]["outcome"] for answer in answers)
    assert outcomes == {"inserted": 1, "error": 5}, answers
