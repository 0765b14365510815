"""Several input files with one command line: each on its own, a summary at the end, the exit code of the worst."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commands.cli import output
from commands.cli.failures import (
    ENTRY_FAILED,
    NOT_PERMITTED,
    NOT_SIGNED_IN,
    OUR_FAULT,
    REFUSED,
    UNREACHABLE,
    Failure,
    failure_of,
)
from commands.cli.invocation import Invocation
from commands.cli.next_steps import sentence
from commands.cli.output import Column, file_name, plural, printable
from ledger.errors import LedgerUnavailable

if TYPE_CHECKING:
    from commands.answers.many_files import FileOutcome
    from commands.intake.checking import CheckedFile
    from commands.intake.upload_report import UploadReport

_WORST = (OUR_FAULT, 5, UNREACHABLE, NOT_SIGNED_IN, NOT_PERMITTED, REFUSED, 2, ENTRY_FAILED, 0)


@dataclass(frozen=True, slots=True)
class OneFile:
    """A verb's answer about one file; ``write`` prints it for people, ``gist`` is its line in the summary."""

    exit: int
    answer: "UploadReport | CheckedFile"
    write: Callable[[], None]
    gist: str


@dataclass(frozen=True, slots=True)
class _Done:
    file: str
    exit: int
    outcome: "FileOutcome"
    answer: Any
    failure: Failure | None
    gist: str
    is_last: bool = False


def _meets_all(error: Exception, failure: Failure) -> bool:
    """Whether every further file would fail the same way."""
    return isinstance(error, LedgerUnavailable) or failure.exit in (NOT_PERMITTED, UNREACHABLE, NOT_SIGNED_IN)


def each_file(
    invocation: Invocation, files: Sequence[str], one: Callable[[str], OneFile], *, validated: bool
) -> int:
    """Carry ``one`` out for every file and answer; returns the exit code. A single file is answered as if alone."""
    if len(files) == 1:
        found = one(files[0])
        invocation.answer(found.answer, found.write)
        return found.exit
    done: list[_Done] = []
    is_usable = True
    for file in files:
        if not is_usable:
            done.append(_Done(file, 0, "not-tried", None, None, "the ledger could not be used any more"))
            continue
        if not invocation.json:
            output.say(output.coloured(f"{'' if not done else chr(10)}{file_name(file)}:", bold=True))
        done.append(_one(invocation, file, one))
        is_usable = not done[-1].is_last
    _answer(invocation, done, validated=validated)
    return next(code for code in _WORST if any(each.exit == code for each in done))


def _one(invocation: Invocation, file: str, one: Callable[[str], OneFile]) -> _Done:
    try:
        found = one(file)
    except Exception as error:
        failure = failure_of(
            error,
            verb=invocation.verb,
            beside=invocation.state_folder,
            damage=invocation.damage,
            contact=invocation.contact,
        )
        if failure.message is None:  # nobody reads any more
            raise
        text = printable(f"{failure.message} {sentence(failure.hint, failure.steps)}".rstrip())
        if not invocation.json:
            output.say(f"{output.coloured('error:', 'red', bold=True)} {text} [{failure.code}]", err=True)
        return _Done(
            file, failure.exit, "refused", None, failure, failure.message, _meets_all(error, failure)
        )
    if not invocation.json:
        found.write()
    outcome: FileOutcome = "done"
    if found.exit:
        outcome = "entry-failed" if found.exit == ENTRY_FAILED else "rejected"
    return _Done(file, found.exit, outcome, found.answer, None, found.gist)


def _answer(invocation: Invocation, done: Sequence[_Done], *, validated: bool) -> None:
    from commands.answers.many_files import (
        FileError,
        UploadedFile,
        UploadedFiles,
        ValidatedFile,
        ValidatedFiles,
    )

    def error_of(failure: Failure | None) -> FileError | None:
        if failure is None:
            return None
        return FileError(
            code=failure.code, message=str(failure.message), hint=failure.hint, next_steps=failure.steps
        )

    common: dict[str, Any] = {
        "position": max((each.answer.position for each in done if each.answer is not None), default=0),
        "ok": all(each.outcome in ("done", "entry-failed") for each in done),
    }
    lines = [
        {
            "file": file_name(each.file),
            "outcome": each.outcome,
            "answer": each.answer,
            "error": error_of(each.failure),
        }
        for each in done
    ]
    answer: UploadedFiles | ValidatedFiles
    if validated:
        answer = ValidatedFiles(files=[ValidatedFile(**line) for line in lines], **common)
    else:
        answer = UploadedFiles(files=[UploadedFile(**line) for line in lines], **common)
    invocation.answer(answer, lambda: _write_summary(done, validated=validated))


def _write_summary(done: Sequence[_Done], *, validated: bool) -> None:
    good = "valid" if validated else "accepted"
    words = {"done": good, "entry-failed": "with failures"}
    counts = {word: sum(words.get(each.outcome, each.outcome) == word for each in done)
              for word in (good, "with failures", "rejected", "refused", "not-tried")}  # fmt: skip
    output.say()
    told = ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)
    output.say(output.coloured(f"{plural(len(done), 'file')}: {told}.", bold=True))
    output.write_table(
        [Column("file", "middle"), Column("outcome"), Column("what", "below")],
        [[file_name(each.file), words.get(each.outcome, each.outcome), each.gist] for each in done],
    )
