"""From an input file to events: what is known, checked, accepted, read from the disk, settled, completed."""
