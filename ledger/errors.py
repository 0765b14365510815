"""Refusals: what the ledger will not do, said so that a person can act on it.

Every refusal names what was found and what to do next. The command line turns the class into an exit code.
"""


class Refusal(Exception):
    """Something was asked for that is refused. ``code`` is stable, in kebab-case; ``hint`` says what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Conflict(Refusal):
    """Somebody else changed the same stream, or took the same key, in the meantime. Trying again may help."""


class LedgerUnavailable(Refusal):
    """The database is missing, read-only, locked, full, of another schema, or out of reach."""


class IntegrityFailure(Refusal):
    """What is stored is not what was written."""
