"""Archives of a ledger on either database, with two admins who redact."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from commands.analysis.checking import ArchiveChecked, check_archive
from commands.analysis.creating import ArchiveMade, create_archive
from tests.intake.conftest import lab
from tests.redaction.conftest import Office, office

__all__ = ["lab", "office"]
EVENTS = 16


@dataclass
class Archive:
    office: Office
    folder: Path
    key: Path

    def create(self, events: int | None = EVENTS) -> ArchiveMade:
        return create_archive(self.office.lab.daybook, self.folder, events=events, key_file=self.key)

    def check(self) -> ArchiveChecked:
        return check_archive(self.folder, self.office.lab.daybook)

    def became(self) -> dict[int, str]:
        """What became of each file, by its first position."""
        return {file.first: file.became for file in self.create().files}

    def problems(self) -> list[str]:
        return [problem.code for problem in self.check().problems]

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}

    def holding(self, text: str) -> list[str]:
        """The files whose rows hold a text."""
        import duckdb

        held = []
        for path in sorted(self.folder.glob("*.parquet")):
            with duckdb.connect() as connection:
                sql = "SELECT count(*) FROM read_parquet(?) WHERE contains(payload, ?)"
                if connection.execute(sql, [str(path), text]).fetchall() != [(0,)]:
                    held.append(path.name)
        return held


@pytest.fixture
def archive(office: Office, tmp_path: Path) -> Archive:
    """Of a ledger that has two closed ranges of 16 events, and not yet written."""
    for number in range(7):
        upload(office, f"{number}.yml")
    return Archive(office, tmp_path / "archive", tmp_path / "daybook.key")


def upload(office: Office, name: str) -> int:
    """An upload of nothing, under this file name; the position of its receipt."""
    report = office.lab.upload_bytes(b"subject: {name: '99999'}\nsessions: []\n", filename=name)
    return int(report.upload[1:])
