"""Random histories of a lab through real commands, against a small model in plain Python.

After each step the ledger says what the model says: who holds which location, time and group, which records stand,
what was refused and why. At the end a rebuild makes the same rows, the ledger verifies and continues every checkpoint
that was taken on the way, and each moment that was remembered is seen again as it was then.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.recordings.roots import Roots
from tests.histories.observing import look, look_back, rebuild
from tests.histories.playing import Player
from tests.histories.scene import USERS, write_share
from tests.length import LONG
from tests.projections.choices import Seeded

PARTS = 100 if LONG else 3
HISTORIES = {"sqlite": 14, "postgresql": 6}  # in each part
STEPS = 24
REMEMBERED = 3  # moments of each history
DONE = {
    "upload", "withdraw", "delete", "correct", "approve", "restore", "replay", "withdraw refused", "delete refused",
    "approve refused",
}  # fmt: skip
"""What each part must have come to, or it says little."""


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    return write_share(tmp_path_factory.mktemp("share") / "N")


def play(player: Player, key: Path) -> None:
    player.begin()
    daybook = player.of(USERS[0])
    moments = {player.choices.number(0, STEPS - 1) for _ in range(REMEMBERED)}
    album = []
    for step in range(STEPS):
        player.step()
        if step in moments:
            album.append(look(daybook, key))
    rebuild(daybook)
    look_back(daybook, player.url, album)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_whatever_happens_the_ledger_says_what_the_model_says(
    database: str, part: int, share: Roots, ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    kinds: Counter[str] = Counter()
    for number in range(HISTORIES[database]):
        directory = tmp_path / str(number)
        directory.mkdir()
        url = ledger_templates(database, directory)
        player = Player(url, share, Seeded(f"{part}/{number} {database}"))
        try:
            play(player, directory / "daybook.key")
        except BaseException as error:
            error.add_note("\n".join([f"{database} {part} {number}", *player.told]))
            raise
        finally:
            player.close()
        kinds += player.kinds
    assert (+kinds).keys() >= DONE
