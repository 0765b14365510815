"""What can be set, and what it is where nothing is. ``reading_settings`` reads it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from ledger.small_files import read_small

if TYPE_CHECKING:
    from datetime import tzinfo


LIST_LIMIT = 100
EVERY = 1_000
"""Events from one checkpoint that is kept by itself to the next, unless ``checkpoints.every`` says otherwise."""
ON_WORK = "work"


class SettingsError(Exception):
    """The settings cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where checkpoints are kept without being asked for: in ``folder``; with ``commits`` it is a repository, and
    they are committed there. One ``every`` so many events; None: whenever work finds new ones. ``key`` None: the key
    is at the ledger's own place.
    """

    folder: Path
    commits: bool
    key: Path | None
    every: int | None


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail is handed in, and as whom. ``password_file`` holds the password of ``user``, and nothing else."""

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"]
    user: str | None = None
    password_file: Path | None = None

    def password(self) -> str:
        """Raises OSError where the file cannot be read."""
        if self.password_file is None:
            return ""
        return read_small(self.password_file).decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Who says who somebody is: ``name`` as people call it, ``claim`` holds the user name. ``secret_file`` holds the
    secret of ``client_id``, and nothing else; None where there is none."""

    name: str
    issuer: str
    client_id: str
    claim: str
    secret_file: Path | None = None

    def secret(self) -> str:
        """Raises OSError where the file cannot be read."""
        return (
            ""
            if self.secret_file is None
            else read_small(self.secret_file).decode("utf-8", "replace").strip()
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """``file`` is the daybook.toml that was read, or None; ``source`` says where ``db`` comes from: ``--db``, the
    variable, the file, or the default. ``db`` is an address, with the ``schema`` in it. With a ``server`` the ledger is
    there, ``source`` says where that comes from, and ``db`` means nothing. ``timezone`` None is that of
    the machine, ``width`` None that of the terminal. ``webhooks`` are the private networks that these may lead to.
    ``given`` names the settings that stand in the file."""

    db: str
    roots: Roots
    limits: Limits
    file: Path | None
    source: str
    log_level: str | None = None
    schema: str | None = None
    list_limit: int = LIST_LIMIT
    width: int | None = None
    timezone: str | None = None
    contact: str | None = None
    public_url: str | None = None
    checkpoints: Checkpoints | None = None
    server: str | None = None
    webhooks: tuple[str, ...] = ()
    mail: MailSettings | None = None
    provider: ProviderSettings | None = None
    given: frozenset[str] = frozenset()

    @property
    def zone(self) -> "tzinfo | None":
        """The zone that ``timezone`` names; None where it is not set."""
        from zoneinfo import ZoneInfo

        return None if self.timezone is None else ZoneInfo(self.timezone)
