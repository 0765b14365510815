"""What is said of files that cannot be listed or read, and how their names are shown. Reads nothing."""

import errno
import os

from commands.recordings.session import NotASession, UnreadableSession

OF_THE_SYSTEM = frozenset(["session-changing", "permission-denied", "unreadable"])
"""Codes of errors that say nothing about a file's content: it may be sound."""


def shown(name: str | os.PathLike[str]) -> str:
    """A file name as it can be printed and stored: undecodable bytes and control characters spelled out."""
    text = os.fspath(name)
    if text.isprintable() and text.isascii():
        return text
    if not text.isascii():
        text = text.encode("utf-8", "surrogateescape" if _escaped(text) else "backslashreplace").decode(
            "utf-8", "backslashreplace"
        )
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def unreadable(file: str, error: OSError) -> UnreadableSession:
    """The problem that an operating system's error about ``file`` means."""
    name = shown(file)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno in (
        errno.ELOOP,
        errno.EMLINK,
    ):
        return UnreadableSession(
            "session-changing",
            f"{name} disappeared or was replaced while the session directory was being read.",
            "Somebody is moving or copying it. Try again when that is done.",
        )
    if isinstance(error, PermissionError):
        return UnreadableSession(
            "permission-denied",
            f"{name} may not be read: permission denied.",
            "Ask its owner to let this program's account read it.",
        )
    return UnreadableSession("unreadable", f"{name} cannot be read: {error.strerror or error}.")


def unlistable(root: str, folder: str, error: OSError | ValueError) -> NotASession | UnreadableSession:
    """The problem that an error about a folder of a session directory means."""
    if isinstance(error, ValueError) or (not folder and isinstance(error, FileNotFoundError)):
        return NotASession("not-found", f"{shown(root)} does not exist.", "Check the spelling and the mount.")
    if not folder and isinstance(error, NotADirectoryError):
        return NotASession(
            "not-a-directory", f"{shown(root)} is a file.", "Give the directory that holds the recordings."
        )
    return unreadable(folder or root, error)


def too_many(root: str, most: int) -> NotASession:
    """The problem of a directory with more than ``most`` entries."""
    return NotASession(
        "too-many-files",
        f"{shown(root)} holds more than {most:,} files and folders: too many for one session.",
        "Give the directory of one session, not of a subject or a share.",
    )


def too_deep(root: str, folder: str, deepest: int) -> NotASession:
    """The problem of folders nested more than ``deepest`` deep."""
    return NotASession(
        "too-deep",
        f"{shown(root)} holds folders nested more than {deepest} deep: {shown(folder)[:200]}.",
        "Give the directory of one session.",
    )


def not_a_file(file: str) -> UnreadableSession:
    """The problem of a named pipe, a device, or a folder where a file is expected."""
    return UnreadableSession(
        "not-a-file", f"{shown(file)} is not a regular file.", "Copy the recording's own file."
    )


def too_large(file: str, limit: int) -> UnreadableSession:
    """The problem of a file of more than ``limit`` bytes."""
    return UnreadableSession(
        "file-too-large",
        f"{shown(file)} is larger than {limit:,} bytes, far more than such a file has.",
        "Is it perhaps a data file with the wrong name?",
    )


def _escaped(text: str) -> bool:
    """Whether every surrogate in ``text`` stands for a byte of an undecodable file name."""
    return all(not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff" for c in text)


def check_name(file: str) -> None:
    """Raise where a name cannot be stored as text."""
    try:
        file.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableSession(
            "undecodable-name",
            f"The name of {shown(file)} is not valid UTF-8.",
            "Rename the file or its folder, with plain letters.",
        ) from error
