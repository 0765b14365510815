"""Who has which role, who is behind a name, and which tables there are. Reads; appends nothing."""

import difflib
from typing import Any

from commands.door.actor import EVERYONE
from commands.door.world import World
from commands.inputfile.known import REFERENCE_TABLES
from ledger import people
from ledger.errors import Refusal


def list_people(world: World) -> list[dict[str, Any]]:
    return [
        {"user": person.username, "name": person.name, "email": person.email}
        for person in people.read(world.transaction)
    ]


def list_roles(world: World) -> list[dict[str, Any]]:
    """Whoever was granted a role and has one now, and "everyone", whose role may be None; names and addresses as far
    as they are known."""
    known = {person.username: person for person in people.read(world.transaction)}
    rows = world.state.users.where("role <> '' OR username = ?", [EVERYONE])
    return [
        {
            "user": row.username,
            "role": row.role or None,
            "granted_by": row.granted_by,
            "granted_at": row.granted_at,
            "name": known[row.username].name if row.username in known else None,
            "email": known[row.username].email if row.username in known else None,
        }
        for row in sorted(rows, key=lambda row: (row.username == EVERYONE, row.username))
    ]


def checked_table(name: str) -> str:
    """The reference table's name. Raises Refusal with the nearest one where there is none of that name."""
    if name in REFERENCE_TABLES:
        return name
    near = difflib.get_close_matches(name, REFERENCE_TABLES, n=1, cutoff=0.4)
    tables = ", ".join(REFERENCE_TABLES)
    raise Refusal(
        "unknown-table",
        f'There is no reference table "{name}".',
        f'Did you mean "{near[0]}"?' if near else f"The tables are: {tables}.",
    )
