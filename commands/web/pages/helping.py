"""Help: what to do when something is in the way, and the documentation that comes with the program."""

import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from commands.answers.help_topics import help_for
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving
from ledger.errors import Refusal

_PLACES = (Path(__file__).parents[1] / "docs", Path(__file__).parents[3] / "docs")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_ALL = "all"
_FOUND = 10


def helping(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/help", _shown)
    add_page(router, serving, "/help/docs/{name}", _document)
    return router


def _position(visit: Visit) -> int:
    return int(visit.ask("checkpoint").position)


def _shown(visit: Visit) -> Response:
    asked = visit.query.get("q", "")[:200]
    found = help_for(asked)
    return page(
        visit, "help.html", "Help", position=_position(visit), asked=asked,
        topics=[(topic, ways(topic.next_steps)) for topic in found.topics],
        documents=_documents(), passages=_passages(asked) if len(asked) > 2 else [],
    )  # fmt: skip


@cache
def _texts() -> dict[str, str]:
    """The pages by their name, read once: they change with the program."""
    folder = next((place for place in _PLACES if place.is_dir()), None)
    if folder is None:
        return {}
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.md"))}


def _documents() -> list[tuple[str, str]]:
    return [(name, _title(text, name)) for name, text in _texts().items()]


def _title(text: str, name: str) -> str:
    first = re.search(r"^# (.+)$", text, re.MULTILINE)
    return first[1] if first else name


def _passages(asked: str) -> list[tuple[str, str, str]]:
    """(page, its title, the line) where the words stand, the first few."""
    wanted = asked.casefold()
    found = []
    for name, text in _texts().items():
        for line in text.splitlines():
            if wanted in line.casefold():
                found.append((name, _title(text, name), line.strip("#|- ")[:200]))
                break
    return found[:_FOUND]


def _document(visit: Visit) -> Response:
    """One of them, or all as one page to print. Only names that are known are looked up."""
    name = visit.path("name")
    texts = _texts()
    if name != _ALL and name not in texts:
        raise Refusal("not-found", f'There is no page "{name[:100]}".', "See what there is under Help.")
    shown = texts if name == _ALL else {name: texts[name]}
    return page(
        visit, "document.html", "The documentation" if name == _ALL else _title(texts[name], name),
        position=_position(visit), parts=[(each, _rendered(each)) for each in shown], documents=_documents(), name=name,
    )  # fmt: skip


@cache
def _rendered(name: str) -> Markup:
    """Markdown of the program itself, in which HTML is text. Its links to other pages lead to them here."""
    made = _MARKDOWN.render(_texts()[name])
    made = re.sub(r'href="([\w-]+)\.md(#[\w-]*)?"', r'href="/help/docs/\1\2"', made)
    made = re.sub(r'<a href="(?!/help/docs/|https?:|#)[^"]*">(.*?)</a>', r"\1", made)
    return Markup(re.sub(r"<img [^>]*>", "", made).replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - our own pages
