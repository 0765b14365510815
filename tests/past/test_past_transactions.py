"""A reading of the past writes nothing, needs no right but to read, sees one moment, and leaves nothing."""

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.catalogue import AddReferenceValue
from commands.requests.redaction import RequestRedaction
from ledger import log
from ledger.database import Database
from ledger.errors import Refusal
from projections import listings
from projections.past import Past, put_before
from projections.rebuild import rebuild
from projections.records import RECORDS, SLOTS
from tests import all_lines
from tests.deletion.desk import Desk
from tests.intake.lab import Lab, number, session
from tests.patience import PATIENCE_S


def locations(world: Any) -> list[str]:
    return [line["location"] for line in all_lines.sessions(world.transaction, world.head.live_slot)]


def uploaded(lab: Lab, count: int = 2) -> int:
    """Uploads of one more session each; returns the position between them and the last."""
    lab.record_many(count)
    for n in range(1, count):
        lab.upload(*(session(f"date_{i + 1}") for i in range(n)))
    position = lab.size()
    lab.upload(*(session(f"date_{i + 1}") for i in range(count)))
    return position


def test_the_present_is_read_again_afterwards_on_the_same_thread(lab: Lab) -> None:
    position = uploaded(lab)
    for _ in range(7):  # so often that statements are prepared on the server
        with lab.daybook.reading() as world:
            assert len(locations(world)) == 2
        with lab.daybook.reading_past(position) as world:
            assert len(locations(world)) == 1
            assert len(log.read_all(world.transaction)) == position
            assert world.head.size == log.read_head(world.transaction).size == position


def test_a_reading_that_fails_leaves_the_present_as_it_was(lab: Lab) -> None:
    position = uploaded(lab)

    with pytest.raises(ZeroDivisionError), lab.daybook.reading_past(position):
        raise ZeroDivisionError
    with pytest.raises(Refusal), lab.daybook.reading_past(10**6):
        pass

    with lab.daybook.reading() as world:
        assert len(locations(world)) == 2
    lab.record("date_3", day=7)
    assert lab.upload(session("date_3")).ok


