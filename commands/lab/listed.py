"""Who has which role, who is behind a name. Reads; appends nothing."""

from typing import Any

from commands.door.actor import EVERYONE
from commands.door.world import World
from ledger import people


def list_people(world: World) -> list[dict[str, Any]]:
    return [
        {"user": person.username, "name": person.name, "email": person.email}
        for person in people.read(world.transaction)
    ]


def list_roles(world: World) -> list[dict[str, Any]]:
    """All users who were granted a role and have one now, and "everyone", whose role may be None; with names and
    addresses where these are known.
    """
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
