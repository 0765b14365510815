"""What the libraries of a worker log goes to our own log, in one line: where, and what kind of error.

Never a traceback. Their messages quote addresses and arguments, so they are not passed on. An error that nobody
expected is kept as an incident.
"""

import asyncio
import logging
from typing import Any

from commands.door.incidents import record as keep
from commands.door.logs import LOG

LIBRARIES = ("procrastinate", "psycopg", "asyncio")


class _ToOurs(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        what = str(getattr(record, "action", record.funcName))
        kind = f" {type(error).__name__}" if error is not None else ""
        LOG.log(record.levelno, "%s: %s%s", record.name, what, kind)


_HANDLER = _ToOurs(logging.WARNING)


def hear_libraries() -> None:
    """From here on, for this process. A handler keeps ``logging`` from its last resort, which is standard error."""
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if _HANDLER not in logger.handlers:
            logger.addHandler(_HANDLER)


def note(error: BaseException, verb: str) -> None:
    """A fault of the program, of a thread or a task: it is kept, and the others go on."""
    incident, _ = keep(error, verb=verb, beside=None)
    LOG.error("incident", extra={"refusal": incident})


def hear_tasks(loop: asyncio.AbstractEventLoop, expected: tuple[type[BaseException], ...]) -> None:
    """A task that died, and that nobody waits for, is heard of here."""

    def heard(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, expected):
            kind = type(error).__name__ if error is not None else "no error"
            LOG.warning("a task of the worker ended: %s", kind)
        else:
            note(error, "work: a task")

    loop.set_exception_handler(heard)
