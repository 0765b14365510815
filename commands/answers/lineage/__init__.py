"""Where a record came from and what stands on it: lines of its file, drawings, W3C PROV."""
