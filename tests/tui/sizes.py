"""The sizes of terminal that screens are tested at."""

from __future__ import annotations

import pytest

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
