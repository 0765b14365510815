"""What became of several input files that were given together. Each stands alone; none stops another. Only shapes."""

from dataclasses import dataclass
from typing import Literal

from commands.door.world import Result
from commands.intake.checking import CheckedFile
from commands.intake.upload_report import UploadReport
from ledger.errors import NextStep

FileOutcome = Literal["done", "entry-failed", "rejected", "refused", "not-tried"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileError:
    """Why a file was not taken at all: it cannot be read, or the ledger refused."""

    code: str
    message: str
    hint: str
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """``file`` as it was given; ``answer`` as for this file alone, null with an ``error``, or where it was not tried
    because the ledger could not be used any more."""

    file: str
    outcome: FileOutcome
    answer: UploadReport | None
    error: FileError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFiles(Result):
    """``ok`` where every file was accepted."""

    files: list[UploadedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedFile:
    """As ``UploadedFile``."""

    file: str
    outcome: FileOutcome
    answer: CheckedFile | None
    error: FileError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedFiles(Result):
    """``ok`` where every file can be uploaded."""

    files: list[ValidatedFile]
