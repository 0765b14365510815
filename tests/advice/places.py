"""Where advice is met: each place makes a folder in which somebody stands and asks. They are made once and copied."""

import shutil
from collections.abc import Callable
from pathlib import Path

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.samples.lab import FIRST_DAY, SampleLab, lab
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.accounts.people import joined
from tests.cases.trees import lay
from tests.cli.conftest import run_cli, write_input_file
from tests.ledger.writing import as_owner

Templates = Callable[[str, Path], str]


def _ledger(folder: Path, templates: Templates) -> str:
    return templates("sqlite", folder)


def _told(folder: Path, templates: Templates, **options: int) -> SampleLab:
    sample = lab(folder, **{"subjects": 1, "sessions_per_subject": 3, **options})
    _ledger(folder, templates)
    for words in (("catalogue", "load", "catalogue.yml"), ("role", "grant", "user_2", "admin")):
        assert run_cli(*words).exit == 0
    return sample


def a_lab(folder: Path, templates: Templates) -> None:
    """A ledger that knows the lab; user_1 and user_2 are admins, user_3 uploads, user_4 is new."""
    write_input_file(_told(folder, templates), sessions=2)


def two_animals(folder: Path, templates: Templates) -> None:
    """The same with a second subject, 12346, in which two probes are."""
    write_input_file(_told(folder, templates, subjects=2), sessions=2)


def one_of_two_inserted(folder: Path, templates: Templates) -> None:
    """A lab with a recording of two probes, neither named by its serial, of which one is on record as inserted."""
    _told(folder, templates)
    probes = [SampleProbe("111"), SampleProbe("222")]
    spikeglx_session(folder / "recordings" / "77" / "run", probes=probes, start=FIRST_DAY)
    for words in ("catalogue add reference.Probe left", "catalogue add reference.Probe right", "subject add 77",
                  "probe insert 77 left --at 2023-03-01"):  # fmt: skip
        assert run_cli(*words.split()).exit == 0
    location = (folder / "recordings" / "77" / "run").as_posix()
    (folder / "two.yml").write_text(
        f'subject: {{name: "77"}}\nsessions: [{{location: "{location}", experimenter: user_1, tasks: []}}]\n'
    )


def one_admin(folder: Path, templates: Templates) -> None:
    """The same, with user_1 as its only admin."""
    a_lab(folder, templates)
    assert run_cli("role", "revoke", "user_2", "admin").exit == 0


def nothing_known(folder: Path, templates: Templates) -> None:
    """A ledger whose catalogue is empty, beside the files of a lab."""
    write_input_file(lab(folder, subjects=1, sessions_per_subject=1))
    _ledger(folder, templates)


def no_ledger(folder: Path, templates: Templates) -> None:
    """The files of a lab, and nothing else."""
    write_input_file(lab(folder, subjects=1, sessions_per_subject=1))


def accounts(folder: Path, templates: Templates) -> None:
    """A lab in which user_3 has joined with a password, and rig_1 is a service account."""
    a_lab(folder, templates)
    daybook = Daybook.open(f"sqlite:///{folder / 'daybook.db'}", Actor("user_1"))
    joined(daybook, "user_3", "researcher")
    daybook.close()
    assert run_cli("user", "add", "rig_1", "--service").exit == 0


def changed_behind_it(folder: Path, templates: Templates) -> None:
    """A lab of which an event was changed by whoever owns the database."""
    a_lab(folder, templates)
    as_owner(
        f"sqlite:///{folder / 'daybook.db'}", ("UPDATE events SET payload = '{}' WHERE position = 3", [])
    )


def damaged_head(folder: Path, templates: Templates) -> None:
    """A lab whose head row names lists that are not there."""
    a_lab(folder, templates)
    as_owner(f"sqlite:///{folder / 'daybook.db'}", ("UPDATE head SET live_slot = 'q'", []))


def of_case(name: str) -> Callable[[Path, Templates, Path], None]:
    """A tree from the field, and a ledger that knows its catalogue."""

    def place(folder: Path, templates: Templates, shared: Path) -> None:
        made = lay(shared / "cases", name, folder)
        for file in made.glob("*.yml"):
            shutil.copy(file, folder)
        _ledger(folder, templates)
        for words in (("catalogue", "load", "catalogue.yml"), ("role", "grant", "user_2", "admin")):
            assert run_cli(*words).exit == 0

    return place
