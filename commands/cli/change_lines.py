"""What a request for a change would change, in a sentence."""

import json
from typing import Any


def told(change: dict[str, Any]) -> str:
    """What a request would change, in a sentence."""
    name = str(change.get("subject", "")).partition("/")[2]
    tell = {
        "add-value": lambda: f'"{change["value"]}" is added to {change["table"]}{_attributes(change)}.',
        "amend-session": lambda: _amended(change["fields"]),
        "grant-role": lambda: f"{change['user']} has the role {change['role']}.",
        "rename-subject": lambda: (
            f'Subject {name} is called "{change["new_name"]}", with all its records and probe insertions.'
        ),
        "rename-value": lambda: (
            f'"{change["value"]}" of {change["table"]} is called "{change["new_value"]}", wherever it is used.'
        ),
        "take-back-insertion": lambda: (
            f'Probe "{change["probe"]}" was never inserted in subject {name} at {change["insertion_time"]}.'
        ),
        "mend-insertion": lambda: (
            f'Probe "{change["probe"]}" was inserted in subject {name} at {change["insertion_time"]} and '
            + (
                "is still in there."
                if change["removal_time"] is None
                else f"removed at {change['removal_time']}."
            )
        ),
        "take-back-value": lambda: f'"{change["value"]}" of {change["table"]} was a mistake.',
        "take-back-subject": lambda: f"There is no subject {name}.",
    }.get(str(change.get("action")))
    return "" if tell is None else tell()


def _amended(fields: dict[str, Any]) -> str:
    """Whole fields as they would stand."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "It would say then: " + "; ".join(lines)


def _attributes(change: dict[str, Any]) -> str:
    pairs = [f"{name}: {value}" for name, value in change["attributes"].items()]
    return f" ({', '.join(pairs)})" if pairs else ""
