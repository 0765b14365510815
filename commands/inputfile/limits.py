"""How much of an input file is looked at before it is refused. Every figure is named in the message that
uses it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``entries`` are the sessions and clusterings of an input file, ``catalogue_facts`` the values, subjects and
    insertions of a catalogue file. ``nodes`` counts keys, values, lists and mappings, those reached through
    aliases once per alias. Aliases may expand to as many characters as a file may have bytes. ``findings`` of a
    file are kept with their text, the others with their place up to ``placed_findings`` in all. ``repairs``
    bounds the number of mistakes that are looked for in a file that does not parse."""

    input_file_bytes: int = 10 * 1024 * 1024
    depth: int = 32
    entries: int = 50_000
    catalogue_facts: int = 50_000
    nodes: int = 1_500_000
    findings: int = 1_000
    placed_findings: int = 10_000
    repairs: int = 25


DEFAULT_LIMITS = Limits()
