"""The views, as ``docs/query.md`` lists them. ``python -m tests.analysis.query_page`` writes them anew."""

import re

from commands.answers.query.views import VIEWS
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "query.md"
_LISTED = re.compile(r"(<!-- views -->\n).*(<!-- end of views -->)", re.DOTALL)


def views() -> str:
    """A column without a type is a text."""
    lines = ["| view | rows | columns |", "|---|---|---|"]
    for view in VIEWS.values():
        columns = [
            f"`{name}`" + ("" if kind == "VARCHAR" else f" {kind}") for name, kind in view.columns.items()
        ]
        lines.append(f"| `{view.name}` | {view.about} | {', '.join(columns)} |")
    return "\n".join(lines) + "\n"


def listed(page: str) -> str:
    return _LISTED.sub(lambda found: found[1] + views() + found[2], page)


if __name__ == "__main__":
    PAGE.write_text(listed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
