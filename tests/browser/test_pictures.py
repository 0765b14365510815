"""The pictures of the documentation are of these pages, and made here: DAYBOOK_PICTURES=1 writes them anew."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from commands.samples.lab import SampleLab
from tests.browser.conftest import DESK, PHONE, Visitor, join
from tests.browser.lab_of_pages import stock
from tests.cli.conftest import Ended, write_input_file
from tests.conftest import ROOT
from tests.serving import Server

_IMAGES = ROOT / "docs" / "images"
_LINK = re.compile(r"\]\((?:docs/)?images/([\w-]+\.png)\)")
pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def test_every_picture_that_is_shown_is_made_here_of_a_page_that_is_there(
    lab: Callable[..., Ended], sample: SampleLab, folder: Path, server: Server, visiting: Visitor
) -> None:
    write_input_file(sample)
    stocked = stock(lab, sample, folder)
    page = visiting(size=DESK)
    join(page, server, "user_2", "admin")
    pictures: dict[str, tuple[str, tuple[int, int], Literal["light", "dark"]]] = {
        "sessions": ("/sessions", DESK, "light"),
        "sessions-phone": ("/sessions", PHONE, "light"),
        "record": (f"/sessions/{stocked.inserted}", DESK, "light"),
        "record-dark": (f"/sessions/{stocked.inserted}?as_of={stocked.inserted[1:]}", DESK, "dark"),
        "line": (f"/uploads/{stocked.upload}/file?line=4#L4", DESK, "light"),
        "audit": ("/audit", DESK, "light"),
        "integrity": ("/integrity", DESK, "light"),
        "help": ("/help?q=permission+denied", DESK, "light"),
    }
    target = _IMAGES if os.environ.get("DAYBOOK_PICTURES") else folder

    for name, (path, size, scheme) in pictures.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        answer = page.goto(path)
        assert answer is not None and answer.status == 200, path
        page.screenshot(path=target / f"{name}.png")

    shown = {
        name
        for file in ("README.md", "docs/pages.md")
        for name in _LINK.findall((ROOT / file).read_text(encoding="utf-8"))
    }
    assert shown == {f"{name}.png" for name in pictures} == {each.name for each in _IMAGES.glob("*.png")}
