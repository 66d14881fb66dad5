"""What the editor of a what-if is about: one cost function, and what is changed of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.config.model import Configuration
from core.config.settings import Setting, apply_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.syntax import Place
    from core.costs import CostFunction
    from core.diagnostics import Diagnostic
    from core.placement.what_if.sandbox import Change
    from tui.render.costs.exploration import CloseUp


@dataclass(frozen=True, slots=True)
class Subject:
    """What is edited: a cost function as configured, and the settings of it that the what-if has."""

    configured: CostFunction
    settings: tuple[Setting, ...] = ()
    close_up: CloseUp | None = None
    """A host with this function, whose use is marked on the curves; None where none is chosen."""
    places: Mapping[tuple[str, ...], Place] = field(default_factory=dict)
    """Where values stand in the files, as far as that is known."""

    def changed(self, *more: Setting) -> tuple[CostFunction, tuple[Diagnostic, ...]]:
        """Give the function with its settings and more; raises UsageError. Only this function is read: a few ms."""
        alone = Configuration({self.configured.id: self.configured})
        after, warnings = apply_settings(alone, (*self.settings, *more))
        return after.cost_functions[self.configured.id], warnings


def settings_of(changes: tuple[Change, ...], function: str) -> tuple[Setting, ...]:
    """Pick the settings of one cost function."""
    start = ("cost-functions", function)
    return tuple(change for change in changes if isinstance(change, Setting) and change.path[:2] == start)
