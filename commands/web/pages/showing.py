"""Pages as HTML: one layout, one policy for what a browser may load, and how each way to fail looks.

What every page has: whose ledger, who is signed in, the moment that it shows, and the position that it answers for.
"""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import Response

from commands.accounts.preferences import zone_of
from commands.answers.place import place
from commands.answers.sentences import shown as shown_in_utc
from commands.door.command_ids import new_command_id
from commands.web.pages.addresses import event_address, record_address
from commands.web.pages.assets import address
from commands.web.pages.next_steps import ways
from commands.web.pages.visiting import Visit
from commands.web.problems import Problem
from commands.web.serving import Serving
from ledger.database import Transaction

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_NAVIGATION = (
    ("/", "Home"), ("/sessions", "Sessions"), ("/clusterings", "Clusterings"), ("/uploads", "Uploads"),
    ("/ingest", "Ingest"), ("/subjects", "Subjects"), ("/requests", "Wrong data"), ("/work", "Work"),
    ("/audit", "Audit"), ("/people", "People"), ("/help", "Help"),
)  # fmt: skip
"""Address and title of what stands at the top of each page."""
_WORTH_PACKING = 16_000  # bytes


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(asset=address, navigation=_NAVIGATION, new_command_id=new_command_id)
    made.filters.update(
        time=time_of_reader, number=lambda number: f"{number:,}", query=query, status=status_shown, when=when_shown,
        record=record_address, lasted=lasted, event=event_address, plainly=plainly,
    )  # fmt: skip
    return made


def plainly(value: Any) -> str:
    """A value of an entry, as the input format has it."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pass_context
def time_of_reader(context: Context, recorded_at: str | None) -> str:
    """A time of the log, as text, in the zone that the reader's account chose."""
    return time_shown(recorded_at, context.get("zone", UTC))


@pass_context
def when_shown(context: Context, recorded_at: str | None) -> Markup:
    """The same as an element, with the exact one in UTC."""
    if not recorded_at:
        return Markup("")
    return Markup('<time datetime="{0}" title="{0} UTC">{1}</time>').format(
        recorded_at, time_shown(recorded_at, context.get("zone", UTC))
    )


def time_shown(recorded_at: str | None, zone: tzinfo = UTC) -> str:
    """A time of the log for a reader: ``30 Nov 2026 13:05``."""
    if not recorded_at:
        return ""
    try:
        there = datetime.fromisoformat(recorded_at).astimezone(zone)
    except (ValueError, OverflowError):  # at either end of the calendar
        return shown_in_utc(recorded_at)
    return f"{there.day} {there:%b %Y %H:%M}"


def lasted(seconds: float) -> str:
    """How long something took: 12 s, 3 min, 5 hours, 2 days."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}s"
    return f"{seconds:,.0f} s"


def status_shown(status: str) -> Markup:
    """A mark and a word. What programs call ``error`` people call failed."""
    word = "failed" if status == "error" else status
    return Markup('<span class="status {0}">{0}</span>').format(word)


def query(given: Mapping[str, Any], **changed: Any) -> str:
    """A query of an address: what is there, with what is changed; None takes a parameter away."""
    pairs = {name: value for name, value in {**given, **changed}.items() if value not in (None, "", [])}
    return f"?{urlencode(pairs, doseq=True)}" if pairs else ""


_PAGES = environment()


def page(
    visit: Visit, template: str, title: str, *, position: int, status: int = 200,
    headers: Mapping[str, str] | None = None, **values: Any,
) -> Response:  # fmt: skip
    """``template`` lies in ``templates/pages`` and extends the layout. ``position``: what the page answers for."""
    with visit.serving.ledger.database.reading() as transaction:
        here, zone = place(transaction, position), zone_of(transaction, visit.actor.user)
    made = _html(
        f"pages/{template}", status, headers, title=title, position=position, here=here, lab=here.origin, visit=visit,
        user=visit.actor.user, path=visit.request.url.path, query_now=visit.query, as_of=visit.as_of, zone=zone,
        zone_name=str(zone), then=query({}, as_of=visit.as_of), **values,
    )  # fmt: skip
    asks_packed = visit.request.method == "GET" and "gzip" in visit.request.headers.get("accept-encoding", "")
    return _packed(made) if asks_packed else made


def _packed(made: Response) -> Response:
    """Long lists and texts are a sixth as long on the line. What shows a secret answers a form, and is never packed:
    the length of a packed page tells something of its text."""
    if len(made.body) > _WORTH_PACKING:
        made.body = gzip.compress(made.body, 5, mtime=0)
        made.headers.update({"content-encoding": "gzip", "content-length": str(len(made.body))})
        made.headers["vary"] = "accept-encoding"
    return made


def fragment(
    template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """For a script: it goes to the place that is for what the page has to say (``#said`` of the layout)."""
    there = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"}
    return _html(template, status, {**there, **(headers or {})}, **values)


def plain(
    serving: Serving, template: str, title: str, *, status: int = 200, headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:  # fmt: skip
    """A page for whom nobody knows yet."""
    return _html(template, status, headers, title=title, lab=_lab(serving), **values)


def failed(serving: Serving, problem: Problem, visit: Visit | None = None) -> Response:
    """What was found, what is needed, whom to ask."""
    return plain(
        serving, "failed.html", "That did not work" if problem.status >= 500 else "Not done", problem=problem,
        status=problem.status, headers=problem.headers, contact=serving.settings.contact, visit=visit,
        ways=ways(problem.steps),
    )  # fmt: skip


def failed_here(serving: Serving, problem: Problem) -> Response:
    """The same for a script, on the page that is open."""
    return fragment(
        "failed_here.html", problem=problem, status=problem.status, headers=problem.headers,
        contact=serving.settings.contact, ways=ways(problem.steps),
    )  # fmt: skip


def _html(template: str, status: int, headers: Mapping[str, str] | None, **values: Any) -> Response:
    text = _PAGES.get_template(template).render(**values)
    return Response(text, status, {**(headers or {}), "content-security-policy": CSP}, media_type="text/html")


def _lab(serving: Serving) -> str:
    with serving.ledger.database.reading() as transaction:
        return _origin(transaction)


def _origin(transaction: Transaction) -> str:
    (origin,) = transaction.run("SELECT origin FROM head").fetchone()
    return str(origin)
