"""What plans left that were stopped, or whose program was killed: read beside the screen, and offered by it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from textual.message import Message

from core.errors import RealmsError
from tui.screens.area import AreaScreen

if TYPE_CHECKING:
    from core.operations.plan_run import LeftRun
    from core.operations.workplace import Workplace

LOOK_SECONDS = 5.0
"""How often it is looked for what other programs begin, stop and end, while the area is in front."""


class LeftFound(Message):
    """A thread has read which plans were stopped or broken off."""

    def __init__(self, left: tuple[LeftRun, ...]) -> None:
        super().__init__()
        self.left = left


class PlansLeft(AreaScreen):
    """The part of the area that knows which plans were left, or are carried out by other programs."""

    def __init__(self) -> None:
        super().__init__()
        self.left: tuple[LeftRun, ...] = ()
        """As read last, oldest first."""
        self._is_looking = False
        self._looks_again = False
        """Whether something has ended since the present look began."""

    def show_left(self) -> None:
        """Offer what was left."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Follow what other programs do."""
        self.set_interval(LOOK_SECONDS, self._look_again)

    def on_screen_resume(self) -> None:
        """Look for what was stopped or broken off meanwhile."""
        self.look_for_left()

    def _look_again(self) -> None:
        if self.is_current:
            self.look_for_left()

    def look_for_left(self) -> None:
        """Read in a thread what was left."""
        workplace = self.realms.workplace
        if not workplace.is_live or workplace.registry is None:
            return
        if self._is_looking:
            self._looks_again = True
            return
        self._is_looking, self._looks_again = True, False
        threading.Thread(target=self._look, args=(workplace,), name="left plans", daemon=True).start()

    def _look(self, workplace: Workplace) -> None:
        from core.operations.plan_run import left_runs

        try:
            left = left_runs(workplace)
        except RealmsError:  # what can't be read now is read at the next look
            left = self.left
        self.post_message(LeftFound(left))

    def on_left_found(self, message: LeftFound) -> None:
        """Show what was found."""
        self._is_looking = False
        self.left = message.left
        if self._looks_again:
            self.look_for_left()
        if self.is_mounted:
            self.show_left()
            self.show_lines()
