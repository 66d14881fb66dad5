"""The application, started at the cost explorer, on a fleet that a test can change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tui
from core.clock import FixedClock
from core.operations.session import Session
from tests.tui.screens.costs import costs_world
from tui.app.app import RealmsApp
from tui.screens.costs.area import CostsScreen
from tui.state.settings import Settings

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


class ChangingSession(Session):
    """A session on a saved fleet that becomes another one, as a live one does."""

    def become(self, fleet: Fleet, configuration: Configuration | None = None) -> None:
        """Have this fleet, and configuration, from now on."""
        self._saved = fleet
        self.configuration = configuration or self.configuration
        self._changes += 1


class CostsApp(RealmsApp):
    """The application at the cost explorer."""

    DEFAULT_MODE = "costs"
    CSS_PATH = Path(tui.__file__).parent / "app" / "base.tcss"

    def __init__(self, fleet: Fleet, configuration: Configuration | None = None, theme: str = "") -> None:
        self.changing = ChangingSession(
            configuration or costs_world.configuration(), saved=fleet, label="saved fleet", clock=FixedClock()
        )
        super().__init__(self.changing, Settings(theme=theme))

    def become(self, fleet: Fleet, configuration: Configuration | None = None) -> None:
        """Change the fleet and look at it."""
        self.changing.become(fleet, configuration)
        self.tick()

    @property
    def costs(self) -> CostsScreen:
        """The screen in front."""
        assert isinstance(self.screen, CostsScreen)
        return self.screen

    def text(self) -> str:
        """Return what the screen shows, line by line."""
        strips = self.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)
