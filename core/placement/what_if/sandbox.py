"""A configuration and a fleet with changes in thought: applied and undone step by step, compared, written down.

A pure value: nothing real is touched, and what it was made of stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.config.model import Configuration
from core.config.settings import Setting, apply_settings
from core.diagnostics import Diagnostic
from core.errors import UsageError
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.placement.what_if.changes import FleetChange, HostGone, HostInState
from core.text import shell_command

Change = Setting | FleetChange

T = TypeVar("T")

_COMMANDS = {
    HostState.ENABLED: "enable", HostState.NO_SCHEDULING: "no-scheduling", HostState.DISABLED: "disable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Situation:
    """A configuration and a fleet: what every question of placement is asked of."""

    configuration: Configuration
    fleet: Fleet


@dataclass(frozen=True, slots=True)
class Compared(Generic[T]):
    """The answers to one question, as things are and as they would be."""

    before: T
    after: T

    @property
    def differs(self) -> bool:
        """Whether the changes make a difference to it."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Things as they are (`before`), the changes in their order, and things as they would be (`after`).

    `warnings` are those of the configuration that come with its changes.
    """

    before: Situation
    changes: tuple[Change, ...]
    after: Situation
    warnings: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, configuration: Configuration, fleet: Fleet) -> Sandbox:
        """Begin without changes."""
        situation = Situation(configuration, fleet)
        return cls(situation, (), situation)

    def with_changes(self, *changes: Change) -> Sandbox:
        """Make further changes; raises UsageError, as for a host that isn't there or a wrong setting."""
        if any(isinstance(change, Setting) for change in changes):
            return _make(self.before, (*self.changes, *changes))
        configuration, fleet = self.after.configuration, self.after.fleet
        for change in changes:
            if not isinstance(change, Setting):
                fleet = change.apply(configuration, fleet)
        return Sandbox(self.before, (*self.changes, *changes), Situation(configuration, fleet), self.warnings)

    def undo(self) -> Sandbox:
        """Take the last change back; without changes it stays as it is."""
        return _make(self.before, self.changes[:-1])

    def on(self, fleet: Fleet) -> Sandbox:
        """Make the same changes on another fleet, as on the next look at a live one.

        Changes of hosts or VMs that are not there any more are left out of `after`, and stay among the changes.
        """
        after = fleet
        for change in self.changes:
            if not isinstance(change, Setting):
                try:
                    after = change.apply(self.after.configuration, after)
                except UsageError:  # what it was about is gone by itself
                    continue
        before = Situation(self.before.configuration, fleet)
        return Sandbox(before, self.changes, Situation(self.after.configuration, after), self.warnings)

    def compare(self, question: Callable[[Configuration, Fleet], T]) -> Compared[T]:
        """Ask the same of both: a ranking, a capacity, a failure check."""
        before = question(self.before.configuration, self.before.fleet)
        if not self.changes:
            return Compared(before, before)
        return Compared(before, question(self.after.configuration, self.after.fleet))

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The changes of the configuration, in their order."""
        return tuple(change for change in self.changes if isinstance(change, Setting))

    @property
    def hocon(self) -> str:
        """What makes the changes real: lines to append to the main file, and commands for hosts as comments."""
        lines = [setting.hocon for setting in self.settings]
        for change in self.changes:
            if isinstance(change, HostInState):
                lines.append(f"# {shell_command(f'realms hosts {_COMMANDS[change.state]}', _folded(change.host))}\n")
            elif isinstance(change, HostGone):
                lines.append(f"# {shell_command('realms hosts remove', _folded(change.host))}\n")
        return "".join(lines)


def _make(before: Situation, changes: tuple[Change, ...]) -> Sandbox:
    settings = [change for change in changes if isinstance(change, Setting)]
    configuration, warnings = apply_settings(before.configuration, settings)
    fleet = before.fleet
    for change in changes:
        if not isinstance(change, Setting):
            fleet = change.apply(configuration, fleet)
    return Sandbox(before, changes, Situation(configuration, fleet), warnings)


def _folded(name: str) -> str:
    return " ".join(name.split())
