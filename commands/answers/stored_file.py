"""An uploaded file, byte for byte as it is kept. Reads the ledger; appends nothing."""

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from commands.intake.blanked_lines import BlankedLines, blanked_lines
from ledger import input_files, log
from ledger.bodies import body_of
from ledger.errors import NextStep, Refusal
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """``content`` is the text, or base64 of bytes that are no text in UTF-8. It is what came but for the ``blanked``
    lines; ``sha256`` and ``size_bytes`` are of what is kept."""

    position: int
    upload: str
    filename: str
    username: str
    received_at: str
    sha256: str
    size_bytes: int
    encoding: Literal["utf-8", "base64"]
    content: str
    blanked: list[BlankedLines] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.content) if self.encoding == "base64" else self.content.encode()


def stored_file(world: "World", reference: Reference) -> StoredFile:
    """Raises Refusal for what is no upload, and for bytes that were removed with a redaction."""
    if reference.kind != "upload":
        raise Refusal(
            "not-an-upload",
            f"{reference} is a {'request' if reference.kind == 'deletion' else reference.kind}, not an upload.",
            "See which upload it came with",
            NextStep("show", str(reference)),
        )
    row = world.state.uploads.get(reference.id)
    assert row is not None  # noqa: S101 - the reference was found
    data = input_files.fetch(world.transaction, row.sha256)
    encoding: Literal["utf-8", "base64"] = "utf-8"
    try:
        content = data.decode()
    except UnicodeDecodeError:
        encoding, content = "base64", base64.b64encode(data).decode()
    received = log.read_stream(world.transaction, f"upload/{row.id}")[0]
    return StoredFile(
        position=world.head.size, upload=str(reference), filename=row.filename, username=row.username,
        received_at=row.received_at, sha256=row.sha256, size_bytes=len(data), encoding=encoding, content=content,
        blanked=blanked_lines(world, body_of(received)["blanked"]),
    )  # fmt: skip
