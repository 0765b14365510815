"""Roles, and the people behind usernames, from the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.both_ways


def roles(run: Run) -> dict[str, str | None]:
    return {row["user"]: row["role"] for row in run("role", "list", "--json").json["roles"]}


def test_a_new_ledger_has_one_admin_and_everybody_else_may_upload(run: Run) -> None:
    assert roles(run) == {"user_1": "admin", "everyone": "researcher"}


def test_granting_says_what_changed_and_again_that_there_is_nothing_to_do(run: Run) -> None:
    said = [
        run("role", "grant", "user_2", "researcher").out,
        run("role", "grant", "user_2", "admin").out,
        run("role", "grant", "user_2", "admin").out,
    ]

    assert said == [
        "Granted the role researcher to user_2.\n",
        "Granted the role admin to user_2, who was researcher before.\n",
        "user_2 has the role admin already: nothing to do.\n",
    ]
    assert len(run("log", "--json", "--type", "RoleGranted").json["events"]) == 2


def test_revoking_says_what_is_left(run: Run) -> None:
    run("role", "grant", "user_2", "admin")

    said = [
        run("role", "revoke", "user_2", "admin").out,
        run("role", "revoke", "user_2", "admin").out,
        run("role", "revoke", "everyone", "researcher").out,
        run("role", "revoke", "user_2", "admin").out,
    ]

    assert said == [
        "Revoked the role admin from user_2. As everyone, user_2 has the role researcher still.\n",
        "user_2 was granted no role: nothing to do. As everyone, user_2 has the role researcher still.\n",
        "Revoked the role researcher from everyone. Whoever was granted no role by name may change nothing.\n",
        "user_2 was granted no role: nothing to do. user_2 may change nothing any more.\n",
    ]
    assert roles(run) == {"user_1": "admin", "everyone": None}


def test_a_role_acts_at_once(run: Run) -> None:
    assert run("subject", "add", "1", user="user_2").exit == 0
    run("role", "grant", "user_2", "auditor")
    assert run("subject", "add", "2", user="user_2").exit == 4
    run("role", "grant", "user_2", "admin")
    assert run("catalogue", "add", "reference.Probe", "npx_1", user="user_2").exit == 0


@pytest.mark.parametrize("arguments", [["revoke", "user_1", "admin"], ["grant", "user_1", "auditor"]])
def test_the_last_admin_stays_one(run: Run, arguments: list[str]) -> None:
    ended = run("role", *arguments)

    assert ended.exit == 1
    assert "user_1 is the last admin" in ended.err and "daybook role grant USER admin" in ended.err
    run("role", "grant", "user_2", "admin")
    assert run("role", *arguments).exit == 0
    assert roles(run)["user_2"] == "admin"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["role", "grant", "everyone", "admin"], 1, "Grant the role to each admin by name"),
        (["role", "grant", "user_2", "boss"], 2, "'researcher', 'admin', 'auditor'"),
        (["role", "grant", "user_2"], 2, "Missing argument 'ROLE'"),
        (["role", "grant", "", "admin"], 2, "printable characters"),
        (["role", "grant", " user_2", "admin"], 1, "no blanks around it"),
        (["role", "revoke", "user1", "admin"], 1, 'Did you mean "user_1"?'),
        (["role", "revoke", "user_1", "auditor"], 1, "user_1 has the role admin, not auditor"),
        (["person", "set", "user_2"], 2, "Give --name or --email"),
        (["person", "set", "user_2", "--email", "x"], 1, "name@domain"),
        (["person", "set", "everyone", "--name", "x"], 1, "Give the name of one"),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(
    run_here: Run, arguments: list[str], exit_code: int, said: str
) -> None:
    ended = run_here(*arguments)

    assert (ended.exit, ended.out, ended.err.count("\n")) == (exit_code, "", 1)
    assert said in ended.err


def test_the_list_says_who_granted_a_role_and_who_that_is(run: Run) -> None:
    run("role", "grant", "user_2", "auditor")
    run("person", "set", "user_2", "--name", "X Y", "--email", "x@y")

    lines = run("role", "list").out.splitlines()
    row: dict[str, Any] = run("role", "list", "--json").json["roles"][1]

    assert lines[0].split() == ["user", "role", "granted", "by", "granted", "(UTC)", "name", "e-mail"]
    assert [line.split()[0] for line in lines[1:]] == ["user_1", "user_2", "everyone", "everyone:"]
    assert row.pop("granted_at").endswith("Z")
    assert row == {"user": "user_2", "role": "auditor", "granted_by": "user_1", "name": "X Y", "email": "x@y"}


def test_a_role_is_listed_as_it_was_and_as_it_is(run: Run) -> None:
    run("role", "grant", "user_2", "auditor")
    run("role", "grant", "user_2", "admin")

    assert "auditor" in run("role", "list", "--as-of", "2").out
    assert "auditor" not in run("role", "list").out


def test_a_person_is_set_listed_and_erased(run: Run) -> None:
    assert "daybook person set USER" in run("person", "list").out

    said = [
        run("person", "set", "user_2", "--name", "X Y", "--email", "x@y").out,
        run("person", "set", "user_2", "--email", "x@y").out,
        run("person", "set", "user_2", "--email", "x@z", user="user_2").out,
    ]
    listed = run("person", "list", "--json").json
    said += [run("person", "erase", "user_2").out, run("person", "erase", "user_2").out]

    assert said == [
        "Set the name and e-mail address of user_2.\n",
        "That is known of user_2 already: nothing to do.\n",
        "Set the e-mail address of user_2.\n",
        "Erased name and address of user_2. Backups made before still hold them.\n",
        "Neither name nor address of user_2 is known: nothing to do.\n",
    ]
    people = [{"user": "user_2", "name": "X Y", "email": "x@z"}]
    assert listed == {"ok": True, "position": listed["position"], "people": people}
    assert run("person", "list", "--json").json == {"ok": True, "position": listed["position"], "people": []}


def test_who_another_is_says_an_admin_only(run: Run) -> None:
    ended = run("person", "set", "user_3", "--name", "X Y", user="user_2")

    assert ended.exit == 4
    assert "user_2 may not say who user_3 is. This needs the role admin" in ended.err
    assert "X Y" not in run("log", "--json").out + ended.err


def test_the_user_of_a_role_is_not_taken_for_the_one_who_acts(run: Run) -> None:
    ended = run("role", "grant", "user_1", "admin", user="user_2")

    assert ended.exit == 4 and ended.err.startswith("error: user_2 may not grant")


@pytest.mark.beside_the_ledger
def test_nothing_that_leaves_the_ledger_holds_a_name(run: Run, folder: Path) -> None:
    run("person", "set", "user_1", "--name", "X Y", "--email", "x@y")

    assert run("export", "log.jsonl").exit == 0
    assert run("bundle", "bundle.json").exit == 0
    assert run("checkpoint", "-o", "checkpoint.txt").exit == 0

    written = b"".join(
        (folder / name).read_bytes() for name in ("log.jsonl", "bundle.json", "checkpoint.txt")
    )
    assert b"user_1" in written
    assert b"X Y" not in written and b"x@y" not in written


def test_a_role_that_is_granted_anew_is_listed_with_the_last_grant(run: Run) -> None:
    def granted() -> tuple[Any, ...]:
        row: dict[str, Any] = run("role", "list", "--json").json["roles"][1]
        return row["user"], row["role"], row["granted_by"], row["granted_at"]

    run("role", "grant", "user_3", "admin")
    run("role", "grant", "user_2", "auditor")
    run("role", "grant", "user_2", "researcher", user="user_3")

    last = run("log", "--json").json["events"][-1]
    assert granted() == ("user_2", "researcher", "user_3", last["recorded_at"])