def test_nothing_durable_can_be_written_in_the_past(lab: Lab) -> None:
    position = uploaded(lab)
    durable = {"sqlite": "main.", "postgresql": "public."}[lab.daybook.database.dialect]
    statements = [
        "INSERT INTO {durable}people (username, name) VALUES ('user_1', 'A')",
        "UPDATE {durable}head SET size = 1",
        "DELETE FROM {durable}sessions_a",
        "DELETE FROM {durable}people",
        "CREATE TABLE {durable}other (a INTEGER)",
        "CREATE TEMP TRIGGER extra AFTER INSERT ON {durable}events BEGIN SELECT 1; END",
        "DROP TABLE {durable}sessions_b",
        "CREATE INDEX ix_extra ON {durable}events (actor)",
        "CREATE VIEW {durable}other AS SELECT 1",
    ]
    for sql in statements:
        with (
            pytest.raises(RuntimeError, match="read-only"),
            lab.daybook.reading_past(position) as world,
        ):
            world.transaction.run(sql.format(durable=durable))
    with pytest.raises(RuntimeError, match="read-only"), lab.daybook.reading_past(position) as world:
        world.transaction.insert_many("people", ["username"], [["user_1"]])
    with pytest.raises(RuntimeError, match="read-only"), lab.daybook.reading_past(position) as world:
        world.transaction.run_many("DELETE FROM people WHERE username = ?", [["user_1"]])


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_on_postgresql_the_server_refuses_to_write_as_well(lab: Lab, ledger_url: str) -> None:
    with pytest.raises(Exception, match="read-only transaction"), lab.daybook.reading_past(1) as world:
        world.transaction.run("SELECT 1 FROM people FOR UPDATE").fetchone()


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_login_that_can_only_read_reads_the_past(lab: Lab, ledger_url: str) -> None:
    position = uploaded(lab)
    name = make_url(ledger_url).database
    owner = psycopg.connect(ledger_url, autocommit=True)
    owner.execute(
        "DO $$ BEGIN CREATE ROLE daybook_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    owner.execute("ALTER ROLE daybook_reader SET default_transaction_read_only = on")
    owner.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO daybook_reader")

    reader = Database(
        make_url(ledger_url).set(username="daybook_reader").render_as_string(hide_password=False), role=None
    )
    with (
        pytest.raises(Exception, match=r"permission denied|read-only transaction"),
        reader.reading() as transaction,
    ):
        transaction.run("CREATE TEMP TABLE other (a INTEGER)")
        transaction.run("SELECT 1").fetchone()
    with reader.past() as transaction:
        head = put_before(transaction, position, Past.everything)
        found = all_lines.sessions(transaction, head.live_slot)
    reader.close()
    owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM daybook_reader")
    owner.close()

    assert [line["location"][-6:] for line in found] == ["date_1"]


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_two_hundred_readings_leave_the_catalogs_as_they_are(lab: Lab, ledger_url: str) -> None:
    position = uploaded(lab)

    def sizes() -> Any:
        with psycopg.connect(ledger_url) as connection:
            return connection.execute(
                "SELECT relname, pg_relation_size(oid), (SELECT count(*) FROM pg_attribute) FROM pg_class "
                "WHERE relname IN ('pg_class', 'pg_attribute', 'pg_type', 'pg_depend', 'pg_index') ORDER BY 1"
            ).fetchall()

    before = sizes()
    for _ in range(200):
        with lab.daybook.reading_past(position) as world:
            assert len(locations(world)) == 1

    assert sizes() == before


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_look_at_the_past_does_not_touch_the_file(lab: Lab, ledger_url: str) -> None:
    position = uploaded(lab)
    file = Path(str(make_url(ledger_url).database))

    def written() -> list[bytes]:
        return [path.read_bytes() for path in (file, file.with_name(file.name + "-wal"))]

    before = written()
    with lab.daybook.reading_past(position) as world:
        assert len(locations(world)) == 1

    assert written() == before


def test_a_writer_goes_on_while_the_past_is_read_and_is_not_seen(lab: Lab) -> None:
    position = uploaded(lab)

    def write() -> None:
        with closing(Daybook.open(lab.url, Actor("user_1"))) as daybook:
            daybook.submit(AddReferenceValue(table="acquisition.Project", value="meanwhile"))

    with lab.daybook.reading_past(position) as world:
        first = locations(world)
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        values = listings.reference_values(world.transaction, world.head.live_slot, "acquisition.Project")
        assert "meanwhile" not in [value["value"] for value in values]
        assert locations(world) == first

    with lab.daybook.reading() as world:
        assert world.head.size == log.read_head(world.transaction).size > position


def test_a_table_that_the_reading_is_not_about_cannot_be_read(lab: Lab) -> None:
    position = uploaded(lab)
    for record in RECORDS:
        for slot in SLOTS:
            for sql in (
                f"count(*) FROM {record.TABLE}_{slot}",
                f"1 FROM sessions_a AS s, {record.TABLE}_{slot}",
            ):
                if record.TABLE == "redactions":
                    continue
                with (
                    pytest.raises(RuntimeError, match="the reading of the past is not about"),
                    lab.daybook.reading_past(position, Past.nothing) as world,
                ):
                    world.transaction.run(f"SELECT {sql}")


def test_a_rebuild_changes_nothing_of_the_past(lab: Lab, ledger_url: str) -> None:
    position = uploaded(lab)
    with lab.daybook.reading_past(position) as world:
        before = all_lines.uploads(world.transaction, world.head.live_slot)
    database = Database(ledger_url)
    rebuild(database)
    database.close()

    with lab.daybook.reading_past(position) as world:
        assert all_lines.uploads(world.transaction, world.head.live_slot) == before


def test_what_was_redacted_later_is_redacted_in_the_past_too(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(1)
    row = number(lab.upload(session("date_1", notes="a name that must go")).sessions[0])
    then = lab.size()
    request = desk.submit("user_1", RequestRedaction(position=row, reason="a name")).request
    desk.approve(int(request[1:]))

    with (
        closing(Daybook.open(lab.url, Actor("user_1"))) as later,  # the lists are made anew
        later.reading_past(then, lambda past: past.named(f"s{row}")) as world,
    ):
        event = log.read_stream(world.transaction, f"session/{row}")[0]
        shown = listings.whole(world.transaction, world.head.live_slot, listings.Reference("session", row))

    assert "must go" not in str(event.payload)
    assert '"redacted"' in str(event.payload)
    assert "must go" not in str(shown)
    assert shown["status"] == "inserted"


def test_the_log_alone_folds_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    position = uploaded(lab)
    folded: list[str] = []
    monkeypatch.setattr(
        "projections.past.log.read_streams",
        lambda _transaction, streams, _up_to: folded.extend(streams) or (),
    )

    with lab.daybook.reading_past(position, Past.nothing) as world:
        assert len(log.read_all(world.transaction)) == position

    assert folded == []


def test_only_what_has_changed_since_is_folded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    position = uploaded(lab, count=4)
    folded: set[str] = set()
    read_streams = log.read_streams

    def noting(transaction: Any, streams: Any, up_to: int) -> Any:
        folded.update(streams)
        return read_streams(transaction, streams, up_to)

    monkeypatch.setattr("projections.past.log.read_streams", noting)
    with lab.daybook.reading_past(position, Past.records) as world:
        assert len(locations(world)) == 3

    assert folded == set()


def test_a_statement_that_was_prepared_a_moment_before_reads_the_past(lab: Lab) -> None:
    position = uploaded(lab)

    def size(transaction: Any) -> int:
        return int(transaction.run("SELECT count(*) FROM events").fetchone()[0])

    for before in range(8):  # the server prepares a statement when it came the fifth time
        with lab.daybook.database.past() as transaction:
            head = log.read_head(transaction)
            assert {size(transaction) for _ in range(before)} <= {head.size}
            put_before(transaction, position, Past.nothing)
            assert [size(transaction) for _ in range(3)] == [position] * 3
        with lab.daybook.reading() as world:
            assert size(world.transaction) == world.head.size
