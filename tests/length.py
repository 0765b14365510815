"""How long a run of the tests is: DAYBOOK_LONG_TESTS has random and enumerating tests try twenty times as much."""

import os

LONG = bool(os.environ.get("DAYBOOK_LONG_TESTS"))
TIMES = 20 if LONG else 1
