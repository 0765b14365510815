"""A process that ends by itself, without a word, at a chosen statement."""

import os
from collections.abc import Callable
from typing import Any

from commands.door.actor import Actor
from commands.door.submit import Daybook
from ledger import database
from ledger.database import Transaction
from projections import rebuild as rebuilding
from tests.ledger.writing import Register

DIED = 9
_STATEMENTS = ("run", "run_many", "insert_many")


def die_at(statement: int, *, after: bool) -> None:
    """End this process just before, or just after, this statement: the first from here on is 1."""
    count = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(transaction: Transaction, *arguments: Any) -> Any:
            nonlocal count
            if inside.get("call"):
                return original(transaction, *arguments)
            count += 1
            if count == statement and not after:
                transaction.leave_pipeline()  # the server has carried out all that came before
                os._exit(DIED)
            inside["call"] = True
            result = original(transaction, *arguments)
            inside["call"] = False
            if count == statement:
                transaction.leave_pipeline()  # the server has carried it out
                os._exit(DIED)
            return result

        return call

    inside: dict[str, bool] = {}
    for name in _STATEMENTS:
        setattr(Transaction, name, counted(getattr(Transaction, name)))


def rebuild_and_die(url: str, statement: int) -> None:
    """In steps as small as those of the tests of rebuilds."""
    rebuilding.CATCH_UP, rebuilding.PAGE = 10, 20
    rebuilding.ROWS_WAITING = rebuilding.ROWS_A_FLUSH = 15
    opened = database.Database(url)
    die_at(statement, after=False)
    rebuilding.rebuild(opened)
    os._exit(0)


def submit_and_die(url: str, command_id: str, values: int, statement: int, after: bool) -> None:
    database._COPY_FROM = 10  # rows: a process of its own, so that nobody else copies so few
    daybook = Daybook.open(url, Actor("user_1"))
    die_at(statement, after=after)
    daybook.submit(Register(name=command_id, values=values, command_id=command_id))
