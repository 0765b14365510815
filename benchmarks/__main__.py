"""Run every measure and print the table: ``python -m benchmarks [--quick] [--only NAME] [--write FILE]``."""

import argparse
import os
import platform
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from benchmarks import (
    appending,
    deleting,
    looking,
    reading,
    rebuilding,
    serving,
    slow_share,
    stage3,
    starting,
    writing_at_once,
)
from benchmarks.databases import directory, postgresql
from benchmarks.measure import Measure

PARTS = (
    "starting",
    "reading",
    "duplicates",
    "slow_share",
    "stage3",
    "appending",
    "writing_at_once",
    "rebuilding",
    "looking",
    "deleting",
    "serving",
)


def run(parts: list[str], scale: int) -> Iterator[Measure]:
    sessions, events = 10_000 // scale, 1_000_000 // scale
    with directory() as place:
        if "starting" in parts:
            yield from starting.measures(place)
    if "reading" in parts:
        yield from reading.measures(sessions)
    with directory() as place:
        if "duplicates" in parts:
            yield from reading.duplicates(place, sessions)
    with directory() as place:
        if "slow_share" in parts:
            yield from slow_share.measures(place, 400)
    with directory() as place:
        if "stage3" in parts:
            yield from stage3.measures(place, sessions)
    if not {"appending", "writing_at_once", "rebuilding", "looking", "deleting", "serving"} & set(parts):
        return
    with postgresql() as server:
        for address in (None, server):
            with directory() as place:
                if "appending" in parts:
                    yield from appending.measures(
                        place, address, singles=2000 // scale, batches=max(20 // scale, 5)
                    )
                if "writing_at_once" in parts:
                    yield from writing_at_once.measures(place, address, commands=3200 // scale)
                if "rebuilding" in parts:
                    yield from rebuilding.measures(place, address, events)
                if "looking" in parts:
                    yield from looking.measures(place, address, events)
                if "deleting" in parts:
                    yield from deleting.measures(place, address, events, sessions)
            with directory() as place:
                if "serving" in parts:
                    yield from serving.measures(place, address, events, 60.0 / scale)


def row(measure: Measure) -> str:
    aim = f"{'≤' if measure.at_most else '≥'} {measure.aim:g}"
    met = "yes" if measure.met else "**no**"
    against = f"{measure.against}: {measure.theirs}"
    return f"| {measure.name} | {measure.ours} | {against} | {measure.ratio:.2f} | {aim} | {met} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part (may be repeated)")
    parser.add_argument("--write", type=Path, help="write the table to this file as well")
    options = parser.parse_args()
    head = [
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores",
        "",
        "| measure | ours | against | ratio | aim | met |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(head), flush=True)
    lines = []
    for measure in run(options.only or list(PARTS), 10 if options.quick else 1):
        lines.append(row(measure))
        print(lines[-1], flush=True)
    if options.write:
        options.write.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
