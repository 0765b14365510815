"""The events: what can happen, as frozen models, and the registry of them; what they are about says in which module.

A class name is the event's type in the log and is never reused for anything else. A field that changes its meaning
raises the type's number in ``SCHEMAS`` and adds a function to ``UPCASTS``, both in ``bodies``; what is stored is never
rewritten. Only who writes or verifies imports this package: the models take a while to be made.
"""

from ledger.bodies import SCHEMAS, body_of, known
from ledger.envelope import StoredEvent, payload_digest
from ledger.errors import IntegrityFailure
from ledger.events.accounts import *
from ledger.events.body import Body as Body
from ledger.events.clusterings import *
from ledger.events.lab import *
from ledger.events.ledger import *
from ledger.events.requests import *
from ledger.events.sessions import *
from ledger.events.uploads import *

TYPES: dict[str, type[Body]] = {name: globals()[name] for name in SCHEMAS}


def misfit(event: StoredEvent) -> str | None:
    """Why the event is none that this program could have written, in a few words; None where it is. Of a redacted one,
    what was kept of its body is judged."""
    try:
        body = body_of(event)
        if "redacted" in body and payload_digest(event.payload or "") != event.payload_sha256:
            del body["redacted"]
        known(event)
        TYPES[event.type].model_validate(body)
    except IntegrityFailure as failure:
        return failure.message
    except ValueError as error:  # of pydantic
        return " ".join(str(error).split()[:20])
    return None
