"""What every test of the screens stands on."""

from __future__ import annotations

import pytest
from textual.widgets import Input


@pytest.fixture(autouse=True)
def _steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cursors stand: a picture would have them or not, by the moment that it was taken at."""
    monkeypatch.setattr(Input.cursor_blink, "_default", False)
