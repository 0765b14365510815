"""Write ``sessions.txt``, as acquisition software writes it and as it was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Form = Literal["real", "published"]


@dataclass(frozen=True, slots=True)
class SampleTask:
    """Seconds from the start of the session. ``end_s`` None leaves it out; ``flag`` as in ``<RUNNING>``."""

    name: str
    start_s: float
    end_s: float | None = None
    valid_times: tuple[tuple[float, float], ...] = ()
    flag: str | None = None


def sessions_txt(tasks: Sequence[SampleTask], *, form: Form = "real") -> bytes:
    """The bytes of the file. ``real``: CRLF, padded columns, trailing blanks, no final newline."""
    lines = []
    for number, task in enumerate(tasks, start=1):
        if form == "published":
            flag = f"    <{task.flag}>" if task.flag else ""
            lines.append(f"#{number},    {task.name}    start={task.start_s:g}{flag}")
            continue
        fields = [f"#{number},  {task.name + ',':<20}", f"start={task.start_s:g}"]
        if task.end_s is not None:
            fields[-1] += ","
            fields.append(f"end={task.end_s:g}")
        if task.valid_times:
            fields[-1] += ","
            fields.append("valid_times=[" + ";".join(f"{a:g},{b:g}" for a, b in task.valid_times) + "]")
        if task.flag:
            fields.append(f"<{task.flag}>")
        lines.append(" ".join(fields))
    if form == "published":
        return ("\n".join(lines) + "\n").encode("utf-8")
    return "  \r\n".join(lines).encode("utf-8")


def write_sessions_txt(directory: Path, tasks: Sequence[SampleTask], *, form: Form = "real") -> Path:
    """Write it into a session directory. Returns the file."""
    file = directory / "sessions.txt"
    file.write_bytes(sessions_txt(tasks, form=form))
    return file
