"""What mails say. Pure: plain text, a line of what happened, a link where one goes on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """``subject`` is one line, and holds nothing that is secret."""

    subject: str
    body: str


def invitation(lab: str, user: str, role: str | None, link: str, until: str) -> Letter:
    as_role = f" as {role}" if role else ""
    return Letter(
        f"You are invited to {lab}",
        f"You are invited to the daybook {lab}, under the name {user}{as_role}.\n\n"
        f"Choose a password here, until {_time(until)}:\n{link}\n\nThe link works once.\n",
    )


def reset(lab: str, user: str, what: str, link: str, until: str) -> Letter:
    named = what.replace("-", " ")
    return Letter(
        f"A new {named} at {lab}",
        f"An admin made a link by which the {named} of {user} is reset at the daybook {lab}.\n\n"
        f"It works once, until {_time(until)}:\n{link}\n\nYou did not ask for it? Tell the admin.\n",
    )


def request_waits(lab: str, request: str, by: str, kind: str, link: str | None) -> Letter:
    return Letter(
        f"{request} at {lab} waits for a decision",
        f"{by} asked for {kind} ({request}). It waits for the decision of an admin.\n{_at(link)}",
    )


def request_decided(lab: str, request: str, by: str, became: str, link: str | None) -> Letter:
    return Letter(
        f"{request} at {lab} was {became}", f"Your request {request} was {became} by {by}.\n{_at(link)}"
    )


def upload_processed(lab: str, upload: str, outcomes: dict[str, int], link: str | None) -> Letter:
    counted = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    return Letter(
        f"{upload} at {lab}: {counted or 'nothing new'}",
        f"What became of the entries of {upload}: {counted or 'nothing new was in it'}.\n{_at(link)}",
    )


def reminder(lab: str, waiting: list[str], link: str | None) -> Letter:
    lines = "\n".join(f"- {line}" for line in waiting)
    return Letter(
        f"{len(waiting)} at {lab} {'waits' if len(waiting) == 1 else 'wait'} since more than a week",
        f"This has waited for more than a week:\n\n{lines}\n{_at(link)}",
    )


def digest(lab: str, day: str, letters: list[Letter]) -> Letter:
    parts = "\n\n".join(f"{each.subject}\n{each.body}".rstrip() for each in letters)
    return Letter(f"{lab} on {day}: {len(letters)}", f"{parts}\n")


def _at(link: str | None) -> str:
    return "" if link is None else f"\n{link}\n"


def _time(at: str) -> str:
    return f"{at[:10]} {at[11:16]} UTC"
