"""SQL over the named views: what it answers, and that it reaches nothing else."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from commands.analysis.engine import Engine
from commands.answers.query.statement import judged
from commands.answers.query.views import VIEWS
from commands.samples.lab import SampleLab
from ledger.errors import Refusal
from ledger.tables import OWN
from tests.cli.conftest import (
    Ended,
    Run,
    folder,
    run,
    run_here,
    run_process,
    sample,
    stocked,
    write_input_file,
)
from tests.conftest import ROOT
from tests.patience import until

__all__ = ["folder", "run", "run_here", "sample", "stocked"]


@pytest.fixture
def filled(stocked: Run, sample: SampleLab) -> Run:
    write_input_file(sample)
    assert stocked("upload", "subject_1.yml").exit == 0
    return stocked


def rows(run: Run, sql: str, **options: Any) -> list[dict[str, Any]]:
    ended = run("query", sql, "--json", **options)
    assert ended.exit == 0, ended
    found: list[dict[str, Any]] = ended.json["rows"]
    return found


def refused(run: Run, sql: str) -> dict[str, Any]:
    ended = run("query", sql, "--json")
    assert ended.exit == 1, ended
    found: dict[str, Any] = ended.json["error"]
    return found


@pytest.mark.parametrize("kind", ["sessions", "clusterings", "uploads"])
def test_a_view_has_the_rows_of_its_list(filled: Run, kind: str) -> None:
    listed = filled(kind, "--json").json[kind]

    assert rows(filled, f"FROM {kind}") == listed[::-1]


def test_every_view_can_be_read_whole(filled: Run) -> None:
    request = filled("delete", "request", "s999", "--reason", "x")
    assert request.exit == 1
    for name, view in VIEWS.items():
        found = filled("query", f"FROM {name}", "--json").json
        assert [column["name"] for column in found["columns"]] == list(view.columns), name
        assert found["views"] == [name]


def test_the_log_is_a_view(filled: Run) -> None:
    events = filled("log", "--limit", "0", "--json").json["events"]

    found = rows(filled, "FROM events")

    assert [
        event | {"via": json.loads(event["via"]), "body": json.loads(event["body"])} for event in found
    ] == events


def test_subjects_probes_tasks_and_values_are_views(filled: Run) -> None:
    subjects = filled("subject", "list", "--json").json["subjects"]
    values = filled("catalogue", "list", "--json").json["values"]
    session = rows(filled, "SELECT session FROM sessions LIMIT 1")[0]["session"]
    shown = filled("show", session, "--json").json

    assert [row["subject"] for row in rows(filled, "FROM subjects")] == [each["subject"] for each in subjects]
    probes = rows(filled, "SELECT probe, insertion_time, removal_time FROM probes")
    assert probes == [probe for each in subjects for probe in each["probes"]]
    assert len(rows(filled, "FROM reference_values")) == len(values)
    of = f"WHERE session = '{session}'"
    assert rows(filled, f"SELECT * EXCLUDE (session) FROM session_probes {of}") == shown["probes"]
    tasks = rows(filled, f"SELECT * EXCLUDE (session) FROM tasks {of}")
    assert [
        {name: task[name] for name in found} for task, found in zip(tasks, shown["tasks"], strict=True)
    ] == [{name: value for name, value in found.items() if name in tasks[0]} for found in shown["tasks"]]


def test_what_was_redacted_is_in_no_view(filled: Run) -> None:
    assert filled("role", "grant", "user_2", "admin").exit == 0
    position = rows(filled, "SELECT position FROM events WHERE type = 'InputFileReceived'")[0]["position"]
    asked = filled("redact", str(position), "--reason", "the law", "--json").json["request"]
    assert filled("request", "approve", asked, user="user_2").exit == 0

    held = rows(filled, "SELECT count(*) n FROM events WHERE contains(body::VARCHAR, 'subject_1.yml')")

    assert held == [{"n": 0}]
    assert rows(filled, "SELECT position, reason FROM redactions") == [
        {"position": position, "reason": "the law"}
    ]
    [body] = rows(filled, f"SELECT body->>'$.redacted.by' AS by FROM events WHERE position = {position}")
    assert body == {"by": "user_2"}


def test_an_auditor_asks_as_anybody_who_reads(filled: Run) -> None:
    assert filled("role", "grant", "user_3", "auditor").exit == 0

    assert rows(filled, "SELECT count(*) n FROM sessions", user="user_3") == [{"n": 3}]


def test_values_are_as_the_answers_write_them(filled: Run) -> None:
    [row] = rows(
        filled,
        "SELECT TIMESTAMP '2026-01-31 12:00:00' a, TIMESTAMPTZ '2026-01-31 12:00:00+01' b, DATE '2026-01-31' c, [1, 2] d, "
        "{'x': 1.5, 'y': DATE '2026-01-31'} e, 1.25::DECIMAL(4, 2) f, 'ab'::BLOB g, NULL h, TRUE i, MAP {1: 'z'} j, "
        "170141183460469231731687303715884105727::HUGEINT k, 'nan'::DOUBLE l",
    )

    assert row == {
        "a": "2026-01-31 12:00:00", "b": "2026-01-31T11:00:00.000000Z", "c": "2026-01-31", "d": [1, 2],
        "e": {"x": 1.5, "y": "2026-01-31"}, "f": 1.25, "g": "6162", "h": None, "i": True, "j": {"1": "z"},
        "k": 170141183460469231731687303715884105727, "l": None,
    }  # fmt: skip


def test_columns_of_one_name_are_told_apart(filled: Run) -> None:
    [row] = rows(filled, "SELECT 1 a, 2 a, 3 a")

    assert row == {"a": 1, "a_1": 2, "a_2": 3}


def test_csv_and_tables(filled: Run) -> None:
    sql = "SELECT session, location, experimenter, NULL AS nothing, '=1+1' AS formula FROM sessions ORDER BY session"

    [names, first, *_] = csv.reader(io.StringIO(filled("query", sql, "--csv").out, newline=""))
    table = filled("query", sql).out

    assert names == ["session", "location", "experimenter", "nothing", "formula"]
    assert first[0].startswith("s") and first[3:] == ["", "'=1+1"]
    assert json.loads(first[2]) == ["user_1", "user_2"]
    assert table.splitlines()[0].split() == ["session", "location", "experimenter", "formula"]
    assert filled("query", "SELECT 1 WHERE FALSE").shown == "No rows.\n"
    assert filled("query", "SELECT NULL").out.split()[-1] == "null"
    assert filled("query", "SELECT 1", "--csv", "--json").exit == 2


# --- what is refused --------------------------------------------------------------------------------------------------

ATTACKS = """
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('*')
SELECT * FROM parquet_metadata('*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('*')
SELECT * FROM '/etc/passwd'
SELECT * FROM 'daybook.db'
SELECT * FROM "daybook.db"
FROM query('SELECT 1')
FROM query_table('sessions')
FROM pandas_scan(1, 2, 3)
FROM arrow_scan(1, 2, 3)
FROM seq_scan()
FROM python_map_function()
FROM duckdb_settings()
FROM duckdb_secrets()
FROM duckdb_settings
FROM pg_catalog.pg_settings
FROM information_schema.tables
FROM main.sessions
FROM memory.main.sessions
FROM temp.sessions
FROM sqlite_master
FROM pragma_version()
FROM enable_logging()
FROM enable_profiling()
FROM checkpoint()
FROM test_all_types()
SHOW TABLES
SHOW ALL TABLES
COPY (SELECT 1) TO 'stolen.csv'
COPY sessions FROM '/etc/passwd'
WITH x AS (COPY (SELECT 1) TO 'stolen.csv') SELECT 1
WITH x AS (INSERT INTO sessions SELECT * FROM sessions RETURNING *) FROM x
WITH x AS (DELETE FROM sessions RETURNING *) FROM x
WITH x AS (UPDATE sessions SET status = 'x' RETURNING *) FROM x
SELECT * FROM (WITH x AS (COPY (SELECT 1) TO 'stolen.csv') SELECT 1)
SELECT 1; COPY (SELECT 1) TO 'stolen.csv'
SELECT 1; SELECT 2
ATTACH 'daybook.db'
ATTACH ':memory:' AS x
DETACH memory
USE memory
INSTALL httpfs
LOAD httpfs
SET memory_limit = '100GB'
SET enable_external_access = true
RESET enable_external_access
PRAGMA database_list
PRAGMA enable_profiling
CALL enable_logging()
EXPORT DATABASE 'stolen'
IMPORT DATABASE 'stolen'
CREATE TABLE x AS SELECT 1
CREATE MACRO x() AS TABLE SELECT 1
CREATE SECRET x (TYPE s3)
DROP TABLE sessions
INSERT INTO sessions SELECT * FROM sessions
UPDATE sessions SET status = 'x'
DELETE FROM sessions
TRUNCATE sessions
ALTER TABLE sessions ADD COLUMN x INTEGER
VACUUM
CHECKPOINT
BEGIN
PREPARE x AS SELECT 1
EXECUTE x
EXPLAIN ANALYZE SELECT 1
PIVOT sessions ON status
SELECT getenv('HOME')
SELECT current_setting('temp_directory')
SELECT getvariable('x')
SELECT write_log('x')
SELECT sleep_ms(1)
SELECT nextval('x')
SELECT ?
SELECT $x
SELECT json_serialize_plan('SELECT 1')
"""
STATEMENTS = [line for line in ATTACKS.splitlines() if line]


@pytest.fixture(scope="module")
def engine() -> Any:
    with Engine() as opened:
        yield opened


@pytest.mark.parametrize("sql", ["", ";", "-- nothing", *STATEMENTS])
def test_nothing_but_a_select_over_the_views_is_taken(engine: Engine, sql: str) -> None:
    with pytest.raises(Refusal) as found:
        judged(engine, sql)

    assert found.value.code in ("not-a-query", "no-such-view", "bad-sql")
    assert found.value.message.endswith(".") and found.value.message.isprintable()


@pytest.mark.parametrize(
    "sql",
    [
        *(line for line in STATEMENTS if "daybook.db" in line or "passwd" in line or "stolen" in line),
        "INSTALL httpfs", "LOAD sqlite_scanner", "SET enable_external_access = true", "ATTACH ':memory:' AS x; COPY x TO 'y'",
        "SET temp_directory = '/tmp'", "RESET lock_configuration", "SET allowed_directories = ['/']",
        "SELECT * FROM read_text('{own}/spilled/x')",
    ],
)  # fmt: skip
def test_what_would_get_past_the_judge_is_refused_by_the_engine(
    sql: str, tmp_path: Path, folder: Path
) -> None:
    with Engine() as engine, pytest.raises(Exception, match=r".") as found:
        engine.create("sessions", VIEWS["sessions"].columns)
        for statement in sql.split("; "):
            engine.run(statement)

    assert type(found.value).__name__ == "EngineError"
    assert list(folder.iterdir()) == []


def test_what_a_select_may_do_is_taken(filled: Run) -> None:
    for sql in (
        "WITH a AS (FROM sessions) SELECT count(*) FROM a, uploads",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) FROM n",
        "SELECT status, count(*) FILTER (WHERE room IS NULL) FROM sessions GROUP BY ROLLUP (status) ORDER BY ALL LIMIT 5",
        "SELECT s.session, t.task_type FROM sessions s LEFT JOIN tasks t USING (session) QUALIFY row_number() OVER () = 1",
        "SELECT * FROM sessions PIVOT (count(*) FOR status IN ('inserted', 'error') GROUP BY subject)",
        "SELECT * FROM (SELECT task_start, task_stop FROM tasks) UNPIVOT (s FOR name IN (task_start, task_stop))",
        "SELECT unnest(experimenter) FROM sessions", "SELECT e.value FROM events, json_each(body) e LIMIT 3",
        "DESCRIBE events", "SUMMARIZE uploads", "VALUES (1), (2)", "TABLE subjects", "(SELECT 1) UNION (SELECT 2)",
        "SELECT (SELECT max(position) FROM events), EXISTS (FROM sessions), 's1' IN (SELECT session FROM sessions)",
        "SELECT * FROM sessions USING SAMPLE 2 ROWS", "SELECT COLUMNS('.*_at') FROM uploads",
        "SELECT list_transform(experimenter, lambda x: upper(x)), [x for x in project] FROM sessions",
        "SELECT DISTINCT ON (status) session FROM Sessions AS S", "WITH sessions AS (SELECT 1 x) SELECT x FROM sessions",
        "SELECT date_trunc('month', session_time), requested_at AT TIME ZONE 'Europe/Oslo' FROM sessions",
        "SELECT user, role FROM users; -- and nothing more",
    ):  # fmt: skip
        assert filled("query", sql, "--json").exit == 0, sql


def test_what_is_wrong_is_said_where_and_what_was_meant(filled: Run) -> None:
    assert refused(filled, "SELECT stats FROM sessions") == {
        "code": "bad-sql", "message": 'Line 1, column 8: There is no column "stats" in what is selected from.',
        "hint": 'Did you mean "status"?', "next_steps": [], "contact": None,
    }  # fmt: skip
    assert (
        refused(filled, "SELECT 'é',\n  1 FROM session")["message"]
        == 'Line 2, column 10: There is no view "session".'
    )
    assert refused(filled, "FROM session")["hint"] == 'Did you mean "sessions"?'
    assert refused(filled, "SELECT * FROM sessions WHERE")["message"].startswith(
        "Line 1, column 24: Syntax error"
    )
    assert refused(filled, "SELECT lowr(status) FROM sessions")["hint"] == 'Did you mean "lower"?'
    assert "'x'" in refused(filled, "SELECT 'x'::INTEGER")["message"]
    nested = "SELECT " + "(" * 3_000 + "1" + ")" * 3_000
    assert refused(filled, nested)["code"] in ("bad-sql", "not-a-query")
    assert refused(filled, "SELECT 1" + " + 1" * 3_000)["code"] in ("bad-sql", "not-a-query")


def test_an_error_among_the_rows_is_said_too(filled: Run) -> None:
    ended = filled(
        "query", "SELECT CASE WHEN i = 5000 THEN error('x') ELSE i END FROM range(10000) t(i)", "--csv"
    )

    assert ended.exit == 1 and "[bad-sql]" in ended.err


def test_no_table_of_secrets_is_in_a_view(filled: Run, ledger_url: str) -> None:
    beside = {table.name for table in OWN} - {"events"}
    names = {column for view in VIEWS.values() for column in view.columns}

    for table in beside:
        assert table not in VIEWS
        assert refused(filled, f"FROM {table}")["code"] == "no-such-view"
    assert not names & {
        "email",
        "digest",
        "details",
        "content",
        "command_sha256",
        "compact_range",
        "marks",
        "key",
    }


def test_nobody_elses_environment_or_variables_are_reached(
    filled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_rows = [{"a": 1}]
    monkeypatch.setenv("DAYBOOK_TOKEN", "hidden")

    assert secret_rows and refused(filled, "FROM secret_rows")["code"] == "no-such-view"
    assert refused(filled, "SELECT getenv('DAYBOOK_TOKEN')")["code"] == "not-a-query"


# --- as a process -----------------------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1::HUGEINT UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_ctrl_c_ends_a_query_that_never_ends(
    run_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-m", "commands.cli", "query", ENDLESS],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(own)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
        # a suite that runs in the background ignores Ctrl-C, and so would all that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    until(lambda: any(own.iterdir()) and burns(child.pid))

    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)

    assert child.returncode == 130 and out == "" and err.count("\n") == 1 and "Stopped." in err
    assert list(own.iterdir()) == []  # nor is anything left of its copy


def burns(process: int) -> bool:
    """Whether it has computed for some time: it is no longer being started."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) > 2 * os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("form", ["--csv", "--json", "--utc"])
def test_who_reads_the_first_rows_may_go_away(run_here: Run, form: str) -> None:
    command = f"{sys.executable} -m commands.cli query 'SELECT * FROM range(1000000000)' {form} | head -n 3"

    done = subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {command}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 141 and done.stderr == "" and len(done.stdout.splitlines()) == 3


def test_the_copy_lies_in_a_folder_of_ones_own_and_is_gone_at_the_end() -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    with Engine() as engine:
        [own] = set(Path(tempfile.gettempdir()).iterdir()) - before
        engine.run("CREATE TABLE x AS SELECT i, repeat(md5(i::VARCHAR), 40) t FROM range(300000) r(i)")
        assert sum(path.stat().st_size for path in own.rglob("*")) > 1 << 20
        assert stat.S_IMODE(own.stat().st_mode) == 0o700

    assert not own.exists()


def test_what_a_killed_engine_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from commands.analysis.engine import Engine; import os, signal; Engine(); os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        check=False,
    )
    [left] = tmp_path.iterdir()

    with Engine(), Engine():
        assert not left.exists() and len(list(tmp_path.iterdir())) == 2

    assert list(tmp_path.iterdir()) == []


def test_without_duckdb_it_is_said_how_to_install_it(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    assert "daybook-ledger[query]" in refused(filled, "SELECT 1")["hint"]


def test_through_a_server_it_says_where_to_run_it(run_here: Run) -> None:
    ended: Ended = run_process("--server", "https://daybook.example.org", "query", "SELECT 1")

    assert ended.exit == 1 and "[not-at-a-distance]" in ended.err and "machine of the ledger" in ended.err
