"""Links by which somebody gets in once: where people reach the server, and a code. Pure."""

from typing import Literal

Page = Literal["accept", "reset"]


def link_of(page: Page, code: str, public_url: str | None) -> dict[str, str | None]:
    """What is told once. The link is None where nobody has said where people reach the server."""
    return {"link": None if public_url is None else f"{public_url}/{page}/{code}", "code": code}
