"""What is open, as the ledger has it: entries that are pending or wait, and uploads whose last step is not done."""

from collections.abc import Collection

from commands.door.world import World


def unsettled_sessions(world: World, named: Collection[int] | None, owner: str | None) -> list[int]:
    """All of them, or those that are named; of one owner where one is given."""
    rows = world.transaction.run(
        f"SELECT id, username FROM {world.state.sessions.table} "
        "WHERE status IN ('pending', 'waiting') ORDER BY id"
    ).fetchall()
    return [
        number
        for number, user in rows
        if (named is None or number in named) and (owner is None or user == owner)
    ]


def unsettled_clusterings(
    world: World, sessions: Collection[int] | None, named: Collection[int], owner: str | None
) -> list[int]:
    """All of them, or those that are named or stand on one of ``sessions``; of one owner where one is given."""
    rows = world.transaction.run(
        f"SELECT c.id, l.session, c.username FROM {world.state.clusterings.table} c "
        f"JOIN {world.state.clustering_sessions.table} l ON l.clustering = c.id "
        "WHERE c.status IN ('pending', 'waiting') ORDER BY c.id"
    ).fetchall()
    wanted = [
        number
        for number, session, user in rows
        if (sessions is None or number in named or session in sessions) and (owner is None or user == owner)
    ]
    return list(dict.fromkeys(wanted))


def unfinished_uploads(world: World, owner: str | None) -> list[int]:
    """The uploads of which nothing is pending any more, but which do not say so yet."""
    uploads = world.transaction.run(
        f"SELECT id, username FROM {world.state.uploads.table} WHERE status = 'validated' ORDER BY id"
    ).fetchall()
    pending: set[int] = set()
    for table in (world.state.sessions.table, world.state.clusterings.table) if uploads else ():
        # the first condition is that of the partial index, which the second alone would not use
        rows = world.transaction.run(
            f"SELECT upload FROM {table} WHERE status IN ('pending', 'waiting') AND status = 'pending'"
        )
        pending.update(row[0] for row in rows.fetchall())
    return [number for number, user in uploads if number not in pending and (owner is None or user == owner)]
