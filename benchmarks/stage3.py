"""Stage 3: what reading 10,000 session directories and inserting them costs beyond the bare reading."""

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.databases import new_ledger
from benchmarks.measure import Measure, seconds, slower
from benchmarks.reading import LIMITS, load_lab, write_lab
from commands.inputfile.read import read_input_file
from commands.intake.accepting import AcceptInputFile, look_at_duplicates
from commands.intake.validation import check_file
from commands.intake.working import work
from commands.recordings.roots import Roots


def measures(place: Path, sessions: int) -> Iterator[Measure]:
    root = place / "N"
    data = write_lab(root, sessions)
    roots = Roots.of({"N:": [str(root)]})
    own, bare = [], []
    for _ in range(3):
        daybook = new_ledger(place, None)
        load_lab(daybook)
        validation = check_file(daybook, read_input_file(data, filename="a.yml", limits=LIMITS), roots)
        standing = look_at_duplicates(daybook, validation, roots)
        daybook.submit(
            AcceptInputFile(
                content=data,
                filename="a.yml",
                looked_at=validation.known_at,
                validation=validation,
                standing=standing,
            )
        )
        bare.append(seconds(lambda: read_bare(root, sessions)))
        own.append(seconds(lambda daybook=daybook: work(daybook, roots)))
        with daybook.reading() as world:
            inserted = world.transaction.run(
                f"SELECT count(*) FROM {world.state.sessions.table} WHERE status = 'inserted'"
            ).fetchone()[0]
        daybook.close()
        if inserted != sessions:
            raise AssertionError(f"{inserted} of {sessions} sessions were inserted")
    yield slower(
        f"stage 3 of {sessions:,} sessions, read, settled and projected",
        "bare os.scandir and reading of the same metas",
        (median(own), median(bare)),
        2.0,
    )


def read_bare(root: Path, sessions: int) -> int:
    """Walk each session directory with os.scandir and read its metas and its sessions.txt whole."""
    total = 0
    for number in range(sessions):
        todo = [f"{root}/{number // 100:03}/s{number:05}"]
        while todo:
            folder = todo.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    elif entry.name.endswith(".ap.meta") or entry.name == "sessions.txt":
                        with open(entry.path, "rb") as file:
                            total += len(file.read())
    return total
