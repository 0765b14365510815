"""Mutated input files: reading one never raises, takes bounded time, and means the same in YAML and in JSON.

A case is made from its seed alone. It mutates the published files, where they are at hand, and generated ones: their
bytes and signs, or the document that they hold.
"""

import copy
import json
import random
import time
from functools import cache
from typing import Any

import yaml

from commands.inputfile.catalogue import read_catalogue
from commands.inputfile.read import ReadResult, read_input_file, read_tasks
from tests.conftest import SHARED
from tests.inputfile.documents import EXAMPLE_JSON, EXAMPLE_YAML, block_yaml, campaign_json, campaign_yaml

SLOWEST = 5.0  # seconds of CPU for a few kilobytes
SIGNS = [
    *"\n\r\t :-,[]{}\"'\\#&*!|>%@`?~=;/", "- ", ": ", " #", "---\n", "<<: ", "*a ", "&a ", "!!str ", "null", "yes", "NaN",
    "1,200", "0,5", "0x1f", "1e999", "9" * 40, "\\u0000", "\\ud800", "\u00a0", "–", "：", "“", "’", "\u200b", "\ufeff",
    "\0", "\x1b", "\x85", "\u2028", "\U0001f400", "e\u0301", "  ", "\n\n", '{"a": ', "[[", "}}", "%TAG !a! b\n", "a" * 300,
]  # fmt: skip
TEXTS = [
    "", " ", "user_1", "USER_1", "yes", "no", "~", "null", "2.340", "1,200", "0,5", "2023-05-01 10:00:00", "N:/a #2", "a: b",
    "- a", "\u00a0x", "e\u0301", "\u200b", "“a”", "x" * 256, "x" * 5_000, "true", "-5", "\n", "#", "[", "'", '"', "\\", "12345_1",
]  # fmt: skip
SCALARS = [None, True, False, 0, 1, -1, 27, 1.5, -0.0, 1e300, 2**63, 2**70, 10**30, 0.1, 5e-324]
FILENAMES = ["", "a.yml", "a.yaml", "a.json", "a.txt", "A.JSON"]


@cache
def sources() -> tuple[bytes, ...]:
    folder = SHARED / "realdata" / "mass_ingest"
    real = sorted(folder.glob("*")) if folder.is_dir() else []
    made = (EXAMPLE_YAML.encode(), EXAMPLE_JSON.encode(), campaign_yaml(2), campaign_json(2))
    return (*made, *(file.read_bytes() for file in real))


@cache
def documents() -> tuple[Any, ...]:
    """What the sources hold that parse, as plain data that JSON can express."""
    held = []
    for source in sources():
        try:
            held.append(json.loads(json.dumps(yaml.load(source, yaml.BaseLoader))))
        except yaml.YAMLError:
            continue
    return (*held, json.loads(EXAMPLE_JSON), json.loads(campaign_json(2)))


def one_case(seed: int) -> None:
    """Raises AssertionError, or whatever reading raises, where the case finds a fault."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        data = _mutated_text(chance)
        filename = chance.choice(FILENAMES)
        holds(_timed(data, filename))
        read_tasks(data, filename=filename)
        read_catalogue(data)
    else:
        formats_agree(_mutated_document(chance))


def _mutated_text(chance: random.Random) -> bytes:
    text = chance.choice(sources()).decode("utf-8", "replace")
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 0, 1, 2, 10, 100)))
        piece = chance.choice(
            (
                "",
                chance.choice(SIGNS),
                chance.choice(SIGNS) * chance.randrange(1, 60),
                text[start : start + 40],
            )
        )
        text = text[:start] + piece + text[end:]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if chance.random() < 0.1 and data:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _mutated_document(chance: random.Random) -> Any:
    document = copy.deepcopy(chance.choice(documents()))
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = list(_places(document))
        holder, key = chance.choice(places)
        kind = chance.randrange(5)
        if kind == 0:
            del holder[key]
        elif kind == 1:
            holder[key] = chance.choice(TEXTS)
        elif kind == 2:
            holder[key] = chance.choice(SCALARS)
        elif kind == 3:
            other, name = chance.choice(places)
            if name in other if isinstance(other, dict) else name < len(other):
                holder[key] = copy.deepcopy(other[name])
        elif isinstance(holder, dict):
            holder[chance.choice(TEXTS)[:1_000]] = holder[key]  # YAML's keys have 1,024 characters at most
        else:
            holder.append(copy.deepcopy(holder[key]))
        if not document:
            break
    return document


def _places(value: Any) -> Any:
    for key, item in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def _timed(data: bytes, filename: str) -> ReadResult:
    started = time.process_time()
    result = read_input_file(data, filename=filename)
    seconds = time.process_time() - started
    assert seconds < SLOWEST, f"{seconds:.1f} s"
    return result


def holds(result: ReadResult) -> None:
    """What is true of every result."""
    assert result.stage in (0, 1)
    errors = [finding for finding in result.findings if finding.severity == "error"]
    assert errors or result.input_file is not None
    for finding in result.findings:
        assert finding.message
        assert len(str(finding)) < 2_000
        assert str(finding).isprintable(), str(finding)
        f"{finding}{finding.path}".encode()
        result.position(finding.path)


def formats_agree(document: Any) -> None:
    from_json = _timed(json.dumps(document).encode(), "a.json")
    from_yaml = _timed(block_yaml(document).encode(), "a.yml")
    holds(from_json)
    holds(from_yaml)
    assert from_yaml.stage == from_json.stage
    assert from_yaml.input_file == from_json.input_file
    assert from_yaml.left_out_names == from_json.left_out_names
    assert _told(from_yaml) == _told(from_json)


def _told(result: ReadResult) -> list[tuple[int, str, str, str, str]]:
    return sorted((f.stage, f.severity, f.code, f.path, f.message) for f in result.findings)
