"""An import that ends, without a word, at a chosen statement."""

from commands.moving.importing import import_ledger
from tests.ledger.crashing import die_at


def import_and_die(url: str, lines: list[bytes], statement: int, after: bool) -> None:
    die_at(statement, after=after)
    import_ledger(url, lines)
