"""The types of what questions and actions take: for faces that check what comes from outside, and describe it.

Questions and actions name them and load none: who asks inside of this program has checked already.
"""

import inspect
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, Field

from commands.accounts.rights import Right
from commands.accounts.tokens import Scope
from commands.answers import log
from commands.answers.asking import Asking
from commands.answers.drafting import Form
from commands.answers.jobs import JobStatus
from commands.answers.times import moment_of, time_of
from commands.door.permission import Role
from projections.asked_of_sessions import Missing, MissingOfClustering
from projections.audit import By

MOST = 1000  # records on a page
MOST_BESIDE = 1_000_000
_POSITION = 2**63 - 1
_REF = "An id (s12, c34, u56, d78), a location, a session time or a group name; or subject:NAME, probe:NAME, user:NAME."

__all__ = [
    "Asking", "Authentication", "By", "Checkpoint", "Content", "Day", "Encoding", "FileName", "Form", "JobStatus",
    "Limit", "LimitBeside", "LimitOfLog", "LocalTime", "Missing", "MissingOfClustering", "MomentText", "Number",
    "Position", "Records", "Ref", "RequestId", "RequestStatus", "Right", "Role", "Scope", "SessionRef", "Status",
    "Text", "Time", "UploadId", "UploadStatus", "Word", "parameters",
]  # fmt: skip


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Those that are asked for, each with its type: not those that a face fills in by itself."""
    hints = get_type_hints(function, localns=globals(), include_extras=True)
    return [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in ("asking", "command_id")
    ]


def _checked_moment(text: str) -> str:
    moment_of(text)
    return text


def _real(text: str) -> str:
    datetime.fromisoformat(text)
    return text


# the empty text is None: it asks for nothing
Word = Annotated[str, Field(min_length=1, max_length=1000, examples=["12345"])]
Number = Annotated[int, Field(ge=0, le=_POSITION, examples=[12])]
Position = Annotated[int, Field(ge=1, le=_POSITION, examples=[70])]
Day = Annotated[date, Field(examples=["2026-01-31"])]
Time = Annotated[str, Field(max_length=100, examples=["2026-01-31T14:30:00Z"]), AfterValidator(time_of)]
MomentText = Annotated[
    str, Field(max_length=100, examples=["2026-01-31", "70"]), AfterValidator(_checked_moment)
]
LocalTime = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$", examples=["2023-05-01 10:00:00"]),
    AfterValidator(_real),
]
Ref = Annotated[str, Field(min_length=1, max_length=5000, description=_REF, examples=["s12"])]
SessionRef = Annotated[
    str,
    Field(
        min_length=1, max_length=5000, description="A session: s12, or what it is told by.", examples=["s12"]
    ),
]
UploadId = Annotated[str, Field(pattern="^u[1-9][0-9]{0,17}$", examples=["u34"])]
RequestId = Annotated[str, Field(pattern="^d[1-9][0-9]{0,17}$", examples=["d70"])]
Limit = Annotated[
    int, Field(ge=1, le=MOST, examples=[20], description=f"The newest so many, {MOST:,} at most.")
]
LimitOfLog = Annotated[int, Field(ge=1, le=log.MOST, examples=[20])]
LimitBeside = Annotated[
    int,
    Field(ge=0, le=MOST_BESIDE, examples=[20], description="So many of a kind beside a record; 0 for all."),
]
Status = Literal["pending", "waiting", "inserted", "error", "withdrawn", "deleted"]
UploadStatus = Literal["validated", "rejected", "processed"]
Authentication = Literal["os", "claimed", "password", "second-factor", "token", "oidc"]
RequestStatus = Literal["requested", "rejected", "cancelled", "executed", "restored"]
Text = Annotated[str, Field(max_length=10_000, examples=["as agreed on Monday"])]
Records = Annotated[list[Text], Field(min_length=1, max_length=10_000, examples=[["s12", "c34"]])]
Content = Annotated[
    str,
    Field(
        description="A file, as text or in base64; its size is bounded as that of an upload.",
        examples=["subject: {name: '12345'}\n"],
    ),
]
Encoding = Literal["utf-8", "base64"]
FileName = Annotated[str, Field(min_length=1, max_length=255, examples=["12345.yml"])]
Checkpoint = Annotated[
    str,
    Field(
        max_length=10_000, description="A signed checkpoint, as text.", examples=["daybook/lab-1/1f\n70\n..."]
    ),
]
