"""Do every fault so many times, and say what came of it. A case is repeated by its seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from commands.moving.setup import initialise
from tests.faults.kinds import FAULTS, POSTGRESQL, SQLITE, NotHere
from tests.faults.server import Server
from tests.faults.suffering import ACTOR, Suffering

BEGIN, END = "<!-- written by make faults -->", "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Row:
    fault: str
    database: str
    count: int
    outcome: str

    def line(self) -> str:
        return f"| {self.fault} | {self.database} | {self.count:,} | {self.outcome} |"


def ledgers(folder: Path, server: Server) -> dict[str, Suffering]:
    """One on each database, which suffers all."""
    made = {}
    for database in (SQLITE, POSTGRESQL):
        place = folder / database
        place.mkdir()
        url = f"sqlite:///{place / 'daybook.db'}" if database == SQLITE else server.new_database()
        initialise(url, ACTOR, key_directory=place)
        made[database] = Suffering(url, place)
        made[database].holds()
    return made


def rows(
    folder: Path, server: Server, *, seed: int, count: int, tell: Callable[[str], None] = lambda line: None
) -> Iterator[Row]:
    """Raises AssertionError at the first that does not hold, with what repeats it."""
    suffering = ledgers(folder, server)
    for fault in FAULTS:
        for database in fault.databases:
            row = Row(fault.name, database, count, "all held")
            ledger = suffering[database]
            for number in range(count):
                dice = Random(f"{seed} {fault.name} {database} {number}")
                try:
                    fault.do(ledger, dice, server)
                    ledger.holds()
                except NotHere as why:
                    row = Row(fault.name, database, 0, f"not here: {why}")
                    break
                except Exception as error:
                    raise AssertionError(
                        f"{fault.name}, {database}, number {number}: again with make faults SEED={seed} COUNT={number + 1}"
                    ) from error
            tell(row.line())
            yield row


def table(found: list[Row], *, seed: int) -> str:
    lines = [row.line() for row in found]
    total = sum(row.count for row in found)
    head = f"{total:,} faults, from seed {seed}.\n\n| fault | database | count | outcome |\n|---|---|---|---|"
    return "\n".join([head, *lines])


def written_into(page: str, text: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
