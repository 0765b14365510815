"""How fast Daybook is, as ratios against raw work and against a peer, taken in one run. Not part of the tests."""
