"""What every test of the screens stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual._context import active_app
from textual.widgets import Input

from tests.tui.driving import quiet, settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from textual.app import App
    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def _steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cursors stand: a picture would have them or not, by the moment that it was taken at."""
    monkeypatch.setattr(Input.cursor_blink, "_default", False)


@pytest.fixture(autouse=True)
def _keys_wait_for_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a key be done once its messages are: Textual's pilot waits until the processor rests, which load fakes."""

    async def wait(*_: float) -> None:
        await quiet(active_app.get())

    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", wait)


@pytest.fixture
def picture(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Return what compares a settled screen with the one that is kept: after `prepare`, then each key in its turn."""

    def compare(
        app: App[Any],
        size: tuple[int, int] = (80, 24),
        *keys: str,
        prepare: Callable[[Pilot[Any]], Awaitable[object]] | None = None,
    ) -> bool:
        async def run(pilot: Pilot[Any]) -> None:
            await settle(pilot)
            if prepare is not None:
                await prepare(pilot)
                await settle(pilot)
            for key in keys:
                await pilot.press(key)
                await settle(pilot)

        return snap_compare(app, terminal_size=size, run_before=run)

    return compare
