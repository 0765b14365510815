"""What each event means for the rows of the projections, by the kind of record."""
