"""The kinds of requests for a change."""

from typing import Literal

ChangeKind = Literal["proposal", "addition", "mending", "taking-back", "role"]
CHANGES: tuple[ChangeKind, ...] = ("proposal", "addition", "mending", "taking-back", "role")
