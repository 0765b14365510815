"""What the two ends of the wire call things: the headers of the API, and whether two versions answer alike."""

from functools import cache
from hashlib import sha256

VERSION = "Daybook-Version"
ANSWERS = "Daybook-Answers"
"""The digest of the schemas of all answers. A client of another version says it where the server's is its own."""
USER = "Daybook-User"
"""Who the server takes the client for, percent-encoded."""
ON_BEHALF_OF = "Daybook-On-Behalf-Of"
"""For whom the client acts, percent-encoded; refused where nobody granted it."""
UNTIL = "Daybook-Until"
"""When what the client is signed in by expires; not there where it does not."""
MOMENT = "Daybook-Moment"
"""Of an answer of the past: its position and the time of its last event."""
AHEAD = "Daybook-Ahead"
"""After a command: the time of the last event, where it lies ahead."""
TAKEN = "Daybook-Taken"
"""Of a file that is taken away: what it holds, as JSON, percent-encoded."""
COMMAND_ID = "Idempotency-Key"
OTHER_VERSION = "other-version"
"""The code of the problem that answers a client whose answers are others."""


@cache
def answers_digest() -> str:
    """Of the schemas of everything that can be answered. Loads all of it."""
    from commands.answers.document import json_text
    from commands.answers.questions import QUESTIONS
    from commands.answers.receipts import VERBS, result_types
    from commands.answers.typed import json_schema

    asked = {question.name: json_schema(*question.answers, own={}) for question in QUESTIONS}
    done = {verb: json_schema(*result_types(verb), own={}) for verb in VERBS}
    return sha256(json_text([asked, done], indent=False)).hexdigest()[:32]
