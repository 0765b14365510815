"""Command lines in children of one process, each with a limit on its CPU: how each ended, and what it took.

``python -m tests.attacks.bounded SECONDS`` reads a JSON list of command lines on standard input, and writes a list of
answers. What is imported is imported once, and counted for nobody.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

SAFE_BYTES = 8 << 30  # of addresses: what takes more than that would hurt the machine


@dataclass(frozen=True, slots=True)
class Taken:
    """``exit`` is below 0 where the limit ended it."""

    exit: int
    out: str
    cpu_s: float
    memory_mb: int


def run_bounded(lines: Sequence[Sequence[str]], folder: Path, *, seconds: int = 10) -> list[Taken]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.bounded", str(seconds)],
        input=json.dumps([list(line) for line in lines]), cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return [Taken(**answer) for answer in json.loads(done.stdout)]


def main() -> None:
    import commands.cli.input_files
    import commands.cli.invocation
    import commands.intake.uploading  # noqa: F401 - so that no child has to

    print(json.dumps([_ended(line, int(sys.argv[1])) for line in json.load(sys.stdin)]))


def _ended(line: list[str], seconds: int) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        child = os.fork()
        if child == 0:
            _become(line, seconds, out.fileno(), told.fileno())
        _, status, usage = os.wait4(child, 0)
        out.seek(0)
        told.seek(0)
        return {
            "exit": os.waitstatus_to_exitcode(status),
            "out": out.read(100_000).decode("utf-8", "replace"),
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "memory_mb": int(told.read() or 0) // 1024,
        }


def _become(line: list[str], seconds: int, out: int, told: int) -> None:
    """Never returns. The most memory is read from the system at the end: ru_maxrss would begin with the parent's."""
    from commands.cli.main import cli

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (SAFE_BYTES, SAFE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(out, 1)
    os.dup2(out, 2)
    code: object = 0
    try:
        sys.argv = ["daybook", *line]
        cli.main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - whatever it is, it is a fault
        code = 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        [most] = [
            row.split()[1] for row in Path("/proc/self/status").read_text().splitlines() if row[:5] == "VmHWM"
        ]
        os.write(told, most.encode())
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
