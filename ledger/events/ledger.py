"""What is true of the whole ledger: its beginning, and its policies. Stream ``ledger``."""

from ledger.events.body import Body


class LedgerCreated(Body):
    """The first event of every ledger. ``public_key`` is the verifier key of its checkpoints."""

    origin: str
    public_key: str


class ApprovalPolicySet(Body):
    """Whether admins may approve what they requested themselves."""

    own_requests: bool


class SecondFactorPolicySet(Body):
    """Whether a password alone is not enough for whoever has this role."""

    role: str
    required: bool


class AuthenticationPolicySet(Body):
    """Whether a command is taken from whoever is not authenticated."""

    required: bool
