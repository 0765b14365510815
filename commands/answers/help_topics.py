"""What to do when something is in the way: topics, each with the words that people look for it by.

They stand in ``help_topics.txt``.

Their sentences name no command and no page: what would help is a ``NextStep``, which each face words.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ledger.errors import NextStep

_RUN_TOGETHER = re.compile(r"(?<=[a-z])(?=[A-Z])")
MOST = 8  # topics that a search gives


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpTopic:
    """``codes`` are those of refusals and findings that lead here; ``words`` what people call it besides the title."""

    id: str
    title: str
    says: list[str]
    codes: list[str] = field(default_factory=list)
    words: str = ""
    next_steps: list[NextStep] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The topics that fit best first; all of them where nothing was looked for."""

    asked: str
    topics: list[HelpTopic]


@cache
def topics() -> tuple[HelpTopic, ...]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return tuple(_topic(part) for part in text.split("\n## ")[1:])


def _topic(text: str) -> HelpTopic:
    head, *says = text.strip().split("\n\n")
    name, _, title = head.splitlines()[0].partition(": ")
    about = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    return HelpTopic(
        id=name,
        title=title,
        says=[" ".join(each.split()) for each in says],
        codes=about.get("codes", "").split(),
        words=about.get("words", ""),
        next_steps=[_step(step) for step in about.get("steps", "").split()],
    )


def _step(text: str) -> NextStep:
    """``request-role(role=researcher,reason)``: what has no value is for a person to fill in."""
    action, _, given = text.rstrip(")").partition("(")
    pairs = (each.partition("=") for each in given.split(",") if each)
    return NextStep(action, None, {name: value or None for name, _, value in pairs})


def help_for(asked: str) -> Help:
    """The topics that a code or words lead to; none where nothing fits."""
    wanted = [
        word for word in re.split(r"[^\w-]+", _RUN_TOGETHER.sub(" ", asked).casefold()) if len(word) > 1
    ]
    if not wanted:
        return Help(asked=asked, topics=list(topics()))
    by_code = [topic for topic in topics() if asked.strip().casefold() in topic.codes]
    if by_code:
        return Help(asked=asked, topics=by_code)
    scored = [(_score(topic, wanted), number, topic) for number, topic in enumerate(topics())]
    best = max(score for score, _, _ in scored)
    fitting = [each for each in scored if each[0] > 0 and each[0] * 3 >= best]
    return Help(
        asked=asked, topics=[topic for _, _, topic in sorted(fitting, key=lambda e: (-e[0], e[1]))][:MOST]
    )


def _score(topic: HelpTopic, wanted: list[str]) -> int:
    """A word of the title tells more than one of its other names, and that more than one of its text."""
    places = (
        (5, f"{topic.title} {topic.id}"),
        (3, f"{topic.words} {' '.join(topic.codes)}"),
        (1, " ".join(topic.says)),
    )
    return sum(
        weight
        for word in wanted
        for weight, text in places
        if any(
            each.startswith(word[: max(len(word) - 2, 4)]) for each in re.split(r"[^\w-]+", text.casefold())
        )
    )
