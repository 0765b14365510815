"""Carry out a request of any kind. The only module that knows all kinds."""

from typing import Any

from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.requests.deletion import ApproveDeletion
from commands.requests.growth import impact_grown
from commands.requests.rules import open_request, require_decider


def approve(daybook: Daybook, number: int, *, accept_impact: bool, roots: Roots) -> dict[str, Any]:
    """Carry a request of any kind out. Raises Refusal with ``impact-grown`` where more would go than was shown: what
    would go now is then on record as shown, and the same call with ``accept_impact`` accepts just that."""
    daybook.require(lambda world: require_decider(world, number, "approve"))
    with daybook.reading() as world:
        row = open_request(world, number)
    if row.kind == "correction":
        from commands.requests.correction.correct import approve as correct

        return correct(daybook, row, accept_impact=accept_impact, roots=roots)
    if row.kind == "redaction":
        from commands.requests import redaction

        redacted: dict[str, Any] = redaction.approve(daybook, row)
        return redacted
    result = daybook.submit(ApproveDeletion(request=number, accept_impact=accept_impact)).result
    if "grown" in result:
        raise impact_grown(number, result["grown"])
    return result
