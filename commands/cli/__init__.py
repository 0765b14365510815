"""The command line: click verbs over the same commands and projections as every other face."""
