"""What administrators get wrong: all tables of mistakes."""

from __future__ import annotations

from tests.config.mistakes_in_costs import CURVES, FUNCTIONS
from tests.config.mistakes_in_files import FILES, SUBSTITUTIONS, SYNTAX
from tests.config.mistakes_in_sections import PROFILES, REALMS

CASES = CURVES + FUNCTIONS + PROFILES + REALMS + FILES + SYNTAX + SUBSTITUTIONS
