"""Where the ledger is: in a database that is opened here, or at a server. Both answer in the same way."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.door.settings import Settings


class Place(Protocol):
    """Where the ledger is: here, or at a server."""

    address: str
    beside: Path | None
    settings: "Settings"

    def answering(self) -> "AbstractContextManager[Answering]": ...

    def wrote(self) -> None: ...

    def close(self) -> None: ...


class OfThisMachine:
    """Opened once; each question has its own moment."""

    def __init__(self, settings: "Settings", user: str | None, on_behalf_of: str | None) -> None:
        from commands.door.actor import Actor
        from commands.door.submit import Daybook
        from ledger.addresses import shown, sqlite_file

        file = sqlite_file(settings.db)
        self.settings, self.address = settings, shown(settings.db)
        self.beside = None if file is None else Path(file).absolute().parent
        self.daybook = Daybook.open(
            settings.db, Actor.of_process("python", claimed=user, on_behalf_of=on_behalf_of)
        )

    @contextmanager
    def answering(self) -> "Iterator[Answering]":
        from commands.answers.here import Here

        with closing(Here(self.daybook, self.settings)) as here:
            yield here

    def wrote(self) -> None:
        """A checkpoint may be due. Where it cannot be kept, that is said and fails nothing."""
        if self.settings.checkpoints is None or not self.daybook.reached:
            return
        from commands.moving.setup import key_path
        from commands.proving.keeping import keep_checkpoint

        settings = self.settings.checkpoints
        try:
            keep_checkpoint(
                self.daybook, settings, settings.key or key_path(self.settings.db, Path()), at_work=False
            )
        except Exception as error:  # noqa: BLE001 - what was asked for is done, and its answer given
            warnings.warn(f"No checkpoint was kept: {error}", stacklevel=5)

    def close(self) -> None:
        self.daybook.close()


class OfServer:
    """One connection, opened when it is needed."""

    beside: Path | None = None

    def __init__(self, settings: "Settings", token: str | None, on_behalf_of: str | None) -> None:
        from commands.remote.opening import open_remote

        assert settings.server is not None  # noqa: S101
        self.settings = settings
        self.remote = open_remote(settings.server, token=token, on_behalf_of=on_behalf_of)
        self.address = self.remote.connection.address.text

    @contextmanager
    def answering(self) -> "Iterator[Answering]":
        yield self.remote

    def wrote(self) -> None:
        """The server keeps its checkpoints itself."""

    def close(self) -> None:
        self.remote.close()
