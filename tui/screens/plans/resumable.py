"""What plans left that were stopped, or whose program was killed: read beside the screen, and offered by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.area import AreaScreen
from tui.screens.background import Latest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.errors import RealmsError
    from core.operations.plans.run import LeftRun
    from core.operations.session import Workplace

LOOK_SECONDS = 5.0
"""How often it is looked for what other programs begin, stop and end, while the area is in front."""


class PlansLeft(AreaScreen):
    """The part of the area that knows which plans were left, or are carried out by other programs."""

    def __init__(self) -> None:
        super().__init__()
        self.left: tuple[LeftRun, ...] = ()
        """As read last, oldest first."""
        self.left_error = ""
        """Why it can't be read; empty while it can."""
        self._looking = Latest(self, "left plans", self._read_left, self._take_left, self._fail_to_read_left)

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
        """Read aside what was left; once more where something ends meanwhile."""
        workplace = self.realms.workplace
        if workplace.is_live and workplace.registry is not None:
            self._looking.ask(workplace)

    def _read_left(self, workplace: Workplace) -> Iterator[tuple[LeftRun, ...]]:
        from core.operations.plans.run import left_runs

        yield left_runs(workplace)

    def _take_left(self, _: Workplace, left: tuple[LeftRun, ...]) -> None:
        self.left, self.left_error = left, ""
        self._show_looked()

    def _fail_to_read_left(self, _: Workplace, error: RealmsError) -> None:
        """Say so, and offer what was read before."""
        self.left_error = str(error)
        self._show_looked()

    def _show_looked(self) -> None:
        if self.is_mounted:
            self.show_left()
            self.show_lines()
