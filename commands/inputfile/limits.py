"""How much of an input file is looked at before it is refused. Every figure is named in the message that
uses it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``nodes`` counts keys, values, lists and mappings of a YAML file, those reached through aliases
    once per alias. ``findings`` bounds the report on a file that is wrong throughout. ``repairs`` bounds
    the number of mistakes that are looked for in a file that does not parse."""

    input_file_bytes: int = 10 * 1024 * 1024
    depth: int = 32
    nodes: int = 2_000_000
    findings: int = 10_000
    repairs: int = 25


DEFAULT_LIMITS = Limits()
