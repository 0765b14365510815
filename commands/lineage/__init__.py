"""A lineage told: lines of input files, and the graph as text, as a drawing, and as W3C provenance."""
