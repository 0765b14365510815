"""What stage 3 says of a session, on its way from who read the directory to who settles it. Only shapes."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from commands.inputfile.findings import FAULT
from ledger.events import (
    ClusteringInserted,
    ClusteringWaiting,
    SessionInserted,
    SessionInsertFailed,
    SessionWaiting,
)

REPORT_IT = "Report it under this number. When it is mended, upload the file again: the entry is tried anew."


class SettledClustering(BaseModel):
    """A clustering of one session that has to wait. ``location`` is normalised."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    entry: dict[str, Any]
    location: str
    event: ClusteringWaiting


class SettledSession(BaseModel):
    """What stage 3 found for one session, decided on the session as it was at ``version``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    session: int
    version: int
    event: SessionInserted | SessionWaiting | SessionInsertFailed
    clusterings: list[ClusteringInserted] = []
    waiting: list[SettledClustering] = []


def failure(incident: str) -> dict[str, Any]:
    """What the event of an entry says that failed by a fault of the program."""
    message = f"This is a fault of daybook itself, not of the entry (incident {incident})."
    return {"code": FAULT, "message": message, "hint": REPORT_IT, "incident": incident}
