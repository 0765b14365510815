"""Tests, and what they share."""

import os
import sys

# Whatever the surroundings say: else each of some hundred processes would compile all that it loads.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
