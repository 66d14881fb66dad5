"""Fixtures of the driver's tests."""

from __future__ import annotations

import pytest

from core.clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands."""
    return FixedClock()
