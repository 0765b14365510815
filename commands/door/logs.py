"""What Daybook logs, and how a line of it looks. Off unless the application asks for it.

Structured fields travel in ``extra=``: ``command``, ``actor``, ``position``, ``duration_s``, ``attempts`` and
``refusal`` (its code); of a server ``request`` (its id), ``method``, ``path`` (its pattern), ``status`` and
``command_id``. No message and no field ever holds a payload, a secret, or an address.
"""

import logging
import time
from collections.abc import Callable
from typing import TextIO

LOG = logging.getLogger("daybook")
LOG.addHandler(logging.NullHandler())
LEVELS = ("debug", "info", "warning", "error")
FIELDS = (
    "request", "method", "path", "status", "command", "command_id", "actor", "position", "duration_s", "attempts",
    "refusal",
)  # fmt: skip


def write_to(stream: TextIO, level: str) -> Callable[[], None]:
    """From here on, one line for each record of this level or above; until the function that is returned is called."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    before = LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(level.upper())

    def stop() -> None:
        LOG.removeHandler(handler)
        LOG.setLevel(before)

    return stop


class OneLine(logging.Formatter):
    """``2026-01-31T12:00:00.000Z info submitted command=Withdraw actor=user_1``: one line, whatever it holds."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        words = [f"{at}.{record.msecs:03.0f}Z", record.levelname.lower(), record.getMessage()]
        for name in FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                words.append(f"{name}={_shown(value)}")
        return " ".join(words)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    text = str(value)
    return text if text.isprintable() and " " not in text else ascii(text)
