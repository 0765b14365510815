"""A projection's number stands for its columns: who changes them without raising it leaves old rows in every ledger."""

import pytest

from projections.records import RECORDS, VERSIONS

COLUMNS = {
    (
        "uploads",
        4,
    ): "id username subject filename sha256 size_bytes status sessions clusterings inserted duplicates waiting errors received_at processed_at version first_record replays changed_at",
    (
        "sessions",
        5,
    ): "id upload entry_index subject username location name status reason message status_position session_time system room project experimenter entry requested_at changed_at version replaces replaced_by decided remarks open open_since look_next leads_to moved_from",
    (
        "session_tasks",
        2,
    ): "session number task_type arena_apparatus start_s stop_s stop_inferred notes light_level detail",
    ("session_probes", 2): "session name probe serial part_number shanks matched_by",
    (
        "clusterings",
        3,
    ): "id session group_name upload entry_index subject username curator location curation_time notes status reason message status_position requested_at changed_at version replaces replaced_by",
    ("clustering_sessions", 2): "clustering session",
    ("duplicates", 2): "record upload entry_index",
    ("subjects", 2): "subject registered_at registered_by",
    ("probe_insertions", 2): "subject probe insertion_time removal_time",
    ("reference_values", 2): "reference value attributes retired",
    ("session_locations", 4): "subject location username session",
    ("session_times", 2): "subject session_time session",
    ("clustering_groups", 3): "group_name subject clustering looks_like",
    (
        "users",
        5,
    ): "username role granted_by granted_at account owner invited_until joined_at second_factor rights",
    (
        "deletions",
        3,
    ): "id kind status subject requested_by requested_at reason records sessions clusterings upload shown_position decided_by decided_at decision version changed_at",
    ("redactions", 3): "position stream type reason requested_by approved_by redacted_at event key marks",
    ("activity", 3): "actor username subject project day type authentication events last_at",
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.TABLE)
def test_number_is_raised_when_columns_change(record: type) -> None:
    """When this fails: raise the table's number in ``VERSIONS``, then write the number and the columns here."""
    columns = " ".join(name for name in record.__dataclass_fields__ if name not in ("TABLE", "KEY"))

    assert COLUMNS.get((record.TABLE, VERSIONS[record.TABLE])) == columns
