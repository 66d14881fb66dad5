"""The options of commands that ask what if: `--host-state` and `--without`. They change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.errors import UsageError
from core.hosts import HostState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.fleet import Fleet

Command = TypeVar("Command", bound="Callable[..., Any]")


class HostStateType(click.ParamType):  # type: ignore[type-arg]  # older clicks' takes none
    """A host's name with a state: `h3=disabled`."""

    name = "HOST=STATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, HostState]:
        """Split the name, which may hold an equals sign itself, from the state; or fail with what would be right."""
        if isinstance(value, tuple):
            return value
        name, equals, state = value.rpartition("=")
        states = [known.value for known in HostState]
        if not equals or not name or state not in states:
            example = f"write HOST=STATE with one of {', '.join(states)}"
            self.fail(f"{value!r} is no host with a state: {example}", param, ctx)
        return name, HostState(state)


def change_options(command: Command) -> Command:
    """Add the options; their parameters are `host_states` and `without`, to be given to `changed`."""
    for option in (
        click.option("--without", multiple=True, metavar="HOST", help="What if this host were gone."),
        click.option("--host-state", "host_states", type=HostStateType(), multiple=True, metavar="HOST=STATE",
                     help="What if this host were enabled, no-scheduling or disabled."),
    ):  # fmt: skip
        command = option(command)
    return command


def changed(fleet: Fleet, host_states: Sequence[tuple[str, HostState]], without: Sequence[str]) -> Fleet:
    """Give the fleet as asked for; raises UsageError for a host that isn't there, or is given twice."""
    from core.operations.selection import check_known
    from core.placement.changes import with_states, without_hosts

    known = [snapshot.name for snapshot in fleet.hosts]
    named = [*(name for name, _ in host_states), *without]
    for name in named:
        check_known("host", name, known)
        if named.count(name) > 1:
            raise UsageError(f"host {name!r} is given twice", hint="one state for each host, or --without")
    return without_hosts(with_states(fleet, dict(host_states)), frozenset(without))
